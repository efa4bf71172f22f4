//! Brings committed orders and cancels to the broker connector.
//!
//! Delivery is at least once: what the queue in memory loses (a crash, an overflow, a connector that is down) is found
//! again in the table. A broker that takes an order twice for two is sent to once: that an order is about to leave is
//! written first. What may or may not have arrived is left to the inquirer. A broker that was asked too often, or does not let
//! us in, is left alone for a while; the connector refuses what has waited too long. No transaction is open while a message
//! is under way.

use super::connector::{AskError, Connector, OpenError, SendError};
use super::delivery::{self, Delivery, Manners, Sent, delivery};
use super::gate::Gate;
use super::inquirer::mark_unresolved;
use super::keys::{self, KeyState};
use super::lane::{Lane, Lanes};
use super::order::Order;
use super::pace::{Pace, Rest};
use super::pauses::Pauses;
use super::replace::{ReplaceResult, settle_replaces};
use super::requests::{CancelResult, settle_cancels};
use super::store::{self, CancelRequest, RequestStatus};
use crate::clock;
use crate::db::Pool;
use crate::error::ApiError;
use crate::events::EventHub;
use diesel_async::AsyncConnection;
use domain::broker::{
    BATCH_MAX, CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, Unsent,
};
use domain::{AccountId, Currency, OrderId};
use failpoint::Failpoint;
use futures_util::StreamExt;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Orders that may wait in memory; those beyond are found in the table.
const QUEUE_MAX: usize = 4096;
/// From 200 orders a second on, deliveries grow until the longest rest is reached: at that rate a delivery for each order,
/// and all that follows it, would cost the next orders more than these are worth hurrying for.
const REST: Rest = Rest { per_item: Duration::from_millis(5), max: Duration::from_millis(40) };
/// How often the table is looked at.
const SCAN_INTERVAL: Duration = Duration::from_secs(1);
/// How old an order must be before it counts as not heard of: ten times what the whole way usually takes.
const SCAN_AGE_MIN: Duration = Duration::from_secs(2);
/// Accounts remembered as known to the connector; beyond it all are asked about anew.
const CONNECTED_MAX: usize = 65_536;
/// Accounts made known at once.
const CONNECTING_AT_ONCE_MAX: usize = 16;
/// How long an accepted cancel may have ended nothing before it is sent again.
const CANCEL_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Rows of one look.
const SCAN_ROWS_MAX: i64 = 256;
/// A broker's word that an order has ended there. By which end, the journal says: perhaps by this very cancel, when an
/// earlier sending of it was heard and its answer lost.
const ALREADY_FINAL: &str = "already_final";

/// The queue's entrance.
#[derive(Clone)]
pub(super) struct DispatchQueue {
    entrances: Arc<HashMap<Lane, Entrance>>,
    lanes: Lanes,
}

/// The entrance of one lane.
struct Entrance {
    orders: mpsc::Sender<OrderRequest>,
    look: Arc<Notify>,
}

/// The other end of a lane.
pub(super) struct Exit {
    lane: Lane,
    orders: mpsc::Receiver<OrderRequest>,
    look: Arc<Notify>,
}

impl DispatchQueue {
    /// The entrance, and the exit of each lane.
    pub(super) fn new(lanes: Lanes) -> (Self, Vec<Exit>) {
        let (mut entrances, mut exits) = (HashMap::new(), Vec::new());
        for lane in Lane::ALL {
            let ((orders, exit), look) = (mpsc::channel(QUEUE_MAX), Arc::new(Notify::new()));
            entrances.insert(lane, Entrance { orders, look: Arc::clone(&look) });
            exits.push(Exit { lane, orders: exit, look });
        }
        (Self { entrances: Arc::new(entrances), lanes }, exits)
    }

    /// Puts committed orders on their way.
    pub(super) fn send(&self, requests: impl Iterator<Item = OrderRequest>) {
        for request in requests {
            let lane = self.lanes.of(request.account_id);
            if let Some(entrance) = self.entrances.get(&lane) {
                // What finds no room is in the table.
                let _ = entrance.orders.try_send(request);
            }
        }
    }

