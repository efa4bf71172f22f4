//! Asks the broker about orders whose fate nobody knows.
//!
//! Promises: such an order keeps its hold and stops new exposure in its symbol; it is asked for on a schedule
//! ([`delivery`](super::delivery)), and sent again only to a broker that takes it once; when the questions are used up a
//! person is told, who can say what became of it. What the broker turns out to have stands in the journal, and only the
//! journal changes the order.

use super::connector::Connector;
use super::delivery::{Inquiry, Manners, Step};
use super::document::OrderDocument;
use super::gate::Gate;
use super::incident::{Incident, NewIncident, UNRESOLVED_ORDER};
use super::lane::{Lane, Lanes};
use super::order::Order;
use super::store;
use crate::clock;
use crate::db::Pool;
use crate::error::ApiError;
use crate::events::{self, EventHub, EventKind, NewEvent};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::broker::{BATCH_MAX, OrderRequest};
use domain::inquiry::Finding;
use domain::{AccountId, OrderId, OrderStatus};
use failpoint::Failpoint;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether a question is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The asker.
pub(super) struct Inquirer {
    pub(super) pool: Pool,
    pub(super) connector: Connector,
    pub(super) events: Arc<EventHub>,
    /// The broker that it asks.
    pub(super) lane: Lane,
    pub(super) lanes: Lanes,
    pub(super) gate: Gate,
}

impl Inquirer {
    /// Asks until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.ask() => if let Err(error) = outcome {
                    tracing::warn!(%error, "orders that nobody knows of cannot be asked for; trying again");
                },
            }
        }
    }

    async fn ask(&self) -> Result<(), ApiError> {
        if !self.lanes.is_used(self.lane) {
            return Ok(());
        }
        let limit = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
        let connection = self.pool.get().await?;
        let due = store::orders_to_ask_for(&connection, self.lane.name(), clock::now(), limit).await?;
        drop(connection);
        let (unknown, known): (Vec<Order>, Vec<Order>) = due.into_iter().partition(is_unknown);
        let known: Vec<OrderId> = known.iter().map(|order| order.id).collect();
        if !known.is_empty() {
            store::close_inquiries(&*self.pool.get().await?, &known).await?;
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let asked: Vec<(&Order, OrderRequest)> =
            unknown.iter().filter_map(|order| Some((order, order.description()?))).collect();
        let (manners, findings) = self.findings(&asked).await;
        failpoint::pass(Failpoint::InquiryAnswered);
        let ids: Vec<OrderId> = asked.iter().map(|(order, _)| order.id).collect();
        let mut inquiries = store::inquiries_of(&*self.pool.get().await?, &ids).await?;
        let now = clock::now();
        let (mut answered, mut again, mut given_up) = (Vec::new(), Vec::new(), Vec::new());
        for ((order, request), finding) in asked.iter().zip(&findings) {
            let Some(inquiry) = inquiries.get_mut(&order.id) else { continue };
            match inquiry.answer(finding, manners, now) {
                Step::Wait => {}
                Step::SendAgain => again.push(request.clone()),
                Step::GiveUp => given_up.push(incident_of(order, inquiry)),
            }
            answered.push(*inquiry);
        }
        self.save(&answered, given_up).await?;
        // What is held back now is asked for again, and sent when nothing holds it back.
        again.retain(|request: &OrderRequest| self.gate.lets_leave(request));
        if !again.is_empty() {
            tracing::info!(orders = again.len(), "orders that the broker does not have are sent again");
            // Whatever comes of it: the journal speaks, or the next question finds out.
            if let Err(error) = self.connector.place(&again).await {
                tracing::warn!(%error, "sending again failed");
            }
        }
        Ok(())
    }

    /// What the broker says; that it cannot be reached is an answer too, of which nothing follows.
    async fn findings(&self, asked: &[(&Order, OrderRequest)]) -> (Manners, Vec<Finding>) {
        let requests: Vec<OrderRequest> = asked.iter().map(|(_, request)| request.clone()).collect();
        let answers = async {
            let manners = self.connector.manners(self.lane).await.map_err(|error| error.to_string())?;
            let accounts = requests.iter().map(|request| request.account_id).collect();
            let waiting = self.waiting(accounts, manners).await?;
            let findings = self.connector.inquire(&requests, waiting, Vec::new()).await;
            Ok((manners, findings.map_err(|error| error.to_string())?))
        };
        answers.await.unwrap_or_else(|reason: String| {
            let unclear = Finding::Unclear { reason };
            (Manners { idempotent_orders: false }, vec![unclear; requests.len()])
        })
    }

    /// Every order of the accounts that was not heard of yet. A broker that knows our ids mistakes none for another.
    async fn waiting(
        &self,
        accounts: BTreeSet<AccountId>,
        manners: Manners,
    ) -> Result<Vec<OrderRequest>, String> {
        if manners.idempotent_orders {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let connection = self.pool.get().await.map_err(|error| error.to_string())?;
        let waiting = store::orders_not_heard_of(&connection, &accounts, limit + 1).await;
        let waiting = waiting.map_err(|error| error.to_string())?;
        if waiting.len() > BATCH_MAX {
            return Err("too many orders wait to be heard of to tell them apart".to_owned());
        }
        Ok(waiting.iter().filter_map(Order::description).collect())
    }

    async fn save(&self, answered: &[Inquiry], given_up: Vec<NewIncident>) -> Result<(), ApiError> {
        let mut connection = self.pool.get().await?;
        connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                store::save_inquiries(connection, answered).await?;
                tell(connection, &given_up).await
            })
            .await?;
        self.events.wake();
        Ok(())
    }
}

