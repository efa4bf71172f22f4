//! `trading.inquiries`: what left for whom, and what is being asked.

use super::super::delivery::Inquiry;
use super::super::order::Order;
use super::orders::{OrderRow, order_columns, select_orders};
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::OrderId;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

#[derive(QueryableByName)]
struct InquiryRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Integer)]
    absences: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    given_up_at: Option<DateTime<Utc>>,
}

impl From<InquiryRow> for Inquiry {
    fn from(row: InquiryRow) -> Self {
        Self {
            order_id: OrderId(row.order_id),
            sent_at: row.sent_at,
            tries: row.tries,
            absences: row.absences,
            next_at: row.next_at,
            given_up_at: row.given_up_at,
        }
    }
}

statement! {
    InquiriesOf { orders: Array<SqlUuid> = Vec<Uuid> }
    "SELECT order_id, sent_at, tries, absences, next_at, given_up_at FROM trading.inquiries WHERE order_id = ANY (?)"
}

/// The inquiries of orders; orders that nothing is known of get a fresh one.
pub(in crate::trading) async fn inquiries_of(
    mut connection: &AsyncPgConnection,
    orders: &[OrderId],
) -> QueryResult<HashMap<OrderId, Inquiry>> {
    let query = InquiriesOf { orders: orders.iter().map(|order| order.0).collect() };
    let rows: Vec<InquiryRow> = query.load(&mut connection).await?;
    let fresh = |order_id: OrderId| Inquiry {
        order_id,
        sent_at: None,
        tries: 0,
        absences: 0,
        next_at: None,
        given_up_at: None,
    };
    let mut inquiries: HashMap<OrderId, Inquiry> =
        orders.iter().map(|order| (*order, fresh(*order))).collect();
    inquiries.extend(rows.into_iter().map(Inquiry::from).map(|inquiry| (inquiry.order_id, inquiry)));
    Ok(inquiries)
}

statement! {
    MarkSent { at: Timestamptz = DateTime<Utc>, orders: Array<SqlUuid> = Vec<Uuid> }
    "INSERT INTO trading.inquiries (sent_at, order_id) SELECT ?, sent.order_id FROM unnest(?) AS sent (order_id)
     ON CONFLICT (order_id) DO UPDATE SET sent_at = excluded.sent_at WHERE inquiries.sent_at IS NULL
     RETURNING order_id, sent_at, tries, absences, next_at, given_up_at"
}

/// Writes that orders are about to leave and says which of them may: those that were marked before may have left.
pub(in crate::trading) async fn mark_sent(
    mut connection: &AsyncPgConnection,
    orders: &[OrderId],
    at: DateTime<Utc>,
) -> QueryResult<HashSet<OrderId>> {
    let query = MarkSent { at, orders: orders.iter().map(|order| order.0).collect() };
    let rows: Vec<InquiryRow> = query.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| OrderId(row.order_id)).collect())
}

statement! {
    UnmarkSent { orders: Array<SqlUuid> = Vec<Uuid> }
    "UPDATE trading.inquiries SET sent_at = NULL WHERE order_id = ANY (?)"
}

/// Writes that orders provably never left.
pub(in crate::trading) async fn unmark_sent(
    mut connection: &AsyncPgConnection,
    orders: &[OrderId],
) -> QueryResult<()> {
    UnmarkSent { orders: orders.iter().map(|order| order.0).collect() }
        .execute(&mut connection)
        .await
        .map(|_| ())
}

statement! {
    SaveInquiries {
        orders: Array<SqlUuid> = Vec<Uuid>, sent: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        tries: Array<Integer> = Vec<i32>, absences: Array<Integer> = Vec<i32>,
        next: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        given_up: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
    }
    "INSERT INTO trading.inquiries (order_id, sent_at, tries, absences, next_at, given_up_at)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?)
     ON CONFLICT (order_id) DO UPDATE SET tries = excluded.tries, absences = excluded.absences,
        next_at = excluded.next_at, given_up_at = excluded.given_up_at"
}

/// Writes where inquiries stand.
pub(in crate::trading) async fn save_inquiries(
    mut connection: &AsyncPgConnection,
    inquiries: &[Inquiry],
) -> QueryResult<()> {
    if inquiries.is_empty() {
        return Ok(());
    }
    let statement = SaveInquiries {
        orders: inquiries.iter().map(|inquiry| inquiry.order_id.0).collect(),
        sent: inquiries.iter().map(|inquiry| inquiry.sent_at).collect(),
        tries: inquiries.iter().map(|inquiry| inquiry.tries).collect(),
        absences: inquiries.iter().map(|inquiry| inquiry.absences).collect(),
        next: inquiries.iter().map(|inquiry| inquiry.next_at).collect(),
        given_up: inquiries.iter().map(|inquiry| inquiry.given_up_at).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    /// Written so that it begins with the inquiries, of which there are few, and never reads all orders.
    DueInquiries { now: Timestamptz = DateTime<Utc>, broker: Text = String, limit: BigInt = i64 }
    select_orders!("WHERE o.id = ANY (ARRAY(
        SELECT i.order_id FROM trading.inquiries AS i
        CROSS JOIN LATERAL (SELECT account_id FROM trading.orders WHERE id = i.order_id OFFSET 0) AS asked
        JOIN account.accounts AS a ON a.id = asked.account_id
        WHERE i.next_at <= ? AND a.broker = ? ORDER BY i.next_at LIMIT ?))")
}

/// The orders at a broker that are due to be asked for, as they stand.
pub(in crate::trading) async fn orders_to_ask_for(
    mut connection: &AsyncPgConnection,
    broker: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let rows: Vec<OrderRow> =
        DueInquiries { now, broker: broker.to_owned(), limit }.load(&mut connection).await?;
    rows.into_iter().map(Order::try_from).collect()
}

statement! {
    CloseInquiries { orders: Array<SqlUuid> = Vec<Uuid> }
    "UPDATE trading.inquiries SET next_at = NULL WHERE order_id = ANY (?)"
}

/// Ends the questions about orders that were heard of.
pub(in crate::trading) async fn close_inquiries(
    mut connection: &AsyncPgConnection,
    orders: &[OrderId],
) -> QueryResult<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let statement = CloseInquiries { orders: orders.iter().map(|order| order.0).collect() };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    InquiryOf { order: SqlUuid = Uuid }
    "SELECT order_id, sent_at, tries, absences, next_at, given_up_at FROM trading.inquiries WHERE order_id = ?"
}

/// The inquiry of an order, if there ever was one.
pub(in crate::trading) async fn inquiry_of(
    mut connection: &AsyncPgConnection,
    order: OrderId,
) -> QueryResult<Option<Inquiry>> {
    let row: Option<InquiryRow> =
        InquiryOf { order: order.0 }.get_result(&mut connection).await.optional()?;
    Ok(row.map(Inquiry::from))
}
