//! What the backend and the broker connector say to each other.
//!
//! Requests travel over HTTP and are idempotent by order id: sending one twice places one order. What happened to
//! an order travels the other way only through the journal of [`ExecutionReport`]s in Postgres, so that the
//! answer to a request is never the only place where a fact is known.

use crate::ids::{AccountId, OrderId, ReplaceId};
use crate::instrument::Symbol;
use crate::money::{Notional, Percent, Price, Quantity};
use crate::order::Side;
use crate::terms::{Contradiction, Lifetime, OrderType, PriceFields, Pricing, TimeInForce};
use chrono::{DateTime, NaiveDate, Utc};
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
    /// How its price is decided.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// Its last day; present exactly with `gtd`.
    pub expire_date: Option<NaiveDate>,
    /// How many shares; of an order by amount of money what was estimated when it was judged.
    pub quantity: Quantity,
    /// The amount of money that it is for, where the broker is to find out how many shares that is: only for brokers that say
    /// that they do. Buys for the day at the market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notional: Option<Notional>,
    /// Whether its owner has taken it back: it is not sent any more, and ends unless it may have been sent before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// Limit price; present exactly for limit and stop-limit orders.
    pub limit_price: Option<Price>,
    /// Stop price; present exactly for stop and stop-limit orders.
    pub stop_price: Option<Price>,
    /// Distance of a trailing stop in units of the price; this or the percentage.
    pub trail_amount: Option<Price>,
    /// Distance of a trailing stop in percent; this or the amount.
    pub trail_percent: Option<Percent>,
    /// The worst price an order without a limit may be executed at: what is held for it covers no more. Present exactly
    /// for orders without a limit price.
    pub protection_price: Option<Price>,
    /// How it belongs to others that its broker works with it; nothing for an order that stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency: Option<Contingency>,
    /// When the order was committed here.
    pub submitted_at: DateTime<Utc>,
}

/// How an order belongs to others that its broker works with it, as one request that was sent once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Contingency {
    /// It is sent, and brings its exits.
    Leads {
        /// What the broker makes of them.
        class: OrderClass,
        /// The others, one or two.
        exits: Vec<Exit>,
    },
    /// It came with that order and is never sent by itself.
    Follows {
        /// That order.
        leader: OrderId,
    },
}

/// What a broker makes of orders that came together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderClass {
    /// An entry, and two exits that wait until it is filled: they become orders here by then.
    Bracket,
    /// Two exits for the same shares, of which the first, with profit, leads; both are orders here from the start.
    Oco,
    /// An entry, and one exit that waits until it is filled: it becomes an order here by then.
    Oto,
}

/// An exit that comes with another order. Symbol, quantity and time in force are that order's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exit {
    /// The order that it is or will be.
    pub order_id: OrderId,
    /// Which one.
    pub kind: ExitKind,
    /// Buy or sell.
    pub side: Side,
    /// As in [`OrderRequest`].
    pub limit_price: Option<Price>,
    /// As in [`OrderRequest`].
    pub stop_price: Option<Price>,
}

/// Which of two exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// The one with profit: a limit order.
    TakeProfit,
    /// The one with loss: a stop, or a stop with a limit.
    StopLoss,
}

impl ExitKind {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakeProfit => "take_profit",
            Self::StopLoss => "stop_loss",
        }
    }

    /// The exit of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::TakeProfit, Self::StopLoss].into_iter().find(|kind| kind.name() == name)
    }
}

impl OrderRequest {
    /// Its prices as fields.
    #[must_use]
    pub const fn fields(&self) -> PriceFields {
        PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        }
    }

    /// The order that it came with, if it came with one.
    #[must_use]
    pub const fn leader(&self) -> Option<OrderId> {
        match &self.contingency {
            Some(Contingency::Follows { leader }) => Some(*leader),
            _ => None,
        }
    }

    /// The exits that come with it.
    #[must_use]
    pub fn exits(&self) -> &[Exit] {
        match &self.contingency {
            Some(Contingency::Leads { exits, .. }) => exits,
            _ => &[],
        }
    }

    /// Its prices.
    ///
    /// # Errors
    /// Those that do not go with its type.
    pub fn pricing(&self) -> Result<Pricing, Vec<Contradiction>> {
        Pricing::from_fields(self.order_type, self.fields())
    }

    /// How long it stays.
    ///
    /// # Errors
    /// When the day is missing or one too many.
    pub fn lifetime(&self) -> Result<Lifetime, Contradiction> {
        Lifetime::from_fields(self.time_in_force, self.expire_date)
    }
}

/// New terms for an order that is at a broker. They are complete: what does not change is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaceRequest {
    /// The request: sending it twice changes the order once.
    pub replace_id: ReplaceId,
    /// Which order. It keeps its id.
    pub order_id: OrderId,
    /// How many shares in total, what is filled already included.
    pub quantity: Quantity,
    /// As in [`OrderRequest`].
    pub limit_price: Option<Price>,
    /// As in [`OrderRequest`].
    pub stop_price: Option<Price>,
    /// As in [`OrderRequest`].
    pub trail_amount: Option<Price>,
    /// As in [`OrderRequest`].
    pub trail_percent: Option<Percent>,
    /// As in [`OrderRequest`].
    pub protection_price: Option<Price>,
}

impl ReplaceRequest {
    /// The new prices as fields.
    #[must_use]
    pub const fn fields(&self) -> PriceFields {
        PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        }
    }
}

