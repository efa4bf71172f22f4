//! `/api/portfolio/movements` and `/api/portfolio/lots/{id}/sales`: what has moved a position, and what is gone of a lot.

use super::cost_routes::{cut, page_limit};
use super::service::PortfolioService;
use super::store::{MovementLine, TakenLine};
use crate::error::{ApiResult, Problem};
use crate::extract::{CurrentUser, Params, PathId};
use crate::openapi::Routes;
use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, DecimalText, Symbol};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The URLs.
pub(super) fn routes(config: &mut Routes<'_>) {
    config.service(list_movements).service(list_lot_sales);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MovementPage {
    account_id: AccountId,
    symbol: Symbol,
    /// Only those booked before this one.
    before: Option<Uuid>,
    /// 1 to 500; 100 unless given.
    limit: Option<i64>,
}

/// Something that has moved a position. The changes of all of them add up to its quantity and its cost at average.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PositionMovement)]
#[serde(rename_all = "camelCase")]
struct MovementDocument {
    journal_id: Uuid,
    /// What kind of movement, such as `fill` or `split`.
    kind: String,
    execution_id: Option<String>,
    trade_date: NaiveDate,
    booked_at: DateTime<Utc>,
    /// Shares that came; below zero those that went.
    quantity: DecimalText,
    /// What those came to at their price, before commission and tax; zero where none was paid.
    worth: DecimalText,
    /// By how much the position's cost at average has changed.
    cost_change: DecimalText,
}

impl From<MovementLine> for MovementDocument {
    fn from(line: MovementLine) -> Self {
        Self {
            journal_id: line.journal_id,
            kind: line.kind.name().to_owned(),
            execution_id: line.execution_id,
            trade_date: line.trade_date,
            booked_at: line.booked_at,
            quantity: line.quantity.into(),
            worth: line.worth.into(),
            cost_change: line.cost_change.into(),
        }
    }
}

/// A page of a position's movements.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PositionMovementList)]
#[serde(rename_all = "camelCase")]
struct MovementList {
    movements: Vec<MovementDocument>,
    /// Give it as `before` to see the next page; absent on the last.
    next: Option<Uuid>,
}

/// What has moved a position, the last booked first: trades, splits, shares in kind, new names. What was taken back is among
/// them, and so is what took it back.
#[utoipa::path(tag = "portfolio", params(MovementPage), responses(
    (status = 200, body = MovementList), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/portfolio/movements")]
async fn list_movements(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    Params(page): Params<MovementPage>,
) -> ApiResult<web::Json<MovementList>> {
    let limit = page_limit(page.limit)?;
    let found = portfolio.movements(user.user_id, (page.account_id, page.symbol), page.before, limit + 1);
    let mut movements = found.await?;
    let more = cut(&mut movements, limit);
    let next = movements.last().filter(|_| more).map(|line| line.journal_id);
    let movements = movements.into_iter().map(MovementDocument::from).collect();
    Ok(web::Json(MovementList { movements, next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TakenPage {
    account_id: AccountId,
    /// Only those booked before this one.
    before: Option<Uuid>,
    /// 1 to 500; 100 unless given.
    limit: Option<i64>,
}

/// What a sale has taken from a lot: what came into it, less all of these, is what is left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotSale)]
#[serde(rename_all = "camelCase")]
struct TakenDocument {
    /// Of the sale.
    journal_id: Uuid,
    sold_on: NaiveDate,
    quantity: DecimalText,
    cost: DecimalText,
    /// Before commission and tax.
    proceeds: DecimalText,
}

impl From<TakenLine> for TakenDocument {
    fn from(line: TakenLine) -> Self {
        Self {
            journal_id: line.journal_id,
            sold_on: line.sold_on,
            quantity: line.quantity.into(),
            cost: line.cost.into(),
            proceeds: line.proceeds.into(),
        }
    }
}

/// A page of what sales have taken from a lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotSaleList)]
#[serde(rename_all = "camelCase")]
struct TakenList {
    sales: Vec<TakenDocument>,
    /// Give it as `before` to see the next page; absent on the last.
    next: Option<Uuid>,
}

/// What sales have taken from a lot, the last booked first. A lot that is not the account's has had none.
#[utoipa::path(tag = "portfolio", params(("id" = Uuid, Path), TakenPage), responses(
    (status = 200, body = TakenList), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/portfolio/lots/{id}/sales")]
async fn list_lot_sales(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    PathId(lot): PathId<Uuid>,
    Params(page): Params<TakenPage>,
) -> ApiResult<web::Json<TakenList>> {
    let limit = page_limit(page.limit)?;
    let mut sales = portfolio.taken_from(user.user_id, page.account_id, lot, page.before, limit + 1).await?;
    let more = cut(&mut sales, limit);
    let next = sales.last().filter(|_| more).map(|line| line.journal_id);
    Ok(web::Json(TakenList { sales: sales.into_iter().map(TakenDocument::from).collect(), next }))
}
