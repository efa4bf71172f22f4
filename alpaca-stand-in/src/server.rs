//! The stand-in as it runs: one port, REST and stream.

use crate::market::Market;
use crate::requests::{self, Asked};
use crate::stream::converse;
use crate::{KEY_ID, SECRET_KEY, answers};
use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;
use stand_in::{Answer, Door, Refusals, Stage, body_of, is_path, reply, upgrade};
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
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

#[derive(Default)]
struct Shared {
    stage: Stage,
    script: Mutex<Script>,
}

impl Shared {
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

/// A running stand-in. It ends when it is dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    door: Door,
}

impl Deref for StandIn {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.shared.stage
    }
}

impl StandIn {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts it at an address.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn start_at(address: &str) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let door = Door::open(address, service(&shared)).await?;
        Ok(Self { shared, door })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.door.url()
    }

    /// Stops answering, also on lines that are open; nobody can connect.
    pub fn hang_up(&mut self) {
        self.door.close();
        self.close_streams();
    }

    /// Answers again at the same address, with all that was there before.
    ///
    /// # Errors
    /// When somebody has taken the port meanwhile.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        self.door.reopen(service(&self.shared)).await
    }

    /// Lets something happen, and tells of it.
    pub fn act<T>(&self, action: impl FnOnce(&mut Market) -> T) -> T {
        let outcome = action(&mut self.shared.script().market);
        self.shared.tell();
        outcome
    }

    /// Changes the key that it knows.
    pub fn set_key(&self, key_id: &str, secret_key: &str) {
        self.shared.script().key = Some((key_id.to_owned(), secret_key.to_owned()));
    }

    /// What it says about a key that it does not know.
    pub fn set_lock_words(&self, words: &str) {
        self.shared.script().lock_words = Some(words.to_owned());
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.hang_up();
    }
}

type Serving = Pin<Box<dyn Future<Output = Answer> + Send>>;

fn service(shared: &Arc<Shared>) -> impl Fn(Request<Incoming>) -> Serving + Clone + Send + 'static {
    let shared = Arc::clone(shared);
    move |request| Box::pin(serve(Arc::clone(&shared), request))
}

fn written(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

async fn serve(shared: Arc<Shared>, mut request: Request<Incoming>) -> Answer {
    if is_path(&request, "/stream") {
        // Subscribed before the answer: nothing that happens from here on is missed.
        let (events, closing) = shared.stage.listen();
        return upgrade(&mut request, move |socket| async move {
            converse(socket, || shared.key(), events, closing).await;
        });
    }
    let (head, body) = request.into_parts();
    let shown = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = (shown("apca-api-key-id").to_owned(), shown("apca-api-secret-key").to_owned());
    let body = body_of(body).await?;
    let query = head.uri.query().unwrap_or_default();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    if shown != shared.key() {
        let words = shared.script().lock_words.clone().unwrap_or_else(|| "unauthorized.".into());
        return reply(401, serde_json::json!({ "message": words }).to_string());
    }
    let fault = shared.stage.fault_of(asked.is_about_an_order());
    let answer = match fault {
        Some(fault) if !fault.is_done() => None,
        _ => Some(requests::answer(&mut shared.script().market, &asked)),
    };
    shared.tell();
    match (fault, answer) {
        (None, Some((status, body))) => reply(status, written(&body)),
        (fault, _) => shared.stage.fail(fault.unwrap_or(stand_in::Fault::BreaksBefore), REFUSALS).await,
    }
}
