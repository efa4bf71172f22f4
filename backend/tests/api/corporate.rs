//! `/api/corporate-actions`: what companies do to their shares.

use crate::books::{assert_books_balance, broken_invariants, count, execute};
use crate::helpers::{Answer, eventually};
use crate::trader::{Trader, decimal, open_account};
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Trader {
    async fn act(&self, key: Option<&str>, body: Value) -> Answer {
        let request = self.app.request(reqwest::Method::POST, "/api/corporate-actions");
        let request = request.bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(&body)).await
    }

    pub(crate) async fn position(&self, symbol: &str) -> Value {
        let all = self.app.get("/api/portfolio/positions", &self.user).await.expect(200).json();
        let found = all["positions"].as_array().unwrap().iter().find(|position| position["symbol"] == symbol);
        found.cloned().unwrap_or(Value::Null)
    }

    pub(crate) async fn lots(&self, symbol: &str) -> Vec<Value> {
        let path = format!("/api/portfolio/lots?accountId={}&symbol={symbol}", self.account);
        self.app.get(&path, &self.user).await.expect(200).json()["lots"].as_array().unwrap().clone()
    }
}

fn split(new: &str, old: &str) -> Value {
    json!({ "kind": "split", "symbol": "AAPL", "newShares": new, "oldShares": old })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_counts_shares_anew_once_and_costs_nothing() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "3").await;
    trader.bought("AAPL", "4").await;
    let before = trader.position("AAPL").await;
    let done = trader.act(Some("2020"), split("4", "1")).await.expect(201).json();
    assert_eq!(
        (&done["status"], &done["applications"][0]["quantityAfter"]),
        (&json!("applied"), &json!("28"))
    );
    let after = trader.position("AAPL").await;
    assert_eq!((&after["quantity"], &after["available"]), (&json!("28"), &json!("28")));
    assert_eq!((&after["byAverage"], &after["byFifo"]), (&before["byAverage"], &before["byFifo"]));
    let quantities: Vec<_> = trader.lots("AAPL").await.iter().map(|lot| lot["quantity"].clone()).collect();
    assert_eq!(quantities, ["12", "16"]);
    let again = trader.act(Some("2020"), split("4", "1")).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(trader.act(Some("2020"), split("2", "1")).await.expect(409).code(), "idempotency_key_reused");
    assert_eq!(trader.position("AAPL").await["quantity"], "28");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverse_split_pays_for_the_fraction_it_leaves() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "25").await;
    let cash = decimal(&trader.balance().await["cash"]);
    let mut body = split("1", "10");
    body["fractionPrice"] = json!("1000.01");
    let done = trader.act(None, body).await.expect(201).json();
    assert_eq!(done["applications"][0]["cash"], "500", "half a share, half a cent to even");
    let position = trader.position("AAPL").await;
    assert_eq!(position["quantity"], "2");
    assert_eq!(decimal(&trader.balance().await["cash"]), cash + Decimal::from(500));
    assert!(decimal(&position["realisedPnl"]) > Decimal::ZERO);
    let path = format!("/api/portfolio/sales?accountId={}", trader.account);
    let sale = &trader.app.get(&path, &trader.user).await.expect(200).json()["sales"][0];
    assert_eq!((&sale["kind"], &sale["quantity"]), (&json!("cash_in_lieu"), &json!("0.5")));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_orders_end_before_shares_are_counted_anew() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    let buy = trader.place("buy", "AAPL", "5", Some("1")).await.expect(201).json();
    let sell = trader.place("sell", "AAPL", "10", Some("9999")).await.expect(201).json();
    let ibm = trader.place("buy", "IBM", "1", Some("1")).await.expect(201).json();
    let recorded = trader.act(None, split("1", "10")).await.expect(201).json();
    for order in [&buy, &sell] {
        let ended = trader.until(order["id"].as_str().unwrap(), "CANCELED").await;
        assert_eq!(ended["reason"], "corporate_action");
    }
    let path = format!("/api/corporate-actions/{}", recorded["id"].as_str().unwrap());
    eventually("the split", || async {
        trader.app.get(&path, &trader.user).await.expect(200).json()["status"] == "applied"
    })
    .await;
    assert_eq!(trader.position("AAPL").await["quantity"], "1");
    assert_ne!(trader.order(ibm["id"].as_str().unwrap()).await["status"], "CANCELED");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dividend_is_paid_less_the_tax_of_its_market() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    let before = decimal(&trader.balance().await["cash"]);
    let body = json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": "0.265" });
    let done = trader.act(Some("q4"), body.clone()).await.expect(201).json();
    let paid = &done["applications"][0];
    assert_eq!((&paid["cash"], &paid["withheld"]), (&json!("2.65"), &json!("0.39")));
    trader.act(Some("q4"), body).await.expect(201);
    assert_eq!(decimal(&trader.balance().await["cash"]), before + Decimal::new(226, 2));
    assert_eq!(trader.position("AAPL").await["dividends"], "2.65");
    let value = &trader.app.get("/api/portfolio", &trader.user).await.expect(200).json()["accounts"][0];
    let parts =
        decimal(&value["unrealisedPnl"]) + decimal(&value["realisedPnl"]) + decimal(&value["dividends"])
            - decimal(&value["commission"])
            - decimal(&value["tax"]);
    assert_eq!(decimal(&value["totalPnl"]), parts, "{value}");
    assert_books_balance(&trader.app.database_url).await;
}

