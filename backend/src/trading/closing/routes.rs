//! `/api/positions`.

use super::{CloseRequest, Closing, Portion};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, Params, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use domain::{AccountId, DecimalText, OrderId, Quantity, Side, Symbol};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The URLs of closes.
pub(in crate::trading) fn routes(config: &mut Routes<'_>) {
    config
        .service(close_position)
        .service(close_all_positions)
        .service(list_closes)
        .service(show_close)
        .service(withdraw_close);
}

/// A wish to close a position, and what has become of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Close)]
#[serde(rename_all = "camelCase")]
pub(super) struct CloseDocument {
    id: Uuid,
    account_id: AccountId,
    symbol: Symbol,
    /// `sell` for shares that are held, `buy` for shares that were sold short.
    side: Side,
    /// The caller's name for it.
    key: String,
    /// `TRADER`, or `MARGIN_CALL` where a margin call was not answered.
    cause: String,
    /// The shares asked for; absent where a percentage or all was asked for.
    quantity: Option<DecimalText>,
    percent: Option<DecimalText>,
    /// `WAITING` for the orders in its way, `PLACING`, `PLACED`, `NOTHING_LEFT`, `FAILED` or `WITHDRAWN`.
    status: String,
    /// The shares of its order, once it is decided.
    order_quantity: Option<DecimalText>,
    order_id: Option<OrderId>,
    /// Why it failed.
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<&CloseRequest> for CloseDocument {
    fn from(request: &CloseRequest) -> Self {
        let (quantity, percent) = match request.portion {
            Portion::All => (None, None),
            Portion::Shares(shares) => (Some(shares.into()), None),
            Portion::Percent(percent) => (None, Some(percent.into())),
        };
        Self {
            id: request.id,
            account_id: request.account_id,
            symbol: request.symbol,
            side: request.side,
            key: request.key.clone(),
            cause: request.cause.name().to_owned(),
            quantity,
            percent,
            status: request.status.name().to_owned(),
            order_quantity: request.quantity.map(DecimalText),
            order_id: request.order_id,
            reason: request.reason.clone(),
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

/// A position to close: all of it, unless shares or a percentage are given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClosePosition {
    account_id: AccountId,
    symbol: Symbol,
    /// So many shares.
    quantity: Option<Quantity>,
    /// So many percent, above 0 and at most 100; rounded down to whole shares.
    percent: Option<DecimalText>,
}

impl ClosePosition {
    fn portion(&self) -> ApiResult<Portion> {
        match (self.quantity, self.percent) {
            (None, None) => Ok(Portion::All),
            (Some(shares), None) => Ok(Portion::Shares(shares.value())),
            (None, Some(DecimalText(percent)))
                if percent > Decimal::ZERO && percent <= Decimal::ONE_HUNDRED =>
            {
                Ok(Portion::Percent(percent.normalize()))
            }
            (None, Some(_)) => {
                Err(ApiError::field("percent", "out_of_range", "must be above 0 and at most 100"))
            }
            (Some(_), Some(_)) => {
                Err(ApiError::field("percent", "contradiction", "must not be given with a quantity"))
            }
        }
    }
}

/// The caller's key, or one that names nothing else.
fn key_of(key: IdempotencyKey) -> String {
    key.0.map_or_else(|| Uuid::now_v7().to_string(), |key| key.to_string())
}

/// Asks to close a position. Open orders that would close the same shares are taken back first, as far as they are
/// needed, the newest first; then a market order sells what is held, or buys back what was sold short, and never more
/// than that. The wish is durable: it goes on after a restart. What other orders execute meanwhile counts for it.
#[utoipa::path(tag = "trading", request_body = ClosePosition, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = CloseDocument), (status = 404, body = Problem),
        (status = 409, description = "Nothing is held or owed, or the position is being closed", body = Problem),
        (status = 422, body = Problem)))]
#[post("/positions/close")]
async fn close_position(
    user: CurrentUser,
    closing: web::Data<Closing>,
    key: IdempotencyKey,
    Body(wish): Body<ClosePosition>,
) -> ApiResult<HttpResponse> {
    let portion = wish.portion()?;
    closing.trading.within_cap(user.user_id, 1)?;
    let asked = closing.ask(user.user_id, wish.account_id, wish.symbol, portion, key_of(key)).await?;
    let (request, replayed) = asked;
    let mut response = HttpResponse::Accepted();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(CloseDocument::from(&request)))
}

/// What became of one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CloseAllOutcome {
    /// It will be closed.
    Accepted,
    /// An earlier close of it is still under way.
    AlreadyUnderWay,
}

/// One position of a close of everything.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CloseAllItem {
    pub(super) symbol: Symbol,
    pub(super) outcome: CloseAllOutcome,
    /// The close as it stood when it was asked for.
    pub(super) close: Option<CloseDocument>,
}

/// What became of every position.
#[derive(Debug, Serialize, ToSchema)]
struct CloseAllAnswer {
    items: Vec<CloseAllItem>,
}

/// An account whose positions are to be closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CloseAll {
    account_id: AccountId,
}

/// Asks to close every position of an account, each as if by itself. The same key is answered alike for ever.
#[utoipa::path(tag = "trading", request_body = CloseAll, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = CloseAllAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/positions/close-all")]
async fn close_all_positions(
    user: CurrentUser,
    closing: web::Data<Closing>,
    key: IdempotencyKey,
    Body(wish): Body<CloseAll>,
) -> ApiResult<HttpResponse> {
    closing.trading.within_cap(user.user_id, 1)?;
    let (items, replayed) = closing.ask_all(user.user_id, wish.account_id, key_of(key)).await?;
    let mut response = HttpResponse::Accepted();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(CloseAllAnswer { items }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParameters {
    account_id: AccountId,
}

/// Closes of an account.
#[derive(Debug, Serialize, ToSchema)]
struct CloseList {
    closes: Vec<CloseDocument>,
}

/// The latest 200 closes of an account, newest first.
#[utoipa::path(tag = "trading", params(ListParameters), responses(
    (status = 200, body = CloseList), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/positions/closes")]
async fn list_closes(
    user: CurrentUser,
    closing: web::Data<Closing>,
    Params(parameters): Params<ListParameters>,
) -> ApiResult<web::Json<CloseList>> {
    let requests = closing.list(user.user_id, parameters.account_id).await?;
    Ok(web::Json(CloseList { closes: requests.iter().map(CloseDocument::from).collect() }))
}

/// What has become of a close.
#[utoipa::path(tag = "trading", params(("id" = Uuid, Path)), responses(
    (status = 200, body = CloseDocument), (status = 404, body = Problem)))]
#[get("/positions/closes/{id}")]
async fn show_close(
    user: CurrentUser,
    closing: web::Data<Closing>,
    PathId(id): PathId<Uuid>,
) -> ApiResult<web::Json<CloseDocument>> {
    Ok(web::Json(CloseDocument::from(&closing.find(user.user_id, id).await?)))
}

/// Takes a close back that still waits. Orders that were taken back for it stay so.
#[utoipa::path(tag = "trading", params(("id" = Uuid, Path)), responses(
    (status = 200, body = CloseDocument), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/positions/closes/{id}")]
async fn withdraw_close(
    user: CurrentUser,
    closing: web::Data<Closing>,
    PathId(id): PathId<Uuid>,
) -> ApiResult<web::Json<CloseDocument>> {
    Ok(web::Json(CloseDocument::from(&closing.withdraw(user.user_id, id).await?)))
}
