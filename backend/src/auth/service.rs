//! What users can do about their logins.

use super::email::Email;
use super::password::Passwords;
use super::password_rules::{self, Owner};
use super::sessions::LiveSessions;
use super::store::{self, Attempt, Revocation, UserRow};
use super::throttle::Subject;
use super::tokens::{AccessTokens, RefreshToken, hash_refresh_token};
use super::totp::{TotpCode, Vault};
use super::two_factor::SecondFactor;
use super::types::{Language, Profile};
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::EventHub;
use crate::extract::CurrentUser;
use crate::settings::{Admission, Settings};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use chrono::{DateTime, SubsecRound, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::UserId;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

use super::display_name::DisplayName;

/// Users and their sessions.
pub struct Auth {
    pub(super) pool: Pool,
    pub(super) passwords: Passwords,
    pub(super) vault: Vault,
    pub(super) live_sessions: LiveSessions,
    pub(super) trust_proxy: bool,
    admission: Admission,
    pub(super) events: Arc<EventHub>,
    access_tokens: AccessTokens,
}

/// Somebody who wants to become a user.
pub(super) struct Registration {
    pub(super) email: Email,
    pub(super) password: SecretString,
    pub(super) display_name: Option<DisplayName>,
    pub(super) language: Language,
}

/// Somebody who says to be a user.
pub(super) struct Credentials {
    pub(super) email: Email,
    pub(super) password: SecretString,
    pub(super) second_factor: Option<SecondFactor>,
}

/// A successful login, or its renewal.
pub(super) struct Login {
    pub(super) access_token: String,
    pub(super) refresh_token: RefreshToken,
    pub(super) user: Profile,
}

/// Time as Postgres keeps it, so that what is answered equals what is stored.
pub(super) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

fn invalid_credentials() -> ApiError {
    ApiError::new(ErrorCode::InvalidCredentials, "")
}

impl Auth {
    /// Builds the service.
    #[must_use]
    pub fn new(pool: Pool, settings: &Settings, events: Arc<EventHub>) -> Self {
        Self {
            pool,
            events,
            passwords: Passwords::new(),
            vault: Vault::new(&settings.encryption_key),
            live_sessions: LiveSessions::default(),
            trust_proxy: settings.trust_proxy,
            admission: settings.admission,
            access_tokens: AccessTokens::new(&settings.jwt_secret),
        }
    }

    /// Who is calling, by the access token in a request's headers.
    ///
    /// # Errors
    /// `401` with the reason, `503` when the database cannot be asked.
    pub async fn authenticate(&self, headers: &HeaderMap) -> ApiResult<CurrentUser> {
        let invalid = || ApiError::new(ErrorCode::InvalidToken, "");
        let header = headers.get(AUTHORIZATION).ok_or_else(|| ApiError::new(ErrorCode::MissingToken, ""))?;
        let (scheme, token) =
            header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(invalid());
        }
        let user = self.access_tokens.read(token.trim(), now())?;
        if self.is_live(user).await? { Ok(user) } else { Err(invalid()) }
    }

    /// Whether a session has not been ended, as far as was known within the last second. Long answers ask this again
    /// and again.
    ///
    /// # Errors
    /// `503` when the database cannot be asked.
    pub async fn is_live(&self, user: CurrentUser) -> ApiResult<bool> {
        let asked = Instant::now();
        if self.live_sessions.is_live(user.session_id, asked) {
            return Ok(true);
        }
        let mut connection = self.pool.get().await?;
        let live = store::session_is_live(&mut connection, user.session_id, user.user_id).await?;
        if live {
            self.live_sessions.remember(user.session_id, asked);
        }
        Ok(live)
    }

    /// How often a password was checked since the start: the same number of times for known and unknown users.
    #[must_use]
    pub fn password_checks(&self) -> u64 {
        self.passwords.checks()
    }

    pub(super) async fn register(&self, registration: Registration, address: IpAddr) -> ApiResult<Profile> {
        let password = password_rules::normalize(registration.password.expose_secret());
        let display_name = registration.display_name.as_ref().map(DisplayName::as_str);
        password_rules::judge(&password, Owner { email: &registration.email, display_name })
            .map_err(|refusal| ApiError::field("password", refusal.rule(), refusal.to_string()))?;
        // Counted whatever comes of it: a success is as dear as a failure.
        let attempt = self.begin_attempt(vec![Subject::registrations(address)]).await?;
        let outcome = self.register_counted(registration).await;
        self.settle_attempt(outcome, &attempt).await
    }

    async fn register_counted(&self, registration: Registration) -> ApiResult<Profile> {
        // Asked first to spare the work of hashing; the unique index decides.
        let mut connection = self.pool.get().await?;
        if !self.admits(&mut connection).await? {
            return Err(ApiError::new(ErrorCode::RegistrationClosed, ""));
        }
        if store::email_is_taken(&mut connection, &registration.email.key()).await? {
            return Err(ApiError::new(ErrorCode::EmailTaken, ""));
        }
        drop(connection);
        let user = UserRow {
            id: UserId::generate().0,
            email: registration.email.as_str().to_owned(),
            password_hash: self.passwords.hash(&registration.password).await?,
            display_name: registration.display_name.map(|name| name.as_str().to_owned()),
            language: registration.language.code().to_owned(),
            totp_secret: None,
            totp_enabled: false,
            totp_last_step: 0,
            created_at: now(),
        };
        let mut connection = self.pool.get().await?;
        match self.admission {
            Admission::Open => store::insert_user(&mut connection, &user).await?,
            Admission::First => store::insert_first_user(&mut connection, &user).await?,
        }
        Ok(Profile::from(user))
    }

    async fn admits(&self, connection: &mut AsyncPgConnection) -> ApiResult<bool> {
        Ok(self.admission == Admission::Open || !store::has_users(connection).await?)
    }

    /// Whether somebody can become a user.
    pub(super) async fn registration_is_open(&self) -> ApiResult<bool> {
        self.admits(&mut *self.pool.get().await?).await
    }

    pub(super) async fn login(&self, credentials: Credentials, address: IpAddr) -> ApiResult<Login> {
        let subjects = vec![Subject::email(&credentials.email), Subject::address(address)];
        let attempt = self.begin_attempt(subjects).await?;
        let outcome = self.login_counted(credentials, &attempt).await;
        self.settle_attempt(outcome, &attempt).await
    }

    async fn login_counted(&self, credentials: Credentials, attempt: &Attempt) -> ApiResult<Login> {
        let mut connection = self.pool.get().await?;
        let user = store::user_by_email(&mut connection, &credentials.email.key()).await?;
        // No connection is kept while hashing.
        drop(connection);
        let stored = user.as_ref().map(|user| user.password_hash.as_str());
        let matches = self.passwords.check(&credentials.password, stored).await?;
        let user = user.filter(|_| matches).ok_or_else(invalid_credentials)?;

        let now = now();
        let mut connection = self.pool.get().await?;
        connection
            .transaction::<_, ApiError, _>(async |connection| {
                // Read again under a lock: two-factor login may have been switched on since.
                let locked = store::lock_user(connection, UserId(user.id)).await?;
                let locked = locked.filter(|locked| locked.password_hash == user.password_hash);
                let locked = locked.ok_or_else(invalid_credentials)?;
                if locked.totp_enabled {
                    let missing = || ApiError::new(ErrorCode::TotpRequired, "");
                    let factor = credentials.second_factor.as_ref().ok_or_else(missing)?;
                    self.accept_factor(connection, &locked, factor, now).await?;
                }
                store::forgive(connection, attempt).await?;
                store::sweep(connection, now).await?;
                let session_id = Uuid::now_v7();
                store::insert_session(connection, session_id, UserId(locked.id), now).await?;
                self.issue(connection, session_id, locked, now).await
            })
            .await
            .inspect(|_| self.events.wake())
    }

    /// Both tokens of a session.
    pub(super) async fn issue(
        &self,
        connection: &mut AsyncPgConnection,
        session_id: Uuid,
        user: UserRow,
        now: DateTime<Utc>,
    ) -> ApiResult<Login> {
        let refresh_token = RefreshToken::generate(now)?;
        store::insert_refresh_token(connection, session_id, &refresh_token, now).await?;
        let access_token =
            self.access_tokens.issue(CurrentUser { user_id: UserId(user.id), session_id }, now)?;
        Ok(Login { access_token, refresh_token, user: Profile::from(user) })
    }

    pub(super) async fn refresh(&self, token: &SecretString) -> ApiResult<Login> {
        let hash = hash_refresh_token(token.expose_secret());
        let now = now();
        let invalid = || ApiError::new(ErrorCode::InvalidRefreshToken, "");
        let mut connection = self.pool.get().await?;
        // The inner result is the answer; the outer one decides whether the transaction is kept. Ending a family must
        // be kept although the answer is an error.
        let answer = connection
            .transaction::<ApiResult<Login>, ApiError, _>(async |connection| {
                let Some(found) = store::lock_refresh_token(connection, &hash).await? else {
                    return Ok(Err(invalid()));
                };
                if found.revoked_at.is_some() {
                    return Ok(Err(invalid()));
                }
                if found.used_at.is_some() {
                    tracing::warn!(session = %found.session_id, "a used refresh token came again; its session is ended");
                    store::revoke_session(connection, found.session_id, Revocation::Reuse, now).await?;
                    return Ok(Err(ApiError::new(ErrorCode::RefreshTokenReused, "")));
                }
                if found.expires_at <= now {
                    return Ok(Err(invalid()));
                }
                let user = store::user(connection, UserId(found.user_id)).await?.ok_or_else(invalid)?;
                store::mark_used(connection, &hash, now).await?;
                self.issue(connection, found.session_id, user, now).await.map(Ok)
            })
            .await?;
        if answer.is_err() {
            self.live_sessions.forget_all();
        }
        answer
    }

    /// Ends the session of an access token, of a refresh token, or of both.
    pub(super) async fn logout(&self, headers: &HeaderMap, token: Option<&SecretString>) -> ApiResult<()> {
        let bearer = self.authenticate(headers).await;
        let mut connection = self.pool.get().await?;
        let mut sessions: Vec<Uuid> = bearer.iter().map(|user| user.session_id).collect();
        let now = now();
        if let Some(token) = token {
            let hash = hash_refresh_token(token.expose_secret());
            sessions.extend(
                store::lock_refresh_token(&mut connection, &hash).await?.map(|found| found.session_id),
            );
        }
        for session in &sessions {
            store::revoke_session(&mut connection, *session, Revocation::Logout, now).await?;
        }
        self.live_sessions.forget_all();
        match bearer {
            Err(error) if sessions.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn profile(&self, user: CurrentUser) -> ApiResult<Profile> {
        let mut connection = self.pool.get().await?;
        let found = store::user(&mut connection, user.user_id).await?;
        found.map(Profile::from).ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
    }

    pub(super) async fn update_profile(
        &self,
        user: CurrentUser,
        display_name: Option<Option<DisplayName>>,
        language: Option<Language>,
    ) -> ApiResult<Profile> {
        let display_name = display_name.as_ref().map(|name| name.as_ref().map(DisplayName::as_str));
        let mut connection = self.pool.get().await?;
        let language = language.map(Language::code);
        let found =
            store::update_profile(&mut connection, user.user_id, display_name, language, now()).await?;
        found.map(Profile::from).ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
    }

    pub(super) async fn begin_attempt(&self, subjects: Vec<Subject>) -> ApiResult<Attempt> {
        let mut connection = self.pool.get().await?;
        store::begin_attempt(&mut connection, subjects, now()).await
    }

    /// Takes an attempt back when it failed for no fault of the person's.
    pub(super) async fn settle_attempt<T>(&self, outcome: ApiResult<T>, attempt: &Attempt) -> ApiResult<T> {
        let blameless = |code| {
            matches!(code, ErrorCode::TotpRequired | ErrorCode::ServiceUnavailable | ErrorCode::Internal)
        };
        if outcome.as_ref().is_err_and(|error| blameless(error.code()))
            && let Ok(mut connection) = self.pool.get().await
            && let Err(error) = store::forget_attempt(&mut connection, attempt).await
        {
            tracing::warn!(%error, "an attempt could not be taken back");
        }
        outcome
    }

    /// The time step of a code that is right now and was not used before.
    pub(super) fn accept_code(&self, user: &UserRow, code: &TotpCode, now: DateTime<Utc>) -> ApiResult<i64> {
        let wrong = || ApiError::new(ErrorCode::InvalidTotpCode, "");
        let sealed = user.totp_secret.as_deref().ok_or_else(wrong)?;
        let secret = self.vault.open(sealed, UserId(user.id))?;
        secret.step_of(code, user.totp_last_step, now)?.ok_or_else(wrong)
    }
}
