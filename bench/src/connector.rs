//! The broker connector beside stand-ins for brokers, each order sent once to the broker itself and once through the
//! connector, in turn; and what the connector keeps in memory with a session at each broker and a simulator at work.
//!
//! Settings: `BENCH_CONNECTOR` (the program), `BENCH_DATABASE_URL` (a database with all tables, for this alone).

use crate::http::{Connection, text};
use crate::measure::{percentile_micros, report};
use alpaca_stand_in::{KEY_ID, SECRET_KEY};
use anyhow::{Context, Result, bail, ensure};
use chrono::Utc;
use domain::broker::{BATCH_MAX, OrderRequest, TOKEN_HEADER};
use domain::{AccountId, OrderId, OrderType, Side, TimeInForce};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// The secret that the connector is started with, and the key under which it keeps credentials: of this run alone.
const TOKEN: &str = "a-token-of-the-bench";
const BROKER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// A connector that takes longer to listen, or to reach the stand-ins, ends the run.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// Between two looks at it.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Orders that rest at the simulator.
const RESTING_ORDERS: usize = 1_000;
/// Pairs of orders before times are taken, and pairs that count.
const WARM_UP_PAIRS: usize = 5;
const PAIRS: usize = 40;
/// Between two pairs: the connector keeps to the 200 requests a minute of a real broker, and reads its lists meanwhile.
const PAIR_PAUSE: Duration = Duration::from_millis(1_500);
/// Bursts, pairs of each, one right behind the other, and what lies between two bursts.
const BURSTS: usize = 6;
const BURST_PAIRS: usize = 8;
const BURST_PAUSE: Duration = Duration::from_secs(5);
/// Rest before memory is looked at.
const IDLE_TIME: Duration = Duration::from_secs(5);

/// A connector of its own; it ends when dropped.
struct Server {
    child: Child,
    address: String,
}

