//! The simulator as an ordinary subscriber of the quote server: the latest value of each symbol, nothing older.

use super::config::{
    MESSAGE_BYTES_MAX, PING_PAUSE, RECONNECT_PAUSE_FIRST, RECONNECT_PAUSE_MAX, SILENCE_MAX,
    SYMBOLS_PER_MESSAGE_MAX,
};
use anyhow::{Context, bail};
use domain::market_data::{Channel, ClientMessage, ServerMessage, ServerNotice, read_server_message};
use domain::{Quote, Symbol};
use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Quotes that wait for the engine: at most one per followed symbol.
#[derive(Debug)]
pub(super) struct Quotes {
    waiting: Mutex<BTreeMap<Symbol, Quote>>,
    arrived: Notify,
    wanted: watch::Sender<BTreeSet<Symbol>>,
}

impl Quotes {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            wanted: watch::Sender::new(BTreeSet::new()),
        })
    }

    /// Says which symbols matter.
    pub(super) fn follow(&self, symbols: BTreeSet<Symbol>) {
        self.wanted.send_if_modified(|wanted| {
            let differs = *wanted != symbols;
            *wanted = symbols;
            differs
        });
    }

    /// Waits until there is a quote.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Takes all that wait.
    pub(super) fn take(&self) -> Vec<Quote> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_values().collect()
    }

    /// Puts a quote where the engine finds it, in place of an older one.
    pub(super) fn put(&self, quote: Quote) {
        // Only what was asked for, so that the map has a bound whatever the server sends.
        if !self.wanted.borrow().contains(&quote.symbol) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&quote.symbol).is_none_or(|older| older.at <= quote.at) {
            waiting.insert(quote.symbol, quote);
        }
        drop(waiting);
        self.arrived.notify_one();
    }
}

/// What opens the quote server's WebSocket, with the token that it wants to be shown.
///
/// # Errors
/// When the address cannot be used.
pub(super) fn socket_request(
    market_data_url: &str,
    token: Option<&SecretString>,
) -> anyhow::Result<ClientRequestBuilder> {
    let url = socket_url(market_data_url).parse().context("GAEMI_MARKET_DATA_URL is no address")?;
    let request = ClientRequestBuilder::new(url);
    Ok(match token {
        Some(token) => request.with_header("authorization", format!("Bearer {}", token.expose_secret())),
        None => request,
    })
}

/// Address of the quote server's WebSocket.
fn socket_url(market_data_url: &str) -> String {
    // "http" becomes "ws", and with it "https" becomes "wss".
    format!("{}/ws", market_data_url.replacen("http", "ws", 1))
}

/// Keeps a subscription until told to stop.
pub(super) async fn run(quotes: Arc<Quotes>, request: ClientRequestBuilder, stop: CancellationToken) {
    let mut pause = RECONNECT_PAUSE_FIRST;
    loop {
        let started = Instant::now();
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = converse(&quotes, &request) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(error = format!("{error:#}"), "no quotes; the quote server is called again");
        }
        if started.elapsed() > SILENCE_MAX {
            pause = RECONNECT_PAUSE_FIRST;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(with_jitter(pause)) => {}
        }
        pause = (pause * 2).min(RECONNECT_PAUSE_MAX);
    }
}

/// Between half and the whole of a pause, so that many callers do not call as one.
fn with_jitter(pause: Duration) -> Duration {
    let random = u32::try_from(Uuid::now_v7().as_u128() % 1024).unwrap_or(0);
    pause / 2 + pause / 2 * random / 1024
}

async fn connect(request: &ClientRequestBuilder) -> anyhow::Result<Socket> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let connecting = connect_async_with_config(request.clone(), Some(limits), true);
    let (socket, _) = timeout(SILENCE_MAX, connecting)
        .await
        .context("the quote server does not answer")?
        .context("the quote server cannot be reached")?;
    Ok(socket)
}

async fn converse(quotes: &Quotes, request: &ClientRequestBuilder) -> anyhow::Result<()> {
    let mut wanted = quotes.wanted.subscribe();
    let mut socket = connect(request).await?;
    let mut subscribed = BTreeSet::new();
    let mut pings = interval(PING_PAUSE);
    let mut heard = Instant::now();
    let target = wanted.borrow_and_update().clone();
    update(&mut socket, &mut subscribed, &target).await?;
    loop {
        tokio::select! {
            changed = wanted.changed() => {
                changed.context("the simulator has ended")?;
                let target = wanted.borrow_and_update().clone();
                update(&mut socket, &mut subscribed, &target).await?;
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    bail!("the quote server has fallen silent");
                }
                send(&mut socket, &ClientMessage::Ping).await?;
            }
            message = socket.next() => {
                heard = Instant::now();
                match message.context("the quote server hung up")?? {
                    Message::Text(text) => hear(quotes, text.as_str()),
                    Message::Close(_) => bail!("the quote server hung up"),
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
        }
    }
}

fn hear(quotes: &Quotes, text: &str) {
    match read_server_message(text) {
        Ok(ServerMessage::Quote(quote)) => quotes.put(*quote),
        Ok(ServerMessage::Notice(ServerNotice::Error { code, message, symbol })) => {
            tracing::warn!(code, message, symbol, "the quote server refuses");
        }
        Ok(ServerMessage::Notice(ServerNotice::Status { .. } | ServerNotice::Pong)) => {}
        Err(error) => tracing::warn!(%error, "a message of the quote server cannot be read"),
    }
}

/// Brings the subscription to the wanted symbols.
async fn update(
    socket: &mut Socket,
    subscribed: &mut BTreeSet<Symbol>,
    wanted: &BTreeSet<Symbol>,
) -> anyhow::Result<()> {
    let texts = |symbols: &[Symbol]| symbols.iter().map(Symbol::to_string).collect::<Vec<_>>();
    let gone: Vec<Symbol> = subscribed.difference(wanted).copied().collect();
    for symbols in gone.chunks(SYMBOLS_PER_MESSAGE_MAX) {
        let symbols = texts(symbols);
        send(socket, &ClientMessage::Unsubscribe { symbols, channel: Channel::Quotes }).await?;
    }
    let added: Vec<Symbol> = wanted.difference(subscribed).copied().collect();
    for symbols in added.chunks(SYMBOLS_PER_MESSAGE_MAX) {
        let symbols = texts(symbols);
        send(socket, &ClientMessage::Subscribe { symbols, channel: Channel::Quotes }).await?;
    }
    subscribed.clone_from(wanted);
    Ok(())
}

async fn send(socket: &mut Socket, message: &ClientMessage) -> anyhow::Result<()> {
    let text = serde_json::to_string(message)?;
    timeout(SILENCE_MAX, socket.send(Message::text(text)))
        .await
        .context("the quote server does not read")??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_rest() {
        assert_eq!(socket_url("http://127.0.0.1:8001"), "ws://127.0.0.1:8001/ws");
        assert_eq!(socket_url("https://quotes.example"), "wss://quotes.example/ws");
    }

    #[test]
    fn pauses_differ_and_stay_in_bounds() {
        for _ in 0..100 {
            let pause = with_jitter(Duration::from_millis(200));
            assert!((Duration::from_millis(100)..=Duration::from_millis(200)).contains(&pause));
        }
    }
}
