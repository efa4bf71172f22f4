//! Reads recorded bars out of Parquet files: flat columns, whose cells are judged like those of a row of text.
//!
//! Numbers may be whole, decimal or binary. Binary ones are read from the shortest digits that stand for them, which are
//! those that were meant; they are rounded where a calculation has left more.

use super::row::{self, ADJUSTED_CLOSE, FileError, REQUIRED, ROWS_MAX, Row, RowError};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row as Fields};
use parquet::schema::types::{Type, TypePtr};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest contents of the columns that are read, unpacked, in bytes: more than [`ROWS_MAX`] rows take.
const UNPACKED_SIZE_MAX: u64 = 512 * 1024 * 1024;
/// Digits behind the point that are kept of a binary number: more than any price has, fewer than a calculation leaves.
const DIGITS_MAX: u32 = 6;
/// Longest error of the library that is shown, in characters.
const ERROR_LENGTH_MAX: usize = 200;

fn unreadable(error: impl ToString) -> FileError {
    FileError::Unreadable(error.to_string().chars().take(ERROR_LENGTH_MAX).collect())
}

/// Appends everything good in a file to `rows`, and counts the rows that were refused by their reason.
///
/// # Errors
/// [`FileError`] when no row can be read, or too many are there.
pub(super) fn read(
    file: Bytes,
    rows: &mut Vec<Row>,
    rejected: &mut BTreeMap<RowError, u64>,
) -> Result<(), FileError> {
    // The library stops the thread at some contradictions inside a damaged file.
    catch_unwind(AssertUnwindSafe(|| read_trusting(file, rows, rejected)))
        .unwrap_or_else(|_| Err(unreadable("it contradicts itself")))
}

fn read_trusting(
    file: Bytes,
    rows: &mut Vec<Row>,
    rejected: &mut BTreeMap<RowError, u64>,
) -> Result<(), FileError> {
    let reader = SerializedFileReader::new(file).map_err(unreadable)?;
    let columns = Columns::of(reader.metadata())?;
    let told = usize::try_from(reader.metadata().file_metadata().num_rows()).map_err(unreadable)?;
    if told.saturating_add(rows.len()) > ROWS_MAX {
        return Err(FileError::TooManyRows);
    }
    rows.reserve_exact(told);
    let fields = reader.get_row_iter(Some(columns.projection.clone())).map_err(unreadable)?;
    for fields in fields {
        match columns.judge(&fields.map_err(unreadable)?) {
            Ok(_) if rows.len() >= ROWS_MAX => return Err(FileError::TooManyRows),
            Ok(row) => rows.push(row),
            Err(reason) => *rejected.entry(reason).or_default() += 1,
        }
    }
    Ok(())
}

/// The columns that are read, in the order of [`REQUIRED`], the adjusted close behind them.
struct Columns {
    projection: Type,
    /// Moments of the date are told in this part of a second, where they are told as plain numbers.
    has_nanoseconds: bool,
}

impl Columns {
    fn of(metadata: &ParquetMetaData) -> Result<Self, FileError> {
        let schema = metadata.file_metadata().schema_descr();
        let flat = |name: &'static str| -> Option<(usize, TypePtr)> {
            let at = |column: &TypePtr| column.name().eq_ignore_ascii_case(name) && column.is_primitive();
            let column = schema.root_schema().get_fields().iter().find(|column| at(column))?;
            let leaf = |place: &usize| {
                let leaf = schema.column(*place);
                leaf.path().parts() == [column.name()] && leaf.max_rep_level() == 0
            };
            Some(((0..schema.num_columns()).find(leaf)?, TypePtr::clone(column)))
        };
        let mut found = Vec::with_capacity(REQUIRED.len() + 1);
        for name in REQUIRED {
            found.push(flat(name).ok_or(FileError::MissingColumn(name))?);
        }
        found.extend(flat(ADJUSTED_CLOSE));
        let unpacked = metadata.row_groups().iter().flat_map(|group| {
            let size =
                |place: usize| group.columns().get(place).map_or(0, |column| column.uncompressed_size());
            found.iter().map(move |(place, _)| u64::try_from(size(*place)).unwrap_or(u64::MAX))
        });
        if unpacked.fold(0, u64::saturating_add) > UNPACKED_SIZE_MAX {
            return Err(unreadable(format_args!("it is larger than {UNPACKED_SIZE_MAX} bytes unpacked")));
        }
        let has_nanoseconds = found.iter().any(|(_, column)| counts_nanoseconds(column));
        let fields = found.into_iter().map(|(_, column)| column).collect();
        let name = schema.root_schema().name();
        let projection = Type::group_type_builder(name).with_fields(fields).build().map_err(unreadable)?;
        Ok(Self { projection, has_nanoseconds })
    }

    fn judge(&self, fields: &Fields) -> Result<Row, RowError> {
        let mut fields = fields.get_column_iter().map(|(_, field)| field);
        let mut cells = [const { Cow::Borrowed("") }; REQUIRED.len()];
        for ((cell, name), field) in cells.iter_mut().zip(REQUIRED).zip(&mut fields) {
            let told = if name == "date" { self.date(field) } else { text(field) };
            *cell = told.ok_or(RowError::Unparsable)?;
        }
        let adjusted_close = fields.next().and_then(text);
        row::judge(cells.each_ref().map(AsRef::as_ref), adjusted_close.as_deref())
    }

    /// A day: as such, as text, or as its midnight in UTC. Another moment may be a day's elsewhere; nobody knows which.
    fn date<'a>(&self, field: &'a Field) -> Option<Cow<'a, str>> {
        let midnight = |at: Option<DateTime<chrono::Utc>>| {
            let at = at.filter(|at| at.time() == NaiveTime::MIN)?;
            Some(Cow::Owned(at.date_naive().to_string()))
        };
        match field {
            Field::Date(days) => {
                let day = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(*days)))?;
                Some(Cow::Owned(day.to_string()))
            }
            Field::TimestampMillis(at) => midnight(DateTime::from_timestamp_millis(*at)),
            Field::TimestampMicros(at) => midnight(DateTime::from_timestamp_micros(*at)),
            Field::Long(at) if self.has_nanoseconds => midnight(Some(DateTime::from_timestamp_nanos(*at))),
            other => text(other),
        }
    }
}

