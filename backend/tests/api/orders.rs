//! `/api/orders`, with the real quote server and the real simulator beside.

use crate::books::{assert_books_balance, count, execute, rows_of};
use crate::helpers::eventually;
use crate::trader::{Trader, decimal};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use rust_decimal::Decimal;
use serde_json::json;

fn id(order: &serde_json::Value) -> &str {
    order["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_is_filled_and_everything_moves_with_it() {
    let trader = Trader::with("USD", "10000").await;
    let order = trader.bought("AAPL", "10").await;
    let price = decimal(&order["averageFillPrice"]);
    let paid = price * Decimal::TEN + decimal(&order["commission"]) + decimal(&order["tax"]);
    assert!(decimal(&order["commission"]) > Decimal::ZERO);
    assert_eq!(
        (&order["leavesQuantity"], &order["held"], &order["state"]),
        (&json!("0"), &json!("0"), &json!("filled"))
    );
    let steps: Vec<_> =
        order["events"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(steps, ["submitted", "accepted", "filled"]);
    assert_eq!(order["executions"].as_array().unwrap().len(), 1);

    let balance = trader.balance().await;
    assert_eq!(decimal(&balance["cash"]), Decimal::from(10_000) - paid);
    assert_eq!(balance["held"], "0");
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    let position = &positions["positions"][0];
    assert_eq!(
        (&position["symbol"], &position["quantity"], &position["available"]),
        (&json!("AAPL"), &json!("10"), &json!("10"))
    );
    assert_eq!(decimal(&position["averageCost"]), price);
    let value = &trader.app.get("/api/portfolio", &trader.user).await.expect(200).json()["accounts"][0];
    let parts = decimal(&value["unrealisedPnl"]) + decimal(&value["realisedPnl"])
        - decimal(&value["commission"])
        - decimal(&value["tax"]);
    assert_eq!(decimal(&value["totalPnl"]), parts, "{value}");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_keeps_the_day_that_was_played_and_not_the_one_on_the_clock() {
    let trader = Trader::with("USD", "10000").await;
    let before = day_played(&trader, "AAPL").await;
    let order = trader.bought("AAPL", "1").await;
    let after = day_played(&trader, "AAPL").await;
    let execution = &order["executions"][0];
    let day = execution["sessionDate"].as_str().unwrap_or_else(|| panic!("no day: {execution}"));
    assert!(before.as_str() <= day && day <= after.as_str(), "{before} to {after}: {execution}");
    assert!(day < execution["occurredAt"].as_str().unwrap(), "{execution}");
}

async fn day_played(trader: &Trader, symbol: &str) -> String {
    let path = format!("/api/market/quote/{symbol}");
    let quote = trader.app.get(&path, &trader.user).await.expect(200).json();
    quote["sessionDate"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_bought_can_be_sold_and_the_profit_is_realised() {
    let trader = Trader::with("USD", "10000").await;
    let bought = trader.bought("IBM", "10").await;
    let sold = trader.place("sell", "IBM", "4", None).await.expect(201).json();
    assert_eq!(sold["held"], "4");
    let sold = trader.until(id(&sold), "FILLED").await;
    let gain = (decimal(&sold["averageFillPrice"]) - decimal(&bought["averageFillPrice"])) * Decimal::from(4);
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    assert_eq!(positions["positions"][0]["quantity"], "6");
    assert_eq!(decimal(&positions["positions"][0]["realisedPnl"]), gain);
    assert!(decimal(&sold["tax"]) > Decimal::ZERO, "a sale pays regulatory fees");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_the_same_answer_for_ever() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("MSFT").await;
    let body = trader.order_body("buy", "MSFT", "10", None);
    let first = trader.place_with_key("morning", &body).await.expect(201);
    trader.until(id(&first.json()), "FILLED").await;
    let again = trader.place_with_key("morning", &body).await.expect(201);
    assert_eq!(first.text, again.text, "also after the order has moved on");
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );

    let other = trader.order_body("buy", "MSFT", "11", None);
    assert_eq!(trader.place_with_key("morning", &other).await.expect(409).code(), "idempotency_key_reused");
    let mut named = trader.order_body("buy", "MSFT", "10", None);
    named["clientOrderId"] = "morning".into();
    assert_eq!(trader.app.post("/api/orders", &trader.user, named).await.expect(201).text, first.text);
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_twenty_times_at_once_places_one_order() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let body = trader.order_body("buy", "AAPL", "1", Some("1"));
    let answers = futures_util::future::join_all((0..20).map(|_| trader.place_with_key("once", &body))).await;
    let texts: std::collections::HashSet<_> =
        answers.into_iter().map(|answer| answer.expect(201).text).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_orders_at_once_never_spend_more_than_there_is() {
    let trader = Trader::with("USD", "1000").await;
    trader.priced("AAPL").await;
    // 10 shares at 10 dollars and the commission: nine of them fit into 1,000.
    let orders = (0..50).map(|_| trader.place("buy", "AAPL", "10", Some("10")));
    let answers = futures_util::future::join_all(orders).await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(placed, 9);
    for denied in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((denied.status.as_u16(), denied.code().as_str()), (422, "order_denied"));
        assert_eq!(denied.complaint().1, "insufficient_buying_power");
    }
    let balance = trader.balance().await;
    assert!(decimal(&balance["buyingPower"]) >= Decimal::ZERO, "{balance}");
    assert_eq!(decimal(&balance["held"]), Decimal::from(9 * 101));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_sold_once() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    let answers =
        futures_util::future::join_all((0..10).map(|_| trader.place("sell", "AAPL", "4", Some("100000"))))
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
    assert_eq!(
        trader.place("sell", "MSFT", "1", None).await.expect(422).complaint().1,
        "insufficient_shares"
    );
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_far_from_the_market_waits_until_it_is_taken_back() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "10", Some("1")).await.expect(201).json();
    assert_eq!((&order["status"], &order["held"]), (&json!("PENDING_NEW"), &json!("10.1")));
    trader.until(id(&order), "NEW").await;
    let path = format!("/api/orders/{}", id(&order));
    let answer = trader.app.delete(&path, &trader.user).await.expect(202).json();
    assert_eq!(answer["cancelRequested"], true);
    let ended = trader.until(id(&order), "CANCELED").await;
    assert_eq!(
        (&ended["state"], &ended["filledQuantity"], &ended["held"]),
        (&json!("cancelled"), &json!("0"), &json!("0"))
    );
    assert_eq!(trader.balance().await["buyingPower"], "10000");
    assert_eq!(trader.app.delete(&path, &trader.user).await.expect(409).code(), "order_not_open");
    let accepted = count(
        &trader.app.database_url,
        "SELECT count(*) AS rows FROM trading.cancel_requests WHERE status = 'ACCEPTED'",
    );
    assert_eq!(accepted.await, 1);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_overtakes_its_order_is_not_lost() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    for _ in 0..10 {
        let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
        trader.app.delete(&format!("/api/orders/{}", id(&order)), &trader.user).await.expect(202);
        trader.until(id(&order), "CANCELED").await;
    }
    assert_eq!(trader.balance().await["buyingPower"], "10000");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn korean_shares_follow_the_rules_of_their_market() {
    let trader = Trader::with("KRW", "10000000").await;
    trader.priced("005930.KS").await;
    let off_grid = trader.place("buy", "005930.KS", "1", Some("60001")).await.expect(422);
    assert!(off_grid.json()["errors"].to_string().contains("tick_size"), "{off_grid:?}");
    let too_low = trader.place("buy", "005930.KS", "1", Some("100")).await.expect(422);
    assert!(too_low.json()["errors"].to_string().contains("price_limit"), "{too_low:?}");
    let foreign = trader.place("buy", "AAPL", "1", Some("1")).await.expect(422);
    assert_eq!(foreign.complaint(), ("quantity".to_owned(), "insufficient_buying_power".to_owned()));
    let order = trader.bought("005930.KS", "3").await;
    assert_eq!(decimal(&order["averageFillPrice"]).fract(), Decimal::ZERO);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_order_is_kept_with_every_reason_and_holds_nothing() {
    let trader = Trader::with("USD", "10").await;
    trader.priced("AAPL").await;
    let denied = trader.place("buy", "AAPL", "10", Some("20.001")).await.expect(422);
    assert_eq!(denied.code(), "order_denied");
    let rules: Vec<_> =
        denied.json()["errors"].as_array().unwrap().iter().map(|error| error["rule"].clone()).collect();
    assert_eq!(rules, ["tick_size", "insufficient_buying_power"]);
    let listed = trader.app.get("/api/orders?status=closed", &trader.user).await.expect(200).json();
    assert_eq!(
        (&listed["orders"][0]["status"], &listed["orders"][0]["held"]),
        (&json!("DENIED"), &json!("0"))
    );
    assert_eq!(trader.balance().await["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_the_order_would_cost_and_places_nothing() {
    let trader = Trader::with("USD", "1000").await;
    trader.priced("AAPL").await;
    let body = trader.order_body("buy", "AAPL", "10", Some("20"));
    let preview = trader.app.post("/api/orders/preview", &trader.user, body).await.expect(200).json();
    assert_eq!(
        (&preview["notional"], &preview["commission"], &preview["total"]),
        (&json!("200"), &json!("1"), &json!("201"))
    );
    assert_eq!((&preview["buyingPowerAfter"], &preview["denials"]), (&json!("799"), &json!([])));
    assert_eq!(preview["nearLimits"], json!([]));
    let body = trader.order_body("buy", "AAPL", "49", Some("20"));
    let preview = trader.app.post("/api/orders/preview", &trader.user, body).await.expect(200).json();
    let near = json!([{ "limit": "buying_power", "reached": "981", "bound": "1000" }]);
    assert_eq!((&preview["denials"], &preview["nearLimits"]), (&json!([]), &near));
    let body = trader.order_body("buy", "AAPL", "1000", Some("20"));
    let preview = trader.app.post("/api/orders/preview", &trader.user, body).await.expect(200).json();
    assert_eq!(preview["denials"][0]["rule"], "insufficient_buying_power");
    assert_eq!(preview["nearLimits"], json!([]));
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_orders_follow_each_other_without_gap_or_repetition() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
        placed.insert(0, id(&order).to_owned());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/orders?status=all&limit=3&cursor={cursor}");
        let page = trader.app.get(&path, &trader.user).await.expect(200).json();
        seen.extend(page["orders"].as_array().unwrap().iter().map(|order| id(order).to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, placed);
    let open = trader.app.get("/api/orders?status=open&symbol=AAPL", &trader.user).await.expect(200).json();
    assert_eq!(open["orders"].as_array().unwrap().len(), 7);
    let closed = trader.app.get("/api/orders?status=closed", &trader.user).await.expect(200).json();
    assert_eq!(closed["orders"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_cancels_or_places_the_orders_of_others() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let other = trader.app.register("wasp@example.com").await;
    let path = format!("/api/orders/{}", id(&order));
    trader.app.get(&path, &other).await.expect(404);
    trader.app.delete(&path, &other).await.expect(404);
    let body = trader.order_body("buy", "AAPL", "1", Some("1"));
    assert_eq!(trader.app.post("/api/orders", &other, body.clone()).await.expect(404).code(), "not_found");
    trader.app.post("/api/orders/preview", &other, body).await.expect(404);
    assert_eq!(trader.app.get("/api/orders", &other).await.expect(200).json()["orders"], json!([]));
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 1);
    trader.until(id(&order), "NEW").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_books_survive_a_restart() {
    let trader = Trader::with("USD", "10000").await;
    let filled = trader.bought("AAPL", "10").await;
    let waiting = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&waiting), "NEW").await;
    let before = trader.balance().await;
    let app = trader.app.restart().await;
    let trader = Trader { app, ..trader };
    assert_eq!(trader.order(id(&filled)).await["status"], "FILLED");
    assert_eq!(trader.balance().await["cash"], before["cash"]);
    assert_eq!(trader.balance().await["held"], before["held"]);
    trader.app.delete(&format!("/api/orders/{}", id(&waiting)), &trader.user).await.expect(202);
    trader.until(id(&waiting), "CANCELED").await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_was_accepted_and_ended_nothing_is_sent_again() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    let url = &trader.app.database_url;
    let asked = format!("UPDATE trading.orders SET cancel_requested_at = now() WHERE id = '{order}'");
    assert_eq!(execute(url, &asked).await, Ok(1));
    assert_eq!(execute(url, &accepted_cancel(order, 31)).await, Ok(1));
    trader.until(order, "CANCELED").await;
    assert_books_balance(url).await;
}

/// A cancel of an order that its broker accepted so many seconds ago.
fn accepted_cancel(order: &str, seconds: u32) -> String {
    format!(
        "INSERT INTO trading.cancel_requests (id, order_id, status, created_at, updated_at)
         SELECT gen_random_uuid(), '{order}', 'ACCEPTED', at, at FROM (SELECT now() - interval '{seconds} s' AS at) AS old"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_is_sent_again_while_its_order_ends_has_the_answer_of_the_orders_end() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    let url = &trader.app.database_url;
    let waiting = || async {
        let query = "SELECT count(*) AS rows FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
            WHERE NOT l.granted AND a.datname = current_database()";
        count(url, query).await
    };
    // Whoever writes of the order's end cannot tell of it, and so not commit, before this is let go.
    let mut events = AsyncPgConnection::establish(url).await.unwrap();
    events
        .batch_execute(&format!("SELECT pg_advisory_lock({})", domain::locks::EVENTS_APPEND))
        .await
        .unwrap();
    let asked = format!("UPDATE trading.orders SET cancel_requested_at = now() WHERE id = '{order}'");
    assert_eq!(execute(url, &asked).await, Ok(1));
    assert_eq!(execute(url, &accepted_cancel(order, 28)).await, Ok(1));
    trader.app.to_connector("/broker/cancels", &json!({ "orderIds": [order] })).await.expect(200);
    eventually("the order's end", || async { waiting().await >= 1 }).await;
    eventually("the answer to the second sending", || async { waiting().await >= 2 }).await;
    events
        .batch_execute(&format!("SELECT pg_advisory_unlock({})", domain::locks::EVENTS_APPEND))
        .await
        .unwrap();
    trader.until(order, "CANCELED").await;
    eventually("everybody's turn", || async { waiting().await == 0 }).await;
    assert_books_balance(url).await;
}
