//! What a broker's report does to an order. Pure: ten thousand interleavings are tested without a socket.

use super::incident::{FILL_OF_REFUSED_ORDER, Incident};
use super::order::{Order, OrderLogEntry, OrderTerms};
use chrono::{DateTime, Utc};
use domain::broker::ReportKind;
use domain::order::{OrderEvent, Transition, transition};
use domain::{OrderStatus, Price, PriceFields, Pricing, Quantity, ReplaceId};
use rust_decimal::Decimal;

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
    /// By how much its hold has changed; above zero only for terms that nobody here has asked for, and where an execution
    /// was taken back.
    pub(super) hold_change: Decimal,
    /// Whether its terms, or what is known of its trigger, have changed.
    pub(super) terms_changed: bool,
    /// The request for other terms that this has answered, and whether they came true.
    pub(super) replace_answered: Option<(ReplaceId, bool)>,
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
    let asked = order.replacing.map(|replacing| replacing.id);
    let mut effects = match report {
        ReportKind::Accepted => change(order, OrderEvent::Accepted, "accepted", None, at),
        ReportKind::Rejected { reason } => change(order, OrderEvent::Rejected, "rejected", Some(reason), at),
        ReportKind::Canceled { reason } => {
            change(order, OrderEvent::Canceled, "canceled", reason.as_ref(), at)
        }
        ReportKind::Expired => change(order, OrderEvent::Expired, "expired", None, at),
        ReportKind::Triggered { price } => trigger(order, *price, at),
        ReportKind::Replaced {
            replace_id,
            quantity,
            limit_price,
            stop_price,
            trail_amount,
            trail_percent,
        } => {
            let fields = PriceFields {
                limit_price: *limit_price,
                stop_price: *stop_price,
                trail_amount: *trail_amount,
                trail_percent: *trail_percent,
            };
            replace(order, *replace_id, *quantity, fields, at)
        }
        ReportKind::Suspended { reason } => {
            change(order, OrderEvent::Suspended, "suspended", reason.as_ref(), at)
        }
        ReportKind::Resumed => resume(order, at),
        ReportKind::DoneForDay => change(order, OrderEvent::DoneForDay, "done_for_day", None, at),
        // These speak of an execution and need it: see `undo`.
        ReportKind::TradeCanceled { .. } | ReportKind::TradeCorrected { .. } => Effects::default(),
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
    settle_hold(order, &mut effects, asked, now);
    effects
}

/// What every word of the broker leads to. `asked` is the request for other terms that was open before it.
fn settle_hold(order: &mut Order, effects: &mut Effects, asked: Option<ReplaceId>, now: DateTime<Utc>) {
    if effects.entries.is_empty() {
        return;
    }
    // The broker has spoken: nothing about this order is unknown any more.
    order.unresolved_since = None;
    order.updated_at = now;
    if let Some(replacing) = order.replacing.filter(|_| order.status.is_terminal()) {
        order.replacing = None;
        if order.filled_quantity > order.quantity.value() {
            // It has ended with more than the old terms allow, so it has worked by those asked for.
            order.replace_terms(replacing.id, replacing.terms);
        }
    }
    if let Some(asked) = asked.filter(|_| order.replacing.is_none()) {
        effects.terms_changed = true;
        effects.replace_answered = Some((asked, order.was_replaced_by(asked)));
    }
    let due = order.hold_due();
    effects.hold_change += due - order.held;
    order.held = due;
}

/// Works again. Shares that were executed before it was held are not forgotten.
fn resume(order: &mut Order, at: DateTime<Utc>) -> Effects {
    let held_back = matches!(order.status, OrderStatus::Suspended | OrderStatus::DoneForDay);
    let mut effects = change(order, OrderEvent::Resumed, "resumed", None, at);
    if held_back && order.filled_quantity > Decimal::ZERO {
        order.status = OrderStatus::PartiallyFilled;
        for entry in &mut effects.entries {
            entry.status = order.status;
        }
    }
    effects
}

