//! What the stream tells, or does not tell, changes no book.

use super::World;
use crate::connector::eventually;
use futures_util::{SinkExt, StreamExt};
use kiwoom_stand_in::{APP_KEY, Manners, SECRET_KEY};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn executions_are_told_once_whatever_the_stream_does() {
    for manners in [
        Manners::default(),
        Manners { triples: true, ..Manners::default() },
        Manners { triples: true, reverses: true, ..Manners::default() },
    ] {
        let world = World::start().await;
        world.stand_in.set_manners(manners);
        let order = world.buy("10", "70000");
        world.connector.place_accepted(&order).await;
        let number = world.at_kiwoom(&order)[0].number.clone();
        world.stand_in.act(|market| {
            market.fill(&number, 3, 70_000);
            market.fill(&number, 2, 69_900);
            market.take_back(&number);
        });
        eventually("its end", || async {
            world.connector.kinds(&order).await.last().is_some_and(|kind| kind == "canceled")
        })
        .await;
        let reports = world.connector.reports(&order).await;
        let fills: Vec<_> = reports.iter().filter(|line| line["kind"] == "fill").collect();
        let sum = |value: &dyn Fn(&Value) -> i64| fills.iter().map(|line| value(line)).sum::<i64>();
        let number = |line: &Value, field: &str| line[field].as_str().unwrap().parse::<i64>().unwrap();
        assert_eq!(sum(&|line| number(line, "quantity")), 5, "{reports:?}");
        assert_eq!(sum(&|line| number(line, "quantity") * number(line, "price")), 3 * 70_000 + 2 * 69_900);
        assert_eq!(sum(&|line| number(line, "commission")), (3 * 70_000 + 2 * 69_900) * 15 / 1_000_000 * 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_was_heard_before_it_is_listed_has_its_own_price() {
    let world = World::start().await;
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    for (quantity, price) in [(3, 70_000), (7, 69_900)] {
        world.fill(&order, quantity, price);
    }
    eventually("all is told", || async {
        world.connector.kinds(&order).await.len() >= 2
            && world.connector.status(order.order_id).await == "FILLED"
    })
    .await;
    let reports = world.connector.reports(&order).await;
    let told: Vec<_> = reports[1..].iter().map(|line| (&line["quantity"], &line["price"])).collect();
    assert_eq!(told, [(&json!("3"), &json!("70000")), (&json!("7"), &json!("69900"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_finds_what_the_stream_lost() {
    let world = World::start().await;
    world.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    world.fill(&order, 10, 69_900);
    let sync = world.sync().await;
    assert_eq!(sync["positions"], json!([{ "symbol": "005930.KS", "quantity": "10" }]));
    let paid = -(699_000 + 699_000 * 15 / 1_000_000 * 10);
    assert_eq!(sync["tradeCash"], json!([{ "currency": "KRW", "amount": paid.to_string() }]));
    assert_eq!(world.connector.kinds(&order).await, ["accepted", "fill"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_listened_is_found_after_the_next_conversation() {
    let mut world = World::start().await;
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    world.stand_in.hang_up();
    world.becomes("down").await;
    world.fill(&order, 10, 70_000);
    world.stand_in.come_back().await.unwrap();
    world.tells(&order, &["accepted", "fill"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_ninety_five_orders_in_pages_of_thirty_are_read_to_their_end() {
    let world = World::start().await;
    world.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    let numbers: Vec<String> =
        world.stand_in.act(|market| (0..95).map(|_| market.take("005930", 1, 10_000)).collect());
    world.stand_in.act(|market| numbers.iter().take(60).for_each(|number| market.take_back(number)));
    let page = world.connector.get(&format!("/broker/accounts/{}/orders", world.account)).await;
    let seen: BTreeSet<&str> = page["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["brokerOrderId"].as_str().unwrap())
        .collect();
    assert_eq!(seen.len(), 95);
    assert!(numbers.iter().all(|number| seen.iter().any(|seen| seen.ends_with(&format!("-{number}")))));
    assert_eq!(page["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_made_elsewhere_is_taken_in_only_by_who_knows_all_that_wait() {
    let mut world = World::start().await;
    world.stand_in.act(|market| {
        let number = market.take("247540", 3, 10_000);
        market.age(&number, 61);
        market.fill(&number, 3, 10_000);
    });
    // Before the account was connected it would not count: let it be younger than that.
    world.database.execute("UPDATE broker.openings SET opened_at = opened_at - interval '10 minutes'").await;
    world.restart().await;
    eventually("the lists were read", || async { world.state().await["readAt"] != Value::Null }).await;
    let path = format!("/broker/executions?accountId={}", world.account);
    assert_eq!(
        world.connector.get(&path).await["reports"],
        json!([]),
        "the adapter alone cannot say whose it is"
    );
    assert_eq!(world.recover(json!([])).await["reportsAdded"], 2);
    let page = world.connector.get(&path).await;
    let kinds: Vec<_> = page["reports"].as_array().unwrap().iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["accepted", "fill"]);
    let order = page["reports"][0]["orderId"].as_str().unwrap();
    let status = world.connector.get(&format!("/broker/order/{order}")).await;
    assert_eq!((&status["status"], &status["order"]["symbol"]), (&json!("FILLED"), &json!("247540.KQ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_with_the_same_key_is_told_and_the_stream_comes_back() {
    let world = World::start().await;
    let key = json!({ "grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": SECRET_KEY });
    let client = reqwest::Client::new();
    let answer =
        client.post(format!("{}/oauth2/token", world.stand_in.url())).json(&key).send().await.unwrap();
    let token = answer.json::<Value>().await.unwrap()["token"].clone();
    let url = format!("{}/api/dostk/websocket", world.stand_in.url().replacen("http", "ws", 1));
    let (mut other, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    other.send(Message::text(json!({ "trnm": "LOGIN", "token": token }).to_string())).await.unwrap();
    other.next().await.unwrap().unwrap();
    eventually("it says why", || async {
        world.state().await["detail"].as_str().is_some_and(|detail| detail.contains("another program"))
    })
    .await;
    world.becomes("connected").await;
}
