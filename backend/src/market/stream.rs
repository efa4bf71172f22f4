//! Follows the quote server's stream: one connection, kept up, subscribed to what the memory holds.

use super::memory::{ConnectionNumber, Memory};
use domain::Symbol;
use domain::market_data::{Channel, ClientMessage, ServerMessage, ServerNotice, read_server_message};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

/// Longest time to open the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Longest time to send one message.
const SEND_TIME_MAX: Duration = Duration::from_secs(3);
/// Time between two signs of life we ask for.
const PING_PAUSE: Duration = Duration::from_secs(5);
/// Silence after which the connection counts as dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// First pause before connecting again; doubles up to the longest.
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause before connecting again.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Most bytes of a message.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the service and the stream share.
#[derive(Default)]
pub(super) struct Shared {
    memory: Mutex<Memory>,
    /// Rings when a symbol is to be followed that was not before.
    pub(super) changed: Notify,
}

impl Shared {
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        // Every change of the memory is whole in itself, so a panic elsewhere does not spoil it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the connection up until told to stop.
pub(super) async fn follow(request: ClientRequestBuilder, shared: Arc<Shared>, stop: CancellationToken) {
    let mut number = ConnectionNumber(0);
    let mut pause = RECONNECT_PAUSE_MIN;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            outcome = open(&request) => match outcome {
                Ok(socket) => {
                    tracing::info!("quote stream connected");
                    number = ConnectionNumber(number.0.wrapping_add(1));
                    pause = RECONNECT_PAUSE_MIN;
                    shared.memory().set_live(Some(number));
                    let ended = Stream::new(socket, number, &shared).run(&stop).await;
                    shared.memory().set_live(None);
                    tracing::info!(reason = ended, "quote stream ended");
                }
                Err(error) => tracing::debug!(%error, "the quote stream cannot be opened"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(with_jitter(pause)) => pause = (pause * 2).min(RECONNECT_PAUSE_MAX),
        }
    }
}

/// Between half of the pause and all of it, so that many who lost one server do not come back in step.
fn with_jitter(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(0);
    pause / 2 + (pause / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

async fn open(request: &ClientRequestBuilder) -> Result<Socket, Error> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let late = || Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
    let opened =
        timeout(CONNECT_TIME_MAX, connect_async_with_config(request.clone(), Some(config), true)).await;
    opened.map_err(|_| late())?.map(|(socket, _)| socket)
}

struct Stream<'a> {
    sink: SplitSink<Socket, Message>,
    source: SplitStream<Socket>,
    number: ConnectionNumber,
    shared: &'a Shared,
    subscribed: HashSet<Symbol>,
}

impl<'a> Stream<'a> {
    fn new(socket: Socket, number: ConnectionNumber, shared: &'a Shared) -> Self {
        let (sink, source) = socket.split();
        Self { sink, source, number, shared, subscribed: HashSet::new() }
    }

    /// Runs until the connection ends; says why it did.
    async fn run(mut self, stop: &CancellationToken) -> &'static str {
        let mut heard = Instant::now();
        let mut ping = interval(PING_PAUSE);
        loop {
            let sent = tokio::select! {
                () = stop.cancelled() => {
                    let _ = self.send(Message::Close(None)).await;
                    return "stopping";
                }
                () = self.shared.changed.notified() => self.subscribe().await,
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE_MAX {
                        return "silence";
                    }
                    // The first tick comes at once and makes the first subscription.
                    self.subscribe().await && self.send(Message::Ping(Vec::new().into())).await
                }
                message = self.source.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&text),
                        Some(Ok(Message::Close(_))) | None => return "closed by the quote server",
                        Some(Ok(_)) => {}
                        Some(Err(_)) => return "broken",
                    }
                    true
                }
            };
            if !sent {
                return "cannot send";
            }
        }
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_TIME_MAX, self.sink.send(message)).await, Ok(Ok(())))
    }

    /// Brings the subscriptions in line with the memory.
    async fn subscribe(&mut self) -> bool {
        let wanted = self.shared.memory().followed();
        let names = |symbols: &HashSet<Symbol>, others: &HashSet<Symbol>| -> Vec<String> {
            symbols.difference(others).map(ToString::to_string).collect()
        };
        let (gone, new) = (names(&self.subscribed, &wanted), names(&wanted, &self.subscribed));
        let channel = Channel::Quotes;
        let requests = [
            ClientMessage::Unsubscribe { symbols: gone, channel },
            ClientMessage::Subscribe { symbols: new, channel },
        ];
        for request in requests {
            let (ClientMessage::Unsubscribe { symbols, .. } | ClientMessage::Subscribe { symbols, .. }) =
                &request
            else {
                continue;
            };
            if symbols.is_empty() {
                continue;
            }
            let text = serde_json::to_string(&request).unwrap_or_default();
            if !self.send(Message::text(text)).await {
                return false;
            }
        }
        self.subscribed = wanted;
        true
    }

    fn hear(&mut self, text: &str) {
        match read_server_message(text) {
            Ok(ServerMessage::Quote(quote)) => self.shared.memory().told(*quote, self.number, Instant::now()),
            Ok(ServerMessage::Notice(ServerNotice::Error { code, message, symbol })) => {
                tracing::warn!(code, message, "the quote server refused something");
                let symbol = symbol.and_then(|symbol| symbol.parse::<Symbol>().ok());
                if let (Some(symbol), "unknown_symbol") = (symbol, code.as_str()) {
                    self.subscribed.remove(&symbol);
                    self.shared.memory().forget(symbol);
                }
            }
            Ok(ServerMessage::Notice(_)) => {}
            Err(error) => tracing::warn!(%error, "the quote server does not speak its protocol"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_spread_but_never_longer() {
        for _ in 0..1000 {
            let pause = with_jitter(Duration::from_secs(4));
            assert!((Duration::from_secs(2)..=Duration::from_secs(4)).contains(&pause), "{pause:?}");
        }
    }
}
