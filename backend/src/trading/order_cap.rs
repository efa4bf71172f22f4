//! How many orders a user may ask for: a program that has run wild is stopped here, whatever it asks for. No clock: time is
//! handed in.

use crate::error::{ApiError, ErrorCode};
use domain::UserId;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The span that the cap is about, in seconds.
const WINDOW_SECONDS: u64 = 60;
/// Users remembered; beyond it those who have asked for nothing lately are forgotten.
const USERS_MAX: usize = 1_024;

/// What one user has asked for in the seconds gone by, a second and its orders each, oldest first. The second that has just
/// begun counts beside the window's, so that no sixty seconds have more than the cap.
#[derive(Default)]
struct Asked(VecDeque<(u64, u32)>);

impl Asked {
    /// Forgets what lies outside the window that ends with a second.
    fn forget_before(&mut self, second: u64) {
        while self.0.front().is_some_and(|(asked_at, _)| asked_at + WINDOW_SECONDS < second) {
            self.0.pop_front();
        }
    }

    /// How many orders lie inside the window that ends with a second.
    fn within(&self, second: u64) -> u64 {
        let inside = self.0.iter().filter(|(asked_at, _)| asked_at + WINDOW_SECONDS >= second);
        inside.map(|(_, orders)| u64::from(*orders)).sum()
    }

    fn add(&mut self, second: u64, orders: u32) {
        match self.0.back_mut() {
            Some((newest, count)) if *newest == second => *count = count.saturating_add(orders),
            _ => self.0.push_back((second, orders)),
        }
    }

    /// After how many seconds so many more would be within the cap.
    fn wait_seconds(&self, second: u64, more: u32, most: u32) -> u64 {
        let fits = |wait: &u64| self.within(second + wait) + u64::from(more) <= u64::from(most);
        (1..=WINDOW_SECONDS + 1).find(fits).unwrap_or(WINDOW_SECONDS + 1)
    }
}

/// The cap, over all accounts of a user. What was asked for before the process started is not known to it.
pub(super) struct OrderCap {
    most: Option<NonZeroU32>,
    began: Instant,
    users: Mutex<HashMap<UserId, Asked>>,
}

impl OrderCap {
    /// So many in any sixty seconds, or any number.
    pub(super) fn new(most: Option<NonZeroU32>, now: Instant) -> Self {
        Self { most, began: now, users: Mutex::default() }
    }

    /// Counts orders that a user asks for now.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyOrders`]; they are then not counted.
    pub(super) fn take(&self, user: UserId, orders: u32, now: Instant) -> Result<(), ApiError> {
        let Some(most) = self.most.map(NonZeroU32::get) else { return Ok(()) };
        let second = now.saturating_duration_since(self.began).as_secs();
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= USERS_MAX && !users.contains_key(&user) {
            users.retain(|_, asked| asked.within(second) > 0);
        }
        let asked = users.entry(user).or_default();
        asked.forget_before(second);
        if asked.within(second) + u64::from(orders) > u64::from(most) {
            let detail =
                format!("at most {most} orders and changes of orders a minute are taken from one user");
            let wait = asked.wait_seconds(second, orders, most);
            return Err(ApiError::new(ErrorCode::TooManyOrders, detail).retry_after_seconds(wait));
        }
        asked.add(second, orders);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Clock(Instant);

    impl Clock {
        fn at(&self, seconds: f64) -> Instant {
            self.0 + Duration::from_secs_f64(seconds)
        }
    }

    fn cap(most: u32) -> (OrderCap, Clock) {
        let began = Instant::now();
        (OrderCap::new(NonZeroU32::new(most), began), Clock(began))
    }

    #[test]
    fn no_sixty_seconds_have_more_than_the_cap_however_the_orders_come() {
        let (cap, clock) = cap(30);
        let user = UserId::generate();
        // A thousand a second for three minutes, in spans that do not fit the seconds.
        let times = (0..180_000).map(|order| 0.37 + f64::from(order) / 1000.0);
        let taken: Vec<f64> = times.filter(|time| cap.take(user, 1, clock.at(*time)).is_ok()).collect();
        assert!(taken.len() >= 60, "and the cap is given out anew: {}", taken.len());
        for (index, first) in taken.iter().enumerate() {
            let within = taken[index..].iter().take_while(|time| **time < first + 60.0).count();
            assert!(within <= 30, "{within} from {first}");
        }
    }

    #[test]
    fn who_waits_as_told_is_taken_and_who_does_not_costs_nobody_else_anything() {
        let (cap, clock) = cap(3);
        let (user, other) = (UserId::generate(), UserId::generate());
        cap.take(user, 2, clock.at(0.0)).unwrap();
        cap.take(user, 1, clock.at(5.0)).unwrap();
        let refused = cap.take(user, 1, clock.at(10.5)).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::TooManyOrders);
        cap.take(other, 3, clock.at(10.5)).unwrap();
        let wait = cap.users.lock().unwrap()[&user].wait_seconds(10, 1, 3);
        assert_eq!(wait, 51, "the first two leave at the end of second 60");
        assert!(cap.take(user, 1, clock.at(60.9)).is_err());
        cap.take(user, 1, clock.at(61.5)).unwrap();
    }

    #[test]
    fn a_group_of_orders_counts_as_many() {
        let (cap, clock) = cap(5);
        let user = UserId::generate();
        cap.take(user, 3, clock.at(0.0)).unwrap();
        assert!(cap.take(user, 3, clock.at(0.1)).is_err());
        cap.take(user, 2, clock.at(0.2)).unwrap();
    }

    #[test]
    fn without_a_cap_any_number_is_taken() {
        let cap = OrderCap::new(None, Instant::now());
        assert!(cap.take(UserId::generate(), u32::MAX, Instant::now()).is_ok());
    }
}
