//! `GET /api/orders`, its file, and the look-up by client order id.

use crate::books::{count, execute};
use crate::helpers::TestApp;
use crate::trader::{Trader, open_account};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Writes orders as they would stand after a long life: `number` of them, one a second from the first moment of 2026 on,
/// of changing symbols, sides, types and ends.
async fn seed(trader: &Trader, account: &str, first: u32, number: u32) {
    let statement = format!(
        "INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type, time_in_force,
            quantity, limit_price, worst_price, fees_max, status, denials, reason, event_sequence, created_at, updated_at)
         SELECT gen_random_uuid(), '{account}', '{user}', 'bot-' || n, (ARRAY['AAPL', 'MSFT', 'IBM'])[1 + n % 3],
            (ARRAY['buy', 'sell'])[1 + n / 3 % 2], CASE WHEN n % 5 = 0 THEN 'market' ELSE 'limit' END, 'day', 1,
            CASE WHEN n % 5 <> 0 THEN 10 END, 10, 0, status,
            CASE WHEN status = 'DENIED' THEN '[{{\"field\":\"quantity\",\"rule\":\"whole_shares\",\"message\":\"Must be Whole\"}}]'::json END,
            CASE WHEN status = 'REJECTED' THEN '=HYPERLINK(\"x\")' END,
            1, '2026-01-01'::timestamptz + n * interval '1 second', now()
         FROM generate_series({first}, {last}) AS n,
            LATERAL (SELECT (ARRAY['NEW', 'FILLED', 'FILLED', 'CANCELED', 'REJECTED', 'DENIED', 'EXPIRED'])[1 + n % 7] AS status) AS s",
        user = trader.user.id,
        last = first + number - 1,
    );
    execute(&trader.app.database_url, &statement).await.unwrap();
}

async fn page(trader: &Trader, query: &str) -> (Vec<Value>, Option<String>) {
    let page = trader.app.get(&format!("/api/orders?{query}"), &trader.user).await.expect(200).json();
    let next = page["nextCursor"].as_str().map(str::to_owned);
    (page["orders"].as_array().unwrap().clone(), next)
}

/// Every order of a query, page by page, and how many pages there were.
async fn walk(trader: &Trader, query: &str) -> (Vec<Value>, usize) {
    let (mut orders, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (more, next) = page(trader, &format!("{query}&cursor={cursor}")).await;
        orders.extend(more);
        pages += 1;
        assert!(pages < 2_000, "the pages have no end");
        match next {
            Some(next) => cursor = next,
            None => return (orders, pages),
        }
    }
}

fn keys(orders: &[Value]) -> Vec<String> {
    orders.iter().map(|order| order["clientOrderId"].as_str().unwrap().to_owned()).collect()
}

