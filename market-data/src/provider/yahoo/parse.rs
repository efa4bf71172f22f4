//! Yahoo's answers to our words. Pure.
//!
//! Its numbers have passed through binary floats (27.34999…), so prices are rounded to the digits that the market
//! quotes in; and a missing open, high, low or volume arrives here as zero, which is no price.

use crate::sanity::Reason;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Bar, Currency, Price, Quote, Symbol};
use rust_decimal::Decimal;
use yahoo_finance_api::YResponse;

/// Digits behind the point of a price below one dollar.
const DIGITS_BELOW_ONE_DOLLAR: u32 = 4;

/// Rows read and rows refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) bars: Vec<Bar>,
    pub(super) rejected: Vec<Reason>,
}

fn price(value: Decimal, currency: Currency) -> Result<Price, Reason> {
    let digits = if currency == Currency::Usd && value < Decimal::ONE {
        DIGITS_BELOW_ONE_DOLLAR
    } else {
        currency.minor_digits()
    };
    Price::new(value.round_dp(digits)).map_err(|_| Reason::Zero)
}

/// The exchange's calendar day of a moment.
fn day(timestamp: i64, offset_seconds: i32) -> Option<NaiveDate> {
    let at = DateTime::from_timestamp(timestamp, 0)?;
    Some(at.checked_add_signed(TimeDelta::seconds(i64::from(offset_seconds)))?.date_naive())
}

/// The daily bars of an answer, oldest first, one a day.
///
/// # Errors
/// [`Reason`] when the answer as a whole is of no use.
pub(super) fn bars(answer: &YResponse, symbol: Symbol) -> Result<Rows, Reason> {
    let meta = answer.metadata().map_err(|_| Reason::Unreadable)?;
    if meta.symbol != symbol.as_str() {
        return Err(Reason::Unreadable);
    }
    let currency = symbol.currency();
    if meta.currency.as_deref().is_some_and(|named| named != currency.code()) {
        return Err(Reason::WrongCurrency);
    }
    let mut rows = Rows::default();
    for row in answer.quotes().map_err(|_| Reason::Unreadable)? {
        let bar = day(row.timestamp, meta.gmtoffset).ok_or(Reason::Unreadable).and_then(|date| {
            let bar = Bar {
                date,
                open: price(row.open, currency)?,
                high: price(row.high, currency)?,
                low: price(row.low, currency)?,
                close: price(row.close, currency)?,
                volume: row.volume,
            };
            match bar {
                _ if row.volume == 0 => Err(Reason::HaltedDay),
                bar if bar.is_consistent() => Ok(bar),
                _ => Err(Reason::Inconsistent),
            }
        });
        match bar {
            // The running session comes twice now and then; the later row knows more.
            Ok(bar) if rows.bars.last().is_some_and(|last| last.date >= bar.date) => {
                rows.bars.retain(|known| known.date < bar.date);
                rows.bars.push(bar);
            }
            Ok(bar) => rows.bars.push(bar),
            Err(reason) => rows.rejected.push(reason),
        }
    }
    Ok(rows)
}

/// The quote that an answer of the last few days amounts to.
///
/// # Errors
/// Why there is none.
pub(super) fn quote(answer: &YResponse, symbol: Symbol, source: &str) -> Result<Quote, Reason> {
    let rows = bars(answer, symbol)?;
    let meta = answer.metadata().map_err(|_| Reason::Unreadable)?;
    let currency = symbol.currency();
    let last = price(meta.regular_market_price.ok_or(Reason::Zero)?, currency)?;
    let traded = i64::from(meta.regular_market_time.ok_or(Reason::Unreadable)?);
    let session_date = day(traded, meta.gmtoffset).ok_or(Reason::Unreadable)?;
    let at: DateTime<Utc> = DateTime::from_timestamp(traded, 0).ok_or(Reason::Unreadable)?;
    // Without a row of the day nothing was traded on it: the price is the old one.
    let session = rows.bars.iter().find(|bar| bar.date == session_date).ok_or(Reason::HaltedDay)?;
    let before = rows.bars.iter().rev().find(|bar| bar.date < session_date);
    Ok(Quote {
        symbol,
        price: last,
        bid: None,
        ask: None,
        previous_close: before.map(|bar| bar.close),
        volume: session.volume,
        currency,
        session_date,
        open: session.open,
        // The last trade may be younger than the row it belongs to.
        high: session.high.max(last),
        low: session.low.min(last),
        at,
        source: source.to_owned(),
        simulated: false,
        delayed: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLE: &str = include_str!("../../../test_data/yahoo/chart_aapl_5d.json");
    const SAMSUNG: &str = include_str!("../../../test_data/yahoo/chart_005930_5d.json");

    fn read(text: &str) -> YResponse {
        YResponse::from_json(serde_json::from_str(text).unwrap()).unwrap()
    }

    fn symbol(text: &str) -> Symbol {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_becomes_a_quote() {
        let quote = quote(&read(APPLE), symbol("AAPL"), "yahoo").unwrap();
        assert_eq!(quote.price.to_string(), "189.5");
        assert_eq!(
            quote.previous_close.unwrap().to_string(),
            "188.01",
            "the close before, not the one before the range"
        );
        assert_eq!(
            (quote.open.to_string(), quote.high.to_string(), quote.low.to_string()),
            ("188.2".into(), "191".into(), "187.9".into())
        );
        assert_eq!(quote.session_date.to_string(), "2026-01-02");
        assert_eq!(quote.at.timestamp(), 1_767_387_600);
        assert!(quote.delayed && !quote.simulated);
        assert_eq!(crate::sanity::judge(&quote, None, quote.at), Ok(()));
    }

    #[test]
    fn rows_with_holes_are_refused_and_floats_are_rounded() {
        let rows = bars(&read(APPLE), symbol("AAPL")).unwrap();
        assert_eq!(
            rows.rejected,
            [Reason::Zero],
            "a missing open arrives as zero; a missing close is left out before"
        );
        let days: Vec<_> = rows.bars.iter().map(|bar| bar.date.to_string()).collect();
        assert_eq!(days, ["2025-12-29", "2025-12-31", "2026-01-02"]);
        assert_eq!(rows.bars[0].close.to_string(), "27.35");
    }

    #[test]
    fn a_halted_korean_day_is_never_a_price() {
        let rows = bars(&read(SAMSUNG), symbol("005930.KS")).unwrap();
        assert_eq!(rows.rejected, [Reason::HaltedDay]);
        assert_eq!(rows.bars.last().unwrap().close.to_string(), "71500");
        assert_eq!(
            quote(&read(SAMSUNG), symbol("005930.KS"), "yahoo"),
            Err(Reason::HaltedDay),
            "the last day is the halted one"
        );
    }

    #[test]
    fn an_answer_about_something_else_is_refused() {
        assert_eq!(bars(&read(APPLE), symbol("IBM")), Err(Reason::Unreadable));
        let won = read(&APPLE.replace(r#""currency":"USD""#, r#""currency":"KRW""#));
        assert_eq!(bars(&won, symbol("AAPL")), Err(Reason::WrongCurrency));
        let empty = read(r#"{"chart":{"result":[],"error":null}}"#);
        assert_eq!(bars(&empty, symbol("AAPL")), Err(Reason::Unreadable));
    }
}
