//! The clock of the play: it can stand still, run faster or slower, and be set.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tokio::time::Instant;

/// Slowest and fastest play, in percent of the configured pace.
pub const SPEED_PERCENT_MIN: u32 = 1;
/// See [`SPEED_PERCENT_MIN`].
pub const SPEED_PERCENT_MAX: u32 = 10_000;

/// Time of play as a function of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Since when it runs as it does.
    anchor: Instant,
    /// The same by the wall.
    anchor_at: DateTime<Utc>,
    /// Time of play then.
    played: Duration,
    /// No price is older: after the clock was set, what is played is of now.
    floor_at: DateTime<Utc>,
    speed_percent: u32,
    paused: bool,
}

impl Clock {
    /// Begins with so much time played before.
    pub(super) fn new(played: Duration, now: Instant, wall: DateTime<Utc>) -> Self {
        let before = TimeDelta::from_std(played).unwrap_or_default();
        let floor_at = wall.checked_sub_signed(before).unwrap_or(wall);
        Self { anchor: now, anchor_at: wall, played, floor_at, speed_percent: 100, paused: false }
    }

    /// Time of play at a moment.
    pub(super) fn played(&self, now: Instant) -> Duration {
        if self.paused {
            return self.played;
        }
        let run = now.saturating_duration_since(self.anchor);
        self.played.saturating_add(run.saturating_mul(self.speed_percent) / 100)
    }

    /// When a time of play comes; `None` while the play stands still.
    pub(super) fn moment(&self, played: Duration) -> Option<Instant> {
        (!self.paused).then(|| self.anchor + self.wall_time(played.saturating_sub(self.played)))
    }

    /// When a time of play was, or will be, by the wall.
    pub(super) fn at(&self, played: Duration) -> DateTime<Utc> {
        let (apart, ahead) = match played.checked_sub(self.played) {
            Some(ahead) => (ahead, true),
            None => (self.played.saturating_sub(played), false),
        };
        let apart = TimeDelta::from_std(self.wall_time(apart)).unwrap_or_default();
        let at = if ahead {
            self.anchor_at.checked_add_signed(apart)
        } else {
            self.anchor_at.checked_sub_signed(apart)
        };
        at.unwrap_or(self.anchor_at).max(self.floor_at)
    }

    fn wall_time(&self, play: Duration) -> Duration {
        play.saturating_mul(100) / self.speed_percent.max(1)
    }

    /// Goes on from here in another way.
    fn anew(&mut self, now: Instant, wall: DateTime<Utc>) {
        (self.played, self.anchor, self.anchor_at) = (self.played(now), now, wall);
    }

    pub(super) fn pause(&mut self, now: Instant, wall: DateTime<Utc>) {
        self.anew(now, wall);
        self.paused = true;
    }

    pub(super) fn resume(&mut self, now: Instant, wall: DateTime<Utc>) {
        self.anew(now, wall);
        self.paused = false;
    }

    pub(super) fn set_speed(&mut self, percent: u32, now: Instant, wall: DateTime<Utc>) {
        self.anew(now, wall);
        self.speed_percent = percent.clamp(SPEED_PERCENT_MIN, SPEED_PERCENT_MAX);
    }

    pub(super) fn seek(&mut self, played: Duration, now: Instant, wall: DateTime<Utc>) {
        self.anew(now, wall);
        (self.played, self.floor_at) = (played, wall);
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) const fn speed_percent(&self) -> u32 {
        self.speed_percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_stands_runs_and_is_set() {
        let (start, wall) = (Instant::now(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let later = |seconds: u32| (start + SECOND * seconds, wall + TimeDelta::seconds(i64::from(seconds)));
        let mut clock = Clock::new(SECOND * 100, start, wall);
        assert_eq!(clock.played(later(10).0), SECOND * 110);
        assert_eq!(clock.at(SECOND * 90), wall - TimeDelta::seconds(10));
        assert_eq!(clock.moment(SECOND * 110), Some(later(10).0));

        clock.pause(later(10).0, later(10).1);
        assert_eq!(clock.played(later(500).0), SECOND * 110);
        assert_eq!(clock.moment(SECOND * 111), None);
        clock.resume(later(20).0, later(20).1);
        clock.set_speed(1_000, later(20).0, later(20).1);
        assert_eq!(clock.played(later(22).0), SECOND * 130, "ten times as fast");
        assert_eq!(clock.at(SECOND * 130), later(22).1);

        clock.seek(SECOND * 5, later(22).0, later(22).1);
        assert_eq!(clock.played(later(22).0), SECOND * 5);
        assert_eq!(clock.at(SECOND * 4), later(22).1, "what is played now is of now, wherever it lies");
        assert_eq!(clock.at(SECOND * 15), later(23).1);
    }
}
