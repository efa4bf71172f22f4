//! Invents prices where no real ones can be had. Every quote says that it is simulated.

mod book;
mod walk;

use super::{Capabilities, HistoryRange, OrderBook, Provider, ProviderError, ProviderReport, Update, Wanted};
use crate::bars::Adjustment;
use crate::cache::Cache;
use crate::grid::{self, UNITS_PER_CURRENCY};
use crate::settings::{Settings, SyntheticSettings};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::{Bar, Market, Quote, Symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
pub use walk::{DAILY_LIMIT_PERCENT, Walk};

/// Its name in settings and quotes.
pub const NAME: &str = "synthetic";

/// The shares it invents prices for, and where their walks begin, in won or dollars.
const SHARES: [(&str, i64); 14] = [
    ("005930.KS", 71_000),
    ("000660.KS", 182_000),
    ("035420.KS", 205_000),
    ("035720.KS", 41_500),
    ("005380.KS", 238_000),
    ("000270.KS", 102_000),
    ("051910.KS", 310_000),
    ("068270.KS", 178_000),
    ("105560.KS", 84_000),
    ("090430.KS", 121_000),
    ("AAPL", 190),
    ("MSFT", 410),
    ("IBM", 170),
    ("GOOG", 165),
];

/// Seoul is so many hours ahead of UTC all year.
const SEOUL_OFFSET: TimeDelta = TimeDelta::hours(9);
/// New York is so many hours behind in winter; an hour's error in summer only moves an invented midnight.
const NEW_YORK_OFFSET: TimeDelta = TimeDelta::hours(-5);

/// What the clock of a market says.
fn local(market: Market, at: DateTime<Utc>) -> NaiveDateTime {
    let offset = match market {
        Market::Krx => SEOUL_OFFSET,
        Market::Us => NEW_YORK_OFFSET,
    };
    (at + offset).naive_utc()
}

/// The provider.
pub struct Synthetic {
    walks: Mutex<BTreeMap<Symbol, Walk>>,
    bases: BTreeMap<Symbol, i64>,
    seed: u64,
    tick: Duration,
    began: Instant,
    began_at: DateTime<Utc>,
}

/// Opens it.
///
/// # Errors
/// None; the signature is every provider's.
pub fn open(settings: &Settings, _: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(Synthetic::new(&settings.synthetic, Utc::now())))
}

impl Synthetic {
    /// Begins inventing; `now` decides which day it is.
    #[must_use]
    pub fn new(settings: &SyntheticSettings, now: DateTime<Utc>) -> Self {
        let share = |(symbol, base): &(&str, i64)| Some((symbol.parse().ok()?, base * UNITS_PER_CURRENCY));
        Self {
            walks: Mutex::default(),
            bases: SHARES.iter().filter_map(share).collect(),
            seed: settings.seed,
            tick: settings.tick,
            began: Instant::now(),
            began_at: now,
        }
    }

    fn steps(&self, elapsed: Duration) -> u64 {
        u64::try_from(elapsed.as_millis() / self.tick.as_millis().max(1)).unwrap_or(u64::MAX)
    }

    fn begins(&self, steps: u64) -> Duration {
        let millis = u64::try_from(self.tick.as_millis()).unwrap_or(u64::MAX).saturating_mul(steps);
        Duration::from_millis(millis)
    }

    fn at(&self, steps: u64) -> DateTime<Utc> {
        let since = TimeDelta::from_std(self.begins(steps)).unwrap_or_default();
        self.began_at.checked_add_signed(since).unwrap_or(self.began_at)
    }

    /// A share's walk, taken to a step and looked at; it is made when it is first asked for.
    fn with_walk<T>(&self, symbol: Symbol, steps: u64, look: impl FnOnce(&Walk) -> T) -> Option<T> {
        let base = *self.bases.get(&symbol)?;
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = walks.entry(symbol).or_insert_with(|| {
            let began = local(symbol.market(), self.began_at);
            Walk::new(symbol, base, self.seed, began, self.tick)
        });
        walk.advance(local(symbol.market(), self.at(steps)));
        Some(look(walk))
    }

