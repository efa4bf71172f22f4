//! Where prices come from: the memory when it is current, the quote server otherwise.

use super::client::QuoteClient;
use super::error::MarketError;
use super::stream::{Shared, follow};
use crate::startup::Background;
use anyhow::Context;
use chrono::NaiveDate;
use domain::quote::Instrument;
use domain::{Bar, Currency, Quote, Symbol};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Most questions asked at once for one list of symbols.
const QUESTIONS_PER_LIST_AT_ONCE: usize = 8;

/// Daily prices of one symbol, oldest first.
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
    /// Always `1d`.
    pub interval: String,
    /// One per trading day.
    pub bars: Vec<Bar>,
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
}

/// The prices this process knows.
pub struct Market {
    client: QuoteClient,
    shared: Arc<Shared>,
}

/// The address of the stream beside an HTTP address.
pub(crate) fn stream_url(http_url: &str) -> anyhow::Result<String> {
    let rest = http_url
        .strip_prefix("http")
        .context("the quote server's address must begin with http:// or https://")?;
    Ok(format!("ws{rest}/ws"))
}

impl Market {
    /// Starts following the quote server at `url`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn start(url: &str, background: &Background) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let following = follow(stream_url(url)?, Arc::clone(&shared), background.stop.clone());
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
        let questions = symbols.iter().map(|symbol| async move {
            let quote = self.quote(*symbol).await.ok().or_else(|| self.last_quote(*symbol));
            quote.map(|quote| (*symbol, quote))
        });
        let answers = futures_util::stream::iter(questions).buffer_unordered(QUESTIONS_PER_LIST_AT_ONCE);
        answers.filter_map(std::future::ready).collect().await
    }

    /// Daily prices.
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
