//! `/api/halts` and `/api/accounts/{id}/halt`: the kill switch.

use super::account_halts::HaltDocument;
use super::bulk::{CancelAllAnswer, Which, cancel_open_orders};
use super::routes::checked_halt_reason;
use super::service::TradingService;
use crate::account::{Account, AccountService};
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, PathId};
use crate::openapi::Routes;
use actix_web::{get, post, web};
use domain::{AccountId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is said of a halt for which its owner gives no reason.
const NO_REASON: &str = "";

/// These URLs.
pub(super) fn routes(config: &mut Routes<'_>) {
    config
        .service(list_halts)
        .service(halt_everything)
        .service(show_halt)
        .service(halt_account)
        .service(lift_halt);
}

/// A wish that trading stops.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HaltTrading {
    /// 1 to 200 characters.
    reason: Option<String>,
    /// Whether open orders are to be taken back, too; they stay unless asked.
    cancel_orders: Option<bool>,
}

impl HaltTrading {
    fn into_parts(self) -> ApiResult<(String, bool)> {
        let reason =
            self.reason.map_or_else(|| Ok(NO_REASON.to_owned()), |reason| checked_halt_reason(&reason))?;
        Ok((reason, self.cancel_orders.unwrap_or(false)))
    }
}

/// Which accounts are halted.
#[derive(Debug, Serialize, ToSchema)]
struct HaltList {
    /// One per account.
    halts: Vec<HaltDocument>,
}

/// What a halt has done.
#[derive(Debug, Serialize, ToSchema)]
struct HaltAnswer {
    /// One per account.
    halts: Vec<HaltDocument>,
    /// What became of the wish to take open orders back, an account at a time; absent unless asked for.
    cancels: Option<Vec<CancelAllAnswer>>,
}

/// Says of each of the caller's accounts whether trading is halted in it.
#[utoipa::path(tag = "trading", responses((status = 200, body = HaltList)))]
#[get("/halts")]
async fn list_halts(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
) -> ApiResult<web::Json<HaltList>> {
    let accounts = accounts.list(user.user_id).await?;
    Ok(web::Json(HaltList { halts: trading.halts_of(&accounts).await? }))
}

/// Halts all of the caller's accounts: nothing new is placed in them, and nothing leaves for their brokers that has not left,
/// until each is lifted. Doing it twice changes nothing.
#[utoipa::path(tag = "trading", request_body = HaltTrading, responses(
    (status = 200, body = HaltAnswer), (status = 422, body = Problem),
    (status = 503, description = "Halted until a restart: it could not be written down", body = Problem)))]
#[post("/halts")]
async fn halt_everything(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    Body(wish): Body<HaltTrading>,
) -> ApiResult<web::Json<HaltAnswer>> {
    let wish = wish.into_parts()?;
    let accounts = accounts.list(user.user_id).await?;
    halt(&trading, user.user_id, accounts, wish).await
}

/// Says whether trading is halted in an account.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), responses(
    (status = 200, body = HaltDocument), (status = 404, body = Problem)))]
#[get("/accounts/{id}/halt")]
async fn show_halt(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
) -> ApiResult<web::Json<HaltDocument>> {
    let account = accounts.find(user.user_id, id).await?;
    let halt = trading.halts_of(&[account]).await?.pop();
    halt.map(web::Json).ok_or_else(|| ApiError::internal("an account without a word on its halt"))
}

/// Halts one account; see `POST /api/halts`.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), request_body = HaltTrading, responses(
    (status = 200, body = HaltAnswer), (status = 404, body = Problem), (status = 422, body = Problem),
    (status = 503, description = "Halted until a restart: it could not be written down", body = Problem)))]
#[post("/accounts/{id}/halt")]
async fn halt_account(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
    Body(wish): Body<HaltTrading>,
) -> ApiResult<web::Json<HaltAnswer>> {
    let wish = wish.into_parts()?;
    let account = accounts.find(user.user_id, id).await?;
    halt(&trading, user.user_id, vec![account], wish).await
}

/// Halts first and takes back afterwards: nothing new can come between.
async fn halt(
    trading: &TradingService,
    user: UserId,
    accounts: Vec<Account>,
    (reason, cancel_orders): (String, bool),
) -> ApiResult<web::Json<HaltAnswer>> {
    let halts = trading.halt_accounts(user, &accounts, &reason).await?;
    if !cancel_orders {
        return Ok(web::Json(HaltAnswer { halts, cancels: None }));
    }
    let mut cancels = Vec::new();
    for account in accounts {
        cancels.push(cancel_open_orders(trading, user, account.id, Which::default()).await?);
    }
    Ok(web::Json(HaltAnswer { halts, cancels: Some(cancels) }))
}

/// Lets an account trade again, whoever halted it; what was waiting goes to its broker. The halt file's halt stays. Doing it
/// twice changes nothing.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), responses(
    (status = 200, body = HaltDocument), (status = 404, body = Problem)))]
#[post("/accounts/{id}/halt/lift")]
async fn lift_halt(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
) -> ApiResult<web::Json<HaltDocument>> {
    let account = accounts.find(user.user_id, id).await?;
    Ok(web::Json(trading.lift_halt(user.user_id, &account).await?))
}
