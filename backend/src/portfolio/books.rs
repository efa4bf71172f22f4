//! Where positions move: journals, average cost and lots together, so that none of them can be forgotten.
//!
//! The caller has locked the accounts (`account::lock_balances`) and loads the positions it will move; everything happens
//! in memory until [`Books::save`], in the caller's transaction.

use super::cost::{PositionFill, PositionState, share_of};
use super::holding::{Holding, Sale};
use super::lots::Lots;
use super::store::{self, PositionKey};
use crate::account::{self, ByBroker, Fill, InKind, Journal, LedgerAccount, LedgerError};
use crate::db::answers_in_order;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Side, Symbol};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// For a position of which every lot is needed.
pub const ALL_LOTS: Decimal = Decimal::MAX;

/// Positions that are about to move, and what has moved them.
#[derive(Debug, Default)]
pub struct Books {
    holdings: BTreeMap<PositionKey, Holding>,
    changed: BTreeSet<PositionKey>,
    journals: Vec<Journal>,
    sales: Vec<(PositionKey, Sale)>,
    splits: Vec<(Uuid, Decimal, Decimal, Option<NaiveDate>)>,
    /// Accounts that may sell short.
    short_sellers: BTreeSet<AccountId>,
}

/// A corporate action that counts shares in new pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// So many pieces are made
    pub new: Decimal,
    /// of so many.
    pub old: Decimal,
    /// Only shares acquired before this day are counted anew; all without one.
    pub before: Option<NaiveDate>,
    /// What one new share is worth when a fraction is paid out; without a price, fractions are kept.
    pub fraction_price: Option<Decimal>,
}

