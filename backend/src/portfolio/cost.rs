//! The average-cost method. Pure.

use crate::account::CostMethod;
use domain::{Currency, Side};
use rust_decimal::Decimal;

/// A holding of one symbol and what it has cost and earned so far: at average cost, which the ledger books, and first in,
/// first out beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PositionState {
    /// Shares; below zero when they are sold short, or when a broker executed a sale of what was not there.
    pub quantity: Decimal,
    /// What the shares held have cost at average, before commission and tax, in whole minor units. Below zero: what shares
    /// sold short have brought.
    pub cost: Decimal,
    /// Profit (positive) or loss made by selling, or by buying back what was sold short, at average cost, before commission
    /// and tax.
    pub realised_pnl: Decimal,
    /// Commission paid so far.
    pub commission: Decimal,
    /// Tax paid so far, on trades and dividends.
    pub tax: Decimal,
    /// Dividends received less those owed on shares sold short so far, before tax.
    pub dividends: Decimal,
    /// What the open lots have cost.
    pub fifo_cost: Decimal,
    /// Profit or loss made by selling the oldest lots first, before commission and tax.
    pub fifo_realised_pnl: Decimal,
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

impl PositionFill {
    /// Shares that come; below zero those that go.
    pub(super) fn shares(&self) -> Decimal {
        self.signed(self.quantity)
    }

    /// A number with the sign of what comes (bought) or goes (sold).
    fn signed(&self, number: Decimal) -> Decimal {
        if self.side == Side::Buy { number } else { -number }
    }

    /// What it closes of a position of so many shares, and what it opens: an execution that crosses from long to short, or
    /// back, does both, and its worth is shared out exactly.
    pub(super) fn parts(&self, before: Decimal) -> FillParts {
        let is_closing = match self.side {
            Side::Sell => before > Decimal::ZERO,
            Side::Buy => before < Decimal::ZERO,
        };
        let closed = if is_closing { before.abs().min(self.quantity) } else { Decimal::ZERO };
        let closed_worth = if closed.is_zero() {
            Decimal::ZERO
        } else {
            share_of(self.notional, closed, self.quantity, self.currency)
        };
        FillParts {
            closed: -self.signed(closed),
            closed_worth: -self.signed(closed_worth),
            opened: self.signed(self.quantity - closed),
            opened_cost: self.signed(self.notional - closed_worth),
        }
    }
}

/// An execution as far as it closes a position and as far as it opens one. Every number has the sign of its position: above
/// zero of shares held, below zero of shares sold short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FillParts {
    /// Shares of the position before that are there no more.
    pub(super) closed: Decimal,
    /// What closing them has brought; below zero what it has cost.
    pub(super) closed_worth: Decimal,
    /// Shares of the position afterwards that were not there before.
    pub(super) opened: Decimal,
    /// What opening them has cost; below zero what it has brought.
    pub(super) opened_cost: Decimal,
}

/// A part of an amount in whole minor units, for `part` of `whole` shares: all of it for all of them, never more. Shares
/// and amounts sold short are below zero, all of them.
pub(super) fn share_of(amount: Decimal, part: Decimal, whole: Decimal, currency: Currency) -> Decimal {
    if part.abs() >= whole.abs() {
        return amount;
    }
    // Dividing first keeps the product inside 28 digits.
    let share = part.checked_div(whole).unwrap_or_default();
    let rounded = currency.round(amount * share);
    if amount < Decimal::ZERO { rounded.max(amount) } else { rounded.min(amount) }
}

impl PositionState {
    /// What one share held has cost on average; `None` where none is held.
    #[must_use]
    pub fn average_cost(&self) -> Option<Decimal> {
        self.cost_a_share(CostMethod::Average)
    }

    /// What one share held has cost, by a method; `None` where none is held.
    #[must_use]
    pub fn cost_a_share(&self, method: CostMethod) -> Option<Decimal> {
        let is_held = self.quantity > Decimal::ZERO || self.is_short();
        is_held.then(|| self.cost_by(method).checked_div(self.quantity)).flatten()
    }

