//! Which orders of a broker are whose, and what the journal lacks about them. Pure.

use crate::broker::{ExecutionFate, ListedExecution, ListedOrder};
use crate::journal::{Entry, Told, report_id};
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::{ExecutionReport, OrderRequest, ReportKind};
use domain::inquiry::{OpenReplace, TermsInForce};
use domain::{AccountId, OrderId, OrderStatus, Quantity};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How far a broker's clock may be behind ours: an order may seem to have been taken before it was made.
const CLOCK_DIFFERENCE_SECONDS_MAX: i64 = 10;
/// How old an order that nobody here made must be before it counts as somebody else's: longer than any order of ours is
/// waited and asked for.
const EXTERNAL_AGE_SECONDS_MIN: i64 = 60;

/// Whose the orders of a broker are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// By the broker's number, the orders that have an id here.
    pub known: BTreeMap<String, OrderId>,
    /// Numbers that have just been found to be orders of ours.
    pub matched: BTreeMap<String, OrderId>,
    /// Numbers of orders that are not ours.
    pub external: BTreeSet<String>,
    /// Orders of ours of which several at the broker may be the one.
    pub unclear: BTreeSet<OrderId>,
}

/// Says whose each order is: by our id where the broker keeps it, by a number that was linked before, or by what it
/// looks like among the orders that wait to be heard of.
pub fn owners(
    orders: &[ListedOrder],
    links: &HashMap<String, OrderId>,
    waiting: &[OrderRequest],
    now: DateTime<Utc>,
) -> Owners {
    let mut owners = Owners::default();
    let mut unlinked = Vec::new();
    for order in orders {
        match order.known_as.or_else(|| links.get(&order.broker_order_id).copied()) {
            Some(id) => drop(owners.known.insert(order.broker_order_id.clone(), id)),
            None => unlinked.push(order),
        }
    }
    let linked: BTreeSet<OrderId> = owners.known.values().chain(links.values()).copied().collect();
    let waiting: Vec<&OrderRequest> =
        waiting.iter().filter(|request| !linked.contains(&request.order_id)).collect();
    for order in unlinked {
        let like: Vec<&&OrderRequest> = waiting.iter().filter(|request| looks_like(order, request)).collect();
        let alone = |request: &OrderRequest| {
            orders.iter().filter(|other| is_unlinked(other, links) && looks_like(other, request)).count() == 1
        };
        match like.as_slice() {
            [request] if alone(request) => {
                owners.matched.insert(order.broker_order_id.clone(), request.order_id);
            }
            [] if now - order.accepted_at >= TimeDelta::seconds(EXTERNAL_AGE_SECONDS_MIN) => {
                owners.external.insert(order.broker_order_id.clone());
            }
            // Too young to be judged.
            [] => {}
            several => owners.unclear.extend(several.iter().map(|request| request.order_id)),
        }
    }
    owners
}

fn is_unlinked(order: &ListedOrder, links: &HashMap<String, OrderId>) -> bool {
    order.known_as.is_none() && !links.contains_key(&order.broker_order_id)
}

fn looks_like(order: &ListedOrder, request: &OrderRequest) -> bool {
    order.symbol == request.symbol
        && order.side == request.side
        && order.quantity == request.quantity.value()
        && order.order_type == request.order_type
        && order.limit_price == request.limit_price
        && order.accepted_at >= request.submitted_at - TimeDelta::seconds(CLOCK_DIFFERENCE_SECONDS_MAX)
}

