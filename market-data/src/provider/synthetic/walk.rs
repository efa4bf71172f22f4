//! The invented prices: a seeded walk on the grid, pulled back to where it came from.
//!
//! Everything is a function of seed, share and the clock of the wall: a server that is started again goes on with the same
//! prices. Each day is walked coarsely from its open to its close, from a fixed first day on; today is walked again in small
//! steps that stay near the line between the two.

use crate::grid::{self, UNITS_PER_CURRENCY};
use crate::random::Noise;
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use domain::{Bar, Market, Symbol};
use std::time::Duration;

/// Most a price may differ from the close before, in percent: the daily limit of the Korea Exchange, kept everywhere.
pub const DAILY_LIMIT_PERCENT: i64 = 30;
/// Most completed days that are kept for charts.
pub(super) const DAYS_BEFORE: usize = 500;
/// The first invented day: a Monday, whose open is the base price.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2024, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// Shortest time between two different prices: a start in the evening walks the whole day until then.
const LIVE_STEP_MIN: Duration = Duration::from_secs(1);
/// Steps that make one invented day of the past.
const STEPS_PER_PAST_DAY: u64 = 40;
/// Largest step of a past day's walk, in ten-thousandths of the price.
const PAST_REACH: i64 = 40;
/// Largest step of the live walk, in ten-thousandths of the price; a tick at least.
const LIVE_REACH: i64 = 3;
/// How far the live price may be from the line between the day's open and its close, in ten-thousandths of the price: in
/// the morning and in the evening. A few ticks at least.
const BAND_AT_OPEN: i64 = 150;
const BAND_AT_CLOSE: i64 = 20;
const BAND_TICKS_MIN: i64 = 3;
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
        Self::new(
            LIVE_REACH,
            SECONDS_PER_DAY.saturating_mul(1_000).checked_div(millis(step)).unwrap_or(1).max(1),
        )
    }
}

