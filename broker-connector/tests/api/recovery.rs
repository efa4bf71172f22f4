//! What must hold when things break.

use crate::connector::{Connector, eventually, limit, market};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use crate::terms::word;
use domain::broker::{OrderRequest, PlaceOutcome};
use domain::{Side, TimeInForce};

#[tokio::test(flavor = "multi_thread")]
async fn working_orders_survive_a_kill_and_are_executed_once() {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect("USD").await;
    let resting: Vec<_> = (0..20).map(|_| limit(account, "AAPL", Side::Buy, "1", "100")).collect();
    let waiting = market(account, "MSFT", Side::Buy, "1", "500");
    connector.place_all(&resting).await;
    connector.place_accepted(&waiting).await;
    connector.kill();

    let connector = Connector::start(&database, &quotes).await;
    assert!(matches!(connector.place(&waiting).await, PlaceOutcome::Accepted { .. }), "it is known");
    eventually("the symbols are followed", || async {
        quotes.is_subscribed("AAPL") && quotes.is_subscribed("MSFT")
    })
    .await;
    quotes.say("AAPL", "99", "99.5");
    quotes.say("MSFT", "400", "400.5");
    for order in resting.iter().chain([&waiting]) {
        connector.becomes(order.order_id, "FILLED").await;
    }
    connector.kill();

    let connector = Connector::start(&database, &quotes).await;
    quotes.say("AAPL", "90", "90.5");
    let probe = limit(account, "AAPL", Side::Buy, "1", "95");
    connector.place_accepted(&probe).await;
    connector.becomes(probe.order_id, "FILLED").await;
    for order in resting.iter().chain([&waiting]) {
        assert_eq!(connector.kinds(order).await, ["accepted", "fill"]);
    }
    // Of orders at one price the earlier is served first, also after a restart.
    let in_order = database
        .count(
            "SELECT count(*) FROM (SELECT sequence, lag(sequence) OVER (ORDER BY r.id) AS before
                FROM broker.execution_reports r JOIN broker.simulator_orders o USING (order_id)
                WHERE kind = 'fill' AND o.symbol = 'AAPL') AS fills WHERE sequence < before",
        )
        .await;
    assert_eq!(in_order, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_leaves_nothing_in_the_book() {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect("USD").await;
    let before = limit(account, "AAPL", Side::Buy, "1", "100");
    connector.place_accepted(&before).await;
    database
        .execute(
            "ALTER TABLE broker.execution_reports ADD CONSTRAINT broken CHECK (kind <> 'accepted') NOT VALID",
        )
        .await;
    let failed = limit(account, "AAPL", Side::Buy, "1", "100");
    let outcome = connector.place(&failed).await;
    assert_eq!(word(&outcome), "not_sent", "{outcome:?}");

    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "99", "99.5");
    connector.becomes(before.order_id, "FILLED").await;
    assert!(connector.reports(&failed).await.is_empty());
    assert_eq!(database.count("SELECT count(*) FROM broker.simulator_orders").await, 1);

    database.execute("ALTER TABLE broker.execution_reports DROP CONSTRAINT broken").await;
    connector.becomes_ready().await;
    connector.place_accepted(&failed).await;
    assert_eq!(connector.kinds(&failed).await, ["accepted", "fill"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_made_again() {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect("USD").await;
    let first = limit(account, "AAPL", Side::Buy, "1", "100");
    connector.place_accepted(&first).await;
    assert!(database.cut_connections().await > 0);

    let second = limit(account, "AAPL", Side::Buy, "1", "100");
    eventually("orders are taken again", || async {
        match connector.place(&second).await {
            PlaceOutcome::Accepted { .. } => true,
            PlaceOutcome::Unsent(_) | PlaceOutcome::OutcomeUnknown { .. } => false,
            rejected @ PlaceOutcome::Rejected { .. } => panic!("{rejected:?}"),
        }
    })
    .await;
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "99", "99.5");
    for order in [&first, &second] {
        connector.becomes(order.order_id, "FILLED").await;
        assert_eq!(connector.kinds(order).await, ["accepted", "fill"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connector_stands_by_and_takes_over() {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let first = Connector::start(&database, &quotes).await;
    let account = first.connect("USD").await;
    let order = limit(account, "AAPL", Side::Buy, "1", "100");
    first.place_accepted(&order).await;

    let second = Connector::launch(&database, &quotes).await;
    assert!(!second.is_ready().await);
    let refused = limit(account, "AAPL", Side::Buy, "1", "100");
    assert_eq!(word(&second.place(&refused).await), "not_sent");
    first.kill();

    second.becomes_ready().await;
    assert_eq!(second.status(order.order_id).await, "NEW");
    eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
    quotes.say("AAPL", "99", "99.5");
    second.becomes(order.order_id, "FILLED").await;
    assert_eq!(second.kinds(&order).await, ["accepted", "fill"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_ended_while_the_connector_was_down_expires_at_its_start() {
    let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
    let connector = Connector::start(&database, &quotes).await;
    let account = connector.connect("USD").await;
    let order =
        OrderRequest { time_in_force: TimeInForce::Day, ..limit(account, "AAPL", Side::Buy, "1", "100") };
    connector.place_accepted(&order).await;
    connector.kill();
    database.execute("UPDATE broker.simulator_orders SET expires_at = now() - interval '1 hour'").await;
    quotes.say("AAPL", "90", "90.5");

    let connector = Connector::start(&database, &quotes).await;
    connector.becomes(order.order_id, "EXPIRED").await;
    assert_eq!(connector.kinds(&order).await, ["accepted", "expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connector_waits_for_the_tables() {
    let (database, quotes) = (TestDatabase::empty().await, QuoteServer::start().await);
    let connector = Connector::launch(&database, &quotes).await;
    assert!(!connector.is_ready().await);
    database.migrate().await;
    connector.becomes_ready().await;
}
