//! `/api/orders`.

use super::document::OrderDocument;
use super::service::{OrderHistory, Preview, TradingService};
use super::{bulk, closing, listing};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiError, ApiResult, FieldError, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use domain::{
    AccountId, ClientOrderId, Currency, DecimalText, NewOrder, OrderId, OrderStatus, OrderType, Price,
    Pricing, Quantity, Side, Symbol, TimeInForce,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// This module's URLs.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // Their addresses would else be taken for ids.
    listing::routes(config);
    bulk::routes(config);
    closing::routes(config);
    config.service(place_order).service(preview_order).service(show_order).service(cancel_order);
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaceOrder {
    account_id: AccountId,
    symbol: Symbol,
    side: Side,
    r#type: OrderType,
    /// `day` unless given.
    time_in_force: Option<TimeInForce>,
    /// Whole shares.
    quantity: Quantity,
    /// Given exactly for limit orders.
    limit_price: Option<Price>,
    /// The order's idempotency key: with the same body it is answered alike for ever, with another it is refused.
    client_order_id: Option<ClientOrderId>,
}

impl PlaceOrder {
    fn into_parts(self) -> ApiResult<(NewOrder, Option<ClientOrderId>)> {
        let pricing = match (self.r#type, self.limit_price) {
            (OrderType::Market, None) => Pricing::Market,
            (OrderType::Limit, Some(price)) => Pricing::Limit(price),
            (OrderType::Market, Some(_)) => {
                return Err(ApiError::field(
                    "limitPrice",
                    "not_allowed",
                    "must not be given for a market order",
                ));
            }
            (OrderType::Limit, None) => {
                return Err(ApiError::field("limitPrice", "required", "is required for a limit order"));
            }
        };
        let order = NewOrder {
            account_id: self.account_id,
            symbol: self.symbol,
            side: self.side,
            pricing,
            time_in_force: self.time_in_force.unwrap_or(TimeInForce::Day),
            quantity: self.quantity,
        };
        Ok((order, self.client_order_id))
    }
}

/// The key of the body or of the header; both only when they agree.
fn one_key(body: Option<ClientOrderId>, header: Option<ClientOrderId>) -> ApiResult<Option<ClientOrderId>> {
    match (body, header) {
        (Some(body), Some(header)) if body != header => {
            Err(ApiError::field("clientOrderId", "contradiction", "differs from the Idempotency-Key header"))
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
    let key = one_key(key, header.0)?;
    let (order, replayed) = trading.place(user.user_id, order, key).await?;
    let mut response = HttpResponse::Created();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(OrderDocument::from(&order)))
}

/// What an order would cost at worst, and what speaks against it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPreview {
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    currency: Currency,
    /// The price it would meet now: its limit, or the other side of the market.
    estimated_price: DecimalText,
    /// Absent where the numbers are beyond the books; then a reason against the order says so.
    notional: Option<DecimalText>,
    commission: Option<DecimalText>,
    tax: Option<DecimalText>,
    /// What leaves the account, or for a sale what comes in.
    total: Option<DecimalText>,
    /// What would be reserved: cash for a purchase, shares for a sale.
    held: Option<DecimalText>,
    /// Cash free after the reservation.
    buying_power_after: DecimalText,
    quote_at: DateTime<Utc>,
    /// Every reason against it.
    denials: Vec<FieldError>,
}

impl OrderPreview {
    fn new(order: &NewOrder, preview: Preview) -> Self {
        let currency = order.symbol.currency();
        let price = match (order.pricing, order.side) {
            (Pricing::Limit(limit), _) => limit,
            (Pricing::Market, Side::Buy) => preview.quote.price_to_buy(),
            (Pricing::Market, Side::Sell) => preview.quote.price_to_sell(),
        };
        let notional = price.notional(order.quantity.value()).ok();
        let today = exchange::trade_date(order.symbol.market(), Utc::now());
        let fees = exchange::fees(order.symbol.market(), order.side, price, order.quantity, today).ok();
        let total = notional.zip(fees).and_then(|(notional, fees)| {
            let fees = fees.total().ok()?;
            match order.side {
                Side::Buy => notional.checked_add(fees),
                Side::Sell => notional.checked_sub(fees),
            }
        });
        let held = preview.judgement.terms.map(|terms| terms.hold.amount());
        let cash_held = held.filter(|_| order.side == Side::Buy).unwrap_or(Decimal::ZERO);
        Self {
            symbol: order.symbol,
            side: order.side,
            quantity: order.quantity,
            currency,
            estimated_price: price.value().into(),
            notional: notional.map(|amount| currency.round(amount).into()),
            commission: fees.map(|fees| fees.commission.into()),
            tax: fees.map(|fees| fees.tax.into()),
            total: total.map(|amount| currency.round(amount).into()),
            held: held.map(DecimalText),
            buying_power_after: (preview.cash_free - cash_held).into(),
            quote_at: preview.quote.at,
            denials: preview.judgement.denials.into_iter().map(FieldError::from).collect(),
        }
    }
}

/// Says what an order would cost, without placing it.
#[utoipa::path(tag = "trading", request_body = PlaceOrder, responses(
    (status = 200, body = OrderPreview), (status = 404, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem)))]
#[post("/orders/preview")]
async fn preview_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    Body(request): Body<PlaceOrder>,
) -> ApiResult<web::Json<OrderPreview>> {
    let (order, _) = request.into_parts()?;
    let preview = trading.preview(user.user_id, order).await?;
    Ok(web::Json(OrderPreview::new(&order, preview)))
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
}

/// What was asked of the broker about an order after it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderRequestDocument {
    id: Uuid,
    /// `cancel`.
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
