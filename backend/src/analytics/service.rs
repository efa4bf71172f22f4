//! Samples taken, kept and read.

use super::growth::Sample;
use super::recorder;
use super::store;
use crate::account::{self, Account, AccountService};
use crate::clock;
use crate::db::Pool;
use crate::error::ApiResult;
use crate::portfolio::{PortfolioService, Worth};
use crate::startup::Background;
use actix_web::web;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::{AccountId, Currency, UserId};

/// Most accounts looked at in one round.
const ACCOUNTS_PER_ROUND_MAX: i64 = 50;
/// Most points of one answer, apart from the first and the last.
pub(super) const POINTS_MAX: i64 = 400;
/// Age from which one sample of an hour is enough, and age up to which that is looked after.
const THIN_FROM: TimeDelta = TimeDelta::days(2);
const THIN_TO: TimeDelta = TimeDelta::days(9);

/// How accounts have done.
pub struct PerformanceService {
    pool: Pool,
    accounts: web::Data<AccountService>,
    portfolio: web::Data<PortfolioService>,
}

/// How an account has done over a time.
pub(super) struct Performance {
    pub(super) account_id: AccountId,
    pub(super) currency: Currency,
    /// Oldest first; the last one is of now.
    pub(super) points: Vec<Sample>,
    /// The last sample of the trading session before the newest one.
    pub(super) session_before: Option<Sample>,
}

/// What an account is worth in one currency, beside what was written down of it.
struct Taken {
    now: Sample,
    /// The newest since the account began anew.
    before: Option<Sample>,
    /// When the account began anew, if it ever did.
    begun_at: Option<DateTime<Utc>>,
}

impl PerformanceService {
    /// Starts writing down what accounts are worth.
    #[must_use]
    pub fn start(
        pool: Pool,
        accounts: web::Data<AccountService>,
        portfolio: web::Data<PortfolioService>,
        background: &Background,
    ) -> web::Data<Self> {
        let service = web::Data::new(Self { pool, accounts, portfolio });
        background.spawn_vital(recorder::run(service.clone(), background.stop.clone()));
        service
    }

    /// Writes down what the next accounts after `last` are worth, where that has changed; the last of them, or `None` when
    /// there are no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn record_some(&self, last: Option<AccountId>) -> ApiResult<Option<AccountId>> {
        let accounts = self.accounts.page(last, ACCOUNTS_PER_ROUND_MAX).await?;
        let now = clock::now();
        // Two servers on one database write the same minute once.
        let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        let news: Vec<Sample> = self
            .sample(&accounts, minute)
            .await?
            .into_iter()
            .filter(|taken| {
                let is_news = |before: &Sample| taken.now.differs(before) && minute > before.taken_at;
                // The minute in which an account begins anew belongs to what it was before.
                taken.begun_at.is_none_or(|begun| minute > begun) && taken.before.as_ref().is_none_or(is_news)
            })
            .map(|taken| taken.now)
            .collect();
        store::insert(&*self.pool.get().await?, news).await?;
        Ok(accounts.last().map(|account| account.id))
    }

    /// What accounts are worth now, and what was written down of each last. Those with a share that has no price are left
    /// out: a worth without it would be a dip that never was.
    async fn sample(&self, accounts: &[Account], at: DateTime<Utc>) -> ApiResult<Vec<Taken>> {
        let worths: Vec<Worth> = self.portfolio.worths(accounts).await?;
        let keys: Vec<_> = worths.iter().map(|worth| (worth.account_id, worth.currency)).collect();
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let connection = self.pool.get().await?;
        let begun = account::begun_anew_at(&connection, &ids).await?;
        let mut written = store::latest(&connection, &keys).await?;
        let taken = |worth: &Worth| {
            let begun_at = begun.get(&worth.account_id).copied();
            let before = written.remove(&(worth.account_id, worth.currency));
            let before = before.filter(|before| begun_at.is_none_or(|begun| before.taken_at > begun));
            Taken { now: Sample::after(before.as_ref(), worth, at), before, begun_at }
        };
        Ok(worths.iter().map(taken).collect())
    }

    /// Leaves one sample of each hour of what is old.
    ///
    /// # Errors
    /// The database's.
    pub async fn thin(&self) -> ApiResult<()> {
        let now = clock::now();
        store::thin(&*self.pool.get().await?, now - THIN_TO, now - THIN_FROM).await?;
        Ok(())
    }

    /// How one account has done in a currency, its own unless another is named, since a moment or from the beginning.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn performance(
        &self,
        user: UserId,
        account: AccountId,
        currency: Option<Currency>,
        since: Option<DateTime<Utc>>,
    ) -> ApiResult<Performance> {
        let account = self.accounts.find(user, account).await?;
        let currency = currency.unwrap_or(account.currency);
        let key = (account.id, currency);
        let now = clock::now();
        let connection = self.pool.get().await?;
        let begun_at = account::begun_anew_at(&connection, &[account.id]).await?.remove(&account.id);
        drop(connection);
        let taken = self.sample(std::slice::from_ref(&account), now).await?;
        let current = taken.into_iter().map(|taken| taken.now).find(|sample| sample.currency == currency);
        let connection = self.pool.get().await?;
        let mut points = store::points(&connection, key, (since, now), begun_at).await?;
        let newest = current.as_ref().or_else(|| points.last());
        let session = newest.and_then(|sample| sample.session_date);
        let session_before = match session {
            Some(day) => store::before_session(&connection, key, day, begun_at).await?,
            None => None,
        };
        points.extend(current);
        Ok(Performance { account_id: account.id, currency, points, session_before })
    }
}
