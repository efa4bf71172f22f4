//! Charges accounts that owe money or shares, once for each day, calls those whose equity is too small, and reduces what is
//! open in those that do not answer in time.

use super::super::dispatcher::DispatchQueue;
use super::super::incident::{Incident, MARGIN_CALL, NewIncident};
use super::super::store;
use super::load;
use super::reduce::{due_at, reduce};
use crate::account::{self, Journal, LockedBalances, MARGIN_CURRENCY, MarginStanding, balance_event};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult};
use crate::events::{self, EventHub, NewEvent};
use crate::market::Market;
use crate::risk::MarginBook;
use actix_web::web;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Market as Venue, Money, Symbol};
use exchange::{charge_a_day, market_day};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// Accounts that are read at once.
const ACCOUNTS_PER_PAGE_MAX: i64 = 64;
/// Days without a server that are charged afterwards at most; those before them are let off.
const DAYS_CHARGED_LATE_MAX: usize = 31;

/// The clerk.
pub(in crate::trading) struct MarginClerk {
    pub(in crate::trading) pool: Pool,
    pub(in crate::trading) events: Arc<EventHub>,
    pub(in crate::trading) market: web::Data<Market>,
    /// Takes cancels to the broker.
    pub(in crate::trading) dispatch: DispatchQueue,
    /// How long a call may stand before positions are reduced; for ever without one.
    pub(in crate::trading) grace: Option<TimeDelta>,
}

impl MarginClerk {
    /// Looks until told to stop. What cannot be done now is done at a later look.
    pub(in crate::trading) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "accounts with credit could not be looked at; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    async fn look(&self) -> ApiResult<()> {
        let mut last = None;
        loop {
            let page = {
                let connection = self.pool.get().await?;
                account::margin_accounts(&connection, last, ACCOUNTS_PER_PAGE_MAX).await?
            };
            let Some(end) = page.last() else { return Ok(()) };
            last = Some(end.account_id);
            for standing in page {
                // One account that cannot be looked at does not keep the others waiting.
                if let Err(error) = self.look_at(standing.account_id).await {
                    tracing::warn!(account = %standing.account_id, %error, "an account with credit waits for the next look");
                }
            }
        }
    }

    async fn look_at(&self, account: AccountId) -> ApiResult<()> {
        // Asked for before any lock is taken; from then on these symbols are followed.
        let shares = account::shares_held(&*self.pool.get().await?, &[account]).await?;
        let symbols: Vec<Symbol> = shares.iter().map(|shares| shares.symbol).collect();
        self.market.quotes(&symbols).await;
        let mut connection = self.pool.get().await?;
        let told = connection
            .transaction(async |connection| {
                attend(connection, account, (self.market.get_ref(), self.grace)).await
            })
            .await?;
        if told {
            self.events.wake();
            self.dispatch.look();
        }
        Ok(())
    }
}

/// Charges and calls one account, and reduces what is open in it, in the caller's transaction; says whether there is news.
async fn attend(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    (market, grace): (&Market, Option<TimeDelta>),
) -> ApiResult<bool> {
    let connection: &AsyncPgConnection = connection;
    let now = clock::now();
    let locked = account::lock_balances(connection, &BTreeSet::from([account]), std::iter::empty()).await?;
    let standing = account::margin_standings(connection, &[account]).await?.into_iter().next();
    let books = load(connection, &locked, market).await?;
    let (Some(before), Some(book)) = (standing, books.get(&account)) else { return Ok(false) };
    // Without a price nobody knows what is owed.
    if book.unpriced().is_some() {
        return Ok(false);
    }
    let (mut told, mut standing) = (Vec::new(), before);
    let today = market_day(Venue::Us, now);
    let charges = charges(book, account, &days_due(before.charged_through, today), now)?;
    standing.charged_through = before.charged_through.max(Some(today));
    if !charges.is_empty() {
        account::post(connection, &charges).await?;
        let moved: Decimal =
            charges.iter().map(|journal| journal.amount_on(account::LedgerAccount::Cash)).sum();
        told.push(balance_told(&before, &locked, moved, now)?);
    }
    let call = called(&before, book, (now, grace));
    standing.called_at = call.called_at;
    if let Some(incident) = call.incident {
        tracing::warn!(%account, detail = incident.detail, "an account is called");
        let incident = NewIncident::new(Some(before.user_id), account, incident, now);
        told.extend(incident.event().transpose().map_err(ApiError::internal)?);
        store::insert_incidents(connection, &[incident]).await?;
    }
    if let Some(called_at) = call.called_at.filter(|at| due_at(*at, grace).is_some_and(|due| due <= now))
        && let Some(incident) = reduce(connection, (&standing, called_at), book, now).await?
    {
        told.extend(incident.event().transpose().map_err(ApiError::internal)?);
        store::insert_incidents(connection, &[incident]).await?;
    }
    if standing != before {
        account::save_margin_standing(connection, &standing).await?;
    }
    let is_news = !told.is_empty();
    events::append(connection, told).await?;
    Ok(is_news)
}

