//! Lots, the profit of each sale, corrections, and books that are older than lots.

use crate::books::{assert_books_balance, broken_invariants, count, execute};
use crate::helpers::TestDatabase;
use crate::trader::{Trader, decimal};
use backend::account::lock_balances;
use backend::portfolio::reverse_fill;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use domain::AccountId;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

async fn sold(trader: &Trader, quantity: &str) -> Value {
    let order = trader.place("sell", "AAPL", quantity, None).await.expect(201).json();
    trader.until(order["id"].as_str().unwrap(), "FILLED").await
}

async fn sales(trader: &Trader, rest: &str) -> Value {
    let path = format!("/api/portfolio/sales?accountId={}{rest}", trader.account);
    trader.app.get(&path, &trader.user).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_tells_what_it_has_brought_and_from_which_lots() {
    let trader = Trader::with("USD", "1000000").await;
    // More lots than are read at first.
    for _ in 0..40 {
        let order = trader.place("buy", "AAPL", "1", None).await.expect(201).json();
        trader.until(order["id"].as_str().unwrap(), "FILLED").await;
    }
    let path = format!("/api/accounts/{}/cost-method", trader.account);
    trader.app.put(&path, &trader.user, json!({ "method": "fifo" })).await.expect(200);
    sold(&trader, "38").await;
    let listed = sales(&trader, "").await;
    let sale = &listed["sales"][0];
    assert_eq!((&sale["quantity"], &sale["costMethod"]), (&json!("38"), &json!("fifo")));
    assert_eq!(sale["realisedPnl"], sale["byFifo"]["realisedPnl"]);
    let lots = sale["lots"].as_array().unwrap();
    assert_eq!(lots.len(), 38);
    let cost: Decimal = lots.iter().map(|lot| decimal(&lot["cost"])).sum();
    assert_eq!(cost, decimal(&sale["byFifo"]["cost"]));
    assert_eq!(trader.lots("AAPL").await.len(), 2);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_and_sales_are_read_page_by_page() {
    let trader = Trader::with("USD", "100000").await;
    for _ in 0..3 {
        trader.bought("AAPL", "2").await;
    }
    for _ in 0..3 {
        sold(&trader, "1").await;
    }
    let first = sales(&trader, "&limit=2").await;
    let next = first["next"].as_str().unwrap();
    let second = sales(&trader, &format!("&limit=2&before={next}")).await;
    assert_eq!((first["sales"].as_array().unwrap().len(), second["sales"].as_array().unwrap().len()), (2, 1));
    assert_eq!(second["next"], Value::Null);
    let page = |rest: String| {
        let path = format!("/api/portfolio/lots?accountId={}{rest}", trader.account);
        async {
            let path = path;
            trader.app.get(&path, &trader.user).await.expect(200).json()
        }
    };
    let first = page("&limit=1".into()).await;
    let second = page(format!("&limit=1&after={}", first["next"].as_str().unwrap())).await;
    assert_ne!(first["lots"][0]["id"], second["lots"][0]["id"]);
    assert_eq!(second["next"], Value::Null, "one lot of three is gone");
    for (path, field) in [("lots", "accountId"), ("sales", "accountId")] {
        let refused = trader.app.get(&format!("/api/portfolio/{path}"), &trader.user).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), "required".to_owned()));
        let path = format!("/api/portfolio/{path}?accountId={}&limit=501", trader.account);
        let refused = trader.app.get(&path, &trader.user).await.expect(422);
        assert_eq!(refused.complaint(), ("limit".to_owned(), "out_of_range".to_owned()));
    }
}

