//! How much stands between an order in play and its execution.
//!
//! Three settings with fixed numbers. The numbers are assumptions, and are meant to be: no source tells how much stands
//! at a price, so that what can be known (the volume that was really traded) bounds what can be executed, and the rest is
//! guessed on the careful side. Nothing here draws from a clock or a generator: what differs from order to order follows
//! from the order's id, so that the same orders and the same quotes always give the same executions.

use crate::security::Security;
use crate::sessions::market_day;
use crate::ticks::nearest_legal;
use crate::{Phase, evening, phase};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{OrderId, Price, Quote, Side};
use rust_decimal::Decimal;

/// What is set for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Simulation {
    /// Every order is executed as a whole, at the price it sees: the market is as deep as needed, at every hour.
    #[default]
    Ideal,
    /// As a careful retail trader finds a liquid share.
    Realistic,
    /// As it is on a bad day: slow, thin and expensive.
    Harsh,
}

impl Simulation {
    /// All of them, the easiest first.
    pub const ALL: [Self; 3] = [Self::Ideal, Self::Realistic, Self::Harsh];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ideal => "ideal",
            Self::Realistic => "realistic",
            Self::Harsh => "harsh",
        }
    }

    /// The setting of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// What stands in the way; nothing in the ideal market.
    #[must_use]
    pub const fn friction(self) -> Option<&'static Friction> {
        match self {
            Self::Ideal => None,
            Self::Realistic => Some(&REALISTIC),
            Self::Harsh => Some(&HARSH),
        }
    }
}

/// A ten-thousandth: the unit of every share and every distance here.
const BASIS_POINTS: u32 = 10_000;

/// What stands in the way of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Friction {
    /// From acceptance (or from the trigger of a stop) until the order is in the market, least and most.
    pub latency_milliseconds: (u32, u32),
    /// How much of the volume traded between two quotes can have been with orders of this book, in basis points.
    pub volume_share_basis_points: u32,
    /// What stands at a price before an order that comes to rest there, in basis points of the session's volume so far.
    pub queue_basis_points: u32,
    /// How far bid and ask are from the last price where the source tells none, in basis points.
    pub half_spread_basis_points: u32,
    /// How much worse the price gets for an order that takes all it may of a quote's volume, in basis points; an order
    /// that takes half of it pays half.
    pub impact_basis_points: u32,
    /// How much worse it gets on top of that, at random and at most, in basis points.
    pub noise_basis_points: u32,
}

const REALISTIC: Friction = Friction {
    latency_milliseconds: (50, 250),
    volume_share_basis_points: 1_000,
    queue_basis_points: 10,
    half_spread_basis_points: 2,
    impact_basis_points: 5,
    noise_basis_points: 1,
};

const HARSH: Friction = Friction {
    latency_milliseconds: (250, 2_000),
    volume_share_basis_points: 250,
    queue_basis_points: 50,
    half_spread_basis_points: 5,
    impact_basis_points: 20,
    noise_basis_points: 5,
};

/// What a number is drawn for.
#[derive(Debug, Clone, Copy)]
enum Draw {
    Latency,
    Price,
}

