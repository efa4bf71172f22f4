//! The stream of trade updates: one conversation. Its heartbeats go on whatever it loses.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use stand_in::Socket;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

/// Whether a greeting shows the right key, in either of the two forms that Alpaca takes.
fn opens(said: &Value, key: &(String, String)) -> bool {
    let data = said.get("data").unwrap_or(&Value::Null);
    let shown = |part: &Value, name: &str| part.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = shown(said, "key").or_else(|| shown(data, "key_id"));
    let secret = shown(said, "secret").or_else(|| shown(data, "secret_key"));
    id.as_ref() == Some(&key.0) && secret.as_ref() == Some(&key.1)
}

/// Alpaca sends its JSON as bytes on this stream.
async fn say(socket: &mut Socket, message: &Value) -> bool {
    socket.send(Message::binary(message.to_string())).await.is_ok()
}

/// Talks until the other side, or the stand-in, has had enough.
pub(crate) async fn converse(
    mut socket: Socket,
    key: impl Fn() -> (String, String),
    mut events: broadcast::Receiver<Value>,
    mut closing: broadcast::Receiver<()>,
) {
    let (mut is_known, mut listens) = (false, false);
    loop {
        tokio::select! {
            _ = closing.recv() => return,
            event = events.recv() => match event {
                Ok(event) if listens => if !say(&mut socket, &event).await { return },
                Ok(_) => {}
                Err(_) => return,
            },
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let said: Value = match &message {
                    Message::Text(text) => serde_json::from_str(text.as_str()).unwrap_or_default(),
                    Message::Binary(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
                    Message::Close(_) => return,
                    _ => continue,
                };
                let answer = match said.get("action").and_then(Value::as_str) {
                    Some("auth" | "authenticate") => {
                        is_known = opens(&said, &key());
                        let status = if is_known { "authorized" } else { "unauthorized" };
                        json!({ "stream": "authorization", "data": { "status": status, "action": "authenticate" } })
                    }
                    Some("listen") if is_known => {
                        let streams = said.pointer("/data/streams").and_then(Value::as_array).cloned().unwrap_or_default();
                        listens = streams.contains(&json!("trade_updates"));
                        let streams = if listens { json!(["trade_updates"]) } else { json!([]) };
                        json!({ "stream": "listening", "data": { "streams": streams } })
                    }
                    _ => json!({ "stream": "authorization", "data": { "status": "unauthorized", "action": "listen" } }),
                };
                if !say(&mut socket, &answer).await {
                    return;
                }
            }
        }
    }
}
