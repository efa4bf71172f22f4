//! Named places at which a program can be made to die, so that a test can kill it between any two of its steps.
//!
//! A place is armed by the environment variable [`VARIABLE`], as `name` or `name:N`: at the Nth passing of that place the
//! process aborts, with nothing flushed, closed or said to anybody, as if it were killed. One place of a process can be
//! armed. Programs that are built for release have no such places: [`pass`] is empty there, and the variable means nothing.

mod points;

pub use points::{Failpoint, Program};

/// The variable that arms a place.
pub const VARIABLE: &str = "GAEMI_FAILPOINT";

/// Passes a place; the process dies there if it is armed and its turn has come.
#[inline]
pub fn pass(point: Failpoint) {
    #[cfg(debug_assertions)]
    armed::pass(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

#[cfg(debug_assertions)]
mod armed {
    use super::{Failpoint, VARIABLE};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A place and how often it is passed until the end.
    struct Armed {
        point: Failpoint,
        passings_left: AtomicU64,
    }

    /// Read once, at the first place that is passed.
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    pub(super) fn read(text: &str) -> Option<(Failpoint, u64)> {
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let passing = passing.parse().ok().filter(|passing| *passing > 0)?;
        Some((Failpoint::from_name(name)?, passing))
    }

    fn from_environment() -> Option<Armed> {
        let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
        let read = read(&text);
        if read.is_none() {
            tracing::error!(value = text, "{VARIABLE} names no place of this program and its passing");
        }
        let (point, passing) = read?;
        Some(Armed { point, passings_left: AtomicU64::new(passing) })
    }

    pub(super) fn pass(point: Failpoint) {
        let armed = ARMED.get_or_init(from_environment).as_ref();
        let Some(armed) = armed.filter(|armed| armed.point == point) else { return };
        if armed.passings_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            tracing::error!(failpoint = point.name(), "the process kills itself");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_place_is_found_by_its_own_name() {
        let names: BTreeSet<&str> = Failpoint::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Failpoint::ALL.len());
        for point in Failpoint::ALL {
            assert_eq!(Failpoint::from_name(point.name()), Some(*point));
        }
        assert_eq!(Failpoint::from_name("nowhere"), None);
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_place_is_armed_for_its_first_passing_or_for_a_later_one() {
        let point = Failpoint::PlacementCommitted;
        assert_eq!(armed::read("placement.committed"), Some((point, 1)));
        assert_eq!(armed::read("placement.committed:7"), Some((point, 7)));
        for wrong in ["placement", "placement.committed:", "placement.committed:0", "placement.committed:-1"]
        {
            assert_eq!(armed::read(wrong), None, "{wrong}");
        }
    }
}