/// Takes an execution back that the order counts, and counts another in its place if there is one. The only way in which
/// a filled quantity goes down. The caller has made sure that it happens once, and books the money.
///
/// `told` is what the broker has said of the order's terms and end: that was no news as long as the order was filled, and
/// is now.
pub(super) fn undo(
    order: &mut Order,
    undone: &Execution,
    instead: Option<Execution>,
    told: &[ReportKind],
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Effects {
    // What was counted once is rounded as it was then.
    let worth = |execution: &Execution| execution.price.value_of(execution.quantity).unwrap_or_default();
    order.filled_quantity -= undone.quantity.value();
    order.filled_notional -= worth(undone);
    order.commission -= undone.commission;
    order.tax -= undone.tax;
    let (incident, detail) = match &instead {
        None => {
            let detail = format!("execution {} was undone", undone.execution_id);
            (Incident::new("trade_canceled", detail.clone()), detail)
        }
        Some(execution) => {
            order.filled_quantity += execution.quantity.value();
            order.filled_notional += worth(execution);
            order.commission += execution.commission;
            order.tax += execution.tax;
            let detail = format!(
                "execution {} counts as {} at {}",
                undone.execution_id, execution.quantity, execution.price
            );
            let incident = Incident::new("trade_corrected", detail.clone())
                .with("quantity", execution.quantity)
                .with("price", execution.price);
            (incident, detail)
        }
    };
    let incident = incident.with("execution", &undone.execution_id);
    let asked = order.replacing.map(|replacing| replacing.id);
    let entry = order.log(incident.kind, Some(detail), at);
    let mut incidents = vec![incident];
    incidents.extend(recount(order));
    let mut effects = Effects { entries: vec![entry], incidents, ..Effects::default() };
    for word in told {
        let again = apply(order, word, at, now);
        effects.entries.extend(again.entries);
        effects.hold_change += again.hold_change;
        effects.terms_changed |= again.terms_changed;
        effects.replace_answered = effects.replace_answered.or(again.replace_answered);
        // That nobody had asked for these terms was seen when they were told first, and is not so where the request has
        // ended since.
    }
    effects.execution = instead;
    settle_hold(order, &mut effects, asked, now);
    effects
}

/// Puts an order where its executions say after one of them was taken back.
fn recount(order: &mut Order) -> Option<Incident> {
    let event = if order.is_complete() {
        OrderEvent::CompletingFill
    } else if order.filled_quantity > Decimal::ZERO {
        OrderEvent::FillsReduced
    } else {
        OrderEvent::FillsUndone
    };
    if let Ok(Transition::To(status)) = transition(order.status, event) {
        order.status = status;
    }
    overfill(order)
}

/// What a person must look at where more was executed than any terms allow that may be in force.
pub(super) fn overfill(order: &Order) -> Option<Incident> {
    let ordered = order.quantity_max().value();
    (order.filled_quantity > ordered && !order.is_estimated()).then(|| {
        let detail = format!("{} shares were executed of an order for {ordered}", order.filled_quantity);
        Incident::new("overfill", detail).with("filled", order.filled_quantity).with("ordered", ordered)
    })
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
            let was_held = order.status == OrderStatus::Suspended;
            order.status = status;
            // Why it was held is no reason for what comes after.
            if reason.is_some() || was_held {
                order.reason = reason.cloned();
            }
            Effects { entries: vec![order.log(name, reason.cloned(), at)], ..Effects::default() }
        }
        Ok(Transition::Ignored | Transition::LateFill { .. }) => Effects::default(),
        Err(illegal) => {
            let incident = Incident::new("illegal_transition", illegal.to_string())
                .with("case", "event")
                .with("status", illegal.from)
                .with("event", name);
            Effects { incidents: vec![incident], ..Effects::default() }
        }
    }
}

/// The price it waited for has come. An order is triggered once.
fn trigger(order: &mut Order, price: Price, at: DateTime<Utc>) -> Effects {
    if order.triggered_at.is_some() || order.status.is_terminal() {
        return Effects::default();
    }
    order.triggered_at = Some(at);
    let effects = change(order, OrderEvent::Triggered, "triggered", None, at);
    let entries = effects
        .entries
        .into_iter()
        .map(|entry| OrderLogEntry { detail: Some(format!("the last price was {price}")), ..entry });
    Effects { entries: entries.collect(), terms_changed: true, ..Effects::default() }
}

