//! The key that is known, and the tokens that were given out for it.

use crate::{APP_KEY, SECRET_KEY};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Seoul;
use serde_json::{Value, json};
use uuid::Uuid;

/// How long a token usually lives.
const LIFE_SECONDS: i64 = 24 * 60 * 60;

/// Key and tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) key: (String, String),
    /// Further keys that are known.
    pub(crate) more_keys: Vec<(String, String)>,
    /// How a wrong key is answered.
    pub(crate) lock_words: String,
    pub(crate) life: TimeDelta,
    pub(crate) issued: usize,
    /// Tokens, the keys that they were given for, and their ends.
    living: Vec<(String, String, DateTime<Utc>)>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            key: (APP_KEY.into(), SECRET_KEY.into()),
            more_keys: Vec::new(),
            lock_words: "인증에 실패했습니다[8001:App Key와 Secret Key 검증에 실패했습니다]".into(),
            life: TimeDelta::seconds(LIFE_SECONDS),
            issued: 0,
            living: Vec::new(),
        }
    }
}

impl Tokens {
    fn is_key_of(&self, body: &Value) -> bool {
        let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let told = (said("appkey"), said("secretkey"));
        std::iter::once(&self.key).chain(&self.more_keys).any(|(key, secret)| told == (key, secret))
    }

    fn refusal(&self) -> Value {
        json!({ "return_code": 3, "return_msg": self.lock_words })
    }

    /// Answers au10001.
    pub(crate) fn issue(&mut self, body: &Value) -> Value {
        if !self.is_key_of(body) {
            return self.refusal();
        }
        if body.get("grant_type").and_then(Value::as_str) != Some("client_credentials") {
            return json!({ "return_code": 3, "return_msg": "인증에 실패했습니다[8011:grant_type이 올바르지 않습니다]" });
        }
        let (token, ends_at) = (Uuid::now_v7().simple().to_string(), Utc::now() + self.life);
        let key = body.get("appkey").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.living.push((token.clone(), key, ends_at));
        self.issued += 1;
        json!({
            "token": token, "token_type": "bearer",
            "expires_dt": ends_at.with_timezone(&Seoul).format("%Y%m%d%H%M%S").to_string(),
            "return_code": 0, "return_msg": "정상적으로 처리되었습니다",
        })
    }

    /// Answers au10002.
    pub(crate) fn revoke(&mut self, body: &Value) -> Value {
        if !self.is_key_of(body) {
            return self.refusal();
        }
        let token = body.get("token").and_then(Value::as_str).unwrap_or_default();
        self.living.retain(|(living, ..)| living != token);
        json!({ "return_code": 0, "return_msg": "정상적으로 처리되었습니다" })
    }

    /// Forgets all tokens.
    pub(crate) fn revoke_all(&mut self) {
        self.living.clear();
    }

    /// The key of a token that lives.
    pub(crate) fn key_of(&self, token: &str) -> Option<String> {
        let lives = |(living, _, ends_at): &&(String, String, _)| living == token && Utc::now() < *ends_at;
        self.living.iter().find(lives).map(|(_, key, _)| key.clone())
    }

    pub(crate) fn is_living(&self, token: &str) -> bool {
        self.key_of(token).is_some()
    }

    /// What a dead token is answered.
    pub(crate) fn dead() -> Value {
        json!({ "return_code": 3, "return_msg": "인증에 실패했습니다[8005:Token이 유효하지 않습니다]" })
    }
}
