//! Reading what a broker did in an account beside orders.

use super::to_the_end;
use crate::broker::{Broker, BrokerError};
use crate::journal::Journal;
use chrono::{DateTime, TimeDelta, Utc};
use domain::AccountId;

/// How far before the end of the last complete reading the next one begins: brokers book some things days later under an
/// earlier day, and take some back.
const OVERLAP_DAYS: i64 = 30;

/// Writes what the journal lacks of what the broker did in an account beside orders, and says which line is the last one of
/// the account.
///
/// # Errors
/// [`BrokerError`] when the list cannot be read to its end; what was found before may be written.
/// [`BrokerError::Unsupported`] where a broker tells of no such things.
pub(crate) async fn follow_activities(
    broker: &dyn Broker,
    journal: &Journal,
    account: AccountId,
) -> Result<i64, BrokerError> {
    let began = Utc::now();
    let through = journal.activities_through(account).await?;
    let since = through.map_or(DateTime::UNIX_EPOCH, |through| through - TimeDelta::days(OVERLAP_DAYS));
    let listed = to_the_end(|after| broker.activity_page(account, since, after)).await?;
    journal.append_activities(account, &listed).await?;
    journal.set_activities_through(account, began).await?;
    journal.last_activity(account).await
}
