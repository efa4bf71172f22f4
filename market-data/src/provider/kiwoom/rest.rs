//! Kiwoom's REST service: last values, books, charts and lists of shares. Every request is a POST that names its function; every
//! number in the answers is a text.

use super::answer::{self, Verdict};
use super::parse::{self, Sides};
use super::token::{Given, Token};
use super::turns::Turns;
use crate::bars::interval::moments;
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar};
use crate::provider::fetch::{self, Received};
use crate::provider::gate::{Gate, Rules};
use crate::provider::{Listing, ProviderError, useless};
use crate::sanity::Reason;
use crate::settings::KiwoomSettings;
use chrono::{NaiveDate, TimeDelta, Utc};
use domain::{Market, Quote, Symbol};
use reqwest::Client;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::time::Duration;

/// Time between two requests for any functions: five a second together (decision 146).
const SPACING: Duration = Duration::from_millis(200);
/// A caller that would have to wait longer for its turn is refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most pages of one answer: hundreds of rows each.
const PAGES_MAX: usize = 60;
/// Tokens that one question is asked with: the one there is, and one more when that is dead.
const TOKENS_MAX: usize = 2;
/// How long a token counts as living whose end was not told.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(12);

/// A function: its name and where it is.
struct Function {
    id: &'static str,
    path: &'static str,
}

const TOKEN: Function = Function { id: "au10001", path: "/oauth2/token" };
const SHARE: Function = Function { id: "ka10100", path: "/api/dostk/stkinfo" };
const SHARES: Function = Function { id: "ka10099", path: "/api/dostk/stkinfo" };
const BOOK: Function = Function { id: "ka10004", path: "/api/dostk/mrkcond" };
const MINUTES: Function = Function { id: "ka10080", path: "/api/dostk/chart" };
const DAYS: Function = Function { id: "ka10081", path: "/api/dostk/chart" };

/// What is asked.
struct Asked<'a> {
    function: &'a Function,
    body: &'a Value,
    /// Where the page that is asked for begins; nothing for the first one.
    next: Option<&'a str>,
    /// The share that it is about.
    symbol: Option<Symbol>,
}

impl<'a> Asked<'a> {
    const fn about(symbol: Symbol, function: &'a Function, body: &'a Value) -> Self {
        Self { function, body, next: None, symbol: Some(symbol) }
    }
}

/// One answer, and where the next page begins.
struct Page {
    body: Value,
    next: Option<String>,
}

/// The service.
pub(super) struct Rest {
    client: Client,
    url: String,
    app_key: SecretString,
    secret_key: SecretString,
    pub(super) token: Token,
    turns: Turns,
    pub(super) gate: Gate,
}

fn written(day: NaiveDate) -> String {
    day.format("%Y%m%d").to_string()
}

impl Rest {
    pub(super) fn new(settings: &KiwoomSettings) -> Result<Self, ProviderError> {
        let missing = || {
            let message =
                "provider kiwoom needs GAEMI_KIWOOM_PRICES_APP_KEY and GAEMI_KIWOOM_PRICES_SECRET_KEY";
            ProviderError::Unusable(message.to_owned())
        };
        Ok(Self {
            client: fetch::client()?,
            url: settings.url.trim_end_matches('/').to_owned(),
            app_key: settings.app_key.clone().ok_or_else(missing)?,
            secret_key: settings.secret_key.clone().ok_or_else(missing)?,
            token: Token::default(),
            turns: Turns::default(),
            gate: Gate::new(Rules { spacing: SPACING, patience: PATIENCE, requests_per_day: None }),
        })
    }

    /// Sends one request when its turn has come. Nothing comes of it when the token is dead.
    async fn post(
        &self,
        asked: &Asked<'_>,
        token: Option<&SecretString>,
    ) -> Result<Option<Page>, ProviderError> {
        let Asked { function, body, next, symbol } = asked;
        self.turns.take(function.id).await?;
        self.gate.enter().await?;
        let mut request = self.client.post(format!("{}{}", self.url, function.path)).json(body);
        if let Some(token) = token {
            request = request.header("api-id", function.id).bearer_auth(token.expose_secret());
        }
        if let Some(next) = next {
            request = request.header("cont-yn", "Y").header("next-key", *next);
        }
        let answer = fetch::receive(request).await.and_then(|Received { status, headers, body }| {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            match answer::judge(status.as_u16(), &body) {
                Verdict::TokenIsDead if token.is_some() => Ok(None),
                verdict => match verdict.failure(*symbol) {
                    None => Ok(Some(Page { next: next_of(&headers), body })),
                    Some(failure) => Err(failure),
                },
            }
        });
        self.gate.leave(&answer);
        answer
    }

    /// Asks with a token that lives, and once more with another one when it did not.
    async fn ask(&self, asked: Asked<'_>) -> Result<Page, ProviderError> {
        for _ in 0..TOKENS_MAX {
            let token = self.token.living(self).await?;
            if let Some(page) = self.post(&asked, Some(&token)).await? {
                return Ok(page);
            }
            self.token.is_dead(&token).await;
        }
        let refused = Err(ProviderError::Refused("it does not take the tokens that it gives".to_owned()));
        self.gate.leave(&refused);
        refused
    }

