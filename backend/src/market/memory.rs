//! The last quote of every symbol that is followed. No I/O and no clock: time is handed in.

use domain::market_data::SYMBOLS_PER_CONNECTION_MAX;
use domain::{Quote, Symbol};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer to a question is believed. While the stream runs it tells every change, so what it told is current
/// however long ago that was; an answer over HTTP is only a look at one moment.
pub(super) const ANSWER_BELIEVED_FOR: Duration = Duration::from_secs(2);

/// Most symbols followed; the one nobody asked for longest makes room.
pub(super) const SYMBOLS_MAX: usize = SYMBOLS_PER_CONNECTION_MAX;

/// Numbers the connections of the stream, so that what an earlier one told is not taken for current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionNumber(pub(super) u64);

#[derive(Debug)]
struct Entry {
    quote: Arc<Quote>,
    told_by: Option<ConnectionNumber>,
    told_at: Instant,
    asked_at: Instant,
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Memory {
    entries: HashMap<Symbol, Entry>,
    live: Option<ConnectionNumber>,
}

impl Memory {
    /// Which connection runs now, if any does.
    pub(super) const fn set_live(&mut self, live: Option<ConnectionNumber>) {
        self.live = live;
    }

    /// The quote, if it is certainly the newest.
    pub(super) fn current(&mut self, symbol: Symbol, now: Instant) -> Option<Arc<Quote>> {
        let entry = self.entries.get_mut(&symbol)?;
        entry.asked_at = now;
        let streaming = entry.told_by.is_some() && entry.told_by == self.live;
        let just_asked = now.duration_since(entry.told_at) < ANSWER_BELIEVED_FOR;
        (streaming || just_asked).then(|| Arc::clone(&entry.quote))
    }

    /// The quote, however old.
    pub(super) fn last(&self, symbol: Symbol) -> Option<Arc<Quote>> {
        self.entries.get(&symbol).map(|entry| Arc::clone(&entry.quote))
    }

    /// Takes in an answer over HTTP. From then on the symbol is followed; `true` when it was not before.
    pub(super) fn answer(&mut self, quote: Arc<Quote>, now: Instant) -> bool {
        let symbol = quote.symbol;
        if let Some(entry) = self.entries.get_mut(&symbol) {
            // The stream may have told something newer while the answer was on its way.
            if quote.at >= entry.quote.at {
                (entry.quote, entry.told_at) = (quote, now);
            }
            return false;
        }
        if self.entries.len() >= SYMBOLS_MAX {
            let oldest =
                self.entries.iter().min_by_key(|(_, entry)| entry.asked_at).map(|(symbol, _)| *symbol);
            oldest.and_then(|symbol| self.entries.remove(&symbol));
        }
        self.entries.insert(symbol, Entry { quote, told_by: None, told_at: now, asked_at: now });
        true
    }

    /// Takes in what the stream told. What is not followed any more is left aside.
    pub(super) fn told(&mut self, quote: Quote, by: ConnectionNumber, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&quote.symbol) {
            entry.quote = Arc::new(quote);
            (entry.told_by, entry.told_at) = (Some(by), now);
        }
    }

    /// Stops following what the quote server does not know any more.
    pub(super) fn forget(&mut self, symbol: Symbol) {
        self.entries.remove(&symbol);
    }

    /// Everything that should be subscribed.
    pub(super) fn followed(&self) -> HashSet<Symbol> {
        self.entries.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate};
    use domain::Currency;

    const FIRST: ConnectionNumber = ConnectionNumber(1);
    const SECOND: ConnectionNumber = ConnectionNumber(2);

    fn quote_of(symbol: &str, price: &str, second: i64) -> Quote {
        Quote {
            symbol: symbol.parse().unwrap(),
            price: price.parse().unwrap(),
            bid: None,
            ask: None,
            previous_close: None,
            volume: 1,
            currency: Currency::Usd,
            session_date: NaiveDate::from_ymd_opt(2013, 3, 1).unwrap(),
            open: price.parse().unwrap(),
            high: price.parse().unwrap(),
            low: price.parse().unwrap(),
            at: DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap(),
            source: "replay".into(),
            simulated: false,
            delayed: true,
        }
    }

    fn apple(price: &str, second: i64) -> Quote {
        quote_of("AAPL", price, second)
    }

    fn price(quote: Option<Arc<Quote>>) -> Option<String> {
        quote.map(|quote| quote.price.to_string())
    }

    #[test]
    fn an_answer_is_believed_for_a_moment_only() {
        let (mut memory, now, symbol) = (Memory::default(), Instant::now(), apple("1", 0).symbol);
        assert!(memory.answer(Arc::new(apple("150", 0)), now), "followed from now on");
        assert_eq!(price(memory.current(symbol, now)).as_deref(), Some("150"));
        assert_eq!(memory.current(symbol, now + ANSWER_BELIEVED_FOR), None);
        assert_eq!(price(memory.last(symbol)).as_deref(), Some("150"));
    }

    #[test]
    fn what_the_running_stream_told_stays_current() {
        let (mut memory, now, symbol) = (Memory::default(), Instant::now(), apple("1", 0).symbol);
        let much_later = now + Duration::from_secs(3600);
        memory.answer(Arc::new(apple("150", 0)), now);
        memory.set_live(Some(FIRST));
        memory.told(apple("151", 1), FIRST, now);
        assert_eq!(price(memory.current(symbol, much_later)).as_deref(), Some("151"));
        memory.set_live(None);
        assert_eq!(memory.current(symbol, much_later), None, "the stream broke");
        memory.set_live(Some(SECOND));
        assert_eq!(memory.current(symbol, much_later), None, "the new one has not spoken of it yet");
    }

    #[test]
    fn a_late_answer_does_not_replace_newer_news() {
        let (mut memory, now, symbol) = (Memory::default(), Instant::now(), apple("1", 0).symbol);
        memory.answer(Arc::new(apple("150", 0)), now);
        memory.told(apple("151", 5), FIRST, now);
        memory.answer(Arc::new(apple("149", 1)), now);
        assert_eq!(price(memory.last(symbol)).as_deref(), Some("151"));
    }

    #[test]
    fn the_symbol_nobody_asks_for_makes_room() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let name = |number: usize| format!("{number:06}.KS");
        for number in 0..SYMBOLS_MAX {
            let at = start + Duration::from_millis(u64::try_from(number).unwrap());
            memory.answer(Arc::new(quote_of(&name(number), "1", 0)), at);
        }
        let first: Symbol = name(0).parse().unwrap();
        memory.current(first, start + Duration::from_secs(60));
        memory.answer(Arc::new(apple("150", 0)), start + Duration::from_secs(61));
        assert_eq!(memory.followed().len(), SYMBOLS_MAX);
        assert!(memory.last(first).is_some());
        assert!(memory.last(name(1).parse().unwrap()).is_none());
    }

    #[test]
    fn news_of_what_nobody_follows_is_left_aside() {
        let mut memory = Memory::default();
        memory.told(apple("150", 0), FIRST, Instant::now());
        assert!(memory.followed().is_empty());
    }
}
