//! `trade_updates`: Alpaca's word that something has happened to an order. What it was is read from the lists, where each
//! execution has the one number under which it is booked.

use super::config::{PING_PAUSE, SILENCE_MAX};
use super::rest::Failure;
use super::session::Session;
use super::wire::{StreamData, StreamMessage};
use crate::broker::KeyTrouble;
use crate::broker::outside::socket::{Ended, Socket, connect, keep_talking, say};
use futures_util::StreamExt;
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;
use tokio::time::{Instant, interval};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// What the stream is called that tells of orders.
const TRADE_UPDATES: &str = "trade_updates";
/// What is told of an order that was just taken: nothing has been bought or sold.
const QUIET_EVENTS: [&str; 3] = ["new", "accepted", "pending_new"];

/// Listens until the session ends.
pub(super) async fn run(session: Arc<Session>) {
    keep_talking(&session, || listen(&session)).await;
}

async fn listen(session: &Session) -> Result<(), Ended> {
    let mut socket = connect(&format!("{}/stream", session.rest.url)).await?;
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
                    return Err(Ended::broken("its stream has fallen silent"));
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
pub(super) fn read(message: &Message) -> Option<StreamMessage> {
    match message {
        Message::Text(text) => serde_json::from_str(text.as_str()).ok(),
        Message::Binary(bytes) => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
}

/// Whether what is listened to are orders.
fn tells_of_orders(data: &StreamData) -> bool {
    data.streams.iter().any(|stream| stream == TRADE_UPDATES)
}

async fn heed(session: &Session, socket: &mut Socket, message: Message) -> Result<(), Ended> {
    let Some(said) = read(&message) else { return Ok(()) };
    match (said.stream.as_str(), said.data.status.as_deref()) {
        ("authorization", Some("authorized")) => {
            let listen = json!({ "action": "listen", "data": { "streams": [TRADE_UPDATES] } });
            say(socket, Message::text(listen.to_string())).await
        }
        ("authorization", _) => {
            session.note(Failure::Locked(KeyTrouble::Wrong));
            Err(Ended::Locked(KeyTrouble::Wrong))
        }
        ("listening", _) if !tells_of_orders(&said.data) => {
            Err(Ended::broken("its stream tells nothing of orders"))
        }
        ("listening", _) => {
            session.identity.meet_again();
            session.confirm().await.map_err(|failure| match failure {
                Failure::Locked(trouble) => Ended::Locked(trouble),
                failure => Ended::Broken(failure.words()),
            })?;
            session.is("connected", None);
            // What happened while nobody listened.
            session.ring();
            Ok(())
        }
        (TRADE_UPDATES, _) => {
            tracing::debug!(account = %session.account_id, event = said.data.event, "Alpaca tells");
            session.heard();
            if said.data.event.as_deref().is_some_and(|event| QUIET_EVENTS.contains(&event)) {
                session.ring_softly();
            } else {
                session.ring();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_json_is_read_from_bytes_and_from_text() {
        let words = r#"{"stream":"trade_updates","data":{"event":"fill","order":{"id":"x"},"qty":"1"}}"#;
        for message in [Message::text(words), Message::binary(words.as_bytes().to_vec())] {
            let said = read(&message).unwrap();
            assert_eq!((said.stream.as_str(), said.data.event.as_deref()), (TRADE_UPDATES, Some("fill")));
        }
    }

    #[test]
    fn whoever_is_told_of_other_things_only_does_not_listen() {
        let tells = |streams: &str| {
            let words = format!(r#"{{"stream":"listening","data":{streams}}}"#);
            tells_of_orders(&read(&Message::text(words)).unwrap().data)
        };
        assert!(tells(r#"{"streams":["trade_updates"]}"#));
        for others in [r#"{"streams":[]}"#, r#"{"streams":["account_updates"]}"#, "{}"] {
            assert!(!tells(others), "{others}");
        }
    }
}
