//! What the quote server knows beside prices, passed on under this server's own address: names, hours, order books.

use super::error::MarketError;
use super::routes::read_symbol;
use super::service::Market;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use domain::{Currency, Price, Symbol};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest text that is searched for, in characters: what the quote server takes.
const TEXT_LENGTH_MAX: usize = 64;
/// Most shares of one answer, and how many there are unless asked otherwise.
const FOUND_MAX: u32 = 50;
const FOUND_DEFAULT: u32 = 10;

pub(super) fn all(config: &mut Routes<'_>) {
    config.service(search).service(show_hours).service(show_order_book);
}

/// A share that a search has found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundShare {
    #[schema(value_type = String, example = "005930.KS")]
    symbol: Symbol,
    /// In English.
    name: String,
    /// In Korean.
    name_korean: String,
    currency: Currency,
    market: domain::Market,
    /// Provider that serves it now; absent where nobody does.
    source: Option<String>,
    /// Whether its prices are invented; absent where nobody serves it.
    simulated: Option<bool>,
}

/// What was found, the likeliest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FoundList {
    instruments: Vec<FoundShare>,
    /// Whether everybody was asked who may know more; if not, what is missing may exist.
    complete: bool,
}

/// What a market does now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketHours {
    market: domain::Market,
    /// Name of its time zone in the tz database.
    #[schema(example = "Asia/Seoul")]
    time_zone: String,
    /// `closed`, `pre`, `open` or `after`.
    #[schema(example = "open")]
    phase: String,
    /// When its next regular session begins.
    next_open: DateTime<Utc>,
    /// When the regular session of now, or else the next one, ends.
    next_close: DateTime<Utc>,
}

/// What the markets do now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MarketHoursList {
    /// The server's clock.
    now: DateTime<Utc>,
    markets: Vec<MarketHours>,
}

/// Shares wanted or offered at one price.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
struct Level {
    price: Price,
    /// Shares.
    quantity: u64,
}

/// What is wanted and offered of a share.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderBook {
    #[schema(value_type = String, example = "005930.KS")]
    symbol: Symbol,
    currency: Currency,
    /// Wanted, the highest price first.
    bids: Vec<Level>,
    /// Offered, the lowest price first.
    asks: Vec<Level>,
    /// When it was so.
    at: DateTime<Utc>,
    /// Name of the provider.
    source: String,
    /// Whether it is invented.
    simulated: bool,
}

/// An order book, where there is one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderBookAnswer {
    /// Absent where the share's source tells no order books.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_book: Option<OrderBook>,
}

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// A code, a part of a name in English or Korean, or Korean initial consonants; 1 to 64 characters.
    q: String,
    /// Most shares, 1 to 50; 10 unless given.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

impl SearchQuery {
    fn check(&self) -> ApiResult<(&str, u32)> {
        let text = self.q.trim();
        if text.is_empty() {
            return Err(ApiError::field("q", "required", "must hold something to search for"));
        }
        if text.chars().count() > TEXT_LENGTH_MAX {
            let message = format!("must have at most {TEXT_LENGTH_MAX} characters");
            return Err(ApiError::field("q", "too_long", message));
        }
        let limit = self.limit.unwrap_or(FOUND_DEFAULT);
        if !(1..=FOUND_MAX).contains(&limit) {
            let message = format!("must be between 1 and {FOUND_MAX}");
            return Err(ApiError::field("limit", "out_of_range", message));
        }
        Ok((text, limit))
    }
}

/// Finds shares by code, name or Korean initial consonants.
#[utoipa::path(tag = "market", params(SearchQuery), responses(
    (status = 200, body = FoundList),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/search")]
async fn search(
    market: Data<Market>,
    _: CurrentUser,
    Params(query): Params<SearchQuery>,
) -> ApiResult<Json<FoundList>> {
    let (text, limit) = query.check()?;
    Ok(Json(market.search(text, limit).await?))
}

/// What the markets do now, and when they open and close next.
#[utoipa::path(tag = "market", responses(
    (status = 200, body = MarketHoursList),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/hours")]
async fn show_hours(market: Data<Market>, _: CurrentUser) -> ApiResult<Json<MarketHoursList>> {
    Ok(Json(MarketHoursList { now: Utc::now(), markets: market.hours().await? }))
}

/// What is wanted and offered of a share, where its source tells.
#[utoipa::path(tag = "market", params(("symbol" = String, Path, example = "005930.KS")), responses(
    (status = 200, body = OrderBookAnswer),
    (status = 404, description = "unknown_symbol", body = Problem),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/order-book/{symbol}")]
async fn show_order_book(
    market: Data<Market>,
    _: CurrentUser,
    symbol: Path<String>,
) -> ApiResult<Json<OrderBookAnswer>> {
    let order_book = match market.order_book(read_symbol(&symbol)?).await {
        Ok(book) => Some(book),
        // Nothing has gone wrong: most sources have none.
        Err(MarketError::Unsupported(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Json(OrderBookAnswer { order_book }))
}
