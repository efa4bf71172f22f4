//! Whatever is sent, the answer is a clear refusal: never a failure of the server, and nothing is written.

use crate::books::{assert_books_balance, count};
use crate::helpers::Answer;
use crate::trader::Trader;
use serde_json::{Value, json};

const FOOTPRINT: &str =
    "SELECT (SELECT count(*) FROM account.accounts) + (SELECT count(*) FROM account.journals)
    + (SELECT count(*) FROM trading.orders) + (SELECT count(*) FROM events.events) AS rows";

/// Texts that are no number, no name, no id.
fn hostile_texts() -> Vec<Value> {
    let deep = "[".repeat(200) + &"]".repeat(200);
    vec![
        json!(""),
        json!("-1"),
        json!("0"),
        json!("1e9999"),
        json!("NaN"),
        json!("Infinity"),
        json!("1.0000000001"),
        json!("123456789012345678901234567890"),
        json!("12abc"),
        json!("١٢٣"),
        json!("a\u{0}b"),
        json!("\u{202e}1"),
        json!("=1+1"),
        json!("1\r\n2"),
        json!("x".repeat(10_000)),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(true),
        json!(null),
        json!([]),
        json!({}),
        serde_json::from_str(&format!("\"{deep}\"")).unwrap(),
    ]
}

/// A refusal is a problem document with a status of the caller's making.
fn check_refusal(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status.as_u16()), "{what}: {} {}", answer.status, answer.text);
    assert!(!answer.code().is_empty(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_any_request_takes_nonsense() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let before = count(&trader.app.database_url, FOOTPRINT).await;
    let deposit = format!("/api/accounts/{}/deposit", trader.account);
    let order = trader.order_body("buy", "AAPL", "1", Some("1"));
    let requests = [
        ("/api/accounts".to_owned(), json!({ "name": "Play", "broker": "simulator", "currency": "USD" })),
        (deposit, json!({ "amount": "1" })),
        ("/api/orders".to_owned(), order.clone()),
        ("/api/orders/preview".to_owned(), order),
    ];
    for (path, valid) in &requests {
        for field in valid.as_object().unwrap().keys() {
            for nonsense in hostile_texts() {
                // Any text without invisible characters may name an account.
                let optional = field == "timeInForce" && nonsense.is_null();
                let name = field == "name"
                    && nonsense.as_str().is_some_and(|text| {
                        !text.is_empty()
                            && text.chars().count() <= 60
                            && !text.chars().any(|c| c.is_control() || c == '\u{202e}')
                    });
                if optional || name {
                    continue;
                }
                let mut body = valid.clone();
                body[field] = nonsense.clone();
                let answer = trader.app.post(path, &trader.user, body).await;
                check_refusal(&answer, &format!("{path} {field} = {nonsense:.60}"));
            }
        }
        let mut extra = valid.clone();
        extra["surprise"] = "1".into();
        let answer = trader.app.post(path, &trader.user, extra).await.expect(422);
        assert_eq!(answer.complaint(), ("surprise".to_owned(), "unknown_field".to_owned()), "{path}");
    }
    assert_eq!(count(&trader.app.database_url, FOOTPRINT).await, before, "nothing was written");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_requests_are_refused() {
    let trader = Trader::with("USD", "10000").await;
    let before = count(&trader.app.database_url, FOOTPRINT).await;
    for (body, content_type, status) in [
        ("{".to_owned(), "application/json", 400),
        ("[1,2".to_owned(), "application/json", 400),
        ("\u{feff}{}".to_owned(), "application/json", 400),
        ("null".to_owned(), "application/json", 422),
        ("[]".to_owned(), "application/json", 422),
        ("{}".to_owned(), "application/json", 422),
        ("accountId=1".to_owned(), "application/x-www-form-urlencoded", 415),
        ("<order/>".to_owned(), "text/xml", 415),
        ("[".repeat(60_000), "application/json", 400),
        ("x".repeat(70_000), "application/json", 413),
    ] {
        for path in ["/api/orders", "/api/orders/preview", "/api/accounts"] {
            let request =
                trader.app.request(reqwest::Method::POST, path).bearer_auth(&trader.user.access_token);
            let answer =
                trader.app.send(request.header("content-type", content_type).body(body.clone())).await;
            check_refusal(&answer, &format!("{path} {body:.30}"));
            // Where the top level is already wrong, both words are fair.
            let fair = [status, 422];
            assert!(fair.contains(&answer.status.as_u16()), "{path} {body:.30}: {}", answer.text);
        }
    }
    assert_eq!(count(&trader.app.database_url, FOOTPRINT).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_ids_that_are_none_are_refused() {
    let trader = Trader::with("USD", "10000").await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=x",
        "limit=1e3",
        "limit=99999999999999999999",
        "status=maybe",
        "symbol=apple",
        "symbol=%00",
        "cursor=x",
        "accountId=1",
        "surprise=1",
        "limit=1&limit=2",
    ] {
        let answer = trader.app.get(&format!("/api/orders?{query}"), &trader.user).await;
        check_refusal(&answer, query);
    }
    let unknown = "0192f000-0000-7000-8000-000000000000";
    for id in [unknown, "x", "1", "%00", "..", "%F0%9F%90%9C", &"9".repeat(2000)] {
        for path in [format!("/api/orders/{id}"), format!("/api/accounts/{id}/balance")] {
            check_refusal(&trader.app.get(&path, &trader.user).await, &path);
        }
        check_refusal(&trader.app.delete(&format!("/api/orders/{id}"), &trader.user).await, id);
        let path = format!("/api/accounts/{id}/deposit");
        check_refusal(&trader.app.post(&path, &trader.user, json!({ "amount": "1" })).await, id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_contradict_themselves_are_refused() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let before = count(&trader.app.database_url, FOOTPRINT).await;
    let mut market_with_limit = trader.order_body("buy", "AAPL", "1", Some("1"));
    market_with_limit["type"] = "market".into();
    let mut limit_without = trader.order_body("buy", "AAPL", "1", None);
    limit_without["type"] = "limit".into();
    for (body, field, rule) in [
        (market_with_limit, "limitPrice", "not_allowed"),
        (limit_without, "limitPrice", "required"),
        (trader.order_body("buy", "ZZZZZ", "1", None), "symbol", "unknown_symbol"),
    ] {
        let refused = trader.app.post("/api/orders", &trader.user, body).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()));
    }
    let mut two_keys = trader.order_body("buy", "AAPL", "1", Some("1"));
    two_keys["clientOrderId"] = "this".into();
    let refused = trader.place_with_key("that", &two_keys).await.expect(422);
    assert_eq!(refused.complaint(), ("clientOrderId".to_owned(), "contradiction".to_owned()));
    for key in ["", &"k".repeat(129), "개미"] {
        let request =
            trader.app.request(reqwest::Method::POST, "/api/orders").bearer_auth(&trader.user.access_token);
        let request =
            request.header("Idempotency-Key", key).json(&trader.order_body("buy", "AAPL", "1", Some("1")));
        check_refusal(&trader.app.send(request).await, key);
    }
    assert_eq!(count(&trader.app.database_url, FOOTPRINT).await, before);
}
