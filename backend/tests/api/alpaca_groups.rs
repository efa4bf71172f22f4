//! Groups that Alpaca works as one order of its own, from the API to a stand-in that speaks its wire format.

use crate::alpaca::House;
use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{Answer, eventually};
use crate::trader::{Trader, decimal};
use alpaca_stand_in::{Fault, Manners, Order};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for a group to come to where it should be.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(crate) async fn place(trader: &Trader, kind: &str, legs: Value) -> Answer {
    trader.priced("AAPL").await;
    let mut body = json!({ "accountId": trader.account, "kind": kind, "symbol": "AAPL", "quantity": "10" });
    body.as_object_mut().unwrap().extend(legs.as_object().unwrap().clone());
    trader.app.post("/api/order-groups", &trader.user, body).await
}

/// An entry that rests, and exits far from the market.
fn bracket() -> Value {
    json!({ "entry": { "limitPrice": "1" }, "takeProfit": { "limitPrice": "100000" },
        "stopLoss": { "stopPrice": "0.5" } })
}

fn exits() -> Value {
    json!({ "takeProfit": { "limitPrice": "100000" }, "stopLoss": { "stopPrice": "0.5", "limitPrice": "0.4" } })
}

pub(crate) fn leg<'a>(group: &'a Value, name: &str) -> &'a Value {
    group["legs"].as_array().unwrap().iter().find(|leg| leg["leg"] == name).unwrap()
}

pub(crate) fn id_of(group: &Value, name: &str) -> String {
    leg(group, name)["orderId"].as_str().unwrap().to_owned()
}

/// Where the orders of a group stand: entry, exit with profit, exit with loss.
fn standing(group: &Value) -> [String; 3] {
    ["entry", "take_profit", "stop_loss"].map(|name| {
        let leg = group["legs"].as_array().unwrap().iter().find(|leg| leg["leg"] == name);
        let order = leg.map(|leg| leg["order"]["status"].as_str().unwrap_or_default());
        order.unwrap_or_default().to_owned()
    })
}

