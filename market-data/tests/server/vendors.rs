//! Alpaca and Alpha Vantage, their places taken by scripted stand-ins, and what happens when a vendor fails.

use crate::support::{DEADLINE, Server};
use crate::yahoo::{Stub, borrowed};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{Market, Quote};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Bytes, Message};

type Answer = Arc<dyn Fn(&str) -> (u16, String) + Send + Sync>;

/// A plain HTTP server that answers as it is told and counts.
pub(crate) struct Vendor {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Vendor {
    pub(crate) async fn start(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let answer: Answer = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
                tokio::spawn(async move { serve(socket, &answer, &counted).await });
            }
        });
        Self { url, requests }
    }

    pub(crate) fn asked(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut socket: TcpStream, answer: &Answer, counted: &AtomicUsize) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 2_048];
        let Ok(length @ 1..) = socket.read(&mut part).await else { return };
        request.extend_from_slice(&part[..length]);
    }
    counted.fetch_add(1, Ordering::SeqCst);
    let (status, body) = answer(&String::from_utf8_lossy(&request));
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = socket.shutdown().await;
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Apple's last values, of now.
fn snapshots(price: &str) -> String {
    let now = Utc::now();
    let today = exchange::sessions::day_start(Market::Us, exchange::market_day(Market::Us, now));
    let price: f64 = price.parse().unwrap();
    let day = json!({"t": written(today), "o": 178.0, "h": 179.0, "l": 177.0, "c": price, "v": 1000});
    let before = json!({"t": written(today - chrono::TimeDelta::days(1)), "o": 1, "h": 1, "l": 1, "c": 177.57, "v": 1});
    json!({"AAPL": {
        "latestTrade": {"t": written(now), "p": price, "s": 100},
        "latestQuote": {"bp": 178.25, "ap": 178.27},
        "dailyBar": day,
        "prevDailyBar": before,
    }})
    .to_string()
}

pub(crate) async fn alpaca_rest(price: Arc<Mutex<String>>) -> Vendor {
    Vendor::start(move |request| {
        let lower = request.to_lowercase();
        if !lower.contains("apca-api-key-id: key") || !lower.contains("apca-api-secret-key: secret") {
            return (401, "{}".to_owned());
        }
        if request.contains("/v2/stocks/snapshots") {
            return (200, snapshots(&price.lock().unwrap()));
        }
        if request.contains("/v2/stocks/bars") && !request.contains("page_token") {
            return (200, include_str!("../../test_data/alpaca/bars.json").to_owned());
        }
        if request.contains("/v2/stocks/bars") {
            return (200, r#"{"bars":{},"next_page_token":null}"#.to_owned());
        }
        (200, r#"{"news":[{"headline":"News","source":"wire","url":"https://example.com","created_at":"2022-01-03T14:31:00Z"}]}"#.to_owned())
    })
    .await
}

/// How a stream behaves.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    /// It does not take the credentials.
    pub(crate) refuse: bool,
    /// The first conversation ends after its trades.
    pub(crate) hang_up: bool,
    /// The one feed that it has.
    pub(crate) feed: &'static str,
    /// Apple's trades after a subscription: how many, at which price, and how far ahead their clock is.
    pub(crate) trades: usize,
    pub(crate) price: f64,
    pub(crate) ahead: chrono::TimeDelta,
}

const ORDINARY: Script = Script {
    refuse: false,
    hang_up: true,
    feed: "iex",
    trades: 20,
    price: 178.3,
    ahead: chrono::TimeDelta::zero(),
};

/// A stream that greets, takes credentials and answers a subscription with trades.
pub(crate) struct Stream {
    url: String,
    conversations: Arc<AtomicUsize>,
}

impl Stream {
    async fn start(refuse: bool) -> Self {
        Self::play(Script { refuse, ..ORDINARY }).await
    }

    pub(crate) async fn play(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/v2", listener.local_addr().unwrap());
        let conversations = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&conversations);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let hang_up = script.hang_up && number == 0;
                tokio::spawn(converse(socket, Script { hang_up, ..script }));
            }
        });
        Self { url, conversations }
    }
}

