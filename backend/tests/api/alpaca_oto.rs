//! An exit that Alpaca takes with the purchase that it follows, from the API to a stand-in that speaks its wire format.

use crate::alpaca::House;
use crate::alpaca_groups::{at_alpaca, fill, fill_entry, id_of, leg, nothing_is_different, place, until};
use crate::books::{assert_books_balance, rows_of};
use crate::trader::Trader;
use alpaca_stand_in::{Fault, Manners, Order};
use serde_json::{Value, json};

/// A purchase that rests, and a sale far above it.
fn dearer() -> Value {
    json!({ "entry": { "side": "buy", "limitPrice": "1" }, "then": { "side": "sell", "limitPrice": "100000" } })
}

/// A purchase that rests, and a stop below it.
fn lower() -> Value {
    json!({ "entry": { "side": "buy", "limitPrice": "1" }, "then": { "side": "sell", "stopPrice": "0.5" } })
}

/// Where both orders stand; nothing for one that is no order here yet.
fn standing(group: &Value) -> [&str; 2] {
    ["entry", "then"].map(|name| leg(group, name)["order"]["status"].as_str().unwrap_or_default())
}

async fn until_they_stand(house: &House, group: &Value, expected: [&str; 2]) -> Value {
    until(house, group, |group| standing(group) == expected).await
}

/// A group whose entry rests at Alpaca.
async fn placed(house: &House, legs: Value) -> Value {
    let group = place(&house.trader, "oto", legs).await.expect(201).json();
    until_they_stand(house, &group, ["NEW", ""]).await
}

/// A group whose entry is filled and whose exit is worked.
async fn worked(house: &House, legs: Value) -> Value {
    let group = placed(house, legs).await;
    fill_entry(house, &group, "10");
    until_they_stand(house, &group, ["FILLED", "NEW"]).await
}

fn sent(house: &House) -> Vec<Order> {
    house.stand_in.act(|market| market.orders().to_vec())
}

