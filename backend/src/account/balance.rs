//! Cash of an account, and how its profit is told. Pure.

use super::ledger::{Unsettled, withdrawable};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which shares a sale takes first, as far as their cost is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostMethod {
    /// None: each share sold has cost what the shares held have cost on average.
    #[default]
    Average,
    /// Those that came first.
    Fifo,
}

impl CostMethod {
    /// Its stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Fifo => "fifo",
        }
    }

    /// The one of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Average, Self::Fifo].into_iter().find(|method| method.name() == name)
    }
}

/// Cash of an account in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashBalance {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub currency: Currency,
    /// All of it, with what trades have promised.
    pub total: Decimal,
    /// Reserved for open orders.
    pub held: Decimal,
}

impl CashBalance {
    /// What new orders may use where nothing is bought on credit and nothing sold short.
    #[must_use]
    pub fn buying_power(&self) -> Decimal {
        self.total - self.held
    }
}

/// Cash of an account in one currency, and what of it is only promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyBalance {
    /// The cash.
    pub cash: CashBalance,
    /// The promises, by day.
    pub unsettled: Vec<Unsettled>,
    /// Whether it secures shares sold short, so that nothing of it can be taken out.
    pub is_security: bool,
}

impl CurrencyBalance {
    /// What trades will bring on later days.
    #[must_use]
    pub fn receivable(&self) -> Decimal {
        self.unsettled.iter().map(|promise| promise.receivable).sum()
    }

    /// What trades will cost on later days; zero or more.
    #[must_use]
    pub fn payable(&self) -> Decimal {
        -self.unsettled.iter().map(|promise| promise.payable).sum::<Decimal>()
    }

    /// What lies at the broker now.
    #[must_use]
    pub fn settled(&self) -> Decimal {
        self.cash.total - self.receivable() + self.payable()
    }

    /// What can be taken out now.
    #[must_use]
    pub fn withdrawable(&self) -> Decimal {
        if self.is_security {
            return Decimal::ZERO;
        }
        withdrawable(self.cash.total, self.cash.held, &self.unsettled)
    }
}
