//! `account.unsettled`: what trades have promised, by the day on which it is kept.

use super::super::ledger::{Journal, Unsettled};
use super::currency;
use chrono::NaiveDate;
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Date, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

statement! {
    Promise {
        accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String>,
        settle_dates: Array<Date> = Vec<NaiveDate>, receivables: Array<Numeric> = Vec<Decimal>,
        payables: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO account.unsettled AS u (account_id, commodity, settle_date, receivable, payable)
     SELECT * FROM unnest(?, ?, ?, ?, ?)
     ON CONFLICT (account_id, commodity, settle_date) DO UPDATE SET
        receivable = u.receivable + excluded.receivable, payable = u.payable + excluded.payable"
}

/// Adds what journals promise to what their days have promised.
pub(super) async fn promise(mut connection: &AsyncPgConnection, journals: &[Journal]) -> QueryResult<()> {
    let mut sums = BTreeMap::<(AccountId, Currency, NaiveDate), (Decimal, Decimal)>::new();
    // A settlement has taken its day's promises already.
    for journal in journals.iter().filter(|journal| !journal.is_settlement()) {
        for (currency, receivable, payable) in journal.promises() {
            let sum = sums.entry((journal.account_id(), currency, journal.dates().1)).or_default();
            sum.0 += receivable;
            sum.1 += payable;
        }
    }
    if sums.is_empty() {
        return Ok(());
    }
    let mut statement = Promise::default();
    for ((account, currency, settle_date), (receivable, payable)) in sums {
        statement.accounts.push(account.0);
        statement.commodities.push(currency.code().to_owned());
        statement.settle_dates.push(settle_date);
        statement.receivables.push(receivable);
        statement.payables.push(payable);
    }
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct UnsettledRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Date)]
    settle_date: NaiveDate,
    #[diesel(sql_type = Numeric)]
    receivable: Decimal,
    #[diesel(sql_type = Numeric)]
    payable: Decimal,
}

impl TryFrom<UnsettledRow> for Unsettled {
    type Error = diesel::result::Error;

    fn try_from(row: UnsettledRow) -> QueryResult<Self> {
        Ok(Self {
            id: row.id,
            account_id: AccountId(row.account_id),
            currency: currency(&row.commodity)?,
            settle_date: row.settle_date,
            receivable: row.receivable,
            payable: row.payable,
        })
    }
}

statement! {
    UnsettledOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT id, account_id, commodity, settle_date, receivable, payable FROM account.unsettled
     WHERE account_id = ANY (?) ORDER BY account_id, commodity, settle_date"
}

/// What the trades of accounts have promised.
pub(in crate::account) async fn unsettled_of(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<Unsettled>> {
    let statement = UnsettledOf { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<UnsettledRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(Unsettled::try_from).collect()
}

#[derive(QueryableByName)]
struct PromisedRow {
    #[diesel(sql_type = Bool)]
    promised: bool,
}

statement! {
    IsPromised { account: SqlUuid = Uuid, commodity: Text = String, settle_date: Date = NaiveDate }
    "SELECT EXISTS (SELECT FROM account.unsettled
        WHERE account_id = ? AND commodity = ? AND settle_date = ?) AS promised"
}

/// Whether the promises of a day are still to be kept. The caller has locked the account.
pub(in crate::account) async fn is_promised(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    currency: Currency,
    settle_date: NaiveDate,
) -> QueryResult<bool> {
    let commodity = currency.code().to_owned();
    let statement = IsPromised { account: account.0, commodity, settle_date };
    let row: PromisedRow = statement.get_result(&mut connection).await?;
    Ok(row.promised)
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

statement! {
    AccountsDue { commodities: Array<Text> = Vec<String>, days: Array<Date> = Vec<NaiveDate>, limit: BigInt = i64 }
    "SELECT DISTINCT u.account_id FROM account.unsettled AS u
     JOIN unnest(?, ?) AS today (commodity, day) ON today.commodity = u.commodity AND u.settle_date <= today.day
     ORDER BY u.account_id LIMIT ?"
}

/// Some of the accounts whose promises have to be kept by these days.
pub(in crate::account) async fn accounts_due(
    mut connection: &AsyncPgConnection,
    today: &[(Currency, NaiveDate)],
    limit: i64,
) -> QueryResult<Vec<AccountId>> {
    let (commodities, days) = today.iter().map(|(currency, day)| (currency.code().to_owned(), day)).unzip();
    let rows: Vec<DueRow> = AccountsDue { commodities, days, limit }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| AccountId(row.account_id)).collect())
}

statement! {
    TakeDue {
        accounts: Array<SqlUuid> = Vec<Uuid>, commodities: Array<Text> = Vec<String>, days: Array<Date> = Vec<NaiveDate>,
    }
    "DELETE FROM account.unsettled AS u USING unnest(?) AS due (account_id), unnest(?, ?) AS today (commodity, day)
     WHERE u.account_id = due.account_id AND u.commodity = today.commodity AND u.settle_date <= today.day
     RETURNING u.id, u.account_id, u.commodity, u.settle_date, u.receivable, u.payable"
}

/// Takes away the promises that have to be kept by these days, for the caller to keep them in this transaction. The
/// accounts are locked.
pub(in crate::account) async fn take_due(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
    today: &[(Currency, NaiveDate)],
) -> QueryResult<Vec<Unsettled>> {
    let (commodities, days) = today.iter().map(|(currency, day)| (currency.code().to_owned(), day)).unzip();
    let accounts = accounts.iter().map(|id| id.0).collect();
    let rows: Vec<UnsettledRow> = TakeDue { accounts, commodities, days }.load(&mut connection).await?;
    rows.into_iter().map(Unsettled::try_from).collect()
}

statement! {
    TakeAll { account: SqlUuid = Uuid }
    "DELETE FROM account.unsettled WHERE account_id = ?
     RETURNING id, account_id, commodity, settle_date, receivable, payable"
}

/// Takes away every promise of an account, for the caller to keep them in this transaction. It is locked.
pub(super) async fn take_all(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<Vec<Unsettled>> {
    let rows: Vec<UnsettledRow> = TakeAll { account: account.0 }.load(&mut connection).await?;
    rows.into_iter().map(Unsettled::try_from).collect()
}
