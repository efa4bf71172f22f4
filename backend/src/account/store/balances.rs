//! `account.balances`: locked, believed, changed.

use super::super::ledger::Commodity;
use super::super::{CashBalance, MarginSwitches};
use super::currency;
use crate::db::corrupt;
use database::statement;
use diesel::sql_types::{Array, Bool, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

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
    /// Only those that may do anything beyond their own.
    switches: BTreeMap<AccountId, MarginSwitches>,
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

    /// The cash of an account in a currency.
    #[must_use]
    pub fn cash(&self, account_id: AccountId, currency: Currency) -> CashBalance {
        let BalanceRow { total, held } = self.balance(account_id, Commodity::Cash(currency));
        CashBalance { account_id, currency, total, held }
    }

    /// Every balance, in one order: whose, of what, how much.
    pub fn rows(&self) -> impl Iterator<Item = (AccountId, &str, &BalanceRow)> {
        self.balances.iter().map(|((account, commodity), row)| (*account, commodity.as_str(), row))
    }

    /// What an account may do beyond its own money and shares.
    #[must_use]
    pub fn switches(&self, account: AccountId) -> MarginSwitches {
        self.switches.get(&account).copied().unwrap_or_default()
    }

    /// Accounts that may buy on credit.
    pub fn with_margin(&self) -> impl Iterator<Item = AccountId> {
        self.switches.iter().filter(|(_, switches)| switches.margin).map(|(account, _)| *account)
    }

    /// Accounts that may sell short.
    pub fn with_short_selling(&self) -> impl Iterator<Item = AccountId> {
        self.switches.iter().filter(|(_, switches)| switches.short_selling).map(|(account, _)| *account)
    }

    /// Takes note of a balance that is there now and empty, if it was not there before.
    pub fn make_room(&mut self, account: AccountId, symbol: Symbol) {
        let empty = BalanceRow { total: Decimal::ZERO, held: Decimal::ZERO };
        self.balances.entry((account, symbol.to_string())).or_insert(empty);
    }

    /// Forgets everything about an account.
    pub(in crate::account) fn forget(&mut self, account: AccountId) {
        self.accounts.remove(&account);
        self.switches.remove(&account);
        self.balances.retain(|(owner, _), _| *owner != account);
    }

    fn switch(&mut self, account: AccountId, switches: MarginSwitches) {
        if switches == MarginSwitches::default() {
            self.switches.remove(&account);
        } else {
            self.switches.insert(account, switches);
        }
    }

    /// Cash that no open order has reserved. Where it may be owed, what is owed is nobody's to spend, but no debt of the
    /// next order either.
    #[must_use]
    pub fn cash_free(&self, account: AccountId, currency: Currency) -> Decimal {
        let cash = self.balance(account, Commodity::Cash(currency));
        let free = cash.total - cash.held;
        if self.switches(account).margin { free.max(Decimal::ZERO) } else { free }
    }

    pub(in crate::account) fn insert(
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
    pub(in crate::account) fn only(
        &self,
        wanted: impl Iterator<Item = (AccountId, Commodity)>,
    ) -> Option<Self> {
        let mut only = Self::default();
        for (account, commodity) in wanted {
            let key = (account, commodity.name().to_owned());
            let row = self.balances.get(&key)?.clone();
            only.insert(account, self.account(account)?, key.1, row);
            only.switch(account, self.switches(account));
        }
        Some(only)
    }

    pub(in crate::account) fn extend(&mut self, other: &Self) {
        self.accounts.extend(other.accounts.iter());
        for account in other.accounts.keys() {
            self.switch(*account, other.switches(*account));
        }
        self.balances.extend(other.balances.iter().map(|(key, row)| (key.clone(), row.clone())));
    }

    pub(in crate::account) fn has(&self, change: &BalanceChange) -> bool {
        self.balances.contains_key(&(change.account_id, change.commodity.name().to_owned()))
    }

    pub(in crate::account) fn len(&self) -> usize {
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
    #[diesel(sql_type = Bool)]
    margin: bool,
    #[diesel(sql_type = Bool)]
    short_selling: bool,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    LockBalances { accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String> }
    "SELECT b.account_id, a.user_id, a.currency, a.margin, a.short_selling, b.commodity, b.total, b.held
     FROM account.balances AS b JOIN account.accounts AS a ON a.id = b.account_id
     WHERE b.account_id = ANY (?) AND b.commodity = ANY (?)
     ORDER BY b.account_id, b.commodity FOR UPDATE OF b"
}

statement! {
    ReadBalances { accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String> }
    "SELECT b.account_id, a.user_id, a.currency, a.margin, a.short_selling, b.commodity, b.total, b.held
     FROM account.balances AS b JOIN account.accounts AS a ON a.id = b.account_id
     WHERE b.account_id = ANY (?) AND b.commodity = ANY (?)"
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
    let (accounts, commodities) = names(accounts, symbols);
    read(LockBalances { accounts, commodities }.load(&mut connection).await?)
}

/// The same without locking them: what is only believed, until a statement checks it.
///
/// # Errors
/// The database's.
pub async fn read_balances(
    mut connection: &AsyncPgConnection,
    accounts: &BTreeSet<AccountId>,
    symbols: impl Iterator<Item = Symbol>,
) -> QueryResult<LockedBalances> {
    let (accounts, commodities) = names(accounts, symbols);
    read(ReadBalances { accounts, commodities }.load(&mut connection).await?)
}

fn names(accounts: &BTreeSet<AccountId>, symbols: impl Iterator<Item = Symbol>) -> (Vec<Uuid>, Vec<String>) {
    let cash = Currency::ALL.iter().map(|currency| currency.code().to_owned());
    let commodities: BTreeSet<String> = cash.chain(symbols.map(|symbol| symbol.to_string())).collect();
    (accounts.iter().map(|id| id.0).collect(), commodities.into_iter().collect())
}

fn read(rows: Vec<LockedRow>) -> QueryResult<LockedBalances> {
    let mut locked = LockedBalances::default();
    for row in rows {
        let account = AccountId(row.account_id);
        let owner = (UserId(row.user_id), currency(&row.currency)?);
        locked.insert(account, owner, row.commodity, BalanceRow { total: row.total, held: row.held });
        locked.switch(account, MarginSwitches { margin: row.margin, short_selling: row.short_selling });
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
