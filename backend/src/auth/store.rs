//! The only place where this module speaks SQL.

use super::recovery::RecoveryCode;
use super::throttle::{ATTEMPT_AGE_MAX, Failures, Subject, retry_after_seconds};
use super::tokens::{RefreshToken, TokenHash};
use crate::db::schema::{login_attempts, recovery_codes, refresh_tokens, sessions, users};
use crate::error::{ApiError, ApiResult, ErrorCode};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{count_star, exists, max, not, select};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use domain::{UserId, locks};
use uuid::Uuid;

diesel::define_sql_function! {
    /// Postgres' own.
    fn lower(text: Text) -> Text;
}
diesel::define_sql_function! {
    /// Waits for, and keeps until the transaction ends, a lock that is only a number.
    fn pg_advisory_xact_lock(key: BigInt);
}

/// A user as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) password_hash: String,
    pub(super) display_name: Option<String>,
    pub(super) language: String,
    pub(super) totp_secret: Option<Vec<u8>>,
    pub(super) totp_enabled: bool,
    pub(super) totp_last_step: i64,
    pub(super) created_at: DateTime<Utc>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Revocation {
    Logout,
    Reuse,
    TwoFactorChanged,
    PasswordChanged,
}

impl Revocation {
    const fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::TwoFactorChanged => "two_factor_changed",
            Self::PasswordChanged => "password_changed",
        }
    }
}

