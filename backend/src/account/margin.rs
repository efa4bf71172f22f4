//! What an account may do beyond its own money and shares.

use super::Commodity;
use super::store::{self, BalanceRow, SharesHeld};
use crate::clock;
use crate::error::{ApiError, ErrorCode};
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Currency, Market, UserId};
use exchange::market_day;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The only currency that is lent, and the only market whose shares are: Korea lends neither to private investors here.
pub const MARGIN_CURRENCY: Currency = Currency::Usd;

/// What an account may do beyond its own money and shares. Neither unless its owner says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarginSwitches {
    /// Buy on credit.
    pub margin: bool,
    /// Sell shares it does not have; only together with `margin`.
    pub short_selling: bool,
}

impl MarginSwitches {
    /// The same, if it is possible.
    ///
    /// # Errors
    /// Short selling without margin.
    pub fn check(self) -> Result<Self, ApiError> {
        if self.short_selling && !self.margin {
            let message = "is possible only together with margin";
            return Err(ApiError::field("shortSelling", "needs_margin", message));
        }
        Ok(self)
    }
}

/// Why switches cannot be set as asked: what is in use stays.
fn in_the_way(
    before: MarginSwitches,
    after: MarginSwitches,
    cash: &BalanceRow,
    shares: &[SharesHeld],
) -> Option<ApiError> {
    let is_short = shares.iter().any(SharesHeld::is_short);
    if before.short_selling != after.short_selling && is_short {
        let message = "cannot be changed while shares are sold short, or ordered to be";
        return Some(ApiError::field("shortSelling", "in_use", message));
    }
    if before.margin != after.margin && cash.total - cash.held < Decimal::ZERO {
        let message = "cannot be changed while money is owed, or ordered to be";
        return Some(ApiError::field("margin", "in_use", message));
    }
    None
}

/// Sets what an account of play money may do, in the caller's transaction.
///
/// # Errors
/// A field that cannot be set so; [`ErrorCode::NotFound`] for an account that is not the user's.
pub async fn set_margin(
    connection: &AsyncPgConnection,
    user: UserId,
    account: AccountId,
    switches: MarginSwitches,
) -> Result<(), ApiError> {
    let switches = switches.check()?;
    let locked = store::lock_balances(connection, &BTreeSet::from([account]), std::iter::empty()).await?;
    // Whoever moves shares locks the cash first, so these stand still from here to the commit.
    let shares = store::shares_held(connection, &[account]).await?;
    let cash = locked.balance(account, Commodity::Cash(MARGIN_CURRENCY));
    if let Some(refusal) = in_the_way(locked.switches(account), switches, &cash, &shares) {
        return Err(refusal);
    }
    let today = market_day(Market::Us, clock::now());
    if store::set_switches(connection, user, account, switches, today).await? {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::NotFound, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: MarginSwitches = MarginSwitches { margin: false, short_selling: false };
    const CREDIT: MarginSwitches = MarginSwitches { margin: true, short_selling: false };
    const BOTH: MarginSwitches = MarginSwitches { margin: true, short_selling: true };

    fn row(total: i64, held: i64) -> BalanceRow {
        BalanceRow { total: total.into(), held: held.into() }
    }

    fn shares(total: i64, held: i64) -> [SharesHeld; 1] {
        let symbol = "AAPL".parse().unwrap();
        [SharesHeld { account_id: AccountId::generate(), symbol, total: total.into(), held: held.into() }]
    }

    #[test]
    fn nobody_sells_short_without_margin() {
        assert!(MarginSwitches { margin: false, short_selling: true }.check().is_err());
        assert!(BOTH.check().is_ok());
    }

    #[test]
    fn what_is_in_use_cannot_be_switched() {
        assert!(in_the_way(BOTH, CREDIT, &row(100, 0), &shares(-1, 0)).is_some());
        assert!(
            in_the_way(BOTH, CREDIT, &row(100, 0), &shares(5, 6)).is_some(),
            "an order sells what is not there"
        );
        assert!(in_the_way(CREDIT, OFF, &row(100, 101), &shares(5, 0)).is_some());
        assert!(in_the_way(BOTH, OFF, &row(100, 100), &shares(5, 5)).is_none());
        assert!(in_the_way(OFF, BOTH, &row(0, 0), &[]).is_none());
        assert!(in_the_way(OFF, BOTH, &row(0, 0), &shares(-1, 0)).is_some(), "oversold is not sold short");
    }
}
