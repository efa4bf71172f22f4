//! The simulator's rows. One batch is one transaction; mostly one statement, and so one round trip and one notification.

mod append;
mod holdings;

use super::config::{
    CONNECT_TIME_MAX, DATABASE_ANSWER_MAX, LARGE_BATCH_MAX, READER_WAIT_MAX, READERS_MAX, STATEMENT_TIME_MAX,
};
use super::record::{Answered, Changes, Execution, Record};
use super::rows::{
    self, AccountRow, Flag, JournalRow, MarketRow, Number, OrderRow, PartRow, ReplaceRow, Word,
};
use super::venue::Account;
use crate::broker::{JournalLine, JournalQuery};
use anyhow::{Context, anyhow};
use append::{append, parts};
use database::{LOOKUP_SETTINGS, statement};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{ConnectionError, ConnectionResult, OptionalExtension, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::{AccountId, Currency, OrderId, ReplaceId, Symbol, locks};
use exchange::{MarketState, Simulation};
use futures_util::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::future::Future;
use tokio::time::timeout;
use uuid::Uuid;

statement! {
    /// Whether the backend has made the tables.
    SchemaExists {} "SELECT to_regclass('broker.execution_reports') IS NOT NULL AS flag"
}
statement! {
    /// Becomes the owner of the books, until the connection ends.
    TakeOwnership { key: BigInt = i64 } "SELECT pg_try_advisory_lock(?) AS flag"
}
statement! {
    Alive {} "SELECT true AS flag"
}
statement! {
    Accounts {} "SELECT account_id, currency, simulation FROM broker.accounts WHERE broker = 'simulator'"
}
statement! {
    SetSimulation { account: SqlUuid = Uuid, simulation: Text = String }
    "UPDATE broker.accounts SET simulation = new.simulation
     FROM (SELECT ?::uuid AS account_id, ?::text AS simulation) AS new
     WHERE accounts.account_id = new.account_id AND broker = 'simulator'"
}
statement! {
    SimulationOf { account: SqlUuid = Uuid }
    "SELECT simulation AS text FROM broker.accounts WHERE account_id = ? AND broker = 'simulator'"
}
statement! {
    /// What orders that still work have had so far.
    PartsOfWorking {}
    "SELECT r.order_id, r.quantity, r.price, r.occurred_at
     FROM broker.simulator_orders AS o JOIN broker.execution_reports AS r ON r.order_id = o.order_id
     WHERE o.status = 'PARTIALLY_FILLED' AND r.kind = 'fill' AND r.broker = 'simulator' ORDER BY r.id"
}
statement! {
    /// A page, in the order of the index that holds nothing else.
    WorkingOrders { account: SqlUuid = Uuid, sequence: BigInt = i64, limit: BigInt = i64 }
    "SELECT * FROM broker.simulator_orders WHERE status IN ('NEW', 'PARTIALLY_FILLED')
        AND (account_id, sequence) > (?, ?) ORDER BY account_id, sequence LIMIT ?"
}
statement! {
    /// One row a symbol at most.
    Markets {} "SELECT * FROM broker.simulator_markets"
}
statement! {
    OrdersById { ids: Array<SqlUuid> = Vec<Uuid> } "SELECT * FROM broker.simulator_orders WHERE order_id = ANY(?)"
}
statement! {
    SequenceLast {} "SELECT coalesce(max(sequence), 0) AS number FROM broker.simulator_orders"
}
statement! {
    /// A new account has no line in the journal yet, so that its lines are looked for from here on.
    Connect { account: SqlUuid = Uuid, currency: Text = String }
    "WITH new AS (INSERT INTO broker.accounts (account_id, broker, currency) VALUES (?, 'simulator', ?)
        ON CONFLICT (account_id) DO NOTHING RETURNING account_id)
     INSERT INTO broker.simulator_checkpoints (account_id, journal_id, totals)
     SELECT new.account_id, (SELECT coalesce(max(id), 0) FROM broker.execution_reports), '{}' FROM new
     ON CONFLICT (account_id) DO NOTHING"
}
statement! {
    Journal { after: BigInt = i64, account: Nullable<SqlUuid> = Option<Uuid>, limit: BigInt = i64 }
    "SELECT * FROM broker.execution_reports WHERE id > ? AND account_id = coalesce(?, account_id)
        ORDER BY id LIMIT ?"
}
statement! {
    ReplacesById { ids: Array<SqlUuid> = Vec<Uuid> }
    "SELECT replace_id, code, message FROM broker.simulator_replaces WHERE replace_id = ANY(?)"
}

