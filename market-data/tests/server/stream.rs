use crate::support::{DEADLINE, Server, settings};
use domain::market_data::{SYMBOLS_PER_CONNECTION_MAX, ServerNotice};
use futures_util::{SinkExt as _, StreamExt as _};
use market_data::settings::Limits;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_gets_the_last_value_at_once_and_then_every_new_one() {
    let server = Server::replay().await;
    let mut first = server.connect().await;
    first.subscribe(&["AAPL"]).await;
    first.quote_of("AAPL").await;

    let mut second = server.connect().await;
    let asked = Instant::now();
    second.subscribe(&["AAPL", "005930.KS"]).await;
    let quote = second.quote_of("AAPL").await;
    assert!(asked.elapsed() < Duration::from_secs(1));
    assert!(quote.bid.unwrap() < quote.price && quote.price < quote.ask.unwrap());
    let mut last = quote;
    for _ in 0..50 {
        let quote = second.quote_of("AAPL").await;
        assert!(quote.at > last.at, "a price is never sent twice");
        last = quote;
    }
    assert_eq!(second.quote_of("005930.KS").await.source, "synthetic");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsubscribing_ends_the_quotes() {
    let server = Server::replay().await;
    let mut client = server.connect().await;
    client.subscribe(&["AAPL", "IBM"]).await;
    assert_eq!(client.subscribed().await.len(), 2);
    client.say(r#"{"action":"unsubscribe","symbols":["AAPL"]}"#).await;
    assert_eq!(client.subscribed().await, ["IBM".parse().unwrap()]);
    for _ in 0..30 {
        assert_eq!(client.quote().await.symbol.as_str(), "IBM");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_symbol_is_answered_by_itself_and_spoils_no_other() {
    let server = Server::replay().await;
    let mut client = server.connect().await;
    client.subscribe(&["ZZZ", "aapl", "IBM", "<script>"]).await;
    assert_eq!(client.error_code().await, ("unknown_symbol".into(), Some("ZZZ".into())));
    assert_eq!(client.error_code().await, ("invalid_symbol".into(), Some("aapl".into())));
    assert_eq!(client.error_code().await, ("invalid_symbol".into(), Some("<script>".into())));
    assert_eq!(client.subscribed().await, ["IBM".parse().unwrap()]);
    client.quote_of("IBM").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_are_answered_and_change_nothing() {
    let server = Server::replay().await;
    let mut bystander = server.connect().await;
    bystander.subscribe(&["MSFT"]).await;
    let mut client = server.connect().await;
    client.subscribe(&["IBM"]).await;
    client.subscribed().await;
    let deep = "[".repeat(10_000);
    for text in [
        "",
        "{",
        "null",
        "[]",
        r#"{"action":"steal"}"#,
        r#"{"action":"subscribe","symbols":"IBM"}"#,
        deep.as_str(),
    ] {
        client.say(text).await;
        assert_eq!(client.error_code().await.0, "malformed_message", "{text}");
    }
    client.socket.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    assert_eq!(client.error_code().await.0, "malformed_message");
    client.say(r#"{"action":"ping"}"#).await;
    assert_eq!(client.notice().await, ServerNotice::Pong);
    client.quote_of("IBM").await;
    bystander.quote_of("MSFT").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_frames_and_oversized_messages_end_their_connection_only() {
    use tokio::io::AsyncWriteExt as _;
    let server = Server::replay().await;
    let mut bystander = server.connect().await;
    bystander.subscribe(&["MSFT"]).await;
    // An unmasked frame, a reserved opcode, a text that is no UTF-8, an oversized length.
    for bytes in [
        &[0x81, 0x02, b'h', b'i'][..],
        &[0x8f, 0x80, 0, 0, 0, 0],
        &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe],
        &[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ] {
        let mut client = server.connect().await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        assert!(client.next().await.is_none(), "{bytes:?}");
    }
    let mut client = server.connect().await;
    client.say(&format!(r#"{{"action":"subscribe","symbols":["{}"]}}"#, "A".repeat(20_000))).await;
    assert!(client.next().await.is_none());
    bystander.quote_of("MSFT").await;
    server.until_status(|status| status["subscribers"]["connections"] == 1).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_may_have_its_symbols_and_no_more() {
    // A Yahoo that is silent supports every symbol, as far as it knows.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let server = Server::start(&[("GAEMI_PROVIDERS", "yahoo"), ("GAEMI_YAHOO_RESOLVE_TO", &address)]).await;
    let letters = || ('A'..='Z').map(String::from);
    let many: Vec<String> =
        letters().flat_map(|first| letters().map(move |second| first.clone() + &second)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).take(SYMBOLS_PER_CONNECTION_MAX + 1).collect();
    let mut client = server.connect().await;
    client.subscribe(&many).await;
    assert_eq!(
        client.error_code().await,
        ("too_many_symbols".into(), many.last().map(|last| last.to_string()))
    );
    assert_eq!(client.subscribed().await.len(), SYMBOLS_PER_CONNECTION_MAX);
    client.say(r#"{"action":"unsubscribe","symbols":["AA"]}"#).await;
    assert_eq!(client.subscribed().await.len(), SYMBOLS_PER_CONNECTION_MAX - 1);
    client.subscribe(&["AAPL"]).await;
    assert_eq!(client.subscribed().await.len(), SYMBOLS_PER_CONNECTION_MAX);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_ends_the_connection() {
    let server = Server::replay().await;
    let mut client = server.connect().await;
    for _ in 0..200 {
        if client.socket.send(Message::text(r#"{"action":"ping"}"#)).await.is_err() {
            break;
        }
    }
    let mut pongs = 0;
    while client.next().await.is_some() {
        pongs += 1;
    }
    assert!(pongs <= 100, "{pongs} answers");
    server.stop().await;
}

/// A sleeper is dropped after this time; whoever waited for it would see a longer pause than the other.
const STALL: Duration = Duration::from_secs(4);
const PAUSE_MAX: Duration = Duration::from_millis(3_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_is_dropped_and_hurts_nobody() {
    let mut settings = settings(&[("GAEMI_PROVIDERS", "synthetic"), ("GAEMI_SYNTHETIC_TICK_MILLIS", "10")]);
    settings.limits = Limits { write_stall_max: STALL, ..Limits::default() };
    let server = Server::start_with(settings).await;
    let all = [
        "005930.KS",
        "000660.KS",
        "035420.KS",
        "035720.KS",
        "005380.KS",
        "000270.KS",
        "051910.KS",
        "068270.KS",
    ];
    let mut reader = server.connect().await;
    reader.subscribe(&["AAPL"]).await;
    let mut sleeper = server.connect_with_buffer(Some(4_096)).await.unwrap();
    sleeper.subscribe(&all).await;
    server.until_status(|status| status["subscribers"]["symbols"] == 9).await;

    let began = Instant::now();
    let mut last = Instant::now();
    loop {
        reader.quote_of("AAPL").await;
        assert!(last.elapsed() < PAUSE_MAX, "the reader has waited for the sleeper");
        last = Instant::now();
        let (_, status) = server.get("/status").await;
        if status["subscribers"]["symbols"] == 1 {
            assert_eq!(status["subscribers"]["connections"], 1);
            let conflated = status["quotes"]["conflated"].as_u64().unwrap();
            assert!(conflated > 0, "what it did not read was replaced by what was newer");
            break;
        }
        assert!(began.elapsed() < DEADLINE * 2, "the sleeper is never dropped: {status}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_answers_no_ping_is_let_go() {
    let mut settings = settings(&[("GAEMI_PROVIDERS", "synthetic")]);
    settings.limits = Limits {
        ping_interval: Duration::from_millis(100),
        silence_max: Duration::from_millis(600),
        ..Limits::default()
    };
    let server = Server::start_with(settings).await;
    let silent = server.connect().await;
    let mut polite = server.connect().await;
    // Reading is answering: the protocol layer sends the pongs.
    let answering = tokio::spawn(async move { while let Some(Ok(_)) = polite.socket.next().await {} });
    server.until_status(|status| status["subscribers"]["connections"] == 1).await;
    assert!(!answering.is_finished(), "the polite one stays");
    drop(silent);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_may_hold_its_connections_and_no_more() {
    let mut settings = settings(&[("GAEMI_PROVIDERS", "synthetic")]);
    settings.limits.subscribers_per_address_max = 2;
    let server = Server::start_with(settings).await;
    let first = server.connect().await;
    let _second = server.connect().await;
    assert!(server.connect_with_buffer(None).await.is_err(), "the third is refused");
    drop(first);
    server.until_status(|status| status["subscribers"]["connections"] == 1).await;
    server.connect().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_says_goodbye_to_subscribers() {
    let server = Server::replay().await;
    let mut client = server.connect().await;
    client.subscribe(&["AAPL"]).await;
    client.quote().await;
    let goodbye = tokio::spawn(async move {
        loop {
            match client.socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                _ => return None,
            }
        }
    });
    server.stop().await;
    assert_eq!(u16::from(goodbye.await.unwrap().unwrap().code), 1001);
}
