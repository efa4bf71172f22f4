//! The way out to a vendor: politely spaced, within a budget, and closed for a while when the vendor does not answer.
//!
//! Whoever asks a vendor passes [`Gate::enter`] first and tells [`Gate::leave`] how it went. The gate knows how a failure
//! is to be met ([`RetryClass`]): most by a pause that doubles and has a random part, a spent budget by waiting for the
//! next day, wrong credentials by a long rest. After some failures in a row the circuit is open: nobody asks until the
//! pause is over, and then one call decides.

use super::ProviderError;
use crate::random::Noise;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// First pause after a failure; it doubles with each further one.
const BACK_OFF_MIN: Duration = Duration::from_secs(1);
/// Longest pause after failures, before the random part.
const BACK_OFF_MAX: Duration = Duration::from_secs(120);
/// Most doublings of the pause.
const BACK_OFF_DOUBLINGS_MAX: u32 = 7;
/// Random part of a pause, at most, in percent of it.
const JITTER_PERCENT_MAX: i64 = 25;
/// Failures in a row that open the circuit.
const FAILURES_TO_OPEN: u32 = 3;
/// Rest after credentials were refused: only a person can change that.
const REFUSED_REST: Duration = Duration::from_secs(900);
/// Longest error text that is shown, in characters.
const SHOWN_ERROR_LENGTH_MAX: usize = 200;

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryClass {
    /// Nothing: the answer is an answer.
    Never,
    /// Asking later helps.
    BackOff,
    /// Asking helps when the next day has begun.
    NextDay,
    /// Somebody has to change a setting.
    AfterChange,
}

/// What a vendor allows.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Time between two requests.
    pub spacing: Duration,
    /// A caller that would have to wait longer for its turn is refused.
    pub patience: Duration,
    /// Requests of one day in UTC.
    pub requests_per_day: Option<u32>,
}

/// Whether the way is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// The vendor answers.
    Closed,
    /// It has failed and is given a rest.
    Open,
    /// The rest is over; the next call decides.
    HalfOpen,
}

/// How a vendor is doing, for `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Whether it is asked.
    pub circuit: Circuit,
    /// For how long it is not.
    pub rest_seconds: u64,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// Requests of today, in UTC.
    pub requests_today: u32,
    /// Requests that today still has, where they are rationed.
    pub requests_left: Option<u32>,
    /// When it last answered.
    pub last_success_at: Option<DateTime<Utc>>,
    /// What it last failed with.
    pub last_error: Option<String>,
}

impl Health {
    /// Whether its requests are rationed by the day.
    #[must_use]
    pub const fn is_rationed(&self) -> bool {
        self.requests_left.is_some()
    }

    /// Whether it may be asked for something beside the prices that somebody waits for: the second half of a day's ration
    /// is for those.
    #[must_use]
    pub fn has_to_spare(&self) -> bool {
        self.requests_left.is_none_or(|left| left > self.requests_today)
    }
}

#[derive(Debug)]
struct State {
    next: Instant,
    /// Until when nobody asks.
    rest_until: Option<Instant>,
    /// Until when it is left alone whatever it answers, and why.
    left_alone: Option<(Instant, String)>,
    failures: u32,
    day: NaiveDate,
    requests: u32,
    last_success_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Gate {
    rules: Rules,
    state: Mutex<State>,
}

impl Gate {
    /// Open, and nothing spent.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let state = State {
            next: Instant::now(),
            rest_until: None,
            left_alone: None,
            failures: 0,
            day: NaiveDate::MIN,
            requests: 0,
            last_success_at: None,
            last_error: None,
        };
        Self { rules, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn and spends one request of the budget.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] while the vendor rests or the queue is too long, [`ProviderError::Exhausted`] when
    /// the day's requests are spent.
    pub async fn enter(&self) -> Result<(), ProviderError> {
        let turn = self.take_turn(Utc::now())?;
        tokio::time::sleep_until(turn).await;
        Ok(())
    }

    fn take_turn(&self, now: DateTime<Utc>) -> Result<Instant, ProviderError> {
        let mut state = self.state();
        state.begin_day(now.date_naive());
        let resting = state.rests_until().is_some_and(|until| until > Instant::now());
        let mine = state.next.max(Instant::now());
        if resting || mine.saturating_duration_since(Instant::now()) > self.rules.patience {
            return Err(ProviderError::Unavailable("it is given a rest".to_owned()));
        }
        if self.rules.requests_per_day.is_some_and(|most| state.requests >= most) {
            return Err(ProviderError::Exhausted);
        }
        state.requests = state.requests.saturating_add(1);
        state.next = mine + self.rules.spacing;
        Ok(mine)
    }

