//! Sockets: accepting them, speaking HTTP, and changing to WebSocket on the same port.

use crate::bearer;
use crate::connection;
use crate::feed::Feed;
use crate::lookup::Lookup;
use crate::play;
use crate::problem::Problem;
use crate::routes;
use crate::settings::Limits;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most sockets at once beyond the subscribers'; more wait in the system's queue.
const HTTP_CONNECTIONS_MAX: usize = 256;
/// A client that takes longer for its request line and headers is let go; so is one that keeps an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of request line and headers.
const HEADER_SIZE_MAX: usize = 16 * 1024;
/// Most headers.
const HEADERS_MAX: usize = 64;
/// Pause after the system refused a socket, for instance because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every request can see.
pub(crate) struct Context {
    pub(crate) feed: Arc<Feed>,
    /// Shares that others were asked for.
    pub(crate) lookup: Lookup,
    pub(crate) limits: Limits,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) places: Places,
    /// Subscribers have to show it, if there is one.
    pub(crate) token: Option<SecretString>,
    /// Whoever knows it sets how recorded days are played; nobody when there is none.
    pub(crate) control_token: Option<SecretString>,
}

/// Accepts until stopped.
pub(crate) async fn accept(listener: TcpListener, context: Arc<Context>) {
    let sockets_max = context.limits.subscribers_max.saturating_add(HTTP_CONNECTIONS_MAX);
    let sockets = Arc::new(Semaphore::new(sockets_max.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = async {
            let permit = Arc::clone(&sockets).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let Some((Ok(permit), accepted)) = context.stop.run_until_cancelled(accepted).await else { return };
        match accepted {
            Ok((socket, peer)) => {
                let context = Arc::clone(&context);
                let tasks = context.tasks.clone();
                tasks.spawn(async move { serve(socket, peer, context, permit).await });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

type Permit = tokio::sync::OwnedSemaphorePermit;

async fn serve(socket: TcpStream, peer: SocketAddr, context: Arc<Context>, permit: Permit) {
    let _ = socket.set_nodelay(true);
    // The place among the sockets is held by whoever lives longest: HTTP, or the WebSocket it turned into.
    let permit = Arc::new(permit);
    let stop = context.stop.clone();
    let service = service_fn(move |request| {
        let (context, permit) = (Arc::clone(&context), Arc::clone(&permit));
        async move { Ok::<_, Infallible>(answer(request, peer.ip(), &context, &permit).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_SIZE_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    tokio::pin!(connection);
    let finished = tokio::select! {
        finished = connection.as_mut() => finished,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = finished {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer(
    mut request: Request<Incoming>,
    peer: IpAddr,
    context: &Arc<Context>,
    permit: &Arc<Permit>,
) -> Response<Full<Bytes>> {
    if request.uri().path() == "/ws" {
        return upgrade(&mut request, peer, context, permit).unwrap_or_else(|problem| problem.response());
    }
    if request.uri().path() == "/replay" && request.method() == Method::POST {
        let query = request.uri().query().unwrap_or_default();
        let set = play::set(query, authorization(&request), context).await;
        return set.unwrap_or_else(|problem| problem.response());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::MethodNotAllowed.response();
    }
    let path = request.uri().path();
    routes::answer(path, request.uri().query().unwrap_or_default(), context)
        .await
        .unwrap_or_else(|problem| problem.response())
}

fn authorization(request: &Request<Incoming>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}

fn upgrade(
    request: &mut Request<Incoming>,
    peer: IpAddr,
    context: &Arc<Context>,
    permit: &Arc<Permit>,
) -> Result<Response<Full<Bytes>>, Problem> {
    if request.method() != Method::GET {
        return Err(Problem::MethodNotAllowed);
    }
    if context.token.is_some() {
        bearer::demand(context.token.as_ref(), authorization(request), "GAEMI_MARKET_DATA_TOKEN")?;
    }
    let accept = handshake(request.headers()).ok_or(Problem::UpgradeRequired)?;
    let place = context.places.take(peer, &context.limits)?;
    let upgrading = hyper::upgrade::on(request);
    let (task_context, permit) = (Arc::clone(context), Arc::clone(permit));
    context.tasks.spawn(async move {
        let _held = (place, permit);
        let Ok(upgraded) = upgrading.await else { return };
        // The socket itself again: nothing of HTTP stays in memory or in the way.
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
        let (socket, said) = (parts.io.into_inner(), parts.read_buf.to_vec());
        let Context { feed, limits, stop, .. } = task_context.as_ref();
        connection::serve(socket, said, feed, limits, stop).await;
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// The answer to a WebSocket handshake (RFC 6455, 4.2); nothing when it is none.
fn handshake(headers: &HeaderMap) -> Option<HeaderValue> {
    let lists = |name: header::HeaderName, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    let version = headers.get(header::SEC_WEBSOCKET_VERSION)?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let valid =
        lists(header::CONNECTION, "upgrade") && lists(header::UPGRADE, "websocket") && version == "13";
    if !valid {
        return None;
    }
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

/// How many subscribers there are, altogether and from each address.
#[derive(Clone, Default)]
pub(crate) struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One subscriber's place; given back when dropped.
struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    fn take(&self, address: IpAddr, limits: &Limits) -> Result<Place, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= limits.subscribers_max {
            return Err(Problem::TooManyConnections);
        }
        let here = taken.entry(address).or_default();
        if *here >= limits.subscribers_per_address_max {
            return Err(Problem::TooManyConnectionsFromAddress);
        }
        *here += 1;
        Ok(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = taken.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.remove(&self.address);
            }
        }
    }
}
