//! How much may be said or asked: a burst, and then a rate.

use std::time::Duration;
use tokio::time::Instant;

/// How often something is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Most at once after a silence.
    pub(crate) burst_max: u32,
    /// Time after which one more is allowed.
    pub(crate) refill: Duration,
}

/// Tokens that are spent by speaking and come back with time.
pub(crate) struct Allowance {
    tokens: u32,
    refilled: Instant,
}

impl Allowance {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { tokens: rate.burst_max, refilled: Instant::now() }
    }

    /// Spends one token; false when there is none.
    pub(crate) fn spend(&mut self, rate: Rate) -> bool {
        let earned = self.refilled.elapsed().as_nanos() / rate.refill.as_nanos().max(1);
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if self.tokens.saturating_add(earned) >= rate.burst_max {
            (self.tokens, self.refilled) = (rate.burst_max, Instant::now());
        } else {
            self.tokens = self.tokens.saturating_add(earned);
            self.refilled += rate.refill * earned;
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
        let rate = Rate { burst_max: 3, refill: Duration::from_millis(100) };
        let mut allowance = Allowance::new(rate);
        assert!((0..3).all(|_| allowance.spend(rate)));
        assert!(!allowance.spend(rate));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(allowance.spend(rate));
        assert!(!allowance.spend(rate));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            (0..10).filter(|_| allowance.spend(rate)).count(),
            3,
            "silence saves no more than a burst"
        );
    }
}
