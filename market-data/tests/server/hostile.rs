//! Clients that do not mean well, and those beside them who notice nothing.

use crate::support::{Server, settings};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Malformed frames that are sent altogether.
const FRAMES: u64 = 10_000;
/// Connections that send them at the same time.
const ATTACKERS: u64 = 8;
/// Frames that are sent on one connection.
const FRAMES_TOGETHER: u64 = 10;
/// Longest pause between two quotes that a bystander may see: they come every 50 ms.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Numbers that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }
}

/// A client's frame around a payload.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![opcode];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// A frame that is wrong in some way: in its bits, its lengths, its text or what the text says.
fn malformed(dice: &mut Dice) -> Vec<u8> {
    const REQUEST: &[u8] = br#"{"action":"subscribe","symbols":["AAPL","005930.KS"],"channel":"bars"}"#;
    let mut payload = REQUEST.to_vec();
    for _ in 0..=dice.roll(4) {
        let place = dice.roll(u64::try_from(payload.len()).unwrap());
        match dice.roll(4) {
            0 => payload[place] = dice.byte(),
            1 => payload.insert(place, dice.byte()),
            2 => payload.truncate(place.max(1)),
            _ => payload.extend_from_within(place..),
        }
    }
    let mut frame = frame(0x81, &payload);
    match dice.roll(4) {
        // The header too, half of the time; and some frames end early.
        0 => frame[0] = dice.byte(),
        1 => frame[1] = dice.byte(),
        2 => frame.truncate(1 + dice.roll(u64::try_from(frame.len()).unwrap())),
        _ => {}
    }
    frame
}

/// Connects as a WebSocket, without a protocol layer that would keep it from sending nonsense.
async fn raw(port: u16) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    socket
}

/// Sends malformed frames, some on a connection, and waits until the server has heard them or had enough.
async fn attack(port: u16, seed: u64, frames: u64) {
    let mut dice = Dice(seed);
    let mut rest = Vec::new();
    for _ in 0..frames / FRAMES_TOGETHER {
        let mut socket = raw(port).await;
        for _ in 0..FRAMES_TOGETHER {
            if socket.write_all(&malformed(&mut dice)).await.is_err() {
                break;
            }
        }
        let _ = socket.shutdown().await;
        rest.clear();
        let _ = timeout(crate::support::DEADLINE, socket.read_to_end(&mut rest)).await.expect("it lets go");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_malformed_frames_change_nothing_for_the_others() {
    let server = Server::start_with(settings(&[
        ("GAEMI_PROVIDERS", "synthetic"),
        ("GAEMI_SYNTHETIC_TICK_MILLIS", "50"),
    ]))
    .await;
    let mut bystander = server.connect().await;
    bystander.subscribe(&["MSFT"]).await;
    let mut last = bystander.quote_of("MSFT").await;
    let port = server.port;
    let attackers = (1..=ATTACKERS).map(|seed| tokio::spawn(attack(port, seed, FRAMES / ATTACKERS)));
    let attackers: Vec<_> = attackers.collect();
    let mut heard_at = Instant::now();
    while attackers.iter().any(|attacker| !attacker.is_finished()) {
        let quote = bystander.quote_of("MSFT").await;
        assert!(quote.at > last.at && heard_at.elapsed() < PAUSE_MAX, "the bystander has waited");
        (last, heard_at) = (quote, Instant::now());
    }
    for attacker in attackers {
        attacker.await.unwrap();
    }
    bystander.say(r#"{"action":"ping"}"#).await;
    bystander.quote_of("MSFT").await;
    let status = server.until_status(|status| status["subscribers"]["connections"] == 1).await;
    assert_eq!(status["subscribers"]["symbols"], 1, "nobody's wishes are left behind");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_byte_by_byte_or_in_pieces_is_one_request() {
    let server = Server::replay().await;
    let mut socket = raw(server.port).await;
    let whole = frame(0x81, br#"{"action":"ping"}"#);
    let pieces = [frame(0x01, br#"{"act"#), frame(0x00, br#"ion":"#), frame(0x80, br#""ping"}"#)].concat();
    for byte in whole.into_iter().chain(pieces) {
        socket.write_all(&[byte]).await.unwrap();
    }
    let mut read = Vec::new();
    let pongs = async {
        loop {
            socket.read_buf(&mut read).await.unwrap();
            if read.windows(15).filter(|window| window == br#"{"type":"pong"}"#).count() == 2 {
                return;
            }
        }
    };
    timeout(crate::support::DEADLINE, pongs).await.expect("two pongs come");
    server.stop().await;
}
