//! Alpha Vantage's answers to our words. Pure.
//!
//! Every number is a text, every key carries its place, and what went wrong comes as a success: an answer is only
//! looked into after it was found to be none of the known complaints. The complaints may quote the key, so their text
//! goes nowhere.

use crate::bars::TimedBar;
use crate::bars::interval::midnight;
use crate::provider::{Listing, ProviderError};
use crate::sanity::Reason;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Market, Price, Quote, Symbol};
use rust_decimal::Decimal;
use serde_json::Value;

/// Digits that a price is kept with.
const PRICE_DIGITS: u32 = 4;
/// Most rows of an answer: a hundred years of days.
const ROWS_MAX: usize = 30_000;

/// Reads an answer about a share, or about none, and sorts complaints out.
///
/// # Errors
/// [`ProviderError`] for a complaint, or for what is no answer at all.
pub(super) fn answer(body: &[u8], symbol: Option<Symbol>) -> Result<Value, ProviderError> {
    // It complains in the same words of a share that it does not know and of a question that it does not understand.
    let unknown = || {
        let misunderstood = || ProviderError::Unavailable("it does not understand".to_owned());
        symbol.map_or_else(misunderstood, ProviderError::UnknownSymbol)
    };
    let unreadable = || ProviderError::Unavailable("its answer is unreadable".to_owned());
    let answer: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let told = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_lowercase);
    if let Some(complaint) = told("Error Message") {
        return Err(if complaint.contains("apikey") && !complaint.contains("invalid api call") {
            ProviderError::Refused("it does not take the key".to_owned())
        } else {
            unknown()
        });
    }
    if let Some(complaint) = told("Note").or_else(|| told("Information")) {
        return Err(if complaint.contains("per day") {
            ProviderError::Exhausted
        } else if complaint.contains("per second")
            || complaint.contains("per minute")
            || complaint.contains("burst")
        {
            ProviderError::Unavailable("it is asked too fast".to_owned())
        } else if complaint.contains("premium") {
            ProviderError::Unsupported("this without a contract")
        } else {
            ProviderError::Unavailable("it complains".to_owned())
        });
    }
    if answer
        .get("Global Quote")
        .is_some_and(|quote| quote.as_object().is_some_and(serde_json::Map::is_empty))
    {
        return Err(unknown());
    }
    if answer.is_object() { Ok(answer) } else { Err(unreadable()) }
}

fn text<'a>(row: &'a Value, key: &str) -> Result<&'a str, Reason> {
    row.get(key).and_then(Value::as_str).ok_or(Reason::Unreadable)
}

fn price(row: &Value, key: &str) -> Result<Price, Reason> {
    let value = domain::decimal::parse(text(row, key)?).map_err(|_| Reason::Unreadable)?;
    if value <= Decimal::ZERO {
        return Err(Reason::Zero);
    }
    Price::new(value.round_dp(PRICE_DIGITS)).map_err(|_| Reason::Zero)
}

fn count(row: &Value, key: &str) -> Result<u64, Reason> {
    text(row, key)?.parse().map_err(|_| Reason::Unreadable)
}

/// The quote of an answer. It names its day only, so the price is taken for one of that day's close, or of now while the
/// day lasts.
///
/// # Errors
/// Why there is none.
pub(super) fn quote(
    answer: &Value,
    symbol: Symbol,
    source: &str,
    now: DateTime<Utc>,
) -> Result<Quote, Reason> {
    let row = answer.get("Global Quote").ok_or(Reason::Unreadable)?;
    if text(row, "01. symbol")? != symbol.as_str() {
        return Err(Reason::Unreadable);
    }
    let session_date: NaiveDate =
        text(row, "07. latest trading day")?.parse().map_err(|_| Reason::Unreadable)?;
    let close = exchange::regular_close(symbol.market(), session_date).ok_or(Reason::HaltedDay)?;
    if session_date > exchange::market_day(symbol.market(), now) {
        return Err(Reason::Future);
    }
    let last = price(row, "05. price")?;
    let (high, low) = (price(row, "03. high")?, price(row, "04. low")?);
    Ok(Quote {
        symbol,
        price: last,
        bid: None,
        ask: None,
        previous_close: Some(price(row, "08. previous close")?),
        volume: count(row, "06. volume")?,
        currency: symbol.currency(),
        session_date,
        open: price(row, "02. open")?,
        high: high.max(last),
        low: low.min(last),
        at: close.min(now),
        source: source.to_owned(),
        simulated: false,
        delayed: true,
    })
}

