//! Accounts that may buy on credit and sell short.

use super::super::MarginSwitches;
use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    SetSwitches {
        margin: Bool = bool, short_selling: Bool = bool, today: Date = NaiveDate, id: SqlUuid = Uuid, user_id: SqlUuid = Uuid,
    }
    "UPDATE account.accounts SET margin = new.margin, short_selling = new.short_selling,
        margin_charged_through = CASE WHEN accounts.margin THEN margin_charged_through ELSE new.today END,
        margin_called_at = CASE WHEN new.margin THEN margin_called_at END
     FROM (SELECT ? AS margin, ? AS short_selling, ?::date AS today) AS new WHERE id = ? AND user_id = ?"
}

/// Sets what an account may do; says whether there is such an account. What it costs counts from `today` on.
pub(in crate::account) async fn set_switches(
    mut connection: &AsyncPgConnection,
    user: UserId,
    account: AccountId,
    switches: MarginSwitches,
    today: NaiveDate,
) -> QueryResult<bool> {
    let MarginSwitches { margin, short_selling } = switches;
    let statement = SetSwitches { margin, short_selling, today, id: account.0, user_id: user.0 };
    Ok(statement.execute(&mut connection).await? == 1)
}

/// Shares of one symbol in one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharesHeld {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub symbol: Symbol,
    /// All of them; below zero when they are sold short.
    pub total: Decimal,
    /// Reserved for open orders.
    pub held: Decimal,
}

impl SharesHeld {
    /// Whether more are sold, or ordered to be, than there are.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.total < self.held
    }
}

#[derive(QueryableByName)]
struct SharesHeldRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
}

statement! {
    SharesHeldBy { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, commodity AS symbol, total, held FROM account.balances
     WHERE account_id = ANY (?) AND commodity NOT IN ('KRW', 'USD') AND (total <> 0 OR held <> 0)
     ORDER BY account_id, commodity"
}

/// Every symbol of which accounts have shares, owe some, or have ordered to sell some. Not locked: whoever changes them
/// has locked the account's cash.
///
/// # Errors
/// The database's.
pub async fn shares_held(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<SharesHeld>> {
    let statement = SharesHeldBy { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<SharesHeldRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(SharesHeld {
                account_id: AccountId(row.account_id),
                symbol: row.symbol.parse().map_err(|_| corrupt("symbol"))?,
                total: row.total.normalize(),
                held: row.held.normalize(),
            })
        })
        .collect()
}

statement! {
    EnsureShares { accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String> }
    "INSERT INTO account.balances (account_id, commodity) SELECT DISTINCT * FROM unnest(?, ?) ON CONFLICT DO NOTHING"
}

/// Makes room for shares that an account has never had. Its cash is locked.
///
/// # Errors
/// The database's.
pub async fn ensure_shares(
    mut connection: &AsyncPgConnection,
    pairs: impl Iterator<Item = (AccountId, Symbol)>,
) -> QueryResult<()> {
    let (accounts, commodities) = pairs.map(|(account, symbol)| (account.0, symbol.to_string())).unzip();
    EnsureShares { accounts, commodities }.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct SwitchesRow {
    #[diesel(sql_type = Bool)]
    margin: bool,
    #[diesel(sql_type = Bool)]
    short_selling: bool,
}

statement! {
    SwitchesOf { account: SqlUuid = Uuid }
    "SELECT margin, short_selling FROM account.accounts WHERE id = ?"
}

/// What an account may do.
///
/// # Errors
/// The database's.
pub async fn switches_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<MarginSwitches> {
    let row: SwitchesRow = SwitchesOf { account: account.0 }.get_result(&mut connection).await?;
    Ok(MarginSwitches { margin: row.margin, short_selling: row.short_selling })
}

/// Where an account that may buy on credit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginStanding {
    /// Which.
    pub account_id: AccountId,
    /// Whose.
    pub user_id: UserId,
    /// What it may do.
    pub switches: MarginSwitches,
    /// The last day for which interest and fees were looked at.
    pub charged_through: Option<NaiveDate>,
    /// Since when its equity is below what must stay its own.
    pub called_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Bool)]
    margin: bool,
    #[diesel(sql_type = Bool)]
    short_selling: bool,
    #[diesel(sql_type = Nullable<Date>)]
    margin_charged_through: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    margin_called_at: Option<DateTime<Utc>>,
}

impl From<StandingRow> for MarginStanding {
    fn from(row: StandingRow) -> Self {
        Self {
            account_id: AccountId(row.id),
            user_id: UserId(row.user_id),
            switches: MarginSwitches { margin: row.margin, short_selling: row.short_selling },
            charged_through: row.margin_charged_through,
            called_at: row.margin_called_at,
        }
    }
}

statement! {
    StandingsAfter { after: Nullable<SqlUuid> = Option<Uuid>, limit: BigInt = i64 }
    "SELECT id, user_id, margin, short_selling, margin_charged_through, margin_called_at
     FROM account.accounts JOIN (SELECT ?::uuid AS id) AS after (last) ON last IS NULL OR id > last
     WHERE margin ORDER BY id LIMIT ?"
}

/// Everybody's accounts that may buy on credit, after one of them, by id.
///
/// # Errors
/// The database's.
pub async fn margin_accounts(
    mut connection: &AsyncPgConnection,
    after: Option<AccountId>,
    limit: i64,
) -> QueryResult<Vec<MarginStanding>> {
    let statement = StandingsAfter { after: after.map(|account| account.0), limit };
    let rows: Vec<StandingRow> = statement.load(&mut connection).await?;
    Ok(rows.into_iter().map(MarginStanding::from).collect())
}

statement! {
    StandingsOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT id, user_id, margin, short_selling, margin_charged_through, margin_called_at
     FROM account.accounts WHERE id = ANY (?) AND margin"
}

/// Where some accounts stand; those that may not buy on credit are absent.
///
/// # Errors
/// The database's.
pub async fn margin_standings(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<MarginStanding>> {
    let statement = StandingsOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<StandingRow> = statement.load(&mut connection).await?;
    Ok(rows.into_iter().map(MarginStanding::from).collect())
}

statement! {
    SaveStanding {
        charged_through: Nullable<Date> = Option<NaiveDate>, called_at: Nullable<Timestamptz> = Option<DateTime<Utc>>,
        id: SqlUuid = Uuid,
    }
    "UPDATE account.accounts SET margin_charged_through = ?, margin_called_at = ? WHERE id = ? AND margin"
}

/// Writes how far an account was charged and since when it is called. Its cash is locked.
///
/// # Errors
/// The database's.
pub async fn save_margin_standing(
    mut connection: &AsyncPgConnection,
    standing: &MarginStanding,
) -> QueryResult<()> {
    let MarginStanding { charged_through, called_at, account_id, .. } = *standing;
    SaveStanding { charged_through, called_at, id: account_id.0 }.execute(&mut connection).await.map(|_| ())
}
