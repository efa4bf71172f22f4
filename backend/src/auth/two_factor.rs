//! Two-factor login: switching it on and off, the codes for whoever has lost the app, and what is accepted beside a
//! password. Switching ends every session of the user: whoever stole one is out.

use super::recovery::{CODES, RecoveryCode};
use super::service::{Auth, now};
use super::store::{self, Revocation, TotpState, UserRow};
use super::throttle::Subject;
use super::totp::{TotpCode, TotpSecret};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{self, EventKind, NewEvent};
use crate::extract::CurrentUser;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::UserId;
use secrecy::SecretString;
use serde::Serialize;

/// What goes into the authenticator app.
pub(super) struct TotpEnrolment {
    pub(super) secret: String,
    pub(super) uri: String,
}

/// What somebody shows beside the password.
pub(super) enum SecondFactor {
    /// A code of the app.
    App(TotpCode),
    /// One of the codes for whoever has lost it.
    Recovery(RecoveryCode),
}

impl SecondFactor {
    /// The one that was sent, if any.
    ///
    /// # Errors
    /// When both were.
    pub(super) fn of(
        app: (&str, Option<TotpCode>),
        recovery: Option<RecoveryCode>,
    ) -> ApiResult<Option<Self>> {
        match (app, recovery) {
            ((field, Some(_)), Some(_)) => {
                let message = format!("must not be given together with {field}");
                Err(ApiError::field("recoveryCode", "contradiction", message))
            }
            ((_, Some(code)), None) => Ok(Some(Self::App(code))),
            ((_, None), Some(code)) => Ok(Some(Self::Recovery(code))),
            ((_, None), None) => Ok(None),
        }
    }
}

/// What is told of a login.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecurityEvent {
    /// `recovery_code_used`, `recovery_codes_replaced` or `password_changed`.
    what: &'static str,
    /// Where it is about recovery codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_left: Option<i64>,
    at: DateTime<Utc>,
}

/// Tells a user about their login, as the last statement of the caller's transaction.
pub(super) async fn tell(
    connection: &AsyncPgConnection,
    user: UserId,
    what: &'static str,
    recovery_codes_left: Option<i64>,
    at: DateTime<Utc>,
) -> ApiResult<()> {
    tracing::warn!(%user, what, recovery_codes_left, "a login was changed or proved by a recovery code");
    let event = SecurityEvent { what, recovery_codes_left, at };
    let event = NewEvent::new(user, EventKind::Security, &event).map_err(ApiError::internal)?;
    Ok(events::append(connection, vec![event]).await?)
}

