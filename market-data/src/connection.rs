//! One WebSocket connection: when it is listened to, when it is written to, and when it is let go.
//!
//! Each connection is one task. Woken, it hears what the client has said and then writes all that waits for it at once;
//! a socket that is full is not written to again before it has room, while the mailbox keeps the newest of each topic.

use crate::allowance::{Allowance, Rate};
use crate::client::Client;
use crate::feed::Feed;
use crate::frame::Frame;
use crate::line::{Line, WRITE_SIZE_MAX};
use crate::mailbox::Mailbox;
use crate::settings::Limits;
use domain::market_data::Channel;
use futures_util::{SinkExt as _, StreamExt as _};
use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

/// Largest message of a client, in bytes: a subscription to everything it may have, and room.
const MESSAGE_SIZE_MAX: usize = 16 * 1024;
/// Memory for what a client says, in bytes; it grows for a larger message and not before.
const READ_BUFFER_SIZE: usize = 512;
/// How long a client may take to read a goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The bounds of the protocol layer. Its replies are not collected: [`Line`] does that.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_SIZE_MAX))
        .max_frame_size(Some(MESSAGE_SIZE_MAX))
        .read_buffer_size(READ_BUFFER_SIZE)
        .write_buffer_size(0)
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The line broke.
    Gone,
    /// The client says goodbye.
    Left,
    /// It reads too slowly, or not at all.
    Slow,
    /// It says nothing any more.
    Silent,
    /// It says too much.
    Flood,
    /// A message larger than [`MESSAGE_SIZE_MAX`].
    TooLarge,
    /// We stop.
    Stopping,
}

impl End {
    const fn close(self) -> Option<(CloseCode, &'static str)> {
        match self {
            // Who does not read will not read a goodbye either.
            Self::Gone | Self::Slow => None,
            Self::Left => Some((CloseCode::Normal, "")),
            Self::Silent => Some((CloseCode::Policy, "no answer to pings")),
            Self::Flood => Some((CloseCode::Policy, "too many messages")),
            Self::TooLarge => Some((CloseCode::Size, "message too large")),
            Self::Stopping => Some((CloseCode::Away, "the server stops")),
        }
    }
}

/// Serves a connection whose handshake is done until either side ends it; `said` is what came behind the handshake.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    said: Vec<u8>,
    feed: &Feed,
    limits: &Limits,
    stop: &CancellationToken,
) {
    let line = Line::new(socket);
    let mut socket = WebSocketStream::from_partially_read(line, said, Role::Server, Some(config())).await;
    let mailbox = Arc::new(Mailbox::default());
    feed.hub.counters.connections.fetch_add(1, Ordering::Relaxed);
    let client = Client { feed, mailbox: &mailbox };
    client.tell_status(Channel::Quotes);
    let end = Session::new(&mut socket, client, limits).run(stop).await;
    feed.hub.unsubscribe(&mailbox, &mailbox.subscribed());
    feed.hub.counters.connections.fetch_sub(1, Ordering::Relaxed);
    tracing::debug!(?end, "subscriber left");
    if let Some((code, reason)) = end.close() {
        let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(CLOSE_TIMEOUT, socket.send(goodbye)).await;
    }
}

/// What is taken out of a mailbox and written. A worker thread needs one at a time, however many connections it serves.
#[derive(Default)]
struct Scratch {
    frames: Vec<Frame>,
    bytes: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn message_rate(limits: &Limits) -> Rate {
    let refill = Duration::from_secs(1) / limits.messages_per_second_max.max(1);
    Rate { burst_max: limits.messages_burst_max, refill }
}

/// A connection at work.
struct Session<'a, S> {
    socket: &'a mut WebSocketStream<Line<S>>,
    client: Client<'a>,
    limits: &'a Limits,
    allowance: Allowance,
    heard_at: Instant,
    pinged_at: Instant,
    /// Since when bytes wait for the socket.
    stuck_since: Option<Instant>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(socket: &'a mut WebSocketStream<Line<S>>, client: Client<'a>, limits: &'a Limits) -> Self {
        let now = Instant::now();
        let allowance = Allowance::new(message_rate(limits));
        Self { socket, client, limits, allowance, heard_at: now, pinged_at: now, stuck_since: None }
    }

