//! What another source says of a price that is doubted.
//!
//! A jump that no market makes in one step is kept back. Where its market's chain has another real source that may be asked
//! now, that one is asked for its price, once in [`HEARING_LIFETIME`] for each share, and its word decides
//! ([`sanity::weigh`]). Where there is none, or it has nothing to say about this moment, the first source is believed when it
//! insists. Called by `hub`, which judges, and by `feed`, which asks.

use crate::sanity::{self, Verdict};
use chrono::{DateTime, Utc};
use domain::{Price, Quote, Symbol};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a question waits for its answer; the doubted price waits with it.
pub(crate) const WITNESS_PATIENCE: Duration = Duration::from_secs(3);
/// How long what was said serves for further doubts about the share: nobody is asked again before.
pub(crate) const HEARING_LIFETIME: Duration = Duration::from_secs(60);
/// Most shares about which somebody was asked in that time; further doubts are left to the source's insistence.
const HEARINGS_MAX: usize = 64;

/// What another source was asked about a doubted price, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Testimony {
    /// Who was asked.
    source: &'static str,
    /// Its price, when it told one.
    price: Option<Price>,
    /// When that price was current.
    quoted_at: Option<DateTime<Utc>>,
    /// What it comes to.
    pub(crate) says: Says,
}

/// What a testimony comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Says {
    /// It has not answered yet.
    Awaited,
    /// It does not answer.
    Nothing,
    /// It tells the same price.
    Confirmed,
    /// It tells another price of the same moment.
    Denied,
    /// Its price is of another moment, or lies in between.
    Undecided,
}

enum Word {
    /// The newest price that is doubted waits for it.
    Awaited(Box<Quote>),
    Told(Box<Quote>),
    Nothing,
}

struct Hearing {
    source: &'static str,
    begun_at: Instant,
    word: Word,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Witnesses(Mutex<HashMap<Symbol, Hearing>>);

impl Witnesses {
    fn hearings(&self) -> MutexGuard<'_, HashMap<Symbol, Hearing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a source is asked about a doubted price; false when one was asked a while ago, or too many are.
    pub(crate) fn begin(&self, source: &'static str, doubted: &Quote) -> bool {
        let mut hearings = self.hearings();
        hearings.retain(|_, hearing| hearing.begun_at.elapsed() < HEARING_LIFETIME);
        if hearings.contains_key(&doubted.symbol) || hearings.len() >= HEARINGS_MAX {
            return false;
        }
        let word = Word::Awaited(Box::new(doubted.clone()));
        hearings.insert(doubted.symbol, Hearing { source, begun_at: Instant::now(), word });
        true
    }

    /// Takes what the source said, or that it said nothing; the doubted price that has waited for it.
    pub(crate) fn hear(&self, symbol: Symbol, told: Option<Quote>) -> Option<Quote> {
        let mut hearings = self.hearings();
        let hearing = hearings.get_mut(&symbol)?;
        let Word::Awaited(doubted) = &hearing.word else { return None };
        let doubted = doubted.as_ref().clone();
        hearing.word = told.map_or(Word::Nothing, |told| Word::Told(Box::new(told)));
        Some(doubted)
    }

    /// What another source says of a doubted price, where one was asked about its share a while ago.
    pub(crate) fn testimony(&self, doubted: &Quote, now: DateTime<Utc>) -> Option<Testimony> {
        let mut hearings = self.hearings();
        let hearing = hearings.get_mut(&doubted.symbol)?;
        // Who doubted once may have changed places with the witness since.
        if hearing.begun_at.elapsed() >= HEARING_LIFETIME || hearing.source == doubted.source {
            return None;
        }
        let source = hearing.source;
        let without_price = |says| Testimony { source, price: None, quoted_at: None, says };
        Some(match &mut hearing.word {
            Word::Awaited(newest) => {
                **newest = doubted.clone();
                without_price(Says::Awaited)
            }
            Word::Nothing => without_price(Says::Nothing),
            Word::Told(told) => {
                let says = match sanity::weigh(doubted, told, now) {
                    Verdict::Confirmed => Says::Confirmed,
                    Verdict::Denied => Says::Denied,
                    Verdict::Undecided => Says::Undecided,
                };
                Testimony { source, price: Some(told.price), quoted_at: Some(told.at), says }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanity::tests::{now, price, quote};

    fn doubted() -> Quote {
        Quote { price: price("75"), low: price("75"), ..quote() }
    }

    fn told(text: &str) -> Quote {
        let price = price(text);
        Quote {
            price,
            open: price,
            high: price,
            low: price,
            bid: None,
            ask: None,
            source: "yahoo".into(),
            ..quote()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_asked_once_in_a_while_and_its_word_serves_for_further_doubts() {
        let witnesses = Witnesses::default();
        assert_eq!(witnesses.testimony(&doubted(), now()), None);
        assert!(witnesses.begin("yahoo", &doubted()));
        assert!(!witnesses.begin("yahoo", &doubted()), "not for each price");
        let newer = Quote { price: price("74.9"), low: price("74.9"), ..doubted() };
        assert_eq!(witnesses.testimony(&newer, now()).unwrap().says, Says::Awaited);
        assert_eq!(witnesses.hear(quote().symbol, Some(told("150"))), Some(newer), "the newest has waited");
        assert_eq!(witnesses.hear(quote().symbol, None), None);
        let said = witnesses.testimony(&doubted(), now()).unwrap();
        assert_eq!((said.source, said.price), ("yahoo", Some(price("150"))));
        tokio::time::advance(HEARING_LIFETIME).await;
        assert_eq!(witnesses.testimony(&doubted(), now()), None, "it is old");
        assert!(witnesses.begin("yahoo", &doubted()));
    }

    #[tokio::test(start_paused = true)]
    async fn doubts_do_not_heap_up() {
        let witnesses = Witnesses::default();
        let of = |number: usize| {
            let letter = |place: usize| char::from(b'A' + u8::try_from(number / place % 26).unwrap());
            let symbol = format!("{}{}", letter(26), letter(1)).parse().unwrap();
            Quote { symbol, ..doubted() }
        };
        let asked = (0..2 * HEARINGS_MAX).filter(|number| witnesses.begin("yahoo", &of(*number))).count();
        assert_eq!(asked, HEARINGS_MAX);
        tokio::time::advance(HEARING_LIFETIME).await;
        assert!(witnesses.begin("yahoo", &of(2 * HEARINGS_MAX)));
        assert_eq!(witnesses.hearings().len(), 1);
    }
}
