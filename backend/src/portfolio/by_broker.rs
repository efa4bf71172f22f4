//! Cash that a broker moved beside orders, and shares that it counted anew.

use super::books::{ALL_LOTS, Books, Split};
use super::difference::DifferenceError;
use super::store::PositionKey;
use crate::account::ByBroker;
use chrono::{DateTime, NaiveDate, Utc};
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

/// Counts a position anew as its broker has, in the caller's transaction, which has locked the account: `new` shares stand
/// where `old` stood. Nothing is booked, and said so, where that does not come out here to the last part of a share: because
/// the books held others then, or have counted it already. Which day a broker names is not certain, so shares that came on
/// it, or the day after, may belong to either side.
///
/// # Errors
/// [`DifferenceError`]; nothing is booked then.
pub async fn split_by_broker(
    connection: &AsyncPgConnection,
    key: PositionKey,
    (old, new): (Decimal, Decimal),
    (day, activity_id): (NaiveDate, &str),
    at: DateTime<Utc>,
) -> Result<Option<Decimal>, DifferenceError> {
    for before in [None, Some(day), day.succ_opt()] {
        let mut books = Books::load(connection, &BTreeMap::from([(key, ALL_LOTS)])).await?;
        let expected = books.state(&key).quantity + new - old;
        let split = Split { new, old, before, fraction_price: None };
        books.split(key, split, day, &format!("activity:{activity_id}"), at)?;
        if books.state(&key).quantity == expected && !books.is_empty() {
            books.save(connection, at).await?;
            return Ok(Some(expected));
        }
    }
    Ok(None)
}
