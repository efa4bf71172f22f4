//! The token of a key: fetched when one is needed, renewed before it ends, and again when Kiwoom says that it is dead.

use super::config::{TOKEN_LIFE, TOKEN_MARGIN};
use super::parse;
use super::rest::{Failure, Rest};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

#[derive(Debug, Clone)]
struct Living {
    text: SecretString,
    renew_at: DateTime<Utc>,
}

/// The token, if there is one. Whoever asks while one is fetched waits for that one.
#[derive(Debug, Default)]
pub(super) struct Token(Mutex<Option<Living>>);

impl Token {
    /// A token that lives.
    pub(super) async fn living(&self, rest: &Rest) -> Result<SecretString, Failure> {
        let mut kept = self.0.lock().await;
        if let Some(living) = kept.as_ref().filter(|living| Utc::now() < living.renew_at) {
            return Ok(living.text.clone());
        }
        let fetched = rest.fetch_token().await?;
        let now = Utc::now();
        let ends_at = fetched.expires_dt.as_deref().and_then(parse::moment).unwrap_or(now + TOKEN_LIFE);
        // A life that is shorter than the margin is used to its half.
        let renew_at = (ends_at - TOKEN_MARGIN).max(now + (ends_at - now) / 2);
        *kept = Some(Living { text: fetched.token.clone(), renew_at });
        Ok(fetched.token)
    }

    /// Kiwoom has said that a token is dead.
    pub(super) async fn is_dead(&self, token: &SecretString) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|living| living.text.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
    }
}
