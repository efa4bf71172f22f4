//! `/api/accounts/{id}/…`: money in, out, across and exchanged.

use super::movements::{ExchangeWish, Moved};
use super::routes::{BalanceDocument, created};
use super::service::AccountService;
use crate::clock;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, post, web};
use domain::{AccountId, Currency, DecimalText, Money, Price};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The URLs of movements.
pub(super) fn routes(config: &mut Routes<'_>) {
    config.service(make_deposit).service(make_withdrawal).service(make_transfer).service(make_exchange);
}

fn balance_at(moved: &Moved, index: usize) -> ApiResult<BalanceDocument> {
    let balance = moved.balances.get(index).ok_or_else(|| ApiError::internal("a movement has no balance"))?;
    Ok(BalanceDocument::new(balance, clock::now()))
}

/// Money to bring in or take out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CashRequest {
    /// Greater than zero, in whole minor units of the currency.
    amount: DecimalText,
    /// The account's own when left out.
    currency: Option<Currency>,
}

/// A deposit or withdrawal that is in the books.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CashMovement {
    journal_id: Uuid,
    amount: DecimalText,
    currency: Currency,
    balance: BalanceDocument,
}

fn cash_movement(moved: &Moved, amount: DecimalText) -> ApiResult<HttpResponse> {
    let currency = moved.balances.first().map(|balance| balance.currency);
    let currency = currency.ok_or_else(|| ApiError::internal("a movement has no balance"))?;
    let body =
        CashMovement { journal_id: moved.journal_id, amount, currency, balance: balance_at(moved, 0)? };
    Ok(created(moved.replayed, &body))
}

/// Brings play money in. The same `Idempotency-Key` with the same amount is booked once.
#[utoipa::path(tag = "account", request_body = CashRequest,
    params(("id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CashMovement), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/accounts/{id}/deposit")]
async fn make_deposit(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    Body(request): Body<CashRequest>,
) -> ApiResult<HttpResponse> {
    let money = (request.amount.0, request.currency);
    let moved = accounts.deposit(user.user_id, account, money, key.0).await?;
    cash_movement(&moved, request.amount)
}

/// Takes money out: what is settled, and neither reserved for open orders nor needed for what settles later. The same
/// `Idempotency-Key` with the same amount is booked once.
#[utoipa::path(tag = "account", request_body = CashRequest,
    params(("id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CashMovement), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/accounts/{id}/withdraw")]
async fn make_withdrawal(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    Body(request): Body<CashRequest>,
) -> ApiResult<HttpResponse> {
    let money = (request.amount.0, request.currency);
    let moved = accounts.withdraw(user.user_id, account, money, key.0).await?;
    cash_movement(&moved, request.amount)
}

/// Money to move to another account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TransferRequest {
    /// Another account of the same user.
    to_account_id: AccountId,
    /// Greater than zero, in whole minor units of the currency.
    amount: DecimalText,
    /// The own one of the account that gives when left out.
    currency: Option<Currency>,
}

/// A transfer that is in the books of both accounts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Transfer {
    journal_id: Uuid,
    amount: DecimalText,
    /// Of the account that gave.
    balance: BalanceDocument,
    /// Of the account that received.
    to_balance: BalanceDocument,
}

/// Moves money to another account of the same user: both sides or none. The same `Idempotency-Key` is booked once.
#[utoipa::path(tag = "account", request_body = TransferRequest,
    params(("id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Transfer), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/accounts/{id}/transfer")]
async fn make_transfer(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    Body(request): Body<TransferRequest>,
) -> ApiResult<HttpResponse> {
    let (sides, money) = ((account, request.to_account_id), (request.amount.0, request.currency));
    let moved = accounts.transfer(user.user_id, sides, money, key.0).await?;
    let body = Transfer {
        journal_id: moved.journal_id,
        amount: request.amount,
        balance: balance_at(&moved, 0)?,
        to_balance: balance_at(&moved, 1)?,
    };
    Ok(created(moved.replayed, &body))
}

/// Money to give for another currency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExchangeRequest {
    /// Currency given.
    from: Currency,
    /// Currency wanted.
    to: Currency,
    /// What is given, without the fee; in whole minor units.
    amount: DecimalText,
    /// Units of `to` for one unit of `from`. No source of this server quotes currencies, so the caller names it.
    rate: Price,
}

/// An exchange that is in the books.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    journal_id: Uuid,
    from: Currency,
    to: Currency,
    /// What was given, without the fee.
    amount: DecimalText,
    rate: Price,
    /// In the currency given.
    fee: DecimalText,
    /// What came in, rounded down to a whole minor unit.
    received: DecimalText,
    /// In the currency given.
    balance: BalanceDocument,
    /// In the currency received.
    to_balance: BalanceDocument,
}

/// Gives money of one currency for another at the caller's rate: two legs and a fee, or nothing. The same
/// `Idempotency-Key` is booked once.
#[utoipa::path(tag = "account", request_body = ExchangeRequest,
    params(("id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Exchange), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/accounts/{id}/exchange")]
async fn make_exchange(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    Body(request): Body<ExchangeRequest>,
) -> ApiResult<HttpResponse> {
    let given = Money::new(request.amount.0, request.from);
    let wish = ExchangeWish { given, wanted: request.to, rate: request.rate };
    let moved = accounts.exchange(user.user_id, account, wish, key.0).await?;
    let received = moved.received.ok_or_else(|| ApiError::internal("an exchange has brought nothing"))?;
    let body = Exchange {
        journal_id: moved.journal_id,
        from: request.from,
        to: request.to,
        amount: request.amount,
        rate: request.rate,
        fee: moved.fee.into(),
        received: received.amount.into(),
        balance: balance_at(&moved, 0)?,
        to_balance: balance_at(&moved, 1)?,
    };
    Ok(created(moved.replayed, &body))
}
