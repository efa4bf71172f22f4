//! Alpha Vantage: American shares, late, and 25 requests a day without a contract.
//!
//! The ration decides everything: a share is asked for once an hour while somebody wants it, history goes into the
//! archive, and when the day's requests are spent nobody is asked until tomorrow.

mod parse;

use super::fetch;
use super::gate::{Gate, Health, Rules};
use super::tally::Tally;
use super::{
    Capabilities, HistoryRange, Listing, Provider, ProviderError, ProviderReport, Update, Wanted, days_of,
    useless,
};
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar, first_day_for};
use crate::cache::Cache;
use crate::sanity::Reason;
use crate::settings::{AlphaVantageSettings, Settings};
use async_trait::async_trait;
use chrono::Utc;
use domain::{Bar, Market, Quote, Symbol};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Its name in settings and quotes.
pub const NAME: &str = "alpha_vantage";

/// Time between two requests: bursts are refused.
const SPACING: Duration = Duration::from_millis(1_500);
/// A caller that would have to wait longer for its turn is refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// A share is asked for at most this often.
const POLL_INTERVAL: Duration = Duration::from_secs(3_600);
/// How often it is looked which share is due.
const POLL_REVIEW: Duration = Duration::from_secs(1);
/// Days that the short answer about a share's past has.
const SHORT_ANSWER_SESSIONS: usize = 95;
/// How long Redis remembers what was spent of a day.
const SPENT_LIFETIME: Duration = Duration::from_secs(2 * 86_400);

/// The provider.
pub struct AlphaVantage {
    client: Client,
    url: String,
    key: SecretString,
    gate: Gate,
    cache: Arc<Cache>,
    tally: Tally,
}

/// Prepares it; nothing is asked yet.
///
/// # Errors
/// [`ProviderError::Unusable`] without a key.
pub fn open(settings: &Settings, cache: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(AlphaVantage::new(&settings.alpha_vantage, cache)?))
}

impl AlphaVantage {
    fn new(settings: &AlphaVantageSettings, cache: &Arc<Cache>) -> Result<Self, ProviderError> {
        let key = settings.key.clone().ok_or_else(|| {
            ProviderError::Unusable("provider alpha_vantage needs GAEMI_ALPHA_VANTAGE_KEY".to_owned())
        })?;
        Ok(Self {
            client: fetch::client()?,
            url: settings.url.trim_end_matches('/').to_owned(),
            key,
            gate: Gate::new(Rules {
                spacing: SPACING,
                patience: PATIENCE,
                requests_per_day: Some(settings.requests_per_day),
            }),
            cache: Arc::clone(cache),
            tally: Tally::default(),
        })
    }

    /// Asks for a function of a share.
    async fn ask(
        &self,
        function: &str,
        symbol: Symbol,
        more: &[(&str, &str)],
    ) -> Result<serde_json::Value, ProviderError> {
        let query: Vec<_> = [("function", function), ("symbol", symbol.as_str())]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let answer = self.request(&query, Some(symbol)).await;
        if let Err(ProviderError::UnknownSymbol(symbol)) = &answer {
            self.tally.note_unknown(*symbol);
        }
        answer
    }

