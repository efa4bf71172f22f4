//! Where prices come from.
//!
//! A provider is one folder here and one line in [`registry`]. What it cannot do it says in [`Capabilities`] and
//! refuses with [`ProviderError::Unsupported`]; it never answers with an empty list instead. A symbol is served by the
//! first provider, in the configured order, that supports it.

pub mod registry;
pub mod replay;
pub mod synthetic;
pub mod yahoo;

use crate::sanity::Reason;
use async_trait::async_trait;
use chrono::NaiveDate;
use domain::{Bar, Quote, Symbol};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

/// Most updates waiting between the providers and the hub; a provider waits when they are this many.
pub const UPDATES_QUEUED_MAX: usize = 4_096;

/// What a provider can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Its prices are invented.
    pub simulated: bool,
    /// Its prices are held back, or recorded ones.
    pub delayed: bool,
    /// It has daily bars of the past.
    pub history: bool,
    /// It has bid and ask.
    pub bid_ask: bool,
}

/// Why a provider did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// It has no such share.
    #[error("the provider does not know {0}")]
    UnknownSymbol(Symbol),
    /// It never can do this.
    #[error("the provider does not offer {0}")]
    Unsupported(&'static str),
    /// Not now; asking later may help.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// It cannot work with these settings or this data.
    #[error("{0}")]
    Unusable(String),
}

/// What a provider says while it runs.
#[derive(Debug, Clone)]
pub enum Update {
    /// A price, not judged yet.
    Quote(Box<Quote>),
    /// Something that should have been a price and cannot be one.
    Rejected {
        /// Of which share.
        symbol: Symbol,
        /// Why.
        reason: Reason,
    },
}

/// Days of history asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// First day, or as far back as there is.
    pub from: Option<NaiveDate>,
    /// Last day, or the provider's present.
    pub to: Option<NaiveDate>,
    /// At most so many bars, the latest ones.
    pub limit: usize,
}

impl HistoryRange {
    /// Whether a day belongs to the range.
    #[must_use]
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

/// What a provider says about itself in `/status`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderReport {
    /// Rows or answers it has taken.
    pub accepted: u64,
    /// Rows or answers it has kept back, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Anything else worth knowing.
    pub notes: Vec<String>,
}

/// The symbols that somebody wants from a provider now.
pub type Wanted = Arc<BTreeSet<Symbol>>;

/// A source of prices.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in settings, quotes and `/status`.
    fn name(&self) -> &'static str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// The shares it offers to a person who has not asked for one.
    fn instruments(&self) -> Vec<Symbol>;
    /// Whether it serves a symbol, as far as it knows.
    fn supports(&self, symbol: Symbol) -> bool;
    /// Whether it can be reached.
    ///
    /// # Errors
    /// Why not.
    async fn probe(&self) -> Result<(), ProviderError>;
    /// Sends quotes of the wanted symbols, of a newly wanted one at once, until `updates` or `wanted` is closed.
    ///
    /// # Errors
    /// Why it had to stop; it is started again after a pause.
    async fn run(
        &self,
        wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError>;
    /// Daily bars, oldest first, up to the provider's present; the last may be of the running session.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError>;
    /// Counts for `/status`.
    fn report(&self) -> ProviderReport;
}
