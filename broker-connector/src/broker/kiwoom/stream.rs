//! Kiwoom's real-time WebSocket: its word that something has happened to an order (type 00) or to what is held (type 04). What
//! it was is read from the lists; an execution that it tells only says in which pieces and at which prices.

use super::bridge::{Bridge, Heard};
use super::config::{SILENCE_LOOK, SILENCE_MAX};
use super::desk::Desk;
use super::parse;
use super::rest::{Failure, Rest};
use super::session::Session;
use super::wire::{StreamMessage, Values};
use crate::broker::outside::socket::{Ended, Socket, connect, keep_talking, say};
use chrono::Utc;
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;
use tokio::time::{Instant, interval};
use tokio_tungstenite::tungstenite::Message;

/// Its place.
const PATH: &str = "/api/dostk/websocket";
/// The code that says that the same key has logged in elsewhere.
const DISPLACED: &str = "R10001";

/// Listens until the session ends.
pub(super) async fn run(session: Arc<Session>) {
    keep_talking(&session, || converse(&session)).await;
}

async fn converse(session: &Session) -> Result<(), Ended> {
    match &session.desk {
        Desk::Rest(rest) => listen(session, rest).await,
        Desk::Bridge(bridge) => attend(session, bridge).await,
    }
}

/// Talks with a bridge.
async fn attend(session: &Session, bridge: &Bridge) -> Result<(), Ended> {
    let ended = bridge.converse(|heard| match heard {
        Heard::Welcome => {
            // Whose account it is, is asked before anything else is; only while one listens can one ask.
            session.identity.meet_again();
            session.is("connected", None);
            session.ring();
        }
        Heard::Order(values) => hear_order(session, &values),
        Heard::Other => ring(session),
    });
    let ended = ended.await;
    if let Err(Ended::Locked(trouble)) = ended {
        session.note(Failure::Locked(trouble));
    }
    ended
}

async fn listen(session: &Session, rest: &Rest) -> Result<(), Ended> {
    let token = match rest.token.living(rest).await {
        Ok(token) => token,
        Err(Failure::Locked(trouble)) => {
            // It says itself how it is with the key.
            session.note(Failure::Locked(trouble));
            return Err(Ended::Locked(trouble));
        }
        Err(failure) => return Err(Ended::Broken(failure.words())),
    };
    let mut socket = connect(&format!("{}{PATH}", rest.stream_url)).await?;
    let login = json!({ "trnm": "LOGIN", "token": token.expose_secret() });
    say(&mut socket, Message::text(login.to_string())).await?;
    let mut looks = interval(SILENCE_LOOK);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            _ = looks.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return Err(Ended::broken("its stream has fallen silent"));
                }
            }
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                heard = Instant::now();
                heed(session, (rest, &token), &mut socket, message?).await?;
            }
        }
    }
}

async fn heed(
    session: &Session,
    (rest, token): (&Rest, &SecretString),
    socket: &mut Socket,
    message: Message,
) -> Result<(), Ended> {
    let Message::Text(text) = &message else { return Ok(()) };
    let Ok(said) = serde_json::from_str::<StreamMessage>(text.as_str()) else { return Ok(()) };
    match (said.trnm.as_str(), said.outcome.class()) {
        // Whoever does not send it back as it came is hung up on.
        ("PING", _) => say(socket, message).await,
        ("LOGIN", Some(0)) => {
            let orders = json!({
                "trnm": "REG", "grp_no": "1", "refresh": "1", "data": [{ "item": [""], "type": ["00", "04"] }],
            });
            say(socket, Message::text(orders.to_string())).await
        }
        ("LOGIN", _) => {
            // The next conversation begins with another token; a key that does not open does not give one.
            rest.token.is_dead(token).await;
            Err(Ended::Broken(said.outcome.return_msg.unwrap_or_else(|| "it does not let us in".into())))
        }
        ("REG", Some(0)) => {
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
        ("REG", _) => Err(Ended::Broken(said.outcome.return_msg.unwrap_or_default())),
        ("SYSTEM", _) if said.code == DISPLACED => {
            Err(Ended::broken("another program has logged in to the stream with this key"))
        }
        ("REAL", _) => {
            hear(session, &said);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn hear(session: &Session, said: &StreamMessage) {
    for data in &said.data {
        match data.kind.as_str() {
            "00" => hear_order(session, &data.values),
            "04" => ring(session),
            _ => {}
        }
    }
}

fn hear_order(session: &Session, values: &Values) {
    if let Some((number, told)) = parse::told(values, Utc::now()) {
        session.tell(number, told);
    }
    ring(session);
}

fn ring(session: &Session) {
    session.heard();
    session.ring();
}