    /// Takes note of what others, or a process before this one, have spent of a day: the higher count is believed.
    pub fn note_spent(&self, day: NaiveDate, requests: u32) {
        let mut state = self.state();
        state.begin_day(day);
        state.requests = state.requests.max(requests);
    }

    /// Takes note of how a request went.
    pub fn leave<T>(&self, outcome: &Result<T, ProviderError>) {
        let now = Utc::now();
        let mut state = self.state();
        let Err(error) = outcome else {
            state.succeed(now);
            return;
        };
        let rest = match error.retry_class() {
            // "No such share" is an answer.
            RetryClass::Never => {
                state.succeed(now);
                return;
            }
            RetryClass::BackOff => {
                state.failures = state.failures.saturating_add(1);
                let pause = pause_after(state.failures, u64::from(now.timestamp_subsec_nanos()));
                state.next = state.next.max(Instant::now() + pause);
                (state.failures >= FAILURES_TO_OPEN).then_some(pause)
            }
            RetryClass::NextDay => {
                state.failures = state.failures.saturating_add(1);
                Some(until_tomorrow(now))
            }
            RetryClass::AfterChange => {
                state.failures = state.failures.saturating_add(1);
                Some(REFUSED_REST)
            }
        };
        state.last_error = Some(error.to_string().chars().take(SHOWN_ERROR_LENGTH_MAX).collect());
        state.rest_until = rest.map(|rest| Instant::now() + rest).or(state.rest_until);
    }

    /// Leaves the vendor alone for so long, and says why, whatever it would answer.
    pub fn yield_for(&self, pause: Duration, why: &str) {
        self.state().left_alone = Some((Instant::now() + pause, why.to_owned()));
    }

    /// Waits until the vendor has had its rest and the pause after a failure is over.
    pub async fn rested(&self) {
        loop {
            let until = {
                let state = self.state();
                state.rests_until().max(Some(state.next)).filter(|until| *until > Instant::now())
            };
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    /// Whether nobody should ask now.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        let mut state = self.state();
        state.begin_day(Utc::now().date_naive());
        state.rests_until().is_some_and(|until| until > Instant::now())
            || self.rules.requests_per_day.is_some_and(|most| state.requests >= most)
    }

    /// How the vendor is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        let mut state = self.state();
        state.begin_day(Utc::now().date_naive());
        let now = Instant::now();
        let rest = state.rests_until().map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let left_alone = state.left_alone.as_ref().filter(|(until, _)| *until > now);
        let circuit = match (rest.is_zero(), state.failures >= FAILURES_TO_OPEN) {
            (false, _) => Circuit::Open,
            (true, true) => Circuit::HalfOpen,
            (true, false) => Circuit::Closed,
        };
        Health {
            circuit,
            rest_seconds: rest.as_secs(),
            failures_in_a_row: state.failures,
            requests_today: state.requests,
            requests_left: self.rules.requests_per_day.map(|most| most.saturating_sub(state.requests)),
            last_success_at: state.last_success_at,
            last_error: left_alone.map(|(_, why)| why.clone()).or_else(|| state.last_error.clone()),
        }
    }
}

impl State {
    fn begin_day(&mut self, today: NaiveDate) {
        if self.day != today {
            (self.day, self.requests) = (today, 0);
        }
    }

    /// When the last of its rests is over.
    fn rests_until(&self) -> Option<Instant> {
        self.rest_until.max(self.left_alone.as_ref().map(|(until, _)| *until))
    }

    fn succeed(&mut self, now: DateTime<Utc>) {
        self.failures = 0;
        self.rest_until = None;
        self.last_error = None;
        self.last_success_at = Some(now);
    }
}

/// The time that is left of a day in UTC.
fn until_tomorrow(now: DateTime<Utc>) -> Duration {
    let midnight =
        now.date_naive().checked_add_days(Days::new(1)).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    midnight.and_then(|midnight| (midnight - now).to_std().ok()).unwrap_or(BACK_OFF_MAX)
}

