//! Not more often than so: under load, what arrives in between shares one batch; after a quiet moment nothing waits.

use std::time::Duration;
use tokio::time::Instant;

/// Keeps a distance between batches.
pub(super) struct Pace {
    distance: Duration,
    next: Instant,
}

impl Pace {
    /// Batches at least this far apart.
    pub(super) fn new(distance: Duration) -> Self {
        Self { distance, next: Instant::now() }
    }

    /// Waits until the next batch may begin, and begins it.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + self.distance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_quiet_moment_nothing_waits_and_under_load_the_distance_is_kept() {
        let distance = Duration::from_millis(5);
        let mut pace = Pace::new(distance);
        let began = Instant::now();
        pace.wait().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        pace.wait().await;
        assert_eq!(began.elapsed(), distance);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let later = Instant::now();
        pace.wait().await;
        assert_eq!(later.elapsed(), Duration::ZERO);
    }
}
