//! What is, in Alpaca's shapes. Pure.

use crate::market::{Activity, ActivityKind, Event, Market, Order};
use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn text(number: Decimal) -> String {
    number.normalize().to_string()
}

pub(crate) fn order(order: &Order) -> Value {
    let average = order.filled_worth.checked_div(order.filled).map(text);
    let ended = |status: &str| (order.status == status).then(|| written(order.updated_at));
    json!({
        "id": order.id, "client_order_id": order.client_order_id, "status": order.status,
        "symbol": order.symbol, "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "asset_class": "us_equity",
        "qty": order.notional.is_none().then(|| text(order.quantity)), "notional": order.notional.map(text), "filled_qty": text(order.filled),
        "filled_avg_price": average, "side": order.side, "type": order.order_type,
        "order_type": order.order_type, "order_class": order.member.class, "time_in_force": order.time_in_force,
        "limit_price": order.limit_price.map(text), "stop_price": order.stop_price.map(text),
        "trail_price": order.trail_price.map(text), "trail_percent": order.trail_percent.map(text),
        "hwm": null, "extended_hours": false, "legs": null, "position_intent": null, "source": null,
        "subtag": null, "created_at": written(order.submitted_at), "updated_at": written(order.updated_at),
        "submitted_at": written(order.submitted_at), "filled_at": ended("filled"),
        "expired_at": ended("expired"), "canceled_at": ended("canceled"), "failed_at": ended("rejected"),
        "replaced_at": ended("replaced"), "replaced_by": order.replaced_by, "replaces": order.replaces,
    })
}

/// An order with what came with it.
pub(crate) fn nested(market: &Market, parent: &Order) -> Value {
    let legs: Vec<Value> = market.legs(parent).into_iter().map(order).collect();
    let mut value = order(parent);
    if let Some(object) = value.as_object_mut().filter(|_| !legs.is_empty()) {
        object.insert("legs".into(), legs.into());
    }
    value
}

pub(crate) fn account(market: &Market) -> Value {
    let worth: Decimal = market.positions.values().sum::<Decimal>() * Decimal::ONE_HUNDRED;
    json!({
        "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98", "account_number": market.number, "status": "ACTIVE",
        "crypto_status": "ACTIVE", "currency": "USD", "cash": text(market.cash),
        "buying_power": text(market.cash), "regt_buying_power": text(market.cash),
        "non_marginable_buying_power": text(market.cash), "equity": text(market.cash + worth),
        "last_equity": text(market.cash), "portfolio_value": text(market.cash + worth),
        "long_market_value": text(worth), "short_market_value": "0", "initial_margin": "0",
        "maintenance_margin": "0", "last_maintenance_margin": "0", "sma": "0", "multiplier": "1",
        "accrued_fees": "0", "pending_transfer_in": "0", "trading_blocked": false, "transfers_blocked": false,
        "account_blocked": false, "trade_suspended_by_user": false, "shorting_enabled": false,
        "pattern_day_trader": false, "daytrade_count": 0, "created_at": "2026-01-02T15:04:05Z",
    })
}

pub(crate) fn positions(market: &Market) -> Value {
    let rows = market.positions.iter().map(|(symbol, quantity)| {
        json!({
            "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "symbol": symbol, "exchange": "NASDAQ",
            "asset_class": "us_equity", "asset_marginable": true, "avg_entry_price": "100",
            "qty": text(*quantity), "qty_available": text(*quantity), "side": "long",
            "market_value": text(*quantity * Decimal::ONE_HUNDRED), "cost_basis": text(*quantity * Decimal::ONE_HUNDRED),
            "unrealized_pl": "0", "unrealized_plpc": "0", "unrealized_intraday_pl": "0",
            "unrealized_intraday_plpc": "0", "current_price": "100", "lastday_price": "100", "change_today": "0",
        })
    });
    rows.collect()
}

pub(crate) fn activity(market: &Market, activity: &Activity) -> Value {
    match &activity.kind {
        ActivityKind::Fill { order, quantity, price, cumulative } => {
            let order = market.orders.get(*order);
            let leaves = order.map_or(Decimal::ZERO, |order| order.quantity - *cumulative);
            json!({
                "id": activity.id, "activity_type": "FILL", "transaction_time": written(activity.at),
                "type": if leaves.is_zero() { "fill" } else { "partial_fill" }, "price": text(*price),
                "qty": text(*quantity), "side": order.map(|order| order.side.clone()),
                "symbol": order.map(|order| order.symbol.clone()), "leaves_qty": text(leaves),
                "order_id": order.map(|order| order.id.clone()), "cum_qty": text(*cumulative),
                "order_status": order.map(|order| order.status),
            })
        }
        ActivityKind::Movement { movement, is_undone } => {
            let mut row = json!({
                "id": activity.id, "activity_type": movement.word, "date": activity.at.date_naive().to_string(),
                "net_amount": text(movement.amount), "status": if *is_undone { "canceled" } else { "executed" },
                "description": "", "currency": "USD", "created_at": written(activity.at),
            });
            let each = movement.quantity.and_then(|quantity| movement.amount.checked_div(quantity));
            if let Some(object) = row.as_object_mut() {
                object.extend(movement.symbol.clone().map(|symbol| ("symbol".into(), symbol.into())));
                object.extend(movement.quantity.map(|quantity| ("qty".into(), text(quantity).into())));
                object.extend(each.map(|each| ("per_share_amount".into(), text(each).into())));
            }
            row
        }
    }
}

pub(crate) fn event(event: &Event) -> Value {
    let mut data = json!({
        "event": event.word, "timestamp": written(event.at), "order": order(&event.order),
        "execution_id": uuid::Uuid::now_v7(),
    });
    if let (Some(object), Some((quantity, price))) = (data.as_object_mut(), event.execution) {
        object.insert("qty".into(), text(quantity).into());
        object.insert("price".into(), text(price).into());
        object.insert("position_qty".into(), text(event.order.filled).into());
    }
    json!({ "stream": "trade_updates", "data": data })
}

pub(crate) fn refusal(code: u64, message: &str) -> Value {
    json!({ "code": code, "message": message })
}