fn is_unknown(order: &Order) -> bool {
    order.status == OrderStatus::PendingNew && order.unresolved_since.is_some()
}

fn incident_of(order: &Order, inquiry: &Inquiry) -> NewIncident {
    tracing::error!(order = %order.id, tries = inquiry.tries, "a person must say what became of this order");
    let case = if inquiry.is_proven_absent() { "absent" } else { "unclear" };
    let incident = Incident::new(UNRESOLVED_ORDER, inquiry.words())
        .with("case", case)
        .with("tries", inquiry.tries)
        .with("symbol", order.wish.symbol);
    NewIncident::new(Some(order.user_id), order.wish.account_id, incident, clock::now()).about(order.id)
}

/// Writes incidents and tells of them, in the caller's transaction, as its last statements.
pub(super) async fn tell(connection: &AsyncPgConnection, incidents: &[NewIncident]) -> Result<(), ApiError> {
    store::insert_incidents(connection, incidents).await?;
    let told: Result<Vec<NewEvent>, _> = incidents.iter().filter_map(NewIncident::event).collect();
    Ok(events::append(connection, told.map_err(ApiError::internal)?).await?)
}

/// Keeps the hold and stops new exposure in the symbol, until the broker has spoken about the order; the questions begin.
pub(super) async fn mark_unresolved(
    pool: &Pool,
    hub: &EventHub,
    orders: Vec<OrderId>,
) -> Result<(), ApiError> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut connection = pool.get().await?;
    connection
        .transaction(async |connection| {
            let connection: &AsyncPgConnection = connection;
            let now = clock::now();
            let (mut entries, mut told) = (Vec::new(), Vec::new());
            let mut locked = store::lock_orders(connection, orders.into_iter()).await?;
            locked
                .retain(|order| order.status == OrderStatus::PendingNew && order.unresolved_since.is_none());
            for order in &mut locked {
                order.unresolved_since = Some(now);
                order.updated_at = now;
                entries.push(order.log("unresolved", None, now));
                let document = OrderDocument::from(&*order);
                let event = NewEvent::new(order.user_id, EventKind::Order, &document);
                told.push(event.map_err(ApiError::internal)?);
            }
            let ids: Vec<OrderId> = locked.iter().map(|order| order.id).collect();
            let mut inquiries: Vec<Inquiry> =
                store::inquiries_of(connection, &ids).await?.into_values().collect();
            inquiries.iter_mut().for_each(|inquiry| inquiry.open(now));
            store::save_inquiries(connection, &inquiries).await?;
            store::save_orders(connection, locked.iter()).await?;
            store::insert_log(connection, &entries).await?;
            events::append(connection, told).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    hub.wake();
    Ok(())
}
