//! What a broker is: the one trait that every adapter implements, and its vocabulary.
//!
//! An adapter says in [`Capabilities`] what it can do and refuses the rest with [`BrokerError::Unsupported`]; it
//! never pretends. Requests are idempotent by order id. What happens to an order is reported through the journal,
//! never only through the answer to a request.

pub mod registry;
pub mod simulator;

use async_trait::async_trait;
use domain::broker::{
    CancelOutcome, ExecutionReport, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest,
};
use domain::{AccountId, Currency, Market, OrderId, OrderStatus, OrderType, Side, Symbol, TimeInForce};
use rust_decimal::Decimal;
use serde::Serialize;
use thiserror::Error;

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
    /// Whether an order can be replaced without a gap.
    pub replace: bool,
    /// Whether real money is at stake.
    pub real_money: bool,
}

/// Where an order stands at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// Which order.
    pub order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// The broker's own number.
    pub broker_order_id: String,
    /// What is traded.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub status: OrderStatus,
    /// Shares ordered.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub quantity: Decimal,
    /// Shares executed.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub filled_quantity: Decimal,
    /// Commission so far.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub commission: Decimal,
    /// Taxes and regulatory fees so far.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub tax: Decimal,
    /// Why it was refused or taken back, if that was not the trader.
    pub reason: Option<String>,
}

/// Shares that executions left in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Of what.
    pub symbol: Symbol,
    /// How many; never zero.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub quantity: Decimal,
}

/// Cash that executions moved in an account: what was received less what was paid, fees included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeCash {
    /// In this currency.
    pub currency: Currency,
    /// Signed amount.
    #[serde(serialize_with = "domain::decimal::text::serialize")]
    pub amount: Decimal,
}

/// An account as its broker sees it. Deposits are no business of the simulator and are not in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountState {
    /// Every order that still works.
    pub orders: Vec<OrderState>,
    /// Shares.
    pub positions: Vec<Position>,
    /// Cash moved by trading.
    pub trade_cash: Vec<TradeCash>,
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

    /// Where an order stands; `None` only when it provably never arrived.
    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError>;

    /// The account as the broker sees it.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError>;

    /// A page of what was reported, oldest first.
    async fn executions(&self, query: JournalQuery) -> Result<Vec<JournalLine>, BrokerError>;
}
