//! What is known of an order at every phase of its way.

use super::venues;
use crate::connector::{eventually, limit};
use crate::terms::{other_terms, word};
use domain::Side;
use domain::broker::ReplaceOutcome;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn at_every_phase_the_truth_is_told_and_no_order_is_there_twice() {
    for mut venue in venues().await {
        // Sent again only where that orders once.
        let is_idempotent = venue.says().await["idempotentOrders"] == true;
        for (size, fault) in (1..).zip(venue.faults()) {
            let what = format!("{}, {fault:?}", venue.name());
            let order = venue.buy(&size.to_string(), "90");
            venue.will_fail(fault).await;
            assert_eq!(word(&venue.place(&order).await), "unknown", "{what}");
            let finding = if fault.is_done() { "found" } else { "absent" };
            eventually(&what, || async { venue.connector().inquire(&[&order]).await == [finding] }).await;
            let is_there = fault.is_done() || is_idempotent;
            let again = word(&venue.connector().place(&order).await);
            assert_eq!(again, if is_there { "accepted" } else { "unknown" }, "{what}");
            assert_eq!(venue.at_broker(&order).await, usize::from(is_there), "{what}");
            venue.tells(&order, if is_there { &["accepted"] } else { &[] }).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_whose_answer_was_lost_come_true_once() {
    for mut venue in venues().await {
        let fault = venue.loses_change();
        let order = venue.placed("3", "90").await;
        let request = other_terms(&order, "3", &venue.price("91"));
        venue.will_fail(fault).await;
        let first = venue.replace(&request).await;
        assert!(matches!(first, ReplaceOutcome::OutcomeUnknown { .. }), "{}: {first:?}", venue.name());
        let second = venue.connector().replace(&request).await;
        let is_idempotent = venue.says().await["idempotentOrders"] == true;
        assert_eq!(second == ReplaceOutcome::Accepted, is_idempotent, "{}: {second:?}", venue.name());
        venue.recover(&order, json!([{ "present": order, "asked": request }])).await;
        venue.tells(&order, &["accepted", "replaced"]).await;
        assert_eq!(venue.at_broker(&order).await, 2, "{}: the order and its one change", venue.name());
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted", "under its new number");
        venue.tells(&order, &["accepted", "replaced", "canceled"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_was_not_sent_and_the_simulator_does_not_notice() {
    for mut venue in venues().await {
        // What is traded is known to be a share before the line is cut.
        venue.placed("1", "90").await;
        venue.is_out_of_reach().await;
        let order = venue.buy("3", "90");
        assert_eq!(word(&venue.connector().place(&order).await), "not_sent", "{}", venue.name());

        if venue.broker() != "simulator" {
            let play = venue.connector().connect("USD").await;
            let began = Instant::now();
            venue.connector().place_accepted(&limit(play, "AAPL", Side::Buy, "1", "100")).await;
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            assert!(venue.connector().is_ready().await, "one broker's trouble is not another's");
        }

        venue.is_reached().await;
        eventually("it is sent", || async { word(&venue.connector().place(&order).await) == "accepted" })
            .await;
        assert_eq!(venue.at_broker(&order).await, 1, "{}", venue.name());
    }
}
