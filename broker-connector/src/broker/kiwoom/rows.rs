//! What Kiwoom says about orders, in words of its own and whichever way it was asked: by its REST service or through a bridge.

use super::wire::Number;
use chrono::{DateTime, NaiveDate, Utc};
use domain::Side;
use rust_decimal::Decimal;

/// What a row of a day's list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// It buys or sells.
    New,
    /// It stands in the place of another one.
    Change,
    /// It takes another one back.
    Cancel,
}

/// A row of a day's list of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderRow {
    pub(super) number: String,
    pub(super) kind: RowKind,
    /// The number that it changes or takes back.
    pub(super) original: Option<String>,
    /// Six characters.
    pub(super) code: String,
    pub(super) side: Side,
    /// Kiwoom's words for its type.
    pub(super) type_words: String,
    pub(super) quantity: i64,
    /// Shares that are still to be executed.
    pub(super) open: i64,
    pub(super) filled: i64,
    /// Average price of what was executed.
    pub(super) average: Decimal,
    /// Its limit; zero without one.
    pub(super) price: Decimal,
    /// Its stop; zero without one.
    pub(super) stop: Decimal,
    /// Whether the market has confirmed a change or a cancel.
    pub(super) is_confirmed: bool,
    pub(super) is_rejected: bool,
    pub(super) at: DateTime<Utc>,
}

/// What of an order was executed on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilledRow {
    pub(super) number: String,
    pub(super) quantity: i64,
    /// What that cost, without fees.
    pub(super) worth: Decimal,
    pub(super) commission: Decimal,
    pub(super) tax: Decimal,
    /// When the order came, where that is told.
    pub(super) ordered_at: Option<DateTime<Utc>>,
}

/// An execution as the stream told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Shares of the order executed, this execution included.
    pub(super) through: i64,
    /// Shares of this execution.
    pub(super) quantity: i64,
    pub(super) price: Decimal,
    pub(super) at: DateTime<Utc>,
}

/// Cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cash {
    /// When everything is settled.
    pub(super) settled: Decimal,
    /// What new orders may use.
    pub(super) buying_power: Decimal,
}

/// Shares held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Six characters.
    pub(super) code: String,
    pub(super) quantity: i64,
}

/// A new order for Kiwoom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) side: Side,
    pub(super) code: String,
    pub(super) quantity: String,
    /// Empty without a limit.
    pub(super) price: String,
    /// Kiwoom's number for its type.
    pub(super) trade_type: &'static str,
    /// Empty without a stop.
    pub(super) stop: String,
}

/// Another price for an order, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The order's number of today.
    pub(super) number: String,
    pub(super) code: String,
}

/// A number of a day as we write it: numbers begin anew every day.
pub(super) fn broker_number(day: NaiveDate, number: &str) -> String {
    format!("{}-{number:0>7}", day.format("%Y%m%d"))
}

/// Day and number of such a text.
pub(super) fn day_and_number(text: &str) -> Option<(NaiveDate, &str)> {
    let (day, number) = text.split_once('-')?;
    Some((NaiveDate::parse_from_str(day, "%Y%m%d").ok()?, number))
}

/// A number of another order; nothing where zeros stand for none.
pub(super) fn other_number(text: &str) -> Option<String> {
    let number = text.trim();
    (!number.trim_start_matches('0').is_empty()).then(|| format!("{number:0>7}"))
}

/// Whole shares.
pub(super) fn shares(number: Number, of: &str) -> Result<i64, String> {
    number.shares().ok_or_else(|| format!("the number of shares of order {of} cannot be read"))
}
