//! Which sessions were seen alive a moment ago, so that not every request has to ask the database.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long an answer of the database is believed: a session that was ended elsewhere works no longer than this.
pub(super) const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Most sessions remembered.
const SESSIONS_MAX: usize = 4096;

/// Sessions and when the database was asked about them.
#[derive(Default)]
pub(super) struct LiveSessions(Mutex<HashMap<Uuid, Instant>>);

impl LiveSessions {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Instant>> {
        // Nothing can be left half-done in the map, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the session was alive at most [`BELIEVED_FOR`] ago.
    #[must_use]
    pub(super) fn is_live(&self, session: Uuid, now: Instant) -> bool {
        self.lock().get(&session).is_some_and(|asked| now.duration_since(*asked) < BELIEVED_FOR)
    }

    /// Remembers that the database, asked at this moment, knew the session.
    pub(super) fn remember(&self, session: Uuid, asked: Instant) {
        let mut sessions = self.lock();
        if sessions.len() >= SESSIONS_MAX {
            sessions.retain(|_, seen| asked.duration_since(*seen) < BELIEVED_FOR);
        }
        if sessions.len() < SESSIONS_MAX {
            sessions.insert(session, asked);
        }
    }

    /// Believes nothing about anybody.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_believed_for_a_second() {
        let (sessions, id, now) = (LiveSessions::default(), Uuid::now_v7(), Instant::now());
        assert!(!sessions.is_live(id, now));
        sessions.remember(id, now);
        assert!(sessions.is_live(id, now + Duration::from_millis(999)));
        assert!(!sessions.is_live(id, now + BELIEVED_FOR));
        sessions.forget_all();
        assert!(!sessions.is_live(id, now));
    }

    #[test]
    fn the_memory_is_bounded() {
        let (sessions, now) = (LiveSessions::default(), Instant::now());
        for _ in 0..2 * SESSIONS_MAX {
            sessions.remember(Uuid::now_v7(), now);
        }
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
        let newcomer = Uuid::now_v7();
        sessions.remember(newcomer, now + BELIEVED_FOR);
        assert!(sessions.is_live(newcomer, now + BELIEVED_FOR));
    }
}
