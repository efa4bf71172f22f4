//! What the stream tells, or does not tell, changes no book.

use super::World;
use crate::connector::eventually;
use alpaca_stand_in::Manners;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_finds_what_the_stream_lost_and_all_of_the_cash() {
    let world = World::start().await;
    world.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    let order = world.buy("10", "100");
    world.connector.place_accepted(&order).await;
    world.fill(&order, "10", "99.5");
    world.stand_in.act(|market| {
        market.move_cash("DIV", "12.34".parse().unwrap());
        market.move_cash("FEE", "-0.05".parse().unwrap());
    });
    let sync = world.sync().await;
    assert_eq!(sync["positions"], json!([{ "symbol": "AAPL", "quantity": "10" }]));
    assert_eq!(
        sync["tradeCash"],
        json!([{ "currency": "USD", "amount": "-982.71" }]),
        "the trade, the dividend and the fee"
    );
    assert_eq!(world.connector.kinds(&order).await, ["accepted", "fill"]);
    let balance = world.connector.get(&format!("/broker/accounts/{}/balance", world.account)).await;
    assert_eq!(balance["cash"], "99017.29");
}

/// Sends an order as another program does, and gives what Alpaca says.
async fn sent_by_others(world: &World, order: Value) -> Value {
    let client = reqwest::Client::new();
    let request = client
        .post(format!("{}/v2/orders", world.stand_in.url()))
        .header("APCA-API-KEY-ID", alpaca_stand_in::KEY_ID)
        .header("APCA-API-SECRET-KEY", alpaca_stand_in::SECRET_KEY);
    request.json(&order).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_others_by_amount_of_money_is_told_with_its_shares_once_it_is_done() {
    let mut world = World::start().await;
    let by_amount = json!({
        "symbol": "AAPL", "notional": "33", "side": "buy", "type": "limit", "time_in_force": "day", "limit_price": "10",
    });
    let placed = sent_by_others(&world, by_amount).await;
    assert_eq!((&placed["qty"], &placed["notional"]), (&Value::Null, &json!("33")));
    let number = placed["id"].as_str().unwrap();
    world.stand_in.act(|market| {
        market.age(number, 120);
        market.fill(number, "3.3".parse().unwrap(), "10".parse().unwrap());
    });
    world.database.execute("UPDATE broker.openings SET opened_at = opened_at - interval '10 minutes'").await;
    world.restart().await;
    let path = format!("/broker/executions?accountId={}", world.account);
    eventually("it is told", || async {
        let page = world.connector.get(&path).await;
        let lines = page["reports"].as_array().unwrap();
        let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        kinds == ["accepted", "fill"] && lines[1]["quantity"] == "3.3"
    })
    .await;
    assert_eq!(world.sync().await["positions"], json!([{ "symbol": "AAPL", "quantity": "3.3" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bracket_of_others_is_three_orders_and_its_shares_are_sold_once() {
    let mut world = World::start().await;
    let bracket = json!({
        "symbol": "AAPL", "qty": "10", "side": "buy", "type": "limit", "time_in_force": "gtc", "limit_price": "10",
        "order_class": "bracket", "take_profit": { "limit_price": "12" }, "stop_loss": { "stop_price": "8" },
    });
    let placed = sent_by_others(&world, bracket).await;
    let number = |order: &Value| order["id"].as_str().unwrap().to_owned();
    let members = [number(&placed), number(&placed["legs"][0]), number(&placed["legs"][1])];
    assert_eq!((&placed["legs"][0]["status"], &placed["legs"][1]["type"]), (&json!("held"), &json!("stop")));
    let [entry, take_profit, _] = &members;
    world.stand_in.act(|market| {
        members.iter().for_each(|number| market.age(number, 120));
        market.fill(entry, "10".parse().unwrap(), "10".parse().unwrap());
        market.fill(take_profit, "4".parse().unwrap(), "12".parse().unwrap());
        market.fill(take_profit, "6".parse().unwrap(), "12".parse().unwrap());
    });
    world.database.execute("UPDATE broker.openings SET opened_at = opened_at - interval '10 minutes'").await;
    world.restart().await;
    let path = format!("/broker/executions?accountId={}&limit=1000", world.account);
    let told = async || {
        let page = world.connector.get(&path).await;
        let mut by_number = std::collections::BTreeMap::<String, Vec<String>>::new();
        for line in page["reports"].as_array().unwrap() {
            let order = line["orderId"].as_str().unwrap();
            let status = world.connector.get(&format!("/broker/order/{order}")).await;
            let kinds =
                by_number.entry(status["order"]["brokerOrderId"].as_str().unwrap().to_owned()).or_default();
            kinds.push(line["kind"].as_str().unwrap().to_owned());
        }
        members
            .each_ref()
            .map(|number| by_number.get(number).map(|kinds| kinds.join(" ")).unwrap_or_default())
    };
    let expected = ["accepted fill", "accepted fill fill", "accepted canceled"];
    eventually("each member is told", || async { told().await == expected }).await;
    let sync = world.sync().await;
    assert_eq!(sync["positions"], json!([]), "bought and sold once");
    assert_eq!(sync["tradeCash"], json!([{ "currency": "USD", "amount": "20" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_the_account_was_connected_is_no_trade_of_ours() {
    let world = World::unconnected().await;
    let before = json!({
        "symbol": "AAPL", "qty": 5, "side": "buy", "type": "limit", "time_in_force": "day", "limit_price": 100.5,
    });
    world.stand_in.act(|market| {
        market.move_cash("CSD", "1000".parse().unwrap());
        market.positions.insert("MSFT".into(), "7".parse().unwrap());
    });
    let placed = sent_by_others(&world, before).await;
    world.stand_in.act(|market| {
        market.fill(placed["id"].as_str().unwrap(), "5".parse().unwrap(), "100".parse().unwrap());
    });
    let answer =
        super::connect(&world.connector, world.account, alpaca_stand_in::KEY_ID, alpaca_stand_in::SECRET_KEY)
            .await;
    let opened: Value = answer.json().await.unwrap();
    assert_eq!(opened["openingCash"], "100500");
    let sync = world.sync().await;
    assert_eq!(sync["tradeCash"], json!([{ "currency": "USD", "amount": "0" }]));
    assert_eq!(sync["positions"].as_array().unwrap().len(), 2);
    let page = world.connector.get(&format!("/broker/executions?accountId={}", world.account)).await;
    assert_eq!(page["reports"], json!([]));
}
