//! Lengths of bars, how their prices are counted, and a bar with its time.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::{Bar, Market, Price, Symbol};
use serde::Serialize;

/// The length of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Interval {
    /// A minute.
    #[serde(rename = "1m")]
    OneMinute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    FifteenMinutes,
    /// An hour.
    #[serde(rename = "1h")]
    OneHour,
    /// A trading day.
    #[serde(rename = "1d")]
    OneDay,
}

impl Interval {
    /// Every length, the shortest first.
    pub const ALL: [Self; 5] =
        [Self::OneMinute, Self::FiveMinutes, Self::FifteenMinutes, Self::OneHour, Self::OneDay];

    /// Its name in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneMinute => "1m",
            Self::FiveMinutes => "5m",
            Self::FifteenMinutes => "15m",
            Self::OneHour => "1h",
            Self::OneDay => "1d",
        }
    }

    /// The length of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == name)
    }

    /// Its length in minutes; a day counts 1,440.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        match self {
            Self::OneMinute => 1,
            Self::FiveMinutes => 5,
            Self::FifteenMinutes => 15,
            Self::OneHour => 60,
            Self::OneDay => 1_440,
        }
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.minutes()))
    }
}

/// How prices of the past are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Adjustment {
    /// As they were traded.
    Raw,
    /// In today's shares: splits are taken out.
    Splits,
    /// Splits and dividends are taken out.
    All,
}

impl Adjustment {
    /// Every way.
    pub const EACH: [Self; 3] = [Self::Raw, Self::Splits, Self::All];

    /// Its name in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Splits => "splits",
            Self::All => "all",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|adjustment| adjustment.name() == name)
    }
}

/// The prices of one span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimedBar {
    /// Its first moment; for a day, its date's midnight in UTC.
    pub starts_at: DateTime<Utc>,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

impl TimedBar {
    /// Whether the four prices can be those of one span: low ≤ open, close ≤ high.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.low <= self.open.min(self.close) && self.open.max(self.close) <= self.high
    }

    /// The bar of a day, told by its date.
    #[must_use]
    pub fn of_day(self) -> Bar {
        Bar {
            date: self.starts_at.date_naive(),
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: self.volume,
        }
    }
}

impl From<Bar> for TimedBar {
    fn from(bar: Bar) -> Self {
        Self {
            starts_at: midnight(bar.date),
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
        }
    }
}

/// The moment that stands for a day.
#[must_use]
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The moments that the bars of a range of days can begin at, from the first up to, not including, the last.
#[must_use]
pub fn moments(
    market: Market,
    interval: Interval,
    from: NaiveDate,
    to: NaiveDate,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let after = to.succ_opt().unwrap_or(to);
    match interval {
        Interval::OneDay => (midnight(from), midnight(after)),
        _ => (exchange::sessions::day_start(market, from), exchange::sessions::day_start(market, after)),
    }
}

/// Bars that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarsRequest {
    /// Whose.
    pub symbol: Symbol,
    /// How long each is.
    pub interval: Interval,
    /// How prices are counted.
    pub adjustment: Adjustment,
    /// First day, on the market's calendar.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}
