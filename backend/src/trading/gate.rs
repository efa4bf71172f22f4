//! Accounts in which nothing new may be placed now.
//!
//! Kept in memory beside the tables that say so, because every order asks. Whoever closes it does so before the commit
//! that gives the reason, whoever opens it does so after.

use crate::error::{ApiError, ErrorCode};
use domain::AccountId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// When a caller should come back whose account is still being compared.
const RETRY_AFTER_SECONDS: u64 = 1;

#[derive(Default)]
struct Closed {
    /// Not compared with their broker since the start of this process.
    unreconciled: HashSet<AccountId>,
    /// Opened at a broker since then, which does not know them yet.
    keyless: HashSet<AccountId>,
    /// Halted, and why.
    halted: HashMap<AccountId, String>,
}

/// The gate. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<RwLock<Closed>>);

impl Gate {
    /// Closed for accounts that existed before this process and were not compared with their broker yet, and for those
    /// that are halted.
    pub(super) fn new(
        unreconciled: impl Iterator<Item = AccountId>,
        halted: impl Iterator<Item = (AccountId, String)>,
    ) -> Self {
        let (unreconciled, halted) = (unreconciled.collect(), halted.collect());
        let closed = Closed { unreconciled, halted, ..Closed::default() };
        Self(Arc::new(RwLock::new(closed)))
    }

    /// Whether something new may be placed.
    ///
    /// # Errors
    /// [`ErrorCode::TradingHalted`], [`ErrorCode::BrokerKeyMissing`], [`ErrorCode::NotReconciled`].
    pub(super) fn check(&self, account: AccountId) -> Result<(), ApiError> {
        let closed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = closed.halted.get(&account) {
            return Err(ApiError::new(ErrorCode::TradingHalted, reason.clone()));
        }
        if closed.keyless.contains(&account) {
            return Err(ApiError::new(ErrorCode::BrokerKeyMissing, ""));
        }
        if closed.unreconciled.contains(&account) {
            return Err(ApiError::new(ErrorCode::NotReconciled, "").retry_after_seconds(RETRY_AFTER_SECONDS));
        }
        Ok(())
    }

    /// Whether an account waits for its first comparison.
    pub(super) fn is_unreconciled(&self, account: AccountId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).unreconciled.contains(&account)
    }

    /// The account was opened at a broker that has no key for it yet: nothing new before it was compared there.
    pub(super) fn lacks_key(&self, account: AccountId) {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        closed.keyless.insert(account);
        closed.unreconciled.insert(account);
    }

    /// Whether the account waits for its first key.
    pub(super) fn is_keyless(&self, account: AccountId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keyless.contains(&account)
    }

    /// The broker has taken a key of the account; it is still to be compared.
    pub(super) fn has_key(&self, account: AccountId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).keyless.remove(&account);
    }

    /// The account was compared with its broker.
    pub(super) fn reconciled(&self, account: AccountId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).unreconciled.remove(&account);
    }

    /// Nothing new until [`Self::lift`].
    pub(super) fn halt(&self, account: AccountId, reason: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).halted.insert(account, reason);
    }

    /// A person has said that the account may trade again.
    pub(super) fn lift(&self, account: AccountId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).halted.remove(&account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_outlasts_a_comparison() {
        let account = AccountId::generate();
        let gate = Gate::new(std::iter::once(account), std::iter::empty());
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::NotReconciled);
        gate.halt(account, "it went wrong".into());
        gate.reconciled(account);
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::TradingHalted);
        gate.lift(account);
        assert!(gate.check(account).is_ok());
    }

    #[test]
    fn an_account_without_a_key_waits_for_it_and_then_for_its_comparison() {
        let (gate, account) = (Gate::default(), AccountId::generate());
        gate.lacks_key(account);
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::BrokerKeyMissing);
        gate.has_key(account);
        assert!(!gate.is_keyless(account));
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::NotReconciled);
        gate.reconciled(account);
        assert!(gate.check(account).is_ok());
    }

    #[test]
    fn an_account_opened_since_the_start_is_not_waited_for() {
        let gate = Gate::new(std::iter::once(AccountId::generate()), std::iter::empty());
        assert!(gate.check(AccountId::generate()).is_ok());
    }
}
