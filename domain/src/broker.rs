//! What the backend and the broker connector say to each other.
//!
//! Requests travel over HTTP and are idempotent by order id: sending one twice places one order. What happened to
//! an order travels the other way only through the journal of [`ExecutionReport`]s in Postgres, so that the
//! answer to a request is never the only place where a fact is known.

use crate::ids::{AccountId, OrderId};
use crate::instrument::Symbol;
use crate::money::{Price, Quantity};
use crate::order::{OrderType, Side, TimeInForce};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Most orders, cancels or questions in one request to the connector.
pub const BATCH_MAX: usize = 256;

/// Header that carries the secret shared by backend and connector.
pub const TOKEN_HEADER: &str = "X-Gaemi-Internal-Token";

/// An order on its way to a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderRequest {
    /// The order, and the client order id under which the broker will know it.
    pub order_id: OrderId,
    /// The account it is for.
    pub account_id: AccountId,
    /// What is traded.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// How many shares.
    pub quantity: Quantity,
    /// Limit price; present exactly for limit orders.
    pub limit_price: Option<Price>,
    /// The worst price a market order may be executed at: what is held for it covers no more. Present exactly for
    /// market orders.
    pub protection_price: Option<Price>,
    /// When the order was committed here.
    pub submitted_at: DateTime<Utc>,
}

/// How sending an order ended. `NotSent` only when it provably never left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum PlaceOutcome {
    /// The broker has it.
    Accepted {
        /// The broker's own number of the order.
        broker_order_id: String,
    },
    /// The broker refused it for good; a `rejected` report is in the journal.
    Rejected {
        /// Stable word.
        code: String,
        /// The broker's reason.
        message: String,
    },
    /// It provably never reached the broker; may be tried again.
    NotSent {
        /// Why.
        reason: String,
    },
    /// Nobody knows. The order may be working: ask, never assume.
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
}

/// How sending a cancel ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CancelOutcome {
    /// The broker took the request; a `canceled` report follows.
    Accepted,
    /// There is nothing left to cancel, or the order is not known.
    Rejected {
        /// Stable word: `unknown_order`, `already_final`, …
        code: String,
        /// The reason.
        message: String,
    },
    /// It provably never reached the broker; may be tried again.
    NotSent {
        /// Why.
        reason: String,
    },
    /// Nobody knows.
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
}

/// What a broker reported about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ReportKind {
    /// The order works.
    Accepted,
    /// The order was refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// A part, or all, was executed.
    Fill {
        /// The execution's number, unique in the broker account.
        execution_id: String,
        /// Shares executed.
        quantity: Quantity,
        /// Price per share.
        price: Price,
        /// Broker's commission, in the symbol's currency; zero or more.
        #[serde(with = "crate::decimal::text")]
        commission: Decimal,
        /// Taxes and regulatory fees, in the symbol's currency; zero or more.
        #[serde(with = "crate::decimal::text")]
        tax: Decimal,
    },
    /// The order was taken back; what was not executed is gone.
    Canceled {
        /// Why, where it was not the trader.
        reason: Option<String>,
    },
    /// The order ended by its time in force.
    Expired,
}

/// One line of the journal `broker.execution_reports`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionReport {
    /// Unique in its account: the same message twice has the same report id and is stored once.
    pub report_id: String,
    /// Account concerned.
    pub account_id: AccountId,
    /// Order concerned.
    pub order_id: OrderId,
    /// What happened.
    #[serde(flatten)]
    pub kind: ReportKind,
    /// When, by the broker's clock.
    pub occurred_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back_as_written() {
        let report = ExecutionReport {
            report_id: "x:fill:1".into(),
            account_id: AccountId::generate(),
            order_id: OrderId::generate(),
            kind: ReportKind::Fill {
                execution_id: "x:1".into(),
                quantity: "10".parse().unwrap(),
                price: "150.25".parse().unwrap(),
                commission: "1.50".parse().unwrap(),
                tax: Decimal::ZERO,
            },
            occurred_at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        };
        let text = serde_json::to_string(&report).unwrap();
        assert!(text.contains(r#""kind":"fill""#) && text.contains(r#""price":"150.25""#), "{text}");
        assert_eq!(serde_json::from_str::<ExecutionReport>(&text).unwrap(), report);
    }

    #[test]
    fn outcomes_say_what_the_caller_can_do() {
        let text =
            serde_json::to_string(&PlaceOutcome::OutcomeUnknown { reason: "timed out".into() }).unwrap();
        assert_eq!(text, r#"{"outcome":"outcome_unknown","reason":"timed out"}"#);
    }
}