async fn trader() -> Trader {
    Trader::on(TestApp::start().await, "USD", "100").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_finds_exactly_what_it_names() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 420).await;
    for (query, condition) in [
        ("", "true"),
        ("status=all", "true"),
        ("status=open", "status = 'NEW'"),
        ("status=closed", "status <> 'NEW'"),
        ("status=filled,NEW", "status IN ('FILLED', 'NEW')"),
        ("status=cancelled,rejected", "status IN ('CANCELED', 'REJECTED', 'DENIED')"),
        ("symbol=IBM", "symbol = 'IBM'"),
        ("symbol=IBM&status=EXPIRED,NEW", "symbol = 'IBM' AND status IN ('EXPIRED', 'NEW')"),
        ("side=sell", "side = 'sell'"),
        ("type=market&status=filled", "order_type = 'market' AND status = 'FILLED'"),
        (
            "from=2026-01-01T00:01:00Z&to=2026-01-01T00:02:00Z",
            "created_at >= '2026-01-01 00:01:00' AND created_at < '2026-01-01 00:02:00'",
        ),
        ("text=BOT-3", "client_order_id LIKE 'bot-3%'"),
        ("text=ms", "symbol = 'MSFT'"),
        ("text=hyperlink", "status = 'REJECTED'"),
        ("text=must%20be%20whole", "status = 'DENIED'"),
        ("text=whole_shares", "false"),
        ("text=%25", "false"),
        (
            "symbol=AAPL&side=buy&type=limit&status=DENIED,filled&text=bot-2",
            "symbol = 'AAPL' AND side = 'buy' AND order_type = 'limit' AND status IN ('DENIED', 'FILLED')
             AND client_order_id LIKE 'bot-2%'",
        ),
    ] {
        let (orders, _) = walk(&trader, &format!("{query}&limit=37")).await;
        let asked = format!("SELECT count(*) AS rows FROM trading.orders WHERE {condition}");
        let expected = count(&trader.app.database_url, &asked).await;
        assert_eq!(i64::try_from(orders.len()).unwrap(), expected, "{query}");
        assert_eq!(keys(&orders).iter().collect::<BTreeSet<_>>().len(), orders.len(), "{query}: none twice");
        let times: Vec<_> = orders.iter().map(|order| order["createdAt"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_where_they_are_when_orders_arrive_meanwhile() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 20).await;
    // All at one moment.
    let same = "UPDATE trading.orders SET created_at = '2026-01-01'";
    execute(&trader.app.database_url, same).await.unwrap();
    let (everything, _) = walk(&trader, "limit=200").await;
    let (first, cursor) = page(&trader, "limit=7").await;
    seed(&trader, &trader.account, 100, 50).await;
    let (rest, _) = walk(&trader, "limit=100").await;
    assert_eq!(rest.len(), 70);
    let (second, _) = page(&trader, &format!("limit=200&cursor={}", cursor.unwrap())).await;
    assert_eq!([keys(&first), keys(&second)].concat(), keys(&everything));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_accounts_make_one_list() {
    let trader = trader().await;
    let other = open_account(&trader.app, &trader.user, "USD").await;
    let third = open_account(&trader.app, &trader.user, "USD").await;
    seed(&trader, &trader.account, 1, 50).await;
    seed(&trader, &other, 26, 50).await;
    seed(&trader, &third, 1, 10).await;
    for filter in ["", "status=filled", "symbol=AAPL", "text=bot", "side=buy"] {
        let (orders, _) =
            walk(&trader, &format!("{filter}&limit=9&accountId={},{other}", trader.account)).await;
        let (one, _) = walk(&trader, &format!("{filter}&limit=9&accountId={}", trader.account)).await;
        let (two, _) = walk(&trader, &format!("{filter}&limit=9&accountId={other}")).await;
        assert_eq!(orders.len(), one.len() + two.len(), "{filter}");
        let times: Vec<_> = orders.iter().map(|order| order["createdAt"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{filter}");
    }
    assert_eq!(walk(&trader, "limit=200").await.0.len(), 110);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_needle_is_found_in_a_haystack_by_pages_of_bounded_work() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 110_000).await;
    let rename = "UPDATE trading.orders SET client_order_id = 'needle' WHERE client_order_id = 'bot-1'";
    execute(&trader.app.database_url, rename).await.unwrap();
    let (orders, pages) = walk(&trader, "text=NEEDLE").await;
    assert_eq!(keys(&orders), ["needle"]);
    assert_eq!(pages, 2, "a hundred thousand orders are looked at a page");
    let begun = Instant::now();
    let (orders, pages) = walk(&trader, "text=nothing%20like%20it&side=buy").await;
    assert_eq!((orders.len(), pages), (0, 2));
    assert!(begun.elapsed().as_secs() < 10);

    let list = |query: &str| format!("/api/orders?{query}");
    let empty = trader.app.get(&list("text=needle"), &trader.user).await.expect(200).json();
    assert_eq!((&empty["orders"], &empty["searchCutShort"]), (&json!([]), &json!(true)));
    assert_eq!(empty["searchedBackTo"], "2026-01-01T02:46:41Z", "the hundred thousandth of them");
    // What is there more often than once in ten thousand fills its page.
    let often = trader.app.get(&list("text=bot-99&limit=200"), &trader.user).await.expect(200).json();
    assert_eq!((often["orders"].as_array().unwrap().len(), &often["searchCutShort"]), (200, &json!(false)));
    assert_eq!(often["searchedBackTo"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_orders_of_the_list_and_no_formulas() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 3_500).await;
    let odd =
        "UPDATE trading.orders SET client_order_id = '@SUM(A1), \"개미\"' WHERE client_order_id = 'bot-3499'";
    execute(&trader.app.database_url, odd).await.unwrap();
    let file = trader.app.get("/api/orders/export?status=closed", &trader.user).await.expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"orders.csv\""));
    let mut lines = file.text.split_terminator("\r\n");
    let columns: Vec<_> = lines.next().unwrap().split(',').collect();
    let (orders, _) = walk(&trader, "status=closed&limit=200").await;
    assert_eq!(lines.clone().count(), orders.len());
    let fields: BTreeSet<_> = orders[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(columns.iter().copied().collect::<BTreeSet<_>>(), fields, "a column for every field");
    let id = columns.iter().position(|column| *column == "id").unwrap();
    let ids: Vec<_> = lines.clone().map(|line| line.split(',').nth(id).unwrap().to_owned()).collect();
    let listed: Vec<_> = orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, listed);
    assert!(!file.text.contains(",=") && !file.text.contains(",\"="), "a formula");
    assert!(file.text.contains("\"'=HYPERLINK(\"\"x\"\")\""));
    assert!(file.text.contains("\"'@SUM(A1), \"\"개미\"\"\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_filter_is_refused_by_name() {
    let trader = trader().await;
    for (query, field, rule) in [
        ("status=sleeping", "status", "unknown_value"),
        ("status=open,", "status", "unknown_value"),
        ("side=long", "side", "unknown_value"),
        ("type=guess", "type", "unknown_value"),
        ("symbol=aapl", "symbol", "invalid_symbol"),
        ("from=yesterday", "from", "not_a_date"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to", "out_of_range"),
        ("accountId=mine", "accountId", "invalid"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=201", "limit", "out_of_range"),
        ("limit=x", "limit", "wrong_type"),
        ("cursor=0193b3f4-0000-7000-8000-000000000000", "cursor", "invalid"),
        ("cursor=1_2", "cursor", "invalid"),
        ("colour=red", "colour", "unknown_field"),
    ] {
        let refused = trader.app.get(&format!("/api/orders?{query}"), &trader.user).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{query}");
        if !["limit", "cursor"].contains(&field) {
            trader.app.get(&format!("/api/orders/export?{query}"), &trader.user).await.expect(422);
        }
    }
    let long = "x".repeat(101);
    trader.app.get(&format!("/api/orders?text={long}"), &trader.user).await.expect(422);
    let nobody = "accountId=0193b3f4-0000-7000-8000-000000000000";
    trader.app.get(&format!("/api/orders?{nobody}"), &trader.user).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lists_or_exports_the_orders_of_others() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 5).await;
    let other = trader.app.register("wasp@example.com").await;
    let file = trader.app.get("/api/orders/export", &other).await.expect(200);
    assert_eq!(file.text.lines().count(), 1, "the header alone");
    for path in [
        format!("/api/orders?accountId={}", trader.account),
        format!("/api/orders/export?accountId={}", trader.account),
        format!("/api/orders/by-client-id?accountId={}&clientOrderId=bot-1", trader.account),
    ] {
        trader.app.get(&path, &other).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_its_owners_name_with_its_whole_history() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let key = "breakfast / 2026 & more";
    let placed = trader
        .place_with_key(key, &trader.order_body("buy", "AAPL", "1", Some("1")))
        .await
        .expect(201)
        .json();
    let id = placed["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    trader.app.delete(&format!("/api/orders/{id}"), &trader.user).await.expect(202);
    trader.until(id, "CANCELED").await;
    let trader = &trader;
    let find = |key: &str| {
        let query =
            serde_urlencoded::to_string([("accountId", trader.account.as_str()), ("clientOrderId", key)]);
        let path = format!("/api/orders/by-client-id?{}", query.unwrap());
        async move { trader.app.get(&path, &trader.user).await }
    };
    let found = find(key).await.expect(200).json();
    assert_eq!(found, trader.order(id).await);
    let requests: Vec<_> = found["requests"].as_array().unwrap().iter().collect();
    assert_eq!(requests.len(), 1);
    assert_eq!((&requests[0]["kind"], &requests[0]["status"]), (&json!("cancel"), &json!("ACCEPTED")));
    let events: Vec<_> = found["events"].as_array().unwrap().iter().map(|event| &event["event"]).collect();
    assert_eq!(events, ["submitted", "accepted", "cancel_requested", "canceled"]);
    assert_eq!(find("supper").await.expect(404).code(), "not_found");
    assert_eq!(find("a\nb").await.expect(422).complaint().0, "clientOrderId");
    trader.app.get("/api/orders/by-client-id?clientOrderId=x", &trader.user).await.expect(422);
}

/// Rows of the table that were read so far, once the database has counted them.
async fn rows_read(trader: &Trader) -> i64 {
    let counted = "SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS rows
                   FROM pg_stat_user_tables WHERE relid = 'trading.orders'::regclass";
    // A connection reports what it has read when it has been idle for a moment.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    page(trader, "limit=1&status=SUSPENDED").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    count(&trader.app.database_url, counted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_what_it_shows_however_long_the_history_is() {
    let trader = trader().await;
    seed(&trader, &trader.account, 1, 100_000).await;
    execute(&trader.app.database_url, "UPDATE trading.orders SET status = 'FILLED' WHERE status = 'NEW'")
        .await
        .unwrap();
    execute(&trader.app.database_url, "ANALYZE trading.orders").await.unwrap();
    let (_, deep) = page(&trader, "to=2026-01-01T00:30:00Z&limit=1").await;
    let deep = format!("cursor={}", deep.unwrap());
    for query in [
        "",
        "status=closed",
        "status=filled",
        "status=rejected,CANCELED",
        "symbol=IBM",
        "symbol=IBM&status=closed",
        "status=open",
        "from=2026-01-01T01:00:00Z&to=2026-01-01T02:00:00Z",
        &deep,
    ] {
        let before = rows_read(&trader).await;
        for _ in 0..8 {
            page(&trader, &format!("{query}&limit=20")).await;
        }
        let read = rows_read(&trader).await - before;
        // Up to 21 rows of each way of ending, and the looks of the count itself.
        assert!(read <= 8 * 21 * 6 + 50, "{query}: {read} rows for eight pages of twenty");
    }
}
