//! The real-time WebSocket: one conversation. Its heartbeats go on whatever it loses; who does not echo them is hung up on, and
//! so is who was logged in when the same key logs in again.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use stand_in::Socket;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::interval;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// How often a heartbeat is sent.
const PING_PAUSE: Duration = Duration::from_secs(2);
/// Heartbeats that may stay without an echo.
const PINGS_UNANSWERED_MAX: u32 = 2;
/// Inside the stand-in: somebody has logged in.
pub(crate) const LOGGED_IN: &str = "logged_in";

/// What a conversation lets the stand-in know.
pub(crate) enum Note {
    /// It has logged in with a key.
    LoggedIn {
        /// Whose words these are.
        id: String,
        /// The key.
        key: String,
    },
    /// It follows these shares now.
    Follows {
        /// Whose words these are.
        id: String,
        /// Codes of the shares.
        codes: BTreeSet<String>,
    },
    /// It is over.
    Ended {
        /// Whose words these are.
        id: String,
    },
}

struct Conversation {
    socket: Socket,
    id: String,
    /// The key that it has logged in with.
    key: Option<String>,
    /// Types and the shares that they are wanted of; of no share in particular where the text is empty.
    registered: BTreeSet<(String, String)>,
    unanswered: u32,
}

impl Conversation {
    async fn say(&mut self, message: &Value) -> Option<()> {
        self.socket.send(Message::text(message.to_string())).await.ok()
    }

    async fn ping(&mut self) -> Option<()> {
        if self.key.is_none() {
            return Some(());
        }
        self.unanswered += 1;
        if self.unanswered > PINGS_UNANSWERED_MAX {
            return None;
        }
        self.say(&json!({ "trnm": "PING" })).await
    }

    async fn tell(&mut self, event: &Value) -> Option<()> {
        if let Some(id) = event.get(LOGGED_IN) {
            let is_same =
                self.key.is_some() && event.get("key").and_then(Value::as_str) == self.key.as_deref();
            if !is_same || *id == json!(self.id) {
                return Some(());
            }
            let words = "동일한 App key로 접속되어 기존 접속이 종료됩니다";
            self.say(&json!({ "trnm": "SYSTEM", "code": "R10001", "message": words })).await;
            return None;
        }
        if let Value::String(text) = event {
            // What is no JSON at all.
            return if self.key.is_some() {
                self.socket.send(Message::text(text)).await.ok()
            } else {
                Some(())
            };
        }
        let word = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, item) = (word("/data/0/type"), word("/data/0/item"));
        let is_wanted = self.registered.contains(&(kind.clone(), item))
            || self.registered.contains(&(kind, String::new()));
        if self.key.is_some() && is_wanted { self.say(event).await } else { Some(()) }
    }

    fn register(&mut self, said: &Value) {
        if said.get("refresh").and_then(Value::as_str) == Some("0") {
            self.registered.clear();
        }
        self.registered.extend(named(said));
    }

    fn remove(&mut self, said: &Value) {
        let gone: BTreeSet<_> = named(said).into_iter().collect();
        self.registered.retain(|wanted| !gone.contains(wanted));
    }

    fn followed(&self) -> BTreeSet<String> {
        self.registered.iter().map(|(_, item)| item.clone()).filter(|item| !item.is_empty()).collect()
    }

    /// Answers what was said; nothing where the conversation ends.
    async fn heed(
        &mut self,
        said: &Value,
        opens: impl Fn(&str) -> Option<String>,
        note: impl Fn(Note),
    ) -> Option<()> {
        let trnm = said.get("trnm").and_then(Value::as_str).unwrap_or_default();
        match trnm {
            "LOGIN" => {
                self.key = opens(said.get("token").and_then(Value::as_str).unwrap_or_default());
                if let Some(key) = self.key.clone() {
                    note(Note::LoggedIn { id: self.id.clone(), key });
                    return self.say(&json!({ "trnm": trnm, "return_code": 0, "return_msg": "" })).await;
                }
                let words = "로그인 인증에 실패하였습니다[8005:Token이 유효하지 않습니다]";
                self.say(&json!({ "trnm": trnm, "return_code": 3, "return_msg": words })).await;
                None
            }
            "PING" => {
                self.unanswered = 0;
                Some(())
            }
            "REG" if self.key.is_some() => {
                self.register(said);
                note(Note::Follows { id: self.id.clone(), codes: self.followed() });
                self.say(&json!({ "trnm": trnm, "return_code": 0, "return_msg": "" })).await
            }
            "REMOVE" if self.key.is_some() => {
                self.remove(said);
                note(Note::Follows { id: self.id.clone(), codes: self.followed() });
                self.say(&json!({ "trnm": trnm, "return_code": 0, "return_msg": "" })).await
            }
            _ => {
                self.say(
                    &json!({ "trnm": trnm, "return_code": 105101, "return_msg": "로그인이 필요합니다" }),
                )
                .await;
                None
            }
        }
    }
}

/// The types and shares that a registration or its end names.
fn named(said: &Value) -> Vec<(String, String)> {
    let texts = |group: &Value, name: &str| -> Vec<String> {
        let all = group.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let groups = said.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let of_group = |group: &Value| {
        let (kinds, items) = (texts(group, "type"), texts(group, "item"));
        kinds
            .into_iter()
            .flat_map(move |kind| items.clone().into_iter().map(move |item| (kind.clone(), item)))
    };
    groups.iter().flat_map(of_group).collect::<Vec<_>>()
}

/// Talks until the other side, or the stand-in, has had enough.
pub(crate) async fn converse(
    socket: Socket,
    opens: impl Fn(&str) -> Option<String>,
    note: impl Fn(Note),
    mut events: broadcast::Receiver<Value>,
    mut closing: broadcast::Receiver<()>,
) {
    let id = Uuid::now_v7().to_string();
    let mut talk = Conversation { socket, id, key: None, registered: BTreeSet::new(), unanswered: 0 };
    let mut pings = interval(PING_PAUSE);
    loop {
        let goes_on = tokio::select! {
            _ = closing.recv() => None,
            _ = pings.tick() => talk.ping().await,
            event = events.recv() => match event {
                Ok(event) => talk.tell(&event).await,
                Err(_) => None,
            },
            message = talk.socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let said = serde_json::from_str(text.as_str()).unwrap_or_default();
                    talk.heed(&said, &opens, &note).await
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => None,
                Some(Ok(_)) => Some(()),
            },
        };
        if goes_on.is_none() {
            note(Note::Ended { id: talk.id.clone() });
            let _ = talk.socket.close(None).await;
            return;
        }
    }
}
