//! What was kept back: never sent, but counted and shown.

use crate::sanity::Reason;
use crate::witness::{Says, Testimony};
use chrono::{DateTime, Utc};
use domain::{Price, Quote, Symbol};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most quotes kept back that are shown.
const KEPT_BACK_SHOWN_MAX: usize = 32;

/// A quote that was kept back, for `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptBack {
    symbol: Symbol,
    pub(crate) reason: &'static str,
    pub(crate) price: Option<Price>,
    source: Option<String>,
    quoted_at: Option<DateTime<Utc>>,
    kept_back_at: DateTime<Utc>,
    /// What another source said, where one was asked.
    pub(crate) other_source: Option<Testimony>,
}

#[derive(Default)]
struct Contents {
    counts: BTreeMap<Reason, u64>,
    recent: VecDeque<KeptBack>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Quarantine(Mutex<Contents>);

impl Quarantine {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something that was kept back, and remembers it for a while.
    pub(crate) fn put(
        &self,
        symbol: Symbol,
        reason: Reason,
        quote: Option<&Quote>,
        other_source: Option<Testimony>,
    ) {
        tracing::debug!(%symbol, reason = reason.name(), "quote kept back");
        let mut contents = self.contents();
        *contents.counts.entry(reason).or_default() += 1;
        if contents.recent.len() >= KEPT_BACK_SHOWN_MAX {
            contents.recent.pop_front();
        }
        contents.recent.push_back(KeptBack {
            symbol,
            reason: reason.name(),
            price: quote.map(|quote| quote.price),
            source: quote.map(|quote| quote.source.clone()),
            quoted_at: quote.map(|quote| quote.at),
            kept_back_at: Utc::now(),
            other_source,
        });
    }

    /// Writes that another source is asked about a share's price beside the one that was kept back last.
    pub(crate) fn mark(&self, symbol: Symbol, testimony: Testimony) {
        let mut contents = self.contents();
        let last = contents.recent.iter_mut().rev().find(|kept| kept.symbol == symbol);
        last.into_iter().for_each(|kept| kept.other_source = Some(testimony.clone()));
    }

    /// Writes what another source says of a share's prices beside those that were kept back since it was asked.
    pub(crate) fn amend(&self, symbol: Symbol, testimony: &Testimony) {
        let mut contents = self.contents();
        let waiting = contents.recent.iter_mut().filter(|kept| kept.symbol == symbol);
        for kept in waiting {
            if kept.other_source.as_ref().is_some_and(|known| known.says == Says::Awaited) {
                kept.other_source = Some(testimony.clone());
            }
        }
    }

    /// What was kept back last, the oldest first.
    pub(crate) fn recent(&self) -> Vec<KeptBack> {
        self.contents().recent.iter().cloned().collect()
    }

    /// How much was kept back, by reason.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.contents().counts.iter().map(|(reason, count)| (reason.name(), *count)).collect()
    }
}
