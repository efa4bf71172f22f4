//! Another password. Every session of before ends, so whoever knew the old one is out; the caller gets a new session in
//! place of theirs.

use super::email::Email;
use super::password_rules::{self, Owner};
use super::service::{Auth, Login, now};
use super::store::{self, Attempt, Revocation, UserRow};
use super::throttle::Subject;
use super::two_factor::{self, SecondFactor};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::extract::CurrentUser;
use diesel_async::AsyncConnection;
use domain::UserId;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// What somebody shows, and what they want.
pub(super) struct PasswordChange {
    pub(super) current: SecretString,
    pub(super) new: SecretString,
    pub(super) second_factor: Option<SecondFactor>,
}

/// Whether the new password may be this person's.
fn judge(change: &PasswordChange, owner: &UserRow) -> ApiResult<()> {
    let new = password_rules::normalize(change.new.expose_secret());
    if new == password_rules::normalize(change.current.expose_secret()) {
        return Err(ApiError::field("newPassword", "no_change", "must differ from the present one"));
    }
    let email: Email = owner.email.parse().map_err(ApiError::internal)?;
    let owner = Owner { email: &email, display_name: owner.display_name.as_deref() };
    password_rules::judge(&new, owner)
        .map_err(|refusal| ApiError::field("newPassword", refusal.rule(), refusal.to_string()))
}

impl Auth {
    /// Changes the password of whoever knows the present one, and shows a second factor where that is on.
    pub(super) async fn change_password(
        &self,
        user: CurrentUser,
        change: PasswordChange,
    ) -> ApiResult<Login> {
        let mut connection = self.pool.get().await?;
        let row = store::user(&mut connection, user.user_id).await?;
        drop(connection);
        let row = row.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        judge(&change, &row)?;
        let attempt = self.begin_attempt(vec![Subject::user(user.user_id)]).await?;
        let outcome = self.change_counted(row, change, &attempt).await;
        self.events.wake();
        self.live_sessions.forget_all();
        self.settle_attempt(outcome, &attempt).await
    }

    async fn change_counted(
        &self,
        user: UserRow,
        change: PasswordChange,
        attempt: &Attempt,
    ) -> ApiResult<Login> {
        let wrong = || ApiError::new(ErrorCode::InvalidCredentials, "");
        // No connection is kept while hashing.
        if !self.passwords.check(&change.current, Some(&user.password_hash)).await? {
            return Err(wrong());
        }
        let hash = self.passwords.hash(&change.new).await?;
        let now = now();
        let id = UserId(user.id);
        let mut connection = self.pool.get().await?;
        connection
            .transaction::<_, ApiError, _>(async |connection| {
                let locked = store::lock_user(connection, id).await?;
                let locked = locked.filter(|locked| locked.password_hash == user.password_hash);
                let locked = locked.ok_or_else(wrong)?;
                if locked.totp_enabled {
                    let missing = || ApiError::new(ErrorCode::TotpRequired, "");
                    let factor = change.second_factor.as_ref().ok_or_else(missing)?;
                    self.accept_factor(connection, &locked, factor, now).await?;
                }
                store::set_password(connection, id, &hash, now).await?;
                store::revoke_all_sessions(connection, id, Revocation::PasswordChanged, now).await?;
                store::forgive(connection, attempt).await?;
                let session_id = Uuid::now_v7();
                store::insert_session(connection, session_id, id, now).await?;
                let login = self.issue(connection, session_id, locked, now).await?;
                two_factor::tell(connection, id, "password_changed", None, now).await?;
                Ok(login)
            })
            .await
    }
}
