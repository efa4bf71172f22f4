//! How often each of Kiwoom's functions may be asked for. All of them together are spaced by the gate.

use crate::provider::ProviderError;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Time in which one request for a function is earned. Nobody documents the limit; public projects measured a burst of two and
/// one a second (November 2026).
const EARNED_IN: Duration = Duration::from_secs(1);
/// Requests for one function that may follow each other at once.
const BURST: u32 = 2;
/// Whoever would have to wait longer is refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// When each function will have earned all its burst again.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<BTreeMap<&'static str, Instant>>);

impl Turns {
    /// Waits for a turn.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when too many wait already.
    pub(super) async fn take(&self, function: &'static str) -> Result<(), ProviderError> {
        let turn = self.reserve(function, Instant::now());
        let turn =
            turn.ok_or_else(|| ProviderError::Unavailable("too many ask it for the same".to_owned()))?;
        tokio::time::sleep_until(turn).await;
        Ok(())
    }

    /// The moment of the next turn; nothing when it is too far away.
    fn reserve(&self, function: &'static str, now: Instant) -> Option<Instant> {
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.get(function).copied().unwrap_or(now).max(now) + EARNED_IN;
        let turn = full.checked_sub(EARNED_IN * BURST).unwrap_or(now).max(now);
        if turn.duration_since(now) > PATIENCE {
            return None;
        }
        full_at.insert(function, full);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_function_has_its_burst_and_then_one_a_second() {
        let (turns, began) = (Turns::default(), Instant::now());
        for _ in 0..5 {
            turns.take("ka10081").await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::from_secs(3), "two at once and three more");
        turns.take("ka10080").await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(3), "another function has turns of its own");
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        for _ in 0..3 {
            turns.take("ka10081").await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1), "silence saves no more than the burst");
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_queue_is_refused_and_takes_no_turn() {
        let (turns, now) = (Turns::default(), Instant::now());
        let taken = (0..100).filter(|_| turns.reserve("ka10081", now).is_some()).count();
        assert_eq!(taken, 12, "ten seconds of patience after the burst");
        assert!(turns.reserve("ka10081", now + Duration::from_secs(1)).is_some());
    }
}
