//! Kiwoom's words to ours. Pure.
//!
//! Every number is a text. A sign before a price says on which side of the close before it is and nothing about the price
//! itself; only a change is below zero with a minus. What is missing, zero or odd makes the row no price at all.

use crate::bars::interval::midnight;
use crate::bars::{Interval, TimedBar};
use crate::provider::{Level, Listing};
use crate::sanity::Reason;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use domain::{Market, Price, Quote, Symbol};
use rust_decimal::Decimal;
use serde_json::Value;

/// Prices on each side of a book.
pub(super) const LEVELS: usize = 10;

/// The code of a share: the symbol without its board.
pub(super) fn code_of(symbol: Symbol) -> String {
    symbol.as_str().split('.').next().unwrap_or_default().to_owned()
}

/// The symbol of a code on a board: 0 is KOSPI, 6 and 8 are trusts and funds listed there, 10 is KOSDAQ.
fn symbol_of(code: &str, board: &str) -> Option<Symbol> {
    let suffix = match board.trim() {
        "0" | "6" | "8" => "KS",
        "10" => "KQ",
        _ => return None,
    };
    format!("{}.{suffix}", code.trim()).parse().ok()
}

fn text<'a>(row: &'a Value, key: &str) -> Result<&'a str, Reason> {
    row.get(key).and_then(Value::as_str).map(str::trim).ok_or(Reason::Unreadable)
}

/// A number and whether a minus stands before it.
fn number(row: &Value, key: &str) -> Result<(Decimal, bool), Reason> {
    let text = text(row, key)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // A second sign is none that is known.
    let value = domain::decimal::parse(digits)
        .ok()
        .filter(|_| digits.starts_with(|first: char| first.is_ascii_digit()));
    Ok((value.ok_or(Reason::Unreadable)?, text.starts_with('-')))
}

/// A price, whatever its sign.
fn price(row: &Value, key: &str) -> Result<Price, Reason> {
    let (value, _) = number(row, key)?;
    Price::new(value).map_err(|_| Reason::Zero)
}

/// The best price of a side; nothing where nobody wants anything.
fn side(row: &Value, key: &str) -> Result<Option<Price>, Reason> {
    match price(row, key) {
        Ok(price) => Ok(Some(price)),
        Err(Reason::Zero) => Ok(None),
        Err(reason) => Err(reason),
    }
}

fn shares(row: &Value, key: &str) -> Result<u64, Reason> {
    let (value, _) = number(row, key)?;
    let text = value.normalize().to_string();
    text.parse().map_err(|_| Reason::Unreadable)
}

/// A difference from the close before.
fn change(row: &Value, key: &str) -> Result<Decimal, Reason> {
    let (value, is_below) = number(row, key)?;
    Ok(if is_below { -value } else { value })
}

/// The close before, from the last price and its change.
fn close_before(last: Price, change: Decimal) -> Result<Price, Reason> {
    Price::new(last.value() - change).map_err(|_| Reason::Inconsistent)
}

fn in_seoul(local: NaiveDateTime) -> Option<DateTime<Utc>> {
    let zone = exchange::sessions::time_zone(Market::Krx);
    zone.from_local_datetime(&local).single().map(|at| at.to_utc())
}

fn plain_digits(text: &str, length: usize) -> bool {
    // A sign would let a year have more digits.
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A moment in Seoul's time: `20261123093000`.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok();
    local.filter(|_| plain_digits(text, 14)).and_then(in_seoul)
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y%m%d").ok().filter(|_| plain_digits(text, 8))
}

