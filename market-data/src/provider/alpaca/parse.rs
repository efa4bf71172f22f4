//! Alpaca's words to ours. Pure.
//!
//! Prices come as JSON numbers or as binary floats. The shortest digits that stand for such a number are those the vendor
//! meant, as long as there are no more than fifteen of them, and no price has; so they are read from that text.

use crate::bars::interval::midnight;
use crate::bars::{Interval, TimedBar};
use crate::provider::Headline;
use crate::sanity::Reason;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Price, Quote, Symbol};
use rust_decimal::Decimal;
use serde_json::Value;

/// Digits that a price is kept with.
const PRICE_DIGITS: u32 = 4;

/// A share as Alpaca writes it: a class stands behind a point.
pub(super) fn vendor_symbol(symbol: Symbol) -> String {
    symbol.as_str().replace('-', ".")
}

/// A share as we write it.
pub(super) fn own_symbol(text: &str) -> Option<Symbol> {
    text.replace('.', "-").parse().ok()
}

fn decimal(value: &Value) -> Result<Decimal, Reason> {
    let number = value.as_number().ok_or(Reason::Unreadable)?;
    domain::decimal::parse(&number.to_string()).map_err(|_| Reason::Unreadable)
}

fn price(row: &Value, key: &str) -> Result<Price, Reason> {
    let value = decimal(row.get(key).ok_or(Reason::Unreadable)?)?.round_dp(PRICE_DIGITS);
    if value <= Decimal::ZERO { Err(Reason::Zero) } else { Price::new(value).map_err(|_| Reason::Zero) }
}

fn size(row: &Value, key: &str) -> Result<u64, Reason> {
    row.get(key).and_then(Value::as_u64).ok_or(Reason::Unreadable)
}

fn moment(row: &Value) -> Result<DateTime<Utc>, Reason> {
    row.get("t").and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or(Reason::Unreadable)
}

/// The day of a snapshot's bar, on New York's calendar.
fn bar_day(bar: &Value, symbol: Symbol) -> Result<NaiveDate, Reason> {
    moment(bar).map(|at| exchange::market_day(symbol.market(), at))
}

/// A zero on one side of a quote means that nobody bids or asks.
fn side(row: Option<&Value>, key: &str) -> Option<Price> {
    row.and_then(|row| price(row, key).ok())
}

/// The quote that a snapshot amounts to.
///
/// # Errors
/// Why there is none.
pub(super) fn snapshot(row: &Value, symbol: Symbol, source: &str, delayed: bool) -> Result<Quote, Reason> {
    let trade = row.get("latestTrade").filter(|trade| trade.is_object()).ok_or(Reason::HaltedDay)?;
    let day = row.get("dailyBar").filter(|bar| bar.is_object()).ok_or(Reason::HaltedDay)?;
    let session_date = bar_day(day, symbol)?;
    let market = symbol.market();
    let (mut last, mut at) = (price(trade, "p")?, moment(trade)?);
    // Before the opening the day has trades and no session yet: the last price of a session is that of the one before.
    let day_of_trade = exchange::market_day(market, at);
    if day_of_trade > session_date
        && exchange::sessions::regular_open(market, day_of_trade).is_some_and(|open| at < open)
        && let Some(close) = exchange::regular_close(market, session_date)
    {
        (last, at) = (price(day, "c")?, close);
    }
    let (open, high, low) = (price(day, "o")?, price(day, "h")?, price(day, "l")?);
    // The bar may be of a day before: then the trade belongs to a session that has no bar yet.
    let same_day = exchange::market_day(market, at) == session_date;
    let before = row.get("prevDailyBar").filter(|bar| bar.is_object());
    let quoted = row.get("latestQuote");
    let volume = size(day, "v")?;
    if !same_day {
        return Err(Reason::HaltedDay);
    }
    Ok(Quote {
        symbol,
        price: last,
        bid: side(quoted, "bp"),
        ask: side(quoted, "ap"),
        previous_close: before.and_then(|bar| price(bar, "c").ok()),
        volume,
        currency: symbol.currency(),
        session_date,
        open,
        high: high.max(last),
        low: low.min(last),
        at,
        source: source.to_owned(),
        simulated: false,
        delayed,
    })
}

/// One page of bars.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) bars: Vec<TimedBar>,
    pub(super) rejected: Vec<Reason>,
    pub(super) next: Option<String>,
}

