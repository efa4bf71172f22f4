//! `trading.cancel_requests`. Statements that write several lock them by their ids first: those who hold an order and those
//! who only know its request would otherwise wait for each other.

use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId};
use std::time::Duration;
use uuid::Uuid;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) enum RequestStatus {
    /// Sent, but nobody knows whether it arrived; sent again until the answer is known.
    Unresolved,
    /// The broker took it, or the order ended by it.
    Accepted,
    /// There was nothing left to cancel.
    Rejected,
}

impl RequestStatus {
    pub(in crate::trading) const fn name(self) -> &'static str {
        match self {
            Self::Unresolved => "UNRESOLVED",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
        }
    }
}

statement! {
    InsertCancel { id: SqlUuid = Uuid, order: SqlUuid = Uuid, at: Timestamptz = DateTime<Utc> }
    "INSERT INTO trading.cancel_requests (id, order_id, status, created_at, updated_at)
     SELECT new.id, new.order_id, 'SENT', new.at, new.at
     FROM (SELECT ?::uuid AS id, ?::uuid AS order_id, ?::timestamptz AS at) AS new ON CONFLICT DO NOTHING"
}

/// Writes a request, unless one is under way already.
pub(in crate::trading) async fn insert_cancel(
    mut connection: &AsyncPgConnection,
    order: OrderId,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    InsertCancel { id: Uuid::now_v7(), order: order.0, at }.execute(&mut connection).await.map(|_| ())
}

/// A request that the broker must hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) struct CancelRequest {
    pub(in crate::trading) id: Uuid,
    pub(in crate::trading) order_id: OrderId,
    pub(in crate::trading) account_id: AccountId,
}

#[derive(QueryableByName)]
struct CancelRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

statement! {
    CancelsToDispatch {
        broker: Text = String, again_after_seconds: Double = f64, paused: Array<SqlUuid> = Vec<Uuid>, limit: BigInt = i64,
    }
    "SELECT c.id, c.order_id, o.account_id FROM trading.cancel_requests AS c JOIN trading.orders AS o ON o.id = c.order_id
     JOIN account.accounts AS a ON a.id = o.account_id AND a.broker = ?
     WHERE (c.status IN ('SENT', 'UNRESOLVED')
        OR c.status = 'ACCEPTED' AND c.updated_at <= now() - make_interval(secs => ?)) AND NOT o.account_id = ANY (?)
       AND o.status IN ('NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY')
     ORDER BY c.id LIMIT ?"
}

/// Requests whose orders are known to be at a broker: one that overtook its order would find nothing to cancel. One that the
/// broker took so long ago, and that has ended nothing, is sent again: its market may have refused it without a word. Those
/// of paused accounts wait.
pub(in crate::trading) async fn cancels_to_dispatch(
    mut connection: &AsyncPgConnection,
    (broker, paused): (&str, &[AccountId]),
    again_after: Duration,
    limit: i64,
) -> QueryResult<Vec<CancelRequest>> {
    let paused = paused.iter().map(|account| account.0).collect();
    let statement = CancelsToDispatch {
        broker: broker.to_owned(),
        again_after_seconds: again_after.as_secs_f64(),
        paused,
        limit,
    };
    let rows: Vec<CancelRow> = statement.load(&mut connection).await?;
    let request = |row: CancelRow| CancelRequest {
        id: row.id,
        order_id: OrderId(row.order_id),
        account_id: AccountId(row.account_id),
    };
    Ok(rows.into_iter().map(request).collect())
}

statement! {
    SaveCancels {
        ids: Array<SqlUuid> = Vec<Uuid>, statuses: Array<Text> = Vec<String>,
        reasons: Array<Nullable<Text>> = Vec<Option<String>>, at: Timestamptz = DateTime<Utc>,
    }
    "WITH new AS MATERIALIZED (
        SELECT c.id, told.status, told.reason FROM unnest(?, ?, ?) AS told (id, status, reason)
        JOIN trading.cancel_requests AS c ON c.id = told.id ORDER BY c.id FOR UPDATE OF c
     )
     UPDATE trading.cancel_requests AS c SET status = new.status, reason = new.reason, updated_at = ? FROM new
     WHERE c.id = new.id AND (c.status IN ('SENT', 'UNRESOLVED') OR c.status = 'ACCEPTED'
        AND EXISTS (SELECT FROM trading.orders AS o WHERE o.id = c.order_id AND o.is_open))"
}

/// Writes how sending requests ended; one that its order's end has closed meanwhile stays as it is. The caller has locked the
/// orders in a statement before: one of them could otherwise end while this waits, and still look open to it.
pub(in crate::trading) async fn save_cancels(
    mut connection: &AsyncPgConnection,
    outcomes: Vec<(CancelRequest, RequestStatus, Option<String>)>,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let mut statement = SaveCancels { at, ids: Vec::new(), statuses: Vec::new(), reasons: Vec::new() };
    for (request, status, reason) in outcomes {
        statement.ids.push(request.id);
        statement.statuses.push(status.name().to_owned());
        statement.reasons.push(reason);
    }
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    CloseCancels { orders: Array<SqlUuid> = Vec<Uuid>, canceled: Array<Bool> = Vec<bool>, at: Timestamptz = DateTime<Utc> }
    "WITH ended AS MATERIALIZED (
        SELECT c.id, told.canceled FROM unnest(?, ?) AS told (order_id, canceled)
        JOIN trading.cancel_requests AS c ON c.order_id = told.order_id ORDER BY c.id FOR UPDATE OF c
     )
     UPDATE trading.cancel_requests AS c SET updated_at = ?,
        status = CASE WHEN ended.canceled THEN 'ACCEPTED' ELSE 'REJECTED' END,
        reason = CASE WHEN ended.canceled THEN NULL ELSE 'the order ended otherwise' END
     FROM ended WHERE c.id = ended.id AND c.status IN ('SENT', 'UNRESOLVED', 'ACCEPTED')"
}

/// Closes the requests of orders that have ended: accepted where the order was cancelled, rejected where not.
pub(in crate::trading) async fn close_cancels(
    mut connection: &AsyncPgConnection,
    ended: Vec<(OrderId, bool)>,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let (orders, canceled) = ended.into_iter().map(|(order, canceled)| (order.0, canceled)).unzip();
    CloseCancels { at, orders, canceled }.execute(&mut connection).await.map(|_| ())
}

/// A request of an order's history.
#[derive(Debug, QueryableByName)]
pub(in crate::trading) struct RequestLine {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::trading) id: Uuid,
    #[diesel(sql_type = Text)]
    pub(in crate::trading) kind: String,
    #[diesel(sql_type = Text)]
    pub(in crate::trading) status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(in crate::trading) reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::trading) created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::trading) updated_at: DateTime<Utc>,
}

statement! {
    RequestsOf { cancels_of: SqlUuid = Uuid, replaces_of: SqlUuid = Uuid }
    "SELECT id, 'cancel' AS kind, status, reason, created_at, updated_at FROM trading.cancel_requests
     WHERE order_id = ?
     UNION ALL
     SELECT id, 'replace' AS kind, status, reason, created_at, updated_at FROM trading.replace_requests
     WHERE order_id = ? ORDER BY created_at, id"
}

/// Everything that was asked of the broker about an order, oldest first.
pub(in crate::trading) async fn requests_of(
    mut connection: &AsyncPgConnection,
    order: OrderId,
) -> QueryResult<Vec<RequestLine>> {
    RequestsOf { cancels_of: order.0, replaces_of: order.0 }.load(&mut connection).await
}
