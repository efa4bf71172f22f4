//! The order books that are known: those that the stream keeps true, and for a while those that were asked for.

use super::parse::Sides;
use crate::provider::OrderBook;
use domain::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a book that was asked for serves, where no stream tells of its changes.
const LIFETIME: Duration = Duration::from_secs(10);
/// Most books that are kept.
const BOOKS_MAX: usize = 1_024;

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<Symbol, (OrderBook, Instant)>,
    /// Shares of which the stream tells.
    followed: BTreeSet<Symbol>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Books(Mutex<State>);

impl Books {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream tells of these shares from now on, and of no others.
    pub(super) fn follow(&self, symbols: &BTreeSet<Symbol>) {
        let mut state = self.state();
        state.known.retain(|symbol, _| symbols.contains(symbol));
        state.followed.clone_from(symbols);
    }

    /// Takes a book and gives it back in our words.
    pub(super) fn put(&self, symbol: Symbol, sides: Sides, source: &'static str) -> OrderBook {
        let book = OrderBook {
            symbol,
            currency: symbol.currency(),
            bids: sides.bids,
            asks: sides.asks,
            at: sides.at,
            source,
            simulated: false,
        };
        let (mut state, now) = (self.state(), Instant::now());
        if state.known.len() >= BOOKS_MAX {
            state.known.clear();
        }
        state.known.insert(symbol, (book.clone(), now));
        book
    }

    /// The book of a share, if it is true still.
    pub(super) fn get(&self, symbol: Symbol) -> Option<OrderBook> {
        let state = self.state();
        let (book, since) = state.known.get(&symbol)?;
        (state.followed.contains(&symbol) || since.elapsed() < LIFETIME).then(|| book.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_book_that_nobody_keeps_true_is_forgotten() {
        let books = Books::default();
        let (followed, asked): (Symbol, Symbol) =
            ("005930.KS".parse().unwrap(), "000660.KS".parse().unwrap());
        books.follow(&BTreeSet::from([followed]));
        for symbol in [followed, asked] {
            books.put(symbol, Sides { bids: Vec::new(), asks: Vec::new(), at: chrono::Utc::now() }, "kiwoom");
        }
        assert!(books.get(followed).is_some() && books.get(asked).is_some());
        tokio::time::advance(LIFETIME).await;
        assert!(books.get(followed).is_some() && books.get(asked).is_none());
        books.follow(&BTreeSet::new());
        assert!(books.get(followed).is_none(), "the stream has ended");
    }
}
