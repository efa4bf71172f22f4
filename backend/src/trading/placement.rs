//! The one writer of new orders.
//!
//! Requests that wait at the same time share one transaction and one flush to the disk: they are decided one after
//! another, on balances that are locked and checked by the statement that writes them, and each caller is answered only
//! after the commit that holds its order. A refused order costs its neighbours nothing; a transaction that fails is
//! answered as "not placed, ask again" to all. Where the connection to the database is lost, a batch is tried again for a
//! moment on a new one: by its keys, so that what was written although the answer never came is found and not written
//! twice.

use super::decide::{Answer, Decisions, Locked, Wish, decide, owners};
use super::dispatcher::DispatchQueue;
use super::document::OrderDocument;
use super::margin;
use super::order::Order;
use super::store::{self, PlacedBatch};
use crate::account::{self, BalanceMemory, LockedBalances, balance_event};
use crate::clock;
use crate::db;
use crate::error::{ApiError, ErrorCode};
use crate::events::{EventHub, EventKind, NewEvent};
use crate::market::Market;
use crate::startup::Background;
use actix_web::web;
use anyhow::Context;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use domain::{AccountId, OrderStatus, Side, Symbol};
use failpoint::Failpoint;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Orders that may wait for their turn; beyond it callers are told to come back.
pub(super) const QUEUE_MAX: usize = 1024;
/// Orders of one transaction.
const BATCH_MAX: usize = 64;
/// How long a lost database connection is waited for before the callers are told; less than they wait.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);
/// Between two attempts to open a connection.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// When a caller should come back.
const RETRY_AFTER_SECONDS: u64 = 1;

/// A wish and who waits for its answer.
pub(super) struct Placement {
    pub(super) wish: Wish,
    pub(super) answer: oneshot::Sender<Result<Answer, ApiError>>,
}

/// The writer.
pub struct PlacementWriter {
    pub(super) database_url: SecretString,
    pub(super) events: Arc<EventHub>,
    pub(super) memory: BalanceMemory,
    /// What shares are worth that accounts have bought on credit or sold short.
    pub(super) market: web::Data<Market>,
    pub(super) dispatch: DispatchQueue,
    pub(super) queue: mpsc::Receiver<Placement>,
}

impl PlacementWriter {
    /// Starts on the calling thread's runtime, where it runs until told to stop. That should be the thread that answers
    /// requests: waking another thread up twice costs an order more than deciding it.
    pub fn start_here(self, background: &Background) {
        let (stop, running, background) =
            (background.stop.clone(), background.tasks.token(), background.clone());
        actix_web::rt::spawn(async move {
            background.watch(self.run(stop)).await;
            drop(running);
        });
    }

