//! One account's way to Kiwoom, and what is remembered of it.

use super::config::{INSTRUMENTS_MAX, TOLD_MAX};
use super::desk::Desk;
use super::rest::Failure;
use super::rows::Told;
use super::{NAME, parse};
use crate::broker::outside::identity::Identity;
use crate::broker::outside::way::Way;
use crate::broker::records::{Opening, StoredAccount};
use domain::Symbol;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// One account.
pub(in crate::broker) struct Session {
    way: Way,
    /// Whose way it is.
    pub(super) identity: Identity,
    pub(super) desk: Desk,
    pub(super) opening: Opening,
    /// Codes and their symbols; nothing where Kiwoom knows none.
    symbols: Mutex<HashMap<String, Option<Symbol>>>,
    /// Executions that the stream told, by order number.
    told: Mutex<HashMap<String, Vec<Told>>>,
}

impl Deref for Session {
    type Target = Way;

    fn deref(&self) -> &Way {
        &self.way
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(account: &StoredAccount, desk: Desk, stop: CancellationToken) -> Self {
        Self {
            way: Way::new(NAME, account.account_id, stop),
            identity: Identity::of(account.broker_number.clone()),
            desk,
            opening: account.opening.clone(),
            symbols: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Whether Kiwoom speaks of the account that was opened.
    pub(super) async fn confirm(&self) -> Result<(), Failure> {
        self.identity.confirm(|| self.desk.account_number()).await.map_err(|failure| self.note(failure))
    }

    /// The symbol of a code; nothing where Kiwoom knows none.
    pub(super) async fn symbol_of(&self, code: &str) -> Result<Option<Symbol>, Failure> {
        if let Some(known) = locked(&self.symbols).get(code) {
            return Ok(*known);
        }
        let symbol = self.desk.symbol(code).await.map_err(|failure| self.note(failure))?;
        let mut symbols = locked(&self.symbols);
        if symbols.len() >= INSTRUMENTS_MAX {
            symbols.clear();
        }
        symbols.insert(code.to_owned(), symbol);
        Ok(symbol)
    }

    /// The symbols of codes; those that Kiwoom does not know are absent.
    pub(super) async fn symbols_of<'a>(
        &self,
        codes: impl Iterator<Item = &'a str> + Send,
    ) -> Result<HashMap<String, Symbol>, Failure> {
        let mut found = HashMap::new();
        for code in codes {
            if found.contains_key(code) {
                continue;
            }
            match self.symbol_of(code).await? {
                Some(symbol) => drop(found.insert(code.to_owned(), symbol)),
                None => {
                    tracing::warn!(account = %self.account_id, code, "Kiwoom lists a share that it does not know")
                }
            }
        }
        Ok(found)
    }

    /// The stream has told an execution.
    pub(super) fn tell(&self, number: String, told: Told) {
        let mut all = locked(&self.told);
        if all.values().map(Vec::len).sum::<usize>() >= TOLD_MAX {
            // The lists tell them all, at their average price.
            all.clear();
        }
        let of_order = all.entry(number).or_default();
        if !of_order.contains(&told) {
            of_order.push(told);
        }
    }

    /// What the stream has told of an order.
    pub(super) fn told(&self, number: &str) -> Vec<Told> {
        locked(&self.told).get(number).cloned().unwrap_or_default()
    }

    /// Whether a symbol is what Kiwoom knows under its code.
    pub(super) async fn knows(&self, symbol: Symbol) -> Result<bool, Failure> {
        Ok(self.symbol_of(&parse::code_of(symbol)).await? == Some(symbol))
    }
}
