//! The quote stream for browsers: what the quote server says, passed on under this server's own address.
//!
//! A browser that reads slowly holds back its own connection to the quote server, which then keeps only the latest value
//! of each symbol for it: nothing piles up here.

use crate::error::{ApiError, ErrorCode};
use crate::market::stream_request;
use crate::openapi::Routes;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason, Message as ClientMessage, MessageStream, Session};
use futures_util::{SinkExt, StreamExt};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::Message as ServerMessage;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

/// Most browsers' connections at once. Fewer than the quote server allows from one address, so that browsers never take the
/// places of the programs beside us.
pub const RELAYS_MAX: usize = 200;
/// Longest time to open the connection to the quote server.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Longest time to pass one message on; whoever takes longer is let go.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);
/// Time between two signs of life asked of the browser.
const PING_PAUSE: Duration = Duration::from_secs(20);
/// Silence after which a browser counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Most bytes of a browser's message: a subscription to everything is a quarter of it.
const CLIENT_MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Most bytes of the quote server's message.
const SERVER_MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Told to those who come when the house is full.
const RETRY_AFTER_SECONDS: u64 = 5;

type Upstream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The way to the quote server's WebSocket.
pub struct Relay {
    request: ClientRequestBuilder,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Relay {
    /// A relay to the quote server at the HTTP address `url`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(url: &str, token: Option<&SecretString>, stop: CancellationToken) -> anyhow::Result<Self> {
        Ok(Self { request: stream_request(url, token)?, places: Arc::new(Semaphore::new(RELAYS_MAX)), stop })
    }

    async fn open(&self) -> Result<Upstream, ApiError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(SERVER_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SERVER_MESSAGE_BYTES_MAX));
        let opened =
            timeout(CONNECT_TIME_MAX, connect_async_with_config(self.request.clone(), Some(config), true))
                .await;
        match opened {
            Ok(Ok((upstream, _))) => Ok(upstream),
            _ => Err(ApiError::new(ErrorCode::PriceUnavailable, "the quote server does not answer")
                .retry_after_seconds(RETRY_AFTER_SECONDS)),
        }
    }
}

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.route("/ws", web::get().to(relay));
}

async fn relay(
    request: HttpRequest,
    body: web::Payload,
    relay: web::Data<Relay>,
) -> Result<HttpResponse, actix_web::Error> {
    let place = Arc::clone(&relay.places).try_acquire_owned().map_err(|_| {
        ApiError::new(ErrorCode::ServiceUnavailable, "too many connections")
            .retry_after_seconds(RETRY_AFTER_SECONDS)
    })?;
    let (response, session, messages) = actix_ws::handle(&request, body)
        .map_err(|_| ApiError::new(ErrorCode::MalformedRequest, "this address speaks WebSocket"))?;
    let upstream = relay.open().await?;
    let passage = Passage {
        session,
        messages: messages.max_frame_size(CLIENT_MESSAGE_BYTES_MAX),
        upstream,
        stop: relay.stop.clone(),
        _place: place,
    };
    actix_web::rt::spawn(passage.run());
    Ok(response)
}

/// One browser's connection and its counterpart.
struct Passage {
    session: Session,
    messages: MessageStream,
    upstream: Upstream,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Passage {
    async fn run(mut self) {
        let reason = self.pass().await;
        // Either side may be gone already.
        let _ = timeout(SEND_TIME_MAX, self.upstream.close(None)).await;
        let _ = timeout(SEND_TIME_MAX, self.session.close(Some(reason))).await;
    }

    /// Passes messages on in both directions until one side ends.
    async fn pass(&mut self) -> CloseReason {
        let stop = self.stop.clone();
        let mut heard = Instant::now();
        let mut ping = interval(PING_PAUSE);
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => Err(CloseCode::Away),
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE_MAX {
                        return CloseCode::Policy.into();
                    }
                    in_time(self.session.ping(b"")).await
                }
                message = self.upstream.next() => match message {
                    Some(Ok(message)) => self.pass_down(message).await,
                    _ => Err(CloseCode::Away),
                },
                message = self.messages.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.pass_up(message).await,
                        Some(Err(_)) => Err(CloseCode::Protocol),
                        None => Err(CloseCode::Normal),
                    }
                }
            };
            if let Err(code) = outcome {
                return code.into();
            }
        }
    }

    async fn pass_down(&mut self, message: ServerMessage) -> Result<(), CloseCode> {
        match message {
            ServerMessage::Text(text) => in_time(self.session.text(text.as_str())).await,
            ServerMessage::Close(_) => Err(CloseCode::Away),
            // The protocol is text; signs of life are each side's own.
            _ => Ok(()),
        }
    }

    async fn pass_up(&mut self, message: ClientMessage) -> Result<(), CloseCode> {
        match message {
            ClientMessage::Text(text) => {
                in_time(self.upstream.send(ServerMessage::text(text.to_string()))).await
            }
            ClientMessage::Ping(payload) => in_time(self.session.pong(&payload)).await,
            ClientMessage::Pong(_) | ClientMessage::Nop => Ok(()),
            ClientMessage::Close(_) => Err(CloseCode::Normal),
            ClientMessage::Binary(_) | ClientMessage::Continuation(_) => Err(CloseCode::Unsupported),
        }
    }
}

async fn in_time<E>(sending: impl Future<Output = Result<(), E>>) -> Result<(), CloseCode> {
    match timeout(SEND_TIME_MAX, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(CloseCode::Away),
        Err(_) => Err(CloseCode::Policy),
    }
}
