//! Alpaca's market data: American shares, from one exchange at once without a contract, from all with one.
//!
//! The last values come over REST when a share is first wanted; after that the stream's trades and quotes change them.
//! When the stream breaks, the next conversation begins with fresh last values, so nothing that was missed stays wrong.

mod msgpack;
mod parse;
mod rest;
mod stream;

use super::gate::Health;
use super::tally::Tally;
use super::{
    Capabilities, Headline, HistoryRange, Provider, ProviderError, ProviderReport, Update, Wanted, days_of,
    useless,
};
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar};
use crate::cache::Cache;
use crate::settings::{AlpacaSettings, Settings, StreamFormat};
use async_trait::async_trait;
use domain::{Bar, Market, Quote, Symbol};
use rest::{Rest, SNAPSHOTS_MAX};
use std::sync::Arc;
use stream::Conversation;
use tokio::sync::{mpsc, watch};

/// Its name in settings and quotes.
pub const NAME: &str = "alpaca";

/// The provider.
pub struct Alpaca {
    rest: Rest,
    stream_url: String,
    format: StreamFormat,
    delayed: bool,
    tally: Tally,
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
            tally: Tally::default(),
        })
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
                        self.tally.note_unknown(symbol);
                        continue;
                    }
                    Some(Ok(quote)) => {
                        self.tally.accept_value();
                        good.push(quote.clone());
                        Update::Quote(Box::new(quote))
                    }
                    Some(Err(reason)) => {
                        self.tally.reject(reason);
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
            search: false,
            intervals: &Interval::ALL,
            adjustments: &Adjustment::EACH,
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        let offered = crate::instruments::offered();
        offered.into_iter().filter(|symbol| self.supports(*symbol)).collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        symbol.market() == Market::Us && !self.tally.is_unknown(symbol)
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
        while wanted.wait_for(|wanted| !wanted.is_empty()).await.is_ok() {
            let ended = match Conversation::begin(self).await {
                Ok(conversation) => conversation.listen(wanted.clone(), &updates).await,
                Err(error) => Err(error),
            };
            // The gate counts only failures here: a conversation that ends well has been quiet, not proof of health.
            if ended.is_err() {
                self.rest.gate.leave(&ended);
            }
            ended?;
            if updates.is_closed() {
                break;
            }
        }
        Ok(())
    }

    async fn quote(&self, symbol: Symbol) -> Result<Quote, ProviderError> {
        let told = self.rest.snapshots(&[symbol], NAME, self.delayed).await?;
        let read = told.into_iter().find_map(|(_, read)| read);
        read.ok_or(ProviderError::UnknownSymbol(symbol))?.map_err(useless)
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        days_of(self, symbol, range).await
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        let (bars, rejected) = self.rest.bars(request).await?;
        rejected.into_iter().for_each(|reason| self.tally.reject(reason));
        self.tally.accept(bars.len());
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
        self.tally.report(Vec::new())
    }
}
