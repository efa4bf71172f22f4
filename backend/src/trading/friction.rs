//! `/api/accounts/{id}/simulation`: how much a broker of play money puts between an order and its execution.
//!
//! The broker keeps what is set, so that there is one place that knows it; here it is only passed on.

use super::connector::AskError;
use super::service::TradingService;
use crate::account::AccountService;
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::extract::{Body, CurrentUser, PathId};
use crate::openapi::Routes;
use actix_web::{get, put, web};
use domain::AccountId;
use exchange::Simulation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// These URLs.
pub(super) fn routes(config: &mut Routes<'_>) {
    config.service(show_simulation).service(set_simulation);
}

/// How much stands between an order of play money and its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SimulationName {
    /// Orders are executed as a whole, at the price they see, at every hour.
    Ideal,
    /// Orders take a moment to arrive, get a part of what is really traded, wait in a queue and move the price a little.
    Realistic,
    /// The same on a bad day: slower, thinner and more expensive.
    Harsh,
}

impl From<Simulation> for SimulationName {
    fn from(simulation: Simulation) -> Self {
        match simulation {
            Simulation::Ideal => Self::Ideal,
            Simulation::Realistic => Self::Realistic,
            Simulation::Harsh => Self::Harsh,
        }
    }
}

impl From<SimulationName> for Simulation {
    fn from(name: SimulationName) -> Self {
        match name {
            SimulationName::Ideal => Self::Ideal,
            SimulationName::Realistic => Self::Realistic,
            SimulationName::Harsh => Self::Harsh,
        }
    }
}

/// What is set for an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AccountSimulation)]
struct AccountSimulation {
    /// Counts for orders that are placed from now on; those that are open keep what they were placed under.
    simulation: SimulationName,
}

fn refused(error: AskError) -> ApiError {
    match error {
        AskError::Conflict(detail) => ApiError::new(ErrorCode::Conflict, detail),
        AskError::OtherAccount(_) => ApiError::new(ErrorCode::BrokerAccountChanged, ""),
        AskError::Unreachable(reason) => {
            tracing::warn!(reason, "the broker connector did not answer for an account's simulation");
            ApiError::new(ErrorCode::ServiceUnavailable, "the broker cannot be reached")
        }
    }
}

/// How far the executions of a paper account are like real ones.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountSimulation), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 503, body = Problem)))]
#[get("/accounts/{id}/simulation")]
async fn show_simulation(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
) -> ApiResult<web::Json<AccountSimulation>> {
    let account = accounts.find_of_play_money(user.user_id, id).await?;
    let simulation = trading.connector.simulation(account.id).await.map_err(refused)?;
    Ok(web::Json(AccountSimulation { simulation: simulation.into() }))
}

/// Sets how far the executions of a paper account are like real ones. Doing it twice changes nothing.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), request_body = AccountSimulation, responses(
    (status = 200, body = AccountSimulation), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
#[put("/accounts/{id}/simulation")]
async fn set_simulation(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
    Body(wish): Body<AccountSimulation>,
) -> ApiResult<web::Json<AccountSimulation>> {
    let account = accounts.find_of_play_money(user.user_id, id).await?;
    let simulation = wish.simulation.into();
    trading.connector.simulate(account.id, account.currency, simulation).await.map_err(refused)?;
    Ok(web::Json(wish))
}
