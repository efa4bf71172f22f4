//! Applies the brokers' journal to orders and books: every line once, in order.
//!
//! The lines of a batch, the orders, the ledger, the positions, the events and the cursor share one transaction, so
//! whatever is killed when, a line is either applied with all it moves or not at all.

use super::apply::{Effects, Execution, Incident, apply};
use super::dispatcher::DispatchQueue;
use super::document::OrderDocument;
use super::order::{Order, OrderLogEntry};
use super::store::{self, ExecutionRow, JournalLine};
use crate::account::{
    self, BalanceChange, CashBalance, Commodity, Fill, Journal, LockedBalances, balance_event,
};
use crate::clock;
use crate::db::{self, Pool};
use crate::error::ApiError;
use crate::events::{self, EventHub, EventKind, NewEvent};
use crate::portfolio::{self, PositionFill, PositionKey, PositionState};
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::broker::ReportKind;
use domain::{AccountId, Currency, DecimalText, OrderId, OrderStatus, Price, Quantity, Side, Symbol};
use exchange::{settle_date, trade_date};
use futures_util::StreamExt;
use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Lines of one transaction.
const BATCH_MAX: i64 = 256;
/// How long a line can lie unseen when its notification was lost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Pause before a lost connection is opened again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// An execution as it is told to browsers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionEvent {
    account_id: AccountId,
    order_id: OrderId,
    execution_id: String,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    price: Price,
    commission: DecimalText,
    tax: DecimalText,
    currency: Currency,
    occurred_at: DateTime<Utc>,
}

/// A position as it is told to browsers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PositionEvent {
    account_id: AccountId,
    symbol: Symbol,
    quantity: DecimalText,
}

/// The applier.
pub(super) struct Applier {
    pub(super) pool: Pool,
    pub(super) database_url: SecretString,
    pub(super) events: Arc<EventHub>,
    pub(super) dispatch: DispatchQueue,
}

impl Applier {
    /// Applies everything that is in the journal now.
    ///
    /// # Errors
    /// The database's; what was applied before stays applied.
    pub(super) async fn catch_up(&self) -> Result<(), ApiError> {
        let mut connection = self.pool.get().await?;
        loop {
            let applied = connection.transaction(async |connection| apply_batch(connection).await).await?;
            if applied.lines == 0 {
                return Ok(());
            }
            self.events.wake();
            if applied.cancels_wait {
                self.dispatch.look();
            }
        }
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
        loop {
            self.catch_up().await?;
            let notified = tokio::time::timeout(POLL_INTERVAL, notifications.next()).await;
            match notified {
                // Nothing came in time, which is a reason to look as well.
                Err(_) | Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(error.into()),
                Ok(None) => anyhow::bail!("the notifications have ended"),
            }
        }
    }
}

/// How much a transaction has applied.
struct Applied {
    lines: usize,
    /// Whether an order that somebody wants cancelled has just reached the broker.
    cancels_wait: bool,
}

async fn apply_batch(connection: &mut AsyncPgConnection) -> Result<Applied, ApiError> {
    let connection: &AsyncPgConnection = connection;
    let cursor = store::lock_cursor(connection).await?;
    let lines = store::read_journal(connection, cursor, BATCH_MAX).await?;
    let Some(last) = lines.last().map(|line| line.id) else {
        return Ok(Applied { lines: 0, cancels_wait: false });
    };
    let mut batch = Batch::load(connection, &lines).await?;
    for line in &lines {
        batch.apply(line)?;
    }
    let cancels_wait = batch.orders.values().any(|(order, changed)| {
        *changed && order.cancel_requested_at.is_some() && !order.status.is_terminal()
    });
    batch.save(connection).await?;
    store::advance_cursor(connection, last).await?;
    Ok(Applied { lines: lines.len(), cancels_wait })
}

/// Everything that a batch of lines reads and changes.
struct Batch {
    now: DateTime<Utc>,
    balances: LockedBalances,
    /// Each with whether it has changed.
    orders: BTreeMap<OrderId, (Order, bool)>,
    positions: BTreeMap<PositionKey, PositionState>,
    known_executions: HashSet<(AccountId, String)>,
    entries: Vec<OrderLogEntry>,
    journals: Vec<Journal>,
    executions: Vec<ExecutionRow>,
    execution_events: Vec<NewEvent>,
    holds: Vec<BalanceChange>,
    incidents: Vec<(OrderId, Option<i64>, Incident)>,
    accounts_changed: BTreeSet<AccountId>,
    positions_changed: BTreeSet<PositionKey>,
}

