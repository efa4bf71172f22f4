//! The table `events.events`.

use super::{Event, NewEvent};
use database::statement;
use diesel::QueryResult;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{UserId, locks};
use uuid::Uuid;

/// Part of a statement: writes events if `$condition` (a table, and what must be true of it) has a row. Parameters: the
/// lock's key, and those of `$source`, which gives rows of user, kind and payload.
///
/// The lock is drawn before the first id and held to the end of the transaction: see the table's comment.
macro_rules! append_events {
    ($name:literal, $condition:literal, $source:literal) => {
        concat!(
            $name,
            "_turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(?) FROM ",
            $condition,
            "),\n",
            $name,
            " AS (INSERT INTO events.events (user_id, kind, payload)
                SELECT new.user_id, new.kind, new.payload::json
                FROM ",
            $name,
            "_turn, ",
            $source,
            " AS new (user_id, kind, payload))"
        )
    };
}
pub(crate) use append_events;

statement! {
    Append { turn: BigInt = i64, users: Array<SqlUuid> = Vec<Uuid>, kinds: Array<Text> = Vec<String>, payloads: Array<Text> = Vec<String> }
    concat!("WITH ", append_events!("told", "(SELECT) AS always", "unnest(?, ?, ?)"), " SELECT")
}

/// Writes events in the caller's transaction. To be called last before the commit: writers queue from here on.
///
/// # Errors
/// The database's.
pub async fn append(mut connection: &AsyncPgConnection, events: Vec<NewEvent>) -> QueryResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut statement =
        Append { turn: locks::EVENTS_APPEND, users: Vec::new(), kinds: Vec::new(), payloads: Vec::new() };
    for event in events {
        let (user, kind, payload) = event.into_columns();
        statement.users.push(user);
        statement.kinds.push(kind);
        statement.payloads.push(payload);
    }
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(diesel::QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    payload: String,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self { id: row.id, user_id: UserId(row.user_id), kind: row.kind, payload: row.payload.into() }
    }
}

statement! {
    ReadAfter { after: BigInt = i64, limit: BigInt = i64 }
    "SELECT id, user_id, kind, payload::text AS payload FROM events.events WHERE id > ? ORDER BY id LIMIT ?"
}

/// The next events of everybody.
pub(super) async fn read_after(
    connection: &mut AsyncPgConnection,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    let rows: Vec<EventRow> = ReadAfter { after, limit }.load(connection).await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

statement! {
    ReadUserAfter { user_id: SqlUuid = Uuid, after: BigInt = i64, until: BigInt = i64, limit: BigInt = i64 }
    "SELECT id, user_id, kind, payload::text AS payload FROM events.events
     WHERE user_id = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?"
}

/// A user's events between two ids, the first excluded.
pub(super) async fn read_user_between(
    connection: &mut AsyncPgConnection,
    user: UserId,
    after: i64,
    until: i64,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    let rows: Vec<EventRow> = ReadUserAfter { user_id: user.0, after, until, limit }.load(connection).await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

statement! {
    MarkTold { last_id: BigInt = i64 }
    "UPDATE events.told SET last_id = greatest(last_id, ?)"
}

/// Makes every event up to this one durable: a commit that waits for the disk takes all earlier ones with it.
pub(super) async fn mark_told(connection: &mut AsyncPgConnection, last_id: i64) -> QueryResult<()> {
    MarkTold { last_id }.execute(connection).await.map(|_| ())
}

#[derive(diesel::QueryableByName)]
struct BoundsRow {
    #[diesel(sql_type = BigInt)]
    oldest: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
}

statement! {
    Bounds {}
    "SELECT coalesce((SELECT id FROM events.events ORDER BY id LIMIT 1), 0) AS oldest,
            coalesce((SELECT id FROM events.events ORDER BY id DESC LIMIT 1), 0) AS newest"
}

/// Oldest and newest id there is; zeros when there are none.
pub(super) async fn bounds(connection: &mut AsyncPgConnection) -> QueryResult<(i64, i64)> {
    let row: BoundsRow = Bounds {}.get_result(connection).await?;
    Ok((row.oldest, row.newest))
}

statement! {
    Prune { limit: BigInt = i64, days: diesel::sql_types::Integer = i32 }
    "DELETE FROM events.events WHERE id IN
        (SELECT id FROM (SELECT id, created_at FROM events.events ORDER BY id LIMIT ?) AS oldest
         WHERE created_at < now() - make_interval(days => ?))
     AND id < (SELECT max(id) FROM events.events)"
}

/// Removes events past their retention, oldest first, and says how many went. The newest stays, so that the order
/// of ids is never forgotten.
pub(super) async fn prune(connection: &mut AsyncPgConnection, days: i32, limit: i64) -> QueryResult<usize> {
    Prune { days, limit }.execute(connection).await
}
