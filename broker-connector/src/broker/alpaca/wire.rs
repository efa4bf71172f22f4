//! Alpaca's shapes, as of November 2026 (Trading API v2). What the adapter does not use is not read.
//!
//! Numbers are strings there, in some answers bare numbers: both are read by their text.

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Longest number that is read, in characters.
const NUMBER_LENGTH_MAX: usize = 40;
/// Largest number that is read, in dollars or in shares: far above what anybody has, and so far below what a decimal holds
/// that no product and no sum of such numbers is beyond it.
const NUMBER_MAX: i64 = 10_000_000_000_000;

/// A number, exactly as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Number(pub(super) Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim_matches('"');
        if text.len() > NUMBER_LENGTH_MAX {
            return Err(D::Error::custom("a number is too long"));
        }
        let number = Decimal::from_str_exact(text).map_err(D::Error::custom)?;
        if number.abs() > Decimal::from(NUMBER_MAX) {
            return Err(D::Error::custom("a number is too large"));
        }
        Ok(Self(number))
    }
}

/// An order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) client_order_id: String,
    pub(super) symbol: String,
    pub(super) side: String,
    #[serde(rename = "type")]
    pub(super) order_type: String,
    pub(super) time_in_force: String,
    pub(super) status: String,
    pub(super) qty: Option<Number>,
    /// How much money it is for, where that was asked for instead of shares.
    #[serde(default)]
    pub(super) notional: Option<Number>,
    #[serde(default)]
    pub(super) filled_qty: Option<Number>,
    #[serde(default)]
    pub(super) limit_price: Option<Number>,
    #[serde(default)]
    pub(super) stop_price: Option<Number>,
    #[serde(default)]
    pub(super) trail_price: Option<Number>,
    #[serde(default)]
    pub(super) trail_percent: Option<Number>,
    pub(super) submitted_at: Option<String>,
    #[serde(default)]
    pub(super) created_at: Option<String>,
    #[serde(default)]
    pub(super) updated_at: Option<String>,
    #[serde(default)]
    pub(super) replaces: Option<String>,
    #[serde(default)]
    pub(super) replaced_by: Option<String>,
    #[serde(default)]
    pub(super) order_class: Option<String>,
    /// Its exits, where they were asked for and came with it.
    #[serde(default)]
    pub(super) legs: Option<Vec<Order>>,
}

/// An execution.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) activity_type: String,
    #[serde(default)]
    pub(super) transaction_time: Option<String>,
    #[serde(default)]
    pub(super) price: Option<Number>,
    #[serde(default)]
    pub(super) qty: Option<Number>,
    #[serde(default)]
    pub(super) order_id: Option<String>,
    #[serde(default)]
    pub(super) symbol: Option<String>,
}

/// Something that is known by its number, whatever else it says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Numbered {
    pub(super) id: String,
}

/// What Alpaca did beside orders. Its number is read for itself.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Movement {
    #[serde(default)]
    pub(super) activity_type: String,
    #[serde(default)]
    pub(super) activity_sub_type: Option<String>,
    #[serde(default)]
    pub(super) date: Option<String>,
    #[serde(default)]
    pub(super) net_amount: Option<Number>,
    #[serde(default)]
    pub(super) symbol: Option<String>,
    #[serde(default)]
    pub(super) qty: Option<Number>,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    pub(super) account_number: String,
    pub(super) status: String,
    pub(super) currency: String,
    pub(super) cash: Number,
    #[serde(default)]
    pub(super) buying_power: Option<Number>,
    #[serde(default)]
    pub(super) trading_blocked: bool,
    #[serde(default)]
    pub(super) account_blocked: bool,
}

/// Shares that are held.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Position {
    pub(super) symbol: String,
    /// Below zero where they are borrowed.
    pub(super) qty: Number,
    #[serde(default)]
    pub(super) asset_class: Option<String>,
}

/// Alpaca's time.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Clock {
    pub(super) timestamp: String,
    #[serde(default)]
    pub(super) is_open: bool,
}

/// A day of its calendar, on which the market trades; hours as `09:30` in New York.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CalendarDay {
    pub(super) date: String,
    pub(super) open: String,
    pub(super) close: String,
}

/// Why something was refused. Bodies without a code exist.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) code: Option<u64>,
    #[serde(default)]
    pub(super) message: String,
}

/// A new order. What is absent is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewOrder {
    pub(super) symbol: String,
    /// This or the amount of money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notional: Option<String>,
    pub(super) side: &'static str,
    #[serde(rename = "type")]
    pub(super) order_type: &'static str,
    pub(super) time_in_force: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trail_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trail_percent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) take_profit: Option<TakeProfit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_loss: Option<StopLoss>,
    pub(super) client_order_id: String,
}

/// The exit with profit that comes with an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TakeProfit {
    pub(super) limit_price: String,
}

/// The exit with loss that comes with an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct StopLoss {
    pub(super) stop_price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit_price: Option<String>,
}

/// Other terms for an order. What is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Replacement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trail: Option<String>,
    pub(super) client_order_id: String,
}

/// What the stream says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamMessage {
    pub(super) stream: String,
    #[serde(default)]
    pub(super) data: StreamData,
}

/// What of a message matters: that something has happened. What it was, the lists say.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct StreamData {
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) event: Option<String>,
    /// What is listened to; a stream that there is not is left out.
    #[serde(default)]
    pub(super) streams: Vec<String>,
}
