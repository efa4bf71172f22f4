//! What an order asks for: at which price, for how long, how much. What contradicts itself cannot be written.

use crate::ids::AccountId;
use crate::instrument::Symbol;
use crate::money::{Notional, Percent, Price, Quantity};
use crate::order::Side;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stored and shown name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What a stored name means.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

words! {
    /// How the price of an order is decided.
    OrderType {
        /// At the best price there is.
        Market = "market",
        /// At the limit price or better.
        Limit = "limit",
        /// A market order as soon as the last price reaches the stop price.
        Stop = "stop",
        /// A limit order as soon as the last price reaches the stop price.
        StopLimit = "stop_limit",
        /// A stop whose price follows the market at a distance, never away from it.
        TrailingStop = "trailing_stop",
    }
}

words! {
    /// How long an order stays.
    TimeInForce {
        /// Until the end of the market's regular session; one that comes after it is for the next one, and in Korea for the
        /// evening before that.
        Day = "day",
        /// Until filled or cancelled. Where the exchange ends every order with its session (KRX), who takes it keeps it and
        /// gives it in for each session anew, or refuses it.
        Gtc = "gtc",
        /// What can be executed at once is, the rest is cancelled.
        Ioc = "ioc",
        /// Executed at once and as a whole, or cancelled.
        Fok = "fok",
        /// Only in the next opening auction.
        Opg = "opg",
        /// Only in the next closing auction.
        Cls = "cls",
        /// Until the end of a named day.
        Gtd = "gtd",
    }
}

/// The distance at which a stop follows the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trail {
    /// In units of the price.
    Amount(Price),
    /// In percent of the best price so far.
    Percent(Percent),
}

impl Trail {
    /// The stop price that belongs to the best price so far (`mark`), to nine digits: above the lowest price for a
    /// purchase, below the highest for a sale. `None` when that is no price: a sale's distance of more than everything.
    #[must_use]
    pub fn stop_from(self, side: Side, mark: Price) -> Option<Price> {
        let distance = match self {
            Self::Amount(amount) => amount.value(),
            Self::Percent(percent) => {
                mark.value().checked_mul(percent.value())?.checked_div(Decimal::ONE_HUNDRED)?
            }
        };
        let stop = match side {
            Side::Buy => mark.value().checked_add(distance)?,
            Side::Sell => mark.value().checked_sub(distance)?,
        };
        Price::new(stop.round_dp(PRICE_DIGITS)).ok()
    }
}

/// Digits behind the point of any price.
const PRICE_DIGITS: u32 = 9;

/// How the price is decided, with the prices that it needs: a limit order without a limit cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pricing {
    /// At the best price there is.
    Market,
    /// At this price or better.
    Limit(Price),
    /// At the best price there is, once the last price has reached this one.
    Stop(Price),
    /// At the limit or better, once the last price has reached the stop.
    StopLimit {
        /// Where it wakes up.
        stop: Price,
        /// The worst acceptable price from then on.
        limit: Price,
    },
    /// At the best price there is, once the last price has come back from its best by this distance.
    TrailingStop(Trail),
}

/// The prices of an order as they are sent and stored: each belongs to some types only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PriceFields {
    /// Of limit and stop-limit orders.
    pub limit_price: Option<Price>,
    /// Of stop and stop-limit orders.
    pub stop_price: Option<Price>,
    /// Of trailing stops: this or the percentage.
    pub trail_amount: Option<Price>,
    /// Of trailing stops: this or the amount.
    pub trail_percent: Option<Percent>,
}

impl PriceFields {
    /// Those that an order of a type can have; the others left out.
    #[must_use]
    pub const fn of_type(self, order_type: OrderType) -> Self {
        let none = Self { limit_price: None, stop_price: None, trail_amount: None, trail_percent: None };
        match order_type {
            OrderType::Market => none,
            OrderType::Limit => Self { limit_price: self.limit_price, ..none },
            OrderType::Stop => Self { stop_price: self.stop_price, ..none },
            OrderType::StopLimit => {
                Self { limit_price: self.limit_price, stop_price: self.stop_price, ..none }
            }
            OrderType::TrailingStop => {
                Self { trail_amount: self.trail_amount, trail_percent: self.trail_percent, ..none }
            }
        }
    }
}

