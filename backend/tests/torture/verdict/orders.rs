//! Every order is one that was asked for, as it was asked for, and has ended as orders of its kind end.

use super::broker::Journal;
use crate::books::rows;
use crate::model::{Execution, Terms, decimal};
use crate::processes::House;
use crate::trader::{Record, Trader};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Requests at once when every answer is asked for again.
const REPEATED_AT_ONCE: usize = 8;
/// Fields of an order that never change.
const LASTING: [&str; 11] = [
    "id",
    "accountId",
    "clientOrderId",
    "symbol",
    "currency",
    "side",
    "type",
    "timeInForce",
    "expireDate",
    "notional",
    "createdAt",
];

/// Every order of the account by its id, as the API lists them; fails when a key is there twice.
pub(super) async fn listed(trader: &Trader) -> BTreeMap<String, Value> {
    let (mut orders, mut keys) = (BTreeMap::new(), BTreeSet::new());
    let mut cursor = String::new();
    loop {
        let path = format!("/api/orders?limit=200&accountId={}{cursor}", trader.account);
        let page = trader.visitor.get(&path).await;
        for order in page["orders"].as_array().unwrap() {
            assert!(keys.insert(order["clientOrderId"].as_str().unwrap().to_owned()), "twice: {order}");
            orders.insert(order["id"].as_str().unwrap().to_owned(), order.clone());
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return orders,
        }
    }
}

/// Every close of the account: more than the API lists.
pub(super) async fn closes(house: &House, account: &str) -> Vec<Value> {
    let query = format!(
        "SELECT id::text, key, symbol, status, quantity::text, order_id::text FROM trading.close_requests
         WHERE account_id = '{account}'"
    );
    rows(&house.database_url, &query).await
}

/// What was acknowledged is there, once, as it was acknowledged, and nothing else is.
pub(super) async fn are_those_asked_for(
    trader: &Trader,
    listed: &BTreeMap<String, Value>,
    groups: &[Value],
    closes: &[Value],
) {
    let Record { orders: asked, cancelled, .. } = &trader.record;
    let by_key: BTreeMap<&str, &Value> =
        listed.values().map(|order| (order["clientOrderId"].as_str().unwrap(), order)).collect();
    for (key, asked) in asked {
        let order = by_key.get(key.as_str()).unwrap_or_else(|| panic!("{key} is lost: {:?}", asked.answer));
        if let Some(answered) = asked.made() {
            for field in LASTING {
                assert_eq!(answered[field], order[field], "{field} of {order}");
            }
        }
        assert_eq!(asked.answer.status == 201, order["status"] != "DENIED", "{order}");
    }
    for id in cancelled {
        assert!(listed.contains_key(id), "{id} was cancelled and is lost");
    }
    let legs: BTreeSet<&str> = groups
        .iter()
        .flat_map(|group| group["legs"].as_array().unwrap())
        .filter(|leg| leg["state"] == "placed")
        .map(|leg| leg["orderId"].as_str().unwrap())
        .collect();
    for leg in &legs {
        assert!(listed.contains_key(*leg), "the leg {leg} is lost");
    }
    closes_are_those_asked_for(trader, listed, closes);
    for order in listed.values().filter(|order| !asked.contains_key(order["clientOrderId"].as_str().unwrap()))
    {
        let key = order["clientOrderId"].as_str().unwrap();
        let of_close = closes.iter().any(|close| key.contains(close["id"].as_str().unwrap()));
        assert!(of_close || legs.contains(order["id"].as_str().unwrap()), "nobody asked for it: {order}");
    }
    answers_stay_the_same(trader).await;
}

async fn answers_stay_the_same(trader: &Trader) {
    stream::iter(&trader.record.orders)
        .for_each_concurrent(REPEATED_AT_ONCE, |(key, asked)| async move {
            let again =
                trader.visitor.insist(Method::POST, "/api/orders", Some(key), Some(&asked.body)).await;
            assert_eq!((again.status, &again.text), (asked.answer.status, &asked.answer.text), "{key}");
            assert!(again.replayed || again.status != 201, "{again:?}");
        })
        .await;
}

