//! Accounts behind whose key the broker keeps another account than the one that was opened: nothing of it is taken into the
//! books, nothing is sent to it, and its owner is told once, whoever finds out.

use super::gate::Gate;
use super::incident::{ACCOUNT_CHANGED, Incident, NewIncident};
use super::inquirer::tell;
use super::store;
use crate::account;
use crate::clock;
use crate::error::ApiError;
use diesel_async::AsyncPgConnection;
use domain::AccountId;
use std::collections::BTreeSet;

/// What is wrong, and what to do.
const WORDS: &str = "the broker's account is another one than the account that was opened here: nothing of it is booked and no \
    order goes there; enter a key of the account that was opened, or open a new account here for the other one";

/// Closes an account and tells its owner, unless that was done before; in the caller's transaction. Says whether it is news.
///
/// # Errors
/// The database's.
pub(super) async fn note(
    connection: &AsyncPgConnection,
    gate: &Gate,
    account: AccountId,
) -> Result<bool, ApiError> {
    gate.is_of_another(account);
    let at = clock::now();
    if !store::note_other_account(connection, account, at).await? {
        return Ok(false);
    }
    let locked = account::lock_balances(connection, &BTreeSet::from([account]), std::iter::empty()).await?;
    let owner = locked.account(account).map(|(owner, _)| owner);
    let incident = Incident::new(ACCOUNT_CHANGED, WORDS.to_owned());
    tell(connection, &[NewIncident::new(owner, account, incident, at)]).await?;
    tracing::error!(%account, "a broker's account is another one than was opened");
    Ok(true)
}
