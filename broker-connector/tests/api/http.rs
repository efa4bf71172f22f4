//! The addresses, and what is wrong with requests.

use crate::connector::{Connector, TOKEN, limit};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use domain::{AccountId, OrderId, Side};
use serde_json::{Value, json};

async fn connector() -> (Connector, TestDatabase, QuoteServer) {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    (Connector::start(&database, &quotes).await, database, quotes)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_without_the_secret() {
    let (connector, database, _quotes) = connector().await;
    let order = serde_json::to_string(&limit(AccountId::generate(), "AAPL", Side::Buy, "1", "1")).unwrap();
    for (method, path) in [
        ("POST", "/broker/connect"),
        ("POST", "/broker/order"),
        ("POST", "/broker/orders"),
        ("POST", "/broker/cancels"),
        ("DELETE", "/broker/order/01890a5d-ac96-774b-bcce-b302099a8057"),
        ("GET", "/broker/order/01890a5d-ac96-774b-bcce-b302099a8057"),
        ("GET", "/broker/executions"),
        ("GET", "/broker/capabilities"),
        ("GET", "/nothing"),
    ] {
        for token in [None, Some(""), Some("a secret of the test"), Some("a secret of the tests ?")] {
            let answer = connector.send(method, path, token, &order).await;
            assert_eq!(answer.status(), 401, "{method} {path} {token:?}");
            assert_eq!(answer.json::<Value>().await.unwrap()["code"], "invalid_token");
        }
    }
    assert_eq!(database.count("SELECT count(*) FROM broker.simulator_orders").await, 0);
    assert_eq!(connector.send("GET", "/health", None, "").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_named_and_change_nothing() {
    let (connector, database, _quotes) = connector().await;
    let good = json!(limit(AccountId::generate(), "AAPL", Side::Buy, "1", "1"));
    let with = |field: &str, value: Value| {
        let mut order = good.clone();
        order[field] = value;
        order.to_string()
    };
    let mut cases = vec![
        ("{".to_owned(), 400, "malformed_json", ""),
        (String::new(), 400, "malformed_json", ""),
        (format!("{good}x"), 400, "malformed_json", ""),
        ("[1".to_owned(), 422, "validation_failed", "."),
        (with("extra", json!(1)), 422, "validation_failed", "extra"),
        ("x".repeat(300_000), 413, "body_too_large", ""),
    ];
    for (field, value) in [
        ("quantity", json!("0")),
        ("quantity", json!("-1")),
        ("quantity", json!(1)),
        ("quantity", json!("1e5")),
        ("quantity", json!("NaN")),
        ("quantity", json!("9".repeat(30))),
        ("limitPrice", json!("1.0000000001")),
        ("symbol", json!("aapl")),
        ("side", json!("BUY")),
        ("timeInForce", json!("forever")),
        ("orderId", json!("not an id")),
        ("submittedAt", json!("yesterday")),
    ] {
        cases.push((with(field, value), 422, "validation_failed", field));
    }
    for (body, status, code, field) in cases {
        let answer = connector.send("POST", "/broker/order", Some(TOKEN), &body).await;
        let excerpt: String = body.chars().take(200).collect();
        assert_eq!(answer.status(), status, "{excerpt}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{excerpt}");
        if !field.is_empty() && field != "." {
            assert!(problem["errors"][0]["field"].as_str().unwrap().contains(field), "{problem}");
        }
    }
    assert_eq!(database.count("SELECT count(*) FROM broker.simulator_orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_a_limit() {
    let (connector, _database, _quotes) = connector().await;
    let ids: Vec<OrderId> = (0..257).map(|_| OrderId::generate()).collect();
    let body = json!({ "orderIds": ids }).to_string();
    let answer = connector.send("POST", "/broker/cancels", Some(TOKEN), &body).await;
    assert_eq!(answer.status(), 422);
    let body = json!({ "orderIds": ids[..256] }).to_string();
    let answer = connector.send("POST", "/broker/cancels", Some(TOKEN), &body).await;
    assert_eq!(answer.json::<Vec<Value>>().await.unwrap().len(), 256);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_queries_that_make_no_sense_are_refused() {
    let (connector, _database, _quotes) = connector().await;
    let orders = "/broker/accounts/01890a5d-ac96-774b-bcce-b302099a8057/orders";
    for since in ["yesterday", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "%2B262142-12-31T23:59:59Z"] {
        let answer = connector.send("GET", &format!("{orders}?since={since}"), Some(TOKEN), "").await;
        assert_eq!(answer.status(), 422, "{since}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "validation_failed", "{since}");
    }
    for (method, path, status) in [
        ("GET", "/broker/nothing", 404),
        ("PUT", "/broker/order", 405),
        ("GET", "/broker/order/abc", 422),
        ("GET", "/broker/accounts/abc/sync", 422),
        ("GET", "/broker/executions?limit=0", 422),
        ("GET", "/broker/executions?limit=1001", 422),
        ("GET", "/broker/executions?after=-1", 422),
        ("GET", "/broker/executions?accountId=1", 422),
        ("GET", "/broker/executions?surprise=1", 422),
    ] {
        let answer = connector.send(method, path, Some(TOKEN), "").await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_twice_opens_one_account() {
    let (connector, database, _quotes) = connector().await;
    let account = connector.connect("USD").await;
    connector.connect_as(account, "USD").await;
    assert_eq!(database.count("SELECT count(*) FROM broker.accounts").await, 1);
    for (broker, currency, status) in
        [("simulator", "KRW", 200), ("bank", "USD", 422), ("simulator", "EUR", 422)]
    {
        let body = json!({ "accountId": account, "broker": broker, "currency": currency }).to_string();
        let answer = connector.send("POST", "/broker/connect", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), status, "{broker} {currency}");
    }
    let capabilities = connector.get("/broker/capabilities").await;
    assert_eq!(capabilities["brokers"][0]["idempotentOrders"], true);
}
