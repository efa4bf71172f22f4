//! A batch of the journal's lines: what it reads, what it changes, what it tells.

mod days;
mod told;

use super::apply::{Effects, Execution, apply, undo};
use super::incident::{Incident, NewIncident};
use super::order::{Order, OrderLogEntry};
use super::requests::ends_of_cancels;
use super::store::{self, ExecutionRow, HaltKind, JournalLine};
use crate::account::{self, BalanceChange, Commodity, Fill, LockedBalances};
use crate::clock;
use crate::db::answers_in_order;
use crate::error::ApiError;
use crate::events::{self, NewEvent};
use crate::portfolio::{Books, PositionKey};
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use domain::broker::ReportKind;
use domain::{AccountId, Currency, OrderId, ReplaceId, Side, Symbol};
use exchange::{execution_date, settle_date};
use futures_util::FutureExt;
use futures_util::future::OptionFuture;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// What a batch would otherwise read from the database.
#[cfg(test)]
#[derive(Default)]
pub(super) struct BatchMemory {
    pub(super) balances: LockedBalances,
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) books: Books,
    pub(super) known_executions: HashSet<(AccountId, String)>,
}

/// The positions that lines may move, each with how many of its shares may go.
fn shares_going(
    lines: &[&JournalLine],
    wishes: &HashMap<OrderId, (Symbol, Side)>,
) -> BTreeMap<PositionKey, Decimal> {
    let mut going = BTreeMap::<PositionKey, Decimal>::new();
    for line in lines {
        let (
            Some((symbol, side)),
            Ok(ReportKind::Fill { quantity, .. } | ReportKind::TradeCorrected { quantity, .. }),
        ) = (wishes.get(&line.order_id), &line.report)
        else {
            continue;
        };
        let sum = going.entry((line.account_id, *symbol)).or_default();
        if *side == Side::Sell {
            *sum = sum.saturating_add(quantity.value());
        }
    }
    going
}

/// Everything that a batch of lines reads and changes.
pub(super) struct Batch {
    now: DateTime<Utc>,
    balances: LockedBalances,
    /// Each with whether it has changed.
    orders: BTreeMap<OrderId, (Order, bool)>,
    books: Books,
    known_executions: HashSet<(AccountId, String)>,
    entries: Vec<OrderLogEntry>,
    executions: Vec<ExecutionRow>,
    execution_events: Vec<NewEvent>,
    holds: Vec<BalanceChange>,
    /// What journals move.
    moved: Vec<BalanceChange>,
    terms_changed: BTreeSet<OrderId>,
    shares_changed: BTreeSet<OrderId>,
    replaces_answered: Vec<(ReplaceId, bool)>,
    incidents: Vec<NewIncident>,
    /// Lines that speak of an order or an execution that is not known here.
    orphans: Vec<(i64, AccountId, OrderId)>,
    cash_changed: BTreeSet<(AccountId, Currency)>,
}

impl Batch {
    /// Locks in the house's order: accounts, then orders with those that share their holds, then positions; all of it is
    /// asked for in one go. Accounts are locked only by lines that move money or holds: an acknowledgement must not keep
    /// new orders waiting.
    pub(super) async fn load(
        connection: &AsyncPgConnection,
        lines: &[JournalLine],
    ) -> Result<Self, ApiError> {
        let mut batch = Self::empty();
        let moves_nothing = |line: &&JournalLine| {
            matches!(line.report, Ok(ReportKind::Accepted | ReportKind::Triggered { .. }))
        };
        let moving: Vec<&JournalLine> = lines.iter().filter(|line| !moves_nothing(line)).collect();
        let ids = lines.iter().map(|line| line.order_id);
        let orders = if moving.is_empty() {
            store::lock_orders(connection, ids).await?
        } else {
            let neighbours = store::neighbours_of(connection, ids.clone()).await?;
            let going = shares_going(&moving, &neighbours.wishes);
            let orders = store::lock_orders(connection, ids.chain(neighbours.siblings.iter().copied()));
            let balances = batch.load_balances(connection, &moving, neighbours.symbols());
            let books = Books::load(connection, &going);
            let ((), orders, books) = answers_in_order!(a = balances, b = orders, c = books);
            batch.books = books;
            batch.books.let_sell_short(batch.balances.with_short_selling());
            orders
        };
        batch.orders = orders.into_iter().map(|order| (order.id, (order, false))).collect();
        if !moving.is_empty() {
            batch.load_siblings(connection).await?;
        }
        Ok(batch)
    }

