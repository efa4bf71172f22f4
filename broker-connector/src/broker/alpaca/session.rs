//! One account's way to Alpaca: its key, its limiter, how the way is, and the tasks that follow what happens.

use super::NAME;
use super::config::REVIVAL_PAUSE;
use super::rest::{Failure, Rest};
use crate::broker::records::Opening;
use crate::broker::{BrokerError, ConnectionState, KeyTrouble};
use chrono::{DateTime, Utc};
use domain::AccountId;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What is known of the way.
#[derive(Debug, Clone)]
struct Way {
    state: &'static str,
    since: DateTime<Utc>,
    detail: Option<String>,
    heard_at: Option<DateTime<Utc>>,
    read_at: Option<DateTime<Utc>>,
}

/// One account.
pub(super) struct Session {
    pub(super) account_id: AccountId,
    /// Alpaca's number of it.
    pub(super) number: String,
    pub(super) rest: Rest,
    pub(super) opening: Opening,
    /// Ends its tasks.
    pub(super) stop: CancellationToken,
    way: Mutex<Way>,
    /// Rung when something may have happened.
    bell: Notify,
}

impl Session {
    pub(super) fn new(
        account_id: AccountId,
        number: String,
        rest: Rest,
        opening: Opening,
        stop: CancellationToken,
    ) -> Self {
        let way = Way { state: "connecting", since: Utc::now(), detail: None, heard_at: None, read_at: None };
        Self { account_id, number, rest, opening, stop, way: Mutex::new(way), bell: Notify::new() }
    }

    fn way(&self) -> std::sync::MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connection_state(&self) -> ConnectionState {
        let way = self.way().clone();
        ConnectionState {
            broker: NAME,
            state: way.state,
            since: Some(way.since),
            detail: way.detail,
            heard_at: way.heard_at,
            read_at: way.read_at,
        }
    }

    /// Says how the way is.
    pub(super) fn is(&self, state: &'static str, detail: Option<String>) {
        let mut way = self.way();
        if way.state != state {
            tracing::info!(account = %self.account_id, state, detail, "the way to Alpaca");
            way.since = Utc::now();
        }
        (way.state, way.detail) = (state, detail);
    }

    pub(super) fn heard(&self) {
        self.way().heard_at = Some(Utc::now());
    }

    pub(super) fn has_read(&self) {
        self.way().read_at = Some(Utc::now());
    }

    /// Something may have happened.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until it is rung.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// What a failure means for this account: a key that opened once and does not any more was revoked.
    pub(super) fn note(&self, failure: Failure) -> Failure {
        let Failure::Locked(trouble) = failure else { return failure };
        let trouble = if trouble == KeyTrouble::Wrong { KeyTrouble::Revoked } else { trouble };
        self.is(trouble.word(), Some(trouble.to_string()));
        Failure::Locked(trouble)
    }

    /// The answer to a question.
    pub(super) fn answer<T>(&self, answer: Result<T, Failure>) -> Result<T, BrokerError> {
        answer.map_err(|failure| self.note(failure).of_question())
    }
}

/// Runs a task of a session until it ends or the session does. One that panics is started again after a pause; nobody
/// else notices.
pub(super) fn supervise<F>(
    name: &'static str,
    session: Arc<Session>,
    task: impl Fn(Arc<Session>) -> F + Send + 'static,
) where
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
pub(super) async fn paused(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = sleep(pause) => false,
    }
}
