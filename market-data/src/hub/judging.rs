//! Which quotes are believed: by themselves, beside the last value, and beside what another source says.

use super::{Hub, Last, take_in};
use crate::sanity::{self, Reason, SPIKE_CONFIRMATIONS};
use crate::wakers::Wakers;
use crate::witness::{Says, Testimony};
use chrono::{DateTime, Utc};
use domain::{Quote, Symbol};
use std::sync::Arc;

/// A quote that is not believed, at least not yet.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) quote: Quote,
    pub(crate) reason: Reason,
    /// What another source said, where one was asked.
    testimony: Option<Testimony>,
}

impl Last {
    /// Whether a price that goes badly with this one is believed all the same: what another source says decides, or else
    /// that the source insists.
    fn is_convinced(&mut self, may_be: bool, testimony: Option<&Testimony>) -> bool {
        let says = testimony.map(|testimony| testimony.says);
        let counts = may_be && says != Some(Says::Denied);
        self.spikes_in_a_row = if counts { self.spikes_in_a_row.saturating_add(1) } else { 0 };
        match says {
            _ if !may_be => false,
            Some(Says::Confirmed) => true,
            Some(Says::Denied | Says::Awaited) => false,
            Some(Says::Nothing | Says::Undecided) | None => self.spikes_in_a_row >= SPIKE_CONFIRMATIONS,
        }
    }
}

impl Hub {
    /// Judges a quote; a good one is written once and put into every follower's mailbox, whom the caller wakes when
    /// everything that came together is in place.
    ///
    /// # Errors
    /// The quote and why it was kept back.
    pub(crate) fn offer(
        &self,
        quote: Quote,
        now: DateTime<Utc>,
        wakers: &mut Wakers,
    ) -> Result<Arc<Quote>, Box<Refused>> {
        self.judge(quote, now, wakers).inspect_err(|refused| {
            let Refused { quote, reason, testimony } = refused.as_ref();
            self.quarantine.put(quote.symbol, *reason, Some(quote), testimony.clone());
        })
    }

    /// Notes that another source is asked about a price that was just kept back; false when it should not be: one was
    /// asked a while ago, or too many are.
    pub(crate) fn ask(&self, source: &'static str, doubted: &Quote, now: DateTime<Utc>) -> bool {
        let begun = self.witnesses.begin(source, doubted);
        let testimony = self.witnesses.testimony(doubted, now).filter(|_| begun);
        testimony.into_iter().for_each(|testimony| self.quarantine.mark(doubted.symbol, testimony));
        begun
    }

    /// Takes what another source told of a share whose price is doubted, or that it told nothing. The price that has waited
    /// for it is judged once more.
    pub(crate) fn hear(
        &self,
        symbol: Symbol,
        told: Option<Quote>,
        now: DateTime<Utc>,
        wakers: &mut Wakers,
    ) -> Option<Arc<Quote>> {
        let doubted = self.witnesses.hear(symbol, told)?;
        if let Some(testimony) = self.witnesses.testimony(&doubted, now) {
            self.quarantine.amend(symbol, &testimony);
        }
        self.judge(doubted, now, wakers).ok()
    }

    fn judge(
        &self,
        quote: Quote,
        now: DateTime<Utc>,
        wakers: &mut Wakers,
    ) -> Result<Arc<Quote>, Box<Refused>> {
        let mut state = self.state();
        let known = state.last.get_mut(&quote.symbol);
        if let Err(reason) = sanity::judge(&quote, known.as_ref().map(|last| last.quote.as_ref()), now) {
            let may_be = reason.may_be_confirmed();
            let testimony = may_be.then(|| self.witnesses.testimony(&quote, now)).flatten();
            let is_convinced = known.is_some_and(|known| known.is_convinced(may_be, testimony.as_ref()));
            if !is_convinced {
                return Err(Box::new(Refused { quote, reason, testimony }));
            }
        }
        let known = state.last.get(&quote.symbol);
        let quote = sanity::without_doubted_extremes(quote, known.map(|last| last.quote.as_ref()));
        let next = known.map_or(0, |last| last.sequence.saturating_add(1));
        let (sequence, quote) = (next.max(self.first_sequence()), Arc::new(quote));
        let conflated = take_in(&mut state, &quote, sequence, None, wakers);
        drop(state);
        self.note_published(conflated);
        Ok(quote)
    }
}
