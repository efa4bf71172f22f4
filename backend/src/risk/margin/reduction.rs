//! What is sold and bought back where the equity of an account is below what must stay and nobody does anything about it. Pure.

use super::{Exposure, MarginBook};
use domain::{Side, Symbol};
use rust_decimal::Decimal;
use std::cmp::Reverse;

/// Percent of its worth that a reduction may cost: fees, the spread, and a price that moves until it is executed.
const COST_PERCENT_MAX: Decimal = Decimal::ONE;

/// Shares of one symbol that are to go, or, of those sold short, to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduction {
    /// Which.
    pub symbol: Symbol,
    /// Sold where they are held, bought where they are owed.
    pub side: Side,
    /// How many; whole where not all of them.
    pub quantity: Decimal,
}

impl MarginBook {
    /// The least that brings the equity to what must stay, at the prices of now and what it may cost: the positions that ask for
    /// the most equity first, no share beyond what is held or owed. Nothing where the equity is enough; everything where
    /// nothing less helps.
    #[must_use]
    pub fn reductions(&self) -> Vec<Reduction> {
        let mut missing = self.required_to_stay() - self.equity();
        let mut open: Vec<(Symbol, &Exposure)> = self
            .exposures
            .iter()
            .filter(|(_, exposure)| !exposure.value().is_zero())
            .map(|(symbol, exposure)| (*symbol, exposure))
            .collect();
        // By symbol already; those that ask for as much stay so.
        open.sort_by_key(|(_, exposure)| Reverse(exposure.required_to_stay(&self.rules)));
        let mut reductions = Vec::new();
        for (symbol, exposure) in open {
            if missing <= Decimal::ZERO {
                break;
            }
            let held = exposure.quantity.abs();
            let rate = exposure.staying_rate(&self.rules) - COST_PERCENT_MAX / Decimal::ONE_HUNDRED;
            let relief = exposure.mark() * rate;
            let enough = missing.checked_div(relief).map_or(held, |shares| shares.ceil());
            let quantity = enough.min(held);
            missing -= relief * quantity;
            let side = if exposure.quantity < Decimal::ZERO { Side::Buy } else { Side::Sell };
            reductions.push(Reduction { symbol, side, quantity: quantity.normalize() });
        }
        reductions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use domain::Currency;
    use exchange::MarginRules;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SYMBOLS: [&str; 4] = ["AAPL", "IBM", "MSFT", "TSLA"];

    fn book(cash: i64, positions: &[(i64, i64)]) -> MarginBook {
        let exposures = SYMBOLS.iter().zip(positions).map(|(symbol, (quantity, price))| {
            let exposure =
                Exposure { quantity: (*quantity).into(), mark: Some((*price).into()), ..Exposure::default() };
            (symbol.parse().unwrap(), exposure)
        });
        MarginBook {
            rules: MarginRules::on(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()),
            may_short: true,
            is_called: true,
            currency: Currency::Usd,
            cash: cash.into(),
            exposures: exposures.collect(),
        }
    }

    /// The book after reductions were executed, each costing as much as it may.
    fn after(book: &MarginBook, reductions: &[Reduction], percent: Decimal) -> MarginBook {
        let mut book = book.clone();
        for reduction in reductions {
            let exposure = book.exposures.get_mut(&reduction.symbol).unwrap();
            let worth = reduction.quantity * exposure.mark();
            let cost = worth * percent / Decimal::ONE_HUNDRED;
            match reduction.side {
                Side::Sell => {
                    exposure.quantity -= reduction.quantity;
                    book.cash += worth - cost;
                }
                Side::Buy => {
                    exposure.quantity += reduction.quantity;
                    book.cash -= worth + cost;
                }
            }
        }
        book
    }

    fn words(book: &MarginBook) -> Vec<String> {
        let reductions = book.reductions();
        reductions.iter().map(|one| format!("{:?} {} {}", one.side, one.quantity, one.symbol)).collect()
    }

    #[test]
    fn an_account_with_enough_equity_is_left_alone() {
        assert_eq!(words(&book(-7_500, &[(100, 100)])), [""; 0]);
        assert_eq!(words(&book(0, &[])), [""; 0]);
    }

    #[test]
    fn the_position_that_asks_for_most_goes_first_and_no_further_than_needed() {
        // 10,000 and 1,000 held, 9,000 owed: 2,000 of equity, 2,750 must stay; 750 of 24 a share.
        assert_eq!(words(&book(-9_000, &[(10, 100), (100, 100)])), ["Sell 32 IBM"]);
        // Ten shares sold short for nothing: 30 of each hundred must stay.
        assert_eq!(words(&book(1_200, &[(-10, 100)])), ["Buy 4 AAPL"]);
    }

    #[test]
    fn where_nothing_is_left_everything_goes() {
        assert_eq!(words(&book(-20_000, &[(10, 100), (-5, 30)])), ["Sell 10 AAPL", "Buy 5 IBM"]);
    }

    proptest! {
        #[test]
        fn what_is_chosen_is_enough_and_nothing_is_chosen_in_vain(
            cash in -200_000i64..200_000, positions in prop::collection::vec((-500i64..500, 1i64..400), 0..4),
        ) {
            let book = book(cash, &positions);
            let reductions = book.reductions();
            let is_short_of = |book: &MarginBook| book.required_to_stay() > book.equity();
            prop_assert_eq!(reductions.is_empty(), !is_short_of(&book) || book.exposures.values().all(|one| one.value().is_zero()));
            for reduction in &reductions {
                let held = book.exposures[&reduction.symbol].quantity;
                prop_assert!(reduction.quantity > Decimal::ZERO && reduction.quantity <= held.abs());
                prop_assert_eq!(reduction.side == Side::Sell, held > Decimal::ZERO, "none is opened or turned");
            }
            let once: BTreeMap<_, _> = reductions.iter().map(|one| (one.symbol, one.quantity)).collect();
            prop_assert_eq!(once.len(), reductions.len());
            let left = after(&book, &reductions, COST_PERCENT_MAX);
            let all_gone = left.exposures.values().all(|exposure| exposure.quantity.is_zero());
            prop_assert!(!is_short_of(&left) || all_gone);
            if let Some((last, before)) = reductions.split_last() {
                let mut fewer = before.to_vec();
                fewer.push(Reduction { quantity: last.quantity - Decimal::ONE, ..*last });
                prop_assert!(is_short_of(&after(&book, &fewer, COST_PERCENT_MAX)), "one share less would not do");
            }
        }
    }
}
