//! One subscriber's mailbox: bounded, and with the newest message of each topic when the subscriber lags.
//!
//! A subscriber that keeps up gets every message. One that has [`LAG_MESSAGES_MAX`] waiting loses those that something
//! newer of the same topic has come after, and can tell from the sequence numbers that it did.

use crate::frame::Frame;
use crate::wakers::Wakers;
use domain::Symbol;
use domain::market_data::Channel;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// Most notices waiting for one subscriber; more mean that it asks without reading the answers.
pub(crate) const NOTICES_WAITING_MAX: usize = 2_048;
/// Messages that may wait for one subscriber before older ones make place for newer ones of their topic. Who is
/// subscribed to more than half as many topics may have two of each waiting.
pub(crate) const LAG_MESSAGES_MAX: usize = 512;
/// An empty mailbox keeps room for so many messages.
const ROOM_KEPT_MAX: usize = 32;

/// What can be subscribed to: something of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Topic {
    pub(crate) channel: Channel,
    pub(crate) symbol: Symbol,
}

#[derive(Default)]
struct Contents {
    subscribed: BTreeSet<Topic>,
    notices: VecDeque<Frame>,
    waiting: VecDeque<(Topic, Frame)>,
    overflowed: bool,
    /// The subscriber's task, when it waits for something to come.
    reader: Option<Waker>,
    /// When something was taken last.
    taken_at: Option<Instant>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
}

impl Mailbox {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a subscription; `false` when `max` are there already.
    pub(crate) fn add(&self, topic: Topic, max: usize) -> bool {
        let mut contents = self.contents();
        if contents.subscribed.len() >= max && !contents.subscribed.contains(&topic) {
            return false;
        }
        contents.subscribed.insert(topic);
        true
    }

    /// Forgets a subscription, and what waits for it.
    pub(crate) fn remove(&self, topic: Topic) {
        let mut contents = self.contents();
        if contents.subscribed.remove(&topic) {
            contents.waiting.retain(|(waiting, _)| *waiting != topic);
        }
    }

    /// The subscriptions, sorted.
    pub(crate) fn subscribed(&self) -> Vec<Topic> {
        self.contents().subscribed.iter().copied().collect()
    }

    /// The shares followed on a channel, sorted.
    pub(crate) fn symbols(&self, channel: Channel) -> Vec<Symbol> {
        let contents = self.contents();
        contents
            .subscribed
            .iter()
            .filter(|topic| topic.channel == channel)
            .map(|topic| topic.symbol)
            .collect()
    }

    /// Puts a message in; how many older ones made place for newer ones. Its reader is to be woken.
    pub(crate) fn put(&self, topic: Topic, frame: Frame, wakers: &mut Wakers) -> usize {
        let mut contents = self.contents();
        let Contents { subscribed, waiting, reader, taken_at, .. } = &mut *contents;
        let lost = if waiting.len() >= LAG_MESSAGES_MAX.max(subscribed.len() * 2) {
            keep_newest(waiting)
        } else {
            0
        };
        waiting.push_back((topic, frame));
        if let Some(reader) = reader.take() {
            wakers.add(reader, *taken_at);
        }
        lost
    }

    /// Puts a notice in and wakes the reader.
    pub(crate) fn put_notice(&self, frame: Frame) {
        let mut contents = self.contents();
        if contents.notices.len() < NOTICES_WAITING_MAX {
            contents.notices.push_back(frame);
        } else {
            contents.overflowed = true;
        }
        let reader = contents.reader.take();
        drop(contents);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Takes what waits, notices first, up to so many bytes and at least one message, and puts it behind `taken`;
    /// nothing when notices were lost.
    pub(crate) fn poll_take(
        &self,
        task: &mut Context<'_>,
        taken: &mut Vec<Frame>,
        bytes_max: usize,
    ) -> Poll<Option<()>> {
        let mut contents = self.contents();
        let Contents { notices, waiting, overflowed, reader, taken_at, .. } = &mut *contents;
        if *overflowed {
            return Poll::Ready(None);
        }
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some(frame) = notices.pop_front().or_else(|| waiting.pop_front().map(|(_, frame)| frame))
        {
            bytes += frame.wire().len();
            taken.push(frame);
        }
        if bytes == 0 {
            *reader = Some(task.waker().clone());
            return Poll::Pending;
        }
        *taken_at = Some(Instant::now());
        if waiting.is_empty() && waiting.capacity() > ROOM_KEPT_MAX {
            *waiting = VecDeque::new();
        }
        if notices.is_empty() && notices.capacity() > 0 {
            *notices = VecDeque::new();
        }
        Poll::Ready(Some(()))
    }

    /// Everything that waits, as text.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut taken = Vec::new();
        let _ = self.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken, usize::MAX);
        taken.iter().map(|frame| frame.payload().to_owned()).collect()
    }
}

