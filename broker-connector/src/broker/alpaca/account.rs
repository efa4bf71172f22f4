//! What Alpaca says about an account: its cash and its shares.

use super::config::{CLOCK_MARGIN_SECONDS, READINGS_MAX};
use super::rest::{Failure, Rest};
use super::session::Session;
use super::wire;
use super::{activities, parse};
use crate::broker::records::Opening;
use crate::broker::{BrokerError, OpeningTrouble, Position};
use chrono::{DateTime, Utc};
use domain::Currency;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Cash and shares at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) cash: Decimal,
    pub(super) positions: Vec<Position>,
}

/// Checks that an account can be traded in.
///
/// # Errors
/// [`BrokerError::NotOpened`]
pub(super) fn check(account: &wire::Account) -> Result<(), BrokerError> {
    if account.status != "ACTIVE" || account.account_blocked || account.trading_blocked {
        let detail = format!("Alpaca does not let this account trade: its status is {}", account.status);
        return Err(OpeningTrouble::Inactive.because(detail));
    }
    if account.currency != Currency::Usd.code() {
        let detail = format!("the account at Alpaca is in {}", account.currency);
        return Err(OpeningTrouble::OtherCurrency.because(detail));
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

/// What the account holds as it is connected. Read until two readings agree, so that no execution falls between.
pub(super) async fn opening(rest: &Rest) -> Result<Opening, Failure> {
    for _ in 0..READINGS_MAX {
        let before = account(rest).await?;
        let clock: wire::Clock = rest.get("/v2/clock", &[]).await?;
        let opened_at = parse::moment(&clock.timestamp)
            .ok_or_else(|| Failure::Unknown("its clock cannot be read".into()))?;
        let movements = activities::numbers(rest, opened_at).await?;
        if account(rest).await?.cash == before.cash {
            return Ok(Opening {
                currency: Currency::Usd,
                cash: before.cash.0.normalize(),
                movements,
                opened_at,
            });
        }
    }
    Err(Failure::Unknown("its cash does not stand still".into()))
}

/// Cash and shares now.
pub(super) async fn reading(session: &Session) -> Result<Reading, Failure> {
    let cash = session.account().await?.cash.0;
    Ok(Reading { cash, positions: positions(&session.rest).await? })
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
