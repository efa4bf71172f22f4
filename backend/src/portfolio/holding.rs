//! A position under both methods at once: average cost and lots see the same movements. Pure.

use super::cost::{PositionFill, PositionState};
use super::lots::{LotSale, Lots};
use chrono::NaiveDate;
use domain::{Currency, Side};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A position with its lots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    pub(super) state: PositionState,
    pub(super) lots: Lots,
}

/// What a sale has brought and what it took away, under either method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Its journal.
    pub journal_id: Uuid,
    /// Its trade day.
    pub sold_on: NaiveDate,
    /// Shares.
    pub quantity: Decimal,
    /// What they have brought, before commission and tax.
    pub proceeds: Decimal,
    /// What they had cost at average.
    pub average_cost: Decimal,
    /// From which lots they came; fewer shares than sold only where more were sold than held.
    pub lots: Vec<LotSale>,
}

impl Sale {
    /// What the shares had cost, the oldest sold first.
    #[must_use]
    pub fn fifo_cost(&self) -> Decimal {
        self.lots.iter().map(|lot| lot.cost).sum()
    }
}

impl Holding {
    /// The figures.
    #[must_use]
    pub const fn state(&self) -> &PositionState {
        &self.state
    }

    /// What the lots make of an execution that the average has seen already (`cost_change` is its answer).
    pub(super) fn follow(
        &mut self,
        fill: &PositionFill,
        cost_change: Decimal,
        (journal_id, trade_date): (Uuid, NaiveDate),
    ) -> Option<Sale> {
        match fill.side {
            Side::Buy => {
                // Shares that pay for what was sold before they were there are not held.
                let held = fill.quantity.min(self.state.quantity);
                if held > Decimal::ZERO {
                    self.lots.open(journal_id, trade_date, held, cost_change);
                }
                self.state.fifo_cost += cost_change;
                self.state.fifo_realised_pnl += cost_change - fill.notional;
                None
            }
            Side::Sell => Some(self.follow_sale(fill, cost_change, (journal_id, trade_date))),
        }
    }

    /// The same in an account that may sell short, of an execution that the average has seen so
    /// ([`PositionState::apply_either_way`]). What closes a position is a sale; of shares sold short one of shares below
    /// zero, for proceeds below zero.
    pub(super) fn follow_either_way(
        &mut self,
        fill: &PositionFill,
        cost_change: Decimal,
        (journal_id, day): (Uuid, NaiveDate),
    ) -> Option<Sale> {
        let parts = fill.parts(self.state.quantity - fill.shares());
        let sale = (!parts.closed.is_zero()).then(|| Sale {
            journal_id,
            sold_on: day,
            quantity: parts.closed,
            proceeds: parts.closed_worth,
            average_cost: parts.opened_cost - cost_change,
            lots: self.lots.sell(parts.closed, parts.closed_worth, fill.currency),
        });
        if let Some(sale) = &sale {
            self.state.fifo_cost -= sale.fifo_cost();
            self.state.fifo_realised_pnl += sale.proceeds - sale.fifo_cost();
        }
        if !parts.opened.is_zero() {
            self.lots.open(journal_id, day, parts.opened, parts.opened_cost);
            self.state.fifo_cost += parts.opened_cost;
        }
        sale
    }

    fn follow_sale(
        &mut self,
        fill: &PositionFill,
        cost_change: Decimal,
        (journal_id, sold_on): (Uuid, NaiveDate),
    ) -> Sale {
        let lots = self.lots.sell(fill.quantity, fill.notional, fill.currency);
        let sale = Sale {
            journal_id,
            sold_on,
            quantity: fill.quantity,
            proceeds: fill.notional,
            average_cost: -cost_change,
            lots,
        };
        self.state.fifo_cost -= sale.fifo_cost();
        self.state.fifo_realised_pnl += sale.proceeds - sale.fifo_cost();
        sale
    }

    /// Counts shares from before a day in new pieces (`new` for `old`) and returns by how many there are more. What they
    /// have cost stays. `None` beyond what the books can hold.
    pub(super) fn split(&mut self, new: Decimal, old: Decimal, before: Option<NaiveDate>) -> Option<Decimal> {
        let counted = self.lots.quantity_before(before);
        let change = self.lots.scale(new, old, before)? - counted;
        self.state.quantity += change;
        Some(change)
    }

    /// Shares that came without a trade.
    pub(super) fn receive(&mut self, quantity: Decimal, cost: Decimal, (journal_id, day): (Uuid, NaiveDate)) {
        let held = (self.state.quantity + quantity).min(quantity);
        self.state.quantity += quantity;
        if held > Decimal::ZERO {
            self.lots.open(journal_id, day, held, cost);
        }
        self.state.cost += cost;
        self.state.fifo_cost += cost;
    }

    /// What shares that go without a trade have cost at average.
    pub(super) fn cost_of(&self, quantity: Decimal, currency: Currency) -> Decimal {
        self.state.cost_of(quantity, currency)
    }

    /// Shares go for what they have cost, and nothing is left of the figures.
    pub(super) fn close(&mut self, place: (Uuid, NaiveDate), currency: Currency) -> Option<Sale> {
        let quantity = self.state.quantity;
        let sale = (quantity > Decimal::ZERO || self.state.is_short()).then(|| {
            let cost = if self.state.is_short() { self.state.cost } else { self.cost_of(quantity, currency) };
            self.deliver(quantity, cost, place, currency)
        });
        self.state = PositionState::default();
        sale
    }

    /// Shares that go without a trade. Under either method they take along what they have cost; where that differs, the
    /// lots count the difference as profit or loss, so that both methods keep telling the same money.
    pub(super) fn deliver(
        &mut self,
        quantity: Decimal,
        cost: Decimal,
        (journal_id, day): (Uuid, NaiveDate),
        currency: Currency,
    ) -> Sale {
        let lots = self.lots.sell(quantity, cost, currency);
        let sale = Sale { journal_id, sold_on: day, quantity, proceeds: cost, average_cost: cost, lots };
        self.state.quantity -= quantity;
        self.state.cost -= cost;
        self.state.fifo_cost -= sale.fifo_cost();
        self.state.fifo_realised_pnl += cost - sale.fifo_cost();
        sale
    }

    /// Takes over everything that another name held; what that name has earned stays with it.
    pub(super) fn adopt(&mut self, other: &mut Self) {
        self.lots.adopt(other.lots.take());
        let left = PositionState {
            quantity: Decimal::ZERO,
            cost: Decimal::ZERO,
            fifo_cost: Decimal::ZERO,
            ..other.state
        };
        let came = std::mem::replace(&mut other.state, left);
        self.state.quantity += came.quantity;
        self.state.cost += came.cost;
        self.state.fifo_cost += came.fifo_cost;
    }
}

#[cfg(test)]
mod tests;
