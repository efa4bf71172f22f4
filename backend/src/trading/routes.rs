//! `/api/orders`.

mod groups;
mod halts;
mod preview;
mod replace;

pub(super) use halts::checked_halt_reason;

use super::document::OrderDocument;
use super::service::{OrderHistory, TradingService};
use super::{bulk, closing, listing};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    AccountId, ClientOrderId, Contradiction, DecimalText, Lifetime, Market, NewOrder, Notional, OrderId,
    OrderStatus, OrderType, Percent, Price, PriceFields, Pricing, Quantity, Side, Size, Symbol, TimeInForce,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    // Routes are tried in turn: the one that is waited for comes first.
    config.service(place_order);
    // Their addresses would else be taken for ids.
    listing::routes(config);
    bulk::routes(config);
    closing::routes(config);
    config.service(halts::list_halts).service(halts::halt_symbol).service(halts::resume_symbol);
    config
        .service(preview::preview_order)
        .service(show_order)
        .service(replace::replace_order)
        .service(cancel_order)
        .service(groups::place_group)
        .service(groups::list_groups)
        .service(groups::show_group)
        .service(groups::cancel_group);
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaceOrder {
    account_id: AccountId,
    symbol: Symbol,
    side: Side,
    r#type: OrderType,
    /// `day` unless given. On the open is a market or limit order with `opg`, on the close one with `cls`.
    time_in_force: Option<TimeInForce>,
    /// Given exactly with `gtd`: the last day, which ends with the market's regular close.
    expire_date: Option<NaiveDate>,
    /// Shares: whole ones, or in the United States fractions to nine digits for market and limit orders of the day.
    /// Either this or `notional`.
    quantity: Option<Quantity>,
    /// How much money is to be spent or received, fees apart, instead of a quantity.
    notional: Option<Notional>,
    /// Given exactly for limit and stop-limit orders.
    limit_price: Option<Price>,
    /// Given exactly for stop and stop-limit orders.
    stop_price: Option<Price>,
    /// For trailing stops: the distance in units of the price. Either this or `trailPercent`.
    trail_amount: Option<Price>,
    /// For trailing stops: the distance in percent.
    trail_percent: Option<Percent>,
    /// The order's idempotency key: with the same body it is answered alike for ever, with another it is refused.
    client_order_id: Option<ClientOrderId>,
}

impl PlaceOrder {
    fn into_parts(self) -> ApiResult<(NewOrder, Option<ClientOrderId>)> {
        let fields = PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        };
        let mut wrong = Vec::new();
        let pricing = Pricing::from_fields(self.r#type, fields).map_err(|errors| wrong.extend(errors));
        let time_in_force = self.time_in_force.unwrap_or(TimeInForce::Day);
        let lifetime =
            Lifetime::from_fields(time_in_force, self.expire_date).map_err(|error| wrong.push(error));
        let size = size_of(self.quantity, self.notional).map_err(|error| wrong.push(error));
        let (Ok(pricing), Ok(lifetime), Ok(size)) = (pricing, lifetime, size) else {
            return Err(contradictory(wrong));
        };
        let Self { account_id, symbol, side, client_order_id, .. } = self;
        let order = NewOrder { account_id, symbol, side, pricing, lifetime, size };
        // That Korean shares are whole is a rule of the market, told as such.
        let is_combination = |wrong: &Contradiction| {
            symbol.market() == Market::Us || !matches!(wrong.field, "quantity" | "notional")
        };
        let wrong: Vec<Contradiction> = order.contradictions().into_iter().filter(is_combination).collect();
        if wrong.is_empty() { Ok((order, client_order_id)) } else { Err(contradictory(wrong)) }
    }
}

fn size_of(quantity: Option<Quantity>, notional: Option<Notional>) -> Result<Size, Contradiction> {
    let wrong = |field, rule, message: &str| Contradiction { field, rule, message: message.to_owned() };
    match (quantity, notional) {
        (Some(quantity), None) => Ok(Size::Shares(quantity)),
        (None, Some(notional)) => Ok(Size::Notional(notional)),
        (Some(_), Some(_)) => {
            Err(wrong("notional", "contradiction", "must not be given together with quantity"))
        }
        (None, None) => Err(wrong("quantity", "required", "is required, or notional in its place")),
    }
}