/// Working orders of one page.
const PAGE_ROWS: i64 = 2_000;

fn is_last_page(rows: &[OrderRow]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|count| count < PAGE_ROWS)
}

/// Why a batch is not, or perhaps not, in the database.
#[derive(Debug)]
pub(super) enum WriteError {
    /// The server refused the statement and lives: nothing of it was kept.
    NothingWritten(String),
    /// The answer is missing: it may have been kept.
    Unknown(String),
}

/// The engine's own connection. While it lives, no other process owns the books.
pub(super) struct Session {
    connection: AsyncPgConnection,
}

/// How taking over the books went.
pub(super) enum TakeOver {
    /// Ours.
    Owner(Box<Session>),
    /// Another process has them.
    Owned,
    /// The tables are not there yet.
    NoSchema,
}

pub(super) async fn answered<T>(query: impl Future<Output = QueryResult<T>>) -> anyhow::Result<T> {
    Ok(timeout(DATABASE_ANSWER_MAX, query).await.context("the database does not answer")??)
}

impl Session {
    /// Connects and takes the lock of ownership.
    pub(super) async fn take_over(url: &SecretString) -> anyhow::Result<TakeOver> {
        let connection = connect(url.expose_secret()).await?;
        let mut session = Self { connection };
        if !session.flag(SchemaExists {}).await? {
            return Ok(TakeOver::NoSchema);
        }
        if session.flag(TakeOwnership { key: locks::SIMULATOR_OWNER }).await? {
            return Ok(TakeOver::Owner(Box::new(session)));
        }
        Ok(TakeOver::Owned)
    }

    async fn flag<Q>(&mut self, query: Q) -> anyhow::Result<bool>
    where
        Q: diesel_async::methods::LoadQuery<'static, AsyncPgConnection, Flag> + Send + 'static,
    {
        Ok(answered(query.get_result(&mut self.connection)).await?.flag)
    }

    /// Whether the connection, and with it the ownership, is still there.
    pub(super) async fn is_alive(&mut self) -> bool {
        matches!(self.flag(Alive {}).await, Ok(true))
    }

    pub(super) async fn accounts(&mut self) -> anyhow::Result<HashMap<AccountId, Account>> {
        let rows: Vec<AccountRow> = answered(Accounts {}.load(&mut self.connection)).await?;
        rows.into_iter().map(AccountRow::read).collect()
    }