    fn empty() -> Self {
        Self {
            now: clock::now(),
            balances: LockedBalances::default(),
            orders: BTreeMap::new(),
            books: Books::default(),
            known_executions: HashSet::new(),
            entries: Vec::new(),
            executions: Vec::new(),
            execution_events: Vec::new(),
            holds: Vec::new(),
            moved: Vec::new(),
            terms_changed: BTreeSet::new(),
            shares_changed: BTreeSet::new(),
            replaces_answered: Vec::new(),
            incidents: Vec::new(),
            orphans: Vec::new(),
            cash_changed: BTreeSet::new(),
        }
    }

    /// The orders' symbols are needed to lock the accounts' shares, and never change.
    async fn load_balances(
        &mut self,
        connection: &AsyncPgConnection,
        moving: &[&JournalLine],
        symbols: HashSet<Symbol>,
    ) -> Result<(), ApiError> {
        let accounts: BTreeSet<AccountId> = moving.iter().map(|line| line.account_id).collect();
        let asked = moving.iter().filter_map(|line| match &line.report {
            Ok(ReportKind::Fill { execution_id, .. } | ReportKind::TradeCorrected { execution_id, .. }) => {
                Some((line.account_id, execution_id.clone()))
            }
            _ => None,
        });
        let known = store::known_executions(connection, asked.collect());
        let balances = account::lock_balances(connection, &accounts, symbols.into_iter());
        (self.balances, self.known_executions) = answers_in_order!(a = balances, b = known);
        Ok(())
    }

    /// What one of two exits for the same shares does changes what the other holds. Those that have become siblings
    /// just now are locked here, all others were locked with their orders: whoever locks several does it in their order.
    async fn load_siblings(&mut self, connection: &AsyncPgConnection) -> Result<(), ApiError> {
        let sibling = |(order, _): &(Order, bool)| order.group.and_then(|share| share.sibling);
        let missing: Vec<OrderId> = self
            .orders
            .values()
            .filter_map(sibling)
            .filter(|sibling| !self.orders.contains_key(sibling))
            .collect();
        if !missing.is_empty() {
            let siblings = store::lock_orders(connection, missing.into_iter()).await?;
            self.orders.extend(siblings.into_iter().map(|order| (order.id, (order, false))));
        }
        Ok(())
    }

    /// Has two exits for the same shares hold together what neither has sold.
    fn share(&mut self, changed: OrderId) {
        let Some((order, _)) = self.orders.get(&changed) else { return };
        let Some(sibling) = order.group.and_then(|share| share.sibling) else { return };
        let (first, second) = if order.holds_second() { (sibling, changed) } else { (changed, sibling) };
        let Some((mut profit, _)) = self.orders.get(&first).cloned() else { return };
        let Some((mut loss, _)) = self.orders.get(&second).cloned() else { return };
        let held = profit.held + loss.held;
        profit.share_with(&mut loss);
        self.hold(&profit, profit.held + loss.held - held);
        for order in [profit, loss] {
            if let Some((known, changed)) = self.orders.get_mut(&order.id) {
                *changed |= *known != order;
                *known = order;
            }
        }
        self.shares_changed.extend([first, second]);
    }

    /// Whether an order of a group has changed.
    pub(super) fn groups_moved(&self) -> bool {
        self.changed_orders().any(|order| order.group.is_some())
    }

    /// Whether an order that somebody wants cancelled or changed has reached the broker, so that the request can follow.
    pub(super) fn requests_wait(&self) -> bool {
        let waits = |order: &Order| {
            (order.cancel_requested_at.is_some() || order.replacing.is_some()) && !order.status.is_terminal()
        };
        self.orders.values().any(|(order, changed)| *changed && waits(order))
    }

    fn incident(&mut self, line: &JournalLine, incident: Incident) {
        tracing::error!(order = %line.order_id, report = line.id, kind = incident.kind, detail = incident.detail, "a person must look at this");
        let owner = self.balances.account(line.account_id).map(|(user, _)| user);
        let owner = owner.or_else(|| self.orders.get(&line.order_id).map(|(order, _)| order.user_id));
        let incident = NewIncident::new(owner, line.account_id, incident, self.now);
        self.incidents.push(incident.about(line.order_id).with_report(line.id));
    }

