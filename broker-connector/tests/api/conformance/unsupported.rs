//! What a broker cannot do it says, in its capabilities and when it is asked to all the same.

use super::{Venue, venues};
use crate::connector::TOKEN;
use domain::broker::{OrderRequest, PlaceOutcome};
use domain::{OrderType, TimeInForce};
use serde_json::{Value, json};

/// Status and body of an answer about an account.
async fn asked(venue: &dyn Venue, path: &str) -> (u16, Value) {
    let account = venue.buy("1", "90").account_id;
    let path = format!("/broker/accounts/{account}/{path}");
    let answer = venue.connector().send("GET", &path, Some(TOKEN), "").await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The words of a list in the capabilities.
fn words(says: &Value, list: &str) -> Vec<String> {
    says[list].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_a_kind_that_a_broker_does_not_take_is_refused_as_unsupported() {
    for venue in venues().await {
        let says = venue.says().await;
        let (types, times) = (words(&says, "orderTypes"), words(&says, "timesInForce"));
        let price = Some(venue.price("95").parse().unwrap());
        let order = || venue.buy("1", "90");
        let unsupported_type =
            OrderType::ALL.iter().copied().filter(|one| !types.iter().any(|taken| taken == one.name()));
        let of_types = unsupported_type.map(|order_type| {
            let (is_trailing, has_limit) =
                (order_type == OrderType::TrailingStop, order_type == OrderType::StopLimit);
            OrderRequest {
                order_type,
                limit_price: order().limit_price.filter(|_| has_limit),
                stop_price: price.filter(|_| !is_trailing),
                trail_amount: price.filter(|_| is_trailing),
                protection_price: price.filter(|_| !has_limit),
                ..order()
            }
        });
        let unsupported_time =
            TimeInForce::ALL.iter().copied().filter(|one| !times.iter().any(|taken| taken == one.name()));
        let in_a_week = chrono::Utc::now().date_naive() + chrono::Days::new(7);
        let of_times = unsupported_time.map(|time_in_force| OrderRequest {
            time_in_force,
            expire_date: (time_in_force == TimeInForce::Gtd).then_some(in_a_week),
            ..order()
        });
        let refused: Vec<OrderRequest> = of_types.chain(of_times).collect();
        assert_eq!(refused.is_empty(), venue.broker() == "simulator", "{}", venue.name());
        for order in refused {
            let outcome = venue.connector().place(&order).await;
            let is_refused = matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == "unsupported");
            assert!(is_refused, "{}: {outcome:?} for {order:?}", venue.name());
            venue.tells(&order, &["rejected"]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_of_money_is_taken_where_the_capabilities_say_so_and_refused_elsewhere() {
    for venue in venues().await {
        let order = OrderRequest {
            order_type: OrderType::Market,
            time_in_force: TimeInForce::Day,
            limit_price: None,
            protection_price: venue.buy("1", "90").limit_price,
            notional: Some("100".parse().unwrap()),
            ..venue.buy("1", "90")
        };
        if venue.says().await["amounts"] == true {
            venue.connector().place_accepted(&order).await;
            venue.tells(&order, &["accepted"]).await;
            continue;
        }
        let body = serde_json::to_string(&order).unwrap();
        let answer = venue.connector().send("POST", "/broker/order", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), 422, "{}", venue.name());
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["rule"], "unsupported", "{}: {problem}", venue.name());
        assert_eq!(venue.connector().reports(&order).await, Vec::<Value>::new(), "{}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_told_by_the_brokers_that_keep_it() {
    for venue in venues().await {
        let (status, body) = asked(&*venue, "balance").await;
        if venue.says().await["keepsCash"] == true {
            let cash = if venue.broker() == "kiwoom" { "10000000" } else { "100000" };
            assert_eq!((status, &body["cash"]), (200, &json!(cash)), "{}", venue.name());
        } else {
            assert_eq!((status, &body["code"]), (422, &json!("unsupported")), "{}", venue.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_between_orders_and_executions_is_set_at_the_simulator_alone() {
    for venue in venues().await {
        let (status, body) = asked(&*venue, "simulation").await;
        if let Some(simulation) = venue.simulation() {
            assert_eq!(venue.says().await["realMoney"], false);
            assert_eq!((status, &body["simulation"]), (200, &json!(simulation)));
        } else {
            assert_eq!((status, &body["code"]), (422, &json!("unsupported")), "{}", venue.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hours_of_a_market_are_told_or_said_to_be_unsupported() {
    for venue in venues().await {
        let (status, body) = asked(&*venue, "hours?from=2026-11-23&to=2026-11-29").await;
        if venue.says().await["marketHours"] == true {
            let days: Vec<_> =
                body["sessions"].as_array().unwrap().iter().map(|one| one["day"].clone()).collect();
            assert_eq!(days, ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-27"], "{body}");
            assert_eq!(body["sessions"][3]["closesAt"], "2026-11-27T18:00:00Z", "half a day");
            assert_eq!((status, &body["clockAheadMilliseconds"]), (200, &json!(0)));
            let (status, body) = asked(&*venue, "hours?from=2026-11-23&to=2026-11-22").await;
            assert_eq!((status, &body["code"]), (422, &json!("validation_failed")));
        } else {
            assert_eq!((status, &body["code"]), (422, &json!("unsupported")), "{}", venue.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_beside_orders_is_listed_or_said_to_be_unsupported() {
    for venue in venues().await {
        let says = venue.says().await;
        let (status, body) = asked(&*venue, "activities").await;
        if says["activities"] == true {
            assert_eq!((status, &body["activities"]), (200, &json!([])), "{}", venue.name());
        } else {
            assert_eq!((status, &body["code"]), (422, &json!("unsupported")), "{}", venue.name());
        }
        let (_, sync) = asked(&*venue, "sync").await;
        assert_eq!(sync["activityId"].is_null(), says["activities"] == false, "{sync}");
    }
}
