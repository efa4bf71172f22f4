//! Not more often than so: the more a batch carried, the longer the rest after it, so that under load what arrives in
//! between shares one batch, and a lone order never waits for anybody.

use std::time::Duration;
use tokio::time::Instant;

/// How long a rest is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// For each item that a batch carried.
    pub(super) per_item: Duration,
    /// At most.
    pub(super) max: Duration,
}

/// Keeps a distance between batches.
pub(super) struct Pace {
    rest: Rest,
    next: Instant,
}

impl Pace {
    /// The first batch may begin at once.
    pub(super) fn new(rest: Rest) -> Self {
        Self { rest, next: Instant::now() }
    }

    /// Waits until the next batch may begin.
    pub(super) async fn wait(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    /// The next batch may begin after the rest that a batch of this many items, which begins or ends now, asks for.
    pub(super) fn rest_after(&mut self, items: usize) {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        self.next = Instant::now() + self.rest.per_item.saturating_mul(items).min(self.rest.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Rest = Rest { per_item: Duration::from_millis(2), max: Duration::from_millis(10) };

    async fn rest_after(items: usize) -> Duration {
        let mut pace = Pace::new(REST);
        let began = Instant::now();
        pace.rest_after(items);
        pace.wait().await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_quiet_moment_nothing_waits() {
        let mut pace = Pace::new(REST);
        pace.rest_after(1_000);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let later = Instant::now();
        pace.wait().await;
        assert_eq!(later.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_grows_with_the_batch_up_to_its_limit() {
        assert_eq!(rest_after(0).await, Duration::ZERO);
        assert_eq!(rest_after(1).await, Duration::from_millis(2));
        assert_eq!(rest_after(4).await, Duration::from_millis(8));
        assert_eq!(rest_after(usize::MAX).await, Duration::from_millis(10));
    }
}
