//! What must be true after the load, whatever was killed.

use crate::books::{assert_books_balance, rows};
use crate::listener::Listener;
use crate::load::{Record, Trader};
use crate::processes::{House, INTERNAL_TOKEN, Waiting};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// Longest wait until nothing is under way.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// Requests at once when every answer is asked for again.
const REPEATED_AT_ONCE: usize = 8;
/// Lines of a page of the brokers' journal.
const PAGE_LINES: usize = 100;
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
    "quantity",
    "limitPrice",
    "createdAt",
];

/// What is still under way, and how far the journal is applied.
const UNDER_WAY: &str = "
    SELECT 'order' AS what, id::text AS which FROM trading.orders
    WHERE status = 'PENDING_NEW' OR unresolved_since IS NOT NULL
    UNION ALL SELECT 'cancel', order_id::text FROM trading.cancel_requests AS c JOIN trading.orders AS o ON o.id = c.order_id
    WHERE c.status IN ('SENT', 'UNRESOLVED') OR (c.status = 'ACCEPTED'
        AND o.status NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'))
    UNION ALL SELECT 'report', id::text FROM broker.execution_reports
    WHERE id > (SELECT last_id FROM trading.report_cursor)";

/// Orders that are not the same here and at the simulator; meaningful where no report is under way.
const DIFFERENCES: &str = "
    SELECT o.id AS ours, s.order_id AS theirs, o.status, s.status AS their_status, o.filled_quantity::text,
        s.filled_quantity::text AS their_filled_quantity
    FROM (SELECT * FROM trading.orders WHERE status <> 'DENIED') AS o
    FULL JOIN broker.simulator_orders AS s ON s.order_id = o.id
    WHERE NOT EXISTS (SELECT FROM broker.execution_reports
                      WHERE id > (SELECT last_id FROM trading.report_cursor))
      AND (o.account_id, o.symbol, o.side, o.order_type, o.time_in_force, o.quantity, o.limit_price, o.status,
              o.filled_quantity, o.commission, o.tax)
          IS DISTINCT FROM (s.account_id, s.symbol, s.side, s.order_type, s.time_in_force, s.quantity, s.limit_price,
              s.status, s.filled_quantity, s.commission, s.tax)";

/// Waits until every order has left and every report is applied.
pub(crate) async fn nothing_is_under_way(house: &House) {
    let waiting = Waiting::until(QUIET_MAX);
    loop {
        let under_way = rows(&house.database_url, UNDER_WAY).await;
        if under_way.is_empty() {
            break;
        }
        waiting.pause(|| format!("still under way: {under_way:#?}")).await;
    }
    let differences = rows(&house.database_url, DIFFERENCES).await;
    assert!(differences.is_empty(), "{differences:#?}");
}

/// Takes back what is open, so that nothing moves any more.
pub(crate) async fn take_everything_back(house: &House, trader: &mut Trader) {
    let path = format!("/api/orders?status=open&limit=200&accountId={}", trader.account);
    let waiting = Waiting::until(QUIET_MAX);
    loop {
        let open = trader.visitor.get(&path).await;
        let open = open["orders"].as_array().unwrap();
        if open.is_empty() {
            return;
        }
        for order in open.iter().filter(|order| order["cancelRequested"] == false) {
            trader.cancel(order["id"].as_str().unwrap()).await;
        }
        waiting.pause(|| format!("at {} still open: {open:#?}", house.backend)).await;
    }
}

/// Every order of the account by its key, as the API lists them; fails when a key is there twice.
pub(crate) async fn listed(trader: &Trader) -> BTreeMap<String, Value> {
    let mut orders = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/orders?limit=200&accountId={}{cursor}", trader.account);
        let page = trader.visitor.get(&path).await;
        for order in page["orders"].as_array().unwrap() {
            let key = order["clientOrderId"].as_str().unwrap().to_owned();
            assert!(orders.insert(key, order.clone()).is_none(), "twice: {order}");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return orders,
        }
    }
}

/// What was acknowledged is there, once, as it was acknowledged, and nothing else is.
pub(crate) async fn orders_are_those_asked_for(trader: &Trader, listed: &BTreeMap<String, Value>) {
    let Record { orders: asked, cancelled, .. } = &trader.record;
    let keys = |keys: &mut dyn Iterator<Item = &String>| keys.cloned().collect::<BTreeSet<String>>();
    assert_eq!(keys(&mut asked.keys()), keys(&mut listed.keys()), "what was asked for, and what there is");
    for (key, asked) in asked {
        let order = &listed[key];
        if asked.answer.status == 201 {
            let answered = asked.answer.json();
            for field in LASTING {
                assert_eq!(answered[field], order[field], "{field} of {order}");
            }
        }
        assert_eq!(asked.answer.status == 201, order["status"] != "DENIED", "{order}");
        let ended =
            ["filled", "cancelled", "expired", "rejected"].iter().any(|state| order["state"] == *state);
        assert!(ended, "{order}");
    }
    for id in cancelled {
        assert!(listed.values().any(|order| order["id"] == id.as_str()), "{id}");
    }
    stream::iter(asked)
        .for_each_concurrent(REPEATED_AT_ONCE, |(key, asked)| async move {
            let again =
                trader.visitor.insist(Method::POST, "/api/orders", Some(key), Some(&asked.body)).await;
            assert_eq!((again.status, &again.text), (asked.answer.status, &asked.answer.text), "{key}");
            assert!(again.replayed || again.status != 201, "{again:?}");
        })
        .await;
}