    /// Accounts in which nothing new may be placed after this, and why.
    pub(super) fn halts(&self) -> Vec<(AccountId, String)> {
        let halting = self.incidents.iter().filter(|new| new.incident.halts());
        halting.map(|new| (new.account_id, new.incident.detail.clone())).collect()
    }

    /// Accounts whose broker reports about what is not known here.
    pub(super) fn accounts_with_orphans(&self) -> BTreeSet<AccountId> {
        self.orphans.iter().map(|(_, account, _)| *account).collect()
    }

    /// Applies one line to what was loaded.
    pub(super) fn apply(&mut self, line: &JournalLine) -> Result<(), ApiError> {
        let report = match &line.report {
            Ok(report) => report,
            Err(reason) => {
                let incident = Incident::new("unreadable_report", reason.clone());
                self.incident(line, incident.with("case", "text").with("reason", reason));
                return Ok(());
            }
        };
        let Some((order, changed)) = self.orders.get_mut(&line.order_id) else {
            // Somebody else's order in this account, or one that was never written here: the broker is asked.
            self.orphans.push((line.id, line.account_id, line.order_id));
            return Ok(());
        };
        if order.wish.account_id != line.account_id {
            let detail = "the order belongs to another account".to_owned();
            self.incident(line, Incident::new("wrong_account", detail));
            return Ok(());
        }
        if let ReportKind::Fill { execution_id, .. } = report
            && !self.known_executions.insert((line.account_id, execution_id.clone()))
        {
            return Ok(());
        }
        let effects = apply(order, report, line.occurred_at, self.now);
        *changed |= !effects.entries.is_empty();
        let order = order.clone();
        self.take_effects(line, &order, effects)
    }

    /// Applies a line that takes an execution back, after the books have taken it back. `undone` is what it said; nothing
    /// where it is not known here yet. `told` is what was told of the order's terms and end.
    pub(super) fn undo(
        &mut self,
        line: &JournalLine,
        undone: Option<&Execution>,
        told: &[ReportKind],
    ) -> Result<(), ApiError> {
        let Some((undone, (order, changed))) = undone.zip(self.orders.get_mut(&line.order_id)) else {
            self.orphans.push((line.id, line.account_id, line.order_id));
            return Ok(());
        };
        let instead = match &line.report {
            Ok(ReportKind::TradeCorrected { execution_id, quantity, price, commission, tax, .. }) => {
                Some(Execution {
                    execution_id: execution_id.clone(),
                    quantity: *quantity,
                    price: *price,
                    commission: *commission,
                    tax: *tax,
                })
            }
            _ => None,
        };
        let effects = undo(order, undone, instead, told, line.occurred_at, self.now);
        *changed = true;
        let order = order.clone();
        self.cash_changed.insert((line.account_id, order.currency()));
        self.take_effects(line, &order, effects)
    }

    fn take_effects(&mut self, line: &JournalLine, order: &Order, effects: Effects) -> Result<(), ApiError> {
        self.entries.extend(effects.entries);
        if effects.terms_changed {
            self.terms_changed.insert(order.id);
        }
        self.replaces_answered.extend(effects.replace_answered);
        for incident in effects.incidents {
            self.incident(line, incident);
        }
        self.hold(order, effects.hold_change);
        self.share(order.id);
        match effects.execution {
            Some(execution) => self.book(line, order, &execution),
            None => Ok(()),
        }
    }

    fn hold(&mut self, order: &Order, change: Decimal) {
        if change.is_zero() {
            return;
        }
        let commodity = if order.holds_cash() {
            self.cash_changed.insert((order.wish.account_id, order.currency()));
            Commodity::Cash(order.currency())
        } else {
            Commodity::Shares(order.wish.symbol)
        };
        let account_id = order.wish.account_id;
        let change = BalanceChange { account_id, commodity, total: Decimal::ZERO, held: change };
        self.balances.change(&change);
        self.holds.push(change);
    }

