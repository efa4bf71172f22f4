//! Orders that have had several numbers. At some brokers other terms make another order, which stands in the place of the
//! one before: together they are one order of ours. Pure.

use crate::broker::ListedOrder;
use crate::journal::{Entry, report_id};
use chrono::{DateTime, Utc};
use domain::broker::{ExecutionReport, ReportKind};
use domain::{AccountId, OrderId, OrderStatus, Quantity, ReplaceId};
use std::collections::{BTreeMap, BTreeSet};

/// A request for other terms that has come true.
pub type CameTrue = (ReportKind, DateTime<Utc>);

/// One order with all its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The order as it is now, under its newest number.
    pub order: ListedOrder,
    /// All its numbers, the first one first.
    pub numbers: Vec<String>,
    /// The requests of ours that made it what it is.
    pub came_true: Vec<CameTrue>,
}

/// Puts together what is one order. An order that is listed twice counts as it was listed last; one that was to take
/// another's place and was refused has taken it never.
#[must_use]
pub fn chains(listed: Vec<ListedOrder>) -> Vec<Chain> {
    let order: Vec<String> = listed.iter().map(|order| order.broker_order_id.clone()).collect();
    let mut by_number: BTreeMap<String, ListedOrder> =
        listed.into_iter().map(|order| (order.broker_order_id.clone(), order)).collect();
    by_number.retain(|_, order| order.replaces.is_none() || order.status != OrderStatus::Rejected);
    let successors: BTreeMap<String, String> = by_number
        .values()
        .filter_map(|order| {
            Some((order.replaces.as_ref()?.broker_order_id.clone(), order.broker_order_id.clone()))
        })
        .collect();
    let follows = |order: &ListedOrder| {
        order.replaces.as_ref().is_some_and(|before| by_number.contains_key(&before.broker_order_id))
    };
    let firsts: BTreeSet<String> = by_number
        .values()
        .filter(|order| !follows(order))
        .map(|order| order.broker_order_id.clone())
        .collect();
    let mut seen = BTreeSet::new();
    let firsts = order.into_iter().filter(|number| firsts.contains(number) && seen.insert(number.clone()));
    let mut chains = Vec::new();
    for first in firsts {
        let (mut members, mut next) = (Vec::new(), Some(&first));
        while let Some(member) = next.and_then(|number| by_number.get(number)) {
            next = successors.get(&member.broker_order_id).filter(|_| members.len() < by_number.len());
            members.push(member.clone());
        }
        chains.extend(joined(members));
    }
    chains
}

fn joined(members: Vec<ListedOrder>) -> Option<Chain> {
    let numbers = members.iter().map(|member| member.broker_order_id.clone()).collect();
    let mut executed = rust_decimal::Decimal::ZERO;
    let mut came_true = Vec::new();
    for member in &members {
        came_true.extend(replaced(member, executed));
        came_true.extend(resized(member, executed));
        executed += member.filled_quantity;
    }
    let first = members.first()?.clone();
    let before: rust_decimal::Decimal =
        members.iter().rev().skip(1).map(|member| member.filled_quantity).sum();
    let known_as = members.iter().find_map(|member| member.known_as);
    let mut order = members.into_iter().next_back()?;
    order.known_as = known_as;
    // What was executed under earlier numbers was executed; the newest number counts from nothing.
    order.quantity += before;
    order.filled_quantity += before;
    order.accepted_at = first.accepted_at;
    order.replaces = first.replaces;
    if order.status == OrderStatus::Replaced {
        // Its successor is not listed yet.
        order.status =
            if order.filled_quantity.is_zero() { OrderStatus::New } else { OrderStatus::PartiallyFilled };
    }
    Some(Chain { order, numbers, came_true })
}

/// The request by which a number took the place of others under which so many shares were executed.
fn replaced(member: &ListedOrder, executed: rust_decimal::Decimal) -> Option<CameTrue> {
    let replace_id = member.replaces.as_ref()?.replace_id?;
    Some((terms_by(replace_id, member, executed)?, member.accepted_at))
}

/// The change of its size that the broker made by itself.
fn resized(member: &ListedOrder, executed: rust_decimal::Decimal) -> Option<CameTrue> {
    Some((terms_by(member.resized_by?, member, executed)?, member.updated_at))
}

/// The terms of a number after so many shares were executed under those before it.
fn terms_by(
    replace_id: ReplaceId,
    member: &ListedOrder,
    executed: rust_decimal::Decimal,
) -> Option<ReportKind> {
    let prices = member.prices().of_type(member.order_type);
    Some(ReportKind::Replaced {
        replace_id,
        quantity: Quantity::new(member.quantity + executed).ok()?,
        limit_price: prices.limit_price,
        stop_price: prices.stop_price,
        trail_amount: prices.trail_amount,
        trail_percent: prices.trail_percent,
    })
}

/// Adds the reports of requests that came true, each before whatever ends its order. A report that is there already is
/// written no second time.
pub fn add_came_true(
    entries: &mut Vec<Entry>,
    account_id: AccountId,
    orders: &BTreeMap<OrderId, ListedOrder>,
    came_true: &BTreeMap<OrderId, Vec<CameTrue>>,
) {
    for (order_id, requests) in came_true {
        let Some(order) = orders.get(order_id) else { continue };
        for (kind, at) in requests {
            let report = ExecutionReport {
                report_id: report_id(*order_id, kind, *at),
                account_id,
                order_id: *order_id,
                kind: kind.clone(),
                occurred_at: *at,
            };
            let entry = Entry {
                broker_order_id: order.broker_order_id.clone(),
                symbol: order.symbol,
                side: order.side,
                report,
            };
            let ends = |entry: &Entry| {
                entry.report.order_id == *order_id
                    && matches!(
                        entry.report.kind,
                        ReportKind::Canceled { .. } | ReportKind::Expired | ReportKind::Rejected { .. }
                    )
            };
            let place = entries.iter().position(ends).unwrap_or(entries.len());
            entries.insert(place, entry);
        }
    }
}

#[cfg(test)]
mod tests;
