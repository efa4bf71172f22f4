//! Turns passwords into what may be stored, and checks them: Argon2id, with work for two at once and no more.

use super::password_rules::normalize;
use crate::error::{ApiError, ApiResult, ErrorCode};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Memory of one hash (OWASP's recommendation of 2024 for Argon2id).
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Hashes computed at once: more would only take memory and cores from everything else.
const HASHES_AT_ONCE: usize = 2;
/// Longest wait for a turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(5);
/// Told to those whose turn did not come.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Checked when there is no user, so that a stranger's login takes as long as a member's. The hash of a random password
/// that was thrown away, made with the figures above.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$2+yY0ek7d4KvHzfRb8qbXA$4XtSrjCMi1PJrtpWsx1EIPC02K12K2yC23AVU4v1UyQ";

/// The work of hashing, shared by all requests.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    checks: AtomicU64,
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> anyhow::Result<String> {
    let hash: PasswordHash =
        argon2()?.hash_password(password.as_bytes()).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

fn check_now(password: &str, stored: &str) -> anyhow::Result<bool> {
    let stored = PasswordHash::new(stored)
        .map_err(|error| anyhow::anyhow!("a stored hash cannot be read: {error}"))?;
    Ok(argon2()?.verify_password(password.as_bytes(), &stored).is_ok())
}

impl Passwords {
    /// Ready to hash.
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)), checks: AtomicU64::new(0) }
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> ApiResult<T> {
        let busy =
            || ApiError::new(ErrorCode::ServiceUnavailable, "").retry_after_seconds(RETRY_AFTER_SECONDS);
        let turn = tokio::time::timeout(TURN_WAIT_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Kept until the work ends, even when nobody waits for it any more.
            let _turn = turn;
            work()
        });
        done.await.map_err(ApiError::internal)?.map_err(ApiError::internal)
    }

    /// The text to store for a password.
    ///
    /// # Errors
    /// `503` when too many wait.
    pub(super) async fn hash(&self, password: &SecretString) -> ApiResult<String> {
        let password = SecretString::from(normalize(password.expose_secret()));
        self.in_turn(move || hash_now(password.expose_secret())).await
    }

    /// Whether a password is the stored one. With nothing stored the same work is done and the answer is no.
    ///
    /// # Errors
    /// `503` when too many wait.
    pub(super) async fn check(&self, password: &SecretString, stored: Option<&str>) -> ApiResult<bool> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or(NOBODY).to_owned();
        let password = SecretString::from(normalize(password.expose_secret()));
        self.checks.fetch_add(1, Ordering::Relaxed);
        let matches = self.in_turn(move || check_now(password.expose_secret(), &stored)).await?;
        Ok(matches && exists)
    }

    /// How often a password was checked since the start.
    #[must_use]
    pub(super) fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::new();
        let stored = passwords.hash(&"violet kettle orbit".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.check(&"violet kettle orbit".into(), Some(&stored)).await.unwrap());
        assert!(!passwords.check(&"violet kettle orbi".into(), Some(&stored)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_can_log_in_as_nobody() {
        let passwords = Passwords::new();
        assert!(!passwords.check(&"violet kettle orbit".into(), None).await.unwrap());
        assert_eq!(passwords.checks(), 1, "the work was done all the same");
        let stored = passwords.hash(&"violet kettle orbit".into()).await.unwrap();
        let figures = |hash: &str| hash.split('$').take(4).map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(figures(NOBODY), figures(&stored), "and it was the same amount of work");
    }

    #[tokio::test]
    async fn a_composed_and_a_decomposed_password_are_one() {
        let passwords = Passwords::new();
        let stored = passwords.hash(&"caf\u{e9} au lait".into()).await.unwrap();
        assert!(passwords.check(&"cafe\u{301} au lait".into(), Some(&stored)).await.unwrap());
    }
}
