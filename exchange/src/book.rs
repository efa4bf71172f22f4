//! Matching: the working orders of one symbol, executed against real bids and asks.
//!
//! The market is taken as deep as needed: an order is executed as a whole or not at all. Executions carry their
//! quantity, so nothing outside this file relies on that.

use crate::sessions::regular_close_after;
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::OrderRequest;
use domain::{OrderId, OrderType, Price, Quantity, Quote, Side, Symbol, TimeInForce};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Oldest quote of a live source that an order is executed on.
pub const LIVE_QUOTE_AGE_MAX: TimeDelta = TimeDelta::minutes(2);
/// Oldest quote of a source that holds prices back (usually fifteen minutes) that an order is executed on.
pub const DELAYED_QUOTE_AGE_MAX: TimeDelta = TimeDelta::minutes(20);
/// How far a quote may lie in the future, because clocks differ.
pub const QUOTE_AHEAD_MAX: TimeDelta = TimeDelta::seconds(5);

/// How an order is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pricing {
    /// At the best price there is, unless that is worse than the protection.
    Market {
        /// The worst acceptable price.
        protection: Price,
    },
    /// At this price or better.
    Limit {
        /// The worst acceptable price.
        limit: Price,
    },
}

/// Why a request is no order for a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OrderError {
    /// A limit order without a limit, or a market order with one.
    #[error("a limit price belongs to limit orders, and only to them")]
    LimitPrice,
    /// A market order without protection, or a limit order with one.
    #[error("a protection price belongs to market orders, and only to them")]
    ProtectionPrice,
}

/// An order as a book keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookOrder {
    /// Which order.
    pub id: OrderId,
    /// Buy or sell.
    pub side: Side,
    /// At which price.
    pub pricing: Pricing,
    /// How many shares.
    pub quantity: Quantity,
    /// Of two orders at one price the one with the smaller number is served first. Unique in a book.
    pub sequence: i64,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

impl BookOrder {
    /// The order of a request, with its place in the queue.
    ///
    /// # Errors
    /// [`OrderError`] when the prices do not go with the order's type.
    pub fn new(request: &OrderRequest, sequence: i64) -> Result<Self, OrderError> {
        let pricing = match (request.order_type, request.limit_price, request.protection_price) {
            (OrderType::Market, None, Some(protection)) => Pricing::Market { protection },
            (OrderType::Limit, Some(limit), None) => Pricing::Limit { limit },
            (OrderType::Market, Some(_), _) | (OrderType::Limit, None, _) => {
                return Err(OrderError::LimitPrice);
            }
            (OrderType::Market, None, None) | (OrderType::Limit, Some(_), Some(_)) => {
                return Err(OrderError::ProtectionPrice);
            }
        };
        let expires_at = match request.time_in_force {
            TimeInForce::Day => Some(regular_close_after(request.symbol.market(), request.submitted_at)),
            TimeInForce::Gtc => None,
        };
        Ok(Self {
            id: request.order_id,
            side: request.side,
            pricing,
            quantity: request.quantity,
            sequence,
            expires_at,
        })
    }

    /// Whether a price is as good as asked for, or better.
    fn accepts(&self, price: Price) -> bool {
        let (Pricing::Market { protection: worst } | Pricing::Limit { limit: worst }) = self.pricing;
        match self.side {
            Side::Buy => price <= worst,
            Side::Sell => price >= worst,
        }
    }
}

/// Why a book took an order back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested,
    /// The market stood beyond a market order's protection price.
    PriceMovedBeyondProtection,
}

impl CancelReason {
    /// The stable word for reports; none where the trader is the reason.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Requested => None,
            Self::PriceMovedBeyondProtection => Some("price_moved_beyond_protection"),
        }
    }
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEvent {
    /// To which.
    pub order_id: OrderId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: BookEventKind,
}

/// The ways an order lives and ends in a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookEventKind {
    /// It works.
    Accepted,
    /// It was executed.
    Filled {
        /// `{order}:{n}`, counted from 1.
        execution_id: String,
        /// Shares executed.
        quantity: Quantity,
        /// Price per share.
        price: Price,
    },
    /// It was taken back.
    Canceled(CancelReason),
    /// Its time was over.
    Expired,
}

