//! Takes files over.

use super::super::store::{self, ImportRow};
use super::book::{Booking, Free, in_order};
use super::columns::ColumnsError;
use super::duplicates::{self, Policy};
use super::read::{self, FileError, Options, ReadFile};
use super::report::{self, Findings, ImportReport};
use super::{Activity, LINES_MAX, Refusal};
use crate::account::{
    self, Account, AccountService, CashBalance, Commodity, Journal, LockedBalances, balance_event,
};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult};
use crate::events::{self, EventHub, NewEvent};
use crate::extract::Upload;
use crate::portfolio::{ALL_LOTS, Books, position_event};
use actix_web::web;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Currency, Symbol, UserId};
use exchange::market_day;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// Imports of an account that are listed.
const LISTED_MAX: i64 = 100;

/// How a file is to be taken over.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) options: Options,
    pub(super) policy: Policy,
    /// Only say what would happen.
    pub(super) dry_run: bool,
}

/// Activities taken over from files.
pub struct ImportService {
    pool: Pool,
    accounts: web::Data<AccountService>,
    events: Arc<EventHub>,
}

/// A file ready to be booked.
struct Prepared {
    wish: Wish,
    file: ReadFile,
    file_hash: Vec<u8>,
}

impl ImportService {
    /// The service over its tables.
    #[must_use]
    pub const fn new(pool: Pool, accounts: web::Data<AccountService>, events: Arc<EventHub>) -> Self {
        Self { pool, accounts, events }
    }

    /// Takes a file over, whole or not at all, or only says what that would do. The same file is taken over once.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`], [`crate::error::ErrorCode::ImportRefused`] with every refused line, or
    /// what makes the file unreadable.
    pub(super) async fn take_over(
        &self,
        user: UserId,
        account: AccountId,
        upload: Upload,
        wish: Wish,
    ) -> ApiResult<(ImportReport, bool)> {
        let account = self.accounts.find(user, account).await?;
        let (currency, today) = (account.currency, latest_day(clock::now()));
        // Reading thousands of lines must not keep those waiting who place orders.
        let prepared = web::block(move || prepare(&upload, wish, currency, today)).await;
        let prepared = prepared.map_err(ApiError::internal)??;
        let mut connection = self.pool.get().await?;
        let told = connection
            .transaction(async |connection| take_over(connection, &account, user, &prepared).await)
            .await?;
        self.events.wake();
        Ok(told)
    }

    /// The latest imports of an account, newest first.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn list(&self, user: UserId, account: AccountId) -> ApiResult<Vec<ImportRow>> {
        let account = self.accounts.find(user, account).await?;
        Ok(store::imports_of(&*self.pool.get().await?, account.id, LISTED_MAX).await?)
    }
}

/// The latest day on which something can have happened anywhere.
fn latest_day(now: DateTime<Utc>) -> chrono::NaiveDate {
    [domain::Market::Krx, domain::Market::Us]
        .into_iter()
        .map(|market| market_day(market, now))
        .max()
        .unwrap_or_else(|| now.date_naive())
}

fn prepare(upload: &Upload, wish: Wish, currency: Currency, today: chrono::NaiveDate) -> ApiResult<Prepared> {
    let text = upload.text()?;
    let file = read::read(&text, &wish.options, currency, today).map_err(unreadable)?;
    Ok(Prepared { wish, file, file_hash: Sha256::digest(&upload.bytes).to_vec() })
}

fn unreadable(error: FileError) -> ApiError {
    match error {
        FileError::Empty => {
            ApiError::field("body", "empty", "has no first line with the names of the columns")
        }
        FileError::TooLong => {
            ApiError::field("body", "too_many_lines", format!("has more than {LINES_MAX} lines"))
        }
        FileError::Columns(ColumnsError::NotThere(field), header) => {
            let message = format!("names no single column of this file; it has {}", header.join(", "));
            ApiError::field(field.parameter(), "unknown_column", message)
        }
        FileError::Columns(ColumnsError::Missing(field), header) => {
            let message =
                format!("no column is known to be the {}; it has {}", field.name(), header.join(", "));
            ApiError::field(field.parameter(), "required", message)
        }
    }
}