async fn converse(socket: TcpStream, script: Script) -> Option<()> {
    let binary = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&binary);
    #[allow(clippy::result_large_err, reason = "the library's own signature")]
    let look = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        assert_eq!(request.uri().path(), format!("/v2/{}", script.feed));
        *seen.lock().unwrap() =
            request.headers().get("content-type").is_some_and(|kind| kind == "application/msgpack");
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(socket, look).await.ok()?;
    let binary = *binary.lock().unwrap();
    let frame = |value: Value| {
        if !binary {
            return Message::text(value.to_string());
        }
        let mut out = Vec::new();
        pack(&value, &mut out);
        Message::Binary(Bytes::from(out))
    };
    socket.send(frame(json!([{"T": "success", "msg": "connected"}]))).await.ok()?;
    let auth: Value = serde_json::from_str(socket.next().await?.ok()?.to_text().ok()?).ok()?;
    assert_eq!(
        (&auth["action"], &auth["key"], &auth["secret"]),
        (&"auth".into(), &"key".into(), &"secret".into())
    );
    if script.refuse {
        socket.send(frame(json!([{"T": "error", "code": 402, "msg": "auth failed"}]))).await.ok()?;
        return None;
    }
    socket.send(frame(json!([{"T": "success", "msg": "authenticated"}]))).await.ok()?;
    loop {
        let message = socket.next().await?.ok()?;
        let Ok(wish) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
        if wish["action"] != "subscribe" {
            continue;
        }
        socket.send(frame(json!([{"T": "subscription", "trades": wish["trades"]}]))).await.ok()?;
        // The last values travel another way and must be there before a trade can change them.
        for _ in 0..script.trades {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let at = written(Utc::now() + script.ahead);
            let trade = json!([{"T": "t", "S": "AAPL", "p": script.price, "s": 50, "t": at}]);
            socket.send(frame(trade)).await.ok()?;
        }
        if script.hang_up {
            return None;
        }
    }
}

/// MessagePack as the vendor writes it; moments are told by the key `t`.
fn pack(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(flag) => out.push(if *flag { 0xc3 } else { 0xc2 }),
        Value::Number(number) => match number.as_u64() {
            Some(number) => {
                out.push(0xcf);
                out.extend(number.to_be_bytes());
            }
            None => {
                out.push(0xcb);
                out.extend(number.as_f64().unwrap().to_be_bytes());
            }
        },
        Value::String(text) => {
            out.extend([0xd9, u8::try_from(text.len()).unwrap()]);
            out.extend(text.as_bytes());
        }
        Value::Array(items) => {
            out.push(0xdc);
            out.extend(u16::try_from(items.len()).unwrap().to_be_bytes());
            items.iter().for_each(|item| pack(item, out));
        }
        Value::Object(map) => {
            out.push(0xde);
            out.extend(u16::try_from(map.len()).unwrap().to_be_bytes());
            for (key, item) in map {
                pack(&key.as_str().into(), out);
                let moment = item.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
                match moment.filter(|_| key == "t") {
                    Some(at) => {
                        out.extend([0xc7, 12, 0xff]);
                        out.extend(at.timestamp_subsec_nanos().to_be_bytes());
                        out.extend(at.timestamp().to_be_bytes());
                    }
                    None => pack(item, out),
                }
            }
        }
    }
}

