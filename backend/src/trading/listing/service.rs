//! Lists read from the table.

use super::super::service::{OrderHistory, TradingService};
use super::super::store;
use super::{OrderFilter, OrderPage, Place, STEPS_MAX};
use crate::db;
use crate::error::{ApiError, ApiResult, ErrorCode};
use diesel_async::AsyncPgConnection;
use domain::{AccountId, ClientOrderId, UserId};

impl TradingService {
    /// A page of orders, newest first, all seen at one moment. A search takes steps until the page is full or it has taken
    /// [`STEPS_MAX`].
    ///
    /// # Errors
    /// The database's.
    pub(in crate::trading) async fn list(
        &self,
        filter: &OrderFilter,
        after: Option<Place>,
        orders_max: usize,
    ) -> ApiResult<OrderPage> {
        let mut connection = self.pool.get().await?;
        db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                db::look_up(connection).await?;
                let mut page = OrderPage::begin(after);
                for _ in 0..STEPS_MAX {
                    let Some(lacking) = page.lacks(orders_max) else { break };
                    let step = store::page_of_orders(connection, filter, page.next, lacking).await?;
                    page.add(step, orders_max);
                }
                Ok(page)
            })
            .await
    }

    /// The order that its owner calls so, with its whole history.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub(in crate::trading) async fn show_by_key(
        &self,
        user: UserId,
        account: AccountId,
        key: &ClientOrderId,
    ) -> ApiResult<OrderHistory> {
        let found = store::id_of_key(&*self.pool.get().await?, account, key.as_str()).await?;
        let id = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        self.show(user, id).await
    }
}
