//! Alpaca's market data: American shares, from one exchange at once without a contract, from all with one.
//!
//! The last values come over REST when a share is first wanted; after that the stream's trades and quotes change them.
//! When the stream breaks, the next conversation begins with fresh last values, so nothing that was missed stays wrong.

mod msgpack;
mod parse;
mod rest;
mod stream;

use super::gate::Health;
use super::{Capabilities, Headline, HistoryRange, Provider, ProviderError, ProviderReport, Update, Wanted};
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar, first_day_for};
use crate::cache::Cache;
use crate::sanity::Reason;
use crate::settings::{AlpacaSettings, Settings, StreamFormat};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{Bar, Market, Quote, Symbol};
use rest::{Rest, SNAPSHOTS_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use stream::Conversation;
use tokio::sync::{mpsc, watch};

/// Its name in settings and quotes.
pub const NAME: &str = "alpaca";

/// Most symbols remembered as not found.
const UNKNOWN_MAX: usize = 4_096;

/// The provider.
pub struct Alpaca {
    rest: Rest,
    stream_url: String,
    format: StreamFormat,
    delayed: bool,
    unknown: Mutex<BTreeSet<Symbol>>,
    accepted: AtomicU64,
    last_message_at: Mutex<Option<DateTime<Utc>>>,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
}

/// Prepares it; nothing is asked yet.
///
/// # Errors
/// [`ProviderError::Unusable`] without a key.
pub fn open(settings: &Settings, _: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(Alpaca::new(&settings.alpaca)?))
}

impl Alpaca {
    fn new(settings: &AlpacaSettings) -> Result<Self, ProviderError> {
        Ok(Self {
            rest: Rest::new(settings)?,
            stream_url: format!("{}/{}", settings.stream_url.trim_end_matches('/'), settings.feed),
            format: settings.format,
            delayed: settings.feed == "delayed_sip",
            unknown: Mutex::default(),
            accepted: AtomicU64::new(0),
            last_message_at: Mutex::default(),
            rejected: Mutex::default(),
        })
    }

    fn note_accepted(&self, at: DateTime<Utc>) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        *self.last_message_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    fn note_rejected(&self, reason: Reason) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner).entry(reason.name()).or_default() += 1;
    }

    fn note_unknown(&self, symbol: Symbol) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() < UNKNOWN_MAX {
            unknown.insert(symbol);
        }
    }

    /// Asks for the last values of shares, tells them, and gives back those that are good.
    async fn last_values(
        &self,
        symbols: &[Symbol],
        updates: &mpsc::Sender<Update>,
    ) -> Result<Vec<Quote>, ProviderError> {
        let mut good = Vec::new();
        for symbols in symbols.chunks(SNAPSHOTS_MAX) {
            for (symbol, read) in self.rest.snapshots(symbols, NAME, self.delayed).await? {
                let update = match read {
                    None => {
                        self.note_unknown(symbol);
                        continue;
                    }
                    Some(Ok(quote)) => {
                        self.note_accepted(Utc::now());
                        good.push(quote.clone());
                        Update::Quote(Box::new(quote))
                    }
                    Some(Err(reason)) => {
                        self.note_rejected(reason);
                        Update::Rejected { symbol, reason }
                    }
                };
                if updates.send(update).await.is_err() {
                    return Ok(good);
                }
            }
        }
        Ok(good)
    }
}

#[async_trait]
impl Provider for Alpaca {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: false,
            delayed: self.delayed,
            history: true,
            bid_ask: true,
            order_book: false,
            recorded: false,
            intervals: &Interval::ALL,
            adjustments: &Adjustment::EACH,
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        let offered = crate::instruments::offered();
        offered.into_iter().filter(|symbol| self.supports(*symbol)).collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        symbol.market() == Market::Us
            && !self.unknown.lock().unwrap_or_else(PoisonError::into_inner).contains(&symbol)
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        let symbol = "AAPL".parse().map_err(|_| ProviderError::Unsupported("a probe"))?;
        self.rest.snapshots(&[symbol], NAME, self.delayed).await.map(|_| ())
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        // One conversation is allowed at a time, and none is needed while nobody wants anything.
        if wanted.wait_for(|wanted| !wanted.is_empty()).await.is_err() {
            return Ok(());
        }
        let ended = match Conversation::begin(self).await {
            Ok(conversation) => conversation.listen(wanted, &updates).await,
            Err(error) => Err(error),
        };
        // The gate counts only failures here: a conversation that ends well has been quiet, not proof of health.
        if ended.is_err() {
            self.rest.gate.leave(&ended);
        }
        ended
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        let today = exchange::market_day(symbol.market(), Utc::now());
        let to = range.to.unwrap_or(today).min(today);
        let by_limit = first_day_for(symbol, Interval::OneDay, to, range.limit);
        let from = range.from.unwrap_or(by_limit).max(by_limit);
        let request =
            BarsRequest { symbol, interval: Interval::OneDay, adjustment: Adjustment::Raw, from, to };
        let mut bars: Vec<_> = self.bars(request).await?.into_iter().map(TimedBar::of_day).collect();
        let surplus = bars.len().saturating_sub(range.limit);
        bars.drain(..surplus);
        Ok(bars)
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        let (bars, rejected) = self.rest.bars(request).await?;
        rejected.into_iter().for_each(|reason| self.note_rejected(reason));
        self.accepted.fetch_add(u64::try_from(bars.len()).unwrap_or(0), Ordering::Relaxed);
        Ok(bars)
    }

    async fn news(&self, symbol: Symbol, limit: usize) -> Result<Vec<Headline>, ProviderError> {
        self.rest.news(symbol, limit).await
    }

    fn health(&self) -> Option<Health> {
        Some(self.rest.gate.health())
    }

    fn is_resting(&self) -> bool {
        self.rest.gate.is_resting()
    }

    fn report(&self) -> ProviderReport {
        let last = *self.last_message_at.lock().unwrap_or_else(PoisonError::into_inner);
        ProviderReport {
            accepted: self.accepted.load(Ordering::Relaxed),
            rejected: self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            notes: last.map(|at| format!("last value at {}", at.to_rfc3339())).into_iter().collect(),
        }
    }
}
