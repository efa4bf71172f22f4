//! `trading.close_requests` and `trading.close_batches`.

use super::super::closing::{Cause, CloseRequest, CloseStatus, Portion};
use super::super::order::{Order, Origin};
use super::orders::{OrderRow, order_columns, read_all};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId, Side, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct CloseRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    asked_shares: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    asked_percent: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    close_max: Option<Decimal>,
    #[diesel(sql_type = Numeric)]
    keep: Decimal,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Nullable<Numeric>)]
    quantity: Option<Decimal>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl TryFrom<CloseRow> for CloseRequest {
    type Error = diesel::result::Error;

    fn try_from(row: CloseRow) -> QueryResult<Self> {
        let cause = Cause::ALL.into_iter().find(|cause| cause.name() == row.cause);
        let status = CloseStatus::ALL.into_iter().find(|status| status.name() == row.status);
        Ok(Self {
            id: row.id,
            account_id: AccountId(row.account_id),
            user_id: UserId(row.user_id),
            symbol: row.symbol.parse().map_err(|_| corrupt("symbol"))?,
            side: Side::from_name(&row.side).ok_or_else(|| corrupt("side"))?,
            key: row.key,
            cause: cause.ok_or_else(|| corrupt("cause"))?,
            portion: match (row.asked_shares, row.asked_percent) {
                (Some(shares), _) => Portion::Shares(shares.normalize()),
                (None, Some(percent)) => Portion::Percent(percent.normalize()),
                (None, None) => Portion::All,
            },
            close_max: row.close_max.map(|shares| shares.normalize()),
            keep: row.keep.normalize(),
            status: status.ok_or_else(|| corrupt("status"))?,
            attempt: row.attempt,
            quantity: row.quantity.map(|shares| shares.normalize()),
            order_id: row.order_id.map(OrderId),
            reason: row.reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn read(rows: Vec<CloseRow>) -> QueryResult<Vec<CloseRequest>> {
    rows.into_iter().map(CloseRequest::try_from).collect()
}

macro_rules! select_closes {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, user_id, symbol, side, key, cause, asked_shares, asked_percent, close_max, keep, status, attempt,
                quantity, order_id, reason, created_at, updated_at FROM trading.close_requests ",
            $rest
        )
    };
}

statement! {
    InsertClose {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, symbol: Text = String,
        side: Text = String, key: Text = String, cause: Text = String, asked_shares: Nullable<Numeric> = Option<Decimal>, asked_percent: Nullable<Numeric> = Option<Decimal>,
        close_max: Nullable<Numeric> = Option<Decimal>, keep: Numeric = Decimal, status: Text = String,
        created_at: Timestamptz = DateTime<Utc>, updated_at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO trading.close_requests (id, account_id, user_id, symbol, side, key, cause, asked_shares, asked_percent,
        close_max, keep, status, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
}

/// Writes a new wish, unless one under its key, or another close of its position, exists. Says whether.
pub(in crate::trading) async fn insert_close(
    mut connection: &AsyncPgConnection,
    request: &CloseRequest,
) -> QueryResult<bool> {
    let (asked_shares, asked_percent) = match request.portion {
        Portion::All => (None, None),
        Portion::Shares(shares) => (Some(shares), None),
        Portion::Percent(percent) => (None, Some(percent)),
    };
    let statement = InsertClose {
        id: request.id,
        account: request.account_id.0,
        user: request.user_id.0,
        symbol: request.symbol.to_string(),
        side: request.side.name().to_owned(),
        key: request.key.clone(),
        cause: request.cause.name().to_owned(),
        asked_shares,
        asked_percent,
        close_max: request.close_max,
        keep: request.keep,
        status: request.status.name().to_owned(),
        created_at: request.created_at,
        updated_at: request.updated_at,
    };
    Ok(statement.execute(&mut connection).await? == 1)
}

statement! {
    SaveClose {
        status: Text = String, attempt: Integer = i32, quantity: Nullable<Numeric> = Option<Decimal>,
        order: Nullable<SqlUuid> = Option<Uuid>, reason: Nullable<Text> = Option<String>,
        at: Timestamptz = DateTime<Utc>, id: SqlUuid = Uuid, old_status: Text = String, old_attempt: Integer = i32,
    }
    "UPDATE trading.close_requests SET status = ?, attempt = ?, quantity = ?, order_id = ?, reason = ?, updated_at = ?
     WHERE id = ? AND status = ? AND attempt = ?"
}

/// Moves a wish on from where it stood. Says whether it still stood there.
pub(in crate::trading) async fn save_close(
    mut connection: &AsyncPgConnection,
    before: &CloseRequest,
    after: &CloseRequest,
) -> QueryResult<bool> {
    let statement = SaveClose {
        status: after.status.name().to_owned(),
        attempt: after.attempt,
        quantity: after.quantity,
        order: after.order_id.map(|id| id.0),
        reason: after.reason.clone(),
        at: after.updated_at,
        id: before.id,
        old_status: before.status.name().to_owned(),
        old_attempt: before.attempt,
    };
    Ok(statement.execute(&mut connection).await? == 1)
}

statement! {
    CloseByKey { account: SqlUuid = Uuid, key: Text = String }
    select_closes!("WHERE account_id = ? AND key = ?")
}

/// The wish under a key.
pub(in crate::trading) async fn close_by_key(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<CloseRequest>> {
    let statement = CloseByKey { account: account.0, key: key.to_owned() };
    let row: Option<CloseRow> = statement.get_result(&mut connection).await.optional()?;
    row.map(CloseRequest::try_from).transpose()
}

statement! {
    CloseOf { id: SqlUuid = Uuid, user: SqlUuid = Uuid }
    select_closes!("WHERE id = ? AND user_id = ?")
}

/// A wish, if it is this user's.
pub(in crate::trading) async fn close_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    id: Uuid,
) -> QueryResult<Option<CloseRequest>> {
    let row: Option<CloseRow> = CloseOf { id, user: user.0 }.get_result(&mut connection).await.optional()?;
    row.map(CloseRequest::try_from).transpose()
}

statement! {
    ClosesOf { account: SqlUuid = Uuid, limit: BigInt = i64 }
    select_closes!("WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?")
}

/// The latest wishes of an account, newest first.
pub(in crate::trading) async fn closes_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<CloseRequest>> {
    read(ClosesOf { account: account.0, limit }.load(&mut connection).await?)
}

statement! {
    OpenCloses { limit: BigInt = i64 }
    select_closes!("WHERE status IN ('WAITING', 'PLACING') ORDER BY updated_at, id LIMIT ?")
}

/// Wishes that have a step to go, the one that waited longest first.
pub(in crate::trading) async fn open_closes(
    mut connection: &AsyncPgConnection,
    limit: i64,
) -> QueryResult<Vec<CloseRequest>> {
    read(OpenCloses { limit }.load(&mut connection).await?)
}

statement! {
    WithdrawCloses { reason: Text = String, at: Timestamptz = DateTime<Utc>, account: SqlUuid = Uuid }
    "UPDATE trading.close_requests AS c SET status = 'WITHDRAWN', reason = ?, updated_at = ?
     WHERE c.account_id = ? AND c.status = 'WAITING'"
}

/// Takes back every wish of an account that has not become an order.
pub(in crate::trading) async fn withdraw_closes(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    reason: &str,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let statement = WithdrawCloses { reason: reason.to_owned(), at, account: account.0 };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    MarkOrigin { origin: Text = String, id: SqlUuid = Uuid }
    "UPDATE trading.orders SET origin = ? WHERE id = ?"
}

/// Notes where an order was made.
pub(in crate::trading) async fn mark_origin(
    mut connection: &AsyncPgConnection,
    order: OrderId,
    origin: Origin,
) -> QueryResult<()> {
    let statement = MarkOrigin { origin: origin.name().to_owned(), id: order.0 };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct CallRow {
    #[diesel(sql_type = Bool)]
    under_way: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failed_at: Option<DateTime<Utc>>,
}

statement! {
    /// An order whose close is not written as placed yet is under way by its close.
    OfCall { account: SqlUuid = Uuid }
    "SELECT coalesce(bool_or(c.status IN ('WAITING', 'PLACING') OR o.is_open), false) AS under_way,
        max(c.updated_at) FILTER (WHERE c.status = 'FAILED') AS failed_at
     FROM trading.close_requests AS c LEFT JOIN trading.orders AS o ON o.id = c.order_id
     WHERE c.account_id = ? AND c.cause = 'MARGIN_CALL'"
}

/// Whether anything is under way that the house closes because of a margin call, and when such a close last failed.
pub(in crate::trading) async fn closes_of_call(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<(bool, Option<DateTime<Utc>>)> {
    let row: CallRow = OfCall { account: account.0 }.get_result(&mut connection).await?;
    Ok((row.under_way, row.failed_at))
}

#[derive(QueryableByName)]
struct FlagRow {
    #[diesel(sql_type = Bool)]
    flag: bool,
}

statement! {
    AreWishesOpen { closes_of: SqlUuid = Uuid, groups_of: SqlUuid = Uuid }
    "SELECT EXISTS (SELECT FROM trading.close_requests AS c
            WHERE c.account_id = ? AND c.status IN ('WAITING', 'PLACING'))
        OR EXISTS (SELECT FROM trading.order_groups AS g WHERE g.account_id = ? AND g.status = 'ACTIVE') AS flag"
}

/// Whether a close of an account, or a group, may still become an order.
pub(in crate::trading) async fn are_wishes_open(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<bool> {
    let statement = AreWishesOpen { closes_of: account.0, groups_of: account.0 };
    let row: FlagRow = statement.get_result(&mut connection).await?;
    Ok(row.flag)
}

statement! {
    AreWishesOpenIn {
        closes_of: SqlUuid = Uuid, closes_in: Text = String, groups_of: SqlUuid = Uuid, groups_in: Text = String,
    }
    "SELECT EXISTS (SELECT FROM trading.close_requests AS c
            WHERE c.account_id = ? AND c.symbol = ? AND c.status IN ('WAITING', 'PLACING'))
        OR EXISTS (SELECT FROM trading.order_groups AS g
            WHERE g.account_id = ? AND g.symbol = ? AND g.status = 'ACTIVE') AS flag"
}

/// The same of one symbol.
pub(in crate::trading) async fn are_wishes_open_in(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<bool> {
    let (closes_in, groups_in) = (symbol.to_string(), symbol.to_string());
    let statement = AreWishesOpenIn { closes_of: account.0, closes_in, groups_of: account.0, groups_in };
    let row: FlagRow = statement.get_result(&mut connection).await?;
    Ok(row.flag)
}

#[derive(QueryableByName)]
struct BatchRow {
    #[diesel(sql_type = Text)]
    items: String,
}

statement! {
    BatchByKey { account: SqlUuid = Uuid, key: Text = String }
    "SELECT items::text AS items FROM trading.close_batches WHERE account_id = ? AND key = ?"
}

/// What a close of everything under this key was answered with, as JSON.
pub(in crate::trading) async fn close_batch(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<String>> {
    let statement = BatchByKey { account: account.0, key: key.to_owned() };
    let row: Option<BatchRow> = statement.get_result(&mut connection).await.optional()?;
    Ok(row.map(|row| row.items))
}

statement! {
    InsertBatch { account: SqlUuid = Uuid, key: Text = String, items: Text = String, at: Timestamptz = DateTime<Utc> }
    "INSERT INTO trading.close_batches (account_id, key, items, created_at) VALUES (?, ?, ?::json, ?)"
}

/// Writes what a close of everything is answered with.
pub(in crate::trading) async fn insert_close_batch(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
    items: String,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let statement = InsertBatch { account: account.0, key: key.to_owned(), items, at };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    OpenOrders {
        account: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, side: Nullable<Text> = Option<String>,
        limit: BigInt = i64,
    }
    concat!(
        "SELECT ", order_columns!(), " FROM trading.orders AS o WHERE o.account_id = ? AND o.is_open
            AND o.symbol = coalesce(?, o.symbol) AND o.side = coalesce(?, o.side)
         ORDER BY o.created_at DESC, o.id DESC LIMIT ?"
    )
}

statement! {
    /// Those that nobody has asked to take back come first, so that asking again goes on.
    CancellableOrders {
        account: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, side: Nullable<Text> = Option<String>,
        limit: BigInt = i64,
    }
    concat!(
        "SELECT ", order_columns!(), " FROM trading.orders AS o WHERE o.account_id = ? AND o.is_open
            AND o.symbol = coalesce(?, o.symbol) AND o.side = coalesce(?, o.side)
         ORDER BY o.cancel_requested_at IS NOT NULL, o.created_at DESC, o.id DESC LIMIT ?"
    )
}

/// Open orders of an account, those to be taken back first, newest first.
pub(in crate::trading) async fn cancellable_orders(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Option<Symbol>,
    side: Option<Side>,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let statement = CancellableOrders {
        account: account.0,
        symbol: symbol.map(|symbol| symbol.to_string()),
        side: side.map(|side| side.name().to_owned()),
        limit,
    };
    let rows: Vec<OrderRow> = statement.load(&mut connection).await?;
    read_all(rows)
}

/// Open orders of an account, newest first.
pub(in crate::trading) async fn newest_open_orders(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Option<Symbol>,
    side: Option<Side>,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let statement = OpenOrders {
        account: account.0,
        symbol: symbol.map(|symbol| symbol.to_string()),
        side: side.map(|side| side.name().to_owned()),
        limit,
    };
    let rows: Vec<OrderRow> = statement.load(&mut connection).await?;
    read_all(rows)
}
