//! Which shares there are, as Kiwoom lists them: whether a symbol names the right board, and what a text may mean.

use super::rest::Rest;
use crate::instruments;
use crate::provider::{Listing, ProviderError};
use domain::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Lists that are searched: KOSPI, KOSDAQ, funds (ka10099).
const LISTS: [&str; 3] = ["0", "10", "8"];
/// How long a list serves: shares are listed and renamed seldom.
const LIST_LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// Most shares whose board is remembered.
const CONFIRMED_MAX: usize = 8_192;

type Lists = BTreeMap<&'static str, (Instant, Arc<Vec<Listing>>)>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Shares {
    confirmed: Mutex<BTreeSet<Symbol>>,
    lists: Mutex<Lists>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shares {
    /// Whether the share is known to be on the board of its symbol. Kiwoom's codes say nothing of boards, so a wrong one would
    /// be given the prices of the right one.
    pub(super) fn is_confirmed(&self, symbol: Symbol) -> bool {
        instruments::is_named(symbol) || locked(&self.confirmed).contains(&symbol)
    }

    /// Asks, where it is not known, whether the share is on the board of its symbol.
    ///
    /// # Errors
    /// [`ProviderError::UnknownSymbol`] where it is not.
    pub(super) async fn confirm(&self, rest: &Rest, symbol: Symbol) -> Result<(), ProviderError> {
        if self.is_confirmed(symbol) {
            return Ok(());
        }
        if rest.listed(symbol).await? != Some(symbol) {
            return Err(ProviderError::UnknownSymbol(symbol));
        }
        let mut confirmed = locked(&self.confirmed);
        if confirmed.len() >= CONFIRMED_MAX {
            confirmed.clear();
        }
        confirmed.insert(symbol);
        Ok(())
    }

    /// The shares that a text may mean, the likeliest first. Each list that was fetched is kept, also when the next one does not
    /// come in time.
    pub(super) async fn search(
        &self,
        rest: &Rest,
        text: &str,
        limit: usize,
    ) -> Result<Vec<Listing>, ProviderError> {
        let mut found = BTreeMap::new();
        for name in LISTS {
            let list = match self.known(name) {
                Some(list) => list,
                None => self.keep(name, rest.shares(name).await?),
            };
            for listing in list.iter() {
                if let Some(rank) = rank(listing, text) {
                    found.insert((rank, listing.symbol), listing.clone());
                }
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    fn known(&self, name: &'static str) -> Option<Arc<Vec<Listing>>> {
        let lists = locked(&self.lists);
        lists.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, list)| Arc::clone(list))
    }

    fn keep(&self, name: &'static str, list: Vec<Listing>) -> Arc<Vec<Listing>> {
        let list = Arc::new(list);
        locked(&self.lists).insert(name, (Instant::now() + LIST_LIFETIME, Arc::clone(&list)));
        list
    }
}

/// How likely a text means a share, 0 the likeliest; nothing when it does not.
fn rank(listing: &Listing, text: &str) -> Option<u8> {
    let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<String>();
    let (name, code, text) = (plain(&listing.name), plain(listing.symbol.as_str()), plain(text));
    let bare = code.split('.').next().unwrap_or_default();
    match () {
        () if text.is_empty() => None,
        () if code == text || bare == text => Some(0),
        () if name == text => Some(1),
        () if code.starts_with(&text) || name.starts_with(&text) => Some(2),
        () if name.contains(&text) => Some(3),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_share_is_the_one_that_was_written_out() {
        let listing = Listing::new("005930.KS".parse().unwrap(), "삼성전자");
        let ranks = ["005930", "005930.ks", "삼성전자", "삼성", "0059", "전자", "하이닉스", " "];
        let ranks = ranks.map(|text| rank(&listing, text));
        assert_eq!(ranks, [Some(0), Some(0), Some(1), Some(2), Some(2), Some(3), None, None]);
    }
}
