//! `/api/order-groups`, with the real simulator beside.

use crate::books::{assert_books_balance, count, rows_of};
use crate::helpers::{Answer, eventually};
use crate::trader::{Trader, decimal, open_account};
use crate::truth::{FILL, report};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for a group to come to where it should be.
const WAIT_MAX: Duration = Duration::from_secs(20);

async fn place(trader: &Trader, kind: &str, quantity: &str, legs: Value) -> Answer {
    let mut body =
        json!({ "accountId": trader.account, "kind": kind, "symbol": "AAPL", "quantity": quantity });
    body.as_object_mut().unwrap().extend(legs.as_object().unwrap().clone());
    trader.app.post("/api/order-groups", &trader.user, body).await
}

async fn group(trader: &Trader, id: &str) -> Value {
    trader.app.get(&format!("/api/order-groups/{id}"), &trader.user).await.expect(200).json()
}

async fn until(trader: &Trader, id: &str, reached: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + WAIT_MAX;
    loop {
        let group = group(trader, id).await;
        if reached(&group) {
            return group;
        }
        assert!(tokio::time::Instant::now() < deadline, "{group:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn leg<'a>(group: &'a Value, name: &str) -> &'a Value {
    group["legs"].as_array().unwrap().iter().find(|leg| leg["leg"] == name).unwrap()
}

fn status<'a>(group: &'a Value, name: &str) -> &'a str {
    leg(group, name)["order"]["status"].as_str().unwrap_or("none")
}

fn id(group: &Value) -> String {
    group["id"].as_str().unwrap().to_owned()
}

async fn held_shares(trader: &Trader) -> Decimal {
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    let position = &positions["positions"][0];
    decimal(&position["quantity"]) - decimal(&position["available"])
}

