//! Compares every account with its broker: at the start before anything new is placed, then on a timer whatever the
//! stream of reports says about its health, and when somebody asks.
//!
//! Promises: reports that the broker should have sent are pulled in through the journal and applied like all others; an
//! order that we did not make becomes an order of origin `EXTERNAL`; a request for other terms ends as the broker's order
//! shows, by a report where it has them and as refused where it does not in time; a difference that is still there at a second look is
//! booked to the account of broker differences with an incident, never silently and never twice.

mod compare;
mod import;
mod run;

#[cfg(test)]
pub(super) use compare::compare_terms;
pub(super) use compare::{
    Difference, REPLACE_NOT_DONE, amount_of, compare_holdings, compare_orders, lasting, words_of,
};
pub(super) use run::Comparer;

use super::connector::AskError;
use super::gate::Gate;
use super::store;
use crate::db::Pool;
use crate::error::ApiError;
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderId};
use futures_util::StreamExt;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

/// Between two comparisons of an account in which something is open.
const BUSY_INTERVAL: Duration = Duration::from_secs(30);
/// Between two comparisons of an account in which nothing is open.
const IDLE_INTERVAL: Duration = Duration::from_secs(120);
/// How often is looked which accounts are due, and how soon a comparison at the start is tried again.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Accounts compared at once.
const AT_ONCE_MAX: usize = 4;
/// Accounts that may wait to be compared at somebody's wish; those beyond wait for the timer.
const WISHES_MAX: usize = 1024;

/// Why a comparison could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Broker(#[from] AskError),
    #[error("the journal is not applied in time")]
    Behind,
    #[error("{0}")]
    Database(#[from] ApiError),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for Failure {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::Database(error.into())
    }
}

/// Why accounts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nothing is placed before.
    Start,
    /// It is time.
    Timer,
    /// Somebody asked, or reports speak of what is not known here.
    Request,
}

impl Reason {
    /// The stored name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Timer => "timer",
            Self::Request => "request",
        }
    }
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Both sides say the same.
    Agreed,
    /// They did not.
    Differed,
    /// It could not be done.
    Failed,
}

impl Outcome {
    /// The stored name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Differed => "differed",
            Self::Failed => "failed",
        }
    }
}

/// A comparison.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: Uuid,
    pub(super) account_id: AccountId,
    pub(super) reason: Reason,
    pub(super) outcome: Outcome,
    /// Why it failed.
    pub(super) detail: Option<String>,
    pub(super) orders_asked: i64,
    pub(super) reports_added: i64,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: DateTime<Utc>,
    /// Each with what was done about it.
    pub(super) differences: Vec<(Difference, &'static str)>,
}

/// A comparison of an account with its broker.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDocument {
    pub(super) id: Uuid,
    pub(super) account_id: AccountId,
    /// `start`, `timer` or `request`.
    pub(super) reason: String,
    /// `agreed`, `differed` or `failed`.
    pub(super) outcome: String,
    /// Why it failed.
    pub(super) detail: Option<String>,
    /// Open orders the broker was asked about.
    pub(super) orders_asked: i64,
    /// Reports that had been missing and were pulled in.
    pub(super) reports_added: i64,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: DateTime<Utc>,
    pub(super) differences: Vec<RunDifference>,
}

/// Something that was not the same on both sides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationDifference)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDifference {
    /// `order_status`, `order_filled`, `order_missing`, `order_terms`, `replace_not_done`, `position`, `cash`,
    /// `external_order` or `unknown_order`.
    pub(super) kind: String,
    pub(super) order_id: Option<OrderId>,
    /// The symbol or the currency.
    pub(super) commodity: Option<String>,
    /// What our books said.
    pub(super) ours: String,
    /// What the broker said.
    pub(super) theirs: String,
    /// `booked`, `imported`, `settled` (the request for other terms was closed as refused) or `told`.
    pub(super) action: String,
}

/// The way to ask for comparisons. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Reconciler(mpsc::Sender<AccountId>);

impl Reconciler {
    /// The way in, and the exit for [`Timer::run`].
    pub(super) fn new() -> (Self, mpsc::Receiver<AccountId>) {
        let (wishes, exit) = mpsc::channel(WISHES_MAX);
        (Self(wishes), exit)
    }

    /// Has accounts compared soon.
    pub(super) fn ask_for(&self, accounts: BTreeSet<AccountId>) {
        for account in accounts {
            if self.0.try_send(account).is_err() {
                // The timer comes by.
                return;
            }
        }
    }
}

/// Compares accounts when they are due.
pub(super) struct Timer {
    pub(super) pool: Pool,
    pub(super) comparer: Comparer,
    pub(super) gate: Gate,
    pub(super) wishes: mpsc::Receiver<AccountId>,
}

impl Timer {
    /// Compares until told to stop.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut compared = HashMap::<AccountId, Instant>::new();
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut wished = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
                _ = self.wishes.recv_many(&mut wished, WISHES_MAX) => {}
            }
            let due = match self.due(&wished, &compared).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%error, "accounts cannot be compared with their brokers; trying again");
                    continue;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                done = self.compare(due) => compared.extend(done),
            }
        }
    }

    /// The accounts to be compared now, and why.
    async fn due(
        &self,
        wished: &[AccountId],
        compared: &HashMap<AccountId, Instant>,
    ) -> Result<Vec<(AccountId, Reason)>, ApiError> {
        let mut due: Vec<(AccountId, Reason)> = wished
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|account| (*account, Reason::Request))
            .collect();
        if !wished.is_empty() {
            return Ok(due);
        }
        for (account, is_busy) in store::accounts_to_compare(&*self.pool.get().await?).await? {
            let interval = if is_busy { BUSY_INTERVAL } else { IDLE_INTERVAL };
            if self.gate.is_unreconciled(account) {
                due.push((account, Reason::Start));
            } else if compared.get(&account).is_none_or(|last| last.elapsed() >= interval) {
                due.push((account, Reason::Timer));
            }
        }
        Ok(due)
    }

    async fn compare(&self, due: Vec<(AccountId, Reason)>) -> Vec<(AccountId, Instant)> {
        futures_util::stream::iter(due)
            .map(|(account, reason)| async move {
                match self.comparer.compare(account, reason).await {
                    Ok(outcome) if outcome != Outcome::Failed => self.gate.reconciled(account),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, %account, "an account cannot be compared with its broker");
                    }
                }
                (account, Instant::now())
            })
            .buffer_unordered(AT_ONCE_MAX)
            .collect()
            .await
    }
}
