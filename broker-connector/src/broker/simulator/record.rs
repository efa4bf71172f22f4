//! An order as the simulator remembers it, and a line for the journal.

use super::rules::Refusal;
use crate::broker::{ListedOrder, OrderState};
use crate::journal::report_id;
use chrono::{DateTime, Utc};
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReportKind};
use domain::{OrderId, OrderStatus, Price, ReplaceId};
use exchange::OrderFees;
use rust_decimal::Decimal;

/// The simulator's own number of an order.
pub(super) fn broker_order_id(order_id: OrderId) -> String {
    format!("SIM-{order_id}")
}

/// An order and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) request: OrderRequest,
    pub(super) sequence: i64,
    pub(super) accepted_at: DateTime<Utc>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) status: OrderStatus,
    pub(super) filled_quantity: Decimal,
    pub(super) commission: Decimal,
    pub(super) tax: Decimal,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) updated_at: DateTime<Utc>,
    /// The best last price that a trailing stop has seen.
    pub(super) mark: Option<Price>,
    /// When the price it waited for came.
    pub(super) triggered_at: Option<DateTime<Utc>>,
    /// How often its terms were replaced; `request` has the present ones.
    pub(super) replaces: i32,
    /// Running account of its fees.
    pub(super) fees: OrderFees,
}

impl Record {
    /// An order that just arrived.
    pub(super) fn new(request: OrderRequest, sequence: i64, now: DateTime<Utc>) -> Self {
        Self {
            fees: OrderFees::new(request.symbol.market(), request.side),
            request,
            sequence,
            accepted_at: now,
            expires_at: None,
            status: OrderStatus::New,
            filled_quantity: Decimal::ZERO,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            reason: None,
            message: None,
            updated_at: now,
            mark: None,
            triggered_at: None,
            replaces: 0,
        }
    }

    /// What the first answer to this order was, and every later one is.
    pub(super) fn outcome(&self) -> PlaceOutcome {
        if self.status == OrderStatus::Rejected {
            return PlaceOutcome::Rejected {
                code: self.reason.clone().unwrap_or_default(),
                message: self.message.clone().unwrap_or_default(),
            };
        }
        PlaceOutcome::Accepted { broker_order_id: broker_order_id(self.request.order_id) }
    }

    /// Whether a request names the same order. The time of submission may differ by what a database rounds away, and
    /// of an order whose terms were replaced the first ones are not known any more.
    pub(super) fn is_same_order(&self, other: &OrderRequest) -> bool {
        let mut other = OrderRequest { submitted_at: self.request.submitted_at, ..other.clone() };
        if self.replaces > 0 {
            other = OrderRequest {
                quantity: self.request.quantity,
                limit_price: self.request.limit_price,
                stop_price: self.request.stop_price,
                trail_amount: self.request.trail_amount,
                trail_percent: self.request.trail_percent,
                protection_price: self.request.protection_price,
                ..other
            };
        }
        other == self.request
    }

    pub(super) fn state(&self) -> OrderState {
        self.listed().state(self.request.account_id, self.request.order_id)
    }

    pub(super) fn listed(&self) -> ListedOrder {
        ListedOrder {
            broker_order_id: broker_order_id(self.request.order_id),
            known_as: Some(self.request.order_id),
            symbol: self.request.symbol,
            side: self.request.side,
            order_type: self.request.order_type,
            time_in_force: self.request.time_in_force,
            limit_price: self.request.limit_price,
            stop_price: self.request.stop_price,
            trail_amount: self.request.trail_amount,
            trail_percent: self.request.trail_percent,
            status: self.status,
            quantity: self.request.quantity.value(),
            filled_quantity: self.filled_quantity,
            commission: self.commission,
            tax: self.tax,
            reason: self.reason.clone(),
            accepted_at: self.accepted_at,
            updated_at: self.updated_at,
        }
    }
}

/// A line for the journal.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) order: OrderRequest,
    pub(super) report_id: String,
    pub(super) kind: ReportKind,
    pub(super) occurred_at: DateTime<Utc>,
}

impl Report {
    pub(super) fn new(order: OrderRequest, kind: ReportKind, occurred_at: DateTime<Utc>) -> Self {
        let report_id = report_id(order.order_id, &kind, occurred_at);
        Self { order, report_id, kind, occurred_at }
    }
}

/// What was answered to a request for other terms: accepted, or why not.
pub(super) type Answered = Option<Refusal>;

/// The outcome that an answer is sent as.
pub(super) fn outcome_of(answered: &Answered) -> ReplaceOutcome {
    match answered {
        None => ReplaceOutcome::Accepted,
        Some(Refusal { code, message }) => {
            ReplaceOutcome::Rejected { code: code.clone(), message: message.clone() }
        }
    }
}

/// An answer that has to be remembered.
#[derive(Debug, Clone)]
pub(super) struct ReplaceAnswer {
    pub(super) replace_id: ReplaceId,
    pub(super) order_id: OrderId,
    pub(super) refusal: Answered,
    pub(super) at: DateTime<Utc>,
}

/// What a batch changed and has to be written, all of it or nothing. An order stands in one of the three lists.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) new: Vec<Record>,
    pub(super) changed: Vec<Record>,
    /// Those whose terms have changed.
    pub(super) replaced: Vec<Record>,
    pub(super) answers: Vec<ReplaceAnswer>,
    pub(super) reports: Vec<Report>,
}

impl Changes {
    pub(super) const fn is_empty(&self) -> bool {
        self.new.is_empty()
            && self.changed.is_empty()
            && self.replaced.is_empty()
            && self.answers.is_empty()
            && self.reports.is_empty()
    }
}
