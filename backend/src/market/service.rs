//! Where prices come from: the memory when it is current, the quote server otherwise.

use super::client::QuoteClient;
use super::directory::{FoundList, MarketHours, OrderBook};
use super::error::MarketError;
use super::stream::{Shared, follow};
use crate::startup::Background;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use domain::quote::Instrument;
use domain::{Currency, Price, Quote, Symbol};
use futures_util::StreamExt;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use utoipa::ToSchema;

/// Most questions asked at once for one list of symbols.
const QUESTIONS_PER_LIST_AT_ONCE: usize = 8;

/// The time that one bar spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum BarInterval {
    /// One minute.
    #[serde(rename = "1m")]
    OneMinute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    QuarterHour,
    /// One hour.
    #[serde(rename = "1h")]
    OneHour,
    /// One trading day.
    #[default]
    #[serde(rename = "1d")]
    OneDay,
}

impl BarInterval {
    /// Its word in questions and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneMinute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::OneHour => "1h",
            Self::OneDay => "1d",
        }
    }
}

/// The prices of one span: of a trading day, or of a shorter one that has its first moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryBar {
    /// The trading day, of daily bars.
    pub date: Option<NaiveDate>,
    /// Its first moment, of shorter bars.
    pub starts_at: Option<DateTime<Utc>>,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

/// Prices of one symbol, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Whose prices.
    pub symbol: Symbol,
    /// Currency of all prices here.
    pub currency: Currency,
    /// Name of the provider.
    pub source: String,
    /// Whether the prices are invented.
    pub simulated: bool,
    /// What each bar spans.
    pub interval: BarInterval,
    /// One per span in which shares were traded.
    pub bars: Vec<HistoryBar>,
}

/// Which days of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryRange {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// Most bars; the latest win.
    pub limit: Option<u32>,
    /// What each bar spans.
    pub interval: BarInterval,
}

/// The prices this process knows.
pub struct Market {
    client: QuoteClient,
    shared: Arc<Shared>,
}

/// The address of the stream beside an HTTP address.
fn stream_url(http_url: &str) -> anyhow::Result<String> {
    let rest = http_url
        .strip_prefix("http")
        .context("the quote server's address must begin with http:// or https://")?;
    Ok(format!("ws{rest}/ws"))
}

/// The request that opens the stream of the quote server at an HTTP address, with the token that it wants to be shown.
///
/// # Errors
/// When the address or the token cannot be used.
pub(crate) fn stream_request(
    http_url: &str,
    token: Option<&SecretString>,
) -> anyhow::Result<ClientRequestBuilder> {
    let request = ClientRequestBuilder::new(stream_url(http_url)?.parse()?);
    Ok(match token {
        Some(token) => request.with_header("authorization", format!("Bearer {}", token.expose_secret())),
        None => request,
    })
}

impl Market {
    /// Starts following the quote server at `url`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn start(url: &str, token: Option<&SecretString>, background: &Background) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let following = follow(stream_request(url, token)?, Arc::clone(&shared), background.stop.clone());
        background.tasks.spawn(following);
        Ok(Self { client: QuoteClient::new(url)?, shared })
    }

    /// The newest price. The symbol is followed from then on.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn quote(&self, symbol: Symbol) -> Result<Arc<Quote>, MarketError> {
        let known = self.shared.memory().current(symbol, Instant::now());
        if let Some(quote) = known {
            return Ok(quote);
        }
        let quote = Arc::new(self.client.quote(symbol).await?);
        if quote.symbol != symbol {
            return Err(MarketError::Unavailable(format!("asked for {symbol}, told {}", quote.symbol)));
        }
        if self.shared.memory().answer(Arc::clone(&quote), Instant::now()) {
            self.shared.changed.notify_one();
        }
        Ok(quote)
    }

    /// The last price known, however old, without asking anybody.
    #[must_use]
    pub fn last_quote(&self, symbol: Symbol) -> Option<Arc<Quote>> {
        self.shared.memory().last(symbol)
    }

    /// The prices of several symbols, to show: where the newest cannot be had, the last one known. Those that were never
    /// quoted are left out.
    pub async fn quotes(&self, symbols: &[Symbol]) -> HashMap<Symbol, Arc<Quote>> {
        let questions = symbols.iter().copied().map(|symbol| async move {
            let quote = self.quote(symbol).await.ok().or_else(|| self.last_quote(symbol));
            quote.map(|quote| (symbol, quote))
        });
        let answers = futures_util::stream::iter(questions).buffer_unordered(QUESTIONS_PER_LIST_AT_ONCE);
        answers.filter_map(std::future::ready).collect().await
    }

    /// Prices of the past.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<History, MarketError> {
        self.client.history(symbol, range).await
    }

    /// What can be quoted.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn symbols(&self) -> Result<Vec<Instrument>, MarketError> {
        self.client.symbols().await
    }

    /// Shares that a text means, the likeliest first.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn search(&self, text: &str, limit: u32) -> Result<FoundList, MarketError> {
        self.client.search(text, limit).await
    }

    /// What every market does now.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn hours(&self) -> Result<Vec<MarketHours>, MarketError> {
        self.client.hours().await
    }

    /// What is wanted and offered.
    ///
    /// # Errors
    /// [`MarketError`], `Unsupported` where the symbol's source has no order books.
    pub async fn order_book(&self, symbol: Symbol) -> Result<OrderBook, MarketError> {
        self.client.order_book(symbol).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_stands_beside_the_http_address() {
        assert_eq!(stream_url("http://127.0.0.1:8001").unwrap(), "ws://127.0.0.1:8001/ws");
        assert_eq!(stream_url("https://quotes.example.com").unwrap(), "wss://quotes.example.com/ws");
        assert!(stream_url("quotes.example.com").is_err());
    }
}
