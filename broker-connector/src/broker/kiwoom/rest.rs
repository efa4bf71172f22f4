//! Kiwoom's REST service. What a request's fate is known to be is decided here, and only here.

use super::config::{LIMITED_PAUSE, LIMITED_PAUSE_MAX, LIMITED_TRIES_MAX};
use super::limiter::Limiter;
use super::token::Token;
use super::wire;
use crate::broker::KeyTrouble;
use crate::broker::outside::failure::{self, Refusal};
use crate::broker::outside::http::{body_of, never_left};
use crate::credentials::Credentials;
use reqwest::Client;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Duration;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An order, a cancel or a change.
    Order,
    /// Anything that can wait.
    Question,
}

/// A function of the service: several share one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) id: &'static str,
    path: &'static str,
    pub(super) purpose: Purpose,
}

const fn order(id: &'static str) -> Function {
    Function { id, path: "/api/dostk/ordr", purpose: Purpose::Order }
}

const fn account(id: &'static str) -> Function {
    Function { id, path: "/api/dostk/acnt", purpose: Purpose::Question }
}

pub(super) const BUY: Function = order("kt10000");
pub(super) const SELL: Function = order("kt10001");
pub(super) const CHANGE: Function = order("kt10002");
pub(super) const CANCEL: Function = order("kt10003");
pub(super) const ACCOUNT_NUMBER: Function = account("ka00001");
pub(super) const DEPOSIT: Function = account("kt00001");
pub(super) const HOLDINGS: Function = account("kt00018");
pub(super) const ORDERS_OF_DAY: Function = account("kt00007");
pub(super) const OPEN_ORDERS: Function = account("ka10075");
pub(super) const EXECUTIONS: Function = account("ka10076");
pub(super) const INSTRUMENT: Function =
    Function { id: "ka10100", path: "/api/dostk/stkinfo", purpose: Purpose::Question };

/// What is known of a request that was not answered with what was asked for.
pub(super) type Failure = failure::Failure<Refused>;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// Kiwoom's code, which stands in its words.
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal for Refused {
    fn message(&self) -> &str {
        &self.message
    }
}

impl Refused {
    /// A stable word for people's programs.
    pub(super) fn word(&self) -> String {
        format!("kiwoom_{}", self.code.to_lowercase())
    }

    /// Whether it was the token that was refused, and nothing else looked at.
    fn is_of_the_token(&self) -> bool {
        matches!(self.code.as_str(), "401" | "8003" | "8005" | "8010" | "8031" | "8103")
    }
}

/// Of which requests there were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Of those for one function.
    Function,
    /// Of all.
    All,
}

/// An answer, and where the next page begins.
pub(super) struct Answer<T> {
    pub(super) body: T,
    pub(super) next: Option<String>,
}

/// The service, as one key sees it.
pub(super) struct Rest {
    pub(super) client: Client,
    pub(super) url: String,
    pub(super) stream_url: String,
    pub(super) credentials: Credentials,
    pub(super) limiter: Limiter,
    pub(super) token: Token,
}

