//! Yahoo Finance: live prices, some fifteen minutes late, by a service that promises nothing.
//!
//! It is asked rarely, refused rows never become prices, and everything else goes on when it is silent.

mod bars;
mod http;
mod parse;

use super::gate::Health;
use super::tally::Tally;
use super::{
    Capabilities, Headline, HistoryRange, Listing, Provider, ProviderError, ProviderReport, Update, Wanted,
    useless,
};
use crate::bars::{Adjustment, BarsRequest, CorporateAction, Interval, TimedBar};
use crate::cache::Cache;
use crate::instruments;
use crate::sanity::Reason;
use crate::settings::{Settings, YahooSettings};
use async_trait::async_trait;
use chrono::{Days, NaiveDate, TimeDelta, Utc};
use domain::{Bar, Quote, Symbol};
use http::Http;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Its name in settings and quotes.
pub const NAME: &str = "yahoo";

/// A share is asked for at most this often: the prices are late anyway.
const POLL_INTERVAL: Duration = Duration::from_secs(15);
/// How often it is looked which share is due.
const POLL_REVIEW: Duration = Duration::from_millis(250);
/// How long fetched history serves further requests.
const HISTORY_LIFETIME: Duration = Duration::from_secs(300);
/// Most answers of history kept in this process.
const HISTORIES_MAX: usize = 64;
/// Furthest day back that is asked for.
const YEARS_BACK_MAX: u64 = 60;
/// The share a probe asks for.
const PROBE_SYMBOL: &str = "AAPL";

type Histories = HashMap<String, (Instant, Arc<Vec<Bar>>)>;

/// The provider.
pub struct Yahoo {
    http: Http,
    cache: Arc<Cache>,
    histories: Mutex<Histories>,
    tally: Tally,
}

/// Prepares it; nothing is asked yet.
///
/// # Errors
/// [`ProviderError::Unusable`] for a certificate that cannot be read.
pub fn open(settings: &Settings, cache: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(Yahoo::new(&settings.yahoo, Arc::clone(cache))?))
}

impl Yahoo {
    /// Prepares it.
    ///
    /// # Errors
    /// [`ProviderError::Unusable`] for a certificate that cannot be read.
    pub fn new(settings: &YahooSettings, cache: Arc<Cache>) -> Result<Self, ProviderError> {
        Ok(Self { http: Http::new(settings)?, cache, histories: Mutex::default(), tally: Tally::default() })
    }

    /// Asks for a quote. Nothing comes of it while Yahoo is given a rest.
    async fn poll(&self, symbol: Symbol) -> Option<Result<Quote, Reason>> {
        match self.http.recent(symbol).await {
            Ok(answer) => Some(parse::quote(&answer, symbol, NAME)),
            Err(ProviderError::UnknownSymbol(symbol)) => {
                self.tally.note_unknown(symbol);
                None
            }
            Err(error) => {
                tracing::debug!(%symbol, %error, "no quote from yahoo");
                None
            }
        }
    }

    async fn fetch_history(
        &self,
        symbol: Symbol,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Arc<Vec<Bar>>, ProviderError> {
        let name = format!("history:{NAME}:{symbol}:{from}:{to}");
        if let Some(bars) = self.known_history(&name) {
            return Ok(bars);
        }
        if let Some(bars) = self.cache.recall(&name).await.and_then(|text| serde_json::from_str(&text).ok()) {
            return Ok(self.keep_history(name, bars));
        }
        // A day of margin on both sides: the exchange's day is not UTC's.
        let begin = from.checked_sub_days(Days::new(1)).unwrap_or(from).and_time(chrono::NaiveTime::MIN);
        let end = to.checked_add_days(Days::new(2)).unwrap_or(to).and_time(chrono::NaiveTime::MIN);
        let answer = self.http.between(symbol, begin.and_utc(), end.and_utc(), "1d").await;
        let answer = answer.inspect_err(|error| {
            if let ProviderError::UnknownSymbol(symbol) = error {
                self.tally.note_unknown(*symbol);
            }
        })?;
        let rows = parse::bars(&answer, symbol).map_err(useless)?;
        rows.rejected.iter().for_each(|reason| self.tally.reject(*reason));
        self.tally.accept(rows.bars.len());
        if let Ok(text) = serde_json::to_string(&rows.bars) {
            self.cache.keep(&name, &text, HISTORY_LIFETIME).await;
        }
        Ok(self.keep_history(name, rows.bars))
    }

    fn known_history(&self, name: &str) -> Option<Arc<Vec<Bar>>> {
        let histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        histories.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, bars)| Arc::clone(bars))
    }

    fn keep_history(&self, name: String, bars: Vec<Bar>) -> Arc<Vec<Bar>> {
        let bars = Arc::new(bars);
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        histories.retain(|_, (until, _)| *until > now);
        if histories.len() < HISTORIES_MAX {
            histories.insert(name, (now + HISTORY_LIFETIME, Arc::clone(&bars)));
        }
        bars
    }
}

