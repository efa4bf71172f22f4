//! An order as this server knows it, and how it is born. Pure.

use crate::risk::{Approved, Denial, Hold};
use chrono::{DateTime, Utc};
use domain::broker::OrderRequest;
use domain::{ClientOrderId, Currency, NewOrder, OrderId, OrderStatus, Price, Side, UserId};
use rust_decimal::Decimal;

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id, also its name at the broker.
    pub id: OrderId,
    /// Whose it is.
    pub user_id: UserId,
    /// The caller's name for it.
    pub client_order_id: String,
    /// What was asked for.
    pub wish: NewOrder,
    /// The worst price it can be executed at; unknown only for orders denied for want of a price.
    pub worst_price: Option<Price>,
    /// The most it can cost in commission and tax.
    pub fees_max: Decimal,
    /// Where it stands.
    pub status: OrderStatus,
    /// Shares executed.
    pub filled_quantity: Decimal,
    /// Sum of price times quantity of what was executed.
    pub filled_notional: Decimal,
    /// Paid so far.
    pub commission: Decimal,
    /// Paid so far.
    pub tax: Decimal,
    /// Reserved now: cash for a purchase, shares for a sale.
    pub held: Decimal,
    /// Why risk said no.
    pub denials: Option<Vec<Denial>>,
    /// Why the broker ended it.
    pub reason: Option<String>,
    /// Since when nobody knows whether the broker has it.
    pub unresolved_since: Option<DateTime<Utc>>,
    /// When its owner asked to take it back.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Number of its latest event.
    pub event_sequence: i32,
    /// When it was committed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLogEntry {
    /// Whose.
    pub order_id: OrderId,
    /// Its number, from 1 without gaps.
    pub sequence: i32,
    /// What happened.
    pub event: &'static str,
    /// Where the order stood after it.
    pub status: OrderStatus,
    /// More about it.
    pub detail: Option<String>,
    /// When, by the clock of whoever says so.
    pub occurred_at: DateTime<Utc>,
}

impl Order {
    fn new(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        wish: NewOrder,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            user_id,
            client_order_id: client_order_id.to_string(),
            wish,
            worst_price: None,
            fees_max: Decimal::ZERO,
            status: OrderStatus::Created,
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            held: Decimal::ZERO,
            denials: None,
            reason: None,
            unresolved_since: None,
            cancel_requested_at: None,
            event_sequence: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// An order that risk has approved, with its first event.
    #[must_use]
    pub fn submitted(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        approved: &Approved<NewOrder>,
        at: DateTime<Utc>,
    ) -> (Self, OrderLogEntry) {
        let terms = approved.terms();
        let mut order = Self {
            worst_price: Some(terms.worst_price),
            fees_max: terms.fees_max,
            held: terms.hold.amount(),
            ..Self::new(id, user_id, client_order_id, approved.subject(), at)
        };
        order.status = OrderStatus::PendingNew;
        let entry = order.log("submitted", None, at);
        (order, entry)
    }

    /// An order that risk has refused, kept with every reason, with its only event.
    #[must_use]
    pub fn denied(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        wish: NewOrder,
        denials: Vec<Denial>,
        at: DateTime<Utc>,
    ) -> (Self, OrderLogEntry) {
        let mut order = Self::new(id, user_id, client_order_id, wish, at);
        order.status = OrderStatus::Denied;
        let rules: Vec<&str> = denials.iter().map(|denial| denial.rule.as_str()).collect();
        let detail = rules.join(", ");
        order.denials = Some(denials);
        let entry = order.log("denied", Some(detail), at);
        (order, entry)
    }

    /// Numbers the next event.
    pub(super) fn log(
        &mut self,
        event: &'static str,
        detail: Option<String>,
        at: DateTime<Utc>,
    ) -> OrderLogEntry {
        self.event_sequence += 1;
        OrderLogEntry {
            order_id: self.id,
            sequence: self.event_sequence,
            event,
            status: self.status,
            detail,
            occurred_at: at,
        }
    }

    /// Currency of its prices and fees.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.wish.symbol.currency()
    }

    /// Shares still to be executed; none once it has ended.
    #[must_use]
    pub fn leaves_quantity(&self) -> Decimal {
        if self.status.is_terminal() {
            return Decimal::ZERO;
        }
        (self.wish.quantity.value() - self.filled_quantity).max(Decimal::ZERO)
    }

    /// What it has to keep reserved as it stands.
    #[must_use]
    pub fn hold_due(&self) -> Decimal {
        let leaves = self.leaves_quantity();
        let (false, Some(worst_price)) = (leaves.is_zero(), self.worst_price) else {
            return Decimal::ZERO;
        };
        let charged = self.commission + self.tax;
        Hold::of(self.wish.side, self.currency(), worst_price, self.fees_max, leaves, charged)
            .map_or(self.held, Hold::amount)
    }

    /// The order as it was when it was first answered: what a repeated request is answered with.
    #[must_use]
    pub fn as_first_answered(&self) -> Self {
        if self.status == OrderStatus::Denied {
            return self.clone();
        }
        let mut first = Self {
            status: OrderStatus::PendingNew,
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            reason: None,
            unresolved_since: None,
            cancel_requested_at: None,
            updated_at: self.created_at,
            ..self.clone()
        };
        first.held = first.hold_due();
        first
    }

    /// The message to the broker; nothing for an order that must not be sent.
    #[must_use]
    pub fn request(&self) -> Option<OrderRequest> {
        let worst_price = self.worst_price.filter(|_| self.status == OrderStatus::PendingNew)?;
        let limit_price = self.wish.pricing.limit_price();
        Some(OrderRequest {
            order_id: self.id,
            account_id: self.wish.account_id,
            symbol: self.wish.symbol,
            side: self.wish.side,
            order_type: self.wish.pricing.order_type(),
            time_in_force: self.wish.time_in_force,
            quantity: self.wish.quantity,
            limit_price,
            protection_price: limit_price.is_none().then_some(worst_price),
            submitted_at: self.created_at,
        })
    }

    /// Average price of what was executed.
    #[must_use]
    pub fn average_fill_price(&self) -> Option<Decimal> {
        self.filled_notional.checked_div(self.filled_quantity)
    }

    /// Whether its hold is cash.
    #[must_use]
    pub fn holds_cash(&self) -> bool {
        self.wish.side == Side::Buy
    }
}
