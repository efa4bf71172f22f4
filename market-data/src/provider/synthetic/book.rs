//! The invented order book around an invented price. Pure: seed, share, price and moment decide everything.

use super::NAME;
use crate::grid;
use crate::provider::{Level, OrderBook};
use crate::random::Noise;
use chrono::{DateTime, Utc};
use domain::Symbol;

/// Prices on each side.
const DEPTH: usize = 10;
/// Fewest and most shares at the best price; each further level holds up to as many more.
const QUANTITY_MIN: i64 = 10;
const QUANTITY_STEP: i64 = 900;
/// How long a quantity stays, in seconds.
const STAYS_SECONDS: i64 = 5;

/// The book around a price in units: one tick lies between the price and either side.
pub(super) fn invent(symbol: Symbol, price: i64, seed: u64, at: DateTime<Utc>) -> OrderBook {
    let market = symbol.market();
    let up = |price: i64| price.saturating_add(grid::tick(market, price));
    let down = |price: i64| price.saturating_sub(grid::tick_below(market, price));
    OrderBook {
        symbol,
        currency: symbol.currency(),
        bids: side(symbol, price, down, seed, at),
        asks: side(symbol, price, up, seed, at),
        at,
        source: NAME,
        simulated: true,
    }
}

fn side(symbol: Symbol, price: i64, next: impl Fn(i64) -> i64, seed: u64, at: DateTime<Utc>) -> Vec<Level> {
    let time = at.timestamp().div_euclid(STAYS_SECONDS);
    let prices = std::iter::successors(Some(next(price)), |price| Some(next(*price)));
    let level = |(units, distance): (i64, i64)| {
        // The same price keeps its quantity for a while, whichever level it is on.
        let place = u64::from_ne_bytes(units.wrapping_mul(31).wrapping_add(time).to_ne_bytes());
        let most = QUANTITY_STEP.saturating_mul(distance);
        let quantity = Noise::new(seed, symbol, place).between(QUANTITY_MIN, most);
        Some(Level { price: grid::price(units)?, quantity: u64::try_from(quantity).ok()? })
    };
    prices.take(DEPTH).zip(1..).map_while(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(symbol: &str, price: i64, seed: u64, second: i64) -> OrderBook {
        invent(symbol.parse().unwrap(), price, seed, DateTime::from_timestamp(second, 0).unwrap())
    }

    #[test]
    fn both_sides_lie_on_the_grid_and_do_not_cross() {
        for (symbol, price) in [("005930.KS", 500_000_000), ("AAPL", 1_900_000), ("AAPL", 10_000)] {
            let book = book(symbol, price, 1, 1_800_000_000);
            assert!(book.simulated && book.bids.len() == DEPTH && book.asks.len() == DEPTH);
            assert!(book.bids.windows(2).all(|pair| pair[0].price > pair[1].price));
            assert!(book.asks.windows(2).all(|pair| pair[0].price < pair[1].price));
            assert!(
                book.bids[0].price < grid::price(price).unwrap()
                    && grid::price(price).unwrap() < book.asks[0].price
            );
            for level in book.bids.iter().chain(&book.asks) {
                let units = grid::units(level.price.value()).unwrap();
                assert_eq!(units % grid::tick(book.symbol.market(), units), 0, "{level:?}");
                assert!(level.quantity > 0);
            }
        }
    }

    #[test]
    fn the_same_seed_invents_the_same_book() {
        let first = book("AAPL", 1_900_000, 1, 1_800_000_000);
        assert_eq!(first.bids, book("AAPL", 1_900_000, 1, 1_800_000_004).bids);
        assert_ne!(first.bids, book("AAPL", 1_900_000, 1, 1_800_000_005).bids);
        assert_ne!(first.bids, book("AAPL", 1_900_000, 2, 1_800_000_000).bids);
    }

    #[test]
    fn below_one_tick_there_is_nobody() {
        assert_eq!(book("AAPL", 3, 1, 0).bids.len(), 2);
        assert!(book("AAPL", 1, 1, 0).bids.is_empty());
    }
}