/// The pause after so many failures in a row: doubling, bounded, and with a random part so that many servers that
/// failed together do not return together.
fn pause_after(failures: u32, seed: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(BACK_OFF_DOUBLINGS_MAX);
    let pause = (BACK_OFF_MIN * 2u32.saturating_pow(doublings)).min(BACK_OFF_MAX);
    let percent = Noise::of(seed).between(0, JITTER_PERCENT_MAX);
    pause + pause * u32::try_from(percent).unwrap_or(0) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(requests_per_day: Option<u32>) -> Gate {
        Gate::new(Rules {
            spacing: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            requests_per_day,
        })
    }

    fn silent() -> Result<(), ProviderError> {
        Err(ProviderError::Unavailable("silent".to_owned()))
    }

    #[test]
    fn pauses_grow_are_bounded_and_differ_by_chance() {
        assert!(pause_after(1, 7) >= BACK_OFF_MIN && pause_after(1, 7) < BACK_OFF_MIN * 2);
        assert!(pause_after(3, 7) >= BACK_OFF_MIN * 4);
        assert!(pause_after(u32::MAX, 7) <= BACK_OFF_MAX + BACK_OFF_MAX / 4);
        assert!((1..20).any(|seed| pause_after(3, seed) != pause_after(3, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_spaced_and_a_long_queue_is_refused() {
        let gate = gate(None);
        let began = Instant::now();
        for _ in 0..3 {
            gate.enter().await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        let now = Utc::now();
        assert_eq!((0..20).filter(|_| gate.take_turn(now).is_ok()).count(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_spent_and_comes_back_with_the_day() {
        let gate = gate(Some(25));
        let now: DateTime<Utc> = "2026-11-20T10:00:00Z".parse().unwrap();
        let spent = (0..30).filter(|_| {
            tokio::time::Instant::now();
            gate.state().next = Instant::now();
            gate.take_turn(now).is_ok()
        });
        assert_eq!(spent.count(), 25);
        gate.state().next = Instant::now();
        assert_eq!(gate.take_turn(now), Err(ProviderError::Exhausted));
        assert!(gate.take_turn(now + chrono::TimeDelta::days(1)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_spent_before_counts() {
        let (gate, now) = (gate(Some(25)), Utc::now());
        gate.note_spent(now.date_naive(), 24);
        gate.note_spent(now.date_naive(), 3);
        assert!(gate.take_turn(now).is_ok());
        assert_eq!(gate.take_turn(now), Err(ProviderError::Exhausted));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_open_the_circuit_and_one_success_closes_it() {
        let gate = gate(None);
        for _ in 0..FAILURES_TO_OPEN {
            assert!(!gate.is_resting());
            gate.leave(&silent());
        }
        assert!(gate.is_resting() && gate.take_turn(Utc::now()).is_err());
        assert_eq!(gate.health().circuit, Circuit::Open);
        assert!(gate.health().last_error.unwrap().contains("silent"));
        tokio::time::advance(BACK_OFF_MAX * 2).await;
        assert_eq!(gate.health().circuit, Circuit::HalfOpen);
        gate.enter().await.unwrap();
        gate.leave(&silent());
        assert_eq!(gate.health().circuit, Circuit::Open, "one more failure is enough");
        tokio::time::advance(BACK_OFF_MAX * 2).await;
        gate.leave(&Ok::<(), ProviderError>(()));
        assert_eq!((gate.health().circuit, gate.health().failures_in_a_row), (Circuit::Closed, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_is_left_alone_has_its_rest_whole() {
        let (gate, began) = (gate(None), Instant::now());
        gate.yield_for(Duration::from_secs(3_600), "somebody else needs the line");
        assert!(gate.is_resting() && gate.take_turn(Utc::now()).is_err());
        assert_eq!(gate.health().last_error.as_deref(), Some("somebody else needs the line"));
        gate.leave(&Ok::<(), ProviderError>(()));
        assert!(gate.is_resting(), "an answer that was under way changes nothing");
        gate.rested().await;
        assert_eq!(began.elapsed(), Duration::from_secs(3_600));
        assert!(!gate.is_resting() && gate.health().last_error.is_none());
        gate.leave(&silent());
        gate.rested().await;
        assert!(began.elapsed() >= Duration::from_secs(3_600) + BACK_OFF_MIN, "a failure has its pause");
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_failure_is_met_in_its_way() {
        let unknown = Err::<(), _>(ProviderError::UnknownSymbol("ZZZ".parse().unwrap()));
        let gate = gate(None);
        (0..10).for_each(|_| gate.leave(&unknown));
        assert_eq!(gate.health().circuit, Circuit::Closed, "no such share is an answer");
        gate.leave(&Err::<(), _>(ProviderError::Refused("key".to_owned())));
        assert!(gate.health().rest_seconds >= REFUSED_REST.as_secs() - 1);
        gate.leave(&Ok::<(), ProviderError>(()));
        gate.leave(&Err::<(), _>(ProviderError::Exhausted));
        let left = until_tomorrow(Utc::now());
        assert!(gate.health().rest_seconds.abs_diff(left.as_secs()) < 5);
    }
}
