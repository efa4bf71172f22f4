//! The one task that owns the books.
//!
//! It takes whatever waits (commands, quotes, expiries) as one batch, computes the outcome on the books, writes it
//! in one transaction, and only then answers. When a write fails the books are thrown away and rebuilt from
//! Postgres, so memory never says more than the database.

use super::config::{
    COMMANDS_WAITING_MAX, HEARTBEAT, ORDERS_PER_TRANSACTION_MAX, SCHEMA_WAIT_MAX, TAKE_OVER_PAUSE_FIRST,
    TAKE_OVER_PAUSE_MAX,
};
use super::quotes::Quotes;
use super::store::{Session, TakeOver, WriteError};
use super::venue::{Account, Batch, Venue};
use crate::broker::BrokerError;
use anyhow::{Context, bail};
use chrono::{DateTime, SubsecRound, Utc};
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, Unsent};
use domain::{AccountId, Currency, OrderId, Quote, ReplaceId};
use exchange::Simulation;
use failpoint::Failpoint;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Digits of a second that Postgres keeps.
const DATABASE_SUBSECOND_DIGITS: u16 = 6;
/// What callers hear while nobody serves them.
const NOT_RUNNING: &str = "the simulator is not running";

/// Something to do, with the way to answer.
pub(super) enum Command {
    /// Takes orders.
    Place { orders: Vec<OrderRequest>, answer: oneshot::Sender<Vec<PlaceOutcome>> },
    /// Takes orders back.
    Cancel { orders: Vec<OrderId>, answer: oneshot::Sender<Vec<CancelOutcome>> },
    /// Gives orders other terms.
    Replace { requests: Vec<ReplaceRequest>, answer: oneshot::Sender<Vec<ReplaceOutcome>> },
    /// Opens an account.
    Connect { account_id: AccountId, currency: Currency, answer: oneshot::Sender<Result<(), BrokerError>> },
    /// Sets what stands between an account's orders and their executions.
    Simulate {
        account_id: AccountId,
        simulation: Simulation,
        answer: oneshot::Sender<Result<(), BrokerError>>,
    },
}

impl Command {
    /// Says that it provably was not done.
    fn refuse(self, reason: &str) {
        match self {
            Self::Place { orders, answer } => {
                let outcome = PlaceOutcome::from(Unsent::never_left(reason));
                let _ = answer.send(vec![outcome; orders.len()]);
            }
            Self::Cancel { orders, answer } => {
                let outcome = CancelOutcome::from(Unsent::never_left(reason));
                let _ = answer.send(vec![outcome; orders.len()]);
            }
            Self::Replace { requests, answer } => {
                let outcome = ReplaceOutcome::from(Unsent::never_left(reason));
                let _ = answer.send(vec![outcome; requests.len()]);
            }
            Self::Connect { answer, .. } | Self::Simulate { answer, .. } => {
                let _ = answer.send(Err(BrokerError::Unavailable(reason.to_owned())));
            }
        }
    }

    fn orders(&self) -> usize {
        match self {
            Self::Place { orders, .. } => orders.len(),
            Self::Cancel { orders, .. } => orders.len(),
            Self::Replace { requests, .. } => requests.len(),
            Self::Connect { .. } | Self::Simulate { .. } => 1,
        }
    }

    fn ids(&self) -> Vec<OrderId> {
        match self {
            Self::Place { orders, .. } => orders.iter().map(|order| order.order_id).collect(),
            Self::Cancel { orders, .. } => orders.clone(),
            Self::Replace { requests, .. } => requests.iter().map(|request| request.order_id).collect(),
            Self::Connect { .. } | Self::Simulate { .. } => Vec::new(),
        }
    }

    const fn places(&self) -> bool {
        matches!(self, Self::Place { .. })
    }

    fn replaces(&self) -> Vec<ReplaceId> {
        match self {
            Self::Replace { requests, .. } => requests.iter().map(|request| request.replace_id).collect(),
            Self::Place { .. } | Self::Cancel { .. } | Self::Connect { .. } | Self::Simulate { .. } => {
                Vec::new()
            }
        }
    }
}

/// An answer that waits until what it says is durable.
enum Answer {
    Place(oneshot::Sender<Vec<PlaceOutcome>>, Vec<PlaceOutcome>),
    Cancel(oneshot::Sender<Vec<CancelOutcome>>, Vec<CancelOutcome>),
    Replace(oneshot::Sender<Vec<ReplaceOutcome>>, Vec<ReplaceOutcome>),
}

