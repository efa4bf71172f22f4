//! Which accounts are at which broker.

use database::statement;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    broker: String,
}

statement! {
    AccountsElsewhere { broker: Text = String }
    "SELECT id, broker FROM account.accounts WHERE broker <> ?"
}

/// The accounts that are not at a broker, and where they are.
pub(in crate::trading) async fn accounts_elsewhere(
    mut connection: &AsyncPgConnection,
    broker: &str,
) -> QueryResult<Vec<(AccountId, String)>> {
    let rows: Vec<Row> = AccountsElsewhere { broker: broker.to_owned() }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| (AccountId(row.id), row.broker)).collect())
}
