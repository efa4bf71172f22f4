//! Every type of order and every time in force, with the real quote server and the real simulator beside.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{Answer, eventually};
use crate::trader::{Trader, decimal};
use rust_decimal::Decimal;
use serde_json::{Value, json};

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

/// An order of a type with further fields.
fn order(trader: &Trader, side: &str, order_type: &str, fields: Value) -> Value {
    let mut body = json!({ "accountId": trader.account, "symbol": "AAPL", "side": side, "type": order_type, "quantity": "1" });
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    if body.get("notional").is_some() {
        body.as_object_mut().unwrap().remove("quantity");
    }
    body
}

async fn place(trader: &Trader, side: &str, order_type: &str, fields: Value) -> Answer {
    trader.app.post("/api/orders", &trader.user, order(trader, side, order_type, fields)).await
}

fn events(order: &Value) -> Vec<&str> {
    order["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect()
}

async fn rich() -> Trader {
    let trader = Trader::with("USD", "1000000").await;
    trader.priced("AAPL").await;
    trader
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_the_market_has_passed_is_triggered_and_filled() {
    let trader = rich().await;
    let bought = place(&trader, "buy", "stop", json!({ "stopPrice": "1" })).await.expect(201).json();
    assert_eq!((&bought["stopPrice"], &bought["triggeredAt"]), (&json!("1"), &Value::Null));
    let bought = trader.until(id(&bought), "FILLED").await;
    assert_eq!(events(&bought), ["submitted", "accepted", "triggered", "filled"]);
    assert!(bought["triggeredAt"].is_string());
    let fields = json!({ "stopPrice": "99000", "limitPrice": "1" });
    let sold = place(&trader, "sell", "stop_limit", fields).await.expect(201).json();
    trader.until(id(&sold), "FILLED").await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_price_holds_its_worst_cost_until_it_is_taken_back() {
    let trader = rich().await;
    trader.bought("AAPL", "3").await;
    for (side, order_type, fields, held) in [
        ("buy", "stop", json!({ "stopPrice": "10000", "timeInForce": "gtc" }), Some("10501")),
        ("buy", "stop_limit", json!({ "stopPrice": "10000", "limitPrice": "10100" }), Some("10101")),
        ("buy", "trailing_stop", json!({ "trailAmount": "5000" }), None),
        ("buy", "trailing_stop", json!({ "trailPercent": "99.5", "timeInForce": "gtc" }), None),
        ("sell", "stop", json!({ "stopPrice": "0.5" }), Some("1")),
        ("sell", "trailing_stop", json!({ "trailPercent": "99" }), Some("1")),
    ] {
        let placed = place(&trader, side, order_type, fields.clone()).await.expect(201).json();
        trader.until(id(&placed), "NEW").await;
        if let Some(held) = held {
            assert_eq!(placed["held"], held, "{order_type} {fields}");
        } else {
            assert!(decimal(&placed["held"]) > Decimal::ZERO, "{order_type} {fields}");
        }
        for (field, value) in fields.as_object().unwrap() {
            assert_eq!(placed[field], *value, "{field}");
        }
        assert_books_balance(&trader.app.database_url).await;
        trader.app.delete(&format!("/api/orders/{}", id(&placed)), &trader.user).await.expect(202);
        assert_eq!(trader.until(id(&placed), "CANCELED").await["triggeredAt"], Value::Null);
    }
    assert_eq!(trader.balance().await["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_stop_goes_on_after_a_restart_and_wakes_up() {
    let trader = rich().await;
    trader.bought("AAPL", "1").await;
    // The recorded prices move by more than this within a few ticks.
    let fields = json!({ "trailPercent": "0.05", "timeInForce": "gtc" });
    let placed = place(&trader, "sell", "trailing_stop", fields).await.expect(201).json();
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let sold = trader.until(id(&placed), "FILLED").await;
    assert!(events(&sold).contains(&"triggered"), "{sold}");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_executed_at_once_is_cancelled_at_once() {
    let trader = rich().await;
    for time_in_force in ["ioc", "fok"] {
        let fields = json!({ "limitPrice": "1", "timeInForce": time_in_force });
        let never = place(&trader, "buy", "limit", fields).await.expect(201).json();
        let never = trader.until(id(&never), "CANCELED").await;
        assert_eq!(never["reason"], "not_executable_at_once");
        let fields = json!({ "timeInForce": time_in_force });
        let now = place(&trader, "buy", "market", fields).await.expect(201).json();
        trader.until(id(&now), "FILLED").await;
    }
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_day_is_a_trading_day_to_come() {
    let trader = rich().await;
    let today = exchange::trade_date(domain::Market::Us, chrono::Utc::now());
    let day = exchange::next_trading_day(domain::Market::Us, today);
    let until = |day: String| json!({ "limitPrice": "1", "timeInForce": "gtd", "expireDate": day });
    let placed = place(&trader, "buy", "limit", until(day.to_string())).await.expect(201).json();
    assert_eq!(placed["expireDate"], json!(day));
    trader.until(id(&placed), "NEW").await;
    let sunday =
        day + chrono::TimeDelta::days(7 - i64::from(chrono::Datelike::weekday(&day).num_days_from_sunday()));
    for (day, rule) in [(sunday.to_string(), "trading_day"), ("2020-01-02".to_owned(), "in_the_past")] {
        let refused = place(&trader, "buy", "limit", until(day)).await.expect(422);
        assert_eq!(refused.complaint(), ("expireDate".to_owned(), rule.to_owned()));
        assert!(!refused.json()["errors"][0]["nearest"].as_array().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_an_auction_waits_for_it_or_is_refused_with_the_hour_that_reopens() {
    let trader = rich().await;
    for (time_in_force, kind) in
        [("opg", exchange::AuctionKind::Opening), ("cls", exchange::AuctionKind::Closing)]
    {
        let door = exchange::auction_for(domain::Market::Us, kind, chrono::Utc::now());
        let answer = place(&trader, "buy", "market", json!({ "timeInForce": time_in_force })).await;
        if door.is_ok() {
            trader.until(id(&answer.expect(201).json()), "NEW").await;
        } else {
            let refused = answer.expect(422);
            assert_eq!(refused.complaint(), ("timeInForce".to_owned(), "session".to_owned()));
            assert!(refused.json()["errors"][0]["nearest"][0].is_string());
        }
    }
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_go_together_is_no_order() {
    let trader = rich().await;
    for (order_type, fields, field, rule) in [
        ("stop", json!({}), "stopPrice", "required"),
        ("stop", json!({ "stopPrice": "1", "limitPrice": "1" }), "limitPrice", "not_allowed"),
        ("stop_limit", json!({ "stopPrice": "1" }), "limitPrice", "required"),
        ("trailing_stop", json!({}), "trailAmount", "required"),
        (
            "trailing_stop",
            json!({ "trailAmount": "1", "trailPercent": "1" }),
            "trailPercent",
            "contradiction",
        ),
        ("market", json!({ "trailPercent": "1" }), "trailPercent", "not_allowed"),
        ("stop", json!({ "stopPrice": "1", "timeInForce": "ioc" }), "timeInForce", "combination"),
        ("trailing_stop", json!({ "trailAmount": "1", "timeInForce": "opg" }), "timeInForce", "combination"),
        ("market", json!({ "timeInForce": "gtd" }), "expireDate", "required"),
        ("market", json!({ "expireDate": "2026-12-01" }), "expireDate", "not_allowed"),
        ("market", json!({ "notional": "100", "timeInForce": "gtc" }), "notional", "combination"),
        ("stop", json!({ "stopPrice": "1", "quantity": "0.5" }), "quantity", "combination"),
    ] {
        let refused = place(&trader, "buy", order_type, fields.clone()).await.expect(422);
        assert_eq!(refused.code(), "validation_failed", "{order_type} {fields}");
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{order_type} {fields}");
    }
    let mut both = order(&trader, "buy", "market", json!({}));
    both["notional"] = "100".into();
    let refused = trader.app.post("/api/orders", &trader.user, both).await.expect(422);
    assert_eq!(refused.complaint(), ("notional".to_owned(), "contradiction".to_owned()));
    let mut neither = order(&trader, "buy", "market", json!({}));
    neither.as_object_mut().unwrap().remove("quantity");
    let refused = trader.app.post("/api/orders/preview", &trader.user, neither).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "required".to_owned()));
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_of_money_buys_fractions_and_its_key_stands_for_the_amount() {
    let trader = rich().await;
    let body = order(&trader, "buy", "market", json!({ "notional": "100.01" }));
    let first = trader.place_with_key("savings", &body).await.expect(201);
    let placed = first.json();
    assert_eq!(placed["notional"], "100.01");
    let filled = trader.until(id(&placed), "FILLED").await;
    assert_eq!(filled["quantity"], filled["filledQuantity"]);
    assert!(decimal(&filled["quantity"]).fract() > Decimal::ZERO, "{filled}");
    let again = trader.place_with_key("savings", &body).await.expect(201);
    assert_eq!(again.text, first.text, "also when the price is another by now");
    let other = order(&trader, "buy", "market", json!({ "notional": "100.02" }));
    assert_eq!(trader.place_with_key("savings", &other).await.expect(409).code(), "idempotency_key_reused");
    let as_shares = order(&trader, "buy", "market", json!({ "quantity": filled["quantity"] }));
    assert_eq!(
        trader.place_with_key("savings", &as_shares).await.expect(409).code(),
        "idempotency_key_reused"
    );
    let sold = json!({ "quantity": filled["quantity"] });
    let sold = place(&trader, "sell", "market", sold).await.expect(201).json();
    trader.until(id(&sold), "FILLED").await;
    let tiny = place(&trader, "buy", "market", json!({ "notional": "0.5" })).await.expect(422);
    assert_eq!(tiny.complaint(), ("notional".to_owned(), "too_small".to_owned()));
    assert_eq!(tiny.json()["errors"][0]["nearest"], json!(["1"]));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn korean_shares_are_whole_and_keep_to_the_days_limits() {
    let trader = Trader::with("KRW", "100000000").await;
    trader.priced("005930.KS").await;
    let samsung = |fields: Value| {
        let mut body = order(&trader, "buy", "limit", fields);
        body["symbol"] = "005930.KS".into();
        body
    };
    for (fields, field, rule) in [
        (json!({ "limitPrice": "100", "quantity": "1.5", "timeInForce": "day" }), "quantity", "whole_shares"),
        (json!({ "limitPrice": "10", "timeInForce": "day" }), "limitPrice", "price_limit"),
    ] {
        let refused = trader.app.post("/api/orders", &trader.user, samsung(fields)).await.expect(422);
        let errors = refused.json()["errors"].clone();
        let found =
            errors.as_array().unwrap().iter().find(|error| error["field"] == field && error["rule"] == rule);
        assert!(found.is_some_and(|error| error["nearest"][0].is_string()), "{errors}");
    }
    let refused = trader.app.post(
        "/api/orders",
        &trader.user,
        samsung(json!({ "notional": "100000", "limitPrice": "50000" })),
    );
    assert_eq!(refused.await.expect(422).complaint(), ("notional".to_owned(), "whole_shares".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_halted_symbol_no_new_order_is_taken_until_it_resumes() {
    let trader = rich().await;
    let other = trader.app.register("wasp@example.com").await;
    let open = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&open), "NEW").await;
    let path = "/api/orders/halts/AAPL";
    for body in [
        json!({}),
        json!({ "reason": "" }),
        json!({ "reason": "a\nb" }),
        json!({ "reason": "x".repeat(201) }),
    ] {
        trader.app.put(path, &trader.user, body).await.expect(422);
    }
    trader.app.put("/api/orders/halts/apple", &trader.user, json!({ "reason": "x" })).await.expect(404);
    let halted =
        trader.app.put(path, &trader.user, json!({ "reason": "news pending" })).await.expect(200).json();
    assert_eq!(halted["symbol"], "AAPL");
    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(422);
    assert_eq!(refused.complaint(), ("symbol".to_owned(), "halted".to_owned()));
    trader.place("buy", "MSFT", "1", Some("1")).await.expect(201);
    let list = trader.app.get("/api/orders/halts", &trader.user).await.expect(200).json();
    assert_eq!(list["symbols"][0]["reason"], "news pending");
    let others = trader.app.get("/api/orders/halts", &other).await.expect(200).json();
    assert_eq!(others["symbols"], json!([]), "everybody keeps a list of their own");

    let trader = Trader { app: trader.app.restart().await, ..trader };
    trader.priced("AAPL").await;
    // Nothing is placed before the account was compared with its broker.
    let refused = async || trader.place("buy", "AAPL", "1", Some("1")).await.status == 422;
    eventually("the order is refused", refused).await;
    trader.app.delete(&format!("/api/orders/{}", id(&open)), &trader.user).await.expect(202);
    trader.until(id(&open), "CANCELED").await;
    for _ in 0..2 {
        trader.app.delete(path, &trader.user).await.expect(204);
    }
    trader.place("buy", "AAPL", "1", Some("1")).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_up_to_128_printable_characters() {
    let trader = rich().await;
    let longest = "~".repeat(128);
    let mut body = order(&trader, "buy", "limit", json!({ "limitPrice": "1", "clientOrderId": longest }));
    let placed = trader.app.post("/api/orders", &trader.user, body.clone()).await.expect(201).json();
    assert_eq!(placed["clientOrderId"], json!(longest));
    body["clientOrderId"] = "~".repeat(129).into();
    trader.app.post("/api/orders", &trader.user, body).await.expect(422);
}