impl Answer {
    fn give(self) {
        // A caller that has gone asks again: the order is in the database.
        match self {
            Self::Place(answer, outcomes) => drop(answer.send(outcomes)),
            Self::Cancel(answer, outcomes) => drop(answer.send(outcomes)),
            Self::Replace(answer, outcomes) => drop(answer.send(outcomes)),
        }
    }

    /// Tells every order of the caller that the write failed.
    fn give_failure(self, error: &WriteError) {
        match (self, error) {
            (Self::Place(answer, outcomes), WriteError::NothingWritten(_)) => {
                let outcome = PlaceOutcome::from(Unsent::never_left("the transaction failed"));
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
            (Self::Place(answer, outcomes), WriteError::Unknown(_)) => {
                let outcome = PlaceOutcome::OutcomeUnknown { reason: "the database did not answer".into() };
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
            (Self::Cancel(answer, outcomes), WriteError::NothingWritten(_)) => {
                let outcome = CancelOutcome::from(Unsent::never_left("the transaction failed"));
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
            (Self::Cancel(answer, outcomes), WriteError::Unknown(_)) => {
                let outcome = CancelOutcome::OutcomeUnknown { reason: "the database did not answer".into() };
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
            (Self::Replace(answer, outcomes), WriteError::NothingWritten(_)) => {
                let outcome = ReplaceOutcome::from(Unsent::never_left("the transaction failed"));
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
            (Self::Replace(answer, outcomes), WriteError::Unknown(_)) => {
                let outcome = ReplaceOutcome::OutcomeUnknown { reason: "the database did not answer".into() };
                drop(answer.send(vec![outcome; outcomes.len()]));
            }
        }
    }
}

/// The way to the engine.
#[derive(Clone)]
pub(super) struct Handle {
    commands: mpsc::Sender<Command>,
    running: Arc<AtomicBool>,
}

impl Handle {
    /// Whether commands are being served.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Hands a command over, or refuses it at once.
    pub(super) fn send(&self, command: Command) {
        if !self.is_running() {
            return command.refuse(NOT_RUNNING);
        }
        match self.commands.try_send(command) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(command)) => command.refuse("the simulator is busy"),
            Err(mpsc::error::TrySendError::Closed(command)) => command.refuse(NOT_RUNNING),
        }
    }
}

/// The owner of the books.
pub(super) struct Engine {
    url: SecretString,
    commands: mpsc::Receiver<Command>,
    running: Arc<AtomicBool>,
    quotes: Arc<Quotes>,
    stop: CancellationToken,
}

/// Why serving ended.
enum End {
    Stopped,
    /// The connection is gone or untrusted: take over anew.
    Lost(String),
    /// The connection is good, the books are not.
    Stale(String),
}

impl Engine {
    pub(super) fn new(url: SecretString, quotes: Arc<Quotes>, stop: CancellationToken) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(COMMANDS_WAITING_MAX);
        let running = Arc::new(AtomicBool::new(false));
        let handle = Handle { commands: sender, running: Arc::clone(&running) };
        (Self { url, commands, running, quotes, stop }, handle)
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the tables do not appear within [`SCHEMA_WAIT_MAX`].
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut kept: Option<Box<Session>> = None;
        let mut known_quotes = Vec::new();
        loop {
            let mut session = match kept.take() {
                Some(session) => session,
                None => match self.take_over().await? {
                    Some(session) => session,
                    None => break,
                },
            };
            let mut venue = match load(&mut session).await {
                Ok(venue) => venue,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the books could not be read");
                    self.refuse_for(TAKE_OVER_PAUSE_MAX).await;
                    continue;
                }
            };
            failpoint::pass(Failpoint::SimulatorTakenOver);
            self.quotes.follow(venue.symbols());
            self.running.store(true, Ordering::Release);
            tracing::info!(symbols = venue.symbols().len(), "the simulator is running");
            let end = self.serve(&mut session, &mut venue, std::mem::take(&mut known_quotes)).await;
            self.running.store(false, Ordering::Release);
            known_quotes = venue.quotes();
            match end {
                End::Stopped => break,
                End::Lost(cause) => tracing::error!(cause, "the database was lost; the books are read anew"),
                End::Stale(cause) => {
                    tracing::error!(cause, "a batch was not written; the books are read anew");
                    kept = Some(session);
                    // A write that fails over and over must not keep the machine busy.
                    self.refuse_for(TAKE_OVER_PAUSE_FIRST).await;
                }
            }
        }
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            command.refuse(NOT_RUNNING);
        }
        Ok(())
    }

