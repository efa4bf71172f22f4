//! `/api/market/*`, with the real quote server playing recorded prices.

use crate::helpers::{Setup, TestApp, eventually, start_market_data};
use serde_json::{Value, json};

async fn with_prices() -> (TestApp, crate::helpers::Running) {
    let (quote_server, market_data_url) = start_market_data().await;
    (TestApp::start_with(Setup { market_data_url, ..Setup::default() }).await, quote_server)
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quote_server_there_is_no_price_and_the_rest_works() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for path in [
        "/api/market/symbols",
        "/api/market/quote/AAPL",
        "/api/market/history/AAPL",
        "/api/market/search?q=apple",
        "/api/market/hours",
        "/api/market/order-book/AAPL",
    ] {
        let answer = app.get(path, &user).await.expect(503);
        assert_eq!(
            (answer.code().as_str(), answer.header("retry-after")),
            ("price_unavailable", Some("1")),
            "{path}"
        );
        assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_symbol_is_unknown() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    for symbol in [
        "ZZZZZ",
        "aapl",
        "AAPL.KS",
        "nonsense",
        "%00",
        "..%2f..%2fquote",
        "%EA%B0%9C",
        "A%20B",
        &"A".repeat(3000),
    ] {
        for kind in ["quote", "history", "order-book"] {
            let answer = app.get(&format!("/api/market/{kind}/{symbol}"), &user).await.expect(404);
            assert!(["unknown_symbol", "not_found"].contains(&answer.code().as_str()), "{kind} {symbol}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_prices_are_those_of_the_share_or_fund() {
    // Nobody who knows prices is asked.
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let steps = |symbol: &'static str| {
        let (app, user) = (&app, &user);
        async move { app.get(&format!("/api/market/price-steps/{symbol}"), user).await.expect(200).json() }
    };
    let step = |from: &str, step: &str| json!({ "from": from, "step": step });
    let fund = steps("069500.KS").await;
    assert_eq!(fund["steps"], json!([step("0", "1"), step("2000", "5")]));
    let share = steps("005930.KS").await;
    assert_eq!((&share["currency"], &share["steps"][3]), (&json!("KRW"), &step("20000", "50")));
    assert_eq!(steps("AAPL").await["steps"], json!([step("0", "0.0001"), step("1", "0.01")]));
    let refused = app.get("/api/market/price-steps/aapl", &user).await.expect(404);
    assert_eq!(refused.code(), "unknown_symbol");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_symbols_are_listed_with_their_markets() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let list = app.get("/api/market/symbols", &user).await.expect(200).json();
    let apple = list["symbols"].as_array().unwrap().iter().find(|entry| entry["symbol"] == "AAPL").unwrap();
    assert_eq!((&apple["currency"], &apple["market"]), (&json!("USD"), &json!("US")));
    assert_eq!((&apple["source"], &apple["simulated"]), (&json!("replay"), &json!(false)));
    assert!(apple["name"].is_string() && apple["nameKorean"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_written_in_strings_and_moves() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let quote = app.get("/api/market/quote/AAPL", &user).await.expect(200).json();
    assert_eq!(
        (&quote["symbol"], &quote["currency"], &quote["delayed"]),
        (&json!("AAPL"), &json!("USD"), &json!(true))
    );
    assert!(
        number(&quote["low"]) <= number(&quote["price"]) && number(&quote["price"]) <= number(&quote["high"]),
        "{quote}"
    );
    assert!(quote["at"].as_str().unwrap().ends_with('Z'), "{quote}");
    eventually("another price", || async {
        app.get("/api/market/quote/AAPL", &user).await.expect(200).json()["price"] != quote["price"]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_asked_for_once_is_followed() {
    let (app, quote_server) = with_prices().await;
    let symbol = "AAPL".parse().unwrap();
    assert!(app.state.market.last_quote(symbol).is_none());
    let first = app.state.market.quote(symbol).await.unwrap();
    eventually("the stream tells a newer price", || async {
        app.state.market.last_quote(symbol).is_some_and(|quote| quote.at > first.at)
    })
    .await;

    // The last price stays known when the quote server is gone, but is not handed out as the newest.
    quote_server.stop().await;
    eventually("the price is not current any more", || async {
        app.state.market.quote(symbol).await.is_err()
    })
    .await;
    assert!(app.state.market.last_quote(symbol).is_some());
    assert!(app.state.market.quotes(&[symbol]).await.contains_key(&symbol));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_daily_and_oldest_first() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let history = app.get("/api/market/history/AAPL?limit=5", &user).await.expect(200).json();
    assert_eq!((&history["symbol"], &history["interval"]), (&json!("AAPL"), &json!("1d")));
    let bars = history["bars"].as_array().unwrap();
    assert!((1..=5).contains(&bars.len()), "{history}");
    let dates: Vec<_> = bars.iter().map(|bar| bar["date"].as_str().unwrap()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert!(bars.iter().all(|bar| number(&bar["low"]) <= number(&bar["high"])), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_ranges_are_named() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("from=yesterday", "from"),
        ("from=2013-02-30", "from"),
        ("from=-9999-01-01", "from"),
        ("to=%2B99999-01-01", "to"),
        ("from=2013-03-02&to=2013-03-01", "from"),
        ("to=999999999-01-01", "to"),
        ("interval=1w", "interval"),
        ("span=1m", "span"),
        ("limit=5&limit=6", "limit"),
        ("to=%00", "to"),
    ] {
        let answer = app.get(&format!("/api/market/history/AAPL?{query}"), &user).await.expect(422);
        assert_eq!(answer.complaint().0, field, "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_found_by_their_korean_initials_and_by_name() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    for (text, symbol, source) in [
        // Half of the Korean name of Samsung Electronics, as one types it.
        ("%E3%85%85%E3%85%85%E3%85%88%E3%85%88", "005930.KS", "synthetic"),
        ("apple", "AAPL", "replay"),
    ] {
        let found = app.get(&format!("/api/market/search?q={text}&limit=3"), &user).await.expect(200).json();
        let first = &found["instruments"][0];
        assert_eq!((&first["symbol"], &first["source"]), (&json!(symbol), &json!(source)), "{found}");
        assert!(found["instruments"].as_array().unwrap().len() <= 3, "{found}");
        assert_eq!(found["complete"], true, "{found}");
    }
    let long = format!("q={}", "a".repeat(65));
    for (query, field) in [
        ("", "q"),
        ("q=%20", "q"),
        (long.as_str(), "q"),
        ("q=a&limit=51", "limit"),
        ("q=a&market=US", "market"),
    ] {
        let answer = app.get(&format!("/api/market/search?{query}"), &user).await.expect(422);
        assert_eq!(answer.complaint().0, field, "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_markets_say_what_they_do_and_until_when() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let hours = app.get("/api/market/hours", &user).await.expect(200).json();
    let time = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for (market, zone) in [("KRX", "Asia/Seoul"), ("US", "America/New_York")] {
        let told = hours["markets"].as_array().unwrap().iter().find(|told| told["market"] == market).unwrap();
        assert_eq!(told["timeZone"], zone);
        assert!(["closed", "pre", "open", "after"].contains(&told["phase"].as_str().unwrap()), "{told}");
        assert!(
            time(&told["nextOpen"]) > time(&hours["now"]) && time(&told["nextClose"]) > time(&hours["now"])
        );
        // An open market closes before it opens again, a closed one opens first.
        let closes_first = time(&told["nextClose"]) < time(&told["nextOpen"]);
        assert_eq!(closes_first, told["phase"] == "open", "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_book_is_shown_where_the_source_has_one() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let answer = app.get("/api/market/order-book/005930.KS", &user).await.expect(200).json();
    let book = &answer["orderBook"];
    assert_eq!((&book["currency"], &book["simulated"]), (&json!("KRW"), &json!(true)));
    let (bids, asks) = (book["bids"].as_array().unwrap(), book["asks"].as_array().unwrap());
    assert!(number(&bids[0]["price"]) < number(&asks[0]["price"]), "{book}");
    assert!(
        asks.iter().all(|level| level["quantity"].as_u64().is_some_and(|quantity| quantity > 0)),
        "{book}"
    );
    let without = app.get("/api/market/order-book/AAPL", &user).await.expect(200).json();
    assert_eq!(without, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_shorter_than_a_day_are_refused_where_the_source_has_none() {
    let (app, _quote_server) = with_prices().await;
    let user = app.register("ant@example.com").await;
    let daily = app.get("/api/market/history/AAPL?interval=1d&limit=2", &user).await.expect(200).json();
    assert_eq!((&daily["interval"], daily["bars"][0].get("startsAt")), (&json!("1d"), None));
    let refused = app.get("/api/market/history/AAPL?interval=5m", &user).await.expect(501);
    assert_eq!(refused.code(), "unsupported");
}
