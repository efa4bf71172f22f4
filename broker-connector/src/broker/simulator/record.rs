//! An order as the simulator writes and reads it, and a line for the journal.

use super::rules::Refusal;
use crate::broker::{ListedOrder, OrderState};
use crate::journal::report_id;
use chrono::{DateTime, Utc};
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind};
use domain::{AccountId, Market, MoneyError, OrderId, OrderStatus, Price, Quantity, ReplaceId, Side, Symbol};
use exchange::{Course, MarketState, OrderFees, execution_date};
use rust_decimal::Decimal;

/// What the number of an order begins with.
pub(super) const NUMBER_PREFIX: &str = "SIM-";

/// The simulator's own number of an order.
pub(super) fn broker_order_id(order_id: OrderId) -> String {
    format!("{NUMBER_PREFIX}{order_id}")
}

/// Where an order stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
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
    /// How often its terms were replaced; the request has the present ones.
    pub(super) replaces: i32,
    /// Its way through a market that has friction.
    pub(super) course: Option<Course>,
    /// Whether it has met no price yet.
    pub(super) waits_for_price: bool,
    /// Running account of its fees.
    pub(super) fees: OrderFees,
}

impl Standing {
    /// Of an order that just arrived.
    pub(super) fn new(symbol: Symbol, side: Side, now: DateTime<Utc>) -> Self {
        Self {
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
            course: None,
            waits_for_price: false,
            fees: OrderFees::new(symbol, side),
        }
    }

    /// Whether nothing has happened to it since it arrived.
    pub(super) const fn is_untouched(&self) -> bool {
        matches!(self.status, OrderStatus::New)
            && self.mark.is_none()
            && self.triggered_at.is_none()
            && self.replaces == 0
            && self.course.is_none()
            && !self.waits_for_price
    }

    /// Goes through the executions of an earlier life of the process again, oldest first.
    ///
    /// # Errors
    /// Beyond 28 digits.
    pub(super) fn recount(&mut self, market: Market, executions: &[Execution]) -> Result<(), MoneyError> {
        for Execution { price, quantity, at } in executions {
            self.fees.charge(*price, *quantity, execution_date(market, *at))?;
        }
        if let Some(course) = &mut self.course {
            course.executions = u32::try_from(executions.len()).unwrap_or(u32::MAX);
        }
        Ok(())
    }
}

/// A part of an order that was executed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Execution {
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) at: DateTime<Utc>,
}

/// An order and where it stands: a row of the table.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) request: OrderRequest,
    pub(super) sequence: i64,
    pub(super) accepted_at: DateTime<Utc>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) standing: Standing,
}

impl Record {
    /// An order that just arrived.
    pub(super) fn new(request: OrderRequest, sequence: i64, now: DateTime<Utc>) -> Self {
        let standing = Standing::new(request.symbol, request.side, now);
        Self { request, sequence, accepted_at: now, expires_at: None, standing }
    }

    /// What the first answer to this order was, and every later one is.
    pub(super) fn outcome(&self) -> PlaceOutcome {
        if self.standing.status == OrderStatus::Rejected {
            return PlaceOutcome::Rejected {
                code: self.standing.reason.clone().unwrap_or_default(),
                message: self.standing.message.clone().unwrap_or_default(),
            };
        }
        PlaceOutcome::Accepted { broker_order_id: broker_order_id(self.request.order_id) }
    }

    /// Whether a request names the same order. The time of submission may differ by what a database rounds away, its owner may
    /// want to take it back by now, and of an order whose terms were replaced the first ones are not known any more.
    pub(super) fn is_same_order(&self, other: &OrderRequest) -> bool {
        let (submitted_at, withdrawn) = (self.request.submitted_at, self.request.withdrawn);
        let mut other = OrderRequest { submitted_at, withdrawn, ..other.clone() };
        if self.standing.replaces > 0 {
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
            status: self.standing.status,
            quantity: self.request.quantity.value(),
            filled_quantity: self.standing.filled_quantity,
            commission: self.standing.commission,
            tax: self.standing.tax,
            reason: self.standing.reason.clone(),
            accepted_at: self.accepted_at,
            updated_at: self.standing.updated_at,
            replaces: None,
            resized_by: None,
        }
    }

    /// Takes the terms of a replace.
    pub(super) fn take_terms(&mut self, sequence: i64, quantity: Quantity, terms: &ReplaceRequest) {
        self.sequence = sequence;
        self.request.quantity = quantity;
        self.request.limit_price = terms.limit_price;
        self.request.stop_price = terms.stop_price;
        self.request.trail_amount = terms.trail_amount;
        self.request.trail_percent = terms.trail_percent;
        self.request.protection_price = terms.protection_price;
    }
}

/// What identifies an order in a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) order_id: OrderId,
    pub(super) account_id: AccountId,
    pub(super) symbol: Symbol,
    pub(super) side: Side,
}

impl Subject {
    pub(super) const fn of(request: &OrderRequest) -> Self {
        let OrderRequest { order_id, account_id, symbol, side, .. } = *request;
        Self { order_id, account_id, symbol, side }
    }
}

/// A line for the journal.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) subject: Subject,
    pub(super) report_id: String,
    pub(super) kind: ReportKind,
    pub(super) occurred_at: DateTime<Utc>,
}

impl Report {
    pub(super) fn new(subject: Subject, kind: ReportKind, occurred_at: DateTime<Utc>) -> Self {
        let report_id = report_id(subject.order_id, &kind, occurred_at);
        Self { subject, report_id, kind, occurred_at }
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

/// An order of before that stands otherwise now.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) order_id: OrderId,
    pub(super) standing: Standing,
}

/// An order of before that has other terms now: the last ones that this batch gave it.
#[derive(Debug, Clone)]
pub(super) struct Replaced {
    pub(super) sequence: i64,
    pub(super) quantity: Quantity,
    pub(super) terms: ReplaceRequest,
    pub(super) standing: Standing,
}

/// What a batch changed and has to be written, all of it or nothing. An order stands in one of the three lists.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) new: Vec<Record>,
    pub(super) changed: Vec<Changed>,
    /// Those whose terms have changed.
    pub(super) replaced: Vec<Replaced>,
    pub(super) answers: Vec<ReplaceAnswer>,
    pub(super) reports: Vec<Report>,
    /// What is known of the markets in which orders wait.
    pub(super) markets: Vec<(Symbol, MarketState)>,
}

impl Changes {
    pub(super) const fn is_empty(&self) -> bool {
        self.new.is_empty()
            && self.changed.is_empty()
            && self.replaced.is_empty()
            && self.answers.is_empty()
            && self.reports.is_empty()
            && self.markets.is_empty()
    }
}
