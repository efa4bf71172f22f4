//! Longer bars out of shorter ones. Pure.

use super::interval::{Interval, TimedBar, midnight};
use chrono::{DateTime, DurationRound as _, Utc};
use domain::Market;
use exchange::{market_day, trading_day};

/// Puts bars, oldest first, together to longer ones. Buckets are counted from the session's open, as exchanges do:
/// an American hour begins at half past. A day is made of its regular session alone.
#[must_use]
pub fn resample(market: Market, bars: &[TimedBar], interval: Interval) -> Vec<TimedBar> {
    put_together(bars, |at| bucket(market, at, interval))
}

/// The same by the clock alone, for prices that come day and night.
#[must_use]
pub fn by_the_clock(bars: &[TimedBar], interval: Interval) -> Vec<TimedBar> {
    put_together(bars, |at| at.duration_trunc(interval.length()).ok())
}

/// Bars of the same bucket become one.
fn put_together(bars: &[TimedBar], bucket: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>) -> Vec<TimedBar> {
    let mut longer: Vec<TimedBar> = Vec::new();
    for bar in bars {
        let Some(starts_at) = bucket(bar.starts_at) else { continue };
        match longer.last_mut().filter(|last| last.starts_at == starts_at) {
            Some(last) => {
                last.high = last.high.max(bar.high);
                last.low = last.low.min(bar.low);
                last.close = bar.close;
                last.volume = last.volume.saturating_add(bar.volume);
            }
            None => longer.push(TimedBar { starts_at, ..bar.clone() }),
        }
    }
    longer
}

/// When the bucket of a moment begins; none for a moment that belongs to no day.
fn bucket(market: Market, at: DateTime<Utc>, interval: Interval) -> Option<DateTime<Utc>> {
    let day = market_day(market, at);
    let session = trading_day(market, day)?.regular;
    if interval == Interval::OneDay {
        // The closing auction's trades carry the time of the close.
        return (session.from <= at && at <= session.to).then(|| midnight(day));
    }
    let length = interval.length().num_seconds().max(1);
    let since_open = (at - session.from).num_seconds();
    DateTime::from_timestamp(session.from.timestamp() + since_open.div_euclid(length) * length, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use domain::Price;
    use proptest::prelude::*;

    fn price(units: u32) -> Price {
        units.to_string().parse().unwrap()
    }

    fn minute(at: &str, prices: [u32; 4], volume: u64) -> TimedBar {
        let [open, high, low, close] = prices.map(price);
        TimedBar { starts_at: at.parse().unwrap(), open, high, low, close, volume }
    }

    #[test]
    fn an_hour_begins_with_the_session() {
        let bars = [
            minute("2026-11-20T14:30:00Z", [10, 12, 9, 11], 5),
            minute("2026-11-20T15:29:00Z", [11, 15, 11, 14], 7),
            minute("2026-11-20T15:30:00Z", [14, 14, 8, 8], 1),
        ];
        let hours = resample(Market::Us, &bars, Interval::OneHour);
        assert_eq!(hours.len(), 2);
        assert_eq!(hours[0], minute("2026-11-20T14:30:00Z", [10, 15, 9, 14], 12));
        assert_eq!(hours[1].starts_at.to_rfc3339(), "2026-11-20T15:30:00+00:00");
    }

    #[test]
    fn a_day_is_its_regular_session() {
        let bars = [
            minute("2026-11-20T13:00:00Z", [99, 99, 99, 99], 5),
            minute("2026-11-20T14:30:00Z", [10, 12, 9, 11], 5),
            minute("2026-11-20T21:00:00Z", [13, 13, 13, 13], 7),
            minute("2026-11-20T22:00:00Z", [1, 1, 1, 1], 7),
            minute("2026-11-21T15:00:00Z", [1, 1, 1, 1], 7),
        ];
        let days = resample(Market::Us, &bars, Interval::OneDay);
        assert_eq!(days, [minute("2026-11-20T00:00:00Z", [10, 13, 9, 13], 12)]);
        let quarters = resample(Market::Us, &bars[..1], Interval::FifteenMinutes);
        assert_eq!(quarters[0].starts_at, bars[0].starts_at, "before the open the buckets go on backwards");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_a_session(prices in prop::collection::vec((1u32..99, 1u32..99, 1u32..99, 1u32..99), 1..390)) {
            let open: DateTime<Utc> = "2026-11-20T14:30:00Z".parse().unwrap();
            let bars: Vec<_> = prices.iter().zip(0i64..).map(|((a, b, c, d), minute)| {
                let mut sorted = [*a, *b, *c, *d];
                sorted.sort_unstable();
                TimedBar {
                    starts_at: open + TimeDelta::minutes(minute),
                    open: price(sorted[1]), high: price(sorted[3]), low: price(sorted[0]), close: price(sorted[2]),
                    volume: u64::from(*a),
                }
            }).collect();
            for interval in [Interval::FiveMinutes, Interval::FifteenMinutes, Interval::OneHour, Interval::OneDay] {
                let longer = resample(Market::Us, &bars, interval);
                prop_assert_eq!(longer.iter().map(|bar| bar.volume).sum::<u64>(), bars.iter().map(|bar| bar.volume).sum::<u64>());
                prop_assert_eq!(longer.iter().map(|bar| bar.high).max(), bars.iter().map(|bar| bar.high).max());
                prop_assert_eq!(longer.last().map(|bar| bar.close), bars.last().map(|bar| bar.close));
                prop_assert!(longer.iter().all(TimedBar::is_consistent));
                let twice = resample(Market::Us, &resample(Market::Us, &bars, Interval::FiveMinutes), interval);
                prop_assert_eq!(longer, twice, "by way of five minutes it comes to the same");
            }
        }
    }
}
