//! How often Alpaca may be asked: a bucket that fills evenly, of which a part is kept for orders.

use super::config::{
    BURST_REQUESTS, LIMITED_PAUSE, LIMITED_PAUSE_MAX, ORDER_TURN_MAX, QUESTION_TURN_MAX, REQUESTS_PER_MINUTE,
    RESERVED_FOR_ORDERS,
};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An order, a cancel or a change.
    Order,
    /// Anything that can wait.
    Question,
}

impl Purpose {
    const fn patience(self) -> Duration {
        match self {
            Self::Order => ORDER_TURN_MAX,
            Self::Question => QUESTION_TURN_MAX,
        }
    }

    /// Requests that must be left when it has had its turn.
    const fn reserve(self) -> u32 {
        match self {
            Self::Order => 0,
            Self::Question => RESERVED_FOR_ORDERS,
        }
    }
}

/// Time in which one request is earned.
const EARNED_IN: Duration = Duration::from_millis(60_000 / 200);
const _: () = assert!(REQUESTS_PER_MINUTE == 200, "EARNED_IN follows from it");

/// What has been used and when; pure.
#[derive(Debug)]
struct Bucket {
    /// When the bucket is, or was, full.
    full_at: Instant,
    /// Before this nothing is asked: Alpaca has said so.
    closed_until: Instant,
}

impl Bucket {
    const fn new(now: Instant) -> Self {
        Self { full_at: now, closed_until: now }
    }

    /// Takes a turn, or says how long to wait for one.
    fn take(&mut self, purpose: Purpose, now: Instant) -> Result<(), Duration> {
        let closed = self.closed_until.saturating_duration_since(now);
        if !closed.is_zero() {
            return Err(closed);
        }
        let used = self.full_at.saturating_duration_since(now);
        let may_be_used = EARNED_IN * (BURST_REQUESTS - 1 - purpose.reserve());
        if used > may_be_used {
            return Err(used - may_be_used);
        }
        self.full_at = now + used + EARNED_IN;
        Ok(())
    }
}

/// The limiter of one account.
#[derive(Debug)]
pub(super) struct Limiter(Mutex<Bucket>);

impl Limiter {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Bucket::new(Instant::now())))
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long it would take, where that is too long.
    pub(super) async fn turn(&self, purpose: Purpose) -> Result<(), Duration> {
        let began = Instant::now();
        loop {
            let taken = self.bucket().take(purpose, Instant::now());
            let Err(wait) = taken else { return Ok(()) };
            if began.elapsed() + wait > purpose.patience() {
                return Err(wait);
            }
            sleep(wait).await;
        }
    }

    /// Alpaca has said that it was asked too often.
    pub(super) fn close_for(&self, pause: Option<Duration>) -> Duration {
        let pause = pause.unwrap_or(LIMITED_PAUSE).min(LIMITED_PAUSE_MAX);
        let mut bucket = self.bucket();
        bucket.closed_until = bucket.closed_until.max(Instant::now() + pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(bucket: &mut Bucket, purpose: Purpose, now: Instant) -> u32 {
        let mut turns = 0;
        while bucket.take(purpose, now).is_ok() {
            turns += 1;
        }
        turns
    }

    #[test]
    fn questions_leave_turns_for_orders() {
        let now = Instant::now();
        let mut bucket = Bucket::new(now);
        assert_eq!(turns(&mut bucket, Purpose::Question, now), BURST_REQUESTS - RESERVED_FOR_ORDERS);
        assert_eq!(turns(&mut bucket, Purpose::Order, now), RESERVED_FOR_ORDERS);
    }

    #[test]
    fn no_more_than_the_limit_and_one_burst_leave_in_a_minute() {
        let began = Instant::now();
        let mut bucket = Bucket::new(began);
        let sent: u32 = (0..600)
            .map(|tenth| turns(&mut bucket, Purpose::Order, began + Duration::from_millis(tenth * 100)))
            .sum();
        assert!((REQUESTS_PER_MINUTE..=REQUESTS_PER_MINUTE + BURST_REQUESTS).contains(&sent), "{sent}");
    }

    #[test]
    fn a_closed_bucket_says_how_long() {
        let now = Instant::now();
        let mut bucket = Bucket::new(now);
        bucket.closed_until = now + Duration::from_secs(7);
        assert_eq!(bucket.take(Purpose::Order, now), Err(Duration::from_secs(7)));
        assert_eq!(bucket.take(Purpose::Order, now + Duration::from_secs(7)), Ok(()));
    }
}
