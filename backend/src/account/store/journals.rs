//! `account.journals` and `account.postings`.

use super::super::ledger::{Commodity, Journal, JournalKind, LedgerAccount, Posting, StoredJournal};
use super::{BalanceChange, change_balances, unsettled};
use crate::db::{answers_in_order, corrupt};
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, Bool, Date, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    InsertJournals {
        ids: Array<SqlUuid> = Vec<Uuid>, accounts: Array<SqlUuid> = Vec<Uuid>, keys: Array<Text> = Vec<String>,
        kinds: Array<Text> = Vec<String>, executions: Array<Nullable<Text>> = Vec<Option<String>>,
        trade_dates: Array<Date> = Vec<NaiveDate>, settle_dates: Array<Date> = Vec<NaiveDate>,
        reverses: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>, links: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        created: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    "INSERT INTO account.journals
        (id, account_id, idempotency_key, kind, execution_id, trade_date, settle_date, reverses, link_id, created_at)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    InsertPostings {
        journals: Array<SqlUuid> = Vec<Uuid>, lines: Array<SmallInt> = Vec<i16>,
        accounts: Array<SqlUuid> = Vec<Uuid>, ledger_accounts: Array<Text> = Vec<String>,
        symbols: Array<Nullable<Text>> = Vec<Option<String>>, commodities: Array<Text> = Vec<String>,
        amounts: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO account.postings (journal_id, line, account_id, ledger_account, symbol, commodity, amount)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)"
}

/// Writes journals with their postings, what they promise, and the balances they change. The caller has locked the
/// accounts. The statements leave in this order without waiting for each other's answers (decision 78).
///
/// # Errors
/// The database's; a second journal with one idempotency key is one.
pub async fn post(connection: &AsyncPgConnection, journals: &[Journal]) -> QueryResult<()> {
    if journals.is_empty() {
        return Ok(());
    }
    let (mut heads, mut postings) = (connection, connection);
    let changes = changes_of(journals);
    answers_in_order!(
        a = heads_of(journals).execute(&mut heads),
        b = postings_of(journals).execute(&mut postings),
        c = unsettled::promise(connection, journals),
        d = change_balances(connection, &changes),
    );
    Ok(())
}

fn heads_of(journals: &[Journal]) -> InsertJournals {
    InsertJournals {
        ids: journals.iter().map(Journal::id).collect(),
        accounts: journals.iter().map(|journal| journal.account_id().0).collect(),
        keys: journals.iter().map(|journal| journal.idempotency_key().to_owned()).collect(),
        kinds: journals.iter().map(|journal| journal.kind().name().to_owned()).collect(),
        executions: journals.iter().map(|journal| journal.execution_id().map(str::to_owned)).collect(),
        trade_dates: journals.iter().map(|journal| journal.dates().0).collect(),
        settle_dates: journals.iter().map(|journal| journal.dates().1).collect(),
        reverses: journals.iter().map(Journal::reverses).collect(),
        links: journals.iter().map(Journal::link_id).collect(),
        created: journals.iter().map(Journal::created_at).collect(),
    }
}

fn changes_of(journals: &[Journal]) -> Vec<BalanceChange> {
    let changes = journals.iter().flat_map(|journal| {
        let account_id = journal.account_id();
        let change =
            move |(commodity, total)| BalanceChange { account_id, commodity, total, held: Decimal::ZERO };
        journal.balance_changes().map(change)
    });
    changes.collect()
}

fn postings_of(journals: &[Journal]) -> InsertPostings {
    let mut rows = InsertPostings {
        journals: Vec::new(),
        lines: Vec::new(),
        accounts: Vec::new(),
        ledger_accounts: Vec::new(),
        symbols: Vec::new(),
        commodities: Vec::new(),
        amounts: Vec::new(),
    };
    for journal in journals {
        for (line, posting) in (1i16..).zip(journal.postings()) {
            rows.journals.push(journal.id());
            rows.lines.push(line);
            rows.accounts.push(journal.account_id().0);
            rows.ledger_accounts.push(posting.ledger_account.name().to_owned());
            rows.symbols.push(posting.symbol.map(|symbol| symbol.to_string()));
            rows.commodities.push(posting.commodity.name().to_owned());
            rows.amounts.push(posting.amount);
        }
    }
    rows
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Date)]
    trade_date: NaiveDate,
    #[diesel(sql_type = Date)]
    settle_date: NaiveDate,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    link_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    ledger_account: String,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