    /// Makes the dispatchers look at the table now: there is a request, or an order that one waits for has arrived.
    pub(super) fn look(&self) {
        self.entrances.values().for_each(|entrance| entrance.look.notify_one());
    }
}

/// The dispatcher of one lane.
pub(super) struct Dispatcher {
    pub(super) pool: Pool,
    pub(super) connector: Connector,
    pub(super) events: Arc<EventHub>,
    pub(super) exit: Exit,
    pub(super) lanes: Lanes,
    pub(super) pauses: Pauses,
    /// Accounts that the connector has confirmed to know.
    pub(super) connected: HashSet<AccountId>,
    /// How the broker wants to be treated, once it has said so.
    pub(super) manners: Option<Manners>,
    /// Says which accounts are halted: what has not left for its broker stays here.
    pub(super) gate: Gate,
}

impl Dispatcher {
    /// Delivers until told to stop.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut scan = tokio::time::interval(SCAN_INTERVAL);
        scan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pace = Pace::new(REST);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                _ = self.exit.orders.recv_many(&mut batch, BATCH_MAX) => {
                    pace.wait().await;
                    while batch.len() < BATCH_MAX && let Ok(request) = self.exit.orders.try_recv() {
                        batch.push(request);
                    }
                    pace.rest_after(batch.len());
                    self.deliver(std::mem::take(&mut batch)).await
                }
                () = self.exit.look.notified() => self.deliver_requests().await,
                _ = scan.tick() => self.scan().await,
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "delivery to the broker connector is interrupted; trying again");
            }
        }
    }

    async fn scan(&mut self) -> Result<(), ApiError> {
        if !self.lanes.is_used(self.exit.lane) {
            return Ok(());
        }
        let (connection, broker) = (self.pool.get().await?, self.exit.lane.name());
        let paused = self.pauses.accounts();
        let overdue = store::orders_to_dispatch(
            &connection,
            (broker, &paused),
            self.gate.halts(),
            SCAN_AGE_MIN,
            SCAN_ROWS_MAX,
        )
        .await?;
        drop(connection);
        if !overdue.is_empty() {
            self.deliver_overdue(&overdue).await?;
        }
        self.deliver_requests().await
    }

    /// Cancels and replaces. What is to end is ended first.
    async fn deliver_requests(&mut self) -> Result<(), ApiError> {
        if !self.lanes.is_used(self.exit.lane) {
            return Ok(());
        }
        self.deliver_cancels().await?;
        match self.ask_manners().await {
            Ok(manners) => self.deliver_replaces(manners).await,
            // They wait in the table.
            Err(_) => Ok(()),
        }
    }

    async fn deliver_overdue(&mut self, overdue: &[Order]) -> Result<(), ApiError> {
        let Ok(manners) = self.ask_manners().await else { return Ok(()) };
        let ids: Vec<OrderId> = overdue.iter().map(|order| order.id).collect();
        let inquiries = if manners.idempotent_orders {
            HashMap::new()
        } else {
            store::inquiries_of(&*self.pool.get().await?, &ids).await?
        };
        let (mut send, mut ask) = (Vec::new(), Vec::new());
        for order in overdue {
            let sent_at = inquiries.get(&order.id).and_then(|inquiry| inquiry.sent_at);
            match delivery(order, sent_at, manners, clock::now()) {
                Delivery::Send | Delivery::MarkAndSend => send.extend(order.request()),
                Delivery::Ask => ask.push(order.id),
                Delivery::Wait => {}
            }
        }
        mark_unresolved(&self.pool, &self.events, ask).await?;
        for requests in send.chunks(BATCH_MAX) {
            self.deliver(requests.to_vec()).await?;
        }
        Ok(())
    }

    /// Makes accounts known to their broker before their first order, and leaves out the orders of those that it does not
    /// know yet: the table has them. Those of an account whose key does not open go on: the connector sends none of them, and
    /// refuses what has waited too long.
    async fn of_connected(&mut self, mut requests: Vec<OrderRequest>) -> Result<Vec<OrderRequest>, ApiError> {
        if self.connected.len() > CONNECTED_MAX {
            self.connected.clear();
        }
        let unknown: BTreeMap<AccountId, Currency> = requests
            .iter()
            .filter(|request| !self.connected.contains(&request.account_id))
            .map(|request| (request.account_id, request.symbol.currency()))
            .collect();
        let (connector, lane) = (&self.connector, self.exit.lane);
        let connecting =
            futures_util::stream::iter(unknown)
                .map(|(account, currency)| async move {
                    (account, connector.connect(lane, account, currency).await)
                })
                .buffer_unordered(CONNECTING_AT_ONCE_MAX);
        let answers: Vec<(AccountId, Result<(), OpenError>)> = connecting.collect().await;
        let mut locked = HashSet::new();
        for (account, answer) in answers {
            let Err(error) = answer else {
                self.connected.insert(account);
                continue;
            };
            tracing::warn!(%error, %account, "orders wait for their account to be known to the broker");
            if let OpenError::Refused { code, .. } = error
                && KeyState::of_word(&code).is_some()
            {
                locked.insert(account);
            }
        }
        let goes_on = |account: &AccountId| self.connected.contains(account) || locked.contains(account);
        requests.retain(|request| goes_on(&request.account_id));
        Ok(requests)
    }

    async fn deliver(&mut self, mut requests: Vec<OrderRequest>) -> Result<(), ApiError> {
        // They stay in the table until the halt is lifted.
        requests.retain(|request| self.gate.lets_leave(request));
        let paused = self.pauses.accounts();
        requests.retain(|request| !paused.contains(&request.account_id));
        if requests.is_empty() {
            return Ok(());
        }
        let manners = match self.ask_manners().await {
            Ok(manners) => manners,
            Err(error) => {
                tracing::warn!(%error, orders = requests.len(), "orders wait for the broker connector");
                return Ok(());
            }
        };
        let mut requests = self.of_connected(requests).await?;
        // A halt may have come while the connector was asked.
        requests.retain(|request| self.gate.lets_leave(request));
        let requests = if manners.idempotent_orders { requests } else { self.mark(requests).await? };
        failpoint::pass(Failpoint::DispatchSending);
        let outcomes = self.send(&requests).await;
        failpoint::pass(Failpoint::DispatchSent);
        let with = |wanted: Sent| -> Vec<OrderId> {
            let those = requests.iter().zip(&outcomes);
            let those = those.filter(|(_, outcome)| delivery::sent(outcome) == wanted);
            those.map(|(request, _)| request.order_id).collect()
        };
        if !manners.idempotent_orders {
            store::unmark_sent(&*self.pool.get().await?, &with(Sent::Never)).await?;
        }
        mark_unresolved(&self.pool, &self.events, with(Sent::Unknown)).await?;
        let accounts = requests.iter().map(|request| request.account_id);
        self.heed(accounts.zip(&outcomes).filter_map(|(account, outcome)| Some((account, outcome.unsent()?))))
            .await
    }

    /// Leaves brokers alone that have turned messages away, and tells the owners of accounts whose keys do not open.
    async fn heed<'a>(
        &self,
        turned_away: impl Iterator<Item = (AccountId, &'a Unsent)>,
    ) -> Result<(), ApiError> {
        let mut locked = BTreeMap::new();
        for (account, unsent) in turned_away {
            self.pauses.heed(account, unsent);
            if let Unsent::AuthExpired { code, .. } = unsent {
                locked.insert(account, KeyState::of_word(code));
            }
        }
        for (account, state) in locked {
            if let Some(state) = state {
                keys::tell_of_waiting(&self.pool, &self.events, (self.exit.lane, account), state).await?;
            }
        }
        Ok(())
    }

    async fn ask_manners(&mut self) -> Result<Manners, AskError> {
        match self.manners {
            Some(manners) => Ok(manners),
            None => Ok(*self.manners.insert(self.connector.manners(self.exit.lane).await?)),
        }
    }

    /// Writes that orders are about to leave for a broker that must be sent to once, and leaves out those that may have
    /// left before.
    async fn mark(&self, requests: Vec<OrderRequest>) -> Result<Vec<OrderRequest>, ApiError> {
        let orders: Vec<OrderId> = requests.iter().map(|request| request.order_id).collect();
        let may_leave = store::mark_sent(&*self.pool.get().await?, &orders, clock::now()).await?;
        Ok(requests.into_iter().filter(|request| may_leave.contains(&request.order_id)).collect())
    }

    /// Sends orders and says of each what is known of it then.
    async fn send(&self, requests: &[OrderRequest]) -> Vec<PlaceOutcome> {
        if requests.is_empty() {
            return Vec::new();
        }
        let orders = requests.len();
        match self.connector.place(requests).await {
            Ok(outcomes) => outcomes,
            Err(SendError::NotSent(reason)) => {
                tracing::warn!(reason, orders, "orders wait for the broker connector");
                vec![Unsent::NotSent { reason }.into(); orders]
            }
            Err(SendError::OutcomeUnknown(reason)) => {
                tracing::warn!(reason, orders, "nobody knows whether the connector has these orders");
                vec![PlaceOutcome::OutcomeUnknown { reason }; orders]
            }
        }
    }

    /// Requests for other terms. A broker that must be sent to once is sent to once, as with orders: what may have arrived
    /// is found out by comparison.
    async fn deliver_replaces(&self, manners: Manners) -> Result<(), ApiError> {
        let again = manners.idempotent_orders;
        let (connection, broker) = (self.pool.get().await?, self.exit.lane.name());
        let paused = self.pauses.accounts();
        let mut waiting = store::replaces_to_dispatch(
            &connection,
            (broker, &paused),
            self.gate.halts(),
            again,
            SCAN_ROWS_MAX,
        )
        .await?;
        drop(connection);
        // A halt may have come while the table was asked.
        waiting.retain(|(account, _)| self.gate.halt_of(*account).is_none());
        let (accounts, requests): (Vec<AccountId>, Vec<ReplaceRequest>) = waiting.into_iter().unzip();
        for (accounts, requests) in accounts.chunks(BATCH_MAX).zip(requests.chunks(BATCH_MAX)) {
            if !again {
                store::mark_replaces(&*self.pool.get().await?, requests, clock::now()).await?;
            }
            let outcomes = match self.connector.replace(requests).await {
                Ok(outcomes) => outcomes,
                Err(SendError::NotSent(reason)) => {
                    tracing::warn!(reason, "replaces wait for the broker connector");
                    vec![Unsent::NotSent { reason }.into(); requests.len()]
                }
                Err(SendError::OutcomeUnknown(reason)) => {
                    vec![ReplaceOutcome::OutcomeUnknown { reason }; requests.len()]
                }
            };
            failpoint::pass(Failpoint::ReplaceSent);
            let turned_away = accounts.iter().zip(&outcomes);
            self.heed(turned_away.filter_map(|(account, outcome)| Some((*account, outcome.unsent()?))))
                .await?;
            let (unsent, answered): (Vec<_>, Vec<_>) =
                requests.iter().zip(outcomes).partition(|(_, outcome)| outcome.unsent().is_some());
            let mut connection = self.pool.get().await?;
            if !again && !unsent.is_empty() {
                let unsent: Vec<_> = unsent.into_iter().map(|(request, _)| request.clone()).collect();
                store::unmark_replaces(&connection, &unsent, clock::now()).await?;
            }
            let results: Vec<ReplaceResult> = answered.into_iter().filter_map(read_replace).collect();
            if results.is_empty() {
                continue;
            }
            connection.transaction(async |connection| settle_replaces(connection, results).await).await?;
            self.events.wake();
        }
        Ok(())
    }

    async fn deliver_cancels(&self) -> Result<(), ApiError> {
        let (connection, broker) = (self.pool.get().await?, self.exit.lane.name());
        let paused = self.pauses.accounts();
        let requests =
            store::cancels_to_dispatch(&connection, (broker, &paused), CANCEL_AGAIN_AFTER, SCAN_ROWS_MAX)
                .await?;
        drop(connection);
        for requests in requests.chunks(BATCH_MAX) {
            let orders: Vec<OrderId> = requests.iter().map(|request| request.order_id).collect();
            let outcomes = match self.connector.cancel(&orders).await {
                Ok(outcomes) => {
                    let turned_away = requests.iter().zip(&outcomes);
                    let turned_away = turned_away
                        .filter_map(|(request, outcome)| Some((request.account_id, outcome.unsent()?)));
                    self.heed(turned_away).await?;
                    requests.iter().copied().zip(outcomes).filter_map(read_cancel).collect()
                }
                Err(SendError::NotSent(reason)) => {
                    tracing::warn!(reason, "cancels wait for the broker connector");
                    return Ok(());
                }
                Err(SendError::OutcomeUnknown(reason)) => {
                    let unresolved =
                        |request: &CancelRequest| (*request, RequestStatus::Unresolved, Some(reason.clone()));
                    requests.iter().map(unresolved).collect::<Vec<_>>()
                }
            };
            failpoint::pass(Failpoint::CancelSent);
            let mut connection = self.pool.get().await?;
            connection.transaction(async |connection| settle_cancels(connection, outcomes).await).await?;
            self.events.wake();
        }
        Ok(())
    }
}

