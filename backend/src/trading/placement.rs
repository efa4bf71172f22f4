//! The one writer of new orders.
//!
//! Requests that wait at the same time share one transaction and one flush to the disk: they are decided one after
//! another on the locked accounts, and each caller is answered only after the commit that holds its order. A refused
//! order costs its neighbours nothing; a transaction that fails is answered as "not placed, ask again" to all.

use super::decide::{Answer, Decisions, Locked, Wish, decide, owners};
use super::dispatcher::DispatchQueue;
use super::document::OrderDocument;
use super::order::Order;
use super::store;
use crate::account::{self, BalanceChange, CashBalance, Commodity, LockedBalances, balance_event};
use crate::clock;
use crate::db;
use crate::error::{ApiError, ErrorCode};
use crate::events::{self, EventHub, EventKind, NewEvent};
use crate::startup::Background;
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use domain::OrderStatus;
use futures_util::try_join;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::unconstrained;
use tokio_util::sync::CancellationToken;

/// Orders that may wait for their turn; beyond it callers are told to come back.
pub(super) const QUEUE_MAX: usize = 1024;
/// Orders of one transaction.
const BATCH_MAX: usize = 64;
/// How long a lost database connection is waited for before the callers are told.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);
/// When a caller should come back.
const RETRY_AFTER_SECONDS: u64 = 1;

/// A wish and who waits for its answer.
pub(super) struct Placement {
    pub(super) wish: Wish,
    pub(super) answer: oneshot::Sender<Result<Answer, ApiError>>,
}

/// The writer.
pub(super) struct PlacementWriter {
    pub(super) database_url: SecretString,
    pub(super) events: Arc<EventHub>,
    pub(super) dispatch: DispatchQueue,
    pub(super) queue: mpsc::Receiver<Placement>,
}

impl PlacementWriter {
    /// Runs on a thread of its own until told to stop: the writer and its connection wake each other up many times an
    /// order, which costs less when they need not wake another thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(self, background: &Background) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, running, background) =
            (background.stop.clone(), background.tasks.token(), background.clone());
        std::thread::Builder::new().name("placement".to_owned()).spawn(move || {
            runtime.block_on(background.watch(self.run(stop)));
            drop(running);
        })?;
        Ok(())
    }

    /// Places what waits until told to stop; what waits then is answered as not placed.
    async fn run(mut self, stop: CancellationToken) {
        // Its own connection: the pool's may all be waiting for the very accounts that are locked here.
        let mut connection: Option<Connection> = None;
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => 0,
                received = self.queue.recv_many(&mut batch, BATCH_MAX) => received,
            };
            if received == 0 {
                return;
            }
            if let Err(error) = self.place(&mut connection, &mut batch).await {
                // Dropping the connection ends its transaction. If only the answer to a commit was lost, the callers'
                // keys find the orders; a caller without a key has to look at the list.
                connection = None;
                tracing::error!(%error, "a batch of orders was not placed");
                for placement in batch.drain(..) {
                    let _ = placement.answer.send(Err(not_placed()));
                }
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        }
    }

    async fn place(
        &self,
        connection: &mut Option<Connection>,
        batch: &mut Vec<Placement>,
    ) -> anyhow::Result<()> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(Connection::open(&self.database_url).await?),
        };
        let wishes: Vec<Wish> = batch.iter().map(|placement| placement.wish.clone()).collect();
        let decisions = connection.commit(&wishes).await?;
        if !decisions.orders.is_empty() {
            self.events.wake();
        }
        let requests = decisions.orders.iter().filter_map(Order::request);
        self.dispatch.send(requests);
        for (placement, answer) in batch.drain(..).zip(decisions.answers) {
            // A caller that has gone away loses nothing: the order stands.
            let _ = placement.answer.send(Ok(answer));
        }
        Ok(())
    }
}

fn not_placed() -> ApiError {
    ApiError::new(
        ErrorCode::ServiceUnavailable,
        "the order was probably not placed; repeat the request with the same key to be sure",
    )
    .retry_after_seconds(RETRY_AFTER_SECONDS)
}

/// A connection of the writer's own.
struct Connection {
    connection: AsyncPgConnection,
    /// Statements are sent together without waiting for each other's answers, in the order of their writing. That
    /// order holds only when nothing has to be prepared first, so the first batch goes step by step.
    prepared: bool,
}

