//! What is known of an order at every phase of its way, and what becomes of it.

use super::World;
use crate::connector::{eventually, limit, market};
use crate::terms::{other_terms, word};
use alpaca_stand_in::Fault;
use chrono::TimeDelta;
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, Unsent};
use domain::{AccountId, Side, TimeInForce};
use serde_json::json;

fn orders_of(world: &World, order: &OrderRequest) -> usize {
    world.stand_in.act(|market| market.named(&order.order_id.to_string()).len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_answered_is_found_in_the_lists() {
    let world = World::start().await;
    for (fault, finding) in [(Fault::HangsAfter, "found"), (Fault::HangsBefore, "absent")] {
        let order = world.buy("1", "100");
        world.stand_in.will_fail(&[fault]);
        assert_eq!(word(&world.connector.place(&order).await), "unknown");
        assert_eq!(world.connector.inquire(&[&order]).await, [finding]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_too_often_nothing_is_sent_until_the_time_is_over() {
    let world = World::start().await;
    world.stand_in.will_fail(&[Fault::Limited(3)]);
    let order = world.buy("1", "100");
    let outcome = world.connector.place(&order).await;
    assert_eq!(outcome.unsent(), Some(&Unsent::RateLimited { after_seconds: 3 }), "{outcome:?}");
    let before = world.stand_in.requests().1;
    assert_eq!(word(&world.connector.place(&order).await), "limited");
    assert_eq!(world.stand_in.requests().1, before, "the second one stayed here");
    eventually("it is sent", || async { word(&world.connector.place(&order).await) == "accepted" }).await;
    assert_eq!(orders_of(&world, &order), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_too_long_is_refused_unless_it_may_have_been_sent() {
    let world = World::start().await;
    let aged = |order: &OrderRequest, by: TimeDelta| OrderRequest {
        submitted_at: order.submitted_at - by,
        ..order.clone()
    };
    let bought = || market(world.account, "AAPL", Side::Buy, "1", "200");
    let of_the_day =
        OrderRequest { time_in_force: TimeInForce::Day, ..aged(&world.buy("1", "100"), TimeDelta::days(10)) };
    for (order, why) in
        [(aged(&bought(), TimeDelta::seconds(61)), "waited_too_long"), (of_the_day, "session_over")]
    {
        let outcome = world.connector.place(&order).await;
        assert!(matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == why), "{outcome:?}");
        assert_eq!(world.connector.reports(&order).await[0]["reason"], why);
        assert_eq!(orders_of(&world, &order), 0);
    }
    // What was turned away was not sent; what broke may have been.
    for (fault, said, later) in [
        (Fault::BreaksBefore, "unknown", "unknown"),
        (Fault::BreaksAfter, "unknown", "accepted"),
        (Fault::Limited(1), "limited", "rejected"),
    ] {
        world.stand_in.will_fail(&[fault]);
        let order = bought();
        assert_eq!(word(&world.connector.place(&order).await), said, "{fault:?}");
        if later == "accepted" {
            world.tells(&order, &["accepted"]).await;
        }
        let again = aged(&order, TimeDelta::seconds(61));
        assert_eq!(word(&world.connector.place(&again).await), later, "{fault:?}");
        assert_eq!(orders_of(&world, &order), usize::from(fault.is_done()), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stands_in_the_journal_with_its_reason() {
    let world = World::start().await;
    for (order, reason) in [
        (limit(world.account, "ZZZZ", Side::Buy, "1", "100"), "not found"),
        (world.buy("100000", "100"), "insufficient buying power"),
        (limit(world.account, "AAPL", Side::Sell, "1", "100"), "insufficient qty"),
        (world.buy("1", "100.001"), "sub-penny"),
        (limit(world.account, "005930.KS", Side::Buy, "1", "70000"), "American shares"),
    ] {
        assert_eq!(word(&world.connector.place(&order).await), "rejected", "{reason}");
        let reports = world.connector.reports(&order).await;
        assert!(reports[0]["reason"].as_str().unwrap().contains(reason), "{reports:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_there_is_not_refused_because_its_own_shares_are_held_by_it() {
    let world = World::start().await;
    let bought = world.buy("10", "100");
    world.connector.place(&bought).await;
    world.fill(&bought, "10", "100");
    world.stand_in.act(|market| market.means_first = true);
    let sold = limit(world.account, "AAPL", Side::Sell, "10", "110");
    world.stand_in.will_fail(&[Fault::BreaksAfter]);
    assert_eq!(word(&world.connector.place(&sold).await), "unknown");
    assert_eq!(word(&world.connector.place(&sold).await), "accepted");
    world.tells(&sold, &["accepted"]).await;
    assert_eq!(orders_of(&world, &sold), 1);
    // One that is not there is refused for what it lacks.
    let more = limit(world.account, "AAPL", Side::Sell, "5", "110");
    world.stand_in.will_fail(&[Fault::BreaksBefore]);
    assert_eq!(word(&world.connector.place(&more).await), "unknown");
    assert_eq!(word(&world.connector.place(&more).await), "rejected");
    assert_eq!(orders_of(&world, &more), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_the_answer_the_order_is_there_once() {
    let mut world = World::start().await;
    world.stand_in.will_fail(&[Fault::HangsAfter]);
    let order = world.buy("2", "100");
    {
        let placing = world.connector.place(&order);
        tokio::select! {
            outcome = placing => panic!("nobody answered, and yet: {outcome:?}"),
            () = world.stand_in.hangs() => {}
        }
    }
    world.restart().await;
    world.tells(&order, &["accepted"]).await;
    world.fill(&order, "2", "99.5");
    world.tells(&order, &["accepted", "fill"]).await;
    assert_eq!(word(&world.connector.place(&order).await), "accepted");
    assert_eq!(orders_of(&world, &order), 1);
}

fn refusal(outcome: &ReplaceOutcome) -> &str {
    match outcome {
        ReplaceOutcome::Rejected { code, .. } => code,
        _ => "",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_make_another_number_and_one_order() {
    let world = World::start().await;
    let order = world.buy("10", "100");
    world.connector.place_accepted(&order).await;
    let first = world.number(&order);
    let request = other_terms(&order, "20", "101");
    // The answer is lost; the second sending finds that the first came true.
    world.stand_in.will_fail(&[Fault::BreaksAfter]);
    assert!(matches!(world.connector.replace(&request).await, ReplaceOutcome::OutcomeUnknown { .. }));
    assert_eq!(world.connector.replace(&request).await, ReplaceOutcome::Accepted);
    assert_eq!(orders_of(&world, &order), 2);
    assert_ne!(world.number(&order), first);
    world.tells(&order, &["accepted", "replaced"]).await;
    let replaced = world.connector.reports(&order).await[1].clone();
    assert_eq!((&replaced["quantity"], &replaced["limitPrice"]), (&json!("20"), &json!("101")));

    world.fill(&order, "20", "100.5");
    world.tells(&order, &["accepted", "replaced", "fill"]).await;
    let status = world.connector.get(&format!("/broker/order/{}", order.order_id)).await;
    assert_eq!(status["order"]["filledQuantity"], "20");
    assert_eq!(refusal(&world.connector.replace(&other_terms(&order, "30", "101")).await), "already_final");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_finds_the_newest_number_and_the_second_one_finds_nothing() {
    let world = World::start().await;
    let order = world.buy("10", "100");
    world.connector.place_accepted(&order).await;
    assert_eq!(world.connector.replace(&other_terms(&order, "10", "101")).await, ReplaceOutcome::Accepted);
    // As if the new number had never been noted.
    world.database.execute("UPDATE broker.sent_orders SET broker_order_id = NULL").await;
    let cancelled = world.connector.cancel(order.order_id).await;
    assert_eq!(serde_json::to_value(&cancelled).unwrap()["outcome"], "accepted");
    world.tells(&order, &["accepted", "replaced", "canceled"]).await;
    let again = serde_json::to_value(world.connector.cancel(order.order_id).await).unwrap();
    assert_eq!(again["code"], "already_final");
    let unknown = serde_json::to_value(world.connector.cancel(domain::OrderId::generate()).await).unwrap();
    assert_eq!(unknown["code"], "unknown_order");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_two_brokers_in_one_request_each_go_their_way() {
    let world = World::start().await;
    let play: AccountId = world.connector.connect("USD").await;
    let orders = [
        limit(play, "AAPL", Side::Buy, "1", "100"),
        world.buy("1", "100"),
        limit(play, "AAPL", Side::Buy, "2", "100"),
    ];
    world.stand_in.will_fail(&[Fault::FailsBefore]);
    let outcomes = world.connector.place_all(&orders).await;
    let words: Vec<_> = outcomes.iter().map(word).collect();
    assert_eq!(words, ["accepted", "unknown", "accepted"]);
}