fn new_codes() -> ApiResult<Vec<RecoveryCode>> {
    (0..CODES).map(|_| RecoveryCode::generate()).collect()
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

    /// Switches it on and gives the recovery codes, which nobody can be shown again.
    pub(super) async fn confirm_totp(
        &self,
        user: CurrentUser,
        code: &TotpCode,
    ) -> ApiResult<Vec<RecoveryCode>> {
        let codes = new_codes()?;
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
                store::replace_recovery_codes(connection, user.user_id, &codes, now).await?;
                store::revoke_all_sessions(connection, user.user_id, Revocation::TwoFactorChanged, now)
                    .await?;
                store::forgive(connection, &attempt).await
            })
            .await;
        drop(connection);
        self.live_sessions.forget_all();
        self.settle_attempt(outcome, &attempt).await.map(|()| codes)
    }

    pub(super) async fn disable_totp(
        &self,
        user: CurrentUser,
        password: &SecretString,
        factor: &SecondFactor,
    ) -> ApiResult<()> {
        let attempt = self.begin_attempt(vec![Subject::user(user.user_id)]).await?;
        let outcome = match self.check_password(user, password).await {
            Ok(()) => self.disable_checked(user, factor, &attempt).await,
            Err(error) => Err(error),
        };
        self.events.wake();
        self.live_sessions.forget_all();
        self.settle_attempt(outcome, &attempt).await
    }

    /// Replaces the recovery codes by new ones, which nobody can be shown again. Only the app will do: whoever has found
    /// one code on paper must not get ten.
    pub(super) async fn replace_recovery_codes(
        &self,
        user: CurrentUser,
        password: &SecretString,
        code: TotpCode,
    ) -> ApiResult<Vec<RecoveryCode>> {
        let attempt = self.begin_attempt(vec![Subject::user(user.user_id)]).await?;
        let outcome = match self.check_password(user, password).await {
            Ok(()) => self.replace_checked(user, code, &attempt).await,
            Err(error) => Err(error),
        };
        self.events.wake();
        self.settle_attempt(outcome, &attempt).await
    }

    /// How many recovery codes were not used.
    pub(super) async fn recovery_codes_left(&self, user: CurrentUser) -> ApiResult<i64> {
        store::recovery_codes_left(&mut *self.pool.get().await?, user.user_id).await
    }

    async fn check_password(&self, user: CurrentUser, password: &SecretString) -> ApiResult<()> {
        let mut connection = self.pool.get().await?;
        let stored = store::user(&mut connection, user.user_id).await?.map(|row| row.password_hash);
        // No connection is kept while hashing.
        drop(connection);
        if self.passwords.check(password, stored.as_deref()).await? {
            Ok(())
        } else {
            Err(ApiError::new(ErrorCode::InvalidCredentials, ""))
        }
    }

    async fn replace_checked(
        &self,
        user: CurrentUser,
        code: TotpCode,
        attempt: &store::Attempt,
    ) -> ApiResult<Vec<RecoveryCode>> {
        let (now, codes, app) = (now(), new_codes()?, SecondFactor::App(code));
        let mut connection = self.pool.get().await?;
        connection
            .transaction::<_, ApiError, _>(async |connection| {
                let row = locked(connection, user.user_id).await?;
                if !row.totp_enabled {
                    return Err(ApiError::new(ErrorCode::TotpNotEnabled, ""));
                }
                self.accept_factor(connection, &row, &app, now).await?;
                store::replace_recovery_codes(connection, user.user_id, &codes, now).await?;
                store::forgive(connection, attempt).await?;
                let left = i64::try_from(codes.len()).unwrap_or(i64::MAX);
                tell(connection, user.user_id, "recovery_codes_replaced", Some(left), now).await
            })
            .await?;
        Ok(codes)
    }

    /// Accepts what is shown beside the password, once. The user is locked, so of many at once the first succeeds.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidTotpCode`] or [`ErrorCode::InvalidRecoveryCode`].
    pub(super) async fn accept_factor(
        &self,
        connection: &mut AsyncPgConnection,
        user: &UserRow,
        factor: &SecondFactor,
        now: DateTime<Utc>,
    ) -> ApiResult<()> {
        let id = UserId(user.id);
        match factor {
            SecondFactor::App(code) => {
                let step = self.accept_code(user, code, now)?;
                store::set_totp_last_step(connection, id, step).await
            }
            SecondFactor::Recovery(code) => {
                if !store::use_recovery_code(connection, id, code, now).await? {
                    return Err(ApiError::new(ErrorCode::InvalidRecoveryCode, ""));
                }
                let left = store::recovery_codes_left(connection, id).await?;
                tell(connection, id, "recovery_code_used", Some(left), now).await
            }
        }
    }

    async fn disable_checked(
        &self,
        user: CurrentUser,
        factor: &SecondFactor,
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
                self.accept_factor(connection, &row, factor, now).await?;
                let off = TotpState { secret: None, enabled: false, last_step: 0 };
                store::set_totp(connection, user.user_id, off, now).await?;
                store::replace_recovery_codes(connection, user.user_id, &[], now).await?;
                store::revoke_all_sessions(connection, user.user_id, Revocation::TwoFactorChanged, now)
                    .await?;
                store::forgive(connection, attempt).await
            })
            .await
    }
}
