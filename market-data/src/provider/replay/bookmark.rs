//! Where the replay is, kept in a small file: a server that is started again goes on from there, and no price that was
//! seen comes a second time.
//!
//! The file is always a little ahead of the play, so a kill at any moment loses nothing that was played; what it costs
//! is at most [`AHEAD`] of recorded time that nobody sees.

use super::Pace;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How far the file may be ahead of the play.
const AHEAD: Duration = Duration::from_secs(1);
/// Parts into which a recorded day is divided for the file.
const DAY_PARTS: u32 = 1_000_000;
/// Longest file that can be one of ours, in bytes.
const FILE_SIZE_MAX: u64 = 4_096;

/// What the file says. The place is counted in recorded days, so that it stays the same when the pace changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Place {
    /// The record and the day its play began with: a place in another one means nothing.
    record: String,
    /// Days completed since then.
    session: u64,
    /// Millionths of the day after them.
    day_part_millionths: u32,
}

/// The file.
pub(super) struct Bookmark {
    path: PathBuf,
    record: String,
    pace: Pace,
    /// Time of play that the file says.
    marked: Mutex<Duration>,
}

/// Where a play goes on.
pub(super) struct Resumed {
    /// The file to keep.
    pub(super) bookmark: Bookmark,
    /// Time of play before this start.
    pub(super) played: Duration,
    /// Why the play begins anew although there was a file.
    pub(super) note: Option<String>,
}

impl Bookmark {
    /// Opens the file and reads how far the play of this record has come.
    ///
    /// # Errors
    /// When the file can be neither read nor written: a play that cannot be kept should be noticed at its start.
    pub(super) fn open(path: &Path, record: String, pace: Pace) -> io::Result<Resumed> {
        let (played, note) = match read(path) {
            Ok(None) => (Duration::ZERO, None),
            Ok(Some(place)) if place.record == record => (pace.time_of(&place), None),
            Ok(Some(_)) => (Duration::ZERO, Some("the record or its start has changed".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                (Duration::ZERO, Some(format!("{} cannot be understood", path.display())))
            }
            Err(error) => return Err(error),
        };
        let bookmark = Self { path: path.to_owned(), record, pace, marked: Mutex::new(played) };
        write(&bookmark.path, &bookmark.text(played)?)?;
        Ok(Resumed { bookmark, played, note })
    }

    /// Makes sure that the file is not behind this time of play. Called before anything of that time is told.
    /// A play that runs faster is kept as often, and so further ahead.
    pub(super) async fn reach(&self, played: Duration, speed_percent: u32) {
        if played >= *self.marked() {
            self.mark(played.saturating_add(AHEAD.saturating_mul(speed_percent.max(100)) / 100)).await;
        }
    }

    /// The play was set to this time.
    pub(super) async fn set(&self, played: Duration) {
        self.mark(played).await;
    }

    async fn mark(&self, mark: Duration) {
        match self.text(mark) {
            Ok(text) => {
                let path = self.path.clone();
                let written = tokio::task::spawn_blocking(move || write(&path, &text)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, path = %self.path.display(), "the place of the replay cannot be kept");
                }
            }
            Err(error) => tracing::warn!(%error, "the place of the replay cannot be kept"),
        }
        // Also after a failure: the next try is a while away, and the play does not wait.
        *self.marked() = mark;
    }

    fn marked(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, played: Duration) -> io::Result<String> {
        let (session, day_part_millionths) = self.pace.place_of(played);
        let place = Place { record: self.record.clone(), session, day_part_millionths };
        Ok(format!("{}\n", serde_json::to_string(&place)?))
    }
}

impl Pace {
    /// Completed days and the part of the running one, rounded up: the file must not be behind the play.
    fn place_of(self, played: Duration) -> (u64, u32) {
        let (played, day) = (played.as_micros(), self.session.as_micros().max(1));
        let part = (played % day).saturating_mul(u128::from(DAY_PARTS)).div_ceil(day);
        (u64::try_from(played / day).unwrap_or(u64::MAX), u32::try_from(part).unwrap_or(DAY_PARTS))
    }

    fn time_of(self, place: &Place) -> Duration {
        let day = self.session.as_micros();
        let part = u128::from(place.day_part_millionths.min(DAY_PARTS));
        let within = day.saturating_mul(part).div_ceil(u128::from(DAY_PARTS));
        let micros = day.saturating_mul(u128::from(place.session)).saturating_add(within);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

fn read(path: &Path) -> io::Result<Option<Place>> {
    let size = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?.len(),
    };
    let invalid = |error: serde_json::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    if size > FILE_SIZE_MAX {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    serde_json::from_str(&std::fs::read_to_string(path)?).map(Some).map_err(invalid)
}

/// The file is replaced whole, so that a kill in the middle leaves the one before.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ReplaySettings;

    fn pace(session_seconds: u64) -> Pace {
        Pace::new(&ReplaySettings {
            folder: None,
            session: Duration::from_secs(session_seconds),
            ticks_per_session: 120,
            start: None,
            state: None,
        })
    }

    fn open(path: &Path, session_seconds: u64) -> Resumed {
        Bookmark::open(path, "US from 2006".to_owned(), pace(session_seconds)).unwrap()
    }

    #[tokio::test]
    async fn the_file_is_never_behind_the_play_and_at_most_a_second_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replay.json");
        let first = open(&path, 60);
        assert_eq!(first.played, Duration::ZERO);
        for millis in (0..200_000).step_by(370) {
            let played = Duration::from_millis(millis);
            first.bookmark.reach(played, 100).await;
            let again = open(&path, 60).played;
            assert!(again >= played, "{again:?} is behind {played:?}");
            assert!(
                again <= played + AHEAD + Duration::from_millis(1),
                "{again:?} is far ahead of {played:?}"
            );
        }
    }

    #[tokio::test]
    async fn another_pace_goes_on_at_the_same_place_of_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replay.json");
        open(&path, 60).bookmark.reach(Duration::from_secs(149), 100).await;
        assert_eq!(open(&path, 600).played, Duration::from_secs(1_500), "two and a half days");
    }

    #[test]
    fn another_record_and_a_file_of_somebody_else_begin_anew_and_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replay.json");
        for text in
            [r#"{"record":"other","session":9,"dayPartMillionths":1}"#, "", "{", "[]", &"x".repeat(5_000)]
        {
            std::fs::write(&path, text).unwrap();
            let resumed = open(&path, 60);
            assert_eq!(resumed.played, Duration::ZERO);
            assert!(resumed.note.is_some(), "{text:.20}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_kept_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("missing").join("replay.json");
        assert!(Bookmark::open(&nowhere, "x".to_owned(), pace(60)).is_err());
    }
}