pub(crate) fn alpaca(
    rest: &Vendor,
    stream: &Stream,
    format: &'static str,
    secret: &'static str,
) -> Vec<(&'static str, String)> {
    vec![
        ("GAEMI_PROVIDERS", "alpaca".to_owned()),
        ("GAEMI_ALPACA_KEY_ID", "key".to_owned()),
        ("GAEMI_ALPACA_SECRET_KEY", secret.to_owned()),
        ("GAEMI_ALPACA_DATA_URL", rest.url.clone()),
        ("GAEMI_ALPACA_STREAM_URL", stream.url.clone()),
        ("GAEMI_ALPACA_STREAM_FORMAT", format.to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alpacas_last_value_comes_first_and_then_its_trades_in_both_forms() {
    for format in ["json", "msgpack"] {
        let rest = alpaca_rest(Arc::new(Mutex::new("178.26".into()))).await;
        let stream = Stream::start(false).await;
        let server = Server::start(&borrowed(&alpaca(&rest, &stream, format, "secret"))).await;
        let mut client = server.connect().await;
        client.subscribe(&["AAPL", "005930.KS"]).await;
        assert_eq!(client.error_code().await.0, "unknown_symbol", "no Korean shares there");
        let first = client.quote().await;
        assert_eq!(first.price.to_string(), "178.26");
        assert_eq!((first.bid.unwrap().to_string(), first.source.as_str()), ("178.25".into(), "alpaca"));
        let mut traded = client.quote().await;
        while traded.price == first.price {
            traded = client.quote().await;
        }
        assert_eq!(traded.price.to_string(), "178.3", "{format}");
        assert!(traded.volume >= 1_050 && traded.at > first.at && !traded.delayed);

        let (status, body) =
            server.get("/history/AAPL?interval=1m&adjustment=raw&from=2022-01-03&to=2022-01-03").await;
        assert_eq!((status, body["bars"].as_array().unwrap().len()), (200, 2), "{body}");
        assert_eq!(body["bars"][0]["startsAt"], "2022-01-03T14:30:00Z");
        let (status, body) = server.get("/news/AAPL").await;
        assert_eq!((status, &body["news"][0]["title"]), (200, &"News".into()));
        assert_eq!(server.get("/orderbook/AAPL").await.0, 501, "nothing is made up");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_begins_anew_with_fresh_last_values() {
    let price = Arc::new(Mutex::new("178.26".to_owned()));
    let rest = alpaca_rest(Arc::clone(&price)).await;
    let stream = Stream::start(false).await;
    let server = Server::start(&borrowed(&alpaca(&rest, &stream, "json", "secret"))).await;
    let mut client = server.connect().await;
    client.subscribe(&["AAPL"]).await;
    client.quote_of("AAPL").await;
    *price.lock().unwrap() = "178.5".into();
    let again = async { while client.quote_of("AAPL").await.price.to_string() != "178.5" {} };
    timeout(DEADLINE, again).await.expect("the second conversation tells the new value");
    assert!(stream.conversations.load(Ordering::SeqCst) >= 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_are_told_and_not_tried_again_and_again() {
    let rest = alpaca_rest(Arc::new(Mutex::new("178.26".into()))).await;
    let stream = Stream::start(true).await;
    let server = Server::start(&borrowed(&alpaca(&rest, &stream, "json", "wrong"))).await;
    assert_eq!(server.get("/history/AAPL").await.0, 503);
    let status = server.until_status(|status| status["providers"][0]["health"]["circuit"] == "open").await;
    let health = &status["providers"][0]["health"];
    assert!(health["lastError"].as_str().unwrap().contains("refuses"), "{health}");
    assert!(!status.to_string().contains("wrong"), "the secret is nowhere");
    let asked = rest.asked();
    assert_eq!(server.get("/history/AAPL").await.0, 503);
    assert_eq!(rest.asked(), asked, "it is given a rest");
    server.stop().await;
}

fn global_quote() -> String {
    let today = exchange::market_day(Market::Us, Utc::now());
    let day = if exchange::is_trading_day(Market::Us, today) {
        today
    } else {
        exchange::trading_day_before(Market::Us, today)
    };
    include_str!("../../test_data/alpha_vantage/global_quote.json").replace("2026-11-20", &day.to_string())
}

pub(crate) fn alpha_vantage(vendor: &Vendor, providers: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GAEMI_PROVIDERS", providers.to_owned()),
        ("GAEMI_ALPHA_VANTAGE_KEY", "demo".to_owned()),
        ("GAEMI_ALPHA_VANTAGE_URL", vendor.url.clone()),
        ("GAEMI_ALPHA_VANTAGE_REQUESTS_PER_DAY", "2".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_kept_whatever_is_wanted() {
    let vendor = Vendor::start(|_| (200, global_quote())).await;
    let server = Server::start(&borrowed(&alpha_vantage(&vendor, "alpha_vantage"))).await;
    let (status, body) = server.get("/quote/IBM").await;
    assert_eq!((status, &body["price"], &body["delayed"]), (200, &"283.5".into(), &true.into()), "{body}");
    let mut client = server.connect().await;
    client.subscribe(&["IBM", "AAPL", "MSFT", "GOOG", "F", "T"]).await;
    let status = server.until_status(|status| status["providers"][0]["health"]["requestsLeft"] == 0).await;
    assert_eq!(status["providers"][0]["health"]["requestsToday"], 2);
    let both = async {
        while vendor.asked() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, both).await.expect("the second waits for its turn only");
    assert_eq!(server.get("/history/IBM").await.0, 503);
    assert_eq!(vendor.asked(), 2, "not one more");
    server.stop().await;
}

/// The program itself.
pub(crate) struct Program {
    child: Child,
    url: String,
}

impl Program {
    pub(crate) fn start(values: &[(&'static str, String)]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_market-data"))
            .env_clear()
            .env("GAEMI_MARKET_DATA_PORT", port.to_string())
            .envs(values.iter().map(|(name, value)| (*name, value)))
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    pub(crate) async fn until(&self, path: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let url = format!("{}{path}", self.url);
        let waited = async {
            loop {
                if let Ok(answer) = reqwest::get(&url).await
                    && let Ok(body) = answer.json::<Value>().await
                    && wished(&body)
                {
                    return body;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, waited).await.expect("it becomes as wished")
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_vendor_fails_the_next_real_one_serves_and_the_reason_is_shown() {
    let yahoo = Stub::start().await;
    let spent = r#"{"Information":"our standard API rate limit is 25 requests per day, key SECRET"}"#;
    let vendor = Vendor::start(move |_| (200, spent.to_owned())).await;
    let mut values = alpha_vantage(&vendor, "alpha_vantage,yahoo,replay");
    values.extend(yahoo.values("").into_iter().filter(|(name, _)| *name != "GAEMI_PROVIDERS"));
    let mut program = Program::start(&values);
    let quote = program.until("/quote/AAPL", |quote| quote["source"] == "yahoo").await;
    let quote: Quote = serde_json::from_value(quote).unwrap();
    assert_eq!(quote.price.to_string(), "189.5");
    let status = program.until("/status", |status| status["serving"][0]["symbol"] == "AAPL").await;
    let why = status["serving"][0]["whyNotBetter"].as_str().unwrap();
    assert!(why.contains("alpha_vantage") && why.contains("spent"), "{why}");
    assert!(!status.to_string().contains("SECRET"));
    assert_eq!(vendor.asked(), 1);

    yahoo.stop();
    let mut last = Value::Null;
    for _ in 0..5 {
        last = program.until("/quote/AAPL", |quote| quote["source"].is_string()).await;
        assert_eq!(last["source"], "yahoo", "the last real price, grown old, and never a recorded one");
    }
    assert_eq!(last["price"], "189.5");
    let metrics = reqwest::get(format!("{}/metrics", program.url)).await.unwrap().text().await.unwrap();
    for line in ["gaemi_provider_resting{provider=\"alpha_vantage\"} 1", "gaemi_quotes_published_total 1"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    program.kill().await;
}
