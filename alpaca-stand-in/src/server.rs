//! The stand-in as it runs: one port, REST and stream.

use crate::market::Market;
use crate::requests::{self, Asked};
use crate::stream::{Manners, converse};
use crate::{Fault, KEY_ID, SECRET_KEY, answers};
use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Largest request, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most events that a slow listener may be behind.
const EVENTS_MAX: usize = 1024;

#[derive(Default)]
struct Script {
    market: Market,
    faults: VecDeque<Fault>,
    manners: Manners,
    key: Option<(String, String)>,
    /// How a request with a wrong key is answered.
    lock_words: Option<String>,
    requests: usize,
    order_requests: usize,
}

struct Shared {
    script: Mutex<Script>,
    events: broadcast::Sender<Value>,
    closing: broadcast::Sender<()>,
    /// Rung when a request has come that will not be answered.
    hanging: Notify,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> (String, String) {
        self.script().key.clone().unwrap_or_else(|| (KEY_ID.to_owned(), SECRET_KEY.to_owned()))
    }

    /// Tells what has happened to whoever listens, as the stream's manners are.
    fn tell(&self) {
        let (events, manners) = {
            let mut script = self.script();
            (std::mem::take(&mut script.market.events), script.manners)
        };
        if manners.loses_all {
            return;
        }
        let mut events: Vec<Value> = events.iter().map(answers::event).collect();
        if manners.reverses {
            events.reverse();
        }
        for event in events {
            for _ in 0..if manners.triples { 3 } else { 1 } {
                let _ = self.events.send(event.clone());
            }
        }
    }
}

/// A running stand-in. It ends when it is dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.hang_up();
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
        let listener = TcpListener::bind(address).await.context("no port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            events: broadcast::channel(EVENTS_MAX).0,
            closing: broadcast::channel(1).0,
            hanging: Notify::new(),
        });
        let task = Some(tokio::spawn(accept(listener, Arc::clone(&shared))));
        Ok(Self { shared, address, task })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops answering, also on lines that are open; nobody can connect.
    pub fn hang_up(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.close_streams();
    }

    /// Answers again at the same address, with all that was there before.
    ///
    /// # Errors
    /// When somebody has taken the port meanwhile.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).await.context("the port is taken")?;
        self.task = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        Ok(())
    }

    /// Ends the conversations of the stream.
    pub fn close_streams(&self) {
        let _ = self.shared.closing.send(());
    }

    /// Lets something happen, and tells of it.
    pub fn act<T>(&self, action: impl FnOnce(&mut Market) -> T) -> T {
        let outcome = action(&mut self.shared.script().market);
        self.shared.tell();
        outcome
    }

    /// What becomes of the next requests about orders.
    pub fn will_fail(&self, faults: &[Fault]) {
        self.shared.script().faults.extend(faults);
    }

    /// How the stream treats what it should tell.
    pub fn set_manners(&self, manners: Manners) {
        self.shared.script().manners = manners;
    }

    /// Changes the key that it knows.
    pub fn set_key(&self, key_id: &str, secret_key: &str) {
        self.shared.script().key = Some((key_id.to_owned(), secret_key.to_owned()));
    }

    /// What it says about a key that it does not know.
    pub fn set_lock_words(&self, words: &str) {
        self.shared.script().lock_words = Some(words.to_owned());
    }

    /// Requests so far, and those about orders.
    #[must_use]
    pub fn requests(&self) -> (usize, usize) {
        let script = self.shared.script();
        (script.requests, script.order_requests)
    }

    /// Waits until a request has come that will not be answered.
    pub async fn hangs(&self) {
        self.shared.hanging.notified().await;
    }

    /// How many listen to the stream.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.shared.events.receiver_count()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut lines = tokio::task::JoinSet::new();
    while let Ok((line, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        lines.spawn(async move {
            let service = service_fn(|request| serve(Arc::clone(&shared), request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).with_upgrades().await;
        });
        while lines.try_join_next().is_some() {}
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the line breaks")
}

fn response(status: u16, body: String) -> Result<Response<Full<Bytes>>, io::Error> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json; charset=UTF-8")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)
}

fn written(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

async fn serve(
    shared: Arc<Shared>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    if request.uri().path().trim_end_matches('/') == "/stream" {
        return upgrade(shared, &mut request);
    }
    let (head, body) = request.into_parts();
    let shown = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = (shown("apca-api-key-id").to_owned(), shown("apca-api-secret-key").to_owned());
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
    let query = head.uri.query().unwrap_or_default();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    if shown != shared.key() {
        let words = shared.script().lock_words.clone().unwrap_or_else(|| "unauthorized.".into());
        return response(401, serde_json::json!({ "message": words }).to_string());
    }
    let fault = {
        let mut script = shared.script();
        script.requests += 1;
        if asked.is_about_an_order() {
            script.order_requests += 1;
            script.faults.pop_front()
        } else {
            None
        }
    };
    let answer = match fault {
        Some(fault) if !fault.is_done() => None,
        _ => Some(requests::answer(&mut shared.script().market, &asked)),
    };
    shared.tell();
    match (fault, answer) {
        (None, Some((status, body))) => response(status, written(&body)),
        (Some(fault), _) => fail(&shared, fault).await,
        (None, None) => Err(broken()),
    }
}

async fn fail(shared: &Shared, fault: Fault) -> Result<Response<Full<Bytes>>, io::Error> {
    match fault {
        Fault::BreaksBefore | Fault::BreaksAfter => Err(broken()),
        Fault::FailsBefore => response(500, r#"{"message":"internal server error occurred"}"#.into()),
        Fault::FailsAfter => response(503, "upstream".into()),
        Fault::Garbled => response(200, "<html>".into()),
        Fault::HangsBefore | Fault::HangsAfter => {
            shared.hanging.notify_one();
            std::future::pending().await
        }
        Fault::Limited(seconds) => {
            let mut response = response(429, r#"{"code":42910000,"message":"too many requests."}"#.into())?;
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            Ok(response)
        }
    }
}

fn upgrade(shared: Arc<Shared>, request: &mut Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY).cloned() else {
        return response(400, String::new());
    };
    let upgrading = hyper::upgrade::on(request);
    // Subscribed before the answer: nothing that happens from here on is missed.
    let (events, closing) = (shared.events.subscribe(), shared.closing.subscribe());
    tokio::spawn(async move {
        let Ok(line) = upgrading.await else { return };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(line), Role::Server, None).await;
        converse(socket, || shared.key(), events, closing).await;
    });
    Response::builder()
        .status(101)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
        .body(Full::default())
        .map_err(io::Error::other)
}
