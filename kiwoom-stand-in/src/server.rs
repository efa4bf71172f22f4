//! The stand-in as it runs: one port, REST and stream.

use crate::market::{Market, News};
use crate::requests::{self, Asked};
use crate::stream::{LOGGED_IN, Note, converse};
use crate::tokens::Tokens;
use crate::{events, prices};
use chrono::{TimeDelta, Utc};
use hyper::Request;
use hyper::body::Incoming;
use serde_json::json;
use stand_in::{Answer, Fault, Host, Refusals, Stage, body_of, is_path, reply, reply_with, upgrade};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Kiwoom's words for what goes wrong.
const REFUSALS: Refusals = Refusals {
    failed: r#"{"return_code":1999,"return_msg":"예기치 못한 에러가 발생했습니다[1999]"}"#,
    limited: r#"{"return_code":5,"return_msg":"허용된 요청 개수를 초과하였습니다[1700:허용된 요청 개수를 초과하였습니다. API ID=kt10000, flow=5]"}"#,
};

#[derive(Default)]
struct Script {
    market: Market,
    tokens: Tokens,
    /// When each function was asked for.
    calls: BTreeMap<String, Vec<Instant>>,
    /// How often somebody has logged in to the stream.
    logins: usize,
    /// Shares that each conversation follows.
    followed: BTreeMap<String, BTreeSet<String>>,
    is_away: bool,
    /// Requests that are still to be answered with too many.
    limited: usize,
}

/// Kiwoom as it is played here.
#[derive(Default)]
pub struct Kiwoom {
    stage: Stage,
    script: Mutex<Script>,
}

impl Kiwoom {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        let messages = {
            let market = &mut self.script().market;
            let happened = std::mem::take(&mut market.events);
            let news = std::mem::take(&mut market.news);
            let news = news.iter().map(|news| match news {
                News::Trade(trade) => prices::trade(trade),
                News::Book(code, sides, before) => prices::book(code, sides, Utc::now(), *before),
            });
            happened.iter().flat_map(|event| events::messages(event, &market.number)).chain(news).collect()
        };
        self.stage.tell(messages);
    }
}

impl Deref for Kiwoom {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl Kiwoom {
    /// Lets something happen, and tells of it.
    pub fn act<T>(&self, action: impl FnOnce(&mut Market) -> T) -> T {
        let outcome = action(&mut self.script().market);
        self.tell();
        outcome
    }

    /// Changes the key that it knows. Tokens that were given out are dead.
    pub fn set_key(&self, app_key: &str, secret_key: &str) {
        let tokens = &mut self.script().tokens;
        tokens.key = (app_key.to_owned(), secret_key.to_owned());
        tokens.revoke_all();
    }

    /// Lets it know one more key, of the same account.
    pub fn add_key(&self, app_key: &str, secret_key: &str) {
        self.script().tokens.more_keys.push((app_key.into(), secret_key.into()));
    }

    /// What it says about a key that it does not know.
    pub fn set_lock_words(&self, words: &str) {
        self.script().tokens.lock_words = words.to_owned();
    }

    /// How long tokens live from now on.
    pub fn set_token_life(&self, life: Duration) {
        self.script().tokens.life = TimeDelta::from_std(life).unwrap_or_default();
    }

    /// Lets all tokens be dead; the key opens still.
    pub fn revoke_tokens(&self) {
        self.script().tokens.revoke_all();
    }

    /// Lets it answer nothing but 503, and ends the conversations of its stream, until it is back.
    pub fn set_away(&self, is_away: bool) {
        self.script().is_away = is_away;
        if is_away {
            self.stage.close_streams();
        }
    }

    /// Lets it say to the next requests that it was asked too often, with status 200 as it does.
    pub fn limit_next(&self, count: usize) {
        self.script().limited = count;
    }

    /// Whether its stream tells somebody of a share.
    #[must_use]
    pub fn is_followed(&self, code: &str) -> bool {
        self.script().followed.values().any(|codes| codes.contains(code))
    }

