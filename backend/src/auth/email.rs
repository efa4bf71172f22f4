//! Email addresses: a plain, strict subset of what the standards allow.

use crate::refusal::with_rule;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Longest address, in bytes (RFC 5321).
pub(super) const EMAIL_LENGTH_MAX: usize = 254;
/// Longest part before the `@`, in bytes (RFC 5321).
const LOCAL_PART_LENGTH_MAX: usize = 64;
/// Longest label of a domain, in bytes (RFC 1035).
const LABEL_LENGTH_MAX: usize = 63;

/// Why a text is no email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an email address such as ant@example.com, at most {EMAIL_LENGTH_MAX} characters")]
pub(super) struct EmailError;

/// An address as its owner wrote it. Two that differ in case alone belong to the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Email(String);

impl Email {
    /// As written.
    #[must_use]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared. Only ASCII can be in an address here, so this equals the database's `lower()`.
    #[must_use]
    pub(super) fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What stands before the `@`.
    #[must_use]
    pub(super) fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// What stands behind it.
    #[must_use]
    pub(super) fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

fn is_local_part(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.len() <= LOCAL_PART_LENGTH_MAX
        && text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(allowed))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_LENGTH_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top_level = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(is_label)
        && top_level.len() >= 2
        && !top_level.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        match text.split_once('@') {
            Some((local, domain))
                if text.len() <= EMAIL_LENGTH_MAX && is_local_part(local) && is_domain(domain) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(EmailError),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: EmailError| D::Error::custom(with_rule("not_an_email", error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_addresses_are_accepted() {
        for text in ["ant@example.com", "A.n+t@mail.example.co.kr", "o'neill@example.org", "x@xn--hg3b.kr"] {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
        assert_eq!("Ant@Example.COM".parse::<Email>().unwrap().key(), "ant@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "a.".repeat(130));
        for text in [
            "",
            "@",
            "ant",
            "ant@",
            "@example.com",
            "a@b",
            "a@@b.com",
            "a b@example.com",
            "a@exam ple.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@-x.com",
            "a@x-.com",
            "a@x..com",
            "a@1.2.3.4",
            "a@x.c",
            "개미@example.com",
            "a@example.com\n",
            "a\0@example.com",
            "a@example.com\u{202e}",
            "\"a\"@example.com",
            &long,
            &longer,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }
}
