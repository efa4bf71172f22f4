//! Reads recorded bars, believing no row.

use super::path::DayUnits;
use crate::grid;
use chrono::NaiveDate;
use domain::Symbol;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use thiserror::Error;

/// Most rows that are read from one folder.
pub(super) const ROWS_MAX: usize = 2_000_000;
/// Longest row that is looked at, in bytes.
const ROW_LENGTH_MAX: usize = 512;
/// Largest believable price, in won or dollars.
const PRICE_MAX: i64 = 1_000_000_000;

/// Why a row is not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowError {
    /// No symbol, no date, no number where one belongs, or too few columns.
    Unparsable,
    /// Nothing was traded, or open, high or low is zero: the close is an old price.
    HaltedDay,
    /// Low, open, close and high contradict each other.
    Inconsistent,
    /// A second row of the same day.
    Duplicate,
}

impl RowError {
    /// Its stable name in `/status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unparsable => "unparsable",
            Self::HaltedDay => "halted_day",
            Self::Inconsistent => "inconsistent",
            Self::Duplicate => "duplicate",
        }
    }
}

/// A file that cannot be played at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// A column that must be there is not.
    #[error("the first line names no column {0:?}")]
    MissingColumn(&'static str),
    /// More rows than [`ROWS_MAX`].
    #[error("more than {ROWS_MAX} rows")]
    TooManyRows,
}

/// One good recorded day of one share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Which share.
    pub symbol: Symbol,
    /// Which day.
    pub date: NaiveDate,
    /// Its prices, on the market's grid.
    pub day: DayUnits,
    /// Shares traded; more than zero.
    pub volume: u64,
    /// The close in today's shares, where the file has it.
    pub adjusted_close: Option<Decimal>,
}

/// Places of the columns in a file.
struct Columns {
    required: [usize; 7],
    adjusted_close: Option<usize>,
}

const REQUIRED: [&str; 7] = ["symbol", "date", "open", "high", "low", "close", "volume"];

impl Columns {
    fn of(header: &str) -> Result<Self, FileError> {
        let names: Vec<_> = header.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
        let mut required = [0; REQUIRED.len()];
        for (target, name) in required.iter_mut().zip(REQUIRED) {
            *target = place(name).ok_or(FileError::MissingColumn(name))?;
        }
        Ok(Self { required, adjusted_close: place("adjusted_close") })
    }
}

/// Appends everything good in a file to `rows`, and counts the rows that were refused by their reason.
///
/// # Errors
/// [`FileError`] when no row can be read, or too many are there.
pub(super) fn read(
    text: &str,
    rows: &mut Vec<Row>,
    rejected: &mut BTreeMap<RowError, u64>,
) -> Result<(), FileError> {
    let mut lines = text.lines();
    let columns = Columns::of(lines.next().unwrap_or_default())?;
    // Room is made once: a list that doubles its way up leaves as much behind as it holds.
    rows.reserve_exact(lines.clone().count().min(ROWS_MAX));
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match read_row(line, &columns) {
            Ok(_) if rows.len() >= ROWS_MAX => return Err(FileError::TooManyRows),
            Ok(row) => rows.push(row),
            Err(reason) => *rejected.entry(reason).or_default() += 1,
        }
    }
    Ok(())
}

fn read_row(line: &str, columns: &Columns) -> Result<Row, RowError> {
    if line.len() > ROW_LENGTH_MAX {
        return Err(RowError::Unparsable);
    }
    let cells: Vec<_> = line.split(',').map(str::trim).collect();
    let cell = |place: usize| cells.get(place).copied().ok_or(RowError::Unparsable);
    let [symbol, date, open, high, low, close, volume] = columns.required;
    let symbol: Symbol = cell(symbol)?.parse().map_err(|_| RowError::Unparsable)?;
    let date = NaiveDate::parse_from_str(cell(date)?, "%Y-%m-%d").map_err(|_| RowError::Unparsable)?;
    let volume: u64 = cell(volume)?.parse().map_err(|_| RowError::Unparsable)?;
    let raw = [cell(open)?, cell(high)?, cell(low)?, cell(close)?];
    let [open, high, low, close] = prices(raw).ok_or(RowError::Unparsable)?;
    if volume == 0 || open == 0 || high == 0 || low == 0 || close == 0 {
        return Err(RowError::HaltedDay);
    }
    if low > open.min(close) || open.max(close) > high {
        return Err(RowError::Inconsistent);
    }
    let snap = |units| grid::snap(symbol.market(), units);
    Ok(Row {
        symbol,
        date,
        day: DayUnits { open: snap(open), high: snap(high), low: snap(low), close: snap(close) },
        volume,
        adjusted_close: columns.adjusted_close.and_then(|place| positive(cells.get(place)?)),
    })
}

