//! How one recorded day is walked: from its open over its extremes to its close.

use crate::grid;
use crate::random::Noise;
use domain::{Market, Symbol};

/// Size of the noise, as a part of the day's range.
const NOISE_PART: i64 = 12;

/// A day's four prices in units, on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUnits {
    /// First price.
    pub open: i64,
    /// Highest.
    pub high: i64,
    /// Lowest.
    pub low: i64,
    /// Last.
    pub close: i64,
}

/// The prices of a day in the order they are played, in units: the first is the open, the last the close, and the high
/// and the low are both touched. A rising day visits its low first, a falling one its high.
///
/// `ticks` below four is taken as four. The same arguments give the same path.
#[must_use]
pub fn walk(day: DayUnits, symbol: Symbol, ticks: usize, seed: u64) -> Vec<i64> {
    let market = symbol.market();
    let mut noise = Noise::new(seed, symbol, 0);
    let last = ticks.max(4) - 1;
    let (first_turn, second_turn) = turns(last, &mut noise);
    let (early, late) = if day.close > day.open { (day.low, day.high) } else { (day.high, day.low) };
    let corners = [(0, day.open), (first_turn, early), (second_turn, late), (last, day.close)];

    let mut path = Vec::with_capacity(last + 1);
    for pair in corners.windows(2) {
        if let [from, to] = pair {
            leg(*from, *to, day, market, &mut noise, &mut path);
        }
    }
    path.push(day.close);
    path
}

/// Where the two extremes are touched: in the second and the fourth fifth of the day, apart from each other and from
/// both ends.
fn turns(last: usize, noise: &mut Noise) -> (usize, usize) {
    let whole = i64::try_from(last).unwrap_or(i64::MAX);
    let first = noise.between(whole / 5, whole * 2 / 5).clamp(1, whole - 2);
    let second = noise.between(whole * 3 / 5, whole * 4 / 5).clamp(first + 1, whole - 1);
    (usize::try_from(first).unwrap_or(1), usize::try_from(second).unwrap_or(2))
}

/// The prices from one corner up to, not including, the next.
fn leg(
    (start, from): (usize, i64),
    (end, to): (usize, i64),
    day: DayUnits,
    market: Market,
    noise: &mut Noise,
    path: &mut Vec<i64>,
) {
    let length = i64::try_from(end - start).unwrap_or(i64::MAX).max(1);
    let reach = (day.high - day.low) / NOISE_PART;
    for (step, _) in (0i64..).zip(start..end) {
        if step == 0 {
            path.push(from);
            continue;
        }
        let straight = from.saturating_add((to - from).saturating_mul(step) / length);
        let noisy = straight.saturating_add(noise.between(-reach, reach));
        path.push(grid::snap(market, noisy).clamp(day.low, day.high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn symbol(market: Market) -> Symbol {
        if market == Market::Krx { "005930.KS".parse().unwrap() } else { "AAPL".parse().unwrap() }
    }

    prop_compose! {
        fn any_day()(market in prop::sample::select(vec![Market::Krx, Market::Us]), prices in prop::array::uniform4(1i64..20_000_000_000))
            -> (Market, DayUnits) {
            let mut prices = prices.map(|units| grid::snap(market, units));
            prices.sort_unstable();
            let [low, one, other, high] = prices;
            (market, DayUnits { open: if low % 2 == 0 { one } else { other }, high, low, close: if high % 3 == 0 { one } else { other } })
        }
    }

    proptest! {
        #[test]
        fn a_path_is_the_day_that_was_recorded((market, day) in any_day(), ticks in 4usize..300, seed in any::<u64>()) {
            let path = walk(day, symbol(market), ticks, seed);
            prop_assert_eq!(path.len(), ticks);
            prop_assert_eq!(path.first().copied(), Some(day.open));
            prop_assert_eq!(path.last().copied(), Some(day.close));
            prop_assert_eq!(path.iter().max().copied(), Some(day.high));
            prop_assert_eq!(path.iter().min().copied(), Some(day.low));
            for units in &path {
                prop_assert_eq!(units % grid::tick(market, *units), 0, "{} is off the grid", units);
            }
            prop_assert_eq!(&path, &walk(day, symbol(market), ticks, seed), "the same day twice");
        }
    }

    #[test]
    fn a_rising_day_visits_its_low_first_and_a_falling_one_its_high() {
        let position = |path: &[i64], units| path.iter().position(|value| *value == units).unwrap();
        let rising = DayUnits { open: 1_000_000, high: 1_100_000, low: 900_000, close: 1_050_000 };
        let path = walk(rising, symbol(Market::Us), 120, 1);
        assert!(position(&path, rising.low) < position(&path, rising.high));
        let falling = DayUnits { close: 950_000, ..rising };
        let path = walk(falling, symbol(Market::Us), 120, 1);
        assert!(position(&path, falling.high) < position(&path, falling.low));
    }

    #[test]
    fn a_day_of_one_price_stays_there() {
        let still = DayUnits { open: 500, high: 500, low: 500, close: 500 };
        assert!(walk(still, symbol(Market::Us), 10, 9).iter().all(|units| *units == 500));
    }
}
