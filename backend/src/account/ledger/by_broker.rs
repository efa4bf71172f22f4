//! Cash that a broker moves beside orders. Pure.

use super::{Commodity, Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, ActivityKind, Money, Symbol};
use rust_decimal::Decimal;

/// What the names begin with under which such movements exist once in their accounts.
const NAME: &str = "activity:";

/// Cash that a broker has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByBroker {
    /// In this account.
    pub account_id: AccountId,
    /// What it is.
    pub kind: ActivityKind,
    /// The share it is about.
    pub symbol: Option<Symbol>,
    /// What came or (below zero) went.
    pub money: Money,
    /// The broker's day.
    pub day: NaiveDate,
    /// The broker's number of it.
    pub activity_id: String,
    /// Whether it takes back what was booked under this number.
    pub is_undone: bool,
}

impl ByBroker {
    /// The share in whose position it counts; fees and the like count in none.
    #[must_use]
    pub fn position(&self) -> Option<Symbol> {
        let counts = matches!(self.kind, ActivityKind::Dividend | ActivityKind::Withholding);
        self.symbol.filter(|_| counts)
    }

    fn kind_and_account(&self) -> (JournalKind, LedgerAccount) {
        let comes = self.money.amount > Decimal::ZERO;
        match self.kind {
            ActivityKind::Dividend => (JournalKind::Dividend, LedgerAccount::Dividend),
            ActivityKind::Withholding => (JournalKind::Withholding, LedgerAccount::Tax),
            ActivityKind::Fee => (JournalKind::Fee, LedgerAccount::Commission),
            ActivityKind::Interest => (JournalKind::Interest, LedgerAccount::Interest),
            ActivityKind::Transfer if comes => (JournalKind::Deposit, LedgerAccount::Deposits),
            ActivityKind::Transfer => (JournalKind::Withdrawal, LedgerAccount::Deposits),
            // Nobody here knows what it was for.
            ActivityKind::Split | ActivityKind::Shares | ActivityKind::Other => {
                (JournalKind::BrokerDifference, LedgerAccount::BrokerDifference)
            }
        }
    }
}

impl Journal {
    /// Cash that a broker has moved beside orders. It may go either way: brokers take things back.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`] for no cash at all, a dividend without a share, or one in another currency than its share's.
    pub fn by_broker(movement: &ByBroker, at: DateTime<Utc>) -> Result<Self, LedgerError> {
        let (symbol, money) = (movement.position(), movement.money);
        if symbol.is_some_and(|symbol| symbol.currency() != money.currency)
            || (movement.kind == ActivityKind::Dividend && symbol.is_none())
        {
            return Err(LedgerError::Impossible);
        }
        let (kind, against) = movement.kind_and_account();
        let undone = if movement.is_undone { ":undone" } else { "" };
        let key = format!("{NAME}{}{undone}", movement.activity_id);
        let mut lines = Lines::default();
        lines.add(LedgerAccount::Cash, symbol, Commodity::Cash(money.currency), money.amount);
        lines.add(against, symbol, Commodity::Cash(money.currency), -money.amount);
        let head = Head::new(movement.account_id, kind, key, at).on(movement.day, movement.day);
        Self::balanced(head, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    fn movement(kind: ActivityKind, amount: i64) -> ByBroker {
        ByBroker {
            account_id: AccountId::generate(),
            kind,
            symbol: Some("AAPL".parse().unwrap()),
            money: Money::new(Decimal::from(amount), Currency::Usd),
            day: "2026-11-20".parse().unwrap(),
            activity_id: "20261120::1".into(),
            is_undone: false,
        }
    }

    fn booked(movement: &ByBroker) -> Journal {
        Journal::by_broker(movement, DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn each_kind_has_its_words_and_the_other_side_of_the_cash() {
        for (kind, amount, journal_kind, against) in [
            (ActivityKind::Dividend, 12, JournalKind::Dividend, LedgerAccount::Dividend),
            (ActivityKind::Dividend, -12, JournalKind::Dividend, LedgerAccount::Dividend),
            (ActivityKind::Withholding, -2, JournalKind::Withholding, LedgerAccount::Tax),
            (ActivityKind::Fee, -1, JournalKind::Fee, LedgerAccount::Commission),
            (ActivityKind::Interest, 3, JournalKind::Interest, LedgerAccount::Interest),
            (ActivityKind::Transfer, 100, JournalKind::Deposit, LedgerAccount::Deposits),
            (ActivityKind::Transfer, -100, JournalKind::Withdrawal, LedgerAccount::Deposits),
            (ActivityKind::Other, 5, JournalKind::BrokerDifference, LedgerAccount::BrokerDifference),
        ] {
            let journal = booked(&movement(kind, amount));
            assert_eq!(journal.kind(), journal_kind);
            assert_eq!(journal.amount_on(LedgerAccount::Cash), Decimal::from(amount));
            assert_eq!(journal.amount_on(against), Decimal::from(-amount), "{kind:?}");
            assert_eq!(journal.idempotency_key(), "activity:20261120::1");
        }
    }

    #[test]
    fn only_dividends_and_their_tax_name_the_share() {
        for kind in ActivityKind::ALL {
            let journal = booked(&movement(kind, 1));
            let names = journal.postings().iter().all(|posting| posting.symbol.is_some());
            assert_eq!(names, matches!(kind, ActivityKind::Dividend | ActivityKind::Withholding), "{kind:?}");
        }
    }

    #[test]
    fn what_is_taken_back_has_a_name_of_its_own() {
        let undone = ByBroker { is_undone: true, ..movement(ActivityKind::Fee, 1) };
        assert_eq!(booked(&undone).idempotency_key(), "activity:20261120::1:undone");
    }

    #[test]
    fn nothing_and_a_dividend_of_no_share_cannot_be() {
        let nobody = ByBroker { symbol: None, ..movement(ActivityKind::Dividend, 1) };
        let korean = ByBroker { symbol: Some("005930.KS".parse().unwrap()), ..nobody.clone() };
        for movement in [movement(ActivityKind::Fee, 0), nobody, korean] {
            assert_eq!(Journal::by_broker(&movement, DateTime::UNIX_EPOCH), Err(LedgerError::Impossible));
        }
    }
}
