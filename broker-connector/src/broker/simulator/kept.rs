//! Working orders as they are kept in memory. The books know their prices and quantities; everything else that an event
//! needs is here, and what is still as it was when the order arrived takes no room at all.

use super::record::{Record, Standing, Subject};
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderId, OrderType, Quantity, Side, Symbol};
use std::collections::HashMap;
use std::hash::Hash;

/// Values that many orders share, each under a small number.
#[derive(Debug)]
struct Shared<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + Hash> Shared<T> {
    fn number(&mut self, value: T) -> u32 {
        *self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            u32::try_from(self.values.len().saturating_sub(1)).unwrap_or(u32::MAX)
        })
    }

    fn value(&self, number: u32) -> Option<T> {
        self.values.get(usize::try_from(number).ok()?).copied()
    }
}

/// A working order.
#[derive(Debug)]
struct Kept {
    account: u32,
    symbol: u32,
    side: Side,
    order_type: OrderType,
    /// Absent as long as nothing has happened to it.
    standing: Option<Box<Standing>>,
}

/// The working orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    accounts: Shared<AccountId>,
    symbols: Shared<Symbol>,
    kept: HashMap<OrderId, Kept>,
}

impl Orders {
    /// Keeps what of an order is not in its book.
    pub(super) fn keep(&mut self, record: &Record) {
        let request = &record.request;
        let standing = (!record.standing.is_untouched()).then(|| Box::new(record.standing.clone()));
        let kept = Kept {
            account: self.accounts.number(request.account_id),
            symbol: self.symbols.number(request.symbol),
            side: request.side,
            order_type: request.order_type,
            standing,
        };
        self.kept.insert(request.order_id, kept);
    }

    pub(super) fn contains(&self, id: OrderId) -> bool {
        self.kept.contains_key(&id)
    }

    pub(super) fn subject(&self, id: OrderId) -> Option<Subject> {
        let kept = self.kept.get(&id)?;
        Some(Subject {
            order_id: id,
            account_id: self.accounts.value(kept.account)?,
            symbol: self.symbols.value(kept.symbol)?,
            side: kept.side,
        })
    }

    pub(super) fn order_type(&self, id: OrderId) -> Option<OrderType> {
        self.kept.get(&id).map(|kept| kept.order_type)
    }

    /// Where an order stands; nothing where nothing has happened to it.
    pub(super) fn standing(&self, id: OrderId) -> Option<&Standing> {
        self.kept.get(&id)?.standing.as_deref()
    }

    /// Where an order stands, to be changed.
    pub(super) fn standing_mut(&mut self, id: OrderId, now: DateTime<Utc>) -> Option<&mut Standing> {
        let kept = self.kept.get_mut(&id)?;
        let symbol = self.symbols.value(kept.symbol)?;
        let side = kept.side;
        Some(kept.standing.get_or_insert_with(|| Box::new(Standing::new(symbol, side, now))))
    }

    /// Whether an order has ended, though it is still kept.
    pub(super) fn has_ended(&self, id: OrderId) -> bool {
        self.standing(id).is_some_and(|standing| standing.status.is_terminal())
    }

    pub(super) fn forget(&mut self, id: OrderId) {
        self.kept.remove(&id);
    }
}

/// What is open of an order of this much.
pub(super) fn open(quantity: Quantity, standing: Option<&Standing>) -> Option<Quantity> {
    let filled = standing.map_or_else(Default::default, |standing| standing.filled_quantity);
    Quantity::new(quantity.value() - filled).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_to_which_nothing_happened_takes_little_room() {
        assert!(size_of::<Kept>() <= 24);
    }
}
