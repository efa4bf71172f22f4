//! `/api/accounts/{id}/reset`.

use super::{Reset, ResetService};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, DecimalText, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most money an account can begin with, in units of its currency: as much as it can ever hold.
const OPENING_MAX: i64 = 1_000_000_000_000;

/// The URLs of resets.
pub(in crate::activity) fn routes(config: &mut Routes<'_>) {
    config.service(reset_account).service(list_resets);
}

/// What an account begins with.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpeningDeposit {
    amount: DecimalText,
    currency: Currency,
}

impl OpeningDeposit {
    fn money(self) -> ApiResult<Money> {
        let Self { amount: DecimalText(amount), currency } = self;
        let refused = |rule: &str, message: String| ApiError::field("openingDeposit.amount", rule, message);
        if amount <= Decimal::ZERO {
            return Err(refused("not_positive", "must be greater than zero".to_owned()));
        }
        if currency.round(amount) != amount {
            let digits = currency.minor_digits();
            return Err(refused(
                "too_precise",
                format!("must have at most {digits} digits behind the point"),
            ));
        }
        if amount > Decimal::from(OPENING_MAX) {
            return Err(refused("too_large", format!("must be at most {OPENING_MAX}")));
        }
        Ok(Money::new(amount.normalize(), currency))
    }
}

/// How an account is to begin anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResetAccount {
    /// Money it begins with; none unless given.
    opening_deposit: Option<OpeningDeposit>,
}

/// A reset, and what has become of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reset)]
#[serde(rename_all = "camelCase")]
struct ResetDocument {
    id: Uuid,
    account_id: AccountId,
    /// The caller's name for it.
    key: String,
    opening_amount: Option<DecimalText>,
    opening_currency: Option<Currency>,
    /// `WAITING` for open orders to end, `DONE`, or `FAILED` with nothing booked.
    status: String,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<&Reset> for ResetDocument {
    fn from(reset: &Reset) -> Self {
        Self {
            id: reset.id,
            account_id: reset.account_id,
            key: reset.key.clone(),
            opening_amount: reset.opening.map(|money| money.amount.into()),
            opening_currency: reset.opening.map(|money| money.currency),
            status: reset.status.name().to_owned(),
            reason: reset.reason.clone(),
            created_at: reset.created_at,
            updated_at: reset.updated_at,
        }
    }
}

/// Asks an account of play money to begin anew. Its open orders are taken back first; then its positions and cash, and
/// everything it has earned and paid, are closed by journals. What was before stays readable, and every login stays valid.
/// The wish is durable: it goes on after a restart.
#[utoipa::path(tag = "account", request_body = ResetAccount,
    params(("id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = ResetDocument), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/accounts/{id}/reset")]
async fn reset_account(
    user: CurrentUser,
    resets: web::Data<ResetService>,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    Body(wish): Body<ResetAccount>,
) -> ApiResult<HttpResponse> {
    let opening = wish.opening_deposit.map(OpeningDeposit::money).transpose()?;
    let key = key.0.map_or_else(|| Uuid::now_v7().to_string(), |key| key.to_string());
    let (reset, replayed) = resets.ask(user.user_id, account, opening, key).await?;
    let mut response = HttpResponse::Accepted();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(ResetDocument::from(&reset)))
}

/// Resets of an account.
#[derive(Debug, Serialize, ToSchema)]
struct ResetList {
    resets: Vec<ResetDocument>,
}

/// The latest resets of an account, newest first.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = ResetList), (status = 404, body = Problem)))]
#[get("/accounts/{id}/resets")]
async fn list_resets(
    user: CurrentUser,
    resets: web::Data<ResetService>,
    PathId(account): PathId<AccountId>,
) -> ApiResult<web::Json<ResetList>> {
    let resets = resets.list(user.user_id, account).await?;
    Ok(web::Json(ResetList { resets: resets.iter().map(ResetDocument::from).collect() }))
}