    /// A new token for the key.
    pub(super) async fn fetch_token(&self) -> Result<Given, ProviderError> {
        let body = json!({
            "grant_type": "client_credentials",
            "appkey": self.app_key.expose_secret(),
            "secretkey": self.secret_key.expose_secret(),
        });
        let none = || ProviderError::Unavailable("it gives no token".to_owned());
        let asked = Asked { function: &TOKEN, body: &body, next: None, symbol: None };
        let given = self.post(&asked, None).await?.ok_or_else(none)?.body;
        let text =
            given.get("token").and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(none)?;
        let told = given.get("expires_dt").and_then(Value::as_str).and_then(parse::moment);
        Ok(Given { text: text.into(), ends_at: told.unwrap_or_else(|| Utc::now() + TOKEN_LIFE) })
    }

    /// The last value of a share, made of its last day and its last minute: only these two answers say when a price was.
    pub(super) async fn last_value(
        &self,
        symbol: Symbol,
        source: &str,
    ) -> Result<Result<Quote, Reason>, ProviderError> {
        let code = parse::code_of(symbol);
        let today = exchange::market_day(Market::Krx, Utc::now());
        let days = json!({ "stk_cd": code, "base_dt": written(today), "upd_stkpc_tp": "1" });
        let days = self.ask(Asked::about(symbol, &DAYS, &days)).await?.body;
        let minutes = json!({ "stk_cd": code, "tic_scope": "1", "upd_stkpc_tp": "1" });
        let minutes = self.ask(Asked::about(symbol, &MINUTES, &minutes)).await?.body;
        let days = parse::rows(&days, Interval::OneDay).map_err(useless)?;
        let minutes = parse::rows(&minutes, Interval::OneMinute).map_err(useless)?;
        Ok(parse::last_value(days, minutes, symbol, source))
    }

    /// The book of a share.
    pub(super) async fn book(&self, symbol: Symbol) -> Result<Sides, ProviderError> {
        let body = json!({ "stk_cd": parse::code_of(symbol) });
        let answer = self.ask(Asked::about(symbol, &BOOK, &body)).await?.body;
        parse::answered_book(&answer, Utc::now()).map_err(useless)
    }

    /// The symbol that Kiwoom's share of this code has.
    pub(super) async fn listed(&self, symbol: Symbol) -> Result<Option<Symbol>, ProviderError> {
        let body = json!({ "stk_cd": parse::code_of(symbol) });
        Ok(parse::listed(&self.ask(Asked::about(symbol, &SHARE, &body)).await?.body))
    }

    /// The shares of a list, page by page.
    pub(super) async fn shares(&self, list: &str) -> Result<Vec<Listing>, ProviderError> {
        let body = json!({ "mrkt_tp": list });
        let (mut shares, mut next) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let page = self
                .ask(Asked { function: &SHARES, body: &body, next: next.as_deref(), symbol: None })
                .await?;
            shares.extend(parse::listings(&page.body).map_err(useless)?);
            next = page.next;
            if next.is_none() {
                return Ok(shares);
            }
        }
        Err(ProviderError::Unsupported("so many shares at once"))
    }

    /// The bars of a range of days, oldest first, and what was refused among them.
    pub(super) async fn bars(
        &self,
        request: BarsRequest,
    ) -> Result<(Vec<TimedBar>, Vec<Reason>), ProviderError> {
        let BarsRequest { symbol, interval, from, to, .. } = request;
        let (first, after) = moments(Market::Krx, interval, from, to);
        let (function, body) = chart(request, exchange::market_day(Market::Krx, Utc::now()));
        let (mut bars, mut rejected, mut next) = (Vec::new(), Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let page =
                self.ask(Asked { next: next.as_deref(), ..Asked::about(symbol, function, &body) }).await?;
            let rows = parse::rows(&page.body, interval).map_err(useless)?;
            let mut is_over = rows.is_empty();
            for row in rows {
                match parse::begins_at(row, interval) {
                    Ok(at) if at >= after => {}
                    // The latest come first: nothing of the range follows.
                    Ok(at) if at < first => is_over = true,
                    Ok(_) => match parse::bar(row, interval) {
                        Ok(bar) => bars.push(bar),
                        Err(reason) => rejected.push(reason),
                    },
                    Err(reason) => rejected.push(reason),
                }
            }
            next = page.next;
            if is_over || next.is_none() {
                bars.sort_by_key(|bar| bar.starts_at);
                bars.dedup_by_key(|bar| bar.starts_at);
                return Ok((bars, rejected));
            }
        }
        Err(ProviderError::Unsupported("so many bars at once"))
    }
}

/// The function of a chart, and what it is asked. Prices without splits are counted in the shares of the day that a chart begins
/// with, so those begin with today's.
fn chart(request: BarsRequest, today: NaiveDate) -> (&'static Function, Value) {
    let (begins_with, adjusted) = match request.adjustment {
        Adjustment::Raw => (request.to.min(today), "0"),
        Adjustment::Splits | Adjustment::All => (today, "1"),
    };
    let length = match request.interval {
        Interval::OneDay => None,
        shorter => Some(shorter.minutes().to_string()),
    };
    let mut body = json!({
        "stk_cd": parse::code_of(request.symbol), "base_dt": written(begins_with), "upd_stkpc_tp": adjusted,
    });
    if let (Some(length), Some(body)) = (&length, body.as_object_mut()) {
        body.insert("tic_scope".to_owned(), length.as_str().into());
    }
    (if length.is_some() { &MINUTES } else { &DAYS }, body)
}

/// Where the next page begins, if there is one.
fn next_of(headers: &HeaderMap) -> Option<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let next = header("next-key").filter(|next| !next.is_empty());
    next.filter(|_| header("cont-yn") == Some("Y")).map(str::to_owned)
}
