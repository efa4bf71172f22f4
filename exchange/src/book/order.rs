//! An order as a book keeps it.

use crate::auctions::{AuctionKind, next_auction};
use crate::phases::evening;
use crate::security::Security;
use crate::sessions::{market_day, regular_close, regular_close_after, trading_day_before};
use crate::simulation::Course;
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::OrderRequest;
use domain::{
    Contradiction, Lifetime, Market, OrderId, OrderType, Price, PriceFields, Quantity, Side, Symbol, Trail,
};
use thiserror::Error;

/// How long an order that is to be executed at once waits for its first price: the market of a symbol that nobody
/// followed has to be called first.
pub const AT_ONCE_WAIT_MAX: TimeDelta = TimeDelta::seconds(10);
/// How long after an auction its price is waited for: sources may hold prices back for twenty minutes.
pub const AUCTION_PRICE_WAIT_MAX: TimeDelta = TimeDelta::minutes(30);

/// How an order that works is priced.
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

/// What an order waits for before it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The last price at or beyond this one.
    Stop(Price),
    /// The last price come back from its best by a distance.
    Trailing {
        /// The distance.
        trail: Trail,
        /// The best last price since the order arrived: the lowest for a purchase, the highest for a sale.
        mark: Option<Price>,
    },
}

impl Trigger {
    /// Where it is at the moment; unknown for a trailing stop that has seen no price.
    #[must_use]
    pub fn stop_price(self, side: Side) -> Option<Price> {
        match self {
            Self::Stop(stop) => Some(stop),
            Self::Trailing { trail, mark } => mark.and_then(|mark| trail.stop_from(side, mark)),
        }
    }

    /// Whether the last price wakes the order up: a purchase when the market rises to its stop, a sale when it falls.
    pub(super) fn is_reached(self, side: Side, last: Price) -> bool {
        self.stop_price(side).is_some_and(|stop| match side {
            Side::Buy => last >= stop,
            Side::Sell => last <= stop,
        })
    }

    /// Moves the mark of a trailing stop to a better last price; gives the new mark where there is one.
    pub(super) fn follow(&mut self, side: Side, last: Price) -> Option<Price> {
        let Self::Trailing { mark, .. } = self else { return None };
        let is_better = mark.is_none_or(|mark| match side {
            Side::Buy => last < mark,
            Side::Sell => last > mark,
        });
        if is_better {
            *mark = Some(last);
        }
        mark.filter(|_| is_better)
    }
}

/// When and where an order is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Whenever the market reaches it.
    Rests,
    /// As much as there is at the first price it meets; the rest never.
    AtOnce,
    /// All of it at the first price it meets, or nothing.
    AllAtOnce,
    /// In one auction, or never.
    Auction {
        /// Which.
        kind: AuctionKind,
        /// When.
        at: DateTime<Utc>,
    },
}

impl Patience {
    /// Whether it ends at the first price it meets.
    #[must_use]
    pub const fn is_at_once(self) -> bool {
        matches!(self, Self::AtOnce | Self::AllAtOnce)
    }
}

/// Why a request is no order for a book.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct OrderError {
    /// Stable word.
    pub code: &'static str,
    /// The same for people.
    pub message: String,
}

impl From<Contradiction> for OrderError {
    fn from(wrong: Contradiction) -> Self {
        let code = match wrong.field {
            "limitPrice" => "limit_price",
            "stopPrice" => "stop_price",
            "trailAmount" | "trailPercent" => "trail",
            "expireDate" => "expire_date",
            _ => "combination",
        };
        Self { code, message: format!("{} {}", wrong.field, wrong.message) }
    }
}

/// An order as a book keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookOrder {
    /// Which order.
    pub id: OrderId,
    /// Buy or sell.
    pub side: Side,
    /// At which price, once it works.
    pub pricing: Pricing,
    /// What it waits for first.
    pub trigger: Option<Trigger>,
    /// When it is executed.
    pub patience: Patience,
    /// How many shares are open.
    pub quantity: Quantity,
    /// Of two orders at one price the one with the smaller number is served first. Unique in a book.
    pub sequence: i64,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its way through a market that has friction; none where it has the market to itself.
    pub course: Option<Course>,
    /// Whether it takes part in what is traded after the regular session; only friction keeps hours.
    pub joins_evening: bool,
}

impl BookOrder {
    /// The order of a request, with its place in the queue.
    ///
    /// # Errors
    /// [`OrderError`] when its parts do not go together.
    pub fn new(request: &OrderRequest, sequence: i64) -> Result<Self, OrderError> {
        let market = request.symbol.market();
        let pricing = request.pricing().map_err(first)?;
        let (pricing, trigger) = working(pricing, request.protection_price)?;
        let lifetime = request.lifetime()?;
        let patience = patience(market, lifetime, request.submitted_at);
        if trigger.is_some() && patience != Patience::Rests {
            let message = "what is executed at once or in an auction cannot wait for a price".to_owned();
            return Err(OrderError { code: "combination", message });
        }
        let is_plain_limit = matches!((pricing, trigger), (Pricing::Limit { .. }, None));
        let joins_evening = is_plain_limit
            && lifetime == Lifetime::Day
            && is_for_evening(request.symbol, request.submitted_at);
        Ok(Self {
            id: request.order_id,
            side: request.side,
            pricing,
            trigger,
            patience,
            quantity: request.quantity,
            sequence,
            expires_at: expires_at(market, lifetime, patience, request.submitted_at),
            course: None,
            joins_evening,
        })
    }

