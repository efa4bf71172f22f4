//! Alpaca's REST service. What a request's fate is known to be is decided here, and only here.

use super::limiter::{Limiter, Purpose};
use super::wire;
use crate::broker::KeyTrouble;
use crate::broker::outside::failure::{self, Refusal};
use crate::broker::outside::http::{body_of, never_left};
use crate::credentials::Credentials;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Header with the time at which requests are free again, in seconds of the epoch.
const RESET_HEADER: &str = "x-ratelimit-reset";

/// What is known of a request that was not answered with what was asked for.
pub(super) type Failure = failure::Failure<Refused>;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: Option<u64>,
    pub(super) message: String,
}

impl Refusal for Refused {
    fn message(&self) -> &str {
        &self.message
    }
}

impl Refused {
    /// Whether an order of this client id is there already.
    pub(super) fn is_repetition(&self) -> bool {
        // Its code was seen to be one of two; the words are the same.
        self.status == 422 && self.message.contains("client_order_id must be unique")
    }

    pub(super) const fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// A stable word for people's programs.
    pub(super) fn word(&self) -> String {
        self.code.map_or_else(|| format!("alpaca_{}", self.status), |code| format!("alpaca_{code}"))
    }
}

/// The service, as one account sees it.
pub(super) struct Rest {
    pub(super) client: Client,
    pub(super) url: String,
    pub(super) credentials: Credentials,
    pub(super) limiter: Limiter,
}

impl Rest {
    /// Asks, and reads what is answered.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let body = self.send(Method::GET, path, query, None::<&()>, Purpose::Question).await?;
        read(&body)
    }

    /// Sends an order or other terms for one.
    pub(super) async fn order<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<wire::Order, Failure> {
        let body = self.send(method, path, &[], Some(body), Purpose::Order).await?;
        read(&body)
    }

    /// Asks for an order to be taken back.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, path, &[], None::<&()>, Purpose::Order).await.map(|_| ())
    }

    async fn send<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&B>,
        purpose: Purpose,
    ) -> Result<Vec<u8>, Failure> {
        self.limiter.turn(purpose).await.map_err(Failure::Limited)?;
        let query =
            serde_urlencoded::to_string(query).map_err(|error| Failure::NotSent(error.to_string()))?;
        let separator = if query.is_empty() { "" } else { "?" };
        let mut request = self
            .client
            .request(method, format!("{}{path}{separator}{query}", self.url))
            .header("APCA-API-KEY-ID", self.credentials.key_id.expose_secret())
            .header("APCA-API-SECRET-KEY", self.credentials.secret_key.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unanswered(&error))?;
        let (status, pause) = (response.status(), pause_of(response.headers(), Utc::now()));
        let body = body_of(response).await.map_err(Failure::Unknown);
        if status.is_success() {
            return body;
        }
        // A status is an answer, whether or not its words could be read.
        Err(self.refused(status, pause, &body.unwrap_or_default()))
    }

    fn refused(&self, status: StatusCode, pause: Option<Duration>, body: &[u8]) -> Failure {
        let refusal: wire::Refusal = serde_json::from_slice(body).unwrap_or_default();
        let failure = classify(status, refusal);
        if let Failure::Limited(_) = failure {
            return Failure::Limited(self.limiter.close_for(pause));
        }
        failure
    }
}

/// What an answer that is no success says about the request.
pub(super) fn classify(status: StatusCode, refusal: wire::Refusal) -> Failure {
    let wire::Refusal { code, message } = refusal;
    let words = message.to_lowercase();
    let is_about_the_key =
        words.contains("unauthorized") || words.contains("not authorized") || words.contains("forbidden");
    match status.as_u16() {
        429 => Failure::Limited(Duration::ZERO),
        401 if words.contains("expired") => Failure::Locked(KeyTrouble::Expired),
        401 => Failure::Locked(KeyTrouble::Wrong),
        // With a code it speaks of the order: buying power, shares, permissions.
        403 if code.is_none() && (is_about_the_key || words.is_empty()) => Failure::Locked(KeyTrouble::Wrong),
        status @ 400..=499 if status != 408 => {
            let message = if message.is_empty() { format!("it answers {status}") } else { message };
            Failure::Refused(Refused { status, code, message })
        }
        status => Failure::Unknown(format!("it answers {status}: {message}")),
    }
}

fn unanswered(error: &reqwest::Error) -> Failure {
    let words = error.to_string();
    if never_left(error) { Failure::NotSent(words) } else { Failure::Unknown(words) }
}

fn pause_of(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
    let until_reset = || number(RESET_HEADER).map(|reset| reset.saturating_sub(now.timestamp()));
    let seconds = number("retry-after").or_else(until_reset)?;
    u64::try_from(seconds.max(1)).ok().map(Duration::from_secs)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::Unknown(format!("its answer cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: Option<u64>, message: &str) -> Failure {
        let refusal = wire::Refusal { code, message: message.into() };
        classify(StatusCode::from_u16(status).unwrap(), refusal)
    }

    #[test]
    fn a_refusal_of_the_key_is_told_from_a_refusal_of_the_order() {
        assert_eq!(answer(401, None, "unauthorized."), Failure::Locked(KeyTrouble::Wrong));
        assert_eq!(
            answer(401, Some(40_110_000), "access key has expired"),
            Failure::Locked(KeyTrouble::Expired)
        );
        assert_eq!(answer(403, None, "forbidden."), Failure::Locked(KeyTrouble::Wrong));
        let refused = answer(403, Some(40_310_000), "insufficient buying power");
        assert!(matches!(refused, Failure::Refused(Refused { status: 403, .. })), "{refused:?}");
    }

    #[test]
    fn only_an_answer_that_says_no_means_no() {
        for status in [500, 502, 503, 504, 408, 302] {
            assert!(matches!(answer(status, None, "x"), Failure::Unknown(_)), "{status}");
        }
        for status in [400, 404, 422] {
            assert!(matches!(answer(status, None, "x"), Failure::Refused(_)), "{status}");
        }
        assert!(matches!(answer(429, Some(42_910_000), "too many requests"), Failure::Limited(_)));
    }

    #[test]
    fn it_says_in_either_header_when_one_may_ask_again() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pause = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (reqwest::header::HeaderName::from_static(name), value.parse().unwrap())
            });
            pause_of(&headers.collect(), now).map(|pause| pause.as_secs())
        };
        assert_eq!(pause(&[("x-ratelimit-reset", "1800000007"), ("x-ratelimit-remaining", "0")]), Some(7));
        assert_eq!(pause(&[("retry-after", "3"), ("x-ratelimit-reset", "1800000007")]), Some(3));
        for over in ["1799999000", "-9223372036854775808"] {
            assert_eq!(
                pause(&[("x-ratelimit-reset", over)]),
                Some(1),
                "clocks differ: it is not asked at once"
            );
        }
        assert_eq!((pause(&[]), pause(&[("x-ratelimit-reset", "soon")])), (None, None));
    }

    #[test]
    fn a_repeated_client_id_is_known_by_its_words() {
        for code in [40_010_001, 42_210_000] {
            let Failure::Refused(refused) = answer(422, Some(code), "client_order_id must be unique") else {
                panic!("no refusal")
            };
            assert!(refused.is_repetition());
        }
        let Failure::Refused(other) = answer(422, Some(42_210_000), "asset \"X\" not found") else {
            panic!("no refusal")
        };
        assert!(!other.is_repetition());
    }
}
