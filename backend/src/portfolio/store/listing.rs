//! Lots and sales, page by page.

use super::PositionKey;
use super::lots::{LotRow, read};
use crate::account::JournalKind;
use crate::db::corrupt;
use crate::portfolio::Lot;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    LotsOf {
        account: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, after: Nullable<SqlUuid> = Option<Uuid>,
        limit: BigInt = i64,
    }
    "WITH asked AS (SELECT ?::uuid AS account_id, ?::text AS symbol, ?::uuid AS after)
     SELECT l.account_id, l.symbol, l.id, l.acquired_on, l.opened_quantity, l.opened_cost, l.adjusted_quantity,
        l.quantity, l.cost
     FROM asked JOIN portfolio.lots AS l ON l.account_id = asked.account_id AND l.is_open
     WHERE (asked.symbol IS NULL OR l.symbol = asked.symbol)
        AND (asked.after IS NULL OR (l.symbol, l.acquired_on, l.id) >
            (SELECT last.symbol, last.acquired_on, last.id FROM portfolio.lots AS last WHERE last.id = asked.after))
     ORDER BY l.symbol, l.acquired_on, l.id LIMIT ?"
}

/// A page of an account's open lots, in the order in which they will be sold.
pub(in crate::portfolio) async fn lots_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Option<Symbol>,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<(PositionKey, Lot)>> {
    let symbol = symbol.map(|symbol| symbol.to_string());
    let rows: Vec<LotRow> = LotsOf { account: account.0, symbol, after, limit }.load(&mut connection).await?;
    rows.into_iter().map(read).collect()
}

#[derive(QueryableByName)]
struct SaleRow {
    #[diesel(sql_type = SqlUuid)]
    journal_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Date)]
    sold_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    proceeds: Decimal,
    #[diesel(sql_type = Numeric)]
    average_cost: Decimal,
    #[diesel(sql_type = Numeric)]
    fifo_cost: Decimal,
    #[diesel(sql_type = Timestamptz)]
    booked_at: DateTime<Utc>,
}

/// A sale as it is listed.
#[derive(Debug, Clone)]
pub(in crate::portfolio) struct SaleLine {
    pub(in crate::portfolio) journal_id: Uuid,
    pub(in crate::portfolio) kind: JournalKind,
    pub(in crate::portfolio) execution_id: Option<String>,
    pub(in crate::portfolio) symbol: Symbol,
    pub(in crate::portfolio) sold_on: NaiveDate,
    pub(in crate::portfolio) quantity: Decimal,
    pub(in crate::portfolio) proceeds: Decimal,
    pub(in crate::portfolio) average_cost: Decimal,
    pub(in crate::portfolio) fifo_cost: Decimal,
    pub(in crate::portfolio) booked_at: DateTime<Utc>,
}

statement! {
    SalesOf {
        account: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, before: Nullable<SqlUuid> = Option<Uuid>,
        limit: BigInt = i64,
    }
    "WITH asked AS (SELECT ?::uuid AS account_id, ?::text AS symbol, ?::uuid AS before)
     SELECT s.journal_id, j.kind, j.execution_id, s.symbol, s.sold_on, s.quantity, s.proceeds, s.average_cost,
        s.fifo_cost, j.created_at AS booked_at
     FROM asked JOIN portfolio.sales AS s ON s.account_id = asked.account_id
     JOIN account.journals AS j ON j.id = s.journal_id
     WHERE (asked.symbol IS NULL OR s.symbol = asked.symbol)
        AND (asked.before IS NULL OR s.journal_id < asked.before)
     ORDER BY s.journal_id DESC LIMIT ?"
}

/// A page of an account's sales, the last booked first.
pub(in crate::portfolio) async fn sales_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Option<Symbol>,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<SaleLine>> {
    let symbol = symbol.map(|symbol| symbol.to_string());
    let rows: Vec<SaleRow> =
        SalesOf { account: account.0, symbol, before, limit }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(SaleLine {
                journal_id: row.journal_id,
                kind: JournalKind::from_name(&row.kind).ok_or_else(|| corrupt("kind of journal"))?,
                execution_id: row.execution_id,
                symbol: row.symbol.parse().map_err(|_| corrupt("symbol"))?,
                sold_on: row.sold_on,
                quantity: row.quantity,
                proceeds: row.proceeds,
                average_cost: row.average_cost,
                fifo_cost: row.fifo_cost,
                booked_at: row.booked_at,
            })
        })
        .collect()
}

/// What a sale has taken from a lot, as it is listed.
#[derive(Debug, Clone, QueryableByName)]
pub(in crate::portfolio) struct LotSaleLine {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::portfolio) journal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::portfolio) lot_id: Uuid,
    #[diesel(sql_type = Date)]
    pub(in crate::portfolio) acquired_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) cost: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(in crate::portfolio) proceeds: Decimal,
}

statement! {
    LotsOfSales { journals: Array<SqlUuid> = Vec<Uuid> }
    "SELECT s.journal_id, s.lot_id, l.acquired_on, s.quantity, s.cost, s.proceeds
     FROM portfolio.lot_sales AS s JOIN portfolio.lots AS l ON l.id = s.lot_id
     WHERE s.journal_id = ANY (?) ORDER BY s.journal_id, l.acquired_on, l.id"
}

/// The lots that sales have taken from.
pub(in crate::portfolio) async fn lots_of_sales(
    mut connection: &AsyncPgConnection,
    sales: &[SaleLine],
) -> QueryResult<Vec<LotSaleLine>> {
    LotsOfSales { journals: sales.iter().map(|sale| sale.journal_id).collect() }.load(&mut connection).await
}

#[derive(QueryableByName)]
struct SharesRow {
    #[diesel(sql_type = Numeric)]
    shares: Decimal,
}

statement! {
    SharesBefore { account: SqlUuid = Uuid, symbol: Text = String, day: Date = NaiveDate }
    "SELECT coalesce(sum(p.amount), 0) AS shares FROM account.postings AS p
     JOIN account.journals AS j ON j.id = p.journal_id
     WHERE p.account_id = ? AND p.symbol = ? AND p.ledger_account = 'shares' AND j.trade_date < ?"
}

/// Shares that an account held by its trades of the days before a day.
///
/// # Errors
/// The database's.
pub async fn shares_before(
    mut connection: &AsyncPgConnection,
    (account, symbol): PositionKey,
    day: NaiveDate,
) -> QueryResult<Decimal> {
    let statement = SharesBefore { account: account.0, symbol: symbol.to_string(), day };
    let row: SharesRow = statement.get_result(&mut connection).await?;
    Ok(row.shares)
}
