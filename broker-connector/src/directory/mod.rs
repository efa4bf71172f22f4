//! Which broker an account, or an order, is at.
//!
//! The accounts of the broker that keeps all that is nowhere else are not remembered, and cost nothing. Of the others
//! there are few; they are read once and kept in memory.

mod store;

use crate::broker::BrokerError;
use domain::{AccountId, OrderId};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use store::Store;

/// The directory.
pub(crate) struct Directory {
    store: Store,
    keeper: &'static str,
    /// Accounts that are not at the keeper; nothing until they were read.
    accounts: RwLock<Option<HashMap<AccountId, String>>>,
}

fn unavailable(error: anyhow::Error) -> BrokerError {
    BrokerError::Unavailable(format!("{error:#}"))
}

impl Directory {
    /// The directory beside a broker that keeps what is nowhere else.
    ///
    /// # Errors
    /// When the database's address cannot be read.
    pub(crate) fn new(database_url: &SecretString, keeper: &'static str) -> anyhow::Result<Self> {
        Ok(Self { store: Store::new(database_url)?, keeper, accounts: RwLock::default() })
    }

    fn with_accounts<T>(&self, ask: impl FnOnce(&HashMap<AccountId, String>) -> T) -> Option<T> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    async fn load(&self) -> Result<(), BrokerError> {
        if self.with_accounts(|_| ()).is_some() {
            return Ok(());
        }
        let read = self.store.accounts_beside(self.keeper).await.map_err(unavailable)?;
        self.accounts.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(read);
        Ok(())
    }

    /// The broker of an account; nothing where the keeper has it.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn of_account(&self, account: AccountId) -> Result<Option<String>, BrokerError> {
        self.load().await?;
        Ok(self.with_accounts(|accounts| accounts.get(&account).cloned()).flatten())
    }

    /// The brokers of orders; those of the keeper are absent.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn of_orders(
        &self,
        orders: &[OrderId],
    ) -> Result<HashMap<OrderId, String>, BrokerError> {
        self.load().await?;
        if self.with_accounts(HashMap::is_empty).unwrap_or(true) {
            return Ok(HashMap::new());
        }
        self.store.orders_beside(self.keeper, orders).await.map_err(unavailable)
    }

    /// An account was connected.
    pub(crate) fn remember(&self, account: AccountId, broker: &str) {
        if broker == self.keeper {
            return;
        }
        if let Some(accounts) = self.accounts.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            accounts.insert(account, broker.to_owned());
        }
    }
}
