//! The grid of prices at which an order in a share may be placed.

use super::routes::read_symbol;
use crate::clock;
use crate::error::{ApiResult, Problem};
use crate::extract::CurrentUser;
use crate::openapi::Routes;
use actix_web::get;
use actix_web::web::{Json, Path};
use chrono::NaiveDate;
use domain::{Currency, DecimalText, Symbol};
use exchange::{tick_bands, trade_date};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn all(config: &mut Routes<'_>) {
    config.service(show_price_steps);
}

/// A step, and from which price on it holds, up to the next one's.
#[derive(Serialize, ToSchema)]
struct PriceStep {
    from: DecimalText,
    step: DecimalText,
}

impl From<(Decimal, Decimal)> for PriceStep {
    fn from((from, step): (Decimal, Decimal)) -> Self {
        Self { from: from.into(), step: step.into() }
    }
}

/// The steps between prices at which an order in a share may be placed.
#[derive(Serialize, ToSchema)]
struct PriceSteps {
    #[schema(value_type = String, example = "069500.KS")]
    symbol: Symbol,
    currency: Currency,
    /// The trading day on which they hold.
    date: NaiveDate,
    /// The lowest first, from zero.
    steps: Vec<PriceStep>,
}

/// The steps between prices at which an order in a share may be placed on the trading day that runs or comes next. Funds in
/// Korea have steps of their own.
#[utoipa::path(tag = "market", params(("symbol" = String, Path, example = "069500.KS")), responses(
    (status = 200, body = PriceSteps),
    (status = 404, description = "unknown_symbol", body = Problem)
))]
#[get("/market/price-steps/{symbol}")]
async fn show_price_steps(_: CurrentUser, symbol: Path<String>) -> ApiResult<Json<PriceSteps>> {
    let symbol = read_symbol(&symbol)?;
    let date = trade_date(symbol.market(), clock::now());
    let steps = tick_bands(symbol, date).into_iter().map(PriceStep::from).collect();
    Ok(Json(PriceSteps { symbol, currency: symbol.currency(), date, steps }))
}
