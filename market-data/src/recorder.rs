//! Minutes of those sources that have none to give: put together from the quotes that came, to be kept in the archive.
//! Pure: quotes and the caller's clock decide everything.

use crate::bars::TimedBar;
use crate::hub::LAST_VALUES_MAX;
use crate::minute::Minute;
use crate::provider::Provider;
use chrono::{DateTime, Utc};
use domain::{Quote, Symbol};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most minutes that wait while the database is away; the oldest make place.
const WAITING_MAX: usize = 16_384;

/// A minute that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) symbol: Symbol,
    /// The source's name.
    pub(crate) source: &'static str,
    pub(crate) bar: TimedBar,
}

/// See the module.
pub(crate) struct Recorder {
    sources: Vec<&'static str>,
    running: HashMap<Symbol, (Minute, Arc<Quote>)>,
    waiting: VecDeque<Recorded>,
}

impl Recorder {
    /// For those of these providers whose minutes nobody could ask for afterwards.
    pub(crate) fn new(providers: &[Arc<dyn Provider>]) -> Self {
        let without = providers.iter().filter(|provider| provider.capabilities().intervals.is_empty());
        let sources = without.map(|provider| provider.name()).collect();
        Self { sources, running: HashMap::new(), waiting: VecDeque::new() }
    }

    /// Takes a believed quote in.
    pub(crate) fn take(&mut self, quote: &Arc<Quote>) {
        if !self.sources.contains(&quote.source.as_str()) {
            return;
        }
        let ended = match self.running.get_mut(&quote.symbol) {
            Some((minute, before)) if before.source == quote.source => {
                let next = minute.take(quote, before);
                let last = std::mem::replace(before, Arc::clone(quote));
                next.map(|next| (std::mem::replace(minute, next), last))
            }
            known => {
                if known.is_some() || self.running.len() < LAST_VALUES_MAX {
                    self.running.insert(quote.symbol, (Minute::begin(quote, None), Arc::clone(quote)));
                }
                None
            }
        };
        if let Some((minute, last)) = ended {
            self.keep(&minute, &last);
        }
    }

    /// The minutes that are over and were not asked for before, in the order in which they ended.
    pub(crate) fn over(&mut self, now: DateTime<Utc>) -> Vec<Recorded> {
        let ended: Vec<_> = self.running.extract_if(|_, (minute, _)| minute.is_over(now)).collect();
        for (_, (minute, last)) in ended {
            self.keep(&minute, &last);
        }
        self.waiting.drain(..).collect()
    }

    /// Takes back what could not be written.
    pub(crate) fn put_back(&mut self, recorded: Vec<Recorded>) {
        for recorded in recorded.into_iter().rev().take(WAITING_MAX.saturating_sub(self.waiting.len())) {
            self.waiting.push_front(recorded);
        }
    }

    fn keep(&mut self, minute: &Minute, last: &Quote) {
        let Some(source) = self.sources.iter().find(|source| **source == last.source) else { return };
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Recorded { symbol: last.symbol, source, bar: minute.bar() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanity::tests::{price, quote};

    fn recorder() -> Recorder {
        Recorder { sources: vec!["replay"], running: HashMap::new(), waiting: VecDeque::new() }
    }

    fn at(text: &str, value: &str) -> Arc<Quote> {
        let source = "replay".to_owned();
        Arc::new(Quote { at: text.parse().unwrap(), price: price(value), source, ..quote() })
    }

    fn told(recorder: &mut Recorder, now: &str) -> Vec<(String, String)> {
        let over = recorder.over(now.parse().unwrap());
        over.iter().map(|it| (it.bar.starts_at.to_rfc3339(), it.bar.close.value().to_string())).collect()
    }

    #[test]
    fn every_minute_is_told_once_when_it_is_over() {
        let mut recorder = recorder();
        for (when, value) in [
            ("2026-11-20T15:00:01Z", "150"),
            ("2026-11-20T15:00:30Z", "151"),
            ("2026-11-20T15:01:10Z", "152"),
        ] {
            recorder.take(&at(when, value));
        }
        let first = ("2026-11-20T15:00:00+00:00".to_owned(), "151".to_owned());
        assert_eq!(told(&mut recorder, "2026-11-20T15:01:30Z"), [first]);
        assert_eq!(told(&mut recorder, "2026-11-20T15:01:40Z"), []);
        let second = ("2026-11-20T15:01:00+00:00".to_owned(), "152".to_owned());
        assert_eq!(told(&mut recorder, "2026-11-20T15:02:30Z"), [second], "nothing has come since");
        assert_eq!(told(&mut recorder, "2026-11-20T15:03:30Z"), []);
    }

    #[test]
    fn what_could_not_be_written_comes_again_before_the_rest() {
        let mut recorder = recorder();
        recorder.take(&at("2026-11-20T15:00:01Z", "150"));
        let unwritten = recorder.over("2026-11-20T15:02:00Z".parse().unwrap());
        recorder.take(&at("2026-11-20T15:02:01Z", "151"));
        recorder.put_back(unwritten.clone());
        let again = recorder.over("2026-11-20T15:04:00Z".parse().unwrap());
        assert_eq!(again.len(), 2);
        assert_eq!(again.first(), unwritten.first());
    }

    #[test]
    fn sources_that_have_minutes_are_not_recorded() {
        let mut recorder = recorder();
        let vendor = Quote { source: "yahoo".to_owned(), ..quote() };
        recorder.take(&Arc::new(vendor));
        assert_eq!(recorder.running.len(), 0);
    }

    #[test]
    fn a_database_that_stays_away_costs_no_more_than_so_much() {
        let mut recorder = recorder();
        let one =
            Recorded { symbol: quote().symbol, source: "replay", bar: Minute::begin(&quote(), None).bar() };
        recorder.put_back(vec![one; WAITING_MAX + 5]);
        recorder.take(&at("2026-11-20T15:00:01Z", "150"));
        assert_eq!(recorder.over("2026-11-20T15:02:00Z".parse().unwrap()).len(), WAITING_MAX);
    }
}