impl Connection {
    async fn open(url: &SecretString) -> anyhow::Result<Self> {
        Ok(Self { connection: db::connect_for_lookups(url.expose_secret()).await?, prepared: false })
    }

    async fn commit(&mut self, wishes: &[Wish]) -> anyhow::Result<Decisions> {
        let began = Instant::now();
        let locked = self.lock(wishes).await?;
        let locked_at = Instant::now();
        let now = clock::now();
        let (decisions, balances) = decide(wishes, locked, now);
        if decisions.orders.is_empty() {
            db::rollback(&self.connection).await?;
            return Ok(decisions);
        }
        let events = events_of(wishes, &decisions, &balances, now)?;
        self.write(&decisions, events).await?;
        tracing::debug!(
            orders = decisions.orders.len(),
            lock_micros = locked_at.duration_since(began).as_micros(),
            commit_micros = locked_at.elapsed().as_micros(),
            "orders placed"
        );
        Ok(decisions)
    }

    async fn lock(&self, wishes: &[Wish]) -> anyhow::Result<Locked> {
        let connection = &self.connection;
        let accounts: BTreeSet<_> = wishes.iter().map(|wish| wish.order.account_id).collect();
        let symbols: BTreeSet<_> = wishes.iter().map(|wish| wish.order.symbol).collect();
        let keys =
            wishes.iter().map(|wish| (wish.order.account_id, wish.client_order_id.to_string())).collect();
        let pairs = wishes.iter().map(|wish| (wish.order.account_id, wish.order.symbol)).collect();
        let begin = db::begin(connection);
        let balances = account::lock_balances(connection, &accounts, symbols.into_iter());
        let known = store::known_orders(connection, &keys, &pairs);
        let (balances, (existing, unresolved)) = if self.prepared {
            let ((), balances, known) = unconstrained(async { try_join!(begin, balances, known) }).await?;
            (balances, known)
        } else {
            begin.await?;
            (balances.await?, known.await?)
        };
        Ok(Locked { balances, existing, unresolved })
    }

    /// Writes and commits.
    ///
    /// Behind prepared statements the commit is sent without waiting for their answers: if one of them fails, the
    /// server takes the commit as a rollback, and the failure is what we return. This must never overtake a statement,
    /// hence the conditions: everything was prepared by an earlier batch, no statement waits for another's answer
    /// (holds of shares may have to make their balance first), and the runtime's budget interrupts nobody.
    async fn write(&mut self, decisions: &Decisions, events: Vec<NewEvent>) -> anyhow::Result<()> {
        let connection = &self.connection;
        let orders = store::insert_orders(connection, &decisions.orders, &decisions.entries);
        let holds = account::change_balances(connection, &decisions.holds);
        let events = events::append(connection, events);
        let of_cash = |hold: &BalanceChange| matches!(hold.commodity, Commodity::Cash(_));
        let together = !decisions.holds.is_empty() && decisions.holds.iter().all(of_cash);
        if self.prepared && together {
            unconstrained(async { try_join!(orders, holds, events, db::commit(connection)) }).await?;
        } else {
            orders.await?;
            holds.await?;
            events.await?;
            db::commit(connection).await?;
            self.prepared |= together;
        }
        Ok(())
    }
}

fn events_of(
    wishes: &[Wish],
    decisions: &Decisions,
    balances: &LockedBalances,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, serde_json::Error> {
    let mut events = Vec::with_capacity(2 * decisions.orders.len());
    let mut changed = BTreeSet::new();
    for order in &decisions.orders {
        events.push(NewEvent::new(order.user_id, EventKind::Order, &OrderDocument::from(order))?);
        if order.status == OrderStatus::PendingNew && order.holds_cash() {
            changed.insert(order.wish.account_id);
        }
    }
    for (account_id, (user, currency)) in owners(wishes, balances) {
        if changed.contains(&account_id) {
            let row = balances.balance(account_id, Commodity::Cash(currency));
            let cash = CashBalance { account_id, currency, total: row.total, held: row.held };
            events.push(balance_event(user, &cash, now)?);
        }
    }
    Ok(events)
}
