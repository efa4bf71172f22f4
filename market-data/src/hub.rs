//! The middle of the server: the last value of every symbol, who wants which, and the one place where a quote is
//! turned into text: once for each channel that somebody follows, however many they are.

mod judging;

use crate::frame::Frame;
use crate::mailbox::{Mailbox, Topic, put_into_all};
use crate::minute::Running;
use crate::provider::OrderBook;
use crate::quarantine::Quarantine;
use crate::sanity;
use crate::wakers::Wakers;
use crate::witness::Witnesses;
use chrono::{DateTime, Utc};
use domain::market_data::{
    Channel, Place, SYMBOLS_PER_CONNECTION_MAX, ServerNotice, write_quote_at, write_tick,
};
use domain::{Quote, Symbol};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most symbols whose last value is kept, wanted or not.
pub const LAST_VALUES_MAX: usize = 4_096;
/// Most different topics that all clients together may want.
pub const WANTED_TOPICS_MAX: usize = 2_048;
/// How long a symbol stays wanted after somebody asked for its quote over REST.
pub const INTEREST: Duration = Duration::from_secs(60);

/// A value that is only a memory is given to a subscriber when nothing fresh has come for this long: who trades on
/// what arrives first must not get the price of an hour ago an instant before today's.
pub const MEMORY_DELAY: Duration = Duration::from_secs(2);

/// The last known value of a symbol.
struct Last {
    quote: Arc<Quote>,
    sequence: u64,
    /// Whether newer values keep coming; otherwise it is a memory, given only to those who would get nothing.
    fresh: bool,
    spikes_in_a_row: u32,
    running: Running,
}

impl Last {
    /// The value in a channel's words, for somebody who has just subscribed.
    fn snapshot(&self, channel: Channel) -> Option<Frame> {
        let place = Place { sequence: self.sequence, snapshot: true };
        let text = match channel {
            Channel::Quotes => write_quote_at(&self.quote, place),
            Channel::Ticks => write_tick(&self.quote, place),
            Channel::Bars => {
                let (minute, is_final) = self.running.minute();
                minute.write(&self.quote, is_final, Place { sequence: self.running.sequence, ..place })
            }
            Channel::OrderBook => return None,
        };
        Some(Frame::text(&text))
    }
}

/// The last known order book of a share that somebody follows.
struct LastBook {
    book: OrderBook,
    sequence: u64,
}

#[derive(Default)]
struct State {
    last: HashMap<Symbol, Last>,
    books: HashMap<Symbol, LastBook>,
    subscribers: HashMap<Topic, Vec<Arc<Mailbox>>>,
    interest: HashMap<Symbol, Instant>,
    /// Subscribers who have got nothing yet, though there is a memory; never more than there are subscriptions.
    unserved: Vec<(Instant, Topic, Arc<Mailbox>)>,
    /// Gets every quote, for other servers.
    tap: Option<Arc<Mailbox>>,
}

impl State {
    /// Puts a text into the mailboxes of everybody who follows a topic, if anybody does; how many older messages made
    /// place.
    fn publish(&self, topic: Topic, wakers: &mut Wakers, write: impl FnOnce() -> String) -> usize {
        let Some(mailboxes) = self.subscribers.get(&topic) else { return 0 };
        put_into_all(mailboxes, topic, &Frame::text(&write()), wakers)
    }
}

/// Counts for `/status`.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) conflated: AtomicU64,
    pub(crate) connections: AtomicUsize,
}

impl Counters {
    fn note_conflated(&self, count: usize) {
        self.conflated.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Why a topic could not be subscribed.
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
    /// Numbers begin here: above whatever an earlier process has given, unless its clock was ahead.
    first_sequence: AtomicU64,
    pub(crate) counters: Counters,
    pub(crate) quarantine: Quarantine,
    pub(crate) witnesses: Witnesses,
    /// Somebody wants something new, or something no longer.
    pub(crate) wanted_changed: Notify,
    arrived: Notify,
}

impl Hub {
    /// Knows nothing yet; `now` decides where its numbers begin.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        let hub = Self::default();
        hub.begin_numbers(now);
        hub
    }

