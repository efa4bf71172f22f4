//! `broker.credentials`.

use crate::db::{Database, answered};
use database::statement;
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::AccountId;
use secrecy::SecretString;
use uuid::Uuid;

statement! {
    Lock {} "SELECT account_id, sealed FROM broker.credentials ORDER BY account_id FOR UPDATE"
}
statement! {
    Reseal { sealed: Binary = Vec<u8>, account: SqlUuid = Uuid }
    "UPDATE broker.credentials SET sealed = ? WHERE account_id = ?"
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
}

/// The table.
pub(super) struct Store(Database);

impl Store {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Database::new(url).map(Self)
    }

    /// Seals every row anew, all or none.
    pub(super) async fn seal_anew(
        &self,
        seal: impl Fn(&[u8], AccountId) -> anyhow::Result<Vec<u8>> + Send + Sync,
    ) -> anyhow::Result<usize> {
        let mut connection = self.0.connection().await?;
        connection
            .transaction(async |connection| {
                let rows: Vec<Row> = answered(Lock {}.load(connection)).await?;
                for row in &rows {
                    let sealed = seal(&row.sealed, AccountId(row.account_id))?;
                    answered(Reseal { sealed, account: row.account_id }.execute(connection)).await?;
                }
                Ok::<_, anyhow::Error>(rows.len())
            })
            .await
    }
}
