//! The middle of the server: the last value of every symbol, who wants which, and the one place where a quote is
//! turned into text.

use crate::mailbox::Mailbox;
use crate::sanity::{self, Reason, SPIKE_CONFIRMATIONS};
use chrono::{DateTime, Utc};
use domain::market_data::{SYMBOLS_PER_CONNECTION_MAX, ServerNotice, write_quote};
use domain::{Price, Quote, Symbol};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Most symbols whose last value is kept, wanted or not.
pub const LAST_VALUES_MAX: usize = 4_096;
/// Most different symbols that all clients together may want.
pub const WANTED_SYMBOLS_MAX: usize = 2_048;
/// Most quotes kept back that are shown.
const KEPT_BACK_SHOWN_MAX: usize = 32;
/// How long a symbol stays wanted after somebody asked for its quote over REST.
pub const INTEREST: Duration = Duration::from_secs(60);

/// A value that is only a memory is given to a subscriber when nothing fresh has come for this long: who trades on
/// what arrives first must not get the price of an hour ago an instant before today's.
pub const MEMORY_DELAY: Duration = Duration::from_secs(2);

/// The last known value of a symbol.
struct Last {
    quote: Arc<Quote>,
    frame: Utf8Bytes,
    /// Whether newer values keep coming; otherwise it is a memory, given only to those who would get nothing.
    fresh: bool,
    spikes_in_a_row: u32,
}

impl Last {
    fn of(quote: Arc<Quote>, fresh: bool) -> Self {
        Self { frame: write_quote(&quote).into(), quote, fresh, spikes_in_a_row: 0 }
    }
}

#[derive(Default)]
struct State {
    last: HashMap<Symbol, Last>,
    subscribers: HashMap<Symbol, Vec<Arc<Mailbox>>>,
    interest: HashMap<Symbol, Instant>,
    /// Subscribers who have got nothing yet, though there is a memory; never more than there are subscriptions.
    unserved: Vec<(Instant, Symbol, Arc<Mailbox>)>,
}

/// Counts for `/status`.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) conflated: AtomicU64,
    pub(crate) connections: AtomicUsize,
    quarantine: Mutex<Quarantine>,
}

/// What was kept back: never sent, but shown.
#[derive(Default)]
struct Quarantine {
    counts: BTreeMap<Reason, u64>,
    recent: VecDeque<KeptBack>,
}

/// A quote that was kept back, for `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptBack {
    symbol: Symbol,
    reason: &'static str,
    price: Option<Price>,
    source: Option<String>,
    quoted_at: Option<DateTime<Utc>>,
    kept_back_at: DateTime<Utc>,
}

/// Why a symbol could not be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscribeError {
    /// This connection has its fill.
    ConnectionFull,
    /// All connections together have theirs.
    ServerFull,
}

/// See the module.
#[derive(Default)]
pub struct Hub {
    state: Mutex<State>,
    pub(crate) counters: Counters,
    /// Somebody wants something new, or something no longer.
    pub(crate) wanted_changed: Notify,
    arrived: Notify,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a quote; a good one is written once and put into every subscriber's mailbox.
    pub(crate) fn offer(&self, quote: Quote, now: DateTime<Utc>) -> Option<Arc<Quote>> {
        let mut state = self.state();
        let known = state.last.get_mut(&quote.symbol);
        if let Err(reason) = sanity::judge(&quote, known.as_ref().map(|last| last.quote.as_ref()), now) {
            let spikes = known.map_or(0, |known| {
                let insists = reason.may_be_confirmed();
                known.spikes_in_a_row = if insists { known.spikes_in_a_row.saturating_add(1) } else { 0 };
                known.spikes_in_a_row
            });
            if !reason.may_be_confirmed() || spikes < SPIKE_CONFIRMATIONS {
                drop(state);
                self.quarantine(quote.symbol, reason, Some(&quote));
                return None;
            }
        }
        let symbol = quote.symbol;
        let last = Last::of(Arc::new(quote), true);
        let (quote, frame) = (Arc::clone(&last.quote), last.frame.clone());
        if state.last.len() >= LAST_VALUES_MAX && !state.last.contains_key(&symbol) {
            state.last.retain(|_, last| last.fresh);
        }
        state.last.insert(symbol, last);
        let mut conflated = 0;
        for mailbox in state.subscribers.get(&symbol).into_iter().flatten() {
            conflated += u64::from(mailbox.put_quote(symbol, frame.clone()));
        }
        drop(state);
        self.counters.published.fetch_add(1, Ordering::Relaxed);
        self.counters.conflated.fetch_add(conflated, Ordering::Relaxed);
        self.arrived.notify_waiters();
        Some(quote)
    }

