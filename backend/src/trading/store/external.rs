//! Orders that were made elsewhere, written into `trading.orders`.

use super::super::order::{Order, OrderLogEntry};
use super::insert_log;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::QueryResult;
use diesel::sql_types::{Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::Price;
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    InsertExternal {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, client_order_id: Text = String,
        symbol: Text = String, side: Text = String, order_type: Text = String, time_in_force: Text = String,
        quantity: Numeric = Decimal, limit_price: Nullable<Numeric> = Option<Decimal>,
        worst_price: Nullable<Numeric> = Option<Decimal>, fees_max: Numeric = Decimal, status: Text = String,
        held: Numeric = Decimal, origin: Text = String, created: Timestamptz = DateTime<Utc>,
        updated: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type, time_in_force,
        quantity, limit_price, worst_price, fees_max, status, held, origin, is_open, event_sequence, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, true, 1, ?, ?)"
}

/// Writes an order that was found at a broker, with its first event.
pub(in crate::trading) async fn insert_external(
    mut connection: &AsyncPgConnection,
    order: &Order,
    entry: &OrderLogEntry,
) -> QueryResult<()> {
    let statement = InsertExternal {
        id: order.id.0,
        account: order.wish.account_id.0,
        user: order.user_id.0,
        client_order_id: order.client_order_id.clone(),
        symbol: order.wish.symbol.to_string(),
        side: order.wish.side.name().to_owned(),
        order_type: order.wish.pricing.order_type().name().to_owned(),
        time_in_force: order.wish.lifetime.time_in_force().name().to_owned(),
        quantity: order.quantity.value(),
        limit_price: order.wish.pricing.limit_price().map(Price::value),
        worst_price: order.worst_price.map(Price::value),
        fees_max: order.fees_max,
        status: order.status.name().to_owned(),
        held: order.held,
        origin: order.origin.name().to_owned(),
        created: order.created_at,
        updated: order.updated_at,
    };
    statement.execute(&mut connection).await?;
    insert_log(connection, std::slice::from_ref(entry)).await
}
