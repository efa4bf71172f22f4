//! Walks every close through its steps. Each step is written before the next is taken, so a restart at any moment goes on
//! where it was.

use super::super::order::{Order, Origin};
use super::super::store;
use super::{Cause, CloseRequest, CloseStatus, Closing, Outcome, Standing, Step, after_placing, next_step};
use crate::account;
use crate::clock;
use crate::db;
use crate::error::{ApiError, ApiResult, ErrorCode};
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{Lifetime, NewOrder, Pricing, Quantity, Side, Size};
use failpoint::Failpoint;
use futures_util::StreamExt;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Closes that are walked at once, and how many are looked at in one round.
const AT_ONCE_MAX: usize = 4;
const ROUND_MAX: i64 = 256;
/// Time between two rounds while there are closes, and how soon those of somebody else are found.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
const SCAN_INTERVAL: Duration = Duration::from_secs(1);
/// How much longer each further try is waited for.
const ATTEMPT_PAUSE: TimeDelta = TimeDelta::milliseconds(500);
/// Open orders that one close looks at.
const ORDERS_MAX: i64 = 1_000;
/// Reasons of risk that pass: somebody else has taken the shares, or an order's fate is still being asked for.
const PASSING_RULES: [&str; 4] = ["insufficient_shares", "more_than_owed", "unresolved_order", "no_price"];

