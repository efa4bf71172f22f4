//! Applies the brokers' journal to orders and books: every line once, in order.
//!
//! The lines of a batch, the orders, the ledger, the positions, the events and the cursor share one transaction, so
//! whatever is killed when, a line is either applied with all it moves or not at all. A line that can never be applied
//! is passed over with an incident, so that it does not hold up the others.

use super::batch::Batch;
use super::dispatcher::DispatchQueue;
use super::gate::Gate;
use super::group::GroupLook;
use super::incident::{Incident, NewIncident};
use super::pace::{Pace, Rest};
use super::reconcile::Reconciler;
use super::store::{self, JournalLine};
use super::undo;
use crate::account::{BalanceChange, BalanceMemory};
use crate::clock;
use crate::db::{self, answers_in_order};
use crate::error::{ApiError, ErrorCode};
use crate::events::{self, EventHub};
use crate::market::Market;
use actix_web::web;
use diesel_async::AsyncPgConnection;
use domain::AccountId;
use failpoint::Failpoint;
use futures_util::future::OptionFuture;
use futures_util::{FutureExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Short, because what was delivered together is reported together.
const REST: Rest = Rest { per_item: Duration::from_micros(500), max: Duration::from_millis(5) };
/// Lines of one transaction.
const BATCH_MAX: usize = 256;
/// How long a line can lie unseen when its notification was lost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Pause before a lost connection is opened again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// How often a line is tried by itself before it is passed over.
const LINE_TRIES_MAX: u32 = 3;
/// Pause before lines that failed are tried again.
const LINE_TRY_PAUSE: Duration = Duration::from_millis(100);

/// The applier.
pub(super) struct Applier {
    pub(super) database_url: SecretString,
    pub(super) events: Arc<EventHub>,
    pub(super) memory: BalanceMemory,
    pub(super) dispatch: DispatchQueue,
    pub(super) groups: GroupLook,
    pub(super) gate: Gate,
    /// Who asks the broker about orders that are not known here.
    pub(super) reconciler: Reconciler,
    /// Tells which day's price an execution had.
    pub(super) market: web::Data<Market>,
}

impl Applier {
    /// Applies everything that is in the journal now.
    ///
    /// # Errors
    /// The database's; what was applied before stays applied.
    pub(super) async fn catch_up(&self) -> anyhow::Result<()> {
        let mut connection = Connection::open(&self.database_url).await?;
        self.apply_all(&mut connection).await.map(drop)
    }

    /// Applies what comes, as soon as it comes, until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.follow() => {
                    if let Err(error) = outcome {
                        tracing::warn!(%error, "the brokers' journal cannot be followed; trying again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECONNECT_PAUSE) => {}
            }
        }
    }

    /// Listens for the connector's notifications; a look every second covers those that were lost.
    async fn follow(&self) -> anyhow::Result<()> {
        let mut listener = db::connect(self.database_url.expose_secret()).await?;
        store::listen(&listener).await?;
        let notifications = listener.notifications_stream();
        tokio::pin!(notifications);
        let mut connection = Connection::open(&self.database_url).await?;
        let mut pace = Pace::new(REST);
        loop {
            pace.wait().await;
            // What was notified until now is seen by the look that follows.
            while let Some(Some(Ok(_))) = notifications.next().now_or_never() {}
            pace.rest_after(self.apply_all(&mut connection).await?);
            let notified = tokio::time::timeout(POLL_INTERVAL, notifications.next()).await;
            match notified {
                // Nothing came in time, which is a reason to look as well.
                Err(_) | Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(error.into()),
                Ok(None) => anyhow::bail!("the notifications have ended"),
            }
        }
    }

    /// A line that cannot be applied although the database answers must not hold up those behind it: the lines are tried
    /// one at a time until it is found, and after a few tries it is passed over. Returns how many lines were applied.
    async fn apply_all(&self, connection: &mut Connection) -> anyhow::Result<usize> {
        let (mut lines_max, mut failures, mut lines) = (BATCH_MAX, 0, 0);
        loop {
            // A panic would end this task, and with it everything that was ever to be applied.
            let applying = AssertUnwindSafe(connection.apply_next(lines_max, &self.gate, &self.market))
                .catch_unwind()
                .await;
            let applied =
                applying.unwrap_or_else(|_| Err(ApiError::internal("a line of the journal panicked")));
            match applied {
                Ok(applied) => {
                    failures = 0;
                    lines += applied.lines;
                    if applied.lines > 0 {
                        failpoint::pass(Failpoint::ApplierCommitted);
                        self.events.wake();
                    }
                    self.memory.note(&applied.balance_changes);
                    if applied.groups_moved {
                        self.groups.look();
                    }
                    if applied.requests_wait {
                        self.dispatch.look();
                    }
                    self.reconciler.ask_for(applied.accounts_with_orphans);
                    // That was all; what arrives from here on is notified.
                    if applied.is_all {
                        return Ok(lines);
                    }
                }
                Err(error) if error.code() != ErrorCode::Internal => return Err(error.into()),
                Err(_) => {
                    *connection = Connection::open(&self.database_url).await?;
                    failures += u32::from(lines_max == 1);
                    lines_max = 1;
                    if failures == LINE_TRIES_MAX {
                        connection.pass_over_next_line().await?;
                        (lines_max, failures) = (BATCH_MAX, 0);
                    } else {
                        tokio::time::sleep(LINE_TRY_PAUSE).await;
                    }
                }
            }
        }
    }
}

