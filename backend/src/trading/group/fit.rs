//! Whether a broker can work the orders of a group. Pure.
//!
//! Asked before anything is placed: an entry that was executed and whose exits are then refused leaves its owner with
//! shares and without the stop.

use super::service::NewGroup;
use super::{GroupKind, LegName, LegWish};
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError};
use crate::trading::brokerage::CapabilitiesDocument;
use crate::trading::fit::{self, keeps};
use domain::TimeInForce;

/// The kinds of groups that an account's broker can work, or the house with simple orders there.
pub(in crate::trading) fn kinds_at(broker: &CapabilitiesDocument) -> Vec<GroupKind> {
    let kinds = [GroupKind::Oto, GroupKind::Oco, GroupKind::Bracket].into_iter();
    kinds.filter(|kind| house_works(*kind, broker) || broker.native_groups.contains(kind)).collect()
}

/// Whether simple orders at a broker make a group of a kind. Two exits need shares for which two sales may stand, and orders
/// that can be made smaller when the other exit has sold a part.
fn house_works(kind: GroupKind, broker: &CapabilitiesDocument) -> bool {
    let two_exits = broker.shared_exits && broker.replace && broker.replace_quantity;
    kind == GroupKind::Oto || two_exits
}

impl NewGroup {
    /// Brings the group into the broker's terms: what the house cannot work there is the broker's, and so is an exit that follows
    /// a purchase, which then stands there also while nobody is here. A leg whose time in force was left open is for the day
    /// where nothing is kept for longer.
    ///
    /// # Errors
    /// [`ErrorCode::OrderDenied`] with every leg that the broker cannot work, and why.
    pub(in crate::trading) fn fit(&mut self, broker: &CapabilitiesDocument) -> ApiResult<()> {
        self.is_native = broker.native_groups.contains(&self.kind)
            && match self.kind {
                GroupKind::Oto => self.ends_with_exit(),
                GroupKind::Oco | GroupKind::Bracket => !house_works(self.kind, broker),
            };
        let mut complaints = if self.is_native { self.fit_as_one(&broker.broker) } else { Vec::new() };
        for (name, wish) in &mut self.legs {
            if self.left_open.contains(name)
                && !keeps(broker, wish.time_in_force)
                && keeps(broker, TimeInForce::Day)
            {
                wish.time_in_force = TimeInForce::Day;
            }
        }
        complaints.extend(self.against_kind(broker));
        complaints.extend(self.legs.iter().flat_map(|(name, wish)| against_leg(*name, wish, broker)));
        if complaints.is_empty() { Ok(()) } else { Err(ApiError::fields(ErrorCode::OrderDenied, complaints)) }
    }

    fn against_kind(&self, broker: &CapabilitiesDocument) -> Option<FieldError> {
        if broker.groups.contains(&self.kind) {
            return None;
        }
        let works: Vec<&str> = broker.groups.iter().map(|kind| kind.name()).collect();
        let message = format!(
            "{} takes no second sale of the shares that takeProfit is to sell; of groups it works {}",
            broker.broker,
            works.join(", ")
        );
        Some(FieldError::new(LegName::StopLoss.field(), "group_unsupported", message))
    }
}

fn against_leg(name: LegName, wish: &LegWish, broker: &CapabilitiesDocument) -> Vec<FieldError> {
    fit::against_terms(broker, &format!("{}.", name.field()), (wish.r#type, wish.time_in_force))
}

#[cfg(test)]
mod tests;
