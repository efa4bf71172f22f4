//! Switching two-factor login on and off. Either ends every session of the user: whoever stole one is out.

use super::service::{Auth, now};
use super::store::{self, Revocation, TotpState, UserRow};
use super::throttle::Subject;
use super::totp::{TotpCode, TotpSecret};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::extract::CurrentUser;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::UserId;
use secrecy::SecretString;

/// What goes into the authenticator app.
pub(super) struct TotpEnrolment {
    pub(super) secret: String,
    pub(super) uri: String,
}

async fn locked(connection: &mut AsyncPgConnection, id: UserId) -> ApiResult<UserRow> {
    store::lock_user(connection, id).await?.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
}

impl Auth {
    /// Makes a secret. Nothing changes for logins until a first code confirms that the app has it.
    pub(super) async fn enable_totp(&self, user: CurrentUser) -> ApiResult<TotpEnrolment> {
        let secret = TotpSecret::generate();
        let sealed = self.vault.seal(&secret, user.user_id)?;
        let mut connection = self.pool.get().await?;
        let email = connection
            .transaction::<_, ApiError, _>(async |connection| {
                let row = locked(connection, user.user_id).await?;
                if row.totp_enabled {
                    return Err(ApiError::new(ErrorCode::TotpAlreadyEnabled, ""));
                }
                let pending = TotpState { secret: Some(&sealed), enabled: false, last_step: 0 };
                store::set_totp(connection, user.user_id, pending, now()).await?;
                Ok(row.email)
            })
            .await?;
        Ok(TotpEnrolment { secret: secret.to_base32(), uri: secret.to_uri(&email)? })
    }

    pub(super) async fn confirm_totp(&self, user: CurrentUser, code: &TotpCode) -> ApiResult<()> {
        let attempt = self.begin_attempt(vec![Subject::user(user.user_id)]).await?;
        let now = now();
        let mut connection = self.pool.get().await?;
        let outcome = connection
            .transaction::<_, ApiError, _>(async |connection| {
                let row = locked(connection, user.user_id).await?;
                if row.totp_enabled {
                    return Err(ApiError::new(ErrorCode::TotpAlreadyEnabled, ""));
                }
                if row.totp_secret.is_none() {
                    return Err(ApiError::new(ErrorCode::TotpNotStarted, ""));
                }
                let last_step = self.accept_code(&row, code, now)?;
                let on = TotpState { secret: row.totp_secret.as_deref(), enabled: true, last_step };
                store::set_totp(connection, user.user_id, on, now).await?;
                store::revoke_all_sessions(connection, user.user_id, Revocation::TwoFactorChanged, now)
                    .await?;
                store::forgive(connection, &attempt).await
            })
            .await;
        drop(connection);
        self.live_sessions.forget_all();
        self.settle_attempt(outcome, &attempt).await
    }

    pub(super) async fn disable_totp(
        &self,
        user: CurrentUser,
        password: &SecretString,
        code: &TotpCode,
    ) -> ApiResult<()> {
        let attempt = self.begin_attempt(vec![Subject::user(user.user_id)]).await?;
        let mut connection = self.pool.get().await?;
        let stored = store::user(&mut connection, user.user_id).await?.map(|row| row.password_hash);
        drop(connection);
        let outcome = match self.passwords.check(password, stored.as_deref()).await {
            Ok(true) => self.disable_checked(user, code, &attempt).await,
            Ok(false) => Err(ApiError::new(ErrorCode::InvalidCredentials, "")),
            Err(error) => Err(error),
        };
        self.live_sessions.forget_all();
        self.settle_attempt(outcome, &attempt).await
    }

    async fn disable_checked(
        &self,
        user: CurrentUser,
        code: &TotpCode,
        attempt: &store::Attempt,
    ) -> ApiResult<()> {
        let now = now();
        let mut connection = self.pool.get().await?;
        connection
            .transaction::<_, ApiError, _>(async |connection| {
                let row = locked(connection, user.user_id).await?;
                if !row.totp_enabled {
                    return Err(ApiError::new(ErrorCode::TotpNotEnabled, ""));
                }
                self.accept_code(&row, code, now)?;
                let off = TotpState { secret: None, enabled: false, last_step: 0 };
                store::set_totp(connection, user.user_id, off, now).await?;
                store::revoke_all_sessions(connection, user.user_id, Revocation::TwoFactorChanged, now)
                    .await?;
                store::forgive(connection, attempt).await
            })
            .await
    }
}