/// Removes every message that a newer one of its topic follows; how many those were.
fn keep_newest(waiting: &mut VecDeque<(Topic, Frame)>) -> usize {
    let before = waiting.len();
    let mut seen = HashSet::with_capacity(before);
    let mut newest: VecDeque<_> = VecDeque::with_capacity(before);
    while let Some((topic, frame)) = waiting.pop_back() {
        if seen.insert(topic) {
            newest.push_front((topic, frame));
        }
    }
    *waiting = newest;
    before - waiting.len()
}

/// Puts one message into many mailboxes; how many older ones made place.
pub(crate) fn put_into_all<'a>(
    mailboxes: impl IntoIterator<Item = &'a Arc<Mailbox>>,
    topic: Topic,
    frame: &Frame,
    wakers: &mut Wakers,
) -> usize {
    mailboxes.into_iter().map(|mailbox| mailbox.put(topic, frame.clone(), wakers)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotes(symbol: &str) -> Topic {
        Topic { channel: Channel::Quotes, symbol: symbol.parse().unwrap() }
    }

    fn put(mailbox: &Mailbox, symbol: &str, text: &str) -> usize {
        mailbox.put(quotes(symbol), Frame::text(text), &mut Wakers::default())
    }

    #[test]
    fn nothing_is_lost_up_to_the_lag_that_is_allowed() {
        let mailbox = Mailbox::default();
        let sent: Vec<_> = (0..LAG_MESSAGES_MAX).map(|number| format!("{number}")).collect();
        assert!(sent.iter().all(|text| put(&mailbox, "IBM", text) == 0));
        assert_eq!(mailbox.texts(), sent);
    }

    #[test]
    fn a_lagging_reader_gets_the_newest_value_of_each_symbol() {
        let mailbox = Mailbox::default();
        put(&mailbox, "AAPL", "apple 1");
        let lost: usize = (1..100_000).map(|number| put(&mailbox, "IBM", &format!("ibm {number}"))).sum();
        put(&mailbox, "AAPL", "apple 2");
        mailbox.put_notice(Frame::text("hello"));
        let texts = mailbox.texts();
        assert!(texts.len() <= LAG_MESSAGES_MAX + 1 && lost + texts.len() >= 100_000);
        assert_eq!(texts.first().unwrap(), "hello");
        assert_eq!(texts[texts.len() - 2..], ["ibm 99999", "apple 2"]);
    }

    #[test]
    fn whoever_follows_everything_is_not_conflated_at_once() {
        let mailbox = Mailbox::default();
        let symbols: Vec<_> = ('A'..='Z').flat_map(|a| ('A'..='Z').map(move |b| format!("{a}{b}"))).collect();
        symbols.iter().for_each(|symbol| assert!(mailbox.add(quotes(symbol), symbols.len())));
        for _ in 0..2 {
            assert!(symbols.iter().all(|symbol| put(&mailbox, symbol, symbol) == 0));
        }
        assert_eq!(put(&mailbox, "AA", "newest"), symbols.len());
        assert_eq!(mailbox.texts().len(), symbols.len() + 1);
    }

    #[test]
    fn an_unsubscribed_symbol_is_not_delivered_any_more() {
        let mailbox = Mailbox::default();
        assert!(mailbox.add(quotes("IBM"), 1) && mailbox.add(quotes("IBM"), 1));
        assert!(!mailbox.add(quotes("AAPL"), 1), "one is the limit");
        put(&mailbox, "IBM", "ibm");
        mailbox.remove(quotes("IBM"));
        mailbox.put_notice(Frame::text("bye"));
        assert_eq!(mailbox.texts(), ["bye"]);
        assert!(mailbox.subscribed().is_empty());
    }

    #[test]
    fn notices_are_bounded_and_a_loss_is_noticed() {
        let mailbox = Mailbox::default();
        (0..=NOTICES_WAITING_MAX).for_each(|_| mailbox.put_notice(Frame::text("error")));
        let taken = mailbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut Vec::new(), usize::MAX);
        assert_eq!(taken, Poll::Ready(None));
    }

    #[test]
    fn what_is_taken_at_once_is_bounded_and_the_rest_waits() {
        let mailbox = Mailbox::default();
        (0..10).for_each(|number| _ = put(&mailbox, "IBM", &format!("{number}")));
        let (mut taken, mut task) = (Vec::new(), Context::from_waker(Waker::noop()));
        assert_eq!(mailbox.poll_take(&mut task, &mut taken, 7), Poll::Ready(Some(())));
        assert_eq!(taken.len(), 3);
        assert_eq!(mailbox.texts().len(), 7);
        assert_eq!(mailbox.poll_take(&mut task, &mut taken, 7), Poll::Pending);
    }
}
