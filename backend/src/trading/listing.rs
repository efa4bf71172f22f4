//! Lists of orders: which, in what order, and where a page ends. Pure, save for the files below it.
//!
//! Orders are listed newest first, by the moment of their commit and then by id, so that a cursor names one place for
//! ever: orders that arrive meanwhile come before it, and orders of one moment do not change places.
//!
//! A page is put together from lanes: runs of one index, one per account and, where the filter names them, per way of
//! ending. What no index answers (side, type, words) is looked for along the lane, in steps of at most [`SCANNED_MAX`]
//! orders. A page takes steps until it is full, or the list ends, or it has taken [`STEPS_MAX`]: then, and only then, it
//! has fewer orders than asked for, perhaps none, and is still not the last; it says so, and how far it has looked.

mod parameters;
mod routes;
mod service;

pub(super) use routes::routes;

use super::order::Order;
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderId, OrderStatus, OrderType, Side, Symbol};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use uuid::Uuid;

/// Orders that one step looks at.
const SCANNED_MAX: i64 = 10_000;
/// Steps of a page.
const STEPS_MAX: usize = 10;
/// Orders that each lane may look at, however many there are.
const SCANNED_PER_LANE_MIN: i64 = 500;

/// A place in a list: right behind the order that was committed then and has this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) at: DateTime<Utc>,
    pub(super) id: OrderId,
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a cursor of this list")]
pub(super) struct PlaceError;

impl Place {
    /// Before every order.
    fn start() -> Self {
        Self { at: DateTime::<Utc>::MAX_UTC, id: OrderId(Uuid::max()) }
    }

    /// Behind every order of this moment and later.
    fn before(at: DateTime<Utc>) -> Self {
        Self { at, id: OrderId(Uuid::nil()) }
    }

    fn of(order: &Order) -> Self {
        Self { at: order.created_at, id: order.id }
    }

    /// The place as the database compares it: its times end with the year 9999.
    pub(super) fn bound(self) -> (DateTime<Utc>, Uuid) {
        const LAST_SECOND: i64 = 253_402_300_799;
        let last = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or(self.at);
        (self.at.min(last), self.id.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}", self.at.timestamp_micros(), self.id)
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (micros, id) = text.split_once('_').ok_or(PlaceError)?;
        let micros: i64 = micros.parse().map_err(|_| PlaceError)?;
        let at = DateTime::from_timestamp_micros(micros).ok_or(PlaceError)?;
        Ok(Self { at, id: id.parse().map_err(|_| PlaceError)? })
    }
}

/// Which orders are listed. What is `None` is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OrderFilter {
    /// Of which accounts.
    pub(super) accounts: Vec<AccountId>,
    /// Standing at one of these.
    pub(super) statuses: Option<BTreeSet<&'static str>>,
    /// Of this symbol.
    pub(super) symbol: Option<Symbol>,
    /// On this side.
    pub(super) side: Option<Side>,
    /// Of this type.
    pub(super) order_type: Option<OrderType>,
    /// Committed at this moment or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Committed before this moment.
    pub(super) to: Option<DateTime<Utc>>,
    /// With these words in the symbol, the client order id or the reason, whatever their case.
    pub(super) text: Option<String>,
}

/// The statuses of a list with the words by which the lanes know them.
fn names(is_wanted: impl Fn(OrderStatus) -> bool) -> BTreeSet<&'static str> {
    OrderStatus::ALL.into_iter().filter(|status| is_wanted(*status)).map(OrderStatus::name).collect()
}

