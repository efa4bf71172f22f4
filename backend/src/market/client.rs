//! Questions to the quote server over HTTP.

use super::directory::{FoundList, MarketHours, OrderBook};
use super::error::MarketError;
use super::service::{History, HistoryRange};
use crate::http::client_for;
use domain::quote::Instrument;
use domain::{Quote, Symbol};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest time to open a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);
/// Longest time for a whole answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);
/// Most bytes of an answer: five thousand bars are a quarter of it.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most questions at once.
const QUESTIONS_AT_ONCE: usize = 32;
/// Idle connections kept.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// The quote server, asked over HTTP.
pub(super) struct QuoteClient {
    http: Client,
    base_url: String,
    turns: Semaphore,
}

#[derive(Deserialize)]
struct SymbolList {
    symbols: Vec<Instrument>,
}

#[derive(Deserialize)]
struct Calendar {
    markets: Vec<MarketHours>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
}

fn unavailable(cause: impl ToString) -> MarketError {
    MarketError::Unavailable(cause.to_string())
}

impl QuoteClient {
    pub(super) fn new(base_url: &str) -> anyhow::Result<Self> {
        let http = client_for(base_url)
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base_url: base_url.to_owned(), turns: Semaphore::new(QUESTIONS_AT_ONCE) })
    }

    pub(super) async fn quote(&self, symbol: Symbol) -> Result<Quote, MarketError> {
        let response = self.ask(&format!("/quote/{symbol}"), &[]).await?;
        read(response, Some(symbol)).await
    }

    pub(super) async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<History, MarketError> {
        let mut query = Vec::new();
        query.extend(range.from.map(|day| ("from", day.to_string())));
        query.extend(range.to.map(|day| ("to", day.to_string())));
        query.extend(range.limit.map(|limit| ("limit", limit.to_string())));
        query.push(("interval", range.interval.name().to_owned()));
        let response = self.ask(&format!("/history/{symbol}"), &query).await?;
        read(response, Some(symbol)).await
    }

    pub(super) async fn symbols(&self) -> Result<Vec<Instrument>, MarketError> {
        let response = self.ask("/symbols", &[]).await?;
        read::<SymbolList>(response, None).await.map(|list| list.symbols)
    }

    pub(super) async fn search(&self, text: &str, limit: u32) -> Result<FoundList, MarketError> {
        let query = [("q", text.to_owned()), ("limit", limit.to_string())];
        let response = self.ask("/search", &query).await?;
        read(response, None).await
    }

    pub(super) async fn hours(&self) -> Result<Vec<MarketHours>, MarketError> {
        let response = self.ask("/calendar", &[]).await?;
        read::<Calendar>(response, None).await.map(|calendar| calendar.markets)
    }

    pub(super) async fn order_book(&self, symbol: Symbol) -> Result<OrderBook, MarketError> {
        let response = self.ask(&format!("/orderbook/{symbol}"), &[]).await?;
        read(response, Some(symbol)).await
    }

    async fn ask(&self, path: &str, query: &[(&str, String)]) -> Result<Response, MarketError> {
        let turn = tokio::time::timeout(ANSWER_TIME_MAX, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| unavailable("too many questions at once"))?.map_err(unavailable)?;
        let mut url = format!("{}{path}", self.base_url);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&serde_urlencoded::to_string(query).map_err(unavailable)?);
        }
        self.http.get(url).send().await.map_err(unavailable)
    }
}

async fn read<T: DeserializeOwned>(mut response: Response, symbol: Option<Symbol>) -> Result<T, MarketError> {
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(unavailable("the quote server's answer is too long"));
        }
        bytes.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return serde_json::from_slice(&bytes).map_err(unavailable);
    }
    let code = serde_json::from_slice(&bytes).map(|refusal: Refusal| refusal.code).unwrap_or_default();
    Err(refusal(status, &code, symbol))
}

fn refusal(status: StatusCode, code: &str, symbol: Option<Symbol>) -> MarketError {
    match (symbol, code) {
        (Some(symbol), "unknown_symbol" | "invalid_symbol") => MarketError::UnknownSymbol(symbol),
        (Some(symbol), "unsupported") => MarketError::Unsupported(symbol),
        _ => unavailable(format_args!("the quote server answered {status} {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_quote_servers_own_word_makes_a_symbol_unknown() {
        let symbol: Symbol = "AAPL".parse().unwrap();
        let unknown = refusal(StatusCode::NOT_FOUND, "unknown_symbol", Some(symbol));
        assert_eq!(unknown, MarketError::UnknownSymbol(symbol));
        let unsupported = refusal(StatusCode::NOT_IMPLEMENTED, "unsupported", Some(symbol));
        assert_eq!(unsupported, MarketError::Unsupported(symbol));
        for (status, code) in [(StatusCode::NOT_FOUND, ""), (StatusCode::SERVICE_UNAVAILABLE, "no_price_yet")]
        {
            assert!(
                matches!(refusal(status, code, Some(symbol)), MarketError::Unavailable(_)),
                "{status} {code}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_unavailable() {
        let client = QuoteClient::new("http://127.0.0.1:1").unwrap();
        assert!(matches!(client.quote("AAPL".parse().unwrap()).await, Err(MarketError::Unavailable(_))));
    }
}
