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

struct Conversation {
    socket: Socket,
    id: String,
    is_known: bool,
    registered: BTreeSet<String>,
    unanswered: u32,
}

impl Conversation {
    async fn say(&mut self, message: &Value) -> Option<()> {
        self.socket.send(Message::text(message.to_string())).await.ok()
    }

    async fn ping(&mut self) -> Option<()> {
        if !self.is_known {
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
            if !self.is_known || *id == json!(self.id) {
                return Some(());
            }
            let words = "동일한 App key로 접속되어 기존 접속이 종료됩니다";
            self.say(&json!({ "trnm": "SYSTEM", "code": "R10001", "message": words })).await;
            return None;
        }
        let kind = event.pointer("/data/0/type").and_then(Value::as_str).unwrap_or_default();
        if self.is_known && self.registered.contains(kind) { self.say(event).await } else { Some(()) }
    }

    fn register(&mut self, said: &Value) {
        if said.get("refresh").and_then(Value::as_str) == Some("0") {
            self.registered.clear();
        }
        let groups = said.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        let kinds = groups.iter().filter_map(|group| group.get("type")?.as_array().cloned()).flatten();
        self.registered.extend(kinds.filter_map(|kind| kind.as_str().map(str::to_owned)));
    }

    /// Answers what was said; nothing where the conversation ends.
    async fn heed(
        &mut self,
        said: &Value,
        opens: impl Fn(&str) -> bool,
        announce: impl Fn(Value),
    ) -> Option<()> {
        let trnm = said.get("trnm").and_then(Value::as_str).unwrap_or_default();
        match trnm {
            "LOGIN" => {
                self.is_known = opens(said.get("token").and_then(Value::as_str).unwrap_or_default());
                if self.is_known {
                    announce(json!({ LOGGED_IN: self.id }));
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
            "REG" if self.is_known => {
                self.register(said);
                self.say(&json!({ "trnm": trnm, "return_code": 0, "return_msg": "" })).await
            }
            "REMOVE" if self.is_known => {
                self.registered.clear();
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

/// Talks until the other side, or the stand-in, has had enough.
pub(crate) async fn converse(
    socket: Socket,
    opens: impl Fn(&str) -> bool,
    announce: impl Fn(Value),
    mut events: broadcast::Receiver<Value>,
    mut closing: broadcast::Receiver<()>,
) {
    let id = Uuid::now_v7().to_string();
    let mut talk = Conversation { socket, id, is_known: false, registered: BTreeSet::new(), unanswered: 0 };
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
                    talk.heed(&said, &opens, &announce).await
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => None,
                Some(Ok(_)) => Some(()),
            },
        };
        if goes_on.is_none() {
            let _ = talk.socket.close(None).await;
            return;
        }
    }
}
