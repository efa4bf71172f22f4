//! `trading.other_accounts`: accounts whose broker speaks of another account than the one that was opened.

use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use uuid::Uuid;

statement! {
    Note { account: SqlUuid = Uuid, at: Timestamptz = DateTime<Utc> }
    "INSERT INTO trading.other_accounts (account_id, noticed_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
}

/// Notes that an account's broker speaks of another one; whether that is news.
pub(in crate::trading) async fn note_other_account(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    Ok(Note { account: account.0, at }.execute(&mut connection).await? > 0)
}

statement! {
    Forget { account: SqlUuid = Uuid }
    "DELETE FROM trading.other_accounts WHERE account_id = ?"
}

/// Notes that an account's broker speaks of the account that was opened.
pub(in crate::trading) async fn forget_other_account(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<()> {
    Forget { account: account.0 }.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

statement! {
    Noted {}
    "SELECT account_id FROM trading.other_accounts"
}

/// The accounts whose brokers were last heard to speak of others.
pub(in crate::trading) async fn other_accounts(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Vec<AccountId>> {
    let rows: Vec<AccountRow> = Noted {}.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| AccountId(row.account_id)).collect())
}
