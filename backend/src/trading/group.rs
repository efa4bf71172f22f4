//! Orders that belong together: one cancels the other, one triggers the other, an entry with its two exits.
//!
//! A group is a plan beside ordinary orders. Its keeper compares the plan with what has become of the orders and asks for
//! what is missing: a leg to be placed, an order to be taken back or made smaller. Where the account's broker takes the whole
//! group as one order of its own, it does most of that itself, and the keeper only lets the legs become orders here; a group
//! that neither way works is refused before anything is placed. What a fast market does before a request arrives is booked
//! as it happened.

mod fit;
mod keeper;
mod native;
mod plan;
mod service;
mod wake;

pub(super) use fit::kinds_at;
pub(super) use keeper::{GroupLook, Keeper};
pub(super) use plan::{GroupKind, LegName, LegState};
pub(super) use service::{GroupView, Groups, NewGroup};

use super::order::Order;
use crate::risk::Denial;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    AccountId, Contradiction, Lifetime, NewOrder, OrderGroupId, OrderId, OrderType, Percent, Price,
    PriceFields, Pricing, Quantity, Side, Size, Symbol, TimeInForce, UserId,
};
use plan::{Leg, LegOrder, Standing};
use serde::{Deserialize, Serialize};

/// Whether something may still happen to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupStatus {
    /// Yes.
    Active,
    /// No.
    Done,
}

impl GroupStatus {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Done => "DONE",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Done].into_iter().find(|status| status.name() == name)
    }
}

/// What a leg is to be, its account, symbol and quantity apart: those are the group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LegWish {
    pub(super) side: Side,
    pub(super) r#type: OrderType,
    pub(super) time_in_force: TimeInForce,
    pub(super) expire_date: Option<NaiveDate>,
    pub(super) limit_price: Option<Price>,
    pub(super) stop_price: Option<Price>,
    pub(super) trail_amount: Option<Price>,
    pub(super) trail_percent: Option<Percent>,
}

impl LegWish {
    /// The leg as an order.
    ///
    /// # Errors
    /// Every field that contradicts another.
    pub(super) fn order(
        self,
        account_id: AccountId,
        symbol: Symbol,
        quantity: Quantity,
    ) -> Result<NewOrder, Vec<Contradiction>> {
        let fields = PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        };
        let pricing = Pricing::from_fields(self.r#type, fields)?;
        let lifetime =
            Lifetime::from_fields(self.time_in_force, self.expire_date).map_err(|wrong| vec![wrong])?;
        let size = Size::Shares(quantity);
        let order = NewOrder { account_id, symbol, side: self.side, pricing, lifetime, size };
        let wrong = order.contradictions();
        if wrong.is_empty() { Ok(order) } else { Err(wrong) }
    }
}

/// A leg of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupLeg {
    pub(super) name: LegName,
    /// The order it is, or the id it will be an order under.
    pub(super) order_id: OrderId,
    pub(super) wish: LegWish,
    pub(super) state: LegState,
    /// Why risk said no when its turn came.
    pub(super) denials: Option<Vec<Denial>>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) id: OrderGroupId,
    pub(super) account_id: AccountId,
    pub(super) user_id: UserId,
    /// The caller's name for it.
    pub(super) client_group_id: String,
    pub(super) kind: GroupKind,
    pub(super) symbol: Symbol,
    pub(super) quantity: Quantity,
    /// Whether its broker works it as one order of its own; it keeps its way for ever.
    pub(super) is_native: bool,
    pub(super) status: GroupStatus,
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) legs: Vec<GroupLeg>,
}

impl Group {
    /// The orders there are by now.
    pub(super) fn placed(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.legs.iter().filter(|leg| leg.state == LegState::Placed).map(|leg| leg.order_id)
    }

    /// Where it stands, given its orders.
    fn standing(&self, orders: &[Order]) -> Standing {
        let leg = |leg: &GroupLeg| Leg {
            name: leg.name,
            state: leg.state,
            order: orders.iter().find(|order| order.id == leg.order_id).map(|order| LegOrder {
                id: order.id,
                status: order.status,
                quantity: order.quantity.value(),
                filled_quantity: order.filled_quantity,
                cancel_requested: order.cancel_requested_at.is_some(),
                replace_requested: order.replacing.is_some(),
            }),
        };
        Standing {
            quantity: self.quantity.value(),
            is_native: self.is_native,
            cancel_requested: self.cancel_requested_at.is_some(),
            legs: self.legs.iter().map(leg).collect(),
        }
    }
}
