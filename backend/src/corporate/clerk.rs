//! Applies actions to accounts, one transaction each.

use super::action::{Action, Terms};
use super::store::{self, Application};
use crate::account::{self, CashBalance, Commodity, LockedBalances, balance_event};
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::events::{self, NewEvent};
use crate::portfolio::{self, ALL_LOTS, Books, PositionKey, Split};
use crate::trading;
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Symbol};
use exchange::{dividend, market_day};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// How far an action has come with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is done there, or has nothing to do.
    Done,
    /// Orders in its symbol have to end first.
    OrdersOpen,
    /// A position has to be closed first; its owner was told.
    Blocked,
}

/// Applies an action to an account in the caller's transaction, unless that was done before.
pub(super) async fn apply(
    connection: &AsyncPgConnection,
    action: &Action,
    account: AccountId,
) -> ApiResult<Progress> {
    let symbols = action.symbols();
    let accounts = BTreeSet::from([account]);
    let locked = account::lock_balances(connection, &accounts, symbols.iter().copied()).await?;
    if store::is_applied(connection, action, account).await? {
        return Ok(Progress::Done);
    }
    // Whoever places an order locks the account's cash, so none appears from here to the commit.
    if action.terms.ends_orders() && trading::has_open_orders(connection, account, action.symbol).await? {
        return Ok(Progress::OrdersOpen);
    }
    let wanted: BTreeMap<PositionKey, Decimal> =
        symbols.iter().map(|symbol| ((account, *symbol), lots_needed(action))).collect();
    let mut books = Books::load(connection, &wanted).await?;
    let at = clock::now();
    let may_be_short = locked.switches(account).short_selling;
    books.let_sell_short(locked.with_short_selling());
    if let Terms::SymbolChange { new_symbol } = action.terms
        && are_opposed(&books, account, (action.symbol, new_symbol))
    {
        if let Some((owner, _)) = locked.account(account) {
            trading::tell_name_blocked(connection, (owner, account), (action.symbol, new_symbol)).await?;
        }
        return Ok(Progress::Blocked);
    }
    let parties = (account, may_be_short);
    let Some(application) = move_position(connection, action, parties, &mut books, at).await? else {
        return Ok(Progress::Done);
    };
    books.save(connection, at).await?;
    store::insert_application(connection, action, account, &application, at).await?;
    events::append(connection, told(&books, &locked, account, at)?).await?;
    Ok(Progress::Done)
}

fn lots_needed(action: &Action) -> Decimal {
    if action.terms.ends_orders() { ALL_LOTS } else { Decimal::ZERO }
}

/// Whether shares of one name are held and those of the other are sold short: neither closes the other by itself.
fn are_opposed(books: &Books, account: AccountId, (old, new): (Symbol, Symbol)) -> bool {
    let [old, new] = [old, new].map(|symbol| books.state(&(account, symbol)).quantity);
    !old.is_zero() && !new.is_zero() && old.is_sign_negative() != new.is_sign_negative()
}

/// Moves the position; `None` when the account has no part in the action.
async fn move_position(
    connection: &AsyncPgConnection,
    action: &Action,
    (account, may_be_short): (AccountId, bool),
    books: &mut Books,
    at: DateTime<Utc>,
) -> ApiResult<Option<Application>> {
    let key = (account, action.symbol);
    let quantity_before = books.state(&key).quantity;
    let is_held = quantity_before > Decimal::ZERO || books.state(&key).is_short();
    let day = action.effective_on;
    let mut application = Application { quantity_before, ..Application::default() };
    match action.terms {
        Terms::Split { new, old, fraction_price } => {
            if !is_held {
                return Ok(None);
            }
            let split = Split { new, old, before: action.ex_date, fraction_price };
            books.split(key, split, day, &action.id.to_string(), at).map_err(ApiError::internal)?;
            application.cash = books.cash_moved();
        }
        Terms::CashDividend { amount_per_share, withholding_rate } => {
            let entitled = match action.ex_date {
                Some(ex_date) => portfolio::shares_before(connection, key, ex_date).await?,
                None => quantity_before,
            };
            let name = format!("dividend:{}", action.id);
            let currency = action.symbol.currency();
            // Who sold shares short before the day owes what they bring, and nothing is withheld of that.
            if entitled < Decimal::ZERO && may_be_short {
                let owed = dividend(-entitled, amount_per_share, Decimal::ZERO, currency);
                let (owed, _) = owed.ok_or_else(|| ApiError::internal("a dividend beyond the books"))?;
                if owed.is_zero() {
                    return Ok(None);
                }
                books.owe_dividend(key, owed, day, name, at).map_err(ApiError::internal)?;
                application.cash = -owed;
                return Ok(Some(Application { quantity_after: quantity_before, ..application }));
            }
            let paid = dividend(entitled, amount_per_share, withholding_rate, currency);
            let (gross, withheld) = paid.ok_or_else(|| ApiError::internal("a dividend beyond the books"))?;
            if gross <= Decimal::ZERO {
                return Ok(None);
            }
            books.pay_dividend(key, (gross, withheld), day, name, at).map_err(ApiError::internal)?;
            (application.cash, application.withheld) = (gross, withheld);
        }
        Terms::SymbolChange { new_symbol } => {
            if !is_held {
                return Ok(None);
            }
            let name = format!("symbol_change:{}", action.id);
            let names = (action.symbol, new_symbol);
            books.rename(account, names, day, name, at).map_err(ApiError::internal)?;
        }
    }
    // Shares that came after the ex date have no part in it.
    if books.is_empty() {
        return Ok(None);
    }
    application.quantity_after = books.state(&key).quantity;
    Ok(Some(application))
}

/// The balances and positions that have moved.
fn told(
    books: &Books,
    locked: &LockedBalances,
    account_id: AccountId,
    at: DateTime<Utc>,
) -> ApiResult<Vec<NewEvent>> {
    let Some((owner, _)) = locked.account(account_id) else { return Ok(Vec::new()) };
    let mut told = Vec::new();
    for ((account_id, symbol), state) in books.changed() {
        let event = portfolio::position_event(owner, (account_id, symbol), state.quantity);
        told.push(event.map_err(ApiError::internal)?);
        let currency = symbol.currency();
        let cash = locked.balance(account_id, Commodity::Cash(currency));
        let total = cash.total + books.cash_moved();
        let balance = CashBalance { account_id, currency, total, held: cash.held };
        told.push(balance_event(owner, &balance, at).map_err(ApiError::internal)?);
    }
    Ok(told)
}

/// Whether the day of an action has come on its market's calendar.
pub(super) fn is_due(action: &Action, at: DateTime<Utc>) -> bool {
    action.effective_on <= market_day(action.symbol.market(), at)
}
