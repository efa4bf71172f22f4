//! What an account has of shares.

use crate::db::corrupt;
use database::statement;
use diesel::sql_types::{Numeric, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct SharesRow {
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

/// Shares of one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shares {
    /// All of them; below zero when they are owed.
    pub total: Decimal,
    /// Reserved for open orders.
    pub held: Decimal,
}

statement! {
    SharesOf { account: SqlUuid = Uuid }
    "SELECT commodity AS symbol, total, held FROM account.balances
     WHERE account_id = ? AND total <> 0 AND commodity NOT IN ('KRW', 'USD') ORDER BY commodity"
}

/// Every symbol of which an account has shares, or owes some.
///
/// # Errors
/// The database's.
pub async fn shares_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<(Symbol, Shares)>> {
    let rows: Vec<SharesRow> = SharesOf { account: account.0 }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let symbol = row.symbol.parse().map_err(|_| corrupt("symbol"))?;
            Ok((symbol, Shares { total: row.total, held: row.held }))
        })
        .collect()
}

statement! {
    SharesIn { account: SqlUuid = Uuid, symbol: Text = String }
    "SELECT commodity AS symbol, total, held FROM account.balances WHERE account_id = ? AND commodity = ?"
}

/// The shares of one symbol; zeros where there never were any.
///
/// # Errors
/// The database's.
pub async fn shares_in(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<Shares> {
    let statement = SharesIn { account: account.0, symbol: symbol.to_string() };
    let row: Option<SharesRow> = statement.get_result(&mut connection).await.optional()?;
    Ok(row.map_or_else(Shares::default, |row| Shares { total: row.total, held: row.held }))
}
