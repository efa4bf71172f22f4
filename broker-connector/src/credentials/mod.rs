//! What accounts show their brokers.
//!
//! Promises: it is stored encrypted, each row bound to its account, and the key is not in the database; it is never
//! logged and never returned. Without a key nothing is taken.

mod key;
mod rotation;
mod store;

pub use key::KeySource;
pub(crate) use key::Vault;
pub use rotation::rotate_key;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest part of a key, in bytes.
const PART_BYTES_MAX: usize = 512;

/// Which of a broker's two worlds an account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Play money at the broker.
    Paper,
    /// Real money.
    Live,
}

impl Environment {
    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
}

/// A key of a broker's.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// Which world it opens.
    pub environment: Environment,
    /// Its public part.
    pub key_id: SecretString,
    /// Its secret part.
    pub secret_key: SecretString,
}

/// Why a key cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("credentials.{field}: must have 1 to {PART_BYTES_MAX} visible ASCII characters and no blank")]
pub struct Malformed {
    /// The part.
    pub field: &'static str,
}

impl Credentials {
    /// Checks that it can stand in a header.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn check(&self) -> Result<(), Malformed> {
        for (field, part) in [("keyId", &self.key_id), ("secretKey", &self.secret_key)] {
            let part = part.expose_secret();
            if part.is_empty()
                || part.len() > PART_BYTES_MAX
                || !part.bytes().all(|byte| byte.is_ascii_graphic())
            {
                return Err(Malformed { field });
            }
        }
        Ok(())
    }

    /// As it is sealed.
    fn to_text(&self) -> SecretString {
        serde_json::json!({
            "environment": self.environment.word(),
            "keyId": self.key_id.expose_secret(),
            "secretKey": self.secret_key.expose_secret(),
        })
        .to_string()
        .into()
    }

    fn from_text(text: &str) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(key_id: &str, secret_key: &str) -> Credentials {
        Credentials { environment: Environment::Paper, key_id: key_id.into(), secret_key: secret_key.into() }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused_by_name() {
        assert!(credentials("PKTEST", "s3cr3t/+=").check().is_ok());
        for (key_id, secret_key, field) in [
            ("", "x", "keyId"),
            ("a b", "x", "keyId"),
            ("a\r\nb", "x", "keyId"),
            ("a", "ö", "secretKey"),
            ("a", "", "secretKey"),
        ] {
            assert_eq!(credentials(key_id, secret_key).check(), Err(Malformed { field }));
        }
        assert!(credentials(&"a".repeat(PART_BYTES_MAX + 1), "x").check().is_err());
    }

    #[test]
    fn no_part_is_printed() {
        let text = format!("{:?}", credentials("PKVISIBLE", "hunter2"));
        assert!(!text.contains("PKVISIBLE") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_is_sealed_is_read_back() {
        let text = credentials("PK\"1", "s\\2").to_text();
        let read = Credentials::from_text(text.expose_secret()).unwrap();
        assert_eq!(read.key_id.expose_secret(), "PK\"1");
        assert_eq!(read.secret_key.expose_secret(), "s\\2");
        assert_eq!(read.environment, Environment::Paper);
    }
}
