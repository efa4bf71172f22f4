//! A cancel is a request of its own: written first, delivered after its commit, answered by the journal.

use super::document::OrderDocument;
use super::order::Order;
use super::store::{self, CancelRequest, RequestStatus};
use crate::clock;
use crate::error::{ApiError, ErrorCode};
use crate::events::{self, EventKind, NewEvent};
use diesel_async::AsyncPgConnection;
use domain::{OrderId, OrderStatus, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A request, where it stands now, and why.
pub(super) type CancelResult = (CancelRequest, RequestStatus, Option<String>);

/// Writes how sending requests ended. An order whose cancel the broker has refused, and which has not ended, works on:
/// its owner is told and may ask again.
///
/// # Errors
/// The database's.
pub(super) async fn settle_cancels(
    connection: &AsyncPgConnection,
    results: Vec<CancelResult>,
) -> Result<(), ApiError> {
    let now = clock::now();
    let refused: BTreeMap<OrderId, Option<String>> = results
        .iter()
        .filter(|(_, status, _)| *status == RequestStatus::Rejected)
        .map(|(request, _, reason)| (request.order_id, reason.clone()))
        .collect();
    // Whoever ends an order closes its cancels: with the orders locked, what is read of them next is how they stand.
    let locked: BTreeSet<OrderId> = results.iter().map(|(request, ..)| request.order_id).collect();
    let mut orders = store::lock_orders(connection, locked.into_iter()).await?;
    orders.retain(|order| {
        refused.contains_key(&order.id) && !order.status.is_terminal() && order.cancel_requested_at.is_some()
    });
    let (mut entries, mut told) = (Vec::new(), Vec::new());
    for order in &mut orders {
        order.cancel_requested_at = None;
        order.updated_at = now;
        entries.push(order.log("cancel_rejected", refused.get(&order.id).cloned().flatten(), now));
        let document = OrderDocument::from(&*order);
        told.push(NewEvent::new(order.user_id, EventKind::Order, &document).map_err(ApiError::internal)?);
    }
    store::save_cancels(connection, results, now).await?;
    store::save_orders(connection, orders.iter()).await?;
    store::insert_log(connection, &entries).await?;
    events::append(connection, told).await?;
    Ok(())
}

/// The orders among these that have ended while their owner asked to take them back, and whether that is how.
pub(super) fn ends_of_cancels<'a>(orders: impl Iterator<Item = &'a Order>) -> Vec<(OrderId, bool)> {
    let ended = orders.filter(|order| order.status.is_terminal() && order.cancel_requested_at.is_some());
    ended.map(|order| (order.id, order.status == OrderStatus::Canceled)).collect()
}

/// Writes the wish to take an order back, with a reason where it is not its owner's. Repeating it changes nothing.
///
/// # Errors
/// [`ErrorCode::NotFound`] for unknown orders and those of others, [`ErrorCode::OrderNotOpen`] for ended ones.
pub(super) async fn request_cancel(
    connection: &AsyncPgConnection,
    user: UserId,
    order: OrderId,
    reason: Option<&str>,
) -> Result<Order, ApiError> {
    let locked = store::lock_orders(connection, std::iter::once(order)).await?;
    let mut order = locked
        .into_iter()
        .find(|order| order.user_id == user)
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
    if order.status.is_terminal() {
        return Err(ApiError::new(ErrorCode::OrderNotOpen, format!("the order is {}", order.status)));
    }
    if order.cancel_requested_at.is_some() {
        return Ok(order);
    }
    let now = clock::now();
    order.cancel_requested_at = Some(now);
    order.reason = reason.map(str::to_owned).or(order.reason);
    order.updated_at = now;
    let entry = order.log("cancel_requested", reason.map(str::to_owned), now);
    store::insert_cancel(connection, order.id, now).await?;
    store::save_orders(connection, std::iter::once(&order)).await?;
    store::insert_log(connection, &[entry]).await?;
    let event = NewEvent::new(order.user_id, EventKind::Order, &OrderDocument::from(&order))
        .map_err(ApiError::internal)?;
    events::append(connection, vec![event]).await?;
    Ok(order)
}
