//! `trading.key_checks`: which keys of brokers were looked at before which session.

use super::super::keys::KeyState;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Date, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Market};
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

statement! {
    KeysChecked { market: Text = String, day: Date = NaiveDate }
    "SELECT account_id FROM trading.key_checks WHERE market = ? AND day = ?"
}

/// The accounts whose keys were looked at before a session.
pub(in crate::trading) async fn keys_checked(
    mut connection: &AsyncPgConnection,
    market: Market,
    day: NaiveDate,
) -> QueryResult<BTreeSet<AccountId>> {
    let statement = KeysChecked { market: market.code().to_owned(), day };
    let rows: Vec<AccountRow> = statement.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| AccountId(row.account_id)).collect())
}

statement! {
    InsertKeyCheck {
        account: SqlUuid = Uuid, market: Text = String, day: Date = NaiveDate, outcome: Text = String,
        at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO trading.key_checks (account_id, market, day, outcome, checked_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING"
}

/// Writes what came of looking at a key; whether this is the first time for that session.
pub(in crate::trading) async fn insert_key_check(
    mut connection: &AsyncPgConnection,
    (account, market, day): (AccountId, Market, NaiveDate),
    state: KeyState,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let statement = InsertKeyCheck {
        account: account.0,
        market: market.code().to_owned(),
        day,
        outcome: state.name().to_owned(),
        at,
    };
    Ok(statement.execute(&mut connection).await? > 0)
}
