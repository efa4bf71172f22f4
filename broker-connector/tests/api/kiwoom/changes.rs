//! Changes and cancels, which are orders of their own at Kiwoom.

use super::World;
use crate::terms::other_terms;
use domain::broker::{OrderRequest, ReplaceOutcome, ReplaceRequest};
use kiwoom_stand_in::Kind;
use serde_json::json;

fn at_price(order: &OrderRequest, price: &str) -> ReplaceRequest {
    other_terms(order, &order.quantity.to_string(), price)
}

fn changes(world: &World) -> usize {
    world.stand_in.act(|market| market.orders().iter().filter(|order| order.kind == Kind::Change).count())
}

/// The number of the newest order that can be executed.
fn newest(world: &World) -> String {
    let orders = world.stand_in.act(|market| market.orders().to_vec());
    orders.into_iter().rfind(|order| order.works()).unwrap().number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_after_a_part_was_executed_makes_another_number_and_one_order() {
    let world = World::start().await;
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    world.fill(&order, 4, 70_000);
    world.tells(&order, &["accepted", "fill"]).await;
    assert_eq!(world.connector.replace(&at_price(&order, "70100")).await, ReplaceOutcome::Accepted);
    world.tells(&order, &["accepted", "fill", "replaced"]).await;
    let replaced = world.connector.reports(&order).await[2].clone();
    assert_eq!((&replaced["quantity"], &replaced["limitPrice"]), (&json!("10"), &json!("70100")));

    let number = newest(&world);
    world.stand_in.act(|market| market.fill(&number, 6, 70_100));
    world.tells(&order, &["accepted", "fill", "replaced", "fill"]).await;
    let status = world.connector.get(&format!("/broker/order/{}", order.order_id)).await;
    assert_eq!((&status["status"], &status["order"]["filledQuantity"]), (&json!("FILLED"), &json!("10")));
    let fees: i64 = [4 * 70_000, 6 * 70_100].iter().map(|worth| worth * 15 / 1_000_000 * 10).sum();
    let paid = -(4 * 70_000 + 6 * 70_100 + fees);
    assert_eq!(world.sync().await["tradeCash"], json!([{ "currency": "KRW", "amount": paid.to_string() }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_provably_did_nothing_may_be_asked_for_again() {
    let world = World::start().await;
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    let between = at_price(&order, "70050");
    for _ in 0..2 {
        let refused = serde_json::to_value(world.connector.replace(&between).await).unwrap();
        assert_eq!(refused["code"], "kiwoom_rc4003");
    }
    assert_eq!(changes(&world), 0);
}