/// The order has other terms. A request that has taken effect is known by its id, so that it does so once.
fn replace(
    order: &mut Order,
    id: ReplaceId,
    quantity: Quantity,
    fields: PriceFields,
    at: DateTime<Utc>,
) -> Effects {
    if order.was_replaced_by(id) || order.status.is_terminal() {
        return Effects::default();
    }
    let mut incidents = Vec::new();
    let asked = order.replacing.filter(|replacing| replacing.id == id).map(|replacing| replacing.terms);
    let Ok(pricing) = Pricing::from_fields(order.pricing.order_type(), fields) else {
        let detail = format!("the prices of the replace {id} do not go with the order's type");
        incidents.push(Incident::new("unreadable_report", detail).with("case", "prices").with("replace", id));
        return Effects { incidents, ..Effects::default() };
    };
    // Of exits that it works itself, it makes one smaller by what the other has sold.
    // Of an amount of money, it says how many shares it was.
    if asked.is_none() && order.contingency.is_none() && !order.sends_amount {
        let detail = format!("the broker has changed the order by {id}, which nobody here has asked for");
        incidents.push(Incident::new("unasked_replace", detail).with("replace", id));
    }
    let terms = OrderTerms { quantity, pricing, ..asked.unwrap_or_else(|| order.terms()) };
    let worst_price = pricing.limit_price().or(terms.worst_price);
    order.replace_terms(id, OrderTerms { worst_price, ..terms });
    let entries = told_of_terms(order, at);
    Effects { entries, incidents, terms_changed: true, ..Effects::default() }
}

/// The lines of the history for new terms: what they are, and, where they are filled already, that this was all.
fn told_of_terms(order: &mut Order, at: DateTime<Utc>) -> Vec<OrderLogEntry> {
    let detail = describe(&order.terms());
    let mut entries = Vec::new();
    if let Ok(Transition::To(status)) = transition(order.status, OrderEvent::TermsReplaced) {
        order.status = status;
        let name = match order.amount_sent() {
            Some(_) => "amount_counted",
            None => "replaced",
        };
        entries.push(order.log(name, Some(detail), at));
    }
    entries.extend(finish_if_filled(order, at));
    entries
}

/// Ends an order of which nothing is open any more; one whose other terms are asked for is still open by those.
pub(super) fn finish_if_filled(order: &mut Order, at: DateTime<Utc>) -> Option<OrderLogEntry> {
    if order.replacing.is_some() || order.status.is_terminal() || !order.is_complete() {
        return None;
    }
    let Ok(Transition::To(status)) = transition(order.status, OrderEvent::TermsFulfilled) else {
        return None;
    };
    order.status = status;
    Some(order.log("filled", None, at))
}

/// Terms in words for the history.
pub(super) fn describe(terms: &OrderTerms) -> String {
    describe_fields(terms.quantity.value(), terms.pricing.fields())
}

/// A quantity and prices in words.
pub(super) fn describe_fields(quantity: Decimal, fields: PriceFields) -> String {
    let prices = [
        ("limit", fields.limit_price.map(|price| price.to_string())),
        ("stop", fields.stop_price.map(|price| price.to_string())),
        ("trail", fields.trail_amount.map(|amount| amount.to_string())),
        ("trail", fields.trail_percent.map(|percent| format!("{percent} %"))),
    ];
    let mut words = format!("quantity {}", quantity.normalize());
    for (name, price) in prices {
        words.extend(price.map(|price| format!(", {name} {price}")));
    }
    words
}

fn fill(order: &mut Order, execution: Execution, at: DateTime<Utc>) -> Effects {
    order.filled_quantity += execution.quantity.value();
    // What was read from the journal was found to fit into the books.
    order.filled_notional += execution.price.value_of(execution.quantity).unwrap_or_default();
    order.commission += execution.commission;
    order.tax += execution.tax;
    let mut incidents = Vec::from_iter(overfill(order));
    let event = if order.is_complete() { OrderEvent::CompletingFill } else { OrderEvent::PartialFill };
    match transition(order.status, event) {
        Ok(Transition::To(status)) => order.status = status,
        Ok(Transition::LateFill { halt }) => {
            let kind = if halt { FILL_OF_REFUSED_ORDER } else { "late_fill" };
            let detail =
                format!("execution {} of an order that was {}", execution.execution_id, order.status);
            let incident = Incident::new(kind, detail).with("execution", &execution.execution_id);
            incidents.push(incident.with("status", order.status));
        }
        // The table knows no such case; the money has moved all the same.
        Ok(Transition::Ignored) | Err(_) => {
            let detail = format!("execution {} of an order that is {}", execution.execution_id, order.status);
            let incident = Incident::new("illegal_transition", detail).with("case", "execution");
            incidents.push(incident.with("execution", &execution.execution_id).with("status", order.status));
        }
    }
    let detail = format!("{} at {}", execution.quantity, execution.price);
    let name = match order.status {
        OrderStatus::Filled if incidents.is_empty() => "filled",
        OrderStatus::PartiallyFilled => "partially_filled",
        OrderStatus::Filled => "overfilled",
        _ => "late_fill",
    };
    let entries = vec![order.log(name, Some(detail), at)];
    Effects { entries, execution: Some(execution), incidents, ..Effects::default() }
}

#[cfg(test)]
mod tests;
