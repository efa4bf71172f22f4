//! The tables of `account`.

mod journals;
mod reset;
mod shares;
mod statement;
mod traded;
mod unsettled;

pub use journals::{is_reversed, post};
pub(super) use journals::{journal_by_key, journal_of_execution, linked_journals};
pub(super) use reset::is_reset_since;
pub use reset::{balances_of, take_promises, trial_balance};
pub use shares::{Shares, shares_in, shares_of};
pub(super) use statement::page_of_statement;
pub use traded::traded;
pub(super) use unsettled::{accounts_due, is_promised, take_due, unsettled_of};

use super::ledger::Commodity;
use super::{Account, CashBalance, CostMethod};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency, Symbol, UserId, locks};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
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
        currency: Text = String, created_at: Timestamptz = DateTime<Utc>, accounts_max: BigInt = i64,
    }
    "WITH new AS (SELECT ?::uuid AS id, ?::uuid AS user_id, ? AS name, ? AS broker, ? AS currency, ?::timestamptz AS created_at),
     opened AS (
        INSERT INTO account.accounts (id, user_id, name, broker, currency, created_at)
        SELECT new.* FROM new
        WHERE (SELECT count(*) FROM account.accounts AS other WHERE other.user_id = new.user_id) < ?
        RETURNING id)
     INSERT INTO account.balances (account_id, commodity)
     SELECT opened.id, cash.currency FROM opened, (VALUES ('KRW'), ('USD')) AS cash (currency)"
}

/// Writes a new account with an empty cash balance in every currency, unless its owner has `accounts_max` already. Says whether.
pub(super) async fn insert_account(
    mut connection: &AsyncPgConnection,
    account: &Account,
    accounts_max: i64,
) -> QueryResult<bool> {
    TakeOpeningTurn { key: locks::ACCOUNT_OPENING }.execute(&mut connection).await?;
    let statement = InsertAccount {
        id: account.id.0,
        user_id: account.user_id.0,
        name: account.name.clone(),
        broker: account.broker.clone(),
        currency: account.currency.code().to_owned(),
        created_at: account.created_at,
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
pub(super) async fn cash_of(
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

/// Money that came from outside of an account's trading, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Funding {
    /// Brought in less taken out: deposits, transfers, exchanges, and the cost of shares that came in kind.
    pub net_deposits: Decimal,
    /// Paid for exchanging currencies.
    pub exchange_fees: Decimal,
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
}

statement! {
    FundingOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, commodity AS currency,
        -coalesce(sum(amount) FILTER (WHERE ledger_account <> 'exchange_fee'), 0) AS net_deposits,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'exchange_fee'), 0) AS exchange_fees
     FROM account.postings
     WHERE account_id = ANY (?) AND ledger_account IN
        ('deposits', 'transfers', 'exchange', 'exchange_fee', 'opening_equity', 'broker_difference')
     GROUP BY account_id, commodity"
}