fn contradictory(wrong: Vec<Contradiction>) -> ApiError {
    let errors = wrong.into_iter().map(|wrong| FieldError::new(wrong.field, wrong.rule, wrong.message));
    ApiError::fields(ErrorCode::ValidationFailed, errors.collect())
}

/// The key of the body or of the header; both only when they agree.
fn one_key(
    field: &str,
    body: Option<ClientOrderId>,
    header: Option<ClientOrderId>,
) -> ApiResult<Option<ClientOrderId>> {
    match (body, header) {
        (Some(body), Some(header)) if body != header => {
            Err(ApiError::field(field, "contradiction", "differs from the Idempotency-Key header"))
        }
        (body, header) => Ok(body.or(header)),
    }
}

/// Places an order. Once answered with 201 it is durable and will reach its broker.
#[utoipa::path(tag = "trading", request_body = PlaceOrder,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = OrderDocument), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, description = "A field is not acceptable, or risk has refused the order", body = Problem),
        (status = 503, body = Problem)))]
#[post("/orders")]
async fn place_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    header: IdempotencyKey,
    Body(request): Body<PlaceOrder>,
) -> ApiResult<HttpResponse> {
    let (order, key) = request.into_parts()?;
    let key = one_key("clientOrderId", key, header.0)?;
    let (order, replayed) = trading.place(user.user_id, order, key).await?;
    let mut response = HttpResponse::Created();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(OrderDocument::from(&order)))
}

/// One line of an order's history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderLogDocument {
    sequence: i32,
    event: String,
    /// Where the order stood after it.
    status: OrderStatus,
    detail: Option<String>,
    occurred_at: DateTime<Utc>,
}

/// One execution of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Execution {
    execution_id: String,
    quantity: DecimalText,
    price: DecimalText,
    commission: DecimalText,
    tax: DecimalText,
    occurred_at: DateTime<Utc>,
    /// The trading day of its price, where that was known: of prices that are played again, the day that was played.
    session_date: Option<NaiveDate>,
}

/// What was asked of the broker about an order after it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderRequestDocument {
    id: Uuid,
    /// `cancel` or `replace`.
    kind: String,
    /// `SENT`, `UNRESOLVED`, `ACCEPTED` or `REJECTED`.
    status: String,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// An order with its whole history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderDetail {
    #[serde(flatten)]
    order: OrderDocument,
    events: Vec<OrderLogDocument>,
    requests: Vec<OrderRequestDocument>,
    executions: Vec<Execution>,
}

impl From<OrderHistory> for OrderDetail {
    fn from(history: OrderHistory) -> Self {
        let events = history.log.into_iter().map(|line| OrderLogDocument {
            sequence: line.sequence,
            event: line.event,
            status: line.status,
            detail: line.detail,
            occurred_at: line.occurred_at,
        });
        let executions = history.executions.into_iter().map(|row| Execution {
            execution_id: row.execution_id,
            quantity: row.quantity.into(),
            price: row.price.into(),
            commission: row.commission.into(),
            tax: row.tax.into(),
            occurred_at: row.occurred_at,
            session_date: row.session_date,
        });
        let requests = history.requests.into_iter().map(|row| OrderRequestDocument {
            id: row.id,
            kind: row.kind,
            status: row.status,
            reason: row.reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
        });
        Self {
            order: OrderDocument::from(&history.order),
            events: events.collect(),
            requests: requests.collect(),
            executions: executions.collect(),
        }
    }
}

/// Shows an order with its events, requests and executions.
#[utoipa::path(tag = "trading", params(("id" = OrderId, Path)), responses(
    (status = 200, body = OrderDetail), (status = 404, body = Problem)))]
#[get("/orders/{id}")]
async fn show_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderId>,
) -> ApiResult<web::Json<OrderDetail>> {
    Ok(web::Json(trading.show(user.user_id, id).await?.into()))
}

/// Asks to take an order back. The answer says that the wish is written; the order's end comes as an event.
#[utoipa::path(tag = "trading", params(("id" = OrderId, Path)), responses(
    (status = 202, body = OrderDocument), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/orders/{id}")]
async fn cancel_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderId>,
) -> ApiResult<HttpResponse> {
    let order = trading.cancel(user.user_id, id).await?;
    Ok(HttpResponse::Accepted().json(OrderDocument::from(&order)))
}
