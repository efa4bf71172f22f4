//! What is traded and wanted of one share, in whole won. Pure.

use chrono::{DateTime, Days, NaiveDate, Timelike, Utc, Weekday};
use chrono_tz::Asia::Seoul;
use std::collections::BTreeMap;

/// Prices on each side of a book.
pub(crate) const LEVELS: usize = 10;
/// Close of the last day before the first trade of all shares.
const CLOSE_BEFORE: u64 = 70_000;
/// Shares traded on each day before today.
const VOLUME_BEFORE: u64 = 1_000_000;
/// Old shares become so many new ones in a split.
const SPLIT_SHARES: u64 = 50;

/// Prices of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) open: u64,
    pub(crate) high: u64,
    pub(crate) low: u64,
    pub(crate) close: u64,
    pub(crate) volume: u64,
    /// Close of the span before.
    pub(crate) before: u64,
}

impl Bar {
    fn begin(price: u64, before: u64) -> Self {
        Self { open: price, high: price, low: price, close: price, volume: 0, before }
    }

    fn take(&mut self, price: u64, quantity: u64) {
        (self.high, self.low) = (self.high.max(price), self.low.min(price));
        self.close = price;
        self.volume += quantity;
    }

    fn times(self, factor: u64) -> Self {
        Self {
            open: self.open * factor,
            high: self.high * factor,
            low: self.low * factor,
            close: self.close * factor,
            volume: self.volume / factor,
            before: self.before * factor,
        }
    }
}

/// A trade, and the day so far.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) code: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) quantity: u64,
    pub(crate) is_bought: bool,
    pub(crate) day: Bar,
    pub(crate) best: Sides,
}

/// Prices and shares, the best first; fewer than ten where nobody wants more.
pub(crate) type Side = Vec<(u64, u64)>;

/// Who wants to sell and to buy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) asks: Side,
    pub(crate) bids: Side,
}

/// A share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape {
    /// What was traded, by the first second of each minute in Seoul.
    minutes: BTreeMap<DateTime<Utc>, Bar>,
    today: Option<(NaiveDate, Bar)>,
    pub(crate) sides: Sides,
    /// The share was split so many trading days ago.
    pub(crate) split_days_ago: Option<usize>,
}

/// The day in Seoul.
pub(crate) fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Seoul).date_naive()
}

/// Days from Monday to Friday before a day, the latest first.
fn working_days_before(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let days =
        std::iter::successors(day.checked_sub_days(Days::new(1)), |day| day.checked_sub_days(Days::new(1)));
    days.filter(|day| !matches!(chrono::Datelike::weekday(day), Weekday::Sat | Weekday::Sun))
}

impl Tape {
    /// Shares change hands.
    pub(crate) fn trade(&mut self, price: u64, quantity: u64, at: DateTime<Utc>) -> Bar {
        let minute = at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at);
        let before = self.minutes.values().next_back().map_or(CLOSE_BEFORE, |bar| bar.close);
        self.minutes.entry(minute).or_insert_with(|| Bar::begin(price, before)).take(price, quantity);
        let day = day_of(at);
        let (_, bar) = self
            .today
            .take_if(|(known, _)| *known == day)
            .unwrap_or_else(|| (day, Bar::begin(price, CLOSE_BEFORE)));
        let (_, bar) = self.today.insert((day, bar));
        bar.take(price, quantity);
        *bar
    }

    /// Minutes of a length, the latest first.
    pub(crate) fn minutes(&self, length: i64) -> Vec<(DateTime<Utc>, Bar)> {
        let mut together: BTreeMap<i64, Bar> = BTreeMap::new();
        for (at, bar) in &self.minutes {
            let begins = at.timestamp().div_euclid(length * 60) * length * 60;
            together
                .entry(begins)
                .and_modify(|sum| {
                    let volume = sum.volume + bar.volume;
                    (sum.high, sum.low) = (sum.high.max(bar.high), sum.low.min(bar.low));
                    (sum.close, sum.volume) = (bar.close, volume);
                })
                .or_insert(*bar);
        }
        let timed = |(begins, bar)| Some((DateTime::from_timestamp(begins, 0)?, bar));
        together.into_iter().rev().filter_map(timed).collect()
    }

    /// The last `count` days up to a day, the latest first, as they were traded or in today's shares.
    pub(crate) fn days(&self, to: NaiveDate, count: usize, is_adjusted: bool) -> Vec<(NaiveDate, Bar)> {
        let today = self.today.map_or_else(|| day_of(Utc::now()), |(day, _)| day);
        let before = working_days_before(today).take(count).enumerate().map(|(age, day)| {
            // Ten won less on each day further back.
            let close =
                |age: usize| CLOSE_BEFORE.saturating_sub(10 * u64::try_from(age).unwrap_or(0)).max(10);
            let bar = Bar {
                volume: VOLUME_BEFORE,
                high: close(age) + 100,
                low: close(age).saturating_sub(100).max(1),
                ..Bar::begin(close(age), close(age + 1))
            };
            let is_old = self.split_days_ago.is_some_and(|ago| age >= ago);
            (day, if is_old && !is_adjusted { bar.times(SPLIT_SHARES) } else { bar })
        });
        self.today.into_iter().chain(before).filter(|(day, _)| *day <= to).collect()
    }
}
