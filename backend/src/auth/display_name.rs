//! Names that people choose for themselves.

use crate::refusal::with_rule;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::str::FromStr;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longest name, in characters.
pub(super) const DISPLAY_NAME_LENGTH_MAX: usize = 64;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum DisplayNameError {
    /// Nothing, or only blanks.
    #[error("must not be empty")]
    Blank,
    /// Longer than [`DISPLAY_NAME_LENGTH_MAX`].
    #[error("must have at most {DISPLAY_NAME_LENGTH_MAX} characters")]
    TooLong,
    /// Characters that nobody sees, or that turn the text around them.
    #[error("must not contain control characters or invisible ones")]
    Invisible,
}

impl DisplayNameError {
    /// Stable word.
    const fn rule(self) -> &'static str {
        match self {
            Self::Blank => "too_short",
            Self::TooLong => "too_long",
            Self::Invisible => "forbidden_character",
        }
    }
}

/// A name that is safe to show beside others: visible, on one line, in one writing direction of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DisplayName(String);

impl DisplayName {
    /// The name.
    #[must_use]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control, bidirectional, zero-width, line-separating, private and tag characters.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
}

impl FromStr for DisplayName {
    type Err = DisplayNameError;

    fn from_str(text: &str) -> Result<Self, DisplayNameError> {
        // Normalising can lengthen a text, so a far too long one is refused before.
        if text.chars().take(4 * DISPLAY_NAME_LENGTH_MAX + 1).count() > 4 * DISPLAY_NAME_LENGTH_MAX {
            return Err(DisplayNameError::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(DisplayNameError::Invisible);
        }
        let name: String = text.trim().nfc().collect();
        if name.is_empty() {
            return Err(DisplayNameError::Blank);
        }
        if name.chars().count() > DISPLAY_NAME_LENGTH_MAX {
            return Err(DisplayNameError::TooLong);
        }
        Ok(Self(name))
    }
}

impl<'de> Deserialize<'de> for DisplayName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: DisplayNameError| D::Error::custom(with_rule(error.rule(), error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_accepted() {
        for (text, expected) in
            [("개미", "개미"), (" Ant Kim ", "Ant Kim"), ("Ame\u{301}lie", "Amélie"), ("🐜", "🐜")]
        {
            assert_eq!(text.parse::<DisplayName>().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn blank_long_and_deceiving_names_are_refused() {
        for text in [
            "",
            "   ",
            "a\nb",
            "a\0",
            "a\u{202e}b",
            "\u{200b}",
            "\u{3164}",
            "a\u{2028}b",
            &"x".repeat(65),
            &"x".repeat(9999),
        ] {
            assert!(text.parse::<DisplayName>().is_err(), "{text:?}");
        }
    }
}