    /// Answers callers that nothing was sent, for a while.
    async fn refuse_for(&mut self, pause: Duration) {
        let end = sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                () = self.stop.cancelled() => return,
                Some(command) = self.commands.recv() => command.refuse(NOT_RUNNING),
            }
        }
    }

    /// Tries until the books are ours; `None` when told to stop.
    async fn take_over(&mut self) -> anyhow::Result<Option<Box<Session>>> {
        let mut pause = TAKE_OVER_PAUSE_FIRST;
        let mut schema_missing_since: Option<Instant> = None;
        loop {
            let url = self.url.clone();
            let attempt = tokio::spawn(async move { Session::take_over(&url).await });
            tokio::pin!(attempt);
            let outcome = loop {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(None),
                    outcome = &mut attempt => break outcome.context("taking over failed")?,
                    Some(command) = self.commands.recv() => command.refuse(NOT_RUNNING),
                }
            };
            match outcome {
                Ok(TakeOver::Owner(session)) => return Ok(Some(session)),
                Ok(TakeOver::Owned) => tracing::info!("another process runs the simulator; waiting"),
                Ok(TakeOver::NoSchema) => {
                    let since = *schema_missing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > SCHEMA_WAIT_MAX {
                        bail!("the database has no broker tables; has the backend been started on it?");
                    }
                    tracing::info!("waiting for the backend to make the tables");
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the database cannot be reached"),
            }
            self.refuse_for(pause).await;
            pause = (pause * 2).min(TAKE_OVER_PAUSE_MAX);
        }
    }

    async fn serve(&mut self, session: &mut Session, venue: &mut Venue, known_quotes: Vec<Quote>) -> End {
        let mut clock = Clock::default();
        let mut quotes = known_quotes;
        let mut commands = Vec::new();
        let mut beat = Instant::now() + HEARTBEAT;
        loop {
            if let Err(end) = self.batch(session, venue, &mut commands, &quotes, clock.now()).await {
                return end;
            }
            let wake = next_wake(venue, clock.now(), beat);
            let command = tokio::select! {
                biased;
                () = self.stop.cancelled() => return End::Stopped,
                Some(command) = self.commands.recv() => Some(command),
                () = self.quotes.arrived() => None,
                () = sleep_until(wake) => None,
            };
            if Instant::now() >= beat {
                if !session.is_alive().await {
                    if let Some(command) = command {
                        command.refuse(NOT_RUNNING);
                    }
                    return End::Lost("the connection is gone".into());
                }
                venue.forget_idle_books(clock.now());
                self.quotes.follow(venue.symbols());
                beat = Instant::now() + HEARTBEAT;
            }
            let mut orders = 0;
            let mut next = command;
            while let Some(command) = next {
                orders += command.orders();
                commands.push(command);
                next = if orders < ORDERS_PER_TRANSACTION_MAX { self.commands.try_recv().ok() } else { None };
            }
            quotes = self.quotes.take();
        }
    }

    /// Does everything that waits, writes it, answers.
    async fn batch(
        &self,
        session: &mut Session,
        venue: &mut Venue,
        commands: &mut Vec<Command>,
        quotes: &[Quote],
        now: DateTime<Utc>,
    ) -> Result<(), End> {
        let commands = std::mem::take(commands);
        let mut batch = Batch::default();
        if let Err(error) = look_up(session, venue, &commands, &mut batch).await {
            commands.into_iter().for_each(|command| command.refuse("the database cannot be read"));
            return Err(End::Lost(format!("{error:#}")));
        }
        venue.expire(now, &mut batch);
        for quote in quotes {
            venue.quote(quote, now, &mut batch);
        }
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            match command {
                Command::Place { orders, answer } => {
                    let outcomes = orders.iter().map(|order| venue.place(order, now, &mut batch)).collect();
                    answers.push(Answer::Place(answer, outcomes));
                }
                Command::Cancel { orders, answer } => {
                    let outcomes = orders.iter().map(|id| venue.cancel(*id, now, &mut batch)).collect();
                    answers.push(Answer::Cancel(answer, outcomes));
                }
                Command::Replace { requests, answer } => {
                    let outcomes =
                        requests.iter().map(|request| venue.replace(request, now, &mut batch)).collect();
                    answers.push(Answer::Replace(answer, outcomes));
                }
                Command::Connect { account_id, currency, answer } => {
                    drop(answer.send(connect(session, venue, account_id, currency).await));
                }
                Command::Simulate { account_id, simulation, answer } => {
                    drop(answer.send(simulate(session, venue, account_id, simulation).await));
                }
            }
        }
        let changes = venue.finish(batch);
        if !changes.is_empty() {
            failpoint::pass(if answers.is_empty() {
                Failpoint::SimulatorExecuting
            } else {
                Failpoint::SimulatorDecided
            });
            if let Err(error) = session.append(&changes).await {
                answers.into_iter().for_each(|answer| answer.give_failure(&error));
                return Err(match error {
                    WriteError::NothingWritten(cause) => End::Stale(cause),
                    WriteError::Unknown(cause) => End::Lost(cause),
                });
            }
            failpoint::pass(if answers.is_empty() {
                Failpoint::SimulatorExecuted
            } else {
                Failpoint::SimulatorWritten
            });
            self.quotes.follow(venue.symbols());
        }
        answers.into_iter().for_each(Answer::give);
        Ok(())
    }
}