    /// Whether it rests at its limit once it has met a price, with the market to itself.
    pub(super) const fn may_rest_at_its_limit(&self) -> bool {
        matches!((self.pricing, self.patience), (Pricing::Limit { .. }, Patience::Rests))
            && self.trigger.is_none()
            && self.course.is_none()
    }

    /// The same order with new prices; `None` of them or those of another type are errors.
    ///
    /// # Errors
    /// [`OrderError`] when the prices do not go with the order's type.
    pub fn repriced(
        &self,
        order_type: OrderType,
        fields: PriceFields,
        protection: Option<Price>,
    ) -> Result<Self, OrderError> {
        let pricing = domain::Pricing::from_fields(order_type, fields).map_err(first)?;
        let (pricing, trigger) = working(pricing, protection)?;
        let trigger = match (self.trigger, trigger) {
            // It has been triggered: what it waited for is history.
            (None, _) => None,
            (Some(Trigger::Trailing { mark, .. }), Some(Trigger::Trailing { trail, .. })) => {
                Some(Trigger::Trailing { trail, mark })
            }
            (Some(_), trigger) => trigger,
        };
        Ok(Self { pricing, trigger, ..self.clone() })
    }

    /// The worst acceptable price.
    pub(super) const fn worst(&self) -> Price {
        let (Pricing::Market { protection: worst } | Pricing::Limit { limit: worst }) = self.pricing;
        worst
    }

    /// Whether a price is as good as asked for, or better.
    pub(super) fn accepts(&self, price: Price) -> bool {
        match self.side {
            Side::Buy => price <= self.worst(),
            Side::Sell => price >= self.worst(),
        }
    }
}

fn first(wrong: Vec<Contradiction>) -> OrderError {
    wrong.into_iter().next().map_or_else(
        || OrderError { code: "combination", message: "the prices do not go together".to_owned() },
        OrderError::from,
    )
}

fn working(
    pricing: domain::Pricing,
    protection: Option<Price>,
) -> Result<(Pricing, Option<Trigger>), OrderError> {
    let working = match (pricing.limit_price(), protection) {
        (Some(limit), None) => Pricing::Limit { limit },
        (None, Some(protection)) => Pricing::Market { protection },
        (Some(_), Some(_)) | (None, None) => {
            let message = "a protection price belongs to orders without a limit, and only to them".to_owned();
            return Err(OrderError { code: "protection_price", message });
        }
    };
    let trigger = match pricing {
        domain::Pricing::Market | domain::Pricing::Limit(_) => None,
        domain::Pricing::Stop(stop) | domain::Pricing::StopLimit { stop, .. } => Some(Trigger::Stop(stop)),
        domain::Pricing::TrailingStop(trail) => Some(Trigger::Trailing { trail, mark: None }),
    };
    Ok((working, trigger))
}

/// Whether an order of the day that comes at this moment is for the evening as well as for the session to come. The Korean
/// after-market takes limit orders on shares, and funds not yet (notices of September 2026).
fn is_for_evening(symbol: Symbol, submitted_at: DateTime<Utc>) -> bool {
    let market = symbol.market();
    let is_in_time = || {
        let evening = evening(market, market_day(market, submitted_at));
        evening.is_some_and(|evening| evening.orders.contains(submitted_at))
    };
    Security::from(symbol) == Security::KrxShare && is_in_time()
}

fn patience(market: Market, lifetime: Lifetime, submitted_at: DateTime<Utc>) -> Patience {
    let auction = |kind| Patience::Auction { kind, at: next_auction(market, kind, submitted_at) };
    match lifetime {
        Lifetime::Day | Lifetime::Gtc | Lifetime::Gtd(_) => Patience::Rests,
        Lifetime::Ioc => Patience::AtOnce,
        Lifetime::Fok => Patience::AllAtOnce,
        Lifetime::Opg => auction(AuctionKind::Opening),
        Lifetime::Cls => auction(AuctionKind::Closing),
    }
}

fn expires_at(
    market: Market,
    lifetime: Lifetime,
    patience: Patience,
    submitted_at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match (patience, lifetime) {
        (Patience::AtOnce | Patience::AllAtOnce, _) => Some(submitted_at + AT_ONCE_WAIT_MAX),
        (Patience::Auction { at, .. }, _) => Some(at + AUCTION_PRICE_WAIT_MAX),
        (Patience::Rests, Lifetime::Gtc) => None,
        // A day without trading ends with the session before it.
        (Patience::Rests, Lifetime::Gtd(day)) => regular_close(market, day)
            .or_else(|| regular_close(market, trading_day_before(market, day)))
            .or(Some(submitted_at)),
        (Patience::Rests, _) => Some(regular_close_after(market, submitted_at)),
    }
}
