//! What was kept back: never sent, but counted and shown.

use crate::sanity::Reason;
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
    pub(crate) fn put(&self, symbol: Symbol, reason: Reason, quote: Option<&Quote>) {
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
        });
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