/// A field of an order that contradicts another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The field, as the API names it.
    pub field: &'static str,
    /// Stable word.
    pub rule: &'static str,
    /// The same for people.
    pub message: String,
}

impl Contradiction {
    fn new(field: &'static str, rule: &'static str, message: impl Into<String>) -> Self {
        Self { field, rule, message: message.into() }
    }
}

impl Pricing {
    /// Reads the prices of an order of a type.
    ///
    /// # Errors
    /// Every price that is missing (`required`), that the type does not have (`not_allowed`), or that excludes another
    /// (`contradiction`).
    pub fn from_fields(order_type: OrderType, fields: PriceFields) -> Result<Self, Vec<Contradiction>> {
        let PriceFields { limit_price, stop_price, trail_amount, trail_percent } = fields;
        let mut wrong = Vec::new();
        let has_limit = matches!(order_type, OrderType::Limit | OrderType::StopLimit);
        let has_stop = matches!(order_type, OrderType::Stop | OrderType::StopLimit);
        let trails = order_type == OrderType::TrailingStop;
        let word = order_type.name();
        let mut check = |field, given: bool, allowed: bool, needed: bool| {
            if given && !allowed {
                let message = format!("must not be given for an order of type {word}");
                wrong.push(Contradiction::new(field, "not_allowed", message));
            } else if needed && !given {
                let message = format!("is required for an order of type {word}");
                wrong.push(Contradiction::new(field, "required", message));
            }
        };
        check("limitPrice", limit_price.is_some(), has_limit, has_limit);
        check("stopPrice", stop_price.is_some(), has_stop, has_stop);
        check("trailAmount", trail_amount.is_some(), trails, trails && trail_percent.is_none());
        check("trailPercent", trail_percent.is_some(), trails, false);
        if trails && trail_amount.is_some() && trail_percent.is_some() {
            let message = "must not be given together with trailAmount";
            wrong.push(Contradiction::new("trailPercent", "contradiction", message));
        }
        let pricing = match (order_type, limit_price, stop_price, trail_amount, trail_percent) {
            (OrderType::Market, ..) => Some(Self::Market),
            (OrderType::Limit, Some(limit), ..) => Some(Self::Limit(limit)),
            (OrderType::Stop, _, Some(stop), ..) => Some(Self::Stop(stop)),
            (OrderType::StopLimit, Some(limit), Some(stop), ..) => Some(Self::StopLimit { stop, limit }),
            (OrderType::TrailingStop, _, _, Some(amount), _) => {
                Some(Self::TrailingStop(Trail::Amount(amount)))
            }
            (OrderType::TrailingStop, _, _, _, Some(percent)) => {
                Some(Self::TrailingStop(Trail::Percent(percent)))
            }
            _ => None,
        };
        pricing.filter(|_| wrong.is_empty()).ok_or(wrong)
    }

    /// The prices, each where it is sent and stored.
    #[must_use]
    pub const fn fields(self) -> PriceFields {
        PriceFields {
            limit_price: self.limit_price(),
            stop_price: match self {
                Self::Stop(stop) | Self::StopLimit { stop, .. } => Some(stop),
                Self::Market | Self::Limit(_) | Self::TrailingStop(_) => None,
            },
            trail_amount: match self {
                Self::TrailingStop(Trail::Amount(amount)) => Some(amount),
                _ => None,
            },
            trail_percent: match self {
                Self::TrailingStop(Trail::Percent(percent)) => Some(percent),
                _ => None,
            },
        }
    }

    /// The type of an order priced so.
    #[must_use]
    pub const fn order_type(self) -> OrderType {
        match self {
            Self::Market => OrderType::Market,
            Self::Limit(_) => OrderType::Limit,
            Self::Stop(_) => OrderType::Stop,
            Self::StopLimit { .. } => OrderType::StopLimit,
            Self::TrailingStop(_) => OrderType::TrailingStop,
        }
    }

    /// The limit, if there is one.
    #[must_use]
    pub const fn limit_price(self) -> Option<Price> {
        match self {
            Self::Limit(limit) | Self::StopLimit { limit, .. } => Some(limit),
            Self::Market | Self::Stop(_) | Self::TrailingStop(_) => None,
        }
    }

