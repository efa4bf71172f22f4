//! Where the cost of a position and of a lot comes from, page by page.

use super::PositionKey;
use crate::account::JournalKind;
use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct MovementRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Date)]
    trade_date: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    worth: Decimal,
    #[diesel(sql_type = Numeric)]
    cost_change: Decimal,
}

/// A movement of a position as it is listed.
#[derive(Debug, Clone)]
pub(in crate::portfolio) struct MovementLine {
    pub(in crate::portfolio) journal_id: Uuid,
    pub(in crate::portfolio) kind: JournalKind,
    pub(in crate::portfolio) execution_id: Option<String>,
    pub(in crate::portfolio) trade_date: NaiveDate,
    pub(in crate::portfolio) booked_at: DateTime<Utc>,
    pub(in crate::portfolio) quantity: Decimal,
    pub(in crate::portfolio) worth: Decimal,
    pub(in crate::portfolio) cost_change: Decimal,
}

statement! {
    /// What a reversal changes about the cost of later movements stands in a journal of its own, which is found by its key; it
    /// is told with the reversal, unless it moves shares as well and so has a line.
    PageOfMovements {
        account: SqlUuid = Uuid, symbol: Text = String, before: SqlUuid = Uuid, limit: BigInt = i64,
    }
    "WITH of AS (SELECT ?::uuid AS account_id, ?::text AS symbol, ?::uuid AS before)
     SELECT j.id, j.kind, j.execution_id, j.trade_date, j.created_at, m.quantity, abs(m.worth) AS worth,
        m.cost + coalesce(r.cost, 0) AS cost_change
     FROM of
     CROSS JOIN LATERAL (SELECT DISTINCT p.journal_id FROM account.postings AS p
        WHERE p.account_id = of.account_id AND p.symbol = of.symbol AND p.ledger_account = 'shares'
            AND p.journal_id < of.before
        ORDER BY p.journal_id DESC LIMIT ?) AS moved
     JOIN account.journals AS j ON j.id = moved.journal_id
     CROSS JOIN LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE ledger_account = 'shares'), 0) AS quantity,
            coalesce(sum(amount) FILTER (WHERE ledger_account = 'position_cost'), 0) AS cost,
            coalesce(sum(amount) FILTER (WHERE ledger_account IN ('position_cost', 'realised_pnl')), 0) AS worth
        FROM account.postings AS p WHERE p.journal_id = j.id AND p.symbol = of.symbol) AS m
     LEFT JOIN LATERAL (SELECT sum(p.amount) AS cost
        FROM account.journals AS again
        JOIN account.postings AS p ON p.journal_id = again.id AND p.symbol = of.symbol
            AND p.ledger_account = 'position_cost'
        WHERE j.kind = 'reversal' AND again.account_id = j.account_id
            AND again.idempotency_key = concat('recost:', j.id)
            AND NOT EXISTS (SELECT FROM account.postings AS s
                WHERE s.journal_id = again.id AND s.ledger_account = 'shares')) AS r ON true
     ORDER BY j.id DESC"
}

/// What has moved a position, the last booked first; what was taken back is there with what took it back.
pub(in crate::portfolio) async fn page_of_movements(
    mut connection: &AsyncPgConnection,
    (account, symbol): PositionKey,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<MovementLine>> {
    let before = before.unwrap_or(Uuid::max());
    let statement = PageOfMovements { account: account.0, symbol: symbol.to_string(), before, limit };
    let rows: Vec<MovementRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(MovementLine {
                journal_id: row.id,
                kind: JournalKind::from_name(&row.kind).ok_or_else(|| corrupt("kind of journal"))?,
                execution_id: row.execution_id,
                trade_date: row.trade_date,
                booked_at: row.created_at,
                quantity: row.quantity,
                worth: row.worth,
                cost_change: row.cost_change,
            })
        })
        .collect()
}

/// What a sale has taken from one lot.
#[derive(Debug, Clone, QueryableByName)]
pub(in crate::portfolio) struct TakenLine {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::portfolio) journal_id: Uuid,
    #[diesel(sql_type = Date)]
    pub(in crate::portfolio) sold_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) cost: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) proceeds: Decimal,
}

statement! {
    TakenFrom { account: SqlUuid = Uuid, lot: SqlUuid = Uuid, before: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT t.journal_id, s.sold_on, t.quantity, t.cost, t.proceeds
     FROM portfolio.lots AS l
     JOIN portfolio.lot_sales AS t ON t.lot_id = l.id
     JOIN portfolio.sales AS s ON s.journal_id = t.journal_id
     WHERE l.account_id = ? AND l.id = ? AND t.journal_id < ? ORDER BY t.journal_id DESC LIMIT ?"
}

/// What sales have taken from a lot of an account, the last booked first.
pub(in crate::portfolio) async fn taken_from(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    lot: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<TakenLine>> {
    let before = before.unwrap_or(Uuid::max());
    TakenFrom { account: account.0, lot, before, limit }.load(&mut connection).await
}