async fn take_back(trader: &Trader, execution: &str) -> Result<backend::portfolio::Reversed, String> {
    let mut connection = AsyncPgConnection::establish(&trader.app.database_url).await.unwrap();
    let account: AccountId = trader.account.parse().unwrap();
    connection.batch_execute("BEGIN").await.unwrap();
    lock_balances(&connection, &BTreeSet::from([account]), ["AAPL".parse().unwrap()].into_iter())
        .await
        .unwrap();
    let reversed = reverse_fill(&connection, account, execution, chrono::Utc::now()).await;
    let end = if reversed.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.batch_execute(end).await.unwrap();
    reversed.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_taken_back_was_never_there() {
    let trader = Trader::with("USD", "100000").await;
    let first = trader.bought("AAPL", "4").await;
    let second = trader.bought("AAPL", "6").await;
    let sale = sold(&trader, "5").await;
    let execution = first["executions"][0]["executionId"].as_str().unwrap();
    take_back(&trader, execution).await.unwrap();
    let position = trader.position("AAPL").await;
    assert_eq!(position["quantity"], "1");
    let paid = decimal(&second["averageFillPrice"]) * Decimal::from(6);
    for method in ["byAverage", "byFifo"] {
        let cost = decimal(&position[method]["cost"]);
        assert!((cost - paid / Decimal::from(6)).abs() < Decimal::new(1, 2), "{position}");
        let brought = decimal(&sale["averageFillPrice"]) * Decimal::from(5);
        assert_eq!(decimal(&position[method]["realisedPnl"]), brought - paid + cost);
    }
    let cash = decimal(&trader.balance().await["cash"]);
    let fees = |order: &Value| decimal(&order["commission"]) + decimal(&order["tax"]);
    let moved = decimal(&sale["averageFillPrice"]) * Decimal::from(5) - fees(&sale) - paid - fees(&second);
    assert_eq!(cash, Decimal::from(100_000) + moved);
    assert_eq!(take_back(&trader, execution).await.unwrap_err(), "the execution was taken back before");
    assert_eq!(take_back(&trader, "nobody's").await.unwrap_err(), "no such execution is booked");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_themselves_refuse_a_second_reversal() {
    let trader = Trader::with("USD", "100000").await;
    let order = trader.bought("AAPL", "4").await;
    take_back(&trader, order["executions"][0]["executionId"].as_str().unwrap()).await.unwrap();
    let again = "INSERT INTO account.journals (id, account_id, idempotency_key, kind, trade_date, settle_date, reverses, created_at)
        SELECT gen_random_uuid(), account_id, 'again', 'reversal', trade_date, settle_date, reverses, now()
        FROM account.journals WHERE kind = 'reversal'";
    let refused = execute(&trader.app.database_url, again).await.unwrap_err();
    assert!(refused.to_string().contains("journals_reversed_once"), "{refused}");
}

/// Takes away what the migrations of this topic have made, the last first.
async fn go_back(connection: &mut AsyncPgConnection) {
    for name in ["2026-11-21-001200_corporate_actions", "2026-11-21-001100_lots", "2026-11-21-001000_ledger"]
    {
        connection.batch_execute(&migration(name, "down")).await.unwrap();
    }
}

fn migration(name: &str, direction: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../migrations/{name}/{direction}.sql"));
    std::fs::read_to_string(path).unwrap()
}

const OLD_BOOKS: &str = "
    INSERT INTO auth.users (id, email, password_hash, language, created_at, updated_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 'old@example.com', 'x', 'en', now(), now());
    INSERT INTO account.accounts (id, user_id, name, broker, currency, created_at)
    VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 'Old', 'simulator', 'USD', now());
    INSERT INTO account.journals (id, account_id, idempotency_key, kind, execution_id, trade_date, settle_date, created_at)
    SELECT ('00000000-0000-7000-8000-0000000001' || n)::uuid, '00000000-0000-7000-8000-000000000002', k, kind, e,
        current_date + d, current_date + d + s, now()
    FROM (VALUES ('00', 'deposit:1', 'deposit', NULL, -20, 0), ('01', 'fill:a', 'fill', 'a', -10, 3),
        ('02', 'fill:b', 'fill', 'b', -8, 3), ('03', 'fill:c', 'fill', 'c', -7, 3), ('04', 'fill:d', 'fill', 'd', 0, 5))
        AS old (n, k, kind, e, d, s);
    INSERT INTO account.postings (journal_id, line, account_id, ledger_account, symbol, commodity, amount)
    SELECT ('00000000-0000-7000-8000-0000000001' || n)::uuid, line, '00000000-0000-7000-8000-000000000002', l, s, c, a
    FROM (VALUES ('00', 1, 'cash', NULL, 'USD', 1000), ('00', 2, 'deposits', NULL, 'USD', -1000),
        ('01', 1, 'cash', 'AAPL', 'USD', -101), ('01', 2, 'position_cost', 'AAPL', 'USD', 100),
        ('01', 3, 'commission', 'AAPL', 'USD', 1), ('01', 4, 'shares', 'AAPL', 'AAPL', 3), ('01', 5, 'market', 'AAPL', 'AAPL', -3),
        ('02', 1, 'cash', 'AAPL', 'USD', -200), ('02', 2, 'position_cost', 'AAPL', 'USD', 200),
        ('02', 4, 'shares', 'AAPL', 'AAPL', 3), ('02', 5, 'market', 'AAPL', 'AAPL', -3),
        ('03', 1, 'cash', 'AAPL', 'USD', 250), ('03', 2, 'position_cost', 'AAPL', 'USD', -200),
        ('03', 3, 'realised_pnl', 'AAPL', 'USD', -50), ('03', 4, 'shares', 'AAPL', 'AAPL', -4), ('03', 5, 'market', 'AAPL', 'AAPL', 4),
        ('04', 1, 'cash', 'AAPL', 'USD', -70), ('04', 2, 'position_cost', 'AAPL', 'USD', 70),
        ('04', 4, 'shares', 'AAPL', 'AAPL', 1), ('04', 5, 'market', 'AAPL', 'AAPL', -1)) AS old (n, line, l, s, c, a);
    INSERT INTO account.balances (account_id, commodity, total)
    VALUES ('00000000-0000-7000-8000-000000000002', 'USD', 879), ('00000000-0000-7000-8000-000000000002', 'AAPL', 3);
    INSERT INTO portfolio.positions (account_id, symbol, currency, quantity, cost, realised_pnl, commission, tax, updated_at)
    VALUES ('00000000-0000-7000-8000-000000000002', 'AAPL', 'USD', 3, 170, 50, 1, 0, now());
";

#[tokio::test(flavor = "multi_thread")]
async fn books_from_before_lots_and_promises_are_carried_over() {
    let database = TestDatabase::create().await;
    let mut connection = AsyncPgConnection::establish(database.url()).await.unwrap();
    go_back(&mut connection).await;
    connection.batch_execute(OLD_BOOKS).await.unwrap();
    for name in ["2026-11-21-001000_ledger", "2026-11-21-001100_lots", "2026-11-21-001200_corporate_actions"]
    {
        let statements = format!("BEGIN; {} COMMIT;", migration(name, "up"));
        connection.batch_execute(&statements).await.unwrap();
    }
    let mut broken = broken_invariants(database.url()).await;
    broken.retain(|name| !name.starts_with("06_"));
    assert_eq!(broken, Vec::<String>::new(), "these books have no orders, only trades");
    for (query, rows) in [
        ("SELECT count(*) AS rows FROM account.unsettled WHERE payable = -70 AND receivable = 0", 1),
        ("SELECT count(*) AS rows FROM account.balances WHERE commodity = 'KRW'", 1),
        ("SELECT count(*) AS rows FROM portfolio.lots WHERE is_open AND quantity = 2 AND cost = 133.33", 1),
        ("SELECT count(*) AS rows FROM portfolio.lots WHERE is_open", 2),
        (
            "SELECT count(*) AS rows FROM portfolio.lot_sales WHERE quantity = 3 AND cost = 100 AND proceeds = 187.5",
            1,
        ),
        (
            "SELECT count(*) AS rows FROM portfolio.positions WHERE fifo_cost = 203.33 AND fifo_realised_pnl = 83.33",
            1,
        ),
    ] {
        assert_eq!(count(database.url(), query).await, rows, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invariants_notice_what_is_not_so() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "4").await;
    sold(&trader, "1").await;
    let split = json!({ "kind": "split", "symbol": "AAPL", "newShares": "2", "oldShares": "1" });
    trader.app.post("/api/corporate-actions", &trader.user, split).await.expect(201);
    let order = trader.bought("AAPL", "2").await;
    take_back(&trader, order["executions"][0]["executionId"].as_str().unwrap()).await.unwrap();
    let database = &trader.app.database_url;
    assert_books_balance(database).await;
    for (damage, repair, noticed) in [
        (
            "UPDATE account.unsettled SET payable = payable - 1",
            "UPDATE account.unsettled SET payable = payable + 1",
            "08_journals_have_their_days.sql",
        ),
        (
            "UPDATE portfolio.lots SET cost = cost + 1",
            "UPDATE portfolio.lots SET cost = cost - 1",
            "13_lots_are_their_positions.sql",
        ),
        (
            "UPDATE portfolio.sales SET fifo_cost = fifo_cost + 1",
            "UPDATE portfolio.sales SET fifo_cost = fifo_cost - 1",
            "13_lots_are_their_positions.sql",
        ),
        (
            "INSERT INTO account.postings SELECT id, 99, account_id, 'cash', NULL, 'USD', 1 FROM account.journals
             WHERE kind = 'reversal'",
            "SELECT 1",
            "14_reversals_mirror.sql",
        ),
        ("DELETE FROM portfolio.splits", "SELECT 1", "15_corporate_actions_are_booked.sql"),
    ] {
        execute(database, damage).await.unwrap();
        let broken = broken_invariants(database).await;
        assert!(broken.iter().any(|name| name == noticed), "{damage}: {broken:?}");
        execute(database, repair).await.unwrap();
    }
}