/// Why a message provably was not done by a broker: it never left, or was turned away before anything else was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Unsent {
    /// It never reached the broker; may be tried again at once.
    NotSent {
        /// Why.
        reason: String,
    },
    /// The broker was asked too often; may be tried again after this time.
    RateLimited {
        /// In seconds, from the answer on.
        after_seconds: u64,
    },
    /// The broker does not let us in; only a person can change that.
    AuthExpired {
        /// Stable word: `key_missing`, `key_wrong`, `key_expired`, `key_revoked`, `account_changed`.
        code: String,
        /// The same for people.
        reason: String,
    },
}

impl Unsent {
    /// It never reached the broker.
    #[must_use]
    pub fn never_left(reason: impl Into<String>) -> Self {
        Self::NotSent { reason: reason.into() }
    }
}

macro_rules! may_be_unsent {
    ($($outcome:ident)*) => {
        $(
            impl From<Unsent> for $outcome {
                fn from(unsent: Unsent) -> Self {
                    Self::Unsent(unsent)
                }
            }

            impl $outcome {
                /// Why it provably was not done; nothing where it was, or may have been.
                #[must_use]
                pub const fn unsent(&self) -> Option<&Unsent> {
                    match self {
                        Self::Unsent(unsent) => Some(unsent),
                        _ => None,
                    }
                }
            }
        )*
    };
}
may_be_unsent! { PlaceOutcome CancelOutcome ReplaceOutcome }

/// How sending a replace ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ReplaceOutcome {
    /// The broker took the request; a `replaced` report follows, or the order ended first.
    Accepted,
    /// The order stays as it is.
    Rejected {
        /// Stable word: `unknown_order`, `already_final`, …
        code: String,
        /// The reason.
        message: String,
    },
    /// Nobody knows.
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
    /// It provably was not done; it may come again.
    #[serde(untagged)]
    Unsent(Unsent),
}

/// How sending an order ended. `Unsent` only when it provably was not done.
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
    /// Nobody knows. The order may be working: ask, never assume.
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
    /// It provably was not done; it may come again.
    #[serde(untagged)]
    Unsent(Unsent),
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
    /// Nobody knows.
    OutcomeUnknown {
        /// Why.
        reason: String,
    },
    /// It provably was not done; it may come again.
    #[serde(untagged)]
    Unsent(Unsent),
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
    /// The price that the order waited for has come: from here on it works as a market or limit order.
    Triggered {
        /// The last price that did it.
        price: Price,
    },
    /// The order has new terms, all of them given here.
    Replaced {
        /// By which request.
        replace_id: ReplaceId,
        /// How many shares in total, what is filled already included.
        quantity: Quantity,
        /// As in [`OrderRequest`].
        limit_price: Option<Price>,
        /// As in [`OrderRequest`].
        stop_price: Option<Price>,
        /// As in [`OrderRequest`].
        trail_amount: Option<Price>,
        /// As in [`OrderRequest`].
        trail_percent: Option<Percent>,
    },
    /// The broker or the market holds the order; it comes back or ends.
    Suspended {
        /// Why.
        reason: Option<String>,
    },
    /// A held order, or one that was done for the day, works again.
    Resumed,
    /// Finished for today, comes back with the next session.
    DoneForDay,
    /// An execution was undone (a bust): it never counted.
    TradeCanceled {
        /// The execution that is undone.
        execution_id: String,
        /// Why.
        reason: Option<String>,
    },
    /// An execution was corrected: what it said is undone, and this counts in its place.
    TradeCorrected {
        /// The execution that is undone.
        corrects: String,
        /// The number of the one that counts in its place, another one.
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
}

impl ReportKind {
    /// The stored name, which is also the `kind` on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Fill { .. } => "fill",
            Self::Canceled { .. } => "canceled",
            Self::Expired => "expired",
            Self::Suspended { .. } => "suspended",
            Self::Resumed => "resumed",
            Self::DoneForDay => "done_for_day",
            Self::Triggered { .. } => "triggered",
            Self::Replaced { .. } => "replaced",
            Self::TradeCanceled { .. } => "trade_canceled",
            Self::TradeCorrected { .. } => "trade_corrected",
        }
    }
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

    #[test]
    fn why_a_message_was_not_done_is_read_back_from_one_flat_object() {
        let locked = Unsent::AuthExpired { code: "key_expired".into(), reason: "its day is over".into() };
        for (unsent, text) in [
            (Unsent::never_left("no line"), r#"{"outcome":"not_sent","reason":"no line"}"#),
            (Unsent::RateLimited { after_seconds: 7 }, r#"{"outcome":"rate_limited","afterSeconds":7}"#),
            (locked, r#"{"outcome":"auth_expired","code":"key_expired","reason":"its day is over"}"#),
        ] {
            let (placed, canceled, replaced): (PlaceOutcome, CancelOutcome, ReplaceOutcome) =
                (unsent.clone().into(), unsent.clone().into(), unsent.clone().into());
            assert_eq!(serde_json::to_string(&placed).unwrap(), text);
            assert_eq!(serde_json::from_str::<PlaceOutcome>(text).unwrap(), placed);
            assert_eq!(serde_json::from_str::<CancelOutcome>(text).unwrap(), canceled);
            assert_eq!(serde_json::from_str::<ReplaceOutcome>(text).unwrap(), replaced);
            assert_eq!(placed.unsent(), Some(&unsent));
        }
        assert!(serde_json::from_str::<PlaceOutcome>(r#"{"outcome":"perhaps"}"#).is_err());
    }
}
