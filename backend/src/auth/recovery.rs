//! Codes for whoever has lost the authenticator app: each logs in once.

use super::tokens::TokenHash;
use crate::error::{ApiError, ApiResult};
use crate::refusal::with_rule;
use domain::UserId;
use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest, Sha256};
use std::str::FromStr;
use thiserror::Error;

/// Codes that somebody gets at once.
pub(super) const CODES: usize = 10;
/// Letters and digits of a code: five bits each, eighty in all, which nobody guesses, nor finds behind a plain hash.
const CODE_SYMBOLS: usize = 16;
/// Symbols between two hyphens.
const GROUP_SYMBOLS: usize = 4;
/// Longest text that can be a code, hyphens and spaces included.
const TEXT_LENGTH_MAX: usize = 64;
/// Those of Crockford's base 32 (<https://www.crockford.com/base32.html>, read 2026-11-21): none looks like another.
const SYMBOLS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M',
    'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// Why a text is no recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {CODE_SYMBOLS} letters and digits")]
pub(super) struct RecoveryCodeError;

/// A code that may or may not be a right one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RecoveryCode(String);

impl RecoveryCode {
    /// A random one.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn generate() -> ApiResult<Self> {
        let mut bytes = [0u8; CODE_SYMBOLS];
        getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
        // A byte has eight times as many values as there are symbols, so each is as likely as the others.
        let symbol = |byte: &u8| SYMBOLS.get(usize::from(byte % 32)).copied();
        Ok(Self(bytes.iter().filter_map(symbol).collect()))
    }

    /// In groups, as it is written down.
    #[must_use]
    pub(super) fn in_groups(&self) -> String {
        let mut text = String::with_capacity(TEXT_LENGTH_MAX);
        for (place, symbol) in self.0.chars().enumerate() {
            if place > 0 && place.is_multiple_of(GROUP_SYMBOLS) {
                text.push('-');
            }
            text.push(symbol);
        }
        text
    }

    /// What is stored of it. A code of one user is worth nothing to another.
    #[must_use]
    pub(super) fn hash(&self, owner: UserId) -> TokenHash {
        Sha256::new().chain_update(owner.0.as_bytes()).chain_update(&self.0).finalize().into()
    }
}

impl FromStr for RecoveryCode {
    type Err = RecoveryCodeError;

    /// As people type it: in any case, with or without hyphens and spaces, an O for a zero, an I or L for a one.
    fn from_str(text: &str) -> Result<Self, RecoveryCodeError> {
        if text.len() > TEXT_LENGTH_MAX {
            return Err(RecoveryCodeError);
        }
        let written = text.chars().filter(|symbol| !matches!(symbol, '-' | ' '));
        let meant = |symbol: char| match symbol.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let symbols: String = written.map(meant).collect();
        let is_code = symbols.chars().count() == CODE_SYMBOLS
            && symbols.chars().all(|symbol| SYMBOLS.contains(&symbol));
        if is_code { Ok(Self(symbols)) } else { Err(RecoveryCodeError) }
    }
}

impl<'de> Deserialize<'de> for RecoveryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.parse();
        parsed.map_err(|error: RecoveryCodeError| D::Error::custom(with_rule("not_a_recovery_code", error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code: RecoveryCode = "0123-4567-89AB-CDEF".parse().unwrap();
        for text in ["0123456789abcdef", " o1 2 3-4567 89ab cdef", "OI23-4567-89AB-CDEF", "0l23456789ABCDEF"]
        {
            assert!(text.parse() == Ok(code.clone()), "{text}");
        }
        assert_eq!(code.in_groups(), "0123-4567-89AB-CDEF");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in
            ["", "0123-4567-89AB-CDE", "0123-4567-89AB-CDEF0", "0123-4567-89AB-CDEU", "０123456789ABCDEF"]
        {
            assert!(text.parse::<RecoveryCode>().is_err(), "{text}");
        }
        assert!("-".repeat(100).parse::<RecoveryCode>().is_err());
    }

    #[test]
    fn codes_are_never_the_same_and_bound_to_their_owner() {
        let (one, other) = (RecoveryCode::generate().unwrap(), RecoveryCode::generate().unwrap());
        assert!(one != other);
        assert!(one.in_groups().parse() == Ok(one.clone()));
        let (ant, bee) = (UserId::generate(), UserId::generate());
        assert_ne!(one.hash(ant), one.hash(bee));
        assert_ne!(one.hash(ant), other.hash(ant));
    }
}
