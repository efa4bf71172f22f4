//! The simulated broker: play money, real prices.
//!
//! Orders are matched by the `exchange` crate against the quotes that every other subscriber sees. All state is in
//! Postgres; the process may die at any instruction. One process at a time runs it, others stand by.

mod config;
mod engine;
mod kept;
mod quotes;
mod record;
mod rows;
mod rules;
mod store;
mod venue;

use super::{
    AccountState, Balance, Broker, BrokerError, Capabilities, Connected, Connection, ConnectionState,
    JournalLine, JournalQuery, ListedExecution, ListedOrder, OrderState, Page, Position,
};
use crate::settings::Settings;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use config::ANSWER_WAIT_MAX;
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::{AccountId, Currency, Market, OrderId, OrderType, TimeInForce};
use engine::{Command, Engine, Handle};
use exchange::Simulation;
use quotes::Quotes;
use record::Record;
use std::collections::HashMap;
use std::sync::Arc;
use store::Reader;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Its name.
pub const NAME: &str = "simulator";

/// The simulator, seen from outside.
pub struct Simulator {
    engine: Handle,
    reader: Reader,
}

impl Simulator {
    /// Starts the engine and its subscription. The task ends soon after `stop`, or with an error that the whole
    /// process should end with.
    ///
    /// # Errors
    /// When the database's address cannot be read.
    pub(crate) fn start(
        settings: &Settings,
        stop: &CancellationToken,
    ) -> anyhow::Result<(Self, JoinHandle<anyhow::Result<()>>)> {
        let reader = Reader::new(&settings.database_url)?;
        let quotes = Quotes::new();
        let token = settings.market_data_token.as_ref();
        let request = quotes::socket_request(&settings.market_data_url, token)?;
        tokio::spawn(quotes::run(Arc::clone(&quotes), request, stop.clone()));
        let (engine, handle) = Engine::new(settings.database_url.clone(), quotes, stop.clone());
        let task = tokio::spawn(engine.run());
        Ok((Self { engine: handle, reader }, task))
    }

    /// Sends a command and waits for its answer; `None` when nobody knows what became of it.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.engine.send(command(answer));
        timeout(ANSWER_WAIT_MAX, answered).await.ok()?.ok()
    }
}

/// Where a page begins.
fn place(after: Option<String>) -> Result<i64, BrokerError> {
    after
        .map_or(Ok(0), |after| after.parse())
        .map_err(|_| BrokerError::Conflict("there is no such page".into()))
}

fn unavailable(error: anyhow::Error) -> BrokerError {
    BrokerError::Unavailable(format!("{error:#}"))
}

