//! One account's way to Alpaca: its key, its limiter, and what it held when it was connected.

use super::NAME;
use super::rest::{Failure, Rest};
use super::{account, wire};
use crate::broker::outside::identity::Identity;
use crate::broker::outside::way::Way;
use crate::broker::records::{Opening, StoredAccount};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// One account.
pub(in crate::broker) struct Session {
    way: Way,
    /// Whose way it is.
    pub(super) identity: Identity,
    pub(super) rest: Rest,
    pub(super) opening: Opening,
    /// When executions were last left out because their order is none here yet.
    held_back_at: Mutex<Option<Instant>>,
}

impl Deref for Session {
    type Target = Way;

    fn deref(&self) -> &Way {
        &self.way
    }
}

impl Session {
    pub(super) fn new(account: &StoredAccount, rest: Rest, stop: CancellationToken) -> Self {
        Self {
            way: Way::new(NAME, account.account_id, stop),
            identity: Identity::of(account.broker_number.clone()),
            rest,
            opening: account.opening.clone(),
            held_back_at: Mutex::default(),
        }
    }

    /// Whether Alpaca speaks of the account that was opened.
    pub(super) async fn confirm(&self) -> Result<(), Failure> {
        let named = || async { account::account(&self.rest).await.map(|account| account.account_number) };
        self.identity.confirm(named).await.map_err(|failure| self.note(failure))
    }

    /// Notes that something executed is not told yet.
    pub(super) fn holds_back(&self) {
        *self.held_back_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether something executed was not told since a moment.
    pub(super) fn has_held_back_since(&self, moment: Instant) -> bool {
        self.held_back_at.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at >= moment)
    }

    /// The account as it is, if it is the one that was opened.
    pub(super) async fn account(&self) -> Result<wire::Account, Failure> {
        let account = account::account(&self.rest).await?;
        self.identity.named(&account.account_number)?;
        Ok(account)
    }
}
