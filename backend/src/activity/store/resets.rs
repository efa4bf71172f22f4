//! `activity.resets`.

use super::super::reset::{Reset, ResetStatus};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Money, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct ResetRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    opening_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    opening_currency: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl TryFrom<ResetRow> for Reset {
    type Error = diesel::result::Error;

    fn try_from(row: ResetRow) -> QueryResult<Self> {
        let currency = row.opening_currency.as_deref().map(str::parse).transpose();
        let currency = currency.map_err(|_| corrupt("currency"))?;
        let opening = row.opening_amount.zip(currency);
        let status = ResetStatus::ALL.into_iter().find(|status| status.name() == row.status);
        Ok(Self {
            id: row.id,
            account_id: AccountId(row.account_id),
            user_id: UserId(row.user_id),
            key: row.key,
            opening: opening.map(|(amount, currency)| Money::new(amount.normalize(), currency)),
            status: status.ok_or_else(|| corrupt("status"))?,
            reason: row.reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn read(rows: Vec<ResetRow>) -> QueryResult<Vec<Reset>> {
    rows.into_iter().map(Reset::try_from).collect()
}

macro_rules! select_resets {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, user_id, key, opening_amount, opening_currency, status, reason, created_at, updated_at
             FROM activity.resets ",
            $rest
        )
    };
}

statement! {
    InsertReset {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, key: Text = String,
        amount: Nullable<Numeric> = Option<Decimal>, currency: Nullable<Text> = Option<String>, status: Text = String,
        created_at: Timestamptz = DateTime<Utc>, updated_at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO activity.resets (id, account_id, user_id, key, opening_amount, opening_currency, status, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
}

/// Writes a wish, unless one waits already. Says whether.
pub(in crate::activity) async fn insert_reset(
    mut connection: &AsyncPgConnection,
    reset: &Reset,
) -> QueryResult<bool> {
    let statement = InsertReset {
        id: reset.id,
        account: reset.account_id.0,
        user: reset.user_id.0,
        key: reset.key.clone(),
        amount: reset.opening.map(|money| money.amount),
        currency: reset.opening.map(|money| money.currency.code().to_owned()),
        status: reset.status.name().to_owned(),
        created_at: reset.created_at,
        updated_at: reset.updated_at,
    };
    Ok(statement.execute(&mut connection).await? == 1)
}

statement! {
    SaveReset {
        status: Text = String, reason: Nullable<Text> = Option<String>, at: Timestamptz = DateTime<Utc>, id: SqlUuid = Uuid,
    }
    "UPDATE activity.resets SET status = ?, reason = ?, updated_at = ? WHERE id = ? AND status = 'WAITING'"
}

/// Ends a wish that waits. Says whether it did.
pub(in crate::activity) async fn save_reset(
    mut connection: &AsyncPgConnection,
    id: Uuid,
    (status, reason): (ResetStatus, Option<String>),
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let statement = SaveReset { status: status.name().to_owned(), reason, at, id };
    Ok(statement.execute(&mut connection).await? == 1)
}

statement! {
    ResetByKey { account: SqlUuid = Uuid, key: Text = String }
    select_resets!("WHERE account_id = ? AND key = ?")
}

/// The wish under a key.
pub(in crate::activity) async fn reset_by_key(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<Reset>> {
    let statement = ResetByKey { account: account.0, key: key.to_owned() };
    let row: Option<ResetRow> = statement.get_result(&mut connection).await.optional()?;
    row.map(Reset::try_from).transpose()
}

statement! {
    ResetsOf { account: SqlUuid = Uuid, limit: BigInt = i64 }
    select_resets!("WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?")
}

/// The latest wishes of an account, newest first.
pub(in crate::activity) async fn resets_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<Reset>> {
    read(ResetsOf { account: account.0, limit }.load(&mut connection).await?)
}

statement! {
    ResetsWaiting { limit: BigInt = i64 }
    select_resets!("WHERE status = 'WAITING' ORDER BY created_at, id LIMIT ?")
}

/// Wishes that wait, the oldest first.
pub(in crate::activity) async fn resets_waiting(
    mut connection: &AsyncPgConnection,
    limit: i64,
) -> QueryResult<Vec<Reset>> {
    read(ResetsWaiting { limit }.load(&mut connection).await?)
}