impl OrderFilter {
    /// The wanted statuses of orders that have ended.
    fn ended(&self) -> BTreeSet<&'static str> {
        let ended = names(OrderStatus::is_terminal);
        self.statuses.as_ref().map_or(ended.clone(), |wanted| &ended & wanted)
    }

    fn wants_open(&self) -> bool {
        let open = names(|status| !status.is_terminal());
        self.statuses.as_ref().is_none_or(|wanted| !open.is_disjoint(wanted))
    }

    /// The runs of indexes that together hold everything that is asked for.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        let open = self.wants_open().then_some(Lane::Open);
        let ended = self.ended();
        let rest = match self.symbol {
            Some(_) if ended.is_empty() => None,
            Some(_) => Some(Lane::EndedOfSymbol),
            None if self.statuses.is_none() => return vec![Lane::Everything],
            None if ended.is_empty() => None,
            None => Some(Lane::Ended),
        };
        open.into_iter().chain(rest).collect()
    }

    /// Whether a lane holds orders that are not asked for, so that it must be searched.
    pub(super) fn searches(&self, lane: Lane) -> bool {
        let of_one_kind = self.side.is_some() || self.order_type.is_some() || self.text.is_some();
        let by_status = self.ended().len() < names(OrderStatus::is_terminal).len();
        match lane {
            // They are few, and all of them are read.
            Lane::Open => false,
            Lane::Everything | Lane::Ended => of_one_kind,
            Lane::EndedOfSymbol => of_one_kind || by_status,
        }
    }

    /// Of how many runs a lane consists.
    pub(super) fn runs(&self, lane: Lane) -> usize {
        match lane {
            Lane::Ended => self.accounts.len() * self.ended().len(),
            Lane::Everything | Lane::EndedOfSymbol | Lane::Open => self.accounts.len(),
        }
    }

    /// Orders that one run of a lane may look at for a page of so many.
    pub(super) fn scanned_max(&self, lane: Lane, orders_max: i64) -> i64 {
        if !self.searches(lane) {
            return orders_max;
        }
        let runs = i64::try_from(self.runs(lane)).unwrap_or(i64::MAX).max(1);
        (SCANNED_MAX / runs).max(SCANNED_PER_LANE_MIN).max(orders_max)
    }

    /// Where a page behind `after` begins.
    pub(super) fn first_place(&self, after: Option<Place>) -> Place {
        let from_time = self.to.map_or_else(Place::start, Place::before);
        after.map_or(from_time, |after| after.min(from_time))
    }

    /// The wanted statuses by their stored names.
    pub(super) fn status_names(&self) -> Option<Vec<String>> {
        self.statuses.as_ref().map(|wanted| wanted.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The wanted ways of ending, for the lanes that know them.
    pub(super) fn ended_as(&self) -> Vec<String> {
        self.ended().into_iter().map(str::to_owned).collect()
    }
}

/// A kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// All orders of an account.
    Everything,
    /// Those of an account that may still move. Always read to the end.
    Open,
    /// Those of an account that ended in one way.
    Ended,
    /// Those of an account in one symbol that have ended.
    EndedOfSymbol,
}

/// What was read of one lane.
pub(super) struct LaneRead {
    /// The newest orders asked for, newest first.
    pub(super) orders: Vec<Order>,
    /// Where the search stopped before its end, in the run that got least far; nothing is known behind it.
    pub(super) searched_to: Option<Place>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct OrderPage {
    /// Newest first.
    pub(super) orders: Vec<Order>,
    /// Where the next page begins; `None` on the last one.
    pub(super) next: Option<Place>,
    /// Whether the search stopped at its limit before the page was full.
    pub(super) is_cut_short: bool,
}

/// Puts a page together. Each lane was asked for one order more than the page may have.
pub(super) fn merge(lanes: Vec<LaneRead>, orders_max: usize) -> OrderPage {
    let searched_to = lanes.iter().filter_map(|lane| lane.searched_to).max();
    let mut orders: Vec<Order> = lanes.into_iter().flat_map(|lane| lane.orders).collect();
    orders.sort_by_key(|order| std::cmp::Reverse(Place::of(order)));
    if let Some(searched_to) = searched_to {
        orders.retain(|order| Place::of(order) >= searched_to);
    }
    let more = orders.len() > orders_max;
    orders.truncate(orders_max);
    let next = if more { orders.last().map(Place::of) } else { searched_to };
    OrderPage { orders, next, is_cut_short: !more && searched_to.is_some() }
}

impl OrderPage {
    /// Before the first step.
    fn begin(after: Option<Place>) -> Self {
        Self { orders: Vec::new(), next: after, is_cut_short: true }
    }

    /// How many orders it lacks, if a further step can find any.
    fn lacks(&self, orders_max: usize) -> Option<usize> {
        self.is_cut_short.then(|| orders_max.saturating_sub(self.orders.len()))
    }

    /// Adds what the next step has found for a page of so many.
    fn add(&mut self, step: Self, orders_max: usize) {
        self.orders.extend(step.orders);
        self.next = step.next;
        self.is_cut_short = step.is_cut_short && self.orders.len() < orders_max;
    }
}

#[cfg(test)]
mod tests;
