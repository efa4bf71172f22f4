//! Cash that a broker moved beside orders.

use super::books::Books;
use super::difference::DifferenceError;
use crate::account::ByBroker;
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Books what a broker moved, in the caller's transaction, which has locked the account.
///
/// # Errors
/// [`DifferenceError`]; nothing is booked then.
pub async fn book_by_broker(
    connection: &AsyncPgConnection,
    movement: &ByBroker,
    at: DateTime<Utc>,
) -> Result<(), DifferenceError> {
    let position = movement.position().map(|symbol| ((movement.account_id, symbol), Decimal::ZERO));
    let wanted: BTreeMap<_, _> = position.into_iter().collect();
    let mut books = Books::load(connection, &wanted).await?;
    books.move_by_broker(movement, at)?;
    books.save(connection, at).await?;
    Ok(())
}
