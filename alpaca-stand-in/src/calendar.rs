//! The days and hours of New York as the stand-in has them, from the published calendar of the exchange (XNYS, 2026 and 2027). It
//! shares no table with the server that is tested against it.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::America::New_York;
use std::collections::BTreeSet;

/// Weekdays without trading.
const HOLIDAYS: [&str; 20] = [
    "2026-01-01",
    "2026-01-19",
    "2026-02-16",
    "2026-04-03",
    "2026-05-25",
    "2026-06-19",
    "2026-07-03",
    "2026-09-07",
    "2026-11-26",
    "2026-12-25",
    "2027-01-01",
    "2027-01-18",
    "2027-02-15",
    "2027-03-26",
    "2027-05-31",
    "2027-06-18",
    "2027-07-05",
    "2027-09-06",
    "2027-11-25",
    "2027-12-24",
];
/// Days that close at 13:00.
const HALF_DAYS: [&str; 3] = ["2026-11-27", "2026-12-24", "2027-11-26"];
/// Most days of one answer.
const DAYS_MAX: usize = 1_000;

fn days(texts: &[&str]) -> BTreeSet<NaiveDate> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The calendar.
#[derive(Debug)]
pub struct Calendar {
    /// Weekdays without trading.
    pub holidays: BTreeSet<NaiveDate>,
    /// Days that close at 13:00.
    pub half_days: BTreeSet<NaiveDate>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { holidays: days(&HOLIDAYS), half_days: days(&HALF_DAYS) }
    }
}

impl Calendar {
    /// When a day opens and closes in New York; nothing where it does not trade.
    pub(crate) fn hours(&self, day: NaiveDate) -> Option<(NaiveTime, NaiveTime)> {
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        if is_weekend || self.holidays.contains(&day) {
            return None;
        }
        let close = if self.half_days.contains(&day) { 13 } else { 16 };
        Some((NaiveTime::from_hms_opt(9, 30, 0)?, NaiveTime::from_hms_opt(close, 0, 0)?))
    }

    /// The trading days from one day to another.
    pub(crate) fn trading_days(&self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let all = from.iter_days().take_while(|day| *day <= to).take(DAYS_MAX);
        all.filter(|day| self.hours(*day).is_some()).collect()
    }

    /// Whether the session is on, when it opens next and when it closes next.
    pub(crate) fn clock(&self, now: DateTime<Utc>) -> (bool, DateTime<Utc>, DateTime<Utc>) {
        let today = now.with_timezone(&New_York).date_naive();
        let at = |day: NaiveDate, time| {
            New_York.from_local_datetime(&day.and_time(time)).earliest().map_or(now, |at| at.to_utc())
        };
        let ahead = today.checked_add_days(Days::new(14)).unwrap_or(today);
        let sessions = self.trading_days(today, ahead).into_iter().filter_map(|day| {
            let (open, close) = self.hours(day)?;
            Some((at(day, open), at(day, close)))
        });
        let sessions: Vec<_> = sessions.filter(|(_, close)| *close > now).collect();
        let is_open = sessions.first().is_some_and(|(open, _)| *open <= now);
        let next_open = sessions.iter().map(|(open, _)| *open).find(|open| *open > now);
        (is_open, next_open.unwrap_or(now), sessions.first().map_or(now, |(_, close)| *close))
    }
}
