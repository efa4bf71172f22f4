//! The way to Kiwoom through the reference bridge, which is started as a program and plays the control itself.

use crate::alpaca::KEY;
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use crate::terms::word;
use broker_connector::AdapterSettings;
use broker_connector::broker::kiwoom::KiwoomSettings;
use broker_connector::credentials::KeySource;
use domain::broker::OrderRequest;
use domain::{AccountId, Side, TimeInForce};
use futures_util::{SinkExt, StreamExt};
use kiwoom_stand_in::until_the_day_has_room;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bridge/kiwoom/bridge.py");
const NUMBER: &str = "5012345678";
const SECRET: &str = "secret-of-the-bridge";
/// Longest wait for an answer of the bridge.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Bridge {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Bridge {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(options: &[&str]) -> Self {
        let mut program = Command::new("python3")
            .args([PROGRAM, "--fake", "--port", "0", "--account", NUMBER])
            .args(options)
            .env("KIWOOM_BRIDGE_TOKEN", SECRET)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut url = String::new();
        let mut answers = BufReader::new(program.stdout.take().unwrap());
        answers.read_line(&mut url).unwrap();
        let orders = program.stdin.take().unwrap();
        Self { program, orders, answers, url: url.trim().replacen("ws", "http", 1) }
    }

    /// Lets something happen at the control, and gives what came of it.
    pub(crate) fn say(&mut self, line: &str) -> String {
        writeln!(self.orders, "{line}").unwrap();
        self.orders.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.strip_prefix("done").unwrap().trim().to_owned()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The connector with an account behind the bridge.
pub(crate) struct World {
    pub(crate) connector: Connector,
    pub(crate) bridge: Bridge,
    account: AccountId,
    pub(crate) database: TestDatabase,
    quotes: QuoteServer,
}

fn adapters(bridge: &Bridge) -> AdapterSettings {
    AdapterSettings {
        key: Some(KeySource::Digits { present: KEY.into(), next: None }),
        kiwoom: KiwoomSettings { bridge_url: Some(bridge.url.clone()), ..KiwoomSettings::default() },
        ..AdapterSettings::default()
    }
}

impl World {
    async fn unconnected() -> Self {
        Self::unconnected_at(Bridge::start()).await
    }

    async fn unconnected_at(bridge: Bridge) -> Self {
        until_the_day_has_room().await;
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let connector = Connector::launch_with(&database, &quotes, adapters(&bridge)).await;
        connector.becomes_ready().await;
        eventually("the accounts are read", || async {
            let status = connector.get("/broker/status").await;
            status["brokers"].as_array().unwrap().iter().all(|broker| broker["ready"] == true)
        })
        .await;
        Self { connector, bridge, account: AccountId::generate(), database, quotes }
    }

    async fn connect(&self, environment: &str, secret: &str) -> (u16, Value) {
        self.connect_as(NUMBER, environment, secret).await
    }

    async fn connect_as(&self, number: &str, environment: &str, secret: &str) -> (u16, Value) {
        let body = json!({
            "accountId": self.account, "broker": "kiwoom", "currency": "KRW",
            "credentials": { "environment": environment, "keyId": number, "secretKey": secret },
        });
        let answer = self.connector.send("POST", "/broker/connect", Some(TOKEN), &body.to_string()).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn start() -> Self {
        Self::unconnected().await.opened().await
    }

    /// Behind a bridge that answers however often it is asked: its windows are longer than a test.
    pub(crate) async fn unlimited() -> Self {
        Self::unconnected_at(Bridge::start_with(&["--no-limits"])).await.opened().await
    }

    async fn opened(self) -> Self {
        let world = self;
        let (status, opened) = world.connect("paper", SECRET).await;
        assert_eq!((status, &opened["openingCash"]), (200, &json!("10000000")), "{opened}");
        world.becomes("connected").await;
        world
    }

    /// Another connector in the place of one that was killed.
    pub(crate) async fn restart(&mut self) {
        let next = Connector::launch_with(&self.database, &self.quotes, adapters(&self.bridge)).await;
        std::mem::replace(&mut self.connector, next).kill();
        self.connector.becomes_ready().await;
        self.becomes("connected").await;
    }

    async fn state(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/status", self.account)).await
    }

    pub(crate) async fn becomes(&self, state: &str) {
        eventually(state, || async { self.state().await["state"] == state }).await;
    }

    pub(crate) fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        let order = limit(self.account, "005930.KS", Side::Buy, quantity, price);
        OrderRequest { time_in_force: TimeInForce::Day, ..order }
    }

    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&format!("{kinds:?}"), || async { self.connector.kinds(order).await == kinds }).await;
    }
}

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Says hello to a bridge as some other client would, and gives the line and the answer.
async fn greeted(url: &str, token: &str, account: &str) -> (Line, Value) {
    greeted_with(url, json!({ "token": token, "account": account })).await
}