fn balance_told(
    standing: &MarginStanding,
    locked: &LockedBalances,
    moved: Decimal,
    now: DateTime<Utc>,
) -> ApiResult<NewEvent> {
    let mut cash = locked.cash(standing.account_id, MARGIN_CURRENCY);
    cash.total += moved;
    balance_event(standing.user_id, &cash, now).map_err(ApiError::internal)
}

/// The days that have begun since the last that was charged, the oldest first. Each is charged for the night before it.
fn days_due(charged_through: Option<NaiveDate>, today: NaiveDate) -> Vec<NaiveDate> {
    let Some(last) = charged_through else { return Vec::new() };
    let mut days: Vec<NaiveDate> =
        today.iter_days().rev().take_while(|day| *day > last).take(DAYS_CHARGED_LATE_MAX).collect();
    days.reverse();
    days
}

/// What days cost: interest on what is owed, and for each symbol sold short its fee, as things stand now.
fn charges(
    book: &MarginBook,
    account: AccountId,
    days: &[NaiveDate],
    now: DateTime<Utc>,
) -> ApiResult<Vec<Journal>> {
    let owed = (None, (-book.cash).max(Decimal::ZERO), book.rules.debit_interest);
    let borrowed = book.exposures.iter().map(|(symbol, exposure)| {
        (Some(*symbol), (-exposure.value()).max(Decimal::ZERO), book.rules.borrow_fee)
    });
    let mut journals = Vec::new();
    for (symbol, amount, rate) in std::iter::once(owed).chain(borrowed) {
        let charge = charge_a_day(amount, rate, book.currency);
        let charge = charge.ok_or_else(|| ApiError::internal("a charge beyond the books"))?;
        if charge.is_zero() {
            continue;
        }
        for day in days {
            let money = Money::new(charge, book.currency);
            let journal = Journal::carrying_charge(account, symbol, money, *day, now);
            journals.push(journal.map_err(ApiError::internal)?);
        }
    }
    Ok(journals)
}

/// Since when an account is called after a look, and what a person is told of it.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    called_at: Option<DateTime<Utc>>,
    incident: Option<Incident>,
}

/// An account is called when its equity falls below what must stay, told once, and free again when it does not.
fn called(
    standing: &MarginStanding,
    book: &MarginBook,
    (now, grace): (DateTime<Utc>, Option<TimeDelta>),
) -> Call {
    let (equity, needed) = (book.equity(), book.required_to_stay());
    if equity >= needed {
        return Call { called_at: None, incident: None };
    }
    let incident = standing.called_at.is_none().then(|| {
        let due_at = due_at(now, grace);
        let due = due_at.map(|due| due.format("; from %Y-%m-%d %H:%M UTC on they are reduced here"));
        let due = due.map(|due| due.to_string()).unwrap_or_default();
        let (equity, needed) = (book.currency.round_down(equity).normalize(), needed.normalize());
        let detail = format!(
            "the equity of {equity} {} is below the {needed} that must stay: bring in money or reduce positions{due}",
            book.currency,
        );
        Incident::new(MARGIN_CALL, detail)
            .with("equity", equity)
            .with("needed", needed)
            .with("currency", book.currency)
            .with_some("due", due_at.map(|due| due.to_rfc3339()))
    });
    Call { called_at: standing.called_at.or(Some(now)), incident }
}

#[cfg(test)]
mod tests;
