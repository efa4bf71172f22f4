//! One WebSocket connection: what the client says, what it is sent, and when it is let go.

use crate::feed::Feed;
use crate::hub::{SubscribeError, notice, unknown_symbol};
use crate::mailbox::Mailbox;
use crate::settings::Limits;
use domain::Symbol;
use domain::market_data::{ClientMessage, SYMBOLS_PER_CONNECTION_MAX, ServerNotice};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

/// Largest message of a client, in bytes: a subscription to everything it may have, and room.
const MESSAGE_SIZE_MAX: usize = 16 * 1024;
/// Memory for what a client says, in bytes.
const READ_BUFFER_SIZE: usize = 2 * 1024;
/// Frames are collected up to so many bytes before the socket is written to.
const WRITE_BUFFER_SIZE: usize = 16 * 1024;
/// Most bytes waiting for a socket; the mailbox is where quotes wait.
const WRITE_BUFFER_SIZE_MAX: usize = 64 * 1024;
/// How long a client may take to read a goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The bounds of the protocol layer.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_SIZE_MAX))
        .max_frame_size(Some(MESSAGE_SIZE_MAX))
        .read_buffer_size(READ_BUFFER_SIZE)
        .write_buffer_size(WRITE_BUFFER_SIZE)
        .max_write_buffer_size(WRITE_BUFFER_SIZE_MAX)
}

/// Why a connection ends, from our side.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The client left, or the line broke.
    Gone,
    /// It reads too slowly, or not at all.
    Slow,
    /// It says nothing any more.
    Silent,
    /// It says too much.
    Flood,
    /// A message larger than [`MESSAGE_SIZE_MAX`].
    TooLarge,
    /// We stop.
    Stopping,
}

impl End {
    const fn close(self) -> Option<(CloseCode, &'static str)> {
        match self {
            // Who does not read will not read a goodbye either.
            Self::Gone | Self::Slow => None,
            Self::Silent => Some((CloseCode::Policy, "no answer to pings")),
            Self::Flood => Some((CloseCode::Policy, "too many messages")),
            Self::TooLarge => Some((CloseCode::Size, "message too large")),
            Self::Stopping => Some((CloseCode::Away, "the server stops")),
        }
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    feed: &Feed,
    limits: &Limits,
    stop: &CancellationToken,
) {
    let mailbox = Arc::new(Mailbox::default());
    let (mut sink, mut stream) = socket.split();
    feed.hub.counters.connections.fetch_add(1, Ordering::Relaxed);
    let client = Client { feed, mailbox: &mailbox };
    client.tell_status();
    let end = tokio::select! {
        end = client.listen(&mut stream, limits) => end,
        end = deliver(&mut sink, &mailbox, limits) => end,
        () = stop.cancelled() => End::Stopping,
    };
    feed.hub.unsubscribe(&mailbox, &mailbox.subscribed());
    feed.hub.counters.connections.fetch_sub(1, Ordering::Relaxed);
    tracing::debug!(?end, "subscriber left");
    if let Some((code, reason)) = end.close() {
        let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(CLOSE_TIMEOUT, sink.send(goodbye)).await;
    }
}

/// Writes what waits in the mailbox: everything there is, then one flush. Asks for a sign of life now and then.
async fn deliver<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    mailbox: &Mailbox,
    limits: &Limits,
) -> End {
    loop {
        let frames = match timeout(limits.ping_interval, mailbox.take()).await {
            Ok(Some(frames)) => frames.into_iter().map(Message::Text).collect(),
            Ok(None) => return End::Slow,
            Err(_) => vec![Message::Ping(Bytes::new())],
        };
        let write = async {
            for frame in frames {
                sink.feed(frame).await?;
            }
            sink.flush().await
        };
        match timeout(limits.write_stall_max, write).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::Slow,
        }
    }
}

/// Tokens that a client spends by speaking and gets back with time.
struct Allowance {
    tokens: u32,
    refilled: Instant,
}

