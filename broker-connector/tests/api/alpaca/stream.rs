//! What the stream tells, or does not tell, changes no book.

use super::World;
use crate::connector::eventually;
use alpaca_stand_in::Manners;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn executions_are_told_once_whatever_the_stream_does() {
    for manners in [
        Manners::default(),
        Manners { triples: true, ..Manners::default() },
        Manners { triples: true, reverses: true, ..Manners::default() },
    ] {
        let world = World::start().await;
        world.stand_in.set_manners(manners);
        let order = world.buy("10", "100");
        world.connector.place_accepted(&order).await;
        let number = world.number(&order);
        world.stand_in.act(|market| {
            market.fill(&number, "3".parse().unwrap(), "99.99".parse().unwrap());
            market.fill(&number, "2".parse().unwrap(), "99.98".parse().unwrap());
            market.end(&number, "canceled");
        });
        world.tells(&order, &["accepted", "fill", "fill", "canceled"]).await;
        let reports = world.connector.reports(&order).await;
        let told: Vec<_> = reports[1..3].iter().map(|line| (&line["quantity"], &line["price"])).collect();
        assert_eq!(told, [(&json!("3"), &json!("99.99")), (&json!("2"), &json!("99.98"))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_listened_is_found_after_the_next_conversation() {
    let mut world = World::start().await;
    let order = world.buy("10", "100");
    world.connector.place_accepted(&order).await;
    world.stand_in.hang_up();
    world.becomes("down").await;
    world.fill(&order, "10", "100");
    world.stand_in.come_back().await.unwrap();
    world.tells(&order, &["accepted", "fill"]).await;
}

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
    let client = reqwest::Client::new();
    let placed = client
        .post(format!("{}/v2/orders", world.stand_in.url()))
        .header("APCA-API-KEY-ID", alpaca_stand_in::KEY_ID)
        .header("APCA-API-SECRET-KEY", alpaca_stand_in::SECRET_KEY)
        .json(&before)
        .send()
        .await
        .unwrap();
    let placed: serde_json::Value = placed.json().await.unwrap();
    world.stand_in.act(|market| {
        market.fill(placed["id"].as_str().unwrap(), "5".parse().unwrap(), "100".parse().unwrap());
    });
    let answer =
        super::connect(&world.connector, world.account, alpaca_stand_in::KEY_ID, alpaca_stand_in::SECRET_KEY)
            .await;
    let opened: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(opened["openingCash"], "100500");
    let sync = world.sync().await;
    assert_eq!(sync["tradeCash"], json!([{ "currency": "USD", "amount": "0" }]));
    assert_eq!(sync["positions"].as_array().unwrap().len(), 2);
    let page = world.connector.get(&format!("/broker/executions?accountId={}", world.account)).await;
    assert_eq!(page["reports"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_ninety_five_orders_are_read_in_pages_of_thirty_to_their_end() {
    let world = World::start().await;
    world.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    let numbers: Vec<String> = world.stand_in.act(|market| {
        (0..95)
            .map(|number| {
                market.take(
                    &format!("elsewhere-{number}"),
                    "AAPL",
                    "1".parse().unwrap(),
                    "10".parse().unwrap(),
                )
            })
            .collect()
    });
    world.stand_in.act(|market| {
        for number in numbers.iter().take(60) {
            market.end(number, "canceled");
        }
    });
    let (mut seen, mut after) = (std::collections::BTreeSet::new(), String::new());
    for _ in 0..20 {
        let path = format!("/broker/accounts/{}/orders{after}", world.account);
        let page = world.connector.get(&path).await;
        for order in page["orders"].as_array().unwrap() {
            seen.insert(order["brokerOrderId"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("?after={}", next.replace(':', "%3A").replace('@', "%40").replace('+', "%2B"));
    }
    assert_eq!(seen, numbers.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_made_elsewhere_is_reported_under_an_id_of_its_own_once_it_is_old_enough() {
    let world = World::start().await;
    let number = world.stand_in.act(|market| {
        // Its id has the form of ours and is nobody's here.
        let id = domain::OrderId::generate().to_string();
        let number = market.take(&id, "AAPL", "3".parse().unwrap(), "10".parse().unwrap());
        market.age(&number, 120);
        market.fill(&number, "3".parse().unwrap(), "10".parse().unwrap());
        number
    });
    // Before the account was connected it would not count: let it be younger than that.
    world.database.execute("UPDATE broker.openings SET opened_at = opened_at - interval '10 minutes'").await;
    let mut world = world;
    world.restart().await;
    let path = format!("/broker/executions?accountId={}", world.account);
    eventually("it is reported", || async {
        let page = world.connector.get(&path).await;
        let lines = page["reports"].as_array().unwrap();
        lines.len() == 2 && lines.iter().all(|line| line["orderId"] == lines[0]["orderId"])
    })
    .await;
    let page = world.connector.get(&path).await;
    let order = page["reports"][0]["orderId"].as_str().unwrap();
    let status = world.connector.get(&format!("/broker/order/{order}")).await;
    assert_eq!(
        (&status["order"]["brokerOrderId"], &status["order"]["status"]),
        (&json!(number), &json!("FILLED"))
    );
}
