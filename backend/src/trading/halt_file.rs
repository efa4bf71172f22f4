//! The halt file: while it exists, nothing new is placed in any account. It needs no login and no database, so it works while
//! everything else is broken, and it survives a restart because it lies there.

use super::gate::Gate;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the file is looked for.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Most of the file that is read for the reason in it.
const REASON_BYTES_MAX: u64 = 400;
/// The reason where the file gives none.
const NO_REASON: &str = "the halt file is there";
/// The reason where nobody can say whether the file is there.
const UNREADABLE: &str = "the halt file cannot be looked for";

/// The file, and what it closes.
pub(super) struct HaltFile {
    pub(super) path: PathBuf,
    pub(super) gate: Gate,
}

impl HaltFile {
    /// Looks once.
    pub(super) fn look(&self) {
        let reason = reason_in(&self.path);
        let halted = reason.is_some();
        if self.gate.set_everywhere(reason) {
            let file = self.path.display();
            if halted {
                let reason = self.gate.halt_everywhere();
                tracing::warn!(%file, reason, "trading is halted in all accounts by the halt file");
            } else {
                tracing::warn!(%file, "the halt file is gone; accounts trade again unless halted by themselves");
            }
        }
    }

    /// Looks until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            self.look();
        }
    }
}

/// Why trading is halted; nothing exactly when the file is certainly not there.
fn reason_in(path: &Path) -> Option<String> {
    match path.metadata() {
        Ok(found) if found.is_file() => Some(first_line(path).unwrap_or_else(|| NO_REASON.to_owned())),
        Ok(_) => Some(NO_REASON.to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(format!("{UNREADABLE}: {error}")),
    }
}

fn first_line(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(REASON_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line: String = text.lines().next()?.chars().filter(|character| !character.is_control()).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use domain::AccountId;

    #[test]
    fn everything_is_halted_while_the_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = HaltFile { path: folder.path().join("halt"), gate: Gate::default() };
        let account = AccountId::generate();
        file.look();
        assert!(file.gate.check(account).is_ok());
        std::fs::write(&file.path, "on a journey\nand more").unwrap();
        file.look();
        assert_eq!(file.gate.check(account).unwrap_err().code(), ErrorCode::TradingHalted);
        assert_eq!(file.gate.halt_everywhere().as_deref(), Some("on a journey"));
        std::fs::remove_file(&file.path).unwrap();
        file.look();
        assert!(file.gate.check(account).is_ok());
    }

    #[test]
    fn an_empty_file_and_a_folder_halt_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("halt");
        std::fs::write(&path, [0xff, 0x00, b'\n']).unwrap();
        assert!(reason_in(&path).is_some());
        assert_eq!(reason_in(folder.path()).as_deref(), Some(NO_REASON));
        assert_eq!(reason_in(&folder.path().join("elsewhere").join("halt")), None);
    }

    #[test]
    fn a_file_that_nobody_can_look_for_halts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(reason_in(&file.join("halt")).is_some_and(|reason| reason.starts_with(UNREADABLE)));
    }
}
