//! What is told of positions.

use super::store::PositionKey;
use crate::events::{EventKind, NewEvent};
use domain::{AccountId, DecimalText, Symbol, UserId};
use rust_decimal::Decimal;
use serde::Serialize;

/// A position as it is told to browsers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PositionEvent {
    account_id: AccountId,
    symbol: Symbol,
    quantity: DecimalText,
}

/// The event that tells of a position that has moved.
///
/// # Errors
/// The serializer's, which this type does not produce.
pub fn position_event(
    user: UserId,
    (account_id, symbol): PositionKey,
    quantity: Decimal,
) -> Result<NewEvent, serde_json::Error> {
    let event = PositionEvent { account_id, symbol, quantity: quantity.into() };
    NewEvent::new(user, EventKind::Position, &event)
}