fn setting(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

impl Server {
    async fn start(quotes: &str, alpaca: &str, kiwoom: &str) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = Command::new(setting("BENCH_CONNECTOR")?);
        command
            .env_clear()
            .env("DATABASE_URL", setting("BENCH_DATABASE_URL")?)
            .env("GAEMI_BROKER_CONNECTOR_PORT", port.to_string())
            .env("GAEMI_MARKET_DATA_URL", format!("http://{quotes}"))
            .env("GAEMI_INTERNAL_TOKEN", TOKEN)
            .env("GAEMI_BROKER_KEY", BROKER_KEY)
            .env("GAEMI_ALPACA_PAPER_URL", alpaca)
            .env("GAEMI_KIWOOM_PAPER_URL", kiwoom)
            .env("GAEMI_KIWOOM_PAPER_STREAM_URL", kiwoom)
            .env("GAEMI_LOG", "warn");
        if let Ok(token) = setting("GAEMI_MARKET_DATA_TOKEN") {
            command.env("GAEMI_MARKET_DATA_TOKEN", token);
        }
        let child = command.kill_on_drop(true).spawn().context("the connector cannot be started")?;
        let server = Self { child, address: format!("127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(&server.address).await.is_err() {
            ensure!(begun.elapsed() < START_TIME_MAX, "the connector does not listen");
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Ok(server)
    }

    /// Memory it keeps resident, in kilobytes.
    fn resident_kilobytes(&self) -> Result<u64> {
        let id = self.child.id().context("the connector has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        line.split_whitespace().next().context("no VmRSS")?.parse().context("no VmRSS")
    }
}

/// A request with a JSON body.
fn ask(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn inside(method: &str, path: &str, body: &str) -> Vec<u8> {
    ask(method, path, &[(TOKEN_HEADER, TOKEN)], body)
}

/// Opens an account at a broker, and waits until the connector follows it.
async fn open(
    connection: &mut Connection,
    (broker, currency): (&str, &str),
    credentials: Option<(&str, &str)>,
) -> Result<AccountId> {
    let account = AccountId::generate();
    let mut body = json!({ "accountId": account, "broker": broker, "currency": currency });
    if let (Some((key_id, secret_key)), Some(body)) = (credentials, body.as_object_mut()) {
        let key = json!({ "environment": "paper", "keyId": key_id, "secretKey": secret_key });
        body.insert("credentials".into(), key);
    }
    let begun = Instant::now();
    // Right after the start the accounts are still being read.
    loop {
        let (status, answer) =
            connection.exchange(&inside("POST", "/broker/connect", &body.to_string())).await?;
        if status == 200 {
            break;
        }
        let words = String::from_utf8_lossy(answer).into_owned();
        ensure!(status == 503 && begun.elapsed() < START_TIME_MAX, "status {status}: {words}");
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    let path = format!("/broker/accounts/{account}/status");
    loop {
        let state = connection.call(&inside("GET", &path, ""), 200).await?;
        if text(&state, "state")? == "connected" {
            return Ok(account);
        }
        ensure!(begun.elapsed() < START_TIME_MAX, "an account is not connected: {state}");
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// A purchase that rests.
fn purchase(account_id: AccountId) -> Result<OrderRequest> {
    Ok(OrderRequest {
        order_id: OrderId::generate(),
        account_id,
        symbol: "AAPL".parse()?,
        side: Side::Buy,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Gtc,
        expire_date: None,
        quantity: "1".parse()?,
        limit_price: Some("1".parse()?),
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
        protection_price: None,
        notional: None,
        withdrawn: false,
        contingency: None,
        submitted_at: Utc::now(),
    })
}

async fn place(connection: &mut Connection, orders: &[OrderRequest]) -> Result<Duration> {
    let request = inside("POST", "/broker/orders", &serde_json::to_string(orders)?);
    let sent = Instant::now();
    let (status, answer) = connection.exchange(&request).await?;
    let taken = sent.elapsed();
    let outcomes: Value = serde_json::from_slice(answer)?;
    let outcomes = outcomes.as_array().map(Vec::as_slice).unwrap_or_default();
    let all_accepted = outcomes.iter().all(|outcome| outcome.to_string().contains("accepted"));
    ensure!(
        status == 200 && outcomes.len() == orders.len() && all_accepted,
        "an order was not taken: {outcomes:?}"
    );
    Ok(taken)
}

async fn rest_at_simulator(connection: &mut Connection) -> Result<()> {
    let account = open(connection, ("simulator", "USD"), None).await?;
    let orders: Vec<OrderRequest> = (0..RESTING_ORDERS).map(|_| purchase(account)).collect::<Result<_>>()?;
    for batch in orders.chunks(BATCH_MAX) {
        place(connection, batch).await?;
    }
    Ok(())
}

/// An order as Alpaca takes it.
fn direct() -> Vec<u8> {
    let body = json!({
        "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc", "limit_price": "1",
        "client_order_id": format!("direct-{}", OrderId::generate()),
    });
    let headers = [("APCA-API-KEY-ID", KEY_ID), ("APCA-API-SECRET-KEY", SECRET_KEY)];
    ask("POST", "/v2/orders", &headers, &body.to_string())
}

/// How long orders took, sent to the broker itself and through the connector.
#[derive(Default)]
struct Times {
    broker: Vec<Duration>,
    through: Vec<Duration>,
}

impl Times {
    async fn take_pair(
        &mut self,
        (broker, through): (&mut Connection, &mut Connection),
        account: AccountId,
    ) -> Result<()> {
        let request = direct();
        let sent = Instant::now();
        let (status, answer) = broker.exchange(&request).await?;
        self.broker.push(sent.elapsed());
        ensure!(status == 200, "status {status}: {}", String::from_utf8_lossy(answer));
        self.through.push(place(through, &[purchase(account)?]).await?);
        Ok(())
    }

    fn report(self, prefix: &str) -> Result<()> {
        for (name, mut times) in [("broker", self.broker), ("through", self.through)] {
            report(&format!("{prefix}_{name}_p50_micros"), percentile_micros(&mut times, 50))?;
            report(&format!("{prefix}_{name}_p99_micros"), percentile_micros(&mut times, 99))?;
        }
        Ok(())
    }
}

/// Measures the connector that is started here; `quotes` is where the quote server is.
pub(crate) async fn beside_the_broker(quotes: &str) -> Result<()> {
    let alpaca = alpaca_stand_in::StandIn::start().await?;
    let kiwoom = kiwoom_stand_in::StandIn::start().await?;
    let server = Server::start(quotes, &alpaca.url(), &kiwoom.url()).await?;
    let mut through = Connection::open(&server.address).await?;
    let account = open(&mut through, ("alpaca", "USD"), Some((KEY_ID, SECRET_KEY))).await?;
    let key = (kiwoom_stand_in::APP_KEY, kiwoom_stand_in::SECRET_KEY);
    open(&mut through, ("kiwoom", "KRW"), Some(key)).await?;
    rest_at_simulator(&mut through).await?;

    let url = alpaca.url();
    let Some(host) = url.strip_prefix("http://") else { bail!("an address of another kind: {url}") };
    let mut broker = Connection::open(host).await?;
    let mut times = Times::default();
    for pair in 0..WARM_UP_PAIRS + PAIRS {
        times.take_pair((&mut broker, &mut through), account).await?;
        if pair + 1 == WARM_UP_PAIRS {
            times = Times::default();
        }
        tokio::time::sleep(PAIR_PAUSE).await;
    }
    times.report("connector")?;
    let mut times = Times::default();
    for _ in 0..BURSTS {
        for _ in 0..BURST_PAIRS {
            times.take_pair((&mut broker, &mut through), account).await?;
        }
        tokio::time::sleep(BURST_PAUSE).await;
    }
    times.report("connector_burst")?;
    tokio::time::sleep(IDLE_TIME).await;
    report("connector_kilobytes", server.resident_kilobytes()?)
}
