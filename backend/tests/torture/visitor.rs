//! A user who goes on asking until there is an answer.

use crate::processes::Waiting;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for one answer; then nobody knows what became of the request.
const ANSWER_MAX: Duration = Duration::from_secs(4);
/// How often an unanswered request is repeated, and for how long.
const REPEAT_PAUSE: Duration = Duration::from_millis(60);
const REPEAT_MAX: Duration = Duration::from_secs(30);
const PASSWORD: &str = "violet kettle orbit";

/// A definite answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) replayed: bool,
    /// Whether nobody knew for a while what had become of the request: an earlier sending of it may have been the one
    /// that was heard.
    pub(crate) was_unknown: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// Whether what was asked for was taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.status == 201 || self.status == 202
    }

    /// Fails unless it is one of these refusals, and each field's rule one of those, where rules are named.
    pub(crate) fn is_refused(&self, status: u16, codes: &[&str], rules: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(codes.contains(&self.code().as_str()), "{}", self.text);
        let problem = self.json();
        let errors = problem["errors"].as_array().into_iter().flatten();
        let broken: Vec<&str> = errors.map(|error| error["rule"].as_str().unwrap()).collect();
        assert!(rules.is_empty() || broken.iter().all(|rule| rules.contains(rule)), "{}", self.text);
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A user.
pub(crate) struct Visitor {
    backend: String,
    client: reqwest::Client,
    email: String,
    token: Mutex<String>,
    /// Requests whose fate was unknown for a while.
    pub(crate) unknown: AtomicU64,
}

impl Visitor {
    /// Registers and logs in.
    pub(crate) async fn register(backend: &str, email: &str) -> Self {
        let visitor = Self {
            backend: backend.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            email: email.to_owned(),
            token: Mutex::default(),
            unknown: AtomicU64::new(0),
        };
        let body = json!({ "email": email, "password": PASSWORD });
        visitor.insist(Method::POST, "/api/auth/register", None, Some(&body)).await.expect(201);
        visitor.login().await;
        visitor
    }

    pub(crate) async fn login(&self) {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let answer = self.insist(Method::POST, "/api/auth/login", None, Some(&body)).await.expect(200);
        answer.json()["accessToken"].as_str().unwrap().clone_into(&mut self.token.lock().unwrap());
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let token = self.token.lock().unwrap().clone();
        self.client.request(method, format!("{}{path}", self.backend)).bearer_auth(token)
    }

    /// Asks once; what went wrong when it is unknown what became of the request.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, String> {
        let mut request = self.request(method, path).timeout(ANSWER_MAX);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| format!("{error:?}"))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(|error| format!("{error:?}"))?;
        if status.is_server_error() {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: an outage is no defect: {text}");
            assert!(headers.contains_key("retry-after"), "{path}: when to come back is said: {text}");
            return Err(text);
        }
        let replayed = headers.contains_key("idempotency-replayed");
        Ok(Answer { status: status.as_u16(), text, replayed, was_unknown: false })
    }

    /// Repeats the same request until it is answered.
    pub(crate) async fn insist(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut waiting = Waiting::until(REPEAT_MAX);
        let (began, mut was_unknown, mut outages) = (Instant::now(), false, Vec::new());
        loop {
            match self.ask(method.clone(), path, key, body).await {
                Ok(answer) if answer.status == 401 && !path.starts_with("/api/auth/") => {
                    assert_eq!(answer.code(), "expired_token");
                    Box::pin(self.login()).await;
                }
                Ok(answer) => return Answer { was_unknown, ..answer },
                Err(outage) => {
                    was_unknown = true;
                    outages.push(format!("after {:?}: {outage}", began.elapsed()));
                    self.unknown.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(REPEAT_PAUSE).await;
                    waiting.pause(|| format!("{path} was not answered:\n{}", outages.join("\n"))).await;
                }
            }
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.insist(Method::GET, path, None, None).await.expect(200).json()
    }
}
