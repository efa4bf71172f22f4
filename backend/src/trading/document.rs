//! An order as it is answered and told.

use super::order::Order;
use chrono::{DateTime, Utc};
use domain::{
    AccountId, Currency, DecimalText, OrderId, OrderStatus, OrderType, Price, Quantity, Side, Symbol,
    TimeInForce,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Digits of an average price: finer than any tick.
const AVERAGE_PRICE_DIGITS: u32 = 6;

/// Where an order stands, in everyday words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// On its way to the broker.
    Pending,
    /// Working.
    Open,
    /// Done in full.
    Filled,
    /// Taken back.
    Cancelled,
    /// Ended by its time in force.
    Expired,
    /// Refused here or by the broker.
    Rejected,
    /// Superseded by another order.
    Replaced,
}

impl From<OrderStatus> for OrderState {
    fn from(status: OrderStatus) -> Self {
        match status {
            OrderStatus::Created | OrderStatus::PendingNew => Self::Pending,
            OrderStatus::New
            | OrderStatus::PartiallyFilled
            | OrderStatus::Suspended
            | OrderStatus::DoneForDay => Self::Open,
            OrderStatus::Filled => Self::Filled,
            OrderStatus::Canceled => Self::Cancelled,
            OrderStatus::Expired => Self::Expired,
            OrderStatus::Denied | OrderStatus::Rejected => Self::Rejected,
            OrderStatus::Replaced => Self::Replaced,
        }
    }
}

/// An order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Order)]
#[serde(rename_all = "camelCase")]
pub struct OrderDocument {
    id: OrderId,
    account_id: AccountId,
    /// The caller's name for it; its id where the caller gave none.
    client_order_id: String,
    symbol: Symbol,
    currency: Currency,
    side: Side,
    r#type: OrderType,
    time_in_force: TimeInForce,
    quantity: Quantity,
    limit_price: Option<Price>,
    status: OrderStatus,
    state: OrderState,
    filled_quantity: DecimalText,
    /// Shares still to be executed.
    leaves_quantity: DecimalText,
    average_fill_price: Option<DecimalText>,
    commission: DecimalText,
    tax: DecimalText,
    /// Reserved for it: cash for a purchase, shares for a sale.
    held: DecimalText,
    /// Nobody knows yet whether the broker has it.
    unresolved: bool,
    /// Its owner has asked to take it back.
    cancel_requested: bool,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<&Order> for OrderDocument {
    fn from(order: &Order) -> Self {
        let average = order.average_fill_price().map(|price| price.round_dp(AVERAGE_PRICE_DIGITS));
        Self {
            id: order.id,
            account_id: order.wish.account_id,
            client_order_id: order.client_order_id.clone(),
            symbol: order.wish.symbol,
            currency: order.currency(),
            side: order.wish.side,
            r#type: order.wish.pricing.order_type(),
            time_in_force: order.wish.time_in_force,
            quantity: order.wish.quantity,
            limit_price: order.wish.pricing.limit_price(),
            status: order.status,
            state: order.status.into(),
            filled_quantity: order.filled_quantity.into(),
            leaves_quantity: order.leaves_quantity().into(),
            average_fill_price: average.map(DecimalText),
            commission: order.commission.into(),
            tax: order.tax.into(),
            held: order.held.into(),
            unresolved: order.unresolved_since.is_some(),
            cancel_requested: order.cancel_requested_at.is_some(),
            reason: reason_of(order),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

fn reason_of(order: &Order) -> Option<String> {
    let denials = order.denials.as_ref().map(|denials| {
        denials
            .iter()
            .map(|denial| format!("{} {}", denial.field, denial.message))
            .collect::<Vec<_>>()
            .join("; ")
    });
    denials.or_else(|| order.reason.clone())
}
