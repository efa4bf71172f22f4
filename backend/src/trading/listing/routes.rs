//! `GET /api/orders`, the same as a file, and the look-up of one order by its owner's name for it.

use super::super::document::OrderDocument;
use super::super::routes::OrderDetail;
use super::super::service::TradingService;
use super::parameters::{FilterParameters, PageParameters};
use super::{OrderFilter, Place};
use crate::account::AccountService;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use crate::spreadsheet::{Cell, Downloads, Row};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use domain::{AccountId, ClientOrderId};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Orders of one page of a file.
const FILE_PAGE_ORDERS_MAX: usize = 1_000;

/// The URLs of lists.
pub(in crate::trading) fn routes(config: &mut Routes<'_>) {
    config.service(list_orders).service(export_orders).service(show_order_by_client_id);
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    orders: Vec<OrderDocument>,
    /// Give this as `cursor` for the next page; absent on the last one.
    next_cursor: Option<String>,
    /// Whether the search has looked at as many orders as one page may, before the page was full. Only then may a page have
    /// fewer orders than asked for, or none, and still have a `nextCursor`.
    search_cut_short: bool,
    /// Where `searchCutShort`: every order of this moment and later that the page does not show is none that is looked for.
    searched_back_to: Option<DateTime<Utc>>,
}

/// Lists orders, newest first. A search for words, a side or a type looks at some hundred thousand orders a page; where
/// that does not fill it, the answer says so, and `nextCursor` goes on with the search.
#[utoipa::path(tag = "trading", params(PageParameters), responses(
    (status = 200, body = OrderPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/orders")]
async fn list_orders(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    Params(parameters): Params<PageParameters>,
) -> ApiResult<web::Json<OrderPage>> {
    let request = parameters.read(user.user_id, &accounts).await?;
    let page = trading.list(&request.filter, request.after, request.orders_max).await?;
    Ok(web::Json(OrderPage {
        orders: page.orders.iter().map(OrderDocument::from).collect(),
        next_cursor: page.next.map(|place| place.to_string()),
        search_cut_short: page.is_cut_short,
        searched_back_to: page.next.filter(|_| page.is_cut_short).map(|place| place.at),
    }))
}

/// The fields of an order in the order of a file's columns.
const COLUMNS: [&str; 33] = [
    "id",
    "accountId",
    "clientOrderId",
    "createdAt",
    "updatedAt",
    "symbol",
    "currency",
    "side",
    "type",
    "timeInForce",
    "expireDate",
    "quantity",
    "quantityEstimated",
    "notional",
    "limitPrice",
    "stopPrice",
    "trailAmount",
    "trailPercent",
    "triggeredAt",
    "status",
    "state",
    "filledQuantity",
    "leavesQuantity",
    "averageFillPrice",
    "commission",
    "tax",
    "held",
    "unresolved",
    "cancelRequested",
    "groupId",
    "replacing",
    "origin",
    "reason",
];
/// Those whose words the house has not chosen.
const COLUMNS_OF_OTHERS: [&str; 2] = ["clientOrderId", "reason"];

/// Orders as a CSV file (UTF-8), newest first: the same filter as the list. Words that would be read as a formula by a
/// spreadsheet are written behind an apostrophe.
#[utoipa::path(tag = "trading", params(FilterParameters), responses(
    (status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
#[get("/orders/export")]
async fn export_orders(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    downloads: web::Data<Downloads>,
    Params(parameters): Params<FilterParameters>,
) -> ApiResult<HttpResponse> {
    let filter = parameters.read(user.user_id, &accounts).await?;
    downloads.answer("orders.csv", &COLUMNS, pages(trading, filter)).await
}

/// Page after page, each read when it is wanted.
fn pages(trading: web::Data<TradingService>, filter: OrderFilter) -> impl Stream<Item = ApiResult<Vec<Row>>> {
    let begin = Some(None::<Place>);
    stream::try_unfold((trading, filter, begin), async |(trading, filter, after)| {
        let Some(after) = after else { return Ok(None) };
        let page = trading.list(&filter, after, FILE_PAGE_ORDERS_MAX).await?;
        let rows: ApiResult<_> = page.orders.iter().map(|order| row(&OrderDocument::from(order))).collect();
        Ok(Some((rows?, (trading, filter, page.next.map(Some)))))
    })
}

fn row(order: &OrderDocument) -> ApiResult<Row> {
    let fields = serde_json::to_value(order).map_err(ApiError::internal)?;
    let cell = |column: &&str| match fields.get(column) {
        Some(Value::String(words)) if COLUMNS_OF_OTHERS.contains(column) => Cell::text(words),
        Some(Value::String(word)) => Cell::plain(word),
        None | Some(Value::Null) => Cell::plain(""),
        // The terms asked for, as JSON.
        Some(Value::Object(fields)) => Cell::text(&Value::Object(fields.clone()).to_string()),
        Some(other) => Cell::plain(other),
    };
    Ok(COLUMNS.iter().map(cell).collect())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeyParameters {
    account_id: AccountId,
    client_order_id: ClientOrderId,
}

/// Shows the order that was placed under a client order id, with its events, requests and executions.
#[utoipa::path(tag = "trading", params(KeyParameters), responses(
    (status = 200, body = OrderDetail), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/orders/by-client-id")]
async fn show_order_by_client_id(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    Params(parameters): Params<KeyParameters>,
) -> ApiResult<web::Json<OrderDetail>> {
    let history =
        trading.show_by_key(user.user_id, parameters.account_id, &parameters.client_order_id).await?;
    Ok(web::Json(history.into()))
}
