//! `broker.activities`, written by the connector, and `trading.activity_cursor`, which says how far the books have taken it in.

use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, ActivityKind, Currency, Symbol};
use rust_decimal::Decimal;
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
    AdvanceCursor { last_id: BigInt = i64 } "UPDATE trading.activity_cursor SET last_id = ?"
}

/// Moves the cursor that the caller has locked.
pub(in crate::trading) async fn advance_activity_cursor(
    mut connection: &AsyncPgConnection,
    last_id: i64,
) -> QueryResult<()> {
    AdvanceCursor { last_id }.execute(&mut connection).await.map(|_| ())
}

statement! {
    NextActivity {}
    "SELECT id, account_id, activity_id, is_undone, kind, word, symbol, currency, amount, quantity, day,
        appended_at FROM broker.activities WHERE id > (SELECT last_id FROM trading.activity_cursor) ORDER BY id LIMIT 1"
}

/// The first line behind the cursor.
pub(in crate::trading) async fn next_activity(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Option<ActivityLine>> {
    let row: Option<ActivityRow> = NextActivity {}.get_result(&mut connection).await.optional()?;
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
struct CursorRow {
    #[diesel(sql_type = BigInt)]
    last_id: i64,
}

statement! {
    Cursor {} "SELECT last_id FROM trading.activity_cursor"
}

/// How far the books have taken the lines in.
pub(in crate::trading) async fn activity_cursor(mut connection: &AsyncPgConnection) -> QueryResult<i64> {
    let row: CursorRow = Cursor {}.get_result(&mut connection).await?;
    Ok(row.last_id)
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    found: bool,
}

statement! {
    TakenInAfter { account: SqlUuid = Uuid, after: BigInt = i64 }
    "SELECT EXISTS (SELECT FROM broker.activities
        WHERE account_id = ? AND id > ? AND id <= (SELECT last_id FROM trading.activity_cursor)) AS found"
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
