//! Orders with friction while trading is interrupted: they wait, and meet the price that ends it as in an auction.

use super::crowd::execute;
use super::event::{BookEvent, BookEventKind, CancelReason};
use super::order::{BookOrder, Patience, Pricing};
use super::turn::Turn;
use super::{Book, auction_price, canceled};
use crate::interruptions::{InterruptionKind, Sight};
use crate::simulation::Trading;
use chrono::{DateTime, Utc};
use domain::{OrderId, Price, Quote, Side};
use rust_decimal::Decimal;
use std::cmp::Reverse;

impl Book {
    /// What keeps an order waiting at the moment.
    pub(super) fn interrupts(&self, order: &BookOrder, now: DateTime<Utc>) -> Option<InterruptionKind> {
        let interruption = self.watch.interruption(now).filter(|_| can_wait(order))?;
        let trading = self.quote.as_ref().map_or(Trading::Regular, Trading::at);
        trading.admits(order.joins_evening).then_some(interruption.kind)
    }

    /// An order comes while trading is interrupted.
    pub(super) fn wait(
        &mut self,
        order: &BookOrder,
        kind: InterruptionKind,
        now: DateTime<Utc>,
        events: &mut Vec<BookEvent>,
    ) {
        if order.patience.is_at_once() {
            return events.push(canceled(order.id, CancelReason::Interrupted(kind), now));
        }
        self.insert(order, false);
        events.push(BookEvent::new(order.id, now, BookEventKind::Suspended(kind)));
    }

    /// Tells those who wait that an interruption has ended or begun.
    pub(super) fn tell(&self, sight: &Sight, turn: &Turn<'_>, events: &mut Vec<BookEvent>) {
        if sight.has_ended {
            self.tell_resumed(turn.now, events);
        }
        if let Some(interruption) = sight.began {
            let kind = BookEventKind::Suspended(interruption.kind);
            self.tell_waiting(&kind, |order| turn.admits(order), turn.now, events);
        }
    }

    /// Tells those who waited that the interruption is over. One who did not wait hears it in vain.
    pub(super) fn tell_resumed(&self, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        self.tell_waiting(&BookEventKind::Resumed, |_| true, now, events);
    }

    fn tell_waiting(
        &self,
        kind: &BookEventKind,
        concerns: impl Fn(&BookOrder) -> bool,
        now: DateTime<Utc>,
        events: &mut Vec<BookEvent>,
    ) {
        let waits = |order: &BookOrder| can_wait(order) && !order.patience.is_at_once() && concerns(order);
        let told = self.in_arrival_order(waits).into_iter();
        events.extend(told.map(|order| BookEvent::new(order.id, now, kind.clone())));
    }

    /// Orders with friction, the earliest first.
    fn in_arrival_order(&self, wanted: impl Fn(&BookOrder) -> bool) -> Vec<BookOrder> {
        if self.with_friction == 0 {
            return Vec::new();
        }
        let with_friction = self.orders.iter().filter(|(_, entry)| entry.course().is_some());
        let mut orders: Vec<_> = with_friction.map(|(id, entry)| entry.order(*id)).filter(wanted).collect();
        orders.sort_unstable_by_key(|order| order.sequence);
        orders
    }

    /// Everybody in the market meets the one price that ends an interruption, and shares what was traded at it.
    pub(super) fn uncross(&mut self, turn: &mut Turn<'_>, events: &mut Vec<BookEvent>) {
        let (price, now) = (turn.quote.price, turn.now);
        let takes_part = |order: &BookOrder| {
            order.trigger.is_none()
                && order.patience == Patience::Rests
                && order.course.is_some_and(|course| course.active_at <= now)
                && order.accepts(price)
                && turn.admits(order)
                && !matches!(order.pricing, Pricing::Limit { limit } if self.is_beyond_limits(limit, now))
        };
        let mut orders = self.in_arrival_order(takes_part);
        orders.sort_by_key(|order| Reverse(eagerness(order, price)));
        for order in orders {
            self.share_uncrossing(order.id, price, turn, events);
        }
    }

    fn share_uncrossing(
        &mut self,
        id: OrderId,
        price: Price,
        turn: &mut Turn<'_>,
        events: &mut Vec<BookEvent>,
    ) {
        let Some(has_met) = self.orders.get(&id).map(|entry| entry.has_met) else { return };
        let Some(order) = self.order(id) else { return };
        let Some(course) = order.course else { return };
        let allowed = course.simulation.friction().map_or(Decimal::ZERO, |friction| turn.allowance(friction));
        // Who names a better price stands before the queue at this one; who names this one, in it.
        let is_at_price = matches!(order.pricing, Pricing::Limit { limit } if limit == price);
        let ahead = course.ahead.filter(|_| is_at_price).unwrap_or_default();
        let left = Decimal::from(turn.traded.saturating_sub(ahead));
        let quantity = order.quantity.value().min(allowed).min(left);
        if quantity.is_zero() {
            return;
        }
        self.remove(id);
        if let Some(rest) = execute(order, course, quantity, price, turn, events) {
            self.insert(&rest, has_met);
        }
    }

    /// Orders for an auction in the order in which it serves them: those without a limit, then the better price, then the
    /// earlier.
    pub(super) fn in_auction_order(&self, ids: Vec<OrderId>, quote: &Quote) -> Vec<OrderId> {
        let mut orders: Vec<BookOrder> = ids.into_iter().filter_map(|id| self.order(id)).collect();
        orders.sort_by_key(|order| {
            let eagerness = eagerness(order, auction_price(order, quote));
            (auction_at(order), Reverse(eagerness), order.sequence)
        });
        orders.into_iter().map(|order| order.id).collect()
    }
}

/// Whether an interruption concerns an order: the ideal market has none, and an auction has its own time.
const fn can_wait(order: &BookOrder) -> bool {
    order.course.is_some() && !matches!(order.patience, Patience::Auction { .. })
}

const fn auction_at(order: &BookOrder) -> Option<DateTime<Utc>> {
    match order.patience {
        Patience::Auction { at, .. } => Some(at),
        _ => None,
    }
}

/// How far beyond an auction's price an order would go: the further, the sooner it is served.
fn eagerness(order: &BookOrder, price: Price) -> Decimal {
    match (order.pricing, order.side) {
        (Pricing::Market { .. }, _) => Decimal::MAX,
        (Pricing::Limit { limit }, Side::Buy) => limit.value() - price.value(),
        (Pricing::Limit { limit }, Side::Sell) => price.value() - limit.value(),
    }
}
