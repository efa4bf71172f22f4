//! Orders as brokers list them, and requests for other terms of them, for tests.

use crate::broker::ListedOrder;
use chrono::{DateTime, Utc};
use domain::broker::ReplaceRequest;
use domain::{OrderId, OrderStatus, OrderType, ReplaceId, Side, TimeInForce};
use rust_decimal::Decimal;

/// A moment, so many seconds after an arbitrary one.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

/// A purchase that works since a second.
pub(super) fn listed(number: &str, quantity: u32, second: i64) -> ListedOrder {
    ListedOrder {
        broker_order_id: number.into(),
        known_as: None,
        symbol: "AAPL".parse().unwrap(),
        side: Side::Buy,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Day,
        limit_price: Some("100".parse().unwrap()),
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
        status: OrderStatus::New,
        quantity: Decimal::from(quantity),
        filled_quantity: Decimal::ZERO,
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        reason: None,
        accepted_at: at(second),
        updated_at: at(second),
        replaces: None,
        resized_by: None,
    }
}

/// A request for another number of shares and another limit.
pub(crate) fn replace_request(listed: &ListedOrder, quantity: &str, price: &str) -> ReplaceRequest {
    ReplaceRequest {
        replace_id: ReplaceId::generate(),
        order_id: listed.known_as.unwrap_or_else(OrderId::generate),
        quantity: quantity.parse().unwrap(),
        limit_price: Some(price.parse().unwrap()),
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
        protection_price: None,
    }
}