    /// Gives every working order, page by page: of many only a few are in memory as rows.
    pub(super) async fn working_orders(&mut self, mut take: impl FnMut(Record)) -> anyhow::Result<()> {
        let mut parts = HashMap::<OrderId, Vec<Execution>>::new();
        for row in answered(PartsOfWorking {}.load::<PartRow>(&mut self.connection)).await? {
            let (order_id, execution) = row.read()?;
            parts.entry(order_id).or_default().push(execution);
        }
        let (mut account, mut sequence) = (Uuid::nil(), 0);
        loop {
            let query = WorkingOrders { account, sequence, limit: PAGE_ROWS };
            let rows: Vec<OrderRow> = answered(query.load(&mut self.connection)).await?;
            let is_last = is_last_page(&rows);
            for row in rows {
                let mut record = row.read()?;
                (account, sequence) = (record.request.account_id.0, record.sequence);
                if let Some(executions) = parts.get(&record.request.order_id) {
                    record.standing.recount(record.request.symbol.market(), executions)?;
                }
                take(record);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Writes what is set for an account; says whether there is such an account.
    pub(super) async fn set_simulation(
        &mut self,
        account_id: AccountId,
        simulation: Simulation,
    ) -> anyhow::Result<bool> {
        let query = SetSimulation { account: account_id.0, simulation: simulation.name().to_owned() };
        Ok(answered(query.execute(&mut self.connection)).await? > 0)
    }

    pub(super) async fn sequence_last(&mut self) -> anyhow::Result<i64> {
        Ok(answered(SequenceLast {}.get_result::<Number>(&mut self.connection)).await?.number)
    }

    /// What is known of the markets.
    pub(super) async fn markets(&mut self) -> anyhow::Result<Vec<(Symbol, MarketState)>> {
        let rows: Vec<MarketRow> = answered(Markets {}.load(&mut self.connection)).await?;
        rows.into_iter().map(MarketRow::read).collect()
    }

    /// The orders of these ids, whatever became of them.
    pub(super) async fn orders(&mut self, ids: &[OrderId]) -> anyhow::Result<Vec<Record>> {
        let query = OrdersById { ids: ids.iter().map(|id| id.0).collect() };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection)).await?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    /// What was answered to requests for other terms.
    pub(super) async fn replaces(
        &mut self,
        ids: &[ReplaceId],
    ) -> anyhow::Result<HashMap<ReplaceId, Answered>> {
        let query = ReplacesById { ids: ids.iter().map(|id| id.0).collect() };
        let rows: Vec<ReplaceRow> = answered(query.load(&mut self.connection)).await?;
        Ok(rows.into_iter().map(ReplaceRow::read).collect())
    }

    /// Writes an account unless it is there.
    pub(super) async fn connect(&mut self, account_id: AccountId, currency: Currency) -> anyhow::Result<()> {
        let query = Connect { account: account_id.0, currency: currency.code().to_owned() };
        answered(query.execute(&mut self.connection)).await?;
        Ok(())
    }

    async fn write(&mut self, changes: &Changes) -> anyhow::Result<()> {
        let parts = parts(changes);
        if let [all] = parts.as_slice() {
            return answered(append(&mut self.connection, all)).await.map(|_| ());
        }
        let writing = self.connection.transaction(async |connection| {
            for part in &parts {
                answered(append(connection, part)).await?;
            }
            Ok(())
        });
        timeout(LARGE_BATCH_MAX, writing).await.context("the database does not answer")?
    }

    /// Writes a batch: all of it or nothing.
    pub(super) async fn append(&mut self, changes: &Changes) -> Result<(), WriteError> {
        let written = self.write(changes).await;
        let Err(error) = written else { return Ok(()) };
        let cause = format!("{error:#}");
        // A server that refuses a statement goes on talking; one that broke off may have kept it.
        let was_refused = error.downcast_ref::<diesel::result::Error>().is_some();
        if was_refused && self.is_alive().await {
            return Err(WriteError::NothingWritten(cause));
        }
        Err(WriteError::Unknown(cause))
    }
}

/// Connections for questions; they never write.
#[derive(Clone)]
pub(super) struct Reader {
    pool: Pool<AsyncPgConnection>,
}

impl Reader {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| connect(url).boxed());
        let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
        Ok(Self { pool: Pool::builder(manager).max_size(READERS_MAX).build()? })
    }

    pub(super) async fn connection(&self) -> anyhow::Result<Object<AsyncPgConnection>> {
        Ok(timeout(READER_WAIT_MAX, self.pool.get()).await.context("all connections are busy")??)
    }

    pub(super) async fn orders(&self, ids: &[OrderId]) -> anyhow::Result<Vec<Record>> {
        let query = OrdersById { ids: ids.iter().map(|id| id.0).collect() };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection().await?)).await?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    /// What is set for an account; nothing for one that is not known.
    pub(super) async fn simulation(&self, account_id: AccountId) -> anyhow::Result<Option<Simulation>> {
        let query = SimulationOf { account: account_id.0 };
        let mut connection = self.connection().await?;
        let row: Option<Word> =
            answered(async { query.get_result(&mut connection).await.optional() }).await?;
        row.map(|word| rows::simulation(&word.text)).transpose()
    }

    pub(super) async fn journal(&self, query: JournalQuery) -> anyhow::Result<Vec<JournalLine>> {
        let query =
            Journal { after: query.after, account: query.account_id.map(|id| id.0), limit: query.limit };
        let rows: Vec<JournalRow> = answered(query.load(&mut self.connection().await?)).await?;
        rows.into_iter().map(JournalRow::read).collect()
    }
}

async fn connect(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let failed = |cause: String| ConnectionError::BadConnection(cause);
    let mut connection = timeout(CONNECT_TIME_MAX, AsyncPgConnection::establish(url))
        .await
        .map_err(|_| failed("the database does not answer".into()))??;
    // Quoted literals only: this text is a constant.
    let limits = format!(
        "SET statement_timeout = {}; SET lock_timeout = {0}; SET application_name = 'gaemi-broker-connector'; \
         SET timezone = 'UTC'; {LOOKUP_SETTINGS}",
        STATEMENT_TIME_MAX.as_millis()
    );
    timeout(CONNECT_TIME_MAX, connection.batch_execute(&limits))
        .await
        .map_err(|_| failed("the database does not answer".into()))?
        .map_err(|error| failed(anyhow!(error).to_string()))?;
    Ok(connection)
}
