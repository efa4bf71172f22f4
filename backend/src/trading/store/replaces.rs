//! `trading.replace_requests`. Several are locked by their ids before they are written, as with cancels.

use super::super::gate::Halts;
use super::super::order::OrderTerms;
use super::requests::RequestStatus;
use super::terms::{number, percent_number, price};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::broker::ReplaceRequest;
use domain::{AccountId, OrderId, Percent, Quantity, ReplaceId};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A request as it is first written.
pub(in crate::trading) struct NewReplace {
    pub(in crate::trading) id: ReplaceId,
    pub(in crate::trading) order_id: OrderId,
    /// The caller's name for it.
    pub(in crate::trading) key: Option<String>,
    /// What was asked, as JSON.
    pub(in crate::trading) asked: String,
    pub(in crate::trading) terms: OrderTerms,
    pub(in crate::trading) at: DateTime<Utc>,
}

statement! {
    InsertReplace {
        id: SqlUuid = Uuid, order: SqlUuid = Uuid, key: Nullable<Text> = Option<String>, asked: Text = String,
        quantity: Numeric = Decimal, limit_price: Nullable<Numeric> = Option<Decimal>,
        stop_price: Nullable<Numeric> = Option<Decimal>, trail_amount: Nullable<Numeric> = Option<Decimal>,
        trail_percent: Nullable<Numeric> = Option<Decimal>, protection_price: Nullable<Numeric> = Option<Decimal>,
        at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO trading.replace_requests (id, order_id, key, asked, quantity, limit_price, stop_price, trail_amount,
        trail_percent, protection_price, status, created_at, updated_at)
     SELECT new.id, new.order_id, new.key, new.asked::json, new.quantity, new.limit_price, new.stop_price,
        new.trail_amount, new.trail_percent, new.protection_price, 'SENT', new.at, new.at
     FROM (SELECT ?::uuid AS id, ?::uuid AS order_id, ?::text AS key, ?::text AS asked, ?::numeric AS quantity,
        ?::numeric AS limit_price, ?::numeric AS stop_price, ?::numeric AS trail_amount, ?::numeric AS trail_percent,
        ?::numeric AS protection_price, ?::timestamptz AS at) AS new"
}

/// Writes a request. The caller has locked its order and found that no other is under way.
pub(in crate::trading) async fn insert_replace(
    mut connection: &AsyncPgConnection,
    new: NewReplace,
) -> QueryResult<()> {
    let fields = new.terms.pricing.fields();
    let statement = InsertReplace {
        id: new.id.0,
        order: new.order_id.0,
        key: new.key,
        asked: new.asked,
        quantity: new.terms.quantity.value(),
        limit_price: number(fields.limit_price),
        stop_price: number(fields.stop_price),
        trail_amount: number(fields.trail_amount),
        trail_percent: percent_number(fields.trail_percent),
        protection_price: number(new.terms.worst_price.filter(|_| fields.limit_price.is_none())),
        at: new.at,
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct AskedRow {
    #[diesel(sql_type = Text)]
    asked: String,
}

statement! {
    ReplaceByKey { order: SqlUuid = Uuid, key: Text = String }
    "SELECT asked::text AS asked FROM trading.replace_requests WHERE order_id = ? AND key = ?"
}

/// What was asked under a key.
pub(in crate::trading) async fn replace_by_key(
    mut connection: &AsyncPgConnection,
    order: OrderId,
    key: &str,
) -> QueryResult<Option<String>> {
    let statement = ReplaceByKey { order: order.0, key: key.to_owned() };
    let row: Option<AskedRow> = statement.get_result(&mut connection).await.optional()?;
    Ok(row.map(|row| row.asked))
}

#[derive(QueryableByName)]
struct ReplaceRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    limit_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    stop_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_percent: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    protection_price: Option<Decimal>,
}

impl TryFrom<ReplaceRow> for ReplaceRequest {
    type Error = diesel::result::Error;

    fn try_from(row: ReplaceRow) -> QueryResult<Self> {
        let percent = |value: Decimal| Percent::new(value.normalize()).map_err(|_| corrupt("percentage"));
        Ok(Self {
            replace_id: ReplaceId(row.id),
            order_id: OrderId(row.order_id),
            quantity: Quantity::new(row.quantity.normalize()).map_err(|_| corrupt("quantity"))?,
            limit_price: row.limit_price.map(price).transpose()?,
            stop_price: row.stop_price.map(price).transpose()?,
            trail_amount: row.trail_amount.map(price).transpose()?,
            trail_percent: row.trail_percent.map(percent).transpose()?,
            protection_price: row.protection_price.map(price).transpose()?,
        })
    }
}

statement! {
    ReplacesToDispatch {
        broker: Text = String, paused: Array<SqlUuid> = Vec<Uuid>, everywhere: Bool = bool, halted: Array<SqlUuid> = Vec<Uuid>,
        again: Bool = bool, limit: BigInt = i64,
    }
    "SELECT r.id, r.order_id, o.account_id, r.quantity, r.limit_price, r.stop_price, r.trail_amount, r.trail_percent, r.protection_price
     FROM trading.replace_requests AS r JOIN trading.orders AS o ON o.id = r.order_id
     JOIN account.accounts AS a ON a.id = o.account_id AND a.broker = ?
     WHERE NOT o.account_id = ANY (?) AND NOT (? OR o.account_id = ANY (?))
       AND r.status IN ('SENT', 'UNRESOLVED') AND (r.status = 'SENT' OR ?)
       AND o.status IN ('NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY')
     ORDER BY r.id LIMIT ?"
}

/// Requests that a broker must hear of, whose orders are known to be there, with their accounts; with `again` those too that
/// it may have heard of. Those of paused and of halted accounts wait.
pub(in crate::trading) async fn replaces_to_dispatch(
    mut connection: &AsyncPgConnection,
    (broker, paused): (&str, &[AccountId]),
    halts: Halts,
    again: bool,
    limit: i64,
) -> QueryResult<Vec<(AccountId, ReplaceRequest)>> {
    let paused = paused.iter().map(|account| account.0).collect();
    let halted = halts.accounts.into_iter().map(|account| account.0).collect();
    let everywhere = halts.everywhere;
    let statement =
        ReplacesToDispatch { broker: broker.to_owned(), paused, everywhere, halted, again, limit };
    let rows: Vec<ReplaceRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(|row| Ok((AccountId(row.account_id), row.try_into()?))).collect()
}

statement! {
    MoveReplaces { ids: Array<SqlUuid> = Vec<Uuid>, to: Text = String, at: Timestamptz = DateTime<Utc>, from: Text = String }
    "WITH moved AS MATERIALIZED (
        SELECT r.id FROM trading.replace_requests AS r WHERE r.id = ANY (?) ORDER BY r.id FOR UPDATE
     )
     UPDATE trading.replace_requests AS r SET status = ?, updated_at = ? FROM moved WHERE r.id = moved.id AND r.status = ?"
}

/// Writes that requests are about to leave for a broker that must be sent to once.
pub(in crate::trading) async fn mark_replaces(
    mut connection: &AsyncPgConnection,
    requests: &[ReplaceRequest],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let ids = requests.iter().map(|request| request.replace_id.0).collect();
    let statement = MoveReplaces { to: "UNRESOLVED".to_owned(), at, ids, from: "SENT".to_owned() };
    statement.execute(&mut connection).await.map(|_| ())
}

/// Takes that back for requests that provably never left.
pub(in crate::trading) async fn unmark_replaces(
    mut connection: &AsyncPgConnection,
    requests: &[ReplaceRequest],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let ids = requests.iter().map(|request| request.replace_id.0).collect();
    let statement = MoveReplaces { to: "SENT".to_owned(), at, ids, from: "UNRESOLVED".to_owned() };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

statement! {
    ReplacesOverdue { ids: Array<SqlUuid> = Vec<Uuid>, before: Timestamptz = DateTime<Utc> }
    "SELECT r.id FROM trading.replace_requests AS r
     WHERE r.id = ANY (?) AND r.status IN ('UNRESOLVED', 'ACCEPTED') AND r.updated_at <= ?"
}

/// Those of these requests that the broker took, or may have taken, and that nothing was done about since a moment.
pub(in crate::trading) async fn replaces_overdue(
    mut connection: &AsyncPgConnection,
    ids: &[ReplaceId],
    before: DateTime<Utc>,
) -> QueryResult<BTreeSet<ReplaceId>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let statement = ReplacesOverdue { ids: ids.iter().map(|id| id.0).collect(), before };
    let rows: Vec<IdRow> = statement.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| ReplaceId(row.id)).collect())
}

