//! Accounts for which nothing is sent for a while, because their broker was asked too often or does not let us in. What waits is
//! in the tables, and is found there when the pause is over.

use domain::AccountId;
use domain::broker::Unsent;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longest pause that a broker can ask for.
const RATE_PAUSE_MAX: Duration = Duration::from_secs(120);
/// How often a key that does not open is tried again; another key ends the pause.
const KEY_PAUSE: Duration = Duration::from_secs(10);

/// How long to send nothing after a message was turned away; nothing where it may come again at once.
fn pause_after(unsent: &Unsent) -> Option<Duration> {
    match unsent {
        Unsent::NotSent { .. } => None,
        Unsent::RateLimited { after_seconds } => {
            Some(Duration::from_secs(*after_seconds).min(RATE_PAUSE_MAX))
        }
        Unsent::AuthExpired { .. } => Some(KEY_PAUSE),
    }
}

/// The pauses. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Pauses(Arc<Mutex<HashMap<AccountId, Instant>>>);

impl Pauses {
    fn ends(&self) -> MutexGuard<'_, HashMap<AccountId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message of an account was turned away.
    pub(super) fn heed(&self, account: AccountId, unsent: &Unsent) {
        if let Some(pause) = pause_after(unsent) {
            let end = Instant::now() + pause;
            let mut ends = self.ends();
            let kept = ends.entry(account).or_insert(end);
            *kept = end.max(*kept);
        }
    }

    /// The account may be sent for again: it has another key.
    pub(super) fn lift(&self, account: AccountId) {
        self.ends().remove(&account);
    }

    /// The accounts for which nothing is sent now.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        let (mut ends, now) = (self.ends(), Instant::now());
        ends.retain(|_, end| now < *end);
        ends.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(after_seconds: u64) -> Unsent {
        Unsent::RateLimited { after_seconds }
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_paused_as_long_as_its_broker_says_and_others_are_not() {
        let (pauses, account, other) = (Pauses::default(), AccountId::generate(), AccountId::generate());
        pauses.heed(account, &limited(7));
        pauses.heed(account, &limited(1));
        pauses.heed(other, &Unsent::never_left("no line"));
        tokio::time::advance(Duration::from_millis(6_999)).await;
        assert_eq!(pauses.accounts(), [account], "the longest counts");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(pauses.accounts(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_is_longer_than_its_limit() {
        let (pauses, account) = (Pauses::default(), AccountId::generate());
        pauses.heed(account, &limited(u64::MAX));
        tokio::time::advance(RATE_PAUSE_MAX).await;
        assert_eq!(pauses.accounts(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn another_key_ends_the_pause() {
        let (pauses, account) = (Pauses::default(), AccountId::generate());
        pauses.heed(account, &Unsent::AuthExpired { code: "key_revoked".into(), reason: String::new() });
        assert_eq!(pauses.accounts(), [account]);
        pauses.lift(account);
        assert_eq!(pauses.accounts(), []);
    }
}
