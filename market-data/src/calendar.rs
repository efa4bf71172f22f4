//! `/calendar`: what the markets do now, and on which days and hours they trade.

use crate::problem::Problem;
use crate::query;
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::Market;
use exchange::phases::{self, Span};
use exchange::sessions;
use serde::Serialize;

/// Days in an answer when the query names no last one.
const DAYS_DEFAULT: u64 = 14;
/// Most days in an answer: a leap year and the day after.
const DAYS_MAX: u64 = 367;

/// The query of `/calendar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarQuery {
    markets: Vec<Market>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

/// Reads `market`, `from` and `to`.
///
/// # Errors
/// [`Problem::InvalidParameter`] that names the parameter.
pub(crate) fn parse_query(query: &str) -> Result<CalendarQuery, Problem> {
    let [market, from, to] = query::read(query, ["market", "from", "to"])?;
    let markets = match market.as_deref() {
        None => vec![Market::Krx, Market::Us],
        Some("KRX") => vec![Market::Krx],
        Some("US") => vec![Market::Us],
        Some(_) => return Err(query::invalid("market", "known", "must be KRX or US")),
    };
    let (from, to) = (query::date("from", from)?, query::date("to", to)?);
    if let Some((from, to)) = from.zip(to) {
        if from > to {
            return Err(query::invalid("from", "order", "must not be after to"));
        }
        if u64::try_from((to - from).num_days()).unwrap_or(u64::MAX) >= DAYS_MAX {
            return Err(query::invalid("to", "range", format!("must be at most {DAYS_MAX} days after from")));
        }
    }
    Ok(CalendarQuery { markets, from, to })
}

#[derive(Serialize)]
struct SpanAnswer {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl From<Span> for SpanAnswer {
    fn from(span: Span) -> Self {
        Self { from: span.from, to: span.to }
    }
}

#[derive(Serialize)]
struct DayAnswer {
    date: NaiveDate,
    kind: &'static str,
    note: Option<&'static str>,
    /// Whether the tables know the year's holidays.
    known: bool,
    pre: Option<SpanAnswer>,
    regular: Option<SpanAnswer>,
    after: Option<SpanAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MarketAnswer {
    market: Market,
    time_zone: &'static str,
    phase: &'static str,
    next_open: DateTime<Utc>,
    next_close: DateTime<Utc>,
    days: Vec<DayAnswer>,
}

/// The answer's body.
#[derive(Serialize)]
pub(crate) struct CalendarAnswer {
    at: DateTime<Utc>,
    markets: Vec<MarketAnswer>,
}

/// Answers a query at a moment.
pub(crate) fn answer(query: &CalendarQuery, now: DateTime<Utc>) -> CalendarAnswer {
    let of = |market: &Market| describe(*market, query, now);
    CalendarAnswer { at: now, markets: query.markets.iter().map(of).collect() }
}

fn describe(market: Market, query: &CalendarQuery, now: DateTime<Utc>) -> MarketAnswer {
    let after = |day: NaiveDate, days| day.checked_add_days(Days::new(days)).unwrap_or(day);
    let before = |day: NaiveDate, days| day.checked_sub_days(Days::new(days)).unwrap_or(day);
    let today = exchange::market_day(market, now);
    let from = query.from.or(query.to.map(|to| before(to, DAYS_DEFAULT - 1))).unwrap_or(today);
    let to = query.to.unwrap_or(after(from, DAYS_DEFAULT - 1));
    let limit = usize::try_from(DAYS_MAX).unwrap_or(usize::MAX);
    MarketAnswer {
        market,
        time_zone: sessions::time_zone(market).name(),
        phase: phases::phase(market, now).name(),
        next_open: phases::next_open(market, now),
        next_close: exchange::regular_close_after(market, now),
        days: from.iter_days().take_while(|day| *day <= to).take(limit).map(|day| row(market, day)).collect(),
    }
}

fn row(market: Market, day: NaiveDate) -> DayAnswer {
    let spans = phases::trading_day(market, day);
    DayAnswer {
        date: day,
        kind: phases::day_kind(market, day).name(),
        note: sessions::note(market, day),
        known: sessions::COVERED_YEARS.contains(&chrono::Datelike::year(&day)),
        pre: spans.map(|day| day.pre.into()),
        regular: spans.map(|day| day.regular.into()),
        after: spans.map(|day| day.after.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_days_and_holidays_are_told_with_their_hours() {
        let query = parse_query("market=US&from=2026-11-25&to=2026-11-27").unwrap();
        let now = "2026-11-25T15:00:00Z".parse().unwrap();
        let answer = serde_json::to_value(answer(&query, now)).unwrap();
        let market = &answer["markets"][0];
        assert_eq!(
            (&market["phase"], &market["nextClose"]),
            (&"open".into(), &"2026-11-25T21:00:00Z".into())
        );
        let kinds: Vec<_> =
            market["days"].as_array().unwrap().iter().map(|day| day["kind"].clone()).collect();
        assert_eq!(kinds, ["regular", "closed", "half"]);
        assert_eq!(market["days"][2]["regular"]["to"], "2026-11-27T18:00:00Z");
        assert_eq!(market["days"][2]["after"]["to"], "2026-11-27T22:00:00Z");
        assert!(market["days"][1]["regular"].is_null());
    }

    #[test]
    fn a_query_is_bounded_and_named() {
        assert_eq!(parse_query("").unwrap().markets.len(), 2);
        for (query, field) in [
            ("market=LSE", "market"),
            ("from=2026-01-01&to=2027-12-31", "to"),
            ("from=2026-02-01&to=2026-01-01", "from"),
            ("to=never", "to"),
            ("day=2026-01-01", "query"),
        ] {
            let refused = parse_query(query);
            assert!(
                matches!(&refused, Err(Problem::InvalidParameter { field: named, .. }) if named == field),
                "{query}: {refused:?}"
            );
        }
    }
}
