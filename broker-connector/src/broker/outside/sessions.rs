//! The sessions of a broker's accounts.

use super::way::{Way, paused};
use crate::broker::records::{Records, StoredAccount};
use crate::broker::{BrokerError, KeyTrouble};
use crate::credentials::{Credentials, Vault};
use domain::AccountId;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often credentials are sealed anew because the key was changed while they were written.
const KEY_CHANGES_MAX: usize = 3;
/// Pause before accounts are read from the database again at the start.
const START_PAUSE: Duration = Duration::from_millis(500);

/// The sessions; nothing until the accounts were read.
pub(in crate::broker) struct Sessions<S>(RwLock<Option<HashMap<AccountId, Arc<S>>>>);

impl<S> Default for Sessions<S> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<S: Deref<Target = Way>> Sessions<S> {
    /// Whether the accounts were read.
    pub(in crate::broker) fn are_read(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The session of an account.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`] before the accounts were read, and where no key was entered that one is missing.
    pub(in crate::broker) fn of(&self, account: AccountId) -> Result<Arc<S>, BrokerError> {
        match self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            None => Err(BrokerError::Unavailable("the accounts at this broker are being read".into())),
            Some(sessions) => {
                sessions.get(&account).cloned().ok_or(BrokerError::AuthExpired(KeyTrouble::Missing))
            }
        }
    }

    /// The session of an account that may not have one.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`] before the accounts were read.
    pub(in crate::broker) fn known(&self, account: AccountId) -> Result<Option<Arc<S>>, BrokerError> {
        match self.of(account) {
            Ok(session) => Ok(Some(session)),
            Err(BrokerError::AuthExpired(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a session in the place of the one before, whose tasks end.
    pub(in crate::broker) fn put(&self, session: &Arc<S>) {
        let before = {
            let mut sessions = self.0.write().unwrap_or_else(PoisonError::into_inner);
            sessions.get_or_insert_default().insert(session.account_id, Arc::clone(session))
        };
        if let Some(before) = before {
            before.stop.cancel();
        }
    }

    fn begin(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }
}

/// Writes an account with what opens it, and gives it as it stands there. The key under which credentials lie may be changed
/// meanwhile: what lies under the one before would be lost, and is sealed anew.
///
/// # Errors
/// As [`Records::save_account`]; [`BrokerError::Unavailable`] where the key does not stand still.
pub(in crate::broker) async fn save(
    (records, vault): (&Records, &Vault),
    broker: &str,
    mut account: StoredAccount,
    credentials: &Credentials,
) -> Result<StoredAccount, BrokerError> {
    let owner = account.account_id;
    for _ in 0..KEY_CHANGES_MAX {
        let saved = records.save_account(broker, &account).await?;
        if vault.is_lasting(&saved.sealed, owner) {
            return Ok(saved);
        }
        account.sealed = seal(vault, credentials, owner)?;
    }
    Err(BrokerError::Unavailable("the key for credentials does not stand still".into()))
}

/// Credentials as they are written.
///
/// # Errors
/// [`BrokerError::Conflict`] where no key is set to seal them with.
pub(in crate::broker) fn seal(
    vault: &Vault,
    credentials: &Credentials,
    owner: AccountId,
) -> Result<Vec<u8>, BrokerError> {
    vault.seal(credentials, owner).map_err(|error| BrokerError::Conflict(format!("{error:#}")))
}

/// An adapter whose accounts are kept in the records.
pub(in crate::broker) trait Keeper: Send + Sync + 'static {
    /// What is kept of one account.
    type Session: Deref<Target = Way>;

    /// The broker.
    const NAME: &'static str;

    /// Where the records are, and what opens them.
    fn books(&self) -> (&Records, &Vault);

    /// The sessions.
    fn sessions(&self) -> &Sessions<Self::Session>;

    /// Follows an account from now on.
    fn follow(&self, account: &StoredAccount, credentials: Credentials);
}

/// Follows the accounts that were connected before. The tables are made by another process, perhaps later.
pub(in crate::broker) async fn load<K: Keeper>(keeper: Weak<K>, stop: CancellationToken) {
    loop {
        let Some(keeper) = keeper.upgrade() else { return };
        let (records, vault) = keeper.books();
        match records.accounts(K::NAME).await {
            Ok(accounts) => {
                keeper.sessions().begin();
                for account in accounts {
                    match vault.open(&account.sealed, account.account_id) {
                        Ok(credentials) => keeper.follow(&account, credentials),
                        Err(error) => {
                            let (broker, error) = (K::NAME, format!("{error:#}"));
                            tracing::error!(account = %account.account_id, broker, error, "an account stays closed");
                        }
                    }
                }
                return;
            }
            Err(error) => tracing::debug!(broker = K::NAME, %error, "the accounts cannot be read yet"),
        }
        drop(keeper);
        if paused(&stop, START_PAUSE).await {
            return;
        }
    }
}