/// What a transaction has applied.
#[derive(Default)]
struct Applied {
    lines: usize,
    /// Whether an order of a group has changed.
    groups_moved: bool,
    /// How it has changed balances.
    balance_changes: Vec<BalanceChange>,
    /// Whether nothing was left.
    is_all: bool,
    /// Accounts whose broker reports about what is not known here.
    accounts_with_orphans: BTreeSet<AccountId>,
    /// Whether an order that somebody wants cancelled or changed has just reached the broker.
    requests_wait: bool,
}

/// A connection of the applier's own. Dropped after any error, which ends its transaction.
struct Connection {
    connection: AsyncPgConnection,
}

impl Connection {
    async fn open(url: &SecretString) -> anyhow::Result<Self> {
        let connection = db::connect_for_lookups(url.expose_secret()).await?;
        // The journal is durable, and the cursor is lost together with what was applied: after a crash of the
        // database the same lines are applied again. Events wait for the disk before they are told.
        db::commit_without_waiting(&connection).await?;
        Ok(Self { connection })
    }

    async fn apply_next(&self, lines_max: usize, gate: &Gate, market: &Market) -> Result<Applied, ApiError> {
        let connection = &self.connection;
        let (begin, cursor) = (db::begin(connection), store::lock_cursor(connection));
        let ((), _, lines) =
            answers_in_order!(a = begin, b = cursor, c = store::read_journal(connection, lines_max));
        let read = lines.len();
        let lines = together(&lines);
        let Some(last) = lines.last().map(|line| line.id) else {
            db::rollback(connection).await?;
            return Ok(Applied { is_all: true, ..Applied::default() });
        };
        let mut batch = apply_lines(connection, lines).await?;
        batch.date_executions(|symbol| market.last_quote(symbol));
        let applied = Applied {
            lines: lines.len(),
            is_all: read < lines_max && lines.len() == read,
            accounts_with_orphans: batch.accounts_with_orphans(),
            requests_wait: batch.requests_wait(),
            groups_moved: batch.groups_moved(),
            balance_changes: Vec::new(),
        };
        let halts = batch.halts();
        // Held until the commit, so that nobody who lifts a halt finds one of the two that belong together.
        let _turn = OptionFuture::from((!halts.is_empty()).then(|| gate.turn())).await;
        for (account, reason) in halts {
            gate.halt(account, reason);
        }
        let balance_changes = batch.save(connection, Some(last)).await?;
        failpoint::pass(Failpoint::ApplierWritten);
        db::commit(connection).await?;
        Ok(Applied { balance_changes, ..applied })
    }

    /// Moves the cursor over a line that cannot be applied and leaves an incident, so that a person books it by hand.
    async fn pass_over_next_line(&self) -> Result<(), ApiError> {
        let connection = &self.connection;
        db::begin(connection).await?;
        store::lock_cursor(connection).await?;
        if let Some((report, account, order)) = store::next_line(connection).await? {
            tracing::error!(%order, report, "a report cannot be applied; a person must look at this");
            let detail = "the report could not be applied and was passed over; the log says why".to_owned();
            let incident = Incident::new("unappliable_report", detail);
            let owner = store::lock_orders(connection, std::iter::once(order)).await.unwrap_or_default();
            let owner = owner.first().map(|order| order.user_id);
            let incident = NewIncident::new(owner, account, incident, clock::now());
            let incident = incident.about(order).with_report(report);
            let told = incident.event().transpose().map_err(ApiError::internal)?;
            store::insert_incidents(connection, &[incident]).await?;
            store::advance_cursor(connection, report).await?;
            events::append(connection, told.into_iter().collect()).await?;
        }
        Ok(db::commit(connection).await?)
    }
}

/// The first of these lines that can be applied as one batch: a line that takes an execution back stands alone, because it
/// needs what those before it have written.
fn together(lines: &[JournalLine]) -> &[JournalLine] {
    let alone = lines.iter().position(undo::is_undo);
    let count = alone.map_or(lines.len(), |place| place.max(1));
    lines.get(..count).unwrap_or(lines)
}

/// Applies lines in the caller's transaction; the caller saves the batch.
pub(super) async fn apply_lines(
    connection: &AsyncPgConnection,
    lines: &[JournalLine],
) -> Result<Batch, ApiError> {
    if let [line] = lines
        && undo::is_undo(line)
    {
        return undo::apply(connection, line).await;
    }
    let mut batch = Batch::load(connection, lines).await?;
    for line in lines {
        batch.apply(line)?;
    }
    Ok(batch)
}
