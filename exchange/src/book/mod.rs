//! Matching: the orders of one symbol, executed against real bids and asks.
//!
//! An order without friction has the market to itself: it is as deep as needed, and the order is executed as a whole or
//! not at all. One with friction ([`crate::simulation`]) shares what is really traded. The two kinds do not see each other.

mod crowd;
mod entry;
mod event;
mod interrupted;
mod order;
mod queues;
mod turn;

pub use event::{BookEvent, BookEventKind, CancelReason, NotInBook};
pub use order::{
    AT_ONCE_WAIT_MAX, AUCTION_PRICE_WAIT_MAX, BookOrder, OrderError, Patience, Pricing, Trigger,
};

use crate::auctions::AuctionKind;
use crate::interruptions::{MarketState, Mode, Watch};
use crate::price_limits::price_limits_of_day;
use crate::quote_age::quote_age_max;
use crate::sessions::trade_date;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{OrderId, Price, Quote, Side, Symbol};
use entry::Entry;
use queues::Queues;
use rust_decimal::Decimal;
use std::collections::HashMap;
use turn::Turn;

/// How far a quote may lie in the future, because clocks differ.
pub const QUOTE_AHEAD_MAX: TimeDelta = TimeDelta::seconds(5);

/// The orders of one symbol, and the last usable quote.
#[derive(Debug, Clone)]
pub struct Book {
    symbol: Symbol,
    /// Boxed, so that the table itself stays small when it grows and is never copied with its orders.
    orders: HashMap<OrderId, Box<Entry>>,
    queues: Queues,
    quote: Option<Quote>,
    /// What interrupts orders with friction.
    watch: Watch,
    /// How many of the orders have friction.
    with_friction: usize,
    /// Until when no order that the house keeps has to be given in anew; see [`Book::give_in_anew`].
    given_in_until: Option<DateTime<Utc>>,
}

