//! Every address of the connector.

use crate::body::Json;
use crate::broker::{Brokers, JournalLine, JournalQuery, OrderState};
use crate::journal::Journal;
use crate::problem::Problem;
use crate::recovery::{self, Awaited};
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use chrono::{DateTime, Utc};
use domain::broker::{BATCH_MAX, OrderRequest, ReplaceRequest};
use domain::inquiry::{InquiryRequest, ResolveRequest};
use domain::{AccountId, Currency, DecimalText, OrderId, OrderStatus};
use failpoint::Failpoint;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most lines of the journal in one answer, and how many there are without asking.
const PAGE_LINES_MAX: i64 = 1000;
/// See [`PAGE_LINES_MAX`].
const PAGE_LINES_DEFAULT: i64 = 100;

type Answer = Result<HttpResponse, Problem>;

/// Puts every address in its place.
pub(crate) fn all(config: &mut ServiceConfig) {
    config
        .service(at("/health").get(health))
        .service(at("/ready").get(ready))
        .service(at("/broker/capabilities").get(capabilities))
        .service(at("/broker/connect").post(connect))
        .service(at("/broker/order").post(place_order))
        .service(at("/broker/orders").post(place_orders))
        .service(at("/broker/cancels").post(cancel_orders))
        .service(at("/broker/replaces").post(replace_orders))
        .service(at("/broker/order/{order_id}").get(order_status).delete(cancel_order))
        .service(at("/broker/accounts/{account_id}/sync").get(sync))
        .service(at("/broker/accounts/{account_id}/recover").post(recover))
        .service(at("/broker/accounts/{account_id}/orders").get(orders_of_account))
        .service(at("/broker/inquiries").post(inquire))
        .service(at("/broker/resolutions").post(resolve))
        .service(at("/broker/executions").get(executions))
        .default_service(web::to(|| async { Answer::Err(Problem::NotFound) }));
}

/// A resource whose other methods are answered properly.
fn at(path: &str) -> Methods {
    Methods(web::resource(path).default_service(web::to(|| async { Answer::Err(Problem::MethodNotAllowed) })))
}

/// A resource under construction.
struct Methods(Resource);

macro_rules! methods {
    ($($name:ident)*) => {
        impl Methods {
            $(fn $name<F, Args>(self, handler: F) -> Self
            where
                F: actix_web::Handler<Args, Output = Answer>,
                Args: actix_web::FromRequest + 'static,
            {
                Self(self.0.route(web::$name().to(handler)))
            })*
        }
    };
}
methods! { get post delete }

impl actix_web::dev::HttpServiceFactory for Methods {
    fn register(self, config: &mut actix_web::dev::AppService) {
        self.0.register(config);
    }
}

fn limited<T>(field: &str, items: Vec<T>) -> Result<Vec<T>, Problem> {
    if items.len() > BATCH_MAX {
        return Err(Problem::field(field, "too_many", format!("must have at most {BATCH_MAX} items")));
    }
    Ok(items)
}

fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::field(field, "uuid", "must be a UUID"))
}

fn only<T>(mut outcomes: Vec<T>) -> Result<T, Problem> {
    outcomes.pop().ok_or(Problem::Unavailable)
}

async fn health() -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "alive" })))
}

async fn ready(brokers: Data<Brokers>) -> Answer {
    if brokers.iter().all(|broker| broker.is_ready()) {
        return Ok(HttpResponse::Ok().json(json!({ "status": "ready" })));
    }
    Err(Problem::Unavailable)
}

