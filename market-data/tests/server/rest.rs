use crate::support::{Server, settings};
use domain::{Bar, Quote};
use market_data::Application;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn bars(body: &serde_json::Value) -> Vec<Bar> {
    serde_json::from_value(body["bars"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_is_there_as_soon_as_the_server_is() {
    let server = Server::replay().await;
    assert_eq!(server.get("/health").await.0, 200);
    assert_eq!(server.get("/ready").await.0, 200);
    let (status, body) = server.get("/quote/AAPL").await;
    assert_eq!(status, 200);
    let quote: Quote = serde_json::from_value(body).unwrap();
    assert!(quote.session_date >= "2008-09-29".parse().unwrap());
    assert_eq!((quote.source.as_str(), quote.simulated, quote.delayed), ("replay", false, true));
    let (_, body) = server.get("/quote/005930.KS").await;
    let quote: Quote = serde_json::from_value(body).unwrap();
    assert_eq!((quote.source.as_str(), quote.simulated), ("synthetic", true));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_with_the_field_and_the_rule() {
    let server = Server::replay().await;
    for (path, status, code) in [
        ("/quote/ZZZ", 404, "unknown_symbol"),
        ("/history/ZZZ", 404, "unknown_symbol"),
        ("/quote/aapl", 400, "invalid_symbol"),
        ("/quote/AAPL%00", 400, "invalid_symbol"),
        ("/quote/AAPL/", 400, "invalid_symbol"),
        ("/quote/", 400, "invalid_symbol"),
        ("/quote", 400, "validation_failed"),
        ("/calendar?market=LSE", 400, "validation_failed"),
        ("/search", 400, "validation_failed"),
        ("/", 404, "not_found"),
        ("/../etc/passwd", 404, "not_found"),
        ("/history/IBM?limit=5001", 400, "validation_failed"),
        ("/history/IBM?limit=1e3", 400, "validation_failed"),
        ("/history/IBM?from=2010-02-30", 400, "validation_failed"),
        ("/history/IBM?from=2011-01-01&to=2010-01-01", 400, "validation_failed"),
        ("/history/IBM?interval=1w", 400, "validation_failed"),
        ("/history/IBM?interval=1m", 501, "unsupported"),
        ("/history/IBM?adjustment=all", 501, "unsupported"),
        ("/ws", 426, "upgrade_required"),
    ] {
        let (got, body) = server.get(path).await;
        assert_eq!((got, body["code"].as_str().unwrap()), (status, code), "{path}: {body}");
        if code == "validation_failed" {
            assert!(
                body["errors"][0]["field"].is_string() && body["errors"][0]["rule"].is_string(),
                "{body}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_ends_where_the_play_is() {
    let server = Server::replay().await;
    let (status, body) = server.get("/history/AAPL").await;
    assert_eq!(
        (status, &body["interval"], &body["source"], &body["simulated"]),
        (200, &"1d".into(), &"replay".into(), &false.into())
    );
    let all = bars(&body);
    assert_eq!(all.len(), 500, "the default limit; the latest ones win");
    assert!(all.windows(2).all(|pair| pair[0].date < pair[1].date));
    let quote: Quote = serde_json::from_value(server.get("/quote/AAPL").await.1).unwrap();
    assert!(all.last().unwrap().date <= quote.session_date, "no day of the future");

    let (_, body) = server.get("/history/AAPL?from=2008-09-01&to=2008-09-05").await;
    let days: Vec<_> = bars(&body).iter().map(|bar| bar.date.to_string()).collect();
    assert_eq!(days, ["2008-09-02", "2008-09-03", "2008-09-04", "2008-09-05"], "the first was Labor Day");
    assert!(bars(&server.get("/history/AAPL?from=2012-01-01").await.1).is_empty(), "the future is unknown");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_listed_symbol_has_names_and_a_quote() {
    let server = Server::replay().await;
    let (_, body) = server.get("/symbols").await;
    let listed: Vec<domain::quote::Instrument> = serde_json::from_value(body["symbols"].clone()).unwrap();
    assert!(listed.len() >= 14);
    for instrument in listed {
        let (status, body) = server.get(&format!("/quote/{}", instrument.symbol)).await;
        assert_eq!(status, 200, "{body}");
        let quote: Quote = serde_json::from_value(body).unwrap();
        assert_eq!(
            (quote.source, quote.simulated),
            (instrument.source, instrument.simulated),
            "{}",
            instrument.symbol
        );
        assert!(!instrument.name_korean.is_empty());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_and_a_wrong_setting_are_named() {
    let server = Server::replay().await;
    let port = server.port.to_string();
    let error =
        Application::build(settings(&[("GAEMI_MARKET_DATA_PORT", &port), ("GAEMI_PROVIDERS", "synthetic")]))
            .await;
    assert!(format!("{:#}", error.err().unwrap()).contains(&format!("port {port}")));
    for (name, value) in [("GAEMI_PROVIDERS", "oracle"), ("GAEMI_REPLAY_FOLDER", "/nonexistent")] {
        let error = Application::build(settings(&[("GAEMI_PROVIDERS", "replay"), (name, value)])).await;
        assert!(format!("{:#}", error.err().unwrap()).contains(name), "{name}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_no_http_is_let_go_and_harms_nobody() {
    let server = Server::replay().await;
    let oversized = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    for garbage in ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", oversized.as_str()] {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        let _ = socket.write_all(garbage.as_bytes()).await;
        let mut answer = Vec::new();
        let ended = timeout(crate::support::DEADLINE, socket.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the connection is closed");
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    let post = reqwest::Client::new()
        .post(format!("http://127.0.0.1:{}/quote/AAPL", server.port))
        .send()
        .await
        .unwrap();
    assert_eq!(post.status(), 405);
    assert_eq!(server.get("/quote/AAPL").await.0, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_quotes_come_in_one_answer_and_a_bad_name_spoils_none() {
    let server = Server::replay().await;
    let (status, body) = server.get("/quote?symbols=AAPL,005930.KS,ZZZ,%00,AAPL").await;
    assert_eq!(status, 200, "{body}");
    let quotes: Vec<Quote> = serde_json::from_value(body["quotes"].clone()).unwrap();
    let symbols: Vec<_> = quotes.iter().map(|quote| quote.symbol.as_str()).collect();
    assert_eq!(symbols, ["005930.KS", "AAPL"]);
    let codes: Vec<_> =
        body["missing"].as_array().unwrap().iter().map(|missing| missing["code"].clone()).collect();
    assert_eq!(codes, ["invalid_symbol", "unknown_symbol"]);
    let many: Vec<_> =
        ('A'..='Z').flat_map(|one| ('A'..='Z').map(move |two| format!("{one}{two}"))).collect();
    assert_eq!(server.get(&format!("/quote?symbols={}", many.join(","))).await.0, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_found_by_its_initial_consonants_with_what_a_trader_needs() {
    let server = Server::replay().await;
    server.get("/quote/005930.KS").await;
    let (status, body) = server.get("/search?q=%E3%85%85%E3%85%85%E3%85%88%E3%85%88").await;
    assert_eq!(status, 200, "{body}");
    let samsung = &body["instruments"][0];
    assert_eq!(
        (&samsung["symbol"], &samsung["nameKorean"], &samsung["board"], &samsung["source"]),
        (&"005930.KS".into(), &"삼성전자".into(), &"KOSPI".into(), &"synthetic".into())
    );
    assert_eq!((&samsung["lotSize"], &samsung["currency"]), (&"1".into(), &"KRW".into()));
    assert!(samsung["tickSize"].is_string() && samsung["session"].is_string(), "{samsung}");
    let (_, body) = server.get("/search?q=coupang").await;
    assert!(body["instruments"][0]["source"].is_null(), "known by name, served by nobody: {body}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calendar_tells_both_markets() {
    let server = Server::replay().await;
    let (status, body) = server.get("/calendar?from=2026-11-19&to=2026-11-27").await;
    assert_eq!(status, 200, "{body}");
    let markets = body["markets"].as_array().unwrap();
    assert_eq!(markets.len(), 2);
    assert_eq!(markets[0]["days"][0]["kind"], "shifted", "the exam day");
    assert_eq!(markets[1]["days"][8]["kind"], "half", "the day after Thanksgiving");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_book_is_invented_only_where_prices_are() {
    let server = Server::replay().await;
    let (status, body) = server.get("/orderbook/005930.KS").await;
    assert_eq!((status, &body["simulated"], &body["source"]), (200, &true.into(), &"synthetic".into()));
    assert_eq!((body["bids"].as_array().unwrap().len(), body["asks"].as_array().unwrap().len()), (10, 10));
    assert!(body["bids"][0]["price"].is_string(), "prices are strings: {body}");
    for path in ["/orderbook/AAPL", "/news/AAPL"] {
        let (status, body) = server.get(path).await;
        assert_eq!((status, &body["code"]), (501, &"unsupported".into()), "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_play_stands_still_is_set_and_runs_faster_for_who_knows_the_token() {
    let server = Server::start(&[
        ("GAEMI_PROVIDERS", "replay"),
        ("GAEMI_REPLAY_START", "2008-09-29"),
        ("GAEMI_REPLAY_SESSION_SECONDS", "60"),
        ("GAEMI_REPLAY_CONTROL_TOKEN", "a-token"),
    ])
    .await;
    let set = async |query: &str, token: &str| {
        let url = format!("http://127.0.0.1:{}/replay?{query}", server.port);
        let answer = reqwest::Client::new().post(url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    assert_eq!(set("action=pause", "another").await.0, 403);
    assert_eq!(server.get("/replay").await.1["paused"], false);
    for query in ["action=stop", "action=speed", "action=speed&percent=0", "action=seek&date=never"] {
        assert_eq!(set(query, "a-token").await.0, 400, "{query}");
    }
    let (status, state) = set("action=seek&date=2008-10-11", "a-token").await;
    assert_eq!((status, &state["usSession"]), (200, &"2008-10-13".into()), "a Saturday has none: {state}");
    assert_eq!(set("action=pause", "a-token").await.1["paused"], true);
    let quote: Quote = serde_json::from_value(server.get("/quote/AAPL").await.1).unwrap();
    assert_eq!(quote.session_date, "2008-10-13".parse().unwrap());
    assert!(chrono::Utc::now() - quote.at < chrono::TimeDelta::seconds(30), "played now, so of now");
    let mut client = server.connect().await;
    client.subscribe(&["AAPL"]).await;
    let still = client.quote().await;
    let back = set("action=seek&date=2008-10-01", "a-token").await;
    assert_eq!(back.1["usSession"], "2008-10-01", "backwards too");
    assert_eq!(set("action=speed&percent=10000", "a-token").await.1["speedPercent"], 10_000);
    set("action=resume", "a-token").await;
    let mut later = client.quote().await;
    while later.session_date < "2008-10-06".parse().unwrap() {
        later = client.quote().await;
    }
    assert!(later.at > still.at, "time goes on whichever day is played");
    assert_eq!(set("action=seek&date=2030-01-01", "a-token").await.0, 501);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nobody_sets_the_play() {
    let server = Server::replay().await;
    let url = format!("http://127.0.0.1:{}/replay?action=pause", server.port);
    let answer = reqwest::Client::new().post(url).bearer_auth("").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(server.get("/replay").await.1["paused"], false);
    server.stop().await;
}
