//! Orders that wait for a price or an auction, and orders whose terms change.

use crate::connector::{Connector, eventually, limit, market};
use crate::database::TestDatabase;
use crate::quote_server::{QuoteServer, quote};
use crate::terms::{other_terms, unchanged};
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::{AccountId, Market, OrderId, OrderType, Quote, Side, TimeInForce};
use serde_json::{Value, json};

struct World {
    connector: Connector,
    quotes: QuoteServer,
    database: TestDatabase,
    account: AccountId,
}

async fn world() -> World {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect("USD").await;
    World { connector, quotes, database, account }
}

fn stop(account: AccountId, side: Side, stop: &str, protection: &str) -> OrderRequest {
    OrderRequest {
        order_type: OrderType::Stop,
        time_in_force: TimeInForce::Gtc,
        stop_price: Some(stop.parse().unwrap()),
        ..market(account, "AAPL", side, "10", protection)
    }
}

fn trailing(account: AccountId, amount: &str, protection: &str) -> OrderRequest {
    OrderRequest {
        order_type: OrderType::TrailingStop,
        time_in_force: TimeInForce::Gtc,
        trail_amount: Some(amount.parse().unwrap()),
        ..market(account, "AAPL", Side::Sell, "10", protection)
    }
}

fn refusal(outcome: &ReplaceOutcome) -> &str {
    match outcome {
        ReplaceOutcome::Rejected { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

async fn followed(quotes: &QuoteServer) {
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_triggered_by_the_last_price_and_says_so() {
    let World { connector, quotes, account, database: _database } = world().await;
    let order = stop(account, Side::Buy, "110", "120");
    connector.place_accepted(&order).await;
    followed(&quotes).await;
    quotes.say("AAPL", "109", "112");
    let probe = market(account, "AAPL", Side::Buy, "1", "200");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted"], "the ask wakes nobody up");
    quotes.say("AAPL", "110", "112");
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "triggered", "fill"]);
    let reports = connector.reports(&order).await;
    assert_eq!((&reports[1]["price"], &reports[2]["price"]), (&json!("110"), &json!("112")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_of_a_trailing_stop_survives_a_kill() {
    let World { connector, quotes, account, database } = world().await;
    let order = trailing(account, "10", "50");
    connector.place_accepted(&order).await;
    followed(&quotes).await;
    quotes.say("AAPL", "100", "100");
    quotes.say("AAPL", "120", "120");
    eventually("the mark is durable", || async {
        database.count("SELECT count(*) FROM broker.simulator_orders WHERE mark = 120").await == 1
    })
    .await;
    assert_eq!(connector.kinds(&order).await, ["accepted"], "a moved mark is nobody else's business");
    connector.kill();
    let connector = Connector::start(&database, &quotes).await;
    followed(&quotes).await;
    quotes.say("AAPL", "110", "110.5");
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "triggered", "fill"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_triggered_stop_limit_rests_as_a_limit_order_after_a_kill() {
    let World { connector, quotes, account, database } = world().await;
    let order = OrderRequest {
        order_type: OrderType::StopLimit,
        stop_price: Some("96".parse().unwrap()),
        ..limit(account, "AAPL", Side::Sell, "10", "95")
    };
    connector.place_accepted(&order).await;
    followed(&quotes).await;
    quotes.say("AAPL", "94", "94.5");
    eventually("it is triggered", || async { connector.kinds(&order).await == ["accepted", "triggered"] })
        .await;
    connector.kill();
    let connector = Connector::start(&database, &quotes).await;
    followed(&quotes).await;
    quotes.say("AAPL", "97", "97.5");
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "triggered", "fill"], "triggered once");
    assert_eq!(connector.reports(&order).await[2]["price"], "95");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_means_at_the_first_price_or_never() {
    let World { connector, quotes, account, database: _database } = world().await;
    let at_once = |time_in_force, price| OrderRequest {
        time_in_force,
        ..limit(account, "AAPL", Side::Buy, "1", price)
    };
    let (fill, kill) = (at_once(TimeInForce::Fok, "101"), at_once(TimeInForce::Ioc, "99"));
    connector.place_all(&[fill.clone(), kill.clone()]).await;
    followed(&quotes).await;
    quotes.say("AAPL", "99.5", "100");
    connector.becomes(fill.order_id, "FILLED").await;
    connector.becomes(kill.order_id, "CANCELED").await;
    assert_eq!(connector.reports(&kill).await[1]["reason"], "not_executable_at_once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_an_auction_gets_the_sessions_open() {
    let World { connector, quotes, account, database } = world().await;
    let order =
        OrderRequest { time_in_force: TimeInForce::Opg, ..market(account, "AAPL", Side::Buy, "1", "200") };
    let outcome = connector.place(&order).await;
    if exchange::auction_for(Market::Us, exchange::AuctionKind::Opening, order.submitted_at).is_err() {
        assert!(matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == "session"), "{outcome:?}");
        return;
    }
    followed(&quotes).await;
    quotes.publish(Quote { open: "149.5".parse().unwrap(), ..quote("AAPL", "150", "150.1") });
    let probe = market(account, "AAPL", Side::Buy, "1", "200");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    assert_eq!(connector.status(order.order_id).await, "NEW", "the auction is to come");
    connector.kill();
    // A session later.
    database
        .execute("UPDATE broker.simulator_orders SET submitted_at = now() - interval '6 days', expires_at = now() + interval '1 hour'")
        .await;
    let connector = Connector::start(&database, &quotes).await;
    followed(&quotes).await;
    quotes.publish(Quote { open: "149.5".parse().unwrap(), ..quote("AAPL", "152", "152.1") });
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.reports(&order).await[1]["price"], "149.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_ends_any_number_of_orders_at_once() {
    let World { connector, quotes, account, database } = world().await;
    connector.place_accepted(&limit(account, "AAPL", Side::Buy, "10", "90")).await;
    connector.kill();
    database
        .execute(
            "INSERT INTO broker.simulator_orders SELECT (jsonb_populate_record(o, jsonb_build_object('order_id',
                gen_random_uuid(), 'sequence', o.sequence + n, 'expires_at', now() + interval '2 s'))).*
             FROM broker.simulator_orders AS o, generate_series(1, 20000) AS n",
        )
        .await;
    let _connector = Connector::start(&database, &quotes).await;
    let ended = "SELECT count(*) FROM broker.simulator_orders WHERE status = 'EXPIRED'";
    eventually("the end of all", || async { database.count(ended).await == 20_000 }).await;
    let told = "SELECT count(DISTINCT order_id) FROM broker.execution_reports WHERE kind = 'expired'";
    assert_eq!(database.count(told).await, 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_is_done_once_however_often_it_comes() {
    let World { connector, quotes, account, database } = world().await;
    let order = limit(account, "AAPL", Side::Buy, "10", "90");
    connector.place_accepted(&order).await;
    let request = other_terms(&order, "4", "91");
    for _ in 0..3 {
        assert_eq!(connector.replace(&request).await, ReplaceOutcome::Accepted);
    }
    assert!(matches!(connector.place(&order).await, PlaceOutcome::Accepted { .. }), "it is the same order");
    connector.kill();
    let connector = Connector::start(&database, &quotes).await;
    assert_eq!(connector.replace(&request).await, ReplaceOutcome::Accepted);
    assert_eq!(connector.kinds(&order).await, ["accepted", "replaced"]);
    let report = connector.reports(&order).await.remove(1);
    assert_eq!(
        (&report["quantity"], &report["limitPrice"], &report["replaceId"]),
        (&json!("4"), &json!("91"), &json!(request.replace_id))
    );
    followed(&quotes).await;
    quotes.say("AAPL", "90.5", "90.9");
    connector.becomes(order.order_id, "FILLED").await;
    let fill = connector.reports(&order).await.remove(2);
    assert_eq!(
        (&fill["quantity"], &fill["price"]),
        (&json!("4"), &json!("90.9")),
        "the first price it meets"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_since_a_moment_has_all_orders_though_one_of_before_was_replaced_after_them() {
    let World { connector, account, database: _database, .. } = world().await;
    let before = limit(account, "AAPL", Side::Buy, "10", "90");
    connector.place_accepted(&before).await;
    let since = chrono::Utc::now();
    let after = limit(account, "AAPL", Side::Buy, "10", "80");
    connector.place_accepted(&after).await;
    assert_eq!(connector.replace(&other_terms(&before, "10", "91")).await, ReplaceOutcome::Accepted);
    let since = since.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let listed = connector.get(&format!("/broker/accounts/{account}/orders?since={since}")).await;
    let orders: Vec<&Value> =
        listed["orders"].as_array().unwrap().iter().map(|order| &order["orderId"]).collect();
    assert_eq!(orders, [&json!(after.order_id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_replace_stays_refused_and_leaves_the_order_as_it_is() {
    let World { connector, account, database: _database, .. } = world().await;
    let order = limit(account, "AAPL", Side::Buy, "10", "90");
    connector.place_accepted(&order).await;
    let off_grid = ReplaceRequest { limit_price: Some("90.001".parse().unwrap()), ..unchanged(&order) };
    let with_stop = ReplaceRequest { stop_price: Some("91".parse().unwrap()), ..unchanged(&order) };
    let nobodys = ReplaceRequest { order_id: OrderId::generate(), ..unchanged(&order) };
    for (request, code) in [(&off_grid, "tick_size"), (&with_stop, "stop_price"), (&nobodys, "unknown_order")]
    {
        for _ in 0..2 {
            assert_eq!(refusal(&connector.replace(request).await), code);
        }
    }
    assert_eq!(connector.kinds(&order).await, ["accepted"]);
    connector.cancel(order.order_id).await;
    let late = unchanged(&order);
    assert_eq!(refusal(&connector.replace(&late).await), "already_final");
    assert_eq!(refusal(&connector.replace(&off_grid).await), "tick_size", "as it was answered before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_moved_to_the_market_is_executed_in_the_same_breath() {
    let World { connector, quotes, account, database: _database } = world().await;
    let order = limit(account, "AAPL", Side::Buy, "10", "90");
    connector.place_accepted(&order).await;
    followed(&quotes).await;
    quotes.say("AAPL", "99", "100");
    let probe = market(account, "AAPL", Side::Buy, "1", "200");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    let request = ReplaceRequest { limit_price: Some("105".parse().unwrap()), ..unchanged(&order) };
    assert_eq!(connector.replace(&request).await, ReplaceOutcome::Accepted);
    connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "replaced", "fill"]);
    assert_eq!(connector.reports(&order).await[2]["price"], "100");
}
