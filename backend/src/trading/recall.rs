//! Takes orders back on behalf of the house, because what they say no longer means what it meant.

use super::requests::request_cancel;
use super::service::TradingService;
use super::store;
use crate::clock;
use crate::error::{ApiResult, ErrorCode};
use diesel::QueryResult;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Symbol, UserId};

/// Orders that are taken back in one go.
const RECALLED_MAX: i64 = 1_000;

/// Whether orders of an account in a symbol are open, or may be soon: by their group, or to close a position. To be asked under the account's lock: then none appears until
/// the caller's commit.
///
/// # Errors
/// The database's.
pub async fn has_open_orders(
    connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<bool> {
    Ok(!store::open_orders(connection, account, symbol).await?.is_empty()
        || store::are_wishes_open_in(connection, account, symbol).await?)
}

/// Whether anything of an account may still become an execution: an open order, a group, a close of a position. To be asked
/// under the account's lock, as above.
///
/// # Errors
/// The database's.
pub async fn is_anything_under_way(connection: &AsyncPgConnection, account: AccountId) -> QueryResult<bool> {
    Ok(!store::newest_open_orders(connection, account, None, None, 1).await?.is_empty()
        || store::are_wishes_open(connection, account).await?)
}

impl TradingService {
    /// Asks to take back everything of an account that is under way and that nobody has asked to take back yet: closes of
    /// positions, groups, orders. Says whether anything still is.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_everything_back(
        &self,
        user: UserId,
        account: AccountId,
        reason: &str,
    ) -> ApiResult<bool> {
        let connection = self.pool.get().await?;
        store::withdraw_closes(&connection, account, reason, clock::now()).await?;
        let groups = store::active_groups_of(&connection, account, RECALLED_MAX).await?;
        let orders = store::cancellable_orders(&connection, account, None, None, RECALLED_MAX).await?;
        drop(connection);
        for group in groups.iter().filter(|group| group.cancel_requested_at.is_none()) {
            unless_ended(self.groups().cancel(user, group.id).await)?;
        }
        for order in orders.iter().filter(|order| order.cancel_requested_at.is_none()) {
            unless_ended(self.cancel(user, order.id).await)?;
        }
        Ok(is_anything_under_way(&*self.pool.get().await?, account).await?)
    }

    /// Asks to take back every group and every open order of an account in a symbol. What has been asked before, or ends meanwhile,
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
        store::withdraw_groups(&connection, (account, symbol), clock::now()).await?;
        for order in store::open_orders(&connection, account, symbol).await? {
            let asked = connection
                .transaction(async |connection| request_cancel(connection, user, order, Some(reason)).await)
                .await;
            unless_ended(asked)?;
        }
        drop(connection);
        self.events.wake();
        self.dispatch.look();
        Ok(())
    }
}

/// What has ended meanwhile need not be taken back.
fn unless_ended<T>(asked: ApiResult<T>) -> ApiResult<()> {
    match asked {
        Err(error) if error.code() != ErrorCode::OrderNotOpen => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
