//! Double entry: the only way money and shares move. Pure.
//!
//! Assets are positive where they come in; income and outside parties are their negative mirror, so that every
//! journal sums to zero per commodity. A profit is therefore a negative amount on `realised_pnl`.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency, Price, Quantity, Side, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use thiserror::Error;
use uuid::Uuid;

/// What is counted: a currency's cash or a symbol's shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Commodity {
    /// Cash.
    Cash(Currency),
    /// Shares.
    Shares(Symbol),
}

impl Commodity {
    /// Its stored name: the currency's code or the symbol. No symbol equals a currency code in use.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Cash(currency) => currency.code(),
            Self::Shares(symbol) => symbol.as_str(),
        }
    }
}

/// The accounts of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerAccount {
    /// Cash at the broker.
    Cash,
    /// Shares at the broker.
    Shares,
    /// What the shares held have cost.
    PositionCost,
    /// The other side of share movements.
    Market,
    /// Commissions paid.
    Commission,
    /// Taxes and regulatory fees paid.
    Tax,
    /// Profit (negative) and loss (positive) made by selling, before commission and tax.
    RealisedPnl,
    /// Money brought in (negative).
    Deposits,
}

impl LedgerAccount {
    /// Its stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Shares => "shares",
            Self::PositionCost => "position_cost",
            Self::Market => "market",
            Self::Commission => "commission",
            Self::Tax => "tax",
            Self::RealisedPnl => "realised_pnl",
            Self::Deposits => "deposits",
        }
    }
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub ledger_account: LedgerAccount,
    /// The share it concerns, where one does.
    pub symbol: Option<Symbol>,
    /// Of what.
    pub commodity: Commodity,
    /// How much; never zero.
    pub amount: Decimal,
}

/// One movement: postings that sum to zero per commodity, because only this module makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    id: Uuid,
    account_id: AccountId,
    idempotency_key: String,
    kind: &'static str,
    execution_id: Option<String>,
    trade_date: NaiveDate,
    settle_date: NaiveDate,
    created_at: DateTime<Utc>,
    postings: Vec<Posting>,
}

/// Why a journal cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// It would make or lose something.
    #[error("the postings of {0:?} do not sum to zero")]
    Unbalanced(Commodity),
    /// An amount beyond what the books can hold.
    #[error("the amount is too large for the books")]
    Overflow,
    /// A fee below zero, or a movement of nothing.
    #[error("the amounts of the movement are not possible")]
    Impossible,
}

/// An execution as the books see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// Whose.
    pub account_id: AccountId,
    /// The broker's number of it, unique in the account.
    pub execution_id: String,
    /// Of what.
    pub symbol: Symbol,
    /// Bought or sold.
    pub side: Side,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// What the shares sold had cost; nothing for a purchase.
    pub cost_removed: Decimal,
    /// Broker's commission.
    pub commission: Decimal,
    /// Taxes and regulatory fees.
    pub tax: Decimal,
    /// The market's day.
    pub trade_date: NaiveDate,
    /// When cash and shares change hands.
    pub settle_date: NaiveDate,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
}

impl Fill {
    /// Price times quantity in whole minor units.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`].
    pub fn notional(&self) -> Result<Decimal, LedgerError> {
        let exact = self.price.notional(self.quantity.value()).map_err(|_| LedgerError::Overflow)?;
        Ok(self.symbol.currency().round(exact))
    }
}

impl Journal {
    /// Money brought in from outside.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less.
    pub fn deposit(
        account_id: AccountId,
        currency: Currency,
        amount: Decimal,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        if amount <= Decimal::ZERO {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        lines.add(LedgerAccount::Cash, None, Commodity::Cash(currency), amount);
        lines.add(LedgerAccount::Deposits, None, Commodity::Cash(currency), -amount);
        Self::balanced(
            account_id,
            idempotency_key,
            "deposit",
            None,
            (at.date_naive(), at.date_naive()),
            at,
            lines,
        )
    }

    /// Shares bought or sold.
    ///
    /// # Errors
    /// [`LedgerError`] for negative fees or amounts beyond the books.
    pub fn fill(fill: &Fill) -> Result<Self, LedgerError> {
        if fill.commission < Decimal::ZERO || fill.tax < Decimal::ZERO || fill.cost_removed < Decimal::ZERO {
            return Err(LedgerError::Impossible);
        }
        let notional = fill.notional()?;
        let (symbol, money, shares) =
            (Some(fill.symbol), Commodity::Cash(fill.symbol.currency()), Commodity::Shares(fill.symbol));
        let fees = fill.commission + fill.tax;
        let mut lines = Lines::default();
        match fill.side {
            Side::Buy => {
                lines.add(LedgerAccount::Cash, symbol, money, -notional - fees);
                lines.add(LedgerAccount::PositionCost, symbol, money, notional);
                lines.add(LedgerAccount::Shares, symbol, shares, fill.quantity.value());
                lines.add(LedgerAccount::Market, symbol, shares, -fill.quantity.value());
            }
            Side::Sell => {
                lines.add(LedgerAccount::Cash, symbol, money, notional - fees);
                lines.add(LedgerAccount::PositionCost, symbol, money, -fill.cost_removed);
                lines.add(LedgerAccount::RealisedPnl, symbol, money, fill.cost_removed - notional);
                lines.add(LedgerAccount::Shares, symbol, shares, -fill.quantity.value());
                lines.add(LedgerAccount::Market, symbol, shares, fill.quantity.value());
            }
        }
        lines.add(LedgerAccount::Commission, symbol, money, fill.commission);
        lines.add(LedgerAccount::Tax, symbol, money, fill.tax);
        Self::balanced(
            fill.account_id,
            format!("fill:{}", fill.execution_id),
            "fill",
            Some(fill.execution_id.clone()),
            (fill.trade_date, fill.settle_date),
            fill.booked_at,
            lines,
        )
    }

    fn balanced(
        account_id: AccountId,
        idempotency_key: String,
        kind: &'static str,
        execution_id: Option<String>,
        (trade_date, settle_date): (NaiveDate, NaiveDate),
        created_at: DateTime<Utc>,
        lines: Lines,
    ) -> Result<Self, LedgerError> {
        let mut sums = BTreeMap::<Commodity, Decimal>::new();
        for posting in &lines.0 {
            let sum = sums.entry(posting.commodity).or_default();
            *sum = sum.checked_add(posting.amount).ok_or(LedgerError::Overflow)?;
        }
        if let Some((commodity, _)) = sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
            return Err(LedgerError::Unbalanced(commodity));
        }
        Ok(Self {
            id: Uuid::now_v7(),
            account_id,
            idempotency_key,
            kind,
            execution_id,
            trade_date,
            settle_date,
            created_at,
            postings: lines.0,
        })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub const fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// The name under which it exists once in its account.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// `deposit` or `fill`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The execution it books.
    #[must_use]
    pub fn execution_id(&self) -> Option<&str> {
        self.execution_id.as_deref()
    }

    /// Trade and settlement day.
    #[must_use]
    pub const fn dates(&self) -> (NaiveDate, NaiveDate) {
        (self.trade_date, self.settle_date)
    }

    /// When it was booked.
    #[must_use]
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// Its lines.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// By how much the balances of cash and shares change.
    pub fn balance_changes(&self) -> impl Iterator<Item = (Commodity, Decimal)> + '_ {
        self.postings
            .iter()
            .filter(|posting| matches!(posting.ledger_account, LedgerAccount::Cash | LedgerAccount::Shares))
            .map(|posting| (posting.commodity, posting.amount))
    }
}

