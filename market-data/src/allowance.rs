//! How much a client may say: a burst, and then a rate.

use crate::settings::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// Tokens that a client spends by speaking and gets back with time.
pub(crate) struct Allowance {
    tokens: u32,
    refilled: Instant,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { tokens: limits.messages_burst_max, refilled: Instant::now() }
    }

    /// Spends one token; false when there is none.
    pub(crate) fn spend(&mut self, limits: &Limits) -> bool {
        let per_token = Duration::from_secs(1) / limits.messages_per_second_max.max(1);
        let earned = self.refilled.elapsed().as_nanos() / per_token.as_nanos().max(1);
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if self.tokens.saturating_add(earned) >= limits.messages_burst_max {
            (self.tokens, self.refilled) = (limits.messages_burst_max, Instant::now());
        } else {
            self.tokens = self.tokens.saturating_add(earned);
            self.refilled += per_token * earned;
        }
        let allowed = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_may_burst_and_then_speak_at_the_rate() {
        let limits = Limits { messages_per_second_max: 10, messages_burst_max: 3, ..Limits::default() };
        let mut allowance = Allowance::new(&limits);
        assert!((0..3).all(|_| allowance.spend(&limits)));
        assert!(!allowance.spend(&limits));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(allowance.spend(&limits));
        assert!(!allowance.spend(&limits));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            (0..10).filter(|_| allowance.spend(&limits)).count(),
            3,
            "silence saves no more than a burst"
        );
    }
}
