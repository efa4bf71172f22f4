//! Money that comes, goes, and changes its currency or its account. Pure.

use super::{Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency, Money, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

fn positive(amount: Decimal) -> Result<Decimal, LedgerError> {
    if amount > Decimal::ZERO { Ok(amount) } else { Err(LedgerError::Impossible) }
}

/// Cash in (or, below zero, out) against one other ledger account.
fn cash(head: Head, money: Money, against: LedgerAccount) -> Result<Journal, LedgerError> {
    let mut lines = Lines::default();
    lines.cash(LedgerAccount::Cash, money.currency, money.amount);
    lines.cash(against, money.currency, -money.amount);
    Journal::balanced(head, lines)
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
        let head = Head::new(account_id, JournalKind::Deposit, idempotency_key, at);
        cash(head, Money::new(positive(amount)?, currency), LedgerAccount::Deposits)
    }

    /// Money taken out.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less.
    pub fn withdrawal(
        account_id: AccountId,
        money: Money,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let head = Head::new(account_id, JournalKind::Withdrawal, idempotency_key, at);
        cash(head, Money::new(-positive(money.amount)?, money.currency), LedgerAccount::Deposits)
    }

    /// A fee that belongs to no trade.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less.
    pub fn fee(
        account_id: AccountId,
        money: Money,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let head = Head::new(account_id, JournalKind::Fee, idempotency_key, at);
        cash(head, Money::new(-positive(money.amount)?, money.currency), LedgerAccount::Commission)
    }

    /// What buying on credit, or with a symbol having sold it short, has cost on a day. Once for each day.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less.
    pub fn carrying_charge(
        account_id: AccountId,
        symbol: Option<Symbol>,
        money: Money,
        day: NaiveDate,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let (kind, key) = match symbol {
            None => (JournalKind::Interest, format!("interest:{}:{day}", money.currency)),
            Some(symbol) => (JournalKind::BorrowFee, format!("borrow_fee:{symbol}:{day}")),
        };
        let head = Head::new(account_id, kind, key, at).on(day, day);
        cash(head, Money::new(-positive(money.amount)?, money.currency), LedgerAccount::Interest)
    }

    /// The same movement as one of another day: booked now, but made then.
    #[must_use]
    pub fn made_on(self, day: NaiveDate) -> Self {
        Self { head: self.head.on(day, day), ..self }
    }

    /// Money moved from one account to another: both sides, linked.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less, or one account on both sides.
    pub fn transfer(
        (from, to): (AccountId, AccountId),
        money: Money,
        idempotency_key: &str,
        at: DateTime<Utc>,
    ) -> Result<[Self; 2], LedgerError> {
        if from == to {
            return Err(LedgerError::Impossible);
        }
        let link = Uuid::now_v7();
        let amount = positive(money.amount)?;
        let side = |account, kind, amount| {
            // The other side's key names the link: the caller's own name belongs to the account it was given for.
            let key = match kind {
                JournalKind::TransferIn => format!("transfer_in:{link}"),
                _ => idempotency_key.to_owned(),
            };
            let head = Head::new(account, kind, key, at).linked(link);
            cash(head, Money::new(amount, money.currency), LedgerAccount::Transfers)
        };
        Ok([side(from, JournalKind::TransferOut, -amount)?, side(to, JournalKind::TransferIn, amount)?])
    }

    /// Money of one currency given for money of another: two legs, linked, and a fee in the currency given. Currencies
    /// are never netted: each leg balances in its own.
    ///
    /// # Errors
    /// [`LedgerError`] for amounts of zero or less, a negative fee, or one currency on both sides.
    pub fn exchange(
        account_id: AccountId,
        given: Money,
        received: Money,
        fee: Decimal,
        idempotency_key: &str,
        at: DateTime<Utc>,
    ) -> Result<[Self; 2], LedgerError> {
        if given.currency == received.currency || fee < Decimal::ZERO {
            return Err(LedgerError::Impossible);
        }
        let (link, amount) = (Uuid::now_v7(), positive(given.amount)?);
        let mut lines = Lines::default();
        lines.cash(LedgerAccount::Cash, given.currency, -amount);
        lines.cash(LedgerAccount::Exchange, given.currency, amount);
        lines.cash(LedgerAccount::Cash, given.currency, -fee);
        lines.cash(LedgerAccount::ExchangeFee, given.currency, fee);
        let out = Head::new(account_id, JournalKind::ExchangeOut, idempotency_key.to_owned(), at);
        let key = format!("exchange_in:{link}");
        let back = Head::new(account_id, JournalKind::ExchangeIn, key, at).linked(link);
        let received = Money::new(positive(received.amount)?, received.currency);
        Ok([Self::balanced(out.linked(link), lines)?, cash(back, received, LedgerAccount::Exchange)?])
    }
}
