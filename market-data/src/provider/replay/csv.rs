//! Reads recorded bars out of CSV files, believing no row.

use super::row::{self, ADJUSTED_CLOSE, FileError, REQUIRED, ROWS_MAX, Row, RowError};
use std::collections::BTreeMap;

/// Longest row that is looked at, in bytes.
const ROW_LENGTH_MAX: usize = 512;

/// Places of the columns in a file.
struct Columns {
    required: [usize; REQUIRED.len()],
    adjusted_close: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Result<Self, FileError> {
        let names: Vec<_> = header.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
        let mut required = [0; REQUIRED.len()];
        for (target, name) in required.iter_mut().zip(REQUIRED) {
            *target = place(name).ok_or(FileError::MissingColumn(name))?;
        }
        Ok(Self { required, adjusted_close: place(ADJUSTED_CLOSE) })
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
    let mut required = [""; REQUIRED.len()];
    for (target, place) in required.iter_mut().zip(columns.required) {
        *target = cells.get(place).copied().ok_or(RowError::Unparsable)?;
    }
    row::judge(required, columns.adjusted_close.and_then(|place| cells.get(place).copied()))
}

#[cfg(test)]
mod tests {
    use super::super::path::DayUnits;
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