    fn book(&mut self, line: &JournalLine, order: &Order, execution: &Execution) -> Result<(), ApiError> {
        let symbol = order.wish.symbol;
        let trade_date = execution_date(symbol.market(), line.occurred_at);
        let journal = self.books.trade(&Fill {
            account_id: line.account_id,
            execution_id: execution.execution_id.clone(),
            symbol,
            side: order.wish.side,
            quantity: execution.quantity,
            price: execution.price,
            commission: execution.commission,
            tax: execution.tax,
            trade_date,
            settle_date: settle_date(symbol.market(), trade_date),
            booked_at: self.now,
        });
        let journal = journal.map_err(ApiError::internal)?;
        for (commodity, total) in journal.balance_changes() {
            let change = BalanceChange { account_id: line.account_id, commodity, total, held: Decimal::ZERO };
            self.balances.change(&change);
            self.moved.push(change);
        }
        self.remember(line, order, execution, journal.id())?;
        self.cash_changed.insert((line.account_id, order.currency()));
        let is_below_zero = self.books.state(&(line.account_id, symbol)).quantity < Decimal::ZERO;
        if is_below_zero && !self.balances.switches(line.account_id).short_selling {
            let detail = format!("more shares of {symbol} were sold than were held");
            self.incident(line, Incident::new("oversold", detail).with("symbol", symbol));
        }
        Ok(())
    }

    fn remember(
        &mut self,
        line: &JournalLine,
        order: &Order,
        execution: &Execution,
        journal_id: Uuid,
    ) -> Result<(), ApiError> {
        self.executions.push(ExecutionRow {
            account_id: line.account_id.0,
            execution_id: execution.execution_id.clone(),
            order_id: line.order_id.0,
            journal_id,
            quantity: execution.quantity.value(),
            price: execution.price.value(),
            commission: execution.commission,
            tax: execution.tax,
            occurred_at: line.occurred_at,
            reversed_by: None,
            session_date: None,
        });
        self.tell_execution(line, order, execution)
    }

    /// Writes everything, and that the journal is applied up to `last`, where the cursor moves. What is written most of the
    /// time leaves in one go (decision 78); the turn to tell news comes after all of it. Returns how balances have changed.
    pub(super) async fn save(
        mut self,
        connection: &AsyncPgConnection,
        last: Option<i64>,
    ) -> Result<Vec<BalanceChange>, ApiError> {
        let told = self.events().map_err(ApiError::internal)?;
        let ended = ends_of_cancels(self.changed_orders());
        // What is rare, and nothing at all most of the time.
        let changed_terms = self.changed_orders().filter(|order| self.terms_changed.contains(&order.id));
        store::save_terms(connection, changed_terms).await?;
        let sharing = self.changed_orders().filter(|order| self.shares_changed.contains(&order.id));
        store::save_shares(connection, sharing).await?;
        store::close_cancels(connection, ended, self.now).await?;
        store::close_replaces(connection, &self.replaces_answered, self.now).await?;
        store::insert_incidents(connection, &self.incidents).await?;
        store::insert_halts(connection, HaltKind::Incident, self.halts(), self.now).await?;
        store::insert_orphans(connection, &self.orphans).await?;
        answers_in_order!(
            a = store::save_orders(connection, self.changed_orders()),
            b = store::insert_log(connection, &self.entries),
            c = self.books.save(connection, self.now),
            d = account::change_balances(connection, &self.holds),
            e = store::insert_executions(connection, &self.executions),
            f = OptionFuture::from(last.map(|last| store::advance_cursor(connection, last)))
                .map(Option::transpose),
        );
        events::append(connection, told).await?;
        self.moved.append(&mut self.holds);
        Ok(self.moved)
    }

    /// A batch on what a test remembers instead of what a database holds.
    #[cfg(test)]
    pub(super) fn on(memory: BatchMemory, now: DateTime<Utc>) -> Self {
        let orders = memory.orders.into_iter().map(|(id, order)| (id, (order, false))).collect();
        Self {
            now,
            balances: memory.balances,
            orders,
            books: memory.books,
            known_executions: memory.known_executions,
            ..Self::empty()
        }
    }

    /// What would be written, and what the next batch goes on from.
    #[cfg(test)]
    pub(super) fn into_memory(self) -> (BatchMemory, Vec<ExecutionRow>, Vec<NewIncident>, Vec<i64>) {
        let memory = BatchMemory {
            balances: self.balances,
            orders: self.orders.into_iter().map(|(id, (order, _))| (id, order)).collect(),
            books: self.books,
            known_executions: self.known_executions,
        };
        let orphans = self.orphans.iter().map(|(report, ..)| *report).collect();
        (memory, self.executions, self.incidents, orphans)
    }

    fn changed_orders(&self) -> impl Iterator<Item = &Order> + Clone {
        self.orders.values().filter(|(_, changed)| *changed).map(|(order, _)| order)
    }
}
