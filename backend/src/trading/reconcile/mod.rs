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
use super::lane::{Lane, Lanes};
use super::store;
use crate::db::Pool;
use crate::error::ApiError;
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderId};
use futures_util::StreamExt;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// How soon a comparison at the start with a broker that is not in this house is tried again.
const FAR_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Accounts compared at once when somebody waits for it.
const AT_ONCE_MAX: usize = 4;
/// How many times as long as a comparison took the timer rests after it: many accounts must not slow orders down, they are
/// compared less often then.
const REST_PER_COMPARISON: u32 = 9;
/// Longest such rest: an account is compared at least this often, however much is open in it.
const REST_MAX: Duration = Duration::from_secs(15);
/// Longest such rest for a broker that is not in this house: a comparison that took long has mostly waited for its answers.
const FAR_REST_MAX: Duration = Duration::from_secs(1);
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

impl Failure {
    /// Stable word.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Broker(AskError::Unreachable(_)) => "unreachable",
            Self::Broker(AskError::Conflict(_)) => "conflict",
            Self::Broker(AskError::OtherAccount(_)) => "other_account",
            Self::Behind => "behind",
            Self::Database(_) => "internal",
        }
    }
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
    /// Why it failed: stable word.
    pub(super) failure: Option<&'static str>,
    /// The same for people, in English.
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
    /// Why it failed: `unreachable`, `conflict`, `other_account`, `behind` or `internal`.
    pub(super) failure: Option<String>,
    /// The same for people, in English.
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
pub(super) struct Reconciler {
    wishes: Arc<HashMap<Lane, mpsc::Sender<AccountId>>>,
    lanes: Lanes,
}

impl Reconciler {
    /// The way in, and the exit of each lane for [`Timer::run`].
    pub(super) fn new(lanes: Lanes) -> (Self, Vec<(Lane, mpsc::Receiver<AccountId>)>) {
        let (mut wishes, mut exits) = (HashMap::new(), Vec::new());
        for lane in Lane::ALL {
            let (wish, exit) = mpsc::channel(WISHES_MAX);
            wishes.insert(lane, wish);
            exits.push((lane, exit));
        }
        (Self { wishes: Arc::new(wishes), lanes }, exits)
    }

    /// Has accounts compared soon.
    pub(super) fn ask_for(&self, accounts: BTreeSet<AccountId>) {
        for account in accounts {
            if let Some(wishes) = self.wishes.get(&self.lanes.of(account)) {
                // Where there is no room the timer comes by.
                let _ = wishes.try_send(account);
            }
        }
    }
}

/// Compares the accounts of one lane when they are due.
pub(super) struct Timer {
    pub(super) pool: Pool,
    pub(super) comparer: Comparer,
    pub(super) gate: Gate,
    pub(super) wishes: mpsc::Receiver<AccountId>,
    pub(super) lane: Lane,
    pub(super) lanes: Lanes,
    /// How long the brokers of some accounts want to be left alone between two comparisons by the timer.
    pub(super) intervals: Mutex<HashMap<AccountId, Duration>>,
}

