//! The way of reports from the venue: it loses, repeats and reorders them, and looks healthy all the while.

use crate::chance::Chance;
use crate::venue::Event;

/// Reports under way.
#[derive(Debug, Default)]
pub struct Stream {
    under_way: Vec<Event>,
    /// One in so many is lost; none with 0.
    pub lost_one_in: usize,
    /// One in so many comes three times; none with 0.
    pub tripled_one_in: usize,
    /// Whether they come in any order.
    pub shuffled: bool,
}

impl Stream {
    /// A stream that does this to reports.
    #[must_use]
    pub fn new(lost_one_in: usize, tripled_one_in: usize, shuffled: bool) -> Self {
        Self { under_way: Vec::new(), lost_one_in, tripled_one_in, shuffled }
    }

    /// Takes what the venue says.
    pub fn send(&mut self, events: Vec<Event>) {
        self.under_way.extend(events);
    }

    /// Whether nothing is under way.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// What arrives next, at most so many of those under way.
    pub fn receive(&mut self, chance: &mut Chance, events_max: usize) -> Vec<Event> {
        if self.shuffled {
            chance.shuffle(&mut self.under_way);
        }
        let count = events_max.min(self.under_way.len());
        let mut arrived = Vec::new();
        for event in self.under_way.drain(..count) {
            if self.lost_one_in > 0 && chance.one_in(self.lost_one_in) {
                continue;
            }
            if self.tripled_one_in > 0 && chance.one_in(self.tripled_one_in) {
                arrived.extend([event.clone(), event.clone()]);
            }
            arrived.push(event);
        }
        if self.shuffled {
            chance.shuffle(&mut arrived);
        }
        arrived
    }
}
