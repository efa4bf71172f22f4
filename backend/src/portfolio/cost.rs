//! The average-cost method. Pure.

use domain::{Currency, Side};
use rust_decimal::Decimal;

/// A holding of one symbol and what it has cost and earned so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PositionState {
    /// Shares; below zero only when a broker executed a sale of what was not there.
    pub quantity: Decimal,
    /// What the shares held have cost, before commission and tax, in whole minor units.
    pub cost: Decimal,
    /// Profit (positive) or loss made by selling, before commission and tax.
    pub realised_pnl: Decimal,
    /// Commission paid so far.
    pub commission: Decimal,
    /// Tax paid so far.
    pub tax: Decimal,
}

/// An execution as a position sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionFill {
    /// Bought or sold.
    pub side: Side,
    /// Shares.
    pub quantity: Decimal,
    /// Price times quantity in whole minor units.
    pub notional: Decimal,
    /// Commission of this execution.
    pub commission: Decimal,
    /// Tax of this execution.
    pub tax: Decimal,
    /// Currency of all amounts.
    pub currency: Currency,
}

impl PositionState {
    /// What one share held has cost on average; `None` where none is held.
    #[must_use]
    pub fn average_cost(&self) -> Option<Decimal> {
        (self.quantity > Decimal::ZERO).then(|| self.cost.checked_div(self.quantity)).flatten()
    }

    /// Moves the position by an execution and says what the shares sold had cost (nothing for a purchase).
    ///
    /// A sale takes its share of the cost along, to the nearest minor unit; the last share sold takes the rest, so
    /// no cost remains without shares.
    pub fn apply(&mut self, fill: &PositionFill) -> Decimal {
        self.commission += fill.commission;
        self.tax += fill.tax;
        match fill.side {
            Side::Buy => {
                self.quantity += fill.quantity;
                self.cost += fill.notional;
                Decimal::ZERO
            }
            Side::Sell => {
                let removed = self.cost_of(fill.quantity, fill.currency);
                self.quantity -= fill.quantity;
                self.cost -= removed;
                self.realised_pnl += fill.notional - removed;
                removed
            }
        }
    }

    fn cost_of(&self, quantity: Decimal, currency: Currency) -> Decimal {
        if quantity >= self.quantity {
            return self.cost.max(Decimal::ZERO);
        }
        // Dividing first keeps the product inside 28 digits.
        let share = quantity.checked_div(self.quantity).unwrap_or_default();
        currency.round(self.cost * share).min(self.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(side: Side, quantity: u32, notional_cents: u32) -> PositionFill {
        PositionFill {
            side,
            quantity: Decimal::from(quantity),
            notional: Decimal::new(i64::from(notional_cents), 2),
            commission: Decimal::ONE,
            tax: Decimal::ZERO,
            currency: Currency::Usd,
        }
    }

    #[test]
    fn the_average_of_two_purchases_is_weighted_by_their_shares() {
        let mut position = PositionState::default();
        position.apply(&fill(Side::Buy, 10, 100_000));
        position.apply(&fill(Side::Buy, 30, 420_000));
        assert_eq!(position.average_cost(), Some("130".parse().unwrap()));
    }

    #[test]
    fn a_sale_realises_the_difference_to_its_share_of_the_cost() {
        let mut position = PositionState::default();
        position.apply(&fill(Side::Buy, 3, 10_000));
        let removed = position.apply(&fill(Side::Sell, 1, 5_000));
        assert_eq!(removed, "33.33".parse().unwrap());
        assert_eq!(position.realised_pnl, "16.67".parse().unwrap());
        let removed = position.apply(&fill(Side::Sell, 2, 5_000));
        assert_eq!(removed, "66.67".parse().unwrap(), "the last sale takes the rest of the cost");
        assert_eq!((position.quantity, position.cost), (Decimal::ZERO, Decimal::ZERO));
        assert_eq!(position.commission, Decimal::from(3));
    }

    proptest! {
        #[test]
        fn cost_and_profit_always_add_up_to_the_cash_that_moved(
            fills in prop::collection::vec((any::<bool>(), 1u32..1_000, 1u32..10_000_000), 1..60),
        ) {
            let mut position = PositionState::default();
            let mut cash = Decimal::ZERO;
            for (sell, quantity, cents) in fills {
                let side = if sell { Side::Sell } else { Side::Buy };
                let fill = fill(side, quantity, cents);
                if sell && fill.quantity > position.quantity {
                    continue;
                }
                position.apply(&fill);
                cash += if sell { fill.notional } else { -fill.notional };
                prop_assert_eq!(cash + position.cost, position.realised_pnl);
                prop_assert!(position.cost >= Decimal::ZERO);
                prop_assert!(position.quantity > Decimal::ZERO || position.cost.is_zero());
                prop_assert!(position.cost.scale() <= 2);
            }
        }
    }
}
