//! Which passwords are accepted: the rules of NIST SP 800-63B-4, section 3.1.1.2. Length and a blocklist; no demands on
//! what a password is made of.

use super::email::Email;
use std::sync::LazyLock;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Shortest password, in characters.
pub(super) const PASSWORD_LENGTH_MIN: usize = 8;
/// Longest password, in characters.
pub(super) const PASSWORD_LENGTH_MAX: usize = 128;

/// The name of this program, which everybody would try.
const PROGRAM_NAME: &str = "gaemi";
/// A shorter local part is contained in too many honest passwords to mean anything.
const LOCAL_PART_LENGTH_MIN: usize = 4;

/// Passwords that many people choose, one a line, lower case, sorted.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum PasswordRefusal {
    /// Fewer than [`PASSWORD_LENGTH_MIN`] characters.
    #[error("must have at least {PASSWORD_LENGTH_MIN} characters")]
    TooShort,
    /// More than [`PASSWORD_LENGTH_MAX`] characters.
    #[error("must have at most {PASSWORD_LENGTH_MAX} characters")]
    TooLong,
    /// Among the first that anybody would try.
    #[error("is among the most common passwords")]
    TooCommon,
    /// Holds the name of the person or of this program.
    #[error("must not contain your email's name or the name of this program")]
    Predictable,
}

impl PasswordRefusal {
    /// Stable word.
    #[must_use]
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooCommon => "too_common",
            Self::Predictable => "predictable",
        }
    }
}

/// One form for the same characters, however a keyboard composes them.
#[must_use]
pub(super) fn normalize(password: &str) -> String {
    password.nfc().collect()
}

/// Judges a normalised password.
///
/// # Errors
/// The first rule it breaks.
pub(super) fn judge(password: &str, email: &Email) -> Result<(), PasswordRefusal> {
    let length = password.chars().count();
    if length < PASSWORD_LENGTH_MIN {
        return Err(PasswordRefusal::TooShort);
    }
    if length > PASSWORD_LENGTH_MAX {
        return Err(PasswordRefusal::TooLong);
    }
    let lower = password.to_lowercase();
    let plain = without_disguise(&lower);
    if is_monotonous(&lower) || is_common(&lower) || is_common(&plain) {
        return Err(PasswordRefusal::TooCommon);
    }
    let local_part = email.local_part().to_ascii_lowercase();
    let names_owner = local_part.len() >= LOCAL_PART_LENGTH_MIN && lower.contains(&local_part);
    if names_owner || lower.contains(PROGRAM_NAME) || plain.contains(PROGRAM_NAME) {
        return Err(PasswordRefusal::Predictable);
    }
    Ok(())
}

fn is_common(password: &str) -> bool {
    COMMON.binary_search(&password).is_ok()
}

/// Undoes the replacements that everybody knows: `p@ssw0rd` is `password`.
fn without_disguise(password: &str) -> String {
    let plain = |character| match character {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    password.chars().map(plain).collect()
}

/// Longest block whose repetition counts as one character's.
const REPEATED_BLOCK_MAX: usize = 3;

/// One short block over and over (`abababab`), or a walk up or down the alphabet (`abcdefgh`, `87654321`).
fn is_monotonous(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    let repeats = (1..=REPEATED_BLOCK_MAX)
        .any(|length| characters.iter().zip(characters.iter().skip(length)).all(|(a, b)| a == b));
    let code = |character: &char| i64::from(u32::from(*character));
    let steps: Vec<i64> =
        characters.iter().zip(characters.iter().skip(1)).map(|(a, b)| code(b) - code(a)).collect();
    repeats || steps.iter().all(|step| *step == 1) || steps.iter().all(|step| *step == -1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(password: &str) -> Result<(), PasswordRefusal> {
        judge(&normalize(password), &"market.ant@example.com".parse().unwrap())
    }

    #[test]
    fn any_characters_make_a_good_password() {
        for password in [
            "violet kettle orbit",
            "개미는 오늘도 부지런히 일한다",
            "qz7#Lw2!vB",
            "🐜🐜🌱🌱🍯🍯🐝🐝🌻",
            &"long ".repeat(25),
        ] {
            assert_eq!(judged(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(judged("개미는일한다"), Err(PasswordRefusal::TooShort));
        assert_eq!(judged(&"é".repeat(129)), Err(PasswordRefusal::TooLong));
        assert_eq!(judged(""), Err(PasswordRefusal::TooShort));
    }

    #[test]
    fn the_first_guesses_are_refused() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd",
            "p@$$w0rd",
            "qwertyuiop",
            "12345678",
            "1q2w3e4r",
            "iloveyou",
            "aaaaaaaa",
            "abcabcabcabc",
            "abcdefghij",
            "987654321",
            "letmein123",
            "dkssudgktpdy",
            "samsung2024",
        ] {
            assert_eq!(judged(password), Err(PasswordRefusal::TooCommon), "{password}");
        }
    }

    #[test]
    fn a_password_does_not_name_its_owner() {
        assert_eq!(judged("my market.ant secret"), Err(PasswordRefusal::Predictable));
        assert_eq!(judged("GAEMI forever and ever"), Err(PasswordRefusal::Predictable));
        assert_eq!(judged("g43mi forever and ever"), Err(PasswordRefusal::Predictable));
    }

    #[test]
    fn one_password_typed_two_ways_is_one_password() {
        assert_eq!(normalize("cafe\u{301} au lait"), normalize("caf\u{e9} au lait"));
    }

    #[test]
    fn the_blocklist_is_sorted_and_reachable() {
        assert!(COMMON.len() > 2000, "{}", COMMON.len());
        assert!(COMMON.is_sorted());
        assert!(
            COMMON
                .iter()
                .all(|word| word.chars().count() >= PASSWORD_LENGTH_MIN && *word == word.to_lowercase())
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_judge_panic(text in "\\PC{0,200}") {
            let _ = judged(&text);
        }
    }
}
