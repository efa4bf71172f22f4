//! `PATCH /api/orders/{id}`.

use super::super::document::OrderDocument;
use super::super::replace::Change;
use super::super::service::TradingService;
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use actix_web::{HttpResponse, patch, web};
use domain::{OrderId, Percent, Price, Quantity};
use serde::Deserialize;
use utoipa::ToSchema;

/// What is to be different about an order; what is not given stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplaceOrder {
    /// Shares in total, what is filled already included. Less than that ends the order.
    quantity: Option<Quantity>,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
}

impl From<ReplaceOrder> for Change {
    fn from(asked: ReplaceOrder) -> Self {
        let ReplaceOrder { quantity, limit_price, stop_price, trail_amount, trail_percent } = asked;
        Self { quantity, limit_price, stop_price, trail_amount, trail_percent }
    }
}

/// Asks for other terms of an open order, which keeps its id. The answer says that the wish is written; that the broker
/// took it, or not, comes as an event. With the same `Idempotency-Key` it is asked once.
#[utoipa::path(tag = "trading", request_body = ReplaceOrder,
    params(("id" = OrderId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = OrderDocument), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, description = "A field is not acceptable, or risk has refused the change", body = Problem),
        (status = 503, body = Problem)))]
#[patch("/orders/{id}")]
pub(super) async fn replace_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderId>,
    key: IdempotencyKey,
    Body(request): Body<ReplaceOrder>,
) -> ApiResult<HttpResponse> {
    let (order, replayed) = trading.replace(user.user_id, id, request.into(), key.0).await?;
    let mut response = HttpResponse::Accepted();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(OrderDocument::from(&order)))
}
