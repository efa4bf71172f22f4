//! `broker.activities`, written by the connector, and `trading.activity_cursor`, which says how far the books have taken it in.
//! What they have taken in behind it, past a line of another account that waits, is in `trading.activities_ahead`.

use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, ActivityKind, Currency, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Something that a broker did in an account beside orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trading) struct ActivityLine {
    pub(in crate::trading) id: i64,
    pub(in crate::trading) account_id: AccountId,
    /// The broker's number of it.
    pub(in crate::trading) activity_id: String,
    pub(in crate::trading) kind: ActivityKind,
    /// The broker's own word for it.
    pub(in crate::trading) word: String,
    pub(in crate::trading) symbol: Option<Symbol>,
    pub(in crate::trading) currency: Currency,
    /// Cash that came or (below zero) went.
    pub(in crate::trading) amount: Decimal,
    pub(in crate::trading) quantity: Option<Decimal>,
    pub(in crate::trading) day: NaiveDate,
    /// Whether the broker took it back.
    pub(in crate::trading) is_undone: bool,
    /// When it was first read.
    pub(in crate::trading) appended_at: DateTime<Utc>,
}

/// The other half of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) struct OtherLeg {
    /// Its line.
    pub(in crate::trading) id: i64,
    pub(in crate::trading) quantity: Decimal,
}

#[derive(QueryableByName)]
struct ActivityRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    activity_id: String,
    #[diesel(sql_type = Bool)]
    is_undone: bool,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    quantity: Option<Decimal>,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    appended_at: DateTime<Utc>,
}

impl TryFrom<ActivityRow> for ActivityLine {
    type Error = diesel::result::Error;

    fn try_from(row: ActivityRow) -> QueryResult<Self> {
        Ok(Self {
            id: row.id,
            account_id: AccountId(row.account_id),
            activity_id: row.activity_id,
            // A word that is not known here must not hold up what comes behind it: a person is told of it.
            kind: ActivityKind::from_name(&row.kind).unwrap_or(ActivityKind::Other),
            word: row.word,
            symbol: row.symbol.and_then(|symbol| symbol.parse().ok()),
            currency: row.currency.parse().map_err(|_| corrupt("currency"))?,
            amount: row.amount.normalize(),
            quantity: row.quantity.map(|quantity| quantity.normalize()),
            day: row.day,
            is_undone: row.is_undone,
            appended_at: row.appended_at,
        })
    }
}

statement! {
    LockCursor {} "SELECT last_id FROM trading.activity_cursor FOR UPDATE"
}

/// Keeps anybody else from taking lines in until the caller's commit.
pub(in crate::trading) async fn lock_activity_cursor(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    LockCursor {}.execute(&mut connection).await.map(|_| ())
}

statement! {
    NoteAhead { id: BigInt = i64 } "INSERT INTO trading.activities_ahead (id) VALUES (?)"
}
statement! {
    /// To the line before the first that is not taken in.
    AdvanceCursor {}
    "UPDATE trading.activity_cursor AS c SET last_id = coalesce(
        (SELECT min(a.id) - 1 FROM broker.activities AS a
            WHERE a.id > c.last_id AND NOT EXISTS (SELECT FROM trading.activities_ahead AS t WHERE t.id = a.id)),
        (SELECT max(t.id) FROM trading.activities_ahead AS t), c.last_id)"
}
statement! {
    ForgetPassed {}
    "DELETE FROM trading.activities_ahead WHERE id <= (SELECT last_id FROM trading.activity_cursor)"
}

/// Notes that a line is taken in, and moves the cursor, which the caller has locked, over everything that is.
pub(in crate::trading) async fn note_activity_taken_in(
    mut connection: &AsyncPgConnection,
    id: i64,
) -> QueryResult<()> {
    NoteAhead { id }.execute(&mut connection).await?;
    AdvanceCursor {}.execute(&mut connection).await?;
    ForgetPassed {}.execute(&mut connection).await.map(|_| ())
}