async fn ask_connector(house: &House, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", house.broker_connector));
    let answer = request.header("X-Gaemi-Internal-Token", INTERNAL_TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}")).parse().unwrap()
}

/// Cash is deposits and fills, shares are fills, both as the broker tells them; every execution is there once.
pub(crate) async fn money_and_shares_are_the_brokers(
    house: &House,
    trader: &Trader,
    listed: &BTreeMap<String, Value>,
) {
    let account = &trader.account;
    let sync = ask_connector(house, &format!("/broker/accounts/{account}/sync")).await;
    assert_eq!(sync["orders"], Value::Array(Vec::new()));
    let traded: Decimal =
        sync["tradeCash"].as_array().unwrap().iter().map(|cash| decimal(&cash["amount"])).sum();
    let balance = trader.visitor.get(&format!("/api/accounts/{account}/balance")).await;
    assert_eq!(decimal(&balance["cash"]), trader.record.deposited + traded, "{balance} {sync}");
    assert_eq!(decimal(&balance["held"]), Decimal::ZERO);
    let value = trader.visitor.get(&format!("/api/portfolio?accountId={account}")).await;
    assert_eq!(decimal(&value["accounts"][0]["netDeposits"]), trader.record.deposited);

    let shares = |positions: &Value| -> BTreeMap<String, Decimal> {
        let positions = positions["positions"].as_array().unwrap().iter();
        let named = positions.map(|p| (p["symbol"].as_str().unwrap().to_owned(), decimal(&p["quantity"])));
        named.filter(|(_, quantity)| !quantity.is_zero()).collect()
    };
    let ours = trader.visitor.get(&format!("/api/portfolio/positions?accountId={account}")).await;
    assert_eq!(shares(&ours), shares(&sync));

    let mut executed: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut known = HashSet::new();
    let mut after = 0;
    loop {
        let path = format!("/broker/executions?accountId={account}&after={after}&limit={PAGE_LINES}");
        let page = ask_connector(house, &path).await;
        let reports = page["reports"].as_array().unwrap();
        for report in reports.iter().filter(|report| report["kind"] == "fill") {
            assert!(known.insert(report["executionId"].as_str().unwrap().to_owned()), "twice: {report}");
            let order = report["orderId"].as_str().unwrap().to_owned();
            *executed.entry(order).or_default() += decimal(&report["quantity"]);
        }
        if reports.len() < PAGE_LINES {
            break;
        }
        after = page["after"].as_i64().unwrap();
    }
    for order in listed.values() {
        let executed = executed.remove(order["id"].as_str().unwrap()).unwrap_or_default();
        assert_eq!(decimal(&order["filledQuantity"]), executed, "{order}");
    }
    assert!(executed.is_empty(), "executions of no order: {executed:?}");
}

/// The listener has heard every event of its user once, in order, and so knows how every order ended.
pub(crate) async fn everything_was_heard(
    house: &House,
    mut listener: Listener,
    traders: &[&BTreeMap<String, Value>],
) -> u64 {
    let order = traders.iter().find_map(|orders| orders.values().next()).expect("an order");
    let of_user = format!(
        "FROM events.events WHERE user_id = (SELECT user_id FROM trading.orders WHERE id = '{}')",
        order["id"].as_str().unwrap()
    );
    let newest = rows(&house.database_url, &format!("SELECT max(id) AS id {of_user}")).await;
    let newest = newest[0]["id"].as_i64().unwrap();
    let waiting = Waiting::until(QUIET_MAX);
    while listener.last_id().await < newest {
        waiting.pause(|| format!("event {newest} was not heard")).await;
    }
    let heard = listener.stop();
    let written = rows(&house.database_url, &format!("SELECT id, kind {of_user} ORDER BY id")).await;
    let written: Vec<(i64, &str)> =
        written.iter().map(|row| (row["id"].as_i64().unwrap(), row["kind"].as_str().unwrap())).collect();
    let told: Vec<(i64, &str)> = heard.events.iter().map(|event| (event.id, event.kind.as_str())).collect();
    assert!(told == written, "{} events were written and {} heard", written.len(), told.len());

    let mut last_words: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in heard.events.iter().filter(|event| event.kind == "order") {
        last_words.insert(event.data["id"].as_str().unwrap(), &event.data);
    }
    for order in traders.iter().flat_map(|orders| orders.values()) {
        let last_word = last_words.remove(order["id"].as_str().unwrap()).unwrap_or(&Value::Null);
        assert_eq!(last_word, order, "the last event of an order is the order");
    }
    assert!(last_words.is_empty(), "events of orders that are not: {last_words:?}");
    heard.streams
}

/// The invariants hold, and nothing has happened that a person would have to look at. Says how many orders it was
/// unknown of for a while whether the broker has them.
pub(crate) async fn the_books_are_in_order(house: &House) -> usize {
    assert_books_balance(&house.database_url).await;
    let incidents = rows(&house.database_url, "SELECT * FROM trading.incidents").await;
    assert!(incidents.is_empty(), "{incidents:#?}");
    let unresolved = "SELECT DISTINCT order_id FROM trading.order_events WHERE event = 'unresolved'";
    rows(&house.database_url, unresolved).await.len()
}
