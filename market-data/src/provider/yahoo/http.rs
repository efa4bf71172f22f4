//! Reaching Yahoo: politely, and no longer than it answers.

use super::parse;
use crate::provider::gate::{Gate, Rules};
use crate::provider::{ProviderError, fetch, useless};
use crate::settings::YahooSettings;
use chrono::{DateTime, Utc};
use domain::Symbol;
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use yahoo_finance_api::YResponse;

/// Time between two calls: two requests a second at most.
pub(super) const CALL_SPACING: Duration = Duration::from_millis(500);
/// A caller that would have to wait longer for its turn is refused.
const TURN_PATIENCE: Duration = Duration::from_secs(10);
/// Longest time one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Yahoo answers browsers only.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Gaemi";
/// The hosts that a stand-in takes the place of.
const HOSTS: [&str; 2] = ["query1.finance.yahoo.com", "query2.finance.yahoo.com"];
/// The range that a quote is made of: today and the last good day before it, across holidays.
const QUOTE_RANGE: &str = "1mo";

/// What Yahoo says of a share that it does not know.
const NOT_FOUND: &str = "Not Found";
/// Longest word of an error that is shown, in characters.
const ERROR_LENGTH_MAX: usize = 80;
/// Charts are there.
const CHART_URL: &str = "https://query1.finance.yahoo.com/v8/finance/chart";
/// Searches, news among what they find, are there.
const SEARCH_URL: &str = "https://query2.finance.yahoo.com/v1/finance/search";

/// The connection to Yahoo. The requests are ours, so that no answer can be longer than is good; what the answers mean
/// is read by `yahoo_finance_api`.
pub(super) struct Http {
    client: Client,
    pub(super) gate: Gate,
}

impl Http {
    pub(super) fn new(settings: &YahooSettings) -> Result<Self, ProviderError> {
        let unusable = |error: &dyn std::fmt::Display| ProviderError::Unusable(format!("yahoo: {error}"));
        let mut client = reqwest::Client::builder()
            .https_only(true)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_max_idle_per_host(1);
        if let Some(address) = settings.resolve_to {
            client = HOSTS.iter().fold(client.no_proxy(), |client, host| client.resolve(host, address));
        }
        if let Some(path) = &settings.root_certificate {
            let pem = std::fs::read(path).map_err(|error| {
                unusable(&format!("GAEMI_YAHOO_ROOT_CERTIFICATE {}: {error}", path.display()))
            })?;
            let certificate = reqwest::Certificate::from_pem(&pem).map_err(|error| unusable(&error))?;
            client = client.tls_certs_only([certificate]);
        }
        let client = client.build().map_err(|error| unusable(&error))?;
        let rules = Rules { spacing: CALL_SPACING, patience: TURN_PATIENCE, requests_per_day: None };
        Ok(Self { client, gate: Gate::new(rules) })
    }

    /// The last days of a share.
    pub(super) async fn recent(&self, symbol: Symbol) -> Result<YResponse, ProviderError> {
        self.chart(symbol, &[("interval", "1d"), ("range", QUOTE_RANGE)]).await
    }

    /// The bars of a share between two moments, each as long as `interval` says in Yahoo's words.
    pub(super) async fn between(
        &self,
        symbol: Symbol,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        interval: &str,
    ) -> Result<YResponse, ProviderError> {
        let (from, to) = (from.timestamp().to_string(), to.timestamp().to_string());
        self.chart(symbol, &[("period1", &from), ("period2", &to), ("interval", interval)]).await
    }

    async fn chart(&self, symbol: Symbol, query: &[(&str, &str)]) -> Result<YResponse, ProviderError> {
        let always = [("symbol", symbol.as_str()), ("events", "div|split|capitalGains")];
        let query = query.iter().chain(&always);
        let unknown = ProviderError::UnknownSymbol(symbol);
        let answer: Option<YResponse> = self.ask(&format!("{CHART_URL}/{symbol}"), query.copied()).await?;
        let answer = answer.ok_or(unknown)?;
        let empty = answer.chart.result.as_ref().is_none_or(Vec::is_empty);
        match &answer.chart.error {
            Some(error) if empty && error.code.as_deref() == Some(NOT_FOUND) => {
                Err(ProviderError::UnknownSymbol(symbol))
            }
            Some(error) if empty => {
                let code = error.code.as_deref().unwrap_or("nothing").chars().take(ERROR_LENGTH_MAX);
                Err(ProviderError::Unavailable(format!("it answers {}", code.collect::<String>())))
            }
            _ => Ok(answer),
        }
    }

    /// What Yahoo finds for a text: so many shares, and so many headlines.
    pub(super) async fn search(
        &self,
        text: &str,
        shares: usize,
        headlines: usize,
    ) -> Result<Value, ProviderError> {
        let (shares, headlines) = (shares.to_string(), headlines.to_string());
        let query = [("q", text), ("quotesCount", &shares), ("newsCount", &headlines)];
        Ok(self.ask(SEARCH_URL, query.into_iter()).await?.unwrap_or_default())
    }

    /// Asks once, and lets the gate know how it went; nothing for what is not found there.
    async fn ask<T: DeserializeOwned>(
        &self,
        url: &str,
        query: impl Iterator<Item = (&str, &str)>,
    ) -> Result<Option<T>, ProviderError> {
        self.gate.enter().await?;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let answer = match fetch::read_if_found(self.client.get(format!("{url}?{query}"))).await {
            Ok(Some(body)) => serde_json::from_slice::<Value>(&body)
                .and_then(serde_json::from_value)
                .map(Some)
                .map_err(|_| ProviderError::Unavailable("its answer is unreadable".to_owned())),
            Ok(None) => Ok(None),
            // There are no credentials that somebody could change.
            Err(ProviderError::Refused(_)) => Err(ProviderError::Unavailable("it refuses".to_owned())),
            Err(error) => Err(error),
        };
        self.gate.leave(&answer);
        answer
    }
}

/// Whether an answer holds a quote: what a probe needs to know.
pub(super) fn holds_a_quote(answer: &YResponse, symbol: Symbol) -> Result<(), ProviderError> {
    let quote = parse::bars(answer, symbol).map(|rows| rows.bars.is_empty());
    match quote {
        Ok(false) => Ok(()),
        Ok(true) => Err(ProviderError::Unavailable("its answer holds no price".to_owned())),
        Err(reason) => Err(useless(reason)),
    }
}