    /// How often somebody has logged in to the stream.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.script().logins
    }

    /// How often a function was asked for.
    #[must_use]
    pub fn calls(&self, api_id: &str) -> usize {
        self.script().calls.get(api_id).map_or(0, Vec::len)
    }

    /// How many tokens were given out.
    #[must_use]
    pub fn tokens_issued(&self) -> usize {
        self.script().tokens.issued
    }

    /// Most requests for one function within any second.
    #[must_use]
    pub fn most_in_a_second(&self) -> usize {
        let script = self.script();
        let most = script.calls.values().map(|calls| {
            let within = |begin: &Instant| {
                calls
                    .iter()
                    .filter(|at| *at >= begin && at.duration_since(*begin) < Duration::from_secs(1))
                    .count()
            };
            calls.iter().map(within).max().unwrap_or_default()
        });
        most.max().unwrap_or_default()
    }
}

impl Host for Kiwoom {
    fn stage(&self) -> &Stage {
        &self.stage
    }

    async fn serve(self: Arc<Self>, mut request: Request<Incoming>) -> Answer {
        if self.script().is_away {
            return reply(503, REFUSALS.failed.into());
        }
        if is_path(&request, "/api/dostk/websocket") {
            return talk(self, &mut request);
        }
        let (head, body) = request.into_parts();
        let header =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let asked = Asked {
            path: head.uri.path().to_owned(),
            api_id: header("api-id").to_owned(),
            token: header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            next_key: if header("cont-yn") == "Y" { header("next-key").to_owned() } else { String::new() },
            body: serde_json::from_slice(&body_of(body).await?).unwrap_or_default(),
        };
        if head.method != hyper::Method::POST {
            return reply(405, r#"{"return_code":2,"return_msg":"[1504]"}"#.into());
        }
        match asked.path.as_str() {
            "/oauth2/token" => {
                let mut script = self.script();
                script.calls.entry("au10001".to_owned()).or_default().push(Instant::now());
                return reply(200, script.tokens.issue(&asked.body).to_string());
            }
            "/oauth2/revoke" => return reply(200, self.script().tokens.revoke(&asked.body).to_string()),
            _ => {}
        }
        {
            let mut script = self.script();
            script.calls.entry(asked.api_id.clone()).or_default().push(Instant::now());
            if script.limited > 0 {
                script.limited -= 1;
                return reply(200, REFUSALS.limited.into());
            }
            if !script.tokens.is_living(&asked.token) {
                return reply(200, Tokens::dead().to_string());
            }
        }
        let fault = self.stage.fault_of(asked.is_about_an_order());
        let answer = match fault {
            Some(fault) if !fault.is_done() => None,
            _ => Some(requests::answer(&mut self.script().market, &asked)),
        };
        self.tell();
        match (fault, answer) {
            (None, Some((body, next))) => {
                let more = if next.is_some() { "Y" } else { "N" };
                let next = next.unwrap_or_default();
                let headers =
                    [("api-id", asked.api_id.as_str()), ("cont-yn", more), ("next-key", next.as_str())];
                reply_with(200, &headers, body.to_string())
            }
            (fault, _) => self.stage.fail(fault.unwrap_or(Fault::BreaksBefore), REFUSALS).await,
        }
    }
}

fn talk(shared: Arc<Kiwoom>, request: &mut Request<Incoming>) -> Answer {
    // Subscribed before the answer: nothing that happens from here on is missed.
    let (events, closing) = shared.stage.listen();
    upgrade(request, move |socket| async move {
        let opens = |token: &str| shared.script().tokens.key_of(token);
        let note = |note: Note| match note {
            Note::LoggedIn { id, key } => {
                shared.script().logins += 1;
                shared.stage.announce(json!({ LOGGED_IN: id, "key": key }));
            }
            Note::Follows { id, codes } => drop(shared.script().followed.insert(id, codes)),
            Note::Ended { id } => drop(shared.script().followed.remove(&id)),
        };
        converse(socket, opens, note, events, closing).await;
    })
}