    /// Places what waits until told to stop; what waits then is answered as not placed.
    async fn run(mut self, stop: CancellationToken) {
        // Its own connection: the pool's may all be waiting for the very accounts that are locked here.
        let mut connection: Option<Connection> = None;
        let mut batch = Vec::with_capacity(BATCH_MAX);
        // While the database is away only the first batch waits for it.
        let mut wait_max = RECONNECT_WAIT_MAX;
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => 0,
                received = self.queue.recv_many(&mut batch, BATCH_MAX) => received,
            };
            if received == 0 {
                return;
            }
            match self.place(&mut connection, &mut batch, wait_max).await {
                Ok(()) => wait_max = RECONNECT_WAIT_MAX,
                Err(error) => {
                    // Dropping the connection ends its transaction. If only the answer to a commit was lost, the
                    // callers' keys find the orders; a caller without a key has to look at the list.
                    wait_max = if connection.take().is_none() { Duration::ZERO } else { RECONNECT_WAIT_MAX };
                    tracing::error!(%error, "a batch of orders was not placed");
                    for placement in batch.drain(..) {
                        let _ = placement.answer.send(Err(not_placed()));
                    }
                    tokio::time::sleep(RECONNECT_PAUSE).await;
                }
            }
        }
    }

    async fn place(
        &self,
        connection: &mut Option<Connection>,
        batch: &mut Vec<Placement>,
        wait_max: Duration,
    ) -> anyhow::Result<()> {
        let wishes: Vec<Wish> = batch.iter().map(|placement| placement.wish.clone()).collect();
        let decisions = self.commit(connection, &wishes, wait_max).await?;
        failpoint::pass(Failpoint::PlacementCommitted);
        for (placement, answer) in batch.drain(..).zip(decisions.answers) {
            // A caller that has gone away loses nothing: the order stands.
            let _ = placement.answer.send(Ok(answer));
        }
        // The callers share this thread: they are answered before anybody else is woken up.
        tokio::task::yield_now().await;
        failpoint::pass(Failpoint::PlacementAnswered);
        if !decisions.orders.is_empty() {
            self.events.wake();
            self.dispatch.send(decisions.orders.iter().filter_map(Order::request));
        }
        Ok(())
    }

    /// Commits a batch, on a new connection where the old one is lost. A connection that closed while nothing was under
    /// way is known to have sent nothing. One that was lost in the middle leaves open what happened: the batch then goes
    /// the way that looks for each key first, and should the old statement still arrive behind it, the keys refuse it.
    async fn commit(
        &self,
        connection: &mut Option<Connection>,
        wishes: &[Wish],
        wait_max: Duration,
    ) -> anyhow::Result<Decisions> {
        let began = Instant::now();
        let mut in_doubt = false;
        loop {
            if connection.as_mut().is_some_and(Connection::is_lost) {
                *connection = None;
            }
            let attempt = self.attempt(connection, wishes, in_doubt).await;
            let is_lost = connection.as_mut().is_none_or(Connection::is_lost);
            match attempt {
                Err(error) if is_lost && began.elapsed() < wait_max => {
                    in_doubt = in_doubt || connection.take().is_some();
                    tracing::warn!(%error, "the database is lost; orders wait for it");
                    tokio::time::sleep(RECONNECT_PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn attempt(
        &self,
        connection: &mut Option<Connection>,
        wishes: &[Wish],
        in_doubt: bool,
    ) -> anyhow::Result<Decisions> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(Connection::open(&self.database_url).await?),
        };
        connection.commit(wishes, (&self.memory, self.market.get_ref()), in_doubt).await
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
}

impl Connection {
    async fn open(url: &SecretString) -> anyhow::Result<Self> {
        Ok(Self { connection: db::connect_for_lookups(url.expose_secret()).await? })
    }

    /// Whether nothing can be sent on it any more.
    fn is_lost(&mut self) -> bool {
        self.connection.is_broken()
    }

    /// Decides on what the balances are believed to be, and has that checked while it is written. Only when nothing is
    /// believed, or wrongly, or when the orders may be there already, the accounts are locked and read first.
    async fn commit(
        &self,
        wishes: &[Wish],
        (memory, market): (&BalanceMemory, &Market),
        in_doubt: bool,
    ) -> anyhow::Result<Decisions> {
        let began = Instant::now();
        let ahead = if in_doubt { None } else { self.commit_believed(wishes, memory).await? };
        let believed = ahead.is_some();
        let decisions = match ahead {
            Some(decisions) => decisions,
            None => self.commit_locked(wishes, (memory, market)).await?,
        };
        let (orders, micros) = (decisions.orders.len(), began.elapsed().as_micros());
        tracing::debug!(orders, believed, micros, "orders placed");
        memory.note(&decisions.holds);
        Ok(decisions)
    }

    /// A belief that was wrong is renewed once: an execution that was just applied is no reason to hold locks over
    /// several round trips, for which the next execution would wait.
    async fn commit_believed(
        &self,
        wishes: &[Wish],
        memory: &BalanceMemory,
    ) -> anyhow::Result<Option<Decisions>> {
        let mut ahead = self.commit_ahead(wishes, memory).await?;
        if matches!(ahead, Ahead::Disproved) {
            let accounts = wishes.iter().map(|wish| wish.order.account_id).collect();
            let symbols = wishes.iter().map(|wish| wish.order.symbol);
            let before = memory.mark();
            let seen = account::read_balances(&self.connection, &accounts, symbols).await?;
            memory.learn_unlocked(&seen, before);
            ahead = self.commit_ahead(wishes, memory).await?;
        }
        Ok(match ahead {
            Ahead::Written(decisions) => Some(decisions),
            Ahead::Disproved | Ahead::Undecided => None,
        })
    }

    async fn commit_ahead(&self, wishes: &[Wish], memory: &BalanceMemory) -> anyhow::Result<Ahead> {
        let Some(balances) = memory.recall(wishes.iter().flat_map(Wish::balances_needed)) else {
            return Ok(Ahead::Undecided);
        };
        if balances.with_margin().next().is_some() {
            // What credit depends on is more than the statement checks.
            return Ok(Ahead::Undecided);
        }
        let locked = Locked {
            balances,
            existing: HashMap::new(),
            unresolved: HashSet::new(),
            margins: HashMap::new(),
        };
        let pairs = wishes.iter().map(|wish| (wish.order.account_id, wish.order.symbol)).collect();
        let decided = Decided::new(wishes, locked)?;
        if decided.decisions.answers.iter().any(|answer| matches!(answer, Answer::NoOrder(_))) {
            // It may have been an order under its key before: only a look at the table tells.
            return Ok(Ahead::Undecided);
        }
        match decided.write(&self.connection, &pairs).await {
            Ok(written) => Ok(written.map_or(Ahead::Disproved, Ahead::Written)),
            // An order exists already under one of the keys.
            Err(error) if db::is_duplicate(&error) => Ok(Ahead::Undecided),
            Err(error) => Err(error.into()),
        }
    }

    async fn commit_locked(
        &self,
        wishes: &[Wish],
        (memory, market): (&BalanceMemory, &Market),
    ) -> anyhow::Result<Decisions> {
        let connection = &self.connection;
        db::begin(connection).await?;
        let locked = self.lock(wishes, market).await?;
        memory.learn(&locked.balances);
        let decided = Decided::new(wishes, locked)?;
        let decisions = decided.write(connection, &HashSet::new()).await?;
        let decisions = decisions.context("locked balances have changed")?;
        failpoint::pass(Failpoint::PlacementWritten);
        db::commit(connection).await?;
        Ok(decisions)
    }

    async fn lock(&self, wishes: &[Wish], market: &Market) -> anyhow::Result<Locked> {
        let connection = &self.connection;
        let accounts = wishes.iter().map(|wish| wish.order.account_id).collect();
        let symbols: BTreeSet<_> = wishes.iter().map(|wish| wish.order.symbol).collect();
        let keys =
            wishes.iter().map(|wish| (wish.order.account_id, wish.client_order_id.to_string())).collect();
        let pairs = wishes.iter().map(|wish| (wish.order.account_id, wish.order.symbol)).collect();
        let mut balances = account::lock_balances(connection, &accounts, symbols.into_iter()).await?;
        let margins = margin::load(connection, &balances, market).await?;
        let selling = wishes.iter().filter(|wish| wish.order.side == Side::Sell);
        let selling = selling.map(|wish| (wish.order.account_id, wish.order.symbol));
        margin::make_room(connection, &mut balances, selling).await?;
        let (existing, unresolved) = store::known_orders(connection, &keys, &pairs).await?;
        Ok(Locked { balances, existing, unresolved, margins })
    }
}

/// What came of deciding on what is remembered.
enum Ahead {
    Written(Decisions),
    /// Nothing is written: the balances are others, or an order's fate is unknown.
    Disproved,
    /// Nothing is written: only a look under locks tells.
    Undecided,
}

/// A batch that was decided but is not written yet.
struct Decided {
    /// The balances it was decided on.
    believed: LockedBalances,
    decisions: Decisions,
    events: Vec<NewEvent>,
}

impl Decided {
    fn new(wishes: &[Wish], locked: Locked) -> Result<Self, serde_json::Error> {
        let (believed, now) = (locked.balances.clone(), clock::now());
        let (decisions, balances) = decide(wishes, locked, now);
        let events = events_of(wishes, &decisions, &balances, now)?;
        Ok(Self { believed, decisions, events })
    }

    /// Writes it, unless the balances are others by now or an order's fate is unknown in one of the pairs.
    async fn write(
        self,
        connection: &AsyncPgConnection,
        pairs: &HashSet<(AccountId, Symbol)>,
    ) -> QueryResult<Option<Decisions>> {
        let Self { believed, decisions, events } = self;
        let Decisions { orders, holds, .. } = &decisions;
        if orders.is_empty() {
            return Ok(Some(decisions));
        }
        let batch = PlacedBatch { believed: &believed, pairs, orders, holds, events };
        failpoint::pass(Failpoint::PlacementDecided);
        Ok(store::place_orders(connection, batch).await?.then_some(decisions))
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
            changed.insert((order.wish.account_id, order.currency()));
        }
    }
    let owners = owners(wishes, balances);
    for (account_id, currency) in changed {
        if let Some(user) = owners.get(&account_id) {
            let cash = balances.cash(account_id, currency);
            events.push(balance_event(*user, &cash, now)?);
        }
    }
    Ok(events)
}