/// The bars of a share on a page.
///
/// # Errors
/// [`Reason`] when the page as a whole is of no use.
pub(super) fn page(answer: &Value, symbol: Symbol, interval: Interval) -> Result<Page, Reason> {
    let all = answer.get("bars").ok_or(Reason::Unreadable)?;
    let mut page = Page {
        next: answer.get("next_page_token").and_then(Value::as_str).map(str::to_owned),
        ..Page::default()
    };
    // No bars at all are told as null.
    let rows = all.get(vendor_symbol(symbol)).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for row in rows {
        match bar(row, symbol, interval) {
            Ok(bar) => page.bars.push(bar),
            Err(reason) => page.rejected.push(reason),
        }
    }
    Ok(page)
}

fn bar(row: &Value, symbol: Symbol, interval: Interval) -> Result<TimedBar, Reason> {
    let starts_at = match interval {
        Interval::OneDay => midnight(bar_day(row, symbol)?),
        _ => moment(row)?,
    };
    let bar = TimedBar {
        starts_at,
        open: price(row, "o")?,
        high: price(row, "h")?,
        low: price(row, "l")?,
        close: price(row, "c")?,
        volume: size(row, "v")?,
    };
    match bar {
        _ if bar.volume == 0 => Err(Reason::HaltedDay),
        bar if bar.is_consistent() => Ok(bar),
        _ => Err(Reason::Inconsistent),
    }
}

/// The headlines of an answer; what is none is left out.
pub(super) fn news(answer: &Value) -> Vec<Headline> {
    let rows = answer.get("news").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let headline = |row: &Value| {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let at = text("created_at")?.parse().ok()?;
        Headline::new(text("headline")?, text("source").unwrap_or_default(), text("url")?, at)
    };
    rows.iter().filter_map(headline).collect()
}

/// What a message of the stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The stream greets, or has taken our credentials.
    Success(String),
    /// It has taken our wishes.
    Subscribed,
    /// It refuses something.
    Error {
        /// Its number.
        code: u64,
    },
    /// A trade.
    Trade {
        /// Which share.
        symbol: Symbol,
        /// At what price.
        price: Price,
        /// How many shares.
        size: u64,
        /// When.
        at: DateTime<Utc>,
    },
    /// Best prices on both sides.
    Sides {
        /// Which share.
        symbol: Symbol,
        /// Best price to sell at.
        bid: Option<Price>,
        /// Best price to buy at.
        ask: Option<Price>,
    },
    /// Something that should have been a price.
    Rejected {
        /// Which share.
        symbol: Symbol,
        /// Why it is none.
        reason: Reason,
    },
    /// Something that is not listened to.
    Other,
}

/// The messages of a frame: always a list.
///
/// # Errors
/// [`Reason::Unreadable`] for anything else.
pub(super) fn events(frame: &Value) -> Result<Vec<Event>, Reason> {
    frame.as_array().ok_or(Reason::Unreadable)?.iter().map(event).collect()
}

fn event(row: &Value) -> Result<Event, Reason> {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    match text("T").ok_or(Reason::Unreadable)? {
        "success" => Ok(Event::Success(text("msg").unwrap_or_default().to_owned())),
        "subscription" => Ok(Event::Subscribed),
        "error" => Ok(Event::Error { code: row.get("code").and_then(Value::as_u64).unwrap_or(0) }),
        kind @ ("t" | "q") => {
            // A share that we could not name is none that we asked for.
            let Some(symbol) = text("S").and_then(own_symbol) else { return Ok(Event::Other) };
            let read = if kind == "t" { trade(row, symbol) } else { Ok(sides(row, symbol)) };
            Ok(read.unwrap_or_else(|reason| Event::Rejected { symbol, reason }))
        }
        _ => Ok(Event::Other),
    }
}

fn trade(row: &Value, symbol: Symbol) -> Result<Event, Reason> {
    Ok(Event::Trade { symbol, price: price(row, "p")?, size: size(row, "s")?, at: moment(row)? })
}

fn sides(row: &Value, symbol: Symbol) -> Event {
    Event::Sides { symbol, bid: side(Some(row), "bp"), ask: side(Some(row), "ap") }
}

/// How long after the close trades are still part of the closing auction.
const CLOSING_AUCTION_MAX: TimeDelta = TimeDelta::minutes(5);

