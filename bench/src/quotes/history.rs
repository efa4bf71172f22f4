//! History out of Postgres, and bars into it.

use crate::process::{Process, Programs};
use crate::report;
use crate::vendor::Vendor;
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Price;
use market_data::bars::store::{SeriesKey, Store};
use market_data::bars::{Adjustment, Interval, TimedBar};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Requests whose time is taken.
const REQUESTS: usize = 300;
/// Bars of one load.
const BARS: usize = 1_000_000;
/// Bars handed over at once.
const BATCH: usize = 100_000;

/// Both.
pub(crate) async fn run(programs: &Programs) -> Result<()> {
    read(programs).await?;
    load(programs).await
}

/// Ten years of days, again and again; the first time they come from the vendor.
async fn read(programs: &Programs) -> Result<()> {
    let vendor = Vendor::start().await?;
    let process = Process::gaemi(programs, &vendor).await?;
    let today = Utc::now().date_naive();
    let from = today.checked_sub_days(chrono::Days::new(3_652)).context("no such day")?;
    let path = format!("/history/QHIS?from={from}&to={today}&limit=5000");
    let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", process.port)).await?);
    socket.get_ref().set_nodelay(true)?;
    let (mut times, mut bars) = (Vec::with_capacity(REQUESTS), 0);
    for turn in 0..=REQUESTS {
        let begun = Instant::now();
        let body = get(&mut socket, &path).await?;
        if turn > 0 {
            times.push(begun.elapsed());
        }
        bars = String::from_utf8_lossy(&body).matches("\"close\"").count();
    }
    ensure!(bars > 2_000, "only {bars} days came");
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0, Duration::as_micros);
    report("history_days", bars)?;
    report("history_p50_micros", at(50))?;
    report("history_p99_micros", at(99))?;
    process.stop().await
}

async fn get(socket: &mut BufReader<TcpStream>, path: &str) -> Result<Vec<u8>> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    socket.get_mut().write_all(head.as_bytes()).await?;
    let (mut line, mut length, mut first) = (String::new(), 0, true);
    loop {
        line.clear();
        socket.read_line(&mut line).await?;
        ensure!(!first || line.starts_with("HTTP/1.1 200"), "{line}");
        first = false;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    Ok(body)
}

/// A million minutes of one share.
async fn load(programs: &Programs) -> Result<()> {
    let url = programs.database_url.clone().context("BENCH_DATABASE_URL is not set")?;
    let store = Store::new(&url.into()).context("the database's address is none")?;
    let source = Uuid::now_v7().simple().to_string();
    let key = SeriesKey {
        symbol: "QLOAD".parse()?,
        source: source.chars().take(20).collect(),
        interval: Interval::OneMinute,
        adjustment: Adjustment::Raw,
    };
    let price: Price = "150.25".parse()?;
    let first: DateTime<Utc> = "2020-01-02T00:00:00Z".parse()?;
    let bar = |minute: usize| -> Result<TimedBar> {
        let starts_at = first + TimeDelta::minutes(i64::try_from(minute)?);
        Ok(TimedBar { starts_at, open: price, high: price, low: price, close: price, volume: 1_000 })
    };
    let batches =
        (0..BARS.div_ceil(BATCH)).map(|batch| (batch * BATCH..(batch + 1) * BATCH).map(bar).collect());
    let batches: Vec<Vec<TimedBar>> = batches.collect::<Result<_>>()?;
    let days = (first.date_naive(), (first + TimeDelta::minutes(i64::try_from(BARS)?)).date_naive());
    let series = store.find(&key, days.0, days.1).await?.id;
    let begun = Instant::now();
    for bars in &batches {
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else { continue };
        let days = (first.starts_at.date_naive(), last.starts_at.date_naive());
        store.write(series, Interval::OneMinute, bars, Some(days)).await?;
    }
    let micros = begun.elapsed().as_micros().max(1);
    report("load_bars_per_second", u128::try_from(BARS)? * 1_000_000 / micros)
}
