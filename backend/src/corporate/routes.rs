//! `/api/corporate-actions`.

use super::action::{Terms, Wish, WishedTerms};
use super::service::{CorporateService, Recorded};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, Params, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, DecimalText, Price, Quantity, Symbol};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Actions of one page unless asked otherwise, and at most.
const PAGE_DEFAULT: i64 = 50;
const PAGE_MAX: i64 = 200;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(record_action).service(list_actions).service(show_action);
}

/// What a company does to its shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CorporateActionKind {
    /// New shares for old ones; fewer than before in a reverse split.
    Split,
    /// So much a share.
    CashDividend,
    /// The same shares under another name.
    SymbolChange,
}

/// A corporate action to record and apply.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordAction {
    kind: CorporateActionKind,
    symbol: Symbol,
    /// One account instead of all of the user's.
    account_id: Option<AccountId>,
    /// Shares acquired on this day or later have no part in it. Without it everything held has that is held when it is
    /// applied, which is at once.
    ex_date: Option<NaiveDate>,
    /// A split: so many new shares
    new_shares: Option<Quantity>,
    /// take the place of so many.
    old_shares: Option<Quantity>,
    /// A split: what a fraction brings, at so much a new share. Needed on KRX where fractions can be left; elsewhere
    /// fractions stay without it.
    fraction_price: Option<Price>,
    /// A dividend: before tax.
    amount_per_share: Option<Price>,
    /// A dividend: the part that is withheld, from 0 to 1; what is usual in the market unless given.
    withholding_rate: Option<DecimalText>,
    /// A dividend: when it is paid; on the ex date unless given.
    pay_date: Option<NaiveDate>,
    /// A change of symbol: the new one, of the same market.
    new_symbol: Option<Symbol>,
}

fn needed<T>(field: &str, value: Option<T>) -> ApiResult<T> {
    value.ok_or_else(|| ApiError::field(field, "required", "is required for this kind"))
}

fn unneeded<T>(field: &str, value: Option<&T>) -> ApiResult<()> {
    match value {
        Some(_) => Err(ApiError::field(field, "not_allowed", "has no meaning for this kind")),
        None => Ok(()),
    }
}

impl RecordAction {
    fn into_wish(self) -> ApiResult<Wish> {
        let kind = self.kind;
        if kind != CorporateActionKind::Split {
            unneeded("newShares", self.new_shares.as_ref())?;
            unneeded("oldShares", self.old_shares.as_ref())?;
            unneeded("fractionPrice", self.fraction_price.as_ref())?;
        }
        if kind != CorporateActionKind::CashDividend {
            unneeded("amountPerShare", self.amount_per_share.as_ref())?;
            unneeded("withholdingRate", self.withholding_rate.as_ref())?;
            unneeded("payDate", self.pay_date.as_ref())?;
        }
        if kind != CorporateActionKind::SymbolChange {
            unneeded("newSymbol", self.new_symbol.as_ref())?;
        }
        let terms = match kind {
            CorporateActionKind::Split => WishedTerms::Split {
                new: needed("newShares", self.new_shares)?,
                old: needed("oldShares", self.old_shares)?,
                fraction_price: self.fraction_price,
            },
            CorporateActionKind::CashDividend => WishedTerms::CashDividend {
                amount_per_share: needed("amountPerShare", self.amount_per_share)?,
                withholding_rate: self.withholding_rate.map(|rate| rate.0),
            },
            CorporateActionKind::SymbolChange => {
                WishedTerms::SymbolChange { new_symbol: needed("newSymbol", self.new_symbol)? }
            }
        };
        Ok(Wish { symbol: self.symbol, terms, ex_date: self.ex_date, pay_date: self.pay_date })
    }
}

/// What an action has done to an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CorporateApplication {
    account_id: AccountId,
    quantity_before: DecimalText,
    quantity_after: DecimalText,
    /// A dividend before tax, or what a fraction has brought.
    cash: DecimalText,
    withheld: DecimalText,
    applied_at: DateTime<Utc>,
}

/// A corporate action.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CorporateAction {
    id: Uuid,
    kind: CorporateActionKind,
    symbol: Symbol,
    account_id: Option<AccountId>,
    ex_date: Option<NaiveDate>,
    /// The day from which it is applied.
    effective_on: NaiveDate,
    new_shares: Option<DecimalText>,
    old_shares: Option<DecimalText>,
    fraction_price: Option<DecimalText>,
    amount_per_share: Option<DecimalText>,
    withholding_rate: Option<DecimalText>,
    new_symbol: Option<Symbol>,
    /// `waiting` for its day or for open orders to end, or `applied`.
    status: String,
    /// Accounts that have no part in it are absent.
    applications: Vec<CorporateApplication>,
    created_at: DateTime<Utc>,
    applied_at: Option<DateTime<Utc>>,
}

