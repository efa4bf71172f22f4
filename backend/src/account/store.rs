//! The tables of `account`.

mod balances;
mod journals;
mod margin;
mod reset;
mod shares;
mod statement;
mod traded;
mod unsettled;

pub use balances::{
    BalanceChange, BalanceRow, LockedBalances, change_balances, lock_balances, read_balances,
};
pub(crate) use balances::{balances_as_believed, hold_in_balances};
pub use journals::{is_reversed, post};
pub(super) use journals::{journal_by_key, journal_of_execution, linked_journals};
pub(super) use margin::set_switches;
pub use margin::{
    MarginStanding, SharesHeld, ensure_shares, margin_accounts, margin_standings, save_margin_standing,
    shares_held, switches_of,
};
pub(super) use reset::is_reset_since;
pub use reset::{balances_of, begun_anew_at, take_promises, trial_balance};
pub use shares::{Shares, shares_in, shares_of};
pub(super) use statement::page_of_statement;
pub use traded::traded;
pub(super) use unsettled::{accounts_due, is_promised, take_due, unsettled_of};

use super::{Account, CashBalance, CostMethod, MarginSwitches};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency, Symbol, UserId, locks};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    broker: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    cost_method: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

fn currency(code: &str) -> QueryResult<Currency> {
    code.parse().map_err(|_| corrupt("currency"))
}

impl TryFrom<AccountRow> for Account {
    type Error = diesel::result::Error;

    fn try_from(row: AccountRow) -> QueryResult<Self> {
        Ok(Self {
            id: AccountId(row.id),
            user_id: UserId(row.user_id),
            name: row.name,
            broker: row.broker,
            currency: currency(&row.currency)?,
            status: row.status,
            cost_method: CostMethod::from_name(&row.cost_method).ok_or_else(|| corrupt("cost method"))?,
            created_at: row.created_at,
        })
    }
}

statement! {
    /// A statement of its own: the count that follows must see what the lock's last holder has committed.
    TakeOpeningTurn { key: BigInt = i64 }
    "SELECT pg_advisory_xact_lock(?)"
}

statement! {
    InsertAccount {
        id: SqlUuid = Uuid, user_id: SqlUuid = Uuid, name: Text = String, broker: Text = String,
        currency: Text = String, created_at: Timestamptz = DateTime<Utc>, key: Nullable<Text> = Option<String>,
        margin: Bool = bool, short_selling: Bool = bool, accounts_max: BigInt = i64,
    }
    "WITH new AS (SELECT ?::uuid AS id, ?::uuid AS user_id, ? AS name, ? AS broker, ? AS currency, ?::timestamptz AS created_at,
        ? AS opening_key, ? AS opening_margin, ? AS opening_short_selling),
     opened AS (
        INSERT INTO account.accounts
            (id, user_id, name, broker, currency, created_at, opening_key, opening_margin, opening_short_selling)
        SELECT new.* FROM new
        WHERE (SELECT count(*) FROM account.accounts AS other WHERE other.user_id = new.user_id) < ?
        RETURNING id)
     INSERT INTO account.balances (account_id, commodity)
     SELECT opened.id, cash.currency FROM opened, (VALUES ('KRW'), ('USD')) AS cash (currency)"
}

statement! {
    AccountByKey { user_id: SqlUuid = Uuid, key: Text = String }
    "SELECT id, user_id, name, broker, currency, status, cost_method, created_at, opening_margin, opening_short_selling
     FROM account.accounts WHERE user_id = ? AND opening_key = ?"
}

#[derive(QueryableByName)]
struct OpenedRow {
    #[diesel(embed)]
    account: AccountRow,
    #[diesel(sql_type = Bool)]
    opening_margin: bool,
    #[diesel(sql_type = Bool)]
    opening_short_selling: bool,
}