statement! {
    CloseUndone { reason: Text = String, at: Timestamptz = DateTime<Utc>, id: SqlUuid = Uuid }
    "UPDATE trading.replace_requests AS r SET status = 'REJECTED', reason = ?, updated_at = ? WHERE r.id = ?"
}

/// Closes a request that was not done. The caller has locked its order and found that it still waits for it.
pub(in crate::trading) async fn close_undone(
    mut connection: &AsyncPgConnection,
    id: ReplaceId,
    reason: &str,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    CloseUndone { reason: reason.to_owned(), at, id: id.0 }.execute(&mut connection).await.map(|_| ())
}

statement! {
    SaveReplaces {
        ids: Array<SqlUuid> = Vec<Uuid>, statuses: Array<Text> = Vec<String>,
        reasons: Array<Nullable<Text>> = Vec<Option<String>>, at: Timestamptz = DateTime<Utc>,
    }
    "WITH new AS MATERIALIZED (
        SELECT r.id, told.status, told.reason FROM unnest(?, ?, ?) AS told (id, status, reason)
        JOIN trading.replace_requests AS r ON r.id = told.id ORDER BY r.id FOR UPDATE OF r
     )
     UPDATE trading.replace_requests AS r SET status = new.status, reason = new.reason, updated_at = ? FROM new
     WHERE r.id = new.id AND r.status IN ('SENT', 'UNRESOLVED')"
}

