//! Orders that share the market with others: they come late, get a part of what is traded, and wait their turn.

use super::event::{BookEvent, BookEventKind, CancelReason};
use super::order::{BookOrder, Patience, Pricing};
use super::turn::Turn;
use super::{Book, canceled};
use crate::interruptions::Mode;
use crate::phases::{is_session_over, session_end_after};
use crate::sessions::regular_close_after;
use crate::simulation::{Course, Friction};
use chrono::{DateTime, Utc};
use domain::{Market, OrderId, Price, Quantity, Side};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

impl Book {
    /// An order comes to a market that has friction: it takes what it may, rests, waits, or ends.
    pub(super) fn join(
        &mut self,
        order: BookOrder,
        course: Course,
        turn: &mut Turn<'_>,
        events: &mut Vec<BookEvent>,
    ) {
        let Some(friction) = course.simulation.friction() else { return self.insert(&order, false) };
        if turn.now < course.active_at || !turn.admits(&order) {
            return self.insert(&order, false);
        }
        if turn.mode != Mode::Continuous {
            let kind = self.interrupts(&order, turn.now).filter(|_| order.patience.is_at_once());
            return match kind {
                Some(kind) => events.push(canceled(order.id, CancelReason::Interrupted(kind), turn.now)),
                None => self.insert(&order, false),
            };
        }
        if let Pricing::Limit { limit } = order.pricing
            && self.is_beyond_limits(limit, turn.now)
        {
            if self.is_kept(&order, turn.now) {
                return self.insert(&order, false);
            }
            return events.push(canceled(order.id, CancelReason::PriceLimit, turn.now));
        }
        let touch = || friction.touch(order.side, turn.quote, turn.trade_date());
        let touch = turn.closing_price().unwrap_or_else(touch);
        if order.accepts(touch) && !turn.trades_at(touch) {
            // It would be the trade that interrupts; the last price has not come so far.
            self.insert(&order, false);
        } else if order.accepts(touch) {
            self.take_part(order, course, (friction, touch), turn, events);
        } else {
            self.stand_back(order, course, friction, turn, events);
        }
    }

    /// Where an exchange ends every order with its session (KRX), one that lasts longer is kept by the house and given in
    /// for each session anew: its place in the queue is gone. On a day whose price limits do not allow it, it waits.
    pub(super) fn give_in_anew(&mut self, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        let market = self.symbol.market();
        if market != Market::Krx || self.given_in_until.is_some_and(|until| now < until) {
            return;
        }
        self.given_in_until = Some(session_end_after(market, now));
        for id in self.queues.lined() {
            let Some(order) = self.order(id) else { continue };
            let Some(course) = order.course else { continue };
            if !is_session_over(market, course.active_at, order.joins_evening, now) {
                continue;
            }
            self.remove(id);
            let course = course.anew(id, now);
            events.push(BookEvent::new(id, now, BookEventKind::CourseMoved(course)));
            self.insert(&BookOrder { course: Some(course), ..order }, false);
        }
    }

    /// Whether an order outlives a session at whose end its exchange would have ended it.
    fn is_kept(&self, order: &BookOrder, now: DateTime<Utc>) -> bool {
        let market = self.symbol.market();
        market == Market::Krx
            && order.patience == Patience::Rests
            && order.expires_at.is_none_or(|at| at > regular_close_after(market, now))
    }

    /// The market is where the order wants it: it gets what it may of what is traded.
    fn take_part(
        &mut self,
        order: BookOrder,
        course: Course,
        (friction, touch): (&Friction, Price),
        turn: &mut Turn<'_>,
        events: &mut Vec<BookEvent>,
    ) {
        let (id, now) = (order.id, turn.now);
        let open = order.quantity.value();
        let quantity = open.min(turn.allowance(friction));
        let is_enough = match order.patience {
            Patience::AllAtOnce => quantity == open,
            _ => !quantity.is_zero(),
        };
        if !is_enough {
            // Where there was nothing to have, "at once" has not come yet.
            let is_over = order.patience.is_at_once() && !turn.share(friction).is_zero();
            return if is_over {
                events.push(canceled(id, CancelReason::NotExecutableAtOnce, now));
            } else {
                self.insert(&order, false);
            };
        }
        let (used, share) = (turn.taken() + quantity, turn.share(friction));
        let market = (self.symbol.into(), touch);
        let on = turn.trade_date();
        let taken = || friction.taken(id, course.executions, order.side, market, (used, share), on);
        let price = turn.closing_price().unwrap_or_else(taken);
        let price = turn.within_band(order.side, self.bounded(price, &order, now)).unwrap_or(touch);
        if let Some(rest) = execute(order, course, quantity, price, turn, events) {
            if rest.patience.is_at_once() {
                events.push(canceled(id, CancelReason::NotExecutableAtOnce, now));
            } else {
                self.insert(&rest, false);
            }
        }
    }

    /// The market is not where the order wants it.
    fn stand_back(
        &mut self,
        mut order: BookOrder,
        course: Course,
        friction: &Friction,
        turn: &Turn<'_>,
        events: &mut Vec<BookEvent>,
    ) {
        let end = |reason| canceled(order.id, reason, turn.now);
        match order.pricing {
            Pricing::Market { .. } => events.push(end(CancelReason::PriceMovedBeyondProtection)),
            Pricing::Limit { .. } if order.patience.is_at_once() => {
                events.push(end(CancelReason::NotExecutableAtOnce));
            }
            Pricing::Limit { limit } => {
                let before = self.queues.ahead(order.side, limit);
                let ahead = friction.queue(turn.quote.volume).saturating_sub(before);
                let course = Course { ahead: Some(ahead), ..course };
                order.course = Some(course);
                events.push(BookEvent::new(order.id, turn.now, BookEventKind::CourseMoved(course)));
                self.insert(&order, true);
            }
        }
    }

