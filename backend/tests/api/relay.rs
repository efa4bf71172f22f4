//! `/ws`: the quote stream for browsers.

use crate::helpers::{DEADLINE, Setup, TestApp, start_market_data};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(app: &TestApp) -> Socket {
    connect_async(format!("{}/ws", app.address.replace("http", "ws"))).await.unwrap().0
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message of a kind; others are passed over.
async fn hear(socket: &mut Socket, kind: &str) -> Value {
    let heard = tokio::time::timeout(DEADLINE, async {
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == kind {
                    return message;
                }
            }
        }
    });
    heard.await.unwrap_or_else(|_| panic!("no {kind} in time"))
}

async fn is_closed(socket: &mut Socket) -> bool {
    let closed =
        async { while !matches!(socket.next().await, None | Some(Err(_) | Ok(Message::Close(_)))) {} };
    tokio::time::timeout(DEADLINE, closed).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_hears_quotes_and_errors() {
    let (_quote_server, market_data_url) = start_market_data().await;
    let app = TestApp::start_with(Setup { market_data_url, ..Setup::default() }).await;
    let mut socket = open(&app).await;
    say(&mut socket, json!({ "action": "subscribe", "symbols": ["AAPL"] })).await;
    let (first, second) = (hear(&mut socket, "quote").await, hear(&mut socket, "quote").await);
    assert_eq!((&first["symbol"], &second["symbol"]), (&json!("AAPL"), &json!("AAPL")));
    assert!(first["price"].is_number() && first["timestamp"].is_i64(), "{first}");
    say(&mut socket, json!({ "action": "steal" })).await;
    hear(&mut socket, "error").await;
    say(&mut socket, json!({ "action": "ping" })).await;
    hear(&mut socket, "pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_either_side_is_passed_on() {
    let (quote_server, market_data_url) = start_market_data().await;
    let app = TestApp::start_with(Setup { market_data_url, ..Setup::default() }).await;
    let mut leaving = open(&app).await;
    leaving.close(None).await.unwrap();
    assert!(is_closed(&mut leaving).await);
    let mut staying = open(&app).await;
    quote_server.stop().await;
    assert!(is_closed(&mut staying).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_long_or_not_text_ends_the_connection() {
    let (_quote_server, market_data_url) = start_market_data().await;
    let app = TestApp::start_with(Setup { market_data_url, ..Setup::default() }).await;
    for message in [Message::text("x".repeat(100_000)), Message::binary(vec![0; 10])] {
        let mut socket = open(&app).await;
        let _ = socket.send(message).await;
        assert!(is_closed(&mut socket).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quote_server_the_answer_is_a_problem() {
    let app = TestApp::start().await;
    assert!(connect_async(format!("{}/ws", app.address.replace("http", "ws"))).await.is_err());
    let plain = app.send(app.request(Method::GET, "/ws")).await.expect(400);
    assert_eq!(plain.code(), "malformed_request");
    let upgrade = app
        .request(Method::GET, "/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(app.send(upgrade).await.expect(503).code(), "price_unavailable");
}