/// An entry that is filled at once, and exits that are far away.
fn far_bracket() -> Value {
    json!({ "entry": {}, "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.01" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bracket_whose_entry_gives_back_what_is_owed_is_refused_before_it_stands_without_exits() {
    let trader = Trader::with("USD", "10000").await;
    let margin = format!("/api/accounts/{}/margin", trader.account);
    trader.app.put(&margin, &trader.user, json!({ "margin": true, "shortSelling": true })).await.expect(200);
    trader.priced("AAPL").await;
    let sold = trader.place("sell", "AAPL", "10", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let refused = place(&trader, "bracket", "15", far_bracket()).await.expect(422);
    assert_eq!(refused.complaint(), ("takeProfit.quantity".to_owned(), "insufficient_shares".to_owned()));
    assert_eq!(trader.position("AAPL").await["quantity"], "-10", "the entry was not placed");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bracket_places_its_exits_when_the_entry_is_filled_and_they_share_the_shares() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let placed = place(&trader, "bracket", "10", far_bracket()).await.expect(201).json();
    assert_eq!(leg(&placed, "take_profit")["state"], "waiting");
    let working =
        |group: &Value| status(group, "take_profit") == "NEW" && status(group, "stop_loss") == "NEW";
    let group = until(&trader, &id(&placed), working).await;
    assert_eq!(status(&group, "entry"), "FILLED");
    assert_eq!(leg(&group, "take_profit")["order"]["held"], "10");
    assert_eq!(leg(&group, "stop_loss")["order"]["held"], "0");
    assert_eq!(held_shares(&trader).await, Decimal::TEN);
    assert_books_balance(&trader.app.database_url).await;

    // Nobody else can sell them.
    let sold = trader.place("sell", "AAPL", "1", None).await.expect(422);
    assert_eq!(sold.complaint().1, "insufficient_shares");

    // Cancelling one cancels the group, and the shares are free.
    let profit = leg(&group, "take_profit")["orderId"].as_str().unwrap().to_owned();
    trader.app.delete(&format!("/api/orders/{profit}"), &trader.user).await.expect(202);
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!((status(&ended, "take_profit"), status(&ended, "stop_loss")), ("CANCELED", "CANCELED"));
    assert_eq!(held_shares(&trader).await, Decimal::ZERO);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_that_holds_nothing_of_its_own_gets_another_price() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    let exits = json!({ "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.01" } });
    let placed = place(&trader, "oco", "10", exits).await.expect(201).json();
    until(&trader, &id(&placed), |group| status(group, "stop_loss") == "NEW").await;
    let stop = leg(&placed, "stop_loss")["orderId"].as_str().unwrap();
    trader.replace(stop, json!({ "stopPrice": "0.02" }), None).await.expect(202);
    let changed = |group: &Value| leg(group, "stop_loss")["order"]["stopPrice"] == "0.02";
    let group = until(&trader, &id(&placed), changed).await;
    assert_eq!(leg(&group, "stop_loss")["order"]["held"], "0", "the shares are held once");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_that_is_executed_cancels_the_other() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    // A limit below the market is executed at once.
    let exits = json!({ "takeProfit": { "limitPrice": "1" }, "stopLoss": { "stopPrice": "0.01" } });
    let placed = place(&trader, "oco", "10", exits).await.expect(201).json();
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!((status(&ended, "take_profit"), status(&ended, "stop_loss")), ("FILLED", "CANCELED"));
    assert_eq!(count(&trader.app.database_url, "SELECT count(*) AS rows FROM trading.incidents").await, 0);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_triggers_the_other() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let orders = json!({ "entry": { "side": "buy" }, "then": { "side": "sell", "limitPrice": "100000" } });
    let placed = place(&trader, "oto", "3", orders).await.expect(201).json();
    let group = until(&trader, &id(&placed), |group| status(group, "then") == "NEW").await;
    assert_eq!(leg(&group, "then")["order"]["quantity"], "3");
    let path = format!("/api/order-groups/{}", id(&placed));
    trader.app.delete(&path, &trader.user).await.expect(202);
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!(status(&ended, "then"), "CANCELED");
    assert_eq!(trader.app.delete(&path, &trader.user).await.expect(409).code(), "order_not_open");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_taken_back_has_no_exits() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let legs = json!({ "entry": { "limitPrice": "1" }, "takeProfit": { "limitPrice": "2" }, "stopLoss": { "stopPrice": "0.5" } });
    let placed = place(&trader, "bracket", "10", legs).await.expect(201).json();
    until(&trader, &id(&placed), |group| status(group, "entry") == "NEW").await;
    let entry = leg(&placed, "entry")["orderId"].as_str().unwrap().to_owned();
    trader.app.delete(&format!("/api/orders/{entry}"), &trader.user).await.expect(202);
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!(
        (&leg(&ended, "take_profit")["state"], &leg(&ended, "stop_loss")["state"]),
        (&json!("dropped"), &json!("dropped"))
    );
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 1);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_once_whatever_is_repeated_and_goes_on_after_a_restart() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let mut legs = far_bracket();
    legs["clientGroupId"] = json!("one");
    let (first, second) = tokio::join!(
        place(&trader, "bracket", "10", legs.clone()),
        place(&trader, "bracket", "10", legs.clone())
    );
    let (first, second) = (first.expect(201).json(), second.expect(201).json());
    assert_eq!(first["id"], second["id"]);
    legs["entry"] = json!({ "limitPrice": "1" });
    assert_eq!(place(&trader, "bracket", "10", legs).await.expect(409).code(), "idempotency_key_reused");
    let trader = Trader { app: trader.app.restart().await, ..trader };
    let working = |group: &Value| status(group, "stop_loss") == "NEW";
    until(&trader, &id(&first), working).await;
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 3);
    let listed = trader.app.get("/api/order-groups?limit=1", &trader.user).await.expect(200).json();
    assert_eq!(listed["groups"][0]["id"], first["id"]);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_is_refused_whole_and_every_reason_is_named() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let nothing = |answer: Answer| answer.expect(422);
    let missing = nothing(place(&trader, "bracket", "10", json!({ "entry": {} })).await);
    assert!(missing.text.contains("takeProfit") && missing.text.contains("stopLoss"));
    let wrong_way = json!({ "entry": { "limitPrice": "100" }, "takeProfit": { "limitPrice": "90" }, "stopLoss": { "stopPrice": "110" } });
    let wrong_way = nothing(place(&trader, "bracket", "10", wrong_way).await);
    for rule in ["below_stop", "below_entry", "above_entry"] {
        assert!(wrong_way.text.contains(rule), "{}", wrong_way.text);
    }
    let off_tick =
        json!({ "entry": {}, "takeProfit": { "limitPrice": "1000.001" }, "stopLoss": { "stopPrice": "1" } });
    assert_eq!(
        nothing(place(&trader, "bracket", "10", off_tick).await).complaint(),
        ("takeProfit.limitPrice".to_owned(), "tick_size".to_owned())
    );
    let fraction = nothing(place(&trader, "bracket", "1.5", far_bracket()).await);
    assert_eq!(fraction.complaint().1, "whole_shares");
    let not_held = json!({ "takeProfit": { "limitPrice": "1000" }, "stopLoss": { "stopPrice": "1" } });
    assert!(nothing(place(&trader, "oco", "10", not_held).await).text.contains("insufficient_shares"));
    for table in ["trading.orders", "trading.order_groups", "trading.group_legs"] {
        assert_eq!(rows_of(&trader.app.database_url, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_takes_back_the_groups_of_others() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let placed = place(&trader, "bracket", "1", far_bracket()).await.expect(201).json();
    let other = trader.app.register("bee@example.com").await;
    let path = format!("/api/order-groups/{}", id(&placed));
    trader.app.get(&path, &other).await.expect(404);
    trader.app.delete(&path, &other).await.expect(404);
    let body = json!({ "accountId": trader.account, "kind": "bracket", "symbol": "AAPL", "quantity": "1" , "entry": {}, "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.01" } });
    trader.app.post("/api/order-groups", &other, body).await.expect(404);
    assert_eq!(trader.app.get("/api/order-groups", &other).await.expect(200).json()["groups"], json!([]));
}

async fn close(trader: &Trader, quantity: Option<&str>) -> Value {
    let body = json!({ "accountId": trader.account, "symbol": "AAPL", "quantity": quantity });
    let close = trader.app.post("/api/positions/close", &trader.user, body).await.expect(202).json();
    let path = format!("/api/positions/closes/{}", close["id"].as_str().unwrap());
    let look = || async { trader.app.get(&path, &trader.user).await.expect(200).json() };
    eventually("the close ends", || async {
        !["WAITING", "PLACING"].contains(&look().await["status"].as_str().unwrap())
    })
    .await;
    let close = look().await;
    if let Some(order) = close["orderId"].as_str() {
        trader.until(order, "FILLED").await;
    }
    close
}

async fn shares(trader: &Trader) -> Value {
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    let position = positions["positions"].as_array().unwrap().first().cloned().unwrap_or_default();
    position.get("quantity").cloned().unwrap_or_else(|| "0".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_position_takes_the_exits_of_its_bracket_back_and_sells_once() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let placed = place(&trader, "bracket", "10", far_bracket()).await.expect(201).json();
    let working =
        |group: &Value| status(group, "take_profit") == "NEW" && status(group, "stop_loss") == "NEW";
    until(&trader, &id(&placed), working).await;
    let closed = close(&trader, None).await;
    assert_eq!((&closed["status"], &closed["orderQuantity"]), (&json!("PLACED"), &json!("10")));
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!((status(&ended, "take_profit"), status(&ended, "stop_loss")), ("CANCELED", "CANCELED"));
    assert_eq!(shares(&trader).await, "0");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_leaves_the_exits_alone_as_long_as_other_shares_are_free() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "20").await;
    let exits = json!({ "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.01" } });
    let placed = place(&trader, "oco", "10", exits).await.expect(201).json();
    let working =
        |group: &Value| status(group, "take_profit") == "NEW" && status(group, "stop_loss") == "NEW";
    until(&trader, &id(&placed), working).await;
    assert_eq!(close(&trader, Some("10")).await["status"], "PLACED");
    let group = group(&trader, &id(&placed)).await;
    assert!(working(&group), "{group:#}");
    assert_eq!(shares(&trader).await, "10");

    assert_eq!(close(&trader, Some("4")).await["status"], "PLACED");
    let ended = until(&trader, &id(&placed), |group| group["active"] == false).await;
    assert_eq!((status(&ended, "take_profit"), status(&ended, "stop_loss")), ("CANCELED", "CANCELED"));
    assert_eq!(shares(&trader).await, "6");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_and_a_close_that_cross_sell_the_shares_once() {
    for _ in 0..4 {
        let trader = Trader::with("USD", "100000").await;
        trader.bought("AAPL", "10").await;
        // A limit below the market is executed as soon as it arrives.
        let exits = json!({ "takeProfit": { "limitPrice": "1" }, "stopLoss": { "stopPrice": "0.01" } });
        let exits = place(&trader, "oco", "10", exits);
        let body = json!({ "accountId": trader.account, "symbol": "AAPL" });
        let close = trader.app.post("/api/positions/close", &trader.user, body);
        let (exits, close) = tokio::join!(exits, close);
        // Whoever was quicker has the shares; the other is refused, or finds nothing left.
        assert!([201, 422].contains(&exits.status.as_u16()), "{}", exits.text);
        if close.status == 409 {
            assert_eq!(close.code(), "nothing_to_close");
        } else {
            let path = format!("/api/positions/closes/{}", close.expect(202).json()["id"].as_str().unwrap());
            eventually("the close ends", || async {
                let close = trader.app.get(&path, &trader.user).await.expect(200).json();
                ["PLACED", "NOTHING_LEFT"].contains(&close["status"].as_str().unwrap())
            })
            .await;
        }
        eventually("everything is sold", || async { shares(&trader).await == "0" }).await;
        let sold = "SELECT coalesce(sum(filled_quantity), 0)::bigint AS rows FROM trading.orders WHERE side = 'sell'";
        assert_eq!(count(&trader.app.database_url, sold).await, 10);
        trader.assert_in_order().await;
    }
}

/// A bracket whose entry the broker says to have executed, long before its price came.
async fn bracket_with_its_entry_at_work(trader: &Trader) -> Value {
    let mut legs = far_bracket();
    legs["entry"] = json!({ "limitPrice": "1" });
    legs["clientGroupId"] = json!("one");
    let placed = place(trader, "bracket", "10", legs).await.expect(201).json();
    until(trader, &id(&placed), |group| status(group, "entry") == "NEW").await
}

async fn execute_entry(trader: &Trader, group: &Value) {
    let entry = leg(group, "entry")["orderId"].as_str().unwrap();
    report(trader, entry, "entry", "fill", FILL, ", 'entry', 10, 1, 0, 0").await;
    trader.until(entry, "FILLED").await;
}

/// Waits until every active group was looked at: one that comes later, in another account, has woken its legs.
async fn looked_at(trader: &Trader) {
    let (app, user) = (&trader.app, &trader.user);
    let account = open_account(app, user, "USD").await;
    let deposit = format!("/api/accounts/{account}/deposit");
    app.post(&deposit, user, json!({ "amount": "10000" })).await.expect(201);
    trader.priced("MSFT").await;
    let mut body = far_bracket();
    for (field, value) in
        [("accountId", account.as_str()), ("kind", "bracket"), ("symbol", "MSFT"), ("quantity", "1")]
    {
        body[field] = value.into();
    }
    let later = app.post("/api/order-groups", user, body).await.expect(201).json();
    until(trader, &id(&later), |group| status(group, "stop_loss") == "NEW").await;
}

async fn waits_without_a_trace(trader: &Trader, before: &Value) {
    looked_at(trader).await;
    let waiting = group(trader, &id(before)).await;
    assert_eq!(leg(&waiting, "take_profit")["state"], "waiting");
    assert_eq!(waiting["updatedAt"], before["updatedAt"], "nothing is written while nothing moves");
}

#[tokio::test(flavor = "multi_thread")]
async fn legs_wait_while_their_symbol_is_halted_and_nothing_turns_round_meanwhile() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let bracket = bracket_with_its_entry_at_work(&trader).await;
    let halt = "/api/orders/halts/AAPL";
    trader.app.put(halt, &trader.user, json!({ "reason": "news pending" })).await.expect(200);
    execute_entry(&trader, &bracket).await;
    waits_without_a_trace(&trader, &bracket).await;
    trader.app.delete(halt, &trader.user).await.expect(204);
    until(&trader, &id(&bracket), |group| status(group, "take_profit") == "NEW").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_that_wait_never_wake_after_a_split_which_their_prices_do_not_know() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let bracket = bracket_with_its_entry_at_work(&trader).await;
    let halt = "/api/orders/halts/AAPL";
    trader.app.put(halt, &trader.user, json!({ "reason": "split" })).await.expect(200);
    execute_entry(&trader, &bracket).await;
    let split = json!({ "kind": "split", "symbol": "AAPL", "newShares": "4", "oldShares": "1" });
    trader.app.post("/api/corporate-actions", &trader.user, split).await.expect(201);
    eventually("the split", || async { trader.position("AAPL").await["quantity"] == "40" }).await;
    let ended = group(&trader, &id(&bracket)).await;
    let states = ["take_profit", "stop_loss"].map(|name| leg(&ended, name)["state"].clone());
    assert_eq!((&ended["active"], states), (&json!(false), [json!("dropped"), json!("dropped")]));
    trader.app.delete(halt, &trader.user).await.expect(204);
    looked_at(&trader).await;
    assert_eq!(group(&trader, &id(&bracket)).await["updatedAt"], ended["updatedAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_halted_account_no_group_is_made_and_legs_wait() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let bracket = bracket_with_its_entry_at_work(&trader).await;
    let order = trader.place("buy", "AAPL", "2", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    report(&trader, order, "no", "rejected", ", reason", ", 'no'").await;
    trader.until(order, "REJECTED").await;
    report(&trader, order, "yes", "fill", FILL, ", 'yes', 2, 1, 0, 0").await;
    let halt = format!("/api/accounts/{}/halt", trader.account);
    eventually("a halt", || async {
        trader.app.get(&halt, &trader.user).await.expect(200).json()["halted"] == true
    })
    .await;

    let mut legs = far_bracket();
    assert_eq!(place(&trader, "bracket", "1", legs.clone()).await.expect(403).code(), "trading_halted");
    legs["entry"] = json!({ "limitPrice": "1" });
    legs["clientGroupId"] = json!("one");
    let again = place(&trader, "bracket", "10", legs).await.expect(201).json();
    assert_eq!(again["id"], bracket["id"], "what was made before is still answered");

    execute_entry(&trader, &bracket).await;
    waits_without_a_trace(&trader, &bracket).await;
    trader.app.post(&format!("{halt}/lift"), &trader.user, json!({})).await.expect(200);
    until(&trader, &id(&bracket), |group| status(group, "take_profit") == "NEW").await;
}
