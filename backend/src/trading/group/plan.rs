//! What has to be done about a group of orders as it stands now. Pure.
//!
//! The plan is made from what is, never from what was done before, so that a server that was killed between two steps
//! goes on where it was, and a step that was done already is not planned again.

use domain::{OrderId, OrderStatus, Quantity};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How orders belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::trading) enum GroupKind {
    /// One cancels the other: two exits for the same shares.
    Oco,
    /// One triggers the other: the second is placed when the first is complete.
    Oto,
    /// An entry, and two exits for what it has bought.
    Bracket,
}

/// A leg's part in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::trading) enum LegName {
    /// What must be complete before the others are placed.
    Entry,
    /// The exit with profit: a limit order.
    TakeProfit,
    /// The exit with loss: a stop.
    StopLoss,
    /// The one that follows.
    Then,
}

/// What has become of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::trading) enum LegState {
    /// Its turn has not come.
    Waiting,
    /// It is an order.
    Placed,
    /// Its turn will not come.
    Dropped,
    /// Its turn came, and risk said no.
    Refused,
}

macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),* }) => {
        impl $type {
            pub(in crate::trading) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(in crate::trading) fn from_name(name: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|known| known.name() == name)
            }
        }
    };
}
impl LegName {
    /// Its name in a request.
    pub(in crate::trading) const fn field(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::TakeProfit => "takeProfit",
            Self::StopLoss => "stopLoss",
            Self::Then => "then",
        }
    }
}

names!(GroupKind { Oco = "oco", Oto = "oto", Bracket = "bracket" });
names!(LegName { Entry = "entry", TakeProfit = "take_profit", StopLoss = "stop_loss", Then = "then" });
names!(LegState { Waiting = "WAITING", Placed = "PLACED", Dropped = "DROPPED", Refused = "REFUSED" });

/// An order as far as its group is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) struct LegOrder {
    pub(in crate::trading) id: OrderId,
    pub(in crate::trading) status: OrderStatus,
    pub(in crate::trading) quantity: Decimal,
    pub(in crate::trading) filled_quantity: Decimal,
    pub(in crate::trading) cancel_requested: bool,
    pub(in crate::trading) replace_requested: bool,
}

impl LegOrder {
    const fn is_open(&self) -> bool {
        !self.status.is_terminal()
    }

    /// Whether somebody has taken it back, or is about to.
    fn is_withdrawn(&self) -> bool {
        self.cancel_requested && (self.is_open() || self.status == OrderStatus::Canceled)
    }
}

/// A leg as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trading) struct Leg {
    pub(in crate::trading) name: LegName,
    pub(in crate::trading) state: LegState,
    /// Its order, exactly when it was placed.
    pub(in crate::trading) order: Option<LegOrder>,
}

/// A group as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trading) struct Standing {
    /// The shares it is for.
    pub(in crate::trading) quantity: Decimal,
    /// Whether its broker works the exits.
    pub(in crate::trading) is_native: bool,
    /// Whether its owner wants it all taken back.
    pub(in crate::trading) cancel_requested: bool,
    pub(in crate::trading) legs: Vec<Leg>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trading) enum Step {
    /// The waiting legs become orders for so many shares.
    Wake(Quantity),
    /// The waiting legs never will.
    Drop,
    /// An order is taken back.
    Cancel(OrderId),
    /// An order gets another quantity, what is filled included.
    Resize(OrderId, Quantity),
    /// Nothing can happen to the group any more.
    Finish,
}

/// What is to be done now; nothing when the group only waits for its orders.
pub(in crate::trading) fn next_steps(group: &Standing) -> Vec<Step> {
    let order = |name| group.legs.iter().find(|leg| leg.name == name).and_then(|leg| leg.order);
    let waiting = group.legs.iter().any(|leg| leg.state == LegState::Waiting);
    let orders: Vec<LegOrder> = group.legs.iter().filter_map(|leg| leg.order).collect();
    let withdrawn = group.cancel_requested || orders.iter().any(LegOrder::is_withdrawn);
    if group.is_native
        && waiting
        && let Some(entry) = order(LegName::Entry)
    {
        return before_exits(&entry, withdrawn);
    }
    if withdrawn {
        let cancels = orders.iter().filter(|order| order.is_open() && !order.cancel_requested);
        let mut steps: Vec<Step> = cancels.map(|order| Step::Cancel(order.id)).collect();
        // While the entry may still be filled, its exits wait: it is the owner who wants neither.
        if waiting {
            steps.push(Step::Drop);
        } else if orders.iter().all(|order| !order.is_open()) {
            steps.push(Step::Finish);
        }
        return steps;
    }
    match order(LegName::Entry) {
        Some(entry) if entry.is_open() => return Vec::new(),
        // What ended by itself with a part filled is complete: that part has its exits.
        Some(entry) if waiting => {
            return vec![Quantity::new(entry.filled_quantity).map_or(Step::Drop, Step::Wake)];
        }
        _ => {}
    }
    let exits = order(LegName::TakeProfit).zip(order(LegName::StopLoss));
    if let Some((profit, loss)) = exits.filter(|_| !group.is_native) {
        let shares = order(LegName::Entry).map_or(group.quantity, |entry| entry.filled_quantity);
        let steps: Vec<Step> =
            [shrunk(&profit, &loss, shares), shrunk(&loss, &profit, shares)].into_iter().flatten().collect();
        if !steps.is_empty() {
            return steps;
        }
    }
    if orders.iter().all(|order| !order.is_open()) { vec![Step::Finish] } else { Vec::new() }
}

/// What is to be done while exits that the broker works are no orders here yet. Those of a complete entry are worked, whatever
/// anybody wishes by then; those of one that ended otherwise never will be.
fn before_exits(entry: &LegOrder, withdrawn: bool) -> Vec<Step> {
    match entry.status {
        OrderStatus::Filled => Quantity::new(entry.filled_quantity).map(Step::Wake).into_iter().collect(),
        status if status.is_terminal() => vec![Step::Drop],
        _ if withdrawn && !entry.cancel_requested => vec![Step::Cancel(entry.id)],
        _ => Vec::new(),
    }
}

/// Of two exits for the same shares, what one has sold the other must not.
fn shrunk(order: &LegOrder, other: &LegOrder, shares: Decimal) -> Option<Step> {
    if !order.is_open() || order.cancel_requested {
        return None;
    }
    let due = shares - other.filled_quantity;
    if due <= order.filled_quantity {
        return Some(Step::Cancel(order.id));
    }
    let is_too_large = due < order.quantity && !order.replace_requested;
    Quantity::new(due).ok().filter(|_| is_too_large).map(|quantity| Step::Resize(order.id, quantity))
}

#[cfg(test)]
mod tests;
