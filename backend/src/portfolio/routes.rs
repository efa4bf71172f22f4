//! `/api/portfolio`.

use super::cost_routes;
use super::origin_routes;
use super::service::{Holding, PortfolioService};
use super::valuation::AccountValue;
use crate::account::CostMethod;
use crate::error::{ApiResult, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use actix_web::{get, web};
use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, DecimalText, Symbol};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Digits of an average cost: finer than any tick.
const AVERAGE_COST_DIGITS: u32 = 6;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(show_portfolio).service(list_positions);
    cost_routes::routes(config);
    origin_routes::routes(config);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Choice {
    /// One account instead of all.
    account_id: Option<AccountId>,
}

/// What an account is worth in one of its currencies: amounts are never added to those of another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountValue)]
#[serde(rename_all = "camelCase")]
struct AccountValueDocument {
    account_id: AccountId,
    currency: Currency,
    cash: DecimalText,
    held: DecimalText,
    /// Cash that nothing is reserved of. An account that buys on credit or sells short may use another sum for new orders:
    /// `GET /api/accounts/{id}/margin` tells it.
    buying_power: DecimalText,
    /// Positions at the last price; at cost where there is no price.
    positions_value: DecimalText,
    total_value: DecimalText,
    /// Money brought in less taken out; other currencies and shares in kind count as well.
    net_deposits: DecimalText,
    unrealised_pnl: DecimalText,
    /// By the account's cost method, before commission and tax.
    realised_pnl: DecimalText,
    /// Before tax.
    dividends: DecimalText,
    commission: DecimalText,
    /// On trades and dividends.
    tax: DecimalText,
    exchange_fees: DecimalText,
    /// Received for money that lies there less paid for money and shares that were borrowed.
    interest: DecimalText,
    /// Total value less net deposits.
    total_pnl: DecimalText,
    /// In percent of net deposits.
    total_pnl_percent: Option<DecimalText>,
    /// Age of the oldest price used.
    prices_as_of: Option<DateTime<Utc>>,
}

impl From<AccountValue> for AccountValueDocument {
    fn from(value: AccountValue) -> Self {
        Self {
            account_id: value.cash.account_id,
            currency: value.cash.currency,
            cash: value.cash.total.into(),
            held: value.cash.held.into(),
            buying_power: value.cash.buying_power().into(),
            positions_value: value.positions_value.into(),
            total_value: value.total_value.into(),
            net_deposits: value.net_deposits.into(),
            unrealised_pnl: value.unrealised_pnl.into(),
            realised_pnl: value.realised_pnl.into(),
            dividends: value.dividends.into(),
            commission: value.commission.into(),
            tax: value.tax.into(),
            exchange_fees: value.exchange_fees.into(),
            interest: value.interest.into(),
            total_pnl: value.total_pnl.into(),
            total_pnl_percent: value.total_pnl_percent.map(DecimalText),
            prices_as_of: value.prices_as_of,
        }
    }
}

/// What the accounts are worth.
#[derive(Debug, Serialize, ToSchema)]
struct Portfolio {
    accounts: Vec<AccountValueDocument>,
}

/// What the accounts are worth.
#[utoipa::path(tag = "portfolio", params(Choice), responses((status = 200, body = Portfolio), (status = 404, body = Problem)))]
#[get("/portfolio")]
async fn show_portfolio(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    Params(choice): Params<Choice>,
) -> ApiResult<web::Json<Portfolio>> {
    let values = portfolio.values(user.user_id, choice.account_id).await?;
    Ok(web::Json(Portfolio { accounts: values.into_iter().map(AccountValueDocument::from).collect() }))
}

/// What a method makes of a position.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CostFigures {
    cost: DecimalText,
    realised_pnl: DecimalText,
}

/// Shares of one symbol in one account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Position {
    account_id: AccountId,
    symbol: Symbol,
    currency: Currency,
    quantity: DecimalText,
    /// Shares that no open order has reserved.
    available: DecimalText,
    /// How cost and profit are told.
    cost_method: CostMethod,
    /// Of one share, by that method.
    average_cost: DecimalText,
    cost: DecimalText,
    /// Made by selling, before commission and tax.
    realised_pnl: DecimalText,
    /// The same by each method.
    by_average: CostFigures,
    by_fifo: CostFigures,
    /// Received so far, before tax.
    dividends: DecimalText,
    /// Paid so far for trades.
    commission: DecimalText,
    /// Paid so far on trades and dividends.
    tax: DecimalText,
    market_price: Option<DecimalText>,
    market_value: Option<DecimalText>,
    unrealised_pnl: Option<DecimalText>,
    unrealised_pnl_percent: Option<DecimalText>,
    priced_at: Option<DateTime<Utc>>,
    /// Whether the price is invented.
    simulated: bool,
}

impl From<Holding> for Position {
    fn from(holding: Holding) -> Self {
        let (state, market) = (holding.position.state, holding.position.market);
        let method = holding.position.method;
        let average = state.cost_a_share(method).unwrap_or(Decimal::ZERO).round_dp(AVERAGE_COST_DIGITS);
        let figures = |method| CostFigures {
            cost: state.cost_by(method).into(),
            realised_pnl: state.realised_by(method).into(),
        };
        Self {
            account_id: holding.account_id,
            symbol: holding.position.symbol,
            currency: holding.position.symbol.currency(),
            quantity: state.quantity.into(),
            available: (state.quantity - holding.held).into(),
            cost_method: method,
            average_cost: average.into(),
            cost: holding.position.cost().into(),
            realised_pnl: holding.position.realised_pnl().into(),
            by_average: figures(CostMethod::Average),
            by_fifo: figures(CostMethod::Fifo),
            dividends: state.dividends.into(),
            commission: state.commission.into(),
            tax: state.tax.into(),
            market_price: market.map(|market| market.price.into()),
            market_value: market.map(|market| market.value.into()),
            unrealised_pnl: market.map(|market| market.unrealised_pnl.into()),
            unrealised_pnl_percent: market.and_then(|market| market.unrealised_pnl_percent).map(DecimalText),
            priced_at: market.map(|market| market.priced_at),
            simulated: market.is_some_and(|market| market.simulated),
        }
    }
}

/// The positions that are held.
#[derive(Debug, Serialize, ToSchema)]
struct PositionList {
    positions: Vec<Position>,
}

/// The positions that are held.
#[utoipa::path(tag = "portfolio", params(Choice), responses((status = 200, body = PositionList), (status = 404, body = Problem)))]
#[get("/portfolio/positions")]
async fn list_positions(
    user: CurrentUser,
    portfolio: web::Data<PortfolioService>,
    Params(choice): Params<Choice>,
) -> ApiResult<web::Json<PositionList>> {
    let holdings = portfolio.holdings(user.user_id, choice.account_id).await?;
    let held = holdings.into_iter().filter(|holding| !holding.position.state.quantity.is_zero());
    Ok(web::Json(PositionList { positions: held.map(Position::from).collect() }))
}
