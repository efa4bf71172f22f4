//! `/api/portfolio/lots` and `/api/portfolio/sales`: where cost and profit come from.

use super::lots::Lot;
use super::service::PortfolioService;
use super::store::{LotSaleLine, PositionKey, SaleLine};
use crate::account::CostMethod;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency, DecimalText, Symbol};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Lines of one page unless asked otherwise, and at most.
const PAGE_DEFAULT: i64 = 100;
const PAGE_MAX: i64 = 500;

/// The URLs.
pub(super) fn routes(config: &mut Routes<'_>) {
    config.service(list_lots).service(list_sales);
}

/// The page that was asked for, and how many lines show whether another one follows.
pub(super) fn page_limit(limit: Option<i64>) -> ApiResult<i64> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::field("limit", "out_of_range", format!("must be between 1 and {PAGE_MAX}")))
}

/// Cuts a list that was read one line too far; says whether it was.
pub(super) fn cut<T>(lines: &mut Vec<T>, limit: i64) -> bool {
    let more = i64::try_from(lines.len()).unwrap_or(i64::MAX) > limit;
    if more {
        lines.pop();
    }
    more
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LotPage {
    account_id: AccountId,
    /// Only those of one symbol.
    symbol: Option<Symbol>,
    /// Only those after this one.
    after: Option<Uuid>,
    /// 1 to 500; 100 unless given.
    limit: Option<i64>,
}

/// Shares that came together and are still held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lot)]
#[serde(rename_all = "camelCase")]
struct LotDocument {
    /// Also the id of the journal that brought them.
    id: Uuid,
    symbol: Symbol,
    currency: Currency,
    acquired_on: NaiveDate,
    opened_quantity: DecimalText,
    opened_cost: DecimalText,
    /// What splits have added or taken away since.
    adjusted_quantity: DecimalText,
    /// What is left.
    quantity: DecimalText,
    /// What that has cost.
    cost: DecimalText,
}

impl From<(PositionKey, Lot)> for LotDocument {
    fn from(((_, symbol), lot): (PositionKey, Lot)) -> Self {
        Self {
            id: lot.id,
            symbol,
            currency: symbol.currency(),
            acquired_on: lot.acquired_on,
            opened_quantity: lot.opened_quantity.into(),
            opened_cost: lot.opened_cost.into(),
            adjusted_quantity: lot.adjusted_quantity.into(),
            quantity: lot.quantity.into(),
            cost: lot.cost.into(),
        }
    }
}

/// A page of open lots.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LotList {
    lots: Vec<LotDocument>,
    /// Give it as `after` to see the next page; absent on the last.
    next: Option<Uuid>,
}

/// An account's open lots, by symbol, in the order in which they will be sold.
#[utoipa::path(tag = "portfolio", params(LotPage), responses(
    (status = 200, body = LotList), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/portfolio/lots")]
async fn list_lots(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    Params(page): Params<LotPage>,
) -> ApiResult<web::Json<LotList>> {
    let limit = page_limit(page.limit)?;
    let found = portfolio.lots(user.user_id, page.account_id, page.symbol, page.after, limit + 1);
    let mut lots = found.await?;
    let more = cut(&mut lots, limit);
    let next = lots.last().filter(|_| more).map(|(_, lot)| lot.id);
    Ok(web::Json(LotList { lots: lots.into_iter().map(LotDocument::from).collect(), next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SalePage {
    account_id: AccountId,
    /// Only those of one symbol.
    symbol: Option<Symbol>,
    /// Only those booked before this one.
    before: Option<Uuid>,
    /// 1 to 500; 100 unless given.
    limit: Option<i64>,
}

/// What a method makes of a sale, before commission and tax.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SaleFigures {
    cost: DecimalText,
    realised_pnl: DecimalText,
}

/// Shares that a sale has taken from a lot.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LotTaken {
    lot_id: Uuid,
    acquired_on: NaiveDate,
    quantity: DecimalText,
    cost: DecimalText,
    proceeds: DecimalText,
}

/// A sale with what it has brought and from which lots it came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
#[serde(rename_all = "camelCase")]
struct SaleDocument {
    journal_id: Uuid,
    /// `fill`, or what else took the shares: `cash_in_lieu`, `shares_out`.
    kind: String,
    execution_id: Option<String>,
    symbol: Symbol,
    currency: Currency,
    sold_on: NaiveDate,
    quantity: DecimalText,
    /// Before commission and tax.
    proceeds: DecimalText,
    cost_method: CostMethod,
    /// By the account's cost method, before commission and tax.
    realised_pnl: DecimalText,
    by_average: SaleFigures,
    by_fifo: SaleFigures,
    lots: Vec<LotTaken>,
    booked_at: DateTime<Utc>,
}

impl SaleDocument {
    fn new(sale: SaleLine, lots: &[LotSaleLine], method: CostMethod) -> Self {
        let figures =
            |cost: Decimal| SaleFigures { cost: cost.into(), realised_pnl: (sale.proceeds - cost).into() };
        let cost = match method {
            CostMethod::Average => sale.average_cost,
            CostMethod::Fifo => sale.fifo_cost,
        };
        let taken = |lot: &LotSaleLine| LotTaken {
            lot_id: lot.lot_id,
            acquired_on: lot.acquired_on,
            quantity: lot.quantity.into(),
            cost: lot.cost.into(),
            proceeds: lot.proceeds.into(),
        };
        Self {
            journal_id: sale.journal_id,
            kind: sale.kind.name().to_owned(),
            symbol: sale.symbol,
            currency: sale.symbol.currency(),
            sold_on: sale.sold_on,
            quantity: sale.quantity.into(),
            proceeds: sale.proceeds.into(),
            cost_method: method,
            realised_pnl: (sale.proceeds - cost).into(),
            by_average: figures(sale.average_cost),
            by_fifo: figures(sale.fifo_cost),
            lots: lots.iter().filter(|lot| lot.journal_id == sale.journal_id).map(taken).collect(),
            booked_at: sale.booked_at,
            execution_id: sale.execution_id,
        }
    }
}

/// A page of sales.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SaleList {
    sales: Vec<SaleDocument>,
    /// Give it as `before` to see the next page; absent on the last.
    next: Option<Uuid>,
}

/// An account's sales, the last booked first: what each has brought under either method, and the lots it came from. Sales
/// that were taken back are not among them.
#[utoipa::path(tag = "portfolio", params(SalePage), responses(
    (status = 200, body = SaleList), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/portfolio/sales")]
async fn list_sales(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    Params(page): Params<SalePage>,
) -> ApiResult<web::Json<SaleList>> {
    let limit = page_limit(page.limit)?;
    let found = portfolio.sales(user.user_id, page.account_id, page.symbol, page.before, limit + 1);
    let (mut sales, lots, method) = found.await?;
    let more = cut(&mut sales, limit);
    let next = sales.last().filter(|_| more).map(|sale| sale.journal_id);
    let sales = sales.into_iter().map(|sale| SaleDocument::new(sale, &lots, method)).collect();
    Ok(web::Json(SaleList { sales, next }))
}