impl Batch {
    /// Locks in the house's order: accounts, then orders, then positions.
    async fn load(connection: &AsyncPgConnection, lines: &[JournalLine]) -> Result<Self, ApiError> {
        let fills: Vec<&JournalLine> =
            lines.iter().filter(|line| matches!(line.report, Ok(ReportKind::Fill { .. }))).collect();
        let accounts: BTreeSet<AccountId> = lines.iter().map(|line| line.account_id).collect();
        // The orders' symbols are needed to lock the accounts' shares, and never change.
        let symbols = store::symbols_of(connection, lines.iter().map(|line| line.order_id)).await?;
        let balances =
            account::lock_balances(connection, &accounts, symbols.values().map(|(_, symbol)| *symbol))
                .await?;
        let orders = store::lock_orders(connection, lines.iter().map(|line| line.order_id)).await?;
        let positions = portfolio::lock_positions(
            connection,
            symbols.values().copied().collect::<BTreeSet<_>>().into_iter(),
        )
        .await?;
        let asked = fills.iter().filter_map(|line| match &line.report {
            Ok(ReportKind::Fill { execution_id, .. }) => Some((line.account_id, execution_id.clone())),
            _ => None,
        });
        let known_executions = store::known_executions(connection, asked.collect()).await?;
        Ok(Self {
            now: clock::now(),
            balances,
            orders: orders.into_iter().map(|order| (order.id, (order, false))).collect(),
            positions,
            known_executions,
            entries: Vec::new(),
            journals: Vec::new(),
            executions: Vec::new(),
            execution_events: Vec::new(),
            holds: Vec::new(),
            incidents: Vec::new(),
            accounts_changed: BTreeSet::new(),
            positions_changed: BTreeSet::new(),
        })
    }

    fn incident(&mut self, line: &JournalLine, kind: &'static str, detail: String) {
        tracing::error!(order = %line.order_id, report = line.id, kind, detail, "a person must look at this");
        self.incidents.push((line.order_id, Some(line.id), Incident { kind, detail }));
    }

    fn apply(&mut self, line: &JournalLine) -> Result<(), ApiError> {
        let report = match &line.report {
            Ok(report) => report,
            Err(reason) => {
                self.incident(line, "unreadable_report", reason.clone());
                return Ok(());
            }
        };
        if let ReportKind::Fill { execution_id, .. } = report
            && !self.known_executions.insert((line.account_id, execution_id.clone()))
        {
            return Ok(());
        }
        let Some((order, changed)) = self.orders.get_mut(&line.order_id) else {
            self.incident(
                line,
                "unknown_order",
                format!("a report about an order that is not ours: {report:?}"),
            );
            return Ok(());
        };
        if order.wish.account_id != line.account_id {
            self.incident(line, "wrong_account", "the order belongs to another account".to_owned());
            return Ok(());
        }
        let effects = apply(order, report, line.occurred_at, self.now);
        *changed |= !effects.entries.is_empty();
        let order = order.clone();
        self.take_effects(line, &order, effects)
    }

    fn take_effects(&mut self, line: &JournalLine, order: &Order, effects: Effects) -> Result<(), ApiError> {
        self.entries.extend(effects.entries);
        for incident in effects.incidents {
            self.incident(line, incident.kind, incident.detail);
        }
        if !effects.hold_change.is_zero() {
            let commodity = if order.holds_cash() {
                self.accounts_changed.insert(order.wish.account_id);
                Commodity::Cash(order.currency())
            } else {
                Commodity::Shares(order.wish.symbol)
            };
            let account_id = order.wish.account_id;
            let change =
                BalanceChange { account_id, commodity, total: Decimal::ZERO, held: effects.hold_change };
            self.balances.change(&change);
            self.holds.push(change);
        }
        match effects.execution {
            Some(execution) => self.book(line, order, &execution),
            None => Ok(()),
        }
    }

