//! Accounts in which nothing new may be placed now.
//!
//! Kept in memory beside the tables that say so, because every order asks. Whoever closes it does so before the commit
//! that gives the reason, whoever opens it does so after.

use crate::error::{ApiError, ErrorCode};
use domain::AccountId;
use domain::broker::OrderRequest;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Mutex, OwnedMutexGuard};

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
    /// Why nothing may be placed in any account.
    everywhere: Option<String>,
}

impl Closed {
    fn halt_of(&self, account: AccountId) -> Option<&String> {
        self.everywhere.as_ref().or_else(|| self.halted.get(&account))
    }
}

/// Where halts stand at a moment.
pub(super) struct Halts {
    /// In all accounts.
    pub(super) everywhere: bool,
    pub(super) accounts: Vec<AccountId>,
}

/// The gate. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Gate {
    closed: Arc<RwLock<Closed>>,
    /// One change of halts at a time, so that memory and table cannot disagree.
    changing: Arc<Mutex<()>>,
}

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
        Self { closed: Arc::new(RwLock::new(closed)), changing: Arc::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Closed> {
        self.closed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Closed> {
        self.closed.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn of who halts accounts or lifts halts: held from before the first of memory and table is changed until both are.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.changing).lock_owned().await
    }

    /// Whether something new may be placed.
    ///
    /// # Errors
    /// [`ErrorCode::TradingHalted`], [`ErrorCode::BrokerAccountChanged`], [`ErrorCode::BrokerKeyMissing`],
    /// [`ErrorCode::NotReconciled`].
    pub(super) fn check(&self, account: AccountId) -> Result<(), ApiError> {
        let closed = self.read();
        if let Some(reason) = closed.halt_of(account) {
            return Err(ApiError::new(ErrorCode::TradingHalted, reason));
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
        self.read().unreconciled.contains(&account)
    }

    /// There is no key for the account at its broker: nothing new before it was compared there.
    pub(super) fn lacks_key(&self, account: AccountId) {
        let mut closed = self.write();
        closed.keyless.insert(account);
        closed.unreconciled.insert(account);
    }

    /// Whether the account waits for its first key.
    pub(super) fn is_keyless(&self, account: AccountId) -> bool {
        self.read().keyless.contains(&account)
    }

    /// How many keys were taken so far.
    pub(super) fn keys_taken(&self) -> u64 {
        self.read().keys_taken
    }

    /// The account had no key when so many had been taken; where one came meanwhile that says nothing.
    pub(super) fn was_without_key(&self, account: AccountId, keys_taken: u64) {
        let mut closed = self.write();
        if closed.keys_taken == keys_taken {
            closed.keyless.insert(account);
        }
    }

    /// The broker has taken a key of the account; it is still to be compared.
    pub(super) fn has_key(&self, account: AccountId) {
        let mut closed = self.write();
        closed.keyless.remove(&account);
        closed.keys_taken += 1;
    }

    /// The account was compared with its broker. Says whether its broker had spoken of another account before.
    pub(super) fn reconciled(&self, account: AccountId) -> bool {
        let mut closed = self.write();
        closed.unreconciled.remove(&account);
        closed.of_others.remove(&account)
    }

    /// The broker speaks of another account: nothing new before one was compared that is ours.
    pub(super) fn is_of_another(&self, account: AccountId) {
        let mut closed = self.write();
        closed.of_others.insert(account);
        closed.unreconciled.insert(account);
    }

    /// Why trading is halted in an account, or everywhere.
    pub(super) fn halt_of(&self, account: AccountId) -> Option<String> {
        self.read().halt_of(account).cloned()
    }

    /// Whether an order may leave for its broker now: a halt holds back what is not there already and what its owner still wants.
    pub(super) fn lets_leave(&self, request: &OrderRequest) -> bool {
        request.leader().is_some() || request.withdrawn || self.halt_of(request.account_id).is_none()
    }

    /// Where halts stand.
    pub(super) fn halts(&self) -> Halts {
        let closed = self.read();
        Halts { everywhere: closed.everywhere.is_some(), accounts: closed.halted.keys().copied().collect() }
    }

    /// Why trading is halted everywhere.
    pub(super) fn halt_everywhere(&self) -> Option<String> {
        self.read().everywhere.clone()
    }

    /// Nothing new anywhere while there is a reason. Says whether that is news.
    pub(super) fn set_everywhere(&self, reason: Option<String>) -> bool {
        let mut closed = self.write();
        let is_news = closed.everywhere != reason;
        closed.everywhere = reason;
        is_news
    }

    /// Nothing new until [`Self::lift`].
    pub(super) fn halt(&self, account: AccountId, reason: String) {
        self.write().halted.insert(account, reason);
    }

    /// A person has said that the account may trade again.
    pub(super) fn lift(&self, account: AccountId) {
        self.write().halted.remove(&account);
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
    fn a_halt_of_everything_leaves_the_halts_of_accounts_as_they_are() {
        let (gate, halted, other) = (Gate::default(), AccountId::generate(), AccountId::generate());
        gate.halt(halted, "it went wrong".into());
        assert!(gate.set_everywhere(Some("away".into())));
        assert!(!gate.set_everywhere(Some("away".into())), "which is no news again");
        assert_eq!(gate.halt_of(other).as_deref(), Some("away"));
        assert!(gate.set_everywhere(None));
        assert!(gate.check(other).is_ok());
        assert_eq!(gate.halt_of(halted).as_deref(), Some("it went wrong"));
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
