//! What has to be known of an account that begins anew.

use super::super::ledger::{Commodity, LedgerAccount, Posting, Unsettled};
use super::unsettled::take_all;
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(QueryableByName)]
struct SumRow {
    #[diesel(sql_type = Text)]
    ledger_account: String,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

statement! {
    TrialBalance { account: SqlUuid = Uuid }
    "SELECT ledger_account, symbol, commodity, sum(amount) AS amount FROM account.postings WHERE account_id = ?
     GROUP BY ledger_account, symbol, commodity HAVING sum(amount) <> 0 ORDER BY symbol NULLS LAST, ledger_account, commodity"
}

/// The sum of every ledger account, by symbol and commodity, where it is not zero. The caller has locked the account.
///
/// # Errors
/// The database's.
pub async fn trial_balance(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<Posting>> {
    let rows: Vec<SumRow> = TrialBalance { account: account.0 }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Posting {
                ledger_account: LedgerAccount::from_name(&row.ledger_account)
                    .ok_or_else(|| corrupt("ledger account"))?,
                symbol: row.symbol.as_deref().map(str::parse).transpose().map_err(|_| corrupt("symbol"))?,
                commodity: Commodity::from_name(&row.commodity).ok_or_else(|| corrupt("commodity"))?,
                amount: row.amount.normalize(),
            })
        })
        .collect()
}

#[derive(QueryableByName)]
struct HeldRow {
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    BalancesOf { account: SqlUuid = Uuid }
    "SELECT commodity, held FROM account.balances WHERE account_id = ? ORDER BY commodity"
}

/// Every symbol an account has or had shares of, and whether anything in the account is held for an open order.
///
/// # Errors
/// The database's.
pub async fn balances_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<(Vec<Symbol>, bool)> {
    let rows: Vec<HeldRow> = BalancesOf { account: account.0 }.load(&mut connection).await?;
    let is_held = rows.iter().any(|row| !row.held.is_zero());
    let symbols = rows.iter().filter_map(|row| match Commodity::from_name(&row.commodity) {
        Some(Commodity::Shares(symbol)) => Some(symbol),
        Some(Commodity::Cash(_)) | None => None,
    });
    Ok((symbols.collect(), is_held))
}

/// Takes away everything that trades have promised, for the caller to keep it now. The account is locked.
///
/// # Errors
/// The database's.
pub async fn take_promises(
    connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<Unsettled>> {
    take_all(connection, account).await
}

#[derive(QueryableByName)]
struct ResetRow {
    #[diesel(sql_type = Bool)]
    reset: bool,
}

statement! {
    IsResetSince { account: SqlUuid = Uuid, journal: SqlUuid = Uuid }
    "SELECT EXISTS (SELECT FROM account.statement_lines AS s
        WHERE s.account_id = ? AND s.kind = 'reset' AND s.kind NOT IN ('fill', 'settlement') AND s.journal_id > ?) AS reset"
}

/// Whether an account has begun anew since a journal. Ids of journals grow with time.
pub(in crate::account) async fn is_reset_since(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    journal: Uuid,
) -> QueryResult<bool> {
    let row: ResetRow = IsResetSince { account: account.0, journal }.get_result(&mut connection).await?;
    Ok(row.reset)
}

#[derive(QueryableByName)]
struct BegunRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    begun_at: DateTime<Utc>,
}

statement! {
    /// Named as the index of movements beside trading names them, which are few.
    BegunAnewAt { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, max(created_at) AS begun_at FROM account.journals
     WHERE account_id = ANY (?) AND kind = 'reset'
       AND kind NOT IN ('fill', 'settlement', 'carry_over', 'recost', 'broker_difference')
     GROUP BY account_id"
}

/// When accounts began anew last; those that never did are absent.
///
/// # Errors
/// The database's.
pub async fn begun_anew_at(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<HashMap<AccountId, DateTime<Utc>>> {
    let accounts = accounts.iter().map(|account| account.0).collect();
    let rows: Vec<BegunRow> = BegunAnewAt { accounts }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| (AccountId(row.account_id), row.begun_at)).collect())
}
