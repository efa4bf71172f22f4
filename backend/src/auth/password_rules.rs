//! Which passwords are accepted: the rules of NIST SP 800-63B (revision 3, June 2017, section 5.1.1.2). Length, a blocklist, and
//! nothing that this service and its owner's data make obvious; no demands on what a password is made of. Revision 4 (July 2025,
//! section 3.1.1.2) asks for 15 characters where there is no second factor; here there may be one.

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
/// A shorter word is contained in too many honest passwords to mean anything there.
const WORD_LENGTH_MIN: usize = 4;
/// Fewer letters beside the words that everybody could guess add nothing to them.
const OWN_LETTERS_MIN: usize = 4;
/// What may stand between the parts of a date.
const DATE_SEPARATORS: [char; 5] = ['-', '.', '/', ' ', '_'];

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
    /// Made of what everybody knows of the person or of this program.
    #[error("must not be built from your email, your name, the name of this program or a date")]
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

/// What is known of a password's owner without asking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    /// Their address.
    pub(super) email: &'a Email,
    /// The name they go by, if they gave one.
    pub(super) display_name: Option<&'a str>,
}

impl Owner<'_> {
    /// Words that a password must not contain: the address and its parts, the names.
    fn words(&self) -> Vec<String> {
        let mut words =
            vec![self.email.key(), self.email.local_part().to_owned(), self.email.domain().to_owned()];
        if let Some(name) = self.display_name {
            words.extend(name.split_whitespace().map(str::to_owned));
            words.push(name.split_whitespace().collect());
            words.push(name.to_owned());
        }
        words.push(PROGRAM_NAME.to_owned());
        words.into_iter().map(|word| word.to_lowercase()).collect()
    }

    /// Parts of the address that are nothing beside other letters, but everything without them.
    fn parts(&self) -> Vec<String> {
        let inside = |text: &str| {
            text.split(|character: char| !character.is_alphanumeric())
                .map(str::to_lowercase)
                .collect::<Vec<_>>()
        };
        [inside(self.email.local_part()), inside(self.email.domain())].concat()
    }
}

/// Judges a normalised password.
///
/// # Errors
/// The first rule it breaks.
pub(super) fn judge(password: &str, owner: Owner<'_>) -> Result<(), PasswordRefusal> {
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
    if is_date(&lower) || names_owner(&lower, owner) || names_owner(&plain, owner) {
        return Err(PasswordRefusal::Predictable);
    }
    Ok(())
}

/// Whether a password contains a word of its owner's, or is such words and hardly anything else.
fn names_owner(password: &str, owner: Owner<'_>) -> bool {
    let words = owner.words();
    // A word of another script says in two characters what takes a dozen letters.
    let telling = |word: &&String| {
        word.chars().count() >= WORD_LENGTH_MIN || (!word.is_ascii() && word.chars().count() >= 2)
    };
    if words.iter().filter(telling).any(|word| password.contains(word.as_str())) {
        return true;
    }
    let mut rest = password.to_owned();
    let mut known = [words, owner.parts()].concat();
    // The longest first: a word may be a part of another.
    known.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in known.iter().filter(|word| !word.is_empty()) {
        rest = rest.replace(word.as_str(), " ");
    }
    let own_letters = rest.chars().filter(|character| character.is_alphabetic()).count();
    rest != password && own_letters < OWN_LETTERS_MIN
}

/// Whether a password is a day written in one of the usual orders, such as `20261121` or `21.11.2026`.
fn is_date(password: &str) -> bool {
    let digits: String = password.chars().filter(|character| !DATE_SEPARATORS.contains(character)).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let number = |from: usize, length: usize| {
        digits.get(from..from.saturating_add(length)).and_then(|text| text.parse::<u32>().ok())
    };
    let is_day = |day: Option<u32>, month: Option<u32>| {
        day.is_some_and(|day| (1..=31).contains(&day)) && month.is_some_and(|month| (1..=12).contains(&month))
    };
    let is_year = |year: Option<u32>| year.is_some_and(|year| (1900..2100).contains(&year));
    match digits.len() {
        8 => {
            (is_year(number(0, 4)) && is_day(number(6, 2), number(4, 2)))
                || (is_year(number(4, 4))
                    && (is_day(number(0, 2), number(2, 2)) || is_day(number(2, 2), number(0, 2))))
        }
        6 => {
            is_day(number(4, 2), number(2, 2))
                || is_day(number(0, 2), number(2, 2))
                || is_day(number(2, 2), number(0, 2))
        }
        _ => false,
    }
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
        let email = "market.ant@example.com".parse().unwrap();
        judge(&normalize(password), Owner { email: &email, display_name: None })
    }

    fn judged_for(email: &str, name: Option<&str>, password: &str) -> Result<(), PasswordRefusal> {
        judge(&normalize(password), Owner { email: &email.parse().unwrap(), display_name: name })
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
    fn what_everybody_knows_of_its_owner_makes_no_password() {
        for (email, name, password) in [
            ("me@example.com", None, "me@example.com"),
            ("me@example.com", None, "ME@Example.com1"),
            ("me@example.com", None, "example.com"),
            ("me@example.com", None, "my example.com password"),
            ("me@example.com", None, "example2026!"),
            ("me@example.com", None, "Example.me"),
            ("me@example.com", None, "me123456789"),
            ("ant@example.com", None, "ant-ant-2026"),
            ("ant@example.com", None, "4nt3x4mpl3"),
            ("kim@naver.com", None, "kim.naver.77"),
            ("a@b-c.example.com", None, "a.b.c.example"),
            ("me@example.com", Some("Amelia Ferreira"), "amelia1234"),
            ("me@example.com", Some("Amelia Ferreira"), "AmeliaFerreira"),
            ("me@example.com", Some("Amelia Ferreira"), "the Ferreira secret"),
            ("me@example.com", Some("김개미"), "김개미 일이삼사오"),
            ("me@example.com", Some("Jo"), "jojojo!2026"),
        ] {
            assert_eq!(judged_for(email, name, password), Err(PasswordRefusal::Predictable), "{password}");
        }
    }

    #[test]
    fn honest_passwords_hold_short_words_by_chance() {
        for (email, name, password) in [
            ("me@example.com", Some("Jo"), "some major summer"),
            ("ant@example.com", None, "important elephants wander"),
            ("a@mail.example.org", Some("Lee"), "sleepy mailbox kettle"),
            ("42@example.com", None, "4242 violet kettles"),
        ] {
            assert_eq!(judged_for(email, name, password), Ok(()), "{password}");
        }
    }

    #[test]
    fn a_day_is_no_password_in_any_order() {
        for password in [
            "20261121",
            "21112026",
            "11212026",
            "2026-11-21",
            "21.11.2026",
            "11/21/2026",
            "26-11-21",
            "1984 02 29",
        ] {
            assert_eq!(judged(password), Err(PasswordRefusal::Predictable), "{password}");
        }
        for password in ["73910482", "20261321", "2026112199", "1121-2026-77"] {
            assert_eq!(judged(password), Ok(()), "{password}");
        }
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
