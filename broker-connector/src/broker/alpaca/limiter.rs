//! How often Alpaca may be asked: a bucket that fills evenly, of which a part is kept for orders.

use super::config::{
    BURST_REQUESTS, LIMITED_PAUSE, LIMITED_PAUSE_MAX, ORDER_TURN_MAX, QUESTION_TURN_MAX, REQUESTS_PER_MINUTE,
    RESERVED_FOR_ORDERS,
};
use crate::broker::outside::bucket::{Bucket, Rate};
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

/// As Alpaca allows an account.
const RATE: Rate =
    Rate { earned_in: Duration::from_millis(60_000 / REQUESTS_PER_MINUTE), burst: BURST_REQUESTS };

/// The limiter of one account.
#[derive(Debug)]
pub(super) struct Limiter(Mutex<Bucket>);

impl Limiter {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Bucket::new(RATE, Instant::now())))
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
            let taken = self.bucket().take(purpose.reserve(), Instant::now());
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
        self.bucket().close_until(Instant::now() + pause);
        pause
    }
}