fn held_at_alpaca(house: &House) -> Vec<&'static str> {
    sent(house).iter().map(|order| order.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_and_the_sale_that_follows_it_are_one_order_at_alpaca() {
    let house = House::start().await;
    let group = placed(&house, dearer()).await;
    assert_eq!(["entry", "then"].map(|name| leg(&group, name)["timeInForce"].clone()), ["gtc", "gtc"]);
    assert_eq!(sent(&house).iter().map(|order| order.member.class).collect::<Vec<_>>(), ["oto"; 2]);
    assert_eq!(house.stand_in.act(|market| market.named("gaemi-").len()), 1, "one order of ours was sent");
    nothing_is_different(&house).await;

    fill_entry(&house, &group, "4");
    until_they_stand(&house, &group, ["PARTIALLY_FILLED", ""]).await;
    nothing_is_different(&house).await;
    fill_entry(&house, &group, "6");
    let group = until_they_stand(&house, &group, ["FILLED", "NEW"]).await;
    assert_eq!(leg(&group, "then")["order"]["held"], "10", "the shares are held for it");
    nothing_is_different(&house).await;

    fill(&house, &at_alpaca(&house, "limit").id, "10", "3");
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "FILLED"]).await;
    assert_eq!(house.trader.balance().await["cash"], "100020", "bought at 10, sold at 30");
    assert_eq!(sent(&house).len(), 2, "nothing was sent twice");
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_follows_is_worked_gets_another_price_and_sells() {
    let house = House::start().await;
    let group = worked(&house, lower()).await;
    let stop = id_of(&group, "then");
    house.trader.replace(&stop, json!({ "stopPrice": "0.6" }), None).await.expect(202);
    until(&house, &group, |group| leg(group, "then")["order"]["stopPrice"] == "0.6").await;
    fill(&house, &at_alpaca(&house, "stop").id, "10", "0.6");
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "FILLED"]).await;
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_sells_while_this_server_is_away_and_is_booked_when_it_is_back() {
    let House { trader, stand_in } = House::start().await;
    let house = House { trader, stand_in };
    let group = placed(&house, lower()).await;
    let House { trader, stand_in } = house;
    let entry = id_of(&group, "entry");
    let app = trader
        .app
        .restart_after(|| {
            stand_in.act(|market| {
                let number = market.named(&entry).last().unwrap().id.clone();
                market.fill(&number, 10.into(), "1".parse().unwrap());
                let stop =
                    market.orders().iter().find(|order| order.order_type == "stop").unwrap().id.clone();
                market.fill(&stop, 10.into(), "0.5".parse().unwrap());
            });
        })
        .await;
    let house = House { trader: Trader { app, ..trader }, stand_in };
    until_they_stand(&house, &group, ["FILLED", "FILLED"]).await;
    until(&house, &group, |group| group["active"] == false).await;
    assert_eq!(house.trader.balance().await["cash"], "99995", "bought at 10, sold at 5");
    assert_eq!(sent(&house).len(), 2, "nothing was sent again");
    let orders = rows_of(&house.trader.app.database_url, "trading.orders").await;
    assert_eq!(orders, 2, "none was taken for an order of others");
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_the_entry_ends_what_was_to_follow() {
    let house = House::start().await;
    let group = placed(&house, dearer()).await;
    let entry = id_of(&group, "entry");
    house.trader.app.delete(&format!("/api/orders/{entry}"), &house.trader.user).await.expect(202);
    let ended = until(&house, &group, |group| group["active"] == false).await;
    assert_eq!(standing(&ended), ["CANCELED", ""]);
    assert_eq!(leg(&ended, "then")["state"], "dropped");
    assert_eq!(held_at_alpaca(&house), ["canceled", "canceled"]);
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_the_exit_frees_the_shares() {
    let house = House::start().await;
    let group = worked(&house, dearer()).await;
    let then = id_of(&group, "then");
    house.trader.app.delete(&format!("/api/orders/{then}"), &house.trader.user).await.expect(202);
    until(&house, &group, |group| group["active"] == false).await;
    until_they_stand(&house, &group, ["FILLED", "CANCELED"]).await;
    nothing_is_different(&house).await;
    let sold = house.trader.place("sell", "AAPL", "10", Some("100000")).await.expect(201).json();
    house.trader.until(sold["id"].as_str().unwrap(), "NEW").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_whose_answer_was_lost_is_found_with_its_exit_and_is_there_once() {
    let house = House::start().await;
    house.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    house.stand_in.will_fail(&[Fault::BreaksAfter]);
    let group = placed(&house, dearer()).await;
    fill_entry(&house, &group, "10");
    house.trader.compared().await;
    until_they_stand(&house, &group, ["FILLED", "NEW"]).await;
    fill(&house, &at_alpaca(&house, "limit").id, "10", "3");
    house.trader.compared().await;
    until_they_stand(&house, &group, ["FILLED", "FILLED"]).await;
    assert_eq!(sent(&house).len(), 2);
    nothing_is_different(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_ends_half_executed_leaves_shares_without_the_exit_and_that_is_told() {
    let house = House::start().await;
    let group = placed(&house, lower()).await;
    fill_entry(&house, &group, "4");
    let entry = id_of(&group, "entry");
    house.stand_in.act(|market| {
        let number = market.named(&entry).last().unwrap().id.clone();
        market.end(&number, "expired");
    });
    let ended = until(&house, &group, |group| group["active"] == false).await;
    assert_eq!(standing(&ended), ["EXPIRED", ""]);
    assert_eq!(leg(&ended, "then")["denials"][0]["rule"], "entry_incomplete", "{ended}");
    let told = house.trader.incidents().await;
    assert!(told.iter().all(|incident| incident["kind"] == "leg_refused") && told.len() == 1, "{told:?}");
    assert_books_balance(&house.trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_alpaca_refuses_leaves_nothing_behind() {
    let house = House::start().await;
    let set_cash = |cash: i64| house.stand_in.act(|market| market.cash = cash.into());
    set_cash(5);
    let group = place(&house.trader, "oto", lower()).await.expect(201).json();
    until_they_stand(&house, &group, ["REJECTED", ""]).await;
    set_cash(100_000);
    let ended = until(&house, &group, |group| group["active"] == false).await;
    assert_eq!(standing(&ended), ["REJECTED", ""]);
    assert_eq!(leg(&ended, "then")["state"], "dropped");
    assert_eq!(sent(&house).len(), 0);
    nothing_is_different(&house).await;
}