impl From<&Recorded> for CorporateAction {
    fn from(recorded: &Recorded) -> Self {
        let action = &recorded.action;
        let mut document = Self {
            id: action.id,
            kind: CorporateActionKind::Split,
            symbol: action.symbol,
            account_id: action.account_id,
            ex_date: action.ex_date,
            effective_on: action.effective_on,
            new_shares: None,
            old_shares: None,
            fraction_price: None,
            amount_per_share: None,
            withholding_rate: None,
            new_symbol: None,
            status: if action.applied_at.is_some() { "applied" } else { "waiting" }.to_owned(),
            applications: recorded.applied.iter().map(CorporateApplication::from).collect(),
            created_at: action.created_at,
            applied_at: action.applied_at,
        };
        match action.terms {
            Terms::Split { new, old, fraction_price } => {
                document.new_shares = Some(new.into());
                document.old_shares = Some(old.into());
                document.fraction_price = fraction_price.map(DecimalText);
            }
            Terms::CashDividend { amount_per_share, withholding_rate } => {
                document.kind = CorporateActionKind::CashDividend;
                document.amount_per_share = Some(amount_per_share.into());
                document.withholding_rate = Some(withholding_rate.into());
            }
            Terms::SymbolChange { new_symbol } => {
                document.kind = CorporateActionKind::SymbolChange;
                document.new_symbol = Some(new_symbol);
            }
        }
        document
    }
}

impl From<&super::store::AppliedRow> for CorporateApplication {
    fn from(row: &super::store::AppliedRow) -> Self {
        Self {
            account_id: AccountId(row.account_id),
            quantity_before: row.quantity_before.into(),
            quantity_after: row.quantity_after.into(),
            cash: row.cash.into(),
            withheld: row.withheld.into(),
            applied_at: row.applied_at,
        }
    }
}

/// Records a corporate action and applies it once to each account that has a part in it. Splits and changes of symbol wait
/// until the open orders in the symbol have ended, and take them back. Prices are never rewritten.
#[utoipa::path(tag = "portfolio", request_body = RecordAction, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CorporateAction), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
#[post("/corporate-actions")]
async fn record_action(
    user: CurrentUser,
    corporate: web::Data<CorporateService>,
    key: IdempotencyKey,
    Body(request): Body<RecordAction>,
) -> ApiResult<HttpResponse> {
    let account = request.account_id;
    let recorded = corporate.record(user.user_id, account, request.into_wish()?, key.0).await?;
    let mut response = HttpResponse::Created();
    if recorded.replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(CorporateAction::from(&recorded)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActionPage {
    /// Only those of one symbol.
    symbol: Option<Symbol>,
    /// Only those recorded before this one.
    before: Option<Uuid>,
    /// 1 to 200; 50 unless given.
    limit: Option<i64>,
}

/// A page of corporate actions, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CorporateActionList {
    actions: Vec<CorporateAction>,
    /// Give it as `before` to see the next page; absent on the last.
    next: Option<Uuid>,
}

/// Lists what was recorded, the newest first.
#[utoipa::path(tag = "portfolio", params(ActionPage), responses(
    (status = 200, body = CorporateActionList), (status = 422, body = Problem)))]
#[get("/corporate-actions")]
async fn list_actions(
    user: CurrentUser,
    corporate: web::Data<CorporateService>,
    Params(page): Params<ActionPage>,
) -> ApiResult<web::Json<CorporateActionList>> {
    let limit = page.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::field("limit", "out_of_range", format!("must be between 1 and {PAGE_MAX}")));
    }
    let mut recorded = corporate.list(user.user_id, page.symbol, page.before, limit + 1).await?;
    let more = i64::try_from(recorded.len()).unwrap_or(i64::MAX) > limit;
    if more {
        recorded.pop();
    }
    let next = recorded.last().filter(|_| more).map(|last| last.action.id);
    Ok(web::Json(CorporateActionList { actions: recorded.iter().map(Into::into).collect(), next }))
}

/// One corporate action.
#[utoipa::path(tag = "portfolio", params(("id" = Uuid, Path)), responses(
    (status = 200, body = CorporateAction), (status = 404, body = Problem)))]
#[get("/corporate-actions/{id}")]
async fn show_action(
    user: CurrentUser,
    corporate: web::Data<CorporateService>,
    PathId(id): PathId<Uuid>,
) -> ApiResult<web::Json<CorporateAction>> {
    Ok(web::Json(CorporateAction::from(&corporate.find(user.user_id, id).await?)))
}
