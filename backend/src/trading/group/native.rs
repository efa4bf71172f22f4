//! Groups that a broker takes as one order of its own: what such an order can be, and how its legs become orders here. Pure.
//!
//! The first leg is sent and brings the others. What follows from executions (exits that are worked, made smaller or taken
//! back) the broker does by itself, and the journal tells it.

use super::service::NewGroup;
use super::wake::{self, Woken};
use super::{Group, GroupKind, GroupLeg, LegName, LegWish};
use crate::account::LockedBalances;
use crate::error::FieldError;
use crate::risk::Denial;
use crate::trading::order::{GroupShare, Order};
use chrono::{DateTime, Utc};
use domain::broker::{Contingency, Exit, ExitKind, OrderClass};
use domain::{OrderId, OrderType, Quantity, Side, TimeInForce};
use exchange::Tariff;

/// How long such an order can stay.
const LIFETIMES: [TimeInForce; 2] = [TimeInForce::Day, TimeInForce::Gtc];

impl Group {
    /// How one of its orders belongs to the others at the broker; nothing where the house works them.
    pub(super) fn contingency(&self, order: OrderId) -> Option<Contingency> {
        let (class, first) = match self.kind {
            GroupKind::Bracket => (OrderClass::Bracket, LegName::Entry),
            GroupKind::Oco => (OrderClass::Oco, LegName::TakeProfit),
            GroupKind::Oto => (OrderClass::Oto, LegName::Entry),
        };
        let leader = self.legs.iter().find(|leg| leg.name == first).filter(|_| self.is_native)?;
        if leader.order_id != order {
            return Some(Contingency::Follows { leader: leader.order_id });
        }
        let others = self.legs.iter().filter(|leg| leg.order_id != order);
        Some(Contingency::Leads { class, exits: others.filter_map(exit).collect() })
    }
}

fn exit(leg: &GroupLeg) -> Option<Exit> {
    let kind = match leg.name {
        LegName::TakeProfit => ExitKind::TakeProfit,
        LegName::StopLoss => ExitKind::StopLoss,
        LegName::Then => kind_of(leg.wish.r#type)?,
        LegName::Entry => return None,
    };
    let (limit_price, stop_price) = (leg.wish.limit_price, leg.wish.stop_price);
    Some(Exit { order_id: leg.order_id, kind, side: leg.wish.side, limit_price, stop_price })
}

/// Which exit an order of a type is; nothing for a type that none is of.
const fn kind_of(order_type: OrderType) -> Option<ExitKind> {
    match order_type {
        OrderType::Limit => Some(ExitKind::TakeProfit),
        OrderType::Stop | OrderType::StopLimit => Some(ExitKind::StopLoss),
        OrderType::Market | OrderType::TrailingStop => None,
    }
}

/// Exits that the broker works become orders here for so many shares.
pub(super) fn stand(
    group: &Group,
    quantity: Quantity,
    balances: &mut LockedBalances,
    tariff: Tariff,
    now: DateTime<Utc>,
) -> Woken {
    let (mut woken, mut orders) = (Woken::default(), Vec::new());
    for leg in wake::waiting(group) {
        let wish = leg.wish.order(group.account_id, group.symbol, quantity).ok();
        let order =
            wish.and_then(|wish| Order::standing(leg.order_id, group.user_id, (wish, quantity), tariff, now));
        let Some(mut order) = order else {
            woken.refused.push((leg.name, Vec::new()));
            continue;
        };
        order.group = Some(GroupShare { group: group.id, sibling: None, left: None, sibling_held: None });
        order.contingency = group.contingency(order.id);
        orders.push(order);
    }
    if let [profit, loss] = orders.as_mut_slice() {
        wake::pair(profit, loss);
    }
    orders.into_iter().for_each(|order| woken.finish(order, balances));
    woken
}

/// Exits that the broker never worked although their entry was executed in part: it works them when all of it was. Whoever
/// has not taken the entry back is told, because those shares stand without them.
pub(super) fn without_exits(group: &Group, orders: &[Order]) -> Woken {
    let is_wanted = group.cancel_requested_at.is_none();
    let bought_in_part = |order: &Order| {
        order.leads_others() && !order.filled_quantity.is_zero() && order.cancel_requested_at.is_none()
    };
    let mut without = Woken::default();
    if is_wanted && orders.iter().any(bought_in_part) {
        let message = "the entry ended before all of it was executed, and its broker works exits only then";
        let denial = || Denial::new("", "entry_incomplete", message);
        without.refused = wake::waiting(group).into_iter().map(|leg| (leg.name, vec![denial()])).collect();
    }
    without
}

impl NewGroup {
    /// Whether what follows an order is an exit that a broker takes with it: it sells what that one buys, dearer or after a fall,
    /// and both last equally long. Anything else that follows is two simple orders.
    pub(super) fn ends_with_exit(&self) -> bool {
        let leg = |name| self.legs.iter().find(|(leg, _)| *leg == name).map(|(_, wish)| wish);
        let Some((entry, then)) = leg(LegName::Entry).zip(leg(LegName::Then)) else { return false };
        let sells_what_is_bought = (entry.side, then.side) == (Side::Buy, Side::Sell);
        let paid = entry.limit_price.or(entry.stop_price);
        let is_beside = |paid| match kind_of(then.r#type) {
            Some(ExitKind::TakeProfit) => then.limit_price > paid,
            Some(ExitKind::StopLoss) => then.stop_price < paid,
            None => false,
        };
        let is_exit = kind_of(then.r#type).is_some() && (paid.is_none() || is_beside(paid));
        let stays = self.stays();
        let is_as_long =
            |(name, wish): &(LegName, LegWish)| self.left_open.contains(name) || wish.time_in_force == stays;
        sells_what_is_bought
            && entry.r#type != OrderType::TrailingStop
            && is_exit
            && LIFETIMES.contains(&stays)
            && self.legs.iter().all(is_as_long)
    }

    /// How long legs stay that stay equally long: as those say that say it, and until taken back where none does.
    fn stays(&self) -> TimeInForce {
        let said = self.legs.iter().find(|(name, _)| !self.left_open.contains(name));
        said.map_or(TimeInForce::Gtc, |(_, wish)| wish.time_in_force)
    }

    /// Brings the group into what a broker takes as one order, whose legs all stay equally long: as long as the legs say that
    /// say it, and until taken back where none does, because an exit that ends with the day leaves the shares without it.
    /// Returns what does not fit.
    pub(super) fn fit_as_one(&mut self, broker: &str) -> Vec<FieldError> {
        let stays = self.stays();
        let mut complaints = Vec::new();
        let kind = self.kind.name();
        for (name, wish) in &mut self.legs {
            if self.left_open.contains(name) {
                wish.time_in_force = stays;
            }
            if wish.time_in_force != stays || !LIFETIMES.contains(&wish.time_in_force) {
                let message =
                    format!("{broker} works a {kind} as one order: all of it is day, or all of it gtc");
                let field = format!("{}.timeInForce", name.field());
                complaints.push(FieldError::new(field, "time_in_force_unsupported", message));
            }
            if *name == LegName::StopLoss && !matches!(wish.r#type, OrderType::Stop | OrderType::StopLimit) {
                let message = format!("the exit with loss of a {kind} at {broker} is stop or stop_limit");
                let field = format!("{}.type", name.field());
                complaints.push(FieldError::new(field, "order_type_unsupported", message));
            }
        }
        complaints
    }
}

#[cfg(test)]
mod tests;
