//! `/api/portfolio/performance`.

use super::growth::Sample;
use super::service::{Performance, PerformanceService};
use crate::clock;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{AccountId, Currency, DecimalText};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest span that can be asked for, in days; without one it is everything.
const DAYS_MAX: u32 = 3_660;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(show_performance);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Span {
    account_id: AccountId,
    /// The account's own unless given.
    currency: Option<Currency>,
    /// The last so many days, 1 to 3,660; from the beginning unless given.
    #[param(minimum = 1, maximum = 3660)]
    days: Option<u32>,
}

impl Span {
    fn since(&self) -> ApiResult<Option<DateTime<Utc>>> {
        match self.days {
            None => Ok(None),
            Some(days @ 1..=DAYS_MAX) => Ok(Some(clock::now() - TimeDelta::days(i64::from(days)))),
            Some(_) => {
                let message = format!("must be between 1 and {DAYS_MAX}");
                Err(ApiError::field("days", "out_of_range", message))
            }
        }
    }
}

/// What an account was worth at a moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PerformancePoint {
    at: DateTime<Utc>,
    total_value: DecimalText,
    cash: DecimalText,
    positions_value: DecimalText,
    /// Brought in less taken out, up to then.
    net_deposits: DecimalText,
    /// What one unit of money of the first sample had become by then, whatever came in or went out: the time-weighted return
    /// between two points is the ratio of their growths less one.
    growth: DecimalText,
    /// The trading day of the newest price in it, which in a replay is long past; absent before there was one.
    session_date: Option<NaiveDate>,
}

impl From<&Sample> for PerformancePoint {
    fn from(sample: &Sample) -> Self {
        Self {
            at: sample.taken_at,
            total_value: sample.total().into(),
            cash: sample.cash.into(),
            positions_value: sample.positions_value.into(),
            net_deposits: sample.net_deposits.into(),
            growth: sample.growth.into(),
            session_date: sample.session_date,
        }
    }
}

/// What the newest trading session has brought so far.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionResult {
    /// The session.
    session_date: NaiveDate,
    /// What there was when the one before ended.
    before: PerformancePoint,
    /// Worth of now less worth of then, less what was brought in since.
    pnl: DecimalText,
    /// Time-weighted, in percent; absent where there was nothing.
    return_percent: Option<DecimalText>,
}

/// How an account has done in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PerformanceDocument {
    account_id: AccountId,
    currency: Currency,
    /// Oldest first, at most 402: the last one from before the span, some of the span, and the one of now, which is absent while
    /// a share that is held has no price.
    points: Vec<PerformancePoint>,
    /// Time-weighted, from the first point to the last, in percent.
    return_percent: Option<DecimalText>,
    /// Worth of the last point less that of the first, less what was brought in between.
    pnl: Option<DecimalText>,
    /// Absent until two sessions were seen.
    session: Option<SessionResult>,
}

impl From<Performance> for PerformanceDocument {
    fn from(performance: Performance) -> Self {
        let Performance { account_id, currency, points, session_before } = performance;
        let ends = points.first().zip(points.last());
        let session = points.last().zip(session_before.as_ref()).and_then(|(now, before)| {
            Some(SessionResult {
                session_date: now.session_date?,
                before: before.into(),
                pnl: now.gain_since(before).into(),
                return_percent: now.return_since(before).map(DecimalText),
            })
        });
        Self {
            account_id,
            currency,
            return_percent: ends.and_then(|(first, last)| last.return_since(first)).map(DecimalText),
            pnl: ends.map(|(first, last)| last.gain_since(first).into()),
            session,
            points: points.iter().map(PerformancePoint::from).collect(),
        }
    }
}

/// How an account has done: its worth over time, and its time-weighted return, to which money brought in or taken out adds
/// nothing.
#[utoipa::path(tag = "portfolio", params(Span), responses(
    (status = 200, body = PerformanceDocument),
    (status = 404, body = Problem),
    (status = 422, description = "validation_failed", body = Problem)
))]
#[get("/portfolio/performance")]
async fn show_performance(
    user: CurrentUser,
    performance: web::Data<PerformanceService>,
    Params(span): Params<Span>,
) -> ApiResult<web::Json<PerformanceDocument>> {
    let since = span.since()?;
    let found = performance.performance(user.user_id, span.account_id, span.currency, since).await?;
    Ok(web::Json(found.into()))
}
