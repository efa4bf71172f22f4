//! The recorded days of all shares, in memory, and the calendar each market plays.

use super::path::DayUnits;
use super::row::{FileError, Row, RowError};
use super::{columns, csv};
use crate::grid;
use crate::sanity::SPIKE_PERCENT_MAX;
use bytes::Bytes;
use chrono::NaiveDate;
use domain::{Bar, Market, Symbol};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};

/// Days of the past that a chart can show when the play begins, as far as the record allows.
const DAYS_BEFORE_START: usize = 250;
/// Largest whole number on either side of a believable split.
const SPLIT_PART_MAX: u32 = 50;
/// A ratio of closes differs from the split's by less than this part, in thousandths: dividends explain the rest.
const SPLIT_TOLERANCE_PERMILLE: u32 = 15;
/// Ratios of closes between these are no split's.
const ORDINARY_RATIO_MIN: Decimal = Decimal::from_parts(7, 0, 0, false, 1);
const ORDINARY_RATIO_MAX: Decimal = Decimal::from_parts(12, 0, 0, false, 1);

/// One recorded day of one share.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// Which day.
    pub date: NaiveDate,
    /// Its prices.
    pub day: DayUnits,
    /// Shares traded.
    pub volume: u64,
    /// Close of the good day before, in shares of this day; 0 for the first, and where the shares have changed in a way that
    /// the record does not tell.
    pub previous_close: i64,
}

impl Session {
    /// The whole day as a bar.
    #[must_use]
    pub fn bar(&self) -> Option<Bar> {
        Some(Bar {
            date: self.date,
            open: grid::price(self.day.open)?,
            high: grid::price(self.day.high)?,
            low: grid::price(self.day.low)?,
            close: grid::price(self.day.close)?,
            volume: self.volume,
        })
    }
}

/// The days on which a market played, and the one to begin with.
#[derive(Debug, Clone)]
pub struct Calendar {
    days: Vec<NaiveDate>,
    start: usize,
}

impl Calendar {
    /// The day that is played as number `session` since the beginning; after the last day the first played one
    /// follows again.
    #[must_use]
    pub fn day(&self, session: u64) -> Option<NaiveDate> {
        let playable = u64::try_from(self.days.len().checked_sub(self.start)?).ok()?;
        let offset = usize::try_from(session.checked_rem(playable)?).ok()?;
        self.days.get(self.start.checked_add(offset)?).copied()
    }

    /// The number of the first played day that is not before `day`.
    #[must_use]
    pub fn session_of(&self, day: NaiveDate) -> Option<u64> {
        let place = self.days.partition_point(|known| *known < day).max(self.start);
        let offset = place.checked_sub(self.start).filter(|_| place < self.days.len())?;
        u64::try_from(offset).ok()
    }

    /// How many days lie from one to the other.
    #[must_use]
    pub fn distance(&self, from: NaiveDate, to: NaiveDate) -> usize {
        let place = |day| self.days.partition_point(|known| *known < day);
        place(to).saturating_sub(place(from))
    }
}

/// What a file holds.
#[derive(Debug, Clone)]
pub enum Record<'a> {
    /// Rows of text.
    Csv(&'a str),
    /// Columns of a Parquet file.
    Parquet(Bytes),
}

impl<'a> From<&'a str> for Record<'a> {
    fn from(text: &'a str) -> Self {
        Self::Csv(text)
    }
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub struct Tape {
    series: BTreeMap<Symbol, Vec<Session>>,
    calendars: BTreeMap<Market, Calendar>,
    /// Rows that were refused, by reason.
    pub rejected: BTreeMap<RowError, u64>,
    /// Rows that are played.
    pub accepted: u64,
}

