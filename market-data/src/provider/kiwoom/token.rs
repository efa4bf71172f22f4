//! The token of the key: fetched when one is needed, renewed before it ends, and again when Kiwoom says that it is dead.

use super::rest::Rest;
use crate::provider::ProviderError;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

/// How long before its end a token is renewed.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// A token and its end.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) text: SecretString,
    pub(super) ends_at: DateTime<Utc>,
}

impl Given {
    /// When another one is fetched in its place. A life that is shorter than the margin is used to its half.
    fn renew_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        (self.ends_at - MARGIN).max(now + (self.ends_at - now) / 2)
    }
}

/// The token, if there is one, and when it is renewed. Whoever asks while one is fetched waits for that one.
#[derive(Debug, Default)]
pub(super) struct Token(Mutex<Option<(SecretString, DateTime<Utc>)>>);

impl Token {
    /// A token that lives.
    ///
    /// # Errors
    /// Why none is given.
    pub(super) async fn living(&self, rest: &Rest) -> Result<SecretString, ProviderError> {
        let mut kept = self.0.lock().await;
        if let Some((text, _)) = kept.as_ref().filter(|(_, renew_at)| Utc::now() < *renew_at) {
            return Ok(text.clone());
        }
        let given = rest.fetch_token().await?;
        let (text, _) = kept.insert((given.text.clone(), given.renew_at(Utc::now())));
        Ok(text.clone())
    }

    /// Kiwoom has said that a token is dead.
    pub(super) async fn is_dead(&self, token: &SecretString) {
        let is_that_one = |(text, _): &mut (SecretString, _)| text.expose_secret() == token.expose_secret();
        self.0.lock().await.take_if(is_that_one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end_also_when_that_is_near() {
        let now: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        let renewed = |life: TimeDelta| {
            let given = Given { text: "token".into(), ends_at: now + life };
            given.renew_at(now) - now
        };
        assert_eq!(renewed(TimeDelta::hours(24)), TimeDelta::minutes(24 * 60 - 10));
        assert_eq!(renewed(TimeDelta::minutes(12)), TimeDelta::minutes(6));
        assert!(renewed(TimeDelta::minutes(-1)) <= TimeDelta::zero());
    }
}
