//! What Alpaca says about an account: its cash, its shares, and what moved beside trading.

use super::config::{ACTIVITIES_PER_PAGE, CLOCK_MARGIN_SECONDS, MOVEMENT_PAGES_MAX, READINGS_MAX};
use super::parse;
use super::rest::{Failure, Rest};
use super::wire;
use crate::broker::records::Opening;
use crate::broker::{BrokerError, Position};
use chrono::{DateTime, Days, Utc};
use domain::Currency;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Cash and shares at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) cash: Decimal,
    pub(super) positions: Vec<Position>,
    /// What moved beside trading since the account was connected.
    pub(super) moved: Decimal,
}

/// Checks that an account can be traded in.
///
/// # Errors
/// [`BrokerError::Conflict`]
pub(super) fn check(account: &wire::Account) -> Result<(), BrokerError> {
    if account.status != "ACTIVE" || account.account_blocked || account.trading_blocked {
        return Err(BrokerError::Conflict(format!(
            "Alpaca does not let this account trade: its status is {}",
            account.status
        )));
    }
    if account.currency != Currency::Usd.code() {
        return Err(BrokerError::Conflict(format!("the account at Alpaca is in {}", account.currency)));
    }
    Ok(())
}

pub(super) async fn account(rest: &Rest) -> Result<wire::Account, Failure> {
    rest.get("/v2/account", &[]).await
}

/// All shares held.
pub(super) async fn positions(rest: &Rest) -> Result<Vec<Position>, Failure> {
    let listed: Vec<wire::Position> = rest.get("/v2/positions", &[]).await?;
    let mut positions: Vec<Position> = listed.iter().filter_map(parse::position).collect();
    positions.sort_by_key(|position| position.symbol);
    Ok(positions)
}

/// Movements beside trading since the day before a moment, all pages of them.
async fn movements(rest: &Rest, since: DateTime<Utc>) -> Result<Vec<wire::Activity>, Failure> {
    // Such a movement has a day and no time: the day before is read too, and what was counted is known by its id.
    let from = since.checked_sub_days(Days::new(1)).unwrap_or(since).to_rfc3339();
    let (mut movements, mut token) = (Vec::<wire::Activity>::new(), None::<String>);
    for _ in 0..MOVEMENT_PAGES_MAX {
        let mut query = vec![
            ("category", "non_trade_activity".to_owned()),
            ("after", from.clone()),
            ("direction", "asc".to_owned()),
            ("page_size", ACTIVITIES_PER_PAGE.to_string()),
        ];
        query.extend(token.take().map(|token| ("page_token", token)));
        let page: Vec<wire::Activity> = rest.get("/v2/account/activities", &query).await?;
        let is_last = page.len() < ACTIVITIES_PER_PAGE;
        token = page.last().map(|last| last.id.clone());
        movements.extend(page.into_iter().filter(|movement| movement.activity_type != "FILL"));
        if is_last {
            return Ok(movements);
        }
    }
    Err(Failure::Unknown(format!("more than {MOVEMENT_PAGES_MAX} pages of movements")))
}

/// What the account holds as it is connected. Read until two readings agree, so that no execution falls between.
pub(super) async fn opening(rest: &Rest) -> Result<Opening, Failure> {
    for _ in 0..READINGS_MAX {
        let before = account(rest).await?;
        let clock: wire::Clock = rest.get("/v2/clock", &[]).await?;
        let opened_at = parse::moment(&clock.timestamp)
            .ok_or_else(|| Failure::Unknown("its clock cannot be read".into()))?;
        let movements = movements(rest, opened_at).await?;
        if account(rest).await?.cash == before.cash {
            return Ok(Opening {
                currency: Currency::Usd,
                cash: before.cash.0.normalize(),
                movements: movements.into_iter().map(|movement| movement.id).collect(),
                opened_at,
            });
        }
    }
    Err(Failure::Unknown("its cash does not stand still".into()))
}

/// Cash and shares now.
pub(super) async fn reading(rest: &Rest, opening: &Opening) -> Result<Reading, Failure> {
    let cash = account(rest).await?.cash.0;
    let positions = positions(rest).await?;
    let movements = movements(rest, opening.opened_at).await?;
    let counted = movements.iter().filter(|movement| {
        let was_undone = movement.status.as_deref().is_some_and(|status| status != "executed");
        !was_undone && !opening.movements.contains(&movement.id)
    });
    let moved = counted.filter_map(|movement| movement.net_amount).map(|amount| amount.0).sum();
    Ok(Reading { cash, positions, moved })
}

/// Items of a list, each read for itself.
pub(super) fn items<'a, T: serde::Deserialize<'a>>(
    list: &'a [Box<RawValue>],
) -> impl Iterator<Item = Option<T>> {
    list.iter().map(|item| serde_json::from_str(item.get()).ok())
}

/// Since when orders must be read that were submitted by our clock.
pub(super) fn with_margin(at: DateTime<Utc>) -> DateTime<Utc> {
    at - chrono::TimeDelta::seconds(CLOCK_MARGIN_SECONDS)
}
