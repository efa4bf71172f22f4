//! Who is at which broker.

use crate::db::{Database, answered};
use database::statement;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::{AccountId, OrderId};
use secrecy::SecretString;
use std::collections::HashMap;
use uuid::Uuid;

statement! {
    AccountsBeside { keeper: Text = String }
    "SELECT account_id AS id, broker FROM broker.accounts WHERE broker <> ?"
}
statement! {
    /// Orders of ours, and those that were found at a broker.
    OrdersBeside { sent: Array<SqlUuid> = Vec<Uuid>, found: Array<SqlUuid> = Vec<Uuid>, keeper: Text = String }
    "SELECT named.order_id AS id, a.broker FROM (
        SELECT order_id, account_id FROM broker.sent_orders WHERE order_id = ANY (?)
        UNION SELECT order_id, account_id FROM broker.order_links WHERE order_id = ANY (?)) AS named
     JOIN broker.accounts AS a ON a.account_id = named.account_id WHERE a.broker <> ?"
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    broker: String,
}

pub(super) struct Store(Database);

impl Store {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Database::new(url).map(Self)
    }

    pub(super) async fn accounts_beside(&self, keeper: &str) -> anyhow::Result<HashMap<AccountId, String>> {
        let query = AccountsBeside { keeper: keeper.to_owned() };
        let rows: Vec<Row> = answered(query.load(&mut self.0.connection().await?)).await?;
        Ok(rows.into_iter().map(|row| (AccountId(row.id), row.broker)).collect())
    }

    pub(super) async fn orders_beside(
        &self,
        keeper: &str,
        orders: &[OrderId],
    ) -> anyhow::Result<HashMap<OrderId, String>> {
        let ids: Vec<Uuid> = orders.iter().map(|order| order.0).collect();
        let query = OrdersBeside { sent: ids.clone(), found: ids, keeper: keeper.to_owned() };
        let rows: Vec<Row> = answered(query.load(&mut self.0.connection().await?)).await?;
        Ok(rows.into_iter().map(|row| (OrderId(row.id), row.broker)).collect())
    }
}
