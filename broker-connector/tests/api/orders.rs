//! The life of orders.

use crate::connector::{Connector, eventually, limit, market};
use crate::database::TestDatabase;
use crate::quote_server::{QuoteServer, quote};
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome};
use domain::{AccountId, Side, TimeInForce};
use serde_json::json;

struct World {
    connector: Connector,
    quotes: QuoteServer,
    database: TestDatabase,
    account: AccountId,
}

async fn world(currency: &str) -> World {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect(currency).await;
    World { connector, quotes, database, account }
}

fn rejection(outcome: &PlaceOutcome) -> &str {
    match outcome {
        PlaceOutcome::Rejected { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

fn cancel_rejection(outcome: &CancelOutcome) -> &str {
    match outcome {
        CancelOutcome::Rejected { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_waits_for_a_price_and_is_executed_at_the_ask() {
    let World { connector, quotes, account, database: _database, .. } = world("USD").await;
    let order = market(account, "AAPL", Side::Buy, "10", "160");
    connector.place_accepted(&order).await;
    assert_eq!(connector.status(order.order_id).await, "NEW");
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "150.24", "150.26");
    connector.becomes(order.order_id, "FILLED").await;

    let reports = connector.reports(&order).await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "fill"]);
    assert_eq!(reports[1]["price"], "150.26");
    assert_eq!(reports[1]["quantity"], "10");
    assert_eq!(reports[1]["commission"], "1");
    assert_eq!(reports[1]["tax"], "0");
    assert_eq!(reports[1]["executionId"], format!("{}:1", order.order_id));

    let sync = connector.get(&format!("/broker/accounts/{account}/sync")).await;
    assert_eq!(sync["positions"], json!([{ "symbol": "AAPL", "quantity": "10" }]));
    assert_eq!(sync["tradeCash"], json!([{ "currency": "USD", "amount": "-1503.6" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_order_is_executed_only_when_the_market_reaches_it() {
    let World { connector, quotes, account, database: _database, .. } = world("KRW").await;
    let first = limit(account, "005930.KS", Side::Buy, "3", "70000");
    connector.place_accepted(&first).await;
    eventually("the symbol is followed", || async { quotes.is_subscribed("005930.KS") }).await;
    quotes.say("005930.KS", "70000", "70100");
    // The second order meets that quote; when it is executed the first one has seen it too.
    let probe = market(account, "005930.KS", Side::Buy, "1", "80000");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    assert_eq!(connector.status(first.order_id).await, "NEW", "the ask is above the limit");

    quotes.say("005930.KS", "69800", "69900");
    connector.becomes(first.order_id, "FILLED").await;
    let reports = connector.reports(&first).await;
    assert_eq!(reports[1]["price"], "70000", "a resting order is executed at its limit");

    let improved = limit(account, "005930.KS", Side::Sell, "2", "60000");
    connector.place_accepted(&improved).await;
    connector.becomes(improved.order_id, "FILLED").await;
    let fill = connector.reports(&improved).await[1].clone();
    assert_eq!(
        (&fill["price"], &fill["commission"], &fill["tax"]),
        (&json!("69800"), &json!("20"), &json!("279"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_korean_fund_has_its_own_grid_and_is_sold_without_tax() {
    let World { connector, quotes, account, database: _database } = world("KRW").await;
    let off_grid = limit(account, "069500.KS", Side::Buy, "1", "40002");
    assert_eq!(rejection(&connector.place(&off_grid).await), "tick_size");
    let order = limit(account, "069500.KS", Side::Sell, "100", "40005");
    connector.place_accepted(&order).await;
    eventually("the symbol is followed", || async { quotes.is_subscribed("069500.KS") }).await;
    quotes.say("069500.KS", "40005", "40010");
    connector.becomes(order.order_id, "FILLED").await;
    let fill = connector.reports(&order).await[1].clone();
    assert_eq!((&fill["commission"], &fill["tax"]), (&json!("600"), &json!("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_is_never_executed_beyond_its_protection() {
    let World { connector, quotes, account, database: _database, .. } = world("USD").await;
    let order = market(account, "AAPL", Side::Buy, "1", "150");
    connector.place_accepted(&order).await;
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "150.24", "150.26");
    connector.becomes(order.order_id, "CANCELED").await;
    let reports = connector.reports(&order).await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "canceled"]);
    assert_eq!(reports[1]["reason"], "price_moved_beyond_protection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_quote_executes_nothing() {
    let World { connector, quotes, account, database: _database, .. } = world("USD").await;
    let order = limit(account, "AAPL", Side::Buy, "1", "200");
    connector.place_accepted(&order).await;
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    let old = quote("AAPL", "100", "100.01");
    quotes.publish(domain::Quote { at: old.at - chrono::TimeDelta::minutes(3), ..old });
    quotes.say("AAPL", "150", "150.01");
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.reports(&order).await[1]["price"], "150.01");
}

#[tokio::test(flavor = "multi_thread")]
async fn placing_twice_places_once_and_answers_the_same() {
    let World { connector, account, database, .. } = world("USD").await;
    let order = limit(account, "AAPL", Side::Buy, "1", "100");
    let first = connector.place(&order).await;
    let twice = connector.place_all(&[order.clone(), order.clone()]).await;
    assert_eq!(twice, [first.clone(), first]);
    assert_eq!(connector.kinds(&order).await, ["accepted"]);

    let other = OrderRequest { quantity: "2".parse().unwrap(), ..order.clone() };
    assert_eq!(rejection(&connector.place(&other).await), "order_id_reused");
    assert_eq!(connector.kinds(&order).await, ["accepted"], "the order that owns the id is not touched");
    assert_eq!(database.count("SELECT count(*) FROM broker.simulator_orders").await, 1);

    let refused = limit(account, "AAPL", Side::Buy, "1", "100.001");
    let rejected = connector.place(&refused).await;
    assert_eq!(rejection(&rejected), "tick_size");
    assert_eq!(connector.place(&refused).await, rejected);
    assert_eq!(connector.kinds(&refused).await, ["rejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_is_never_executed() {
    let World { connector, quotes, account, database: _database, .. } = world("USD").await;
    let order = limit(account, "AAPL", Side::Buy, "1", "100");
    connector.place_accepted(&order).await;
    assert_eq!(connector.cancel(order.order_id).await, CancelOutcome::Accepted);
    assert_eq!(connector.status(order.order_id).await, "CANCELED");
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "90", "90.01");
    let probe = limit(account, "AAPL", Side::Buy, "1", "100");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "canceled"]);

    assert_eq!(cancel_rejection(&connector.cancel(order.order_id).await), "already_final");
    assert_eq!(cancel_rejection(&connector.cancel(domain::OrderId::generate()).await), "unknown_order");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_would_refuse_is_refused() {
    let World { connector, account, database: _database, .. } = world("USD").await;
    let won = connector.connect("KRW").await;
    let good = limit(account, "AAPL", Side::Buy, "1", "100");
    let bare = OrderRequest { limit_price: None, ..limit(account, "AAPL", Side::Buy, "1", "100") };
    let unprotected =
        OrderRequest { protection_price: None, ..market(account, "AAPL", Side::Buy, "1", "100") };
    for (order, code) in [
        (limit(AccountId::generate(), "AAPL", Side::Buy, "1", "100"), "unknown_account"),
        (limit(won, "005930.KS", Side::Buy, "1", "70050"), "tick_size"),
        (limit(won, "005930.KS", Side::Buy, "1.5", "70000"), "whole_shares"),
        (limit(account, "AAPL", Side::Buy, "999999999999", "999999999999"), "amount_too_large"),
        (bare, "limit_price"),
        (unprotected, "protection_price"),
    ] {
        let outcomes = connector.place_all(&[order.clone(), good.clone()]).await;
        assert_eq!(rejection(&outcomes[0]), code);
        assert!(matches!(outcomes[1], PlaceOutcome::Accepted { .. }), "one bad order spoils no other");
        let reports = connector.reports(&order).await;
        assert_eq!(
            (reports.len(), &reports[0]["kind"], &reports[0]["reason"]),
            (1, &json!("rejected"), &json!(code))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_a_day_that_is_over_expires_at_once() {
    let World { connector, account, database: _database, .. } = world("USD").await;
    let order = OrderRequest {
        time_in_force: TimeInForce::Day,
        submitted_at: chrono::Utc::now() - chrono::TimeDelta::days(10),
        ..limit(account, "AAPL", Side::Buy, "1", "100")
    };
    connector.place_accepted(&order).await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_order_that_waited_too_long_is_refused_and_one_that_is_there_is_not() {
    let World { connector, account, database: _database, .. } = world("USD").await;
    let aged = |order: &OrderRequest, seconds| OrderRequest {
        submitted_at: order.submitted_at - chrono::TimeDelta::seconds(seconds),
        ..order.clone()
    };
    let in_time = aged(&market(account, "AAPL", Side::Buy, "1", "100"), 50);
    connector.place_accepted(&in_time).await;
    let late = aged(&market(account, "AAPL", Side::Buy, "1", "100"), 61);
    assert_eq!(rejection(&connector.place(&late).await), "waited_too_long");
    assert_eq!(connector.reports(&late).await[0]["reason"], "waited_too_long");
    let rests = aged(&limit(account, "AAPL", Side::Buy, "1", "100"), 23 * 3600);
    connector.place_accepted(&rests).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_can_be_paged_and_never_changed() {
    let World { connector, account, database, .. } = world("USD").await;
    let orders: Vec<_> = (0..5).map(|_| limit(account, "AAPL", Side::Buy, "1", "100")).collect();
    connector.place_all(&orders).await;
    let mut after = json!(0);
    let mut seen = Vec::new();
    loop {
        let page = connector.get(&format!("/broker/executions?after={after}&limit=2")).await;
        let lines = page["reports"].as_array().unwrap();
        if lines.is_empty() {
            break;
        }
        seen.extend(lines.iter().map(|line| line["orderId"].clone()));
        after = page["after"].clone();
    }
    assert_eq!(seen, orders.iter().map(|order| json!(order.order_id)).collect::<Vec<_>>());

    use diesel_async::SimpleAsyncConnection;
    for sql in ["UPDATE broker.execution_reports SET reason = 'x'", "DELETE FROM broker.execution_reports"] {
        assert!(database.connection().await.batch_execute(sql).await.is_err(), "{sql}");
    }
}