    /// Counts something that was kept back, and remembers it for a while.
    pub(crate) fn quarantine(&self, symbol: Symbol, reason: Reason, quote: Option<&Quote>) {
        tracing::debug!(%symbol, reason = reason.name(), "quote kept back");
        let mut quarantine = self.counters.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        *quarantine.counts.entry(reason).or_default() += 1;
        if quarantine.recent.len() >= KEPT_BACK_SHOWN_MAX {
            quarantine.recent.pop_front();
        }
        quarantine.recent.push_back(KeptBack {
            symbol,
            reason: reason.name(),
            price: quote.map(|quote| quote.price),
            source: quote.map(|quote| quote.source.clone()),
            quoted_at: quote.map(|quote| quote.at),
            kept_back_at: Utc::now(),
        });
    }

    /// What was kept back last, the oldest first.
    pub(crate) fn kept_back(&self) -> Vec<KeptBack> {
        let quarantine = self.counters.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        quarantine.recent.iter().cloned().collect()
    }

    /// What was kept back, by reason.
    pub(crate) fn quarantined(&self) -> BTreeMap<&'static str, u64> {
        let quarantine = self.counters.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        quarantine.counts.iter().map(|(reason, count)| (reason.name(), *count)).collect()
    }

    /// Takes a value from an earlier life; it never replaces a newer one and is not fresh.
    pub(crate) fn remember(&self, quote: Quote, now: DateTime<Utc>) {
        let mut state = self.state();
        if state.last.len() < LAST_VALUES_MAX
            && !state.last.contains_key(&quote.symbol)
            && sanity::judge(&quote, None, now).is_ok()
        {
            state.last.insert(quote.symbol, Last::of(Arc::new(quote), false));
        }
    }

    /// Subscribes a mailbox; the last known value is put into it at once.
    pub(crate) fn subscribe(&self, mailbox: &Arc<Mailbox>, symbol: Symbol) -> Result<(), SubscribeError> {
        let mut state = self.state();
        if state.subscribers.len() >= WANTED_SYMBOLS_MAX && !state.subscribers.contains_key(&symbol) {
            return Err(SubscribeError::ServerFull);
        }
        if !mailbox.add(symbol, SYMBOLS_PER_CONNECTION_MAX) {
            return Err(SubscribeError::ConnectionFull);
        }
        let subscribers = state.subscribers.entry(symbol).or_default();
        if !subscribers.iter().any(|known| Arc::ptr_eq(known, mailbox)) {
            subscribers.push(Arc::clone(mailbox));
        }
        match state.last.get(&symbol) {
            Some(last) if last.fresh => _ = mailbox.put_quote(symbol, last.frame.clone()),
            Some(_) => state.unserved.push((Instant::now() + MEMORY_DELAY, symbol, Arc::clone(mailbox))),
            None => {}
        }
        drop(state);
        self.wanted_changed.notify_one();
        Ok(())
    }

    /// Undoes [`Self::subscribe`].
    pub(crate) fn unsubscribe(&self, mailbox: &Arc<Mailbox>, symbols: &[Symbol]) {
        let mut state = self.state();
        state
            .unserved
            .retain(|(_, symbol, known)| !(Arc::ptr_eq(known, mailbox) && symbols.contains(symbol)));
        for symbol in symbols {
            mailbox.remove(*symbol);
            if let Some(subscribers) = state.subscribers.get_mut(symbol) {
                subscribers.retain(|known| !Arc::ptr_eq(known, mailbox));
                if subscribers.is_empty() {
                    state.subscribers.remove(symbol);
                }
            }
        }
        drop(state);
        self.wanted_changed.notify_one();
    }

    /// Tells everybody who wants a symbol that it does not exist after all, and forgets that they want it.
    pub(crate) fn refuse(&self, symbol: Symbol) {
        let mut state = self.state();
        state.interest.remove(&symbol);
        let subscribers = state.subscribers.remove(&symbol).unwrap_or_default();
        drop(state);
        for mailbox in subscribers {
            mailbox.remove(symbol);
            mailbox.put_notice(notice(&unknown_symbol(symbol.as_str())));
        }
    }

    /// What is wanted now. The last values of what is not wanted any more become memories, and memories are given to
    /// those who have waited for something better in vain.
    pub(crate) fn wanted(&self, now: Instant) -> BTreeSet<Symbol> {
        let mut state = self.state();
        let State { last, subscribers, interest, unserved } = &mut *state;
        interest.retain(|_, until| *until > now);
        let wanted: BTreeSet<_> = subscribers.keys().chain(interest.keys()).copied().collect();
        for (symbol, last) in last.iter_mut() {
            last.fresh &= wanted.contains(symbol);
        }
        for (_, symbol, mailbox) in unserved.extract_if(.., |(due, ..)| *due <= now) {
            if let Some(memory) = last.get(&symbol).filter(|last| !last.fresh) {
                mailbox.put_quote(symbol, memory.frame.clone());
            }
        }
        wanted
    }

    /// How many symbols are subscribed.
    pub(crate) fn subscribed_symbols(&self) -> usize {
        self.state().subscribers.len()
    }

    /// A fresh quote, waited for when there is none yet; after `patience` the last known one, if any.
    pub(crate) async fn quote(&self, symbol: Symbol, patience: Duration) -> Option<Arc<Quote>> {
        let deadline = Instant::now() + patience;
        self.note_interest(symbol);
        loop {
            let arrival = self.arrived.notified();
            tokio::pin!(arrival);
            arrival.as_mut().enable();
            if let Some(last) = self.state().last.get(&symbol).filter(|last| last.fresh) {
                return Some(Arc::clone(&last.quote));
            }
            if tokio::time::timeout_at(deadline, arrival).await.is_err() {
                return self.state().last.get(&symbol).map(|last| Arc::clone(&last.quote));
            }
        }
    }

    /// The last known value, fresh or not.
    pub(crate) fn last(&self, symbol: Symbol) -> Option<Arc<Quote>> {
        self.state().last.get(&symbol).map(|last| Arc::clone(&last.quote))
    }

    /// The last known values in the order of their symbols, and whether each is fresh.
    pub(crate) fn all_last(&self, most: usize) -> Vec<(Arc<Quote>, bool)> {
        let mut all: Vec<_> =
            self.state().last.values().map(|last| (Arc::clone(&last.quote), last.fresh)).collect();
        all.sort_by_key(|(quote, _)| quote.symbol);
        all.truncate(most);
        all
    }

    fn note_interest(&self, symbol: Symbol) {
        let mut state = self.state();
        if state.interest.len() < WANTED_SYMBOLS_MAX || state.interest.contains_key(&symbol) {
            let before = state.interest.insert(symbol, Instant::now() + INTEREST);
            drop(state);
            if before.is_none() {
                self.wanted_changed.notify_one();
            }
        }
    }
}