pub(super) async fn insert_user(connection: &mut AsyncPgConnection, user: &UserRow) -> ApiResult<()> {
    let inserted = diesel::insert_into(users::table)
        .values((
            users::id.eq(user.id),
            users::email.eq(&user.email),
            users::password_hash.eq(&user.password_hash),
            users::display_name.eq(&user.display_name),
            users::language.eq(&user.language),
            users::created_at.eq(user.created_at),
        ))
        .execute(connection)
        .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(ApiError::new(ErrorCode::EmailTaken, ""))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes a user if there is none.
pub(super) async fn insert_first_user(connection: &mut AsyncPgConnection, user: &UserRow) -> ApiResult<()> {
    connection
        .transaction(async |connection| {
            select(pg_advisory_xact_lock(locks::FIRST_USER)).execute(connection).await?;
            if has_users(connection).await? {
                return Err(ApiError::new(ErrorCode::RegistrationClosed, ""));
            }
            insert_user(connection, user).await
        })
        .await
}

pub(super) async fn has_users(connection: &mut AsyncPgConnection) -> ApiResult<bool> {
    Ok(select(exists(users::table.select(users::id))).get_result(connection).await?)
}

pub(super) async fn email_is_taken(connection: &mut AsyncPgConnection, email_key: &str) -> ApiResult<bool> {
    Ok(select(exists(users::table.filter(lower(users::email).eq(email_key)))).get_result(connection).await?)
}

pub(super) async fn user_by_email(
    connection: &mut AsyncPgConnection,
    email_key: &str,
) -> ApiResult<Option<UserRow>> {
    let query = users::table.filter(lower(users::email).eq(email_key)).select(UserRow::as_select());
    Ok(query.first(connection).await.optional()?)
}

pub(super) async fn user(connection: &mut AsyncPgConnection, id: UserId) -> ApiResult<Option<UserRow>> {
    Ok(users::table.find(id.0).select(UserRow::as_select()).first(connection).await.optional()?)
}

/// The user, locked against changes until the transaction ends.
pub(super) async fn lock_user(connection: &mut AsyncPgConnection, id: UserId) -> ApiResult<Option<UserRow>> {
    let query = users::table.find(id.0).select(UserRow::as_select()).for_no_key_update();
    Ok(query.first(connection).await.optional()?)
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
struct ProfileChange<'a> {
    /// The inner `None` clears the name.
    display_name: Option<Option<&'a str>>,
    language: Option<&'a str>,
    updated_at: DateTime<Utc>,
}

pub(super) async fn update_profile(
    connection: &mut AsyncPgConnection,
    id: UserId,
    display_name: Option<Option<&str>>,
    language: Option<&str>,
    now: DateTime<Utc>,
) -> ApiResult<Option<UserRow>> {
    let change = ProfileChange { display_name, language, updated_at: now };
    let update = diesel::update(users::table.find(id.0)).set(change).returning(UserRow::as_returning());
    Ok(update.get_result(connection).await.optional()?)
}

pub(super) async fn set_password(
    connection: &mut AsyncPgConnection,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::update(users::table.find(id.0))
        .set((users::password_hash.eq(password_hash), users::updated_at.eq(now)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Where a user's two-factor login stands.
pub(super) struct TotpState<'a> {
    pub(super) secret: Option<&'a [u8]>,
    pub(super) enabled: bool,
    pub(super) last_step: i64,
}

pub(super) async fn set_totp(
    connection: &mut AsyncPgConnection,
    id: UserId,
    state: TotpState<'_>,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::update(users::table.find(id.0))
        .set((
            users::totp_secret.eq(state.secret),
            users::totp_enabled.eq(state.enabled),
            users::totp_last_step.eq(state.last_step),
            users::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_totp_last_step(
    connection: &mut AsyncPgConnection,
    id: UserId,
    step: i64,
) -> ApiResult<()> {
    diesel::update(users::table.find(id.0)).set(users::totp_last_step.eq(step)).execute(connection).await?;
    Ok(())
}

/// Gives a user other recovery codes than before; none at all takes them away.
pub(super) async fn replace_recovery_codes(
    connection: &mut AsyncPgConnection,
    user: UserId,
    codes: &[RecoveryCode],
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user.0)))
        .execute(connection)
        .await?;
    let row = |code: &RecoveryCode| {
        (
            recovery_codes::user_id.eq(user.0),
            recovery_codes::code_hash.eq(code.hash(user).to_vec()),
            recovery_codes::created_at.eq(now),
        )
    };
    let rows: Vec<_> = codes.iter().map(row).collect();
    diesel::insert_into(recovery_codes::table).values(rows).execute(connection).await?;
    Ok(())
}

/// Uses a code up. Says whether it was one that had not been used.
pub(super) async fn use_recovery_code(
    connection: &mut AsyncPgConnection,
    user: UserId,
    code: &RecoveryCode,
    now: DateTime<Utc>,
) -> ApiResult<bool> {
    let unused = recovery_codes::table
        .find((user.0, code.hash(user).to_vec()))
        .filter(recovery_codes::used_at.is_null());
    let used = diesel::update(unused).set(recovery_codes::used_at.eq(now)).execute(connection).await?;
    Ok(used == 1)
}

/// How many codes of a user were not used.
pub(super) async fn recovery_codes_left(connection: &mut AsyncPgConnection, user: UserId) -> ApiResult<i64> {
    let left = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user.0))
        .filter(recovery_codes::used_at.is_null());
    Ok(left.count().get_result(connection).await?)
}

pub(super) async fn insert_session(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    user: UserId,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::insert_into(sessions::table)
        .values((sessions::id.eq(id), sessions::user_id.eq(user.0), sessions::created_at.eq(now)))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_refresh_token(
    connection: &mut AsyncPgConnection,
    session: Uuid,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token.hash.as_slice()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(now),
            refresh_tokens::expires_at.eq(token.expires_at),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the session exists, belongs to the user and was not ended.
pub(super) async fn session_is_live(
    connection: &mut AsyncPgConnection,
    session: Uuid,
    user: UserId,
) -> ApiResult<bool> {
    let live = sessions::table
        .find(session)
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null());
    Ok(select(exists(live)).get_result(connection).await?)
}

/// A refresh token and its session.
#[derive(Debug, Queryable)]
pub(super) struct TokenRow {
    pub(super) session_id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) revoked_at: Option<DateTime<Utc>>,
    pub(super) used_at: Option<DateTime<Utc>>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Finds a token and locks it and its session until the transaction ends: of two requests with the same token, the
/// second sees what the first did.
pub(super) async fn lock_refresh_token(
    connection: &mut AsyncPgConnection,
    hash: &TokenHash,
) -> ApiResult<Option<TokenRow>> {
    let query = refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::token_hash.eq(hash.as_slice()))
        .select((
            sessions::id,
            sessions::user_id,
            sessions::revoked_at,
            refresh_tokens::used_at,
            refresh_tokens::expires_at,
        ))
        .for_update();
    Ok(query.first(connection).await.optional()?)
}

pub(super) async fn mark_used(
    connection: &mut AsyncPgConnection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::update(refresh_tokens::table.find(hash.as_slice()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn revoke_session(
    connection: &mut AsyncPgConnection,
    session: Uuid,
    because: Revocation,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::update(sessions::table.find(session).filter(sessions::revoked_at.is_null()))
        .set((sessions::revoked_at.eq(now), sessions::revoked_because.eq(because.name())))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn revoke_all_sessions(
    connection: &mut AsyncPgConnection,
    user: UserId,
    because: Revocation,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    diesel::update(
        sessions::table.filter(sessions::user_id.eq(user.0)).filter(sessions::revoked_at.is_null()),
    )
    .set((sessions::revoked_at.eq(now), sessions::revoked_because.eq(because.name())))
    .execute(connection)
    .await?;
    Ok(())
}

/// A session younger than this may have an access token that is still valid.
const SESSION_AGE_MIN: TimeDelta = TimeDelta::days(1);
/// Most rows removed in passing by one request.
const SWEEP_ROWS_MAX: i64 = 100;

/// Removes a few expired tokens, sessions that have none left, and forgotten attempts. Called now and then by logins.
pub(super) async fn sweep(connection: &mut AsyncPgConnection, now: DateTime<Utc>) -> ApiResult<()> {
    let (tokens, attempts) = diesel::alias!(refresh_tokens as old_tokens, login_attempts as old_attempts);
    let expired = tokens
        .filter(tokens.field(refresh_tokens::expires_at).lt(now))
        .select(tokens.field(refresh_tokens::token_hash))
        .limit(SWEEP_ROWS_MAX);
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::token_hash.eq_any(expired)))
        .execute(connection)
        .await?;
    delete_dead_sessions(connection, now).await?;
    let forgotten = attempts
        .filter(attempts.field(login_attempts::attempted_at).lt(now - ATTEMPT_AGE_MAX))
        .select(attempts.field(login_attempts::id))
        .limit(SWEEP_ROWS_MAX);
    diesel::delete(login_attempts::table.filter(login_attempts::id.eq_any(forgotten)))
        .execute(connection)
        .await?;
    Ok(())
}

/// A session ends for good when its last refresh token has expired: nobody can renew it, and its access tokens are much
/// shorter-lived. Ids grow with time, so the oldest are looked at first.
async fn delete_dead_sessions(connection: &mut AsyncPgConnection, now: DateTime<Utc>) -> ApiResult<()> {
    let tokens = refresh_tokens::table.filter(refresh_tokens::session_id.eq(sessions::id));
    let dead = sessions::table
        .filter(sessions::created_at.lt(now - SESSION_AGE_MIN))
        .filter(not(exists(tokens)))
        .select(sessions::id)
        .order(sessions::id)
        .limit(SWEEP_ROWS_MAX);
    let dead: Vec<Uuid> = dead.load(connection).await?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(dead))).execute(connection).await?;
    Ok(())
}

/// An attempt that was counted and may be taken back.
#[derive(Debug)]
pub(super) struct Attempt {
    ids: Vec<i64>,
    subjects: Vec<Subject>,
}

fn lock_key(subject: &Subject) -> i64 {
    let first = subject.hash.first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}

async fn failures_of(
    connection: &mut AsyncPgConnection,
    subject: &Subject,
    now: DateTime<Utc>,
) -> ApiResult<Failures> {
    let (count, last_at): (i64, Option<DateTime<Utc>>) = login_attempts::table
        .filter(login_attempts::subject.eq(subject.hash.as_slice()))
        .filter(login_attempts::attempted_at.gt(now - subject.limit.window))
        .select((count_star(), max(login_attempts::attempted_at)))
        .first(connection)
        .await?;
    Ok(Failures { count: u32::try_from(count).unwrap_or(u32::MAX), last_at })
}

/// Counts an attempt against every subject, unless one of them has to wait. Attempts on one subject are judged one
/// after the other.
pub(super) async fn begin_attempt(
    connection: &mut AsyncPgConnection,
    subjects: Vec<Subject>,
    now: DateTime<Utc>,
) -> ApiResult<Attempt> {
    connection
        .transaction::<_, ApiError, _>(async |connection| {
            // In the order of their keys, so that two requests cannot wait for each other.
            let mut keys: Vec<i64> = subjects.iter().map(lock_key).collect();
            keys.sort_unstable();
            for key in keys {
                select(pg_advisory_xact_lock(key)).execute(connection).await?;
            }
            let mut wait = None;
            for subject in &subjects {
                wait = wait.max(subject.limit.wait(failures_of(connection, subject, now).await?, now));
            }
            if let Some(wait) = wait {
                let refusal = ApiError::new(ErrorCode::TooManyAttempts, "");
                return Err(refusal.retry_after_seconds(retry_after_seconds(wait)));
            }
            let rows: Vec<_> = subjects
                .iter()
                .map(|subject| {
                    (login_attempts::subject.eq(subject.hash.to_vec()), login_attempts::attempted_at.eq(now))
                })
                .collect();
            let insert =
                diesel::insert_into(login_attempts::table).values(rows).returning(login_attempts::id);
            Ok(Attempt { ids: insert.get_results(connection).await?, subjects: subjects.clone() })
        })
        .await
}

/// Takes an attempt back that was no failure.
pub(super) async fn forget_attempt(connection: &mut AsyncPgConnection, attempt: &Attempt) -> ApiResult<()> {
    diesel::delete(login_attempts::table.filter(login_attempts::id.eq_any(&attempt.ids)))
        .execute(connection)
        .await?;
    Ok(())
}

/// After a success the person's earlier failures are forgiven, the address's are not: otherwise one good account would
/// clear the way for guessing at others.
pub(super) async fn forgive(connection: &mut AsyncPgConnection, attempt: &Attempt) -> ApiResult<()> {
    forget_attempt(connection, attempt).await?;
    if let [person, ..] = attempt.subjects.as_slice() {
        diesel::delete(login_attempts::table.filter(login_attempts::subject.eq(person.hash.as_slice())))
            .execute(connection)
            .await?;
    }
    Ok(())
}