async fn capabilities(brokers: Data<Brokers>) -> Answer {
    let all: Vec<_> = brokers.iter().map(|broker| broker.capabilities()).collect();
    Ok(HttpResponse::Ok().json(json!({ "brokers": all })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConnectRequest {
    account_id: AccountId,
    broker: String,
    currency: Currency,
}

async fn connect(brokers: Data<Brokers>, Json(request): Json<ConnectRequest>) -> Answer {
    let broker = brokers
        .named(&request.broker)
        .ok_or_else(|| Problem::field("broker", "unknown_broker", "there is no broker of this name"))?;
    broker.connect(request.account_id, request.currency).await?;
    failpoint::pass(Failpoint::AccountConnected);
    Ok(HttpResponse::Ok().json(json!({
        "accountId": request.account_id, "broker": request.broker, "currency": request.currency,
    })))
}

async fn place_order(brokers: Data<Brokers>, Json(order): Json<OrderRequest>) -> Answer {
    Ok(HttpResponse::Ok().json(only(brokers.of_orders().place_orders(vec![order]).await)?))
}

async fn place_orders(brokers: Data<Brokers>, Json(orders): Json<Vec<OrderRequest>>) -> Answer {
    let orders = limited("orders", orders)?;
    failpoint::pass(Failpoint::OrdersReceived);
    Ok(HttpResponse::Ok().json(brokers.of_orders().place_orders(orders).await))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CancelRequest {
    order_ids: Vec<OrderId>,
}

async fn cancel_orders(brokers: Data<Brokers>, Json(request): Json<CancelRequest>) -> Answer {
    let orders = limited("orderIds", request.order_ids)?;
    failpoint::pass(Failpoint::CancelsReceived);
    Ok(HttpResponse::Ok().json(brokers.of_orders().cancel_orders(orders).await))
}

async fn cancel_order(brokers: Data<Brokers>, order_id: Path<String>) -> Answer {
    let order_id: OrderId = id("orderId", &order_id)?;
    Ok(HttpResponse::Ok().json(only(brokers.of_orders().cancel_orders(vec![order_id]).await)?))
}

async fn replace_orders(brokers: Data<Brokers>, Json(requests): Json<Vec<ReplaceRequest>>) -> Answer {
    let requests = limited("requests", requests)?;
    failpoint::pass(Failpoint::ReplacesReceived);
    Ok(HttpResponse::Ok().json(brokers.of_orders().replace_orders(requests).await))
}

#[derive(Serialize)]
struct StatusAnswer {
    known: bool,
    status: Option<OrderStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderState>,
}

async fn order_status(brokers: Data<Brokers>, order_id: Path<String>) -> Answer {
    let order_id: OrderId = id("orderId", &order_id)?;
    let order = brokers.of_orders().order_status(order_id).await?;
    let status = order.as_ref().map(|order| order.status);
    Ok(HttpResponse::Ok().json(StatusAnswer { known: order.is_some(), status, order }))
}

async fn sync(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let account_id: AccountId = id("accountId", &account_id)?;
    Ok(HttpResponse::Ok().json(brokers.of_orders().sync(account_id).await?))
}

/// Looks for reports that the journal lacks. The body names the orders that were not heard of yet, and the requests for
/// other terms that were not answered.
async fn recover(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    account_id: Path<String>,
    Json(request): Json<InquiryRequest>,
) -> Answer {
    let account_id: AccountId = id("accountId", &account_id)?;
    let waiting = limited("waiting", request.waiting)?;
    let replacing = limited("replacing", request.replacing)?;
    let awaited = Awaited { orders: &waiting, replacing: &replacing };
    let recovery = recovery::recover(&**brokers.of_orders(), &journal, account_id, awaited).await?;
    Ok(HttpResponse::Ok().json(recovery))
}

async fn inquire(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    Json(request): Json<InquiryRequest>,
) -> Answer {
    let orders = limited("orders", request.orders)?;
    let waiting = limited("waiting", request.waiting)?;
    let replacing = limited("replacing", request.replacing)?;
    let awaited = Awaited { orders: &waiting, replacing: &replacing };
    let findings = recovery::inquire(&**brokers.of_orders(), &journal, &orders, awaited).await;
    Ok(HttpResponse::Ok().json(findings))
}

async fn resolve(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    Json(request): Json<ResolveRequest>,
) -> Answer {
    recovery::resolve(&**brokers.of_orders(), &journal, &request.order, &request.resolution).await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "written" })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrdersQuery {
    /// Orders that the broker took since then; all of them unless given.
    since: Option<DateTime<Utc>>,
    /// `next` of the page before.
    after: Option<String>,
}

async fn orders_of_account(
    brokers: Data<Brokers>,
    account_id: Path<String>,
    query: Query<OrdersQuery>,
) -> Answer {
    let account_id: AccountId = id("accountId", &account_id)?;
    let query = query.into_inner();
    let since = query.since.unwrap_or(DateTime::UNIX_EPOCH);
    let page = brokers.of_orders().order_page(account_id, since, query.after).await?;
    let orders: Vec<_> = page
        .items
        .iter()
        .map(|order| {
            json!({
                "brokerOrderId": order.broker_order_id, "orderId": order.known_as, "symbol": order.symbol,
                "side": order.side, "status": order.status, "quantity": DecimalText(order.quantity),
                "filledQuantity": DecimalText(order.filled_quantity), "acceptedAt": order.accepted_at,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "orders": orders, "next": page.next })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExecutionsQuery {
    account_id: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

impl ExecutionsQuery {
    fn read(self) -> Result<JournalQuery, Problem> {
        let number = |field: &'static str, text: Option<String>, default: i64, least: i64, most: i64| {
            let value = text.map_or(Ok(default), |text| text.parse::<i64>());
            value.ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| {
                Problem::field(
                    field,
                    "out_of_range",
                    format!("must be a whole number from {least} to {most}"),
                )
            })
        };
        Ok(JournalQuery {
            account_id: self.account_id.map(|text| id("accountId", &text)).transpose()?,
            after: number("after", self.after, 0, 0, i64::MAX)?,
            limit: number("limit", self.limit, PAGE_LINES_DEFAULT, 1, PAGE_LINES_MAX)?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionsAnswer {
    reports: Vec<JournalLine>,
    /// Where the next page starts; the same place again when there is nothing new.
    after: i64,
}

async fn executions(brokers: Data<Brokers>, query: Query<ExecutionsQuery>) -> Answer {
    let query = query.into_inner().read()?;
    let reports = brokers.of_orders().executions(query).await?;
    let after = reports.last().map_or(query.after, |line| line.journal_id);
    Ok(HttpResponse::Ok().json(ExecutionsAnswer { reports, after }))
}