/// A number that follows from an order and what it is drawn for.
fn draw(order: OrderId, purpose: Draw, turn: u32) -> u32 {
    let (high, low) = order.0.as_u64_pair();
    let salt = match purpose {
        Draw::Latency => 0x4c41_5445_4e43_5900,
        Draw::Price => 0x5052_4943_4500_0000,
    };
    let state = high ^ low.rotate_left(32) ^ salt;
    even(state.wrapping_add(u64::from(turn).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// A number that follows from another one, even over all values (the finaliser of SplitMix64).
pub(crate) fn even(mut state: u64) -> u32 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((state ^ (state >> 31)) >> 32).unwrap_or_default()
}

impl Friction {
    /// How long an order is on its way, in its n-th life in the market.
    #[must_use]
    pub fn latency(&self, order: OrderId, turn: u32) -> TimeDelta {
        let (least, most) = self.latency_milliseconds;
        let width = most.saturating_sub(least).saturating_add(1);
        let drawn = draw(order, Draw::Latency, turn).checked_rem(width).unwrap_or_default();
        TimeDelta::milliseconds(i64::from(least.saturating_add(drawn)))
    }

    /// How many shares orders here can have had of what was traded last, when so much has been traded in the session: what is
    /// rounded down is not lost, a later trade completes it.
    #[must_use]
    pub fn volume_share(&self, session_volume: u64, traded: u64) -> u64 {
        let until = |volume| part_of(volume, self.volume_share_basis_points, 0);
        until(session_volume).saturating_sub(until(session_volume.saturating_sub(traded)))
    }

    /// How many shares stand at a price before an order comes to rest there, rounded up.
    #[must_use]
    pub fn queue(&self, session_volume: u64) -> u64 {
        part_of(session_volume, self.queue_basis_points, BASIS_POINTS.saturating_sub(1))
    }

    /// The price at which somebody who takes meets the market.
    #[must_use]
    pub fn touch(&self, side: Side, quote: &Quote, on: NaiveDate) -> Price {
        let told = match side {
            Side::Buy => quote.ask,
            Side::Sell => quote.bid,
        };
        let guessed = || {
            worse(side, quote.symbol.into(), quote.price, Decimal::from(self.half_spread_basis_points), on)
        };
        told.unwrap_or_else(guessed)
    }

    /// What a taker pays or gets who takes this much of what may be taken at the touch.
    #[must_use]
    pub fn taken(
        &self,
        order: OrderId,
        turn: u32,
        side: Side,
        (security, touch): (Security, Price),
        (quantity, allowed): (Decimal, Decimal),
        on: NaiveDate,
    ) -> Price {
        let drawn = Decimal::from(draw(order, Draw::Price, turn)) / Decimal::from(u32::MAX);
        let used = quantity.checked_div(allowed).unwrap_or(Decimal::ONE).min(Decimal::ONE);
        let distance =
            used * Decimal::from(self.impact_basis_points) + drawn * Decimal::from(self.noise_basis_points);
        worse(side, security, touch, distance, on)
    }
}

fn part_of(volume: u64, basis_points: u32, rounding: u32) -> u64 {
    let exact = u128::from(volume) * u128::from(basis_points) + u128::from(rounding);
    u64::try_from(exact / u128::from(BASIS_POINTS)).unwrap_or(u64::MAX)
}

/// Digits behind the point of a price before it is brought to the grid.
const PRICE_DIGITS: u32 = 6;

/// A price so many basis points worse, on the grid, never better than before.
fn worse(side: Side, security: Security, price: Price, basis_points: Decimal, on: NaiveDate) -> Price {
    let ratio = basis_points / Decimal::from(BASIS_POINTS);
    let factor = match side {
        Side::Buy => Decimal::ONE + ratio,
        Side::Sell => Decimal::ONE - ratio,
    };
    let exact = price.value().checked_mul(factor).map(|exact| exact.round_dp(PRICE_DIGITS));
    let Some(exact) = exact.and_then(|exact| Price::new(exact).ok()) else { return price };
    let (below, above) = nearest_legal(security, exact, on);
    match side {
        Side::Buy => above.max(price),
        Side::Sell => below.unwrap_or(price).min(price),
    }
}

/// What a market does at the moment of a quote, for those whose orders are to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trading {
    /// Nothing.
    Nothing,
    /// The regular session, its auctions included.
    Regular,
    /// Trades at the price of the close.
    ClosingPrice,
    /// Trading after the regular session at prices of its own.
    AfterMarket,
    /// The price has no hour: it is recorded or made up, and is played at any.
    AtAnyHour,
}

impl Trading {
    /// What goes on at the moment of a quote.
    #[must_use]
    pub fn at(quote: &Quote) -> Self {
        let market = quote.symbol.market();
        let day = market_day(market, quote.at);
        if quote.simulated || quote.session_date != day {
            return Self::AtAnyHour;
        }
        match phase(market, quote.at) {
            Phase::Open => Self::Regular,
            Phase::After => evening(market, day).map_or(Self::Nothing, |evening| {
                if evening.closing_price.contains(quote.at) {
                    Self::ClosingPrice
                } else if evening.after_market.is_some_and(|span| span.contains(quote.at)) {
                    Self::AfterMarket
                } else {
                    Self::Nothing
                }
            }),
            Phase::Closed | Phase::Pre => Self::Nothing,
        }
    }

    /// Whether an order takes part in it, which joins the evening or waits for regular sessions.
    #[must_use]
    pub const fn admits(self, joins_evening: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Regular | Self::AtAnyHour => true,
            Self::ClosingPrice | Self::AfterMarket => joins_evening,
        }
    }
}

