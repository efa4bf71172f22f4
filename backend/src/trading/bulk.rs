//! `POST /api/orders/cancel-all`: many cancels in one request, each by itself.

use super::document::OrderDocument;
use super::order::Order;
use super::service::TradingService;
use super::store;
use crate::account::AccountService;
use crate::error::{ApiResult, ErrorCode, Problem};
use crate::extract::{Body, CurrentUser};
use crate::openapi::Routes;
use actix_web::{HttpResponse, post, web};
use domain::{AccountId, OrderId, Side, Symbol, UserId};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Orders of one request.
const ORDERS_MAX: usize = 2_000;
/// Cancels that are written at once: they share their flushes to the disk.
const AT_ONCE_MAX: usize = 4;

/// The URLs of many orders at once.
pub(super) fn routes(config: &mut Routes<'_>) {
    config.service(cancel_all_orders);
}

/// Which of an account's open orders are meant; all of them where nothing is said.
#[derive(Debug, Default)]
pub(super) struct Which {
    symbol: Option<Symbol>,
    side: Option<Side>,
}

/// Which orders to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CancelAll {
    account_id: AccountId,
    /// Only those of this symbol.
    symbol: Option<Symbol>,
    /// Only those of this side.
    side: Option<Side>,
}

/// What became of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CancelOutcome {
    /// The wish is written; the order's end comes as an event.
    Requested,
    /// It had been asked for before.
    AlreadyRequested,
    /// The order ended before it could be taken back.
    Ended,
    /// The wish could not be written; ask again.
    Failed,
}

/// One order of the answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CancelItem {
    order_id: OrderId,
    outcome: CancelOutcome,
    /// The order, where the wish is written.
    order: Option<OrderDocument>,
    /// The code of the error, where it could not be.
    code: Option<String>,
}

/// What became of each order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CancelAllAnswer {
    items: Vec<CancelItem>,
    /// Whether there are more open orders than one request takes; ask again.
    more: bool,
}

/// Asks to take back every open order of an account, or those of a symbol or side: up to 2,000 in one request. Repeating
/// it changes nothing.
#[utoipa::path(tag = "trading", request_body = CancelAll, responses(
    (status = 202, body = CancelAllAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/orders/cancel-all")]
async fn cancel_all_orders(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    Body(wish): Body<CancelAll>,
) -> ApiResult<HttpResponse> {
    let account = accounts.find(user.user_id, wish.account_id).await?.id;
    let which = Which { symbol: wish.symbol, side: wish.side };
    Ok(HttpResponse::Accepted().json(cancel_open_orders(&trading, user.user_id, account, which).await?))
}

/// Asks to take back open orders of an account, up to 2,000.
///
/// # Errors
/// The database's, while the orders are looked for.
pub(super) async fn cancel_open_orders(
    trading: &TradingService,
    user: UserId,
    account: AccountId,
    Which { symbol, side }: Which,
) -> ApiResult<CancelAllAnswer> {
    let limit = i64::try_from(ORDERS_MAX + 1).unwrap_or(i64::MAX);
    let connection = trading.pool.get().await?;
    let mut orders = store::cancellable_orders(&connection, account, symbol, side, limit).await?;
    drop(connection);
    let more = orders.len() > ORDERS_MAX;
    orders.truncate(ORDERS_MAX);
    let cancels = orders.into_iter().map(|order| cancel(trading, user, order));
    let items: Vec<CancelItem> = futures_util::stream::iter(cancels).buffered(AT_ONCE_MAX).collect().await;
    Ok(CancelAllAnswer { items, more })
}

async fn cancel(trading: &TradingService, user: UserId, order: Order) -> CancelItem {
    let order_id = order.id;
    if order.cancel_requested_at.is_some() {
        let order = Some(OrderDocument::from(&order));
        return CancelItem { order_id, outcome: CancelOutcome::AlreadyRequested, order, code: None };
    }
    match trading.cancel(user, order_id).await {
        Ok(order) => {
            let order = Some(OrderDocument::from(&order));
            CancelItem { order_id, outcome: CancelOutcome::Requested, order, code: None }
        }
        Err(error) if error.code() == ErrorCode::OrderNotOpen => {
            CancelItem { order_id, outcome: CancelOutcome::Ended, order: None, code: None }
        }
        Err(error) => {
            let code = Some(error.code().code().to_owned());
            CancelItem { order_id, outcome: CancelOutcome::Failed, order: None, code }
        }
    }
}
