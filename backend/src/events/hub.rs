//! From the table to the listeners of this process.
//!
//! One task reads the table forward and hands each event to every subscription; a subscription that has fallen
//! behind reads what it missed from the table itself, so a slow listener costs nobody else anything and loses
//! nothing.

use super::{Event, store};
use crate::db::Pool;
use crate::error::{ApiError, ErrorCode};
use domain::UserId;
use failpoint::Failpoint;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// Events a subscription may be behind before it has to read the table again.
const SUBSCRIPTION_QUEUE_MAX: usize = 1024;
/// Events read from the table at once.
const READ_BATCH_MAX: i64 = 500;
/// How long an event of another process may take to be seen.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long an event can be resumed from.
const RETENTION_DAYS: i32 = 7;
/// How often old events are removed, and how many at once.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
const PRUNE_BATCH_MAX: i64 = 50_000;

/// The events of this process's listeners.
pub struct EventHub {
    pool: Pool,
    wake: Notify,
    state: Mutex<State>,
}

struct State {
    sender: broadcast::Sender<Arc<Event>>,
    /// Everything up to this id has been handed to the subscriptions there were.
    position: i64,
}

/// Why a subscription cannot begin where it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The events after that id are no longer, or not yet, there: the listener must read everything anew.
    #[error("events after that id cannot be served")]
    OutOfRange,
    /// The database.
    #[error(transparent)]
    Database(#[from] ApiError),
}

impl EventHub {
    /// A hub over the table; [`EventHub::run`] makes it work.
    #[must_use]
    pub fn new(pool: Pool) -> Arc<Self> {
        let (sender, _) = broadcast::channel(SUBSCRIPTION_QUEUE_MAX);
        Arc::new(Self { pool, wake: Notify::new(), state: Mutex::new(State { sender, position: 0 }) })
    }

    /// To be called after a commit that wrote events: they are told at once instead of at the next look.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads and hands on until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        let mut prune = tokio::time::interval(PRUNE_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                _ = poll.tick() => {}
                _ = prune.tick() => {
                    if let Err(error) = self.prune().await {
                        tracing::warn!(%error, "old events could not be removed");
                    }
                    continue;
                }
            }
            if let Err(error) = self.hand_on().await {
                tracing::warn!(%error, "events could not be read; trying again");
            }
        }
    }

    async fn prune(&self) -> Result<(), ApiError> {
        let mut connection = self.pool.get().await?;
        let removed = store::prune(&mut connection, RETENTION_DAYS, PRUNE_BATCH_MAX).await?;
        if removed > 0 {
            tracing::info!(removed, "events past their retention removed");
        }
        Ok(())
    }

    async fn hand_on(&self) -> Result<(), ApiError> {
        loop {
            let Some(position) =
                self.with_state(|state| (state.sender.receiver_count() > 0).then_some(state.position))
            else {
                return Ok(());
            };
            let mut connection = self.pool.get().await?;
            let events = store::read_after(&mut connection, position, READ_BATCH_MAX).await?;
            // Persist, then publish.
            if let Some(last) = events.last() {
                failpoint::pass(Failpoint::EventsRead);
                store::mark_told(&mut connection, last.id).await?;
            }
            drop(connection);
            let complete = i64::try_from(events.len()).unwrap_or(READ_BATCH_MAX) < READ_BATCH_MAX;
            self.with_state(|state| {
                for event in events {
                    // Somebody may have subscribed meanwhile and moved the position to the newest event.
                    if event.id > state.position {
                        state.position = event.id;
                        // Nobody listening is no error.
                        let _ = state.sender.send(Arc::new(event));
                    }
                }
            });
            if complete {
                return Ok(());
            }
        }
    }

    /// Listens to a user's events, from the one after `last_seen` or from now on.
    ///
    /// # Errors
    /// [`SubscriptionError::OutOfRange`] when events after `last_seen` are gone.
    pub async fn subscribe(
        self: &Arc<Self>,
        user: UserId,
        last_seen: Option<i64>,
    ) -> Result<Subscription, SubscriptionError> {
        let mut connection = self.pool.get().await.map_err(ApiError::from)?;
        let (oldest, newest) = store::bounds(&mut connection).await.map_err(ApiError::from)?;
        store::mark_told(&mut connection, newest).await.map_err(ApiError::from)?;
        drop(connection);
        if last_seen.is_some_and(|seen| seen > newest || seen.saturating_add(1) < oldest) {
            return Err(SubscriptionError::OutOfRange);
        }
        let (receiver, position) = self.with_state(|state| {
            if state.sender.receiver_count() == 0 {
                state.position = state.position.max(newest);
            }
            (state.sender.subscribe(), state.position)
        });
        Ok(Subscription {
            hub: Arc::clone(self),
            user,
            receiver,
            delivered: last_seen.unwrap_or(position),
            behind_until: position,
            read: VecDeque::new(),
        })
    }
}

/// One listener's place in the stream.
pub struct Subscription {
    hub: Arc<EventHub>,
    user: UserId,
    receiver: broadcast::Receiver<Arc<Event>>,
    /// Everything up to this id was given to the listener or was not theirs.
    delivered: i64,
    /// Up to this id the table must be read; what comes after arrives through the receiver.
    behind_until: i64,
    read: VecDeque<Arc<Event>>,
}

impl Subscription {
    /// The id from which a listener would resume.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.delivered
    }

    /// The next event, as soon as there is one. Safe to drop while waiting.
    ///
    /// # Errors
    /// When the table cannot be read, or the server is stopping.
    pub async fn next(&mut self) -> Result<Arc<Event>, ApiError> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.delivered = event.id;
                return Ok(event);
            }
            if self.delivered < self.behind_until {
                self.catch_up().await?;
                continue;
            }
            match self.receiver.recv().await {
                Ok(event) => {
                    let news = event.id > self.delivered;
                    self.delivered = self.delivered.max(event.id);
                    self.behind_until = self.behind_until.max(self.delivered);
                    if news && event.user_id == self.user {
                        return Ok(event);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    // What the queue has dropped lies below the oldest it still holds; reading to the hub's
                    // position covers it, and what the queue repeats is skipped by its id.
                    self.behind_until = self.hub.with_state(|state| state.position);
                }
                Err(broadcast::error::RecvError::Closed) => {
                    return Err(ApiError::new(ErrorCode::ServiceUnavailable, "the server is stopping"));
                }
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), ApiError> {
        let mut connection = self.hub.pool.get().await?;
        let events = store::read_user_between(
            &mut connection,
            self.user,
            self.delivered,
            self.behind_until,
            READ_BATCH_MAX,
        )
        .await?;
        if events.is_empty() {
            self.delivered = self.behind_until;
        }
        self.read.extend(events.into_iter().map(Arc::new));
        Ok(())
    }
}
