//! What balances are believed to be, so that decisions need not read them first.
//!
//! A belief is never acted upon without looking: whoever writes on its strength has the database check it in the same
//! statement. A wrong belief costs a second try, so nobody has to keep it right; those who change balances often do.

use super::Commodity;
use super::store::{BalanceChange, LockedBalances};
use domain::AccountId;
use std::sync::{Arc, Mutex, PoisonError};

/// Balances remembered; when there are more, all are forgotten and learned anew.
const BALANCES_REMEMBERED_MAX: usize = 20_000;

/// Balances as they were last seen, shared by those who change them.
#[derive(Debug, Clone, Default)]
pub struct BalanceMemory(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    balances: LockedBalances,
    /// How often something was noted or forgotten.
    news: u64,
}

/// A moment in the life of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl BalanceMemory {
    fn with<T>(&self, work: impl FnOnce(&mut Remembered) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The moment before balances are read without locking them.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.with(|remembered| Mark(remembered.news))
    }

    /// The wanted balances with their accounts; `None` when one of them is not remembered.
    pub fn recall(&self, wanted: impl Iterator<Item = (AccountId, Commodity)>) -> Option<LockedBalances> {
        self.with(|remembered| remembered.balances.only(wanted))
    }

    /// Takes over what was seen under a lock, before the transaction changed it.
    pub fn learn(&self, seen: &LockedBalances) {
        self.with(|remembered| remembered.learn(seen));
    }

    /// Takes over what was seen without a lock, unless there were news since, which it may have or lack.
    pub fn learn_unlocked(&self, seen: &LockedBalances, since: Mark) {
        self.with(|remembered| {
            if Mark(remembered.news) == since {
                remembered.learn(seen);
            }
        });
    }

    /// Forgets an account whose terms have changed.
    pub fn forget(&self, account: AccountId) {
        self.with(|remembered| {
            remembered.news += 1;
            remembered.balances.forget(account);
        });
    }

    /// Adds what was committed. Changes add up, so they may be noted in any order.
    pub fn note(&self, changes: &[BalanceChange]) {
        self.with(|remembered| {
            remembered.news += 1;
            for change in changes {
                if remembered.balances.has(change) {
                    remembered.balances.change(change);
                }
            }
        });
    }
}

impl Remembered {
    fn learn(&mut self, seen: &LockedBalances) {
        if self.balances.len() + seen.len() > BALANCES_REMEMBERED_MAX {
            self.balances = LockedBalances::default();
        }
        self.balances.extend(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::BalanceRow;
    use domain::{Currency, UserId};
    use rust_decimal::Decimal;

    const DOLLARS: Commodity = Commodity::Cash(Currency::Usd);

    fn seen(account: AccountId, total: i64) -> LockedBalances {
        let mut seen = LockedBalances::default();
        let row = BalanceRow { total: Decimal::from(total), held: Decimal::ZERO };
        seen.insert(account, (UserId::generate(), Currency::Usd), DOLLARS.name().to_owned(), row);
        seen
    }

    fn change(account_id: AccountId, held: i64) -> BalanceChange {
        BalanceChange { account_id, commodity: DOLLARS, total: Decimal::ZERO, held: Decimal::from(held) }
    }

    #[test]
    fn what_was_seen_and_what_was_committed_since_is_recalled() {
        let (memory, account) = (BalanceMemory::default(), AccountId::generate());
        memory.learn(&seen(account, 100));
        memory.note(&[change(account, 30), change(account, -10)]);
        let recalled = memory.recall([(account, DOLLARS)].into_iter()).unwrap();
        assert_eq!(recalled.balance(account, DOLLARS).held, Decimal::from(20));
    }

    #[test]
    fn what_was_never_seen_is_not_made_up() {
        let (memory, account) = (BalanceMemory::default(), AccountId::generate());
        memory.note(&[change(account, 30)]);
        assert!(memory.recall([(account, DOLLARS)].into_iter()).is_none());
        memory.learn(&seen(account, 100));
        let shares = Commodity::Shares("AAPL".parse().unwrap());
        assert!(memory.recall([(account, DOLLARS), (account, shares)].into_iter()).is_none());
    }

    #[test]
    fn what_was_seen_without_a_lock_is_not_taken_over_what_was_noted_or_forgotten_since() {
        let (memory, account) = (BalanceMemory::default(), AccountId::generate());
        memory.learn(&seen(account, 100));
        let before = memory.mark();
        memory.note(&[change(account, 30)]);
        memory.learn_unlocked(&seen(account, 100), before);
        let held = |memory: &BalanceMemory| {
            Some(memory.recall([(account, DOLLARS)].into_iter())?.balance(account, DOLLARS).held)
        };
        assert_eq!(held(&memory), Some(Decimal::from(30)), "the seen balance may be from before");
        let before = memory.mark();
        memory.forget(account);
        memory.learn_unlocked(&seen(account, 100), before);
        assert_eq!(held(&memory), None, "its terms may be those from before");
        memory.learn_unlocked(&seen(account, 100), memory.mark());
        assert_eq!(held(&memory), Some(Decimal::ZERO));
    }

    #[test]
    fn memory_has_a_limit() {
        let memory = BalanceMemory::default();
        for _ in 0..=BALANCES_REMEMBERED_MAX {
            memory.learn(&seen(AccountId::generate(), 1));
        }
        assert!(memory.with(|remembered| remembered.balances.len()) <= BALANCES_REMEMBERED_MAX);
    }
}
