//! `trading.halts`.

use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use uuid::Uuid;

/// Who halted an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) enum HaltKind {
    /// The house: something happened that must not.
    Incident,
    /// Its owner.
    Owner,
}

impl HaltKind {
    /// The stored and published name.
    pub(in crate::trading) const fn name(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Owner => "owner",
        }
    }
}

/// A halt that holds.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(in crate::trading) struct AccountHalt {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::trading) account_id: Uuid,
    /// See [`HaltKind::name`].
    #[diesel(sql_type = Text)]
    pub(in crate::trading) kind: String,
    #[diesel(sql_type = Text)]
    pub(in crate::trading) reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::trading) halted_at: DateTime<Utc>,
}

statement! {
    InsertHalts {
        at: Timestamptz = DateTime<Utc>, kind: Text = String, ids: Array<SqlUuid> = Vec<Uuid>,
        accounts: Array<SqlUuid> = Vec<Uuid>, reasons: Array<Text> = Vec<String>,
    }
    "INSERT INTO trading.halts (halted_at, kind, id, account_id, reason) SELECT ?, ?, new.* FROM unnest(?, ?, ?) AS new
     ON CONFLICT DO NOTHING"
}

/// Halts accounts; those that are halted stay so.
pub(in crate::trading) async fn insert_halts(
    mut connection: &AsyncPgConnection,
    kind: HaltKind,
    halts: Vec<(AccountId, String)>,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    if halts.is_empty() {
        return Ok(());
    }
    let ids = halts.iter().map(|_| Uuid::now_v7()).collect();
    let (accounts, reasons) = halts.into_iter().map(|(account, reason)| (account.0, reason)).unzip();
    let kind = kind.name().to_owned();
    InsertHalts { at, kind, ids, accounts, reasons }.execute(&mut connection).await.map(|_| ())
}

statement! {
    HaltsThatHold {} "SELECT account_id, kind, reason, halted_at FROM trading.halts WHERE lifted_at IS NULL"
}

/// The halts that hold.
pub(in crate::trading) async fn account_halts(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Vec<AccountHalt>> {
    HaltsThatHold {}.load(&mut connection).await
}

statement! {
    HaltsOf { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT account_id, kind, reason, halted_at FROM trading.halts WHERE account_id = ANY (?) AND lifted_at IS NULL
     ORDER BY halted_at, account_id"
}

/// The halts of some accounts, oldest first.
pub(in crate::trading) async fn halts_of(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<AccountHalt>> {
    HaltsOf { accounts: accounts.iter().map(|account| account.0).collect() }.load(&mut connection).await
}

statement! {
    LiftHalt { at: Timestamptz = DateTime<Utc>, account: SqlUuid = Uuid }
    "UPDATE trading.halts SET lifted_at = ? WHERE account_id = ? AND lifted_at IS NULL"
}

/// Ends the halt of an account, if there is one.
pub(in crate::trading) async fn lift_halt(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    LiftHalt { at, account: account.0 }.execute(&mut connection).await.map(|_| ())
}