/// Reports an execution of an order as a broker would that tells of it ten days late.
async fn report_late(trader: &Trader, order: &Value, quantity: u32) {
    let statement = format!(
        "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7202611))
         INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind, symbol,
            side, execution_id, quantity, price, commission, tax, occurred_at)
         SELECT 'simulator', '{}', '{}', 'x', 'late', 'fill', 'AAPL', 'buy', 'late', {quantity}, 1, 0, 0,
            now() - interval '10 days' FROM turn",
        trader.account, order["id"].as_str().unwrap(),
    );
    execute(&trader.app.database_url, &statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_shares_from_before_the_ex_date_have_a_part_and_the_same_action_is_applied_once() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "1").await;
    let open = trader.place("buy", "AAPL", "5", Some("1")).await.expect(201).json();
    trader.until(open["id"].as_str().unwrap(), "NEW").await;
    report_late(&trader, &open, 4).await;
    eventually("the late report", || async { trader.position("AAPL").await["quantity"] == "5" }).await;
    let cash = trader.cash_in("USD").await;
    assert_eq!(cash["unsettledDays"].as_array().unwrap().len(), 1, "the late one is booked as settled");
    trader
        .app
        .delete(&format!("/api/orders/{}", open["id"].as_str().unwrap()), &trader.user)
        .await
        .expect(202);

    let yesterday = (chrono::Utc::now() - chrono::Duration::days(2)).date_naive().to_string();
    let dividend =
        json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": "1", "exDate": yesterday });
    let paid = trader.act(None, dividend.clone()).await.expect(201).json();
    assert_eq!(paid["applications"][0]["cash"], "4");
    let again = trader.act(None, dividend).await.expect(201).json();
    assert_eq!((&again["status"], &again["applications"]), (&json!("applied"), &json!([])));
    let special =
        json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": "2", "exDate": yesterday });
    let special = trader.act(None, special).await.expect(201).json();
    assert_eq!(special["applications"][0]["cash"], "8", "another dividend of the same day");
    let mut body = split("3", "1");
    body["exDate"] = json!(yesterday);
    let counted = trader.act(None, body).await.expect(201).json();
    eventually("the split", || async { trader.position("AAPL").await["quantity"] == "13" }).await;
    assert!(counted["id"].is_string());
    assert_eq!(
        broken_invariants(&trader.app.database_url).await,
        ["11_simulator_agrees.sql"],
        "which never heard of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_waits_for_its_day() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "1").await;
    let later = (chrono::Utc::now() + chrono::Duration::days(20)).date_naive().to_string();
    let mut body = split("2", "1");
    body["exDate"] = json!(later);
    let recorded = trader.act(None, body).await.expect(201).json();
    assert_eq!((&recorded["status"], &recorded["effectiveOn"]), (&json!("waiting"), &json!(later)));
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(trader.position("AAPL").await["quantity"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_keep_their_cost_and_their_days_under_a_new_name() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "3").await;
    trader.bought("IBM", "2").await;
    let (apple, old_lots) = (trader.position("AAPL").await, trader.lots("AAPL").await);
    let body = json!({ "kind": "symbol_change", "symbol": "AAPL", "newSymbol": "IBM" });
    trader.act(None, body).await.expect(201);
    assert_eq!(trader.position("AAPL").await, Value::Null);
    let merged = trader.position("IBM").await;
    assert_eq!(merged["quantity"], "5");
    assert!(decimal(&merged["cost"]) > decimal(&apple["cost"]));
    let lots = trader.lots("IBM").await;
    assert_eq!((lots.len(), &lots[0]["id"]), (2, &old_lots[0]["id"]));
    let sold = trader.place("sell", "IBM", "4", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_concerns_the_accounts_of_its_owner_alone() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "3").await;
    let other = trader.app.register("wasp@example.com").await;
    let theirs = open_account(&trader.app, &other, "USD").await;
    trader.app.post("/api/corporate-actions", &other, split("2", "1")).await.expect(201);
    assert_eq!(trader.position("AAPL").await["quantity"], "3");
    let mut body = split("2", "1");
    body["accountId"] = json!(theirs);
    assert_eq!(trader.act(None, body).await.expect(404).code(), "not_found");
    let mine = trader.act(None, split("2", "1")).await.expect(201).json();
    let path = format!("/api/corporate-actions/{}", mine["id"].as_str().unwrap());
    trader.app.get(&path, &other).await.expect(404);
    let listed = trader.app.get("/api/corporate-actions", &trader.user).await.expect(200).json();
    assert_eq!(listed["actions"].as_array().unwrap().len(), 1);
    for path in ["lots", "sales"] {
        let path = format!("/api/portfolio/{path}?accountId={}", trader.account);
        trader.app.get(&path, &other).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_company_does_is_refused_by_name() {
    let trader = Trader::with("USD", "100").await;
    let samsung = json!({ "kind": "split", "symbol": "005930.KS", "newShares": "1", "oldShares": "3" });
    let dividend =
        |amount: &str| json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": amount });
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    for (body, field, rule) in [
        (split("1", "1"), "newShares", "no_change"),
        (split("0", "1"), "newShares", "not_positive"),
        (split("1.5", "1"), "newShares", "too_precise"),
        (split("10001", "1"), "newShares", "too_large"),
        (samsung, "fractionPrice", "required"),
        (dividend("0"), "amountPerShare", "not_positive"),
        (dividend("NaN"), "amountPerShare", "not_a_number"),
        (with(dividend("1"), "withholdingRate", json!("1.1")), "withholdingRate", "out_of_range"),
        (with(dividend("1"), "exDate", json!("1999-01-01")), "exDate", "out_of_range"),
        (with(dividend("1"), "exDate", json!("2026-02-30")), "exDate", "not_a_date"),
        (with(dividend("1"), "newShares", json!("2")), "newShares", "not_allowed"),
        (with(split("2", "1"), "amountPerShare", json!("2")), "amountPerShare", "not_allowed"),
        (json!({ "kind": "split", "symbol": "AAPL" }), "newShares", "required"),
        (json!({ "kind": "symbol_change", "symbol": "AAPL" }), "newSymbol", "required"),
        (
            json!({ "kind": "symbol_change", "symbol": "AAPL", "newSymbol": "AAPL" }),
            "newSymbol",
            "same_symbol",
        ),
        (
            json!({ "kind": "symbol_change", "symbol": "AAPL", "newSymbol": "005930.KS" }),
            "newSymbol",
            "other_market",
        ),
        (json!({ "kind": "merger", "symbol": "AAPL" }), "kind", "unknown_value"),
    ] {
        let refused = trader.act(None, body.clone()).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{body}");
    }
    assert_eq!(
        count(&trader.app.database_url, "SELECT count(*) AS rows FROM portfolio.corporate_actions").await,
        0
    );
}
