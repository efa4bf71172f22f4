//! What the other servers of a group want from the one that takes prices in. Pure.

use domain::Symbol;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// A server that has not said for this long what it wants wants nothing.
pub(super) const WANTS_TIME: Duration = Duration::from_secs(4);
/// Most other servers.
const OTHERS_MAX: usize = 64;

/// What a server tells the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wish {
    /// Who.
    pub(super) instance: String,
    /// Grows each time it begins to listen: it knows nothing then.
    pub(super) listening: u64,
    /// What it wants.
    pub(super) symbols: BTreeSet<Symbol>,
}

/// The wishes that count now.
#[derive(Default)]
pub(super) struct Wants(HashMap<String, (Instant, Wish)>);

impl Wants {
    /// Takes a wish in; what of it that server has not been told about yet.
    pub(super) fn take(&mut self, wish: Wish, now: Instant) -> BTreeSet<Symbol> {
        if self.0.len() >= OTHERS_MAX && !self.0.contains_key(&wish.instance) {
            return BTreeSet::new();
        }
        let symbols = wish.symbols.clone();
        let before = self.0.insert(wish.instance.clone(), (now, wish));
        match before {
            Some((_, before))
                if self.0.get(&before.instance).is_some_and(|(_, now)| now.listening == before.listening) =>
            {
                symbols.difference(&before.symbols).copied().collect()
            }
            _ => symbols,
        }
    }

    /// Everything that somebody wants.
    pub(super) fn all(&mut self, now: Instant) -> BTreeSet<Symbol> {
        self.0.retain(|_, (told_at, _)| *told_at + WANTS_TIME > now);
        self.0.values().flat_map(|(_, wish)| wish.symbols.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(listening: u64, symbols: &[&str]) -> Wish {
        let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
        Wish { instance: "other".to_owned(), listening, symbols }
    }

    #[test]
    fn only_what_is_new_to_a_server_is_told_again() {
        let (mut wants, now) = (Wants::default(), Instant::now());
        assert_eq!(wants.take(wish(1, &["AAPL"]), now).len(), 1);
        assert!(wants.take(wish(1, &["AAPL"]), now).is_empty());
        assert_eq!(wants.take(wish(1, &["AAPL", "IBM"]), now), wish(1, &["IBM"]).symbols);
        assert_eq!(wants.take(wish(2, &["AAPL", "IBM"]), now).len(), 2, "it has been away");
        assert_eq!(wants.all(now).len(), 2);
        assert!(wants.all(now + WANTS_TIME).is_empty(), "who is silent wants nothing");
    }
}