    /// What was traded reaches the orders that rest in the queues of one side, best first. An order that does not get
    /// all it wants ends the turn of those behind it.
    pub(super) fn serve(&mut self, side: Side, turn: &mut Turn<'_>, events: &mut Vec<BookEvent>) {
        if turn.traded == 0 || turn.mode != Mode::Continuous {
            return;
        }
        let reach = turn.reach(side);
        // At the price itself what is traded eats the queue; a price beyond has eaten it.
        let mut left = turn.traded;
        let mut after = None;
        while let Some((limit, sequence, id)) = self.queues.next_in_line(side, reach, after) {
            after = Some((limit, sequence));
            let Some(order) = self.order(id) else { continue };
            let Some((course, friction)) =
                order.course.and_then(|course| Some((course, course.simulation.friction()?)))
            else {
                continue;
            };
            if turn.is_idle() {
                return;
            }
            if !turn.admits(&order) {
                continue;
            }
            let Some(price) = turn.within_band(side, limit) else { return };
            let before = course.ahead.unwrap_or_default();
            // Where the other side has come to the limit, nobody can stand there any more.
            let (ahead, most) = if limit == reach && !turn.is_met(side, limit) {
                let eaten = before.min(left);
                left = left.saturating_sub(eaten);
                (before.saturating_sub(eaten), Decimal::from(left))
            } else {
                (0, Decimal::MAX)
            };
            if ahead != before {
                self.set_ahead(id, ahead, turn.now, events);
            }
            let quantity = order.quantity.value().min(turn.allowance(friction)).min(most);
            if ahead > 0 || quantity.is_zero() {
                return;
            }
            left = left.saturating_sub(quantity.ceil().to_u64().unwrap_or(u64::MAX));
            let Some(order) = self.remove(id) else { continue };
            let course = Course { ahead: Some(ahead), ..course };
            if let Some(rest) = execute(order, course, quantity, price, turn, events) {
                return self.insert(&rest, true);
            }
        }
    }

    /// An auction has its price; what was traded in it is shared as well.
    pub(super) fn share_auction(
        order: BookOrder,
        course: Course,
        price: Price,
        turn: &mut Turn<'_>,
        events: &mut Vec<BookEvent>,
    ) {
        let (id, now) = (order.id, turn.now);
        let allowed = course.simulation.friction().map_or(Decimal::ZERO, |friction| turn.allowance(friction));
        let quantity = order.quantity.value().min(allowed);
        let rest = if quantity.is_zero() {
            Some(order)
        } else {
            execute(order, course, quantity, price, turn, events)
        };
        if rest.is_some() {
            events.push(canceled(id, CancelReason::NotExecutedInAuction, now));
        }
    }

    /// Takes an order out of the book. What stood before it stands before the next one at its price.
    pub(super) fn leave(
        &mut self,
        id: OrderId,
        now: DateTime<Utc>,
        events: &mut Vec<BookEvent>,
    ) -> Option<BookOrder> {
        let order = self.remove(id)?;
        if let (Pricing::Limit { limit }, Some(ahead @ 1..)) =
            (order.pricing, order.course.and_then(|course| course.ahead))
            && let Some(next) = self.queues.behind(order.side, limit, order.sequence)
        {
            let before = self.order(next).and_then(|order| order.course?.ahead).unwrap_or_default();
            self.set_ahead(next, before.saturating_add(ahead), now, events);
        }
        Some(order)
    }

    fn set_ahead(&mut self, id: OrderId, ahead: u64, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        let Some(order) = self.remove(id) else { return };
        let course = order.course.map(|course| Course { ahead: Some(ahead), ..course });
        self.insert(&BookOrder { course, ..order }, true);
        events.extend(course.map(|course| BookEvent::new(id, now, BookEventKind::CourseMoved(course))));
    }

    /// A price that friction made worse, no worse than the order and the day allow.
    fn bounded(&self, price: Price, order: &BookOrder, now: DateTime<Utc>) -> Price {
        let (lowest, highest) = self.price_limits(now).unzip();
        let worst = order.worst();
        match order.side {
            Side::Buy => price.min(worst).min(highest.unwrap_or(worst)),
            Side::Sell => price.max(worst).max(lowest.unwrap_or(worst)),
        }
    }
}

/// Executes a part of an order, or all of it; gives what is left.
pub(super) fn execute(
    order: BookOrder,
    course: Course,
    quantity: Decimal,
    price: Price,
    turn: &mut Turn<'_>,
    events: &mut Vec<BookEvent>,
) -> Option<BookOrder> {
    let Ok(executed) = Quantity::new(quantity) else { return Some(order) };
    let executions = course.executions.saturating_add(1);
    let leaves = order.quantity.value() - quantity;
    let kind = BookEventKind::Filled {
        execution_id: format!("{}:{executions}", order.id),
        quantity: executed,
        price,
        leaves,
    };
    events.push(BookEvent::new(order.id, turn.now, kind));
    turn.take(quantity);
    let quantity = Quantity::new(leaves).ok()?;
    Some(BookOrder { quantity, course: Some(Course { executions, ..course }), ..order })
}
