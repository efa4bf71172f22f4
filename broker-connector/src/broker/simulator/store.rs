//! The simulator's rows. One batch is one statement, and so one transaction, one round trip and one notification.

use super::config::{
    CONNECT_TIME_MAX, DATABASE_ANSWER_MAX, READER_WAIT_MAX, READERS_MAX, STATEMENT_TIME_MAX,
};
use super::record::{Changes, Record, Report};
use super::rows::{AccountRow, CashRow, Flag, JournalRow, Number, OrderRow, PositionRow};
use crate::broker::{JournalLine, JournalQuery, Position, TradeCash};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use database::{LOOKUP_SETTINGS, statement};
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::broker::ReportKind;
use domain::{AccountId, Currency, OrderId, OrderType, Side, TimeInForce, locks};
use futures_util::FutureExt;
use rust_decimal::Decimal;
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
    Accounts {} "SELECT account_id, currency FROM broker.accounts WHERE broker = 'simulator'"
}
statement! {
    WorkingOrders {} "SELECT * FROM broker.simulator_orders WHERE status IN ('NEW', 'PARTIALLY_FILLED') ORDER BY sequence"
}
statement! {
    WorkingOrdersOf { account: SqlUuid = Uuid } "SELECT * FROM broker.simulator_orders
        WHERE status IN ('NEW', 'PARTIALLY_FILLED') AND account_id = ? ORDER BY sequence"
}
statement! {
    OrdersById { ids: Array<SqlUuid> = Vec<Uuid> } "SELECT * FROM broker.simulator_orders WHERE order_id = ANY(?)"
}
statement! {
    SequenceLast {} "SELECT coalesce(max(sequence), 0) AS number FROM broker.simulator_orders"
}
statement! {
    Connect { account: SqlUuid = Uuid, currency: Text = String } "INSERT INTO broker.accounts (account_id, broker, currency)
        VALUES (?, 'simulator', ?) ON CONFLICT (account_id) DO NOTHING"
}
statement! {
    Positions { account: SqlUuid = Uuid } "SELECT symbol, sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END) AS quantity
        FROM broker.execution_reports WHERE kind = 'fill' AND broker = 'simulator' AND account_id = ?
        GROUP BY symbol HAVING sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END) <> 0 ORDER BY symbol"
}
statement! {
    Cash { account: SqlUuid = Uuid } "SELECT symbol, sum(CASE side WHEN 'buy' THEN -quantity * price ELSE quantity * price END
            - commission - tax) AS amount
        FROM broker.execution_reports WHERE kind = 'fill' AND broker = 'simulator' AND account_id = ? GROUP BY symbol"
}
statement! {
    Journal { after: BigInt = i64, account: Nullable<SqlUuid> = Option<Uuid>, limit: BigInt = i64 }
    "SELECT * FROM broker.execution_reports WHERE id > ? AND broker = 'simulator' AND account_id = coalesce(?, account_id)
        ORDER BY id LIMIT ?"
}
statement! {
    /// Writes a batch. The guard is read before any row of the journal gets its id, so ids become visible in
    /// increasing order whoever else appends.
    Append {
        guard: BigInt = i64,
        order_id: Array<SqlUuid> = Vec<Uuid>,
        sequence: Array<BigInt> = Vec<i64>,
        account_id: Array<SqlUuid> = Vec<Uuid>,
        symbol: Array<Text> = Vec<String>,
        side: Array<Text> = Vec<&'static str>,
        order_type: Array<Text> = Vec<&'static str>,
        time_in_force: Array<Text> = Vec<&'static str>,
        quantity: Array<Numeric> = Vec<Decimal>,
        limit_price: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        protection_price: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        submitted_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        accepted_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        expires_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        status: Array<Text> = Vec<&'static str>,
        filled_quantity: Array<Numeric> = Vec<Decimal>,
        commission: Array<Numeric> = Vec<Decimal>,
        tax: Array<Numeric> = Vec<Decimal>,
        reason: Array<Nullable<Text>> = Vec<Option<String>>,
        message: Array<Nullable<Text>> = Vec<Option<String>>,
        updated_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        changed_id: Array<SqlUuid> = Vec<Uuid>,
        changed_status: Array<Text> = Vec<&'static str>,
        changed_filled_quantity: Array<Numeric> = Vec<Decimal>,
        changed_commission: Array<Numeric> = Vec<Decimal>,
        changed_tax: Array<Numeric> = Vec<Decimal>,
        changed_reason: Array<Nullable<Text>> = Vec<Option<String>>,
        changed_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        report_account_id: Array<SqlUuid> = Vec<Uuid>,
        report_order_id: Array<SqlUuid> = Vec<Uuid>,
        report_id: Array<Text> = Vec<String>,
        report_kind: Array<Text> = Vec<&'static str>,
        report_symbol: Array<Text> = Vec<String>,
        report_side: Array<Text> = Vec<&'static str>,
        report_execution_id: Array<Nullable<Text>> = Vec<Option<String>>,
        report_quantity: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        report_price: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        report_commission: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        report_tax: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        report_reason: Array<Nullable<Text>> = Vec<Option<String>>,
        report_occurred_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    "WITH guard AS MATERIALIZED (SELECT pg_advisory_xact_lock(?)),
    new_orders AS (
        INSERT INTO broker.simulator_orders (order_id, sequence, account_id, symbol, side, order_type, time_in_force,
            quantity, limit_price, protection_price, submitted_at, accepted_at, expires_at, status, filled_quantity,
            commission, tax, reason, message, updated_at)
        SELECT new.* FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new
    ), changed_orders AS (
        UPDATE broker.simulator_orders SET status = changed.status, filled_quantity = changed.filled_quantity,
            commission = changed.commission, tax = changed.tax, reason = changed.reason, updated_at = changed.updated_at
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?)
            AS changed (order_id, status, filled_quantity, commission, tax, reason, updated_at)
        WHERE simulator_orders.order_id = changed.order_id
    ), reports AS (
        INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind, symbol,
            side, execution_id, quantity, price, commission, tax, reason, occurred_at)
        SELECT 'simulator', account_id, order_id, 'SIM-' || order_id, report_id, kind, symbol, side, execution_id,
            quantity, price, commission, tax, reason, occurred_at
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY
            AS report (account_id, order_id, report_id, kind, symbol, side, execution_id, quantity, price, commission,
                tax, reason, occurred_at, place)
        ORDER BY place
        RETURNING id
    )
    SELECT count(*) AS number, pg_notify('execution_reports', max(id)::text) FROM reports"
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