    fn book(&mut self, line: &JournalLine, order: &Order, execution: &Execution) -> Result<(), ApiError> {
        let symbol = order.wish.symbol;
        let key = (line.account_id, symbol);
        let trade_date = trade_date(symbol.market(), line.occurred_at);
        let mut fill = Fill {
            account_id: line.account_id,
            execution_id: execution.execution_id.clone(),
            symbol,
            side: order.wish.side,
            quantity: execution.quantity,
            price: execution.price,
            cost_removed: Decimal::ZERO,
            commission: execution.commission,
            tax: execution.tax,
            trade_date,
            settle_date: settle_date(symbol.market(), trade_date),
            booked_at: self.now,
        };
        let notional = fill.notional().map_err(ApiError::internal)?;
        let position = self.positions.entry(key).or_default();
        fill.cost_removed = position.apply(&PositionFill {
            side: fill.side,
            quantity: fill.quantity.value(),
            notional,
            commission: fill.commission,
            tax: fill.tax,
            currency: symbol.currency(),
        });
        let oversold = position.quantity < Decimal::ZERO;
        let journal = Journal::fill(&fill).map_err(ApiError::internal)?;
        for (commodity, total) in journal.balance_changes() {
            let change = BalanceChange { account_id: line.account_id, commodity, total, held: Decimal::ZERO };
            self.balances.change(&change);
        }
        self.remember(line, order, execution, &journal)?;
        self.journals.push(journal);
        self.positions_changed.insert(key);
        self.accounts_changed.insert(line.account_id);
        if oversold {
            self.incident(line, "oversold", format!("more shares of {symbol} were sold than were held"));
        }
        Ok(())
    }

    fn remember(
        &mut self,
        line: &JournalLine,
        order: &Order,
        execution: &Execution,
        journal: &Journal,
    ) -> Result<(), ApiError> {
        self.executions.push(ExecutionRow {
            account_id: line.account_id.0,
            execution_id: execution.execution_id.clone(),
            order_id: line.order_id.0,
            journal_id: journal.id(),
            quantity: execution.quantity.value(),
            price: execution.price.value(),
            commission: execution.commission,
            tax: execution.tax,
            occurred_at: line.occurred_at,
        });
        let event = ExecutionEvent {
            account_id: line.account_id,
            order_id: line.order_id,
            execution_id: execution.execution_id.clone(),
            symbol: order.wish.symbol,
            side: order.wish.side,
            quantity: execution.quantity,
            price: execution.price,
            commission: execution.commission.into(),
            tax: execution.tax.into(),
            currency: order.currency(),
            occurred_at: line.occurred_at,
        };
        let event = NewEvent::new(order.user_id, EventKind::Execution, &event).map_err(ApiError::internal)?;
        self.execution_events.push(event);
        Ok(())
    }

    async fn save(mut self, connection: &AsyncPgConnection) -> Result<(), ApiError> {
        let events = self.events().map_err(ApiError::internal)?;
        let changed = self.orders.values().filter(|(_, changed)| *changed).map(|(order, _)| order);
        let ended = changed
            .clone()
            .filter(|order| order.status.is_terminal() && order.cancel_requested_at.is_some())
            .map(|order| (order.id, order.status == OrderStatus::Canceled))
            .collect();
        store::save_orders(connection, changed).await?;
        store::insert_log(connection, &self.entries).await?;
        store::close_cancels(connection, ended, self.now).await?;
        account::post(connection, &self.journals).await?;
        account::change_balances(connection, &self.holds).await?;
        store::insert_executions(connection, &self.executions).await?;
        self.positions.retain(|key, _| self.positions_changed.contains(key));
        portfolio::save_positions(connection, &self.positions, self.now).await?;
        store::insert_incidents(connection, &self.incidents, self.now).await?;
        events::append(connection, events).await?;
        Ok(())
    }

    /// What is told: every changed order as it stands now, every execution, and the balances and positions they moved.
    fn events(&mut self) -> Result<Vec<NewEvent>, serde_json::Error> {
        let mut told = Vec::new();
        for (order, _) in self.orders.values().filter(|(_, changed)| *changed) {
            told.push(NewEvent::new(order.user_id, EventKind::Order, &OrderDocument::from(order))?);
        }
        told.append(&mut self.execution_events);
        for account_id in &self.accounts_changed {
            let Some((user, currency)) = self.balances.account(*account_id) else { continue };
            let row = self.balances.balance(*account_id, Commodity::Cash(currency));
            let cash = CashBalance { account_id: *account_id, currency, total: row.total, held: row.held };
            told.push(balance_event(user, &cash, self.now)?);
        }
        for key @ (account_id, symbol) in &self.positions_changed {
            let Some((user, _)) = self.balances.account(*account_id) else { continue };
            let quantity = self.positions.get(key).map_or(Decimal::ZERO, |state| state.quantity);
            let event = PositionEvent { account_id: *account_id, symbol: *symbol, quantity: quantity.into() };
            told.push(NewEvent::new(user, EventKind::Position, &event)?);
        }
        Ok(told)
    }
}