/// What the journal lacks about orders and their executions, in an order in which it may have happened.
pub fn missing(
    account_id: AccountId,
    orders: &BTreeMap<OrderId, ListedOrder>,
    executions: &[(OrderId, ListedExecution)],
    told: &HashMap<OrderId, Told>,
    replacing: &[OpenReplace],
) -> Vec<Entry> {
    let nothing = Told::default();
    let mut entries = Vec::new();
    for (order_id, order) in orders {
        let told = told.get(order_id).unwrap_or(&nothing);
        let write = |kind: ReportKind, at: DateTime<Utc>| Entry {
            broker_order_id: order.broker_order_id.clone(),
            symbol: order.symbol,
            side: order.side,
            report: ExecutionReport {
                report_id: report_id(*order_id, &kind, at),
                account_id,
                order_id: *order_id,
                kind,
                occurred_at: at,
            },
        };
        let refused = order.status == OrderStatus::Rejected;
        let taken = !refused && order.status != OrderStatus::PendingNew;
        if taken && !told.kinds.contains("accepted") {
            entries.push(write(ReportKind::Accepted, order.accepted_at));
        }
        for (_, execution) in executions.iter().filter(|(of, _)| of == order_id) {
            entries.extend(missing_of(execution, told).map(|(kind, at)| write(kind, at)));
        }
        // After the executions: what was executed before counts for a smaller quantity, and what is executed beyond the
        // old one says itself that the larger one holds.
        let asked = replacing.iter().filter(|open| open.present.order_id == *order_id);
        entries
            .extend(asked.filter_map(|open| replaced(order, open)).map(|kind| write(kind, order.updated_at)));
        let end = match order.status {
            OrderStatus::Canceled => Some(ReportKind::Canceled { reason: order.reason.clone() }),
            OrderStatus::Expired => Some(ReportKind::Expired),
            OrderStatus::Rejected => {
                Some(ReportKind::Rejected { reason: order.reason.clone().unwrap_or_default() })
            }
            _ => None,
        };
        // Of some brokers the list of executions is behind that of orders: an end that came first would make late fills of
        // what was executed before it.
        let is_complete = executed(executions, *order_id) >= order.filled_quantity;
        if let Some(end) = end.filter(|end| is_complete && !told.kinds.contains(end.name())) {
            entries.push(write(end, order.updated_at));
        }
    }
    entries
}

/// Shares of an order that listed executions tell of and that count.
fn executed(executions: &[(OrderId, ListedExecution)], order: OrderId) -> Decimal {
    let corrected = |execution: &ListedExecution| {
        executions.iter().any(|(_, other)| {
            matches!(&other.fate, ExecutionFate::Corrects { execution_id } if *execution_id == execution.execution_id)
        })
    };
    let of_order = executions.iter().filter(|(of, _)| *of == order).map(|(_, execution)| execution);
    of_order
        .filter(|execution| !matches!(execution.fate, ExecutionFate::Undone { .. }) && !corrected(execution))
        .map(|execution| execution.quantity.value())
        .sum()
}

/// The report of a request that an order's terms show to have come true. It has the name that the broker's own would
/// have had, so that it is written once.
fn replaced(order: &ListedOrder, open: &OpenReplace) -> Option<ReportKind> {
    if open.in_force(order.quantity, order.prices()) != TermsInForce::Asked {
        return None;
    }
    let prices = open.asked.fields();
    Some(ReportKind::Replaced {
        replace_id: open.asked.replace_id,
        quantity: Quantity::new(order.quantity).ok()?,
        limit_price: prices.limit_price,
        stop_price: prices.stop_price,
        trail_amount: prices.trail_amount,
        trail_percent: prices.trail_percent,
    })
}

fn missing_of<'a>(
    execution: &'a ListedExecution,
    told: &'a Told,
) -> impl Iterator<Item = (ReportKind, DateTime<Utc>)> + use<'a> {
    let was_told = told.executions.contains(&execution.execution_id);
    let said = match &execution.fate {
        ExecutionFate::Corrects { execution_id } => ReportKind::TradeCorrected {
            corrects: execution_id.clone(),
            execution_id: execution.execution_id.clone(),
            quantity: execution.quantity,
            price: execution.price,
            commission: execution.commission,
            tax: execution.tax,
        },
        ExecutionFate::Stands | ExecutionFate::Undone { .. } => ReportKind::Fill {
            execution_id: execution.execution_id.clone(),
            quantity: execution.quantity,
            price: execution.price,
            commission: execution.commission,
            tax: execution.tax,
        },
    };
    let undone = match execution.fate {
        ExecutionFate::Undone { at } if !told.undone.contains(&execution.execution_id) => {
            let kind =
                ReportKind::TradeCanceled { execution_id: execution.execution_id.clone(), reason: None };
            Some((kind, at))
        }
        _ => None,
    };
    (!was_told).then_some((said, execution.occurred_at)).into_iter().chain(undone)
}

#[cfg(test)]
mod tests;
