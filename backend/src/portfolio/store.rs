//! The tables of `portfolio`.

mod history;
mod listing;
mod lots;
mod origins;

pub(super) use history::{insert_splits, movements_of, rewrite};
pub use listing::shares_before;
pub(super) use listing::{LotSaleLine, SaleLine, lots_of, lots_of_sales, sales_of};
pub(super) use lots::{insert_sales, oldest_lots, save_lots};
pub(super) use origins::{MovementLine, TakenLine, page_of_movements, taken_from};

use super::cost::PositionState;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One symbol in one account.
pub type PositionKey = (AccountId, Symbol);

#[derive(QueryableByName)]
struct PositionRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    cost: Decimal,
    #[diesel(sql_type = Numeric)]
    realised_pnl: Decimal,
    #[diesel(sql_type = Numeric)]
    commission: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = Numeric)]
    dividends: Decimal,
    #[diesel(sql_type = Numeric)]
    fifo_cost: Decimal,
    #[diesel(sql_type = Numeric)]
    fifo_realised_pnl: Decimal,
}

fn read(row: PositionRow) -> QueryResult<(PositionKey, PositionState)> {
    let symbol = row.symbol.parse().map_err(|_| crate::db::corrupt("symbol"))?;
    let state = PositionState {
        quantity: row.quantity.normalize(),
        cost: row.cost.normalize(),
        realised_pnl: row.realised_pnl.normalize(),
        commission: row.commission.normalize(),
        tax: row.tax.normalize(),
        dividends: row.dividends.normalize(),
        fifo_cost: row.fifo_cost.normalize(),
        fifo_realised_pnl: row.fifo_realised_pnl.normalize(),
    };
    Ok(((AccountId(row.account_id), symbol), state))
}

statement! {
    PositionsOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, symbol, quantity, cost, realised_pnl, commission, tax, dividends, fifo_cost, fifo_realised_pnl
     FROM portfolio.positions
     WHERE account_id = ANY (?) ORDER BY account_id, symbol"
}

/// All positions of accounts, also those that are closed.
pub(super) async fn positions_of(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<(PositionKey, PositionState)>> {
    let statement = PositionsOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<PositionRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(read).collect()
}

statement! {
    LockPositions { accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String> }
    "SELECT p.account_id, p.symbol, p.quantity, p.cost, p.realised_pnl, p.commission, p.tax, p.dividends, p.fifo_cost,
        p.fifo_realised_pnl
     FROM portfolio.positions AS p
     JOIN unnest(?, ?) AS wanted (account_id, symbol) ON wanted.account_id = p.account_id AND wanted.symbol = p.symbol
     ORDER BY p.account_id, p.symbol FOR UPDATE OF p"
}

/// Positions as they are now, locked to the end of the caller's transaction. Those never held are absent.
///
/// # Errors
/// The database's.
pub async fn lock_positions(
    mut connection: &AsyncPgConnection,
    keys: impl Iterator<Item = PositionKey>,
) -> QueryResult<BTreeMap<PositionKey, PositionState>> {
    let (accounts, symbols): (Vec<Uuid>, Vec<String>) =
        keys.map(|(account, symbol)| (account.0, symbol.to_string())).unzip();
    if accounts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<PositionRow> = LockPositions { accounts, symbols }.load(&mut connection).await?;
    rows.into_iter().map(read).collect()
}

statement! {
    SavePositions {
        at: Timestamptz = DateTime<Utc>, accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String>,
        currencies: Array<Text> = Vec<String>, quantities: Array<Numeric> = Vec<Decimal>,
        costs: Array<Numeric> = Vec<Decimal>, realised: Array<Numeric> = Vec<Decimal>,
        commissions: Array<Numeric> = Vec<Decimal>, taxes: Array<Numeric> = Vec<Decimal>,
        dividends: Array<Numeric> = Vec<Decimal>, fifo_costs: Array<Numeric> = Vec<Decimal>,
        fifo_realised: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO portfolio.positions
        (updated_at, account_id, symbol, currency, quantity, cost, realised_pnl, commission, tax, dividends, fifo_cost,
         fifo_realised_pnl)
     SELECT ?, new.* FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new
     ON CONFLICT (account_id, symbol) DO UPDATE SET
        quantity = excluded.quantity, cost = excluded.cost, realised_pnl = excluded.realised_pnl,
        commission = excluded.commission, tax = excluded.tax, dividends = excluded.dividends,
        fifo_cost = excluded.fifo_cost, fifo_realised_pnl = excluded.fifo_realised_pnl, updated_at = excluded.updated_at"
}

/// Writes positions that the caller has locked and moved.
pub(super) async fn save_positions(
    mut connection: &AsyncPgConnection,
    positions: impl Iterator<Item = (PositionKey, PositionState)>,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let mut statement = SavePositions { at, ..SavePositions::default() };
    for ((account, symbol), state) in positions {
        statement.accounts.push(account.0);
        statement.symbols.push(symbol.to_string());
        statement.currencies.push(symbol.currency().code().to_owned());
        statement.quantities.push(state.quantity);
        statement.costs.push(state.cost);
        statement.realised.push(state.realised_pnl);
        statement.commissions.push(state.commission);
        statement.taxes.push(state.tax);
        statement.dividends.push(state.dividends);
        statement.fifo_costs.push(state.fifo_cost);
        statement.fifo_realised.push(state.fifo_realised_pnl);
    }
    if statement.accounts.is_empty() {
        return Ok(());
    }
    statement.execute(&mut connection).await.map(|_| ())
}
