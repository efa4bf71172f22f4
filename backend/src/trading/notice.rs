//! What a person must look at though no order is the reason.

use super::incident::{Incident, NAME_BLOCKED, NewIncident};
use super::inquirer::tell;
use super::store;
use crate::clock;
use crate::error::ApiResult;
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Symbol, UserId};

/// Tells an account's owner that a share's new name waits for a position to be closed, once until it is acknowledged; in the caller's
/// transaction, as its last statements.
///
/// # Errors
/// The database's.
pub async fn tell_name_blocked(
    connection: &AsyncPgConnection,
    (owner, account): (UserId, AccountId),
    (old, new): (Symbol, Symbol),
) -> ApiResult<()> {
    let detail =
        format!("{old} is to become {new}: one is held and the other is sold short; close one of the two");
    let incident = Incident::new(NAME_BLOCKED, detail).with("old", old).with("new", new);
    let incident = NewIncident::new(Some(owner), account, incident, clock::now());
    if store::is_told(connection, &incident).await? {
        return Ok(());
    }
    tell(connection, &[incident]).await
}
