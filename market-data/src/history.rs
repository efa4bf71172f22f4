//! `/history`: its query, read strictly, and its answer out of the archive or of the provider.

use crate::bars::{Adjustment, Archive, BarsRequest, Interval, TimedBar, first_day_for};
use crate::problem::Problem;
use crate::provider::{HistoryRange, Provider, ProviderError};
use crate::query;
use crate::routes;
use crate::server::Context;
use chrono::{DateTime, Utc};
use domain::{Bar, Currency, Symbol};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Bars in an answer when the query says nothing.
pub(crate) const LIMIT_DEFAULT: usize = 500;
/// Most daily bars in an answer.
pub(crate) const LIMIT_MAX: usize = 5_000;
/// Most shorter bars in an answer: a month of minutes around the clock's busier half.
pub(crate) const SHORT_LIMIT_MAX: usize = 20_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HistoryQuery {
    pub(crate) range: HistoryRange,
    pub(crate) interval: Interval,
    /// The provider's own way when the query says nothing.
    pub(crate) adjustment: Option<Adjustment>,
}

/// Reads `from`, `to`, `limit`, `interval` and `adjustment`.
///
/// # Errors
/// [`Problem::InvalidParameter`] for anything else, twice the same, or a value that is none.
pub(crate) fn parse_query(query: &str) -> Result<HistoryQuery, Problem> {
    let [from, to, limit, interval, adjustment] =
        query::read(query, ["from", "to", "limit", "interval", "adjustment"])?;
    let (from, to) = (query::date("from", from)?, query::date("to", to)?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(query::invalid("from", "order", "must not be after to"));
    }
    let interval = match interval {
        None => Interval::OneDay,
        Some(name) => Interval::named(&name)
            .ok_or_else(|| query::invalid("interval", "known", "must be 1m, 5m, 15m, 1h or 1d"))?,
    };
    let adjustment = adjustment
        .map(|name| {
            let unknown = || query::invalid("adjustment", "known", "must be raw, splits or all");
            Adjustment::named(&name).ok_or_else(unknown)
        })
        .transpose()?;
    let most = if interval == Interval::OneDay { LIMIT_MAX } else { SHORT_LIMIT_MAX };
    let limit = query::count("limit", limit, most)?.unwrap_or(LIMIT_DEFAULT);
    Ok(HistoryQuery { range: HistoryRange { from, to, limit }, interval, adjustment })
}

/// How long a request waits for its provider.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    symbol: Symbol,
    currency: Currency,
    source: &'static str,
    simulated: bool,
    interval: Interval,
    adjustment: Adjustment,
    /// Whether every day asked for is known.
    complete: bool,
    bars: Bars,
}

/// Days are told by their date, shorter bars by their first moment.
#[derive(Serialize)]
#[serde(untagged)]
enum Bars {
    Daily(Vec<Bar>),
    Short(Vec<TimedBar>),
}

/// Answers `/history/{symbol}`.
pub(crate) async fn answer(symbol: Symbol, query: &str, context: &Context) -> routes::Answer {
    let query = parse_query(query)?;
    let provider = routes::provider_of(symbol, context)?;
    let capabilities = provider.capabilities();
    let unsupported = |what: &str| Problem::Unsupported(format!("{} has no {what}", provider.name()));
    let native = capabilities.adjustments.first().copied().unwrap_or(Adjustment::Raw);
    let adjustment = query.adjustment.unwrap_or(native);
    if !capabilities.adjustments.contains(&adjustment) {
        return Err(unsupported("prices counted in this way"));
    }
    let short = query.interval != Interval::OneDay;
    let archive = context.feed.archive.as_ref();
    let recorded = archive.filter(|_| short && capabilities.intervals.is_empty());
    if short && recorded.is_none() && !capabilities.intervals.contains(&query.interval) {
        return Err(unsupported("bars of this length"));
    }
    let read = async {
        let kept = archive.filter(|_| !capabilities.intervals.is_empty());
        match (recorded, kept) {
            (Some(archive), _) => recorded_here(archive, provider, symbol, &query).await,
            (None, Some(archive)) => archived(archive, provider, symbol, &query, adjustment).await,
            (None, None) => direct(provider, symbol, &query, adjustment).await,
        }
    };
    let read = tokio::time::timeout(PATIENCE, read).await;
    let read = read.unwrap_or_else(|_| Err(ProviderError::Unavailable("it took too long".to_owned())));
    let (bars, complete) = read.map_err(|error| routes::refuse(provider.as_ref(), symbol, &error))?;
    Ok(routes::json_response(&History {
        symbol,
        currency: symbol.currency(),
        source: provider.name(),
        simulated: capabilities.simulated,
        interval: query.interval,
        adjustment,
        complete,
        bars,
    }))
}

