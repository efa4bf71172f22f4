//! Which of several servers takes prices in. Pure: answers about the lease and moments decide everything.
//!
//! One holds the lease in Redis and renews it; the others look whether it is free. A server that holds it and hears
//! nothing from Redis any more serves on. One that follows and hears nothing for a while takes prices in by itself
//! rather than showing old ones: then several ask the vendors, until Redis is back and one of them has the lease.

use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// The lease ends so long after it was last renewed.
pub(super) const LEASE_TIME: Duration = Duration::from_secs(2);
/// How often it is renewed, or looked for.
pub(super) const LEASE_INTERVAL: Duration = Duration::from_millis(400);
/// A follower that hears nothing from Redis for this long takes prices in by itself.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Who has taken prices in while Redis was away leaves the lease to whoever had it before for so long.
pub(super) const COURTESY_TIME: Duration = Duration::from_secs(2);

/// What a server is among those of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// It takes prices in and passes them on to the others.
    Leading,
    /// It passes on what the leading one tells.
    Following,
    /// It has nobody to ask, and takes prices in for its own subscribers.
    Alone,
}

impl Role {
    /// Whether it takes prices in.
    pub(crate) const fn ingests(self) -> bool {
        matches!(self, Self::Leading | Self::Alone)
    }
}

/// What was found out about the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is ours.
    Ours,
    /// Another has it.
    Theirs,
    /// Nobody has it; we have not tried to take it.
    Free,
    /// Redis does not answer.
    None,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Election {
    pub(super) role: Role,
    heard_at: Instant,
    /// Since when Redis answers again, while we are alone.
    back_since: Option<Instant>,
}

impl Election {
    /// Nothing is known yet: without an answer it begins alone.
    pub(super) const fn new(now: Instant) -> Self {
        Self { role: Role::Alone, heard_at: now, back_since: None }
    }

    /// Whether a free lease should be taken now.
    pub(super) fn may_take(&self, now: Instant, is_first: bool) -> bool {
        is_first
            || self.role != Role::Alone
            || self.back_since.is_some_and(|since| since + COURTESY_TIME <= now)
    }

    /// Whether Redis did not answer the last time.
    pub(super) const fn is_silent(&self) -> bool {
        self.back_since.is_none()
    }

    /// Takes an answer in; the role it leads to.
    pub(super) fn hear(&mut self, answer: Answer, now: Instant) -> Role {
        self.role = match answer {
            Answer::Ours => Role::Leading,
            Answer::Theirs => Role::Following,
            Answer::Free => self.role,
            Answer::None if self.role == Role::Following && self.heard_at + SILENCE_MAX <= now => Role::Alone,
            Answer::None => self.role,
        };
        if answer == Answer::None {
            self.back_since = None;
        } else {
            self.heard_at = now;
            self.back_since.get_or_insert(now);
        }
        self.role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn whoever_has_the_lease_leads_and_the_others_follow() {
        let now = Instant::now();
        let mut election = Election::new(now);
        assert!(election.may_take(now, true));
        assert_eq!(election.hear(Answer::Ours, now), Role::Leading);
        assert_eq!(election.hear(Answer::Theirs, now), Role::Following, "it was lost");
        assert!(election.may_take(now, false), "a follower takes a lease that has ended at once");
    }

    #[test]
    fn without_redis_the_leading_one_serves_on_and_a_follower_waits_before_it_serves_alone() {
        let now = Instant::now();
        let mut leading = Election::new(now);
        leading.hear(Answer::Ours, now);
        assert_eq!(leading.hear(Answer::None, now + SILENCE_MAX * 100), Role::Leading);
        let mut following = Election::new(now);
        following.hear(Answer::Theirs, now);
        assert_eq!(following.hear(Answer::None, now + SILENCE_MAX - at(1)), Role::Following);
        assert_eq!(following.hear(Answer::None, now + SILENCE_MAX), Role::Alone);
    }

    #[test]
    fn when_redis_is_back_the_one_that_led_comes_first() {
        let now = Instant::now();
        let mut alone = Election::new(now);
        alone.hear(Answer::Theirs, now);
        alone.hear(Answer::None, now + SILENCE_MAX);
        let back = now + SILENCE_MAX * 2;
        assert!(!alone.may_take(back, false));
        assert_eq!(alone.hear(Answer::Free, back), Role::Alone);
        assert!(!alone.may_take(back + COURTESY_TIME - at(1), false));
        assert!(alone.may_take(back + COURTESY_TIME, false));
        assert_eq!(alone.hear(Answer::Theirs, back + at(500)), Role::Following);
    }
}
