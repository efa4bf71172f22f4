//! Kiwoom's prices of Korean shares: trades and books over its stream at once, last values, charts and lists over REST.
//!
//! An app key has one stream: whoever logs in with the same key throws the other out. So this source has a key of its own, which
//! must be no account's; when it is thrown out all the same it leaves the line to the other for a long time instead of taking
//! it back (decision 146).

mod answer;
mod books;
#[cfg(test)]
mod damaged;
mod parse;
mod rest;
mod shares;
mod stream;
mod token;
mod turns;

use super::gate::Health;
use super::tally::Tally;
use super::{
    Capabilities, HistoryRange, Listing, OrderBook, Provider, ProviderError, ProviderReport, Update, Wanted,
    days_of, useless,
};
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar};
use crate::cache::Cache;
use crate::sanity::Reason;
use crate::settings::{KiwoomSettings, Settings};
use async_trait::async_trait;
use books::Books;
use domain::{Bar, Market, Quote, Symbol};
use rest::Rest;
use shares::Shares;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::{Conversation, Ended};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Its name in settings and quotes.
pub const NAME: &str = "kiwoom";

/// How long the line is left to another program that has logged in with the same key, the first time.
const YIELD_MIN: Duration = Duration::from_secs(15 * 60);
/// How long at most, when that happens again and again.
const YIELD_MAX: Duration = Duration::from_secs(4 * 3_600);
/// A conversation that was left in peace for so long says that the other program is gone.
const PEACE: Duration = Duration::from_secs(3_600);
/// Why the line is left to the other.
const DISPLACED: &str = "another program has logged in to the stream with this app key; is it the key of an account? It is left alone for a while";
/// The share a probe asks for.
const PROBE_SYMBOL: &str = "005930.KS";

/// The provider.
pub struct Kiwoom {
    rest: Rest,
    stream_url: String,
    shares: Shares,
    books: Books,
    /// How long the line was left to another program last.
    yielded: Mutex<Option<Duration>>,
    tally: Tally,
}

/// Prepares it; nothing is asked yet.
///
/// # Errors
/// [`ProviderError::Unusable`] without a key.
pub fn open(settings: &Settings, _: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(Kiwoom::new(&settings.kiwoom)?))
}

/// How long the line is left to another program, after so long the time before.
fn yield_after(before: Option<Duration>) -> Duration {
    before.map_or(YIELD_MIN, |before| (before * 2).min(YIELD_MAX))
}

impl Kiwoom {
    fn new(settings: &KiwoomSettings) -> Result<Self, ProviderError> {
        Ok(Self {
            rest: Rest::new(settings)?,
            stream_url: settings.stream_url.trim_end_matches('/').to_owned(),
            shares: Shares::default(),
            books: Books::default(),
            yielded: Mutex::default(),
            tally: Tally::default(),
        })
    }

    /// Counts something that should have been a price, and tells of it.
    async fn reject(&self, symbol: Symbol, reason: Reason, updates: &mpsc::Sender<Update>) {
        self.tally.reject(reason);
        // Nobody takes it any more: whoever listens ends by itself.
        let _ = updates.send(Update::Rejected { symbol, reason }).await;
    }

    /// Makes sure that a symbol names the right board.
    async fn confirm(&self, symbol: Symbol) -> Result<(), ProviderError> {
        let confirmed = self.shares.confirm(&self.rest, symbol).await;
        self.noted(confirmed)
    }

    /// Remembers a share that does not exist.
    fn noted<T>(&self, answer: Result<T, ProviderError>) -> Result<T, ProviderError> {
        if let Err(ProviderError::UnknownSymbol(symbol)) = &answer {
            self.tally.note_unknown(*symbol);
        }
        answer
    }

    /// The last value of a share, or why what was told is none.
    async fn last_value(&self, symbol: Symbol) -> Result<Result<Quote, Reason>, ProviderError> {
        self.confirm(symbol).await?;
        self.noted(self.rest.last_value(symbol, NAME).await)
    }

    /// Leaves the line to the other program.
    fn yield_line(&self, began: Instant) {
        let mut yielded = self.yielded.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = yield_after(yielded.filter(|_| began.elapsed() < PEACE));
        *yielded = Some(pause);
        self.rest.gate.yield_for(pause, DISPLACED);
    }
}

#[async_trait]
impl Provider for Kiwoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: false,
            delayed: false,
            history: true,
            bid_ask: true,
            order_book: true,
            recorded: false,
            search: true,
            intervals: &Interval::ALL,
            adjustments: &[Adjustment::Raw, Adjustment::Splits],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        crate::instruments::offered().into_iter().filter(|symbol| self.supports(*symbol)).collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        symbol.market() == Market::Krx && !self.tally.is_unknown(symbol)
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        let symbol = PROBE_SYMBOL.parse().map_err(|_| ProviderError::Unsupported("a probe"))?;
        self.rest.listed(symbol).await.map(|_| ())
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        // The line is not taken while nobody wants anything, nor before its rest is over.
        while wanted.wait_for(|wanted| !wanted.is_empty()).await.is_ok() {
            self.rest.gate.rested().await;
            if wanted.borrow().is_empty() {
                continue;
            }
            let began = Instant::now();
            let ended = match Conversation::begin(self).await {
                Ok(conversation) => conversation.listen(wanted.clone(), &updates).await,
                Err(ended) => Err(ended),
            };
            self.books.follow(&BTreeSet::new());
            match ended {
                Ok(()) if updates.is_closed() => break,
                Ok(()) => {}
                Err(Ended::Displaced) => {
                    self.yield_line(began);
                    return Err(ProviderError::Unavailable(DISPLACED.to_owned()));
                }
                Err(Ended::NoToken(error)) => return Err(error),
                Err(Ended::Failed(error)) => {
                    let failed = Err::<(), _>(error.clone());
                    self.rest.gate.leave(&failed);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn quote(&self, symbol: Symbol) -> Result<Quote, ProviderError> {
        self.last_value(symbol).await?.map_err(useless)
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        days_of(self, symbol, range).await
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        self.confirm(request.symbol).await?;
        let (bars, rejected) = self.noted(self.rest.bars(request).await)?;
        rejected.into_iter().for_each(|reason| self.tally.reject(reason));
        self.tally.accept(bars.len());
        Ok(bars)
    }

    async fn order_book(&self, symbol: Symbol) -> Result<OrderBook, ProviderError> {
        if let Some(book) = self.books.get(symbol) {
            return Ok(book);
        }
        self.confirm(symbol).await?;
        let sides = self.noted(self.rest.book(symbol).await)?;
        if sides.is_crossed() {
            return Err(ProviderError::Unavailable("its book is in an auction".to_owned()));
        }
        Ok(self.books.put(symbol, sides, NAME))
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Listing>, ProviderError> {
        self.shares.search(&self.rest, text, limit).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_thrown_out_again_and_again_stays_away_longer_and_longer() {
        let first = yield_after(None);
        assert_eq!(first, YIELD_MIN);
        let third = yield_after(Some(yield_after(Some(first))));
        assert_eq!((third, yield_after(Some(YIELD_MAX))), (4 * YIELD_MIN, YIELD_MAX));
    }
}
