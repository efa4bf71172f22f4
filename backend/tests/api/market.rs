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
    for path in ["/api/market/symbols", "/api/market/quote/AAPL", "/api/market/history/AAPL"] {
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
        for kind in ["quote", "history"] {
            let answer = app.get(&format!("/api/market/{kind}/{symbol}"), &user).await.expect(404);
            assert!(["unknown_symbol", "not_found"].contains(&answer.code().as_str()), "{kind} {symbol}");
        }
    }
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
        ("interval=1m", "interval"),
        ("limit=5&limit=6", "limit"),
        ("to=%00", "to"),
    ] {
        let answer = app.get(&format!("/api/market/history/AAPL?{query}"), &user).await.expect(422);
        assert_eq!(answer.complaint().0, field, "{query}: {}", answer.text);
    }
}