#[derive(Default)]
struct Lines(Vec<Posting>);

impl Lines {
    fn add(
        &mut self,
        ledger_account: LedgerAccount,
        symbol: Option<Symbol>,
        commodity: Commodity,
        amount: Decimal,
    ) {
        if !amount.is_zero() {
            self.0.push(Posting { ledger_account, symbol, commodity, amount });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(side: Side, quantity: u32, cents: u32, cost: u32, commission: u32, tax: u32) -> Fill {
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        Fill {
            account_id: AccountId::generate(),
            execution_id: "x:1".to_owned(),
            symbol: "AAPL".parse().unwrap(),
            side,
            quantity: Quantity::new(Decimal::from(quantity)).unwrap(),
            price: Price::new(Decimal::new(i64::from(cents), 2)).unwrap(),
            cost_removed: if side == Side::Sell { Decimal::new(i64::from(cost), 2) } else { Decimal::ZERO },
            commission: Decimal::new(i64::from(commission), 2),
            tax: Decimal::new(i64::from(tax), 2),
            trade_date: day,
            settle_date: day,
            booked_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    fn amount(journal: &Journal, account: LedgerAccount) -> Decimal {
        journal.postings().iter().filter(|line| line.ledger_account == account).map(|line| line.amount).sum()
    }

    #[test]
    fn a_purchase_costs_its_notional_and_fees() {
        let journal = Journal::fill(&fill(Side::Buy, 10, 15_025, 0, 100, 2)).unwrap();
        assert_eq!(amount(&journal, LedgerAccount::Cash), "-1503.52".parse().unwrap());
        assert_eq!(amount(&journal, LedgerAccount::PositionCost), "1502.50".parse().unwrap());
        assert_eq!(amount(&journal, LedgerAccount::Shares), Decimal::TEN);
    }

    #[test]
    fn a_profit_is_what_the_sale_brought_above_its_cost() {
        let journal = Journal::fill(&fill(Side::Sell, 10, 16_000, 150_250, 100, 0)).unwrap();
        assert_eq!(amount(&journal, LedgerAccount::Cash), "1599".parse().unwrap());
        assert_eq!(amount(&journal, LedgerAccount::RealisedPnl), "-97.50".parse().unwrap());
    }

    #[test]
    fn nothing_is_deposited_by_an_amount_of_zero_or_less() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        for amount in [Decimal::ZERO, Decimal::NEGATIVE_ONE] {
            let refused = Journal::deposit(AccountId::generate(), Currency::Usd, amount, "k".into(), at);
            assert_eq!(refused, Err(LedgerError::Impossible));
        }
    }

    proptest! {
        #[test]
        fn every_fill_is_balanced_and_moves_exactly_its_shares(
            sell in any::<bool>(), quantity in 1u32..1_000_000, cents in 1u32..100_000_000,
            cost in 0u32..u32::MAX, commission in 0u32..10_000, tax in 0u32..10_000,
        ) {
            let side = if sell { Side::Sell } else { Side::Buy };
            let fill = fill(side, quantity, cents, cost, commission, tax);
            let journal = Journal::fill(&fill).unwrap();
            for commodity in [Commodity::Cash(Currency::Usd), Commodity::Shares(fill.symbol)] {
                let sum: Decimal = journal.postings().iter().filter(|line| line.commodity == commodity).map(|line| line.amount).sum();
                prop_assert_eq!(sum, Decimal::ZERO);
            }
            let signed = if sell { -fill.quantity.value() } else { fill.quantity.value() };
            prop_assert_eq!(amount(&journal, LedgerAccount::Shares), signed);
        }
    }
}
