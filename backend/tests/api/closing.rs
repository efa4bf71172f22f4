//! Closing positions and cancelling many orders.

use crate::books::{assert_books_balance, count, rows_of};
use crate::helpers::{Answer, TestApp, eventually};
use crate::trader::Trader;
use reqwest::Method;
use serde_json::{Value, json};

impl Trader {
    async fn ask(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let request = self.app.request(Method::POST, path).bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(body)).await
    }

    async fn close(&self, key: Option<&str>, symbol: &str, how_much: Value) -> Answer {
        let mut body = json!({ "accountId": self.account, "symbol": symbol });
        body.as_object_mut().unwrap().extend(how_much.as_object().unwrap().clone());
        self.ask("/api/positions/close", key, &body).await
    }

    async fn close_stands(&self, id: &Value) -> Value {
        let path = format!("/api/positions/closes/{}", id.as_str().unwrap());
        self.app.get(&path, &self.user).await.expect(200).json()
    }

    /// Waits until a close stands there, and its order, if it has one, is filled.
    async fn until_closed(&self, id: &Value, status: &str) -> Value {
        eventually(status, || async { self.close_stands(id).await["status"] == status }).await;
        let close = self.close_stands(id).await;
        if let Some(order) = close["orderId"].as_str() {
            self.until(order, "FILLED").await;
        }
        close
    }

    async fn shares(&self, symbol: &str) -> Value {
        let path = format!("/api/portfolio/positions?accountId={}", self.account);
        let positions = self.app.get(&path, &self.user).await.expect(200).json();
        let positions = positions["positions"].as_array().unwrap().clone();
        let own = positions.into_iter().find(|position| position["symbol"] == symbol);
        own.map_or(json!("0"), |position| position["quantity"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_closed_by_shares_by_percent_and_in_full() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "100").await;
    let close = trader.close(None, "AAPL", json!({ "quantity": "10" })).await.expect(202).json();
    assert_eq!((&close["quantity"], &close["percent"]), (&json!("10"), &Value::Null));
    trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(trader.shares("AAPL").await, "90");
    let close = trader.close(None, "AAPL", json!({ "percent": "33.3" })).await.expect(202).json();
    let close = trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(close["orderQuantity"], "29", "rounded down");
    assert_eq!(trader.shares("AAPL").await, "61");
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(trader.shares("AAPL").await, "0");
    assert_eq!(trader.close(None, "AAPL", json!({})).await.expect(409).code(), "nothing_to_close");
    let path = format!("/api/positions/closes?accountId={}", trader.account);
    let listed = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(listed["closes"].as_array().unwrap().len(), 3);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_that_hold_the_shares_are_taken_back_first_and_only_those() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    let older = trader.place("sell", "AAPL", "3", Some("100000")).await.expect(201).json();
    let newer = trader.place("sell", "AAPL", "4", Some("100000")).await.expect(201).json();
    let purchase = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let close = trader.close(None, "AAPL", json!({ "quantity": "7" })).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    trader.until(newer["id"].as_str().unwrap(), "CANCELED").await;
    trader.until(older["id"].as_str().unwrap(), "NEW").await;
    trader.until(purchase["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(trader.shares("AAPL").await, "3");
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    trader.until(older["id"].as_str().unwrap(), "CANCELED").await;
    assert_eq!(trader.shares("AAPL").await, "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_under_a_key_happens_once_whatever_is_restarted() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    trader.place("sell", "AAPL", "10", Some("100000")).await.expect(201);
    let asks = (0..8).map(|_| trader.close(Some("panic"), "AAPL", json!({ "percent": "50" })));
    let answers = futures_util::future::join_all(asks).await;
    let ids: std::collections::HashSet<_> =
        answers.into_iter().map(|answer| answer.expect(202).json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let again = trader.close(Some("panic"), "AAPL", json!({ "percent": "50" })).await.expect(202);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    trader.until_closed(&again.json()["id"], "PLACED").await;
    assert_eq!(trader.shares("AAPL").await, "5");
    let other = trader.close(Some("panic"), "AAPL", json!({ "percent": "51" })).await.expect(409);
    assert_eq!(other.code(), "idempotency_key_reused");
    trader.close(Some("panic"), "AAPL", json!({ "percent": "50" })).await.expect(202);
    assert_eq!(trader.shares("AAPL").await, "5");
    assert_eq!(rows_of(&trader.app.database_url, "trading.close_requests").await, 1);
    let orders = "SELECT count(*) AS rows FROM trading.orders WHERE client_order_id LIKE 'close:%'";
    assert_eq!(count(&trader.app.database_url, orders).await, 1);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_closed_and_each_position_answered_for() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "3").await;
    trader.bought("IBM", "5").await;
    trader.place("sell", "IBM", "5", Some("100000")).await.expect(201);
    let body = json!({ "accountId": trader.account });
    let answer = trader.ask("/api/positions/close-all", Some("exit"), &body).await.expect(202);
    let items = answer.json()["items"].as_array().unwrap().clone();
    let told: Vec<_> = items.iter().map(|item| (item["symbol"].clone(), item["outcome"].clone())).collect();
    assert_eq!(told, [(json!("AAPL"), json!("accepted")), (json!("IBM"), json!("accepted"))]);
    for item in &items {
        trader.until_closed(&item["close"]["id"], "PLACED").await;
    }
    trader.bought("MSFT", "1").await;
    let again = trader.ask("/api/positions/close-all", Some("exit"), &body).await.expect(202);
    assert_eq!(again.json(), answer.json(), "the same key closes nothing that came later");
    assert_eq!((trader.shares("AAPL").await, trader.shares("MSFT").await), (json!("0"), json!("1")));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_waits_can_be_taken_back() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    // Shares that are held by nothing that can be taken back make it wait.
    let statement = format!(
        "UPDATE account.balances SET held = 10 WHERE account_id = '{}' AND commodity = 'AAPL'",
        trader.account
    );
    crate::books::execute(&trader.app.database_url, &statement).await.unwrap();
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    assert_eq!(trader.close(None, "AAPL", json!({})).await.expect(409).code(), "close_under_way");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let path = format!("/api/positions/closes/{}", close["id"].as_str().unwrap());
    let other = trader.app.register("wasp@example.com").await;
    trader.app.get(&path, &other).await.expect(404);
    trader.app.delete(&path, &other).await.expect(404);
    assert_eq!(trader.app.delete(&path, &trader.user).await.expect(200).json()["status"], "WITHDRAWN");
    assert_eq!(trader.app.delete(&path, &trader.user).await.expect(200).json()["status"], "WITHDRAWN");
    let free = statement.replace("held = 10", "held = 0");
    crate::books::execute(&trader.app.database_url, &free).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(trader.shares("AAPL").await, "10", "nothing was sold");
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    let path = format!("/api/positions/closes/{}", close["id"].as_str().unwrap());
    assert_eq!(trader.app.delete(&path, &trader.user).await.expect(409).code(), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_closed_is_refused_by_name() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    for (body, field, rule) in [
        (json!({ "percent": "0" }), "percent", "out_of_range"),
        (json!({ "percent": "100.1" }), "percent", "out_of_range"),
        (json!({ "percent": "-5" }), "percent", "out_of_range"),
        (json!({ "percent": 5 }), "percent", "wrong_type"),
        (json!({ "quantity": "0" }), "quantity", "not_positive"),
        (json!({ "quantity": "1", "percent": "5" }), "percent", "contradiction"),
        (json!({ "shares": "1" }), "shares", "unknown_field"),
        (json!({ "symbol": "aapl" }), "symbol", "invalid_symbol"),
    ] {
        let refused = trader.close(None, "AAPL", body.clone()).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{body}");
    }
    let shares = format!(
        "INSERT INTO account.balances (account_id, commodity, total) VALUES ('{}', 'AAPL', 5)",
        trader.account
    );
    crate::books::execute(&trader.app.database_url, &shares).await.unwrap();
    for (body, field, rule) in [
        (json!({ "quantity": "6" }), "quantity", "too_large"),
        (json!({ "percent": "19.99" }), "percent", "too_small"),
    ] {
        let refused = trader.close(None, "AAPL", body.clone()).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{body}");
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.close_requests").await, 0);
    let other = trader.app.register("wasp@example.com").await;
    for (path, body) in [
        ("/api/positions/close", json!({ "accountId": trader.account, "symbol": "AAPL" })),
        ("/api/positions/close-all", json!({ "accountId": trader.account })),
        ("/api/orders/cancel-all", json!({ "accountId": trader.account })),
    ] {
        trader.app.post(path, &other, body).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_orders_of_a_symbol_or_side_are_taken_back_at_once() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "5").await;
    trader.priced("IBM").await;
    let mut orders = Vec::new();
    for (side, symbol, limit) in
        [("buy", "AAPL", "1"), ("sell", "AAPL", "100000"), ("buy", "IBM", "1"), ("buy", "IBM", "2")]
    {
        orders.push(trader.place(side, symbol, "1", Some(limit)).await.expect(201).json()["id"].clone());
    }
    let cancel = |filter: Value| {
        let mut body = json!({ "accountId": trader.account });
        body.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        trader.app.post("/api/orders/cancel-all", &trader.user, body)
    };
    let sales = cancel(json!({ "side": "sell" })).await.expect(202).json();
    assert_eq!(sales["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&sales["items"][0]["orderId"], &sales["items"][0]["outcome"]),
        (&orders[1], &json!("requested"))
    );
    let ibm = cancel(json!({ "symbol": "IBM" })).await.expect(202).json();
    let ids: Vec<_> = ibm["items"].as_array().unwrap().iter().map(|item| item["orderId"].clone()).collect();
    assert_eq!(ids, [orders[3].clone(), orders[2].clone()], "newest first");
    for order in &orders[1..] {
        trader.until(order.as_str().unwrap(), "CANCELED").await;
    }
    trader.until(orders[0].as_str().unwrap(), "NEW").await;
    let rest = cancel(json!({})).await.expect(202).json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["more"]), (1, &json!(false)));
    trader.until(orders[0].as_str().unwrap(), "CANCELED").await;
    assert_eq!(cancel(json!({})).await.expect(202).json()["items"], json!([]));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_orders_are_taken_back_in_one_request() {
    let trader = Trader::with("USD", "1000000").await;
    trader.priced("AAPL").await;
    let placed =
        futures_util::future::join_all((0..500).map(|_| trader.place("buy", "AAPL", "1", Some("1")))).await;
    assert!(placed.iter().all(|answer| answer.status == 201));
    let body = json!({ "accountId": trader.account });
    let answer =
        trader.app.post("/api/orders/cancel-all", &trader.user, body.clone()).await.expect(202).json();
    assert_eq!(answer["items"].as_array().unwrap().len(), 500);
    eventually("all of them end", || async {
        let open = "SELECT count(*) AS rows FROM trading.orders WHERE is_open";
        let again =
            trader.app.post("/api/orders/cancel-all", &trader.user, body.clone()).await.expect(202).json();
        let again = again["items"].as_array().unwrap().clone();
        assert!(again.iter().all(|item| item["outcome"] != "failed"), "{again:?}");
        count(&trader.app.database_url, open).await == 0
    })
    .await;
    assert_eq!(trader.balance().await["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

async fn short_of(symbol: &str, shares: &str) -> Trader {
    let trader = Trader::with("USD", "100000").await;
    let path = format!("/api/accounts/{}/margin", trader.account);
    let switches = json!({ "margin": true, "shortSelling": true });
    trader.app.put(&path, &trader.user, switches).await.expect(200);
    trader.priced(symbol).await;
    let sold = trader.place("sell", symbol, shares, None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    trader
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_position_is_bought_back_by_shares_by_percent_and_in_full() {
    let trader = short_of("AAPL", "15").await;
    let too_many = trader.close(None, "AAPL", json!({ "quantity": "16" })).await.expect(422);
    assert_eq!(too_many.complaint(), ("quantity".to_owned(), "too_large".to_owned()));
    let close = trader.close(None, "AAPL", json!({ "quantity": "4" })).await.expect(202).json();
    assert_eq!(close["side"], "buy");
    trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(trader.shares("AAPL").await, "-11");
    let close = trader.close(None, "AAPL", json!({ "percent": "25" })).await.expect(202).json();
    let close = trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(close["orderQuantity"], "2", "rounded down");
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    assert_eq!(trader.shares("AAPL").await, "0");
    assert_eq!(trader.close(None, "AAPL", json!({})).await.expect(409).code(), "nothing_to_close");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_purchases_are_taken_back_before_a_short_position_is_closed() {
    let trader = short_of("AAPL", "10").await;
    let older = trader.place("buy", "AAPL", "3", Some("1")).await.expect(201).json();
    let newer = trader.place("buy", "AAPL", "4", Some("1")).await.expect(201).json();
    let sale = trader.place("sell", "AAPL", "1", Some("100000")).await.expect(201).json();
    let close = trader.close(None, "AAPL", json!({ "quantity": "7" })).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    trader.until(newer["id"].as_str().unwrap(), "CANCELED").await;
    trader.until(older["id"].as_str().unwrap(), "NEW").await;
    trader.until(sale["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(trader.shares("AAPL").await, "-3");
    let close = trader.close(None, "AAPL", json!({})).await.expect(202).json();
    trader.until_closed(&close["id"], "PLACED").await;
    trader.until(older["id"].as_str().unwrap(), "CANCELED").await;
    assert_eq!(trader.shares("AAPL").await, "0");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_was_decided_before_others_bought_back_never_buys_too_much() {
    let trader = short_of("AAPL", "4").await;
    // As after a restart between the decision and the order: ten shares were owed when it was decided.
    let decided = format!(
        "INSERT INTO trading.close_requests (id, account_id, user_id, symbol, side, key, keep, status, quantity,
            created_at, updated_at)
         SELECT gen_random_uuid(), id, user_id, 'AAPL', 'buy', 'k', 0, 'PLACING', 10, now(), now()
         FROM account.accounts WHERE id = '{}'",
        trader.account
    );
    crate::books::execute(&trader.app.database_url, &decided).await.unwrap();
    let path = format!("/api/positions/closes?accountId={}", trader.account);
    let listed = trader.app.get(&path, &trader.user).await.expect(200).json();
    let close = trader.until_closed(&listed["closes"][0]["id"], "PLACED").await;
    assert_eq!(close["orderQuantity"], "4");
    assert_eq!(trader.shares("AAPL").await, "0");
    let bought = "SELECT count(*) AS rows FROM trading.orders WHERE side = 'buy' AND status = 'FILLED'";
    assert_eq!(count(&trader.app.database_url, bought).await, 1);
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_of_everything_sells_what_is_held_and_buys_back_what_is_owed() {
    let trader = short_of("AAPL", "5").await;
    trader.bought("IBM", "3").await;
    let body = json!({ "accountId": trader.account });
    let answer = trader.ask("/api/positions/close-all", Some("exit"), &body).await.expect(202).json();
    let items = answer["items"].as_array().unwrap();
    let sides: Vec<_> = items.iter().map(|item| (&item["symbol"], &item["close"]["side"])).collect();
    assert_eq!(sides, [(&json!("AAPL"), &json!("buy")), (&json!("IBM"), &json!("sell"))]);
    for item in items {
        trader.until_closed(&item["close"]["id"], "PLACED").await;
    }
    assert_eq!((trader.shares("AAPL").await, trader.shares("IBM").await), (json!("0"), json!("0")));
    trader.assert_in_order().await;
}
