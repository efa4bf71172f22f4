//! Times of requests, and their percentiles.

use crate::accounts::RestingOrders;
use crate::http::Connection;
use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Requests of a connection before its time is taken.
const WARM_UP_REQUESTS: usize = 200;
/// Longest time for requests that do not count.
const WARM_UP_TIME_MAX: Duration = Duration::from_secs(60);

/// Sends what `request` makes, one after the other, until time or number is reached, and returns how long each answer took.
async fn exchange_all(
    connection: &mut Connection,
    expected: u16,
    (time, number): (Duration, usize),
    request: impl Fn() -> Result<Vec<u8>>,
) -> Result<Vec<Duration>> {
    let (begun, mut latencies) = (Instant::now(), Vec::new());
    while begun.elapsed() < time && latencies.len() < number {
        let next = request()?;
        let sent = Instant::now();
        let (status, body) = connection.exchange(&next).await?;
        latencies.push(sent.elapsed());
        ensure!(status == expected, "status {status}: {}", String::from_utf8_lossy(body));
    }
    Ok(latencies)
}

/// The times of one client's requests, after some that do not count.
pub(crate) async fn measure(
    address: &str,
    expected: u16,
    time: Duration,
    request: impl Fn() -> Result<Vec<u8>>,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    exchange_all(&mut connection, expected, (WARM_UP_TIME_MAX, WARM_UP_REQUESTS), &request).await?;
    exchange_all(&mut connection, expected, (time, usize::MAX), request).await
}

/// One order for each account: the server has seen them all before anything is measured.
pub(crate) async fn visit_all(address: &str, orders: &RestingOrders) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let all = (WARM_UP_TIME_MAX, orders.accounts.len());
    exchange_all(&mut connection, 201, all, || orders.next()).await.map(drop)
}

/// The same from several clients at once.
pub(crate) async fn measure_together(
    address: &str,
    clients: usize,
    time: Duration,
    orders: &Arc<RestingOrders>,
) -> Result<Vec<Duration>> {
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (orders, address) = (Arc::clone(orders), address.to_owned());
        running.spawn(async move { measure(&address, 201, time, || orders.next()).await });
    }
    let mut latencies = Vec::new();
    while let Some(client) = running.join_next().await {
        latencies.extend(client??);
    }
    Ok(latencies)
}

/// The time that `percent` of a hundred are not above.
pub(crate) fn percentile_micros(latencies: &mut [Duration], percent: usize) -> u128 {
    latencies.sort_unstable();
    let index = latencies.len().saturating_sub(1) * percent / 100;
    latencies.get(index).map_or(0, Duration::as_micros)
}

/// How many a second.
pub(crate) fn per_second(count: usize, time: Duration) -> Result<u128> {
    Ok(u128::try_from(count)? / u128::from(time.as_secs()).max(1))
}

/// Prints one figure.
pub(crate) fn report(name: &str, value: impl std::fmt::Display) -> Result<()> {
    writeln!(std::io::stdout(), "{name} {value}").context("nobody reads the figures")
}
