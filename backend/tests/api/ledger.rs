//! Money in every currency: what is promised, what is settled, and every way it moves.

use crate::books::{assert_books_balance, count, execute, rows_of};
use crate::helpers::{Answer, TestApp, eventually};
use crate::trader::{Trader, decimal, open_account};
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Trader {
    pub(crate) async fn move_cash(&self, how: &str, key: Option<&str>, body: Value) -> Answer {
        let path = format!("/api/accounts/{}/{how}", self.account);
        let request = self.app.request(reqwest::Method::POST, &path).bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(&body)).await
    }

    /// The account's cash in a currency.
    pub(crate) async fn cash_in(&self, currency: &str) -> Value {
        let balance = self.balance().await;
        let currencies = balance["currencies"].as_array().unwrap();
        currencies.iter().find(|balance| balance["currency"] == currency).unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_holds_every_currency_and_nets_none() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let deposit = json!({ "amount": "50000", "currency": "KRW" });
    let answer = trader.move_cash("deposit", None, deposit).await.expect(201).json();
    assert_eq!((&answer["currency"], &answer["balance"]["cash"]), (&json!("KRW"), &json!("50000")));
    let balance = trader.balance().await;
    assert_eq!((&balance["currency"], &balance["cash"]), (&json!("USD"), &json!("100")));
    let listed: Vec<_> =
        balance["currencies"].as_array().unwrap().iter().map(|one| one["currency"].clone()).collect();
    assert_eq!(listed, ["USD", "KRW"], "its own first");
    assert_eq!(trader.cash_in("KRW").await["cash"], "50000");
    let portfolio = trader.app.get("/api/portfolio", &trader.user).await.expect(200).json();
    let values: Vec<_> = portfolio["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| (value["currency"].clone(), value["totalValue"].clone(), value["netDeposits"].clone()))
        .collect();
    assert_eq!(
        values,
        [(json!("USD"), json!("100"), json!("100")), (json!("KRW"), json!("50000"), json!("50000")),]
    );
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_use_the_cash_of_their_symbols_currency() {
    let trader = Trader::with("KRW", "1000000").await;
    trader.priced("AAPL").await;
    let refused = trader.place("buy", "AAPL", "1", None).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".into(), "insufficient_buying_power".into()));
    trader.move_cash("deposit", None, json!({ "amount": "10000", "currency": "USD" })).await.expect(201);
    let order = trader.bought("AAPL", "2").await;
    assert_eq!(order["currency"], "USD");
    assert_eq!(trader.cash_in("KRW").await["cash"], "1000000");
    assert!(decimal(&trader.cash_in("USD").await["cash"]) < Decimal::from(10_000));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_is_a_promise_that_is_kept_on_its_day_once() {
    let trader = Trader::with("USD", "10000").await;
    let order = trader.bought("AAPL", "10").await;
    let paid = decimal(&order["averageFillPrice"]) * Decimal::TEN + decimal(&order["commission"]);
    let cash = trader.cash_in("USD").await;
    assert_eq!(decimal(&cash["settled"]), Decimal::from(10_000));
    assert_eq!(decimal(&cash["unsettled"]), -paid);
    assert_eq!(decimal(&cash["cash"]), Decimal::from(10_000) - paid);
    assert_eq!(cash["withdrawable"], cash["cash"], "what the purchase needs stays");
    assert_eq!(decimal(&cash["unsettledDays"][0]["payable"]), paid);
    assert_books_balance(&trader.app.database_url).await;

    // The days pass.
    let database = trader.app.database_url.clone();
    for statement in [
        "ALTER TABLE account.journals DISABLE TRIGGER USER",
        "GRANT UPDATE ON account.journals TO CURRENT_USER",
        "UPDATE account.journals SET trade_date = trade_date - 10, settle_date = settle_date - 10 WHERE kind = 'fill'",
        "UPDATE account.unsettled SET settle_date = settle_date - 10",
        "REVOKE UPDATE ON account.journals FROM CURRENT_USER",
        "GRANT UPDATE (id) ON account.journals TO CURRENT_USER",
        "ALTER TABLE account.journals ENABLE TRIGGER USER",
    ] {
        execute(&database, statement).await.unwrap();
    }
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let settled = trader.cash_in("USD").await;
    assert_eq!((&settled["settled"], &settled["unsettled"]), (&cash["cash"], &json!("0")));
    assert_eq!(settled["cash"], cash["cash"], "nothing but the promise has gone");
    let settlements = "SELECT count(*) AS rows FROM account.journals WHERE kind = 'settlement'";
    assert_eq!(count(&trader.app.database_url, settlements).await, 1);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proceeds_buy_again_at_once_but_leave_only_when_they_are_settled() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    let sold = trader.place("sell", "AAPL", "10", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let cash = trader.cash_in("USD").await;
    assert_eq!(cash["buyingPower"], cash["cash"]);
    assert_eq!(decimal(&cash["settled"]), Decimal::from(10_000), "both legs settle later");
    let most = decimal(&cash["withdrawable"]);
    assert_eq!(most, decimal(&cash["cash"]).min(Decimal::from(10_000)));
    let more = (most + Decimal::new(1, 2)).to_string();
    let refused = trader.move_cash("withdraw", None, json!({ "amount": more })).await.expect(422);
    assert_eq!(refused.complaint(), ("amount".into(), "exceeds_withdrawable".into()));
    trader.move_cash("withdraw", None, json!({ "amount": most.to_string() })).await.expect(201);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_open_order_has_reserved_cannot_be_taken_out() {
    let trader = Trader::with("USD", "1000").await;
    trader.priced("AAPL").await;
    trader.place("buy", "AAPL", "100", Some("9")).await.expect(201);
    let refused = trader.move_cash("withdraw", None, json!({ "amount": "200" })).await.expect(422);
    assert_eq!(refused.complaint().1, "exceeds_withdrawable");
    trader.move_cash("withdraw", None, json!({ "amount": "90" })).await.expect(201);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_booked_once_per_key_whoever_comes_first() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let body = json!({ "amount": "30" });
    let tries = (0..10).map(|_| trader.move_cash("withdraw", Some("rent"), body.clone()));
    let answers = futures_util::future::join_all(tries).await;
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|answer| answer.json()["journalId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    let fresh = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
    assert_eq!(fresh, 1);
    assert_eq!(trader.balance().await["cash"], "70");
    let other = trader.move_cash("withdraw", Some("rent"), json!({ "amount": "31" })).await.expect(409);
    assert_eq!(other.code(), "idempotency_key_reused");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_in_both_books_or_in_none() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let savings = open_account(&trader.app, &trader.user, "KRW").await;
    let body = |amount: &str| json!({ "toAccountId": savings, "amount": amount });
    let moved = trader.move_cash("transfer", Some("save"), body("40")).await.expect(201).json();
    assert_eq!((&moved["balance"]["cash"], &moved["toBalance"]["cash"]), (&json!("60"), &json!("40")));
    assert_eq!(moved["toBalance"]["currency"], "USD", "a transfer exchanges nothing");
    let again = trader.move_cash("transfer", Some("save"), body("40")).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json()["journalId"], moved["journalId"]);
    trader.move_cash("transfer", Some("save"), body("41")).await.expect(409);
    let refused = trader.move_cash("transfer", None, body("60.01")).await.expect(422);
    assert_eq!(refused.complaint(), ("amount".into(), "exceeds_withdrawable".into()));
    for (to, rule) in [(trader.account.clone(), "same_account"), (uuid_of_nobody(), "unknown_account")] {
        let body = json!({ "toAccountId": to, "amount": "1" });
        let refused = trader.move_cash("transfer", None, body).await.expect(422);
        assert_eq!(refused.complaint(), ("toAccountId".into(), rule.into()));
    }
    assert_eq!(rows_of(&trader.app.database_url, "account.journals").await, 3);
    assert_books_balance(&trader.app.database_url).await;
}

fn uuid_of_nobody() -> String {
    "0198c0de-0000-7000-8000-000000000000".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_transferred_to_somebody_else() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let other = trader.app.register("wasp@example.com").await;
    let account = open_account(&trader.app, &other, "USD").await;
    let body = json!({ "toAccountId": account, "amount": "1" });
    let refused = trader.move_cash("transfer", None, body).await.expect(422);
    assert_eq!(refused.complaint(), ("toAccountId".into(), "unknown_account".into()));
    for how in ["withdraw", "transfer", "exchange"] {
        let path = format!("/api/accounts/{}/{how}", trader.account);
        let body = match how {
            "withdraw" => json!({ "amount": "1" }),
            "transfer" => json!({ "amount": "1", "toAccountId": account }),
            _ => json!({ "amount": "1", "from": "USD", "to": "KRW", "rate": "1" }),
        };
        assert_eq!(trader.app.post(&path, &other, body).await.expect(404).code(), "not_found", "{how}");
    }
    assert_eq!(trader.balance().await["cash"], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_across_each_other_lose_nothing() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let other = open_account(&trader.app, &trader.user, "USD").await;
    let path = format!("/api/accounts/{other}/deposit");
    trader.app.post(&path, &trader.user, json!({ "amount": "100" })).await.expect(201);
    let transfers = (0..40).map(|number| {
        let (from, to) = if number % 2 == 0 { (&trader.account, &other) } else { (&other, &trader.account) };
        let body = json!({ "toAccountId": to, "amount": "7" });
        let path = format!("/api/accounts/{from}/transfer");
        let trader = &trader;
        async move { trader.app.post(&path, &trader.user, body).await.status.as_u16() }
    });
    let statuses = futures_util::future::join_all(transfers).await;
    assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
    let total = "SELECT sum(total)::bigint AS rows FROM account.balances WHERE commodity = 'USD'";
    assert_eq!(count(&trader.app.database_url, total).await, 200);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_two_legs_and_a_fee() {
    let trader = Trader::on(TestApp::start().await, "USD", "1000").await;
    let body =
        |amount: &str, rate: &str| json!({ "from": "USD", "to": "KRW", "amount": amount, "rate": rate });
    let done = trader.move_cash("exchange", Some("trip"), body("500", "1391.555")).await.expect(201).json();
    assert_eq!((&done["fee"], &done["received"]), (&json!("0.5"), &json!("695777")));
    assert_eq!((&done["balance"]["cash"], &done["toBalance"]["cash"]), (&json!("499.5"), &json!("695777")));
    let again = trader.move_cash("exchange", Some("trip"), body("500", "1391.555")).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (again.json()["fee"].clone(), again.json()["received"].clone()),
        (json!("0.5"), json!("695777"))
    );
    trader.move_cash("exchange", Some("trip"), body("500", "1400")).await.expect(409);
    for (body, complaint) in [
        (body("499.5", "1400"), ("amount", "exceeds_withdrawable")),
        (body("0.01", "1"), ("amount", "too_small")),
        (body("0.001", "1400"), ("amount", "too_precise")),
        (body("1", "999999999999999"), ("rate", "too_large")),
        (body("1", "0"), ("rate", "not_positive")),
        (body("1", "1e3"), ("rate", "not_a_number")),
        (json!({ "from": "USD", "to": "USD", "amount": "1", "rate": "1" }), ("to", "same_currency")),
        (json!({ "from": "USD", "to": "KRW", "amount": "1" }), ("rate", "required")),
    ] {
        let refused = trader.move_cash("exchange", None, body).await.expect(422);
        assert_eq!(refused.complaint(), (complaint.0.to_owned(), complaint.1.to_owned()));
    }
    assert_eq!(rows_of(&trader.app.database_url, "account.journals").await, 3);
    let portfolio = trader.app.get("/api/portfolio", &trader.user).await.expect(200).json();
    for value in portfolio["accounts"].as_array().unwrap() {
        assert_eq!(decimal(&value["totalPnl"]), -decimal(&value["exchangeFees"]), "{value}");
    }
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_profit_is_told_can_be_changed_and_rewrites_nothing() {
    let trader = Trader::with("USD", "100000").await;
    for quantity in ["3", "5", "7"] {
        trader.bought("AAPL", quantity).await;
    }
    let sold = trader.place("sell", "AAPL", "6", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let positions = async || {
        let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
        positions["positions"][0].clone()
    };
    let average = positions().await;
    assert_eq!(
        (&average["costMethod"], &average["cost"]),
        (&json!("average"), &average["byAverage"]["cost"])
    );
    let path = format!("/api/accounts/{}/cost-method", trader.account);
    trader.app.put(&path, &trader.user, json!({ "method": "fifo" })).await.expect(200);
    let fifo = positions().await;
    assert_eq!((&fifo["costMethod"], &fifo["cost"]), (&json!("fifo"), &fifo["byFifo"]["cost"]));
    assert_eq!((&fifo["byAverage"], &fifo["byFifo"]), (&average["byAverage"], &average["byFifo"]));
    let value = &trader.app.get("/api/portfolio", &trader.user).await.expect(200).json()["accounts"][0];
    assert_eq!(value["realisedPnl"], fifo["byFifo"]["realisedPnl"]);
    let parts = decimal(&value["unrealisedPnl"]) + decimal(&value["realisedPnl"])
        - decimal(&value["commission"])
        - decimal(&value["tax"]);
    assert_eq!(decimal(&value["totalPnl"]), parts);
    let refused = trader.app.put(&path, &trader.user, json!({ "method": "lifo" })).await.expect(422);
    assert_eq!(refused.complaint(), ("method".into(), "unknown_value".into()));
    let other = trader.app.register("wasp@example.com").await;
    trader.app.put(&path, &other, json!({ "method": "fifo" })).await.expect(404);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_of_the_currency_that_has_moved() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    trader.move_cash("deposit", None, json!({ "amount": "5000", "currency": "KRW" })).await.expect(201);
    let told = "SELECT count(*) AS rows FROM events.events
                WHERE kind = 'balance' AND payload->>'currency' = 'KRW' AND payload->>'cash' = '5000'";
    let database = &trader.app.database_url;
    eventually("the event", || async { count(database, told).await == 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_that_cannot_be_settled_keeps_no_other_waiting() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let other = open_account(&trader.app, &trader.user, "USD").await;
    let database = trader.app.database_url.clone();
    for (account, receivable) in [(&trader.account, "'NaN'"), (&other, "5")] {
        let promise = format!(
            "INSERT INTO account.unsettled (account_id, commodity, settle_date, receivable, payable)
             VALUES ('{account}', 'USD', current_date - 3, {receivable}, 0)"
        );
        execute(&database, &promise).await.unwrap();
    }
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let settled = format!(
        "SELECT count(*) AS rows FROM account.journals WHERE kind = 'settlement' AND account_id = '{other}'"
    );
    assert_eq!(count(&database, &settled).await, 1);
    assert_eq!(rows_of(&database, "account.unsettled").await, 1, "the other one is kept for a person");
    assert_eq!(trader.app.get("/api/accounts", &trader.user).await.status, 200);
}
