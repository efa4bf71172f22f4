//! `trading.reconciliations` and what they found.

use super::super::reconcile::{Difference, Outcome, Reason, Run, RunDifference, RunDocument};
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId};
use std::collections::HashMap;
use uuid::Uuid;

statement! {
    InsertRun {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, reason: Text = String, outcome: Text = String,
        failure: Nullable<Text> = Option<String>, detail: Nullable<Text> = Option<String>,
        orders_asked: BigInt = i64, reports_added: BigInt = i64, started: Timestamptz = DateTime<Utc>,
        ended: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO trading.reconciliations
        (id, account_id, reason, outcome, failure, detail, orders_asked, reports_added, started_at, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Among all runs of an account, the newest is looked at alone.
    ForgetQuietRun { account: SqlUuid = Uuid, detail: Nullable<Text> = Option<String>, outcome: Text = String }
    "DELETE FROM trading.reconciliations AS r
     USING (SELECT id FROM trading.reconciliations WHERE account_id = ? ORDER BY id DESC LIMIT 1) AS newest
     WHERE r.id = newest.id AND r.reason = 'timer' AND r.outcome <> 'differed'
       AND r.detail IS NOT DISTINCT FROM ? AND r.outcome = ?"
}

statement! {
    InsertDifferences {
        run: SqlUuid = Uuid, lines: Array<Integer> = Vec<i32>, kinds: Array<Text> = Vec<String>,
        orders: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>, commodities: Array<Nullable<Text>> = Vec<Option<String>>,
        ours: Array<Text> = Vec<String>, theirs: Array<Text> = Vec<String>, actions: Array<Text> = Vec<String>,
    }
    "INSERT INTO trading.reconciliation_differences
        (reconciliation_id, line, kind, order_id, commodity, ours, theirs, action)
     SELECT ?, new.* FROM unnest(?, ?, ?, ?, ?, ?, ?) AS new"
}

/// Writes a run. Of runs in a row that a timer made and that came to the same, none of them a difference, the last is
/// kept.
pub(in crate::trading) async fn insert_run(mut connection: &AsyncPgConnection, run: &Run) -> QueryResult<()> {
    if run.reason == Reason::Timer && run.outcome != Outcome::Differed {
        let statement = ForgetQuietRun {
            account: run.account_id.0,
            detail: run.detail.clone(),
            outcome: run.outcome.name().to_owned(),
        };
        statement.execute(&mut connection).await?;
    }
    let statement = InsertRun {
        id: run.id,
        account: run.account_id.0,
        reason: run.reason.name().to_owned(),
        outcome: run.outcome.name().to_owned(),
        failure: run.failure.map(str::to_owned),
        detail: run.detail.clone(),
        orders_asked: run.orders_asked,
        reports_added: run.reports_added,
        started: run.started_at,
        ended: run.ended_at,
    };
    statement.execute(&mut connection).await?;
    if run.differences.is_empty() {
        return Ok(());
    }
    let differences: Vec<&(Difference, &'static str)> = run.differences.iter().collect();
    let statement = InsertDifferences {
        run: run.id,
        lines: (1i32..).take(differences.len()).collect(),
        kinds: differences.iter().map(|(difference, _)| difference.kind.to_owned()).collect(),
        orders: differences.iter().map(|(difference, _)| difference.order_id.map(|order| order.0)).collect(),
        commodities: differences
            .iter()
            .map(|(difference, _)| difference.commodity.map(|commodity| commodity.name().to_owned()))
            .collect(),
        ours: differences.iter().map(|(difference, _)| difference.ours.clone()).collect(),
        theirs: differences.iter().map(|(difference, _)| difference.theirs.clone()).collect(),
        actions: differences.iter().map(|(_, action)| (*action).to_owned()).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Text>)]
    failure: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = BigInt)]
    orders_asked: i64,
    #[diesel(sql_type = BigInt)]
    reports_added: i64,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ended_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct DifferenceRow {
    #[diesel(sql_type = SqlUuid)]
    reconciliation_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    commodity: Option<String>,
    #[diesel(sql_type = Text)]
    ours: String,
    #[diesel(sql_type = Text)]
    theirs: String,
    #[diesel(sql_type = Text)]
    action: String,
}

statement! {
    RunsOf { accounts: Array<SqlUuid> = Vec<Uuid>, before: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT id, account_id, reason, outcome, failure, detail, orders_asked, reports_added, started_at, ended_at
     FROM trading.reconciliations WHERE account_id = ANY (?) AND id < ? ORDER BY id DESC LIMIT ?"
}

statement! {
    DifferencesOf { runs: Array<SqlUuid> = Vec<Uuid> }
    "SELECT reconciliation_id, kind, order_id, commodity, ours, theirs, action
     FROM trading.reconciliation_differences WHERE reconciliation_id = ANY (?) ORDER BY reconciliation_id, line"
}

/// Runs of accounts, newest first, those before one of them.
pub(in crate::trading) async fn list_runs(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<RunDocument>> {
    let accounts = accounts.iter().map(|account| account.0).collect();
    let before = before.unwrap_or(Uuid::max());
    let runs: Vec<RunRow> = RunsOf { accounts, before, limit }.load(&mut connection).await?;
    let query = DifferencesOf { runs: runs.iter().map(|run| run.id).collect() };
    let rows: Vec<DifferenceRow> = query.load(&mut connection).await?;
    let mut differences = HashMap::<Uuid, Vec<RunDifference>>::new();
    for row in rows {
        differences.entry(row.reconciliation_id).or_default().push(RunDifference {
            kind: row.kind,
            order_id: row.order_id.map(OrderId),
            commodity: row.commodity,
            ours: row.ours,
            theirs: row.theirs,
            action: row.action,
        });
    }
    Ok(runs
        .into_iter()
        .map(|run| RunDocument {
            differences: differences.remove(&run.id).unwrap_or_default(),
            id: run.id,
            account_id: AccountId(run.account_id),
            reason: run.reason,
            outcome: run.outcome,
            failure: run.failure,
            detail: run.detail,
            orders_asked: run.orders_asked,
            reports_added: run.reports_added,
            started_at: run.started_at,
            ended_at: run.ended_at,
        })
        .collect())
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    busy: bool,
}

statement! {
    AccountsToCompare {}
    "SELECT a.id, EXISTS (SELECT FROM trading.orders AS o WHERE o.account_id = a.id AND o.is_open) AS busy
     FROM account.accounts AS a WHERE a.status = 'active' ORDER BY a.id"
}

/// Every account that can have something at a broker, and whether something is open in it.
pub(in crate::trading) async fn accounts_to_compare(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Vec<(AccountId, bool)>> {
    let rows: Vec<AccountRow> = AccountsToCompare {}.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| (AccountId(row.id), row.busy)).collect())
}