/// The account that a user has opened under a key, and what it was opened with. Until the transaction ends nobody else
/// opens one.
pub(super) async fn account_by_key(
    mut connection: &AsyncPgConnection,
    user: UserId,
    key: Option<&str>,
) -> QueryResult<Option<(Account, MarginSwitches)>> {
    TakeOpeningTurn { key: locks::ACCOUNT_OPENING }.execute(&mut connection).await?;
    let Some(key) = key else { return Ok(None) };
    let statement = AccountByKey { user_id: user.0, key: key.to_owned() };
    let row: Option<OpenedRow> = statement.get_result(&mut connection).await.optional()?;
    let opened = |row: OpenedRow| {
        let switches =
            MarginSwitches { margin: row.opening_margin, short_selling: row.opening_short_selling };
        Account::try_from(row.account).map(|account| (account, switches))
    };
    row.map(opened).transpose()
}

/// Writes a new account with an empty cash balance in every currency, unless its owner has `accounts_max` already. Says
/// whether. The caller has the turn to open, from [`account_by_key`].
pub(super) async fn insert_account(
    mut connection: &AsyncPgConnection,
    (account, switches): (&Account, MarginSwitches),
    key: Option<&str>,
    accounts_max: i64,
) -> QueryResult<bool> {
    let statement = InsertAccount {
        id: account.id.0,
        user_id: account.user_id.0,
        name: account.name.clone(),
        broker: account.broker.clone(),
        currency: account.currency.code().to_owned(),
        created_at: account.created_at,
        key: key.map(str::to_owned),
        margin: switches.margin,
        short_selling: switches.short_selling,
        accounts_max,
    };
    Ok(statement.execute(&mut connection).await? > 0)
}

statement! {
    AccountsOf { user_id: SqlUuid = Uuid }
    "SELECT id, user_id, name, broker, currency, status, cost_method, created_at FROM account.accounts WHERE user_id = ? ORDER BY id"
}

/// A user's accounts, oldest first.
pub(super) async fn accounts_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
) -> QueryResult<Vec<Account>> {
    let rows: Vec<AccountRow> = AccountsOf { user_id: user.0 }.load(&mut connection).await?;
    rows.into_iter().map(Account::try_from).collect()
}

statement! {
    PageOfAccounts { after: Nullable<SqlUuid> = Option<Uuid>, limit: BigInt = i64 }
    "SELECT a.id, a.user_id, a.name, a.broker, a.currency, a.status, a.cost_method, a.created_at
     FROM account.accounts AS a JOIN (SELECT ?::uuid AS id) AS after ON after.id IS NULL OR a.id > after.id
     ORDER BY a.id LIMIT ?"
}

/// Everybody's accounts after one of them, by id.
pub(super) async fn page_of_accounts(
    mut connection: &AsyncPgConnection,
    after: Option<AccountId>,
    limit: i64,
) -> QueryResult<Vec<Account>> {
    let statement = PageOfAccounts { after: after.map(|account| account.0), limit };
    let rows: Vec<AccountRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(Account::try_from).collect()
}

statement! {
    AccountById { id: SqlUuid = Uuid, user_id: SqlUuid = Uuid }
    "SELECT id, user_id, name, broker, currency, status, cost_method, created_at FROM account.accounts WHERE id = ? AND user_id = ?"
}

/// An account, if it is this user's.
pub(super) async fn account_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    account: AccountId,
) -> QueryResult<Option<Account>> {
    let row: Option<AccountRow> =
        AccountById { id: account.0, user_id: user.0 }.get_result(&mut connection).await.optional()?;
    row.map(Account::try_from).transpose()
}

#[derive(QueryableByName)]
struct CashRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    CashOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT b.account_id, b.commodity AS currency, b.total, b.held
     FROM account.balances AS b JOIN account.accounts AS a ON a.id = b.account_id
     WHERE b.account_id = ANY (?) AND b.commodity IN ('KRW', 'USD')
     ORDER BY b.account_id, b.commodity <> a.currency, b.commodity"
}