fn prices(cells: [&str; 4]) -> Option<[i64; 4]> {
    let mut prices = [0; 4];
    for (target, cell) in prices.iter_mut().zip(cells) {
        let value = domain::decimal::parse(cell).ok()?;
        if value.is_sign_negative() && !value.is_zero() || value > Decimal::from(PRICE_MAX) {
            return None;
        }
        *target = grid::units(value)?;
    }
    Some(prices)
}

/// An adjusted close has more digits than a price may have; it is only ever compared with its neighbour.
fn positive(cell: &str) -> Option<Decimal> {
    cell.parse::<Decimal>().ok().filter(|value| *value > Decimal::ZERO && *value <= Decimal::from(PRICE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "symbol,date,open,high,low,close,volume";

    fn read_one(row: &str) -> Result<Row, RowError> {
        let mut rejected = BTreeMap::new();
        let mut rows = Vec::new();
        read(&format!("{HEADER}\n{row}\n"), &mut rows, &mut rejected).unwrap();
        match (rows.first(), rejected.keys().next()) {
            (Some(row), None) => Ok(*row),
            (None, Some(reason)) => Err(*reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_good_row_becomes_a_day_on_the_grid() {
        let row = read_one("GOOG,2004-08-19,100.01,104.06,95.96,100.335,44659000").unwrap();
        assert_eq!(row.day, DayUnits { open: 1_000_100, high: 1_040_600, low: 959_600, close: 1_003_400 });
        assert_eq!((row.volume, row.adjusted_close), (44_659_000, None));
    }

    #[test]
    fn a_halted_day_is_never_a_price() {
        for row in [
            "035420.KS,2002-11-01,0,0,0,24000,0",
            "005930.KS,1995-06-10,0,0,0,102000,31500",
            "AAPL,2010-01-04,1,1,1,1,0",
        ] {
            assert_eq!(read_one(row), Err(RowError::HaltedDay), "{row}");
        }
    }

    #[test]
    fn contradictions_and_garbage_are_refused() {
        for row in [
            "AAPL,2010-01-04,10,9,8,9,100",
            "AAPL,2010-01-04,10,12,11,11,100",
            "AAPL,2010-01-04,10,12,9,13,100",
        ] {
            assert_eq!(read_one(row), Err(RowError::Inconsistent), "{row}");
        }
        for row in [
            "AAPL,2010-01-04,NaN,12,9,10,100",
            "AAPL,2010-01-04,1e3,12,9,10,100",
            "AAPL,2010-01-04,-10,12,9,10,100",
            "AAPL,2010-01-04,10,9999999999999,9,10,100",
            "AAPL,2010-13-04,10,12,9,10,100",
            "aapl,2010-01-04,10,12,9,10,100",
            "AAPL,2010-01-04,10,12,9,10,-1",
            "AAPL,2010-01-04,10,12,9",
            "\u{0}",
        ] {
            assert_eq!(read_one(row), Err(RowError::Unparsable), "{row}");
        }
        assert_eq!(
            read_one(&format!("AAPL,2010-01-04,10,12,9,10,{}", "1".repeat(600))),
            Err(RowError::Unparsable)
        );
    }

    #[test]
    fn columns_are_found_by_name() {
        let text = "date,Close,symbol,volume,low,high,open,adjusted_close,note\n2010-01-04,10,IBM,7,9,12,11,5.123456789012,x\n";
        let mut rows = Vec::new();
        read(text, &mut rows, &mut BTreeMap::new()).unwrap();
        assert_eq!(rows[0].day, DayUnits { open: 110_000, high: 120_000, low: 90_000, close: 100_000 });
        assert_eq!(rows[0].adjusted_close.unwrap().to_string(), "5.123456789012");
        assert_eq!(read("a,b\n", &mut rows, &mut BTreeMap::new()), Err(FileError::MissingColumn("symbol")));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(row in "[A-Z0-9.,e+-]{0,80}|\\PC{0,80}") {
            let _ = read(&format!("{HEADER}\n{row}"), &mut Vec::new(), &mut BTreeMap::new());
        }

        #[test]
        fn what_is_accepted_is_consistent(prices in prop::array::uniform4(0i64..2_000), volume in 0u64..3) {
            let [open, high, low, close] = prices;
            if let Ok(row) = read_one(&format!("005930.KS,2010-01-04,{open},{high},{low},{close},{volume}")) {
                prop_assert!(row.volume > 0 && row.day.low > 0);
                prop_assert!(row.day.low <= row.day.open.min(row.day.close));
                prop_assert!(row.day.open.max(row.day.close) <= row.day.high);
            }
        }
    }
}
