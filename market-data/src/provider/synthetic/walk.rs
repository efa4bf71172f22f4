//! The invented prices: a seeded walk on the grid, pulled back to where it came from.

use crate::grid::{self, UNITS_PER_CURRENCY};
use crate::random::Noise;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use domain::{Bar, Symbol};
use std::time::Duration;

/// Most a price may differ from the close before, in percent: the daily limit of the Korea Exchange, kept everywhere.
pub const DAILY_LIMIT_PERCENT: i64 = 30;
/// Days that were invented before the first live one.
pub(super) const DAYS_BEFORE: usize = 500;
/// Steps that make one invented day of the past.
const STEPS_PER_PAST_DAY: u64 = 40;
/// Largest step of a past day's walk, in ten-thousandths of the price.
const PAST_REACH: i64 = 40;
/// Largest step of the live walk, in ten-thousandths of the price; a tick at least.
const LIVE_REACH: i64 = 3;
/// The pull back to the base price: at the double of it, one step in so many goes a tick homeward.
const PULL_RARITY: i64 = 4;
/// Shares traded on an ordinary day.
const VOLUME_PER_DAY: i64 = 10_000_000;
/// Seconds in which a live day goes by; what is invented is traded around the clock.
const SECONDS_PER_DAY: i64 = 86_400;

/// The trading day that a calendar day belongs to: a weekend is still Friday.
#[must_use]
pub(super) fn trading_day(day: NaiveDate) -> NaiveDate {
    let back = match day.weekday() {
        Weekday::Sat => 1,
        Weekday::Sun => 2,
        _ => 0,
    };
    day.checked_sub_days(Days::new(back)).unwrap_or(day)
}

/// The session of an invented share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Trading day.
    pub date: NaiveDate,
    /// First price, in units.
    pub open: i64,
    /// Highest.
    pub high: i64,
    /// Lowest.
    pub low: i64,
    /// Last.
    pub price: i64,
    /// Close of the day before.
    pub previous_close: i64,
    /// Shares so far.
    pub volume: u64,
}

impl Session {
    /// As a bar.
    #[must_use]
    pub fn bar(&self) -> Option<Bar> {
        Some(Bar {
            date: self.date,
            open: grid::price(self.open)?,
            high: grid::price(self.high)?,
            low: grid::price(self.low)?,
            close: grid::price(self.price)?,
            volume: self.volume,
        })
    }
}

/// How far a step can go.
#[derive(Debug, Clone, Copy)]
struct Stride {
    /// In ten-thousandths of the price; a tick at least.
    reach: i64,
    /// Most shares traded in it: so many that a live day and an invented one of the past come to the same.
    volume_max: i64,
}

impl Stride {
    /// Of so many steps to a day.
    fn new(reach: i64, steps_per_day: i64) -> Self {
        let mean = VOLUME_PER_DAY.checked_div(steps_per_day).unwrap_or(VOLUME_PER_DAY);
        Self { reach, volume_max: mean.saturating_mul(2).max(1) }
    }

    fn past() -> Self {
        Self::new(PAST_REACH, i64::try_from(STEPS_PER_PAST_DAY).unwrap_or(1))
    }

    fn live(step: Duration) -> Self {
        let millis = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        Self::new(LIVE_REACH, SECONDS_PER_DAY.saturating_mul(1_000).checked_div(millis).unwrap_or(1).max(1))
    }
}

/// One share's walk: its past days and the running one. A function of seed, symbol, first day and steps.
#[derive(Debug)]
pub struct Walk {
    symbol: Symbol,
    base: i64,
    noise: Noise,
    past: Vec<Session>,
    session: Session,
    steps: u64,
    live: Stride,
}

impl Walk {
    /// Invents the past up to `today` and stands at its first price. A live step takes the time `step`.
    #[must_use]
    pub fn new(symbol: Symbol, base: i64, seed: u64, today: NaiveDate, step: Duration) -> Self {
        let base = grid::snap(symbol.market(), base.max(UNITS_PER_CURRENCY));
        let (days, today) = (days_before(today, DAYS_BEFORE), trading_day(today));
        let mut walk = Self {
            symbol,
            base,
            noise: Noise::new(seed, symbol, 0),
            past: Vec::with_capacity(DAYS_BEFORE + 1),
            session: opened(days.first().copied().unwrap_or(today), base, base),
            steps: 0,
            live: Stride::live(step),
        };
        for day in days {
            walk.enter(day);
            for _ in 0..STEPS_PER_PAST_DAY {
                walk.step(Stride::past());
            }
        }
        walk.enter(today);
        walk.step(walk.live);
        walk.steps = 0;
        walk
    }

    /// Goes on to step number `steps`; `day_of` tells the calendar day of a step.
    pub fn advance(&mut self, steps: u64, day_of: impl Fn(u64) -> NaiveDate) {
        while self.steps < steps {
            self.steps += 1;
            self.enter(trading_day(day_of(self.steps)));
            self.step(self.live);
        }
    }

    /// The running session.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Completed sessions, oldest first.
    #[must_use]
    pub fn past(&self) -> &[Session] {
        &self.past
    }

    fn enter(&mut self, day: NaiveDate) {
        if day <= self.session.date {
            return;
        }
        if self.session.volume > 0 {
            if self.past.len() > 2 * DAYS_BEFORE {
                self.past.remove(0);
            }
            self.past.push(self.session);
        }
        self.session = opened(day, self.session.price, self.session.price);
    }