/// The same with other parts of a hello.
async fn greeted_with(url: &str, parts: Value) -> (Line, Value) {
    let (mut line, _) = connect_async(url.replacen("http", "ws", 1)).await.unwrap();
    let mut hello = json!({
        "type": "hello", "version": 1, "token": SECRET, "account": NUMBER, "run": "", "after": 0,
    });
    hello.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    line.send(Message::text(hello.to_string())).await.unwrap();
    let answer = line.next().await.unwrap().unwrap();
    (line, serde_json::from_str(answer.to_text().unwrap()).unwrap())
}

/// What is answered to a request; nothing where the line has ended.
async fn asked(line: &mut Line, method: Value) -> Option<Value> {
    let request = json!({ "type": "request", "id": "1", "method": method, "params": {} });
    line.send(Message::text(request.to_string())).await.ok()?;
    while let Some(Ok(Message::Text(text))) = timeout(PATIENCE, line.next()).await.unwrap() {
        let said: Value = serde_json::from_str(text.as_str()).unwrap();
        if said["type"] == "reply" {
            return Some(said);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_executed_while_another_client_had_the_line_is_told_in_its_pieces() {
    let mut world = World::start().await;
    let order = world.buy("10", "70000");
    world.connector.place_accepted(&order).await;
    let (_line, welcome) = greeted(&world.bridge.url, SECRET, NUMBER).await;
    assert_eq!(welcome["type"], "welcome");
    world.bridge.say("fill 0000001 2 69900");
    world.bridge.say("fill 0000001 3 69700");
    world.tells(&order, &["accepted", "fill", "fill"]).await;
    let told: Vec<(Value, Value)> = world.connector.reports(&order).await[1..]
        .iter()
        .map(|fill| (fill["quantity"].clone(), fill["price"].clone()))
        .collect();
    assert_eq!(told, [(json!("2"), json!("69900")), (json!("3"), json!("69700"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_is_refused_with_a_code() {
    let bridge = Bridge::start();
    for (parts, class, code) in [
        (json!({ "token": "another-token-of-nobody" }), "auth", "wrong_token"),
        (json!({ "token": 7 }), "auth", "wrong_token"),
        (json!({ "account": "5099999999" }), "auth", "wrong_account"),
        (json!({ "version": 2 }), "unsupported", "version"),
        (json!({ "version": "1" }), "unsupported", "version"),
        (json!({ "type": "request" }), "malformed", "hello"),
    ] {
        let (mut line, refused) = greeted_with(&bridge.url, parts).await;
        assert_eq!((&refused["class"], &refused["code"]), (&json!(class), &json!(code)));
        let ended = timeout(PATIENCE, line.next()).await.expect("it hangs up");
        assert!(!matches!(ended, Some(Ok(Message::Text(_)))), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_clients_that_come_at_once_one_stays_and_the_others_are_told() {
    let bridge = Bridge::start();
    let greeting = (0..6).map(|_| greeted(&bridge.url, SECRET, NUMBER));
    let mut answered = 0;
    for (mut line, welcome) in futures_util::future::join_all(greeting).await {
        assert!(["welcome", "error"].contains(&welcome["type"].as_str().unwrap()), "{welcome}");
        answered += usize::from(asked(&mut line, json!("account")).await.is_some());
    }
    assert_eq!(answered, 1, "one has the line");
}

/// A frame of a client: its first bytes, a mask of zeros and a payload.
fn frame(head: &[u8], payload: &[u8]) -> Vec<u8> {
    [head, &[0; 4], payload].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_ends_its_own_line_and_no_other() {
    let bridge = Bridge::start();
    let (mut good, welcome) = greeted(&bridge.url, SECRET, NUMBER).await;
    assert_eq!(welcome["type"], "welcome");
    let address = bridge.url.trim_start_matches("http://");
    let deep = "[".repeat(60_000);
    let long = u16::try_from(deep.len()).unwrap().to_be_bytes();
    for (what, bytes) in [
        ("no HTTP", b"\x16\x03\x01\x02garbage\r\n\r\n".to_vec()),
        ("a frame without a mask", [&[0x81, 0x01], &b"x"[..]].concat()),
        ("a frame of 2^63 bytes", frame(&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], b"x")),
        ("a frame that is too long", frame(&[0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0], &[b'x'; 1024])),
        ("no UTF-8", frame(&[0x81, 0x82], &[0xff, 0xfe])),
        ("brackets without an end", frame(&[0x81, 0xfe, long[0], long[1]], deep.as_bytes())),
        ("half a frame", vec![0x81]),
    ] {
        let mut line = TcpStream::connect(address).await.unwrap();
        if what != "no HTTP" {
            let upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
            line.write_all(upgrade.as_bytes()).await.unwrap();
        }
        line.write_all(&bytes).await.unwrap();
        line.shutdown().await.unwrap();
        let mut said = Vec::new();
        let ended = timeout(PATIENCE, line.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "{what}: it hangs up");
        let kept = asked(&mut good, json!("account")).await.expect("the other client is kept");
        assert_eq!(kept["result"]["number"], NUMBER, "{what}");
    }
    // Known clients that ask for nonsense are answered.
    for nonsense in [json!([]), json!(7), json!("delete"), Value::Null] {
        let refused = asked(&mut good, nonsense.clone()).await.expect("an answer");
        assert_eq!(refused["error"]["class"], "unsupported", "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_midway_leaves_nothing_open_and_is_spoken_with_again() {
    let mut world = World::start().await;
    let orders: Vec<OrderRequest> = (1..=8).map(|size| world.buy(&size.to_string(), "70000")).collect();
    // Five of them have a turn in the first second: some wait in the bridge when it dies.
    let dying = async {
        eventually("orders were given to the control", || async {
            world.connector.reports(&orders[0]).await.len() == 1
        })
        .await;
    };
    let (outcomes, ()) = tokio::join!(timeout(PATIENCE, world.connector.place_all(&orders)), async {
        timeout(Duration::from_secs(1), dying).await.ok();
        world.bridge.program.kill().unwrap();
    });
    for outcome in outcomes.expect("each is answered soon") {
        assert!(["accepted", "unknown", "not_sent"].contains(&word(&outcome)), "{outcome:?}");
    }
    world.becomes("down").await;

    let port = world.bridge.url.rsplit_once(':').unwrap().1.to_owned();
    world.bridge = Bridge::start_with(&["--port", &port]);
    // The control that plays has forgotten everything, its numbers too; a real one has not.
    for _ in 0..8 {
        world.bridge.say("take 247540 1 10000");
    }
    world.becomes("connected").await;
    let order = world.buy("9", "70000");
    eventually("orders are taken", || async { word(&world.connector.place(&order).await) == "accepted" })
        .await;
    world.bridge.say("fill #9 9 69900");
    world.tells(&order, &["accepted", "fill"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pings_is_kept_and_a_silent_one_is_not() {
    let bridge = Bridge::start_with(&["--silence-seconds", "1"]);
    let (mut line, _) = greeted(&bridge.url, SECRET, NUMBER).await;
    for _ in 0..10 {
        line.send(Message::Ping(Bytes::new())).await.unwrap();
        let answer = timeout(Duration::from_millis(300), line.next()).await.unwrap();
        assert!(matches!(answer, Some(Ok(Message::Pong(_)))), "{answer:?}");
        sleep(Duration::from_millis(200)).await;
    }
    let ended = timeout(Duration::from_secs(5), line.next()).await.expect("it hangs up");
    assert!(!matches!(ended, Some(Ok(Message::Text(_)))), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_another_world_are_refused_and_a_dead_bridge_is_told() {
    let mut world = World::unconnected().await;
    let (status, refused) = world.connect("paper", "another-token-of-nobody").await;
    assert_eq!((status, &refused["code"]), (422, &json!("key_wrong")));
    assert_eq!(world.connect("live", SECRET).await.0, 503);
    let (status, refused) = world.connect_as("5099999999", "paper", SECRET).await;
    assert_eq!((status, &refused["code"]), (409, &json!("other_account")));
    assert_eq!(world.connect("paper", SECRET).await.0, 200);
    world.becomes("connected").await;
    world.bridge.program.kill().unwrap();
    world.becomes("down").await;
    assert_eq!(word(&world.connector.place(&world.buy("1", "70000")).await), "not_sent");
    assert!(world.connector.is_ready().await);
}
