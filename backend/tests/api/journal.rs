//! The brokers' journal: whatever stands in a line of it, the lines behind it are applied.

use crate::books::{broken_invariants, count, execute};
use crate::trader::Trader;

/// Writes a report of an execution as a broker connector would, for an order of the trader.
async fn report(trader: &Trader, order: &str, number: usize, quantity: &str, price: &str, rest: &str) {
    let statement = format!(
        "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7202611))
         INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind, symbol,
            side, execution_id, quantity, price, commission, tax, occurred_at)
         SELECT 'simulator', '{account}', '{order}', 'x', 'bad-{number}', 'fill', 'AAPL', 'buy', 'bad-{number}',
            {quantity}, {price}, {rest} FROM turn",
        account = trader.account,
    );
    execute(&trader.app.database_url, &statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_the_journal_holds_up_those_behind_it() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "1").await;
    let open = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let order = open["id"].as_str().unwrap();
    trader.until(order, "NEW").await;
    let bad = [
        ("'NaN'", "1", "0, 0, now()"),
        ("1", "'NaN'", "0, 0, now()"),
        ("1", "1", "'NaN', 0, now()"),
        ("1", "1", "0, 'NaN', now()"),
        ("1", "1", "0, 0, 'infinity'"),
        ("1", "1", "0, 0, '200000-01-01'"),
        ("1", "1", "0, 0, '0044-03-15 BC'"),
        ("1", "1", "9999999999999999999, 9999999999999999999, now()"),
        ("9999999999999999999", "9999999999999999999", "0, 0, now()"),
        ("999999999999999", "999999999999999", "0, 0, now()"),
        ("1000000000", "1000000000", "0, 0, now()"),
    ];
    for (number, (quantity, price, rest)) in bad.iter().enumerate() {
        report(&trader, order, number, quantity, price, rest).await;
    }
    trader.bought("AAPL", "2").await;
    let untouched = trader.order(order).await;
    assert_eq!((&untouched["status"], &untouched["filledQuantity"]), (&"NEW".into(), &"0".into()));
    let incidents = "SELECT count(DISTINCT report_id) AS rows FROM trading.incidents
                     WHERE kind IN ('unreadable_report', 'unappliable_report')";
    let incidents = count(&trader.app.database_url, incidents).await;
    assert_eq!(incidents, i64::try_from(bad.len()).unwrap(), "a person is told of each");
    let broken = broken_invariants(&trader.app.database_url).await;
    assert_eq!(
        broken,
        ["10_brokers_agree.sql", "11_simulator_agrees.sql"],
        "the books are sound, and differ from what was reported"
    );
    let trader = Trader { app: trader.app.restart().await, ..trader };
    assert_eq!(trader.balance().await["held"], untouched["held"]);
}