/// What a replace's outcome means for its request; nothing when it is simply to be sent again.
fn read_replace((request, outcome): (&ReplaceRequest, ReplaceOutcome)) -> Option<ReplaceResult> {
    let (status, reason) = match outcome {
        ReplaceOutcome::Accepted => (RequestStatus::Accepted, None),
        ReplaceOutcome::Rejected { code, message } => {
            (RequestStatus::Rejected, Some(format!("{code}: {message}")))
        }
        ReplaceOutcome::OutcomeUnknown { reason } => (RequestStatus::Unresolved, Some(reason)),
        ReplaceOutcome::Unsent(_) => return None,
    };
    Some((request.replace_id, request.order_id, status, reason))
}

/// What a cancel's outcome means for its request; nothing when it is simply to be sent again.
fn read_cancel((request, outcome): (CancelRequest, CancelOutcome)) -> Option<CancelResult> {
    match outcome {
        CancelOutcome::Accepted => Some((request, RequestStatus::Accepted, None)),
        CancelOutcome::Rejected { code, message } if code == ALREADY_FINAL => {
            Some((request, RequestStatus::Unresolved, Some(message)))
        }
        CancelOutcome::Rejected { code, message } => {
            Some((request, RequestStatus::Rejected, Some(format!("{code}: {message}"))))
        }
        CancelOutcome::OutcomeUnknown { reason } => Some((request, RequestStatus::Unresolved, Some(reason))),
        CancelOutcome::Unsent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_cancel_of_what_has_ended_waits_for_the_journal_to_say_how() {
        let (order_id, account_id) = (OrderId::generate(), AccountId::generate());
        let request = CancelRequest { id: Uuid::now_v7(), order_id, account_id };
        let status = |code: &str| {
            let outcome = CancelOutcome::Rejected { code: code.to_owned(), message: "no".to_owned() };
            read_cancel((request, outcome)).map(|(_, status, _)| status)
        };
        assert_eq!(status(ALREADY_FINAL), Some(RequestStatus::Unresolved));
        assert_eq!(status("market_closed"), Some(RequestStatus::Rejected));
    }
}
