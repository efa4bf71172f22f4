//! Activities of elsewhere, taken over from a CSV file. Pure, save for `service` and `routes`.
//!
//! A file is read line by line into [`Activity`] values or into refusals that name line, column and rule
//! ([`read`]); then the whole of it is booked in memory on the account as it is ([`book`]), which finds what no single
//! line shows: shares that are not there to be sold, money that is not there to be spent. Only a file without a refusal is
//! written, in one transaction.

mod book;
mod columns;
mod duplicates;
mod read;
mod report;
mod routes;
mod service;
mod values;

pub(super) use routes::routes;
pub use service::ImportService;

use chrono::NaiveDate;
use domain::{Money, Price, Quantity, Symbol};
use rust_decimal::Decimal;

/// Most lines of a file, the header not counted: so many are booked within one statement's time.
const LINES_MAX: usize = 5_000;

/// Something that happened in an account elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Activity {
    /// Where it stands in the file, from 1, the header counted.
    pub(super) line: u64,
    /// The day on which it happened.
    pub(super) date: NaiveDate,
    /// What happened.
    pub(super) terms: Terms,
    /// Its number in the books it comes from.
    pub(super) reference: Option<String>,
}

/// A trade made elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trade {
    pub(super) symbol: Symbol,
    pub(super) quantity: Quantity,
    pub(super) price: Price,
    pub(super) commission: Decimal,
    pub(super) tax: Decimal,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// Money was brought in.
    Deposit(Money),
    /// Money was taken out.
    Withdrawal(Money),
    /// Shares were bought.
    Buy(Trade),
    /// Shares were sold.
    Sell(Trade),
    /// A share paid so much, of which tax was withheld.
    Dividend { symbol: Symbol, gross: Decimal, withheld: Decimal },
    /// Something was paid that belongs to no trade.
    Fee(Money),
    /// Shares were counted in new pieces.
    Split { symbol: Symbol, new: Decimal, old: Decimal },
}

impl Terms {
    /// The share it is about.
    pub(super) const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::Buy(trade) | Self::Sell(trade) => Some(trade.symbol),
            Self::Dividend { symbol, .. } | Self::Split { symbol, .. } => Some(*symbol),
            Self::Deposit(_) | Self::Withdrawal(_) | Self::Fee(_) => None,
        }
    }

    /// Its word.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Deposit(_) => "deposit",
            Self::Withdrawal(_) => "withdrawal",
            Self::Buy(_) => "buy",
            Self::Sell(_) => "sell",
            Self::Dividend { .. } => "dividend",
            Self::Fee(_) => "fee",
            Self::Split { .. } => "split",
        }
    }
}

/// A line that cannot be taken over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Where it stands in the file, from 1, the header counted.
    pub(super) line: u64,
    /// Its column, from 1, where one is to blame.
    pub(super) column: Option<usize>,
    /// What that column is called in the file.
    pub(super) header: Option<String>,
    /// A stable word.
    pub(super) rule: &'static str,
    /// The same for people.
    pub(super) message: String,
}

impl Refusal {
    /// A refusal of a line as a whole.
    pub(super) fn of_line(line: u64, rule: &'static str, message: impl Into<String>) -> Self {
        Self { line, column: None, header: None, rule, message: message.into() }
    }
}

#[cfg(test)]
mod tests;
