//! Statements read from the table.

use super::super::{AccountService, store};
use super::{StatementFilter, StatementPage};
use crate::db;
use crate::error::ApiResult;
use diesel_async::AsyncPgConnection;

impl AccountService {
    /// A page of a statement behind a line.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn statement(
        &self,
        filter: &StatementFilter,
        after: Option<i64>,
        lines_max: usize,
    ) -> ApiResult<StatementPage> {
        let mut connection = self.pool.get().await?;
        db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                db::look_up(connection).await?;
                Ok(store::page_of_statement(connection, filter, after, lines_max).await?)
            })
            .await
    }
}
