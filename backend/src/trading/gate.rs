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
    /// At a broker for which there is no key.
    keyless: HashSet<AccountId>,
    /// Grows with each key: whoever saw none before it has seen nothing.
    keys_taken: u64,
    /// Whose broker speaks of another account than the one that was opened.
    of_others: HashSet<AccountId>,
    /// Halted, and why.
    halted: HashMap<AccountId, String>,
}

/// The gate. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<RwLock<Closed>>);

impl Gate {
    /// Closed for accounts that existed before this process and were not compared with their broker yet, for those that
    /// are halted, and for those whose broker spoke of another account.
    pub(super) fn new(
        unreconciled: impl Iterator<Item = AccountId>,
        halted: impl Iterator<Item = (AccountId, String)>,
        of_others: impl Iterator<Item = AccountId>,
    ) -> Self {
        let (unreconciled, halted) = (unreconciled.collect(), halted.collect());
        let closed = Closed { unreconciled, halted, of_others: of_others.collect(), ..Closed::default() };
        Self(Arc::new(RwLock::new(closed)))
    }

    /// Whether something new may be placed.
    ///
    /// # Errors
    /// [`ErrorCode::TradingHalted`], [`ErrorCode::BrokerAccountChanged`], [`ErrorCode::BrokerKeyMissing`],
    /// [`ErrorCode::NotReconciled`].
    pub(super) fn check(&self, account: AccountId) -> Result<(), ApiError> {
        let closed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = closed.halted.get(&account) {
            return Err(ApiError::new(ErrorCode::TradingHalted, reason.clone()));
        }
        if closed.of_others.contains(&account) {
            return Err(ApiError::new(ErrorCode::BrokerAccountChanged, ""));
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

    /// There is no key for the account at its broker: nothing new before it was compared there.
    pub(super) fn lacks_key(&self, account: AccountId) {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        closed.keyless.insert(account);
        closed.unreconciled.insert(account);
    }

    /// Whether the account waits for its first key.
    pub(super) fn is_keyless(&self, account: AccountId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keyless.contains(&account)
    }

    /// How many keys were taken so far.
    pub(super) fn keys_taken(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys_taken
    }

    /// The account had no key when so many had been taken; where one came meanwhile that says nothing.
    pub(super) fn was_without_key(&self, account: AccountId, keys_taken: u64) {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if closed.keys_taken == keys_taken {
            closed.keyless.insert(account);
        }
    }

    /// The broker has taken a key of the account; it is still to be compared.
    pub(super) fn has_key(&self, account: AccountId) {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        closed.keyless.remove(&account);
        closed.keys_taken += 1;
    }

    /// The account was compared with its broker. Says whether its broker had spoken of another account before.
    pub(super) fn reconciled(&self, account: AccountId) -> bool {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        closed.unreconciled.remove(&account);
        closed.of_others.remove(&account)
    }

    /// The broker speaks of another account: nothing new before one was compared that is ours.
    pub(super) fn is_of_another(&self, account: AccountId) {
        let mut closed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        closed.of_others.insert(account);
        closed.unreconciled.insert(account);
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
        let gate = Gate::new(std::iter::once(account), std::iter::empty(), std::iter::empty());
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
        let before = gate.keys_taken();
        gate.has_key(account);
        gate.was_without_key(account, before);
        assert!(!gate.is_keyless(account), "what was seen before the key came does not count");
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::NotReconciled);
        gate.reconciled(account);
        assert!(gate.check(account).is_ok());
    }

    #[test]
    fn an_account_whose_broker_speaks_of_another_is_open_after_a_comparison_alone() {
        let (gate, account) = (Gate::default(), AccountId::generate());
        gate.is_of_another(account);
        gate.has_key(account);
        assert_eq!(gate.check(account).unwrap_err().code(), ErrorCode::BrokerAccountChanged);
        assert!(gate.reconciled(account));
        assert!(gate.check(account).is_ok());
        assert!(!gate.reconciled(account), "and that is no news again");
    }

    #[test]
    fn an_account_opened_since_the_start_is_not_waited_for() {
        let gate = Gate::new(std::iter::once(AccountId::generate()), std::iter::empty(), std::iter::empty());
        assert!(gate.check(AccountId::generate()).is_ok());
    }
}