pub(crate) async fn until(house: &House, group: &Value, reached: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/order-groups/{}", group["id"].as_str().unwrap());
    let deadline = tokio::time::Instant::now() + WAIT_MAX;
    loop {
        let group = house.trader.app.get(&path, &house.trader.user).await.expect(200).json();
        if reached(&group) {
            return group;
        }
        assert!(tokio::time::Instant::now() < deadline, "{group:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_they_stand(house: &House, group: &Value, expected: [&str; 3]) -> Value {
    until(house, group, |group| standing(group) == expected).await
}

/// The orders at Alpaca by their parts.
pub(crate) fn at_alpaca(house: &House, order_type: &str) -> Order {
    let orders = house.stand_in.act(|market| market.orders().to_vec());
    orders
        .into_iter()
        .rev()
        .find(|order| order.order_type == order_type && order.member.parent.is_some())
        .unwrap()
}

pub(crate) fn fill(house: &House, number: &str, quantity: &str, price: &str) {
    house.stand_in.act(|market| market.fill(number, quantity.parse().unwrap(), price.parse().unwrap()));
}

pub(crate) fn fill_entry(house: &House, group: &Value, quantity: &str) {
    let entry = id_of(group, "entry");
    let number = house.stand_in.act(|market| market.named(&entry).last().unwrap().id.clone());
    fill(house, &number, quantity, "1");
}

/// Neither the comparison nor anybody else has found anything that is not as it should be.
pub(crate) async fn nothing_is_different(house: &House) {
    let compared = house.trader.compared().await;
    assert_eq!(
        (&compared["outcome"], &compared["differences"]),
        (&json!("agreed"), &json!([])),
        "{compared}"
    );
    assert_books_balance(&house.trader.app.database_url).await;
    assert_eq!(house.trader.incidents().await, Vec::<Value>::new());
}

/// A bracket whose entry is filled and whose exits are worked.
async fn worked_bracket(house: &House) -> Value {
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    house.trader.until(&id_of(&group, "entry"), "NEW").await;
    fill_entry(house, &group, "10");
    until_they_stand(house, &group, ["FILLED", "NEW", "NEW"]).await
}

/// Shares that are held, and an OCO that is to sell them.
async fn worked_oco(house: &House) -> Value {
    let order = house.rests("10").await;
    house.fill(&order, "10");
    house.trader.until(order["id"].as_str().unwrap(), "FILLED").await;
    let group = place(&house.trader, "oco", exits()).await.expect(201).json();
    until_they_stand(house, &group, ["", "NEW", "NEW"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bracket_is_one_order_at_alpaca_whose_target_sells_and_whose_stop_gives_way() {
    let house = House::start().await;
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    let placed = until_they_stand(&house, &group, ["NEW", "", ""]).await;
    assert_eq!(leg(&placed, "stop_loss")["timeInForce"], "gtc", "the exits stay, and the entry with them");
    assert_eq!(leg(&placed, "entry")["timeInForce"], "gtc");
    let sent = house.stand_in.act(|market| market.orders().to_vec());
    assert_eq!(sent.iter().map(|order| order.member.class).collect::<Vec<_>>(), ["bracket"; 3]);
    assert_eq!(house.stand_in.act(|market| market.named("gaemi-").len()), 1, "one order of ours was sent");
    nothing_is_different(&house).await;

    fill_entry(&house, &group, "4");
    until_they_stand(&house, &group, ["PARTIALLY_FILLED", "", ""]).await;
    nothing_is_different(&house).await;
    fill_entry(&house, &group, "6");
    let worked = until_they_stand(&house, &group, ["FILLED", "NEW", "NEW"]).await;
    assert_eq!(
        (&leg(&worked, "take_profit")["order"]["held"], &leg(&worked, "stop_loss")["order"]["held"]),
        (&json!("10"), &json!("0")),
        "the shares are held once"
    );
    nothing_is_different(&house).await;

    fill(&house, &at_alpaca(&house, "limit").id, "4", "3");
    until(&house, &group, |group| leg(group, "stop_loss")["order"]["quantity"] == "6").await;
    nothing_is_different(&house).await;
    fill(&house, &at_alpaca(&house, "limit").id, "6", "3");
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "FILLED", "CANCELED"]).await;
    assert_eq!(house.trader.balance().await["cash"], "100020", "bought at 10, sold at 30");
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 3, "nothing was sent twice");
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_the_target_has_made_smaller_sells_the_rest() {
    let house = House::start().await;
    let group = worked_bracket(&house).await;
    fill(&house, &at_alpaca(&house, "limit").id, "4", "3");
    fill(&house, &at_alpaca(&house, "stop").id, "6", "0.5");
    until(&house, &group, |group| group["active"] == false).await;
    let ended = until_they_stand(&house, &group, ["FILLED", "CANCELED", "FILLED"]).await;
    let sold =
        ["take_profit", "stop_loss"].map(|name| decimal(&leg(&ended, name)["order"]["filledQuantity"]));
    assert_eq!(sold, [Decimal::from(4), Decimal::from(6)]);
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_one_exit_ends_the_group_and_frees_the_shares() {
    let house = House::start().await;
    let group = worked_bracket(&house).await;
    let profit = id_of(&group, "take_profit");
    house.trader.app.delete(&format!("/api/orders/{profit}"), &house.trader.user).await.expect(202);
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "CANCELED", "CANCELED"]).await;
    nothing_is_different(&house).await;
    let sold = house.trader.place("sell", "AAPL", "10", Some("100000")).await.expect(201).json();
    house.trader.until(sold["id"].as_str().unwrap(), "NEW").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_gets_another_price_and_what_leads_the_others_does_not() {
    let house = House::start().await;
    let placed = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    let entry = id_of(&placed, "entry");
    house.trader.until(&entry, "NEW").await;
    let refused = house.trader.replace(&entry, json!({ "limitPrice": "1.1" }), None).await.expect(422);
    assert_eq!(
        (refused.code().as_str(), refused.complaint().1.as_str()),
        ("order_denied", "replace_unsupported")
    );
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 3, "nothing was sent");
    fill_entry(&house, &placed, "10");
    let group = until_they_stand(&house, &placed, ["FILLED", "NEW", "NEW"]).await;
    let stop = id_of(&group, "stop_loss");
    house.trader.replace(&stop, json!({ "stopPrice": "0.6" }), None).await.expect(202);
    eventually("the stop has its new price", || async {
        house.trader.order(&stop).await["stopPrice"] == "0.6"
    })
    .await;
    nothing_is_different(&house).await;
    // Under its new number it is made smaller, and executed.
    fill(&house, &at_alpaca(&house, "limit").id, "3", "3");
    until(&house, &group, |group| leg(group, "stop_loss")["order"]["quantity"] == "7").await;
    fill(&house, &at_alpaca(&house, "stop").id, "7", "0.6");
    until_they_stand(&house, &group, ["FILLED", "CANCELED", "FILLED"]).await;
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exits_for_shares_that_are_held_are_one_order_and_one_ends_the_other() {
    let house = House::start().await;
    let group = worked_oco(&house).await;
    assert_eq!(leg(&group, "take_profit")["order"]["held"], "10");
    nothing_is_different(&house).await;
    fill(&house, &at_alpaca(&house, "stop_limit").id, "10", "0.45");
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["", "CANCELED", "FILLED"]).await;
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exits_that_alpaca_refuses_are_both_refused_and_hold_nothing() {
    let house = House::start().await;
    let order = house.rests("10").await;
    house.fill(&order, "10");
    house.trader.until(order["id"].as_str().unwrap(), "FILLED").await;
    let set_shares = |shares: i64| {
        house.stand_in.act(|market| market.positions.insert("AAPL".into(), Decimal::from(shares)));
    };
    set_shares(5);
    let group = place(&house.trader, "oco", exits()).await.expect(201).json();
    until_they_stand(&house, &group, ["", "REJECTED", "REJECTED"]).await;
    set_shares(10);
    until(&house, &group, |group| group["active"] == false).await;
    let positions =
        house.trader.app.get("/api/portfolio/positions", &house.trader.user).await.expect(200).json();
    assert_eq!(positions["positions"][0]["available"], "10");
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bracket_whose_answer_was_lost_is_found_with_its_exits_and_is_there_once() {
    let house = House::start().await;
    house.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    house.stand_in.will_fail(&[Fault::BreaksAfter]);
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    house.trader.until(&id_of(&group, "entry"), "NEW").await;
    fill_entry(&house, &group, "10");
    house.trader.compared().await;
    until_they_stand(&house, &group, ["FILLED", "NEW", "NEW"]).await;
    fill(&house, &at_alpaca(&house, "stop").id, "10", "0.5");
    house.trader.compared().await;
    until_they_stand(&house, &group, ["FILLED", "CANCELED", "FILLED"]).await;
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 3);
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_that_come_before_the_answer_are_nobody_elses() {
    let house = House::start().await;
    house.stand_in.will_fail(&[Fault::HangsAfter]);
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    house.stand_in.hangs().await;
    fill_entry(&house, &group, "10");
    fill(&house, &at_alpaca(&house, "limit").id, "10", "3");
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "FILLED", "CANCELED"]).await;
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 3);
    let orders = rows_of(&house.trader.app.database_url, "trading.orders").await;
    assert_eq!(orders, 3, "none was taken for an order of others");
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_that_are_worked_become_orders_also_while_the_account_is_halted() {
    let house = House::start().await;
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    house.trader.until(&id_of(&group, "entry"), "NEW").await;
    let halt = format!("/api/accounts/{}/halt", house.trader.account);
    house.trader.app.post(&halt, &house.trader.user, json!({ "reason": "away" })).await.expect(200);
    fill_entry(&house, &group, "10");
    until_they_stand(&house, &group, ["FILLED", "NEW", "NEW"]).await;
    assert_books_balance(&house.trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_ends_half_executed_leaves_shares_without_exits_and_that_is_told() {
    let house = House::start().await;
    let group = place(&house.trader, "bracket", bracket()).await.expect(201).json();
    house.trader.until(&id_of(&group, "entry"), "NEW").await;
    fill_entry(&house, &group, "4");
    let entry = id_of(&group, "entry");
    house.stand_in.act(|market| {
        let number = market.named(&entry).last().unwrap().id.clone();
        market.end(&number, "expired");
    });
    let ended = until(&house, &group, |group| group["active"] == false).await;
    assert_eq!(standing(&ended), ["EXPIRED", "", ""]);
    for name in ["take_profit", "stop_loss"] {
        assert_eq!(leg(&ended, name)["denials"][0]["rule"], "entry_incomplete", "{ended}");
    }
    let told = house.trader.incidents().await;
    assert!(told.iter().all(|incident| incident["kind"] == "leg_refused") && told.len() == 2, "{told:?}");
    assert_books_balance(&house.trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alpaca_cannot_work_as_one_order_is_named_before_anything_is_placed() {
    let house = House::start().await;
    let mut trailing = bracket();
    trailing["stopLoss"] = json!({ "trailPercent": "5" });
    let mut mixed = bracket();
    mixed["entry"]["timeInForce"] = json!("day");
    mixed["stopLoss"]["timeInForce"] = json!("gtc");
    for (legs, complaint) in [
        (trailing, ("stopLoss.type", "order_type_unsupported")),
        (mixed, ("stopLoss.timeInForce", "time_in_force_unsupported")),
    ] {
        let refused = place(&house.trader, "bracket", legs).await.expect(422);
        assert_eq!(refused.code(), "order_denied");
        let (field, rule) = refused.complaint();
        assert_eq!((field.as_str(), rule.as_str()), complaint);
    }
    assert_eq!(rows_of(&house.trader.app.database_url, "trading.order_groups").await, 0);
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 0);
}
