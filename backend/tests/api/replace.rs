//! `PATCH /api/orders/{id}`: other terms for an open order.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::eventually;
use crate::trader::{Trader, decimal};
use rust_decimal::Decimal;
use serde_json::{Value, json};

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

/// A trader with an order that waits far below the market.
async fn waiting(amount: &str) -> (Trader, String) {
    let trader = Trader::with("USD", amount).await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "10", Some("2")).await.expect(201).json();
    trader.until(id(&order), "NEW").await;
    let order = id(&order).to_owned();
    (trader, order)
}

async fn settled(trader: &Trader, order: &str) -> Value {
    eventually("the request is answered", || async { trader.order(order).await["replacing"].is_null() })
        .await;
    trader.order(order).await
}

fn events(order: &Value) -> Vec<&str> {
    order["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_keeps_its_id_and_the_larger_hold_stands_until_the_broker_answers() {
    let (trader, order) = waiting("10000").await;
    let asked =
        trader.replace(&order, json!({ "quantity": "20", "limitPrice": "3" }), None).await.expect(202);
    let asked = asked.json();
    assert_eq!(
        (&asked["id"], &asked["quantity"], &asked["limitPrice"]),
        (&json!(order), &json!("10"), &json!("2"))
    );
    assert_eq!(asked["replacing"]["quantity"], "20");
    assert!(decimal(&asked["held"]) >= Decimal::from(60));
    let changed = settled(&trader, &order).await;
    assert_eq!((&changed["quantity"], &changed["limitPrice"]), (&json!("20"), &json!("3")));
    assert_eq!(events(&changed), ["submitted", "accepted", "replace_requested", "replaced"]);
    assert_eq!(trader.balance().await["held"], changed["held"]);
    assert_books_balance(&trader.app.database_url).await;

    let smaller = trader.replace(&order, json!({ "quantity": "5" }), None).await.expect(202).json();
    assert_eq!(smaller["held"], changed["held"], "nothing is free before the broker has answered");
    let smaller = settled(&trader, &order).await;
    assert!(decimal(&smaller["held"]) < Decimal::from(20), "{smaller}");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_moved_to_the_market_is_executed() {
    let (trader, order) = waiting("1000000").await;
    trader.replace(&order, json!({ "limitPrice": "5000" }), None).await.expect(202);
    let filled = trader.until(&order, "FILLED").await;
    assert_eq!(events(&filled)[3..], ["replaced", "filled"]);
    assert!(decimal(&filled["averageFillPrice"]) < Decimal::from(5000), "at the market's price");
    assert_eq!(trader.balance().await["held"], "0");
    let late = trader.replace(&order, json!({ "quantity": "5" }), None).await.expect(409);
    assert_eq!(late.code(), "order_not_open");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_moved_in_place() {
    let trader = Trader::with("USD", "1000000").await;
    trader.bought("AAPL", "10").await;
    let body = |stop: &str| {
        json!({ "accountId": trader.account, "symbol": "AAPL", "side": "sell", "type": "stop", "quantity": "10",
            "stopPrice": stop, "timeInForce": "gtc" })
    };
    let stop = trader.app.post("/api/orders", &trader.user, body("0.5")).await.expect(201).json();
    trader.until(id(&stop), "NEW").await;
    trader.replace(id(&stop), json!({ "stopPrice": "0.6" }), None).await.expect(202);
    assert_eq!(settled(&trader, id(&stop)).await["stopPrice"], "0.6");
    trader.replace(id(&stop), json!({ "stopPrice": "90000" }), None).await.expect(202);
    let sold = trader.until(id(&stop), "FILLED").await;
    assert!(events(&sold).contains(&"triggered"), "{sold}");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_changes_the_order_once() {
    let (trader, order) = waiting("10000").await;
    let change = json!({ "quantity": "12" });
    let answers = (0..10).map(|_| trader.replace(&order, change.clone(), Some("twelve")));
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(answer.expect(202).json()["id"], json!(order));
    }
    settled(&trader, &order).await;
    let again = trader.replace(&order, change.clone(), Some("twelve")).await.expect(202);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = trader.replace(&order, json!({ "quantity": "13" }), Some("twelve")).await.expect(409);
    assert_eq!(other.code(), "idempotency_key_reused");
    trader.replace(&order, change, None).await.expect(202);
    assert_eq!(rows_of(&trader.app.database_url, "trading.replace_requests").await, 1, "it is so already");
    assert_eq!(trader.order(&order).await["quantity"], "12");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_order_answers_alike_also_after_its_terms_have_changed() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let body = trader.order_body("buy", "AAPL", "10", Some("2"));
    let first = trader.place_with_key("morning", &body).await.expect(201);
    let order = first.json();
    trader.until(id(&order), "NEW").await;
    trader.replace(id(&order), json!({ "quantity": "11", "limitPrice": "3" }), None).await.expect(202);
    settled(&trader, id(&order)).await;
    assert_eq!(trader.place_with_key("morning", &body).await.expect(201).text, first.text);
    let changed = trader.order_body("buy", "AAPL", "11", Some("3"));
    assert_eq!(trader.place_with_key("morning", &changed).await.expect(409).code(), "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_or_breaks_a_rule_changes_nothing() {
    let (trader, order) = waiting("100").await;
    let before = trader.order(&order).await;
    for (change, code, field, rule) in [
        (json!({ "quantity": "100" }), "order_denied", "quantity", "insufficient_buying_power"),
        (json!({ "limitPrice": "2.001" }), "order_denied", "limitPrice", "tick_size"),
        (json!({ "stopPrice": "2" }), "validation_failed", "stopPrice", "not_allowed"),
        (json!({ "quantity": "1.5" }), "validation_failed", "quantity", "not_replaceable"),
        (json!({ "quantity": "0" }), "validation_failed", "quantity", "not_positive"),
        (json!({ "surprise": "1" }), "validation_failed", "surprise", "unknown_field"),
        (json!({}), "validation_failed", "", "required"),
    ] {
        let refused = trader.replace(&order, change.clone(), None).await.expect(422);
        assert_eq!(refused.code(), code, "{change}");
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{change}");
    }
    assert_eq!(trader.order(&order).await, before);
    let other = trader.app.register("wasp@example.com").await;
    let path = format!("/api/orders/{order}");
    let request = trader.app.request(reqwest::Method::PATCH, &path).bearer_auth(&other.access_token);
    trader.app.send(request.json(&json!({ "quantity": "5" }))).await.expect(404);
    let money = json!({ "accountId": trader.account, "symbol": "AAPL", "side": "buy", "type": "limit",
        "limitPrice": "1", "notional": "5" });
    let money = trader.app.post("/api/orders", &trader.user, money).await.expect(201).json();
    trader.until(id(&money), "NEW").await;
    let refused = trader.replace(id(&money), json!({ "limitPrice": "2" }), None).await.expect(422);
    assert_eq!(refused.complaint().1, "not_replaceable");
    assert_eq!(rows_of(&trader.app.database_url, "trading.replace_requests").await, 0);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaces_cancels_and_fills_that_cross_leave_sound_books() {
    let trader = Trader::with("USD", "1000000").await;
    trader.priced("AAPL").await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        let order = trader.place("buy", "AAPL", "2", Some("2")).await.expect(201).json();
        orders.push(id(&order).to_owned());
    }
    let crossing = orders.iter().enumerate().map(|(number, order)| {
        let trader = &trader;
        async move {
            let limit = if number % 2 == 0 { "5000" } else { "3" };
            let path = format!("/api/orders/{order}");
            let change = json!({ "quantity": "3", "limitPrice": limit });
            let both = futures_util::future::join(
                trader.replace(order, change, None),
                trader.app.delete(&path, &trader.user),
            );
            let (replaced, canceled) = both.await;
            assert!([202, 409].contains(&replaced.status.as_u16()), "{replaced:?}");
            assert!([202, 409].contains(&canceled.status.as_u16()), "{canceled:?}");
        }
    });
    futures_util::future::join_all(crossing).await;
    for order in &orders {
        eventually("the order has ended", || async {
            ["FILLED", "CANCELED"].contains(&trader.order(order).await["status"].as_str().unwrap())
        })
        .await;
    }
    assert_eq!(trader.balance().await["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_being_taken_back_is_not_changed() {
    let (trader, order) = waiting("10000").await;
    trader.app.delete(&format!("/api/orders/{order}"), &trader.user).await.expect(202);
    let refused = trader.replace(&order, json!({ "quantity": "5" }), None).await.expect(409);
    assert!(["cancel_pending", "order_not_open"].contains(&refused.code().as_str()), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_detail_lists_every_request_with_its_end_and_the_reason_of_a_refusal() {
    let (trader, order) = waiting("10000").await;
    trader.replace(&order, json!({ "limitPrice": "3" }), None).await.expect(202);
    settled(&trader, &order).await;
    trader.replace(&order, json!({ "limitPrice": "2.5" }), None).await.expect(202);
    settled(&trader, &order).await;
    trader.app.delete(&format!("/api/orders/{order}"), &trader.user).await.expect(202);
    let ended = trader.until(&order, "CANCELED").await;
    let request = |number: usize| {
        let request = &ended["requests"][number];
        (request["kind"].as_str().unwrap(), request["status"].as_str().unwrap(), request["reason"].clone())
    };
    assert_eq!(ended["requests"].as_array().unwrap().len(), 3);
    assert_eq!(request(0), ("replace", "ACCEPTED", Value::Null));
    assert_eq!(request(1), ("replace", "ACCEPTED", Value::Null));
    assert_eq!(request(2), ("cancel", "ACCEPTED", Value::Null));
}