impl Allowance {
    fn spend(&mut self, limits: &Limits) -> bool {
        let per_token = Duration::from_secs(1) / limits.messages_per_second_max.max(1);
        let earned = self.refilled.elapsed().as_nanos() / per_token.as_nanos().max(1);
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if self.tokens.saturating_add(earned) >= limits.messages_burst_max {
            (self.tokens, self.refilled) = (limits.messages_burst_max, Instant::now());
        } else {
            self.tokens = self.tokens.saturating_add(earned);
            self.refilled += per_token * earned;
        }
        let allowed = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        allowed
    }
}

/// The client's side of the conversation.
struct Client<'a> {
    feed: &'a Feed,
    mailbox: &'a Arc<Mailbox>,
}

impl Client<'_> {
    async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut SplitStream<WebSocketStream<S>>,
        limits: &Limits,
    ) -> End {
        let mut allowance = Allowance { tokens: limits.messages_burst_max, refilled: Instant::now() };
        loop {
            let message = match timeout(limits.silence_max, stream.next()).await {
                Err(_) => return End::Silent,
                Ok(Some(Err(Error::Capacity(_)))) => return End::TooLarge,
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return End::Gone,
                Ok(Some(Ok(message))) => message,
            };
            if !allowance.spend(limits) {
                return End::Flood;
            }
            match message {
                Message::Text(text) => self.heed(text.as_str()),
                Message::Binary(_) => self.tell_error("malformed_message", "messages are JSON text", None),
                // Pings are answered by the protocol layer; a pong has served by coming.
                _ => {}
            }
        }
    }

    fn heed(&self, text: &str) {
        match serde_json::from_str(text) {
            Ok(ClientMessage::Subscribe { symbols }) => self.subscribe(&symbols),
            Ok(ClientMessage::Unsubscribe { symbols }) => {
                let symbols: Vec<Symbol> = symbols.iter().filter_map(|symbol| self.read(symbol)).collect();
                self.feed.hub.unsubscribe(self.mailbox, &symbols);
                self.tell_status();
            }
            Ok(ClientMessage::Ping) => self.mailbox.put_notice(notice(&ServerNotice::Pong)),
            Err(error) => self.tell_error("malformed_message", &error.to_string(), None),
        }
    }

    fn read(&self, text: &str) -> Option<Symbol> {
        let symbol = text.parse();
        if let Err(error) = &symbol {
            let shown: String = text.chars().take(domain::instrument::SYMBOL_LENGTH_MAX * 2).collect();
            self.tell_error("invalid_symbol", &format!("{error}"), Some(shown));
        }
        symbol.ok()
    }

    fn subscribe(&self, symbols: &[String]) {
        for symbol in symbols.iter().filter_map(|symbol| self.read(symbol)) {
            if self.feed.provider_of(symbol).is_none() {
                self.mailbox.put_notice(notice(&unknown_symbol(symbol.as_str())));
                continue;
            }
            let refusal = match self.feed.hub.subscribe(self.mailbox, symbol) {
                Ok(()) => continue,
                Err(SubscribeError::ConnectionFull) => {
                    format!("a connection may have {SYMBOLS_PER_CONNECTION_MAX} symbols")
                }
                Err(SubscribeError::ServerFull) => "all clients together want too many symbols".to_owned(),
            };
            self.tell_error("too_many_symbols", &refusal, Some(symbol.as_str().to_owned()));
        }
        self.tell_status();
    }

    fn tell_status(&self) {
        let providers = self.feed.providers.iter().map(|provider| provider.name().to_owned()).collect();
        self.mailbox
            .put_notice(notice(&ServerNotice::Status { subscribed: self.mailbox.subscribed(), providers }));
    }

    fn tell_error(&self, code: &str, message: &str, symbol: Option<String>) {
        let error = ServerNotice::Error { code: code.to_owned(), message: message.to_owned(), symbol };
        self.mailbox.put_notice(notice(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_may_burst_and_then_speak_at_the_rate() {
        let limits = Limits { messages_per_second_max: 10, messages_burst_max: 3, ..Limits::default() };
        let mut allowance = Allowance { tokens: 3, refilled: Instant::now() };
        assert!((0..3).all(|_| allowance.spend(&limits)));
        assert!(!allowance.spend(&limits));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(allowance.spend(&limits));
        assert!(!allowance.spend(&limits));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            (0..10).filter(|_| allowance.spend(&limits)).count(),
            3,
            "silence saves no more than a burst"
        );
    }
}
