//! Reduces what is open in an account whose call was not answered in time: as closes of positions, which go the way of every
//! close, restarts included, and are marked as not their owner's.

use super::super::closing::{Cause, CloseRequest, Portion};
use super::super::incident::{Incident, MARGIN_REDUCTION, NewIncident};
use super::super::requests::request_cancel;
use super::super::store;
use super::is_lent;
use crate::account::MarginStanding;
use crate::error::{ApiResult, ErrorCode};
use crate::risk::{MarginBook, Reduction};
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use domain::{OrderId, Side};
use rust_decimal::Decimal;

/// Pause after a close of the house has failed, before the next is made.
const FAILED_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// Orders that are taken back in one go.
const RECALLED_MAX: i64 = 1_000;
/// What an order that is taken back says.
const REASON: &str = "margin_call";

/// When positions are reduced of an account that is called since then; never where nothing is set.
pub(super) fn due_at(called_at: DateTime<Utc>, grace: Option<TimeDelta>) -> Option<DateTime<Utc>> {
    called_at.checked_add_signed(grace?)
}

/// Reduces what is open as far as it must be, in the caller's transaction, which has locked the account, unless that is under
/// way; what a person is told of it.
pub(super) async fn reduce(
    connection: &AsyncPgConnection,
    (standing, called_at): (&MarginStanding, DateTime<Utc>),
    book: &MarginBook,
    now: DateTime<Utc>,
) -> ApiResult<Option<NewIncident>> {
    let account = standing.account_id;
    let (under_way, failed_at) = store::closes_of_call(connection, account).await?;
    if under_way || failed_at.is_some_and(|failed| now - failed < FAILED_PAUSE) {
        return Ok(None);
    }
    take_back_openings(connection, standing, book).await?;
    let (mut closed, mut sold, mut bought) = (Vec::new(), Vec::new(), Vec::new());
    for reduction in book.reductions() {
        let Some(close) = close_of(standing, &reduction, book, now) else { continue };
        if store::insert_close(connection, &close).await? {
            let what = format!("{} {}", reduction.quantity, reduction.symbol);
            let (verb, same) = match reduction.side {
                Side::Buy => ("bought back", &mut bought),
                Side::Sell => ("sold", &mut sold),
            };
            closed.push(format!("{what} {verb}"));
            same.push(what);
        }
    }
    if closed.is_empty() {
        return Ok(None);
    }
    let since = called_at.format("%Y-%m-%d %H:%M");
    let detail =
        format!("the call since {since} UTC was not answered in time: {} at the market", closed.join(", "));
    tracing::warn!(%account, detail, "positions are reduced on the owner's behalf");
    let list = |closes: Vec<String>| (!closes.is_empty()).then(|| closes.join(", "));
    let incident = Incident::new(MARGIN_REDUCTION, detail)
        .with("since", called_at.to_rfc3339())
        .with_some("sold", list(sold))
        .with_some("bought", list(bought));
    Ok(Some(NewIncident::new(Some(standing.user_id), account, incident, now)))
}

fn close_of(
    standing: &MarginStanding,
    reduction: &Reduction,
    book: &MarginBook,
    now: DateTime<Utc>,
) -> Option<CloseRequest> {
    let position = book.exposures.get(&reduction.symbol)?.quantity;
    let portion = Portion::Shares(reduction.quantity);
    let key = format!("margin_call:{}:{}", now.timestamp_micros(), reduction.symbol);
    let (account, user) = (standing.account_id, standing.user_id);
    let close = CloseRequest::new(account, user, reduction.symbol, key, portion, position, now).ok()?;
    Some(CloseRequest { cause: Cause::MarginCall, ..close })
}

/// Takes orders back that would open more of what is being reduced.
async fn take_back_openings(
    connection: &AsyncPgConnection,
    standing: &MarginStanding,
    book: &MarginBook,
) -> ApiResult<()> {
    let position = |symbol| book.exposures.get(&symbol).map_or(Decimal::ZERO, |exposure| exposure.quantity);
    let open = store::cancellable_orders(connection, standing.account_id, None, None, RECALLED_MAX).await?;
    let opening = open.iter().filter(|order| {
        let held = position(order.wish.symbol);
        let opens = match order.wish.side {
            Side::Buy => held >= Decimal::ZERO,
            Side::Sell => held <= Decimal::ZERO,
        };
        is_lent(order.wish.symbol) && opens && order.cancel_requested_at.is_none()
    });
    let opening: Vec<OrderId> = opening.map(|order| order.id).collect();
    for order in opening {
        match request_cancel(connection, standing.user_id, order, Some(REASON)).await {
            Err(error) if error.code() != ErrorCode::OrderNotOpen => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}
