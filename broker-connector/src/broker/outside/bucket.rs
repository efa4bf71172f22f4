//! How often a broker may be asked: a bucket that fills evenly. Pure.

use std::time::Duration;
use tokio::time::Instant;

/// What may be used of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) struct Rate {
    /// Time in which one request is earned.
    pub(in crate::broker) earned_in: Duration,
    /// Requests that may be made at once after a quiet time; one or more.
    pub(in crate::broker) burst: u32,
}

/// What has been used and when.
#[derive(Debug)]
pub(in crate::broker) struct Bucket {
    rate: Rate,
    /// When the bucket is, or was, full.
    full_at: Instant,
    /// Before this nothing is asked: the broker has said so.
    closed_until: Instant,
}

impl Bucket {
    pub(in crate::broker) const fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now, closed_until: now }
    }

    /// How long to wait for a turn that leaves so many requests for others; zero where there is one now.
    pub(in crate::broker) fn wait(&self, reserve: u32, now: Instant) -> Duration {
        let closed = self.closed_until.saturating_duration_since(now);
        let used = self.full_at.saturating_duration_since(now);
        let may_be_used = self.rate.earned_in * self.rate.burst.saturating_sub(1 + reserve);
        closed.max(used.saturating_sub(may_be_used))
    }

    /// Uses a turn.
    pub(in crate::broker) fn spend(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.rate.earned_in;
    }

    /// Takes a turn, or says how long to wait for one.
    pub(in crate::broker) fn take(&mut self, reserve: u32, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(reserve, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.spend(now);
        Ok(())
    }

    /// Gives no turn before a moment.
    pub(in crate::broker) fn close_until(&mut self, moment: Instant) {
        self.closed_until = self.closed_until.max(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { earned_in: Duration::from_millis(300), burst: 40 };

    fn turns(bucket: &mut Bucket, reserve: u32, now: Instant) -> u32 {
        let mut turns = 0;
        while bucket.take(reserve, now).is_ok() {
            turns += 1;
        }
        turns
    }

    #[test]
    fn what_is_reserved_is_left_for_others() {
        let now = Instant::now();
        let mut bucket = Bucket::new(RATE, now);
        assert_eq!(turns(&mut bucket, 10, now), 30);
        assert_eq!(turns(&mut bucket, 0, now), 10);
    }

    #[test]
    fn no_more_than_the_limit_and_one_burst_leave_in_a_minute() {
        let began = Instant::now();
        let mut bucket = Bucket::new(RATE, began);
        let sent: u32 =
            (0..600).map(|tenth| turns(&mut bucket, 0, began + Duration::from_millis(tenth * 100))).sum();
        assert!((200..=240).contains(&sent), "{sent}");
    }

    #[test]
    fn a_closed_bucket_says_how_long() {
        let now = Instant::now();
        let mut bucket = Bucket::new(RATE, now);
        bucket.close_until(now + Duration::from_secs(7));
        assert_eq!(bucket.take(0, now), Err(Duration::from_secs(7)));
        assert_eq!(bucket.take(0, now + Duration::from_secs(7)), Ok(()));
    }
}