/// Days read and days refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) bars: Vec<TimedBar>,
    pub(super) rejected: Vec<Reason>,
}

/// The daily bars of an answer, oldest first.
///
/// # Errors
/// [`Reason`] when the answer as a whole is of no use.
pub(super) fn daily(answer: &Value) -> Result<Rows, Reason> {
    let series = answer.get("Time Series (Daily)").and_then(Value::as_object).ok_or(Reason::Unreadable)?;
    if series.len() > ROWS_MAX {
        return Err(Reason::Unreadable);
    }
    let mut rows = Rows::default();
    for (date, row) in series {
        match day(date, row) {
            Ok(bar) => rows.bars.push(bar),
            Err(reason) => rows.rejected.push(reason),
        }
    }
    rows.bars.sort_by_key(|bar| bar.starts_at);
    rows.bars.dedup_by_key(|bar| bar.starts_at);
    Ok(rows)
}

fn day(date: &str, row: &Value) -> Result<TimedBar, Reason> {
    let date: NaiveDate = date.parse().map_err(|_| Reason::Unreadable)?;
    let bar = TimedBar {
        starts_at: midnight(date),
        open: price(row, "1. open")?,
        high: price(row, "2. high")?,
        low: price(row, "3. low")?,
        close: price(row, "4. close")?,
        volume: count(row, "5. volume")?,
    };
    match bar {
        _ if bar.volume == 0 => Err(Reason::HaltedDay),
        bar if bar.is_consistent() => Ok(bar),
        _ => Err(Reason::Inconsistent),
    }
}

/// Kinds of things that are traded like shares here.
const KINDS: [&str; 2] = ["Equity", "ETF"];

