//! What a broker is: the one trait that every adapter implements, and its vocabulary.
//!
//! An adapter says in [`Capabilities`] what it can do and refuses the rest with [`BrokerError::Unsupported`]; it
//! never pretends. Requests are idempotent by order id. What happens to an order is reported through the journal,
//! never only through the answer to a request.

pub mod registry;
pub mod simulator;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::broker::{
    CancelOutcome, ExecutionReport, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest,
};
use domain::{
    AccountId, Currency, Market, OrderId, OrderStatus, OrderType, Percent, Price, PriceFields, Quantity,
    Side, Symbol, TimeInForce,
};
use rust_decimal::Decimal;
use serde::Serialize;
use thiserror::Error;

pub use domain::inquiry::{AccountState, OrderState, Position, TradeCash};
pub use registry::Brokers;

/// Why a broker could not answer a question. Orders and cancels have outcomes instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// It, or the database, cannot be reached; trying again later may help.
    #[error("not available: {0}")]
    Unavailable(String),
    /// What was asked contradicts what is.
    #[error("{0}")]
    Conflict(String),
    /// This broker cannot do that.
    #[error("not supported: {0}")]
    Unsupported(String),
}

/// What a broker can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Its name.
    pub broker: &'static str,
    /// Markets it trades.
    pub markets: Vec<Market>,
    /// Currencies accounts may have.
    pub currencies: Vec<Currency>,
    /// Order types it takes.
    pub order_types: Vec<OrderType>,
    /// Times in force it takes.
    pub times_in_force: Vec<TimeInForce>,
    /// Whether sending an order twice under one id is safe.
    pub idempotent_orders: bool,
    /// Whether it knows orders by the ids that we give them.
    pub client_order_ids: bool,
    /// Whether what it does and the line of the journal that tells it are one transaction, so that no line can be
    /// missing.
    pub journals_what_it_does: bool,
    /// Whether an order can be replaced without a gap.
    pub replace: bool,
    /// Whether real money is at stake.
    pub real_money: bool,
}

/// An order as a broker lists it, under the broker's own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOrder {
    /// The broker's own number.
    pub broker_order_id: String,
    /// The id we gave it, where the broker keeps ids of its clients.
    pub known_as: Option<OrderId>,
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
    /// The price it waits for, where it names one.
    pub stop_price: Option<Price>,
    /// The distance of a trailing stop, where it is one of prices.
    pub trail_amount: Option<Price>,
    /// The distance of a trailing stop, where it is a percentage.
    pub trail_percent: Option<Percent>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Shares ordered.
    pub quantity: Decimal,
    /// Shares executed, undone executions left out.
    pub filled_quantity: Decimal,
    /// Commission so far.
    pub commission: Decimal,
    /// Taxes and regulatory fees so far.
    pub tax: Decimal,
    /// Why it was refused or taken back, if that was not the trader.
    pub reason: Option<String>,
    /// When the broker took it.
    pub accepted_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ListedOrder {
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

    /// The same under the id by which we know it.
    #[must_use]
    pub fn state(&self, account_id: AccountId, order_id: OrderId) -> OrderState {
        OrderState {
            order_id,
            account_id,
            broker_order_id: self.broker_order_id.clone(),
            symbol: self.symbol,
            side: self.side,
            order_type: self.order_type,
            time_in_force: self.time_in_force,
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
            status: self.status,
            quantity: self.quantity,
            filled_quantity: self.filled_quantity,
            commission: self.commission,
            tax: self.tax,
            reason: self.reason.clone(),
            accepted_at: self.accepted_at,
        }
    }
}

/// What became of an execution after it was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionFate {
    /// It counts.
    Stands,
    /// It was undone.
    Undone {
        /// When.
        at: DateTime<Utc>,
    },
    /// It counts in the place of another one.
    Corrects {
        /// The number of that one.
        execution_id: String,
    },
}

/// An execution as a broker lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedExecution {
    /// The broker's number of the order.
    pub broker_order_id: String,
    /// Its number, unique in the account.
    pub execution_id: String,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// Broker's commission.
    pub commission: Decimal,
    /// Taxes and regulatory fees.
    pub tax: Decimal,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// What became of it.
    pub fate: ExecutionFate,
}

/// A page of a list that is read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; nothing on the last.
    pub next: Option<String>,
}

/// A line of the journal with its place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalLine {
    /// Grows from line to line.
    pub journal_id: i64,
    /// What was reported.
    #[serde(flatten)]
    pub report: ExecutionReport,
}

/// Which part of the journal is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalQuery {
    /// Of this account, or of all.
    pub account_id: Option<AccountId>,
    /// Lines after this one.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}

/// One broker.
#[async_trait]
pub trait Broker: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether it can take orders now.
    fn is_ready(&self) -> bool;

    /// Opens an account; doing it twice opens one.
    async fn connect(&self, account_id: AccountId, currency: Currency) -> Result<(), BrokerError>;

    /// Sends orders; one outcome each, in the same order.
    async fn place_orders(&self, orders: Vec<OrderRequest>) -> Vec<PlaceOutcome>;

    /// Asks for orders to be taken back; one outcome each, in the same order.
    async fn cancel_orders(&self, orders: Vec<OrderId>) -> Vec<CancelOutcome>;

    /// Asks for orders to get other terms in place; one outcome each, in the same order. A request that comes twice is
    /// answered twice and done once.
    async fn replace_orders(&self, requests: Vec<ReplaceRequest>) -> Vec<ReplaceOutcome>;

    /// Where an order stands; `None` when the broker does not find it under our id, which proves nothing yet.
    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError>;

    /// A page of all orders that the account ever had since a moment, whatever became of them and whoever made them,
    /// oldest first. `after` is what the page before said comes next.
    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError>;

    /// A page of all executions of the account since a moment, oldest first.
    async fn execution_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedExecution>, BrokerError>;

    /// The account as the broker sees it.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError>;

    /// A page of what was reported, oldest first.
    async fn executions(&self, query: JournalQuery) -> Result<Vec<JournalLine>, BrokerError>;
}
