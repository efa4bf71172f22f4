//! Takes orders back on behalf of the house, because what they say no longer means what it meant.

use super::requests::request_cancel;
use super::service::TradingService;
use super::store;
use crate::error::{ApiResult, ErrorCode};
use diesel::QueryResult;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Symbol, UserId};

/// Orders that are taken back in one go.
const RECALLED_MAX: i64 = 1_000;

/// Whether orders of an account in a symbol are open. To be asked under the account's lock: then none appears until
/// the caller's commit.
///
/// # Errors
/// The database's.
pub async fn has_open_orders(
    connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<bool> {
    Ok(!store::open_orders(connection, account, symbol).await?.is_empty())
}

/// Whether any order of an account is open. To be asked under the account's lock, as above.
///
/// # Errors
/// The database's.
pub async fn has_any_open_order(connection: &AsyncPgConnection, account: AccountId) -> QueryResult<bool> {
    Ok(!store::newest_open_orders(connection, account, None, None, 1).await?.is_empty())
}

impl TradingService {
    /// Asks to take back every open order of an account that nobody has asked to take back yet, and says whether any
    /// order is open.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_everything_back(&self, user: UserId, account: AccountId) -> ApiResult<bool> {
        let connection = self.pool.get().await?;
        let open = store::cancellable_orders(&connection, account, None, None, RECALLED_MAX).await?;
        drop(connection);
        for order in open.iter().filter(|order| order.cancel_requested_at.is_none()) {
            match self.cancel(user, order.id).await {
                Err(error) if error.code() != ErrorCode::OrderNotOpen => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(!open.is_empty())
    }

    /// Asks to take back every open order of an account in a symbol. What has been asked before, or ends meanwhile,
    /// is left alone.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_back(
        &self,
        user: UserId,
        account: AccountId,
        symbol: Symbol,
        reason: &str,
    ) -> ApiResult<()> {
        let mut connection = self.pool.get().await?;
        for order in store::open_orders(&connection, account, symbol).await? {
            let asked = connection
                .transaction(async |connection| request_cancel(connection, user, order, Some(reason)).await)
                .await;
            match asked {
                Err(error) if error.code() != ErrorCode::OrderNotOpen => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        drop(connection);
        self.events.wake();
        self.dispatch.look();
        Ok(())
    }
}
