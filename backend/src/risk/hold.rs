//! What an order reserves.

use domain::{Currency, Notional, Price, Side};
use rust_decimal::Decimal;

/// What a hold is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldTerms {
    /// The worst price.
    pub worst_price: Price,
    /// The most it can cost in commission and tax.
    pub fees_max: Decimal,
    /// Shares that are open.
    pub leaves: Decimal,
}

/// What an approved order reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Cash of the symbol's currency.
    Cash(Decimal),
    /// Shares of the order's symbol.
    Shares(Decimal),
}

impl Hold {
    /// What an order has to keep reserved while `leaves` shares of it are open and `fees_charged` were paid already.
    ///
    /// A purchase holds the open shares at the worst price, rounded up, and what is left of the largest possible
    /// fees; a sale holds the shares.
    #[must_use]
    pub fn of(
        side: Side,
        currency: Currency,
        worst_price: Price,
        fees_max: Decimal,
        leaves: Decimal,
        fees_charged: Decimal,
    ) -> Option<Self> {
        match side {
            Side::Sell => Some(Self::Shares(leaves)),
            Side::Buy if leaves.is_zero() => Some(Self::Cash(Decimal::ZERO)),
            Side::Buy => {
                let notional = currency.round_up(worst_price.value().checked_mul(leaves)?);
                Some(Self::Cash(notional.checked_add((fees_max - fees_charged).max(Decimal::ZERO))?))
            }
        }
    }

    /// What a purchase by an amount of money has to keep reserved of which `spent` was executed and `fees_charged` were paid
    /// already: what is left of both. How many shares that is does not matter.
    #[must_use]
    pub fn of_amount(
        currency: Currency,
        amount: Notional,
        spent: Decimal,
        fees_max: Decimal,
        fees_charged: Decimal,
    ) -> Self {
        let unspent = (amount.value() - spent).max(Decimal::ZERO);
        Self::Cash(currency.round_up(unspent) + (fees_max - fees_charged).max(Decimal::ZERO))
    }

    /// What an order has to keep reserved while other terms are asked for.
    ///
    /// Until the broker has answered, what is open may be executed by the present terms, and what the others add to it
    /// may then still be executed by those. For a purchase at a lower price but for more shares that costs more than
    /// either alone.
    #[must_use]
    pub fn while_changing(
        side: Side,
        currency: Currency,
        present: HoldTerms,
        asked: HoldTerms,
        fees_charged: Decimal,
    ) -> Option<Self> {
        if side == Side::Sell {
            return Some(Self::Shares(present.leaves.max(asked.leaves)));
        }
        let alone =
            Self::of(side, currency, asked.worst_price, asked.fees_max, asked.leaves, fees_charged)?.amount();
        let more = (asked.leaves - present.leaves).max(Decimal::ZERO);
        if present.leaves.is_zero() && more.is_zero() {
            return Some(Self::Cash(alone));
        }
        let crossing = present.worst_price.value().checked_mul(present.leaves)?;
        let rest = asked.worst_price.value().checked_mul(more)?;
        let fees = (present.fees_max.max(asked.fees_max) - fees_charged).max(Decimal::ZERO);
        let both = currency.round_up(crossing.checked_add(rest)?).checked_add(fees)?;
        Some(Self::Cash(alone.max(both)))
    }

    /// The number reserved.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        match self {
            Self::Cash(amount) | Self::Shares(amount) => amount,
        }
    }
}
