//! Postgres' binary forms of what a bar is made of: numerics, moments and days, and the rows of a COPY. Pure.
//!
//! Numerics are groups of four decimal digits, so a decimal becomes one, and back, without a float in between.

use crate::bars::interval::TimedBar;
use bytes::{BufMut as _, BytesMut};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::Price;
use rust_decimal::Decimal;
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970 to 2000, where Postgres begins to count.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from the year 1 to 2000-01-01, as chrono counts them.
const EPOCH_DAYS: i32 = 730_120;
/// Digits in a group of a numeric.
const GROUP_DIGITS: u32 = 4;
/// One more than the largest group.
const GROUP: u128 = 10_000;
/// Groups that the largest decimal has.
const GROUPS_MAX: usize = 9;
/// Bytes of the length before a value.
const LENGTH_SIZE: usize = 4;
/// Marks a numeric as not negative, and as negative.
const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

type BoxedError = Box<dyn Error + Sync + Send>;

/// Begins the stream of a COPY: signature, flags, no extension.
pub(super) fn copy_header(out: &mut BytesMut) {
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i32(0);
    out.put_i32(0);
}

/// Ends the stream of a COPY.
pub(super) fn copy_trailer(out: &mut BytesMut) {
    out.put_i16(-1);
}

/// Columns of a bar's row.
const COLUMNS: i16 = 7;

/// Writes a bar as a row.
pub(super) fn copy_row(out: &mut BytesMut, series: i32, bar: &TimedBar) {
    out.put_i16(COLUMNS);
    out.put_i32(4);
    out.put_i32(series);
    out.put_i32(8);
    out.put_i64(bar.starts_at.timestamp_micros().saturating_sub(EPOCH_MICROS));
    for price in [bar.open, bar.high, bar.low, bar.close] {
        put_numeric_in_row(out, price.value());
    }
    out.put_i32(8);
    out.put_i64(i64::try_from(bar.volume).unwrap_or(i64::MAX));
}

/// Writes a numeric behind its length, as the rows of a COPY want it.
fn put_numeric_in_row(out: &mut BytesMut, value: Decimal) {
    let place = out.len();
    out.put_i32(0);
    put_numeric(out, value);
    let length = i32::try_from(out.len() - place - LENGTH_SIZE).unwrap_or(0);
    if let Some(head) = out.get_mut(place..place + LENGTH_SIZE) {
        head.copy_from_slice(&length.to_be_bytes());
    }
}

/// Writes a numeric.
fn put_numeric(out: &mut BytesMut, value: Decimal) {
    let value = value.normalize();
    let scale = value.scale();
    let padding = (GROUP_DIGITS - scale % GROUP_DIGITS) % GROUP_DIGITS;
    // At most 2^96 times a thousand: far inside 128 bits.
    let mut rest = value.mantissa().unsigned_abs().saturating_mul(10u128.saturating_pow(padding));
    let fraction_groups = (scale + padding) / GROUP_DIGITS;
    let mut groups = [0u16; GROUPS_MAX];
    let mut count = 0usize;
    for group in &mut groups {
        if rest == 0 {
            break;
        }
        *group = u16::try_from(rest % GROUP).unwrap_or(0);
        rest /= GROUP;
        count += 1;
    }
    let used = i16::try_from(count).unwrap_or(0);
    let weight = used - i16::try_from(fraction_groups).unwrap_or(0) - 1;
    out.put_i16(used);
    out.put_i16(if used == 0 { 0 } else { weight });
    out.put_u16(if value.is_sign_negative() && used > 0 { NEGATIVE } else { POSITIVE });
    out.put_u16(u16::try_from(scale).unwrap_or(0));
    for group in groups.iter().take(count).rev() {
        out.put_u16(*group);
    }
}

/// Reads a numeric.
fn numeric(raw: &[u8]) -> Option<Decimal> {
    let mut words = raw.chunks_exact(2).map(|pair| <[u8; 2]>::try_from(pair).map_or(0, u16::from_be_bytes));
    let (count, weight, sign, scale) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let weight = i32::from(i16::from_be_bytes(weight.to_be_bytes()));
    if sign != POSITIVE && sign != NEGATIVE {
        // Not a number, or infinite.
        return None;
    }
    let mut mantissa: i128 = 0;
    for _ in 0..count {
        mantissa = mantissa.checked_mul(10_000)?.checked_add(i128::from(words.next()?))?;
    }
    // Digits that the groups have behind the point; the scale says how many of them are meant.
    let behind = (i32::from(count) - weight - 1).checked_mul(4)?;
    let surplus = behind.checked_sub(i32::from(scale))?;
    let factor = 10i128.checked_pow(surplus.unsigned_abs())?;
    mantissa = if surplus > 0 { mantissa.checked_div(factor)? } else { mantissa.checked_mul(factor)? };
    let mantissa = if sign == NEGATIVE { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(mantissa, u32::from(scale)).ok().map(|value| value.normalize())
}

/// A price in a row or a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlPrice(pub(super) Price);

impl ToSql for SqlPrice {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        put_numeric(out, self.0.value());
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for SqlPrice {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
        let value = numeric(raw).ok_or("a stored price is not readable")?;
        Ok(Self(Price::new(value)?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }
}

/// A moment in a row or a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlMoment(pub(super) DateTime<Utc>);

impl<'a> FromSql<'a> for SqlMoment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
        let micros = i64::from_be_bytes(raw.try_into()?).saturating_add(EPOCH_MICROS);
        Ok(Self(DateTime::from_timestamp_micros(micros).ok_or("a stored moment is not readable")?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

impl ToSql for SqlMoment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        out.put_i64(self.0.timestamp_micros().saturating_sub(EPOCH_MICROS));
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

/// A day in a row or a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlDay(pub(super) NaiveDate);

impl<'a> FromSql<'a> for SqlDay {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
        let days = i32::from_be_bytes(raw.try_into()?).saturating_add(EPOCH_DAYS);
        Ok(Self(NaiveDate::from_num_days_from_ce_opt(days).ok_or("a stored day is not readable")?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::DATE
    }
}

impl ToSql for SqlDay {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        out.put_i32(self.0.num_days_from_ce().saturating_sub(EPOCH_DAYS));
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::DATE
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(value: Decimal) -> Decimal {
        let mut out = BytesMut::new();
        put_numeric_in_row(&mut out, value);
        let length = i32::from_be_bytes(out[..4].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), out.len() - 4);
        numeric(&out[4..]).unwrap()
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let mut out = BytesMut::new();
        put_numeric_in_row(&mut out, "12345.67".parse().unwrap());
        // Three groups (1, 2345, 6700), the first of which counts ten thousands; two digits behind the point.
        assert_eq!(out[4..], [0, 3, 0, 1, 0, 0, 0, 2, 0, 1, 9, 41, 26, 44]);
        let day: NaiveDate = "2000-01-02".parse().unwrap();
        let mut out = BytesMut::new();
        SqlDay(day).to_sql(&Type::DATE, &mut out).unwrap();
        assert_eq!(out[..], [0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn every_decimal_comes_back(mantissa in -(1i128 << 95)..(1i128 << 95), scale in 0u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            prop_assert_eq!(round(value), value.normalize());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(raw in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = numeric(&raw);
            let _ = SqlMoment::from_sql(&Type::TIMESTAMPTZ, &raw);
            let _ = SqlDay::from_sql(&Type::DATE, &raw);
        }
    }
}
