//! A day's rows into orders: what a change and a cancel, which are rows of their own, have made of the order they speak of.
//! Pure.

use super::parse::terms;
use super::rows::{OrderRow, RowKind, broker_number};
use crate::broker::{ListedOrder, Predecessor};
use chrono::NaiveDate;
use domain::{OrderStatus, Price, ReplaceId, Symbol};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// What is known beside the rows.
pub(super) struct Known<'a> {
    /// The day in Seoul.
    pub(super) day: NaiveDate,
    /// Whether it is over: orders live for one day.
    pub(super) is_over: bool,
    /// Symbols by code; rows of other codes are left out.
    pub(super) symbols: &'a HashMap<String, Symbol>,
    /// Our requests by the numbers that came of them.
    pub(super) requests: &'a HashMap<String, ReplaceId>,
}

/// How many shares of an order were taken back or given to another number.
#[derive(Debug, Default, Clone, Copy)]
struct Gone {
    cancelled: i64,
    changed: i64,
}

/// The orders of a day. A change that the market has not confirmed is none yet.
pub(super) fn orders(rows: &[OrderRow], known: &Known<'_>) -> Vec<ListedOrder> {
    let mut gone: HashMap<&str, Gone> = HashMap::new();
    let mut successors: HashMap<&str, &str> = HashMap::new();
    let mut predecessors: HashMap<&str, &str> = HashMap::new();
    let counts = |row: &&OrderRow| row.is_confirmed && !row.is_rejected;
    for row in rows.iter().filter(|row| row.kind != RowKind::New).filter(counts) {
        let Some(original) = row.original.as_deref() else { continue };
        // Some lists name the first number of a chain, others the one before.
        let mut last = original;
        // A list may name numbers in a circle; no chain is longer than the list.
        for _ in rows {
            let Some(next) = successors.get(last) else { break };
            last = next;
        }
        if last == row.number {
            continue;
        }
        let before = gone.entry(last).or_default();
        if row.kind == RowKind::Cancel {
            before.cancelled += row.quantity;
        } else {
            before.changed += row.quantity;
            successors.insert(last, &row.number);
            predecessors.insert(&row.number, last);
        }
    }
    let trades = rows.iter().filter(|row| row.kind == RowKind::New || counts(row));
    let trades = trades.filter(|row| row.kind != RowKind::Cancel);
    trades
        .filter_map(|row| {
            let gone = gone.get(row.number.as_str()).copied().unwrap_or_default();
            let before = predecessors.get(row.number.as_str()).copied();
            listed(row, gone, before, known)
        })
        .collect()
}

fn status(row: &OrderRow, gone: Gone, is_over: bool) -> OrderStatus {
    if row.is_rejected {
        return OrderStatus::Rejected;
    }
    let left = row.open.min(row.quantity - row.filled - gone.cancelled - gone.changed);
    if left > 0 {
        return match (is_over, row.filled) {
            (true, _) => OrderStatus::Expired,
            (false, 0) => OrderStatus::New,
            (false, _) => OrderStatus::PartiallyFilled,
        };
    }
    if row.filled >= row.quantity {
        OrderStatus::Filled
    } else if gone.changed > 0 {
        OrderStatus::Replaced
    } else if gone.cancelled == 0
        && !matches!(terms(&row.type_words, row.price, row.stop).1, domain::TimeInForce::Day)
    {
        // What an IOC or FOK order does not get at once is gone.
        OrderStatus::Expired
    } else {
        OrderStatus::Canceled
    }
}

fn listed(row: &OrderRow, gone: Gone, before: Option<&str>, known: &Known<'_>) -> Option<ListedOrder> {
    let number = broker_number(known.day, &row.number);
    let (order_type, time_in_force) = terms(&row.type_words, row.price, row.stop);
    let price = |price: Decimal| Price::new(price).ok();
    Some(ListedOrder {
        known_as: None,
        symbol: *known.symbols.get(&row.code)?,
        side: row.side,
        order_type,
        time_in_force,
        limit_price: price(row.price),
        stop_price: price(row.stop),
        trail_amount: None,
        trail_percent: None,
        status: status(row, gone, known.is_over),
        quantity: Decimal::from(row.quantity),
        filled_quantity: Decimal::from(row.filled),
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        reason: row.is_rejected.then(|| "Kiwoom refused it after it was taken".to_owned()),
        accepted_at: row.at,
        updated_at: row.at,
        replaces: before.map(|before| Predecessor {
            broker_order_id: broker_number(known.day, before),
            replace_id: known.requests.get(&number).copied(),
        }),
        resized_by: None,
        broker_order_id: number,
    })
}

#[cfg(test)]
mod tests;
