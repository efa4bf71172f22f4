//! Accounts that may buy on credit and sell short: what they are judged by, what they are charged, and when they are called.

mod clerk;
mod reduce;
mod routes;

pub(super) use clerk::MarginClerk;
pub(super) use routes::routes;

use super::store;
use crate::account::{self, Commodity, LockedBalances, MARGIN_CURRENCY, MarginStanding};
use crate::clock;
use crate::market::Market;
use crate::risk::{MarginBook, MarginState};
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Market as Venue, Quote, Symbol};
use exchange::{MarginRules, trade_date};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};

/// Whether shares of a symbol are lent, and money to buy them.
fn is_lent(symbol: Symbol) -> bool {
    symbol.currency() == MARGIN_CURRENCY
}

/// Everything that decides about the accounts with credit among these, whose cash is locked or seen in one picture. Asks
/// the database nothing where there is none.
///
/// # Errors
/// The database's.
pub(super) async fn load(
    connection: &AsyncPgConnection,
    balances: &LockedBalances,
    market: &Market,
) -> QueryResult<HashMap<AccountId, MarginBook>> {
    let accounts: Vec<AccountId> = balances.with_margin().collect();
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let cash = |account| balances.balance(account, Commodity::Cash(MARGIN_CURRENCY)).total;
    let standings = account::margin_standings(connection, &accounts).await?;
    read(connection, standings, cash, market).await
}

/// The same of one account to be shown: nothing is locked. Nothing where it has no credit.
///
/// # Errors
/// The database's.
pub(super) async fn look(
    connection: &AsyncPgConnection,
    account: AccountId,
    market: &Market,
) -> QueryResult<Option<MarginBook>> {
    let standings = account::margin_standings(connection, &[account]).await?;
    if standings.is_empty() {
        return Ok(None);
    }
    let cash = account::cash_of(connection, &[account]).await?;
    let cash = cash.iter().find(|cash| cash.currency == MARGIN_CURRENCY).map(|cash| cash.total);
    let mut books = read(connection, standings, |_| cash.unwrap_or_default(), market).await?;
    Ok(books.remove(&account))
}

async fn read(
    connection: &AsyncPgConnection,
    standings: Vec<MarginStanding>,
    cash: impl Fn(AccountId) -> Decimal,
    market: &Market,
) -> QueryResult<HashMap<AccountId, MarginBook>> {
    let accounts: Vec<AccountId> = standings.iter().map(|standing| standing.account_id).collect();
    let rules = MarginRules::on(trade_date(Venue::Us, clock::now()));
    let mut books: HashMap<AccountId, MarginBook> = standings
        .into_iter()
        .map(|standing| {
            let book = MarginBook {
                rules,
                may_short: standing.switches.short_selling,
                is_called: standing.called_at.is_some(),
                currency: MARGIN_CURRENCY,
                cash: cash(standing.account_id).normalize(),
                exposures: BTreeMap::new(),
            };
            (standing.account_id, book)
        })
        .collect();
    for (account, symbol, open) in store::open_exposures(connection, &accounts).await? {
        if let Some(book) = book_for(&mut books, account, symbol) {
            book.exposures.insert(symbol, open);
        }
    }
    for shares in account::shares_held(connection, &accounts).await? {
        if let Some(book) = book_for(&mut books, shares.account_id, shares.symbol) {
            book.exposures.entry(shares.symbol).or_default().quantity = shares.total;
        }
    }
    for book in books.values_mut() {
        for (symbol, exposure) in &mut book.exposures {
            exposure.mark = market.last_quote(*symbol).map(|quote| quote.price.value());
        }
    }
    Ok(books)
}

/// The account as an order in a symbol sees it; nothing where credit has no part in it.
pub(super) fn state(book: Option<&MarginBook>, symbol: Symbol, quote: Option<&Quote>) -> Option<MarginState> {
    let book = book.filter(|_| is_lent(symbol))?;
    Some(book.seen_from(symbol, quote.map(|quote| quote.price.value())))
}

/// The book that counts a symbol of an account.
pub(super) fn book_for(
    books: &mut HashMap<AccountId, MarginBook>,
    account: AccountId,
    symbol: Symbol,
) -> Option<&mut MarginBook> {
    books.get_mut(&account).filter(|_| is_lent(symbol))
}

/// Has a row for shares that an account sells without ever having had any: what an order holds must be written somewhere.
///
/// # Errors
/// The database's.
pub(super) async fn make_room(
    connection: &AsyncPgConnection,
    balances: &mut LockedBalances,
    selling: impl Iterator<Item = (AccountId, Symbol)>,
) -> QueryResult<()> {
    let missing: Vec<_> = selling
        .filter(|(account, symbol)| balances.switches(*account).short_selling && is_lent(*symbol))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    account::ensure_shares(connection, missing.iter().copied()).await?;
    for (account, symbol) in missing {
        balances.make_room(account, symbol);
    }
    Ok(())
}