async fn answered<T>(query: impl Future<Output = QueryResult<T>>) -> anyhow::Result<T> {
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

    pub(super) async fn accounts(&mut self) -> anyhow::Result<HashMap<AccountId, Currency>> {
        let rows: Vec<AccountRow> = answered(Accounts {}.load(&mut self.connection)).await?;
        rows.into_iter().map(AccountRow::read).collect()
    }

    pub(super) async fn working_orders(&mut self) -> anyhow::Result<Vec<Record>> {
        let rows: Vec<OrderRow> = answered(WorkingOrders {}.load(&mut self.connection)).await?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    pub(super) async fn sequence_last(&mut self) -> anyhow::Result<i64> {
        Ok(answered(SequenceLast {}.get_result::<Number>(&mut self.connection)).await?.number)
    }

    /// The orders of these ids, whatever became of them.
    pub(super) async fn orders(&mut self, ids: &[OrderId]) -> anyhow::Result<Vec<Record>> {
        let query = OrdersById { ids: ids.iter().map(|id| id.0).collect() };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection)).await?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    /// Writes an account unless it is there.
    pub(super) async fn connect(&mut self, account_id: AccountId, currency: Currency) -> anyhow::Result<()> {
        let query = Connect { account: account_id.0, currency: currency.code().to_owned() };
        answered(query.execute(&mut self.connection)).await?;
        Ok(())
    }

    /// Writes a batch: all of it or nothing.
    pub(super) async fn append(&mut self, changes: &Changes) -> Result<(), WriteError> {
        let written = answered(append(changes).get_result::<Number>(&mut self.connection)).await;
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

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

const fn order_type_name(order_type: OrderType) -> &'static str {
    match order_type {
        OrderType::Market => "market",
        OrderType::Limit => "limit",
    }
}

const fn time_in_force_name(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Day => "day",
        TimeInForce::Gtc => "gtc",
    }
}