/// The moment of a time of today in Seoul: `093000`. The stream tells what happens now, so the day is that of our clock; a
/// time that has not come yet is for the judge of all quotes to refuse.
fn at(row: &Value, key: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Reason> {
    let text = text(row, key)?;
    let time = NaiveTime::parse_from_str(text, "%H%M%S").ok().filter(|_| plain_digits(text, 6));
    let today = exchange::market_day(Market::Krx, now);
    time.and_then(|time| in_seoul(today.and_time(time))).ok_or(Reason::Unreadable)
}

/// Best prices of both sides. In an auction they may stand across each other, and are nobody's to trade at.
pub(super) type Best = (Option<Price>, Option<Price>);

fn best(bid: Option<Price>, ask: Option<Price>) -> Best {
    let is_crossed = bid.zip(ask).is_some_and(|(bid, ask)| bid > ask);
    if is_crossed { (None, None) } else { (bid, ask) }
}

/// The quote that a trade (type 0B) amounts to: it tells the whole day so far.
///
/// # Errors
/// Why there is none.
pub(super) fn traded(
    values: &Value,
    symbol: Symbol,
    source: &str,
    now: DateTime<Utc>,
) -> Result<Quote, Reason> {
    let (last, change) = (price(values, "10")?, change(values, "11")?);
    let contradicts = match text(values, "25")? {
        "1" | "2" => change < Decimal::ZERO,
        "4" | "5" => change > Decimal::ZERO,
        "3" => change != Decimal::ZERO,
        _ => return Err(Reason::Unreadable),
    };
    if contradicts {
        return Err(Reason::Inconsistent);
    }
    let (bid, ask) = best(side(values, "28")?, side(values, "27")?);
    let at = at(values, "20", now)?;
    Ok(Quote {
        symbol,
        price: last,
        bid,
        ask,
        previous_close: Some(close_before(last, change)?),
        volume: shares(values, "13")?,
        currency: symbol.currency(),
        session_date: exchange::market_day(Market::Krx, at),
        open: price(values, "16")?,
        high: price(values, "17")?,
        low: price(values, "18")?,
        at,
        source: source.to_owned(),
        simulated: false,
        delayed: false,
    })
}

/// Both sides of a book, and when they were so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
    pub(super) at: DateTime<Utc>,
}

impl Sides {
    /// The best prices.
    pub(super) fn best(&self) -> Best {
        best(self.bids.first().map(|level| level.price), self.asks.first().map(|level| level.price))
    }

    /// Whether buyers want more than sellers ask, as in an auction.
    pub(super) fn is_crossed(&self) -> bool {
        let (bid, ask) = (self.bids.first(), self.asks.first());
        bid.zip(ask).is_some_and(|(bid, ask)| bid.price > ask.price)
    }
}

/// The levels of a side; its prices get worse, and a price of zero is nobody's.
fn levels(
    row: &Value,
    names: impl Fn(usize) -> (String, String),
    is_worse: impl Fn(Price, Price) -> bool,
) -> Result<Vec<Level>, Reason> {
    let mut levels: Vec<Level> = Vec::new();
    for level in 0..LEVELS {
        let (at, wanted) = names(level);
        let Some(price) = side(row, &at)? else { continue };
        if levels.last().is_some_and(|better| !is_worse(price, better.price)) {
            return Err(Reason::Inconsistent);
        }
        let quantity = shares(row, &wanted)?;
        // Prices are told where the room for them is also when nobody stands there.
        if quantity > 0 {
            levels.push(Level { price, quantity });
        }
    }
    Ok(levels)
}

fn book(
    row: &Value,
    asks: impl Fn(usize) -> (String, String),
    bids: impl Fn(usize) -> (String, String),
    at: DateTime<Utc>,
) -> Result<Sides, Reason> {
    let asks = levels(row, asks, |price, better| price > better)?;
    let bids = levels(row, bids, |price, better| price < better)?;
    Ok(Sides { bids, asks, at })
}

/// The book that the stream tells (type 0D).
///
/// # Errors
/// Why there is none.
pub(super) fn streamed_book(values: &Value, now: DateTime<Utc>) -> Result<Sides, Reason> {
    let names = |price: usize, quantity: usize| {
        move |level: usize| ((price + level).to_string(), (quantity + level).to_string())
    };
    book(values, names(41, 61), names(51, 71), at(values, "21", now)?)
}

/// The book that was asked for (ka10004). Its time has no day: it is the last such time that has come.
///
/// # Errors
/// Why there is none.
pub(super) fn answered_book(body: &Value, now: DateTime<Utc>) -> Result<Sides, Reason> {
    let names = |side: &'static str| {
        move |level: usize| match level {
            0 => (format!("{side}_fpr_bid"), format!("{side}_fpr_req")),
            _ => (format!("{side}_{}th_pre_bid", level + 1), format!("{side}_{}th_pre_req", level + 1)),
        }
    };
    let today = at(body, "bid_req_base_tm", now)?;
    let is_to_come = today > now + crate::sanity::CLOCK_SKEW_MAX;
    let at = if is_to_come { today - chrono::TimeDelta::days(1) } else { today };
    book(body, names("sel"), names("buy"), at)
}

/// Rows of a chart, the latest first.
///
/// # Errors
/// [`Reason::Unreadable`] when there are none to be read.
pub(super) fn rows(body: &Value, interval: Interval) -> Result<&[Value], Reason> {
    let name = match interval {
        Interval::OneDay => "stk_dt_pole_chart_qry",
        _ => "stk_min_pole_chart_qry",
    };
    body.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or(Reason::Unreadable)
}