async fn archived(
    archive: &Archive,
    provider: &Arc<dyn Provider>,
    symbol: Symbol,
    query: &HistoryQuery,
    adjustment: Adjustment,
) -> Result<(Bars, bool), ProviderError> {
    let now = Utc::now();
    let request = request(symbol, query, adjustment, now);
    let answer = archive.bars(provider, request, query.range.limit, now).await?;
    Ok((bars(answer.bars, query.interval), answer.complete))
}

/// Minutes of a source that has none to give are those that were put together here while it told its prices: never
/// complete.
async fn recorded_here(
    archive: &Archive,
    provider: &Arc<dyn Provider>,
    symbol: Symbol,
    query: &HistoryQuery,
) -> Result<(Bars, bool), ProviderError> {
    let request = request(symbol, query, Adjustment::Raw, Utc::now());
    let found = archive.recorded(provider.name(), request, query.range.limit).await;
    let found = found.map_err(|error| ProviderError::Unavailable(error.to_string()))?;
    Ok((Bars::Short(found), false))
}

async fn direct(
    provider: &Arc<dyn Provider>,
    symbol: Symbol,
    query: &HistoryQuery,
    adjustment: Adjustment,
) -> Result<(Bars, bool), ProviderError> {
    let native = provider.capabilities().adjustments.first() == Some(&adjustment);
    if query.interval == Interval::OneDay && native {
        return Ok((Bars::Daily(provider.history(symbol, query.range).await?), true));
    }
    let mut found = provider.bars(request(symbol, query, adjustment, Utc::now())).await?;
    let surplus = found.len().saturating_sub(query.range.limit);
    found.drain(..surplus);
    Ok((bars(found, query.interval), true))
}

fn bars(bars: Vec<TimedBar>, interval: Interval) -> Bars {
    match interval {
        Interval::OneDay => Bars::Daily(bars.into_iter().map(TimedBar::of_day).collect()),
        _ => Bars::Short(bars),
    }
}

/// The days that a query means: back from the last one as far as its limit reaches.
fn request(symbol: Symbol, query: &HistoryQuery, adjustment: Adjustment, now: DateTime<Utc>) -> BarsRequest {
    let today = exchange::market_day(symbol.market(), now);
    let to = query.range.to.unwrap_or(today).min(today);
    let by_limit = first_day_for(symbol, query.interval, to, query.range.limit);
    let from = query.range.from.unwrap_or(by_limit).max(by_limit);
    BarsRequest { symbol, interval: query.interval, adjustment, from, to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_query_is_read() {
        let query = parse_query("from=2010-01-02&to=2010-12-31&limit=7").unwrap();
        assert_eq!(query.range.from.unwrap().to_string(), "2010-01-02");
        assert_eq!((query.range.to.unwrap().to_string().as_str(), query.range.limit), ("2010-12-31", 7));
        let all = HistoryRange { from: None, to: None, limit: LIMIT_DEFAULT };
        let daily = HistoryQuery { range: all, interval: Interval::OneDay, adjustment: None };
        assert_eq!(parse_query("").unwrap(), daily);
        let minutes = parse_query("interval=1m&limit=20000&adjustment=raw").unwrap();
        assert_eq!((minutes.interval, minutes.adjustment), (Interval::OneMinute, Some(Adjustment::Raw)));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        for (query, field) in [
            ("from=2010-02-30", "from"),
            ("to=2010-1-1", "to"),
            ("from=2011-01-01&to=2010-01-01", "from"),
            ("limit=0", "limit"),
            ("limit=5001", "limit"),
            ("limit=%2B5", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("interval=1w", "interval"),
            ("interval=1d&limit=20000", "limit"),
            ("adjustment=none", "adjustment"),
            ("span=1m", "query"),
        ] {
            assert!(
                matches!(parse_query(query), Err(Problem::InvalidParameter { field: named, .. }) if named == field),
                "{query}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_the_parser_panic(query in "\\PC{0,60}") {
            let _ = parse_query(&query);
        }
    }
}