impl Rest {
    /// Asks for a page; nothing asks for the first.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        function: Function,
        body: &(impl Serialize + Sync),
        next: Option<&str>,
    ) -> Result<Answer<T>, Failure> {
        let (mut token_tries, mut limited_tries) = (0, 0);
        loop {
            let token = self.token.living(self).await?;
            match self.send(function, &token, body, next).await {
                Err(Failure::Refused(refused)) if refused.is_of_the_token() => {
                    self.token.is_dead(&token).await;
                    token_tries += 1;
                    if token_tries > 1 {
                        return Err(Failure::NotSent(format!("a new token is dead: {}", refused.message)));
                    }
                }
                Err(Failure::Limited(_))
                    if function.purpose == Purpose::Question && limited_tries < LIMITED_TRIES_MAX =>
                {
                    limited_tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Asks for what has one page.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        function: Function,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Failure> {
        Ok(self.page(function, body, None).await?.body)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        function: Function,
        token: &SecretString,
        body: &(impl Serialize + Sync),
        next: Option<&str>,
    ) -> Result<Answer<T>, Failure> {
        self.limiter.turn(function).await.map_err(Failure::Limited)?;
        let mut request = self
            .client
            .post(format!("{}{}", self.url, function.path))
            .header("api-id", function.id)
            .header("authorization", format!("Bearer {}", token.expose_secret()));
        if let Some(next) = next {
            request = request.header("cont-yn", "Y").header("next-key", next);
        }
        let response = request.json(body).send().await.map_err(|error| unanswered(&error))?;
        let (status, pause, next) =
            (response.status().as_u16(), pause_of(response.headers()), next_of(response.headers()));
        let body = body_of(response).await.map_err(Failure::Unknown)?;
        match judge(status, &body) {
            None => read(&body).map(|body| Answer { body, next }),
            Some(Failure::Limited(_)) => {
                let pause = self.limiter.close_for(function, scope_of(&body), pause);
                // Such an answer was seen although the order had been taken.
                Err(match function.purpose {
                    Purpose::Order => Failure::Unknown("Kiwoom says that it was asked too often".into()),
                    Purpose::Question => Failure::Limited(pause),
                })
            }
            Some(failure) => Err(failure),
        }
    }

    /// A new token for the key.
    pub(super) async fn fetch_token(&self) -> Result<wire::Token, Failure> {
        let body = json!({
            "grant_type": "client_credentials",
            "appkey": self.credentials.key_id.expose_secret(),
            "secretkey": self.credentials.secret_key.expose_secret(),
        });
        let request = self.client.post(format!("{}/oauth2/token", self.url)).json(&body);
        // Nothing was asked of the account yet: whatever happened here, no order left.
        let unsent = |reason: String| Failure::NotSent(format!("no token: {reason}"));
        let response = request.send().await.map_err(|error| unsent(error.without_url().to_string()))?;
        let (status, pause) = (response.status().as_u16(), pause_of(response.headers()));
        let body = body_of(response).await.map_err(unsent)?;
        match judge(status, &body) {
            None => read(&body).map_err(|failure: Failure| unsent(failure.words())),
            Some(Failure::Refused(refused)) if refused.code.starts_with('8') => {
                Err(Failure::Locked(trouble_of(&refused.message)))
            }
            Some(Failure::Locked(trouble)) => Err(Failure::Locked(trouble)),
            Some(Failure::Limited(_)) => {
                Err(Failure::Limited(pause.unwrap_or(LIMITED_PAUSE).min(LIMITED_PAUSE_MAX)))
            }
            Some(failure) => Err(unsent(failure.words())),
        }
    }
}

/// What an answer says about its request; nothing where it was done.
pub(super) fn judge(status: u16, body: &[u8]) -> Option<Failure> {
    let outcome: Option<wire::Outcome> = serde_json::from_slice(body).ok();
    let class = outcome.as_ref().and_then(wire::Outcome::class);
    if status == 200 && class == Some(0) {
        return None;
    }
    let message = outcome.and_then(|outcome| outcome.return_msg).unwrap_or_default();
    Some(classify(status, class, message))
}

/// What an answer that is no success says about the request.
fn classify(status: u16, class: Option<i64>, message: String) -> Failure {
    let code = code_of(&message);
    if matches!(status, 500.. | 408) || code.as_deref() == Some("1999") {
        return Failure::Unknown(format!("it answers {status}: {message}"));
    }
    match (status, class, code) {
        (429, _, _) => Failure::Limited(Duration::ZERO),
        (_, _, Some(code)) if matches!(code.as_str(), "1700" | "1701" | "1702") => {
            Failure::Limited(Duration::ZERO)
        }
        (401, _, _) => Failure::Refused(Refused { code: "401".into(), message }),
        (_, _, Some(code))
            if matches!(code.as_str(), "8001" | "8002" | "8020" | "8030" | "8040" | "8050") =>
        {
            Failure::Locked(trouble_of(&message))
        }
        (_, _, Some(code)) => Failure::Refused(Refused { code, message }),
        (_, Some(5), None) => Failure::Limited(Duration::ZERO),
        (400..=499, _, None) => Failure::Refused(Refused { code: status.to_string(), message }),
        (_, Some(class), None) => Failure::Refused(Refused { code: class.to_string(), message }),
        (status, None, None) => Failure::Unknown(format!("it answers {status} and nothing that can be read")),
    }
}

/// Of which requests an answer says that there were too many: 1701 counts all, and 1702 those of a group, of which nobody says
/// what belongs to it.
fn scope_of(body: &[u8]) -> Scope {
    let outcome: wire::Outcome = serde_json::from_slice(body).unwrap_or_default();
    match outcome.return_msg.as_deref().and_then(code_of).as_deref() {
        Some("1701" | "1702") => Scope::All,
        _ => Scope::Function,
    }
}

/// Whether a key that does not open has had its day.
fn trouble_of(message: &str) -> KeyTrouble {
    if message.contains("만료") || message.to_lowercase().contains("expired") {
        KeyTrouble::Expired
    } else {
        KeyTrouble::Wrong
    }
}

/// The code in the words of a refusal: `[1700:…]`, `[2000](RC4058:…)`, `[2000](800033:…)`, `[CODE=8005]`. Where there are two,
/// the second says more.
fn code_of(message: &str) -> Option<String> {
    let is_code = |word: &&str| {
        let digits = word.strip_prefix("RC").unwrap_or(word);
        (4..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let words = message.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(is_code);
    let words: Vec<&str> = words.take(2).collect();
    match words.as_slice() {
        ["2000", code] => Some((*code).to_owned()),
        [code, ..] => Some((*code).to_owned()),
        [] => None,
    }
}

fn unanswered(error: &reqwest::Error) -> Failure {
    let words = error.to_string();
    if never_left(error) { Failure::NotSent(words) } else { Failure::Unknown(words) }
}

fn pause_of(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn next_of(headers: &HeaderMap) -> Option<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let next = header("next-key").filter(|next| !next.is_empty());
    next.filter(|_| header("cont-yn") == Some("Y")).map(str::to_owned)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::Unknown(format!("its answer cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, class: &str, message: &str) -> Option<Failure> {
        judge(status, format!(r#"{{"return_code":{class},"return_msg":"{message}"}}"#).as_bytes())
    }

    fn code(failure: Option<Failure>) -> String {
        match failure {
            Some(Failure::Refused(refused)) => refused.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn success_is_zero_in_any_form_and_nothing_else() {
        assert_eq!(judged(200, "0", ""), None);
        assert_eq!(judged(200, r#""0000""#, ""), None);
        assert!(matches!(judge(200, b"<html>"), Some(Failure::Unknown(_))));
        assert!(matches!(judge(200, b"{}"), Some(Failure::Unknown(_))));
    }

    #[test]
    fn a_business_refusal_is_known_by_the_code_in_its_words() {
        assert_eq!(code(judged(200, "20", "[2000](RC4025:매수증거금이 부족합니다)")), "RC4025");
        assert_eq!(code(judged(200, "20", "[2000](800033:매도가능수량이 부족합니다)")), "800033");
        assert_eq!(code(judged(200, "2", "필수 입력 값[1511:ord_qty]")), "1511");
        assert_eq!(code(judged(200, "7", "모르는 말")), "7");
        assert_eq!(code(judged(400, "null", "")), "400");
    }

    #[test]
    fn a_dead_token_a_wrong_key_and_one_that_had_its_day_are_told_apart() {
        for (status, message) in [
            (200, "인증에 실패했습니다[8005:Token이 유효하지 않습니다]"),
            (200, "[CODE=8005] Token이 유효하지 않습니다"),
            (200, "[8031:토큰의 투자구분이 다릅니다]"),
            (200, "[8103:단말기 인증]"),
            (200, "[8010:토큰을 발급한 IP와 다릅니다]"),
            (401, ""),
        ] {
            let Some(Failure::Refused(refused)) = judged(status, "3", message) else { panic!("{message}") };
            assert!(refused.is_of_the_token());
        }
        assert_eq!(judged(200, "3", "[8001:키 검증 실패]"), Some(Failure::Locked(KeyTrouble::Wrong)));
        assert_eq!(judged(200, "3", "[8001:키 사용기간 만료]"), Some(Failure::Locked(KeyTrouble::Expired)));
    }

    #[test]
    fn too_many_requests_are_known_in_all_their_forms_and_a_batch_that_is_too_large_is_none() {
        for failure in [
            judged(429, "5", ""),
            judged(200, "5", "허용된 요청 개수를 초과하였습니다[1700:flow=5]"),
            judged(200, "5", ""),
            judged(200, "1", "[1702:그룹]"),
        ] {
            assert!(matches!(failure, Some(Failure::Limited(_))), "{failure:?}");
        }
        assert_eq!(code(judged(200, "5", "[1634:너무 많음]")), "1634");
    }

    #[test]
    fn too_many_of_one_function_are_told_from_too_many_of_all() {
        let scope =
            |message: &str| scope_of(format!(r#"{{"return_code":5,"return_msg":"{message}"}}"#).as_bytes());
        assert_eq!(scope("허용된 요청 개수를 초과하였습니다[1700:flow=5]"), Scope::Function);
        assert_eq!((scope("[1701:전체]"), scope("[1702:그룹]")), (Scope::All, Scope::All));
        assert_eq!((scope(""), scope_of(b"<html>")), (Scope::Function, Scope::Function));
    }

    #[test]
    fn only_an_answer_that_says_no_means_no() {
        for status in [500, 502, 503, 504, 408] {
            assert!(matches!(judged(status, "20", "[2000](RC4025)"), Some(Failure::Unknown(_))), "{status}");
        }
        assert!(matches!(judged(200, "1", "[1999:예기치 못한 에러]"), Some(Failure::Unknown(_))));
    }
}
