//! What a broker is: the one trait that every adapter implements, and its vocabulary.
//!
//! An adapter says in [`Capabilities`] what it can do and refuses the rest with [`BrokerError::Unsupported`]; it
//! never pretends. Requests are idempotent by order id. What happens to an order is reported through the journal,
//! never only through the answer to a request. An adapter follows the broker's stream by itself, from the moment on in
//! which an account is connected.

pub mod alpaca;
mod error;
pub mod kiwoom;
mod lateness;
mod outside;
pub(crate) mod records;
pub mod registry;
pub mod simulator;

use crate::credentials::Credentials;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::broker::{
    CancelOutcome, Contingency, ExecutionReport, OrderClass, OrderRequest, PlaceOutcome, ReplaceOutcome,
    ReplaceRequest,
};
use domain::{
    AccountId, ActivityKind, Currency, DecimalText, Market, OrderId, OrderStatus, OrderType, Percent, Price,
    PriceFields, Quantity, ReplaceId, Side, Symbol, TimeInForce,
};
use exchange::Simulation;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::HashMap;

pub use domain::inquiry::{AccountState, MarketHours, OrderState, Position, TradeCash};
pub use error::{BrokerError, KeyTrouble, OpeningTrouble};
pub use registry::Brokers;

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
    /// Whether an open order can be given another number of shares, and not other prices alone.
    pub replace_quantity: bool,
    /// Whether two open sales can stand for the same shares. A broker that reserves shares for each refuses the second.
    pub shared_exits: bool,
    /// Classes of orders that it takes as one with their exits, and works itself.
    pub native_groups: Vec<OrderClass>,
    /// Whether parts of shares are traded.
    pub fractions: bool,
    /// Whether it takes a purchase at the market by an amount of money, and says at the end how many shares it was.
    pub amounts: bool,
    /// Whether accounts need a key of the broker's to be entered.
    pub credentials: bool,
    /// Whether the broker keeps the account's cash, so that money is not brought in here.
    pub keeps_cash: bool,
    /// Whether shares can be sold that are not there.
    pub short_selling: bool,
    /// Whether it tells what it does beside orders: dividends, fees, interest, transfers.
    pub activities: bool,
    /// Whether it tells the time and the sessions of its market.
    pub market_hours: bool,
    /// Whether real money can be at stake.
    pub real_money: bool,
}

/// An account that is to be made known to its broker.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The account.
    pub account_id: AccountId,
    /// Its base currency.
    pub currency: Currency,
    /// What to show the broker; where nothing is given, what was given before counts.
    pub credentials: Option<Credentials>,
}

/// An account that its broker knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// The broker's own number of the account, where it has one.
    pub broker_number: Option<String>,
    /// The cash that it held when it was connected; nothing at brokers that keep none.
    pub opening_cash: Option<DecimalText>,
    /// When that was.
    pub opened_at: Option<DateTime<Utc>>,
}

/// Cash as the broker counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// In this currency.
    pub currency: Currency,
    /// All of it, with what trades will bring and cost when they settle; below zero where it was borrowed.
    pub cash: DecimalText,
    /// What new orders may use.
    pub buying_power: DecimalText,
}

/// How an account's way to its broker is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionState {
    /// The broker.
    pub broker: &'static str,
    /// `connected`, `connecting`, `down` or `key_missing`, `key_wrong`, `key_expired`, `key_revoked`, or
    /// `account_changed`.
    pub state: &'static str,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// What the trouble is, if there is any.
    pub detail: Option<String>,
    /// When its stream last told something.
    pub heard_at: Option<DateTime<Utc>>,
    /// When its lists were last read to their end.
    pub read_at: Option<DateTime<Utc>>,
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
    /// The number in whose place it stands, at brokers where other terms make another order.
    pub replaces: Option<Predecessor>,
    /// The name of the change by which the broker itself has given it this number of shares, where it was another before.
    pub resized_by: Option<ReplaceId>,
}

/// The order in whose place another one stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// The broker's number of it.
    pub broker_order_id: String,
    /// Our request by which that came, where the broker keeps ids of its clients.
    pub replace_id: Option<ReplaceId>,
}

impl Capabilities {
    /// Whether it takes an order together with those that it belongs to.
    #[must_use]
    pub fn takes_as_one(&self, order: &OrderRequest) -> bool {
        match &order.contingency {
            None => true,
            Some(Contingency::Leads { class, .. }) => self.native_groups.contains(class),
            Some(Contingency::Follows { .. }) => !self.native_groups.is_empty(),
        }
    }

