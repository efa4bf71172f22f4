//! Where the orders of a book wait, so that a price costs only what it reaches.

use super::order::{BookOrder, Patience, Pricing, Trigger};
use chrono::{DateTime, Utc};
use domain::{OrderId, Price, Side};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Every order stands in one of these, and is counted in `expiries` where it has an end.
#[derive(Debug, Clone, Default)]
pub(super) struct Queues {
    /// Those that wait for their first price, in the order of their arrival.
    arriving: BTreeMap<i64, OrderId>,
    /// Best first: the highest limit, then the earliest.
    buys: BTreeMap<(Reverse<Price>, i64), OrderId>,
    /// Best first: the lowest limit, then the earliest.
    sells: BTreeMap<(Price, i64), OrderId>,
    /// Those that wake up when the market rises: the lowest stop first.
    stop_buys: BTreeMap<(Price, i64), OrderId>,
    /// Those that wake up when the market falls: the highest stop first.
    stop_sells: BTreeMap<(Reverse<Price>, i64), OrderId>,
    /// Those whose stop moves with the market.
    trailing: BTreeMap<i64, OrderId>,
    /// Soonest first.
    auctions: BTreeSet<(DateTime<Utc>, i64, OrderId)>,
    /// How many orders end at an instant: most of a session's end together, so that only instants cost room.
    expiries: BTreeMap<DateTime<Utc>, usize>,
}

impl Queues {
    pub(super) fn insert(&mut self, order: &BookOrder, has_met: bool) {
        let BookOrder { id, sequence, side, .. } = *order;
        match (order.trigger, order.patience, order.pricing, side) {
            (Some(Trigger::Trailing { .. }), ..) => {
                self.trailing.insert(sequence, id);
            }
            (Some(Trigger::Stop(stop)), _, _, Side::Buy) => {
                self.stop_buys.insert((stop, sequence), id);
            }
            (Some(Trigger::Stop(stop)), _, _, Side::Sell) => {
                self.stop_sells.insert((Reverse(stop), sequence), id);
            }
            (None, Patience::Auction { at, .. }, ..) => {
                self.auctions.insert((at, sequence, id));
            }
            (None, Patience::Rests, Pricing::Limit { limit }, Side::Buy) if has_met => {
                self.buys.insert((Reverse(limit), sequence), id);
            }
            (None, Patience::Rests, Pricing::Limit { limit }, Side::Sell) if has_met => {
                self.sells.insert((limit, sequence), id);
            }
            (None, Patience::Rests | Patience::AtOnce, ..) => {
                self.arriving.insert(sequence, id);
            }
        }
        if let Some(at) = order.expires_at {
            *self.expiries.entry(at).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, order: &BookOrder) {
        let BookOrder { id, sequence, side, .. } = *order;
        match (order.trigger, order.pricing, side) {
            (Some(Trigger::Trailing { .. }), ..) => {
                self.trailing.remove(&sequence);
            }
            (Some(Trigger::Stop(stop)), _, Side::Buy) => {
                self.stop_buys.remove(&(stop, sequence));
            }
            (Some(Trigger::Stop(stop)), _, Side::Sell) => {
                self.stop_sells.remove(&(Reverse(stop), sequence));
            }
            (None, Pricing::Limit { limit }, Side::Buy) => {
                self.buys.remove(&(Reverse(limit), sequence));
            }
            (None, Pricing::Limit { limit }, Side::Sell) => {
                self.sells.remove(&(limit, sequence));
            }
            (None, Pricing::Market { .. }, _) => {}
        }
        self.arriving.remove(&sequence);
        if let Patience::Auction { at, .. } = order.patience {
            self.auctions.remove(&(at, sequence, id));
        }
        if let Some(at) = order.expires_at {
            self.expire_one(at);
        }
    }

    pub(super) fn arriving(&self) -> Vec<OrderId> {
        self.arriving.values().copied().collect()
    }

    /// Resting limit orders that these touches reach, best first.
    pub(super) fn reached(&self, ask: Price, bid: Price) -> (Vec<OrderId>, Vec<OrderId>) {
        let buys = self.buys.iter().take_while(|((limit, _), _)| limit.0 >= ask).map(|(_, id)| *id);
        let sells = self.sells.iter().take_while(|((limit, _), _)| *limit <= bid).map(|(_, id)| *id);
        (buys.collect(), sells.collect())
    }

    /// Stops that the last price reaches, those nearest to the market first.
    pub(super) fn awakened(&self, last: Price) -> Vec<OrderId> {
        let buys = self.stop_buys.iter().take_while(|((stop, _), _)| *stop <= last).map(|(_, id)| *id);
        let sells = self.stop_sells.iter().take_while(|((stop, _), _)| stop.0 >= last).map(|(_, id)| *id);
        buys.chain(sells).collect()
    }

    pub(super) fn trailing(&self) -> Vec<OrderId> {
        self.trailing.values().copied().collect()
    }

    /// Orders whose auction was at this instant or before.
    pub(super) fn auctioned(&self, now: DateTime<Utc>) -> Vec<OrderId> {
        self.auctions.iter().take_while(|(at, ..)| *at <= now).map(|(_, _, id)| *id).collect()
    }

    fn expire_one(&mut self, at: DateTime<Utc>) {
        if let Some(count) = self.expiries.get_mut(&at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.expiries.remove(&at);
            }
        }
    }

    /// When the next order ends by itself.
    pub(super) fn next_expiry(&self) -> Option<DateTime<Utc>> {
        self.expiries.first_key_value().map(|(at, _)| *at)
    }
}