/// When a row of a chart begins; a day at its midnight in UTC.
pub(super) fn begins_at(row: &Value, interval: Interval) -> Result<DateTime<Utc>, Reason> {
    let begins_at = match interval {
        Interval::OneDay => day(text(row, "dt")?).map(midnight),
        _ => moment(text(row, "cntr_tm")?),
    };
    begins_at.ok_or(Reason::Unreadable)
}

/// The bar of a row.
///
/// # Errors
/// Why there is none.
pub(super) fn bar(row: &Value, interval: Interval) -> Result<TimedBar, Reason> {
    let volume = shares(row, "trde_qty")?;
    // Its prices are zero then, or those of a day before.
    if volume == 0 {
        return Err(Reason::HaltedDay);
    }
    let bar = TimedBar {
        starts_at: begins_at(row, interval)?,
        volume,
        open: price(row, "open_pric")?,
        high: price(row, "high_pric")?,
        low: price(row, "low_pric")?,
        close: price(row, "cur_prc")?,
    };
    if bar.is_consistent() { Ok(bar) } else { Err(Reason::Inconsistent) }
}

/// The last value of a share from its days and its minutes, both the latest first: the minute knows when the price was, the day
/// what else there was on it. A day without trades is passed over: the value is then that of the day before, and says so.
///
/// # Errors
/// Why there is none.
pub(super) fn last_value(
    days: &[Value],
    minutes: &[Value],
    symbol: Symbol,
    source: &str,
) -> Result<Quote, Reason> {
    let is_traded = |row: &&Value| shares(row, "trde_qty") != Ok(0);
    let row = days.iter().find(is_traded).ok_or(Reason::HaltedDay)?;
    let day = bar(row, Interval::OneDay)?;
    let minute = bar(minutes.iter().find(is_traded).ok_or(Reason::HaltedDay)?, Interval::OneMinute)?;
    let session_date = day.starts_at.date_naive();
    if exchange::market_day(Market::Krx, minute.starts_at) != session_date {
        return Err(Reason::HaltedDay);
    }
    let last = minute.close;
    Ok(Quote {
        symbol,
        price: last,
        bid: None,
        ask: None,
        previous_close: Some(close_before(day.close, change(row, "pred_pre")?)?),
        volume: day.volume,
        currency: symbol.currency(),
        session_date,
        open: day.open,
        // The two answers are of two moments.
        high: day.high.max(last),
        low: day.low.min(last),
        at: minute.starts_at,
        source: source.to_owned(),
        simulated: false,
        delayed: false,
    })
}

/// The symbol that an answer about one share (ka10100) or a row of a list of shares (ka10099) is about; nothing for what is no
/// share of the two boards.
pub(super) fn listed(row: &Value) -> Option<Symbol> {
    symbol_of(text(row, "code").ok()?, text(row, "marketCode").ok()?)
}

/// The shares of a list (ka10099), under their Korean names.
///
/// # Errors
/// [`Reason::Unreadable`] when there is no list.
pub(super) fn listings(body: &Value) -> Result<Vec<Listing>, Reason> {
    let rows = body.get("list").and_then(Value::as_array).ok_or(Reason::Unreadable)?;
    let listing = |row: &Value| Some(Listing::new(listed(row)?, text(row, "name").ok()?));
    Ok(rows.iter().filter_map(listing).collect())
}

/// A message of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// What it is about: `LOGIN`, `REG`, `PING`, `REAL`, `SYSTEM`.
    pub(super) name: String,
    /// The code of a word about the session itself.
    pub(super) code: String,
    /// What has happened: type, code of the share, values by Kiwoom's field numbers.
    pub(super) news: Vec<(String, String, Value)>,
}

/// Reads a message.
///
/// # Errors
/// [`Reason::Unreadable`] for what is none.
pub(super) fn message(said: &Value) -> Result<Message, Reason> {
    let word = |row: &Value, key: &str| text(row, key).unwrap_or_default().to_owned();
    let name = text(said, "trnm")?.to_owned();
    let rows = said.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let news = |row: &Value| {
        let values = row.get("values").filter(|values| values.is_object())?;
        Some((word(row, "type"), word(row, "item"), values.clone()))
    };
    Ok(Message { name, code: word(said, "code"), news: rows.iter().filter_map(news).collect() })
}

#[cfg(test)]
mod tests;
