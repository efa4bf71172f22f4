//! Takes open orders back, then closes the books.

use super::super::store;
use super::{Reset, ResetService, ResetStatus};
use crate::account::{self, CashBalance, Journal, balance_event};
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::events::{self, NewEvent};
use crate::portfolio::{ALL_LOTS, Books, position_event};
use crate::trading;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Currency, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Resets of one round.
const ROUND_MAX: i64 = 64;
/// Time between two rounds while there are resets, and how soon those of somebody else are found.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
const SCAN_INTERVAL: Duration = Duration::from_secs(1);

/// Goes on with resets until told to stop.
pub(super) async fn run(service: ResetService, stop: CancellationToken) {
    let mut there_are_some = true;
    loop {
        let pause = if there_are_some { ROUND_PAUSE } else { SCAN_INTERVAL };
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
        there_are_some = match round(&service).await {
            Ok(number) => number > 0,
            Err(error) => {
                tracing::warn!(%error, "resets wait for the database");
                false
            }
        };
    }
}

async fn round(service: &ResetService) -> ApiResult<usize> {
    let waiting = store::resets_waiting(&*service.pool.get().await?, ROUND_MAX).await?;
    for reset in &waiting {
        if let Err(error) = step(service, reset).await {
            tracing::warn!(%error, reset = %reset.id, "a reset could not go on; trying again");
        }
    }
    Ok(waiting.len())
}

async fn step(service: &ResetService, reset: &Reset) -> ApiResult<()> {
    let is_busy = service
        .trading
        .take_everything_back(reset.user_id, reset.account_id, "the account begins anew")
        .await?;
    let now = clock::now();
    let mut connection = service.pool.get().await?;
    if !is_busy
        && connection.transaction(async |connection| close_books(connection, reset, now).await).await?
    {
        service.events.wake();
        return Ok(());
    }
    if reset.is_late(now) {
        let reason = "open orders were not taken back in time".to_owned();
        store::save_reset(&connection, reset.id, (ResetStatus::Failed, Some(reason)), now).await?;
    }
    Ok(())
}

/// Closes the books of an account and begins anew, unless something is under way after all. Says whether.
async fn close_books(
    connection: &mut AsyncPgConnection,
    reset: &Reset,
    now: DateTime<Utc>,
) -> ApiResult<bool> {
    let connection: &AsyncPgConnection = connection;
    let account = reset.account_id;
    let (symbols, _) = account::balances_of(connection, account).await?;
    account::lock_balances(connection, &BTreeSet::from([account]), symbols.iter().copied()).await?;
    // Whoever places an order or books an execution locks the account, so from here on nothing moves: what was placed
    // before is seen here and taken back first, what comes later finds the new books.
    let (symbols_now, is_held) = account::balances_of(connection, account).await?;
    if is_held || symbols_now != symbols || trading::is_anything_under_way(connection, account).await? {
        return Ok(false);
    }
    if !store::save_reset(connection, reset.id, (ResetStatus::Done, None), now).await? {
        return Ok(true);
    }
    keep_promises(connection, account, now).await?;
    let told = close_positions(connection, reset, &symbols, now).await?;
    if let Some(opening) = reset.opening {
        let key = format!("deposit:reset:{}", reset.id);
        let journal = Journal::deposit(account, opening.currency, opening.amount, key, now)
            .map_err(ApiError::internal)?;
        account::post(connection, &[journal]).await?;
    }
    store::forget_imports(connection, account, now).await?;
    events::append(connection, told).await?;
    tracing::info!(%account, "an account begins anew");
    Ok(true)
}

/// What trades have promised is kept before its day: nothing is left to be settled.
async fn keep_promises(
    connection: &AsyncPgConnection,
    account: AccountId,
    now: DateTime<Utc>,
) -> ApiResult<()> {
    let mut journals = Vec::new();
    for promise in account::take_promises(connection, account).await? {
        journals.extend(Journal::settlement(&promise, now).map_err(ApiError::internal)?);
    }
    Ok(account::post(connection, &journals).await?)
}

async fn close_positions(
    connection: &AsyncPgConnection,
    reset: &Reset,
    symbols: &[Symbol],
    now: DateTime<Utc>,
) -> ApiResult<Vec<NewEvent>> {
    let (account, name) = (reset.account_id, reset.id.to_string());
    let sums = account::trial_balance(connection, account).await?;
    // Also those whose shares are gone have figures.
    let tagged: BTreeSet<Symbol> = sums.iter().filter_map(|sum| sum.symbol).collect();
    let keys: BTreeSet<Symbol> = tagged.iter().chain(symbols).copied().collect();
    let wanted = keys.iter().map(|symbol| ((account, *symbol), ALL_LOTS)).collect();
    let mut books = Books::load(connection, &wanted).await?;
    for symbol in &tagged {
        let journal =
            Journal::reset(account, Some(*symbol), &sums, &name, now).map_err(ApiError::internal)?;
        books.reset((account, *symbol), journal);
    }
    books.save(connection, now).await?;
    if sums.iter().any(|sum| sum.symbol.is_none()) {
        let journal = Journal::reset(account, None, &sums, &name, now).map_err(ApiError::internal)?;
        account::post(connection, &[journal]).await?;
    }
    told(reset, &keys, now)
}

/// The balances and positions as they are now.
fn told(reset: &Reset, symbols: &BTreeSet<Symbol>, now: DateTime<Utc>) -> ApiResult<Vec<NewEvent>> {
    let mut told = Vec::new();
    for currency in Currency::ALL {
        let opening = reset.opening.filter(|money| money.currency == currency);
        let total = opening.map_or(Decimal::ZERO, |money| money.amount);
        let cash = CashBalance { account_id: reset.account_id, currency, total, held: Decimal::ZERO };
        told.push(balance_event(reset.user_id, &cash, now).map_err(ApiError::internal)?);
    }
    for symbol in symbols {
        let event = position_event(reset.user_id, (reset.account_id, *symbol), Decimal::ZERO);
        told.push(event.map_err(ApiError::internal)?);
    }
    Ok(told)
}