impl Book {
    /// A book without orders.
    #[must_use]
    pub fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            orders: HashMap::new(),
            queues: Queues::default(),
            quote: None,
            watch: Watch::default(),
            with_friction: 0,
            given_in_until: None,
        }
    }

    /// How many orders are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// The last quote that was taken, however old by now.
    #[must_use]
    pub const fn last_quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// The lowest and the highest legal price of the day, where the market has them and the close before is known.
    #[must_use]
    pub fn price_limits(&self, now: DateTime<Utc>) -> Option<(Price, Price)> {
        price_limits_of_day(self.usable_quote(now)?, trade_date(self.symbol.market(), now))
    }

    /// When the next order ends by itself, or an interruption that keeps orders waiting.
    #[must_use]
    pub fn next_expiry(&self) -> Option<DateTime<Utc>> {
        let interruption = self.watch.next_end().filter(|_| self.with_friction > 0);
        self.queues.next_expiry().into_iter().chain(interruption).min()
    }

    /// What has to be known of the market after a restart, where it has changed since this was last asked and orders are
    /// here that it concerns.
    pub fn take_market_change(&mut self) -> Option<MarketState> {
        if self.with_friction == 0 { None } else { self.watch.take_change() }
    }

    /// Puts back what was known of the market in an earlier life of the process.
    pub fn restore_market(&mut self, state: &MarketState) {
        self.watch = Watch::restored(state);
    }

    /// An order as it stands here.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<BookOrder> {
        self.orders.get(&id).map(|entry| entry.order(id))
    }

    /// Puts back an order that was accepted in an earlier life of the process. It rests, unless it waited for its first price.
    pub fn restore(&mut self, order: &BookOrder, waits_for_price: bool) {
        let has_met = order.course.map_or(!waits_for_price, |course| course.ahead.is_some());
        self.insert(order, has_met);
    }

    /// Takes a new order. It is accepted, and executed at once if the present quote allows. The caller gives every
    /// id and every sequence once.
    pub fn submit(&mut self, order: BookOrder, now: DateTime<Utc>) -> Vec<BookEvent> {
        let mut events = vec![BookEvent::new(order.id, now, BookEventKind::Accepted)];
        if order.expires_at.is_some_and(|at| at <= now) {
            events.push(ended(&order, now));
        } else if let Some(kind) = self.interrupts(&order, now) {
            self.wait(&order, kind, now, &mut events);
        } else {
            let id = order.id;
            self.arrive(order, now, &mut events);
            self.tell_of_waiting(id, false, now, &mut events);
        }
        events
    }

    /// Tells whether an ideal order that may rest waits for its first price, where that is not as before.
    fn tell_of_waiting(&self, id: OrderId, before: bool, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        let waits = self.waits_for_price(id);
        if waits != before && self.orders.contains_key(&id) {
            events.push(BookEvent::new(id, now, BookEventKind::WaitsForPrice(waits)));
        }
    }

    fn waits_for_price(&self, id: OrderId) -> bool {
        self.orders.get(&id).is_some_and(|entry| !entry.has_met && entry.order(id).may_rest_at_its_limit())
    }

    /// Takes an order back.
    ///
    /// # Errors
    /// [`NotInBook`] when it is not here (any more).
    pub fn cancel(&mut self, order_id: OrderId, now: DateTime<Utc>) -> Result<Vec<BookEvent>, NotInBook> {
        let mut events = vec![canceled(order_id, CancelReason::Requested, now)];
        self.leave(order_id, now, &mut events).ok_or(NotInBook)?;
        Ok(events)
    }

    /// Puts an order with new terms in the place of the one with its id. Where nothing but a smaller quantity is new it
    /// keeps its place; otherwise it arrives anew and may be executed at once.
    ///
    /// # Errors
    /// [`NotInBook`] when it is not here (any more).
    pub fn replace(&mut self, order: BookOrder, now: DateTime<Utc>) -> Result<Vec<BookEvent>, NotInBook> {
        let has_met = self.orders.get(&order.id).is_some_and(|entry| entry.has_met);
        let before = self.order(order.id).ok_or(NotInBook)?;
        let mut events = vec![BookEvent::new(order.id, now, BookEventKind::Replaced)];
        let keeps_place = BookOrder { quantity: before.quantity, ..order.clone() } == before;
        if keeps_place {
            self.remove(order.id);
            self.insert(&order, has_met);
        } else {
            let (id, waited) = (order.id, self.waits_for_price(order.id));
            self.leave(id, now, &mut events);
            if let Some(course) = order.course {
                events.push(BookEvent::new(id, now, BookEventKind::CourseMoved(course)));
            }
            self.arrive(order, now, &mut events);
            self.tell_of_waiting(id, waited, now, &mut events);
        }
        Ok(events)
    }

    /// Ends the orders whose time is over, and tells those that an interruption kept waiting when it is over.
    pub fn expire(&mut self, now: DateTime<Utc>) -> Vec<BookEvent> {
        let mut events = Vec::new();
        if self.watch.tell_end(now) {
            self.tell_resumed(now, &mut events);
        }
        if self.queues.next_expiry().is_some_and(|at| at <= now) {
            self.end_overdue(now, &mut events);
        }
        events
    }

    fn end_overdue(&mut self, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        // Rare enough to look through all orders instead of keeping each one's end in an order of its own.
        let mut over: Vec<(DateTime<Utc>, i64, OrderId)> = self
            .orders
            .iter()
            .filter_map(|(id, entry)| Some((entry.expires_at()?, entry.sequence(), *id)))
            .filter(|(at, ..)| *at <= now)
            .collect();
        over.sort_unstable();
        for (.., id) in over {
            if let Some(order) = self.leave(id, now, events) {
                events.push(ended(&order, now));
            }
        }
    }

    /// Takes a quote and executes what it reaches: what waited for a price at the touch, resting limit orders at their
    /// limit, orders for an auction at its price. Stops wake up by the last price.
    /// A quote of another symbol, too old, from the future, or older than the last one changes nothing.
    pub fn on_quote(&mut self, quote: &Quote, now: DateTime<Utc>) -> Vec<BookEvent> {
        let mut events = self.expire(now);
        let is_newest = self.quote.as_ref().is_none_or(|last| last.at <= quote.at);
        if quote.symbol != self.symbol || !is_usable(quote, now) || !is_newest {
            return events;
        }
        let sight = self.watch.see(self.quote.as_ref(), quote, now);
        let mut turn = Turn::new(self.quote.as_ref(), quote, now).seen(&sight);
        remember(&mut self.quote, quote);
        self.give_in_anew(now, &mut events);
        self.tell(&sight, &turn, &mut events);
        for id in self.in_auction_order(self.queues.auctioned(quote.at.min(now)), quote) {
            self.execute_in_auction(id, &mut turn, &mut events);
        }
        if sight.mode == Mode::Uncrossed {
            self.uncross(&mut turn, &mut events);
        }
        self.serve(Side::Buy, &mut turn, &mut events);
        self.serve(Side::Sell, &mut turn, &mut events);
        // Before anything arrives: what arrives now has met this price, and rests or trails from here.
        let (reached_buys, reached_sells) = self.queues.reached(quote.price_to_buy(), quote.price_to_sell());
        let trailing = self.queues.trailing();
        for id in self.queues.arriving().into_iter().chain(self.queues.awakened(quote.price)) {
            let waited = self.waits_for_price(id);
            if let Some(order) = self.remove(id) {
                self.meet(order, &mut turn, &mut events);
                self.tell_of_waiting(id, waited, now, &mut events);
            }
        }
        for id in trailing {
            self.follow(id, &mut turn, &mut events);
        }
        for id in reached_buys.into_iter().chain(reached_sells) {
            events.extend(self.execute_resting(id, now));
        }
        events
    }

    /// A new or changed order comes to the market, or waits until there is one.
    fn arrive(&mut self, order: BookOrder, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        if let Patience::Auction { at, .. } = order.patience {
            if at <= now {
                events.push(canceled(order.id, CancelReason::AuctionMissed, now));
            } else {
                self.insert(&order, false);
            }
            return;
        }
        // With friction nothing is had of the price that is seen: the next one counts.
        match self.usable_quote(now).filter(|_| order.course.is_none()).cloned() {
            Some(quote) => self.meet(order, &mut Turn::of_last(&quote, now), events),
            None => self.insert(&order, false),
        }
    }

    /// An order meets a price: it wakes up, is executed, rests, or ends.
    fn meet(&mut self, mut order: BookOrder, turn: &mut Turn<'_>, events: &mut Vec<BookEvent>) {
        let (id, quote, now) = (order.id, turn.quote, turn.now);
        if let Some(mut trigger) = order.trigger {
            if turn.holds_back(order.course) {
                return self.insert(&order, true);
            }
            if let Some(mark) = trigger.follow(order.side, quote.price) {
                events.push(BookEvent::new(id, now, BookEventKind::MarkMoved(mark)));
            }
            if !trigger.is_reached(order.side, quote.price) {
                return self.insert(&BookOrder { trigger: Some(trigger), ..order }, true);
            }
            order.trigger = None;
            events.push(BookEvent::new(id, now, BookEventKind::Triggered(quote.price)));
            order.course = order.course.map(|course| course.anew(id, now));
            events.extend(
                order.course.map(|course| BookEvent::new(id, now, BookEventKind::CourseMoved(course))),
            );
        }
        if let Some(course) = order.course {
            return self.join(order, course, turn, events);
        }
        let touch = side_of(quote, order.side);
        match order.pricing {
            Pricing::Limit { limit } if self.is_beyond_limits(limit, now) => {
                events.push(canceled(id, CancelReason::PriceLimit, now));
            }
            _ if order.accepts(touch) => events.push(filled(&order, touch, now)),
            Pricing::Market { .. } => {
                events.push(canceled(id, CancelReason::PriceMovedBeyondProtection, now));
            }
            Pricing::Limit { .. } if order.patience.is_at_once() => {
                events.push(canceled(id, CancelReason::NotExecutableAtOnce, now));
            }
            Pricing::Limit { .. } => self.insert(&order, true),
        }
    }

    /// A trailing stop sees a price.
    fn follow(&mut self, id: OrderId, turn: &mut Turn<'_>, events: &mut Vec<BookEvent>) {
        let (quote, now) = (turn.quote, turn.now);
        let Some(entry) = self.orders.get_mut(&id) else { return };
        if turn.holds_back(entry.course()) {
            return;
        }
        let side = entry.side();
        let Some(trigger) = entry.trigger_mut() else { return };
        if trigger.is_reached(side, quote.price) {
            if let Some(order) = self.remove(id) {
                self.meet(order, turn, events);
            }
        } else if let Some(mark) = trigger.follow(side, quote.price) {
            events.push(BookEvent::new(id, now, BookEventKind::MarkMoved(mark)));
        }
    }

    fn execute_in_auction(&mut self, id: OrderId, turn: &mut Turn<'_>, events: &mut Vec<BookEvent>) {
        let Some(order) = self.remove(id) else { return };
        let (quote, now) = (turn.quote, turn.now);
        let price = auction_price(&order, quote);
        let accepts = order.accepts(price);
        events.push(match (order.pricing, order.course) {
            (_, Some(course)) if accepts => return Self::share_auction(order, course, price, turn, events),
            (_, None) if accepts => filled(&order, price, now),
            (Pricing::Market { .. }, _) => canceled(id, CancelReason::PriceMovedBeyondProtection, now),
            (Pricing::Limit { .. }, _) => canceled(id, CancelReason::NotExecutedInAuction, now),
        });
    }

    /// It stood in the queue at its limit: whoever came to the market met it there.
    fn execute_resting(&mut self, id: OrderId, now: DateTime<Utc>) -> Option<BookEvent> {
        let order = self.remove(id)?;
        Some(filled(&order, order.worst(), now))
    }

    fn is_beyond_limits(&self, limit: Price, now: DateTime<Utc>) -> bool {
        self.price_limits(now).is_some_and(|(lowest, highest)| !(lowest..=highest).contains(&limit))
    }

    fn usable_quote(&self, now: DateTime<Utc>) -> Option<&Quote> {
        self.quote.as_ref().filter(|quote| is_usable(quote, now))
    }

    fn insert(&mut self, order: &BookOrder, has_met: bool) {
        self.queues.insert(order, has_met);
        self.with_friction = self.with_friction.saturating_add(usize::from(order.course.is_some()));
        self.orders.insert(order.id, Box::new(Entry::new(order, has_met)));
    }

    fn remove(&mut self, id: OrderId) -> Option<BookOrder> {
        let order = self.orders.remove(&id)?.order(id);
        self.queues.remove(&order);
        self.with_friction = self.with_friction.saturating_sub(usize::from(order.course.is_some()));
        Some(order)
    }
}