    /// Whether it takes an order by its amount of money, where it has one.
    #[must_use]
    pub const fn takes_amount(&self, order: &OrderRequest) -> bool {
        self.amounts || order.notional.is_none()
    }
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

/// Something that a broker did in an account beside orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedActivity {
    /// The broker's number of it, unique in the account.
    pub activity_id: String,
    /// What it is.
    pub kind: ActivityKind,
    /// The broker's own word for it.
    pub word: String,
    /// The share it is about.
    pub symbol: Option<Symbol>,
    /// Of the cash.
    pub currency: Currency,
    /// Cash that came or (below zero) went; zero where none did.
    pub amount: Decimal,
    /// Shares that it is about.
    pub quantity: Option<Decimal>,
    /// The broker's day.
    pub day: NaiveDate,
    /// Whether the broker took it back.
    pub is_undone: bool,
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
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether it can take orders now.
    fn is_ready(&self) -> bool;

    /// Makes an account known; doing it twice changes nothing, save that newer credentials take the place of older ones.
    async fn connect(&self, connection: Connection) -> Result<Connected, BrokerError>;

    /// How the way to the broker is.
    async fn connection_state(&self, account_id: AccountId) -> Result<ConnectionState, BrokerError>;

    /// The account's cash as the broker counts it.
    async fn balance(&self, account_id: AccountId) -> Result<Balance, BrokerError>;

    /// The shares that the account holds, however they came there.
    async fn positions(&self, account_id: AccountId) -> Result<Vec<Position>, BrokerError>;

    /// What stands between an account's orders and their executions; only brokers that play have such a thing.
    async fn simulation(&self, _account_id: AccountId) -> Result<Simulation, BrokerError> {
        Err(BrokerError::Unsupported("nothing is simulated at this broker".into()))
    }

    /// Sets it, for the orders that are taken from then on.
    async fn simulate(&self, _account_id: AccountId, _simulation: Simulation) -> Result<(), BrokerError> {
        Err(BrokerError::Unsupported("nothing is simulated at this broker".into()))
    }

    /// Sends orders; one outcome each, in the same order.
    async fn place_orders(&self, orders: Vec<OrderRequest>) -> Vec<PlaceOutcome>;

    /// Asks for orders to be taken back; one outcome each, in the same order.
    async fn cancel_orders(&self, orders: Vec<OrderId>) -> Vec<CancelOutcome>;

    /// Asks for orders to get other terms in place; one outcome each, in the same order. A request that comes twice is
    /// answered twice and done once.
    async fn replace_orders(&self, requests: Vec<ReplaceRequest>) -> Vec<ReplaceOutcome>;

    /// Where an order stands; `None` when the broker does not find it under our id, which proves nothing yet.
    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError>;

    /// The same for several orders; those that are not found are left out.
    async fn order_statuses(
        &self,
        order_ids: &[OrderId],
    ) -> Result<HashMap<OrderId, OrderState>, BrokerError> {
        let mut found = HashMap::new();
        for order_id in order_ids {
            if let Some(order) = self.order_status(*order_id).await? {
                found.insert(*order_id, order);
            }
        }
        Ok(found)
    }

    /// From when on the history must be read so that, of what has happened since a moment, nothing is left out: orders
    /// that were made before and still worked then begin earlier.
    async fn history_begins(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, BrokerError>;

    /// An order by the broker's own number.
    async fn order_by_number(
        &self,
        account_id: AccountId,
        broker_order_id: &str,
    ) -> Result<Option<ListedOrder>, BrokerError>;

    /// A page of all orders that the account ever had since a moment, whatever became of them and whoever made them,
    /// oldest first; the same order may come twice. `after` is what the page before said comes next.
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

    /// A page of what the broker did in the account beside orders since a moment, oldest first. An activity may have a day and
    /// no time, so those of a day before the moment may be among them. Not every broker lists them.
    async fn activity_page(
        &self,
        _account_id: AccountId,
        _since: DateTime<Utc>,
        _after: Option<String>,
    ) -> Result<Page<ListedActivity>, BrokerError> {
        Err(BrokerError::Unsupported(format!("what {} does beside orders is not read", self.name())))
    }

    /// What the broker's clock says, and the regular sessions of its market from one day to another, both included. Not every
    /// broker tells them.
    async fn market_hours(
        &self,
        _account_id: AccountId,
        _from: NaiveDate,
        _to: NaiveDate,
    ) -> Result<MarketHours, BrokerError> {
        Err(BrokerError::Unsupported(format!("{} tells no hours", self.name())))
    }

    /// The account as the broker sees it.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError>;

    /// A page of what was reported, oldest first.
    async fn executions(&self, query: JournalQuery) -> Result<Vec<JournalLine>, BrokerError>;
}
