//! What every provider keeps about itself: how much it has taken, what it has kept back, and which shares it was told
//! not to exist.

use super::ProviderReport;
use crate::sanity::Reason;
use chrono::{DateTime, Utc};
use domain::Symbol;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a share that was not found is not asked for again: it may be listed one day, or the vendor was wrong.
pub(super) const UNKNOWN_FOR: Duration = Duration::from_secs(3_600);
/// Most shares remembered as not found.
const UNKNOWN_MAX: usize = 4_096;

/// See the module.
#[derive(Default)]
pub(super) struct Tally {
    accepted: AtomicU64,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
    unknown: Mutex<BTreeMap<Symbol, Instant>>,
    last_value_at: Mutex<Option<DateTime<Utc>>>,
}

impl Tally {
    /// Counts rows or answers that were taken.
    pub(super) fn accept(&self, count: usize) {
        self.accepted.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }

    /// Counts a value that has just come.
    pub(super) fn accept_value(&self) {
        self.accept(1);
        *self.last_value_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Utc::now());
    }

    /// Counts one that was kept back.
    pub(super) fn reject(&self, reason: Reason) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner).entry(reason.name()).or_default() += 1;
    }

    /// Remembers for a while that there is no such share.
    pub(super) fn note_unknown(&self, symbol: Symbol) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        unknown.retain(|_, until| *until > now);
        if unknown.len() < UNKNOWN_MAX {
            unknown.insert(symbol, now + UNKNOWN_FOR);
        }
    }

    /// Whether there is no such share, as far as is remembered.
    pub(super) fn is_unknown(&self, symbol: Symbol) -> bool {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.get(&symbol).is_some_and(|until| *until > Instant::now())
    }

    /// For `/status`.
    pub(super) fn report(&self, mut notes: Vec<String>) -> ProviderReport {
        let last = *self.last_value_at.lock().unwrap_or_else(PoisonError::into_inner);
        notes.extend(last.map(|at| format!("last value at {}", at.to_rfc3339())));
        ProviderReport {
            accepted: self.accepted.load(Ordering::Relaxed),
            rejected: self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_share_that_was_not_found_is_asked_for_again_after_a_while() {
        let (tally, symbol) = (Tally::default(), "ZZZ".parse().unwrap());
        assert!(!tally.is_unknown(symbol));
        tally.note_unknown(symbol);
        assert!(tally.is_unknown(symbol));
        tokio::time::advance(UNKNOWN_FOR).await;
        assert!(!tally.is_unknown(symbol));
    }
}