    /// Whether it waits for a price before it works.
    #[must_use]
    pub const fn has_trigger(self) -> bool {
        matches!(self, Self::Stop(_) | Self::StopLimit { .. } | Self::TrailingStop(_))
    }
}

/// How long an order stays, with the day where one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// Until the end of the market's regular session.
    Day,
    /// Until filled or cancelled.
    Gtc,
    /// What can be executed at once is, the rest is cancelled.
    Ioc,
    /// Executed at once and as a whole, or cancelled.
    Fok,
    /// Only in the next opening auction.
    Opg,
    /// Only in the next closing auction.
    Cls,
    /// Until the regular close of this day.
    Gtd(NaiveDate),
}

impl Lifetime {
    /// Reads a time in force with its day.
    ///
    /// # Errors
    /// A day that is missing, or given where none belongs.
    pub fn from_fields(
        time_in_force: TimeInForce,
        expire_date: Option<NaiveDate>,
    ) -> Result<Self, Contradiction> {
        if let (Some(_), false) = (expire_date, time_in_force == TimeInForce::Gtd) {
            let message = format!("must not be given with time in force {}", time_in_force.name());
            return Err(Contradiction::new("expireDate", "not_allowed", message));
        }
        Ok(match (time_in_force, expire_date) {
            (TimeInForce::Day, _) => Self::Day,
            (TimeInForce::Gtc, _) => Self::Gtc,
            (TimeInForce::Ioc, _) => Self::Ioc,
            (TimeInForce::Fok, _) => Self::Fok,
            (TimeInForce::Opg, _) => Self::Opg,
            (TimeInForce::Cls, _) => Self::Cls,
            (TimeInForce::Gtd, Some(date)) => Self::Gtd(date),
            (TimeInForce::Gtd, None) => {
                let message = "is required with time in force gtd";
                return Err(Contradiction::new("expireDate", "required", message));
            }
        })
    }

    /// Its word.
    #[must_use]
    pub const fn time_in_force(self) -> TimeInForce {
        match self {
            Self::Day => TimeInForce::Day,
            Self::Gtc => TimeInForce::Gtc,
            Self::Ioc => TimeInForce::Ioc,
            Self::Fok => TimeInForce::Fok,
            Self::Opg => TimeInForce::Opg,
            Self::Cls => TimeInForce::Cls,
            Self::Gtd(_) => TimeInForce::Gtd,
        }
    }

    /// Its day, where one is named.
    #[must_use]
    pub const fn expire_date(self) -> Option<NaiveDate> {
        match self {
            Self::Gtd(date) => Some(date),
            _ => None,
        }
    }
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// So many shares.
    Shares(Quantity),
    /// As many shares as this much money pays for, fees apart.
    Notional(Notional),
}

/// An order as its owner wants it, before anybody has judged it. It never changes, whatever becomes of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder {
    /// For which account.
    pub account_id: AccountId,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// At which price.
    pub pricing: Pricing,
    /// For how long.
    pub lifetime: Lifetime,
    /// How much.
    pub size: Size,
}

impl NewOrder {
    /// Which of its parts do not go together.
    ///
    /// Auctions know market and limit orders only, and what is to happen at once cannot wait for a price (as Alpaca has
    /// it). Fractions and amounts of money are for market and limit orders of the day.
    #[must_use]
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let mut wrong = Vec::new();
        let word = self.lifetime.time_in_force().name();
        let waits_for_nothing =
            matches!(self.lifetime, Lifetime::Ioc | Lifetime::Fok | Lifetime::Opg | Lifetime::Cls);
        if waits_for_nothing && self.pricing.has_trigger() {
            let message = format!("{word} goes with market and limit orders only");
            wrong.push(Contradiction::new("timeInForce", "combination", message));
        }
        let of_the_day = self.lifetime == Lifetime::Day && !self.pricing.has_trigger();
        match self.size {
            Size::Notional(_) if !of_the_day => {
                let message = "an amount of money goes with market and limit orders of the day only";
                wrong.push(Contradiction::new("notional", "combination", message));
            }
            Size::Shares(quantity) if !quantity.is_whole() && !of_the_day => {
                let message = "a fraction of a share goes with market and limit orders of the day only";
                wrong.push(Contradiction::new("quantity", "combination", message));
            }
            Size::Notional(_) | Size::Shares(_) => {}
        }
        wrong
    }
}

#[cfg(test)]
mod tests;
