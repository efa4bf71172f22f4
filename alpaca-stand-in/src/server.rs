//! The stand-in as it runs: one port, REST and stream.

use crate::market::Market;
use crate::requests::{self, Asked};
use crate::stream::converse;
use crate::{KEY_ID, SECRET_KEY, answers};
use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;
use stand_in::{Answer, Host, Refusals, Stage, body_of, is_path, reply, upgrade};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Alpaca's words for what goes wrong.
const REFUSALS: Refusals = Refusals {
    failed: r#"{"message":"internal server error occurred"}"#,
    limited: r#"{"code":42910000,"message":"too many requests."}"#,
};

#[derive(Default)]
struct Script {
    market: Market,
    key: Option<(String, String)>,
    /// How a request with a wrong key is answered.
    lock_words: Option<String>,
}

/// Alpaca as it is played here.
#[derive(Default)]
pub struct Alpaca {
    stage: Stage,
    script: Mutex<Script>,
}

impl Alpaca {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> (String, String) {
        self.script().key.clone().unwrap_or_else(|| (KEY_ID.to_owned(), SECRET_KEY.to_owned()))
    }

    fn tell(&self) {
        let events = std::mem::take(&mut self.script().market.events);
        self.stage.tell(events.iter().map(answers::event).collect());
    }
}

impl Deref for Alpaca {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl Alpaca {
    /// Lets something happen, and tells of it.
    pub fn act<T>(&self, action: impl FnOnce(&mut Market) -> T) -> T {
        let outcome = action(&mut self.script().market);
        self.tell();
        outcome
    }

    /// Changes the key that it knows.
    pub fn set_key(&self, key_id: &str, secret_key: &str) {
        self.script().key = Some((key_id.to_owned(), secret_key.to_owned()));
    }

    /// What it says about a key that it does not know.
    pub fn set_lock_words(&self, words: &str) {
        self.script().lock_words = Some(words.to_owned());
    }
}

impl Host for Alpaca {
    fn stage(&self) -> &Stage {
        &self.stage
    }

    async fn serve(self: Arc<Self>, mut request: Request<Incoming>) -> Answer {
        if is_path(&request, "/stream") {
            // Subscribed before the answer: nothing that happens from here on is missed.
            let (events, closing) = self.stage.listen();
            return upgrade(&mut request, move |socket| async move {
                converse(socket, || self.key(), events, closing).await;
            });
        }
        let (head, body) = request.into_parts();
        let shown =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let shown = (shown("apca-api-key-id").to_owned(), shown("apca-api-secret-key").to_owned());
        let body = body_of(body).await?;
        let query = head.uri.query().unwrap_or_default();
        let asked = Asked {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        if shown != self.key() {
            let words = self.script().lock_words.clone().unwrap_or_else(|| "unauthorized.".into());
            return reply(401, serde_json::json!({ "message": words }).to_string());
        }
        let fault = self.stage.fault_of(asked.is_about_an_order());
        let answer = match fault {
            Some(fault) if !fault.is_done() => None,
            _ => Some(requests::answer(&mut self.script().market, &asked)),
        };
        self.tell();
        match (fault, answer) {
            (None, Some((status, body))) => reply(status, written(&body)),
            (fault, _) => self.stage.fail(fault.unwrap_or(stand_in::Fault::BreaksBefore), REFUSALS).await,
        }
    }
}

fn written(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}
