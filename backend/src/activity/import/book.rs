//! Books activities in memory, in the order of their days. Pure.

use super::{Activity, Refusal, Terms, Trade};
use crate::account::{Commodity, Fill, Journal, LedgerError, MARGIN_CURRENCY, SharesHeld};
use crate::portfolio::{Books, Split};
use chrono::{DateTime, Utc};
use domain::{AccountId, Side};
use exchange::settle_date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the account has free of each commodity before the file.
pub(super) type Free = BTreeMap<Commodity, Decimal>;

/// Activities about to be booked.
pub(super) struct Booking<'a> {
    pub(super) account_id: AccountId,
    /// Names the movements.
    pub(super) import_id: Uuid,
    pub(super) books: &'a mut Books,
    /// Movements of cash alone.
    pub(super) cash: Vec<Journal>,
    pub(super) now: DateTime<Utc>,
    /// What was free before.
    free_before: Free,
    /// What is free, as far as it is booked.
    free: Free,
    /// Which line took last from each commodity.
    taken_by: BTreeMap<Commodity, u64>,
}

/// The order of booking: by day, and on one day as the file goes. Files that begin with the newest day go backwards.
pub(super) fn in_order(activities: &[Activity]) -> Vec<&Activity> {
    let mut ordered: Vec<&Activity> = activities.iter().collect();
    let newest_first = match (ordered.first(), ordered.last()) {
        (Some(first), Some(last)) => first.date > last.date,
        _ => false,
    };
    if newest_first {
        ordered.reverse();
    }
    ordered.sort_by_key(|activity| activity.date);
    ordered
}

impl<'a> Booking<'a> {
    pub(super) fn new(
        account_id: AccountId,
        import_id: Uuid,
        books: &'a mut Books,
        free: Free,
        now: DateTime<Utc>,
    ) -> Self {
        let (free_before, taken_by) = (free.clone(), BTreeMap::new());
        Self { account_id, import_id, books, cash: Vec::new(), now, free_before, free, taken_by }
    }

    /// What is wrong at the end: nothing free may be below zero, save what was there before and has not become worse. Files
    /// use no credit and sell nothing short, but they may give back.
    pub(super) fn shortages(&self) -> Vec<Refusal> {
        let before = |commodity| self.free_before.get(commodity).copied().unwrap_or_default();
        let short =
            self.free.iter().filter(|(commodity, free)| **free < before(commodity).min(Decimal::ZERO));
        short
            .map(|(commodity, free)| {
                // What has become less was taken by a line.
                let line = self.taken_by.get(commodity).copied().unwrap_or_default();
                let rule = match commodity {
                    Commodity::Cash(_) => "insufficient_cash",
                    Commodity::Shares(_) => "insufficient_shares",
                };
                let message =
                    format!("{} of {} would be missing in the end", -free.normalize(), commodity.name());
                Refusal::of_line(line, rule, message)
            })
            .collect()
    }

    /// What short sales have brought secures them, whoever takes money out: nothing may go while shares are sold short, or
    /// ordered to be, in the end. A purchase takes money out as well, as a file names any price; only what was sold short may be
    /// bought back. `shares` are the account's before the file.
    pub(super) fn unsecured(&self, activities: &[Activity], shares: &[SharesHeld]) -> Vec<Refusal> {
        let free_of = |shares: &SharesHeld| {
            let booked = self.free.get(&Commodity::Shares(shares.symbol)).copied();
            booked.unwrap_or(shares.total - shares.held)
        };
        let Some(short) = shares.iter().find(|shares| free_of(shares) < Decimal::ZERO) else {
            return Vec::new();
        };
        let gives_back = |symbol| shares.iter().any(|of| of.symbol == symbol && of.total < Decimal::ZERO);
        // A fee goes as far as a withdrawal does.
        let takes_out = |activity: &&Activity| match &activity.terms {
            Terms::Withdrawal(money) | Terms::Fee(money) => money.currency == MARGIN_CURRENCY,
            Terms::Buy(trade) => trade.symbol.currency() == MARGIN_CURRENCY && !gives_back(trade.symbol),
            _ => false,
        };
        let message = format!("{} is sold short; buy it back first", short.symbol);
        let refused =
            |activity: &Activity| Refusal::of_line(activity.line, "secures_short_sales", message.clone());
        activities.iter().filter(takes_out).map(refused).collect()
    }

