//! What happened, as the stream tells it: a text for every number, keyed by Kiwoom's field numbers. Pure.

use crate::market::{Event, Kind, listed};
use chrono_tz::Asia::Seoul;
use serde_json::{Value, json};

/// The two messages of an event: about the order (type 00) and, after an execution, about what is held (type 04).
pub(crate) fn messages(event: &Event, account: &str) -> Vec<Value> {
    let mut messages = vec![order(event, account)];
    messages.extend(event.execution.map(|_| holding(event, account)));
    messages
}

fn real(kind: &str, name: &str, item: &str, values: &Value) -> Value {
    json!({ "trnm": "REAL", "data": [{ "type": kind, "name": name, "item": item, "values": values }] })
}

fn order(event: &Event, account: &str) -> Value {
    let order = &event.order;
    let side = if order.buys { "+매수" } else { "-매도" };
    let kind = match order.kind {
        Kind::New => side.to_owned(),
        Kind::Change => format!("{side}정정"),
        Kind::Cancel => format!("{side}취소"),
    };
    let (number, quantity, price) = match event.execution {
        Some((number, quantity, price)) => (number.to_string(), quantity.to_string(), price.to_string()),
        None => (String::new(), String::new(), String::new()),
    };
    let filled = event.execution.map(|_| order.filled.to_string()).unwrap_or_default();
    let values = json!({
        "9201": account, "9203": order.number, "9205": "", "9001": format!("A{}", order.code), "912": "JJ",
        "913": event.state, "302": listed(&order.code).map(|row| row.0), "900": order.quantity.to_string(),
        "901": order.price.to_string(), "902": order.open.to_string(), "903": order.worth.to_string(),
        "904": order.original.clone().unwrap_or_else(|| "0000000".into()), "905": kind,
        "906": if order.price == 0 { "시장가" } else { "보통" }, "907": if order.buys { "2" } else { "1" },
        "908": chrono::Utc::now().with_timezone(&Seoul).format("%H%M%S").to_string(),
        "909": number, "910": price, "911": filled, "10": "-69900", "27": "-70000", "28": "-69900",
        "914": price, "915": quantity, "938": order.commission().to_string(), "939": order.tax().to_string(),
        "919": event.reason, "920": "", "2134": "1", "2135": "KRX", "2136": "N",
    });
    real("00", "주문체결", &order.code, &values)
}

fn holding(event: &Event, account: &str) -> Value {
    let order = &event.order;
    let values = json!({
        "9201": account, "9001": format!("A{}", order.code), "917": "00", "302": listed(&order.code).map(|row| row.0),
        "10": "-69900", "930": event.held.to_string(), "931": "70000", "932": "0", "933": event.held.to_string(),
        "945": "0", "946": if order.buys { "2" } else { "1" }, "950": "0", "8019": "0.00", "307": "70000",
    });
    real("04", "잔고", &order.code, &values)
}