    /// Whether shares are sold short: of those that a broker sold without their being there nothing is booked as cost.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.quantity < Decimal::ZERO && (self.cost < Decimal::ZERO || self.fifo_cost < Decimal::ZERO)
    }

    /// What the shares held have cost, by a method.
    #[must_use]
    pub const fn cost_by(&self, method: CostMethod) -> Decimal {
        match method {
            CostMethod::Average => self.cost,
            CostMethod::Fifo => self.fifo_cost,
        }
    }

    /// Profit or loss made by selling, by a method.
    #[must_use]
    pub const fn realised_by(&self, method: CostMethod) -> Decimal {
        match method {
            CostMethod::Average => self.realised_pnl,
            CostMethod::Fifo => self.fifo_realised_pnl,
        }
    }

    /// Moves the position by an execution at average cost, and says by how much what the shares held have cost has
    /// changed. What the lots make of it is [`super::holding::Holding`]'s business.
    ///
    /// A sale takes its share of the cost along, to the nearest minor unit; the last share sold takes the rest, so
    /// no cost remains without shares. Shares bought that were sold before they were there cost nothing any more: their
    /// price is a loss against that sale.
    pub fn apply(&mut self, fill: &PositionFill) -> Decimal {
        self.commission += fill.commission;
        self.tax += fill.tax;
        let change = match fill.side {
            Side::Buy => fill.notional - self.covered(fill),
            Side::Sell => -self.cost_of(fill.quantity, fill.currency),
        };
        self.quantity += if fill.side == Side::Buy { fill.quantity } else { -fill.quantity };
        let earned = if fill.side == Side::Buy { -fill.notional } else { fill.notional };
        self.cost += change;
        self.realised_pnl += earned + change;
        change
    }

    /// The same in an account that may sell short: shares sold beyond those held open a short position, which has cost what
    /// it has brought, below zero; shares bought close it first, at average. The last share closed takes the rest.
    pub fn apply_either_way(&mut self, fill: &PositionFill) -> Decimal {
        self.commission += fill.commission;
        self.tax += fill.tax;
        let parts = fill.parts(self.quantity);
        let closed_cost = if parts.closed.is_zero() {
            Decimal::ZERO
        } else {
            share_of(self.cost, parts.closed, self.quantity, fill.currency)
        };
        self.quantity += fill.shares();
        let change = parts.opened_cost - closed_cost;
        self.cost += change;
        self.realised_pnl += parts.closed_worth - closed_cost;
        change
    }

    /// The part of a purchase's value that pays for shares sold before.
    fn covered(&self, fill: &PositionFill) -> Decimal {
        let short = (-self.quantity).max(Decimal::ZERO);
        if short.is_zero() {
            return Decimal::ZERO;
        }
        share_of(fill.notional, short, fill.quantity, fill.currency)
    }

    /// What some of the shares held have cost at average.
    pub(super) fn cost_of(&self, quantity: Decimal, currency: Currency) -> Decimal {
        share_of(self.cost.max(Decimal::ZERO), quantity, self.quantity, currency)
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
        let change = position.apply(&fill(Side::Sell, 1, 5_000));
        assert_eq!(change, "-33.33".parse().unwrap());
        assert_eq!(position.realised_pnl, "16.67".parse().unwrap());
        let change = position.apply(&fill(Side::Sell, 2, 5_000));
        assert_eq!(change, "-66.67".parse().unwrap(), "the last sale takes the rest of the cost");
        assert_eq!((position.quantity, position.cost), (Decimal::ZERO, Decimal::ZERO));
        assert_eq!(position.commission, Decimal::from(3));
    }

    #[test]
    fn what_was_sold_before_it_was_there_is_paid_for_by_the_next_purchase() {
        let mut position = PositionState::default();
        position.apply(&fill(Side::Sell, 4, 40_000));
        assert_eq!((position.quantity, position.realised_pnl), (Decimal::from(-4), Decimal::from(400)));
        let change = position.apply(&fill(Side::Buy, 10, 110_000));
        assert_eq!(change, Decimal::from(660), "six of the ten shares are held");
        assert_eq!((position.quantity, position.cost), (Decimal::from(6), Decimal::from(660)));
        assert_eq!(position.realised_pnl, Decimal::from(-40));
    }

    #[test]
    fn a_short_sale_gains_what_the_price_falls() {
        let mut position = PositionState::default();
        assert_eq!(position.apply_either_way(&fill(Side::Sell, 10, 150_000)), Decimal::from(-1_500));
        assert_eq!((position.quantity, position.realised_pnl), (Decimal::from(-10), Decimal::ZERO));
        assert_eq!(position.average_cost(), Some(Decimal::from(150)));
        assert_eq!(position.apply_either_way(&fill(Side::Buy, 4, 56_000)), Decimal::from(600));
        assert_eq!(position.realised_pnl, Decimal::from(40), "sold for 600, bought back for 560");
        position.apply_either_way(&fill(Side::Buy, 6, 96_000));
        assert_eq!(position.realised_pnl, Decimal::from(-20));
        assert_eq!((position.quantity, position.cost), (Decimal::ZERO, Decimal::ZERO));
    }

    #[test]
    fn an_execution_through_zero_is_split_exactly() {
        let mut position = PositionState::default();
        position.apply_either_way(&fill(Side::Buy, 1, 10_000));
        position.apply_either_way(&fill(Side::Sell, 3, 40_000));
        assert_eq!((position.quantity, position.cost), (Decimal::from(-2), "-266.67".parse().unwrap()));
        assert_eq!(position.realised_pnl, "33.33".parse().unwrap());
        position.apply_either_way(&fill(Side::Buy, 4, 50_000));
        assert_eq!((position.quantity, position.cost), (Decimal::TWO, Decimal::from(250)));
        assert_eq!(position.realised_pnl, Decimal::from(50), "33.33 and the 16.67 of the shares bought back");
    }

    proptest! {
        #[test]
        fn without_short_sales_both_ways_are_one(
            fills in prop::collection::vec((any::<bool>(), 1u32..1_000, 1u32..10_000_000), 1..60),
        ) {
            let (mut one, mut other) = (PositionState::default(), PositionState::default());
            for (sell, quantity, cents) in fills {
                let fill = fill(if sell { Side::Sell } else { Side::Buy }, quantity, cents);
                if sell && fill.quantity > one.quantity {
                    continue;
                }
                prop_assert_eq!(one.apply(&fill), other.apply_either_way(&fill));
                prop_assert_eq!(one, other);
            }
        }

        #[test]
        fn long_or_short_the_cash_that_moved_is_cost_and_profit(
            fills in prop::collection::vec((any::<bool>(), 1u32..1_000, 1u32..10_000_000), 1..60),
        ) {
            let mut position = PositionState::default();
            let mut cash = Decimal::ZERO;
            for (sell, quantity, cents) in fills {
                let fill = fill(if sell { Side::Sell } else { Side::Buy }, quantity, cents);
                position.apply_either_way(&fill);
                cash += if sell { fill.notional } else { -fill.notional };
                prop_assert_eq!(cash + position.cost, position.realised_pnl);
                prop_assert!(!position.quantity.is_zero() || position.cost.is_zero());
                prop_assert!(position.cost * position.quantity >= Decimal::ZERO, "cost has the sign of its shares");
                prop_assert!(position.cost.scale() <= 2);
            }
        }

        #[test]
        fn the_average_is_that_of_a_book_that_never_rounds(
            fills in prop::collection::vec((any::<bool>(), 1u32..1_000, 1u32..10_000_000), 1..60),
        ) {
            // The slow, obvious reference: shares and what they have cost in fractions of a cent.
            let (mut shares, mut cost, mut roundings) = (Decimal::ZERO, Decimal::ZERO, Decimal::new(1, 6));
            let mut position = PositionState::default();
            for (sell, quantity, cents) in fills {
                let fill = fill(if sell { Side::Sell } else { Side::Buy }, quantity, cents);
                if sell && fill.quantity > shares {
                    continue;
                }
                position.apply(&fill);
                if sell {
                    cost -= cost / shares * fill.quantity;
                    shares -= fill.quantity;
                    roundings += Decimal::new(5, 3);
                } else {
                    cost += fill.notional;
                    shares += fill.quantity;
                }
                prop_assert_eq!(position.quantity, shares);
                prop_assert!((position.cost - cost).abs() <= roundings, "{} for {cost}", position.cost);
            }
        }

        #[test]
        fn cost_and_profit_always_add_up_to_the_cash_that_moved(
            fills in prop::collection::vec((any::<bool>(), 1u32..1_000, 1u32..10_000_000), 1..60),
        ) {
            let mut position = PositionState::default();
            let mut cash = Decimal::ZERO;
            for (sell, quantity, cents) in fills {
                let side = if sell { Side::Sell } else { Side::Buy };
                let fill = fill(side, quantity, cents);
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
