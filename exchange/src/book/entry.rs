//! Orders as a book stores them: tens of thousands may rest, most of them plain, so what is rare lies apart.

use super::order::{BookOrder, Patience, Pricing, Trigger};
use crate::simulation::Course;
use chrono::{DateTime, Utc};
use domain::{OrderId, Price, Quantity, Side};

/// An order of the book, and whether it has met a price.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    sequence: i64,
    rare: Option<Box<Rare>>,
    quantity: Quantity,
    /// The limit, or the protection.
    worst: Price,
    expires_at: Option<DateTime<Utc>>,
    side: Side,
    has_limit: bool,
    joins_evening: bool,
    /// A limit order that has met a price rests in the queue at its limit.
    pub(super) has_met: bool,
}

/// What an order that simply rests does not have.
#[derive(Debug, Clone)]
struct Rare {
    trigger: Option<Trigger>,
    patience: Patience,
    course: Option<Course>,
}

impl Entry {
    /// Packs an order; its id is kept by whoever keeps the entry.
    pub(super) fn new(order: &BookOrder, has_met: bool) -> Self {
        let BookOrder {
            sequence, quantity, expires_at, side, trigger, patience, course, joins_evening, ..
        } = *order;
        let is_plain = trigger.is_none() && patience == Patience::Rests && course.is_none();
        let (worst, has_limit) = match order.pricing {
            Pricing::Limit { limit } => (limit, true),
            Pricing::Market { protection } => (protection, false),
        };
        let rare = (!is_plain).then(|| Box::new(Rare { trigger, patience, course }));
        Self { sequence, rare, quantity, worst, expires_at, side, has_limit, joins_evening, has_met }
    }

    /// The order again.
    pub(super) fn order(&self, id: OrderId) -> BookOrder {
        let pricing = if self.has_limit {
            Pricing::Limit { limit: self.worst }
        } else {
            Pricing::Market { protection: self.worst }
        };
        BookOrder {
            id,
            side: self.side,
            pricing,
            trigger: self.rare.as_ref().and_then(|rare| rare.trigger),
            patience: self.rare.as_ref().map_or(Patience::Rests, |rare| rare.patience),
            quantity: self.quantity,
            sequence: self.sequence,
            expires_at: self.expires_at,
            course: self.course(),
            joins_evening: self.joins_evening,
        }
    }

    pub(super) const fn sequence(&self) -> i64 {
        self.sequence
    }

    pub(super) const fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    pub(super) fn course(&self) -> Option<Course> {
        self.rare.as_ref().and_then(|rare| rare.course)
    }

    /// What it waits for, to be moved along.
    pub(super) fn trigger_mut(&mut self) -> Option<&mut Trigger> {
        self.rare.as_mut().and_then(|rare| rare.trigger.as_mut())
    }

    pub(super) const fn side(&self) -> Side {
        self.side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resting_order_takes_no_more_room_than_a_cache_line() {
        assert_eq!(size_of::<Entry>(), 64);
    }
}