/// Walks closes until told to stop.
pub(super) async fn run(closing: Closing, stop: CancellationToken) {
    let mut there_are_some = true;
    loop {
        let pause = if there_are_some { ROUND_PAUSE } else { SCAN_INTERVAL };
        tokio::select! {
            () = stop.cancelled() => return,
            () = closing.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
        there_are_some = match round(&closing).await {
            Ok(number) => number > 0,
            Err(error) => {
                tracing::warn!(%error, "closes of positions wait for the database");
                false
            }
        };
    }
}

async fn round(closing: &Closing) -> ApiResult<usize> {
    let open = store::open_closes(&*closing.trading.pool.get().await?, ROUND_MAX).await?;
    let number = open.len();
    let now = clock::now();
    let due = open.into_iter().filter(|request| is_due(request, now));
    let steps = futures_util::stream::iter(due).map(|request| async move {
        if let Err(error) = step(closing, &request).await {
            tracing::warn!(%error, close = %request.id, "a close could not go on; trying again");
        }
    });
    steps.buffer_unordered(AT_ONCE_MAX).collect::<Vec<()>>().await;
    Ok(number)
}

fn is_due(request: &CloseRequest, now: DateTime<Utc>) -> bool {
    let tries = request.attempt - 1;
    now - request.updated_at >= ATTEMPT_PAUSE * tries
}

async fn step(closing: &Closing, request: &CloseRequest) -> ApiResult<()> {
    if request.status == CloseStatus::Placing {
        return place(closing, request).await;
    }
    let now = clock::now();
    let mut after = CloseRequest { updated_at: now, ..request.clone() };
    match look(closing, request, now).await? {
        Step::Wait => return Ok(()),
        Step::Cancel(orders) => {
            for order in orders {
                match closing.trading.cancel(request.user_id, order).await {
                    Err(error) if ![ErrorCode::OrderNotOpen, ErrorCode::NotFound].contains(&error.code()) => {
                        return Err(error);
                    }
                    // What has ended meanwhile holds nothing any more.
                    Ok(_) | Err(_) => {}
                }
            }
            return Ok(());
        }
        Step::Close(shares) => {
            after.status = CloseStatus::Placing;
            after.quantity = Some(shares);
        }
        Step::NothingLeft => after.status = CloseStatus::NothingLeft,
        Step::GiveUp => {
            after.status = CloseStatus::Failed;
            after.reason = Some("the orders in its way were not taken back in time".to_owned());
        }
    }
    let saved = store::save_close(&*closing.trading.pool.get().await?, request, &after).await?;
    if saved && after.status == CloseStatus::Placing {
        failpoint::pass(Failpoint::CloseDecided);
        place(closing, &after).await
    } else {
        Ok(())
    }
}

/// What is known of the position, all at one moment.
async fn look(closing: &Closing, request: &CloseRequest, now: DateTime<Utc>) -> ApiResult<Step> {
    let mut connection = closing.trading.pool.get().await?;
    db::one_picture(&mut connection)
        .run(async |connection| {
            let connection: &AsyncPgConnection = connection;
            db::look_up(connection).await?;
            let (account, symbol) = (request.account_id, request.symbol);
            let shares = account::shares_in(connection, account, symbol).await?;
            let side = Some(request.side);
            let orders =
                store::newest_open_orders(connection, account, Some(symbol), side, ORDERS_MAX).await?;
            let (total, reserved) = match request.side {
                Side::Sell => (shares.total, shares.held),
                Side::Buy => (-shares.total, orders.iter().map(Order::shares_taken).sum()),
            };
            Ok::<_, ApiError>(next_step(request, &Standing { total, reserved, orders: &orders }, now))
        })
        .await
}

/// Places the order that was decided. It has a key of its own, so placing it again finds it.
async fn place(closing: &Closing, request: &CloseRequest) -> ApiResult<()> {
    let quantity = request.quantity.and_then(|shares| Quantity::new(shares).ok());
    let outcome = match (quantity, request.order_key()) {
        (Some(quantity), Some(key)) => {
            let order = NewOrder {
                account_id: request.account_id,
                symbol: request.symbol,
                side: request.side,
                pricing: Pricing::Market,
                lifetime: Lifetime::Day,
                size: Size::Shares(quantity),
            };
            let placed = closing.trading.place_close(request.user_id, order, key).await;
            failpoint::pass(Failpoint::ClosePlaced);
            read_outcome(placed.map(|(order, _)| order.id))
        }
        _ => Outcome::Refused("its quantity is not one that can be ordered".to_owned()),
    };
    let Some(after) = after_placing(request, outcome, clock::now()) else { return Ok(()) };
    let mut connection = closing.trading.pool.get().await?;
    connection
        .transaction(async |connection| {
            let connection: &AsyncPgConnection = connection;
            store::save_close(connection, request, &after).await?;
            match (after.cause, after.order_id) {
                (Cause::MarginCall, Some(order)) => {
                    store::mark_origin(connection, order, Origin::MarginCall).await
                }
                _ => Ok(()),
            }
        })
        .await?;
    Ok(())
}

fn read_outcome(placed: Result<domain::OrderId, ApiError>) -> Outcome {
    let error = match placed {
        Ok(order) => return Outcome::Placed(order),
        Err(error) => error,
    };
    match error.code() {
        ErrorCode::PriceUnavailable => Outcome::NotYet("price"),
        // Said before anything is written; an order under the key of this try would have been the answer.
        ErrorCode::NotReconciled => Outcome::NotYet("comparison with the broker"),
        ErrorCode::OrderDenied => {
            let passing =
                error.field_errors().iter().all(|denial| PASSING_RULES.contains(&denial.rule.as_str()));
            if passing { Outcome::Overtaken(error.to_string()) } else { Outcome::Refused(error.to_string()) }
        }
        code if code.status() >= 500 || code.status() == 429 => Outcome::Unknown,
        _ => Outcome::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldError;

    fn denied(rules: &[&str]) -> Outcome {
        let errors = rules.iter().map(|rule| FieldError::new("symbol", *rule, "")).collect();
        read_outcome(Err(ApiError::fields(ErrorCode::OrderDenied, errors)))
    }

    #[test]
    fn only_reasons_that_pass_are_waited_for() {
        assert!(matches!(denied(&["insufficient_shares"]), Outcome::Overtaken(_)));
        assert!(matches!(denied(&["more_than_owed"]), Outcome::Overtaken(_)));
        assert!(matches!(denied(&["unresolved_order", "insufficient_shares"]), Outcome::Overtaken(_)));
        assert!(matches!(denied(&["insufficient_shares", "whole_shares"]), Outcome::Refused(_)));
    }

    #[test]
    fn a_timeout_is_not_a_refusal() {
        for code in [ErrorCode::ServiceUnavailable, ErrorCode::Internal, ErrorCode::TooManyRequests] {
            assert_eq!(read_outcome(Err(ApiError::new(code, ""))), Outcome::Unknown);
        }
        for code in [ErrorCode::PriceUnavailable, ErrorCode::NotReconciled] {
            assert!(matches!(read_outcome(Err(ApiError::new(code, ""))), Outcome::NotYet(_)), "{code:?}");
        }
        assert!(matches!(
            read_outcome(Err(ApiError::new(ErrorCode::TradingHalted, ""))),
            Outcome::Refused(_)
        ));
    }
}
