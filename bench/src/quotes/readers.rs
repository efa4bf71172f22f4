//! Subscribers: they read what comes, count it and take the time it was on its way.

use crate::quote::{Clock, read_stamp};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Times are told apart in steps of so many microseconds.
const STEP_MICROS: u64 = 20;
/// Longest time that is told apart: two seconds.
const STEPS: usize = 100_000;
/// A ping of the server, and what a client answers, masked with zeros.
const PING: u8 = 0x89;
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];
/// What is read at once.
const READ_SIZE: usize = 64 * 1024;
/// Clients that connect at the same time.
const CONNECTING_MAX: usize = 50;
/// A handshake that takes longer ends the run.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(20);

/// What all readers have seen.
pub(crate) struct Seen {
    /// Messages with a stamp since the beginning.
    pub(crate) messages: AtomicU64,
    /// Messages sent within the window.
    pub(crate) in_window: AtomicU64,
    /// Readers whose connection has ended.
    pub(crate) ended: AtomicUsize,
    window: (AtomicU64, AtomicU64),
    times: Vec<AtomicU64>,
}

impl Seen {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            messages: AtomicU64::new(0),
            in_window: AtomicU64::new(0),
            ended: AtomicUsize::new(0),
            window: (AtomicU64::new(u64::MAX), AtomicU64::new(0)),
            times: (0..STEPS).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    /// From now on, messages sent from one moment up to another count.
    pub(crate) fn open(&self, from: u64, to: u64) {
        self.times.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        self.in_window.store(0, Ordering::Relaxed);
        self.window.0.store(from, Ordering::Relaxed);
        self.window.1.store(to, Ordering::Relaxed);
    }

    fn note(&self, stamp: u64, now: u64) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        if (self.window.0.load(Ordering::Relaxed)..self.window.1.load(Ordering::Relaxed)).contains(&stamp) {
            self.in_window.fetch_add(1, Ordering::Relaxed);
            let step = usize::try_from(now.saturating_sub(stamp) / STEP_MICROS).unwrap_or(STEPS);
            if let Some(count) = self.times.get(step.min(STEPS - 1)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The time that so many of a thousand messages were not above, in microseconds.
    pub(crate) fn permille_micros(&self, permille: u64) -> u64 {
        let wanted = self.in_window.load(Ordering::Relaxed) * permille / 1_000;
        let mut below = 0;
        let step = self.times.iter().position(|count| {
            below += count.load(Ordering::Relaxed);
            below >= wanted
        });
        (u64::try_from(step.unwrap_or(STEPS)).unwrap_or(0) + 1) * STEP_MICROS
    }
}

/// Connects and subscribes.
async fn join(port: u16, symbols: &[String], receive_buffer: Option<u32>) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let mut socket = socket.connect(([127, 0, 0, 1], port).into()).await?;
    socket.set_nodelay(true)?;
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await?);
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    let request = json!({ "action": "subscribe", "channel": "ticks", "symbols": symbols }).to_string();
    // Masked with zeros: the text stays as it is.
    let mut frame = vec![0x81];
    match u8::try_from(request.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(request.len())?.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(request.as_bytes());
    socket.write_all(&frame).await?;
    Ok(socket)
}

/// Connects clients, some at a time; each follows what `symbols` says for its number.
pub(crate) async fn join_all(
    port: u16,
    count: usize,
    receive_buffer: Option<u32>,
    symbols: impl Fn(usize) -> Vec<String>,
) -> Result<Vec<TcpStream>> {
    let (mut sockets, mut joining, mut next) = (Vec::with_capacity(count), JoinSet::new(), 0);
    while sockets.len() < count {
        while next < count && joining.len() < CONNECTING_MAX {
            let wanted = symbols(next);
            next += 1;
            joining.spawn(async move {
                let joined =
                    tokio::time::timeout(HANDSHAKE_TIME_MAX, join(port, &wanted, receive_buffer)).await;
                joined.context("no handshake in time")?
            });
        }
        sockets.push(joining.join_next().await.context("nobody is joining")???);
    }
    Ok(sockets)
}

/// Reads until the connections end or the set is dropped.
pub(crate) fn read_all(sockets: Vec<TcpStream>, clock: Clock, seen: &Arc<Seen>) -> JoinSet<()> {
    let mut reading = JoinSet::new();
    for socket in sockets {
        let seen = Arc::clone(seen);
        reading.spawn(async move {
            let _ = read(socket, clock, &seen).await;
            seen.ended.fetch_add(1, Ordering::Relaxed);
        });
    }
    reading
}

thread_local! {
    static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; READ_SIZE]);
}

async fn read(socket: TcpStream, clock: Clock, seen: &Seen) -> Result<()> {
    // What is left of a frame whose end has not come yet.
    let mut rest: Vec<u8> = Vec::new();
    loop {
        socket.readable().await?;
        let went_on = BUFFER.with_borrow_mut(|buffer| {
            let count = match socket.try_read(buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            let (now, fresh) = (clock.micros(), buffer.get(..count).unwrap_or_default());
            let mut tell = |kind: u8, message: &[u8]| {
                if kind == PING {
                    let _ = socket.try_write(&PONG);
                } else if let Some(stamp) = read_stamp(message) {
                    seen.note(stamp, now);
                }
            };
            if rest.is_empty() {
                rest.extend_from_slice(frames(fresh, &mut tell));
            } else {
                rest.extend_from_slice(fresh);
                let left = frames(&rest, &mut tell).len();
                rest.drain(..rest.len() - left);
            }
            Ok(true)
        });
        if !went_on? {
            return Ok(());
        }
    }
}

/// Tells kind and payload of each whole frame; what is left behind the last one.
fn frames<'a>(mut bytes: &'a [u8], tell: &mut impl FnMut(u8, &[u8])) -> &'a [u8] {
    loop {
        let (kind, header, length) = match bytes {
            [kind, 126, high, low, ..] => (*kind, 4, usize::from(u16::from_be_bytes([*high, *low]))),
            [kind, length @ 0..=125, ..] => (*kind, 2, usize::from(*length)),
            _ => return bytes,
        };
        let Some(payload) = bytes.get(header..header + length) else { return bytes };
        tell(kind, payload);
        bytes = bytes.get(header + length..).unwrap_or_default();
    }
}