    /// Spends one request of the ration.
    async fn request(
        &self,
        query: &[(&str, &str)],
        symbol: Option<Symbol>,
    ) -> Result<serde_json::Value, ProviderError> {
        self.gate.enter().await?;
        self.note_spent().await;
        let key = ("apikey", self.key.expose_secret());
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query.iter().copied().chain([key]))
            .finish();
        let request = self.client.get(format!("{}/query?{query}", self.url));
        let answer = fetch::read(request).await.and_then(|body| parse::answer(&body, symbol));
        self.gate.leave(&answer);
        answer
    }

    /// The ration is the vendor's, whatever becomes of this process: Redis remembers what was spent of a day, by all
    /// servers that share it.
    async fn note_spent(&self) {
        let today = Utc::now().date_naive();
        let spent = self.cache.count(&format!("spent:{NAME}:{today}"), 1, SPENT_LIFETIME).await;
        if let Some(spent) = spent {
            self.gate.note_spent(today, spent);
        }
    }

    /// Recalls what was spent of today before this process began.
    async fn recall_spent(&self) {
        let today = Utc::now().date_naive();
        let spent = self.cache.recall(&format!("spent:{NAME}:{today}")).await;
        if let Some(spent) = spent.and_then(|spent| spent.parse().ok()) {
            self.gate.note_spent(today, spent);
        }
    }

    async fn ask_quote(&self, symbol: Symbol) -> Result<Result<Quote, Reason>, ProviderError> {
        let answer = self.ask("GLOBAL_QUOTE", symbol, &[]).await?;
        Ok(parse::quote(&answer, symbol, NAME, Utc::now()))
    }

    async fn poll(&self, symbol: Symbol) -> Option<Update> {
        let read = self.ask_quote(symbol).await;
        match read.inspect_err(|error| tracing::debug!(%symbol, %error, "no quote")).ok()? {
            Ok(quote) => {
                self.tally.accept(1);
                Some(Update::Quote(Box::new(quote)))
            }
            Err(reason) => {
                self.tally.reject(reason);
                Some(Update::Rejected { symbol, reason })
            }
        }
    }
}

#[async_trait]
impl Provider for AlphaVantage {
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
            intervals: &[Interval::OneDay],
            adjustments: &[Adjustment::Raw],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        Vec::new()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        symbol.market() == Market::Us && !self.tally.is_unknown(symbol)
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        // Asking costs one of few requests; the first real question will tell.
        Ok(())
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        self.recall_spent().await;
        let mut asked: BTreeMap<Symbol, Instant> = BTreeMap::new();
        loop {
            let now = wanted.borrow_and_update().clone();
            let due = |symbol: &&Symbol| asked.get(symbol).is_none_or(|at| at.elapsed() >= POLL_INTERVAL);
            let symbol = if self.gate.is_resting() { None } else { now.iter().find(due).copied() };
            let Some(symbol) = symbol else {
                tokio::select! {
                    changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                    () = tokio::time::sleep(POLL_REVIEW), if !now.is_empty() => {}
                }
                continue;
            };
            let update = self.poll(symbol).await;
            if update.is_some() {
                // Who leaves and comes back within the hour costs no second request.
                asked.retain(|_, at| at.elapsed() < POLL_INTERVAL);
                asked.insert(symbol, Instant::now());
            }
            if let Some(update) = update
                && updates.send(update).await.is_err()
            {
                return Ok(());
            }
            if wanted.has_changed().is_err() {
                return Ok(());
            }
        }
    }

    async fn quote(&self, symbol: Symbol) -> Result<Quote, ProviderError> {
        self.ask_quote(symbol).await?.map_err(useless)
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        days_of(self, symbol, range).await
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        if request.interval != Interval::OneDay || request.adjustment != Adjustment::Raw {
            return Err(ProviderError::Unsupported("such bars"));
        }
        let today = exchange::market_day(request.symbol.market(), Utc::now());
        let recent = first_day_for(request.symbol, Interval::OneDay, today, SHORT_ANSWER_SESSIONS / 2);
        let size = if request.from >= recent { "compact" } else { "full" };
        let answer = self.ask("TIME_SERIES_DAILY", request.symbol, &[("outputsize", size)]).await?;
        let rows = parse::daily(&answer).map_err(useless)?;
        rows.rejected.iter().for_each(|reason| self.tally.reject(*reason));
        self.tally.accept(rows.bars.len());
        let mut bars = rows.bars;
        bars.retain(|bar| (request.from..=request.to).contains(&bar.starts_at.date_naive()));
        Ok(bars)
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Listing>, ProviderError> {
        let answer = self.request(&[("function", "SYMBOL_SEARCH"), ("keywords", text)], None).await?;
        parse::listings(&answer, limit).map_err(useless)
    }

    fn health(&self) -> Option<Health> {
        Some(self.gate.health())
    }

    fn is_resting(&self) -> bool {
        self.gate.is_resting()
    }

    fn report(&self) -> ProviderReport {
        self.tally.report(Vec::new())
    }
}
