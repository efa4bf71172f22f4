//! The port: REST and stream on one address.

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Largest request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What a request is answered with; an error breaks the line.
pub type Answer = Result<Response<Full<Bytes>>, io::Error>;

/// One conversation of the stream.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A port at which requests are answered. Nobody is answered any more when it is dropped.
pub struct Door {
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

impl Door {
    /// Opens a port; with port 0 a free one.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn open<S, F>(address: &str, serve: S) -> anyhow::Result<Self>
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.context("no port")?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: Some(tokio::spawn(accept(listener, serve))) })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops answering, also on lines that are open; nobody can connect.
    pub fn close(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Answers again at the same address.
    ///
    /// # Errors
    /// When somebody has taken the port meanwhile.
    pub async fn reopen<S, F>(&mut self, serve: S) -> anyhow::Result<()>
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind(self.address).await.context("the port is taken")?;
        self.task = Some(tokio::spawn(accept(listener, serve)));
        Ok(())
    }
}

async fn accept<S, F>(listener: TcpListener, serve: S)
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut lines = tokio::task::JoinSet::new();
    while let Ok((line, _)) = listener.accept().await {
        let serve = serve.clone();
        lines.spawn(async move {
            let service = service_fn(serve);
            let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).with_upgrades().await;
        });
        while lines.try_join_next().is_some() {}
    }
}

/// Whether a request is for a path, with or without a slash at its end.
#[must_use]
pub fn is_path(request: &Request<Incoming>, path: &str) -> bool {
    request.uri().path().trim_end_matches('/') == path
}

/// A request's body, if it is not too large.
///
/// # Errors
/// When it is, or when the line breaks.
pub async fn body_of<B>(body: B) -> Result<Bytes, io::Error>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Ok(Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes())
}

/// An answer in JSON.
///
/// # Errors
/// When the status is none.
pub fn reply(status: u16, body: String) -> Answer {
    reply_with(status, &[], body)
}

/// The same with headers.
///
/// # Errors
/// When the status or a header is none.
pub fn reply_with(status: u16, headers: &[(&str, &str)], body: String) -> Answer {
    let mut response =
        Response::builder().status(status).header(CONTENT_TYPE, "application/json; charset=UTF-8");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(Bytes::from(body))).map_err(io::Error::other)
}

/// Makes a conversation of a request.
///
/// # Errors
/// None that a caller could mend.
pub fn upgrade<C, F>(request: &mut Request<Incoming>, converse: C) -> Answer
where
    C: FnOnce(Socket) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY).cloned() else {
        return reply(400, String::new());
    };
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(line) = upgrading.await else { return };
        converse(WebSocketStream::from_raw_socket(TokioIo::new(line), Role::Server, None).await).await;
    });
    Response::builder()
        .status(101)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
        .body(Full::default())
        .map_err(io::Error::other)
}
