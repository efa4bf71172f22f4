//! Alpaca's shapes into ours, and back. Pure.

use super::wire;
use crate::broker::{ExecutionFate, ListedExecution, ListedOrder, Position, Predecessor};
use chrono::{DateTime, Utc};
use domain::broker::{Contingency, ExitKind, OrderClass, OrderRequest, ReplaceRequest};
use domain::{
    Market, OrderId, OrderStatus, OrderType, Percent, Price, Quantity, ReplaceId, Side, Symbol, TimeInForce,
};
use rust_decimal::Decimal;
use uuid::Uuid;

/// What the client ids of our orders begin with. Alpaca makes up an id in the same form for orders without one, and other
/// programs send such ids, so an id alone would not say that an order is ours.
const OURS: &str = "gaemi-";
/// Length of an id as text.
const ID_LENGTH: usize = 36;
/// The kind of asset that is traded here.
const SHARES: &str = "us_equity";

/// A share as Alpaca writes it: a class stands behind a point.
pub(super) fn vendor_symbol(symbol: Symbol) -> String {
    symbol.as_str().replace('-', ".")
}

/// A share as we write it; nothing for coins, options and other things.
pub(super) fn own_symbol(text: &str) -> Option<Symbol> {
    let symbol: Symbol = text.replace('.', "-").parse().ok()?;
    (symbol.market() == Market::Us).then_some(symbol)
}

/// The client id of an order.
pub(super) fn client_id(order: OrderId) -> String {
    format!("{OURS}{order}")
}

/// The client id of an order that came by a request for other terms.
pub(super) fn replacement_id(order: OrderId, request: ReplaceId) -> String {
    format!("{OURS}{order}-{request}")
}

/// Which order of ours a client id names, and by which request it got its terms.
pub(super) fn named(client_order_id: &str) -> Option<(OrderId, Option<ReplaceId>)> {
    let ids = client_order_id.strip_prefix(OURS)?;
    let order = ids.get(..ID_LENGTH)?.parse().ok()?;
    match ids.get(ID_LENGTH..)? {
        "" => Some((order, None)),
        rest => Some((order, Some(rest.strip_prefix('-')?.parse().ok()?))),
    }
}

/// A moment, in the digits that the database keeps.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    DateTime::from_timestamp_micros(at.timestamp_micros())
}

fn status(text: &str, filled: Decimal) -> Option<OrderStatus> {
    Some(match text {
        "filled" => OrderStatus::Filled,
        "canceled" => OrderStatus::Canceled,
        "expired" => OrderStatus::Expired,
        "rejected" => OrderStatus::Rejected,
        "replaced" => OrderStatus::Replaced,
        "suspended" => OrderStatus::Suspended,
        "done_for_day" => OrderStatus::DoneForDay,
        // Alpaca has it, whether or not the market has it yet.
        "new"
        | "accepted"
        | "pending_new"
        | "partially_filled"
        | "pending_cancel"
        | "pending_replace"
        | "accepted_for_bidding"
        | "stopped"
        | "calculated"
        | "held"
        | "pending_review" => {
            if filled.is_zero() {
                OrderStatus::New
            } else {
                OrderStatus::PartiallyFilled
            }
        }
        _ => return None,
    })
}

/// Whether an order can still be executed.
pub(super) fn works(order: &wire::Order) -> bool {
    !matches!(order.status.as_str(), "filled" | "canceled" | "expired" | "rejected" | "replaced")
}

