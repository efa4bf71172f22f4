//! Keeps what trades have promised, on the day for which it was promised; and takes trades back.

use super::ledger::{Commodity, Journal, JournalKind, LedgerAccount, LedgerError, StoredJournal};
use super::{balance_event, store};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{self, EventHub};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Currency, Market};
use exchange::market_day;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use chrono::{DateTime, NaiveDate, Utc};

/// Time between two looks for promises that are due.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// Accounts of one transaction.
const ACCOUNTS_PER_BATCH_MAX: i64 = 64;

/// Each currency with the day it is on the calendar of the market that settles in it.
fn today(at: DateTime<Utc>) -> Vec<(Currency, NaiveDate)> {
    [Market::Krx, Market::Us].map(|market| (market.currency(), market_day(market, at))).into()
}

/// The clerk who keeps promises.
pub(super) struct Settler {
    pub(super) pool: Pool,
    pub(super) events: Arc<EventHub>,
}

impl Settler {
    /// Looks until told to stop. What cannot be settled now is settled at a later look.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if let Err(error) = self.settle_due().await {
                tracing::warn!(%error, "due trades could not be settled; trying again");
            }
        }
    }

    /// Settles everything that is due.
    ///
    /// # Errors
    /// The database's; what was settled before stays settled.
    pub(super) async fn settle_due(&self) -> ApiResult<()> {
        while self.settle_some().await? > 0 {
            self.events.wake();
        }
        Ok(())
    }

    async fn settle_some(&self) -> ApiResult<usize> {
        let at = clock::now();
        let connection = self.pool.get().await?;
        let due = store::accounts_due(&connection, &today(at), ACCOUNTS_PER_BATCH_MAX).await?;
        if due.is_empty() {
            return Ok(0);
        }
        drop(connection);
        match self.settle_together(&due, at).await {
            Err(error) if error.code() == ErrorCode::Internal => Ok(self.settle_apart(&due, at).await),
            settled => settled,
        }
    }

    async fn settle_together(&self, accounts: &[AccountId], at: DateTime<Utc>) -> ApiResult<usize> {
        let mut connection = self.pool.get().await?;
        connection.transaction(async |connection| settle(connection, accounts, at).await).await
    }

    /// One account whose books refuse must not keep the others waiting.
    async fn settle_apart(&self, accounts: &[AccountId], at: DateTime<Utc>) -> usize {
        let mut settled = 0;
        for account in accounts {
            match self.settle_together(std::slice::from_ref(account), at).await {
                Ok(promises) => settled += promises,
                Err(error) => tracing::error!(%account, %error, "due trades of an account cannot be settled"),
            }
        }
        settled
    }
}

/// The promises of the accounts are taken away and kept in one transaction, so they are kept once.
async fn settle(
    connection: &mut AsyncPgConnection,
    accounts: &[AccountId],
    at: DateTime<Utc>,
) -> ApiResult<usize> {
    let connection: &AsyncPgConnection = connection;
    let locked =
        store::lock_balances(connection, &accounts.iter().copied().collect(), std::iter::empty()).await?;
    let promises = store::take_due(connection, accounts, &today(at)).await?;
    let mut journals = Vec::new();
    for promise in &promises {
        journals.extend(Journal::settlement(promise, at).map_err(ApiError::internal)?);
    }
    store::post(connection, &journals).await?;
    let mut told = Vec::new();
    let touched: BTreeSet<_> =
        promises.iter().map(|promise| (promise.account_id, promise.currency)).collect();
    for (account_id, currency) in touched {
        let Some((owner, _)) = locked.account(account_id) else { continue };
        let cash = locked.cash(account_id, currency);
        told.push(balance_event(owner, &cash, at).map_err(ApiError::internal)?);
    }
    events::append(connection, told).await?;
    tracing::info!(promises = promises.len(), "trades settled");
    Ok(promises.len())
}

/// Why an execution cannot be taken back.
#[derive(Debug, Error)]
pub enum ReverseError {
    /// No journal books such an execution.
    #[error("no such execution is booked")]
    Unknown,
    /// It was taken back before.
    #[error("the execution was taken back before")]
    Twice,
    /// The movements behind it cannot be counted anew by rule; a person has to.
    #[error("{0}")]
    NotByRule(&'static str),
    /// The books refuse it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database's.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// The journal that takes an execution back, not posted yet, and what it takes back. The caller has locked the account.
/// Positions are not its business: call `portfolio::reverse_fill`, which asks here.
///
/// # Errors
/// [`ReverseError`]
pub async fn reversal_of_fill(
    connection: &AsyncPgConnection,
    account: AccountId,
    execution_id: &str,
    at: DateTime<Utc>,
) -> Result<(StoredJournal, Journal), ReverseError> {
    let original = store::journal_of_execution(connection, account, execution_id).await?;
    let original =
        original.filter(|journal| journal.kind == JournalKind::Fill).ok_or(ReverseError::Unknown)?;
    if store::is_reversed(connection, original.id).await? {
        return Err(ReverseError::Twice);
    }
    if store::is_reset_since(connection, account, original.id).await? {
        return Err(ReverseError::NotByRule("the account has begun anew since"));
    }
    let legs = original
        .postings
        .iter()
        .find(|posting| matches!(posting.ledger_account, LedgerAccount::Receivable | LedgerAccount::Payable));
    let settled = match legs.map(|leg| leg.commodity) {
        Some(Commodity::Cash(currency)) => {
            !store::is_promised(connection, account, currency, original.settle_date).await?
        }
        _ => false,
    };
    let reversal = Journal::reversal(&original, settled, at)?;
    Ok((original, reversal))
}
