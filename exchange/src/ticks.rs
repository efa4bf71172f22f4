//! Tick sizes: the grid of prices at which an order may be placed.

use crate::dated::{Since, in_force, since};
use crate::security::Security;
use chrono::NaiveDate;
use domain::Price;
use rust_decimal::Decimal;

/// One band: below this price (exclusive) this tick. Both as (mantissa, scale).
type Band = (Option<i64>, (i64, u32));

/// KRX until 2023-01-24: the bands of the main board. KOSDAQ stopped at 100 KRW; recorded prices of that time do
/// not say their board in a way that matters to an order of today.
const KRX_BEFORE_2023: &[Band] = &[
    (Some(1_000), (1, 0)),
    (Some(5_000), (5, 0)),
    (Some(10_000), (10, 0)),
    (Some(50_000), (50, 0)),
    (Some(100_000), (100, 0)),
    (Some(500_000), (500, 0)),
    (None, (1_000, 0)),
];

/// KRX since 2023-01-25, one table for both boards (KRX announcement of January 2023).
const KRX_SINCE_2023: &[Band] = &[
    (Some(2_000), (1, 0)),
    (Some(5_000), (5, 0)),
    (Some(20_000), (10, 0)),
    (Some(50_000), (50, 0)),
    (Some(200_000), (100, 0)),
    (Some(500_000), (500, 0)),
    (None, (1_000, 0)),
];

/// Regulation NMS rule 612: a cent from one dollar on, a hundredth of a cent below. The half-cent tick is postponed
/// to November 2027 (SEC release 34-105656) and joins this table when it is certain.
const US: &[Band] = &[(Some(1), (1, 4)), (None, (1, 2))];

const KRX_LATER: &[Since<&[Band]>] = &[since(2023, 1, 25, KRX_SINCE_2023)];

/// Funds and notes on KRX: 5 KRW at every price.
const KRX_FUND_FIRST: &[Band] = &[(None, (5, 0))];
/// Those below 2,000 KRW have a tick of 1 KRW since December 2023 (KRX announcement of 2023-10-05; the press names the 8th
/// and the 18th, the later one is taken).
const KRX_FUND_SINCE_2023: &[Band] = &[(Some(2_000), (1, 0)), (None, (5, 0))];

const KRX_FUND_LATER: &[Since<&[Band]>] = &[since(2023, 12, 18, KRX_FUND_SINCE_2023)];

fn bands(security: Security, on: NaiveDate) -> &'static [Band] {
    match security {
        Security::KrxShare => in_force(KRX_BEFORE_2023, KRX_LATER, on),
        Security::KrxFund | Security::KrxDoubleFund => in_force(KRX_FUND_FIRST, KRX_FUND_LATER, on),
        Security::Us => US,
    }
}

fn tick_of(security: Security, price: Decimal, on: NaiveDate) -> Decimal {
    bands(security, on)
        .iter()
        .find(|(below, _)| below.is_none_or(|below| price < Decimal::from(below)))
        .map_or(Decimal::ONE, |(_, (mantissa, scale))| Decimal::new(*mantissa, *scale))
}

/// The step between legal prices at this price; the price itself chooses the band.
#[must_use]
pub fn tick_size(security: impl Into<Security>, price: Price, on: NaiveDate) -> Decimal {
    tick_of(security.into(), price.value(), on)
}

/// The steps in force on a day, each with the price from which on it holds; the lowest first, from zero.
#[must_use]
pub fn tick_bands(security: impl Into<Security>, on: NaiveDate) -> Vec<(Decimal, Decimal)> {
    let bands = bands(security.into(), on);
    let starts = std::iter::once(0).chain(bands.iter().filter_map(|(below, _)| *below));
    let ticks = bands.iter().map(|(_, (mantissa, scale))| Decimal::new(*mantissa, *scale));
    starts.map(Decimal::from).zip(ticks).collect()
}

/// Whether an order may name this price.
#[must_use]
pub fn is_on_grid(security: impl Into<Security>, price: Price, on: NaiveDate) -> bool {
    (price.value() % tick_size(security, price, on)).is_zero()
}

