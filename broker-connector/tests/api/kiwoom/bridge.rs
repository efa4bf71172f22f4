//! The way to Kiwoom through the reference bridge, which is started as a program and plays the control itself.

use crate::alpaca::KEY;
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use crate::terms::{other_terms, word};
use broker_connector::AdapterSettings;
use broker_connector::broker::kiwoom::KiwoomSettings;
use broker_connector::credentials::KeySource;
use domain::broker::{OrderRequest, ReplaceOutcome};
use domain::{AccountId, Side, TimeInForce};
use kiwoom_stand_in::until_the_day_has_room;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bridge/kiwoom/bridge.py");
const NUMBER: &str = "5012345678";
const SECRET: &str = "secret-of-the-bridge";

struct Bridge {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Bridge {
    fn start() -> Self {
        let mut program = Command::new("python3")
            .args([PROGRAM, "--fake", "--port", "0", "--account", NUMBER])
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

    /// Lets something happen at the control.
    fn say(&mut self, line: &str) {
        writeln!(self.orders, "{line}").unwrap();
        self.orders.flush().unwrap();
        self.answers.read_line(&mut String::new()).unwrap();
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

struct World {
    connector: Connector,
    bridge: Bridge,
    account: AccountId,
    _database: TestDatabase,
    _quotes: QuoteServer,
}

impl World {
    async fn unconnected() -> Self {
        until_the_day_has_room().await;
        let (database, quotes, bridge) =
            (TestDatabase::new().await, QuoteServer::start().await, Bridge::start());
        let adapters = AdapterSettings {
            key: Some(KeySource::Digits { present: KEY.into(), next: None }),
            kiwoom: KiwoomSettings { bridge_url: Some(bridge.url.clone()), ..KiwoomSettings::default() },
            ..AdapterSettings::default()
        };
        let connector = Connector::launch_with(&database, &quotes, adapters).await;
        connector.becomes_ready().await;
        eventually("the accounts are read", || async {
            let status = connector.get("/broker/status").await;
            status["brokers"].as_array().unwrap().iter().all(|broker| broker["ready"] == true)
        })
        .await;
        Self { connector, bridge, account: AccountId::generate(), _database: database, _quotes: quotes }
    }

    async fn connect(&self, environment: &str, secret: &str) -> (u16, Value) {
        let body = json!({
            "accountId": self.account, "broker": "kiwoom", "currency": "KRW",
            "credentials": { "environment": environment, "keyId": NUMBER, "secretKey": secret },
        });
        let answer = self.connector.send("POST", "/broker/connect", Some(TOKEN), &body.to_string()).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn start() -> Self {
        let world = Self::unconnected().await;
        let (status, opened) = world.connect("paper", SECRET).await;
        assert_eq!((status, &opened["openingCash"]), (200, &json!("10000000")), "{opened}");
        world.becomes("connected").await;
        world
    }

    async fn state(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/status", self.account)).await
    }

    async fn becomes(&self, state: &str) {
        eventually(state, || async { self.state().await["state"] == state }).await;
    }

    fn buy(&self, quantity: &str) -> OrderRequest {
        let order = limit(self.account, "005930.KS", Side::Buy, quantity, "70000");
        OrderRequest { time_in_force: TimeInForce::Day, ..order }
    }

    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&format!("{kinds:?}"), || async { self.connector.kinds(order).await == kinds }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_executed_changed_and_taken_back_through_the_bridge() {
    let mut world = World::start().await;
    let order = world.buy("10");
    world.connector.place_accepted(&order).await;
    world.bridge.say("fill 0000001 4 69900");
    world.tells(&order, &["accepted", "fill"]).await;
    let request = other_terms(&order, "10", "70100");
    assert_eq!(world.connector.replace(&request).await, ReplaceOutcome::Accepted);
    world.tells(&order, &["accepted", "fill", "replaced"]).await;
    world.connector.cancel(order.order_id).await;
    world.tells(&order, &["accepted", "fill", "replaced", "canceled"]).await;
    let sync = world.connector.get(&format!("/broker/accounts/{}/sync", world.account)).await;
    let paid = -(4 * 69_900 + 4 * 69_900 * 15 / 1_000_000 * 10);
    assert_eq!(sync["positions"], json!([{ "symbol": "005930.KS", "quantity": "4" }]));
    assert_eq!(sync["tradeCash"], json!([{ "currency": "KRW", "amount": paid.to_string() }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_which_the_control_says_nothing_is_found_and_not_sent_again() {
    let mut world = World::start().await;
    world.bridge.say("mute");
    let order = world.buy("3");
    assert_eq!(word(&world.connector.place(&order).await), "unknown");
    assert_eq!(world.connector.inquire(&[&order]).await, ["found"]);
    assert_eq!(word(&world.connector.place(&order).await), "accepted");
    let page = world.connector.get(&format!("/broker/accounts/{}/orders", world.account)).await;
    assert_eq!(page["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_another_world_are_refused_and_a_dead_bridge_is_told() {
    let mut world = World::unconnected().await;
    let (status, refused) = world.connect("paper", "another-token-of-nobody").await;
    assert_eq!((status, &refused["code"]), (422, &json!("key_wrong")));
    assert_eq!(world.connect("live", SECRET).await.0, 503);
    assert_eq!(world.connect("paper", SECRET).await.0, 200);
    world.becomes("connected").await;
    world.bridge.program.kill().unwrap();
    world.becomes("down").await;
    assert_eq!(word(&world.connector.place(&world.buy("1")).await), "not_sent");
    assert!(world.connector.is_ready().await);
}