/// A close that was taken is there, and has sold at most once.
fn closes_are_those_asked_for(trader: &Trader, listed: &BTreeMap<String, Value>, closes: &[Value]) {
    let Record { closes: asked, closes_of_all, .. } = &trader.record;
    let find = |id: &Value| closes.iter().find(|close| close["id"] == *id);
    for asked in asked.values().filter_map(|asked| asked.made()) {
        assert!(find(&asked["id"]).is_some(), "lost: {asked}");
    }
    for answer in closes_of_all.values().filter_map(|asked| asked.made()) {
        let items = answer["items"].as_array().unwrap();
        for item in items.iter().filter(|item| item["outcome"] == "accepted") {
            assert!(find(&item["close"]["id"]).is_some(), "lost: {item}");
        }
    }
    for close in closes {
        let id = close["id"].as_str().unwrap();
        let sales: Vec<&Value> = listed
            .values()
            .filter(|order| order["clientOrderId"].as_str().unwrap().contains(id))
            .filter(|order| order["status"] != "DENIED")
            .collect();
        let is_placed = close["status"] == "PLACED";
        assert_eq!(sales.len(), usize::from(is_placed), "a close sells once: {close} {sales:#?}");
        for sale in sales {
            assert_eq!(sale["id"], close["order_id"], "{close}");
            // What is owed is bought back.
            assert!(sale["side"] == "sell" || trader.sells_short, "{close}");
            assert_eq!(decimal(&sale["quantity"]), decimal(&close["quantity"]), "{close}");
        }
    }
}

/// Each order stands as the broker's reports leave it, and has ended as its kind may end.
pub(super) fn are_as_reported(trader: &Trader, listed: &BTreeMap<String, Value>, journal: &Journal) {
    let mut executions: BTreeMap<&str, Vec<&Execution>> = BTreeMap::new();
    for execution in &journal.executions {
        executions.entry(&execution.order).or_default().push(execution);
    }
    for (id, order) in listed {
        let executed = executions.remove(id.as_str()).unwrap_or_default();
        let replaced = journal.replaced.get(id).map_or(&[][..], Vec::as_slice);
        terms_are_those_asked_for(trader, order, replaced);
        has_ended_lawfully(order, &executed, journal.ended.get(id).map(String::as_str));
        let terms: Vec<Terms> = replaced.iter().copied().chain([Terms::of(order)]).collect();
        let first = trader.record.orders.get(order["clientOrderId"].as_str().unwrap());
        let first = first.and_then(|asked| asked.made()).map(|answered| Terms::of(&answered));
        for execution in &executed {
            let mut known = terms.iter().chain(&first);
            let is_allowed = known.any(|terms| terms.allow(execution.is_purchase, execution.price));
            assert!(is_allowed, "{execution:?} of {order}");
        }
    }
    assert!(executions.is_empty(), "executions of no order: {executions:?}");
}

/// Terms that came true were asked for, and the last of them are the order's.
fn terms_are_those_asked_for(trader: &Trader, order: &Value, replaced: &[Terms]) {
    let key = order["clientOrderId"].as_str().unwrap();
    let Some(answered) = trader.record.orders.get(key).and_then(|asked| asked.made()) else { return };
    let changes = trader.record.changes.get(order["id"].as_str().unwrap());
    let mut asked: Vec<&Value> = changes.into_iter().flatten().collect();
    let mut terms = Terms::of(&answered);
    for came_true in replaced {
        let place = asked.iter().position(|change| terms.changed(change) == *came_true);
        let place = place.unwrap_or_else(|| panic!("nobody asked for {came_true:?}: {order} {asked:?}"));
        terms = terms.changed(asked.remove(place));
    }
    let filled = decimal(&order["filledQuantity"]);
    if terms.quantity <= filled {
        // No more than what is filled ends the order with that.
        assert_eq!(decimal(&order["quantity"]), filled, "{order}");
    } else {
        assert_eq!(Terms::of(order), terms, "{order}");
    }
}

fn has_ended_lawfully(order: &Value, executed: &[&Execution], reported: Option<&str>) {
    let (quantity, filled) = (decimal(&order["quantity"]), decimal(&order["filledQuantity"]));
    let (status, lifetime) = (order["status"].as_str().unwrap(), order["timeInForce"].as_str().unwrap());
    let expected = match reported {
        Some("canceled") => "CANCELED",
        Some("expired") => "EXPIRED",
        Some(_) => "REJECTED",
        None if executed.is_empty() => "DENIED",
        None => "FILLED",
    };
    assert_eq!(status, expected, "{order}");
    assert_eq!(status == "FILLED", filled == quantity, "{order}");
    assert!(filled <= quantity, "{order}");
    let leaves = decimal(&order["leavesQuantity"]);
    assert_eq!(leaves, Decimal::ZERO, "{order}");
    if status == "EXPIRED" {
        assert!(lifetime == "day" || lifetime == "gtd", "{order}");
    }
    if lifetime == "ioc" || lifetime == "fok" {
        assert!(filled.is_zero() || filled == quantity, "executions are whole: {order}");
    }
    let waits = order["type"] == "limit" && !matches!(lifetime, "ioc" | "fok");
    if status == "CANCELED" && waits {
        assert_eq!(order["cancelRequested"], true, "nobody wanted it back: {order}");
    }
}