/// The way of an order through a market that has friction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Under which setting the order was taken; a later change of its account's does not touch it.
    pub simulation: Simulation,
    /// From when on it is in the market.
    pub active_at: DateTime<Utc>,
    /// Shares before it in the queue at its limit, those before an earlier order of this book at the same price left
    /// out. Present exactly while it rests in a queue.
    pub ahead: Option<u64>,
    /// How many times it was executed.
    pub executions: u32,
}

impl Course {
    /// The course of an order that is taken now; none in the ideal market.
    #[must_use]
    pub fn new(simulation: Simulation, order: OrderId, now: DateTime<Utc>) -> Option<Self> {
        let friction = simulation.friction()?;
        let active_at = now + friction.latency(order, 0);
        Some(Self { simulation, active_at, ahead: None, executions: 0 })
    }

    /// The same order on its way anew: its terms are others, or what it waited for has come.
    #[must_use]
    pub fn anew(self, order: OrderId, now: DateTime<Utc>) -> Self {
        let turn = self.executions.saturating_add(1);
        let wait = self.simulation.friction().map_or(TimeDelta::zero(), |rule| rule.latency(order, turn));
        Self { active_at: now + wait, ahead: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use proptest::prelude::*;

    fn day() -> NaiveDate {
        "2026-11-20".parse().unwrap()
    }

    fn quote(symbol: &str, price: &str, at: &str, session: &str) -> Quote {
        let (symbol, price): (domain::Symbol, Price) = (symbol.parse().unwrap(), price.parse().unwrap());
        Quote {
            symbol,
            price,
            bid: None,
            ask: None,
            previous_close: None,
            volume: 0,
            currency: Currency::Usd,
            session_date: session.parse().unwrap(),
            open: price,
            high: price,
            low: price,
            at: at.parse().unwrap(),
            source: "test".into(),
            simulated: false,
            delayed: false,
        }
    }

    #[test]
    fn a_setting_is_known_by_its_name() {
        for setting in Simulation::ALL {
            assert_eq!(Simulation::from_name(setting.name()), Some(setting));
        }
        assert_eq!(Simulation::from_name("Ideal"), None);
        assert_eq!(Simulation::default().friction(), None);
    }

    #[test]
    fn harsh_is_worse_than_realistic_in_everything() {
        let (Some(realistic), Some(harsh)) = (Simulation::Realistic.friction(), Simulation::Harsh.friction())
        else {
            panic!("both have friction")
        };
        assert!(harsh.latency_milliseconds.0 >= realistic.latency_milliseconds.1);
        assert!(harsh.volume_share_basis_points < realistic.volume_share_basis_points);
        assert!(harsh.queue_basis_points > realistic.queue_basis_points);
        assert!(harsh.half_spread_basis_points > realistic.half_spread_basis_points);
        assert!(harsh.impact_basis_points > realistic.impact_basis_points);
        assert!(harsh.noise_basis_points > realistic.noise_basis_points);
    }

    #[test]
    fn where_no_bid_and_ask_are_told_they_lie_around_the_last_price_on_the_grid() {
        let friction = Simulation::Realistic.friction().unwrap();
        let korean = quote("005930.KS", "70100", "2026-11-20T02:00:00Z", "2026-11-20");
        let touch = |side, quote: &Quote| friction.touch(side, quote, day()).to_string();
        assert_eq!((touch(Side::Buy, &korean), touch(Side::Sell, &korean)), ("70200".into(), "70000".into()));
        let told = Quote { ask: Some("70100".parse().unwrap()), ..korean };
        assert_eq!(touch(Side::Buy, &told), "70100");
        let american = quote("AAPL", "150", "2026-11-20T15:00:00Z", "2026-11-20");
        assert_eq!(
            (touch(Side::Buy, &american), touch(Side::Sell, &american)),
            ("150.03".into(), "149.97".into())
        );
    }

    #[test]
    fn only_prices_with_a_real_time_keep_the_hours_of_their_market() {
        let is_open = |at, session| Trading::at(&quote("AAPL", "150", at, session)).admits(false);
        assert!(is_open("2026-11-20T15:00:00Z", "2026-11-20"));
        assert!(!is_open("2026-11-20T13:00:00Z", "2026-11-20"), "before the open");
        assert!(!is_open("2026-11-20T21:00:00Z", "2026-11-20"), "the session is over");
        assert!(is_open("2026-11-21T03:00:00Z", "2010-05-06"), "a recorded day is played at any hour");
        let invented =
            Quote { simulated: true, ..quote("AAPL", "150", "2026-11-20T03:00:00Z", "2026-11-19") };
        assert_eq!(Trading::at(&invented), Trading::AtAnyHour);
    }

    #[test]
    fn the_korean_evening_is_for_orders_that_join_it() {
        for (at, expected) in [
            ("2026-11-20T06:29:59Z", Trading::Regular),
            ("2026-11-20T06:30:00Z", Trading::Nothing),
            ("2026-11-20T06:40:00Z", Trading::ClosingPrice),
            ("2026-11-20T07:00:00Z", Trading::AfterMarket),
            ("2026-11-20T11:00:00Z", Trading::Nothing),
        ] {
            let found = Trading::at(&quote("005930.KS", "70000", at, "2026-11-20"));
            assert_eq!(found, expected, "{at}");
            assert_eq!(found.admits(true), expected != Trading::Nothing, "{at}");
            assert_eq!(found.admits(false), expected == Trading::Regular, "{at}");
        }
        // Before the after-market there were auctions that nobody here takes part in.
        assert_eq!(
            Trading::at(&quote("005930.KS", "70000", "2026-09-11T08:00:00Z", "2026-09-11")),
            Trading::Nothing
        );
        assert_eq!(
            Trading::at(&quote("AAPL", "150", "2026-11-20T22:00:00Z", "2026-11-20")),
            Trading::Nothing
        );
    }

    #[test]
    fn shares_of_a_volume_are_rounded_down_and_queues_up() {
        let friction = Simulation::Realistic.friction().unwrap();
        let share = |session_volume, traded| friction.volume_share(session_volume, traded);
        assert_eq!((share(9, 9), share(19, 19), share(u64::MAX, u64::MAX)), (0, 1, u64::MAX / 10));
        assert_eq!(
            (share(19, 10), share(20, 1), share(21, 1)),
            (1, 1, 0),
            "what was rounded down is not lost"
        );
        assert_eq!(share(5, 10), 0, "a source that contradicts itself");
        assert_eq!((friction.queue(0), friction.queue(1), friction.queue(1_000_000)), (0, 1, 1_000));
    }

    proptest! {
        #[test]
        fn an_order_is_always_as_long_on_its_way_and_within_the_bounds(id: u128, turn in 0u32..1_000, harsh: bool) {
            let setting = if harsh { Simulation::Harsh } else { Simulation::Realistic };
            let (friction, id) = (setting.friction().unwrap(), OrderId(uuid::Uuid::from_u128(id)));
            let (least, most) = friction.latency_milliseconds;
            let wait = friction.latency(id, turn);
            prop_assert!(wait >= TimeDelta::milliseconds(least.into()) && wait <= TimeDelta::milliseconds(most.into()));
            prop_assert_eq!(wait, friction.latency(id, turn));
        }

        #[test]
        fn a_taker_never_does_better_than_the_touch_nor_worse_than_the_setting_allows(
            id: u128, cents in 100i64..1_000_000, quantity in 1u32..1_000, allowed in 1u32..1_000, buy: bool, harsh: bool,
        ) {
            let setting = if harsh { Simulation::Harsh } else { Simulation::Realistic };
            let (friction, id) = (setting.friction().unwrap(), OrderId(uuid::Uuid::from_u128(id)));
            let (side, touch) = (if buy { Side::Buy } else { Side::Sell }, Price::new(Decimal::new(cents, 2)).unwrap());
            let sizes = (Decimal::from(quantity.min(allowed)), Decimal::from(allowed));
            let paid = friction.taken(id, 0, side, (Security::Us, touch), sizes, day());
            let most = Decimal::from(friction.impact_basis_points + friction.noise_basis_points) / Decimal::from(BASIS_POINTS);
            let distance = if buy { paid.value() - touch.value() } else { touch.value() - paid.value() };
            prop_assert!(distance >= Decimal::ZERO);
            prop_assert!(distance <= touch.value() * most + Decimal::new(1, 2));
        }
    }
}
