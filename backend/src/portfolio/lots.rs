//! First in, first out: the shares held, told apart by when they came. Pure.

use super::cost::share_of;
use chrono::NaiveDate;
use domain::Currency;
use domain::decimal::SCALE_MAX;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

/// Shares that came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// The journal that brought them.
    pub id: Uuid,
    /// The trade day on which they came; the oldest are sold first, and of one day what was booked first.
    pub acquired_on: NaiveDate,
    /// Shares that came; below zero those that were sold short.
    pub opened_quantity: Decimal,
    /// What they have cost; below zero what they have brought.
    pub opened_cost: Decimal,
    /// What splits have added or taken away since.
    pub adjusted_quantity: Decimal,
    /// Shares that are left.
    pub quantity: Decimal,
    /// What those have cost.
    pub cost: Decimal,
    /// What has to be written of it.
    pub(super) change: LotChange,
}

/// What has to be written of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LotChange {
    /// Nothing.
    None,
    /// What is left of it, and whose it is.
    Changed,
    /// All of it.
    New,
}

impl Lot {
    fn touch(&mut self) {
        if self.change == LotChange::None {
            self.change = LotChange::Changed;
        }
    }
}

/// What a sale has taken from a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotSale {
    /// The lot.
    pub lot_id: Uuid,
    /// Shares.
    pub quantity: Decimal,
    /// What they had cost.
    pub cost: Decimal,
    /// What they have brought.
    pub proceeds: Decimal,
}

/// Lots of one symbol in one account, the oldest first. Where only the oldest were loaded, they cover what is to be sold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lots(Vec<Lot>);

/// A number of shares as it can be kept, never more than given.
fn kept_shares(quantity: Decimal) -> Decimal {
    let digits = u32::try_from(SCALE_MAX).unwrap_or(u32::MAX);
    quantity.round_dp_with_strategy(digits, RoundingStrategy::ToZero).normalize()
}

/// `quantity` in pieces of which `new` are made of `old`. `None` beyond what the books can hold.
pub(super) fn in_new_pieces(quantity: Decimal, new: Decimal, old: Decimal) -> Option<Decimal> {
    quantity.checked_mul(new)?.checked_div(old).map(kept_shares)
}

impl Lots {
    /// Stored lots, the oldest first.
    pub(super) const fn new(lots: Vec<Lot>) -> Self {
        Self(lots)
    }

    /// The lots, those without shares included that have just lost them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lot> {
        self.0.iter()
    }

    /// Shares in all lots.
    #[must_use]
    pub fn quantity(&self) -> Decimal {
        self.0.iter().map(|lot| lot.quantity).sum()
    }

    /// What the shares in all lots have cost.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        self.0.iter().map(|lot| lot.cost).sum()
    }

    /// Shares that have come.
    pub(super) fn open(&mut self, id: Uuid, acquired_on: NaiveDate, quantity: Decimal, cost: Decimal) {
        self.insert(Lot {
            id,
            acquired_on,
            opened_quantity: quantity,
            opened_cost: cost,
            adjusted_quantity: Decimal::ZERO,
            quantity,
            cost,
            change: LotChange::New,
        });
    }

    fn insert(&mut self, lot: Lot) {
        let key = |lot: &Lot| (lot.acquired_on, lot.id);
        let place = self.0.partition_point(|other| key(other) <= key(&lot));
        self.0.insert(place, lot);
    }

    /// Takes shares from the oldest lots; below zero shares that were sold short and are bought back, for proceeds below zero. What a lot's part has cost is rounded to the minor unit, and its last part
    /// takes the rest; so do the parts of the proceeds. Shares beyond all lots come from none.
    pub(super) fn sell(&mut self, quantity: Decimal, proceeds: Decimal, currency: Currency) -> Vec<LotSale> {
        let mut sales = Vec::new();
        let (mut open, mut unpaid) = (quantity, proceeds);
        for lot in self.0.iter_mut().filter(|lot| !lot.quantity.is_zero()) {
            if open.is_zero() {
                break;
            }
            let taken = if open.abs() < lot.quantity.abs() { open } else { lot.quantity };
            let cost = share_of(lot.cost, taken, lot.quantity, currency);
            let paid = share_of(unpaid, taken, open, currency);
            lot.quantity -= taken;
            lot.cost -= cost;
            lot.touch();
            open -= taken;
            unpaid -= paid;
            sales.push(LotSale { lot_id: lot.id, quantity: taken, cost, proceeds: paid });
        }
        sales
    }

    /// Shares of lots from before a day; all without one.
    #[must_use]
    pub fn quantity_before(&self, day: Option<NaiveDate>) -> Decimal {
        self.0.iter().filter(|lot| is_before(lot, day)).map(|lot| lot.quantity).sum()
    }

    /// Counts the shares of lots from before a day in new pieces, and returns how many there are now in those lots. The
    /// parts add up to the whole: what one lot loses by rounding, the next gains.
    pub(super) fn scale(&mut self, new: Decimal, old: Decimal, before: Option<NaiveDate>) -> Option<Decimal> {
        let (mut old_sum, mut new_sum) = (Decimal::ZERO, Decimal::ZERO);
        for lot in self.0.iter_mut().filter(|lot| is_before(lot, before)) {
            old_sum += lot.quantity;
            let sum = in_new_pieces(old_sum, new, old)?;
            let quantity = sum - new_sum;
            new_sum = sum;
            lot.adjusted_quantity += quantity - lot.quantity;
            lot.quantity = quantity;
            lot.touch();
        }
        Some(new_sum)
    }

    /// Takes all lots away.
    pub(super) fn take(&mut self) -> Vec<Lot> {
        std::mem::take(&mut self.0)
    }

    /// Adds lots that had another name.
    pub(super) fn adopt(&mut self, lots: Vec<Lot>) {
        for mut lot in lots {
            lot.touch();
            self.insert(lot);
        }
    }
}

fn is_before(lot: &Lot, day: Option<NaiveDate>) -> bool {
    day.is_none_or(|day| lot.acquired_on < day)
}
