//! What the backend asks the broker connector about, beside sending: what became of an order, what an account holds,
//! and whether anything that a broker has done is missing in the journal.

use crate::broker::OrderRequest;
use crate::ids::{AccountId, OrderId};
use crate::instrument::Symbol;
use crate::money::{Currency, Price};
use crate::order::{OrderStatus, Side};
use crate::terms::{OrderType, TimeInForce};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An order as its broker describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// Which order: ours, or the id that the connector gave to one that we did not make.
    pub order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// The broker's own number.
    pub broker_order_id: String,
    /// What is traded.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How its price is decided.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// The worst price it may be executed at, where it names one.
    pub limit_price: Option<Price>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Shares ordered.
    #[serde(with = "crate::decimal::text")]
    pub quantity: Decimal,
    /// Shares executed, undone executions left out.
    #[serde(with = "crate::decimal::text")]
    pub filled_quantity: Decimal,
    /// Commission so far.
    #[serde(with = "crate::decimal::text")]
    pub commission: Decimal,
    /// Taxes and regulatory fees so far.
    #[serde(with = "crate::decimal::text")]
    pub tax: Decimal,
    /// Why it was refused or taken back, if that was not the trader.
    pub reason: Option<String>,
    /// When the broker took it.
    pub accepted_at: DateTime<Utc>,
}

/// What a broker says when it is asked for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Finding {
    /// It is there. Whatever the journal lacked about it has been written.
    Found {
        /// Where it stands.
        order: Box<OrderState>,
    },
    /// The complete history, read page by page to its end, does not have it. Once proves nothing.
    Absent,
    /// Nobody can say: the history could not be read to its end, or several orders may be the one.
    Unclear {
        /// Why.
        reason: String,
    },
}

/// Orders whose fate is asked for. Each is given whole: a broker that knows no names of ours is searched for an order
/// that looks like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InquiryRequest {
    /// At most [`crate::broker::BATCH_MAX`].
    pub orders: Vec<OrderRequest>,
    /// Other orders of the same accounts that were not heard of yet: what looks like one of them is not taken for one of
    /// those asked for. At most [`crate::broker::BATCH_MAX`].
    #[serde(default)]
    pub waiting: Vec<OrderRequest>,
}

/// Shares that executions left in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Of what.
    pub symbol: Symbol,
    /// How many; never zero.
    #[serde(with = "crate::decimal::text")]
    pub quantity: Decimal,
}

/// Cash that executions moved in an account: what was received less what was paid, fees included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TradeCash {
    /// In this currency.
    pub currency: Currency,
    /// Signed amount.
    #[serde(with = "crate::decimal::text")]
    pub amount: Decimal,
}

/// An account as its broker sees it. Deposits are no business of a broker that simulates, and are not in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountState {
    /// Every order that still works.
    pub orders: Vec<OrderState>,
    /// Shares.
    pub positions: Vec<Position>,
    /// Cash moved by trading.
    pub trade_cash: Vec<TradeCash>,
    /// The last line of the journal that positions and cash are the outcome of.
    pub journal_id: i64,
}

/// What became of a look for missing reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Reports that were missing and are in the journal now.
    pub reports_added: u64,
    /// Orders of the broker that were looked at.
    pub orders_read: u64,
    /// Executions of the broker that were looked at.
    pub executions_read: u64,
    /// The last line of the journal when the look ended.
    pub journal_id: i64,
}

/// What a person knows about an order that nobody else can tell of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Resolution {
    /// The broker never had it.
    NeverArrived,
    /// The broker has it under this number.
    Arrived {
        /// The broker's own number.
        broker_order_id: String,
    },
}

/// A person's word about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveRequest {
    /// The order.
    pub order: OrderRequest,
    /// What became of it.
    pub resolution: Resolution,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_which_it_is() {
        let text = serde_json::to_string(&Finding::Absent).unwrap();
        assert_eq!(text, r#"{"finding":"absent"}"#);
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), Finding::Absent);
    }

    #[test]
    fn a_resolution_names_the_brokers_number() {
        let resolution = Resolution::Arrived { broker_order_id: "7".into() };
        let text = serde_json::to_string(&resolution).unwrap();
        assert_eq!(text, r#"{"outcome":"arrived","brokerOrderId":"7"}"#);
    }
}
