//! Where prices come from.
//!
//! A provider is one folder here and one line in [`registry`]. What it cannot do it says in [`Capabilities`] and
//! refuses with [`ProviderError::Unsupported`]; it never answers with an empty list instead. A symbol is served by the
//! first provider, in the configured order, that supports it.

pub mod alpaca;
pub mod alpha_vantage;
mod fetch;
pub mod gate;
pub mod kiwoom;
pub mod registry;
pub mod replay;
pub mod synthetic;
mod tally;
pub mod yahoo;

use crate::bars::{Adjustment, BarsRequest, CorporateAction, Interval, TimedBar, first_day_for};
use crate::sanity::Reason;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Bar, Currency, Price, Quote, Symbol};
use gate::{Health, RetryClass};
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
    /// It tells who wants to buy and to sell at which prices.
    pub order_book: bool,
    /// Its days are of the past, played as if they were today's.
    pub recorded: bool,
    /// Lengths of the bars that [`Provider::bars`] gives, which are kept in the archive; empty when it gives none.
    pub intervals: &'static [Interval],
    /// How its bars can be counted; the first is what it gives when nothing is said.
    pub adjustments: &'static [Adjustment],
    /// It finds shares by a part of their name or code.
    pub search: bool,
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
    /// The requests it allows in a day are spent.
    #[error("the provider's requests of today are spent")]
    Exhausted,
    /// It does not take our credentials, or they do not allow this.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// It cannot work with these settings or this data.
    #[error("{0}")]
    Unusable(String),
}

impl ProviderError {
    /// What can be done about it.
    #[must_use]
    pub const fn retry_class(&self) -> RetryClass {
        match self {
            Self::UnknownSymbol(_) | Self::Unsupported(_) => RetryClass::Never,
            Self::Unavailable(_) => RetryClass::BackOff,
            Self::Exhausted => RetryClass::NextDay,
            Self::Refused(_) | Self::Unusable(_) => RetryClass::AfterChange,
        }
    }
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

/// The error that an answer of no use comes to.
fn useless(reason: Reason) -> ProviderError {
    ProviderError::Unavailable(format!("its answer is {}", reason.name()))
}

/// How recorded days are to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayCommand {
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// Run at so many percent of the configured pace.
    Speed(u32),
    /// Go on with this recorded day, or the next one there is.
    Seek(NaiveDate),
}

/// How recorded days are played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayState {
    /// Whether it stands still.
    pub paused: bool,
    /// Its pace, in percent of the configured one.
    pub speed_percent: u32,
    /// Days completed since the first one of the play.
    pub sessions_played: u64,
    /// The recorded day of Korean shares.
    pub krx_session: Option<NaiveDate>,
    /// The recorded day of American shares.
    pub us_session: Option<NaiveDate>,
}

/// Shares that are wanted or offered at a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// How many shares.
    pub quantity: u64,
}

/// Days of history out of a provider's own bars: as many as are asked for, up to its market's today.
async fn days_of(
    provider: &dyn Provider,
    symbol: Symbol,
    range: HistoryRange,
) -> Result<Vec<Bar>, ProviderError> {
    let today = exchange::market_day(symbol.market(), Utc::now());
    let to = range.to.unwrap_or(today).min(today);
    let by_limit = first_day_for(symbol, Interval::OneDay, to, range.limit);
    let from = range.from.unwrap_or(by_limit).max(by_limit);
    let request = BarsRequest { symbol, interval: Interval::OneDay, adjustment: Adjustment::Raw, from, to };
    let mut bars: Vec<_> = provider.bars(request).await?.into_iter().map(TimedBar::of_day).collect();
    let surplus = bars.len().saturating_sub(range.limit);
    bars.drain(..surplus);
    Ok(bars)
}

/// Who wants to buy and to sell at which prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderBook {
    /// Of which share.
    pub symbol: Symbol,
    /// Currency of the prices.
    pub currency: Currency,
    /// Wanted, the highest price first.
    pub bids: Vec<Level>,
    /// Offered, the lowest price first.
    pub asks: Vec<Level>,
    /// When it was so.
    pub at: DateTime<Utc>,
    /// Name of the provider.
    pub source: &'static str,
    /// Whether it is invented.
    pub simulated: bool,
}