impl Tape {
    /// Reads files.
    ///
    /// # Errors
    /// What is wrong with the first file that is none of ours.
    pub fn read<'a>(files: impl IntoIterator<Item = impl Into<Record<'a>>>) -> Result<Self, FileError> {
        let mut tape = Self::default();
        let mut rows = Vec::new();
        for file in files {
            match file.into() {
                Record::Csv(text) => csv::read(text, &mut rows, &mut tape.rejected)?,
                Record::Parquet(bytes) => columns::read(bytes, &mut rows, &mut tape.rejected)?,
            }
        }
        if !rows.is_sorted_by_key(|row| (row.symbol, row.date)) {
            rows.sort_by_key(|row| (row.symbol, row.date));
        }
        for share in rows.chunk_by(|one, other| one.symbol == other.symbol) {
            tape.add_share(share);
        }
        tape.make_calendars();
        Ok(tape)
    }

    /// Takes the rows of one share, in the order of their days.
    fn add_share(&mut self, rows: &[Row]) {
        let Some(first) = rows.first() else { return };
        let mut sessions: Vec<Session> = Vec::with_capacity(rows.len());
        let mut before: Option<&Row> = None;
        for row in rows {
            if before.is_some_and(|before| before.date == row.date) {
                *self.rejected.entry(RowError::Duplicate).or_default() += 1;
                continue;
            }
            sessions.push(Session {
                date: row.date,
                day: row.day,
                volume: row.volume,
                previous_close: before.map_or(0, |before| close_in_shares_of(before, row)),
            });
            before = Some(row);
        }
        self.accepted += u64::try_from(sessions.len()).unwrap_or(0);
        self.series.insert(first.symbol, sessions);
    }

    fn make_calendars(&mut self) {
        let mut days: BTreeMap<Market, BTreeSet<NaiveDate>> = BTreeMap::new();
        let mut common: BTreeMap<Market, NaiveDate> = BTreeMap::new();
        for (symbol, sessions) in &self.series {
            days.entry(symbol.market()).or_default().extend(sessions.iter().map(|session| session.date));
            if let Some(first) = sessions.first() {
                let latest = common.entry(symbol.market()).or_insert(first.date);
                *latest = first.date.max(*latest);
            }
        }
        for (market, days) in days {
            let days: Vec<_> = days.into_iter().collect();
            let common = common.get(&market).map_or(0, |day| days.partition_point(|known| known < day));
            let lead = DAYS_BEFORE_START.min(days.len().saturating_sub(common) / 2);
            self.calendars.insert(market, Calendar { days, start: common.saturating_add(lead) });
        }
    }

    /// Begins every market at its first day from `date` on.
    ///
    /// # Errors
    /// The market, and its last day, that has none.
    pub fn start_at(&mut self, date: NaiveDate) -> Result<(), (Market, NaiveDate)> {
        for (market, calendar) in &mut self.calendars {
            calendar.start = calendar.days.partition_point(|day| *day < date);
            if let (true, Some(last)) = (calendar.start >= calendar.days.len(), calendar.days.last()) {
                return Err((*market, *last));
            }
        }
        Ok(())
    }

    /// What is played from which day on, in one line: two records with the same line play the same days.
    #[must_use]
    pub fn identity(&self) -> String {
        let describe = |(market, calendar): (&Market, &Calendar)| {
            let day = |place: usize| calendar.days.get(place).map_or_else(String::new, NaiveDate::to_string);
            let last = calendar.days.len().saturating_sub(1);
            format!("{market} {}..{} from {}", day(0), day(last), day(calendar.start))
        };
        let calendars: Vec<_> = self.calendars.iter().map(describe).collect();
        format!("{} rows, {}", self.accepted, calendars.join(", "))
    }

    /// Every share.
    #[must_use]
    pub fn symbols(&self) -> Vec<Symbol> {
        self.series.keys().copied().collect()
    }

    /// The calendar of a market with recorded days.
    #[must_use]
    pub fn calendar(&self, market: Market) -> Option<&Calendar> {
        self.calendars.get(&market)
    }

    /// The last recorded day of a share that is not after `day`.
    #[must_use]
    pub fn session_until(&self, symbol: Symbol, day: NaiveDate) -> Option<&Session> {
        let sessions = self.series.get(&symbol)?;
        sessions.get(sessions.partition_point(|session| session.date <= day).checked_sub(1)?)
    }

    /// The recorded days of a share before `day`, oldest first.
    #[must_use]
    pub fn sessions_before(&self, symbol: Symbol, day: NaiveDate) -> &[Session] {
        let sessions = self.series.get(&symbol).map_or(&[][..], Vec::as_slice);
        sessions.get(..sessions.partition_point(|session| session.date < day)).unwrap_or_default()
    }
}

/// The close of a day, counted in shares of the next one: a split between them has changed how many there are.
///
/// Recorded prices are as traded. Where the source also has adjusted closes, the ratio of the raw ones divided by the
/// ratio of the adjusted ones is the split, but for a dividend of a few percent.
fn close_in_shares_of(before: &Row, after: &Row) -> i64 {
    let unchanged = before.day.close;
    let ratio = || {
        let raw = Decimal::from(before.day.close).checked_div(Decimal::from(after.day.close))?;
        let adjusted = before.adjusted_close?.checked_div(after.adjusted_close?)?;
        raw.checked_div(adjusted)
    };
    if after.adjusted_close.is_none() && is_beyond_limit(before, after) {
        return 0;
    }
    let Some((shares_after, shares_before)) = ratio().and_then(split_of) else { return unchanged };
    let close = Decimal::from(unchanged) * Decimal::from(shares_before) / Decimal::from(shares_after);
    close.round().to_i64().map_or(unchanged, |units| grid::snap(before.symbol.market(), units))
}

