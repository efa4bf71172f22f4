//! One subscriber's mailbox: bounded, and with the newest quote of each symbol when the subscriber lags.

use domain::Symbol;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Most notices waiting for one subscriber; more mean that it asks without reading the answers.
pub(crate) const NOTICES_WAITING_MAX: usize = 2_048;

#[derive(Default)]
struct Contents {
    subscribed: BTreeSet<Symbol>,
    notices: VecDeque<Utf8Bytes>,
    /// The newest frame of each symbol that has one waiting; never more than there are subscriptions.
    quotes: HashMap<Symbol, Utf8Bytes>,
    /// The same symbols in the order in which they began to wait.
    order: VecDeque<Symbol>,
    overflowed: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
    filled: Notify,
}

impl Mailbox {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a subscription; `false` when `max` are there already.
    pub(crate) fn add(&self, symbol: Symbol, max: usize) -> bool {
        let mut contents = self.contents();
        if contents.subscribed.len() >= max && !contents.subscribed.contains(&symbol) {
            return false;
        }
        contents.subscribed.insert(symbol);
        true
    }

    /// Forgets a subscription, and what waits for it.
    pub(crate) fn remove(&self, symbol: Symbol) {
        let mut contents = self.contents();
        contents.subscribed.remove(&symbol);
        if contents.quotes.remove(&symbol).is_some() {
            contents.order.retain(|waiting| *waiting != symbol);
        }
    }

    /// The subscriptions, sorted.
    pub(crate) fn subscribed(&self) -> Vec<Symbol> {
        self.contents().subscribed.iter().copied().collect()
    }

    /// Puts a quote in; whether it took the place of an older one that was still waiting.
    pub(crate) fn put_quote(&self, symbol: Symbol, frame: Utf8Bytes) -> bool {
        let mut contents = self.contents();
        let replaced = contents.quotes.insert(symbol, frame).is_some();
        if !replaced {
            contents.order.push_back(symbol);
        }
        drop(contents);
        self.filled.notify_one();
        replaced
    }

    /// Puts a notice in.
    pub(crate) fn put_notice(&self, frame: Utf8Bytes) {
        let mut contents = self.contents();
        if contents.notices.len() < NOTICES_WAITING_MAX {
            contents.notices.push_back(frame);
        } else {
            contents.overflowed = true;
        }
        drop(contents);
        self.filled.notify_one();
    }

    /// Waits until something is there and takes all of it, notices first; nothing when notices were lost.
    pub(crate) async fn take(&self) -> Option<Vec<Utf8Bytes>> {
        loop {
            {
                let mut contents = self.contents();
                let Contents { notices, quotes, order, overflowed, .. } = &mut *contents;
                if *overflowed {
                    return None;
                }
                let quotes = order.drain(..).filter_map(|symbol| quotes.remove(&symbol));
                let frames: Vec<_> = notices.drain(..).chain(quotes).collect();
                if !frames.is_empty() {
                    return Some(frames);
                }
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(text: &str) -> Symbol {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_lagging_reader_gets_the_newest_value_of_each_symbol() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.put_quote(symbol("IBM"), "ibm 1".into()));
        assert!(!mailbox.put_quote(symbol("AAPL"), "apple 1".into()));
        for number in 2..1_000 {
            assert!(mailbox.put_quote(symbol("IBM"), format!("ibm {number}").into()));
        }
        mailbox.put_notice("hello".into());
        let frames = mailbox.take().await.unwrap();
        assert_eq!(frames, ["hello", "ibm 999", "apple 1"].map(Utf8Bytes::from));
    }

    #[tokio::test]
    async fn an_unsubscribed_symbol_is_not_delivered_any_more() {
        let mailbox = Mailbox::default();
        assert!(mailbox.add(symbol("IBM"), 1) && mailbox.add(symbol("IBM"), 1));
        assert!(!mailbox.add(symbol("AAPL"), 1), "one is the limit");
        mailbox.put_quote(symbol("IBM"), "ibm".into());
        mailbox.remove(symbol("IBM"));
        mailbox.put_notice("bye".into());
        assert_eq!(mailbox.take().await.unwrap(), [Utf8Bytes::from("bye")]);
        assert!(mailbox.subscribed().is_empty());
    }

    #[tokio::test]
    async fn notices_are_bounded_and_a_loss_is_noticed() {
        let mailbox = Mailbox::default();
        (0..=NOTICES_WAITING_MAX).for_each(|_| mailbox.put_notice("error".into()));
        assert!(mailbox.take().await.is_none());
    }
}
