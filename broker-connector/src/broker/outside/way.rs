//! One account's way to its broker: how it is, the bell that says that something may have happened, and the tasks that follow
//! what happens.

use super::failure::{Failure, Refusal};
use crate::broker::{BrokerError, ConnectionState, KeyTrouble};
use chrono::{DateTime, Utc};
use domain::AccountId;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Pause before a task that panicked is started again.
const REVIVAL_PAUSE: Duration = Duration::from_secs(5);

/// What is known of the way.
#[derive(Debug, Clone)]
struct Condition {
    state: &'static str,
    since: DateTime<Utc>,
    detail: Option<String>,
    heard_at: Option<DateTime<Utc>>,
    read_at: Option<DateTime<Utc>>,
    read_last: Option<Instant>,
    /// Whether the present conversation has come so far that one listens.
    is_welcome: bool,
}

/// The way of one account.
pub(in crate::broker) struct Way {
    broker: &'static str,
    pub(in crate::broker) account_id: AccountId,
    /// Ends its tasks.
    pub(in crate::broker) stop: CancellationToken,
    condition: Mutex<Condition>,
    bell: Notify,
    soft_bell: Notify,
}

impl Way {
    pub(in crate::broker) fn new(
        broker: &'static str,
        account_id: AccountId,
        stop: CancellationToken,
    ) -> Self {
        let condition = Condition {
            state: "connecting",
            since: Utc::now(),
            detail: None,
            heard_at: None,
            read_at: None,
            read_last: None,
            is_welcome: false,
        };
        Self {
            broker,
            account_id,
            stop,
            condition: Mutex::new(condition),
            bell: Notify::new(),
            soft_bell: Notify::new(),
        }
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::broker) fn connection_state(&self) -> ConnectionState {
        let condition = self.condition().clone();
        ConnectionState {
            broker: self.broker,
            state: condition.state,
            since: Some(condition.since),
            detail: condition.detail,
            heard_at: condition.heard_at,
            read_at: condition.read_at,
        }
    }

    /// Says how the way is.
    pub(in crate::broker) fn is(&self, state: &'static str, detail: Option<String>) {
        let mut condition = self.condition();
        if condition.state != state {
            tracing::info!(account = %self.account_id, broker = self.broker, state, detail, "the way to a broker");
            condition.since = Utc::now();
        }
        (condition.state, condition.detail) = (state, detail);
        condition.is_welcome |= state == "connected";
    }

    /// A conversation with its stream begins.
    pub(super) fn calls(&self) {
        self.condition().is_welcome = false;
    }

    /// Whether that conversation has come so far that one listens.
    pub(super) fn is_welcome(&self) -> bool {
        self.condition().is_welcome
    }

    pub(in crate::broker) fn heard(&self) {
        self.condition().heard_at = Some(Utc::now());
    }

    /// All lists were read to their end.
    pub(in crate::broker) fn has_read(&self) {
        let mut condition = self.condition();
        (condition.read_at, condition.read_last) = (Some(Utc::now()), Some(Instant::now()));
    }

    /// When that was.
    pub(in crate::broker) fn read_last(&self) -> Option<Instant> {
        self.condition().read_last
    }

    /// Something may have happened.
    pub(in crate::broker) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Something has happened that is known already: a look need not be made at once.
    pub(in crate::broker) fn ring_softly(&self) {
        self.soft_bell.notify_one();
    }

    /// Waits until it is rung; whether loudly.
    pub(in crate::broker) async fn rung(&self) -> bool {
        tokio::select! {
            biased;
            () = self.bell.notified() => true,
            () = self.soft_bell.notified() => false,
        }
    }

    /// What a failure means for this account: a key that opened once and does not any more was revoked.
    pub(in crate::broker) fn note<R>(&self, failure: Failure<R>) -> Failure<R> {
        let Failure::Locked(trouble) = failure else { return failure };
        let trouble = if trouble == KeyTrouble::Wrong { KeyTrouble::Revoked } else { trouble };
        self.is(trouble.word(), Some(trouble.to_string()));
        Failure::Locked(trouble)
    }

    /// The answer to a question.
    pub(in crate::broker) fn answer<T, R: Refusal>(
        &self,
        answer: Result<T, Failure<R>>,
    ) -> Result<T, BrokerError> {
        answer.map_err(|failure| self.note(failure).of_question())
    }
}

/// What is said of an account that has no way.
pub(in crate::broker) fn no_way(broker: &'static str, trouble: KeyTrouble) -> ConnectionState {
    ConnectionState {
        broker,
        state: trouble.word(),
        since: None,
        detail: Some(trouble.to_string()),
        heard_at: None,
        read_at: None,
    }
}

/// Runs a task of a session until it ends or the session does. One that panics is started again after a pause; nobody
/// else notices.
pub(in crate::broker) fn supervise<S, F>(
    name: &'static str,
    session: Arc<S>,
    task: impl Fn(Arc<S>) -> F + Send + 'static,
) where
    S: Deref<Target = Way> + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        let stop = session.stop.clone();
        loop {
            let mut running = tokio::spawn(task(Arc::clone(&session)));
            let ended = tokio::select! {
                () = stop.cancelled() => {
                    running.abort();
                    return;
                }
                ended = &mut running => ended,
            };
            let Err(error) = ended else { return };
            tracing::error!(account = %session.account_id, task = name, %error, "a task panicked; it is started again");
            session.is("down", Some(format!("its {name} failed")));
            if paused(&stop, REVIVAL_PAUSE).await {
                return;
            }
        }
    });
}

/// Waits; whether it was told to stop meanwhile.
pub(in crate::broker) async fn paused(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = sleep(pause) => false,
    }
}
