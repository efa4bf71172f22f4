//! What the stream loses, repeats and reorders, what happens while nobody listens, and lists to their end.

use super::venues;
use crate::connector::eventually;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// More than three pages of thirty.
const MANY: usize = 95;

#[tokio::test(flavor = "multi_thread")]
async fn executions_are_told_once_whatever_the_stream_does() {
    for mut venue in venues().await {
        venue.confuses().await;
        let order = venue.placed("10", "90").await;
        if !venue.executes_parts() {
            for _ in 0..3 {
                venue.execute(&order, "10", "90").await;
            }
            venue.tells(&order, &["accepted", "fill"]).await;
            assert_eq!(venue.executed(&order).await, (10.into(), venue.worth(10, "90")), "{}", venue.name());
            continue;
        }
        for (quantity, price) in [("3", "90"), ("2", "89")] {
            venue.execute(&order, quantity, price).await;
        }
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted", "{}", venue.name());
        venue.ends(&order, "canceled").await;
        let better = if venue.executes_at_limit() { "90" } else { "89" };
        let worth = venue.worth(3, "90") + venue.worth(2, better);
        assert_eq!(venue.executed(&order).await, (5.into(), worth), "{}", venue.name());
        let kinds = venue.connector().kinds(&order).await;
        for once in ["accepted", "canceled"] {
            assert_eq!(kinds.iter().filter(|kind| *kind == once).count(), 1, "{}: {kinds:?}", venue.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_listened_is_found_after_the_next_conversation() {
    for mut venue in venues().await {
        if !venue.trades_alone() {
            continue;
        }
        let order = venue.placed("10", "90").await;
        venue.tells(&order, &["accepted"]).await;
        venue.goes_away().await;
        venue.execute(&order, "10", "90").await;
        venue.comes_back().await;
        venue.tells(&order, &["accepted", "fill"]).await;
        assert_eq!(venue.executed(&order).await, (10.into(), venue.worth(10, "90")), "{}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_ninety_five_orders_are_read_in_pages_of_thirty_to_their_end() {
    for mut venue in venues().await {
        venue.was_opened_earlier().await;
        venue.restart().await;
        let mut numbers = Vec::new();
        for _ in 0..MANY {
            numbers.push(venue.take("1").await);
        }
        let account = venue.buy("1", "90").account_id;
        let (mut seen, mut after) = (BTreeSet::new(), String::new());
        for _ in 0..MANY {
            let page = venue.connector().get(&format!("/broker/accounts/{account}/orders{after}")).await;
            let orders = page["orders"].as_array().unwrap();
            seen.extend(orders.iter().map(|order| order["brokerOrderId"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("?after={}", next.replace(':', "%3A").replace('@', "%40").replace('+', "%2B"));
        }
        assert_eq!(seen.len(), MANY, "{}", venue.name());
        let is_listed = |number: &String| seen.iter().any(|seen| seen.ends_with(number.as_str()));
        assert!(numbers.iter().all(is_listed), "{}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_made_elsewhere_gets_an_id_of_its_own_once_it_is_known_to_be_nobodys() {
    for mut venue in venues().await {
        // Before the account was opened it would not count.
        venue.was_opened_earlier().await;
        let number = venue.take("3").await;
        venue.restart().await;
        let account = venue.buy("1", "90").account_id;
        let state = format!("/broker/accounts/{account}/status");
        // The simulator's lists are its own.
        let has_read = async || {
            venue.broker() == "simulator" || venue.connector().get(&state).await["readAt"] != Value::Null
        };
        eventually("the lists were read", has_read).await;
        let path = format!("/broker/executions?accountId={account}");
        if venue.says().await["clientOrderIds"] == false {
            let reports = venue.connector().get(&path).await["reports"].clone();
            assert_eq!(reports, json!([]), "{}: the adapter alone cannot say whose it is", venue.name());
        }
        venue.recover(&venue.buy("1", "90"), json!([])).await;
        let page = venue.connector().get(&path).await;
        let [report] = &page["reports"].as_array().unwrap()[..] else { panic!("{}: {page}", venue.name()) };
        assert_eq!(report["kind"], "accepted", "{}", venue.name());
        let order = report["orderId"].as_str().unwrap();
        let status = venue.connector().get(&format!("/broker/order/{order}")).await;
        let broker_order_id = status["order"]["brokerOrderId"].as_str().unwrap();
        assert!(broker_order_id.ends_with(&number), "{}: {status}", venue.name());
        assert_eq!((&status["status"], &status["order"]["quantity"]), (&json!("NEW"), &json!("3")));
        venue.recover(&venue.buy("1", "90"), json!([])).await;
        let again = venue.connector().get(&path).await;
        assert_eq!(again["reports"], page["reports"], "{}: told once", venue.name());
    }
}