/// An order; nothing for one that is no order for shares, or that says what we do not understand.
pub(super) fn order(order: &wire::Order) -> Option<ListedOrder> {
    let filled = order.filled_qty.unwrap_or_default().0.normalize();
    let price =
        |number: Option<wire::Number>| number.and_then(|number| Price::new(number.0.normalize()).ok());
    let named = named(&order.client_order_id);
    // An order by amount of money has no number of shares until it is done. One of ours is for what was executed so far; of
    // somebody else's nothing can be said yet.
    let is_told = named.is_some() || !works(order);
    let quantity = order.qty.map(|quantity| quantity.0.normalize()).or(is_told.then_some(filled))?;
    let is_counted = order.qty.is_none() && order.status == "filled";
    let accepted_at = moment(order.submitted_at.as_ref().or(order.created_at.as_ref())?)?;
    let order_type = OrderType::from_name(&order.order_type)?;
    Some(ListedOrder {
        broker_order_id: order.id.clone(),
        known_as: named.map(|(order, _)| order),
        symbol: own_symbol(&order.symbol)?,
        side: Side::from_name(&order.side)?,
        order_type,
        time_in_force: TimeInForce::from_name(&order.time_in_force)?,
        limit_price: price(order.limit_price),
        // Of a trailing stop this is where it stands now.
        stop_price: price(order.stop_price).filter(|_| order_type != OrderType::TrailingStop),
        trail_amount: price(order.trail_price),
        trail_percent: order.trail_percent.and_then(|percent| Percent::new(percent.0.normalize()).ok()),
        status: status(&order.status, filled)?,
        quantity,
        filled_quantity: filled,
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        reason: None,
        accepted_at,
        updated_at: order.updated_at.as_deref().and_then(moment).unwrap_or(accepted_at),
        replaces: order.replaces.as_ref().map(|number| Predecessor {
            broker_order_id: number.clone(),
            replace_id: named.and_then(|(_, request)| request),
        }),
        resized_by: named.filter(|_| is_counted).map(|(order, _)| resize_id(order, filled)),
    })
}

/// An execution; nothing for a movement of another kind, or of things that are no shares: their orders are left out as well.
pub(super) fn execution(activity: &wire::Activity) -> Option<ListedExecution> {
    let is_of_shares = activity.symbol.as_deref().is_none_or(|symbol| own_symbol(symbol).is_some());
    if activity.activity_type != "FILL" || !is_of_shares {
        return None;
    }
    Some(ListedExecution {
        broker_order_id: activity.order_id.clone()?,
        execution_id: activity.id.clone(),
        quantity: Quantity::new(activity.qty?.0.normalize()).ok()?,
        price: Price::new(activity.price?.0.normalize()).ok()?,
        // Alpaca takes no commission; what regulators take it books at the end of the day as movements of their own.
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        occurred_at: moment(activity.transaction_time.as_ref()?)?,
        fate: ExecutionFate::Stands,
    })
}

/// Shares held; nothing for other assets.
pub(super) fn position(position: &wire::Position) -> Option<Position> {
    if position.asset_class.as_ref().is_some_and(|class| class != SHARES) {
        return None;
    }
    let quantity = position.qty.0.normalize();
    let symbol = own_symbol(&position.symbol)?;
    (!quantity.is_zero()).then_some(Position { symbol, quantity })
}

/// What an order is to be together with its exits.
fn class_of(request: &OrderRequest) -> Option<OrderClass> {
    match &request.contingency {
        Some(Contingency::Leads { class, .. }) => Some(*class),
        _ => None,
    }
}

/// Whether an order came with others, by anybody.
pub(super) fn has_class(order: &wire::Order) -> bool {
    order.order_class.as_deref().is_some_and(|class| !matches!(class, "" | "simple"))
}

/// The number that an exit has among those that came with an order.
pub(super) fn number_of_exit(legs: &[wire::Order], kind: ExitKind) -> Option<&str> {
    let is_it = |leg: &&wire::Order| match kind {
        ExitKind::TakeProfit => leg.order_type == "limit",
        ExitKind::StopLoss => matches!(leg.order_type.as_str(), "stop" | "stop_limit"),
    };
    // One that has got other terms is listed with the one that it became.
    let is_newest = |leg: &&wire::Order| leg.replaced_by.is_none();
    legs.iter().filter(is_it).find(is_newest).map(|leg| leg.id.as_str())
}

/// The name of the change by which Alpaca itself has given an order this number of shares: always the same one.
pub(super) fn resize_id(order: OrderId, quantity: Decimal) -> ReplaceId {
    let quantity = quantity.normalize();
    let size = quantity.mantissa().unsigned_abs() << 8 | u128::from(quantity.scale());
    ReplaceId(Uuid::from_u128(order.0.as_u128() ^ size))
}