impl LineRow {
    fn posting(&self) -> QueryResult<Posting> {
        Ok(Posting {
            ledger_account: LedgerAccount::from_name(&self.ledger_account)
                .ok_or_else(|| corrupt("ledger account"))?,
            symbol: self.symbol.as_deref().map(str::parse).transpose().map_err(|_| corrupt("symbol"))?,
            commodity: Commodity::from_name(&self.commodity).ok_or_else(|| corrupt("commodity"))?,
            amount: self.amount.normalize(),
        })
    }
}

/// Rows of lines in the order of their journals.
fn read(rows: Vec<LineRow>) -> QueryResult<Vec<StoredJournal>> {
    let mut journals = Vec::<StoredJournal>::new();
    for row in rows {
        let posting = row.posting()?;
        match journals.last_mut().filter(|journal| journal.id == row.id) {
            Some(journal) => journal.postings.push(posting),
            None => journals.push(StoredJournal {
                id: row.id,
                account_id: AccountId(row.account_id),
                kind: JournalKind::from_name(&row.kind).ok_or_else(|| corrupt("kind of journal"))?,
                execution_id: row.execution_id,
                trade_date: row.trade_date,
                settle_date: row.settle_date,
                link_id: row.link_id,
                postings: vec![posting],
            }),
        }
    }
    Ok(journals)
}

statement! {
    JournalByKey { account: SqlUuid = Uuid, key: Text = String }
    "SELECT j.id, j.account_id, j.kind, j.execution_id, j.trade_date, j.settle_date, j.link_id,
        p.ledger_account, p.symbol, p.commodity, p.amount
     FROM account.journals AS j JOIN account.postings AS p ON p.journal_id = j.id
     WHERE j.account_id = ? AND j.idempotency_key = ? ORDER BY p.line"
}

/// The journal that exists under an idempotency key.
pub(in crate::account) async fn journal_by_key(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<StoredJournal>> {
    let statement = JournalByKey { account: account.0, key: key.to_owned() };
    Ok(read(statement.load(&mut connection).await?)?.pop())
}

statement! {
    JournalOfExecution { account: SqlUuid = Uuid, execution: Text = String }
    "SELECT j.id, j.account_id, j.kind, j.execution_id, j.trade_date, j.settle_date, j.link_id,
        p.ledger_account, p.symbol, p.commodity, p.amount
     FROM account.journals AS j JOIN account.postings AS p ON p.journal_id = j.id
     WHERE j.account_id = ? AND j.execution_id = ? ORDER BY p.line"
}

/// The journal that books an execution.
pub(in crate::account) async fn journal_of_execution(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    execution_id: &str,
) -> QueryResult<Option<StoredJournal>> {
    let statement = JournalOfExecution { account: account.0, execution: execution_id.to_owned() };
    Ok(read(statement.load(&mut connection).await?)?.pop())
}

statement! {
    LinkedJournals { link: SqlUuid = Uuid }
    "SELECT j.id, j.account_id, j.kind, j.execution_id, j.trade_date, j.settle_date, j.link_id,
        p.ledger_account, p.symbol, p.commodity, p.amount
     FROM account.journals AS j JOIN account.postings AS p ON p.journal_id = j.id
     WHERE j.link_id = ? ORDER BY j.id, p.line"
}

/// Journals that were made together, the first made first.
pub(in crate::account) async fn linked_journals(
    mut connection: &AsyncPgConnection,
    link: Uuid,
) -> QueryResult<Vec<StoredJournal>> {
    read(LinkedJournals { link }.load(&mut connection).await?)
}

#[derive(QueryableByName)]
struct ReversedRow {
    #[diesel(sql_type = Bool)]
    reversed: bool,
}

statement! {
    IsReversed { journal: SqlUuid = Uuid }
    "SELECT EXISTS (SELECT FROM account.journals WHERE reverses = ?) AS reversed"
}

/// Whether a journal was taken back.
///
/// # Errors
/// The database's.
pub async fn is_reversed(mut connection: &AsyncPgConnection, journal: Uuid) -> QueryResult<bool> {
    let row: ReversedRow = IsReversed { journal }.get_result(&mut connection).await?;
    Ok(row.reversed)
}
