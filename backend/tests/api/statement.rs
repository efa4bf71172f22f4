//! `/api/accounts/{id}/statement`.

use crate::books::{assert_books_balance, count, execute, rows_of};
use crate::helpers::TestApp;
use crate::trader::{Trader, decimal};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn page(trader: &Trader, query: &str) -> (Vec<Value>, Option<i64>) {
    let path = format!("/api/accounts/{}/statement?{query}", trader.account);
    let page = trader.app.get(&path, &trader.user).await.expect(200).json();
    (page["lines"].as_array().unwrap().clone(), page["nextCursor"].as_i64())
}

/// Every line of a query, page by page.
async fn walk(trader: &Trader, query: &str) -> Vec<Value> {
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let (more, next) = page(trader, &format!("{query}{cursor}")).await;
        lines.extend(more);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}

fn sequences(lines: &[Value]) -> Vec<i64> {
    lines.iter().map(|line| line["sequence"].as_i64().unwrap()).collect()
}

/// Books deposits of one dollar as a long life would have left them, one a minute, every hundredth a withdrawal.
async fn seed(trader: &Trader, number: u32) {
    let account = &trader.account;
    for statement in [
        format!("INSERT INTO account.journals (id, account_id, idempotency_key, kind, execution_id, trade_date,
                settle_date, created_at)
            SELECT md5(n::text)::uuid, '{account}', 'seed:' || n, CASE WHEN n % 100 = 0 THEN 'deposit' ELSE 'fill' END,
                CASE WHEN n % 100 <> 0 THEN 'seed:' || n END,
                '2027-01-01', '2027-01-02', '2027-01-01'::timestamptz + n * interval '1 minute'
            FROM generate_series(1, {number}) AS n"),
        format!("INSERT INTO account.postings (journal_id, line, account_id, ledger_account, commodity, amount)
            SELECT md5(n::text)::uuid, line, '{account}', ledger_account, 'USD', amount
            FROM generate_series(1, {number}) AS n, (VALUES (1, 'cash', 1), (2, 'deposits', -1)) AS p (line, ledger_account, amount)"),
        format!("UPDATE account.balances SET total = total + {number} WHERE account_id = '{account}' AND commodity = 'USD'"),
    ] {
        execute(&trader.app.database_url, &statement).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_movement_is_a_line_with_what_there_was_after_it() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    trader.deposit("5.25", None).await.expect(201);
    let sold = trader.place("sell", "AAPL", "4", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let lines = walk(&trader, "order=oldest_first&limit=2").await;
    assert_eq!(sequences(&lines), (1..=i64::try_from(lines.len()).unwrap()).collect::<Vec<_>>());
    let mut balances = BTreeMap::<String, Decimal>::new();
    for line in &lines {
        let balance = balances.entry(line["commodity"].as_str().unwrap().to_owned()).or_default();
        *balance += decimal(&line["amount"]);
        assert_eq!(decimal(&line["balance"]), *balance, "{line}");
    }
    assert_eq!(balances["AAPL"], Decimal::from(6));
    for (commodity, balance) in balances {
        let asked = format!(
            "SELECT count(*) AS rows FROM account.balances
             WHERE account_id = '{}' AND commodity = '{commodity}' AND total = {balance}",
            trader.account
        );
        assert_eq!(count(&trader.app.database_url, &asked).await, 1, "{commodity}");
    }
    assert_eq!((&lines[0]["kind"], &lines[0]["balance"]), (&json!("deposit"), &json!("10000")));
    let mut newest = walk(&trader, "limit=3").await;
    newest.reverse();
    assert_eq!(newest, lines, "the balances do not depend on where one begins");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_right_on_any_page_and_under_any_filter() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    seed(&trader, 25_000).await;
    let (deep, _) = page(&trader, "order=oldest_first&cursor=12345&limit=3").await;
    assert_eq!(sequences(&deep), [12_346, 12_347, 12_348]);
    // The first line is the 100, each of the others one dollar more.
    let balances: Vec<_> = deep.iter().map(|line| line["balance"].clone()).collect();
    assert_eq!(balances, [json!("12445"), json!("12446"), json!("12447")]);
    let deposits = walk(&trader, "kind=deposit&limit=50").await;
    assert_eq!(deposits.len(), 251);
    assert_eq!((&deposits[0]["sequence"], &deposits[0]["balance"]), (&json!(25_001), &json!("25100")));
    assert!(sequences(&deposits).is_sorted_by(|newer, older| newer > older));
    let of_commodity = walk(&trader, "kind=deposit&commodity=USD&order=oldest_first&limit=100").await;
    assert_eq!(sequences(&of_commodity), sequences(&deposits).into_iter().rev().collect::<Vec<_>>());
    let both =
        walk(&trader, "kind=deposit,fill&limit=500&from=2027-01-01T00:01:00Z&to=2027-01-01T10:00:00Z").await;
    assert_eq!(sequences(&both), (2..=600).rev().collect::<Vec<_>>());
    assert_eq!(walk(&trader, "commodity=AAPL").await, Vec::<Value>::new());
    assert_eq!(walk(&trader, "from=2100-01-01T00:00:00Z").await, Vec::<Value>::new());
    assert_eq!(walk(&trader, "to=2001-01-01T00:00:00Z&order=oldest_first").await, Vec::<Value>::new());
    assert_eq!(walk(&trader, "kind=nothing_like_it,settlement").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_every_line() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    seed(&trader, 2_500).await;
    let path = format!("/api/accounts/{}/statement/export", trader.account);
    let file = trader.app.get(&format!("{path}?order=oldest_first"), &trader.user).await.expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let lines: Vec<_> = file.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 2_502);
    assert!(lines[0].starts_with("sequence,bookedAt,tradeDate,settleDate,kind,"));
    for (number, line) in lines.iter().enumerate().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!((cells[0], cells[9]), (number.to_string().as_str(), (number + 99).to_string().as_str()));
    }
    let deposits = trader.app.get(&format!("{path}?kind=deposit"), &trader.user).await.expect(200);
    assert_eq!(deposits.text.lines().count(), 27);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_statements_of_others_and_nobody_changes_one() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let other = trader.app.register("wasp@example.com").await;
    for path in ["statement", "statement/export"] {
        let path = format!("/api/accounts/{}/{path}", trader.account);
        assert_eq!(trader.app.get(&path, &other).await.expect(404).code(), "not_found");
    }
    for statement in [
        "UPDATE account.statement_lines SET balance = 1000000",
        "DELETE FROM account.statement_lines",
        "TRUNCATE account.statement_lines",
    ] {
        let refused = execute(&trader.app.database_url, statement).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    assert_eq!(rows_of(&trader.app.database_url, "account.statement_lines").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_filter_is_refused_by_name() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    for (query, field, rule) in [
        ("order=sideways", "order", "unknown_value"),
        ("from=1", "from", "not_a_date"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to", "out_of_range"),
        ("commodity=GOLD1", "commodity", "invalid"),
        ("kind=Deposit", "kind", "invalid"),
        ("kind=a,,b", "kind", "invalid"),
        ("limit=501", "limit", "out_of_range"),
        ("cursor=x", "cursor", "wrong_type"),
        ("page=2", "page", "unknown_field"),
    ] {
        let path = format!("/api/accounts/{}/statement?{query}", trader.account);
        let refused = trader.app.get(&path, &trader.user).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{query}");
    }
}
