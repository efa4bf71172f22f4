//! What the backend asks the broker connector about, beside sending: what became of an order, what an account holds,
//! and whether anything that a broker has done is missing in the journal.

use crate::broker::{OrderRequest, ReplaceRequest};
use crate::ids::{AccountId, OrderId};
use crate::instrument::Symbol;
use crate::money::{Currency, Percent, Price};
use crate::order::{OrderStatus, Side};
use crate::terms::{OrderType, PriceFields, TimeInForce};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A regular session as a broker lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedSession {
    /// Its day in its market.
    pub day: NaiveDate,
    /// When it opens.
    pub opens_at: DateTime<Utc>,
    /// When it closes.
    pub closes_at: DateTime<Utc>,
}

/// What a broker's clock and calendar say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MarketHours {
    /// How far its clock is ahead of ours, below zero where it is behind; what the way of the answer explains is left out.
    pub clock_ahead_milliseconds: i64,
    /// Whether the regular session was on.
    pub is_open: bool,
    /// When it said so, by our clock.
    pub said_at: DateTime<Utc>,
    /// The regular sessions of the days that were asked for, oldest first.
    pub sessions: Vec<ListedSession>,
}

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
    /// As in [`OrderRequest`].
    pub stop_price: Option<Price>,
    /// As in [`OrderRequest`].
    pub trail_amount: Option<Price>,
    /// As in [`OrderRequest`].
    pub trail_percent: Option<Percent>,
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

impl OrderState {
    /// Its prices.
    #[must_use]
    pub const fn prices(&self) -> PriceFields {
        PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        }
    }
}

/// By which terms a broker works an order for which others were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermsInForce {
    /// Those from before the request.
    Present,
    /// Those that were asked for.
    Asked,
    /// Neither.
    Other,
}

/// A request for other terms that no report has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenReplace {
    /// The order as it is without them.
    pub present: OrderRequest,
    /// What was asked for.
    pub asked: ReplaceRequest,
}

impl OpenReplace {
    /// Which terms an order has that a broker lists with this quantity and these prices.
    ///
    /// What was executed before a smaller quantity came true counts: the order then has a quantity between the two.
    #[must_use]
    pub fn in_force(&self, quantity: Decimal, prices: PriceFields) -> TermsInForce {
        let of_type = |prices: PriceFields| prices.of_type(self.present.order_type);
        let (before, after) = (self.present.quantity.value(), self.asked.quantity.value());
        let prices = of_type(prices);
        if quantity == before && prices == of_type(self.present.fields()) {
            TermsInForce::Present
        } else if prices == of_type(self.asked.fields())
            && (quantity == after || (after < quantity && quantity <= before))
        {
            TermsInForce::Asked
        } else {
            TermsInForce::Other
        }
    }
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
    /// Requests for other terms of the same accounts' orders. Where the broker turns out to have done one, the journal is
    /// told so. At most [`crate::broker::BATCH_MAX`].
    #[serde(default)]
    pub replacing: Vec<OpenReplace>,
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

/// Cash that executions moved in an account: what was received less what was paid, fees included. Where an
/// [`AccountState`] names a line of what the broker did beside orders, that is in it, too.
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
    /// Shares.
    pub positions: Vec<Position>,
    /// Cash moved by trading.
    pub trade_cash: Vec<TradeCash>,
    /// The last line of the journal that positions and cash are the outcome of.
    pub journal_id: i64,
    /// The last line of what the broker did beside orders that the cash is the outcome of; nothing where that is no part
    /// of it.
    #[serde(default)]
    pub activity_id: Option<i64>,
    /// How many seconds its broker wants to be left alone before the account is compared again on a timer, where it cannot be
    /// asked as often as others.
    #[serde(default)]
    pub compare_after_seconds: Option<u64>,
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

    fn open_replace(quantity: &str, limit_price: &str) -> OpenReplace {
        let order_id = OrderId::generate();
        let present = serde_json::from_value(serde_json::json!({
            "orderId": order_id, "accountId": AccountId::generate(), "symbol": "AAPL", "side": "buy",
            "orderType": "limit", "timeInForce": "day", "quantity": "10", "limitPrice": "100",
            "submittedAt": DateTime::UNIX_EPOCH,
        }));
        let asked = serde_json::from_value(serde_json::json!({
            "replaceId": crate::ReplaceId::generate(), "orderId": order_id, "quantity": quantity,
            "limitPrice": limit_price,
        }));
        OpenReplace { present: present.unwrap(), asked: asked.unwrap() }
    }

    #[test]
    fn the_terms_in_force_tell_whether_a_request_came_true() {
        use TermsInForce::{Asked, Other, Present};
        for (asked, listed, expected) in [
            (("20", "100"), ("10", "100"), Present),
            (("20", "100"), ("20", "100"), Asked),
            (("20", "101"), ("20", "100"), Other),
            (("10", "101"), ("10", "101"), Asked),
            (("10", "101"), ("10", "100.0"), Present),
            // Seven were executed before four came true.
            (("4", "100"), ("7", "100"), Asked),
            (("4", "100"), ("3", "100"), Other),
            (("4", "101"), ("10", "101"), Asked),
            (("4", "100"), ("10", "100"), Present),
        ] {
            let prices =
                PriceFields { limit_price: Some(listed.1.parse().unwrap()), ..PriceFields::default() };
            let in_force = open_replace(asked.0, asked.1).in_force(listed.0.parse().unwrap(), prices);
            assert_eq!(in_force, expected, "asked {asked:?}, listed {listed:?}");
        }
    }

    #[test]
    fn a_price_that_is_none_of_the_orders_type_says_nothing() {
        // Brokers list where a trailing stop stands now.
        let prices = PriceFields {
            limit_price: Some("100".parse().unwrap()),
            stop_price: Some("95".parse().unwrap()),
            ..PriceFields::default()
        };
        assert_eq!(open_replace("20", "100").in_force(Decimal::TEN, prices), TermsInForce::Present);
    }
}
