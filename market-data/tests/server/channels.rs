//! Ticks, bars and order books beside quotes, their numbers, and who may subscribe at all.

use crate::support::{Client, Server, settings};
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

impl Client {
    /// The next message of a type, as it is.
    async fn message(&mut self, kind: &str) -> Value {
        loop {
            let value: Value = serde_json::from_str(&self.text().await).unwrap();
            if value["type"] == kind {
                return value;
            }
        }
    }
}

async fn invented() -> Server {
    Server::start(&[("GAEMI_PROVIDERS", "synthetic,replay"), ("GAEMI_SYNTHETIC_TICK_MILLIS", "50")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_grow_by_one_after_a_snapshot() {
    let server = invented().await;
    let mut first = server.connect().await;
    first.subscribe(&["AAPL"]).await;
    first.quote().await;
    let mut second = server.connect().await;
    second.subscribe(&["AAPL"]).await;
    let snapshot = second.message("quote").await;
    assert_eq!(snapshot["snapshot"], true);
    let last = snapshot["sequence"].as_u64().unwrap();
    for number in last + 1..last + 20 {
        let quote = second.message("quote").await;
        assert!(quote.get("snapshot").is_none());
        assert_eq!(quote["sequence"], number, "nothing was missed");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_the_channels_it_asks_for_and_no_others() {
    let server = invented().await;
    let mut client = server.connect().await;
    client.say(r#"{"action":"subscribe","symbols":["AAPL"],"channel":"ticks"}"#).await;
    let status = client.message("status").await;
    assert_eq!((&status["channel"], &status["subscribed"][0]), (&"ticks".into(), &"AAPL".into()));
    let tick: Value = client.message("tick").await;
    assert!(tick["price"].is_number() && tick.get("bid").is_none(), "{tick}");

    client.say(r#"{"action":"subscribe","symbols":["005930.KS"],"channel":"bars"}"#).await;
    let bar = client.message("bar").await;
    assert_eq!((&bar["interval"], &bar["symbol"]), (&"1m".into(), &"005930.KS".into()));
    assert!(
        bar["low"].as_f64() <= bar["close"].as_f64() && bar["startsAt"].as_str().unwrap().ends_with(":00Z")
    );

    client.say(r#"{"action":"subscribe","symbols":["AAPL"],"channel":"order_book"}"#).await;
    let book = client.message("order_book").await;
    assert_eq!((book["bids"].as_array().unwrap().len(), &book["simulated"]), (10, &true.into()));

    client.say(r#"{"action":"unsubscribe","symbols":["AAPL"],"channel":"ticks"}"#).await;
    while client.message("status").await["channel"] != "ticks" {}
    for _ in 0..4 {
        let kind = serde_json::from_str::<Value>(&client.text().await).unwrap()["type"].clone();
        assert!(kind == "bar" || kind == "order_book", "{kind}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_order_book_says_so() {
    let server = Server::replay().await;
    let mut client = server.connect().await;
    client.say(r#"{"action":"subscribe","symbols":["AAPL"],"channel":"order_book"}"#).await;
    assert_eq!(client.error_code().await, ("unsupported".into(), Some("AAPL".into())));
    assert!(client.subscribed().await.is_empty());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_set_has_to_be_shown() {
    let server = Server::start_with(settings(&[
        ("GAEMI_PROVIDERS", "synthetic"),
        ("GAEMI_MARKET_DATA_TOKEN", "open"),
    ]))
    .await;
    let connect = async |authorization: Option<&str>| {
        let url = format!("ws://127.0.0.1:{}/ws", server.port);
        let mut request = url.into_client_request().unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        connect_async(request).await.is_ok()
    };
    for wrong in [None, Some("open"), Some("Bearer "), Some("Bearer opem"), Some("Bearer open2")] {
        assert!(!connect(wrong).await, "{wrong:?}");
    }
    assert!(connect(Some("Bearer open")).await);
    server.stop().await;
}