/// A share as its trades tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) quote: Quote,
    /// The last price of a regular session, its closing auction included: the next session's close before.
    close: Price,
}

impl Followed {
    pub(super) const fn new(quote: Quote) -> Self {
        let close = quote.price;
        Self { quote, close }
    }

    /// Takes a trade; whether the quote is another one now. The first one at or after a later day's opening begins its session; what
    /// is traded before belongs to none.
    pub(super) fn trade(&mut self, price: Price, size: u64, at: DateTime<Utc>) -> bool {
        let market = self.quote.symbol.market();
        let quote = &mut self.quote;
        let day = exchange::market_day(market, at);
        if day > quote.session_date {
            if exchange::sessions::regular_open(market, day).is_some_and(|open| at < open) {
                return false;
            }
            quote.previous_close = Some(self.close);
            (quote.open, quote.high, quote.low) = (price, price, price);
            (quote.volume, quote.session_date) = (size.max(1), day);
        } else {
            (quote.high, quote.low) = (quote.high.max(price), quote.low.min(price));
            quote.volume = quote.volume.saturating_add(size);
        }
        (quote.price, quote.at) = (price, at);
        if exchange::regular_close(market, day).is_none_or(|close| at <= close + CLOSING_AUCTION_MAX) {
            self.close = price;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use damage::mutations;

    const SNAPSHOTS: &str = include_str!("../../../test_data/alpaca/snapshots.json");
    const BARS: &str = include_str!("../../../test_data/alpaca/bars.json");
    const STREAM: &str = include_str!("../../../test_data/alpaca/stream.json");

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn symbol(text: &str) -> Symbol {
        text.parse().unwrap()
    }

    #[test]
    fn a_snapshot_becomes_a_quote_to_the_last_digit() {
        let quote = snapshot(&read(SNAPSHOTS)["AAPL"], symbol("AAPL"), "alpaca", false).unwrap();
        assert_eq!(
            (quote.price.to_string(), quote.bid.unwrap().to_string(), quote.ask.unwrap().to_string()),
            ("178.26".into(), "178.25".into(), "178.27".into())
        );
        assert_eq!((quote.previous_close.unwrap().to_string(), quote.volume), ("177.57".into(), 60_937));
        assert_eq!(quote.session_date.to_string(), "2022-01-03");
        assert_eq!(crate::sanity::judge(&quote, None, quote.at), Ok(()));
        let one_sided = snapshot(&read(SNAPSHOTS)["BRK.B"], symbol("BRK-B"), "alpaca", false).unwrap();
        assert_eq!((one_sided.bid, one_sided.previous_close), (None, None), "a zero is nobody's price");
        let halted = snapshot(&read(SNAPSHOTS)["IBM"], symbol("IBM"), "alpaca", false);
        assert_eq!(halted, Err(Reason::HaltedDay), "a trade without a bar of its day");
    }

    #[test]
    fn bars_are_read_page_by_page() {
        let first = page(&read(BARS), symbol("AAPL"), Interval::OneMinute).unwrap();
        assert_eq!((first.bars.len(), first.next.as_deref()), (2, Some("QUFQTHxN")));
        assert_eq!(first.rejected, [Reason::Inconsistent]);
        assert_eq!(first.bars[0].starts_at.to_rfc3339(), "2022-01-03T14:30:00+00:00");
        let days = page(&read(BARS), symbol("AAPL"), Interval::OneDay).unwrap();
        assert_eq!(days.bars[0].starts_at.to_rfc3339(), "2022-01-03T00:00:00+00:00");
        let none = page(&read(r#"{"bars":null,"next_page_token":null}"#), symbol("AAPL"), Interval::OneDay);
        assert_eq!(none.unwrap(), Page::default());
    }

    #[test]
    fn messages_of_the_stream_are_told_apart() {
        let read = events(&read(STREAM)).unwrap();
        assert_eq!(read[0], Event::Success("authenticated".into()));
        assert_eq!(read[1], Event::Subscribed);
        let Event::Trade { symbol: share, price, size, at } = &read[2] else { panic!("{:?}", read[2]) };
        assert_eq!((share.as_str(), price.to_string().as_str(), *size), ("AAPL", "178.3", 100));
        assert_eq!(at.to_rfc3339(), "2022-01-03T14:31:02.123456789+00:00");
        assert!(matches!(&read[3], Event::Sides { bid: Some(_), ask: None, .. }));
        assert_eq!(read[4], Event::Rejected { symbol: symbol("AAPL"), reason: Reason::Zero });
        assert_eq!(read[5], Event::Error { code: 406 });
        assert_eq!(read[6], Event::Other);
    }

    #[test]
    fn headlines_are_cut_to_what_may_be_shown() {
        let answer = serde_json::json!({"news": [
            {"headline": "Apple \u{7}rises", "source": "wire", "url": "https://example.com/a", "created_at": "2022-01-03T14:31:00Z"},
            {"headline": "Click", "source": "wire", "url": "javascript:alert(1)", "created_at": "2022-01-03T14:31:00Z"},
            {"headline": "", "source": "wire", "url": "https://example.com/b", "created_at": "2022-01-03T14:31:00Z"},
            {"headline": 7}, null
        ]});
        let news = news(&answer);
        assert_eq!(news.len(), 1);
        assert_eq!((news[0].title.as_str(), news[0].publisher.as_str()), ("Apple rises", "wire"));
    }

    #[test]
    fn a_trade_of_the_next_day_begins_a_session() {
        let before = snapshot(&read(SNAPSHOTS)["AAPL"], symbol("AAPL"), "alpaca", false).unwrap();
        let price: Price = "180".parse().unwrap();
        let mut share = Followed::new(before.clone());
        assert!(share.trade(price, 10, before.at));
        let same = share.quote.clone();
        assert_eq!((same.high, same.volume, same.open), (price, before.volume + 10, before.open));
        let next_price: Price = "181".parse().unwrap();
        assert!(share.trade(next_price, 10, before.at + TimeDelta::days(1)));
        let next = share.quote;
        assert_eq!(
            (next.open, next.low, next.volume, next.previous_close),
            (next_price, next_price, 10, Some(price))
        );
    }

    #[test]
    fn what_is_traded_outside_the_session_is_neither_its_open_nor_the_close_before() {
        let mut quote = snapshot(&read(SNAPSHOTS)["AAPL"], symbol("AAPL"), "alpaca", false).unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        (quote.session_date, quote.at) = ("2026-11-19".parse().unwrap(), at("2026-11-19T20:59:00Z"));
        let price = |text: &str| text.parse::<Price>().unwrap();
        let mut share = Followed::new(quote);
        assert!(share.trade(price("179"), 10, at("2026-11-19T21:00:02Z")), "the closing auction");
        assert!(share.trade(price("150"), 10, at("2026-11-19T23:00:00Z")));
        assert!(
            !share.trade(price("140"), 10, at("2026-11-20T09:00:00Z")),
            "four in the morning in New York"
        );
        assert!(share.trade(price("160"), 10, at("2026-11-20T14:30:00Z")));
        assert_eq!((share.quote.open, share.quote.low), (price("160"), price("160")));
        assert_eq!(share.quote.previous_close, Some(price("179")));
    }

    #[test]
    fn before_the_opening_a_snapshot_is_the_close_of_the_session_before() {
        let mut row = read(SNAPSHOTS)["AAPL"].clone();
        row["latestTrade"]["t"] = "2022-01-04T10:00:00Z".into();
        let quote = snapshot(&row, symbol("AAPL"), "alpaca", false).unwrap();
        assert_eq!(quote.price.to_string(), row["dailyBar"]["c"].to_string());
        assert_eq!(
            (quote.session_date.to_string(), quote.at.to_rfc3339()),
            ("2022-01-03".into(), "2022-01-03T21:00:00+00:00".into())
        );
        row["latestTrade"]["t"] = "2022-01-04T15:00:00Z".into();
        assert_eq!(snapshot(&row, symbol("AAPL"), "alpaca", false), Err(Reason::HaltedDay));
    }

    #[test]
    fn no_payload_makes_the_parser_panic_or_lie() {
        for text in [SNAPSHOTS, BARS, STREAM] {
            for body in mutations(text.as_bytes(), 4_000) {
                let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
                let _ = (events(&value), news(&value));
                if let Ok(page) = page(&value, symbol("AAPL"), Interval::OneMinute) {
                    assert!(page.bars.iter().all(|bar| bar.is_consistent() && bar.volume > 0));
                }
                for row in value.as_object().into_iter().flatten() {
                    let _ = snapshot(row.1, symbol("AAPL"), "alpaca", false);
                }
            }
        }
    }
}