/// Whether a Korean share closed further from the close before than its market has ever allowed in a day: then its base
/// price was another one.
fn is_beyond_limit(before: &Row, after: &Row) -> bool {
    let moved = i128::from(after.day.close - before.day.close).abs();
    let allowed = i128::from(before.day.close) * i128::from(SPIKE_PERCENT_MAX);
    before.symbol.market() == Market::Krx && moved * 100 > allowed
}

/// The split, as shares after for shares before, that a ratio of prices stands for; nothing for none.
fn split_of(ratio: Decimal) -> Option<(u32, u32)> {
    // Between the splits nearest to none, which are 2 for 3 and 5 for 4, lie all ordinary days.
    if ratio > ORDINARY_RATIO_MIN && ratio < ORDINARY_RATIO_MAX {
        return None;
    }
    let near = |parts: &(u32, u32)| {
        let split = Decimal::from(parts.0) / Decimal::from(parts.1);
        (ratio - split).abs() * Decimal::ONE_THOUSAND < split * Decimal::from(SPLIT_TOLERANCE_PERMILLE)
    };
    let whole = (2..=SPLIT_PART_MAX).flat_map(|shares| [(shares, 1), (1, shares)]);
    [(3, 2), (2, 3), (4, 3), (5, 4)].into_iter().chain(whole).find(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: &str = "symbol,date,open,high,low,close,volume,adjusted_close\n\
        AAPL,2005-02-24,88.48,89.31,87.45,88.93,1000,5.7144\n\
        AAPL,2005-02-25,89.62,89.91,88.19,88.99,1000,5.7182\n\
        AAPL,2005-02-28,44.68,45.14,43.96,44.86,1000,5.7652\n\
        IBM,2005-02-24,92,93,91,92.5,1000,80.0\n\
        IBM,2005-02-28,92,93,91,92.57,1000,80.06\n";

    fn symbol(text: &str) -> Symbol {
        text.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_close_before_a_split_is_counted_in_new_shares() {
        let tape = Tape::read([SPLIT]).unwrap();
        let session = tape.session_until(symbol("AAPL"), date("2005-02-28")).unwrap();
        assert_eq!(session.previous_close, 445_000, "88.99 before two for one, on the grid");
        let ordinary = tape.session_until(symbol("AAPL"), date("2005-02-25")).unwrap();
        assert_eq!(ordinary.previous_close, 889_300);
    }

    #[test]
    fn a_real_crash_and_a_dividend_are_no_split() {
        for ratio in ["1.0", "1.02", "0.99", "1.1"] {
            assert_eq!(split_of(ratio.parse().unwrap()), None, "{ratio}");
        }
        assert_eq!(split_of("2.004".parse().unwrap()), Some((2, 1)));
        assert_eq!(split_of("0.1".parse().unwrap()), Some((1, 10)));
        assert_eq!(split_of("1.5".parse().unwrap()), Some((3, 2)));
    }

    #[test]
    fn a_missing_day_leaves_the_last_good_one() {
        let tape = Tape::read([SPLIT]).unwrap();
        assert_eq!(tape.session_until(symbol("IBM"), date("2005-02-25")).unwrap().date, date("2005-02-24"));
        assert!(tape.session_until(symbol("IBM"), date("2005-02-23")).is_none());
        assert_eq!(tape.calendar(Market::Us).unwrap().days.len(), 3);
    }

    #[test]
    fn the_play_begins_where_it_is_told_and_loops() {
        let mut tape = Tape::read([SPLIT]).unwrap();
        tape.start_at(date("2005-02-25")).unwrap();
        let calendar = tape.calendar(Market::Us).unwrap();
        let days: Vec<_> = (0..4).map(|session| calendar.day(session).unwrap().to_string()).collect();
        assert_eq!(days, ["2005-02-25", "2005-02-28", "2005-02-25", "2005-02-28"]);
        assert_eq!(tape.start_at(date("2006-01-01")), Err((Market::Us, date("2005-02-28"))));
    }

    #[test]
    fn a_second_row_of_a_day_is_refused() {
        let twice = format!("{SPLIT}IBM,2005-02-28,50,51,49,50,1000,80.06\n");
        let tape = Tape::read([twice.as_str()]).unwrap();
        assert_eq!(tape.rejected.get(&RowError::Duplicate), Some(&1));
        assert_eq!(tape.session_until(symbol("IBM"), date("2005-02-28")).unwrap().day.close, 925_700);
    }
}