/// Reads the orders of earlier times that commands name.
async fn look_up(
    session: &mut Session,
    venue: &Venue,
    commands: &[Command],
    batch: &mut Batch,
) -> anyhow::Result<()> {
    // Of a working order the first terms are not in memory, and a repeated order is compared with them.
    let ids: BTreeSet<OrderId> = commands
        .iter()
        .flat_map(|command| command.ids().into_iter().map(move |id| (command.places(), id)))
        .filter(|(places, id)| *places || !venue.knows(*id))
        .map(|(_, id)| id)
        .collect();
    if !ids.is_empty() {
        let ids: Vec<OrderId> = ids.into_iter().collect();
        let records = session.orders(&ids).await?;
        batch.earlier = records.into_iter().map(|record| (record.request.order_id, record)).collect();
    }
    let replaces: Vec<ReplaceId> = commands.iter().flat_map(Command::replaces).collect();
    if !replaces.is_empty() {
        batch.answered = session.replaces(&replaces).await?;
    }
    Ok(())
}

async fn connect(
    session: &mut Session,
    venue: &mut Venue,
    account_id: AccountId,
    currency: Currency,
) -> Result<(), BrokerError> {
    // It trades in every currency: whichever its first order was in is only where it began.
    if venue.account(account_id).is_none() {
        let written = session.connect(account_id, currency).await;
        written.map_err(|error| BrokerError::Unavailable(format!("{error:#}")))?;
        venue.set_account(account_id, Account { currency, simulation: Simulation::default() });
    }
    Ok(())
}

/// Orders that are taken from here on; those that work keep what they were taken under.
async fn simulate(
    session: &mut Session,
    venue: &mut Venue,
    account_id: AccountId,
    simulation: Simulation,
) -> Result<(), BrokerError> {
    let unknown = || BrokerError::Conflict("the account is not connected to this broker".into());
    let account = venue.account(account_id).ok_or_else(unknown)?;
    let written = session.set_simulation(account_id, simulation).await;
    if !written.map_err(|error| BrokerError::Unavailable(format!("{error:#}")))? {
        return Err(unknown());
    }
    venue.set_account(account_id, Account { simulation, ..account });
    Ok(())
}

async fn load(session: &mut Session) -> anyhow::Result<Venue> {
    let accounts = session.accounts().await?;
    let mut venue = Venue::new(accounts, session.sequence_last().await?);
    let now = Utc::now().trunc_subsecs(DATABASE_SUBSECOND_DIGITS);
    session.working_orders(|record| venue.restore(&record, now)).await?;
    for (symbol, state) in session.markets().await? {
        venue.restore_market(symbol, &state, now);
    }
    Ok(venue)
}

/// When to look again although nothing came: at the next expiry or heartbeat.
fn next_wake(venue: &Venue, now: DateTime<Utc>, beat: Instant) -> Instant {
    let until_expiry = venue.next_expiry().map(|at| (at - now).to_std().unwrap_or_default());
    until_expiry.map_or(beat, |wait| beat.min(Instant::now() + wait.min(HEARTBEAT)))
}

/// Time that never runs backwards, in the digits that the database keeps.
#[derive(Default)]
struct Clock {
    last: DateTime<Utc>,
}

impl Clock {
    fn now(&mut self) -> DateTime<Utc> {
        self.last = self.last.max(Utc::now().trunc_subsecs(DATABASE_SUBSECOND_DIGITS));
        self.last
    }
}