/// The price that an order's auction has made.
const fn auction_price(order: &BookOrder, quote: &Quote) -> Price {
    match order.patience {
        Patience::Auction { kind: AuctionKind::Opening, .. } => quote.open,
        // The first price told at or after the close is the one the closing auction made.
        _ => quote.price,
    }
}

/// Whether an order may be executed on a quote now.
fn is_usable(quote: &Quote, now: DateTime<Utc>) -> bool {
    let age = now - quote.at;
    age <= quote_age_max(quote) && age >= -QUOTE_AHEAD_MAX
}

/// A quote without the name of its source, which is all of it that takes memory of its own.
const fn plain(quote: &Quote) -> Quote {
    Quote {
        symbol: quote.symbol,
        price: quote.price,
        bid: quote.bid,
        ask: quote.ask,
        previous_close: quote.previous_close,
        volume: quote.volume,
        currency: quote.currency,
        session_date: quote.session_date,
        open: quote.open,
        high: quote.high,
        low: quote.low,
        at: quote.at,
        source: String::new(),
        simulated: quote.simulated,
        delayed: quote.delayed,
    }
}

/// Keeps a quote in the place of the one before; the name of its source stays where it is.
fn remember(last: &mut Option<Quote>, quote: &Quote) {
    match last {
        Some(last) if last.source == quote.source => {
            let source = std::mem::take(&mut last.source);
            *last = Quote { source, ..plain(quote) };
        }
        _ => *last = Some(quote.clone()),
    }
}

