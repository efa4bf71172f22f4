//! What the stream tells, or does not tell, changes no book.

use super::World;
use crate::connector::eventually;
use futures_util::{SinkExt, StreamExt};
use kiwoom_stand_in::{APP_KEY, Manners, SECRET_KEY};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

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
