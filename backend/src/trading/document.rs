//! An order as it is answered and told.

use super::order::{Order, Origin, Replacement};
use crate::error::FieldError;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    AccountId, Currency, DecimalText, Notional, OrderGroupId, OrderId, OrderStatus, OrderType, Percent,
    Price, Quantity, ReplaceId, Side, Symbol, TimeInForce,
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

/// Terms that an order is to get; the broker has not answered yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplacingDocument {
    id: ReplaceId,
    /// In total, what is filled included.
    quantity: Quantity,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
}

impl From<Replacement> for ReplacingDocument {
    fn from(replacing: Replacement) -> Self {
        let fields = replacing.terms.pricing.fields();
        Self {
            id: replacing.id,
            quantity: replacing.terms.quantity,
            limit_price: fields.limit_price,
            stop_price: fields.stop_price,
            trail_amount: fields.trail_amount,
            trail_percent: fields.trail_percent,
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
    /// Its last day, with `gtd`.
    expire_date: Option<NaiveDate>,
    /// Shares in total, what is filled included.
    quantity: Quantity,
    /// Whether that is an estimate: the broker was sent the amount of money, and says at the end how many shares it was.
    quantity_estimated: bool,
    /// The amount of money that was asked for, where it was one: the quantity follows from it.
    notional: Option<Notional>,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
    /// When the price it waited for came.
    triggered_at: Option<DateTime<Utc>>,
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
    /// The group it belongs to.
    group_id: Option<OrderGroupId>,
    /// Other terms that its owner has asked for.
    replacing: Option<ReplacingDocument>,
    /// Whether it was made here or found at the broker.
    origin: Origin,
    /// Why it ended as it did, in words of this server or of the broker.
    reason: Option<String>,
    /// Every reason why it was refused here; absent for all other orders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    denials: Vec<FieldError>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<&Order> for OrderDocument {
    fn from(order: &Order) -> Self {
        let fields = order.pricing.fields();
        let average = order.average_fill_price().map(|price| price.round_dp(AVERAGE_PRICE_DIGITS));
        Self {
            id: order.id,
            account_id: order.wish.account_id,
            client_order_id: order.client_order_id.clone(),
            symbol: order.wish.symbol,
            currency: order.currency(),
            side: order.wish.side,
            r#type: order.pricing.order_type(),
            time_in_force: order.wish.lifetime.time_in_force(),
            expire_date: order.wish.lifetime.expire_date(),
            quantity: order.quantity,
            quantity_estimated: order.is_estimated(),
            notional: order.notional(),
            limit_price: fields.limit_price,
            stop_price: fields.stop_price,
            trail_amount: fields.trail_amount,
            trail_percent: fields.trail_percent,
            triggered_at: order.triggered_at,
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
            group_id: order.group.map(|share| share.group),
            replacing: order.replacing.map(ReplacingDocument::from),
            origin: order.origin,
            reason: reason_of(order),
            denials: order.denials.iter().flatten().cloned().map(FieldError::from).collect(),
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