#[async_trait]
impl Broker for Simulator {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            broker: NAME,
            markets: vec![Market::Krx, Market::Us],
            currencies: Currency::ALL.to_vec(),
            order_types: OrderType::ALL.to_vec(),
            times_in_force: TimeInForce::ALL.to_vec(),
            idempotent_orders: true,
            client_order_ids: true,
            journals_what_it_does: true,
            replace: true,
            replace_quantity: true,
            shared_exits: true,
            native_groups: Vec::new(),
            fractions: true,
            amounts: false,
            credentials: false,
            keeps_cash: false,
            short_selling: true,
            activities: false,
            market_hours: false,
            real_money: false,
        }
    }

    fn is_ready(&self) -> bool {
        self.engine.is_running()
    }

    async fn connect(&self, connection: Connection) -> Result<Connected, BrokerError> {
        let Connection { account_id, currency, credentials } = connection;
        if credentials.is_some() {
            return Err(BrokerError::Unsupported("the simulator needs no key".into()));
        }
        self.ask(|answer| Command::Connect { account_id, currency, answer })
            .await
            .unwrap_or_else(|| Err(BrokerError::Unavailable("the simulator did not answer".into())))?;
        Ok(Connected { broker_number: None, opening_cash: None, opened_at: None })
    }

    async fn connection_state(&self, _: AccountId) -> Result<ConnectionState, BrokerError> {
        let state = if self.engine.is_running() { "connected" } else { "connecting" };
        Ok(ConnectionState { broker: NAME, state, since: None, detail: None, heard_at: None, read_at: None })
    }

    async fn balance(&self, _: AccountId) -> Result<Balance, BrokerError> {
        Err(BrokerError::Unsupported("the simulator keeps no cash".into()))
    }

    async fn positions(&self, account_id: AccountId) -> Result<Vec<Position>, BrokerError> {
        Ok(self.reader.holdings(account_id).await.map_err(unavailable)?.positions())
    }

    async fn simulation(&self, account_id: AccountId) -> Result<Simulation, BrokerError> {
        Ok(self.reader.simulation(account_id).await.map_err(unavailable)?.unwrap_or_default())
    }

    async fn simulate(&self, account_id: AccountId, simulation: Simulation) -> Result<(), BrokerError> {
        self.ask(|answer| Command::Simulate { account_id, simulation, answer })
            .await
            .unwrap_or_else(|| Err(BrokerError::Unavailable("the simulator did not answer".into())))
    }

    async fn place_orders(&self, orders: Vec<OrderRequest>) -> Vec<PlaceOutcome> {
        let count = orders.len();
        self.ask(|answer| Command::Place { orders, answer }).await.unwrap_or_else(|| {
            vec![PlaceOutcome::OutcomeUnknown { reason: "the simulator did not answer".into() }; count]
        })
    }

    async fn cancel_orders(&self, orders: Vec<OrderId>) -> Vec<CancelOutcome> {
        let count = orders.len();
        self.ask(|answer| Command::Cancel { orders, answer }).await.unwrap_or_else(|| {
            vec![CancelOutcome::OutcomeUnknown { reason: "the simulator did not answer".into() }; count]
        })
    }

    async fn replace_orders(&self, requests: Vec<ReplaceRequest>) -> Vec<ReplaceOutcome> {
        let count = requests.len();
        self.ask(|answer| Command::Replace { requests, answer }).await.unwrap_or_else(|| {
            vec![ReplaceOutcome::OutcomeUnknown { reason: "the simulator did not answer".into() }; count]
        })
    }

    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError> {
        Ok(self.order_statuses(&[order_id]).await?.remove(&order_id))
    }

    async fn order_statuses(
        &self,
        order_ids: &[OrderId],
    ) -> Result<HashMap<OrderId, OrderState>, BrokerError> {
        let records = self.reader.orders(order_ids).await.map_err(unavailable)?;
        Ok(records.iter().map(|record| (record.request.order_id, record.state())).collect())
    }

    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError> {
        let holdings = self.reader.holdings(account_id).await.map_err(unavailable)?;
        let trade_cash = holdings.trade_cash().map_err(unavailable)?;
        Ok(AccountState {
            positions: holdings.positions(),
            trade_cash,
            journal_id: holdings.journal_id,
            activity_id: None,
            compare_after_seconds: None,
        })
    }

    async fn history_begins(&self, _: AccountId, since: DateTime<Utc>) -> Result<DateTime<Utc>, BrokerError> {
        Ok(since)
    }

    async fn order_by_number(
        &self,
        _: AccountId,
        broker_order_id: &str,
    ) -> Result<Option<ListedOrder>, BrokerError> {
        let id = broker_order_id.strip_prefix(record::NUMBER_PREFIX).and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let records = self.reader.orders(&[id]).await.map_err(unavailable)?;
        Ok(records.first().map(Record::listed))
    }

    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError> {
        self.reader.order_page(account_id, since, place(after)?).await.map_err(unavailable)
    }

    async fn execution_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedExecution>, BrokerError> {
        self.reader.execution_page(account_id, since, place(after)?).await.map_err(unavailable)
    }

    async fn executions(&self, query: JournalQuery) -> Result<Vec<JournalLine>, BrokerError> {
        self.reader.journal(query).await.map_err(unavailable)
    }
}