/// A notice as a frame.
pub(crate) fn notice(notice: &ServerNotice) -> Utf8Bytes {
    serde_json::to_string(notice).unwrap_or_default().into()
}

/// The notice that a symbol does not exist here.
pub(crate) fn unknown_symbol(symbol: &str) -> ServerNotice {
    ServerNotice::Error {
        code: "unknown_symbol".to_owned(),
        message: format!("no provider in use knows {symbol}"),
        symbol: Some(symbol.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanity::tests::{now, price, quote};
    use chrono::TimeDelta;

    fn waiting(mailbox: &Mailbox) -> Vec<String> {
        let taken = futures_util::FutureExt::now_or_never(mailbox.take()).flatten().unwrap_or_default();
        taken.iter().map(|frame| frame.as_str().to_owned()).collect()
    }

    fn subscriber(hub: &Hub) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::default());
        hub.subscribe(&mailbox, quote().symbol).unwrap();
        mailbox
    }

    #[test]
    fn all_subscribers_share_one_text() {
        let hub = Hub::default();
        let (one, other) = (subscriber(&hub), subscriber(&hub));
        hub.offer(quote(), now()).unwrap();
        let take =
            |mailbox: &Mailbox| futures_util::FutureExt::now_or_never(mailbox.take()).flatten().unwrap();
        let (one, other) = (take(&one), take(&other));
        assert_eq!(one[0].as_str().as_ptr(), other[0].as_str().as_ptr(), "written once");
    }

    #[test]
    fn what_is_kept_back_is_counted_and_never_sent() {
        let hub = Hub::default();
        let mailbox = subscriber(&hub);
        assert!(hub.offer(Quote { volume: 0, ..quote() }, now()).is_none());
        assert!(hub.offer(Quote { at: now() + TimeDelta::hours(1), ..quote() }, now()).is_none());
        assert!(waiting(&mailbox).is_empty());
        assert_eq!(hub.quarantined(), BTreeMap::from([("halted_day", 1), ("future", 1)]));
        let shown: Vec<_> = hub.kept_back().into_iter().map(|kept| (kept.reason, kept.price)).collect();
        assert_eq!(shown, [("halted_day", Some(price("150"))), ("future", Some(price("150")))]);
    }

    #[test]
    fn a_spike_is_believed_when_the_source_insists() {
        let hub = Hub::default();
        hub.offer(quote(), now()).unwrap();
        let spike = Quote { price: price("75"), low: price("70"), ..quote() };
        assert!(hub.offer(spike.clone(), now()).is_none());
        assert!(hub.offer(quote(), now()).is_some(), "back to the old price: it was none");
        assert!((1..SPIKE_CONFIRMATIONS).all(|_| hub.offer(spike.clone(), now()).is_none()));
        assert!(hub.offer(spike, now()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_memory_is_given_only_when_nothing_fresh_comes() {
        let hub = Hub::default();
        hub.remember(quote(), now());
        let patient = subscriber(&hub);
        hub.wanted(Instant::now());
        assert!(waiting(&patient).is_empty(), "a fresh price may be on its way");
        tokio::time::advance(MEMORY_DELAY).await;
        hub.wanted(Instant::now());
        assert_eq!(waiting(&patient).len(), 1);

        let lucky = subscriber(&hub);
        hub.offer(Quote { price: price("150.5"), ..quote() }, now()).unwrap();
        tokio::time::advance(MEMORY_DELAY).await;
        hub.wanted(Instant::now());
        let frames = waiting(&lucky);
        assert!(frames.len() == 1 && frames[0].contains("150.5"), "{frames:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn interest_over_rest_passes_and_the_value_becomes_a_memory() {
        let hub = Hub::default();
        assert!(hub.quote(quote().symbol, Duration::from_secs(1)).await.is_none());
        assert_eq!(hub.wanted(Instant::now()).len(), 1);
        hub.offer(quote(), now()).unwrap();
        assert_eq!(hub.quote(quote().symbol, Duration::ZERO).await.as_deref(), Some(&quote()));
        tokio::time::advance(INTEREST + Duration::from_secs(1)).await;
        assert!(hub.wanted(Instant::now()).is_empty());
        assert!(hub.state().last.values().all(|last| !last.fresh));
    }

    #[test]
    fn a_symbol_that_turns_out_unknown_is_taken_back_with_a_word() {
        let hub = Hub::default();
        let mailbox = subscriber(&hub);
        hub.refuse(quote().symbol);
        assert!(mailbox.subscribed().is_empty() && hub.subscribed_symbols() == 0);
        assert!(waiting(&mailbox)[0].contains("unknown_symbol"));
    }

    #[test]
    fn who_leaves_leaves_nothing_behind() {
        let hub = Hub::default();
        hub.remember(quote(), now());
        let mailbox = subscriber(&hub);
        hub.unsubscribe(&mailbox, &mailbox.subscribed());
        assert_eq!(Arc::strong_count(&mailbox), 1);
        assert_eq!(hub.subscribed_symbols(), 0);
    }
}
