//! What a broker holds that no execution explains.

use super::books::{ALL_LOTS, Books};
use crate::account::{self, Commodity, InKind, Journal, LedgerAccount, LedgerError};
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use domain::AccountId;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use thiserror::Error;
use uuid::Uuid;

/// Why what a broker counts otherwise is not booked.
#[derive(Debug, Error)]
pub enum DifferenceError {
    /// The books refuse it: more shares cannot go than are held.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database's.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// Books by how much a broker has more of something, in the caller's transaction, which has locked the account. Nobody
/// knows what such shares have cost, so they come with none.
///
/// # Errors
/// [`DifferenceError`]; nothing is booked then.
pub async fn book_broker_difference(
    connection: &AsyncPgConnection,
    account: AccountId,
    commodity: Commodity,
    amount: Decimal,
    at: DateTime<Utc>,
) -> Result<(), DifferenceError> {
    match commodity {
        Commodity::Cash(currency) => {
            let journal = Journal::broker_difference(account, currency, amount, at)?;
            account::post(connection, &[journal]).await?;
        }
        Commodity::Shares(symbol) => {
            let mut books = Books::load(connection, &BTreeMap::from([((account, symbol), ALL_LOTS)])).await?;
            let movement = InKind {
                account_id: account,
                symbol,
                quantity: amount,
                cost_change: Decimal::ZERO,
                against: LedgerAccount::BrokerDifference,
                trade_date: exchange::trade_date(symbol.market(), at),
                idempotency_key: format!("broker_difference:{}", Uuid::now_v7()),
            };
            books.move_in_kind(&movement, at)?;
            books.save(connection, at).await?;
        }
    }
    Ok(())
}