    fn step(&mut self, stride: Stride) {
        let market = self.symbol.market();
        let session = &mut self.session;
        let tick = grid::tick(market, session.price);
        let distance = self.base - session.price;
        let pulled = self.noise.between(0, self.base.saturating_mul(PULL_RARITY)) < distance.abs();
        let pull = if pulled { distance.signum().saturating_mul(tick) } else { 0 };
        let reach = (session.price / 10_000).saturating_mul(stride.reach).max(tick);
        let moved = self.noise.between(-reach, reach);
        let wanted = grid::snap(market, session.price.saturating_add(moved).saturating_add(pull));
        let limit = session.previous_close / 100 * DAILY_LIMIT_PERCENT;
        let lowest = grid::snap_up(market, session.previous_close - limit);
        let highest = grid::snap_down(market, session.previous_close + limit).max(lowest);
        session.price = wanted.clamp(lowest, highest);
        session.high = session.high.max(session.price);
        session.low = session.low.min(session.price);
        let traded = u64::try_from(self.noise.between(1, stride.volume_max)).unwrap_or(1);
        session.volume = session.volume.saturating_add(traded);
    }
}

fn opened(date: NaiveDate, price: i64, previous_close: i64) -> Session {
    Session { date, open: price, high: price, low: price, price, previous_close, volume: 0 }
}

/// So many trading days before a day, oldest first.
fn days_before(day: NaiveDate, count: usize) -> Vec<NaiveDate> {
    let weekday = |day: &NaiveDate| trading_day(*day) == *day;
    let earlier = std::iter::successors(trading_day(day).pred_opt(), |day| day.pred_opt());
    let mut days: Vec<_> = earlier.filter(weekday).take(count).collect();
    days.reverse();
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    const STEP: Duration = Duration::from_secs(1);

    fn samsung(seed: u64) -> Walk {
        Walk::new("005930.KS".parse().unwrap(), 70_000 * UNITS_PER_CURRENCY, seed, date("2026-11-18"), STEP)
    }

    #[test]
    fn a_seed_always_invents_the_same_prices() {
        let (mut one, mut same, mut other) = (samsung(1), samsung(1), samsung(2));
        for walk in [&mut one, &mut same, &mut other] {
            walk.advance(500, |_| date("2026-11-18"));
        }
        assert_eq!(one.session(), same.session());
        assert_eq!(one.past(), same.past());
        assert_ne!(one.past(), other.past());
    }

    #[test]
    fn steps_taken_one_by_one_or_at_once_lead_to_the_same_place() {
        let day = |step: u64| date("2026-11-18") + Days::new(step / 100);
        let (mut one, mut many) = (samsung(1), samsung(1));
        one.advance(700, day);
        (1..=700).for_each(|step| many.advance(step, day));
        assert_eq!(one.session(), many.session());
        assert_eq!(one.past(), many.past());
    }

    #[test]
    fn midnight_closes_the_session() {
        let mut walk = samsung(1);
        walk.advance(10, |_| date("2026-11-20"));
        let friday = *walk.session();
        walk.advance(11, |_| date("2026-11-22"));
        assert_eq!(walk.session().date, friday.date, "a Sunday is still Friday");
        walk.advance(12, |_| date("2026-11-23"));
        assert_eq!(walk.session().date, date("2026-11-23"));
        assert_eq!(walk.past().last().unwrap().date, date("2026-11-20"));
        assert_eq!(walk.session().previous_close, walk.past().last().unwrap().price);
    }

    #[test]
    fn a_live_day_trades_as_much_as_a_day_of_the_past() {
        for (millis, steps) in [(1_000, 86_400), (60_000, 1_440), (3_600_000, 24)] {
            let step = Duration::from_millis(millis);
            let mut walk =
                Walk::new("IBM".parse().unwrap(), 170 * UNITS_PER_CURRENCY, 1, date("2026-11-18"), step);
            let past = walk.past().iter().map(|day| day.volume).sum::<u64>()
                / u64::try_from(walk.past().len()).unwrap();
            walk.advance(steps, |_| date("2026-11-18"));
            let today = walk.session().volume;
            assert!(past / 2 < today && today < past * 2, "{millis} ms: {today} today, {past} before");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn prices_stay_on_the_grid_and_inside_the_daily_limit(seed in any::<u64>(), symbol in prop::sample::select(vec!["005930.KS", "IBM"]), base in 1i64..500_000) {
            let symbol: Symbol = symbol.parse().unwrap();
            let mut walk = Walk::new(symbol, base * UNITS_PER_CURRENCY, seed, date("2026-11-18"), STEP);
            walk.advance(2_000, |_| date("2026-11-18"));
            for session in walk.past().iter().chain([walk.session()]) {
                for units in [session.open, session.high, session.low, session.price] {
                    prop_assert_eq!(units % grid::tick(symbol.market(), units), 0);
                    prop_assert!((units - session.previous_close).abs() * 100 <= session.previous_close * DAILY_LIMIT_PERCENT);
                }
                prop_assert!(session.bar().unwrap().is_consistent());
                prop_assert!(session.volume > 0);
            }
        }
    }
}