async fn take_over(
    connection: &mut AsyncPgConnection,
    account: &Account,
    user: UserId,
    prepared: &Prepared,
) -> ApiResult<(ImportReport, bool)> {
    let connection: &AsyncPgConnection = connection;
    let symbols: BTreeSet<Symbol> =
        prepared.file.activities.iter().filter_map(|activity| activity.terms.symbol()).collect();
    let locked =
        account::lock_balances(connection, &BTreeSet::from([account.id]), symbols.iter().copied()).await?;
    if let Some(before) = store::import_of_file(connection, account.id, &prepared.file_hash).await?
        && !prepared.wish.dry_run
    {
        return Ok((serde_json::from_str(&before.report).map_err(ApiError::internal)?, true));
    }
    let wanted = symbols.iter().map(|symbol| ((account.id, *symbol), ALL_LOTS)).collect();
    let mut books = Books::load(connection, &wanted).await?;
    books.let_sell_short(locked.with_short_selling());
    let keys = duplicates::keys(&prepared.file.activities, prepared.wish.policy);
    let existing = store::existing_keys(connection, account.id, keys.clone()).await?;
    let (twice, mut refusals) =
        duplicates::find(&prepared.file.activities, &keys, &existing, prepared.wish.policy);
    refusals.extend(prepared.file.refusals.iter().cloned());
    let taken = |line: &u64| {
        !twice.contains_key(line)
            || (prepared.wish.policy == Policy::Refuse
                && refusals.iter().any(|refusal| refusal.line == *line))
    };
    let named: Vec<(Activity, Vec<u8>)> = prepared.file.activities.iter().cloned().zip(keys).collect();
    let accepted: Vec<(Activity, Vec<u8>)> =
        named.into_iter().filter(|(activity, _)| taken(&activity.line)).collect();
    let (import_id, now) = (Uuid::now_v7(), clock::now());
    let activities: Vec<Activity> = accepted.iter().map(|(activity, _)| activity.clone()).collect();
    let free = free_of(&locked, account.id, &symbols);
    let mut booking = Booking::new(account.id, import_id, &mut books, free, now);
    // What is refused already would only bring more refusals behind it.
    if refusals.is_empty() {
        refusals = book_all(&mut booking, &activities);
    }
    if refusals.is_empty() && locked.switches(account.id).short_selling {
        let shares = account::shares_held(connection, &[account.id]).await?;
        refusals = booking.unsecured(&activities, &shares);
    }
    let cash = std::mem::take(&mut booking.cash);
    refusals.sort_by_key(|refusal| (refusal.line, refusal.column));
    let findings = Findings {
        file: &prepared.file,
        file_hash: &prepared.file_hash,
        twice: &twice,
        refusals: &refusals,
        accepted: &activities,
    };
    let mut told = report::report(&findings, &books, &cash);
    if prepared.wish.dry_run {
        return Ok((told, false));
    }
    if !refusals.is_empty() {
        return Err(report::refused(&refusals));
    }
    told.import_id = Some(import_id);
    let row = ImportRow {
        id: import_id,
        file_hash: prepared.file_hash.clone(),
        report: serde_json::to_string(&told).map_err(ApiError::internal)?,
        booked: i32::try_from(accepted.len()).unwrap_or(i32::MAX),
        created_at: now,
    };
    books.save(connection, now).await?;
    account::post(connection, &cash).await?;
    store::insert_import(connection, (account.id, user), row).await?;
    let line = |line: u64| i32::try_from(line).unwrap_or(i32::MAX);
    let lines = accepted.into_iter().map(|(activity, key)| (key, line(activity.line))).collect();
    store::insert_lines(connection, account.id, import_id, lines).await?;
    events::append(connection, events_of(account, &locked, &books, &cash, now)?).await?;
    Ok((told, false))
}

/// Books every activity in memory, and says what speaks against it.
fn book_all(booking: &mut Booking<'_>, activities: &[Activity]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for activity in in_order(activities) {
        if let Err(refusal) = booking.book(activity) {
            refusals.push(refusal);
        }
    }
    if refusals.is_empty() {
        refusals = booking.shortages();
    }
    refusals
}

fn free_of(locked: &LockedBalances, account: AccountId, symbols: &BTreeSet<Symbol>) -> Free {
    let cash = Currency::ALL.into_iter().map(Commodity::Cash);
    cash.chain(symbols.iter().copied().map(Commodity::Shares))
        .map(|commodity| {
            let row = locked.balance(account, commodity);
            (commodity, row.total - row.held)
        })
        .collect()
}

/// The balances and positions that have moved.
fn events_of(
    account: &Account,
    locked: &LockedBalances,
    books: &Books,
    cash: &[Journal],
    now: DateTime<Utc>,
) -> ApiResult<Vec<NewEvent>> {
    let mut changes = BTreeMap::<Commodity, Decimal>::new();
    for (commodity, amount) in books.journals().iter().chain(cash).flat_map(Journal::balance_changes) {
        *changes.entry(commodity).or_default() += amount;
    }
    let mut told = Vec::new();
    for (commodity, change) in changes {
        let Commodity::Cash(currency) = commodity else { continue };
        let row = locked.balance(account.id, commodity);
        let cash =
            CashBalance { account_id: account.id, currency, total: row.total + change, held: row.held };
        told.push(balance_event(account.user_id, &cash, now).map_err(ApiError::internal)?);
    }
    for (key, state) in books.changed() {
        let event = position_event(account.user_id, key, state.quantity);
        told.push(event.map_err(ApiError::internal)?);
    }
    Ok(told)
}
