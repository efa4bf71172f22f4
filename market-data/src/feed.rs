//! Runs the providers and leads what they say to the hub.

use crate::bars::Archive;
use crate::cache::Cache;
use crate::group::Group;
use crate::hub::Hub;
use crate::provider::gate::Health;
use crate::provider::{Provider, UPDATES_QUEUED_MAX, Update, Wanted};
use crate::recorder::Recorder;
use crate::wakers::{Wakers, pace_of};
use crate::witness::WITNESS_PATIENCE;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Market, Quote, Symbol};
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often it is looked whether what is wanted, or who serves it, has changed by time alone.
const REVIEW_INTERVAL: Duration = Duration::from_secs(1);
/// Pause before a provider that stopped is started again, at first.
const RESTART_PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest such pause.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Most updates that are taken before their followers are woken.
const BATCH_MAX: usize = 128;
/// How often running minutes and order books are told.
const TELL_INTERVAL: Duration = Duration::from_secs(1);
/// How often minutes that are over are written for sources that have none to give.
const RECORD_INTERVAL: Duration = Duration::from_secs(5);
/// A quote from the cache older than this is not given to anybody.
const CACHED_QUOTE_AGE_MAX: TimeDelta = TimeDelta::hours(24);

/// Most doubted prices about which other sources are asked at once.
const QUESTIONS_MAX: usize = 8;

/// What another source tells of a share, if anything.
type Told = (Symbol, Option<Quote>);

/// The providers in use and their way to the hub.
pub(crate) struct Feed {
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    /// For each market, the places of its providers, the preferred one first.
    pub(crate) chains: Vec<(Market, Vec<usize>)>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) cache: Arc<Cache>,
    /// Where bars are kept, when there is a database.
    pub(crate) archive: Option<Arc<Archive>>,
    /// Minutes of sources that have none to give.
    pub(crate) recorder: Mutex<Recorder>,
    /// The other servers, when there are some.
    pub(crate) group: Option<Arc<Group>>,
}

impl Feed {
    /// The providers of a market, the preferred one first.
    pub(crate) fn chain(&self, market: Market) -> impl Iterator<Item = &Arc<dyn Provider>> {
        let places = self.chains.iter().filter(move |(of, _)| *of == market).flat_map(|(_, places)| places);
        places.filter_map(|place| self.providers.get(*place))
    }

    /// The provider that serves a symbol: the first that supports it, or while that one rests the next that can stand in
    /// for it.
    pub(crate) fn provider_of(&self, symbol: Symbol) -> Option<&Arc<dyn Provider>> {
        let mut able = self.chain(symbol.market()).filter(|provider| provider.supports(symbol));
        let first = able.next()?;
        if !first.is_resting() {
            return Some(first);
        }
        able.find(|other| !other.is_resting() && can_stand_in(first.as_ref(), other.as_ref())).or(Some(first))
    }

    /// Takes over the last values of an earlier process, each from the provider that would serve it now.
    pub(crate) async fn recall(&self) {
        let now = Utc::now();
        for quote in self.cache.quotes().await {
            let same_source =
                self.provider_of(quote.symbol).is_some_and(|provider| provider.name() == quote.source);
            if same_source && now.signed_duration_since(quote.at) <= CACHED_QUOTE_AGE_MAX {
                self.hub.remember(quote, now);
            }
        }
    }

