//! `/api/incidents`, `/api/reconciliations`, and a person's word about an order.

use super::document::OrderDocument;
use super::incident::IncidentDocument;
use super::reconcile::RunDocument;
use super::service::TradingService;
use crate::account::AccountService;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, Params, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, post, web};
use domain::inquiry::Resolution;
use domain::{AccountId, OrderId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most items of a page, and how many there are unless asked otherwise.
const PAGE_ITEMS_MAX: i64 = 200;
const PAGE_ITEMS_DEFAULT: i64 = 50;
/// Longest note about an incident, in characters.
const NOTE_LENGTH_MAX: usize = 1_000;
/// Longest number that a broker gives to an order, in characters.
const BROKER_ORDER_ID_LENGTH_MAX: usize = 100;

/// These URLs.
pub fn routes(config: &mut Routes<'_>) {
    config
        .service(list_incidents)
        .service(acknowledge_incident)
        .service(list_reconciliations)
        .service(reconcile)
        .service(resolve_order);
    super::account_halt_routes::routes(config);
    super::friction::routes(config);
    super::margin::routes(config);
}

fn page_limit(limit: Option<i64>) -> ApiResult<i64> {
    let limit = limit.unwrap_or(PAGE_ITEMS_DEFAULT);
    if (1..=PAGE_ITEMS_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::field("limit", "out_of_range", format!("must be between 1 and {PAGE_ITEMS_MAX}")))
    }
}

/// Cuts a list that was read one item longer than shown, and says where the next page begins.
fn cut<T>(items: &mut Vec<T>, limit: i64, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > shown;
    items.truncate(shown);
    items.last().filter(|_| more).map(id)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IncidentParameters {
    /// Only those that were not acknowledged; all of them unless given.
    unacknowledged: Option<bool>,
    /// 1 to 200; 50 unless given.
    limit: Option<i64>,
    /// `nextCursor` of the page before.
    cursor: Option<Uuid>,
}

/// A page of incidents.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct IncidentPage {
    incidents: Vec<IncidentDocument>,
    /// Give this as `cursor` for the next page; absent on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists what a person must look at, newest first.
#[utoipa::path(tag = "trading", params(IncidentParameters), responses(
    (status = 200, body = IncidentPage), (status = 422, body = Problem)))]
#[get("/incidents")]
async fn list_incidents(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    Params(parameters): Params<IncidentParameters>,
) -> ApiResult<web::Json<IncidentPage>> {
    let limit = page_limit(parameters.limit)?;
    let only = parameters.unacknowledged.unwrap_or(false);
    let mut incidents = trading.incidents(user.user_id, only, parameters.cursor, limit + 1).await?;
    let next_cursor = cut(&mut incidents, limit, |incident| incident.id);
    Ok(web::Json(IncidentPage { incidents, next_cursor }))
}

/// That an incident was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Acknowledgement {
    /// What was found out about it.
    note: Option<String>,
}

/// Says that an incident was seen. Doing it again changes nothing but the note.
#[utoipa::path(tag = "trading", params(("id" = Uuid, Path)), request_body = Acknowledgement, responses(
    (status = 200, body = IncidentDocument), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/incidents/{id}/acknowledge")]
async fn acknowledge_incident(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<Uuid>,
    Body(acknowledgement): Body<Acknowledgement>,
) -> ApiResult<web::Json<IncidentDocument>> {
    if acknowledgement.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_LENGTH_MAX) {
        let message = format!("must have at most {NOTE_LENGTH_MAX} characters");
        return Err(ApiError::field("note", "too_long", message));
    }
    Ok(web::Json(trading.acknowledge(user.user_id, id, acknowledgement.note).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReconciliationParameters {
    /// One account instead of all.
    account_id: Option<AccountId>,
    /// 1 to 200; 50 unless given.
    limit: Option<i64>,
    /// `nextCursor` of the page before.
    cursor: Option<Uuid>,
}

/// A page of comparisons with brokers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReconciliationPage {
    reconciliations: Vec<RunDocument>,
    /// Give this as `cursor` for the next page; absent on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists comparisons of accounts with their brokers, newest first, with what differed. Of comparisons in a row that the
/// timer made and that found nothing, the last is kept.
#[utoipa::path(tag = "trading", params(ReconciliationParameters), responses(
    (status = 200, body = ReconciliationPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/reconciliations")]
async fn list_reconciliations(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    Params(parameters): Params<ReconciliationParameters>,
) -> ApiResult<web::Json<ReconciliationPage>> {
    let limit = page_limit(parameters.limit)?;
    let accounts = accounts.chosen(user.user_id, parameters.account_id).await?;
    let accounts: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let mut reconciliations = trading.reconciliations(&accounts, parameters.cursor, limit + 1).await?;
    let next_cursor = cut(&mut reconciliations, limit, |run| run.id);
    Ok(web::Json(ReconciliationPage { reconciliations, next_cursor }))
}

/// Asks for a comparison of an account with its broker. Its outcome is listed among the others soon after.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), responses(
    (status = 202), (status = 404, body = Problem)))]
#[post("/accounts/{id}/reconcile")]
async fn reconcile(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
) -> ApiResult<HttpResponse> {
    let account = accounts.find(user.user_id, id).await?;
    trading.reconcile(account.id);
    Ok(HttpResponse::Accepted().finish())
}

/// What became of an order that nobody knows of.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderOutcome {
    NeverArrived,
    Arrived,
}

/// A person's word about an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResolveOrder {
    outcome: OrderOutcome,
    /// The broker's own number of it; given exactly when it arrived.
    broker_order_id: Option<String>,
}

impl ResolveOrder {
    fn into_resolution(self) -> ApiResult<Resolution> {
        let refused = |rule, message: &str| Err(ApiError::field("brokerOrderId", rule, message));
        match (self.outcome, self.broker_order_id) {
            (OrderOutcome::NeverArrived, None) => Ok(Resolution::NeverArrived),
            (OrderOutcome::NeverArrived, Some(_)) => {
                refused("not_allowed", "must not be given for an order that never arrived")
            }
            (OrderOutcome::Arrived, None) => refused("required", "is required for an order that arrived"),
            (OrderOutcome::Arrived, Some(number)) => {
                let printable = number.bytes().all(|byte| byte.is_ascii_graphic());
                if number.is_empty() || number.len() > BROKER_ORDER_ID_LENGTH_MAX || !printable {
                    let message =
                        format!("must be 1 to {BROKER_ORDER_ID_LENGTH_MAX} printable ASCII characters");
                    return refused("invalid", &message);
                }
                Ok(Resolution::Arrived { broker_order_id: number })
            }
        }
    }
}

/// Says what became of an order whose fate neither we nor the broker can tell. The answer says that the word is written;
/// what it does to the order comes as an event.
#[utoipa::path(tag = "trading", params(("id" = OrderId, Path)), request_body = ResolveOrder, responses(
    (status = 202, body = OrderDocument), (status = 404, body = Problem),
    (status = 409, description = "Nobody has to say, or the broker says otherwise", body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
#[post("/orders/{id}/resolve")]
async fn resolve_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderId>,
    Body(request): Body<ResolveOrder>,
) -> ApiResult<HttpResponse> {
    let order = trading.resolve(user.user_id, id, request.into_resolution()?).await?;
    Ok(HttpResponse::Accepted().json(OrderDocument::from(&order)))
}
