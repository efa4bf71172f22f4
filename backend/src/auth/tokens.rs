//! The two tokens of a login: a short signed one that proves it on every request, and a long random one that renews it.

use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::extract::CurrentUser;
use chrono::{DateTime, TimeDelta, Utc};
use domain::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use uuid::Uuid;

/// How long an access token is valid.
pub(super) const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// How long a refresh token is valid.
pub(super) const REFRESH_TOKEN_DAYS: i64 = 7;
/// Random bytes of a refresh token.
const REFRESH_TOKEN_BYTES: usize = 32;
/// Longest text that can be an access token; ours are half as long.
const ACCESS_TOKEN_LENGTH_MAX: usize = 1024;

const ISSUER: &str = "gaemi";
const AUDIENCE: &str = "gaemi-api";

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
}

/// Signs and reads access tokens.
pub(super) struct AccessTokens {
    signing: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
}

impl AccessTokens {
    /// With the secret that signs.
    #[must_use]
    pub(super) fn new(secret: &SecretString) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Judged below, by the time that is handed in.
        validation.validate_exp = false;
        let secret = secret.expose_secret().as_bytes();
        Self {
            signing: EncodingKey::from_secret(secret),
            reading: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A token for a session.
    ///
    /// # Errors
    /// A defect of the signing library.
    pub(super) fn issue(&self, user: CurrentUser, now: DateTime<Utc>) -> ApiResult<String> {
        let claims = Claims {
            sub: user.user_id.0,
            sid: user.session_id,
            iat: now.timestamp(),
            exp: now.timestamp() + ACCESS_TOKEN_SECONDS,
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(ApiError::internal)
    }

    /// Whom a token was given to. Whether the session is still live is not known here.
    ///
    /// # Errors
    /// `invalid_token` or `expired_token`.
    pub(super) fn read(&self, token: &str, now: DateTime<Utc>) -> ApiResult<CurrentUser> {
        let invalid = || ApiError::new(ErrorCode::InvalidToken, "");
        if token.len() > ACCESS_TOKEN_LENGTH_MAX {
            return Err(invalid());
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.reading, &self.validation)
            .map_err(|_| invalid())?
            .claims;
        if claims.exp <= now.timestamp() {
            return Err(ApiError::new(ErrorCode::ExpiredToken, ""));
        }
        Ok(CurrentUser { user_id: UserId(claims.sub), session_id: claims.sid })
    }
}

/// A refresh token's fingerprint, which is all that is stored.
pub(super) type TokenHash = [u8; 32];

/// A new refresh token.
pub(super) struct RefreshToken {
    /// What the client keeps.
    pub(super) text: SecretString,
    /// What is stored.
    pub(super) hash: TokenHash,
    /// When it stops working.
    pub(super) expires_at: DateTime<Utc>,
}

impl RefreshToken {
    /// A random one.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn generate(now: DateTime<Utc>) -> ApiResult<Self> {
        let mut bytes = [0; REFRESH_TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
        let mut text = String::with_capacity(2 * REFRESH_TOKEN_BYTES);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        let hash = hash_refresh_token(&text);
        Ok(Self { text: text.into(), hash, expires_at: now + TimeDelta::days(REFRESH_TOKEN_DAYS) })
    }
}

/// The fingerprint of what a client sent. The token is random, so a plain hash cannot be reversed by guessing.
#[must_use]
pub(super) fn hash_refresh_token(text: &str) -> TokenHash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> AccessTokens {
        AccessTokens::new(&"0123456789abcdef0123456789abcdef".into())
    }

    fn user() -> CurrentUser {
        CurrentUser { user_id: UserId::generate(), session_id: Uuid::now_v7() }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_token_names_its_user_for_fifteen_minutes() {
        let (tokens, user) = (tokens(), user());
        let token = tokens.issue(user, at(0)).unwrap();
        assert_eq!(tokens.read(&token, at(ACCESS_TOKEN_SECONDS - 1)).unwrap(), user);
        assert_eq!(
            tokens.read(&token, at(ACCESS_TOKEN_SECONDS)).unwrap_err().code(),
            ErrorCode::ExpiredToken
        );
    }

    #[test]
    fn a_token_of_another_secret_or_algorithm_is_worthless() {
        let other = AccessTokens::new(&"another secret that is long enough".into());
        let token = other.issue(user(), at(0)).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for text in [token.as_str(), &unsigned, "", "a.b.c", "...", &"x".repeat(100_000), "\u{202e}"] {
            assert_eq!(tokens().read(text, at(0)).unwrap_err().code(), ErrorCode::InvalidToken);
        }
    }

    #[test]
    fn a_token_for_another_audience_is_refused() {
        let tokens = tokens();
        let claims = Claims {
            sub: Uuid::now_v7(),
            sid: Uuid::now_v7(),
            iat: at(0).timestamp(),
            exp: at(60).timestamp(),
            iss: ISSUER.into(),
            aud: "another-api".into(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &tokens.signing).unwrap();
        assert_eq!(tokens.read(&token, at(0)).unwrap_err().code(), ErrorCode::InvalidToken);
    }

    #[test]
    fn refresh_tokens_are_long_and_never_the_same() {
        let (first, second) =
            (RefreshToken::generate(at(0)).unwrap(), RefreshToken::generate(at(0)).unwrap());
        assert_eq!(first.text.expose_secret().len(), 64);
        assert_ne!(first.hash, second.hash);
        assert_eq!(first.hash, hash_refresh_token(first.text.expose_secret()));
        assert_eq!(first.expires_at - at(0), TimeDelta::days(7));
    }
}