    async fn run(&mut self, stop: &CancellationToken) -> End {
        let mut clock = pin!(sleep_until(self.due()));
        let turns = std::future::poll_fn(|task| {
            if let Poll::Ready(end) = self.poll_listen(task) {
                return Poll::Ready(end);
            }
            if let Poll::Ready(end) = self.poll_deliver(task) {
                return Poll::Ready(end);
            }
            self.poll_clock(clock.as_mut(), task)
        });
        stop.run_until_cancelled(turns).await.unwrap_or(End::Stopping)
    }

    /// Hears what the client has said; its allowance bounds how much that can be.
    fn poll_listen(&mut self, task: &mut Context<'_>) -> Poll<End> {
        loop {
            let message = match ready!(self.socket.poll_next_unpin(task)) {
                Some(Err(Error::Capacity(_))) => return Poll::Ready(End::TooLarge),
                None | Some(Err(_)) => return Poll::Ready(End::Gone),
                Some(Ok(Message::Close(_))) => return Poll::Ready(End::Left),
                Some(Ok(message)) => message,
            };
            self.heard_at = Instant::now();
            if !self.allowance.spend(message_rate(self.limits)) {
                return Poll::Ready(End::Flood);
            }
            match message {
                Message::Text(text) => self.client.heed(text.as_str()),
                Message::Binary(_) => self.client.refuse_binary(),
                // Pings are answered by the protocol layer; a pong has served by coming.
                _ => {}
            }
        }
    }

    /// Writes what waits in the mailbox, as long as the socket takes it.
    fn poll_deliver(&mut self, task: &mut Context<'_>) -> Poll<End> {
        SCRATCH.with(|scratch| {
            let mut owned = Scratch::default();
            let mut borrowed = scratch.try_borrow_mut();
            let scratch = borrowed.as_deref_mut().unwrap_or(&mut owned);
            loop {
                match self.socket.get_mut().poll_drain(task) {
                    Poll::Ready(Ok(())) => self.stuck_since = None,
                    Poll::Ready(Err(_)) => return Poll::Ready(End::Gone),
                    Poll::Pending => {
                        self.stuck_since.get_or_insert_with(Instant::now);
                        return Poll::Pending;
                    }
                }
                scratch.frames.clear();
                if ready!(self.client.mailbox.poll_take(task, &mut scratch.frames, WRITE_SIZE_MAX)).is_none()
                {
                    return Poll::Ready(End::Slow);
                }
                let line = self.socket.get_mut();
                if let Poll::Ready(Err(_)) = line.poll_write_frames(task, &scratch.frames, &mut scratch.bytes)
                {
                    return Poll::Ready(End::Gone);
                }
                scratch.frames.clear();
            }
        })
    }

    /// When it has to be looked at again though nothing happens.
    fn due(&self) -> Instant {
        let silent = self.heard_at + self.limits.silence_max;
        let ping = self.pinged_at + self.limits.ping_interval;
        let stuck = self.stuck_since.map(|since| since + self.limits.write_stall_max);
        stuck.unwrap_or(ping).min(ping).min(silent)
    }

    /// Lets go who reads too slowly or is silent, and asks for a sign of life now and then.
    ///
    /// The clock is put forward when something is due earlier, and back only when it rings: messages come and go
    /// without touching it.
    fn poll_clock(&mut self, mut clock: Pin<&mut Sleep>, task: &mut Context<'_>) -> Poll<End> {
        loop {
            if clock.deadline() > self.due() {
                clock.as_mut().reset(self.due());
            }
            ready!(clock.as_mut().poll(task));
            let now = Instant::now();
            if self.stuck_since.is_some_and(|since| since + self.limits.write_stall_max <= now) {
                return Poll::Ready(End::Slow);
            }
            if self.heard_at + self.limits.silence_max <= now {
                return Poll::Ready(End::Silent);
            }
            if self.pinged_at + self.limits.ping_interval <= now {
                self.pinged_at = now;
                self.client.mailbox.put_notice(Frame::ping());
            }
            clock.as_mut().reset(self.due());
        }
    }
}
