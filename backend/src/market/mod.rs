//! Prices, as the quote server tells them.
//!
//! Whoever needs a price asks [`Market`]; nobody else in the backend speaks to the quote server.

use crate::error::{ApiError, ErrorCode};
use crate::startup::Background;
use chrono::NaiveDate;
use domain::quote::Instrument;
use domain::{Bar, Currency, Quote, Symbol};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;
use utoipa_actix_web::service_config::ServiceConfig;

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarketError {
    /// No source quotes this symbol.
    #[error("no source quotes {0}")]
    UnknownSymbol(Symbol),
    /// The symbol is known, a current price is not, or the quote server does not answer.
    #[error("there is no current price: {0}")]
    Unavailable(String),
}

impl From<MarketError> for ApiError {
    fn from(error: MarketError) -> Self {
        let code = match error {
            MarketError::UnknownSymbol(_) => ErrorCode::UnknownSymbol,
            MarketError::Unavailable(_) => ErrorCode::PriceUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

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
pub struct Market {}

impl Market {
    /// Starts following the quote server.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn start(_url: &str, _background: &Background) -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// The current price. The symbol is followed from then on.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn quote(&self, symbol: Symbol) -> Result<Arc<Quote>, MarketError> {
        Err(MarketError::UnknownSymbol(symbol))
    }

    /// The last price known, however old, without asking anybody.
    #[must_use]
    pub fn last_quote(&self, _symbol: Symbol) -> Option<Arc<Quote>> {
        None
    }

    /// The current prices of several symbols; those without one are left out.
    pub async fn quotes(&self, _symbols: &[Symbol]) -> HashMap<Symbol, Arc<Quote>> {
        HashMap::new()
    }

    /// Daily prices.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn history(&self, symbol: Symbol, _range: HistoryRange) -> Result<History, MarketError> {
        Err(MarketError::UnknownSymbol(symbol))
    }

    /// What can be quoted.
    ///
    /// # Errors
    /// [`MarketError`]
    pub async fn symbols(&self) -> Result<Vec<Instrument>, MarketError> {
        Ok(Vec::new())
    }
}

/// This module's URLs.
pub fn routes(_config: &mut ServiceConfig<'_>) {}