impl Timer {
    /// Compares until told to stop.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut compared = HashMap::<AccountId, Instant>::new();
        let mut rests_until = Instant::now();
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut wished = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
                _ = self.wishes.recv_many(&mut wished, WISHES_MAX) => {}
            }
            let due = match self.due(&wished, &mut compared).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%error, "accounts cannot be compared with their brokers; trying again");
                    continue;
                }
            };
            let (by_timer, waited_for): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|(_, reason)| *reason == Reason::Timer);
            tokio::select! {
                () = stop.cancelled() => return,
                done = self.compare_at_once(waited_for) => compared.extend(done),
            }
            // A wish is not kept waiting by a rest.
            if Instant::now() < rests_until {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                rested = self.compare_in_turn(by_timer, &mut compared) => rests_until = rested,
            }
        }
    }

    /// The accounts to be compared now, and why.
    async fn due(
        &self,
        wished: &[AccountId],
        compared: &mut HashMap<AccountId, Instant>,
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
        if !self.lanes.is_used(self.lane) {
            return Ok(due);
        }
        let accounts = store::accounts_to_compare(&*self.pool.get().await?).await?;
        let mine = |account| self.lanes.of(account) == self.lane;
        for (account, is_busy) in accounts.into_iter().filter(|(account, _)| mine(*account)) {
            let interval = if is_busy { BUSY_INTERVAL } else { IDLE_INTERVAL };
            let interval = self.intervals().get(&account).map_or(interval, |wanted| interval.max(*wanted));
            if self.gate.is_unreconciled(account) {
                if self.may_begin(account, compared).await {
                    due.push((account, Reason::Start));
                }
            } else if compared.get(&account).is_none_or(|last| last.elapsed() >= interval) {
                due.push((account, Reason::Timer));
            }
        }
        // Those that have waited longest first, for there may be no time for all.
        due.sort_by_key(|(account, _)| compared.get(account).copied());
        Ok(due)
    }

    /// Whether an account is to be compared for the first time now. A broker far away that does not answer is not asked every
    /// second; and where there is no key there is nobody to ask until one comes.
    async fn may_begin(&self, account: AccountId, compared: &mut HashMap<AccountId, Instant>) -> bool {
        if self.lane == Lane::Simulator {
            return true;
        }
        if compared.get(&account).is_some_and(|last| last.elapsed() < FAR_RETRY_INTERVAL) {
            return false;
        }
        let keys_taken = self.gate.keys_taken();
        match self.comparer.connector.has_key(self.lane, account).await {
            Ok(true) => {
                self.gate.has_key(account);
                return true;
            }
            Ok(false) => self.gate.was_without_key(account, keys_taken),
            // The comparison says that nobody answers.
            Err(_) if !self.gate.is_keyless(account) => return true,
            Err(_) => {}
        }
        compared.insert(account, Instant::now());
        false
    }

    async fn compare_at_once(&self, due: Vec<(AccountId, Reason)>) -> Vec<(AccountId, Instant)> {
        futures_util::stream::iter(due)
            .map(async |(account, reason)| {
                self.compare(account, reason).await;
                (account, Instant::now())
            })
            .buffer_unordered(AT_ONCE_MAX)
            .collect()
            .await
    }

    /// One after another with a rest after each, until it is time to look who is due. Returns until when to rest further.
    async fn compare_in_turn(
        &self,
        due: Vec<(AccountId, Reason)>,
        compared: &mut HashMap<AccountId, Instant>,
    ) -> Instant {
        let until = Instant::now() + LOOK_INTERVAL;
        let rest_max = if self.lane == Lane::Simulator { REST_MAX } else { FAR_REST_MAX };
        for (account, reason) in due {
            let began = Instant::now();
            let waited = self.compare(account, reason).await;
            compared.insert(account, Instant::now());
            let worked = began.elapsed().saturating_sub(waited);
            let rested = Instant::now() + worked.saturating_mul(REST_PER_COMPARISON).min(rest_max);
            if rested >= until {
                return rested;
            }
            tokio::time::sleep_until(rested).await;
        }
        Instant::now()
    }

    /// Says how long of it was waited.
    async fn compare(&self, account: AccountId, reason: Reason) -> Duration {
        match self.comparer.compare(account, reason).await {
            Ok(compared) => {
                if let Some(interval) = compared.compare_after {
                    self.intervals().insert(account, interval);
                }
                if compared.outcome != Outcome::Failed && self.gate.reconciled(account) {
                    self.is_ours_again(account).await;
                }
                compared.waited
            }
            Err(error) => {
                tracing::warn!(%error, %account, "an account cannot be compared with its broker");
                Duration::ZERO
            }
        }
    }

    fn intervals(&self) -> MutexGuard<'_, HashMap<AccountId, Duration>> {
        self.intervals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn is_ours_again(&self, account: AccountId) {
        let forgotten = async {
            let connection = self.pool.get().await?;
            Ok::<_, ApiError>(store::forget_other_account(&connection, account).await?)
        };
        if let Err(error) = forgotten.await {
            // It is closed again after a start, until the first comparison there.
            tracing::warn!(%error, %account, "that an account is ours again cannot be written");
        }
    }
}
