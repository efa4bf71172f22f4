//! What is known of an order at every phase of its way, and that it is never sent twice.

use super::World;
use crate::connector::{eventually, limit};
use crate::terms::word;
use domain::broker::{OrderRequest, PlaceOutcome};
use domain::{Side, TimeInForce};
use kiwoom_stand_in::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_the_answer_the_order_is_found_by_what_it_looks_like() {
    let mut world = World::start().await;
    for (size, fault, finding) in [("2", Fault::HangsAfter, "found"), ("3", Fault::HangsBefore, "absent")] {
        world.stand_in.will_fail(&[fault]);
        let order = world.buy(size, "70000");
        {
            let placing = world.connector.place(&order);
            tokio::select! {
                outcome = placing => panic!("nobody answered, and yet: {outcome:?}"),
                () = world.stand_in.hangs() => {}
            }
        }
        world.restart().await;
        assert_eq!(world.connector.kinds(&order).await, [""; 0], "nobody can say yet whose it is");
        assert_eq!(world.connector.inquire(&[&order]).await, [finding]);
        let again = word(&world.connector.place(&order).await);
        if fault.is_done() {
            assert_eq!(again, "accepted");
            world.fill(&order, 2, 69_900);
            world.tells(&order, &["accepted", "fill"]).await;
            assert_eq!(world.at_kiwoom(&order).len(), 1);
        } else {
            assert_eq!(again, "unknown", "it may still be under way");
            assert_eq!(world.at_kiwoom(&order).len(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_orders_that_look_alike_nobody_guesses_which_one_is_there() {
    let world = World::start().await;
    let (first, second) = (world.buy("5", "70000"), world.buy("5", "70000"));
    world.stand_in.will_fail(&[Fault::BreaksAfter, Fault::BreaksBefore]);
    for order in [&first, &second] {
        assert_eq!(word(&world.connector.place(order).await), "unknown");
    }
    assert_eq!(world.at_kiwoom(&first).len(), 1);
    assert_eq!(world.connector.inquire(&[&first, &second]).await, ["unclear", "unclear"]);
    assert!(
        world.connector.kinds(&first).await.is_empty() && world.connector.kinds(&second).await.is_empty()
    );

    // While nobody knows whose its executions are, the account is not compared.
    world.fill(&first, 5, 70_000);
    let path = format!("/broker/accounts/{}/sync", world.account);
    let answer = world.connector.send("GET", &path, Some(crate::connector::TOKEN), "").await;
    assert_eq!(answer.status(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stands_in_the_journal_with_its_reason_and_its_code() {
    let world = World::start().await;
    let elsewhere = |symbol: &str, side: Side| OrderRequest {
        time_in_force: TimeInForce::Day,
        ..limit(world.account, symbol, side, "1", "70000")
    };
    for (order, expected) in [
        (world.buy("10000", "70000"), "kiwoom_rc4025"),
        (world.buy("1", "70050"), "kiwoom_rc4003"),
        (elsewhere("005930.KS", Side::Sell), "kiwoom_800033"),
        (elsewhere("005930.KQ", Side::Buy), "unknown_symbol"),
        (elsewhere("000010.KS", Side::Buy), "unknown_symbol"),
        (elsewhere("AAPL", Side::Buy), "unsupported"),
        (world.buy("1.5", "70000"), "unsupported"),
    ] {
        let outcome = world.connector.place(&order).await;
        assert!(matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == expected), "{outcome:?}");
        assert_eq!(world.connector.kinds(&order).await, ["rejected"]);
        assert_eq!(word(&world.connector.place(&order).await), "rejected", "again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_refused_after_it_was_taken_ends() {
    let world = World::start().await;
    let order = world.buy("3", "70000");
    world.connector.place_accepted(&order).await;
    let number = world.at_kiwoom(&order)[0].number.clone();
    world.stand_in.act(|market| market.reject(&number, "거래정지"));
    eventually("it has ended", || async {
        world.connector.kinds(&order).await.last().is_some_and(|kind| kind == "rejected")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_for_their_turn_and_the_limit_is_kept() {
    let world = World::start().await;
    let orders: Vec<OrderRequest> = (1..=4).map(|size| world.buy(&size.to_string(), "70000")).collect();
    let outcomes = world.connector.place_all(&orders).await;
    assert!(outcomes.iter().all(|outcome| word(outcome) == "accepted"), "{outcomes:?}");
    assert!(world.stand_in.most_in_a_second() <= 3, "{}", world.stand_in.most_in_a_second());
}
