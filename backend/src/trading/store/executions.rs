//! `trading.executions`.

use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId};
use rust_decimal::Decimal;
use std::collections::HashSet;
use uuid::Uuid;

/// An execution as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(in crate::trading) struct ExecutionRow {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::trading) account_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(in crate::trading) execution_id: String,
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::trading) order_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::trading) journal_id: Uuid,
    #[diesel(sql_type = Numeric)]
    pub(in crate::trading) quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::trading) price: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::trading) commission: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::trading) tax: Decimal,
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::trading) occurred_at: DateTime<Utc>,
    /// The journal that took it back.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(in crate::trading) reversed_by: Option<Uuid>,
    /// The trading day of its price, where that was known.
    #[diesel(sql_type = Nullable<Date>)]
    pub(in crate::trading) session_date: Option<NaiveDate>,
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    execution_id: String,
}

statement! {
    KnownExecutions { accounts: Array<SqlUuid> = Vec<Uuid>, executions: Array<Text> = Vec<String> }
    "SELECT e.account_id, e.execution_id FROM trading.executions AS e
     JOIN unnest(?, ?) AS asked (account_id, execution_id)
        ON asked.account_id = e.account_id AND asked.execution_id = e.execution_id"
}

/// Of these executions, those that were applied before.
pub(in crate::trading) async fn known_executions(
    mut connection: &AsyncPgConnection,
    asked: Vec<(AccountId, String)>,
) -> QueryResult<HashSet<(AccountId, String)>> {
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let (accounts, executions) = asked.into_iter().map(|(account, execution)| (account.0, execution)).unzip();
    let rows: Vec<KnownRow> = KnownExecutions { accounts, executions }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| (AccountId(row.account_id), row.execution_id)).collect())
}

statement! {
    InsertExecutions {
        accounts: Array<SqlUuid> = Vec<Uuid>, executions: Array<Text> = Vec<String>,
        orders: Array<SqlUuid> = Vec<Uuid>, journals: Array<SqlUuid> = Vec<Uuid>,
        quantities: Array<Numeric> = Vec<Decimal>, prices: Array<Numeric> = Vec<Decimal>,
        commissions: Array<Numeric> = Vec<Decimal>, taxes: Array<Numeric> = Vec<Decimal>,
        occurred: Array<Timestamptz> = Vec<DateTime<Utc>>,
        sessions: Array<Nullable<Date>> = Vec<Option<NaiveDate>>,
    }
    "INSERT INTO trading.executions
        (account_id, execution_id, order_id, journal_id, quantity, price, commission, tax, occurred_at, session_date)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

/// Writes executions, each of them new.
pub(in crate::trading) async fn insert_executions(
    mut connection: &AsyncPgConnection,
    rows: &[ExecutionRow],
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = InsertExecutions {
        accounts: rows.iter().map(|row| row.account_id).collect(),
        executions: rows.iter().map(|row| row.execution_id.clone()).collect(),
        orders: rows.iter().map(|row| row.order_id).collect(),
        journals: rows.iter().map(|row| row.journal_id).collect(),
        quantities: rows.iter().map(|row| row.quantity).collect(),
        prices: rows.iter().map(|row| row.price).collect(),
        commissions: rows.iter().map(|row| row.commission).collect(),
        taxes: rows.iter().map(|row| row.tax).collect(),
        occurred: rows.iter().map(|row| row.occurred_at).collect(),
        sessions: rows.iter().map(|row| row.session_date).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    ExecutionsOf { order: SqlUuid = Uuid }
    "SELECT account_id, execution_id, order_id, journal_id, quantity, price, commission, tax, occurred_at, reversed_by,
        session_date
     FROM trading.executions WHERE order_id = ? ORDER BY occurred_at, execution_id"
}

/// An order's executions, oldest first.
pub(in crate::trading) async fn executions_of(
    mut connection: &AsyncPgConnection,
    order: OrderId,
) -> QueryResult<Vec<ExecutionRow>> {
    ExecutionsOf { order: order.0 }.load(&mut connection).await
}

statement! {
    LockExecution { account: SqlUuid = Uuid, execution: Text = String }
    "SELECT account_id, execution_id, order_id, journal_id, quantity, price, commission, tax, occurred_at, reversed_by,
        session_date
     FROM trading.executions WHERE account_id = ? AND execution_id = ? FOR UPDATE"
}

/// An execution, locked to the end of the caller's transaction.
pub(in crate::trading) async fn lock_execution(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    execution: &str,
) -> QueryResult<Option<ExecutionRow>> {
    let query = LockExecution { account: account.0, execution: execution.to_owned() };
    query.get_result(&mut connection).await.optional()
}

statement! {
    MarkReversed { journal: SqlUuid = Uuid, account: SqlUuid = Uuid, execution: Text = String }
    "UPDATE trading.executions SET reversed_by = ? WHERE account_id = ? AND execution_id = ?"
}

/// Writes that an execution was taken back, and by which journal.
pub(in crate::trading) async fn mark_reversed(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    execution: &str,
    journal: Uuid,
) -> QueryResult<()> {
    let statement = MarkReversed { journal, account: account.0, execution: execution.to_owned() };
    statement.execute(&mut connection).await.map(|_| ())
}
