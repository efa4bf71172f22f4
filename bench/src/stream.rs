//! From an order's acceptance to its position on the event stream.

use crate::accounts::{Account, SYMBOL};
use crate::http::{Connection, get, post, text};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Orders a second.
const ORDERS_PER_SECOND: u32 = 100;
/// How long the last orders' events may take.
const LAST_EVENTS_TIME_MAX: Duration = Duration::from_secs(5);
/// Answers that may wait to be compared.
const ANSWERS_WAITING_MAX: usize = 1024;

/// Orders by market, bought and sold in turn, at a steady rate; returns how long after each was accepted the position it
/// made was told.
pub(crate) async fn fills_to_positions(
    address: &str,
    account: &Account,
    time: Duration,
) -> Result<Vec<Duration>> {
    let (accepted, answers) = mpsc::channel(ANSWERS_WAITING_MAX);
    let listening = listen(address, account, answers).await?;
    let mut connection = Connection::open(address).await?;
    let mut clock = tokio::time::interval(Duration::from_secs(1) / ORDERS_PER_SECOND);
    let (begun, mut side) = (Instant::now(), "buy");
    while begun.elapsed() < time {
        clock.tick().await;
        let body = format!(
            r#"{{"accountId":"{}","symbol":"{SYMBOL}","side":"{side}","type":"market","timeInForce":"day","quantity":"1"}}"#,
            account.id
        );
        let (status, body) = connection.exchange(&post("/api/orders", &account.token, &body)).await?;
        // A sale that comes before the purchase is booked is refused; that is no matter here.
        if status == 201 {
            let order: Value = serde_json::from_slice(body)?;
            accepted.send((text(&order, "id")?.to_owned(), Instant::now())).await?;
        } else {
            ensure!(status == 422, "status {status}: {}", String::from_utf8_lossy(body));
        }
        side = if side == "buy" { "sell" } else { "buy" };
    }
    drop(accepted);
    listening.await?
}

async fn listen(
    address: &str,
    account: &Account,
    mut answers: mpsc::Receiver<(String, Instant)>,
) -> Result<JoinHandle<Result<Vec<Duration>>>> {
    let connection = Connection::open(address).await?;
    let mut lines = connection.lines(&get("/api/events", &account.token)).await?;
    // The first event greets; from then on nothing is missed.
    while !lines.next_line().await?.context("the stream ended")?.starts_with("event: hello") {}
    Ok(tokio::spawn(async move {
        let (mut told, mut fresh) = (HashMap::<String, Instant>::new(), Vec::new());
        let (mut accepted, mut kind, mut ended_at) = (HashMap::<String, Instant>::new(), String::new(), None);
        let mut latencies = Vec::new();
        loop {
            tokio::select! {
                answer = answers.recv(), if ended_at.is_none() => match answer {
                    Some((order, at)) => drop(accepted.insert(order, at)),
                    None => ended_at = Some(Instant::now()),
                },
                line = tokio::time::timeout(Duration::from_millis(100), lines.next_line()) => {
                    if let Ok(line) = line {
                        let line = line?.context("the stream ended")?;
                        if let Some(name) = line.strip_prefix("event: ") {
                            name.clone_into(&mut kind);
                        } else if let Some(data) = line.strip_prefix("data: ") {
                            if kind == "execution" {
                                fresh.push(text(&serde_json::from_str(data)?, "orderId")?.to_owned());
                            } else if kind == "position" {
                                let now = Instant::now();
                                told.extend(fresh.drain(..).map(|order| (order, now)));
                            }
                        }
                    }
                }
            }
            accepted.retain(|order, at| match told.remove(order) {
                Some(told_at) => {
                    latencies.push(told_at.saturating_duration_since(*at));
                    false
                }
                None => true,
            });
            match ended_at {
                Some(_) if accepted.is_empty() => return Ok(latencies),
                Some(at) => {
                    ensure!(at.elapsed() < LAST_EVENTS_TIME_MAX, "{} orders were never told", accepted.len())
                }
                None => {}
            }
        }
    }))
}