/// The greatest legal price not above and the least legal price not below. There is none below when the price is
/// smaller than the smallest tick. A price on the grid is both.
#[must_use]
pub fn nearest_legal(security: impl Into<Security>, price: Price, on: NaiveDate) -> (Option<Price>, Price) {
    let tick = tick_size(security, price, on);
    // Every band starts at a multiple of its own tick and of the tick before it, so neither step leaves the grid.
    let below = price.value() - price.value() % tick;
    let above = if below == price.value() { below } else { below + tick };
    let below = Price::new(below).ok();
    (below, Price::new(above).ok().or(below).unwrap_or(price))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Market, Symbol};
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn the_korean_table_of_2023_holds_at_its_edges() {
        for (at, tick) in [
            ("1999", "1"),
            ("2000", "5"),
            ("4995", "5"),
            ("5000", "10"),
            ("19990", "10"),
            ("20000", "50"),
            ("50000", "100"),
            ("199900", "100"),
            ("200000", "500"),
            ("499500", "500"),
            ("500000", "1000"),
            ("9000000", "1000"),
        ] {
            assert_eq!(tick_size(Market::Krx, price(at), day("2026-11-20")).to_string(), tick, "{at}");
        }
    }

    #[test]
    fn the_bands_say_at_every_edge_what_the_tick_is() {
        for security in [Security::KrxShare, Security::KrxFund, Security::KrxDoubleFund, Security::Us] {
            let on = day("2026-11-20");
            let bands = tick_bands(security, on);
            assert_eq!(bands.first().map(|(from, _)| *from), Some(Decimal::ZERO));
            for (from, tick) in bands {
                let at = from.max(Decimal::new(1, 4));
                assert_eq!(
                    tick_size(security, Price::new(at).unwrap(), on),
                    tick,
                    "{security:?} from {from}"
                );
            }
        }
    }

    #[test]
    fn the_table_changes_on_its_day() {
        let at = price("15000");
        assert_eq!(tick_size(Market::Krx, at, day("2023-01-24")).to_string(), "50");
        assert_eq!(tick_size(Market::Krx, at, day("2023-01-25")).to_string(), "10");
    }

    #[test]
    fn funds_have_ticks_of_their_own() {
        let fund: Symbol = "069500.KS".parse().unwrap();
        for (at, on, tick) in [
            ("40005", "2026-11-20", "5"),
            ("600000", "2026-11-20", "5"),
            ("2000", "2026-11-20", "5"),
            ("1999", "2026-11-20", "1"),
            ("1999", "2023-12-15", "5"),
        ] {
            assert_eq!(tick_size(fund, price(at), day(on)).to_string(), tick, "{at} on {on}");
        }
        let on = day("2026-11-20");
        assert!(is_on_grid(fund, price("40005"), on) && !is_on_grid(Market::Krx, price("40005"), on));
        assert_eq!(nearest_legal(fund, price("40007"), on), (Some(price("40005")), price("40010")));
    }

    #[test]
    fn a_dollar_divides_the_american_grid() {
        let on = day("2026-11-20");
        assert!(is_on_grid(Market::Us, price("0.9999"), on));
        assert!(!is_on_grid(Market::Us, price("1.0001"), on));
        assert!(is_on_grid(Market::Us, price("150.25"), on));
        assert_eq!(nearest_legal(Market::Us, price("0.99995"), on), (Some(price("0.9999")), price("1")));
        assert_eq!(nearest_legal(Market::Us, price("0.00005"), on), (None, price("0.0001")));
    }

    #[test]
    fn the_nearest_legal_prices_stand_on_both_sides() {
        let on = day("2026-11-20");
        assert_eq!(nearest_legal(Market::Krx, price("70150"), on), (Some(price("70100")), price("70200")));
        assert_eq!(nearest_legal(Market::Krx, price("199950"), on), (Some(price("199900")), price("200000")));
        assert_eq!(nearest_legal(Market::Krx, price("70100"), on), (Some(price("70100")), price("70100")));
    }

    proptest! {
        #[test]
        fn the_neighbours_are_legal_and_enclose_the_price(mantissa in 1i64..9_000_000_000, scale in 0u32..6, which in 0usize..3, old: bool) {
            let market = [Security::KrxShare, Security::KrxFund, Security::Us][which];
            let on = if old { day("2020-01-02") } else { day("2026-11-20") };
            let wanted = Price::new(Decimal::new(mantissa, scale)).unwrap();
            let (below, above) = nearest_legal(market, wanted, on);
            prop_assert!(is_on_grid(market, above, on) && above >= wanted);
            if let Some(below) = below {
                prop_assert!(is_on_grid(market, below, on) && below <= wanted);
                prop_assert!(above.value() - below.value() <= tick_size(market, wanted, on));
            }
        }
    }
}
