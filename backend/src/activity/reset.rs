//! Accounts of play money that begin anew.
//!
//! The wish is written down first; open orders, groups and closes of positions are taken back; then, in one transaction
//! under the account's lock, everything the account has and everything it has ever earned or paid is moved back to nothing
//! by journals. What was booked before stays where it is, and stays readable: the statement goes on, from zero.
//!
//! An order that is placed meanwhile is on one side: committed before that transaction has the lock, it is seen there and
//! taken back like those before it, and the reset waits for its end; committed later, it was decided on the new books.

mod routes;
mod service;
mod worker;

pub(super) use routes::routes;
pub use service::ResetService;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AccountId, Money, UserId};
use uuid::Uuid;

/// How long a reset waits for open orders to end.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(10);

/// Where a reset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetStatus {
    /// For open orders to end.
    Waiting,
    /// The account has begun anew.
    Done,
    /// It was given up; the reason says why. Nothing was booked.
    Failed,
}

impl ResetStatus {
    /// Every status.
    pub(super) const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Failed];

    /// The stored and shown name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }
}

/// A wish to begin anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) id: Uuid,
    pub(super) account_id: AccountId,
    pub(super) user_id: UserId,
    /// The caller's name for it.
    pub(super) key: String,
    /// What the account begins with.
    pub(super) opening: Option<Money>,
    pub(super) status: ResetStatus,
    pub(super) reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

impl Reset {
    fn is_late(&self, now: DateTime<Utc>) -> bool {
        now - self.created_at > WAIT_MAX
    }
}
