//! Prices as whole numbers on a market's grid.
//!
//! Recorded and invented paths are computed in integers: a unit is a ten-thousandth of a won or a dollar, which is the
//! finest tick of both markets, so a price that lies on the grid is one exactly.

use domain::{Market, Price};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Digits behind the point of one unit.
const UNIT_SCALE: u32 = 4;
/// Units in one won or dollar.
pub const UNITS_PER_CURRENCY: i64 = 10_000;

/// Ticks of the Korea Exchange since 2023-01-25: below this price in won, this tick in won.
const KRX_TICKS: [(i64, i64); 6] =
    [(2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500)];
/// Tick of the Korea Exchange from the last threshold up, in won.
const KRX_TICK_MAX: i64 = 1_000;
/// Tick in the United States from one dollar up (Rule 612), in units.
const US_TICK: i64 = 100;
/// Tick in the United States below one dollar, in units.
const US_TICK_BELOW_ONE_DOLLAR: i64 = 1;

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
    match market {
        Market::Us if units < UNITS_PER_CURRENCY => US_TICK_BELOW_ONE_DOLLAR,
        Market::Us => US_TICK,
        Market::Krx => {
            let step = KRX_TICKS.iter().find(|(below, _)| units < below.saturating_mul(UNITS_PER_CURRENCY));
            step.map_or(KRX_TICK_MAX, |(_, step)| *step).saturating_mul(UNITS_PER_CURRENCY)
        }
    }
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
