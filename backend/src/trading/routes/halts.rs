//! `/api/orders/halts`.

use super::super::halts::Halt;
use super::super::service::TradingService;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, PathId};
use actix_web::{HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use domain::Symbol;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A symbol in which no new orders are taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HaltedSymbol {
    symbol: Symbol,
    reason: String,
    halted_at: DateTime<Utc>,
}

impl From<Halt> for HaltedSymbol {
    fn from(halt: Halt) -> Self {
        Self { symbol: halt.symbol, reason: halt.reason, halted_at: halt.halted_at }
    }
}

/// The caller's halted symbols.
#[derive(Debug, Serialize, ToSchema)]
struct HaltedSymbols {
    symbols: Vec<HaltedSymbol>,
}

/// Longest reason for a halt, in characters.
const HALT_REASON_LENGTH_MAX: usize = 200;

/// Why a symbol is halted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HaltSymbol {
    /// 1 to 200 characters.
    reason: String,
}

/// A reason for a halt, if it is one.
///
/// # Errors
/// What is wrong with it.
pub(in crate::trading) fn checked_halt_reason(reason: &str) -> ApiResult<String> {
    let reason = reason.trim();
    let fits = (1..=HALT_REASON_LENGTH_MAX).contains(&reason.chars().count());
    if !fits || reason.chars().any(char::is_control) {
        let message = format!("must be 1 to {HALT_REASON_LENGTH_MAX} characters without control characters");
        return Err(ApiError::field("reason", "invalid", message));
    }
    Ok(reason.to_owned())
}

/// Lists the symbols in which the caller's new orders are refused because the market has halted them.
#[utoipa::path(tag = "trading", responses((status = 200, body = HaltedSymbols)))]
#[get("/orders/halts")]
pub(super) async fn list_halts(
    user: CurrentUser,
    trading: web::Data<TradingService>,
) -> web::Json<HaltedSymbols> {
    let symbols = trading.halts(user.user_id).into_iter().map(HaltedSymbol::from).collect();
    web::Json(HaltedSymbols { symbols })
}

/// Refuses the caller's new orders in a symbol until it is taken off the list. Open orders stay.
#[utoipa::path(tag = "trading", request_body = HaltSymbol, params(("symbol" = Symbol, Path)), responses(
    (status = 200, body = HaltedSymbol), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[put("/orders/halts/{symbol}")]
pub(super) async fn halt_symbol(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(symbol): PathId<Symbol>,
    Body(request): Body<HaltSymbol>,
) -> ApiResult<web::Json<HaltedSymbol>> {
    let reason = checked_halt_reason(&request.reason)?;
    Ok(web::Json(trading.halt(user.user_id, symbol, reason).await?.into()))
}

/// Takes new orders in a symbol again.
#[utoipa::path(tag = "trading", params(("symbol" = Symbol, Path)), responses(
    (status = 204), (status = 404, body = Problem)))]
#[delete("/orders/halts/{symbol}")]
pub(super) async fn resume_symbol(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(symbol): PathId<Symbol>,
) -> ApiResult<HttpResponse> {
    trading.resume(user.user_id, symbol).await?;
    Ok(HttpResponse::NoContent().finish())
}
