//! Orders, their cancels and their other terms.

use super::{number, venues};
use crate::terms::{other_terms, word};
use domain::Side;
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome};
use rust_decimal::Decimal;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_comes_twice_is_one_order() {
    for mut venue in venues().await {
        let order = venue.buy("3", "90");
        let first = number(venue.connector().place(&order).await);
        let second = number(venue.connector().place(&order).await);
        assert_eq!(first, second, "{}", venue.name());
        venue.tells(&order, &["accepted"]).await;
        assert_eq!(venue.at_broker(&order).await, 1, "{}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_told_once_and_a_sync_knows_it() {
    for mut venue in venues().await {
        let order = venue.placed("3", "90").await;
        venue.execute(&order, "3", "90").await;
        venue.tells(&order, &["accepted", "fill"]).await;
        assert_eq!(venue.executed(&order).await.1, venue.worth(3, "90"), "{}", venue.name());
        let sync = venue.connector().get(&format!("/broker/accounts/{}/sync", order.account_id)).await;
        assert_eq!(sync["positions"], json!([{ "symbol": venue.symbol(), "quantity": "3" }]));
        let positions =
            venue.connector().get(&format!("/broker/accounts/{}/positions", order.account_id)).await;
        assert_eq!(positions["positions"], sync["positions"]);
        let late = venue.cancel(&order).await;
        assert_eq!((&late["outcome"], &late["code"]), (&json!("rejected"), &json!("already_final")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_an_order_are_told_and_a_cancel_leaves_what_was_executed() {
    for mut venue in venues().await {
        if !venue.executes_parts() {
            continue;
        }
        let order = venue.placed("10", "90").await;
        venue.execute(&order, "4", "90").await;
        venue.fills(&order, 4).await;
        assert_eq!(venue.connector().status(order.order_id).await, "PARTIALLY_FILLED", "{}", venue.name());
        venue.execute(&order, "1", "90").await;
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted", "{}", venue.name());
        venue.ends(&order, "canceled").await;
        assert_eq!(venue.executed(&order).await.0, Decimal::from(5), "{}", venue.name());
        assert_eq!(venue.cancel(&order).await["code"], "already_final");
        let sync = venue.connector().get(&format!("/broker/accounts/{}/sync", order.account_id)).await;
        assert_eq!(sync["positions"], json!([{ "symbol": venue.symbol(), "quantity": "5" }]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_an_order_and_a_second_one_has_nothing_to_end() {
    for venue in venues().await {
        let order = venue.placed("3", "90").await;
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted");
        venue.tells(&order, &["accepted", "canceled"]).await;
        assert_eq!(venue.cancel(&order).await["code"], "already_final");
        assert_eq!(venue.cancel(&venue.buy("1", "90")).await["code"], "unknown_order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_are_told_once_and_come_too_late_after_the_end() {
    for venue in venues().await {
        let order = venue.placed("3", "90").await;
        let request = |quantity: &str| other_terms(&order, quantity, &venue.price("91"));
        // Another number of shares is another order at some.
        let changes_quantity = venue.says().await["replaceQuantity"] == true;
        if !changes_quantity {
            let refused = serde_json::to_value(venue.connector().replace(&request("5")).await).unwrap();
            assert_eq!((&refused["outcome"], &refused["code"]), (&json!("rejected"), &json!("unsupported")));
        }
        let quantity = if changes_quantity { "5" } else { "3" };
        let asked = request(quantity);
        for _ in 0..2 {
            let outcome = venue.connector().replace(&asked).await;
            assert_eq!(outcome, ReplaceOutcome::Accepted, "{}: the same request twice", venue.name());
        }
        venue.tells(&order, &["accepted", "replaced"]).await;
        let status = venue.connector().get(&format!("/broker/order/{}", order.order_id)).await;
        assert_eq!(
            (&status["order"]["quantity"], &status["order"]["limitPrice"]),
            (&json!(quantity), &json!(venue.price("91")))
        );
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted");
        venue.tells(&order, &["accepted", "replaced", "canceled"]).await;
        let late = serde_json::to_value(venue.connector().replace(&request("7")).await).unwrap();
        assert_eq!((&late["outcome"], &late["code"]), (&json!("rejected"), &json!("already_final")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_that_cross_an_execution_never_execute_more_than_was_asked_for() {
    for mut venue in venues().await {
        let name = venue.name();
        let order = venue.placed("10", "90").await;
        let request = other_terms(&order, "10", &venue.price("91"));
        if venue.executes_parts() {
            venue.execute(&order, "4", "90").await;
            let outcome = venue.connector().replace(&request).await;
            let took = outcome == ReplaceOutcome::Accepted;
            let refused =
                matches!(&outcome, ReplaceOutcome::Rejected { code, .. } if code == "partially_filled");
            assert!(took || refused, "{name}: {outcome:?}");
            venue.fills(&order, 4).await;
            let at = if took { "91" } else { "90" };
            venue.execute(&order, "10", at).await;
            venue.fills(&order, 10).await;
            assert_eq!(venue.executed(&order).await.1, venue.worth(4, "90") + venue.worth(6, at), "{name}");
        } else {
            venue.execute(&order, "10", "90").await;
            venue.fills(&order, 10).await;
        }
        let late = other_terms(&order, "10", &venue.price("92"));
        let late = serde_json::to_value(venue.connector().replace(&late).await).unwrap();
        assert_eq!(
            (&late["outcome"], &late["code"]),
            (&json!("rejected"), &json!("already_final")),
            "{name}"
        );
        venue.execute(&order, "10", "90").await;
        let sync = venue.connector().get(&format!("/broker/accounts/{}/sync", order.account_id)).await;
        assert_eq!(sync["positions"], json!([{ "symbol": venue.symbol(), "quantity": "10" }]), "{name}");
        assert_eq!(venue.connector().status(order.order_id).await, "FILLED", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sales_for_the_same_shares_stand_exactly_where_the_broker_says_so() {
    for mut venue in venues().await {
        let bought = venue.placed("3", "90").await;
        venue.execute(&bought, "3", "90").await;
        venue.tells(&bought, &["accepted", "fill"]).await;
        let sale = || OrderRequest { side: Side::Sell, ..venue.buy("3", "95") };
        number(venue.connector().place(&sale()).await);
        let second = venue.connector().place(&sale()).await;
        let stands = matches!(second, PlaceOutcome::Accepted { .. });
        assert_eq!(venue.says().await["sharedExits"], stands, "{}: {second:?}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_waited_too_long_is_refused_everywhere_and_one_that_is_there_is_not() {
    for venue in venues().await {
        let a_day = chrono::TimeDelta::hours(25);
        let order = venue.placed("3", "90").await;
        let aged =
            |order: &OrderRequest| OrderRequest { submitted_at: order.submitted_at - a_day, ..order.clone() };
        let again = venue.connector().place(&aged(&order)).await;
        assert_eq!(word(&again), "accepted", "{}: it is there", venue.name());
        let late = aged(&venue.buy("4", "90"));
        let refused: Value = serde_json::to_value(venue.connector().place(&late).await).unwrap();
        let code = refused["code"].as_str().unwrap_or_default();
        assert!(["waited_too_long", "session_over"].contains(&code), "{}: {refused}", venue.name());
        venue.tells(&late, &["rejected"]).await;
        assert_eq!(venue.connector().reports(&late).await[0]["reason"], code);
    }
}
