//! Load for `scripts/bench`: sends orders to a running server over plain keep-alive connections, so that the client costs
//! little, and prints what it measured as `name value` lines.
//!
//! `bench-orders HOST:PORT SECONDS`

use anyhow::{Context, Result, bail, ensure};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Users who register for the run.
const USERS: usize = 20;
/// Accounts of each, so that orders seldom meet on one account's lock.
const ACCOUNTS_PER_USER: usize = 50;
/// Clients that order at the same time in the second part.
const CLIENTS: usize = 32;
/// Requests of a connection before its time is taken.
const WARM_UP_REQUESTS: usize = 200;
/// What is ordered, far below its price so that nothing fills.
const SYMBOL: &str = "IBM";
/// The limit, as a part of the price.
const LIMIT_OF_PRICE: Decimal = Decimal::from_parts(75, 0, 0, false, 2);
/// Play money of each account.
const DEPOSIT: &str = "1000000";
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// An answer that takes longer ends the run.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// One connection that stays open.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// Who orders, from which account.
struct Account {
    id: String,
    token: String,
}

impl Connection {
    async fn open(address: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(8192) })
    }

    /// Sends one request and reads its whole answer: status and body.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let (status, body_start) = tokio::time::timeout(ANSWER_TIME_MAX, self.read_answer()).await??;
        Ok((status, self.answer.get(body_start..).unwrap_or_default()))
    }

    async fn read_answer(&mut self) -> Result<(u16, usize)> {
        let mut expected = None;
        loop {
            if expected.is_none() {
                expected = parse_head(&self.answer)?;
            }
            if let Some((status, body_start, length)) = expected
                && self.answer.len() >= body_start + length
            {
                return Ok((status, body_start));
            }
            ensure!(self.answer.len() < ANSWER_BYTES_MAX, "an answer is too long");
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the server closed the connection");
        }
    }

    /// A request of the preparation: JSON in, JSON out, and no other status than the expected.
    async fn call(&mut self, request: &[u8], expected: u16) -> Result<Value> {
        let (status, body) = self.exchange(request).await?;
        if status != expected {
            bail!("status {status}: {}", String::from_utf8_lossy(body));
        }
        Ok(serde_json::from_slice(body)?)
    }
}

/// Status, start of the body and its length, once the head is complete.
fn parse_head(answer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without content-length")?;
    Ok(Some((status, end + 4, length.1.trim().parse()?)))
}

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    let key = Uuid::now_v7();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("the answer has no {name}"))
}

/// A new user with accounts that have money on them.
async fn prepare_user(address: String) -> Result<Vec<Account>> {
    let mut connection = Connection::open(&address).await?;
    let password = Uuid::now_v7().to_string();
    let credentials =
        json!({ "email": format!("{}@bench.example", Uuid::now_v7().simple()), "password": password })
            .to_string();
    connection.call(&post("/api/auth/register", "", &credentials), 201).await?;
    let login = connection.call(&post("/api/auth/login", "", &credentials), 200).await?;
    let token = text(&login, "accessToken")?.to_owned();
    let mut accounts = Vec::with_capacity(ACCOUNTS_PER_USER);
    for number in 0..ACCOUNTS_PER_USER {
        let body = json!({ "name": format!("bench {number}"), "broker": "simulator", "currency": "USD" })
            .to_string();
        let account = connection.call(&post("/api/accounts", &token, &body), 201).await?;
        let id = text(&account, "id")?.to_owned();
        let body = json!({ "amount": DEPOSIT }).to_string();
        connection.call(&post(&format!("/api/accounts/{id}/deposit"), &token, &body), 201).await?;
        accounts.push(Account { id, token: token.clone() });
    }
    Ok(accounts)
}

async fn prepare(address: &str) -> Result<Vec<Account>> {
    let mut users = JoinSet::new();
    for _ in 0..USERS {
        users.spawn(prepare_user(address.to_owned()));
    }
    let mut accounts = Vec::with_capacity(USERS * ACCOUNTS_PER_USER);
    while let Some(user) = users.join_next().await {
        accounts.extend(user??);
    }
    Ok(accounts)
}

async fn limit_price(address: &str, account: &Account) -> Result<Decimal> {
    let path = format!("/api/market/quote/{SYMBOL}");
    let quote = Connection::open(address).await?.call(&get(&path, &account.token), 200).await?;
    let price: Decimal = text(&quote, "price")?.parse()?;
    Ok((price * LIMIT_OF_PRICE).round_dp(2))
}

/// What every client of a part shares.
struct Orders {
    address: String,
    accounts: Vec<Account>,
    limit_price: Decimal,
    turn: AtomicUsize,
}

impl Orders {
    fn next(&self) -> Result<Vec<u8>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.accounts.len();
        let account = self.accounts.get(turn).context("no accounts")?;
        let body = format!(
            r#"{{"accountId":"{}","symbol":"{SYMBOL}","side":"buy","type":"limit","timeInForce":"gtc","quantity":"1","limitPrice":"{}"}}"#,
            account.id, self.limit_price
        );
        Ok(post("/api/orders", &account.token, &body))
    }
}

/// Sends what `request` makes, one after the other, and returns how long each answer took.
async fn measure(
    address: &str,
    expected: u16,
    time: Duration,
    request: impl Fn() -> Result<Vec<u8>>,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    for _ in 0..WARM_UP_REQUESTS {
        let (status, body) = connection.exchange(&request()?).await?;
        ensure!(status == expected, "status {status}: {}", String::from_utf8_lossy(body));
    }
    let (begun, mut latencies) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let next = request()?;
        let sent = Instant::now();
        let (status, body) = connection.exchange(&next).await?;
        latencies.push(sent.elapsed());
        ensure!(status == expected, "status {status}: {}", String::from_utf8_lossy(body));
    }
    Ok(latencies)
}

fn percentile_micros(latencies: &mut [Duration], percent: usize) -> u128 {
    latencies.sort_unstable();
    let index = latencies.len().saturating_sub(1) * percent / 100;
    latencies.get(index).map_or(0, Duration::as_micros)
}

fn report(name: &str, value: u128) -> Result<()> {
    writeln!(std::io::stdout(), "{name} {value}").context("nobody reads the figures")
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().context("usage: bench_orders HOST:PORT SECONDS")?;
    let time =
        Duration::from_secs(arguments.next().context("usage: bench_orders HOST:PORT SECONDS")?.parse()?);

    let accounts = prepare(&address).await?;
    let limit_price = limit_price(&address, accounts.first().context("no accounts")?).await?;
    let orders =
        Arc::new(Orders { address: address.clone(), accounts, limit_price, turn: AtomicUsize::new(0) });

    let mut health = measure(&address, 200, time, || Ok(get("/health", ""))).await?;
    report("health_p50_micros", percentile_micros(&mut health, 50))?;

    let mut single = measure(&address, 201, time, || orders.next()).await?;
    report("order_p50_micros", percentile_micros(&mut single, 50))?;
    report("order_p99_micros", percentile_micros(&mut single, 99))?;

    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let orders = Arc::clone(&orders);
        clients.spawn(async move { measure(&orders.address, 201, time, || orders.next()).await });
    }
    let mut many = Vec::new();
    while let Some(latencies) = clients.join_next().await {
        many.extend(latencies??);
    }
    report("orders_p50_micros", percentile_micros(&mut many, 50))?;
    report("orders_p99_micros", percentile_micros(&mut many, 99))?;
    let seconds = u128::from(time.as_secs()).max(1);
    report("orders_per_second", u128::try_from(many.len())? / seconds)
}
