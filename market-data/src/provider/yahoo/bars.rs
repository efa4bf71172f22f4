//! Bars for the archive: what Yahoo remembers, in pieces that it answers.

use super::{Yahoo, parse};
use crate::bars::interval::moments;
use crate::bars::{BarsRequest, Interval, TimedBar};
use crate::provider::{ProviderError, useless};
use chrono::{DateTime, TimeDelta, Utc};

/// Furthest back that Yahoo is asked for days, in days.
const DAILY_DEPTH: TimeDelta = TimeDelta::days(60 * 366);

/// What Yahoo calls a length, how far back it remembers bars of it, and how much it gives in one answer. The depths of
/// bars shorter than a day are commonly observed; Yahoo promises none.
const fn reach(interval: Interval) -> (&'static str, TimeDelta, TimeDelta) {
    match interval {
        Interval::OneMinute => ("1m", TimeDelta::days(29), TimeDelta::days(7)),
        Interval::FiveMinutes => ("5m", TimeDelta::days(59), TimeDelta::days(59)),
        Interval::FifteenMinutes => ("15m", TimeDelta::days(59), TimeDelta::days(59)),
        Interval::OneHour => ("60m", TimeDelta::days(729), TimeDelta::days(729)),
        Interval::OneDay => ("1d", DAILY_DEPTH, DAILY_DEPTH),
    }
}

/// The pieces in which a span is asked for, as far back as is remembered; none when all of it is forgotten.
fn pieces(
    interval: Interval,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let (_, depth, most) = reach(interval);
    let mut begin = from.max(now - depth);
    let mut pieces = Vec::new();
    while begin < to {
        let end = to.min(begin + most);
        pieces.push((begin, end));
        begin = end;
    }
    pieces
}

impl Yahoo {
    pub(super) async fn fetch_bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        let span = moments(request.symbol.market(), request.interval, request.from, request.to);
        // A day of the exchange does not begin at midnight in UTC.
        let margin =
            if request.interval == Interval::OneDay { TimeDelta::days(1) } else { TimeDelta::zero() };
        let (name, ..) = reach(request.interval);
        let mut bars = Vec::new();
        for (from, to) in pieces(request.interval, (span.0 - margin, span.1 + margin), Utc::now()) {
            let answer = self.http.between(request.symbol, from, to, name).await;
            let answer = answer.inspect_err(|error| {
                if let ProviderError::UnknownSymbol(symbol) = error {
                    self.tally.note_unknown(*symbol);
                }
            })?;
            let rows = parse::timed_bars(&answer, &request).map_err(useless)?;
            rows.rejected.iter().for_each(|reason| self.tally.reject(*reason));
            self.tally.accept(rows.bars.len());
            bars.extend(rows.bars);
        }
        bars.retain(|bar| span.0 <= bar.starts_at && bar.starts_at < span.1);
        Ok(bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_asked_for_in_weeks_and_not_beyond_memory() {
        let now: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let all = pieces(Interval::OneMinute, (now - TimeDelta::days(365), now), now);
        assert_eq!(all.len(), 5);
        assert_eq!(all[0].0, now - TimeDelta::days(29));
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0) && all[4].1 == now);
        assert!(
            pieces(Interval::FiveMinutes, (now - TimeDelta::days(90), now - TimeDelta::days(80)), now)
                .is_empty()
        );
        assert_eq!(pieces(Interval::OneDay, (now - TimeDelta::days(3_650), now), now).len(), 1);
    }
}
