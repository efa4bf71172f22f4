//! How often Kiwoom may be asked: each function for itself, and all together; a part is kept for orders.

use super::config::{
    FUNCTION_RATE, LIMITED_PAUSE, LIMITED_PAUSE_MAX, ORDER_TURN_MAX, QUESTION_TURN_MAX, RESERVED_FOR_ORDERS,
    TOTAL_RATE,
};
use super::rest::{Function, Purpose, Scope};
use crate::broker::outside::bucket::Bucket;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What has been used of all buckets; pure.
#[derive(Debug)]
struct Buckets {
    by_function: HashMap<&'static str, Bucket>,
    total: Bucket,
}

impl Buckets {
    fn new(now: Instant) -> Self {
        Self { by_function: HashMap::new(), total: Bucket::new(TOTAL_RATE, now) }
    }

    fn take(&mut self, function: Function, now: Instant) -> Result<(), Duration> {
        let reserve = match function.purpose {
            Purpose::Order => 0,
            Purpose::Question => RESERVED_FOR_ORDERS,
        };
        let own = self.by_function.entry(function.id).or_insert_with(|| Bucket::new(FUNCTION_RATE, now));
        let wait = own.wait(0, now).max(self.total.wait(reserve, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        own.spend(now);
        self.total.spend(now);
        Ok(())
    }

    fn close(&mut self, function: Function, scope: Scope, (now, pause): (Instant, Duration)) {
        let of_function = || Bucket::new(FUNCTION_RATE, now);
        let closed = match scope {
            Scope::Function => self.by_function.entry(function.id).or_insert_with(of_function),
            Scope::All => &mut self.total,
        };
        closed.close_until(now + pause);
    }
}

/// The limiter of one key.
#[derive(Debug)]
pub(super) struct Limiter(Mutex<Buckets>);

impl Limiter {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Buckets::new(Instant::now())))
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long it would take, where that is too long.
    pub(super) async fn turn(&self, function: Function) -> Result<(), Duration> {
        let patience = match function.purpose {
            Purpose::Order => ORDER_TURN_MAX,
            Purpose::Question => QUESTION_TURN_MAX,
        };
        let began = Instant::now();
        loop {
            let taken = self.buckets().take(function, Instant::now());
            let Err(wait) = taken else { return Ok(()) };
            if began.elapsed() + wait > patience {
                return Err(wait);
            }
            sleep(wait).await;
        }
    }

    /// Kiwoom has said that it was asked too often, for a function or for anything.
    pub(super) fn close_for(&self, function: Function, scope: Scope, pause: Option<Duration>) -> Duration {
        let pause = pause.unwrap_or(LIMITED_PAUSE).min(LIMITED_PAUSE_MAX);
        self.buckets().close(function, scope, (Instant::now(), pause));
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::kiwoom::rest::{BUY, DEPOSIT, OPEN_ORDERS, SELL};

    fn turns(buckets: &mut Buckets, function: Function, now: Instant) -> usize {
        (0..100).take_while(|_| buckets.take(function, now).is_ok()).count()
    }

    #[test]
    fn each_function_has_its_burst_and_questions_leave_turns_for_orders() {
        let now = Instant::now();
        let mut buckets = Buckets::new(now);
        assert_eq!(turns(&mut buckets, DEPOSIT, now), 2);
        assert_eq!(turns(&mut buckets, OPEN_ORDERS, now), 1, "three of five for questions");
        assert_eq!(turns(&mut buckets, BUY, now), 2);
        assert_eq!(turns(&mut buckets, SELL, now), 0, "five at once are all");
        assert_eq!(turns(&mut buckets, SELL, now + Duration::from_secs(2)), 2);
    }

    #[test]
    fn too_many_of_one_function_close_that_one_and_too_many_of_all_close_all() {
        let now = Instant::now();
        let pause = Duration::from_secs(3);
        let mut buckets = Buckets::new(now);
        buckets.close(DEPOSIT, Scope::Function, (now, pause));
        assert_eq!((turns(&mut buckets, DEPOSIT, now), turns(&mut buckets, BUY, now)), (0, 2));
        let mut buckets = Buckets::new(now);
        buckets.close(DEPOSIT, Scope::All, (now, pause));
        assert_eq!((turns(&mut buckets, DEPOSIT, now), turns(&mut buckets, BUY, now)), (0, 0));
        assert_eq!(turns(&mut buckets, BUY, now + pause), 2, "until the pause is over");
    }

    #[test]
    fn one_function_earns_one_request_a_second() {
        let began = Instant::now();
        let mut buckets = Buckets::new(began);
        let sent: usize =
            (0..100).map(|tenth| turns(&mut buckets, BUY, began + Duration::from_millis(tenth * 100))).sum();
        assert!((10..=12).contains(&sent), "{sent} in ten seconds");
    }
}