    /// Lets numbers begin anew, above those that another server may have given before this one took over.
    pub(crate) fn begin_numbers(&self, now: DateTime<Utc>) {
        self.first_sequence.store(u64::try_from(now.timestamp_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    fn first_sequence(&self) -> u64 {
        self.first_sequence.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a quote that another server has judged and written, and passes its text on as it is. What is not newer than
    /// what is known is left out.
    pub(crate) fn accept(&self, quote: Quote, place: Place, text: &str) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        let is_news = state.last.get(&quote.symbol).is_none_or(|last| {
            place.sequence > last.sequence || (!last.fresh && place.sequence == last.sequence)
        });
        if is_news {
            let conflated = take_in(&mut state, &Arc::new(quote), place.sequence, Some(text), &mut wakers);
            drop(state);
            self.note_published(conflated);
            wakers.wake();
        }
    }

    fn note_published(&self, conflated: usize) {
        self.counters.published.fetch_add(1, Ordering::Relaxed);
        self.counters.note_conflated(conflated);
        self.arrived.notify_waiters();
    }

    /// From now on another server gives the numbers: whatever it tells is newer than what is known.
    pub(crate) fn forget_numbers(&self) {
        for last in self.state().last.values_mut() {
            (last.sequence, last.fresh) = (0, false);
        }
    }

    /// Sets who gets every quote for other servers.
    pub(crate) fn tap(&self, mailbox: Option<&Arc<Mailbox>>) {
        self.state().tap = mailbox.cloned();
    }

    /// Tells other servers the last values of shares that they have not followed before.
    pub(crate) fn tell_tap(&self, symbols: &BTreeSet<Symbol>) {
        let mut wakers = Wakers::default();
        let state = self.state();
        for symbol in symbols {
            let last = state.last.get(symbol).filter(|last| last.fresh);
            let frame = last.and_then(|last| last.snapshot(Channel::Quotes));
            if let (Some(tap), Some(frame)) = (&state.tap, frame) {
                tap.put(Topic { channel: Channel::Quotes, symbol: *symbol }, frame, &mut wakers);
            }
        }
        drop(state);
        wakers.wake();
    }

    /// Takes a value from an earlier life; it never replaces a newer one and is not fresh.
    pub(crate) fn remember(&self, quote: Quote, now: DateTime<Utc>) {
        let mut state = self.state();
        if state.last.len() < LAST_VALUES_MAX
            && !state.last.contains_key(&quote.symbol)
            && sanity::judge(&quote, None, now).is_ok()
        {
            let running = Running::begin(&quote, None, self.first_sequence());
            let (symbol, quote) = (quote.symbol, Arc::new(quote));
            let last =
                Last { quote, sequence: self.first_sequence(), fresh: false, spikes_in_a_row: 0, running };
            state.last.insert(symbol, last);
        }
    }

    /// Tells the minutes that have changed or are over to those who follow bars.
    pub(crate) fn tell_minutes(&self, now: DateTime<Utc>) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        let State { last, subscribers, .. } = &mut *state;
        let mut conflated = 0;
        for (topic, mailboxes) in subscribers.iter().filter(|(topic, _)| topic.channel == Channel::Bars) {
            let Some(last) = last.get_mut(&topic.symbol) else { continue };
            let sequence = last.running.sequence + 1;
            if let Some((minute, is_final)) = last.running.news(now) {
                let text = minute.write(&last.quote, is_final, Place { sequence, snapshot: false });
                last.running.sequence = sequence;
                conflated += put_into_all(mailboxes, *topic, &Frame::text(&text), &mut wakers);
            }
        }
        drop(state);
        self.counters.note_conflated(conflated);
        wakers.wake();
    }

    /// The shares whose order books somebody follows.
    pub(crate) fn books_wanted(&self) -> BTreeSet<Symbol> {
        let mut state = self.state();
        let topics = state.subscribers.keys().filter(|topic| topic.channel == Channel::OrderBook);
        let wanted: BTreeSet<_> = topics.map(|topic| topic.symbol).collect();
        state.books.retain(|symbol, _| wanted.contains(symbol));
        wanted
    }

    /// Tells an order book to those who follow it, when it has changed.
    pub(crate) fn offer_book(&self, book: OrderBook) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        let before = state.books.get(&book.symbol);
        if before.is_some_and(|before| before.book.bids == book.bids && before.book.asks == book.asks) {
            return;
        }
        let sequence = before.map_or(self.first_sequence(), |before| before.sequence + 1);
        let topic = Topic { channel: Channel::OrderBook, symbol: book.symbol };
        let place = Place { sequence, snapshot: false };
        let conflated = state.publish(topic, &mut wakers, || book.write(place));
        state.books.insert(book.symbol, LastBook { book, sequence });
        drop(state);
        self.counters.note_conflated(conflated);
        wakers.wake();
    }

    /// Subscribes a mailbox; the last known value is put into it at once.
    pub(crate) fn subscribe(&self, mailbox: &Arc<Mailbox>, topic: Topic) -> Result<(), SubscribeError> {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        if state.subscribers.len() >= WANTED_TOPICS_MAX && !state.subscribers.contains_key(&topic) {
            return Err(SubscribeError::ServerFull);
        }
        if !mailbox.add(topic, SYMBOLS_PER_CONNECTION_MAX) {
            return Err(SubscribeError::ConnectionFull);
        }
        let subscribers = state.subscribers.entry(topic).or_default();
        if !subscribers.iter().any(|known| Arc::ptr_eq(known, mailbox)) {
            subscribers.push(Arc::clone(mailbox));
        }
        let fresh = match state.last.get(&topic.symbol) {
            Some(last) if last.fresh => last.snapshot(topic.channel),
            Some(_) if topic.channel != Channel::OrderBook => {
                state.unserved.push((Instant::now() + MEMORY_DELAY, topic, Arc::clone(mailbox)));
                None
            }
            _ => None,
        };
        let book = state.books.get(&topic.symbol).filter(|_| topic.channel == Channel::OrderBook);
        let book =
            book.map(|last| Frame::text(&last.book.write(Place { sequence: last.sequence, snapshot: true })));
        if let Some(frame) = fresh.or(book) {
            mailbox.put(topic, frame, &mut wakers);
        }
        drop(state);
        wakers.wake();
        self.wanted_changed.notify_one();
        Ok(())
    }

    /// Undoes [`Self::subscribe`].
    pub(crate) fn unsubscribe(&self, mailbox: &Arc<Mailbox>, topics: &[Topic]) {
        let mut state = self.state();
        state.unserved.retain(|(_, topic, known)| !(Arc::ptr_eq(known, mailbox) && topics.contains(topic)));
        for topic in topics {
            mailbox.remove(*topic);
            if let Some(subscribers) = state.subscribers.get_mut(topic) {
                if let Some(place) = subscribers.iter().position(|known| Arc::ptr_eq(known, mailbox)) {
                    subscribers.swap_remove(place);
                }
                if subscribers.is_empty() {
                    state.subscribers.remove(topic);
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
        let refused: Vec<_> = state.subscribers.extract_if(|topic, _| topic.symbol == symbol).collect();
        drop(state);
        for (topic, mailboxes) in refused {
            for mailbox in mailboxes {
                mailbox.remove(topic);
                mailbox.put_notice(notice(&unknown_symbol(symbol.as_str())));
            }
        }
    }

    /// What is wanted now. The last values of what is not wanted any more become memories, and memories are given to
    /// those who have waited for something better in vain.
    pub(crate) fn wanted(&self, now: Instant, by_others: &BTreeSet<Symbol>) -> BTreeSet<Symbol> {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        let State { last, subscribers, interest, unserved, .. } = &mut *state;
        interest.retain(|_, until| *until > now);
        let wanted: BTreeSet<_> =
            subscribers.keys().map(|topic| topic.symbol).chain(interest.keys().copied()).collect();
        let wanted = &wanted | by_others;
        for (symbol, last) in last.iter_mut() {
            last.fresh &= wanted.contains(symbol);
        }
        for (_, topic, mailbox) in unserved.extract_if(.., |(due, ..)| *due <= now) {
            let memory = last.get(&topic.symbol).filter(|last| !last.fresh);
            if let Some(frame) = memory.and_then(|last| last.snapshot(topic.channel)) {
                mailbox.put(topic, frame, &mut wakers);
            }
        }
        drop(state);
        wakers.wake();
        wanted
    }

    /// How many symbols are subscribed, on whatever channel.
    pub(crate) fn subscribed_symbols(&self) -> usize {
        self.state().subscribers.keys().map(|topic| topic.symbol).collect::<BTreeSet<_>>().len()
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
        if state.interest.len() < WANTED_TOPICS_MAX || state.interest.contains_key(&symbol) {
            let before = state.interest.insert(symbol, Instant::now() + INTEREST);
            drop(state);
            if before.is_none() {
                self.wanted_changed.notify_one();
            }
        }
    }
}

/// Makes a believed quote the last value and tells everybody who follows its share, in the words it was told in if it
/// was; how many older messages made place.
fn take_in(
    state: &mut State,
    quote: &Arc<Quote>,
    sequence: u64,
    told: Option<&str>,
    wakers: &mut Wakers,
) -> usize {
    let symbol = quote.symbol;
    if state.last.len() >= LAST_VALUES_MAX && !state.last.contains_key(&symbol) {
        state.last.retain(|_, last| last.fresh);
    }
    let before = state.last.remove(&symbol);
    let (running, ended) = match before {
        Some(Last { quote: before, mut running, .. }) => {
            let ended = running.take(quote, &before).map(|minute| (minute, before));
            running.sequence += u64::from(ended.is_some());
            (running, ended)
        }
        None => (Running::begin(quote, None, sequence), None),
    };
    let bar_place = Place { sequence: running.sequence, snapshot: false };
    let last = Last { quote: Arc::clone(quote), sequence, fresh: true, spikes_in_a_row: 0, running };
    state.last.insert(symbol, last);
    let place = Place { sequence, snapshot: false };
    let topic = |channel| Topic { channel, symbol };
    let followers = state.subscribers.get(&topic(Channel::Quotes));
    let mut conflated = 0;
    if followers.is_some() || state.tap.is_some() {
        let frame = told.map_or_else(|| Frame::text(&write_quote_at(quote, place)), Frame::text);
        let followers = followers.into_iter().flatten().chain(&state.tap);
        conflated += put_into_all(followers, topic(Channel::Quotes), &frame, wakers);
    }
    conflated += state.publish(topic(Channel::Ticks), wakers, || write_tick(quote, place));
    if let Some((minute, quote)) = ended {
        conflated += state.publish(topic(Channel::Bars), wakers, || minute.write(&quote, true, bar_place));
    }
    conflated
}

/// A notice as a frame.
pub(crate) fn notice(notice: &ServerNotice) -> Frame {
    Frame::text(&serde_json::to_string(notice).unwrap_or_default())
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
mod tests;
