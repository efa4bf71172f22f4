//! Reaching Yahoo: politely, and no longer than it answers.

use super::parse;
use crate::provider::ProviderError;
use crate::provider::gate::{Gate, Rules};
use crate::settings::YahooSettings;
use chrono::{DateTime, Utc};
use domain::Symbol;
use std::time::Duration;
use yahoo_finance_api::time::OffsetDateTime;
use yahoo_finance_api::{YResponse, YSearchResultOpt, YahooConnector, YahooConnectorBuilder, YahooError};

/// Time between two calls. A call may ask twice, so this keeps Yahoo at two requests a second at most.
pub(super) const CALL_SPACING: Duration = Duration::from_secs(1);
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

/// The connection to Yahoo.
pub(super) struct Http {
    connector: YahooConnector,
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
        let connector = YahooConnectorBuilder::build_with_client(client).map_err(|error| unusable(&error))?;
        let rules = Rules { spacing: CALL_SPACING, patience: TURN_PATIENCE, requests_per_day: None };
        Ok(Self { connector, gate: Gate::new(rules) })
    }

    /// The last days of a share.
    pub(super) async fn recent(&self, symbol: Symbol) -> Result<YResponse, ProviderError> {
        self.gate.enter().await?;
        let answer = self.connector.get_quote_range(symbol.as_str(), "1d", QUOTE_RANGE).await;
        self.judge(symbol, answer)
    }

    /// The bars of a share between two moments, each as long as `interval` says in Yahoo's words.
    pub(super) async fn between(
        &self,
        symbol: Symbol,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        interval: &str,
    ) -> Result<YResponse, ProviderError> {
        let moment = |at: DateTime<Utc>| {
            OffsetDateTime::from_unix_timestamp(at.timestamp())
                .map_err(|_| ProviderError::Unsupported("such dates"))
        };
        let (from, to) = (moment(from)?, moment(to)?);
        self.gate.enter().await?;
        let asked = self.connector.get_quote_history_interval(symbol.as_str(), from, to, interval);
        let answer = asked.await;
        self.judge(symbol, answer)
    }

    /// What Yahoo finds for a share, news among it.
    pub(super) async fn search(&self, symbol: Symbol) -> Result<YSearchResultOpt, ProviderError> {
        self.gate.enter().await?;
        let answer = self.connector.search_ticker_opt(symbol.as_str()).await;
        let outcome = answer.map_err(|error| classify(symbol, &error));
        self.gate.leave(&outcome);
        outcome
    }

    /// Sorts an answer by what the caller can do, and lets the gate know.
    fn judge(
        &self,
        symbol: Symbol,
        answer: Result<YResponse, YahooError>,
    ) -> Result<YResponse, ProviderError> {
        let outcome = answer.map_err(|error| classify(symbol, &error));
        self.gate.leave(&outcome);
        outcome
    }
}

fn classify(symbol: Symbol, error: &YahooError) -> ProviderError {
    match error {
        YahooError::FetchFailed(message) if message.starts_with("404") => {
            ProviderError::UnknownSymbol(symbol)
        }
        YahooError::ApiError(message) if message.code.as_deref() == Some("Not Found") => {
            ProviderError::UnknownSymbol(symbol)
        }
        other => ProviderError::Unavailable(other.to_string()),
    }
}

/// Whether an answer holds a quote: what a probe needs to know.
pub(super) fn holds_a_quote(answer: &YResponse, symbol: Symbol) -> Result<(), ProviderError> {
    let quote = parse::bars(answer, symbol).map(|rows| rows.bars.is_empty());
    match quote {
        Ok(false) => Ok(()),
        Ok(true) => Err(ProviderError::Unavailable("its answer holds no price".to_owned())),
        Err(reason) => Err(ProviderError::Unavailable(format!("its answer is {}", reason.name()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_not_found_makes_a_symbol_unknown() {
        let symbol: Symbol = "ZZZ".parse().unwrap();
        let unknown = Err::<(), _>(ProviderError::UnknownSymbol(symbol));
        assert_eq!(Err(classify(symbol, &YahooError::FetchFailed("404, request url: x".into()))), unknown);
        for error in
            [YahooError::TooManyRequests("x".into()), YahooError::EmptyResponse, YahooError::Unauthorized]
        {
            assert!(matches!(classify(symbol, &error), ProviderError::Unavailable(_)));
        }
    }
}