/// What came from outside, per account and currency; where there was nothing it is absent.
pub(super) async fn funding(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<BTreeMap<(AccountId, Currency), Funding>> {
    let statement = FundingOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<FundingRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let funding = Funding { net_deposits: row.net_deposits, exchange_fees: row.exchange_fees };
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

/// A balance whose row the caller's transaction has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceRow {
    /// All of it.
    pub total: Decimal,
    /// Reserved for open orders.
    pub held: Decimal,
}

/// Accounts with the balances asked for, as they were when the caller's transaction locked them.
#[derive(Debug, Clone, Default)]
pub struct LockedBalances {
    accounts: BTreeMap<AccountId, (UserId, Currency)>,
    balances: BTreeMap<(AccountId, String), BalanceRow>,
}

impl LockedBalances {
    /// One account with cash, for tests without a database.
    #[cfg(test)]
    #[must_use]
    pub fn of_account(account: AccountId, owner: UserId, currency: Currency, cash: Decimal) -> Self {
        let mut balances = Self::default();
        let row = BalanceRow { total: cash, held: Decimal::ZERO };
        balances.insert(account, (owner, currency), currency.code().to_owned(), row);
        balances
    }

    /// The owner and the currency of an account; `None` when it does not exist.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<(UserId, Currency)> {
        self.accounts.get(&account).copied()
    }

    /// Total and held of a commodity; zeros where nothing was ever booked.
    #[must_use]
    pub fn balance(&self, account: AccountId, commodity: Commodity) -> BalanceRow {
        self.balances
            .get(&(account, commodity.name().to_owned()))
            .cloned()
            .unwrap_or(BalanceRow { total: Decimal::ZERO, held: Decimal::ZERO })
    }

    /// Every balance, in one order: whose, of what, how much.
    pub fn rows(&self) -> impl Iterator<Item = (AccountId, &str, &BalanceRow)> {
        self.balances.iter().map(|((account, commodity), row)| (*account, commodity.as_str(), row))
    }

    pub(super) fn insert(
        &mut self,
        account: AccountId,
        owner: (UserId, Currency),
        commodity: String,
        row: BalanceRow,
    ) {
        self.accounts.insert(account, owner);
        self.balances.insert((account, commodity), row);
    }

    /// Some of these balances; `None` when one of them is not among them.
    pub(super) fn only(&self, wanted: impl Iterator<Item = (AccountId, Commodity)>) -> Option<Self> {
        let mut only = Self::default();
        for (account, commodity) in wanted {
            let key = (account, commodity.name().to_owned());
            let row = self.balances.get(&key)?.clone();
            only.insert(account, self.account(account)?, key.1, row);
        }
        Some(only)
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.accounts.extend(other.accounts.iter());
        self.balances.extend(other.balances.iter().map(|(key, row)| (key.clone(), row.clone())));
    }

    pub(super) fn has(&self, change: &BalanceChange) -> bool {
        self.balances.contains_key(&(change.account_id, change.commodity.name().to_owned()))
    }

    pub(super) fn len(&self) -> usize {
        self.balances.len()
    }

    /// Keeps the picture true to what the transaction is about to write.
    pub fn change(&mut self, change: &BalanceChange) {
        let row = self
            .balances
            .entry((change.account_id, change.commodity.name().to_owned()))
            .or_insert(BalanceRow { total: Decimal::ZERO, held: Decimal::ZERO });
        row.total += change.total;
        row.held += change.held;
    }
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    LockBalances { accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String> }
    "SELECT b.account_id, a.user_id, a.currency, b.commodity, b.total, b.held
     FROM account.balances AS b JOIN account.accounts AS a ON a.id = b.account_id
     WHERE b.account_id = ANY (?) AND b.commodity = ANY (?)
     ORDER BY b.account_id, b.commodity FOR UPDATE OF b"
}

/// Locks the cash of accounts and, where they have any, the named symbols' shares, always in the same order, and
/// returns them as they are now. From here to the commit nobody else decides on these accounts.
///
/// # Errors
/// The database's.
pub async fn lock_balances(
    mut connection: &AsyncPgConnection,
    accounts: &BTreeSet<AccountId>,
    symbols: impl Iterator<Item = Symbol>,
) -> QueryResult<LockedBalances> {
    let cash = Currency::ALL.iter().map(|currency| currency.code().to_owned());
    let commodities: BTreeSet<String> = cash.chain(symbols.map(|symbol| symbol.to_string())).collect();
    let statement = LockBalances {
        accounts: accounts.iter().map(|id| id.0).collect(),
        commodities: commodities.into_iter().collect(),
    };
    let rows: Vec<LockedRow> = statement.load(&mut connection).await?;
    let mut locked = LockedBalances::default();
    for row in rows {
        let account = AccountId(row.account_id);
        let owner = (UserId(row.user_id), currency(&row.currency)?);
        locked.insert(account, owner, row.commodity, BalanceRow { total: row.total, held: row.held });
    }
    Ok(locked)
}

