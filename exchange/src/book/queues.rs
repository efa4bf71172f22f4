//! Where the orders of a book wait, so that a price costs only what it reaches.

use super::order::{BookOrder, Patience, Pricing, Trigger};
use chrono::{DateTime, Utc};
use domain::{OrderId, Price, Side};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Every order stands in one of these, and is counted in `expiries` where it has an end.
#[derive(Debug, Clone, Default)]
pub(super) struct Queues {
    /// Those that wait for their first price, in the order of their arrival.
    arriving: BTreeMap<i64, OrderId>,
    /// Best first: the highest limit, then the earliest.
    buys: BTreeMap<(Reverse<Price>, i64), OrderId>,
    /// Best first: the lowest limit, then the earliest.
    sells: BTreeMap<(Price, i64), OrderId>,
    /// As `buys`, of orders that share the market.
    lined_buys: BTreeMap<(Reverse<Price>, i64), OrderId>,
    /// As `sells`, of orders that share the market.
    lined_sells: BTreeMap<(Price, i64), OrderId>,
    /// How many shares of others stand before the last of the lined orders, by price.
    ahead_of_buys: BTreeMap<Price, u64>,
    /// See `ahead_of_buys`.
    ahead_of_sells: BTreeMap<Price, u64>,
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
            (None, Patience::Rests, Pricing::Limit { limit }, _) if has_met && order.course.is_some() => {
                self.line_up(order, limit);
            }
            (None, Patience::Rests, Pricing::Limit { limit }, Side::Buy) if has_met => {
                self.buys.insert((Reverse(limit), sequence), id);
            }
            (None, Patience::Rests, Pricing::Limit { limit }, Side::Sell) if has_met => {
                self.sells.insert((limit, sequence), id);
            }
            (None, Patience::Rests | Patience::AtOnce | Patience::AllAtOnce, ..) => {
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
            (None, Pricing::Limit { limit }, _) if order.course.is_some() => self.step_out(order, limit),
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

    fn line_up(&mut self, order: &BookOrder, limit: Price) {
        let BookOrder { id, sequence, .. } = *order;
        let more = order.course.and_then(|course| course.ahead).unwrap_or_default();
        let ahead = match order.side {
            Side::Buy => {
                self.lined_buys.insert((Reverse(limit), sequence), id);
                &mut self.ahead_of_buys
            }
            Side::Sell => {
                self.lined_sells.insert((limit, sequence), id);
                &mut self.ahead_of_sells
            }
        };
        if more > 0 {
            let sum = ahead.entry(limit).or_default();
            *sum = sum.saturating_add(more);
        }
    }

    fn step_out(&mut self, order: &BookOrder, limit: Price) {
        let (was_there, ahead) = match order.side {
            Side::Buy => {
                (self.lined_buys.remove(&(Reverse(limit), order.sequence)).is_some(), &mut self.ahead_of_buys)
            }
            Side::Sell => {
                (self.lined_sells.remove(&(limit, order.sequence)).is_some(), &mut self.ahead_of_sells)
            }
        };
        if let (true, Some(less @ 1..)) = (was_there, order.course.and_then(|course| course.ahead))
            && let Some(sum) = ahead.get_mut(&limit)
        {
            *sum = sum.saturating_sub(less);
            if *sum == 0 {
                ahead.remove(&limit);
            }
        }
    }

    /// How many shares of others stand before the last lined order of a price.
    pub(super) fn ahead(&self, side: Side, limit: Price) -> u64 {
        let ahead = match side {
            Side::Buy => &self.ahead_of_buys,
            Side::Sell => &self.ahead_of_sells,
        };
        ahead.get(&limit).copied().unwrap_or_default()
    }

    /// The next lined order that a price reaches, best first, after another one.
    pub(super) fn next_in_line(
        &self,
        side: Side,
        reach: Price,
        after: Option<(Price, i64)>,
    ) -> Option<(Price, i64, OrderId)> {
        match side {
            Side::Buy => {
                let from =
                    after.map_or(Bound::Unbounded, |(at, number)| Bound::Excluded((Reverse(at), number)));
                let ((limit, number), id) = self.lined_buys.range((from, Bound::Unbounded)).next()?;
                (limit.0 >= reach).then_some((limit.0, *number, *id))
            }
            Side::Sell => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                let ((limit, number), id) = self.lined_sells.range((from, Bound::Unbounded)).next()?;
                (*limit <= reach).then_some((*limit, *number, *id))
            }
        }
    }

    /// Every order that shares the market and stands in a queue.
    pub(super) fn lined(&self) -> Vec<OrderId> {
        self.lined_buys.values().chain(self.lined_sells.values()).copied().collect()
    }

    /// The lined order behind a place, at the same price.
    pub(super) fn behind(&self, side: Side, limit: Price, sequence: i64) -> Option<OrderId> {
        let (price, _, id) = self.next_in_line(side, limit, Some((limit, sequence)))?;
        (price == limit).then_some(id)
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
