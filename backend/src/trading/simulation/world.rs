//! Everything there is: the tables, the wire, the venue.

use crate::account::{Commodity, LockedBalances};
use crate::trading::apply::Execution;
use crate::trading::batch::{Batch, BatchMemory};
use crate::trading::delivery::{Inquiry, Manners};
use crate::trading::order::Order;
use crate::trading::store::JournalLine;
use broker_connector::journal::{Told, report_id};
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::{OrderRequest, ReplaceRequest, ReportKind};
use domain::{AccountId, Currency, OrderId, OrderStatus, Quote, Side, Symbol, UserId};
use faulty_broker::{Chance, Event, Stream, Venue};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Cash that an account begins with.
pub(super) const CASH: i64 = 100_000;

/// A row of the executions.
#[derive(Debug, Clone)]
pub(super) struct Booked {
    pub(super) order: OrderId,
    pub(super) execution: Execution,
    pub(super) is_undone: bool,
}

/// A row of the requests for other terms.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) request: ReplaceRequest,
    /// Since when the broker has taken it, or may have; nothing as long as it must be sent.
    pub(super) sent_at: Option<DateTime<Utc>>,
    /// Whether the broker has said that it took it.
    pub(super) is_taken: bool,
}

pub(super) struct World {
    pub(super) chance: Chance,
    pub(super) now: DateTime<Utc>,
    pub(super) manners: Manners,
    pub(super) account: AccountId,
    pub(super) user: UserId,
    pub(super) quote: Arc<Quote>,
    // The tables of the backend.
    pub(super) memory: BatchMemory,
    pub(super) executions: BTreeMap<String, Booked>,
    pub(super) inquiries: HashMap<OrderId, Inquiry>,
    pub(super) cancels: BTreeSet<OrderId>,
    pub(super) replaces: BTreeMap<OrderId, Asked>,
    pub(super) incidents: Vec<(Option<OrderId>, &'static str)>,
    pub(super) orphans: BTreeSet<i64>,
    pub(super) cursor: usize,
    // The tables of the connector.
    pub(super) journal: Vec<JournalLine>,
    pub(super) report_ids: HashSet<String>,
    pub(super) told: HashMap<OrderId, Told>,
    pub(super) links: HashMap<String, OrderId>,
    // What a crash takes away.
    pub(super) queue: VecDeque<OrderRequest>,
    // Outside.
    pub(super) stream: Stream,
    pub(super) venue: Venue,
    /// Orders that were answered with 201.
    pub(super) acknowledged: BTreeSet<OrderId>,
}

pub(super) fn symbol() -> Symbol {
    "AAPL".parse().unwrap()
}

fn quote() -> Quote {
    let price = "100".parse().unwrap();
    Quote {
        symbol: symbol(),
        price,
        bid: Some(price),
        ask: Some(price),
        previous_close: Some(price),
        volume: 1,
        currency: Currency::Usd,
        session_date: "2013-03-01".parse().unwrap(),
        open: price,
        high: price,
        low: price,
        at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        source: "replay".to_owned(),
        simulated: false,
        delayed: true,
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        // A broker with client ids that knows repetitions, or one with neither.
        let is_modern = chance.one_in(2);
        let (account, user) = (AccountId::generate(), UserId::generate());
        let balances = LockedBalances::of_account(account, user, Currency::Usd, Decimal::from(CASH));
        let venue = Venue::new(is_modern);
        let lost_one_in = chance.pick(&[0, 2, 6]).copied().unwrap();
        let tripled_one_in = chance.pick(&[0, 3]).copied().unwrap();
        let stream = Stream::new(lost_one_in, tripled_one_in, chance.one_in(2));
        Self {
            chance,
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            manners: Manners { idempotent_orders: is_modern },
            account,
            user,
            quote: Arc::new(quote()),
            memory: BatchMemory { balances, ..BatchMemory::default() },
            executions: BTreeMap::new(),
            inquiries: HashMap::new(),
            cancels: BTreeSet::new(),
            replaces: BTreeMap::new(),
            incidents: Vec::new(),
            orphans: BTreeSet::new(),
            cursor: 0,
            journal: Vec::new(),
            report_ids: HashSet::new(),
            told: HashMap::new(),
            links: HashMap::new(),
            queue: VecDeque::new(),
            stream,
            venue,
            acknowledged: BTreeSet::new(),
        }
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// The orders that the broker has not spoken of yet.
    pub(super) fn waiting(&self) -> Vec<OrderRequest> {
        let waiting = self.memory.orders.values().filter(|order| order.status == OrderStatus::PendingNew);
        waiting.filter_map(Order::description).collect()
    }

    /// The id under which the connector knows an order of the venue.
    pub(super) fn id_of(&self, place: usize) -> Option<OrderId> {
        let order = self.venue.orders().get(place)?;
        let known = (self.venue.client_order_ids && !order.external).then_some(order.request.order_id);
        known.or_else(|| self.links.get(&Venue::number(place)).copied())
    }

    /// What arrives of the stream is written into the journal, by an order's id where it has one.
    pub(super) fn listen(&mut self, events_max: usize) {
        let events = self.venue.take_events();
        self.stream.send(events);
        for event in self.stream.receive(&mut self.chance, events_max) {
            if let Some(id) = self.id_of(event.order) {
                self.write(id, event);
            }
        }
    }

    fn write(&mut self, id: OrderId, event: Event) {
        self.write_report(id, event.kind, event.at);
    }

    /// Writes a line of the journal once, as its unique keys make sure.
    pub(super) fn write_report(&mut self, id: OrderId, kind: ReportKind, at: DateTime<Utc>) {
        let told = self.told.entry(id).or_default();
        let (execution, undone) = match &kind {
            ReportKind::Fill { execution_id, .. } => (Some(execution_id), None),
            ReportKind::TradeCorrected { execution_id, corrects, .. } => (Some(execution_id), Some(corrects)),
            ReportKind::TradeCanceled { execution_id, .. } => (None, Some(execution_id)),
            _ => (None, None),
        };
        let is_new = self.report_ids.insert(report_id(id, &kind, at))
            && execution.is_none_or(|execution| !told.executions.contains(execution))
            && undone.is_none_or(|undone| !told.undone.contains(undone));
        if !is_new {
            return;
        }
        told.kinds.insert(kind.name().to_owned());
        told.executions.extend(execution.cloned());
        told.undone.extend(undone.cloned());
        let line = i64::try_from(self.journal.len()).unwrap() + 1;
        self.journal.push(JournalLine {
            id: line,
            account_id: self.account,
            order_id: id,
            report: Ok(kind),
            occurred_at: at,
        });
    }

    /// Applies lines of the journal behind the cursor.
    pub(super) fn apply(&mut self, lines_max: usize) {
        for _ in 0..lines_max {
            let Some(line) = self.journal.get(self.cursor) else { return };
            let line = copy(line);
            self.cursor += 1;
            self.apply_line(&line);
        }
    }

    /// Applies what waited for its order or its execution.
    pub(super) fn apply_orphans(&mut self) {
        for id in std::mem::take(&mut self.orphans) {
            let place = usize::try_from(id - 1).unwrap();
            let line = copy(self.journal.get(place).unwrap());
            self.apply_line(&line);
        }
    }

    fn apply_line(&mut self, line: &JournalLine) {
        let undone_id = match line.report.as_ref().unwrap() {
            ReportKind::TradeCanceled { execution_id, .. } => Some(execution_id),
            ReportKind::TradeCorrected { corrects, .. } => Some(corrects),
            _ => None,
        };
        let undone = undone_id.map(|id| self.executions.get(id).cloned());
        if undone.as_ref().is_some_and(|undone| undone.as_ref().is_some_and(|undone| undone.is_undone)) {
            return;
        }
        if let Some(Some(booked)) = &undone {
            self.take_back(booked);
        }
        let told = self.words_told(line.order_id);
        let mut batch = Batch::on(std::mem::take(&mut self.memory), self.now);
        match &undone {
            Some(undone) => {
                let undone = undone.as_ref().map(|booked| &booked.execution);
                batch.undo(line, undone, &told).unwrap();
            }
            None => batch.apply(line).unwrap(),
        }
        let (memory, executions, incidents, orphans) = batch.into_memory();
        self.memory = memory;
        self.orphans.extend(orphans);
        self.incidents.extend(incidents.iter().map(|new| (new.order_id, new.incident.kind)));
        for row in executions {
            let execution = Execution {
                execution_id: row.execution_id.clone(),
                quantity: domain::Quantity::new(row.quantity).unwrap(),
                price: domain::Price::new(row.price).unwrap(),
                commission: row.commission,
                tax: row.tax,
            };
            let booked = Booked { order: OrderId(row.order_id), execution, is_undone: false };
            let before = self.executions.insert(row.execution_id, booked);
            assert!(before.is_none(), "an execution is booked once");
        }
    }

    /// What was told of an order's terms and end, among the lines that are applied.
    fn words_told(&self, id: OrderId) -> Vec<ReportKind> {
        let applied = self.journal.iter().take(self.cursor).filter(|line| line.order_id == id);
        let words = applied.filter_map(|line| line.report.as_ref().ok()).filter(|kind| {
            matches!(kind, ReportKind::Replaced { .. } | ReportKind::Canceled { .. } | ReportKind::Expired)
        });
        words.cloned().collect()
    }

    /// What the books do when an execution is taken back: its postings the other way round.
    fn take_back(&mut self, booked: &Booked) {
        let execution = &booked.execution;
        self.executions.get_mut(&execution.execution_id).unwrap().is_undone = true;
        let side = self.memory.orders.get(&booked.order).unwrap().wish.side;
        let worth = Currency::Usd.round(execution.quantity.value() * execution.price.value());
        let (cash, shares) = match side {
            Side::Buy => (worth, -execution.quantity.value()),
            Side::Sell => (-worth, execution.quantity.value()),
        };
        for (commodity, total) in
            [(Commodity::Cash(Currency::Usd), cash), (Commodity::Shares(symbol()), shares)]
        {
            self.memory.balances.change(&crate::account::BalanceChange {
                account_id: self.account,
                commodity,
                total,
                held: Decimal::ZERO,
            });
        }
    }
}

pub(super) fn copy(line: &JournalLine) -> JournalLine {
    JournalLine {
        id: line.id,
        account_id: line.account_id,
        order_id: line.order_id,
        report: line.report.clone(),
        occurred_at: line.occurred_at,
    }
}
