//! Prices as whole numbers on a market's grid.
//!
//! Recorded and invented paths are computed in integers: a unit is a ten-thousandth of a won or a dollar, which is the
//! finest tick of both markets, so a price that lies on the grid is one exactly. The ticks are the exchange's own; the
//! table in force when the process starts holds for recorded days too, because orders are placed on it today.

use chrono::Utc;
use domain::{Market, Price};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::sync::LazyLock;

/// Digits behind the point of one unit.
const UNIT_SCALE: u32 = 4;
/// Units in one won or dollar.
pub const UNITS_PER_CURRENCY: i64 = 10_000;
/// Highest power of ten units at which a tick may change.
const EDGE_POWER_MAX: u32 = 12;

/// One market's ticks: from this price on, this tick, both in units and in rising order.
type Bands = Vec<(i64, i64)>;

static KRX: LazyLock<Bands> = LazyLock::new(|| bands_today(Market::Krx));
static US: LazyLock<Bands> = LazyLock::new(|| bands_today(Market::Us));

/// Asks the exchange for its ticks at every price where markets change them: one, two and five times a power of ten.
fn bands_today(market: Market) -> Bands {
    let today = Utc::now().date_naive();
    let powers = (0..=EDGE_POWER_MAX).map(|power| 10i64.saturating_pow(power));
    let edges = powers.flat_map(|power| [1, 2, 5].map(|times: i64| times.saturating_mul(power)));
    let band = |edge| Some((edge, units(exchange::tick_size(market, price(edge)?, today))?));
    let mut bands: Bands = edges.filter_map(band).collect();
    bands.dedup_by_key(|(_, tick)| *tick);
    bands
}

/// The nearest whole number of units; nothing when it does not fit.
#[must_use]
pub fn units(value: Decimal) -> Option<i64> {
    value.checked_mul(Decimal::from(UNITS_PER_CURRENCY))?.round().to_i64()
}

/// The price of so many units; nothing for zero and below.
#[must_use]
pub fn price(units: i64) -> Option<Price> {
    Price::new(Decimal::new(units, UNIT_SCALE)).ok()
}

/// The step to the next price above this one.
#[must_use]
pub fn tick(market: Market, units: i64) -> i64 {
    let bands = match market {
        Market::Krx => &*KRX,
        Market::Us => &*US,
    };
    let band = bands.iter().rev().find(|(from, _)| *from <= units).or(bands.first());
    band.map_or(1, |(_, tick)| *tick)
}

/// The step to the next price below this one: at a threshold it is the smaller tick.
#[must_use]
pub fn tick_below(market: Market, units: i64) -> i64 {
    tick(market, units.saturating_sub(1))
}

/// The nearest price on the grid, halves up; never less than one tick.
#[must_use]
pub fn snap(market: Market, units: i64) -> i64 {
    let step = tick(market, units);
    let nearest = units.saturating_add(step / 2).div_euclid(step).saturating_mul(step);
    nearest.max(step)
}

/// The nearest price on the grid that is not above.
#[must_use]
pub fn snap_down(market: Market, units: i64) -> i64 {
    let step = tick(market, units);
    units.div_euclid(step).saturating_mul(step)
}

/// The nearest price on the grid that is not below.
#[must_use]
pub fn snap_up(market: Market, units: i64) -> i64 {
    let down = snap_down(market, units);
    if down == units { units } else { down.saturating_add(tick(market, units)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn won(amount: i64) -> i64 {
        amount * UNITS_PER_CURRENCY
    }

    #[test]
    fn the_korean_tick_follows_the_price() {
        for (price, step) in [
            (1_999, 1),
            (2_000, 5),
            (4_995, 5),
            (5_000, 10),
            (20_000, 50),
            (50_000, 100),
            (200_000, 500),
            (500_000, 1_000),
        ] {
            assert_eq!(tick(Market::Krx, won(price)), won(step), "{price}");
        }
        assert_eq!(
            tick_below(Market::Krx, won(50_000)),
            won(50),
            "one step below a threshold is a step of the band below"
        );
    }

    #[test]
    fn the_american_tick_is_a_cent_from_a_dollar_up() {
        assert_eq!(tick(Market::Us, 10_000), 100);
        assert_eq!(tick(Market::Us, 9_999), 1);
        assert_eq!(price(snap(Market::Us, 1_003_350)).unwrap().to_string(), "100.34");
    }

    proptest! {
        #[test]
        fn the_ticks_are_the_exchanges(units in 1i64..100_000_000_000) {
            for market in [Market::Krx, Market::Us] {
                let asked = exchange::tick_size(market, price(units).unwrap(), Utc::now().date_naive());
                prop_assert_eq!(tick(market, units), super::units(asked).unwrap());
            }
        }

        #[test]
        fn snapping_keeps_the_order_of_prices(first in 1i64..10_000_000_000, second in 1i64..10_000_000_000) {
            for market in [Market::Krx, Market::Us] {
                let (low, high) = (first.min(second), first.max(second));
                prop_assert!(snap(market, low) <= snap(market, high));
                for snapped in [snap(market, low), snap_up(market, low)] {
                    prop_assert_eq!(snapped % tick(market, snapped), 0);
                    prop_assert_eq!(snap(market, snapped), snapped);
                }
                prop_assert!(snap_down(market, high) <= high && high <= snap_up(market, high));
            }
        }
    }
}
