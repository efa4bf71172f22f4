//! One recorded day of one share, as a file tells it: cells of text, judged before any is believed.

use super::path::DayUnits;
use crate::grid;
use chrono::NaiveDate;
use domain::Symbol;
use rust_decimal::Decimal;
use thiserror::Error;

/// Most rows that are read from one folder.
pub(super) const ROWS_MAX: usize = 2_000_000;
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
    #[error("it has no column {0:?}")]
    MissingColumn(&'static str),
    /// More rows than [`ROWS_MAX`].
    #[error("more than {ROWS_MAX} rows")]
    TooManyRows,
    /// It is no Parquet file, or a damaged one, or compressed in another way.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
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

/// The columns that must be there, by their names.
pub(super) const REQUIRED: [&str; 7] = ["symbol", "date", "open", "high", "low", "close", "volume"];
/// The column that tells splits, where it is there.
pub(super) const ADJUSTED_CLOSE: &str = "adjusted_close";

/// Reads the cells of a row, in the order of [`REQUIRED`], and the adjusted close where there is one.
///
/// # Errors
/// Why the row is not played.
pub(super) fn judge(cells: [&str; REQUIRED.len()], adjusted_close: Option<&str>) -> Result<Row, RowError> {
    let [symbol, date, open, high, low, close, volume] = cells;
    let symbol: Symbol = symbol.parse().map_err(|_| RowError::Unparsable)?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| RowError::Unparsable)?;
    let volume: u64 = volume.parse().map_err(|_| RowError::Unparsable)?;
    let [open, high, low, close] = prices([open, high, low, close]).ok_or(RowError::Unparsable)?;
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
        adjusted_close: adjusted_close.and_then(positive),
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
