//! How often a login or a registration may be tried. Failures are counted in the database, so a restart forgives nobody.
//!
//! An attempt is counted before it is judged and taken back when it succeeds: a thousand guesses sent at once are a
//! thousand attempts, not one.

use super::email::Email;
use chrono::{DateTime, TimeDelta, Utc};
use domain::UserId;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// How many failures are forgiven, and how long to wait after more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Failures without consequence.
    pub(super) failures_free: u32,
    /// Age at which a failure is forgotten.
    pub(super) window: TimeDelta,
    /// Wait after the last free failure; doubles with each further one.
    pub(super) wait_first: TimeDelta,
    /// Longest wait.
    pub(super) wait_max: TimeDelta,
}

/// For one person's login: about a hundred guesses a day, wherever they come from.
pub(super) const PERSON: Limit = Limit {
    failures_free: 5,
    window: TimeDelta::hours(24),
    wait_first: TimeDelta::seconds(30),
    wait_max: TimeDelta::minutes(15),
};

/// For one network address, behind which many people may sit.
pub(super) const ADDRESS: Limit = Limit { failures_free: 100, ..PERSON };

/// Age at which no limit remembers an attempt any more.
pub(super) const ATTEMPT_AGE_MAX: TimeDelta = PERSON.window;

/// What has been tried so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Failures {
    /// How often, within the limit's window.
    pub(super) count: u32,
    /// When last.
    pub(super) last_at: Option<DateTime<Utc>>,
}

impl Limit {
    /// How long from now until the next try is allowed; `None` when it is.
    #[must_use]
    pub(super) fn wait(&self, failures: Failures, now: DateTime<Utc>) -> Option<TimeDelta> {
        let beyond = failures.count.checked_sub(self.failures_free)?;
        let factor = 2_i32.checked_pow(beyond).unwrap_or(i32::MAX);
        let pause = self.wait_first.checked_mul(factor).unwrap_or(self.wait_max).min(self.wait_max);
        let left = failures.last_at? + pause - now;
        (left > TimeDelta::zero()).then_some(left)
    }
}

/// Whole seconds for a `Retry-After` header, rounded up.
#[must_use]
pub(super) fn retry_after_seconds(wait: TimeDelta) -> u64 {
    u64::try_from((wait.num_milliseconds() + 999) / 1000).unwrap_or(1).max(1)
}

/// Whom attempts are counted against, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// Stored in place of the email or address.
    pub(super) hash: [u8; 32],
    /// What applies.
    pub(super) limit: Limit,
}

impl Subject {
    fn new(kind: &str, name: &[u8], limit: Limit) -> Self {
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize().into();
        Self { hash, limit }
    }

    /// Logins with an email, registered or not.
    #[must_use]
    pub(super) fn email(email: &Email) -> Self {
        Self::new("email", email.key().as_bytes(), PERSON)
    }

    /// Codes and passwords asked of somebody who is logged in.
    #[must_use]
    pub(super) fn user(id: UserId) -> Self {
        Self::new("user", id.0.as_bytes(), PERSON)
    }

    /// New users from an address: each costs a hash and a row, and tells whether an email is taken. They are counted
    /// beside the logins, so that nobody is locked out by registrations of others.
    #[must_use]
    pub(super) fn registrations(address: IpAddr) -> Self {
        Self::of_address("registration", address)
    }

    /// Logins from an address.
    #[must_use]
    pub(super) fn address(address: IpAddr) -> Self {
        Self::of_address("address", address)
    }

    /// A customer of an IPv6 provider owns a whole /64.
    fn of_address(kind: &str, address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::new(kind, &address.octets(), ADDRESS),
            IpAddr::V6(address) => Self::new(kind, &(address.to_bits() >> 64).to_be_bytes(), ADDRESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn wait_after(count: u32, seconds_ago: i64) -> Option<i64> {
        let last_at = Some(now() - TimeDelta::seconds(seconds_ago));
        PERSON.wait(Failures { count, last_at }, now()).map(|wait| wait.num_seconds())
    }

    #[test]
    fn five_failures_are_free_and_then_the_wait_doubles() {
        assert_eq!(PERSON.wait(Failures::default(), now()), None);
        let waits: Vec<_> = (4..=12).map(|count| wait_after(count, 0)).collect();
        assert_eq!(
            waits,
            [None, Some(30), Some(60), Some(120), Some(240), Some(480), Some(900), Some(900), Some(900)]
        );
    }

    #[test]
    fn the_wait_runs_from_the_last_failure() {
        assert_eq!(wait_after(5, 20), Some(10));
        assert_eq!(wait_after(5, 30), None);
    }

    #[test]
    fn an_email_is_one_subject_in_any_case_and_an_address_is_another() {
        let subject = |text: &str| Subject::email(&text.parse().unwrap()).hash;
        assert_eq!(subject("Ant@Example.com"), subject("ant@example.com"));
        assert_ne!(subject("ant@example.com"), subject("bee@example.com"));
        let address = |text: &str| Subject::address(text.parse().unwrap()).hash;
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(Subject::registrations("192.0.2.1".parse().unwrap()).hash, address("192.0.2.1"));
    }

    #[test]
    fn a_part_of_a_second_is_waited_in_full() {
        assert_eq!(retry_after_seconds(TimeDelta::milliseconds(1)), 1);
        assert_eq!(retry_after_seconds(TimeDelta::milliseconds(1001)), 2);
    }

    proptest! {
        #[test]
        fn the_wait_never_exceeds_its_limit(count in 0u32.., age_seconds in 0i64..1_000_000) {
            let wait = wait_after(count, age_seconds);
            prop_assert!(wait.is_none_or(|seconds| seconds <= PERSON.wait_max.num_seconds()));
        }
    }
}