    fn quote(&self, symbol: Symbol, steps: u64) -> Option<Quote> {
        let market = symbol.market();
        let session = self.with_walk(symbol, steps, |walk| *walk.session())?;
        Some(Quote {
            symbol,
            price: grid::price(session.price)?,
            bid: grid::price(session.price.saturating_sub(grid::tick_below(market, session.price))),
            ask: grid::price(session.price.saturating_add(grid::tick(market, session.price))),
            previous_close: grid::price(session.previous_close),
            volume: session.volume,
            currency: symbol.currency(),
            session_date: session.date,
            open: grid::price(session.open)?,
            high: grid::price(session.high)?,
            low: grid::price(session.low)?,
            at: self.at(steps),
            source: NAME.to_owned(),
            simulated: true,
            delayed: false,
        })
    }

    async fn send(
        &self,
        symbols: impl Iterator<Item = Symbol>,
        steps: u64,
        updates: &mpsc::Sender<Update>,
    ) -> bool {
        for symbol in symbols {
            if let Some(quote) = self.quote(symbol, steps)
                && updates.send(Update::Quote(Box::new(quote))).await.is_err()
            {
                return false;
            }
        }
        true
    }
}

#[async_trait]
impl Provider for Synthetic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: true,
            delayed: false,
            history: true,
            bid_ask: true,
            order_book: true,
            recorded: false,
            search: false,
            intervals: &[],
            adjustments: &[Adjustment::Raw],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        self.bases.keys().copied().collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        self.bases.contains_key(&symbol)
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        let mut known = BTreeSet::new();
        loop {
            let now = wanted.borrow_and_update().clone();
            let steps = self.steps(self.began.elapsed());
            if !self.send(now.difference(&known).copied(), steps, &updates).await {
                return Ok(());
            }
            known = now.as_ref().clone();
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep_until(self.began + self.begins(steps.saturating_add(1))), if !known.is_empty() => {
                    let steps = self.steps(self.began.elapsed());
                    if !self.send(known.iter().copied(), steps, &updates).await {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        let steps = self.steps(self.began.elapsed());
        let collect = |walk: &Walk| {
            let latest = std::iter::once(walk.session()).chain(walk.past().iter().rev());
            let inside = latest.filter_map(walk::Session::bar).filter(|bar| range.contains(bar.date));
            let mut bars: Vec<_> = inside.take(range.limit).collect();
            bars.reverse();
            bars
        };
        self.with_walk(symbol, steps, collect).ok_or(ProviderError::UnknownSymbol(symbol))
    }

    async fn order_book(&self, symbol: Symbol) -> Result<OrderBook, ProviderError> {
        let steps = self.steps(self.began.elapsed());
        let session = self.with_walk(symbol, steps, |walk| *walk.session());
        let price = session.ok_or(ProviderError::UnknownSymbol(symbol))?.price;
        Ok(book::invent(symbol, price, self.seed, self.at(steps)))
    }

    fn report(&self) -> ProviderReport {
        ProviderReport {
            notes: vec![format!("invents prices from seed {}", self.seed)],
            ..ProviderReport::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synthetic() -> Synthetic {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Synthetic::new(&SyntheticSettings { seed: 1, tick: Duration::from_secs(1) }, now)
    }

    #[test]
    fn every_listed_share_has_a_name_and_a_price_marked_simulated() {
        let synthetic = synthetic();
        assert_eq!(synthetic.instruments().len(), SHARES.len());
        for symbol in synthetic.instruments() {
            let quote = synthetic.quote(symbol, 100).unwrap();
            assert!(quote.simulated && quote.bid.unwrap() < quote.price && quote.price < quote.ask.unwrap());
            assert_eq!(crate::sanity::judge(&quote, None, quote.at), Ok(()), "{symbol}");
            assert_ne!(crate::instruments::describe(symbol, NAME, true).name_korean, symbol.as_str());
        }
    }

    #[tokio::test]
    async fn history_ends_in_the_running_session_and_respects_its_range() {
        let synthetic = synthetic();
        let symbol = "005930.KS".parse().unwrap();
        let quote = synthetic.quote(symbol, 0).unwrap();
        let all = HistoryRange { from: None, to: None, limit: 10_000 };
        let bars = synthetic.history(symbol, all).await.unwrap();
        assert_eq!(bars.last().unwrap().date, quote.session_date);
        assert!(bars.windows(2).all(|pair| pair[0].date < pair[1].date));
        let three = synthetic.history(symbol, HistoryRange { limit: 3, ..all }).await.unwrap();
        assert_eq!(three[..2], bars[bars.len() - 3..bars.len() - 1], "the latest ones win");
        let unknown = synthetic.history("ZZZ".parse().unwrap(), all).await;
        assert_eq!(unknown, Err(ProviderError::UnknownSymbol("ZZZ".parse().unwrap())));
    }
}
