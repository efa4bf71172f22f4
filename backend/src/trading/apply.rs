//! What a broker's report does to an order. Pure: ten thousand interleavings are tested without a socket.

use super::order::{Order, OrderLogEntry};
use chrono::{DateTime, Utc};
use domain::broker::ReportKind;
use domain::order::{OrderEvent, Transition, transition};
use domain::{OrderStatus, Price, Quantity};
use rust_decimal::Decimal;

/// Something that no order of business produces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incident {
    /// Stable word.
    pub(super) kind: &'static str,
    /// The same for people.
    pub(super) detail: String,
}

/// What an execution moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) execution_id: String,
    pub(super) quantity: Quantity,
    pub(super) price: Price,
    pub(super) commission: Decimal,
    pub(super) tax: Decimal,
}

/// What a report has changed beside the order itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Effects {
    /// Lines for the order's history; none when the report was old news.
    pub(super) entries: Vec<OrderLogEntry>,
    /// By how much its hold has changed; zero or below.
    pub(super) hold_change: Decimal,
    /// Money and shares to be booked.
    pub(super) execution: Option<Execution>,
    /// What a person must look at.
    pub(super) incidents: Vec<Incident>,
}

/// Applies a report to its order. The caller has made sure that this execution was not applied before.
pub(super) fn apply(
    order: &mut Order,
    report: &ReportKind,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Effects {
    let mut effects = match report {
        ReportKind::Accepted => change(order, OrderEvent::Accepted, "accepted", None, at),
        ReportKind::Rejected { reason } => change(order, OrderEvent::Rejected, "rejected", Some(reason), at),
        ReportKind::Canceled { reason } => {
            change(order, OrderEvent::Canceled, "canceled", reason.as_ref(), at)
        }
        ReportKind::Expired => change(order, OrderEvent::Expired, "expired", None, at),
        ReportKind::Fill { execution_id, quantity, price, commission, tax } => {
            let execution = Execution {
                execution_id: execution_id.clone(),
                quantity: *quantity,
                price: *price,
                commission: *commission,
                tax: *tax,
            };
            fill(order, execution, at)
        }
    };
    if !effects.entries.is_empty() {
        // The broker has spoken: nothing about this order is unknown any more.
        order.unresolved_since = None;
        order.updated_at = now;
        let due = order.hold_due();
        effects.hold_change = due - order.held;
        order.held = due;
    }
    effects
}

fn change(
    order: &mut Order,
    event: OrderEvent,
    name: &'static str,
    reason: Option<&String>,
    at: DateTime<Utc>,
) -> Effects {
    match transition(order.status, event) {
        Ok(Transition::To(status)) => {
            order.status = status;
            if let Some(reason) = reason {
                order.reason = Some(reason.clone());
            }
            Effects { entries: vec![order.log(name, reason.cloned(), at)], ..Effects::default() }
        }
        Ok(Transition::Ignored | Transition::LateFill { .. }) => Effects::default(),
        Err(illegal) => {
            let incident = Incident { kind: "illegal_transition", detail: illegal.to_string() };
            Effects { incidents: vec![incident], ..Effects::default() }
        }
    }
}

fn fill(order: &mut Order, execution: Execution, at: DateTime<Utc>) -> Effects {
    let mut incidents = Vec::new();
    let ordered = order.wish.quantity.value();
    let filled = order.filled_quantity + execution.quantity.value();
    if filled > ordered {
        let detail = format!("{filled} shares were executed of an order for {ordered}");
        incidents.push(Incident { kind: "overfill", detail });
    }
    let event = if filled >= ordered { OrderEvent::CompletingFill } else { OrderEvent::PartialFill };
    match transition(order.status, event) {
        Ok(Transition::To(status)) => order.status = status,
        Ok(Transition::LateFill { halt }) => {
            let kind = if halt { "fill_of_refused_order" } else { "late_fill" };
            let detail =
                format!("execution {} of an order that was {}", execution.execution_id, order.status);
            incidents.push(Incident { kind, detail });
        }
        // The table knows no such case; the money has moved all the same.
        Ok(Transition::Ignored) | Err(_) => {
            let detail = format!("execution {} of an order that is {}", execution.execution_id, order.status);
            incidents.push(Incident { kind: "illegal_transition", detail });
        }
    }
    let notional = execution.price.value() * execution.quantity.value();
    order.filled_quantity = filled;
    order.filled_notional += notional;
    order.commission += execution.commission;
    order.tax += execution.tax;
    let detail = format!("{} at {}", execution.quantity, execution.price);
    let name = match order.status {
        OrderStatus::Filled if incidents.is_empty() => "filled",
        OrderStatus::PartiallyFilled => "partially_filled",
        OrderStatus::Filled => "overfilled",
        _ => "late_fill",
    };
    Effects {
        entries: vec![order.log(name, Some(detail), at)],
        execution: Some(execution),
        incidents,
        ..Effects::default()
    }
}

#[cfg(test)]
mod tests;