fn append(changes: &Changes) -> Append {
    let mut rows = Append { guard: locks::JOURNAL_APPEND, ..Append::default() };
    for record in &changes.new {
        rows.push_new(record);
    }
    for record in &changes.changed {
        rows.push_changed(record);
    }
    for report in &changes.reports {
        rows.push_report(report);
    }
    rows
}

impl Append {
    fn push_new(&mut self, record: &Record) {
        let request = &record.request;
        self.order_id.push(request.order_id.0);
        self.sequence.push(record.sequence);
        self.account_id.push(request.account_id.0);
        self.symbol.push(request.symbol.to_string());
        self.side.push(side_name(request.side));
        self.order_type.push(order_type_name(request.order_type));
        self.time_in_force.push(time_in_force_name(request.time_in_force));
        self.quantity.push(request.quantity.value());
        self.limit_price.push(request.limit_price.map(|price| price.value()));
        self.protection_price.push(request.protection_price.map(|price| price.value()));
        self.submitted_at.push(request.submitted_at);
        self.accepted_at.push(record.accepted_at);
        self.expires_at.push(record.expires_at);
        self.status.push(record.status.name());
        self.filled_quantity.push(record.filled_quantity);
        self.commission.push(record.commission);
        self.tax.push(record.tax);
        self.reason.push(record.reason.clone());
        self.message.push(record.message.clone());
        self.updated_at.push(record.updated_at);
    }

    fn push_changed(&mut self, record: &Record) {
        self.changed_id.push(record.request.order_id.0);
        self.changed_status.push(record.status.name());
        self.changed_filled_quantity.push(record.filled_quantity);
        self.changed_commission.push(record.commission);
        self.changed_tax.push(record.tax);
        self.changed_reason.push(record.reason.clone());
        self.changed_at.push(record.updated_at);
    }

    fn push_report(&mut self, report: &Report) {
        self.report_account_id.push(report.order.account_id.0);
        self.report_order_id.push(report.order.order_id.0);
        self.report_id.push(report.report_id.clone());
        self.report_symbol.push(report.order.symbol.to_string());
        self.report_side.push(side_name(report.order.side));
        self.report_occurred_at.push(report.occurred_at);
        let (kind, reason) = match &report.kind {
            ReportKind::Accepted => ("accepted", None),
            ReportKind::Rejected { reason } => ("rejected", Some(reason.clone())),
            ReportKind::Fill { .. } => ("fill", None),
            ReportKind::Canceled { reason } => ("canceled", reason.clone()),
            ReportKind::Expired => ("expired", None),
        };
        self.report_kind.push(kind);
        self.report_reason.push(reason);
        let ReportKind::Fill { execution_id, quantity, price, commission, tax } = &report.kind else {
            self.report_execution_id.push(None);
            self.report_quantity.push(None);
            self.report_price.push(None);
            self.report_commission.push(None);
            self.report_tax.push(None);
            return;
        };
        self.report_execution_id.push(Some(execution_id.clone()));
        self.report_quantity.push(Some(quantity.value()));
        self.report_price.push(Some(price.value()));
        self.report_commission.push(Some(*commission));
        self.report_tax.push(Some(*tax));
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

    async fn connection(&self) -> anyhow::Result<Object<AsyncPgConnection>> {
        Ok(timeout(READER_WAIT_MAX, self.pool.get()).await.context("all connections are busy")??)
    }

    pub(super) async fn order(&self, id: OrderId) -> anyhow::Result<Option<Record>> {
        let query = OrdersById { ids: vec![id.0] };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection().await?)).await?;
        rows.into_iter().next().map(OrderRow::read).transpose()
    }

    pub(super) async fn working_orders_of(&self, account_id: AccountId) -> anyhow::Result<Vec<Record>> {
        let query = WorkingOrdersOf { account: account_id.0 };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection().await?)).await?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    pub(super) async fn positions(&self, account_id: AccountId) -> anyhow::Result<Vec<Position>> {
        let query = Positions { account: account_id.0 };
        let rows: Vec<PositionRow> = answered(query.load(&mut self.connection().await?)).await?;
        rows.into_iter().map(PositionRow::read).collect()
    }

    pub(super) async fn trade_cash(&self, account_id: AccountId) -> anyhow::Result<Vec<TradeCash>> {
        let query = Cash { account: account_id.0 };
        let rows: Vec<CashRow> = answered(query.load(&mut self.connection().await?)).await?;
        CashRow::total(rows)
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
