//! `trading.order_events`, and `trading.order_history`, which begins with the orders themselves.

use super::super::order::OrderLogEntry;
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{OrderId, OrderStatus};
use uuid::Uuid;

statement! {
    InsertLog {
        orders: Array<SqlUuid> = Vec<Uuid>, sequences: Array<Integer> = Vec<i32>, events: Array<Text> = Vec<String>,
        statuses: Array<Text> = Vec<String>, details: Array<Nullable<Text>> = Vec<Option<String>>,
        occurred: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    "INSERT INTO trading.order_events (order_id, sequence, event, status, detail, occurred_at)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?)"
}

/// Writes lines of orders' histories.
pub(in crate::trading) async fn insert_log(
    mut connection: &AsyncPgConnection,
    entries: &[OrderLogEntry],
) -> QueryResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let statement = InsertLog {
        orders: entries.iter().map(|entry| entry.order_id.0).collect(),
        sequences: entries.iter().map(|entry| entry.sequence).collect(),
        events: entries.iter().map(|entry| entry.event.to_owned()).collect(),
        statuses: entries.iter().map(|entry| entry.status.name().to_owned()).collect(),
        details: entries.iter().map(|entry| entry.detail.clone()).collect(),
        occurred: entries.iter().map(|entry| entry.occurred_at).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct LogRow {
    #[diesel(sql_type = Integer)]
    sequence: i32,
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
}

/// A line of an order's history, read back.
pub(in crate::trading) struct LogLine {
    pub(in crate::trading) sequence: i32,
    pub(in crate::trading) event: String,
    pub(in crate::trading) status: OrderStatus,
    pub(in crate::trading) detail: Option<String>,
    pub(in crate::trading) occurred_at: DateTime<Utc>,
}

statement! {
    LogOf { order: SqlUuid = Uuid }
    "SELECT sequence, event, status, detail, occurred_at FROM trading.order_history WHERE order_id = ? ORDER BY sequence"
}

/// An order's history, oldest first.
pub(in crate::trading) async fn log_of(
    mut connection: &AsyncPgConnection,
    order: OrderId,
) -> QueryResult<Vec<LogLine>> {
    let rows: Vec<LogRow> = LogOf { order: order.0 }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(LogLine {
                sequence: row.sequence,
                event: row.event,
                status: OrderStatus::from_name(&row.status).ok_or_else(|| corrupt("status"))?,
                detail: row.detail,
                occurred_at: row.occurred_at,
            })
        })
        .collect()
}
