//! `trade_updates`: Alpaca's word that something has happened to an order. What it was is read from the lists, where each
//! execution has the one number under which it is booked.

use super::config::{
    CONNECT_TIME_MAX, MESSAGE_BYTES_MAX, PING_PAUSE, RECONNECT_PAUSE_FIRST, RECONNECT_PAUSE_MAX, SILENCE_MAX,
};
use super::rest::Failure;
use super::session::{Session, paused};
use super::wire::StreamMessage;
use crate::broker::KeyTrouble;
use futures_util::{SinkExt, StreamExt};
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use uuid::Uuid;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the stream is called that tells of orders.
const TRADE_UPDATES: &str = "trade_updates";

/// Why a conversation ended.
enum Ended {
    /// The line.
    Broken(String),
    /// The key does not open.
    Locked,
}

impl From<tokio_tungstenite::tungstenite::Error> for Ended {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Listens until the session ends; calls again with growing, irregular pauses.
pub(super) async fn run(session: Arc<Session>) {
    let mut pause = RECONNECT_PAUSE_FIRST;
    loop {
        let began = Instant::now();
        match converse(&session).await {
            Ended::Locked => drop(session.note(Failure::Locked(KeyTrouble::Wrong))),
            Ended::Broken(reason) => {
                tracing::warn!(account = %session.account_id, reason, "Alpaca's stream is called again");
                session.is("down", Some(reason));
            }
        }
        if began.elapsed() > SILENCE_MAX {
            pause = RECONNECT_PAUSE_FIRST;
        }
        if paused(&session.stop, with_jitter(pause)).await {
            return;
        }
        pause = (pause * 2).min(RECONNECT_PAUSE_MAX);
    }
}

/// Between half and the whole of a pause, so that many callers do not call as one.
fn with_jitter(pause: Duration) -> Duration {
    let random = u32::try_from(Uuid::now_v7().as_u128() % 1024).unwrap_or(0);
    pause / 2 + pause / 2 * random / 1024
}

async fn converse(session: &Arc<Session>) -> Ended {
    match listen(session).await {
        Ok(()) => Ended::Broken("it hangs up".into()),
        Err(ended) => ended,
    }
}

async fn connect(session: &Session) -> Result<Socket, Ended> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    // "http" becomes "ws", and with it "https" becomes "wss".
    let url = format!("{}/stream", session.rest.url.replacen("http", "ws", 1));
    let connecting = connect_async_with_config(url, Some(limits), true);
    let connected = timeout(CONNECT_TIME_MAX, connecting).await;
    let (socket, _) = connected.map_err(|_| Ended::Broken("its stream does not answer".into()))??;
    Ok(socket)
}

async fn say(socket: &mut Socket, message: Message) -> Result<(), Ended> {
    let sent = timeout(CONNECT_TIME_MAX, socket.send(message)).await;
    sent.map_err(|_| Ended::Broken("its stream takes nothing".into()))?.map_err(Ended::from)
}

async fn listen(session: &Arc<Session>) -> Result<(), Ended> {
    let mut socket = connect(session).await?;
    let credentials = &session.rest.credentials;
    let key = json!({
        "action": "auth",
        "key": credentials.key_id.expose_secret(),
        "secret": credentials.secret_key.expose_secret(),
    });
    say(&mut socket, Message::text(key.to_string())).await?;
    let mut pings = interval(PING_PAUSE);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return Err(Ended::Broken("its stream has fallen silent".into()));
                }
                say(&mut socket, Message::Ping(Bytes::new())).await?;
            }
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                heard = Instant::now();
                heed(session, &mut socket, message?).await?;
            }
        }
    }
}

/// The words of a message, which come as text or as bytes.
fn read(message: &Message) -> Option<StreamMessage> {
    match message {
        Message::Text(text) => serde_json::from_str(text.as_str()).ok(),
        Message::Binary(bytes) => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
}

async fn heed(session: &Arc<Session>, socket: &mut Socket, message: Message) -> Result<(), Ended> {
    let Some(said) = read(&message) else { return Ok(()) };
    match (said.stream.as_str(), said.data.status.as_deref()) {
        ("authorization", Some("authorized")) => {
            let listen = json!({ "action": "listen", "data": { "streams": [TRADE_UPDATES] } });
            say(socket, Message::text(listen.to_string())).await
        }
        ("authorization", _) => Err(Ended::Locked),
        ("listening", _) => {
            session.is("connected", None);
            // What happened while nobody listened.
            session.ring();
            Ok(())
        }
        (TRADE_UPDATES, _) => {
            tracing::debug!(account = %session.account_id, event = said.data.event, "Alpaca tells");
            session.heard();
            session.ring();
            Ok(())
        }
        _ => Ok(()),
    }
}