statement! {
    NextActivity { waiting: Array<SqlUuid> = Vec<Uuid> }
    "SELECT id, account_id, activity_id, is_undone, kind, word, symbol, currency, amount, quantity, day, appended_at
     FROM broker.activities AS a
     WHERE id > (SELECT last_id FROM trading.activity_cursor) AND account_id <> ALL (?)
        AND NOT EXISTS (SELECT FROM trading.activities_ahead AS t WHERE t.id = a.id)
     ORDER BY id LIMIT 1"
}

/// The first line that is not taken in, those of some accounts left out.
pub(in crate::trading) async fn next_activity(
    mut connection: &AsyncPgConnection,
    waiting: &BTreeSet<AccountId>,
) -> QueryResult<Option<ActivityLine>> {
    let statement = NextActivity { waiting: waiting.iter().map(|account| account.0).collect() };
    let row: Option<ActivityRow> = statement.get_result(&mut connection).await.optional()?;
    row.map(ActivityLine::try_from).transpose()
}

#[derive(QueryableByName)]
struct LegRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
}

statement! {
    OtherHalf {
        id: BigInt = i64, account: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, day: Date = NaiveDate,
        word: Text = String, quantity: Nullable<Numeric> = Option<Decimal>, near: BigInt = i64,
    }
    "SELECT a.id, a.quantity FROM broker.activities AS a
     WHERE a.id <> ? AND a.account_id = ? AND a.symbol = ? AND a.day = ? AND a.word = ? AND a.kind = 'split'
        AND NOT a.is_undone AND a.quantity * ? < 0
        AND NOT EXISTS (SELECT FROM broker.activities AS u
            WHERE u.account_id = a.account_id AND u.activity_id = a.activity_id AND u.is_undone)
     ORDER BY abs(a.id - ?) LIMIT 1"
}

/// The other half of the split of which a line is one, as far as it was read.
pub(in crate::trading) async fn other_leg(
    mut connection: &AsyncPgConnection,
    line: &ActivityLine,
) -> QueryResult<Option<OtherLeg>> {
    let statement = OtherHalf {
        id: line.id,
        account: line.account_id.0,
        symbol: line.symbol.map(|symbol| symbol.to_string()),
        day: line.day,
        word: line.word.clone(),
        quantity: line.quantity,
        near: line.id,
    };
    let row: Option<LegRow> = statement.get_result(&mut connection).await.optional()?;
    Ok(row.map(|row| OtherLeg { id: row.id, quantity: row.quantity.normalize() }))
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    found: bool,
}

statement! {
    OpenUpTo { account: SqlUuid = Uuid, line: BigInt = i64 }
    "SELECT EXISTS (SELECT FROM broker.activities AS a
        WHERE a.account_id = ? AND a.id <= ? AND a.id > (SELECT last_id FROM trading.activity_cursor)
            AND NOT EXISTS (SELECT FROM trading.activities_ahead AS t WHERE t.id = a.id)) AS found"
}

/// Whether all lines of an account up to this one are in the books.
pub(in crate::trading) async fn are_activities_taken_in(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    line: i64,
) -> QueryResult<bool> {
    let row: FoundRow = OpenUpTo { account: account.0, line }.get_result(&mut connection).await?;
    Ok(!row.found)
}

statement! {
    TakenInAfter { account: SqlUuid = Uuid, after: BigInt = i64 }
    "SELECT EXISTS (SELECT FROM broker.activities AS a
        WHERE a.account_id = ? AND a.id > ? AND (a.id <= (SELECT last_id FROM trading.activity_cursor)
            OR EXISTS (SELECT FROM trading.activities_ahead AS t WHERE t.id = a.id))) AS found"
}

/// Whether a line of an account behind this one is in the books already.
pub(in crate::trading) async fn is_activity_taken_in_after(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    after: i64,
) -> QueryResult<bool> {
    let row: FoundRow = TakenInAfter { account: account.0, after }.get_result(&mut connection).await?;
    Ok(row.found)
}
