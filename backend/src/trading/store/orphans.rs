//! `trading.orphan_reports`: lines of the journal that speak of what is not known here.

use super::journal::{JournalLine, JournalRow};
use database::statement;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId};
use uuid::Uuid;

statement! {
    InsertOrphans {
        reports: Array<BigInt> = Vec<i64>, accounts: Array<SqlUuid> = Vec<Uuid>, orders: Array<SqlUuid> = Vec<Uuid>,
    }
    "INSERT INTO trading.orphan_reports (report_id, account_id, order_id) SELECT * FROM unnest(?, ?, ?)
     ON CONFLICT DO NOTHING"
}

/// Remembers lines whose order, or whose execution, is not known here.
pub(in crate::trading) async fn insert_orphans(
    mut connection: &AsyncPgConnection,
    orphans: &[(i64, AccountId, OrderId)],
) -> QueryResult<()> {
    if orphans.is_empty() {
        return Ok(());
    }
    let statement = InsertOrphans {
        reports: orphans.iter().map(|(report, ..)| *report).collect(),
        accounts: orphans.iter().map(|(_, account, _)| account.0).collect(),
        orders: orphans.iter().map(|(.., order)| order.0).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct OrderIdRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

statement! {
    OrdersOfOrphans { account: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT DISTINCT order_id FROM trading.orphan_reports WHERE account_id = ? LIMIT ?"
}

/// The orders that an account's orphaned lines speak of.
pub(in crate::trading) async fn orders_of_orphans(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<OrderId>> {
    let rows: Vec<OrderIdRow> = OrdersOfOrphans { account: account.0, limit }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| OrderId(row.order_id)).collect())
}

statement! {
    TakeOrphans { account: SqlUuid = Uuid, order: SqlUuid = Uuid }
    "WITH taken AS (DELETE FROM trading.orphan_reports WHERE account_id = ? AND order_id = ? RETURNING report_id)
     SELECT r.id, r.account_id, r.order_id, r.kind, r.execution_id, r.undone_execution_id, r.quantity, r.price,
        r.commission, r.tax, r.reason, r.occurred_at, r.replace_id, r.limit_price, r.stop_price, r.trail_amount,
        r.trail_percent
     FROM taken JOIN broker.execution_reports AS r ON r.id = taken.report_id ORDER BY r.id"
}

/// Takes an order's orphaned lines to apply them in the caller's transaction, oldest first.
pub(in crate::trading) async fn take_orphans(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    order: OrderId,
) -> QueryResult<Vec<JournalLine>> {
    let rows: Vec<JournalRow> =
        TakeOrphans { account: account.0, order: order.0 }.load(&mut connection).await?;
    Ok(rows.into_iter().map(JournalLine::from).collect())
}