/// The cash of accounts, each in every currency, that of the account first.
///
/// # Errors
/// The database's.
pub async fn cash_of(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<CashBalance>> {
    let statement = CashOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<CashRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(CashBalance {
                account_id: AccountId(row.account_id),
                currency: currency(&row.currency)?,
                total: row.total,
                held: row.held,
            })
        })
        .collect()
}

/// Money that came and went beside an account's trading, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Funding {
    /// Brought in less taken out: deposits, transfers, exchanges, and the cost of shares that came in kind.
    pub net_deposits: Decimal,
    /// Paid for exchanging currencies.
    pub exchange_fees: Decimal,
    /// Received for money that lies there less paid for money and shares that were borrowed.
    pub interest: Decimal,
}

#[derive(QueryableByName)]
struct FundingRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    net_deposits: Decimal,
    #[diesel(sql_type = Numeric)]
    exchange_fees: Decimal,
    #[diesel(sql_type = Numeric)]
    interest: Decimal,
}

statement! {
    FundingOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, commodity AS currency,
        -coalesce(sum(amount) FILTER (WHERE ledger_account NOT IN ('exchange_fee', 'interest')), 0) AS net_deposits,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'exchange_fee'), 0) AS exchange_fees,
        -coalesce(sum(amount) FILTER (WHERE ledger_account = 'interest'), 0) AS interest
     FROM account.postings
     WHERE account_id = ANY (?) AND ledger_account IN
        ('deposits', 'transfers', 'exchange', 'exchange_fee', 'opening_equity', 'broker_difference', 'interest')
     GROUP BY account_id, commodity"
}

/// What came from outside of trading, per account and currency; where there was nothing it is absent.
///
/// # Errors
/// The database's.
pub async fn funding(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<BTreeMap<(AccountId, Currency), Funding>> {
    let statement = FundingOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<FundingRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let funding = Funding {
                net_deposits: row.net_deposits,
                exchange_fees: row.exchange_fees,
                interest: row.interest,
            };
            Ok(((AccountId(row.account_id), currency(&row.currency)?), funding))
        })
        .collect()
}

statement! {
    SetCostMethod { method: Text = String, id: SqlUuid = Uuid, user_id: SqlUuid = Uuid }
    "UPDATE account.accounts SET cost_method = ? WHERE id = ? AND user_id = ?"
}

/// Chooses how profit is told; says whether there is such an account.
pub(super) async fn set_cost_method(
    mut connection: &AsyncPgConnection,
    user: UserId,
    account: AccountId,
    method: CostMethod,
) -> QueryResult<bool> {
    let statement = SetCostMethod { method: method.name().to_owned(), id: account.0, user_id: user.0 };
    Ok(statement.execute(&mut connection).await? == 1)
}

#[derive(QueryableByName)]
struct HeldSharesRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    HeldShares { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, commodity, held FROM account.balances
     WHERE account_id = ANY (?) AND commodity NOT IN ('KRW', 'USD') AND held > 0"
}

/// Shares that open orders have reserved; those without any are absent.
pub(super) async fn held_shares(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<BTreeMap<(AccountId, Symbol), Decimal>> {
    let statement = HeldShares { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<HeldSharesRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let symbol = row.commodity.parse().map_err(|_| corrupt("symbol"))?;
            Ok(((AccountId(row.account_id), symbol), row.held))
        })
        .collect()
}

#[derive(QueryableByName)]
struct FreeRow {
    #[diesel(sql_type = Numeric)]
    free: Decimal,
}

statement! {
    FreeShares { account: SqlUuid = Uuid, symbol: Text = String }
    "SELECT coalesce(sum(total - held), 0) AS free FROM account.balances WHERE account_id = ? AND commodity = ?"
}

/// Shares of a symbol that no open order has reserved.
pub(super) async fn free_shares(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<Decimal> {
    let row: FreeRow =
        FreeShares { account: account.0, symbol: symbol.to_string() }.get_result(&mut connection).await?;
    Ok(row.free)
}