    /// Starts everything; it ends when `stop` is called.
    pub(crate) fn start(self: &Arc<Self>, tasks: &TaskTracker, stop: &CancellationToken) {
        let (updates, received) = mpsc::channel(UPDATES_QUEUED_MAX);
        let mut wanted_by = Vec::new();
        for provider in &self.providers {
            let (wanted, receiver) = watch::channel(Wanted::default());
            wanted_by.push(wanted);
            tasks.spawn(keep_running(Arc::clone(provider), receiver, updates.clone(), stop.clone()));
        }
        let feed = Arc::clone(self);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { feed.route(wanted_by).await }));
        let feed = Arc::clone(self);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { feed.deliver(received).await }));
        let feed = Arc::clone(self);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { feed.tell().await }));
        if let Some(archive) = self.archive.clone() {
            let feed = Arc::clone(self);
            let record = async move { feed.record().await };
            tasks.spawn(stop.clone().run_until_cancelled_owned(record));
            tasks.spawn(stop.clone().run_until_cancelled_owned(async move { archive.forget_old().await }));
        }
        let (cache, stop) = (Arc::clone(&self.cache), stop.clone());
        tasks.spawn(async move { cache.write_behind(stop).await });
    }

    /// Whether prices are taken in here, and not by another server.
    pub(crate) fn ingests(&self) -> bool {
        self.group.as_ref().is_none_or(|group| group.role().ingests())
    }

    /// What is wanted, shared out among the providers; what none of them has is refused.
    async fn share_out(&self, wanted: BTreeSet<Symbol>) -> Vec<BTreeSet<Symbol>> {
        let mut shares: Vec<BTreeSet<Symbol>> = self.providers.iter().map(|_| BTreeSet::new()).collect();
        for symbol in wanted {
            let serving = self.provider_of(symbol);
            let place = |serving| self.providers.iter().position(|known| Arc::ptr_eq(known, serving));
            match serving.and_then(place) {
                Some(place) => shares.iter_mut().skip(place).take(1).for_each(|share| {
                    share.insert(symbol);
                }),
                None => {
                    self.hub.refuse(symbol);
                    if let Some(group) = &self.group {
                        group.refuse(symbol).await;
                    }
                }
            }
        }
        shares
    }

    /// Tells each provider which symbols are wanted from it, or the server that asks them.
    async fn route(&self, wanted_by: Vec<watch::Sender<Wanted>>) {
        loop {
            let by_others = self.group.as_ref().map(|group| group.others_want()).unwrap_or_default();
            let wanted = self.hub.wanted(Instant::now(), &by_others);
            let shares = if self.ingests() {
                self.share_out(wanted).await
            } else {
                if let Some(group) = &self.group {
                    group.want(wanted).await;
                }
                self.share_out(BTreeSet::new()).await
            };
            for (sender, share) in wanted_by.iter().zip(shares) {
                sender.send_if_modified(|current| {
                    let changed = **current != share;
                    if changed {
                        *current = Arc::new(share);
                    }
                    changed
                });
            }
            tokio::select! {
                () = self.hub.wanted_changed.notified() => {}
                () = tokio::time::sleep(REVIEW_INTERVAL) => {}
            }
        }
    }

    /// Takes what has come together, and then wakes everybody whom it concerns and whose time has come: what came together
    /// leaves together.
    async fn deliver(&self, mut updates: mpsc::Receiver<Update>) {
        let (mut batch, mut wakers) = (Vec::new(), Wakers::paced(Instant::now()));
        let mut questions: FuturesUnordered<BoxFuture<'_, Told>> = FuturesUnordered::new();
        loop {
            let due = wakers.next_due();
            let mut told = None;
            tokio::select! {
                answer = questions.next(), if !questions.is_empty() => told = answer,
                count = updates.recv_many(&mut batch, BATCH_MAX) => if count == 0 { return },
                () = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
            }
            wakers.begin(Instant::now(), pace_of(self.hub.counters.connections.load(Ordering::Relaxed)));
            let (now, ingests) = (Utc::now(), self.ingests());
            for update in batch.drain(..).filter(|_| ingests) {
                let doubted = self.take(update, now, &mut wakers);
                let room = questions.len() < QUESTIONS_MAX;
                questions.extend(doubted.filter(|_| room).and_then(|doubted| self.question(&doubted)));
            }
            if let Some((symbol, quote)) = told.filter(|_| ingests) {
                let believed = self.hub.hear(symbol, quote, now, &mut wakers);
                believed.iter().for_each(|quote| self.note_believed(quote));
            }
            wakers.wake();
        }
    }

    /// Takes an update in; the quote when it is one that another source may know better about.
    fn take(&self, update: Update, now: DateTime<Utc>, wakers: &mut Wakers) -> Option<Quote> {
        match update {
            Update::Quote(quote) => match self.hub.offer(*quote, now, wakers) {
                Ok(quote) => self.note_believed(&quote),
                Err(refused) if refused.reason.may_be_confirmed() => return Some(refused.quote),
                Err(_) => {}
            },
            Update::Rejected { symbol, reason } => self.hub.quarantine.put(symbol, reason, None, None),
        }
        None
    }

    fn note_believed(&self, quote: &Arc<Quote>) {
        self.cache.remember(quote);
        if self.archive.is_some() {
            self.recorder().take(quote);
        }
    }

    /// Asks another real source of the market about a doubted price, if there is one to be asked now.
    fn question(&self, doubted: &Quote) -> Option<BoxFuture<'_, Told>> {
        let symbol = doubted.symbol;
        let source = self.providers.iter().find(|provider| provider.name() == doubted.source)?;
        let may_be_asked = |other: &&Arc<dyn Provider>| {
            other.name() != source.name()
                && other.supports(symbol)
                && !other.is_resting()
                && other.health().as_ref().is_none_or(Health::has_to_spare)
                && can_stand_in(source.as_ref(), other.as_ref())
        };
        let witness = self.chain(symbol.market()).find(may_be_asked)?;
        self.hub.ask(witness.name(), doubted, Utc::now()).then(|| -> BoxFuture<'_, Told> {
            Box::pin(async move {
                let told = timeout(WITNESS_PATIENCE, witness.quote(symbol)).await;
                (symbol, told.ok().and_then(Result::ok))
            })
        })
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes minutes that are over.
    async fn record(&self) {
        let Some(archive) = &self.archive else { return };
        loop {
            tokio::time::sleep(RECORD_INTERVAL).await;
            let over = self.recorder().over(Utc::now());
            if let Err(error) = archive.record(&over).await {
                tracing::debug!(%error, minutes = over.len(), "minutes wait for the database");
                self.recorder().put_back(over);
            }
        }
    }

    /// Tells those who follow bars and order books what has changed.
    async fn tell(&self) {
        let mut clock = tokio::time::interval(TELL_INTERVAL);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            self.hub.tell_minutes(Utc::now());
            let wanted = self.hub.books_wanted();
            let asked = wanted.into_iter().map(|symbol| async move {
                let book = self.provider_of(symbol)?.order_book(symbol);
                timeout(TELL_INTERVAL, book).await.ok()?.ok()
            });
            // All at once: a source that has to be asked over the network keeps nobody waiting for the others.
            join_all(asked).await.into_iter().flatten().for_each(|book| self.hub.offer_book(book));
        }
    }
}

/// Whether prices of one source may take the place of another's: only those of a market of today may. A recorded or an
/// invented price in the place of a real one would be taken for it.
fn can_stand_in(first: &dyn Provider, other: &dyn Provider) -> bool {
    let real = |provider: &dyn Provider| {
        let capabilities = provider.capabilities();
        !capabilities.simulated && !capabilities.recorded
    };
    real(first) && real(other)
}

/// Runs one provider, and again after a pause when it fails.
async fn keep_running(
    provider: Arc<dyn Provider>,
    wanted: watch::Receiver<Wanted>,
    updates: mpsc::Sender<Update>,
    stop: CancellationToken,
) {
    let mut pause = RESTART_PAUSE_MIN;
    loop {
        let began = Instant::now();
        let run = provider.run(wanted.clone(), updates.clone());
        match stop.run_until_cancelled(run).await {
            None | Some(Ok(())) => return,
            Some(Err(error)) => {
                tracing::warn!(provider = provider.name(), %error, "provider stopped; it is started again");
            }
        }
        pause = if began.elapsed() > RESTART_PAUSE_MAX {
            RESTART_PAUSE_MIN
        } else {
            (pause * 2).min(RESTART_PAUSE_MAX)
        };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
