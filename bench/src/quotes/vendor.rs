//! A stand-in for the vendor whose prices the quote server takes in: last values and bars over HTTP, trades on a stream.

use crate::quote::symbol;
use anyhow::{Context, Result};
use chrono::{Datelike as _, Days, NaiveDate, SecondsFormat, Utc};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio_tungstenite::tungstenite::Message;

/// Longest request line and headers.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Frames that may wait for the server to take them.
const FRAMES_WAITING_MAX: usize = 64;
/// A server that takes nothing for so long ends the run.
const TAKING_TIME_MAX: Duration = Duration::from_secs(20);
/// New York's day begins some hours after UTC's.
const NEW_YORK_MIDNIGHT_HOUR: &str = "05:00:00Z";
/// Days of history it has: somewhat more than ten years.
const DAYS: u64 = 3_700;

/// The stand-in at work.
pub(crate) struct Vendor {
    pub(crate) data_url: String,
    pub(crate) stream_url: String,
    frames: mpsc::Sender<String>,
}

impl Vendor {
    pub(crate) async fn start() -> Result<Self> {
        let (rest, stream) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (data_url, stream_url) =
            (format!("http://{}", rest.local_addr()?), format!("ws://{}", stream.local_addr()?));
        let (frames, waiting) = mpsc::channel(FRAMES_WAITING_MAX);
        tokio::spawn(async move {
            while let Ok((socket, _)) = rest.accept().await {
                tokio::spawn(answer(socket));
            }
        });
        let waiting = Arc::new(Mutex::new(waiting));
        tokio::spawn(async move {
            while let Ok((socket, _)) = stream.accept().await {
                tokio::spawn(converse(socket, Arc::clone(&waiting)));
            }
        });
        Ok(Self { data_url, stream_url, frames })
    }

    /// Sends trades in one message.
    pub(crate) async fn send(&self, trades: &[String]) -> Result<()> {
        let sending = self.frames.send_timeout(format!("[{}]", trades.join(",")), TAKING_TIME_MAX);
        sending.await.context("the server takes no more trades")
    }
}

async fn converse(socket: TcpStream, frames: Arc<Mutex<mpsc::Receiver<String>>>) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = tokio_tungstenite::accept_async(socket).await?;
    socket.send(Message::text(r#"[{"T":"success","msg":"connected"}]"#)).await?;
    socket.next().await.context("it hangs up")??;
    socket.send(Message::text(r#"[{"T":"success","msg":"authenticated"}]"#)).await?;
    // A server that comes back takes the place of the conversation before.
    let mut frames = frames.lock().await;
    loop {
        tokio::select! {
            // Whatever it follows, it gets every trade.
            said = socket.next() => drop(said.context("it hangs up")??),
            frame = frames.recv() => socket.send(Message::text(frame.context("the run has ended")?)).await?,
        }
    }
}

async fn answer(mut socket: TcpStream) -> Result<()> {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > HEAD_BYTES_MAX || socket.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let request = String::from_utf8_lossy(&head);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let symbols = query.split('&').find_map(|pair| pair.strip_prefix("symbols=")).unwrap_or_default();
        let body =
            if path.ends_with("/bars") { bars(symbols) } else { snapshots(&symbols.replace("%2C", ",")) };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(answer.as_bytes()).await?;
    }
}

fn day_bar(day: NaiveDate) -> Value {
    json!({ "t": format!("{day}T{NEW_YORK_MIDNIGHT_HOUR}"), "o": 150, "h": 160, "l": 140, "c": 148, "v": 1_000_000 })
}

fn snapshots(symbols: &str) -> Value {
    let now = Utc::now();
    let today = (now - chrono::TimeDelta::hours(5)).date_naive();
    let one = json!({
        "latestTrade": { "t": now.to_rfc3339_opts(SecondsFormat::Micros, true), "p": 150, "s": 1 },
        "dailyBar": { "t": format!("{today}T{NEW_YORK_MIDNIGHT_HOUR}"), "o": 150, "h": 160, "l": 140, "c": 150, "v": 1 },
        "prevDailyBar": day_bar(today - Days::new(1)),
    });
    symbols
        .split(',')
        .map(|symbol| (symbol.to_owned(), one.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn bars(name: &str) -> Value {
    let today = Utc::now().date_naive();
    let days = (1..=DAYS).rev().filter_map(|ago| today.checked_sub_days(Days::new(ago)));
    let days = days.filter(|day| day.weekday().number_from_monday() <= 5);
    let bars: Vec<_> = days.map(day_bar).collect();
    json!({ "bars": { name: bars }, "next_page_token": null })
}

/// The names of so many shares.
pub(crate) fn symbols(count: usize) -> Vec<String> {
    (0..count).map(symbol).collect()
}