/// Why an order could not be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the book holds no such order")]
pub struct NotInBook;

/// The working orders of one symbol, and the last usable quote.
#[derive(Debug, Clone)]
pub struct Book {
    symbol: Symbol,
    orders: BTreeMap<OrderId, BookOrder>,
    /// Market orders that wait for a quote, in the order of their arrival.
    markets: BTreeMap<i64, OrderId>,
    /// Best first: the highest limit, then the earliest.
    buys: BTreeMap<(Reverse<Price>, i64), OrderId>,
    /// Best first: the lowest limit, then the earliest.
    sells: BTreeMap<(Price, i64), OrderId>,
    /// Soonest first.
    expiries: BTreeSet<(DateTime<Utc>, i64, OrderId)>,
    /// Limit orders that no usable quote has met yet: their first one is their arrival.
    unmet: BTreeSet<OrderId>,
    quote: Option<Quote>,
}

impl Book {
    /// A book without orders.
    #[must_use]
    pub const fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            orders: BTreeMap::new(),
            markets: BTreeMap::new(),
            buys: BTreeMap::new(),
            sells: BTreeMap::new(),
            expiries: BTreeSet::new(),
            unmet: BTreeSet::new(),
            quote: None,
        }
    }

    /// How many orders work here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order works here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// The last quote that was taken, however old by now.
    #[must_use]
    pub const fn last_quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// When the next order ends by itself.
    #[must_use]
    pub fn next_expiry(&self) -> Option<DateTime<Utc>> {
        self.expiries.first().map(|(at, _, _)| *at)
    }

    /// Puts back an order that was accepted in an earlier life of the process. It rests: the market that it met on
    /// arrival is not known any more.
    pub fn restore(&mut self, order: BookOrder) {
        self.insert(order);
    }

    /// Takes a new order. It is accepted, and executed at once if the present quote allows. The caller gives every
    /// id and every sequence once.
    pub fn submit(&mut self, order: BookOrder, now: DateTime<Utc>) -> Vec<BookEvent> {
        let id = order.id;
        let mut events = vec![BookEvent { order_id: id, at: now, kind: BookEventKind::Accepted }];
        let is_over = order.expires_at.is_some_and(|at| at <= now);
        let touch = self.touch(order.side, now);
        match (is_over, touch) {
            (true, _) => events.push(BookEvent { order_id: id, at: now, kind: BookEventKind::Expired }),
            (false, Some(touch)) if order.accepts(touch) => events.push(filled(&order, touch, now)),
            (false, Some(_)) if matches!(order.pricing, Pricing::Market { .. }) => {
                events.push(beyond_protection(id, now));
            }
            (false, Some(_)) => self.insert(order),
            (false, None) => {
                if matches!(order.pricing, Pricing::Limit { .. }) {
                    self.unmet.insert(id);
                }
                self.insert(order);
            }
        }
        events
    }

    /// Takes an order back.
    ///
    /// # Errors
    /// [`NotInBook`] when it does not work here (any more).
    pub fn cancel(&mut self, order_id: OrderId, now: DateTime<Utc>) -> Result<BookEvent, NotInBook> {
        self.remove(order_id).ok_or(NotInBook)?;
        Ok(BookEvent { order_id, at: now, kind: BookEventKind::Canceled(CancelReason::Requested) })
    }

    /// Ends the orders whose time is over.
    pub fn expire(&mut self, now: DateTime<Utc>) -> Vec<BookEvent> {
        let mut events = Vec::new();
        while let Some((_, _, order_id)) = self.expiries.first().copied().filter(|(at, _, _)| *at <= now) {
            self.remove(order_id);
            events.push(BookEvent { order_id, at: now, kind: BookEventKind::Expired });
        }
        events
    }

    /// Takes a quote and executes what it reaches: market orders at the touch, resting limit orders at their limit.
    /// A quote of another symbol, too old, from the future, or older than the last one changes nothing.
    pub fn on_quote(&mut self, quote: &Quote, now: DateTime<Utc>) -> Vec<BookEvent> {
        let mut events = self.expire(now);
        let is_newest = self.quote.as_ref().is_none_or(|last| last.at <= quote.at);
        if quote.symbol != self.symbol || !is_usable(quote, now) || !is_newest {
            return events;
        }
        self.quote = Some(quote.clone());
        self.execute_markets(quote, now, &mut events);
        let (ask, bid) = (quote.price_to_buy(), quote.price_to_sell());
        let reached_buys: Vec<OrderId> =
            self.buys.iter().take_while(|((limit, _), _)| limit.0 >= ask).map(|(_, id)| *id).collect();
        let reached_sells: Vec<OrderId> =
            self.sells.iter().take_while(|((limit, _), _)| *limit <= bid).map(|(_, id)| *id).collect();
        for (reached, touch) in [(reached_buys, ask), (reached_sells, bid)] {
            for id in reached {
                events.extend(self.execute_limit(id, touch, now));
            }
        }
        self.unmet.clear();
        events
    }

    fn execute_markets(&mut self, quote: &Quote, now: DateTime<Utc>, events: &mut Vec<BookEvent>) {
        for id in std::mem::take(&mut self.markets).into_values() {
            let Some(order) = self.remove(id) else { continue };
            let touch = side_of(quote, order.side);
            events.push(if order.accepts(touch) {
                filled(&order, touch, now)
            } else {
                beyond_protection(id, now)
            });
        }
    }

    fn execute_limit(&mut self, id: OrderId, touch: Price, now: DateTime<Utc>) -> Option<BookEvent> {
        let arrives = self.unmet.contains(&id);
        let order = self.remove(id)?;
        match order.pricing {
            // It stood in the queue at its limit: whoever came to the market met it there.
            Pricing::Limit { limit } if !arrives => Some(filled(&order, limit, now)),
            Pricing::Limit { .. } | Pricing::Market { .. } => Some(filled(&order, touch, now)),
        }
    }

    /// What an order of this side meets now, if the last quote is still good.
    fn touch(&self, side: Side, now: DateTime<Utc>) -> Option<Price> {
        self.quote.as_ref().filter(|quote| is_usable(quote, now)).map(|quote| side_of(quote, side))
    }

    fn insert(&mut self, order: BookOrder) {
        match (order.pricing, order.side) {
            (Pricing::Market { .. }, _) => self.markets.insert(order.sequence, order.id),
            (Pricing::Limit { limit }, Side::Buy) => {
                self.buys.insert((Reverse(limit), order.sequence), order.id)
            }
            (Pricing::Limit { limit }, Side::Sell) => self.sells.insert((limit, order.sequence), order.id),
        };
        if let Some(at) = order.expires_at {
            self.expiries.insert((at, order.sequence, order.id));
        }
        self.orders.insert(order.id, order);
    }

    fn remove(&mut self, id: OrderId) -> Option<BookOrder> {
        let order = self.orders.remove(&id)?;
        match (order.pricing, order.side) {
            (Pricing::Market { .. }, _) => self.markets.remove(&order.sequence),
            (Pricing::Limit { limit }, Side::Buy) => self.buys.remove(&(Reverse(limit), order.sequence)),
            (Pricing::Limit { limit }, Side::Sell) => self.sells.remove(&(limit, order.sequence)),
        };
        if let Some(at) = order.expires_at {
            self.expiries.remove(&(at, order.sequence, id));
        }
        self.unmet.remove(&id);
        Some(order)
    }
}

/// Whether an order may be executed on a quote now.
fn is_usable(quote: &Quote, now: DateTime<Utc>) -> bool {
    let age = now - quote.at;
    let age_max = if quote.delayed { DELAYED_QUOTE_AGE_MAX } else { LIVE_QUOTE_AGE_MAX };
    age <= age_max && age >= -QUOTE_AHEAD_MAX
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
    };
    BookEvent { order_id: order.id, at: now, kind }
}

const fn beyond_protection(order_id: OrderId, at: DateTime<Utc>) -> BookEvent {
    BookEvent { order_id, at, kind: BookEventKind::Canceled(CancelReason::PriceMovedBeyondProtection) }
}