/// Part of a statement: locks the balances that are as they are believed to be (four arrays: accounts, commodities,
/// totals, what is held), in the order in which everybody locks them. `$name` has a row for each.
macro_rules! balances_as_believed {
    ($name:literal) => {
        concat!(
            $name,
            " AS MATERIALIZED (SELECT b.account_id FROM account.balances AS b
                JOIN unnest(?, ?, ?, ?) AS believed (account_id, commodity, total, held)
                    ON believed.account_id = b.account_id AND believed.commodity = b.commodity
                    AND believed.total = b.total AND believed.held = b.held
                ORDER BY b.account_id, b.commodity FOR UPDATE OF b)"
        )
    };
}
pub(crate) use balances_as_believed;

/// Part of a statement: adds to what is held of balances that the statement has locked (`$source` gives rows of account,
/// commodity and amount; each balance once), if `$condition`, which reads `$table`, holds.
macro_rules! hold_in_balances {
    ($name:literal, $table:literal, $condition:literal, $source:literal) => {
        concat!(
            $name,
            " AS (UPDATE account.balances AS b SET held = b.held + hold.amount
                FROM ",
            $table,
            ", ",
            $source,
            " AS hold (account_id, commodity, amount)
                WHERE b.account_id = hold.account_id AND b.commodity = hold.commodity AND ",
            $condition,
            ")"
        )
    };
}
pub(crate) use hold_in_balances;

/// By how much a balance changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceChange {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub commodity: Commodity,
    /// Change of the total.
    pub total: Decimal,
    /// Change of what is held.
    pub held: Decimal,
}

statement! {
    EnsureBalances { accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String> }
    "INSERT INTO account.balances (account_id, commodity)
     SELECT DISTINCT new.account_id, new.commodity FROM unnest(?, ?) AS new (account_id, commodity)
     WHERE NOT EXISTS (SELECT FROM account.balances AS b
                       WHERE b.account_id = new.account_id AND b.commodity = new.commodity)
     ON CONFLICT DO NOTHING"
}

statement! {
    ChangeBalances {
        accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String>,
        totals: Array<Numeric> = Vec<Decimal>, helds: Array<Numeric> = Vec<Decimal>,
    }
    "UPDATE account.balances AS b SET total = b.total + change.total, held = b.held + change.held
     FROM unnest(?, ?, ?, ?) AS change (account_id, commodity, total, held)
     WHERE b.account_id = change.account_id AND b.commodity = change.commodity"
}

/// Applies changes to balances whose accounts the caller has locked. Changes of one balance are added up first.
///
/// # Errors
/// The database's; a hold that would fall below zero is one.
pub async fn change_balances(
    mut connection: &AsyncPgConnection,
    changes: &[BalanceChange],
) -> QueryResult<()> {
    let mut sums = BTreeMap::<(AccountId, Commodity), (Decimal, Decimal)>::new();
    for change in changes {
        let sum = sums.entry((change.account_id, change.commodity)).or_default();
        sum.0 += change.total;
        sum.1 += change.held;
    }
    sums.retain(|_, (total, held)| !total.is_zero() || !held.is_zero());
    if sums.is_empty() {
        return Ok(());
    }
    let accounts: Vec<Uuid> = sums.keys().map(|(account, _)| account.0).collect();
    let commodities: Vec<String> = sums.keys().map(|(_, commodity)| commodity.name().to_owned()).collect();
    if sums.keys().any(|(_, commodity)| matches!(commodity, Commodity::Shares(_))) {
        let ensure = EnsureBalances { accounts: accounts.clone(), commodities: commodities.clone() };
        ensure.execute(&mut connection).await?;
    }
    let rows_expected = sums.len();
    let (totals, helds) = sums.into_values().unzip();
    let changed = ChangeBalances { accounts, commodities, totals, helds }.execute(&mut connection).await?;
    if changed != rows_expected {
        return Err(corrupt("balance (a row is missing)"));
    }
    Ok(())
}
