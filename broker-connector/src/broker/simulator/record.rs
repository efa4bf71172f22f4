//! An order as the simulator remembers it, and a line for the journal.

use crate::broker::OrderState;
use chrono::{DateTime, Utc};
use domain::broker::{OrderRequest, PlaceOutcome, ReportKind};
use domain::{OrderId, OrderStatus};
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

    /// Whether a request names the same order. The time of submission may differ by what a database rounds away.
    pub(super) fn is_same_order(&self, other: &OrderRequest) -> bool {
        OrderRequest { submitted_at: self.request.submitted_at, ..other.clone() } == self.request
    }

    pub(super) fn state(&self) -> OrderState {
        OrderState {
            order_id: self.request.order_id,
            account_id: self.request.account_id,
            broker_order_id: broker_order_id(self.request.order_id),
            symbol: self.request.symbol,
            side: self.request.side,
            status: self.status,
            quantity: self.request.quantity.value(),
            filled_quantity: self.filled_quantity,
            commission: self.commission,
            tax: self.tax,
            reason: self.reason.clone(),
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
        let report_id = match &kind {
            ReportKind::Fill { execution_id, .. } => format!("{execution_id}:fill"),
            ReportKind::Accepted => format!("{}:accepted", order.order_id),
            ReportKind::Rejected { .. } => format!("{}:rejected", order.order_id),
            ReportKind::Canceled { .. } => format!("{}:canceled", order.order_id),
            ReportKind::Expired => format!("{}:expired", order.order_id),
        };
        Self { order, report_id, kind, occurred_at }
    }
}

/// What a batch changed and has to be written, all of it or nothing.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) new: Vec<Record>,
    pub(super) changed: Vec<Record>,
    pub(super) reports: Vec<Report>,
}

impl Changes {
    pub(super) const fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.reports.is_empty()
    }
}
