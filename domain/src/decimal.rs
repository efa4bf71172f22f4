//! Strict decimal text: the only way a number that matters enters the system.
//!
//! Rust's and the decimal crate's own parsers accept exponents, signs and lengths that a trader never types; a
//! number here is plain digits, a point and at most [`SCALE_MAX`] digits behind it.

use rust_decimal::Decimal;
use std::str::FromStr;
use thiserror::Error;

/// Most digits before the point: below a quadrillion, so that sums of products stay inside 28 digits.
pub const INTEGER_DIGITS_MAX: usize = 15;
/// Most digits behind the point.
pub const SCALE_MAX: usize = 9;

/// Why a text is not an acceptable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Not of the form `123` or `123.45`.
    #[error("must be a plain decimal number such as \"1234.56\"")]
    NotANumber,
    /// More than [`INTEGER_DIGITS_MAX`] digits before the point.
    #[error("must have at most {INTEGER_DIGITS_MAX} digits before the decimal point")]
    TooLarge,
    /// More digits behind the point than the field allows.
    #[error("must have at most {0} digits behind the decimal point")]
    TooPrecise(u32),
    /// Zero where something positive is needed.
    #[error("must be greater than zero")]
    NotPositive,
    /// Below zero where zero or more is needed.
    #[error("must not be negative")]
    Negative,
}

/// Reads a plain decimal, with an optional leading minus sign.
///
/// # Errors
/// [`DecimalError`] for exponents, blanks, plus signs, thousands separators, non-ASCII digits and excess digits.
pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = match unsigned.split_once('.') {
        Some((integer, fraction)) if !fraction.is_empty() => (integer, fraction),
        Some(_) => return Err(DecimalError::NotANumber),
        None => (unsigned, ""),
    };
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if integer.is_empty() || !digits_only(integer) || !digits_only(fraction) {
        return Err(DecimalError::NotANumber);
    }
    if integer.trim_start_matches('0').len() > INTEGER_DIGITS_MAX || integer.len() > 2 * INTEGER_DIGITS_MAX {
        return Err(DecimalError::TooLarge);
    }
    if fraction.trim_end_matches('0').len() > SCALE_MAX || fraction.len() > 2 * SCALE_MAX {
        return Err(DecimalError::TooPrecise(u32::try_from(SCALE_MAX).unwrap_or(u32::MAX)));
    }
    Decimal::from_str(&format!(
        "{}{}.{}",
        if text.starts_with('-') { "-" } else { "" },
        match integer.trim_start_matches('0') {
            "" => "0",
            significant => significant,
        },
        match fraction.trim_end_matches('0') {
            "" => "0",
            significant => significant,
        },
    ))
    .map(|value| value.normalize())
    .map_err(|_| DecimalError::NotANumber)
}

/// A decimal of an answer: written as text without trailing zeros, whatever scale the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "1234.56"))]
#[serde(transparent)]
pub struct DecimalText(#[serde(with = "text")] pub Decimal);

impl From<Decimal> for DecimalText {
    fn from(value: Decimal) -> Self {
        Self(value)
    }
}

/// Serde for a decimal that travels as a string, in both directions; a JSON number is refused because its digits
/// would already have passed through a binary float.
pub mod text {
    use super::{Decimal, parse};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes the plain text of the value.
    ///
    /// # Errors
    /// Only the serializer's own.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value.normalize())
    }

    /// Reads [`parse`]'s form.
    ///
    /// # Errors
    /// The text of [`super::DecimalError`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_numbers_are_read_exactly() {
        for (text, expected) in [
            ("0", "0"),
            ("150.25", "150.25"),
            ("-3.10", "-3.1"),
            ("007", "7"),
            ("0.000000001", "0.000000001"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e5", "1E5", "NaN", "inf", "Infinity", "1,000", " 1", "1 ",
            "0x10", "١", "1_000", "--1", "1.2.3", "1\0",
        ] {
            assert_eq!(parse(text), Err(DecimalError::NotANumber), "{text:?}");
        }
        assert_eq!(parse("1000000000000000"), Err(DecimalError::TooLarge));
        assert_eq!(parse(&"9".repeat(5000)), Err(DecimalError::TooLarge));
        assert_eq!(parse("0.0000000001"), Err(DecimalError::TooPrecise(9)));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_read_is_written_back(integer in 0u64..=999_999_999_999_999, fraction in 0u32..=999_999_999) {
            let text = format!("{integer}.{fraction:09}");
            let value = parse(&text).unwrap();
            prop_assert_eq!(parse(&value.to_string()).unwrap(), value);
            prop_assert_eq!(format!("{value:.9}"), text);
        }
    }
}
