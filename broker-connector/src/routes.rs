//! Every address of the connector.

use crate::body::Json;
use crate::broker::registry::each_its_own;
use crate::broker::{Broker, Brokers, Connection, JournalLine, JournalQuery, OrderState};
use crate::credentials::Credentials;
use crate::journal::Journal;
use crate::problem::Problem;
use crate::recovery::{self, Awaited};
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::broker::{BATCH_MAX, CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::inquiry::{Finding, InquiryRequest, ResolveRequest};
use domain::{AccountId, Currency, DecimalText, OrderId, OrderStatus};
use exchange::Simulation;
use failpoint::Failpoint;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Most lines of the journal in one answer, and how many there are without asking.
const PAGE_LINES_MAX: i64 = 1000;
/// See [`PAGE_LINES_MAX`].
const PAGE_LINES_DEFAULT: i64 = 100;
/// Most days whose sessions are asked for at once.
const HOURS_DAYS_MAX: i64 = 62;

/// How far ahead of our clock the beginning of a list may be: clocks differ.
const SINCE_AHEAD_MAX: TimeDelta = TimeDelta::minutes(1);

type Answer = Result<HttpResponse, Problem>;

/// Puts every address in its place.
pub(crate) fn all(config: &mut ServiceConfig) {
    config
        .service(at("/health").get(health))
        .service(at("/ready").get(ready))
        .service(at("/broker/status").get(status))
        .service(at("/broker/capabilities").get(capabilities))
        .service(at("/broker/connect").post(connect))
        .service(at("/broker/order").post(place_order))
        .service(at("/broker/orders").post(place_orders))
        .service(at("/broker/cancels").post(cancel_orders))
        .service(at("/broker/replaces").post(replace_orders))
        .service(at("/broker/order/{order_id}").get(order_status).delete(cancel_order))
        .service(at("/broker/accounts/{account_id}/status").get(connection_state))
        .service(at("/broker/accounts/{account_id}/balance").get(balance))
        .service(at("/broker/accounts/{account_id}/positions").get(positions))
        .service(at("/broker/accounts/{account_id}/sync").get(sync))
        .service(at("/broker/accounts/{account_id}/hours").get(market_hours))
        .service(at("/broker/accounts/{account_id}/simulation").get(simulation).put(simulate))
        .service(at("/broker/accounts/{account_id}/recover").post(recover))
        .service(at("/broker/accounts/{account_id}/orders").get(orders_of_account))
        .service(at("/broker/accounts/{account_id}/activities").get(activities_of_account))
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
methods! { get post put delete }

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

/// Ready without the others: one broker's trouble is not another's.
async fn ready(brokers: Data<Brokers>) -> Answer {
    if brokers.keeper().is_ready() {
        return Ok(HttpResponse::Ok().json(json!({ "status": "ready" })));
    }
    Err(Problem::Unavailable)
}

async fn status(brokers: Data<Brokers>) -> Answer {
    let all: Vec<_> =
        brokers.iter().map(|broker| json!({ "broker": broker.name(), "ready": broker.is_ready() })).collect();
    Ok(HttpResponse::Ok().json(json!({ "brokers": all })))
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
    #[serde(default)]
    credentials: Option<Credentials>,
}

async fn connect(brokers: Data<Brokers>, Json(request): Json<ConnectRequest>) -> Answer {
    let ConnectRequest { account_id, broker: name, currency, credentials } = request;
    let broker = brokers
        .named(&name)
        .ok_or_else(|| Problem::field("broker", "unknown_broker", "there is no broker of this name"))?;
    if let Some(Err(malformed)) = credentials.as_ref().map(Credentials::check) {
        let field = format!("credentials.{}", malformed.field);
        return Err(Problem::field(field, "malformed", malformed.to_string()));
    }
    let connected = broker.connect(Connection { account_id, currency, credentials }).await?;
    brokers.remember(account_id, broker.name());
    failpoint::pass(Failpoint::AccountConnected);
    Ok(HttpResponse::Ok().json(json!({
        "accountId": account_id, "broker": name, "currency": currency,
        "brokerNumber": connected.broker_number, "openingCash": connected.opening_cash,
        "openedAt": connected.opened_at,
    })))
}

/// The brokers of the accounts that orders are for.
async fn brokers_of(
    brokers: &Brokers,
    accounts: impl Iterator<Item = AccountId>,
) -> Result<Vec<Arc<dyn Broker>>, Problem> {
    let mut found = Vec::new();
    for account in accounts {
        found.push(brokers.of_account(account).await?);
    }
    Ok(found)
}

/// What is said when the code of an adapter fails.
const BROKEN: &str = "the adapter failed";

async fn place_all(brokers: &Brokers, orders: Vec<OrderRequest>) -> Result<Vec<PlaceOutcome>, Problem> {
    let owners = brokers_of(brokers, orders.iter().map(|order| order.account_id)).await?;
    // Sent alone it would be an entry without its exits.
    let mut with_others = orders.iter().zip(&owners).filter(|(order, _)| order.contingency.is_some());
    if with_others.any(|(order, broker)| !broker.capabilities().takes_as_one(order)) {
        return Err(Problem::field(
            "contingency",
            "unsupported",
            "this broker takes no orders of this class",
        ));
    }
    // Its shares were only estimated.
    if orders.iter().zip(&owners).any(|(order, broker)| !broker.capabilities().takes_amount(order)) {
        return Err(Problem::field("notional", "unsupported", "this broker takes no amounts of money"));
    }
    let place = |broker: Arc<dyn Broker>, orders| async move { broker.place_orders(orders).await };
    let broken = |_: &OrderRequest| PlaceOutcome::OutcomeUnknown { reason: BROKEN.into() };
    Ok(each_its_own(orders, owners, place, broken).await)
}

async fn cancel_all(brokers: &Brokers, orders: Vec<OrderId>) -> Result<Vec<CancelOutcome>, Problem> {
    let owners = brokers.of_orders(&orders).await?;
    let cancel = |broker: Arc<dyn Broker>, orders| async move { broker.cancel_orders(orders).await };
    let broken = |_: &OrderId| CancelOutcome::OutcomeUnknown { reason: BROKEN.into() };
    Ok(each_its_own(orders, owners, cancel, broken).await)
}

async fn place_order(brokers: Data<Brokers>, Json(order): Json<OrderRequest>) -> Answer {
    Ok(HttpResponse::Ok().json(only(place_all(&brokers, vec![order]).await?)?))
}

async fn place_orders(brokers: Data<Brokers>, Json(orders): Json<Vec<OrderRequest>>) -> Answer {
    let orders = limited("orders", orders)?;
    failpoint::pass(Failpoint::OrdersReceived);
    Ok(HttpResponse::Ok().json(place_all(&brokers, orders).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CancelRequest {
    order_ids: Vec<OrderId>,
}

async fn cancel_orders(brokers: Data<Brokers>, Json(request): Json<CancelRequest>) -> Answer {
    let orders = limited("orderIds", request.order_ids)?;
    failpoint::pass(Failpoint::CancelsReceived);
    Ok(HttpResponse::Ok().json(cancel_all(&brokers, orders).await?))
}

async fn cancel_order(brokers: Data<Brokers>, order_id: Path<String>) -> Answer {
    let order_id: OrderId = id("orderId", &order_id)?;
    Ok(HttpResponse::Ok().json(only(cancel_all(&brokers, vec![order_id]).await?)?))
}

async fn replace_orders(brokers: Data<Brokers>, Json(requests): Json<Vec<ReplaceRequest>>) -> Answer {
    let requests = limited("requests", requests)?;
    failpoint::pass(Failpoint::ReplacesReceived);
    let orders: Vec<OrderId> = requests.iter().map(|request| request.order_id).collect();
    let owners = brokers.of_orders(&orders).await?;
    let replace = |broker: Arc<dyn Broker>, requests| async move { broker.replace_orders(requests).await };
    let broken = |_: &ReplaceRequest| ReplaceOutcome::OutcomeUnknown { reason: BROKEN.into() };
    Ok(HttpResponse::Ok().json(each_its_own(requests, owners, replace, broken).await))
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
    let broker = only(brokers.of_orders(&[order_id]).await?)?;
    let order = broker.order_status(order_id).await?;
    let status = order.as_ref().map(|order| order.status);
    Ok(HttpResponse::Ok().json(StatusAnswer { known: order.is_some(), status, order }))
}

/// An account of a path, and its broker.
async fn account_of(brokers: &Brokers, text: &str) -> Result<(AccountId, Arc<dyn Broker>), Problem> {
    let account_id: AccountId = id("accountId", text)?;
    Ok((account_id, brokers.of_account(account_id).await?))
}

async fn connection_state(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    Ok(HttpResponse::Ok().json(broker.connection_state(account_id).await?))
}

async fn balance(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    Ok(HttpResponse::Ok().json(broker.balance(account_id).await?))
}

async fn positions(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    Ok(HttpResponse::Ok().json(json!({ "positions": broker.positions(account_id).await? })))
}

async fn sync(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    Ok(HttpResponse::Ok().json(broker.sync(account_id).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HoursQuery {
    from: NaiveDate,
    to: NaiveDate,
}

async fn market_hours(brokers: Data<Brokers>, account_id: Path<String>, query: Query<HoursQuery>) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    let HoursQuery { from, to } = query.into_inner();
    if !(0..HOURS_DAYS_MAX).contains(&(to - from).num_days()) {
        let message = format!("must be from {from} on, and fewer than {HOURS_DAYS_MAX} days later");
        return Err(Problem::field("to", "out_of_range", message));
    }
    Ok(HttpResponse::Ok().json(broker.market_hours(account_id, from, to).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SimulationRequest {
    simulation: String,
}

async fn simulation(brokers: Data<Brokers>, account_id: Path<String>) -> Answer {
    let account_id: AccountId = id("accountId", &account_id)?;
    let simulation = brokers.of_account(account_id).await?.simulation(account_id).await?;
    Ok(HttpResponse::Ok().json(json!({ "simulation": simulation.name() })))
}

/// Sets what stands between an account's orders and their executions.
async fn simulate(
    brokers: Data<Brokers>,
    account_id: Path<String>,
    Json(request): Json<SimulationRequest>,
) -> Answer {
    let account_id: AccountId = id("accountId", &account_id)?;
    let simulation = Simulation::from_name(&request.simulation).ok_or_else(|| {
        Problem::field("simulation", "unknown_simulation", "must be ideal, realistic or harsh")
    })?;
    brokers.of_account(account_id).await?.simulate(account_id, simulation).await?;
    Ok(HttpResponse::Ok().json(json!({ "simulation": simulation.name() })))
}

/// Looks for reports that the journal lacks. The body names the orders that were not heard of yet, and the requests for
/// other terms that were not answered.
async fn recover(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    account_id: Path<String>,
    Json(request): Json<InquiryRequest>,
) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    let waiting = limited("waiting", request.waiting)?;
    let replacing = limited("replacing", request.replacing)?;
    let awaited = Awaited { orders: &waiting, replacing: &replacing };
    let recovery = recovery::recover(&*broker, &journal, account_id, awaited).await?;
    Ok(HttpResponse::Ok().json(recovery))
}

async fn inquire(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    Json(request): Json<InquiryRequest>,
) -> Answer {
    let orders = limited("orders", request.orders)?;
    let waiting = Arc::new(limited("waiting", request.waiting)?);
    let replacing = Arc::new(limited("replacing", request.replacing)?);
    let owners = brokers_of(&brokers, orders.iter().map(|order| order.account_id)).await?;
    let ask = |broker: Arc<dyn Broker>, orders: Vec<OrderRequest>| {
        let (journal, waiting, replacing) =
            (journal.get_ref().clone(), Arc::clone(&waiting), Arc::clone(&replacing));
        async move {
            let awaited = Awaited { orders: &waiting, replacing: &replacing };
            recovery::inquire(&*broker, &journal, &orders, awaited).await
        }
    };
    let broken = |_: &OrderRequest| Finding::Unclear { reason: BROKEN.into() };
    Ok(HttpResponse::Ok().json(each_its_own(orders, owners, ask, broken).await))
}

async fn resolve(
    brokers: Data<Brokers>,
    journal: Data<Journal>,
    Json(request): Json<ResolveRequest>,
) -> Answer {
    let broker = brokers.of_account(request.order.account_id).await?;
    recovery::resolve(&*broker, &journal, &request.order, &request.resolution).await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "written" })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListQuery {
    /// What happened since then; all of it unless given.
    since: Option<DateTime<Utc>>,
    /// `next` of the page before.
    after: Option<String>,
}

async fn orders_of_account(
    brokers: Data<Brokers>,
    account_id: Path<String>,
    query: Query<ListQuery>,
) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    let (since, after) = query.into_inner().read()?;
    let page = broker.order_page(account_id, since, after).await?;
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

/// What the broker did in an account beside orders, as it lists it.
async fn activities_of_account(
    brokers: Data<Brokers>,
    account_id: Path<String>,
    query: Query<ListQuery>,
) -> Answer {
    let (account_id, broker) = account_of(&brokers, &account_id).await?;
    let (since, after) = query.into_inner().read()?;
    let page = broker.activity_page(account_id, since, after).await?;
    let activities: Vec<_> = page
        .items
        .iter()
        .map(|activity| {
            json!({
                "activityId": activity.activity_id, "kind": activity.kind.name(), "word": activity.word,
                "symbol": activity.symbol, "currency": activity.currency, "amount": DecimalText(activity.amount),
                "quantity": activity.quantity.map(DecimalText), "day": activity.day, "undone": activity.is_undone,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "activities": activities, "next": page.next })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExecutionsQuery {
    account_id: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

impl ListQuery {
    /// Since when, and where the page begins.
    fn read(self) -> Result<(DateTime<Utc>, Option<String>), Problem> {
        let first = DateTime::UNIX_EPOCH;
        let since = self.since.unwrap_or(first);
        if !(first..=Utc::now() + SINCE_AHEAD_MAX).contains(&since) {
            let message = format!("must be from {first} on, and not later than now");
            return Err(Problem::field("since", "out_of_range", message));
        }
        Ok((since, self.after))
    }
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
    let reports = brokers.keeper().executions(query).await?;
    let after = reports.last().map_or(query.after, |line| line.journal_id);
    Ok(HttpResponse::Ok().json(ExecutionsAnswer { reports, after }))
}
