//! The real backend and the real connector over HTTP, with a broker that misbehaves behind them.

use crate::books::{assert_books_balance, execute};
use crate::helpers::{TestApp, eventually};
use crate::trader::Trader;
use domain::OrderId;
use faulty_broker::{Fault, FaultyBroker, Stream, Venue};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

async fn house(knows_ids: bool, stream: Stream) -> (Trader, Arc<FaultyBroker>) {
    let (app, broker) = TestApp::start_faulty(Venue::new(knows_ids), stream).await;
    let trader = Trader::on(app, "USD", "100000").await;
    trader.priced("AAPL").await;
    (trader, broker)
}

fn id(order: &Value) -> OrderId {
    order["id"].as_str().unwrap().parse().unwrap()
}

/// Lets an inquiry be due now instead of in some seconds.
async fn hurry(trader: &Trader) {
    let due = "UPDATE trading.inquiries SET next_at = now() WHERE next_at IS NOT NULL";
    execute(&trader.app.database_url, due).await.unwrap();
}

async fn placed(trader: &Trader) -> Value {
    trader.place("buy", "AAPL", "10", Some("1")).await.expect(201).json()
}

async fn unresolved(trader: &Trader, order: &Value) {
    let order = order["id"].as_str().unwrap().to_owned();
    eventually("nobody knows", || async { trader.order(&order).await["unresolved"] == true }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_arrived_although_its_answer_was_lost_is_found_and_there_once() {
    for knows_ids in [true, false] {
        for fault in [Fault::TimesOut, Fault::FailsAfter] {
            let (trader, broker) = house(knows_ids, Stream::new(1, 0, false)).await;
            broker.will_fail(&[fault]);
            broker.close_lists(true);
            let order = placed(&trader).await;
            unresolved(&trader, &order).await;
            let denied = trader.place("buy", "AAPL", "1", Some("1")).await.expect(422);
            assert_eq!(denied.complaint().1, "unresolved_order");
            broker.close_lists(false);
            eventually("it is found", || async {
                hurry(&trader).await;
                let order = trader.order(order["id"].as_str().unwrap()).await;
                order["status"] == "NEW" && order["unresolved"] == false
            })
            .await;
            assert_eq!(broker.orders_of(id(&order)), 1, "{fault:?}, ids known: {knows_ids}");
            assert_books_balance(&trader.app.database_url).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_never_arrived_is_sent_again_only_where_that_is_safe() {
    let (trader, broker) = house(true, Stream::new(0, 0, false)).await;
    broker.will_fail(&[Fault::ResetBefore]);
    let order = placed(&trader).await;
    unresolved(&trader, &order).await;
    hurry(&trader).await;
    trader.until(order["id"].as_str().unwrap(), "NEW").await;
    assert_eq!((broker.orders_of(id(&order)), broker.arrivals()), (1, 1));

    let (trader, broker) = house(false, Stream::new(0, 0, false)).await;
    broker.will_fail(&[Fault::ResetBefore]);
    let order = placed(&trader).await;
    unresolved(&trader, &order).await;
    let number = order["id"].as_str().unwrap();
    let resolve = format!("/api/orders/{number}/resolve");
    let early = trader.app.post(&resolve, &trader.user, json!({ "outcome": "never_arrived" })).await;
    assert_eq!(early.expect(409).code(), "order_not_unresolved", "the broker is still being asked");
    eventually("a person is told", || async {
        hurry(&trader).await;
        let incidents = trader.app.get("/api/incidents", &trader.user).await.expect(200).text;
        incidents.contains("unresolved_order")
    })
    .await;
    assert_eq!(broker.arrivals(), 0, "it was never sent a second time");
    assert_ne!(trader.order(number).await["held"], "0", "its hold is kept");
    assert_books_balance(&trader.app.database_url).await;

    let wrong = json!({ "outcome": "arrived", "brokerOrderId": "V7" });
    let wrong = trader.app.post(&resolve, &trader.user, wrong).await.expect(409);
    assert_eq!(wrong.code(), "broker_disagrees");
    trader.app.post(&resolve, &trader.user, json!({ "outcome": "never_arrived" })).await.expect(202);
    let ended = trader.until(number, "REJECTED").await;
    assert_eq!((&ended["held"], &ended["reason"]), (&"0".into(), &"never_arrived".into()));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_orders_that_look_alike_is_named_by_its_owner() {
    let (trader, broker) = house(false, Stream::new(1, 0, false)).await;
    broker.will_fail(&[Fault::TimesOut, Fault::ResetBefore]);
    let body = trader.order_body("buy", "AAPL", "10", Some("1"));
    let path = "/api/orders";
    let (first, second) = tokio::join!(
        trader.app.post(path, &trader.user, body.clone()),
        trader.app.post(path, &trader.user, body.clone())
    );
    let orders = [first.expect(201).json(), second.expect(201).json()];
    for order in &orders {
        unresolved(&trader, order).await;
    }
    eventually("a person is told of both", || async {
        hurry(&trader).await;
        let incidents = trader.app.get("/api/incidents", &trader.user).await.expect(200).text;
        incidents.matches("\"unresolved_order\"").count() == 2
    })
    .await;
    let arrived = orders.iter().find(|order| broker.orders_of(id(order)) == 1).unwrap();
    let lost = orders.iter().find(|order| broker.orders_of(id(order)) == 0).unwrap();
    let number = broker.number_of(id(arrived)).unwrap();
    let resolve = |order: &Value| format!("/api/orders/{}/resolve", order["id"].as_str().unwrap());
    let word = json!({ "outcome": "arrived", "brokerOrderId": number });
    trader.app.post(&resolve(arrived), &trader.user, word.clone()).await.expect(202);
    trader.until(arrived["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(
        trader.app.post(&resolve(lost), &trader.user, word).await.expect(409).code(),
        "broker_disagrees"
    );
    trader.app.post(&resolve(lost), &trader.user, json!({ "outcome": "never_arrived" })).await.expect(202);
    trader.until(lost["id"].as_str().unwrap(), "REJECTED").await;
    assert_eq!(broker.arrivals(), 1);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fills_that_the_stream_has_lost_are_found_by_a_comparison_and_booked_once() {
    let (trader, broker) = house(true, Stream::new(0, 2, true)).await;
    let order = placed(&trader).await;
    let number = order["id"].as_str().unwrap();
    trader.until(number, "NEW").await;
    broker.lose_reports(1);
    for _ in 0..3 {
        broker.fill(id(&order), Decimal::TWO, "1".parse().unwrap()).await.unwrap();
    }
    // A page in the middle fails first: nothing is concluded from half a history.
    broker.pages_will_fail(&[Fault::None, Fault::FailsBefore]);
    let compare = format!("/api/accounts/{}/reconcile", trader.account);
    eventually("the lost fills", || async {
        trader.app.post(&compare, &trader.user, json!({})).await.expect(202);
        trader.order(number).await["filledQuantity"] == "6"
    })
    .await;
    broker.lose_reports(0);
    broker.fill(id(&order), Decimal::from(4), "1".parse().unwrap()).await.unwrap();
    let filled = trader.until(number, "FILLED").await;
    assert_eq!((filled["executions"].as_array().unwrap().len(), &filled["held"]), (4, &"0".into()));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_that_the_brokers_list_shows_later_than_its_positions_is_no_difference() {
    let (trader, broker) = house(true, Stream::new(0, 0, true)).await;
    let order = placed(&trader).await;
    let number = order["id"].as_str().unwrap();
    trader.until(number, "NEW").await;
    trader.compared().await;
    broker.lose_reports(1);
    broker.lists_lag(1);
    broker.fill(id(&order), Decimal::TWO, "1".parse().unwrap()).await.unwrap();
    let run = trader.compared().await;
    assert_eq!(run["outcome"], "agreed", "{run:#}");
    assert_eq!(trader.order(number).await["filledQuantity"], "2");
    assert_eq!(trader.incidents().await, Vec::<Value>::new());
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_crosses_the_last_fill_leaves_a_filled_order() {
    let (trader, broker) = house(true, Stream::new(0, 3, true)).await;
    let order = placed(&trader).await;
    let number = order["id"].as_str().unwrap();
    trader.until(number, "NEW").await;
    broker.will_fail(&[Fault::Busy, Fault::ResetBefore, Fault::None]);
    trader.app.delete(&format!("/api/orders/{number}"), &trader.user).await.expect(202);
    broker.fill(id(&order), Decimal::TEN, "1".parse().unwrap()).await.unwrap();
    let filled = trader.until(number, "FILLED").await;
    assert_eq!(filled["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

fn request(order: &Value) -> (&str, &str) {
    let request = order["requests"].as_array().unwrap().last().unwrap();
    (request["status"].as_str().unwrap(), request["reason"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_that_was_done_although_nobody_said_so_is_found_in_the_brokers_order() {
    for knows_ids in [true, false] {
        for fault in [Fault::None, Fault::TimesOut] {
            let (trader, broker) = house(knows_ids, Stream::new(0, 0, false)).await;
            let order = placed(&trader).await;
            let number = order["id"].as_str().unwrap();
            trader.until(number, "NEW").await;
            broker.lose_reports(1);
            broker.will_fail(&[fault]);
            let change = json!({ "quantity": "20", "limitPrice": "2" });
            trader.replace(number, change, None).await.expect(202);
            eventually("the request has left", || async { request(&trader.order(number).await).0 != "SENT" })
                .await;
            broker.fill(id(&order), Decimal::from(12), "1.5".parse().unwrap()).await.unwrap();
            let asked = trader.order(number).await;
            assert_eq!((&asked["quantity"], &asked["replacing"]["quantity"]), (&"10".into(), &"20".into()));

            eventually("it is found", || async {
                trader.compared().await;
                trader.order(number).await["replacing"].is_null()
            })
            .await;
            let changed = trader.order(number).await;
            let terms = (&changed["quantity"], &changed["limitPrice"], &changed["filledQuantity"]);
            assert_eq!(terms, (&"20".into(), &"2".into(), &"12".into()), "{fault:?}, ids known: {knows_ids}");
            assert_eq!(request(&changed), ("ACCEPTED", ""));
            assert_eq!(changed["status"], "PARTIALLY_FILLED");
            // Its own report comes at last, and changes nothing.
            broker.lose_reports(0);
            broker.fill(id(&order), Decimal::from(8), "2".parse().unwrap()).await.unwrap();
            trader.until(number, "FILLED").await;
            assert_eq!(trader.incidents().await, Vec::<Value>::new());
            assert_books_balance(&trader.app.database_url).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_that_never_arrived_is_sent_once_and_refused_when_the_brokers_order_shows_it() {
    let (trader, broker) = house(false, Stream::new(0, 0, false)).await;
    let order = placed(&trader).await;
    let number = order["id"].as_str().unwrap();
    let works = trader.until(number, "NEW").await;
    broker.will_fail(&[Fault::ResetBefore]);
    trader.replace(number, json!({ "quantity": "20" }), None).await.expect(202);
    eventually("nobody knows", || async { request(&trader.order(number).await).0 == "UNRESOLVED" }).await;
    trader.compared().await;
    let asked = trader.order(number).await;
    assert_eq!(asked["replacing"]["quantity"], "20", "the broker gets its time");
    assert_ne!(asked["held"], works["held"]);

    let long_ago = "UPDATE trading.replace_requests SET updated_at = updated_at - interval '1 minute'";
    execute(&trader.app.database_url, long_ago).await.unwrap();
    let mut found = Value::Null;
    for _ in 0..200 {
        // Orders are asked about once they are some seconds old.
        let run = trader.compared().await;
        if run["differences"][0]["kind"] == "replace_not_done" {
            found = run;
            break;
        }
    }
    assert_eq!(found["differences"][0]["action"], "settled", "{found:#}");
    let refused = trader.order(number).await;
    assert_eq!(request(&refused), ("REJECTED", "the broker works the order by its old terms"));
    assert_eq!((&refused["quantity"], &refused["held"]), (&"10".into(), &works["held"]));
    assert_eq!((&refused["status"], &refused["replacing"]), (&"NEW".into(), &Value::Null));
    assert_eq!(trader.incidents().await, Vec::<Value>::new());
    assert_books_balance(&trader.app.database_url).await;

    // It can be asked for again, and is done.
    trader.replace(number, json!({ "quantity": "20" }), None).await.expect(202);
    eventually("it is done", || async { trader.order(number).await["quantity"] == "20" }).await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_nobody_here_has_asked_for_are_told_and_not_taken() {
    let (trader, broker) = house(true, Stream::new(0, 0, false)).await;
    let order = placed(&trader).await;
    let number = order["id"].as_str().unwrap();
    trader.until(number, "NEW").await;
    broker.lose_reports(1);
    let elsewhere = json!({
        "replaceId": domain::ReplaceId::generate(), "orderId": number, "quantity": "7", "limitPrice": "1",
    });
    let elsewhere = serde_json::from_value(elsewhere).unwrap();
    broker.act(|venue, at| venue.replace(0, &elsewhere, at)).await.unwrap();
    eventually("it is told", || async {
        trader.compared().await;
        trader.incidents().await.iter().any(|incident| incident["kind"] == "order_differs")
    })
    .await;
    trader.compared().await;
    assert_eq!(trader.incidents().await.len(), 1, "it is told once");
    assert_eq!(trader.order(number).await["quantity"], "10");
}
