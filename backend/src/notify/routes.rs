//! `/api/events`: the user's events as server-sent events, resumable by `Last-Event-ID`.

use crate::auth::Auth;
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::events::{Event, EventHub, Subscription, SubscriptionError};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use crate::startup::Background;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::Stream;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

/// How often a quiet stream says that it lives.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How soon an ended session is noticed.
const SESSION_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// After this the stream ends and the listener resumes with a fresh access token.
const STREAM_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// Most streams at once.
const STREAMS_MAX: usize = 256;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(stream_events);
}

/// How many streams are open.
#[derive(Debug, Default)]
pub struct OpenStreams(AtomicUsize);

/// A place among the open streams, given back when dropped.
struct Place(web::Data<OpenStreams>);

impl Place {
    fn take(streams: web::Data<OpenStreams>) -> ApiResult<Self> {
        let taken = streams.0.fetch_add(1, Ordering::Relaxed);
        let place = Self(streams);
        if taken >= STREAMS_MAX {
            let error = ApiError::new(ErrorCode::TooManyRequests, "too many open event streams");
            return Err(error.retry_after_seconds(HEARTBEAT_INTERVAL.as_secs()));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

const LAST_EVENT_ID: &str = "Last-Event-ID";

/// For readers that cannot set a header on their first connection, as a browser's `EventSource` cannot.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Resume {
    /// The same as the header, which goes first: a browser sends it when it comes back, and keeps the address.
    #[param(value_type = Option<i64>, minimum = 0)]
    last_event_id: Option<String>,
}

fn event_id(name: &'static str, text: Option<&str>) -> ApiResult<i64> {
    let id = text.and_then(|text| text.parse::<i64>().ok()).filter(|id| *id >= 0);
    id.ok_or_else(|| ApiError::field(name, "invalid", "must be the id of an event"))
}

fn last_event_id(headers: &HeaderMap, resume: &Resume) -> ApiResult<Option<i64>> {
    let by_address = resume.last_event_id.as_deref();
    let by_address = by_address.map(|text| event_id("lastEventId", Some(text))).transpose()?;
    let by_header = headers.get(LAST_EVENT_ID).map(|value| event_id(LAST_EVENT_ID, value.to_str().ok()));
    Ok(by_header.transpose()?.or(by_address))
}

/// The user's events as they happen.
///
/// Every event has an `id`; a reader that comes back sends the last one it saw as `Last-Event-ID`, or as `lastEventId` in
/// the address, and misses nothing. The first event is `hello` (its id is where the stream begins) or `reset` (the events after the id given
/// are gone: read everything anew).
#[utoipa::path(tag = "events", params(("Last-Event-ID" = Option<i64>, Header), Resume), responses(
    (status = 200, description = "hello, reset, order, execution, balance, position, account, incident, halt, security", content_type = "text/event-stream", body = String),
    (status = 401, body = Problem), (status = 422, body = Problem)))]
#[get("/events")]
async fn stream_events(
    user: CurrentUser,
    request: HttpRequest,
    auth: web::Data<Auth>,
    hub: web::Data<Arc<EventHub>>,
    streams: web::Data<OpenStreams>,
    background: web::Data<Background>,
    Params(resume): Params<Resume>,
) -> ApiResult<HttpResponse> {
    let last_seen = last_event_id(request.headers(), &resume)?;
    let place = Place::take(streams)?;
    let (subscription, greeting) = match hub.subscribe(user.user_id, last_seen).await {
        Ok(subscription) => (subscription, "hello"),
        Err(SubscriptionError::Database(error)) => return Err(error),
        Err(SubscriptionError::OutOfRange) => match hub.subscribe(user.user_id, None).await {
            Ok(subscription) => (subscription, "reset"),
            Err(SubscriptionError::Database(error)) => return Err(error),
            Err(SubscriptionError::OutOfRange) => {
                return Err(ApiError::internal("a stream from now is out of range"));
            }
        },
    };
    let streaming = Streaming {
        subscription,
        greeting: Some(greeting),
        user,
        auth,
        stop: background.stop.clone(),
        ends_at: Instant::now() + STREAM_TIME_MAX,
        heartbeat_at: Instant::now() + HEARTBEAT_INTERVAL,
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies must hand every event on at once.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(streaming.frames()))
}

/// A stream under way.
struct Streaming {
    subscription: Subscription,
    greeting: Option<&'static str>,
    user: CurrentUser,
    auth: web::Data<Auth>,
    stop: CancellationToken,
    ends_at: Instant,
    heartbeat_at: Instant,
    _place: Place,
}

impl Streaming {
    fn frames(self) -> impl Stream<Item = Result<Bytes, ApiError>> {
        futures_util::stream::unfold(self, |mut streaming| async move {
            let frame = streaming.next_frame().await?;
            Some((frame, streaming))
        })
    }

    async fn next_frame(&mut self) -> Option<Result<Bytes, ApiError>> {
        if let Some(greeting) = self.greeting.take() {
            let position = self.subscription.position();
            return Some(Ok(format!("id: {position}\nevent: {greeting}\ndata: {{}}\n\n").into()));
        }
        loop {
            let frame = tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep_until(self.ends_at) => return None,
                event = self.subscription.next() => Some(event.map(|event| write(&event))),
                () = tokio::time::sleep_until(self.heartbeat_at) => Some(Ok(Bytes::from_static(b": still here\n\n"))),
                () = tokio::time::sleep(SESSION_CHECK_INTERVAL) => None,
            };
            // A session that was ended hears nothing more.
            if !matches!(self.auth.is_live(self.user).await, Ok(true)) {
                return None;
            }
            if frame.is_some() {
                self.heartbeat_at = Instant::now() + HEARTBEAT_INTERVAL;
                return frame;
            }
        }
    }
}

fn write(event: &Event) -> Bytes {
    // JSON text has no line breaks outside of strings and escapes those inside: one data line is enough.
    format!("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.kind, event.payload).into()
}
