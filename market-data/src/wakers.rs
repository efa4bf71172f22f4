//! Readers that have something to read, and when each of them is woken.
//!
//! A write costs the same for one message as for ten, and with thousands of readers it is writes that fill the machine. So each
//! of thousands is woken at most once in a while that grows with their number; each at its own moment, so that nobody waits
//! for a round of all the others. With up to [`READERS_AT_ONCE_MAX`] readers everybody is woken at once.

use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// Up to so many connected readers nobody waits.
const READERS_AT_ONCE_MAX: usize = 1_000;
/// Time between two writes to a reader for each of the readers beyond those, which is about what a write costs.
const PACE_PER_READER: Duration = Duration::from_micros(10);
/// Longest time between two writes to a reader that has something to read.
const PACE_MAX: Duration = Duration::from_millis(40);
/// Readers whose time comes within so long are woken together.
const SLOT: Duration = Duration::from_millis(1);
/// More slots than the longest time has.
const SLOTS: usize = 64;

/// How long after a write to it a reader is written to again, when so many are connected.
pub(crate) fn pace_of(readers: usize) -> Duration {
    let beyond = u32::try_from(readers.saturating_sub(READERS_AT_ONCE_MAX)).unwrap_or(u32::MAX);
    PACE_PER_READER.saturating_mul(beyond).min(PACE_MAX)
}

/// Readers that are to be woken when everything is in place, and those whose time has not come.
#[derive(Default)]
pub(crate) struct Wakers {
    ready: Vec<Waker>,
    paced: Option<Paced>,
}

impl Wakers {
    /// Readers are woken at most once in the time that is set with [`Wakers::begin`]; their owner asks when the next one is due.
    pub(crate) fn paced(now: Instant) -> Self {
        Self { ready: Vec::new(), paced: Some(Paced::new(now)) }
    }

    /// Sets the time now and the time between two writes to one reader.
    pub(crate) fn begin(&mut self, now: Instant, pace: Duration) {
        if let Some(paced) = &mut self.paced {
            (paced.now, paced.pace) = (now, pace);
        }
    }

    /// A reader that took what it had at a moment has something to read again.
    pub(crate) fn add(&mut self, reader: Waker, taken_at: Option<Instant>) {
        match &mut self.paced {
            Some(paced) if !paced.pace.is_zero() => {
                let due = taken_at.map(|taken_at| taken_at + paced.pace).filter(|due| *due > paced.now);
                match due {
                    Some(due) => paced.put_off(reader, due),
                    None => self.ready.push(reader),
                }
            }
            _ => self.ready.push(reader),
        }
    }

    /// When the next reader that was put off is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.paced.as_ref().and_then(Paced::next_due)
    }

    /// Wakes everybody whose time has come.
    pub(crate) fn wake(&mut self) {
        if let Some(paced) = &mut self.paced {
            paced.take_due(&mut self.ready);
        }
        self.ready.drain(..).for_each(Waker::wake);
    }
}

/// Readers who wait for their time, in a ring of slots.
struct Paced {
    began: Instant,
    now: Instant,
    pace: Duration,
    /// The first slot that was not emptied yet, counted from the beginning.
    next: usize,
    slots: Vec<Vec<Waker>>,
}

impl Paced {
    fn new(now: Instant) -> Self {
        let slots = std::iter::repeat_with(Vec::new).take(SLOTS).collect();
        Self { began: now, now, pace: Duration::ZERO, next: 0, slots }
    }

    /// The slot of a moment, counted from the beginning.
    fn slot(&self, at: Instant) -> usize {
        usize::try_from(at.duration_since(self.began).as_millis() / SLOT.as_millis()).unwrap_or(usize::MAX)
    }

    fn put_off(&mut self, reader: Waker, due: Instant) {
        // A slot is emptied when it has begun: what is due within it would be early.
        let slot = (self.slot(due) + 1).clamp(self.next, self.next + SLOTS - 1);
        if let Some(readers) = self.slots.get_mut(slot % SLOTS) {
            readers.push(reader);
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let waiting = |slot: &usize| self.slots.get(slot % SLOTS).is_some_and(|readers| !readers.is_empty());
        let slot = (self.next..self.next + SLOTS).find(waiting)?;
        Some(self.began + SLOT.saturating_mul(u32::try_from(slot).unwrap_or(u32::MAX)))
    }

    fn take_due(&mut self, ready: &mut Vec<Waker>) {
        let current = self.slot(self.now);
        for slot in (self.next..=current).take(SLOTS) {
            if let Some(readers) = self.slots.get_mut(slot % SLOTS) {
                ready.append(readers);
            }
        }
        self.next = self.next.max(current + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    const PACE: Duration = Duration::from_millis(40);

    #[derive(Default)]
    struct Reader(AtomicUsize);

    impl Wake for Reader {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn reader() -> (Arc<Reader>, Waker) {
        let reader = Arc::new(Reader::default());
        (Arc::clone(&reader), Waker::from(reader))
    }

    fn woken(reader: &Reader) -> usize {
        reader.0.load(Ordering::Relaxed)
    }

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn few_readers_never_wait_and_thousands_a_while_that_has_an_end() {
        assert_eq!(pace_of(0), Duration::ZERO);
        assert_eq!(pace_of(1_000), Duration::ZERO);
        assert_eq!(pace_of(3_000), Duration::from_millis(20));
        assert_eq!(pace_of(5_000), PACE_MAX);
        assert_eq!(pace_of(usize::MAX), PACE_MAX);
        assert!(PACE_MAX < SLOT * u32::try_from(SLOTS - 1).unwrap(), "the ring has a slot for each moment");
    }

    #[test]
    fn whoever_has_taken_something_just_now_is_woken_when_its_time_has_come_and_not_before() {
        let start = Instant::now();
        let mut wakers = Wakers::paced(start);
        let (early, early_waker) = reader();
        let (late, late_waker) = reader();
        wakers.begin(after(start, 10), PACE);
        wakers.add(early_waker, None);
        wakers.add(late_waker, Some(after(start, 5)));
        wakers.wake();
        assert_eq!((woken(&early), woken(&late)), (1, 0));
        let due = wakers.next_due().unwrap();
        assert!(after(start, 45) < due && due <= after(start, 47));
        wakers.begin(after(start, 44), PACE);
        wakers.wake();
        assert_eq!(woken(&late), 0);
        wakers.begin(due, PACE);
        wakers.wake();
        assert_eq!(woken(&late), 1);
        assert_eq!(wakers.next_due(), None);
    }

    #[test]
    fn nobody_is_forgotten_when_the_clock_jumps_or_the_pace_changes() {
        let start = Instant::now();
        let mut wakers = Wakers::paced(start);
        let readers: Vec<_> = (0..1_000_u64)
            .map(|number| {
                let (reader, waker) = reader();
                wakers.begin(after(start, number * 7), PACE * u32::try_from(number % 3).unwrap() / 2);
                wakers.add(waker, Some(after(start, (number * 7).saturating_sub(number % 5))));
                wakers.wake();
                reader
            })
            .collect();
        wakers.begin(after(start, 100_000), Duration::ZERO);
        wakers.wake();
        assert!(readers.iter().all(|reader| woken(reader) == 1));
        assert_eq!(wakers.next_due(), None);
    }

    #[test]
    fn without_a_pace_everybody_is_woken_at_once() {
        let mut wakers = Wakers::default();
        let (reader, waker) = reader();
        wakers.add(waker, Some(Instant::now()));
        wakers.wake();
        assert_eq!(woken(&reader), 1);
        assert_eq!(wakers.next_due(), None);
    }
}
