//! Orders by amount of money: Alpaca says at the end how many shares they were.

use super::World;
use crate::connector::market;
use crate::terms::{unchanged, word};
use alpaca_stand_in::Fault;
use domain::broker::{OrderRequest, ReplaceOutcome};
use domain::{Side, TimeInForce};

fn amount(world: &World, notional: &str) -> OrderRequest {
    OrderRequest {
        time_in_force: TimeInForce::Day,
        notional: Some(notional.parse().unwrap()),
        ..market(world.account, "AAPL", Side::Buy, "0.5", "210")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_about_an_amount_is_how_many_shares_it_was() {
    let mut world = World::start().await;
    let order = amount(&world, "100");
    world.connector.place_accepted(&order).await;
    world.tells(&order, &["accepted"]).await;
    // More than was estimated, and it works on.
    world.fill(&order, "0.6", "100");
    world.tells(&order, &["accepted", "fill"]).await;
    assert_eq!(world.connector.inquire(&[&order]).await, ["found"]);
    let refused = world.connector.replace(&unchanged(&order)).await;
    assert!(matches!(&refused, ReplaceOutcome::Rejected { code, .. } if code == "by_amount"), "{refused:?}");
    world.restart().await;
    world.fill(&order, "1000", "75.01");
    world.tells(&order, &["accepted", "fill", "fill", "replaced"]).await;
    let reports = world.connector.reports(&order).await;
    assert_eq!(reports[3]["quantity"], "1.133262231", "{reports:?}");
    world.sync().await;
    world.tells(&order, &["accepted", "fill", "fill", "replaced"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_whose_answer_was_lost_is_found_and_sent_once() {
    let world = World::start().await;
    world.stand_in.act(|market| market.market_price = Some("160".parse().unwrap()));
    world.stand_in.will_fail(&[Fault::BreaksAfter]);
    let order = amount(&world, "100");
    assert_eq!(word(&world.connector.place(&order).await), "unknown");
    world.tells(&order, &["accepted", "fill", "replaced"]).await;
    assert_eq!(word(&world.connector.place(&order).await), "accepted");
    assert_eq!(world.stand_in.act(|market| market.orders().len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_that_is_taken_back_ends_with_that_and_with_no_number() {
    let world = World::start().await;
    let order = amount(&world, "100");
    world.connector.place_accepted(&order).await;
    world.fill(&order, "0.3", "100");
    world.tells(&order, &["accepted", "fill"]).await;
    world.connector.cancel(order.order_id).await;
    world.tells(&order, &["accepted", "fill", "canceled"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_below_a_dollar_or_of_a_share_that_is_traded_whole_is_refused() {
    let world = World::start().await;
    let little = amount(&world, "0.5");
    assert_eq!(word(&world.connector.place(&little).await), "rejected");
    world.stand_in.act(|market| market.whole_only.push("AAPL".to_owned()));
    let whole = amount(&world, "100");
    assert_eq!(word(&world.connector.place(&whole).await), "rejected");
    for (order, reason) in [(little, "minimal amount"), (whole, "not fractionable")] {
        let reports = world.connector.reports(&order).await;
        assert!(reports[0]["reason"].as_str().unwrap().contains(reason), "{reports:?}");
    }
}
