//! What brokers did beside orders, as it stands in the journal.

use super::{Journal, LINES_PER_TRANSACTION_MAX, unavailable};
use crate::broker::{BrokerError, ListedActivity};
use chrono::{DateTime, Utc};
use domain::AccountId;

impl Journal {
    /// Writes activities of an account, in their order, and says how many lines were not there yet. What was taken back is
    /// written where what it takes back is.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]: then some may be written, and writing all of them again is right.
    pub async fn append_activities(
        &self,
        account: AccountId,
        activities: &[ListedActivity],
    ) -> Result<u64, BrokerError> {
        let mut added = 0;
        for activities in activities.chunks(LINES_PER_TRANSACTION_MAX) {
            added += self.store.append_activities(account, activities).await.map_err(unavailable)?;
        }
        Ok(added)
    }

    /// The last line of an account's activities, 0 when there is none.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn last_activity(&self, account: AccountId) -> Result<i64, BrokerError> {
        self.store.last_activity(account).await.map_err(unavailable)
    }

    /// Up to when the list of an account's activities was read to its end.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn activities_through(&self, account: AccountId) -> Result<Option<DateTime<Utc>>, BrokerError> {
        self.store.activities_through(account).await.map_err(unavailable)
    }

    /// Remembers that the list of an account's activities was read to its end.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn set_activities_through(
        &self,
        account: AccountId,
        through: DateTime<Utc>,
    ) -> Result<(), BrokerError> {
        self.store.set_activities_through(account, through).await.map_err(unavailable)
    }
}