    fn count(&mut self, line: u64, journal: &Journal) {
        for (commodity, amount) in journal.balance_changes() {
            *self.free.entry(commodity).or_default() += amount;
            if amount < Decimal::ZERO {
                self.taken_by.insert(commodity, line);
            }
        }
    }

    fn name(&self, line: u64) -> String {
        format!("{}:{line}", self.import_id)
    }

    /// Books one activity.
    pub(super) fn book(&mut self, activity: &Activity) -> Result<(), Refusal> {
        let booked = self.books.journals().len();
        let outcome = match &activity.terms {
            Terms::Buy(trade) => self.trade(activity, trade, Side::Buy),
            Terms::Sell(trade) => self.trade(activity, trade, Side::Sell),
            Terms::Dividend { symbol, gross, withheld } => {
                let key = (self.account_id, *symbol);
                let name = format!("import:{}", self.name(activity.line));
                let paid = self.books.pay_dividend(key, (*gross, *withheld), activity.date, name, self.now);
                paid.map_err(|error| refusal(activity, error))
            }
            Terms::Split { symbol, new, old } => {
                self.split(activity, (self.account_id, *symbol), (*new, *old))
            }
            Terms::Deposit(_) | Terms::Withdrawal(_) | Terms::Fee(_) => self.move_cash(activity),
        };
        outcome?;
        let new: Vec<Journal> = self.books.journals().iter().skip(booked).cloned().collect();
        for journal in &new {
            self.count(activity.line, journal);
        }
        Ok(())
    }

    fn trade(&mut self, activity: &Activity, trade: &Trade, side: Side) -> Result<(), Refusal> {
        let held = self.books.state(&(self.account_id, trade.symbol)).quantity;
        if side == Side::Sell && held < trade.quantity.value() {
            let message =
                format!("{} shares are held on that day, {} are sold", held.normalize(), trade.quantity);
            return Err(Refusal::of_line(activity.line, "insufficient_shares", message));
        }
        let fill = Fill {
            account_id: self.account_id,
            execution_id: self.name(activity.line),
            symbol: trade.symbol,
            side,
            quantity: trade.quantity,
            price: trade.price,
            commission: trade.commission,
            tax: trade.tax,
            trade_date: activity.date,
            settle_date: settle_date(trade.symbol.market(), activity.date),
            booked_at: self.now,
        };
        self.books.take_over(&fill).map(|_| ()).map_err(|error| refusal(activity, error))
    }

    fn split(
        &mut self,
        activity: &Activity,
        key: crate::portfolio::PositionKey,
        (new, old): (Decimal, Decimal),
    ) -> Result<(), Refusal> {
        if self.books.state(&key).quantity <= Decimal::ZERO {
            return Err(Refusal::of_line(
                activity.line,
                "nothing_held",
                format!("no share of {} is held on that day", key.1),
            ));
        }
        // Shares that came on that day or later are new pieces already.
        let split = Split { new, old, before: Some(activity.date), fraction_price: None };
        let booked = self.books.journals().len();
        let name = self.name(activity.line);
        self.books
            .split(key, split, activity.date, &name, self.now)
            .map_err(|error| refusal(activity, error))?;
        if self.books.journals().len() == booked {
            let message = "no share from before that day is held";
            return Err(Refusal::of_line(activity.line, "nothing_held", message));
        }
        Ok(())
    }

    fn move_cash(&mut self, activity: &Activity) -> Result<(), Refusal> {
        let name = format!("import:{}", self.name(activity.line));
        let journal = match activity.terms {
            Terms::Deposit(money) => {
                Journal::deposit(self.account_id, money.currency, money.amount, name, self.now)
            }
            Terms::Withdrawal(money) => Journal::withdrawal(self.account_id, money, name, self.now),
            Terms::Fee(money) => Journal::fee(self.account_id, money, name, self.now),
            Terms::Buy(_) | Terms::Sell(_) | Terms::Dividend { .. } | Terms::Split { .. } => return Ok(()),
        };
        let journal = journal.map_err(|error| refusal(activity, error))?.made_on(activity.date);
        self.count(activity.line, &journal);
        self.cash.push(journal);
        Ok(())
    }
}

fn refusal(activity: &Activity, error: LedgerError) -> Refusal {
    let rule = match error {
        LedgerError::Overflow => "too_large",
        LedgerError::Unbalanced(_) | LedgerError::Impossible => "impossible",
    };
    Refusal::of_line(activity.line, rule, error.to_string())
}
