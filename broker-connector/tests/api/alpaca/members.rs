//! Orders that are sent as one, and exits that are no orders here before somebody says so.

use super::World;
use crate::connector::{TOKEN, limit};
use alpaca_stand_in::{Fault, Order};
use domain::broker::{Contingency, Exit, ExitKind, OrderClass, OrderRequest, PlaceOutcome, Unsent};
use domain::{OrderId, OrderType, Side};
use serde_json::json;

/// An entry with its exits, each as a request: what is sent, and what follows it.
fn bracket(world: &World) -> [OrderRequest; 3] {
    let exit = |kind, limit_price: Option<&str>, stop_price: Option<&str>| Exit {
        order_id: OrderId::generate(),
        kind,
        side: Side::Sell,
        limit_price: limit_price.map(|price| price.parse().unwrap()),
        stop_price: stop_price.map(|price| price.parse().unwrap()),
    };
    let exits = [exit(ExitKind::TakeProfit, Some("120"), None), exit(ExitKind::StopLoss, None, Some("90"))];
    let mut entry = world.buy("10", "100");
    let following = exits.clone().map(|exit| OrderRequest {
        order_id: exit.order_id,
        order_type: if exit.kind == ExitKind::TakeProfit { OrderType::Limit } else { OrderType::Stop },
        limit_price: exit.limit_price,
        stop_price: exit.stop_price,
        contingency: Some(Contingency::Follows { leader: entry.order_id }),
        ..limit(world.account, "AAPL", Side::Sell, "10", "120")
    });
    entry.contingency = Some(Contingency::Leads { class: OrderClass::Bracket, exits: exits.to_vec() });
    let [profit, loss] = following;
    [entry, profit, loss]
}

fn at_alpaca(world: &World) -> Vec<Order> {
    world.stand_in.act(|market| market.orders().to_vec())
}

fn fill_exit(world: &World, order_type: &str, quantity: &str, price: &str) {
    let number =
        at_alpaca(world).into_iter().find(|order| order.order_type == order_type && order.side == "sell");
    let number = number.unwrap().id;
    world.stand_in.act(|market| market.fill(&number, quantity.parse().unwrap(), price.parse().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_the_answer_all_three_are_found_and_none_is_sent_again() {
    let mut world = World::start().await;
    let [entry, profit, loss] = bracket(&world);
    world.stand_in.will_fail(&[Fault::HangsAfter]);
    {
        let placing = world.connector.place(&entry);
        tokio::select! {
            outcome = placing => panic!("nobody answered, and yet: {outcome:?}"),
            () = world.stand_in.hangs() => {}
        }
    }
    world.restart().await;
    world.tells(&entry, &["accepted"]).await;
    world.fill(&entry, "10", "100");
    world.tells(&entry, &["accepted", "fill"]).await;
    for outcome in world.connector.place_all(&[loss.clone(), profit.clone()]).await {
        assert!(matches!(outcome, PlaceOutcome::Accepted { .. }), "{outcome:?}");
    }
    fill_exit(&world, "stop", "10", "90");
    world.tells(&loss, &["accepted", "fill"]).await;
    world.tells(&profit, &["accepted", "canceled"]).await;
    assert_eq!(at_alpaca(&world).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_exits_is_told_when_they_are_orders_and_nothing_is_compared_before() {
    let world = World::start().await;
    let [entry, profit, loss] = bracket(&world);
    world.connector.place_accepted(&entry).await;
    world.fill(&entry, "10", "100");
    fill_exit(&world, "limit", "4", "120");
    world.tells(&entry, &["accepted", "fill"]).await;
    let sync = format!("/broker/accounts/{}/sync", world.account);
    let answer = world.connector.send("GET", &sync, Some(TOKEN), "").await;
    assert_eq!(answer.status(), 503, "shares were sold that nobody here knows of yet");
    assert_eq!(world.connector.kinds(&profit).await, Vec::<String>::new());

    for exit in [&profit, &loss] {
        world.connector.place_accepted(exit).await;
    }
    world.tells(&profit, &["accepted", "fill"]).await;
    world.tells(&loss, &["accepted", "replaced"]).await;
    assert_eq!(world.connector.reports(&loss).await[1]["quantity"], "6", "what the other has left of it");
    assert_eq!(world.sync().await["positions"], json!([{ "symbol": "AAPL", "quantity": "6" }]));
    fill_exit(&world, "limit", "6", "120");
    world.tells(&profit, &["accepted", "fill", "fill"]).await;
    world.tells(&loss, &["accepted", "replaced", "canceled"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_is_never_sent_by_itself() {
    let world = World::start().await;
    let [_, profit, _] = bracket(&world);
    let outcome = world.connector.place(&profit).await;
    assert!(matches!(outcome, PlaceOutcome::Unsent(Unsent::NotSent { .. })), "{outcome:?}");
    assert_eq!(at_alpaca(&world).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_no_such_orders_is_sent_none_of_them() {
    let world = World::start().await;
    let account = world.connector.connect("USD").await;
    let [entry, ..] = bracket(&world);
    let entry = OrderRequest { account_id: account, ..entry };
    let body = serde_json::to_string(&entry).unwrap();
    let answer = world.connector.send("POST", "/broker/order", Some(TOKEN), &body).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(world.connector.kinds(&entry).await, Vec::<String>::new());
}