/// A headline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Headline {
    /// The headline itself.
    pub title: String,
    /// Who says so.
    pub publisher: String,
    /// Where the rest stands; always `https`.
    pub link: String,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// Longest headline or name of a publisher, in characters.
const HEADLINE_LENGTH_MAX: usize = 300;
/// Longest link, in bytes.
const LINK_LENGTH_MAX: usize = 2_048;

/// A vendor's words as they may be shown: cut to a bearable length, without characters that steer a screen or turn the
/// direction of reading.
fn plain(text: &str, length_max: usize) -> String {
    let steers = |character: &char| {
        let turns =
            matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        character.is_control() || turns
    };
    text.trim().chars().filter(|character| !steers(character)).take(length_max).collect()
}

impl Headline {
    /// A headline out of a vendor's words, made fit to be shown; nothing when its link is not one that may be.
    #[must_use]
    pub fn new(title: &str, publisher: &str, link: &str, published_at: DateTime<Utc>) -> Option<Self> {
        let safe = link.starts_with("https://")
            && link.len() <= LINK_LENGTH_MAX
            && link.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>'));
        let title = plain(title, HEADLINE_LENGTH_MAX);
        (safe && !title.trim().is_empty()).then(|| Self {
            title,
            publisher: plain(publisher, HEADLINE_LENGTH_MAX),
            link: link.to_owned(),
            published_at,
        })
    }
}

/// A share that a provider has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its symbol.
    pub symbol: Symbol,
    /// What the provider calls it.
    pub name: String,
}

/// Longest name of a share that a provider tells, in characters.
const NAME_LENGTH_MAX: usize = 80;

impl Listing {
    /// A share under the name that a vendor tells, made fit to be shown, or under its symbol when that is none.
    #[must_use]
    pub fn new(symbol: Symbol, name: &str) -> Self {
        let name = plain(name, NAME_LENGTH_MAX);
        let name = if name.trim().is_empty() { symbol.as_str().to_owned() } else { name };
        Self { symbol, name }
    }
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
    /// The latest price of a share, asked for now, whether it is wanted by anybody or not.
    ///
    /// # Errors
    /// [`ProviderError`]; what was told and is no price is [`ProviderError::Unavailable`].
    async fn quote(&self, symbol: Symbol) -> Result<Quote, ProviderError> {
        let _ = symbol;
        Err(ProviderError::Unsupported("a price by itself"))
    }
    /// Daily bars, oldest first, up to the provider's present; the last may be of the running session.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError>;
    /// Bars of a range of days, for the archive; none where nothing was traded, or further back than it remembers.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        let _ = request;
        Err(ProviderError::Unsupported("bars of this length"))
    }
    /// Who wants to buy and to sell at which prices now.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn order_book(&self, symbol: Symbol) -> Result<OrderBook, ProviderError> {
        let _ = symbol;
        Err(ProviderError::Unsupported("order books"))
    }
    /// The corporate actions of a share, all that it knows, in any order.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn actions(&self, symbol: Symbol) -> Result<Vec<CorporateAction>, ProviderError> {
        let _ = symbol;
        Err(ProviderError::Unsupported("corporate actions"))
    }
    /// Headlines about a share, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn news(&self, symbol: Symbol, limit: usize) -> Result<Vec<Headline>, ProviderError> {
        let _ = (symbol, limit);
        Err(ProviderError::Unsupported("news"))
    }
    /// Shares of our markets that a text may mean, the likeliest first, at most `limit`; none when it knows of none.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Listing>, ProviderError> {
        let _ = (text, limit);
        Err(ProviderError::Unsupported("a search"))
    }
    /// Sets how recorded days are played, and says how they are.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] where nothing is played, and for a day after the record.
    async fn play(&self, command: Option<PlayCommand>) -> Result<PlayState, ProviderError> {
        let _ = command;
        Err(ProviderError::Unsupported("a play"))
    }
    /// How the way to its vendor is; none for one that has all it needs.
    fn health(&self) -> Option<Health> {
        None
    }
    /// Whether it can not be asked now, and another source should be if there is one.
    fn is_resting(&self) -> bool {
        false
    }
    /// Counts for `/status`.
    fn report(&self) -> ProviderReport;
}
