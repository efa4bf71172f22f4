//! A broker's stream: called again with growing, irregular pauses, and never waited for without a limit.

use super::http::CONNECT_TIME_MAX;
use super::way::{Way, paused};
use crate::broker::KeyTrouble;
use futures_util::SinkExt;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use uuid::Uuid;

/// First pause before a stream is called again.
const RECONNECT_PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest pause before a stream is called again.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(30);
/// A conversation that was longer than this was a good one: the pauses begin anew.
const GOOD_CONVERSATION_MIN: Duration = Duration::from_secs(30);
/// Longest time until a conversation has come so far that one listens; the account is asked for on the way there.
const WELCOME_TIME_MAX: Duration = Duration::from_secs(60);
/// Largest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

pub(in crate::broker) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a conversation ended.
pub(in crate::broker) enum Ended {
    /// The line.
    Broken(String),
    /// The key does not open; whoever finds it out says so of the way.
    Locked(KeyTrouble),
}

impl Ended {
    pub(in crate::broker) fn broken(reason: &str) -> Self {
        Self::Broken(reason.to_owned())
    }
}

impl From<tokio_tungstenite::tungstenite::Error> for Ended {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Connects; "http" in an address is "ws", and "https" is "wss".
pub(in crate::broker) async fn connect(url: &str) -> Result<Socket, Ended> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let connecting = connect_async_with_config(url.replacen("http", "ws", 1), Some(limits), true);
    let connected = timeout(CONNECT_TIME_MAX, connecting).await;
    let (socket, _) = connected.map_err(|_| Ended::broken("its stream does not answer"))??;
    Ok(socket)
}

/// Says something.
pub(in crate::broker) async fn say(socket: &mut Socket, message: Message) -> Result<(), Ended> {
    let sent = timeout(CONNECT_TIME_MAX, socket.send(message)).await;
    sent.map_err(|_| Ended::broken("its stream takes nothing"))?.map_err(Ended::from)
}

/// Talks until the session ends.
pub(in crate::broker) async fn keep_talking<F>(way: &Way, converse: impl Fn() -> F)
where
    F: Future<Output = Result<(), Ended>>,
{
    let mut pause = RECONNECT_PAUSE_FIRST;
    loop {
        let began = Instant::now();
        way.calls();
        let ended = tokio::select! {
            ended = converse() => ended.err().unwrap_or_else(|| Ended::broken("it hangs up")),
            () = unwelcome(way) => Ended::broken("its stream does not say that it listens"),
        };
        match ended {
            Ended::Locked(_) => {}
            Ended::Broken(reason) => {
                tracing::warn!(account = %way.account_id, reason, "a broker's stream is called again");
                way.is("down", Some(reason));
            }
        }
        if way.is_welcome() && began.elapsed() > GOOD_CONVERSATION_MIN {
            pause = RECONNECT_PAUSE_FIRST;
        }
        if paused(&way.stop, with_jitter(pause)).await {
            return;
        }
        pause = longer(pause);
    }
}

/// Ends when a conversation has not become one in time: heartbeats alone tell of nothing, and would go on for ever.
async fn unwelcome(way: &Way) {
    sleep(WELCOME_TIME_MAX).await;
    if way.is_welcome() {
        std::future::pending::<()>().await;
    }
}

/// The pause that follows one.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(RECONNECT_PAUSE_MAX)
}

/// Between half and the whole of a pause, so that many callers do not call as one.
fn with_jitter(pause: Duration) -> Duration {
    let random = u32::try_from(Uuid::now_v7().as_u128() % 1024).unwrap_or(0);
    pause / 2 + pause / 2 * random / 1024
}

#[cfg(test)]
mod tests;
