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

/// Sends what `request` makes, one after the other, and returns how long each answer took.
pub(crate) async fn measure(
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