#[async_trait]
impl Provider for Yahoo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: false,
            delayed: true,
            history: true,
            bid_ask: false,
            order_book: false,
            recorded: false,
            search: true,
            intervals: &Interval::ALL,
            adjustments: &[Adjustment::Splits, Adjustment::All],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        instruments::offered().into_iter().filter(|symbol| self.supports(*symbol)).collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        !self.tally.is_unknown(symbol)
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        let symbol = PROBE_SYMBOL.parse().map_err(|_| ProviderError::Unsupported("a probe"))?;
        let answer = self.http.recent(symbol).await?;
        http::holds_a_quote(&answer, symbol)
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        let mut asked: BTreeMap<Symbol, Instant> = BTreeMap::new();
        loop {
            let now = wanted.borrow_and_update().clone();
            asked.retain(|symbol, _| now.contains(symbol));
            let Some(symbol) = most_overdue(&now, &asked) else {
                tokio::select! {
                    changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                    () = tokio::time::sleep(POLL_REVIEW), if !now.is_empty() => {}
                }
                continue;
            };
            let outcome = self.poll(symbol).await;
            asked.insert(symbol, Instant::now());
            let update = match outcome {
                None => continue,
                Some(Ok(quote)) => {
                    self.tally.accept(1);
                    Update::Quote(Box::new(quote))
                }
                Some(Err(reason)) => {
                    self.tally.reject(reason);
                    Update::Rejected { symbol, reason }
                }
            };
            if updates.send(update).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn quote(&self, symbol: Symbol) -> Result<Quote, ProviderError> {
        let answer = self.http.recent(symbol).await?;
        parse::quote(&answer, symbol, NAME).map_err(useless)
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        let today = Utc::now().date_naive();
        let to = range.to.unwrap_or(today).min(today.checked_add_days(Days::new(1)).unwrap_or(today));
        // Two trading days out of three calendar days, and some weeks for the holidays.
        let days = u64::try_from(range.limit).unwrap_or(u64::MAX / 3).saturating_mul(3) / 2 + 30;
        let by_limit = to.checked_sub_days(Days::new(days)).unwrap_or(to);
        let earliest = to.checked_sub_days(Days::new(YEARS_BACK_MAX * 366)).unwrap_or(to);
        let from = range.from.unwrap_or(by_limit).max(by_limit).max(earliest).min(to);
        let bars = self.fetch_history(symbol, from, to).await?;
        let mut inside: Vec<_> =
            bars.iter().rev().filter(|bar| range.contains(bar.date)).take(range.limit).cloned().collect();
        inside.reverse();
        Ok(inside)
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        self.fetch_bars(request).await
    }

    async fn actions(&self, symbol: Symbol) -> Result<Vec<CorporateAction>, ProviderError> {
        let now = Utc::now();
        let begin = now - TimeDelta::days(i64::try_from(YEARS_BACK_MAX * 366).unwrap_or(0));
        // They come with the bars, of which as few as possible are asked for.
        let answer = self.http.between(symbol, begin, now, "3mo").await?;
        parse::actions(&answer, symbol).map_err(useless)
    }

    async fn news(&self, symbol: Symbol, limit: usize) -> Result<Vec<Headline>, ProviderError> {
        let found = self.http.search(symbol.as_str(), 0, limit).await?;
        Ok(parse::news(&found, limit))
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Listing>, ProviderError> {
        let found = self.http.search(text, limit, 0).await?;
        let listings = parse::listings(&found, limit);
        listings.map_err(useless)
    }

    fn health(&self) -> Option<Health> {
        Some(self.http.gate.health())
    }

    fn is_resting(&self) -> bool {
        self.http.gate.is_resting()
    }

    fn report(&self) -> ProviderReport {
        self.tally.report(Vec::new())
    }
}

/// The wanted share that was never asked for, or longest ago and long enough.
fn most_overdue(wanted: &BTreeSet<Symbol>, asked: &BTreeMap<Symbol, Instant>) -> Option<Symbol> {
    let due = |symbol: &&Symbol| asked.get(symbol).is_none_or(|at| at.elapsed() >= POLL_INTERVAL);
    wanted.iter().filter(due).min_by_key(|symbol| asked.get(symbol)).copied()
}
