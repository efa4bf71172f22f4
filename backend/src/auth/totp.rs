//! Codes of an authenticator app (RFC 6238), and how their secret is kept.

use crate::error::{ApiError, ApiResult};
use crate::refusal::with_rule;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use domain::UserId;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::str::FromStr;
use thiserror::Error;
use totp_rs::{Builder, Secret, Totp};

/// Digits of a code.
pub(super) const CODE_DIGITS: usize = 6;
const NONCE_BYTES: usize = 24;
const ISSUER: &str = "Gaemi";

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {CODE_DIGITS} digits")]
pub(super) struct TotpCodeError;

/// Six digits that may or may not be the right ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TotpCode(String);

impl FromStr for TotpCode {
    type Err = TotpCodeError;

    fn from_str(text: &str) -> Result<Self, TotpCodeError> {
        if text.len() != CODE_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TotpCodeError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for TotpCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: TotpCodeError| D::Error::custom(with_rule("not_a_code", error)))
    }
}

/// A secret shared with somebody's authenticator app.
pub(super) struct TotpSecret(Secret);

impl TotpSecret {
    /// A random one.
    #[must_use]
    pub(super) fn generate() -> Self {
        Self(Secret::generate())
    }

    /// The form that is typed into an app.
    #[must_use]
    pub(super) fn to_base32(&self) -> String {
        self.0.to_base32()
    }

    fn totp(&self, account_name: &str) -> ApiResult<Totp> {
        let builder = Builder::new().with_secret(self.0.clone()).with_issuer(Some(ISSUER));
        builder.with_account_name(account_name).build().map_err(ApiError::internal)
    }

    /// The address behind the QR code.
    ///
    /// # Errors
    /// A defect of the library.
    pub(super) fn to_uri(&self, account_name: &str) -> ApiResult<String> {
        self.totp(account_name)?.to_url().map_err(ApiError::internal)
    }

    /// The time step a code belongs to, if it is right now, one step ago or one ahead, and later than the last one
    /// accepted: a code works once, and an older one never again.
    ///
    /// # Errors
    /// A defect of the library.
    pub(super) fn step_of(
        &self,
        code: &TotpCode,
        last_step: i64,
        now: DateTime<Utc>,
    ) -> ApiResult<Option<i64>> {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let step = self.totp("")?.check(&code.0, seconds).and_then(|step| i64::try_from(step).ok());
        Ok(step.filter(|step| *step > last_step))
    }
}

/// Encrypts secrets for the database, each bound to its owner: a secret copied to another user's row cannot be read.
pub(super) struct Vault(XChaCha20Poly1305);

impl Vault {
    /// With the key of the environment.
    #[must_use]
    pub(super) fn new(key: &SecretBox<[u8; 32]>) -> Self {
        Self(XChaCha20Poly1305::new(key.expose_secret().into()))
    }

    /// Nonce and ciphertext.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn seal(&self, secret: &TotpSecret, owner: UserId) -> ApiResult<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(ApiError::internal)?;
        let payload = Payload { msg: secret.0.as_ref(), aad: owner.0.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(ApiError::internal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The secret again.
    ///
    /// # Errors
    /// When it was sealed with another key or for another owner.
    pub(super) fn open(&self, stored: &[u8], owner: UserId) -> ApiResult<TotpSecret> {
        let unreadable = || ApiError::internal("a stored authenticator secret cannot be decrypted");
        let (nonce, sealed) = stored.split_first_chunk::<NONCE_BYTES>().ok_or_else(unreadable)?;
        let payload = Payload { msg: sealed, aad: owner.0.as_bytes() };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| unreadable())?;
        Ok(TotpSecret(opened.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The example of RFC 6238, appendix B, cut to six digits.
    fn example() -> TotpSecret {
        TotpSecret(Secret::from(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_examples_of_the_standard_are_accepted() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(
                example().step_of(&code.parse().unwrap(), 0, at(seconds)).unwrap(),
                Some(seconds / 30)
            );
        }
    }

    #[test]
    fn a_code_works_once_and_only_around_its_time() {
        let (secret, code) = (example(), "287082".parse().unwrap());
        assert_eq!(secret.step_of(&code, 1, at(59)).unwrap(), None, "used");
        assert_eq!(secret.step_of(&code, 0, at(89)).unwrap(), Some(1), "one step late");
        assert_eq!(secret.step_of(&code, 0, at(90)).unwrap(), None, "too late");
    }

    #[test]
    fn a_code_is_six_digits() {
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", "12 345", "-12345"] {
            assert!(text.parse::<TotpCode>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_secret_is_bound_to_its_owner_and_its_key() {
        let (owner, stranger) = (UserId::generate(), UserId::generate());
        let vault = Vault::new(&SecretBox::new(Box::new([1; 32])));
        let sealed = vault.seal(&example(), owner).unwrap();
        assert_eq!(vault.open(&sealed, owner).unwrap().to_base32(), example().to_base32());
        assert!(vault.open(&sealed, stranger).is_err());
        assert!(Vault::new(&SecretBox::new(Box::new([2; 32]))).open(&sealed, owner).is_err());
        assert!(vault.open(&sealed[..20], owner).is_err());
        assert_ne!(sealed, vault.seal(&example(), owner).unwrap(), "a nonce is used once");
    }

    #[test]
    fn the_address_for_the_app_names_program_and_user() {
        let uri = example().to_uri("ant@example.com").unwrap();
        assert!(
            uri.starts_with("otpauth://totp/Gaemi:ant%40example%2Ecom?")
                || uri.starts_with("otpauth://totp/Gaemi:ant%40example.com?"),
            "{uri}"
        );
    }
}