fn side_of(quote: &Quote, side: Side) -> Price {
    match side {
        Side::Buy => quote.price_to_buy(),
        Side::Sell => quote.price_to_sell(),
    }
}

fn filled(order: &BookOrder, price: Price, now: DateTime<Utc>) -> BookEvent {
    let kind = BookEventKind::Filled {
        // Orders are executed as a whole, so the first execution is the only one.
        execution_id: format!("{}:1", order.id),
        quantity: order.quantity,
        price,
        leaves: Decimal::ZERO,
    };
    BookEvent::new(order.id, now, kind)
}

const fn canceled(order_id: OrderId, reason: CancelReason, at: DateTime<Utc>) -> BookEvent {
    BookEvent::new(order_id, at, BookEventKind::Canceled(reason))
}

/// How an order ends whose time is over: by its time in force, or because what it was for did not happen.
const fn ended(order: &BookOrder, at: DateTime<Utc>) -> BookEvent {
    match order.patience {
        Patience::Rests => BookEvent::new(order.id, at, BookEventKind::Expired),
        Patience::AtOnce | Patience::AllAtOnce => canceled(order.id, CancelReason::NotExecutableAtOnce, at),
        Patience::Auction { .. } => canceled(order.id, CancelReason::NoAuctionPrice, at),
    }
}