/// The American shares among what a search has found, in the vendor's order.
///
/// # Errors
/// [`Reason::Unreadable`] for an answer that is none.
pub(super) fn listings(answer: &Value, limit: usize) -> Result<Vec<Listing>, Reason> {
    let rows = answer.get("bestMatches").and_then(Value::as_array).ok_or(Reason::Unreadable)?;
    let listing = |row: &Value| {
        let told = |key: &str| text(row, key).ok();
        let symbol: Symbol = told("1. symbol")?.parse().ok()?;
        let ours = symbol.market() == Market::Us
            && told("4. region") == Some("United States")
            && told("8. currency") == Some(symbol.currency().code())
            && KINDS.contains(&told("3. type")?);
        ours.then(|| Listing::new(symbol, told("2. name").unwrap_or_default()))
    };
    Ok(rows.iter().filter_map(listing).take(limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use damage::mutations;

    const QUOTE: &str = include_str!("../../../test_data/alpha_vantage/global_quote.json");
    const DAILY: &str = include_str!("../../../test_data/alpha_vantage/time_series_daily.json");

    const FOUND: &str = include_str!("../../../test_data/alpha_vantage/symbol_search.json");

    fn ibm() -> Symbol {
        "IBM".parse().unwrap()
    }

    fn read(text: &str) -> Value {
        answer(text.as_bytes(), Some(ibm())).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_becomes_a_quote_of_its_day() {
        let quote = quote(&read(QUOTE), ibm(), "alpha_vantage", at("2026-11-21T12:00:00Z")).unwrap();
        assert_eq!(
            (quote.price.to_string(), quote.previous_close.unwrap().to_string()),
            ("283.5".into(), "288.79".into())
        );
        assert_eq!(quote.at, at("2026-11-20T21:00:00Z"), "the close of its day");
        assert!(quote.delayed && quote.volume == 4_512_300);
        assert_eq!(crate::sanity::judge(&quote, None, at("2026-11-21T12:00:00Z")), Ok(()));
        let early = super::quote(&read(QUOTE), ibm(), "alpha_vantage", at("2026-11-20T15:00:00Z")).unwrap();
        assert_eq!(early.at, at("2026-11-20T15:00:00Z"), "never later than now");
        assert_eq!(
            super::quote(&read(QUOTE), "AAPL".parse().unwrap(), "alpha_vantage", at("2026-11-21T12:00:00Z")),
            Err(Reason::Unreadable),
            "an answer about something else"
        );
    }

    #[test]
    fn days_come_oldest_first_and_bad_ones_not_at_all() {
        let rows = daily(&read(DAILY)).unwrap();
        let days: Vec<_> = rows.bars.iter().map(|bar| bar.starts_at.date_naive().to_string()).collect();
        assert_eq!(days, ["2026-11-17", "2026-11-19", "2026-11-20"]);
        assert_eq!(rows.rejected, [Reason::HaltedDay]);
        assert_eq!(rows.bars[2].close.to_string(), "283.5");
    }

    #[test]
    fn complaints_come_as_successes_and_are_told_apart() {
        for (body, expected) in [
            (
                r#"{"Information":"We have detected your API key as SECRET and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans"}"#,
                ProviderError::Exhausted,
            ),
            (
                r#"{"Note":"Burst pattern detected: no more than 1 request per second"}"#,
                ProviderError::Unavailable("it is asked too fast".into()),
            ),
            (
                r#"{"Information":"This is a premium endpoint."}"#,
                ProviderError::Unsupported("this without a contract"),
            ),
            (
                r#"{"Error Message":"Invalid API call. Please retry or visit the documentation"}"#,
                ProviderError::UnknownSymbol(ibm()),
            ),
            (
                r#"{"Error Message":"the parameter apikey is invalid or missing."}"#,
                ProviderError::Refused("it does not take the key".into()),
            ),
            (r#"{"Global Quote":{}}"#, ProviderError::UnknownSymbol(ibm())),
        ] {
            let error = answer(body.as_bytes(), Some(ibm())).unwrap_err();
            assert_eq!(error, expected, "{body}");
            assert!(!error.to_string().contains("SECRET"));
        }
        for body in ["", "[]", "null", "<html>", "{\"Global Quote\""] {
            let read = answer(body.as_bytes(), Some(ibm()));
            assert!(matches!(read, Err(ProviderError::Unavailable(_))), "{body}");
        }
    }

    #[test]
    fn a_search_finds_american_shares_only() {
        let found = answer(FOUND.as_bytes(), None).unwrap();
        let listings = listings(&found, 10).unwrap();
        let names: Vec<_> =
            listings.iter().map(|listing| (listing.symbol.as_str(), listing.name.as_str())).collect();
        assert_eq!(names, [("TSCO", "Tractor Supply Company"), ("TSCDY", "TSCDY")], "not London's, no fund");
        let complaint = br#"{"Error Message":"Invalid API call. Please retry or visit the documentation"}"#;
        let read = answer(complaint, None);
        assert!(matches!(read, Err(ProviderError::Unavailable(_))), "no share is unknown by this: {read:?}");
        assert_eq!(super::listings(&serde_json::json!({"bestMatches": null}), 10), Err(Reason::Unreadable));
    }

    #[test]
    fn no_payload_makes_the_parser_panic_or_lie() {
        for text in [QUOTE, DAILY, FOUND] {
            for body in mutations(text.as_bytes(), 4_000) {
                let Ok(answer) = answer(&body, Some(ibm())) else { continue };
                let found = listings(&answer, 10).unwrap_or_default();
                assert!(found.iter().all(|listing| listing.symbol.market() == Market::Us));
                if let Ok(rows) = daily(&answer) {
                    assert!(rows.bars.iter().all(|bar| bar.is_consistent() && bar.volume > 0));
                }
                let _ = quote(&answer, ibm(), "alpha_vantage", at("2026-11-21T12:00:00Z"));
            }
        }
    }
}