impl Books {
    /// Positions as they are now, locked to the end of the caller's transaction; with each, how many of its shares will
    /// go at most ([`ALL_LOTS`] when all lots are needed): so many lots are loaded, the oldest first, whatever their
    /// number.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(
        connection: &AsyncPgConnection,
        wanted: &BTreeMap<PositionKey, Decimal>,
    ) -> QueryResult<Self> {
        let states = store::lock_positions(connection, wanted.keys().copied()).await?;
        // Of shares sold short any execution may move the lots: a sale adds to them, a purchase takes away.
        let lots_needed = |key: &PositionKey, going: Decimal| {
            let state = states.get(key)?;
            let needed = if state.is_short() { ALL_LOTS } else { going };
            (needed > Decimal::ZERO).then_some((*key, needed))
        };
        let going = wanted.iter().filter_map(|(key, going)| lots_needed(key, *going)).collect();
        let mut lots = store::oldest_lots(connection, going).await?;
        let holdings = states
            .into_iter()
            .map(|(key, state)| {
                let lots = Lots::new(lots.remove(&key).unwrap_or_default());
                (key, Holding { state, lots })
            })
            .collect();
        Ok(Self { holdings, ..Self::default() })
    }

    /// Lets some accounts sell more than they hold. It has to be said before anything of theirs is moved.
    pub fn let_sell_short(&mut self, accounts: impl Iterator<Item = AccountId>) {
        self.short_sellers.extend(accounts);
    }

    /// A position as it stands now.
    #[must_use]
    pub fn state(&self, key: &PositionKey) -> PositionState {
        self.holdings.get(key).map_or_else(PositionState::default, |holding| holding.state)
    }

    /// The positions that have moved.
    pub fn changed(&self) -> impl Iterator<Item = (PositionKey, &PositionState)> {
        self.changed.iter().filter_map(|key| Some((*key, self.holdings.get(key)?.state())))
    }

    /// Whether nothing has moved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.journals.is_empty()
    }

    /// By how much settled cash has moved; all movements are of one currency's symbols.
    #[must_use]
    pub fn cash_moved(&self) -> Decimal {
        self.journals.iter().map(|journal| journal.amount_on(LedgerAccount::Cash)).sum()
    }

    /// What was booked so far.
    #[must_use]
    pub fn journals(&self) -> &[Journal] {
        &self.journals
    }

    fn holding(&mut self, key: PositionKey) -> &mut Holding {
        self.changed.insert(key);
        self.holdings.entry(key).or_default()
    }

    /// Books an execution, and returns its journal.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing of these books may be saved then.
    pub fn trade(&mut self, fill: &Fill) -> Result<Journal, LedgerError> {
        self.book(fill, Journal::fill)
    }

    /// Books a trade that was made elsewhere, and returns its journal.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing of these books may be saved then.
    pub fn take_over(&mut self, fill: &Fill) -> Result<Journal, LedgerError> {
        self.book(fill, Journal::trade)
    }

    fn book(
        &mut self,
        fill: &Fill,
        journal_of: fn(&Fill, Decimal) -> Result<Journal, LedgerError>,
    ) -> Result<Journal, LedgerError> {
        let key = (fill.account_id, fill.symbol);
        let seen = PositionFill {
            side: fill.side,
            quantity: fill.quantity.value(),
            notional: fill.notional()?,
            commission: fill.commission,
            tax: fill.tax,
            currency: fill.symbol.currency(),
        };
        let either_way = self.short_sellers.contains(&fill.account_id);
        let holding = self.holding(key);
        let cost_change =
            if either_way { holding.state.apply_either_way(&seen) } else { holding.state.apply(&seen) };
        let journal = journal_of(fill, cost_change)?;
        let place = (journal.id(), fill.trade_date);
        let sale = if either_way {
            holding.follow_either_way(&seen, cost_change, place)
        } else {
            holding.follow(&seen, cost_change, place)
        };
        self.sales.extend(sale.map(|sale| (key, sale)));
        self.journals.push(journal.clone());
        Ok(journal)
    }

    /// Shares that come or go without a trade and without a profit. `cost_change` is what shares that come have cost;
    /// of those that go it is found here. More cannot go than are held.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn move_in_kind(&mut self, movement: &InKind, at: DateTime<Utc>) -> Result<(), LedgerError> {
        let key = (movement.account_id, movement.symbol);
        let currency = movement.symbol.currency();
        let holding = self.holding(key);
        if holding.state.is_short() {
            return Err(LedgerError::Impossible);
        }
        if movement.quantity > Decimal::ZERO {
            let held = (holding.state.quantity + movement.quantity).min(movement.quantity).max(Decimal::ZERO);
            let cost = share_of(movement.cost_change, held, movement.quantity, currency);
            let journal = Journal::in_kind(&InKind { cost_change: cost, ..movement.clone() }, at)?;
            holding.receive(movement.quantity, cost, (journal.id(), movement.trade_date));
            self.journals.push(journal);
            return Ok(());
        }
        let quantity = -movement.quantity;
        if quantity > holding.state.quantity {
            return Err(LedgerError::Impossible);
        }
        let cost = holding.cost_of(quantity, currency);
        let journal = Journal::in_kind(&InKind { cost_change: -cost, ..movement.clone() }, at)?;
        let sale = holding.deliver(quantity, cost, (journal.id(), movement.trade_date), currency);
        self.sales.push((key, sale));
        self.journals.push(journal);
        Ok(())
    }

    /// Pays a dividend on `key`'s shares.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn pay_dividend(
        &mut self,
        key: PositionKey,
        (gross, withheld): (Decimal, Decimal),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let journal = Journal::dividend(key, (gross, withheld), day, idempotency_key, at)?;
        let state = &mut self.holding(key).state;
        state.dividends += gross;
        state.tax += withheld;
        self.journals.push(journal);
        Ok(())
    }

    /// Has who sold `key`'s shares short pay the dividend on them.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn owe_dividend(
        &mut self,
        key: PositionKey,
        amount: Decimal,
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let journal = Journal::dividend_owed(key, amount, day, idempotency_key, at)?;
        self.holding(key).state.dividends -= amount;
        self.journals.push(journal);
        Ok(())
    }

    /// Cash that the broker moved beside orders; what concerns a share counts in its position.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn move_by_broker(&mut self, movement: &ByBroker, at: DateTime<Utc>) -> Result<(), LedgerError> {
        let journal = Journal::by_broker(movement, at)?;
        if let Some(symbol) = movement.position() {
            let state = &mut self.holding((movement.account_id, symbol)).state;
            state.dividends -= journal.amount_on(LedgerAccount::Dividend);
            state.tax += journal.amount_on(LedgerAccount::Tax);
        }
        self.journals.push(journal);
        Ok(())
    }

    /// Counts the shares of a position, of which every lot is loaded, in new pieces. A fraction that is paid out is sold
    /// without fees, the oldest lot first; of shares sold short it is bought back.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn split(
        &mut self,
        key: PositionKey,
        split: Split,
        day: NaiveDate,
        idempotency_key: &str,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let holding = self.holding(key);
        let change = holding.split(split.new, split.old, split.before).ok_or(LedgerError::Overflow)?;
        if !change.is_zero() {
            let journal = Journal::split(key, change, day, format!("split:{idempotency_key}"), at)?;
            self.splits.push((journal.id(), split.new, split.old, split.before));
            self.journals.push(journal);
        }
        let state = self.state(&key);
        let fraction = state.quantity.fract();
        match split.fraction_price {
            Some(price) if fraction > Decimal::ZERO || (state.is_short() && !fraction.is_zero()) => {
                self.pay_fraction(key, (fraction, price), day, format!("cash_in_lieu:{idempotency_key}"), at)
            }
            _ => Ok(()),
        }
    }

    fn pay_fraction(
        &mut self,
        key: PositionKey,
        (fraction, price): (Decimal, Decimal),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let currency = key.1.currency();
        let proceeds = currency.round(fraction.checked_mul(price).ok_or(LedgerError::Overflow)?);
        let sold = PositionFill {
            side: if fraction > Decimal::ZERO { Side::Sell } else { Side::Buy },
            quantity: fraction.abs(),
            notional: proceeds.abs(),
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            currency,
        };
        let holding = self.holding(key);
        // A part of what is held, or of what is sold short: it crosses nothing.
        let cost_change = holding.state.apply_either_way(&sold);
        let amounts = (fraction, proceeds, cost_change);
        let journal = Journal::cash_in_lieu(key, amounts, day, idempotency_key, at)?;
        let sale = holding.follow_either_way(&sold, cost_change, (journal.id(), day));
        self.sales.extend(sale.map(|sale| (key, sale)));
        self.journals.push(journal);
        Ok(())
    }

    /// Gives everything an account holds under one name, of which every lot is loaded, another.
    ///
    /// # Errors
    /// [`LedgerError`] also when nothing is held.
    pub fn rename(
        &mut self,
        account: AccountId,
        (old, new): (Symbol, Symbol),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut leaving = self.holding((account, old)).clone();
        let (quantity, cost) = (leaving.state.quantity, leaving.state.cost);
        let there = self.holding((account, new)).state.quantity;
        let is_held = quantity > Decimal::ZERO || leaving.state.is_short();
        // Shares of one name that are held do not close those of the other that are sold short.
        if !is_held || (!there.is_zero() && (there > Decimal::ZERO) != (quantity > Decimal::ZERO)) {
            return Err(LedgerError::Impossible);
        }
        let journal =
            Journal::symbol_change(account, (old, new), (quantity, cost), day, idempotency_key, at)?;
        self.holding((account, new)).adopt(&mut leaving);
        *self.holding((account, old)) = leaving;
        self.journals.push(journal);
        Ok(())
    }

    /// Empties a position, of which every lot is loaded, with the journal that closes its sums in the ledger. Its shares
    /// go for what they have cost; its figures start anew.
    pub fn reset(&mut self, key: PositionKey, journal: Journal) {
        let day = journal.dates().0;
        let holding = self.holding(key);
        let sale = holding.close((journal.id(), day), key.1.currency());
        self.sales.extend(sale.map(|sale| (key, sale)));
        self.journals.push(journal);
    }

    /// Writes everything that has moved, in one go (decision 78).
    ///
    /// # Errors
    /// The database's; a movement that exists already under its key is one.
    pub async fn save(&self, connection: &AsyncPgConnection, at: DateTime<Utc>) -> QueryResult<()> {
        if self.journals.is_empty() {
            return Ok(());
        }
        answers_in_order!(
            a = account::post(connection, &self.journals),
            b = store::save_positions(connection, self.positions(), at),
            c = store::save_lots(connection, self.lots()),
            d = store::insert_sales(connection, &self.sales),
            e = store::insert_splits(connection, &self.splits),
        );
        Ok(())
    }

    fn moved(&self) -> impl Iterator<Item = (PositionKey, &Holding)> {
        self.changed.iter().filter_map(|key| Some((*key, self.holdings.get(key)?)))
    }

    fn positions(&self) -> impl Iterator<Item = (PositionKey, PositionState)> {
        self.moved().map(|(key, holding)| (key, holding.state))
    }

    fn lots(&self) -> impl Iterator<Item = (PositionKey, &Lots)> {
        self.moved().map(|(key, holding)| (key, &holding.lots))
    }
}