fn counts_nanoseconds(column: &TypePtr) -> bool {
    let told = column.get_basic_info().logical_type_ref();
    matches!(told, Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS)
}

/// A cell as text; nothing for what is none.
fn text(field: &Field) -> Option<Cow<'_, str>> {
    match field {
        Field::Str(text) => Some(Cow::Borrowed(text.trim())),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok().map(|text| Cow::Borrowed(text.trim())),
        Field::Float(value) => Some(Cow::Owned(digits(&value.to_string()))),
        Field::Double(value) => Some(Cow::Owned(digits(&value.to_string()))),
        Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_)
        | Field::ULong(_)
        | Field::Decimal(_) => Some(Cow::Owned(field.to_string())),
        _ => None,
    }
}

/// The shortest digits that stand for a binary number, rounded.
fn digits(number: &str) -> String {
    let rounded = number.parse::<Decimal>().map(|value| value.round_dp(DIGITS_MAX).normalize().to_string());
    rounded.unwrap_or_else(|_| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::super::tape::{Record, Tape};
    use super::*;
    use damage::mutations;
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    const SCHEMA: &str = "message record { required binary symbol (STRING); required int32 date (DATE); \
        required double open; required double high; required double low; required double close; \
        required int64 volume; optional double adjusted_close; }";

    fn write<T: DataType>(
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        values: &[T::T],
        levels: Option<&[i16]>,
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, levels, None).unwrap();
        column.close().unwrap();
    }

    /// Rows of text as a Parquet file, as tools for tables write them.
    fn written(text: &str, schema: &str, compression: Compression) -> Bytes {
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let numbers =
            |place: usize| -> Vec<f64> { rows.iter().map(|row| row[place].parse().unwrap()).collect() };
        let properties = WriterProperties::builder().set_compression(compression).build();
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let symbols: Vec<ByteArray> = rows.iter().map(|row| row[0].as_bytes().to_vec().into()).collect();
        write::<ByteArrayType>(&mut group, &symbols, None);
        let day = |row: &Vec<&str>| row[1].parse::<NaiveDate>().unwrap().to_epoch_days();
        write::<Int32Type>(&mut group, &rows.iter().map(day).collect::<Vec<_>>(), None);
        for place in 2..6 {
            write::<DoubleType>(&mut group, &numbers(place), None);
        }
        let volumes: Vec<i64> = rows.iter().map(|row| row[6].parse().unwrap()).collect();
        write::<Int64Type>(&mut group, &volumes, None);
        let adjusted: Vec<f64> = rows.iter().filter_map(|row| row.get(7)?.parse().ok()).collect();
        let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.get(7).is_some())).collect();
        write::<DoubleType>(&mut group, &adjusted, Some(&levels));
        group.close().unwrap();
        writer.into_inner().unwrap().into()
    }

    fn days(tape: &Tape) -> Vec<String> {
        let end = NaiveDate::MAX;
        let days = |symbol| {
            let sessions = tape.sessions_before(symbol, end).iter();
            sessions.map(move |session| format!("{symbol} {session:?}"))
        };
        tape.symbols().into_iter().flat_map(days).collect()
    }

    const FEW: &str = "symbol,date,open,high,low,close,volume,adjusted_close\n\
        AAPL,2005-02-25,89.62,89.91,88.19,88.99,1000,5.7182\n\
        AAPL,2005-02-28,44.68,45.14,43.96,44.86,1000,5.7652\n\
        005930.KS,2010-01-04,803000,809000,800000,809000,239000\n\
        005930.KS,2010-01-05,0,0,0,809000,0\n";

    #[test]
    fn the_same_days_are_read_from_columns_as_from_text() {
        for text in [SHIPPED, FEW] {
            let from_text = Tape::read([text]).unwrap();
            for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
                let file = written(text, SCHEMA, compression);
                let from_columns = Tape::read([Record::Parquet(file)]).unwrap();
                assert_eq!(from_columns.rejected, from_text.rejected);
                assert_eq!(from_columns.accepted, from_text.accepted);
                assert_eq!(days(&from_columns), days(&from_text));
            }
        }
    }

    fn refused(file: impl Into<Bytes>) -> String {
        let error = Tape::read([Record::Parquet(file.into())]).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_file_that_cannot_be_played_says_why() {
        assert!(refused(&b"symbol,date\n"[..]).starts_with("it cannot be read"));
        assert!(refused(&b""[..]).starts_with("it cannot be read"));
        let nameless = written(FEW, &SCHEMA.replace("binary symbol", "binary ticker"), Compression::SNAPPY);
        assert!(refused(nameless.clone()).contains("\"symbol\""), "{}", refused(nameless));
        let cut = written(FEW, SCHEMA, Compression::SNAPPY);
        assert!(refused(cut.slice(..cut.len() - 1)).starts_with("it cannot be read"));
    }

    #[test]
    fn a_cell_that_is_no_day_or_number_spoils_its_row_only() {
        let columns =
            Columns { projection: Type::group_type_builder("x").build().unwrap(), has_nanoseconds: true };
        let date = |field| columns.date(&field).map(Cow::into_owned);
        assert_eq!(date(Field::Date(14_613)).as_deref(), Some("2010-01-04"));
        assert_eq!(date(Field::Str("2010-01-04 ".to_owned())).as_deref(), Some("2010-01-04"));
        assert_eq!(date(Field::TimestampMillis(1_262_563_200_000)).as_deref(), Some("2010-01-04"));
        assert_eq!(date(Field::TimestampMicros(1_262_563_200_000_000)).as_deref(), Some("2010-01-04"));
        assert_eq!(date(Field::Long(1_262_563_200_000_000_000)).as_deref(), Some("2010-01-04"));
        assert_eq!(
            date(Field::TimestampMillis(1_262_530_800_000)),
            None,
            "midnight in Seoul is another day's noon"
        );
        assert_eq!(date(Field::Date(i32::MAX)), None);
        let number = |value: f64| text(&Field::Double(value)).unwrap().into_owned();
        assert_eq!(number(27.35), "27.35");
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(text(&Field::Float(27.35)).as_deref(), Some("27.35"));
        assert_eq!(number(44_659_000.0), "44659000");
        assert_eq!(number(f64::NAN), "NaN", "refused where it is read");
        assert_eq!(text(&Field::Null), None);
        assert_eq!(text(&Field::Bool(true)), None);
    }

    /// Written by pyarrow: dictionaries, moments in nanoseconds, decimals, missing values, several groups of rows.
    #[test]
    fn what_other_programs_write_is_read() {
        for file in [
            &include_bytes!("../../../test_data/parquet/table.parquet")[..],
            &include_bytes!("../../../test_data/parquet/decimals.parquet")[..],
        ] {
            let tape = Tape::read([Record::Parquet(Bytes::from_static(file))]).unwrap();
            assert_eq!(days(&tape), days(&Tape::read([FEW]).unwrap()));
            assert_eq!(tape.rejected, BTreeMap::from([(RowError::HaltedDay, 1), (RowError::Unparsable, 1)]));
        }
    }

    #[test]
    fn no_damaged_file_ends_the_program_or_makes_up_a_day() {
        let good = days(&Tape::read([FEW]).unwrap());
        let mut read = 0;
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            let file = written(FEW, SCHEMA, compression);
            for damaged in mutations(&file, 4_000) {
                let Ok(tape) = Tape::read([Record::Parquet(damaged.into())]) else { continue };
                read += usize::from(days(&tape) == good);
                for symbol in tape.symbols() {
                    for session in tape.sessions_before(symbol, NaiveDate::MAX) {
                        let day = session.day;
                        assert!(session.volume > 0 && day.low > 0);
                        assert!(day.low <= day.open.min(day.close) && day.open.max(day.close) <= day.high);
                    }
                }
            }
        }
        assert!(read > 0, "some damage does not matter");
    }
}
