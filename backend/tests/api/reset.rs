//! Accounts of play money that begin anew.

use crate::books::{assert_books_balance, execute, rows_of};
use crate::helpers::{Answer, TestApp, eventually};
use crate::trader::Trader;
use reqwest::Method;
use serde_json::{Value, json};

impl Trader {
    async fn reset(&self, key: Option<&str>, body: Value) -> Answer {
        let path = format!("/api/accounts/{}/reset", self.account);
        let request = self.app.request(Method::POST, &path).bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(&body)).await
    }

    async fn until_reset(&self) {
        let path = format!("/api/accounts/{}/resets", self.account);
        let latest =
            || async { self.app.get(&path, &self.user).await.expect(200).json()["resets"][0].clone() };
        eventually("the account begins anew", || async { latest().await["status"] == "DONE" }).await;
    }

    async fn statement(&self) -> Vec<Value> {
        let path = format!("/api/accounts/{}/statement?order=oldest_first&limit=500", self.account);
        self.app.get(&path, &self.user).await.expect(200).json()["lines"].as_array().unwrap().clone()
    }
}

fn opening(amount: &str) -> Value {
    json!({ "openingDeposit": { "amount": amount, "currency": "USD" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_begins_anew_and_its_history_stays() {
    let trader = Trader::with("USD", "10000").await;
    let bought = trader.bought("AAPL", "10").await;
    trader.bought("IBM", "3").await;
    let sold = trader.place("sell", "AAPL", "4", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let open = trader.place("sell", "AAPL", "2", Some("100000")).await.expect(201).json();
    let wish = trader.place("buy", "IBM", "1", Some("1")).await.expect(201).json();
    let before = trader.statement().await;

    let asked = trader.reset(Some("again"), opening("500")).await.expect(202).json();
    assert_eq!((&asked["openingAmount"], &asked["openingCurrency"]), (&json!("500"), &json!("USD")));
    trader.until_reset().await;
    for order in [&open, &wish] {
        trader.until(order["id"].as_str().unwrap(), "CANCELED").await;
    }
    let balance = trader.balance().await;
    assert_eq!((&balance["cash"], &balance["held"]), (&json!("500"), &json!("0")));
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    assert_eq!(positions["positions"], json!([]));
    let value = &trader.app.get("/api/portfolio", &trader.user).await.expect(200).json()["accounts"][0];
    for figure in ["realisedPnl", "unrealisedPnl", "commission", "tax", "totalPnl", "positionsValue"] {
        assert_eq!(value[figure], "0", "{figure}: {value}");
    }
    assert_eq!((&value["netDeposits"], &value["totalValue"]), (&json!("500"), &json!("500")));

    assert_eq!(trader.order(bought["id"].as_str().unwrap()).await, bought, "orders stay as they were");
    let after = trader.statement().await;
    assert_eq!(after[..before.len()], before, "so does the statement");
    let last = |commodity: &str| after.iter().rfind(|line| line["commodity"] == commodity).unwrap();
    assert_eq!((&last("AAPL")["balance"], &last("AAPL")["kind"]), (&json!("0"), &json!("reset")));
    assert_eq!(last("USD")["balance"], "500");
    assert_books_balance(&trader.app.database_url).await;

    let again = trader.reset(Some("again"), opening("500")).await.expect(202);
    assert_eq!(
        (again.header("idempotency-replayed"), &again.json()["status"]),
        (Some("true"), &json!("DONE"))
    );
    assert_eq!(
        trader.reset(Some("again"), opening("501")).await.expect(409).code(),
        "idempotency_key_reused"
    );
    assert_eq!(trader.statement().await.len(), after.len());

    // Trading goes on, and so does the login.
    trader.bought("AAPL", "1").await;
    trader.reset(None, json!({})).await.expect(202);
    trader.until_reset().await;
    assert_eq!(trader.balance().await["cash"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_waits_for_orders_also_over_a_restart() {
    let trader = Trader::on(TestApp::start().await, "USD", "1000").await;
    // An order that nobody can take back: there is no broker connector.
    let order = format!(
        "INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type, time_in_force,
            quantity, limit_price, worst_price, fees_max, status, event_sequence, created_at, updated_at)
         VALUES (gen_random_uuid(), '{}', '{}', 'stuck', 'AAPL', 'buy', 'limit', 'gtc', 1, 10, 10, 0, 'NEW', 1, now(), now())",
        trader.account, trader.user.id
    );
    execute(&trader.app.database_url, &order).await.unwrap();
    trader.reset(None, json!({})).await.expect(202);
    assert_eq!(trader.reset(None, json!({})).await.expect(409).code(), "reset_under_way");
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(trader.balance().await["cash"], "1000", "nothing is booked while an order is open");
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let end = "UPDATE trading.orders SET status = 'CANCELED' WHERE client_order_id = 'stuck'";
    execute(&trader.app.database_url, end).await.unwrap();
    trader.until_reset().await;
    assert_eq!(trader.balance().await["cash"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_begins_anew_can_take_its_file_over_again() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let file =
        "date,type,symbol,quantity,price,amount\n2025-01-02,deposit,,,,5000\n2025-01-03,buy,AAPL,10,100,\n";
    let upload = || {
        let path = format!("/api/accounts/{}/imports", trader.account);
        let request = trader.app.request(Method::POST, &path).bearer_auth(&trader.user.access_token);
        trader.app.send(request.header("Content-Type", "text/csv").body(file))
    };
    let first = upload().await.expect(201).json();
    trader.reset(None, json!({})).await.expect(202);
    trader.until_reset().await;
    let second = upload().await.expect(201);
    assert_eq!(second.header("idempotency-replayed"), None);
    assert_ne!(second.json()["importId"], first["importId"]);
    assert_eq!(trader.balance().await["cash"], "4000");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_resets_the_accounts_of_others_or_begins_with_what_is_no_money() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    for (body, field, rule) in [
        (opening("0"), "openingDeposit.amount", "not_positive"),
        (opening("1.001"), "openingDeposit.amount", "too_precise"),
        (opening("1000000000001"), "openingDeposit.amount", "too_large"),
        (json!({ "openingDeposit": { "amount": "5" } }), "openingDeposit.currency", "required"),
        (
            json!({ "openingDeposit": { "amount": 5, "currency": "USD" } }),
            "openingDeposit.amount",
            "wrong_type",
        ),
        (json!({ "cash": "5" }), "cash", "unknown_field"),
    ] {
        let refused = trader.reset(None, body.clone()).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{body}");
    }
    let other = trader.app.register("wasp@example.com").await;
    let path = format!("/api/accounts/{}/reset", trader.account);
    trader.app.post(&path, &other, json!({})).await.expect(404);
    trader.app.get(&format!("{path}s"), &other).await.expect(404);
    assert_eq!(rows_of(&trader.app.database_url, "activity.resets").await, 0);
    assert_eq!(trader.balance().await["cash"], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_no_news_to_the_broker() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    trader.place("sell", "AAPL", "4", Some("100000")).await.expect(201);
    trader.reset(None, opening("500")).await.expect(202);
    trader.until_reset().await;
    trader.assert_in_order().await;
    // What is bought from now on is beside what the broker still counts from before.
    trader.bought("AAPL", "1").await;
    trader.assert_in_order().await;
    let trader = Trader { app: trader.app.restart().await, ..trader };
    // Nothing is placed before.
    trader.assert_in_order().await;
    trader.bought("AAPL", "1").await;
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_placed_while_an_account_begins_anew_is_taken_back_or_stands_in_the_new_books() {
    const PROGRAMS: usize = 4;
    const ORDERS_AFTERWARDS: usize = 3;
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    let path = format!("/api/accounts/{}/resets", trader.account);
    let reset =
        || async { trader.app.get(&path, &trader.user).await.expect(200).json()["resets"][0].clone() };
    // Each places until it has seen the end of the reset, waiting for what it placed: nobody starves it.
    let program = || async {
        let (mut placed, mut afterwards) = (Vec::new(), 0);
        while afterwards < ORDERS_AFTERWARDS {
            let is_done = reset().await["status"] == "DONE";
            let answer = trader.place("buy", "AAPL", "1", Some("1")).await;
            if answer.status == 201 {
                placed.push(answer.json()["id"].as_str().unwrap().to_owned());
                afterwards += usize::from(is_done);
            } else {
                assert!(!is_done, "{}", answer.text);
            }
            if let (false, Some(last)) = (is_done, placed.last()) {
                eventually("taken back, or begun anew", || async {
                    trader.order(last).await["status"] == "CANCELED" || reset().await["status"] == "DONE"
                })
                .await;
            }
        }
        placed
    };
    trader.reset(None, opening("5000")).await.expect(202);
    let programs = futures_util::future::join_all((0..PROGRAMS).map(|_| program())).await;
    let reset_at = reset().await["updatedAt"].as_str().unwrap().to_owned();
    let mut standing = 0;
    for id in programs.into_iter().flatten() {
        let order = trader.order(&id).await;
        let is_before = order["createdAt"].as_str().unwrap() < reset_at.as_str();
        if is_before {
            assert_eq!(order["status"], "CANCELED", "an order of the old books is taken back: {order:#}");
        } else {
            trader.until(&id, "NEW").await;
            standing += 1;
        }
    }
    assert!(standing >= PROGRAMS * ORDERS_AFTERWARDS);
    let held = trader.balance().await;
    assert_eq!(held["cash"], "5000");
    assert_ne!(held["held"], "0", "what stands is held for");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_closes_from_before_do_not_sell_what_is_bought_afterwards() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    let exits = json!({
        "accountId": trader.account, "kind": "oco", "symbol": "AAPL", "quantity": "10",
        "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.01" },
    });
    trader.app.post("/api/order-groups", &trader.user, exits).await.expect(201);
    // An entry that waits, and would have exits one day.
    let bracket = json!({
        "accountId": trader.account, "kind": "bracket", "symbol": "AAPL", "quantity": "2",
        "entry": { "limitPrice": "1" }, "takeProfit": { "limitPrice": "2" }, "stopLoss": { "stopPrice": "0.5" },
    });
    trader.app.post("/api/order-groups", &trader.user, bracket).await.expect(201);
    let close = json!({ "accountId": trader.account, "symbol": "AAPL", "quantity": "3" });
    let close = trader.app.post("/api/positions/close", &trader.user, close).await.expect(202).json();
    trader.reset(None, opening("5000")).await.expect(202);
    trader.until_reset().await;
    let path = format!("/api/positions/closes/{}", close["id"].as_str().unwrap());
    let close = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert!(["WITHDRAWN", "PLACED", "NOTHING_LEFT"].contains(&close["status"].as_str().unwrap()), "{close}");
    let groups = trader.app.get("/api/order-groups", &trader.user).await.expect(200).json();
    for group in groups["groups"].as_array().unwrap() {
        assert_eq!(group["active"], false, "{group:#}");
    }
    trader.bought("AAPL", "5").await;
    trader.assert_in_order().await;
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    let position = &positions["positions"][0];
    assert_eq!((&position["quantity"], &position["available"]), (&json!("5"), &json!("5")));
}