/// An order as it is sent.
///
/// # Errors
/// Why Alpaca has no such order.
pub(super) fn new_order(request: &OrderRequest) -> Result<wire::NewOrder, &'static str> {
    if request.symbol.market() != Market::Us {
        return Err("Alpaca trades American shares only");
    }
    if request.time_in_force == TimeInForce::Gtd {
        return Err("Alpaca knows no orders until a day");
    }
    let price = |price: Option<Price>| price.map(|price| price.value().normalize().to_string());
    let exit = |kind| request.exits().iter().find(|exit| exit.kind == kind);
    let class = class_of(request);
    let take_profit = match class {
        // Its first order is its exit with profit.
        Some(OrderClass::Oco) => request.limit_price,
        _ => exit(ExitKind::TakeProfit).and_then(|exit| exit.limit_price),
    };
    let stop_loss = exit(ExitKind::StopLoss).and_then(|exit| {
        Some(wire::StopLoss { stop_price: price(exit.stop_price)?, limit_price: price(exit.limit_price) })
    });
    let exits = [take_profit.is_some(), stop_loss.is_some()];
    let is_whole = match class {
        None => true,
        Some(OrderClass::Bracket | OrderClass::Oco) => exits == [true, true],
        Some(OrderClass::Oto) => exits == [true, false] || exits == [false, true],
    };
    if !is_whole {
        return Err("an exit is missing, or is one too many");
    }
    let notional = request.notional.map(|amount| amount.value().normalize().to_string());
    Ok(wire::NewOrder {
        symbol: vendor_symbol(request.symbol),
        qty: notional.is_none().then(|| request.quantity.value().normalize().to_string()),
        notional,
        side: request.side.name(),
        order_type: request.order_type.name(),
        time_in_force: request.time_in_force.name(),
        limit_price: price(request.limit_price),
        stop_price: price(request.stop_price),
        trail_price: price(request.trail_amount),
        trail_percent: request.trail_percent.map(|percent| percent.value().normalize().to_string()),
        order_class: class.map(|class| match class {
            OrderClass::Bracket => "bracket",
            OrderClass::Oco => "oco",
            OrderClass::Oto => "oto",
        }),
        take_profit: price(take_profit)
            .filter(|_| class.is_some())
            .map(|limit_price| wire::TakeProfit { limit_price }),
        stop_loss,
        client_order_id: client_id(request.order_id),
    })
}

/// Other terms as they are sent for an order that is listed as `present`: only what is different.
///
/// # Errors
/// Why Alpaca cannot change the order so.
pub(super) fn replacement(
    request: &ReplaceRequest,
    present: &ListedOrder,
) -> Result<wire::Replacement, (&'static str, &'static str)> {
    if !present.filled_quantity.is_zero() {
        return Err((
            "partially_filled",
            "Alpaca would begin to count anew: an order of which a part was executed cannot be changed there",
        ));
    }
    if request.trail_amount.is_some() != present.trail_amount.is_some()
        || request.trail_percent.is_some() != present.trail_percent.is_some()
    {
        return Err(("trail_kind", "Alpaca cannot change a trailing stop from an amount to percent or back"));
    }
    let quantity = request.quantity.value();
    let changed = |asked: Option<Price>, present: Option<Price>| {
        asked.filter(|_| asked != present).map(|price| price.value().normalize().to_string())
    };
    let percent = request.trail_percent.filter(|_| request.trail_percent != present.trail_percent);
    Ok(wire::Replacement {
        qty: (quantity != present.quantity).then(|| quantity.normalize().to_string()),
        limit_price: changed(request.limit_price, present.limit_price),
        stop_price: changed(request.stop_price, present.stop_price),
        trail: changed(request.trail_amount, present.trail_amount)
            .or(percent.map(|percent| percent.value().normalize().to_string())),
        client_order_id: replacement_id(request.order_id, request.replace_id),
    })
}

#[cfg(test)]
mod tests;