fn millis(step: Duration) -> i64 {
    i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// One share's walk: its past days and the running one.
#[derive(Debug)]
pub struct Walk {
    symbol: Symbol,
    base: i64,
    seed: u64,
    step: Duration,
    live: Stride,
    past: Vec<Session>,
    session: Session,
    /// Close of the running session.
    close: i64,
    noise: Noise,
    /// Steps of the running session that were taken.
    steps: i64,
}

impl Walk {
    /// Invents everything up to a moment of the market's own clock. A live step takes the time `step`, or a second if
    /// that is longer.
    #[must_use]
    pub fn new(symbol: Symbol, base: i64, seed: u64, now: NaiveDateTime, step: Duration) -> Self {
        let base = grid::snap(symbol.market(), base.max(UNITS_PER_CURRENCY));
        let step = step.max(LIVE_STEP_MIN);
        let first = opened(FIRST_DAY.min(trading_day(now.date())), base, base);
        let mut walk = Self {
            symbol,
            base,
            seed,
            step,
            live: Stride::live(step),
            past: Vec::with_capacity(DAYS_BEFORE),
            session: first,
            close: base,
            noise: Noise::new(seed, symbol, 0),
            steps: 0,
        };
        let today = trading_day(now.date());
        while walk.session.date < today {
            let day = walk.coarse(walk.session);
            walk.keep(day);
            walk.session = opened(next_trading_day(day.date), day.price, day.price);
        }
        walk.begin_day();
        walk.advance(now);
        walk
    }

    /// Goes on to a moment of the market's own clock.
    pub fn advance(&mut self, now: NaiveDateTime) {
        let today = trading_day(now.date());
        while self.session.date < today {
            self.take_steps(i64::MAX);
            // The day ends where it had to: the next one opens there.
            let close = self.close;
            self.session.price = close;
            self.session.high = self.session.high.max(close);
            self.session.low = self.session.low.min(close);
            self.keep(self.session);
            self.session = opened(next_trading_day(self.session.date), close, close);
            self.begin_day();
        }
        let since_open = now - self.session.date.and_time(NaiveTime::MIN);
        self.take_steps(since_open.num_milliseconds() / millis(self.step));
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

    fn keep(&mut self, day: Session) {
        if self.past.len() >= DAYS_BEFORE {
            self.past.remove(0);
        }
        self.past.push(day);
    }

    /// Noise of a day; the live walk of a day has another than the coarse one.
    fn noise_of(&self, day: NaiveDate, live: bool) -> Noise {
        let number = u64::try_from(day.to_epoch_days()).unwrap_or(0);
        Noise::new(self.seed, self.symbol, number.saturating_mul(2).saturating_add(u64::from(live)))
    }

    /// A whole day from its open on, in few steps.
    fn coarse(&self, open: Session) -> Session {
        let market = self.symbol.market();
        let (mut day, mut noise) = (open, self.noise_of(open.date, false));
        let (limits, stride) = (day.limits(market), Stride::past());
        for _ in 0..STEPS_PER_PAST_DAY {
            let tick = grid::tick(market, day.price);
            let distance = self.base - day.price;
            // The further from the base price, the more often a tick towards it.
            let pulled = noise.between(0, self.base.saturating_mul(PULL_RARITY)) < distance.abs();
            let pull = if pulled { distance.signum().saturating_mul(tick) } else { 0 };
            let wanted =
                day.price.saturating_add(stride.draw(day.price, tick, &mut noise)).saturating_add(pull);
            day.step(market, tick, wanted, limits);
            day.trade(stride, &mut noise);
        }
        day
    }

    fn begin_day(&mut self) {
        self.close = self.coarse(self.session).price;
        self.noise = self.noise_of(self.session.date, true);
        self.steps = 0;
        self.take_steps(1);
    }

    /// Live steps of the running day, up to number `wanted` or the day's last.
    fn take_steps(&mut self, wanted: i64) {
        let market = self.symbol.market();
        let limits = self.session.limits(market);
        let day_millis = (next_trading_day(self.session.date) - self.session.date).num_milliseconds();
        let last = day_millis / millis(self.step);
        while self.steps < wanted.min(last) {
            self.steps += 1;
            let price = self.session.price;
            let tick = grid::tick(market, price);
            let (lowest, highest) = self.band(last, tick);
            let moved = self.live.draw(price, tick, &mut self.noise);
            let wanted = price.saturating_add(moved).clamp(lowest, highest);
            self.session.step(market, tick, wanted, limits);
            // A weekend belongs to its Friday, and nobody counts what is traded on it.
            if self.steps.saturating_mul(millis(self.step)) <= SECONDS_PER_DAY.saturating_mul(1_000) {
                self.session.trade(self.live, &mut self.noise);
            }
        }
    }

    /// Lowest and highest price of the present step of a day that has `last` of them.
    fn band(&self, last: i64, tick: i64) -> (i64, i64) {
        // In thousandths of the day, so that no product overflows.
        let gone = self.steps.saturating_mul(1_000).checked_div(last.max(1)).unwrap_or(1_000).min(1_000);
        let line =
            self.session.open.saturating_add((self.close - self.session.open).saturating_mul(gone) / 1_000);
        let width = BAND_AT_CLOSE + (BAND_AT_OPEN - BAND_AT_CLOSE) * (1_000 - gone) / 1_000;
        let reach = (line / 10_000).saturating_mul(width).max(tick.saturating_mul(BAND_TICKS_MIN));
        (line.saturating_sub(reach), line.saturating_add(reach))
    }
}

impl Session {
    /// The daily limits, on the grid.
    fn limits(&self, market: Market) -> (i64, i64) {
        let limit = self.previous_close / 100 * DAILY_LIMIT_PERCENT;
        let lowest = grid::snap_up(market, self.previous_close - limit);
        (lowest, grid::snap_down(market, self.previous_close + limit).max(lowest))
    }

    /// One step of the walk to a price near `wanted`. The price is on the grid before and after.
    fn step(&mut self, market: Market, tick: i64, wanted: i64, (lowest, highest): (i64, i64)) {
        // Most steps of a live day change nothing, and a start takes many: what stays on its tick is not looked up.
        if (wanted - self.price).saturating_mul(2).abs() < tick {
            return;
        }
        self.price = grid::snap(market, wanted).clamp(lowest, highest);
        self.high = self.high.max(self.price);
        self.low = self.low.min(self.price);
    }

    fn trade(&mut self, stride: Stride, noise: &mut Noise) {
        let traded = u64::try_from(noise.between(1, stride.volume_max)).unwrap_or(1);
        self.volume = self.volume.saturating_add(traded);
    }
}

impl Stride {
    fn draw(self, price: i64, tick: i64, noise: &mut Noise) -> i64 {
        let reach = (price / 10_000).saturating_mul(self.reach).max(tick);
        noise.between(-reach, reach)
    }
}

fn opened(date: NaiveDate, price: i64, previous_close: i64) -> Session {
    Session { date, open: price, high: price, low: price, price, previous_close, volume: 0 }
}

fn next_trading_day(day: NaiveDate) -> NaiveDate {
    let days = if day.weekday() == Weekday::Fri { 3 } else { 1 };
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_secs(1);

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn samsung(seed: u64, now: &str) -> Walk {
        Walk::new("005930.KS".parse().unwrap(), 70_000 * UNITS_PER_CURRENCY, seed, at(now), STEP)
    }

    #[test]
    fn a_seed_always_invents_the_same_prices() {
        let now = "2026-11-18T09:00:00";
        assert_eq!(samsung(1, now).session(), samsung(1, now).session());
        assert_eq!(samsung(1, now).past(), samsung(1, now).past());
        assert_ne!(samsung(1, now).past(), samsung(2, now).past());
    }

    #[test]
    fn whoever_starts_later_goes_on_with_the_same_prices() {
        let mut walked = samsung(1, "2026-11-18T00:00:00");
        for now in ["2026-11-18T00:00:01", "2026-11-18T03:00:00", "2026-11-18T23:59:59"] {
            walked.advance(at(now));
            assert_eq!(walked.session(), samsung(1, now).session(), "{now}");
        }
        let mut walked = samsung(1, "2026-11-18T23:00:00");
        for now in ["2026-11-19T00:10:00", "2026-11-22T12:00:00", "2026-11-24T08:00:00"] {
            walked.advance(at(now));
            assert_eq!(walked.session(), samsung(1, now).session(), "{now}, days later");
        }
    }

    #[test]
    fn midnight_is_no_leap() {
        for seed in 1..20 {
            let mut walk = samsung(seed, "2026-11-18T23:59:50");
            let before = walk.session().price;
            walk.advance(at("2026-11-19T00:00:02"));
            let apart = (walk.session().price - before).abs();
            assert!(apart * 100 <= before, "from {before} to {} over midnight", walk.session().price);
        }
    }

    #[test]
    fn midnight_closes_the_session() {
        let mut walk = samsung(1, "2026-11-20T15:00:00");
        let friday = *walk.session();
        walk.advance(at("2026-11-22T10:00:00"));
        assert_eq!(walk.session().date, friday.date, "a Sunday is still Friday");
        walk.advance(at("2026-11-23T00:00:05"));
        assert_eq!(walk.session().date, date("2026-11-23"));
        assert_eq!(walk.past().last().unwrap().date, date("2026-11-20"));
        assert_eq!(walk.session().previous_close, walk.past().last().unwrap().price);
        assert_eq!(walk.past().len(), DAYS_BEFORE);
    }

    #[test]
    fn a_weekend_adds_nothing_to_its_friday() {
        let (friday, sunday) = (samsung(1, "2026-11-20T23:59:59"), samsung(1, "2026-11-22T20:00:00"));
        assert!(sunday.session().volume - friday.session().volume < 1_000);
        assert_ne!(sunday.session().price, friday.session().price);
    }

    #[test]
    fn a_live_day_trades_as_much_as_a_day_of_the_past() {
        for seconds in [1, 60, 3_600] {
            let step = Duration::from_secs(seconds);
            let evening = at("2026-11-18T23:59:59");
            let walk = Walk::new("IBM".parse().unwrap(), 170 * UNITS_PER_CURRENCY, 1, evening, step);
            let past = walk.past().iter().map(|day| day.volume).sum::<u64>()
                / u64::try_from(walk.past().len()).unwrap();
            let today = walk.session().volume;
            assert!(past / 2 < today && today < past * 2, "{seconds} s: {today} today, {past} before");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn prices_stay_on_the_grid_and_inside_the_daily_limit(seed in any::<u64>(), symbol in prop::sample::select(vec!["005930.KS", "IBM"]), base in 1i64..500_000) {
            let symbol: Symbol = symbol.parse().unwrap();
            let mut walk = Walk::new(symbol, base * UNITS_PER_CURRENCY, seed, at("2026-11-18T10:00:00"), STEP);
            walk.advance(at("2026-11-18T10:30:00"));
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