/// Writes how sending requests ended; one that was answered meanwhile stays as it is.
pub(in crate::trading) async fn save_replaces(
    mut connection: &AsyncPgConnection,
    outcomes: &[(ReplaceId, RequestStatus, Option<String>)],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let mut statement = SaveReplaces { at, ids: Vec::new(), statuses: Vec::new(), reasons: Vec::new() };
    for (id, status, reason) in outcomes {
        statement.ids.push(id.0);
        statement.statuses.push(status.name().to_owned());
        statement.reasons.push(reason.clone());
    }
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    CloseReplaces { ids: Array<SqlUuid> = Vec<Uuid>, came_true: Array<Bool> = Vec<bool>, at: Timestamptz = DateTime<Utc> }
    "WITH answered AS MATERIALIZED (
        SELECT r.id, told.came_true FROM unnest(?, ?) AS told (id, came_true)
        JOIN trading.replace_requests AS r ON r.id = told.id ORDER BY r.id FOR UPDATE OF r
     )
     UPDATE trading.replace_requests AS r SET updated_at = ?,
        status = CASE WHEN answered.came_true THEN 'ACCEPTED' ELSE 'REJECTED' END,
        reason = CASE WHEN answered.came_true THEN NULL ELSE 'the order ended first' END
     FROM answered WHERE r.id = answered.id AND r.status IN ('SENT', 'UNRESOLVED', 'ACCEPTED')"
}

/// Closes requests that the journal has answered: accepted where their terms came true, rejected where the order ended.
pub(in crate::trading) async fn close_replaces(
    mut connection: &AsyncPgConnection,
    answered: &[(ReplaceId, bool)],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    if answered.is_empty() {
        return Ok(());
    }
    let (ids, came_true) = answered.iter().map(|(id, came_true)| (id.0, *came_true)).unzip();
    CloseReplaces { at, ids, came_true }.execute(&mut connection).await.map(|_| ())
}
