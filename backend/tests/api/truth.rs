//! Incidents, halts, comparisons with the broker, orders that were made elsewhere.

use crate::books::{assert_books_balance, count, execute};
use crate::helpers::{TestApp, eventually};
use crate::trader::{Trader, decimal, open_account};
use serde_json::{Value, json};

/// Writes a report as a broker connector would.
pub(crate) async fn report(trader: &Trader, order: &str, id: &str, kind: &str, columns: &str, values: &str) {
    let statement = format!(
        "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7202611)),
         line AS (INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind,
            symbol, side, occurred_at {columns})
         SELECT 'simulator', '{account}', '{order}', 'x', '{id}', '{kind}', 'AAPL', 'buy', now() {values} FROM turn)
         SELECT 1",
        account = trader.account,
    );
    execute(&trader.app.database_url, &statement).await.unwrap();
}

pub(crate) const FILL: &str = ", execution_id, quantity, price, commission, tax";

async fn incidents(trader: &Trader) -> Vec<Value> {
    let page = trader.app.get("/api/incidents", &trader.user).await.expect(200).json();
    page["incidents"].as_array().unwrap().clone()
}

async fn incident(trader: &Trader, kind: &str) -> Value {
    eventually(kind, || async { incidents(trader).await.iter().any(|incident| incident["kind"] == kind) })
        .await;
    incidents(trader).await.into_iter().find(|incident| incident["kind"] == kind).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_of_a_refused_order_halts_its_account_until_a_person_says_otherwise() {
    let trader = Trader::with("USD", "100000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "2", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    report(&trader, order, "no", "rejected", ", reason", ", 'no'").await;
    trader.until(order, "REJECTED").await;
    report(&trader, order, "yes", "fill", FILL, ", 'yes', 2, 1, 0, 0").await;
    let told = incident(&trader, "fill_of_refused_order").await;
    assert_eq!(told["orderId"], order);
    assert_eq!(told["facts"], json!({ "execution": "yes", "status": "REJECTED" }), "what its sentence needs");

    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(403);
    assert_eq!(refused.code(), "trading_halted");
    let trader = Trader { app: trader.app.restart().await, ..trader };
    trader.priced("AAPL").await;
    assert_eq!(trader.place("buy", "AAPL", "1", Some("1")).await.expect(403).code(), "trading_halted");
    let halt = trader.app.get(&format!("/api/accounts/{}/halt", trader.account), &trader.user).await;
    assert_eq!(halt.expect(200).json()["halted"], true);

    let lift = format!("/api/accounts/{}/halt/lift", trader.account);
    let stranger = trader.app.register("bee@example.com").await;
    trader.app.post(&lift, &stranger, json!({})).await.expect(404);
    trader.app.post(&lift, &trader.user, json!({})).await.expect(200);
    eventually("orders again", || async { trader.place("buy", "AAPL", "1", Some("1")).await.status == 201 })
        .await;

    let path = format!("/api/incidents/{}/acknowledge", told["id"].as_str().unwrap());
    trader.app.post(&path, &stranger, json!({})).await.expect(404);
    let seen =
        trader.app.post(&path, &trader.user, json!({ "note": "called them" })).await.expect(200).json();
    assert_eq!(seen["note"], "called them");
    let open = trader.app.get("/api/incidents?unacknowledged=true", &trader.user).await.expect(200).json();
    assert!(!open["incidents"].as_array().unwrap().contains(&told), "it was acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_made_elsewhere_is_imported_and_counts() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "1").await;
    let order = json!({
        "orderId": "01890a5d-ac96-774b-bcce-b302099a8057", "accountId": trader.account, "symbol": "AAPL",
        "side": "buy", "orderType": "limit", "timeInForce": "gtc", "quantity": "3", "limitPrice": "1",
        "protectionPrice": null, "submittedAt": chrono::Utc::now(),
    });
    trader.app.to_connector("/broker/order", &order).await.expect(200);
    let told = incident(&trader, "external_order").await;
    let facts = json!({ "case": "limit", "side": "buy", "quantity": "3", "symbol": "AAPL", "number": told["facts"]["number"] });
    assert_eq!(told["facts"], facts);
    let imported = trader.order(told["orderId"].as_str().unwrap()).await;
    assert_eq!((&imported["origin"], &imported["status"]), (&"EXTERNAL".into(), &"NEW".into()));
    assert_ne!(imported["held"], "0", "it is held for");
    assert_books_balance(&trader.app.database_url).await;

    let id = imported["id"].as_str().unwrap();
    trader.app.delete(&format!("/api/orders/{id}"), &trader.user).await.expect(202);
    let ended = trader.until(id, "CANCELED").await;
    assert_eq!(ended["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
    let runs = format!("/api/reconciliations?accountId={}", trader.account);
    let runs = trader.app.get(&runs, &trader.user).await.expect(200).json();
    let found =
        |run: &Value| run["differences"].as_array().unwrap().iter().any(|d| d["action"] == "imported");
    assert!(runs["reconciliations"].as_array().unwrap().iter().any(found), "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_that_only_the_broker_has_are_booked_as_its_difference_once() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "5").await;
    // Nobody knows the order of this execution, not even the broker that reports it.
    report(&trader, "01890a5d-ac96-774b-bcce-b302099a8058", "lost", "fill", FILL, ", 'lost', 3, 10, 0, 0")
        .await;
    incident(&trader, "unknown_order").await;
    let facts = incident(&trader, "broker_difference").await["facts"].clone();
    assert_eq!(facts["case"], "booked");
    assert_eq!(decimal(&facts["theirs"]) - decimal(&facts["ours"]), decimal(&facts["amount"]), "{facts}");
    let path = format!("/api/accounts/{}/reconcile", trader.account);
    trader.app.post(&path, &trader.user, json!({})).await.expect(202);
    let booked = "SELECT count(*) AS rows FROM account.journals WHERE starts_with(idempotency_key, 'broker_difference:')";
    eventually("both booked", || async { count(&trader.app.database_url, booked).await >= 2 }).await;
    let agreed = format!("/api/reconciliations?accountId={}", trader.account);
    // A comparison that meets something under way decides nothing; whoever wants to know asks again.
    eventually("both sides agree", || async {
        trader.app.post(&path, &trader.user, json!({})).await.expect(202);
        let runs = trader.app.get(&agreed, &trader.user).await.expect(200).json();
        runs["reconciliations"][0]["outcome"] == "agreed"
    })
    .await;
    assert_eq!(count(&trader.app.database_url, booked).await, 2, "once for the shares, once for the cash");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_is_undone_is_taken_back_from_order_books_and_position() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "1").await;
    let order = trader.place("buy", "AAPL", "10", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    let before = trader.balance().await;
    // The bust overtakes what it undoes.
    report(&trader, order, "bust", "trade_canceled", ", undone_execution_id", ", 'x'").await;
    report(&trader, order, "fill", "fill", FILL, ", 'x', 4, 1, 0, 0").await;
    eventually("the bust", || async {
        let path = format!("/api/accounts/{}/reconcile", trader.account);
        trader.app.post(&path, &trader.user, json!({})).await.expect(202);
        trader.order(order).await["events"].to_string().contains("trade_canceled")
    })
    .await;
    let undone = trader.order(order).await;
    assert_eq!((&undone["status"], &undone["filledQuantity"]), (&"NEW".into(), &"0".into()));
    let after = trader.balance().await;
    assert_eq!((&after["cash"], &after["held"]), (&before["cash"], &before["held"]));

    report(&trader, order, "fill2", "fill", FILL, ", 'y', 4, 1, 0, 0").await;
    report(
        &trader,
        order,
        "correct",
        "trade_corrected",
        ", undone_execution_id, execution_id, quantity, price, commission, tax",
        ", 'y', 'z', 3, 1, 0, 0",
    )
    .await;
    incident(&trader, "trade_corrected").await;
    let corrected = trader.until(order, "PARTIALLY_FILLED").await;
    assert_eq!(corrected["filledQuantity"], "3");
    let executions = "SELECT count(*) AS rows FROM trading.executions WHERE reversed_by IS NOT NULL";
    assert_eq!(count(&trader.app.database_url, executions).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_through_zero_that_is_undone_gives_back_what_was_held() {
    let trader = Trader::with("USD", "100000").await;
    let margin = format!("/api/accounts/{}/margin", trader.account);
    trader.app.put(&margin, &trader.user, json!({ "margin": true, "shortSelling": true })).await.expect(200);
    trader.bought("AAPL", "4").await;
    let order = trader.place("sell", "AAPL", "10", Some("10000")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    let (cash, held) = (trader.balance().await["cash"].clone(), trader.position("AAPL").await);
    report(&trader, order, "fill", "fill", FILL, ", 'x', 10, 100, 0, 0").await;
    trader.until(order, "FILLED").await;
    assert_eq!(trader.position("AAPL").await["quantity"], "-6");
    report(&trader, order, "bust", "trade_canceled", ", undone_execution_id", ", 'x'").await;
    trader.until(order, "NEW").await;
    let after = trader.position("AAPL").await;
    for figure in ["quantity", "cost", "realisedPnl", "byFifo"] {
        assert_eq!(after[figure], held[figure], "{figure}");
    }
    assert_eq!(trader.balance().await["cash"], cash);
    let lots = trader.lots("AAPL").await;
    assert_eq!((lots.len(), &lots[0]["quantity"]), (1, &"4".into()));

    report(&trader, order, "fill2", "fill", FILL, ", 'y', 10, 100, 0, 0").await;
    trader.until(order, "FILLED").await;
    let undone = ", undone_execution_id, execution_id, quantity, price, commission, tax";
    report(&trader, order, "correct", "trade_corrected", undone, ", 'y', 'z', 5, 100, 0, 0").await;
    trader.until(order, "PARTIALLY_FILLED").await;
    let after = trader.position("AAPL").await;
    assert_eq!((&after["quantity"], &after["cost"]), (&"-1".into(), &"-100".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_placed_after_a_start_before_the_account_is_compared() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    let app = app.restart().await;
    let body =
        json!({ "accountId": account, "symbol": "AAPL", "side": "buy", "quantity": "1", "type": "market" });
    let refused = app.post("/api/orders", &user, body.clone()).await.expect(503);
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("not_reconciled", Some("1")));
    let mut group = body.clone();
    group["kind"] = "oto".into();
    group["entry"] = json!({ "side": "buy" });
    group["then"] = json!({ "side": "sell", "limitPrice": "1000" });
    group.as_object_mut().unwrap().retain(|field, _| field != "side" && field != "type");
    let refused = app.post("/api/order-groups", &user, group.clone()).await.expect(503);
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("not_reconciled", Some("1")));
    let stranger = app.register("bee@example.com").await;
    for (path, body) in [("/api/orders", body), ("/api/order-groups", group)] {
        assert_ne!(app.post(path, &stranger, body).await.code(), "not_reconciled", "it is not theirs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for (path, field) in [
        ("/api/incidents?limit=0", "limit"),
        ("/api/incidents?cursor=x", "cursor"),
        ("/api/reconciliations?limit=201", "limit"),
        ("/api/reconciliations?accountId=x", "accountId"),
    ] {
        assert_eq!(app.get(path, &user).await.expect(422).complaint().0, field, "{path}");
    }
    let order = "/api/orders/01890a5d-ac96-774b-bcce-b302099a8057/resolve";
    for (body, field) in [
        (json!({}), "outcome"),
        (json!({ "outcome": "lost" }), "outcome"),
        (json!({ "outcome": "arrived" }), "brokerOrderId"),
        (json!({ "outcome": "arrived", "brokerOrderId": "" }), "brokerOrderId"),
        (json!({ "outcome": "arrived", "brokerOrderId": "개" }), "brokerOrderId"),
        (json!({ "outcome": "never_arrived", "brokerOrderId": "1" }), "brokerOrderId"),
    ] {
        assert_eq!(app.post(order, &user, body.clone()).await.expect(422).complaint().0, field, "{body}");
    }
    app.post(order, &user, json!({ "outcome": "never_arrived" })).await.expect(404);
}
