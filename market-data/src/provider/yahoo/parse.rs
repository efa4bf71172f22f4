//! Yahoo's answers to our words. Pure.
//!
//! Its numbers have passed through binary floats (27.34999…), so prices are rounded to the digits that the market
//! quotes in; and a missing open, high, low or volume arrives here as zero, which is no price.

use crate::bars::interval::midnight;
use crate::bars::{Adjustment, BarsRequest, CorporateAction, Interval, TimedBar};
use crate::provider::{Headline, Listing};
use crate::sanity::Reason;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Bar, Currency, Market, Price, Quote, Symbol};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use yahoo_finance_api::{Quote as Row, YNewsItem, YQuoteItemOpt, YResponse};

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

/// The rows of an answer. The library that reads them counts on an adjusted close in every row where there is one at
/// all; an answer that has fewer is not given to it.
fn quotes(answer: &YResponse) -> Result<Vec<Row>, Reason> {
    let first = answer.chart.result.as_ref().and_then(|results| results.first()).ok_or(Reason::Unreadable)?;
    let rows = first.timestamp.as_ref().map_or(0, Vec::len);
    let indicators = serde_json::to_value(&first.indicators).map_err(|_| Reason::Unreadable)?;
    let adjusted = indicators.get("adjclose").filter(|adjusted| !adjusted.is_null());
    let whole = |adjusted: &serde_json::Value| match adjusted.get(0).map(|first| first.get("adjclose")) {
        None => false,
        Some(None) => true,
        Some(Some(closes)) => {
            closes.is_null() || closes.as_array().is_some_and(|closes| closes.len() == rows)
        }
    };
    if adjusted.is_some_and(|adjusted| !whole(adjusted)) {
        return Err(Reason::Unreadable);
    }
    answer.quotes().map_err(|_| Reason::Unreadable)
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
    for row in quotes(answer)? {
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

/// The rows of one kind among what was found. Each is read by itself: companies that are not listed anywhere stand among
/// the shares, without a symbol.
fn found_rows<T: DeserializeOwned>(found: &Value, kind: &str) -> Option<impl Iterator<Item = T>> {
    let rows = found.get(kind)?.as_array()?;
    Some(rows.iter().filter_map(|row| T::deserialize(row).ok()))
}

/// The headlines among what was found, the newest first.
pub(super) fn news(found: &Value, limit: usize) -> Vec<Headline> {
    let headline = |item: YNewsItem| {
        let at = DateTime::from_timestamp(item.provider_publish_time, 0)?;
        Headline::new(&item.title, &item.publisher, &item.link, at)
    };
    let mut news: Vec<_> = found_rows(found, "news").into_iter().flatten().filter_map(headline).collect();
    news.sort_by_key(|headline| std::cmp::Reverse(headline.published_at));
    news.truncate(limit);
    news
}

/// What Yahoo calls the exchanges of the American market that shares are listed on; it promises no list, these are commonly
/// observed (2026-11). What is traded between dealers only has other names, and no hours or rules that are known here.
const US_EXCHANGES: [&str; 7] = ["NMS", "NGM", "NCM", "NYQ", "ASE", "PCX", "BTS"];
/// Kinds of things that are traded like shares here.
const KINDS: [&str; 2] = ["EQUITY", "ETF"];

/// The shares of our markets among what was found, in Yahoo's order.
///
/// # Errors
/// [`Reason::Unreadable`] for an answer that is none.
pub(super) fn listings(found: &Value, limit: usize) -> Result<Vec<Listing>, Reason> {
    let listing = |row: YQuoteItemOpt| {
        let symbol: Symbol = row.symbol.parse().ok()?;
        let listed = match symbol.market() {
            Market::Krx => true,
            Market::Us => US_EXCHANGES.contains(&row.exchange.as_str()),
        };
        let name = row.long_name.or(row.short_name).unwrap_or_default();
        (listed && KINDS.contains(&row.quote_type.as_str())).then(|| Listing::new(symbol, &name))
    };
    let rows = found_rows(found, "quotes").ok_or(Reason::Unreadable)?;
    Ok(rows.filter_map(listing).take(limit).collect())
}

/// Digits that a dividend is kept with: what was paid for a share of then is told in shares of today.
const DIVIDEND_DIGITS: u32 = 6;

/// The corporate actions in an answer. What is no day, no ratio or no amount is left out.
///
/// # Errors
/// [`Reason`] when the answer is about something else.
pub(super) fn actions(answer: &YResponse, symbol: Symbol) -> Result<Vec<CorporateAction>, Reason> {
    let meta = answer.metadata().map_err(|_| Reason::Unreadable)?;
    if meta.symbol != symbol.as_str() {
        return Err(Reason::Unreadable);
    }
    let splits = answer.splits().map_err(|_| Reason::Unreadable)?.into_iter().filter_map(|split| {
        CorporateAction::split(day(split.date, meta.gmtoffset)?, split.numerator, split.denominator)
    });
    let dividends = answer.dividends().map_err(|_| Reason::Unreadable)?;
    let dividends = dividends.into_iter().filter_map(|dividend| {
        CorporateAction::dividend(
            day(dividend.date, meta.gmtoffset)?,
            dividend.amount.round_dp(DIVIDEND_DIGITS),
        )
    });
    Ok(splits.chain(dividends).collect())
}

/// Bars of any length and rows refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TimedRows {
    pub(super) bars: Vec<TimedBar>,
    pub(super) rejected: Vec<Reason>,
}

/// The bars of an answer as they were asked for.
///
/// # Errors
/// [`Reason`] when the answer as a whole is of no use.
pub(super) fn timed_bars(answer: &YResponse, request: &BarsRequest) -> Result<TimedRows, Reason> {
    // No bar at all is an answer too: a holiday, or a share that was not listed yet.
    if answer
        .chart
        .result
        .as_ref()
        .and_then(|results| results.first())
        .is_some_and(|one| one.timestamp.is_none())
    {
        return Ok(TimedRows::default());
    }
    if request.interval == Interval::OneDay && request.adjustment == Adjustment::Splits {
        let rows = bars(answer, request.symbol)?;
        let bars = rows.bars.into_iter().map(TimedBar::from).collect();
        return Ok(TimedRows { bars, rejected: rows.rejected });
    }
    let meta = answer.metadata().map_err(|_| Reason::Unreadable)?;
    let currency = request.symbol.currency();
    if meta.symbol != request.symbol.as_str() {
        return Err(Reason::Unreadable);
    }
    if meta.currency.as_deref().is_some_and(|named| named != currency.code()) {
        return Err(Reason::WrongCurrency);
    }
    let mut rows = TimedRows::default();
    for row in quotes(answer)? {
        // A minute without trades is no bar, and nothing to wonder about.
        if row.volume == 0 && request.interval != Interval::OneDay {
            continue;
        }
        match timed_bar(&row, request, meta.gmtoffset) {
            Ok(bar) if rows.bars.last().is_none_or(|last| last.starts_at < bar.starts_at) => {
                rows.bars.push(bar);
            }
            Ok(_) => {}
            Err(reason) => rows.rejected.push(reason),
        }
    }
    Ok(rows)
}

/// Digits that an adjusted price is kept with.
const ADJUSTED_DIGITS: u32 = 6;

fn timed_bar(row: &Row, request: &BarsRequest, offset_seconds: i32) -> Result<TimedBar, Reason> {
    if row.volume == 0 {
        return Err(Reason::HaltedDay);
    }
    let currency = request.symbol.currency();
    let factor = match request.adjustment {
        Adjustment::All if request.interval == Interval::OneDay => {
            Some(row.adjclose.checked_div(row.close).ok_or(Reason::Zero)?)
        }
        _ => None,
    };
    let count = |value: Decimal| match factor {
        None => price(value, currency),
        Some(factor) => {
            let value = value.checked_mul(factor).ok_or(Reason::Unreadable)?;
            Price::new(value.round_dp(ADJUSTED_DIGITS)).map_err(|_| Reason::Zero)
        }
    };
    let starts_at = match request.interval {
        Interval::OneDay => day(row.timestamp, offset_seconds).map(midnight),
        _ => DateTime::from_timestamp(row.timestamp, 0),
    };
    let bar = TimedBar {
        starts_at: starts_at.ok_or(Reason::Unreadable)?,
        open: count(row.open)?,
        high: count(row.high)?,
        low: count(row.low)?,
        close: count(row.close)?,
        volume: row.volume,
    };
    if bar.is_consistent() { Ok(bar) } else { Err(Reason::Inconsistent) }
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
    use crate::bars::action::in_order;

    use damage::mutations;

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
    fn splits_and_dividends_are_told_by_their_day() {
        let told = in_order(actions(&read(APPLE), symbol("AAPL")).unwrap());
        let day: NaiveDate = "2026-01-02".parse().unwrap();
        let dividend = CorporateAction::dividend(day, "0.26".parse().unwrap()).unwrap();
        let split = CorporateAction::split(day, "4".parse().unwrap(), Decimal::ONE).unwrap();
        assert_eq!(told, [dividend, split]);
        assert_eq!(actions(&read(SAMSUNG), symbol("AAPL")), Err(Reason::Unreadable));
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
    fn dividends_are_taken_out_of_a_whole_day() {
        let request = |interval, adjustment| BarsRequest {
            symbol: symbol("AAPL"),
            interval,
            adjustment,
            from: "2025-12-29".parse().unwrap(),
            to: "2026-01-02".parse().unwrap(),
        };
        let halved = APPLE.replace(r#""adjclose":[27.34999,"#, r#""adjclose":[13.674995,"#);
        let rows = timed_bars(&read(&halved), &request(Interval::OneDay, Adjustment::All)).unwrap();
        let first = &rows.bars[0];
        assert_eq!(
            (first.open.to_string(), first.high.to_string(), first.close.to_string()),
            ("13.6".into(), "13.75".into(), "13.674995".into())
        );
        assert_eq!(first.starts_at.to_rfc3339(), "2025-12-29T00:00:00+00:00");
        let minutes = timed_bars(&read(APPLE), &request(Interval::OneMinute, Adjustment::Splits)).unwrap();
        assert_eq!(minutes.bars[0].starts_at.timestamp(), 1_767_018_600);
        let none =
            APPLE.replace(r#""timestamp":[1767018600,1767105000,1767191400,1767277800,1767364200],"#, "");
        let rows = timed_bars(&read(&none), &request(Interval::OneDay, Adjustment::Splits)).unwrap();
        assert_eq!(rows, TimedRows::default(), "no bars are an answer");
    }

    #[test]
    fn an_answer_about_something_else_is_refused() {
        assert_eq!(bars(&read(APPLE), symbol("IBM")), Err(Reason::Unreadable));
        let won = read(&APPLE.replace(r#""currency":"USD""#, r#""currency":"KRW""#));
        assert_eq!(bars(&won, symbol("AAPL")), Err(Reason::WrongCurrency));
        for hostile in [r#""adjclose":[]"#, r#""adjclose":[{"adjclose":[1.0]}]"#] {
            let start = APPLE.find(r#""adjclose":[{"#).unwrap();
            let end = APPLE[start..].find("}]").unwrap() + start + 2;
            let fewer = format!("{}{hostile}{}", &APPLE[..start], &APPLE[end..]);
            assert_eq!(bars(&read(&fewer), symbol("AAPL")), Err(Reason::Unreadable), "{hostile}");
        }
        let empty = read(r#"{"chart":{"result":[],"error":null}}"#);
        assert_eq!(bars(&empty, symbol("AAPL")), Err(Reason::Unreadable));
    }

    #[test]
    fn headlines_come_newest_first() {
        let text = include_str!("../../../test_data/yahoo/search.json");
        let found: Value = serde_json::from_str(text).unwrap();
        let titles: Vec<_> = news(&found, 5).into_iter().map(|headline| headline.title).collect();
        assert_eq!(titles, ["A later headline", "An earlier headline"], "one has no link that may be shown");
        assert_eq!(news(&found, 1).len(), 1);
    }

    const FOUND: &str = include_str!("../../../test_data/yahoo/search.json");

    #[test]
    fn only_shares_of_our_markets_are_found_under_names_fit_to_be_shown() {
        let found: Value = serde_json::from_str(FOUND).unwrap();
        let listings = listings(&found, 10).unwrap();
        let found: Vec<_> =
            listings.iter().map(|listing| (listing.symbol.as_str(), listing.name.as_str())).collect();
        assert_eq!(
            found,
            [("RKLB", "Rocket Lab Corporation"), ("900001.KQ", "Rocket Robotics"), ("RKLX", "RKLX"),],
            "no other exchange, no dealers' market, no index, no fund at its own price, nobody unlisted"
        );
    }

    #[test]
    fn a_search_that_found_nothing_is_told_from_one_that_failed() {
        let empty = serde_json::json!({"count": 0, "quotes": [], "news": []});
        assert_eq!(listings(&empty, 10), Ok(Vec::new()));
        for hostile in ["null", "[]", "{}", r#"{"quotes":null}"#, r#"{"quotes":{"symbol":"AAPL"}}"#] {
            let answer = serde_json::from_str(hostile).unwrap();
            assert_eq!(listings(&answer, 10), Err(Reason::Unreadable), "{hostile}");
        }
    }

    #[test]
    fn no_search_makes_the_parser_panic_or_lie() {
        for body in mutations(FOUND.as_bytes(), 6_000) {
            let Ok(found) = serde_json::from_slice::<Value>(&body) else { continue };
            let _ = news(&found, 5);
            for listing in listings(&found, 10).into_iter().flatten() {
                assert!(!listing.name.is_empty() && listing.name.chars().count() <= 80);
                assert!(!listing.name.contains(['\n', '\u{202E}']));
            }
        }
    }

    #[test]
    fn no_payload_makes_the_parser_panic_or_lie() {
        let request = |adjustment| BarsRequest {
            symbol: symbol("AAPL"),
            interval: Interval::OneDay,
            adjustment,
            from: "2025-12-29".parse().unwrap(),
            to: "2026-01-02".parse().unwrap(),
        };
        for body in mutations(APPLE.as_bytes(), 6_000) {
            let Ok(json) = serde_json::from_slice(&body) else { continue };
            let Ok(answer) = YResponse::from_json(json) else { continue };
            for adjustment in [Adjustment::Splits, Adjustment::All] {
                if let Ok(rows) = timed_bars(&answer, &request(adjustment)) {
                    assert!(rows.bars.iter().all(|bar| bar.is_consistent() && bar.volume > 0));
                }
            }
            let _ = quote(&answer, symbol("AAPL"), "yahoo");
            let _ = actions(&answer, symbol("AAPL"));
        }
    }
}
