//! All books and working orders, and what commands and quotes do to them. Pure: what has to be written comes out as
//! [`Changes`], and only the engine writes.

use super::config::IDLE_SYMBOL_SECONDS;
use super::record::{Answered, Changes, Record, ReplaceAnswer, Report, outcome_of};
use super::rules::{Refusal, Terms, is_bookable, judge, judge_limits};
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind};
use domain::market_data::SYMBOLS_PER_CONNECTION_MAX;
use domain::{
    AccountId, Currency, MoneyError, OrderId, OrderStatus, Price, Quantity, Quote, ReplaceId, Symbol,
};
use exchange::book::Trigger;
use exchange::{Book, BookEvent, BookEventKind, BookOrder, trade_date};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A book, and since when it is empty.
#[derive(Debug)]
struct Listing {
    book: Book,
    idle_since: DateTime<Utc>,
}

/// The simulated market place.
#[derive(Debug, Default)]
pub(super) struct Venue {
    books: BTreeMap<Symbol, Listing>,
    orders: HashMap<OrderId, Record>,
    accounts: HashMap<AccountId, Currency>,
    sequence_last: i64,
}

/// A batch under way: what it met and what it did.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Orders of earlier times that commands of this batch name, read from the database.
    pub(super) earlier: HashMap<OrderId, Record>,
    /// What was answered to the requests for other terms that commands of this batch name.
    pub(super) answered: HashMap<ReplaceId, Answered>,
    answers: Vec<ReplaceAnswer>,
    replaced: BTreeSet<OrderId>,
    new: Vec<OrderId>,
    changed: BTreeSet<OrderId>,
    reports: Vec<Report>,
}

impl Venue {
    /// Builds the books from what the database holds; orders are given in their sequence.
    pub(super) fn restore(
        accounts: HashMap<AccountId, Currency>,
        working: Vec<Record>,
        sequence_last: i64,
        now: DateTime<Utc>,
    ) -> Self {
        let mut venue = Self { accounts, sequence_last, ..Self::default() };
        for record in working {
            // What was accepted once was judged once: it is an order.
            if let Ok(order) = BookOrder::new(&record.request, record.sequence) {
                venue.book(record.request.symbol, now).restore(as_it_was(order, &record));
                venue.orders.insert(record.request.order_id, record);
            }
        }
        venue
    }

    /// Symbols whose quotes matter.
    pub(super) fn symbols(&self) -> BTreeSet<Symbol> {
        self.books.keys().copied().collect()
    }

    /// The last quotes taken, for the books of a venue that replaces this one.
    pub(super) fn quotes(&self) -> Vec<Quote> {
        self.books.values().filter_map(|listing| listing.book.last_quote().cloned()).collect()
    }

    pub(super) fn knows(&self, order_id: OrderId) -> bool {
        self.orders.contains_key(&order_id)
    }

    pub(super) fn account(&self, account_id: AccountId) -> Option<Currency> {
        self.accounts.get(&account_id).copied()
    }

    pub(super) fn add_account(&mut self, account_id: AccountId, currency: Currency) {
        self.accounts.insert(account_id, currency);
    }

    /// When the next order ends by itself.
    pub(super) fn next_expiry(&self) -> Option<DateTime<Utc>> {
        self.books.values().filter_map(|listing| listing.book.next_expiry()).min()
    }

    /// Takes an order, or answers for the one of the same id.
    pub(super) fn place(
        &mut self,
        request: &OrderRequest,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> PlaceOutcome {
        let known = self.orders.get(&request.order_id).or_else(|| batch.earlier.get(&request.order_id));
        if let Some(record) = known {
            if record.is_same_order(request) {
                return record.outcome();
            }
            // No report: it would speak about the order that owns the id.
            return PlaceOutcome::Rejected {
                code: "order_id_reused".into(),
                message: "this order id belongs to another order".into(),
            };
        }
        self.sequence_last = self.sequence_last.saturating_add(1);
        let request = OrderRequest { submitted_at: request.submitted_at.min(now), ..request.clone() };
        let order_id = request.order_id;
        let account = self.account(request.account_id);
        let judged = judge(&request, account, self.sequence_last, now)
            .and_then(|order| self.listed(request.symbol, now).map(|()| order))
            .and_then(|order| {
                judge_limits(&request, self.book(request.symbol, now).price_limits(now)).map(|()| order)
            });
        let mut record = Record::new(request, self.sequence_last, now);
        batch.new.push(order_id);
        match judged {
            Ok(order) => {
                record.expires_at = order.expires_at;
                let symbol = record.request.symbol;
                self.orders.insert(order_id, record);
                let events = self.book(symbol, now).submit(order, now);
                self.apply(events, batch);
            }
            Err(refusal) => self.refuse(record, refusal, batch),
        }
        self.orders.get(&order_id).map_or_else(
            || PlaceOutcome::OutcomeUnknown { reason: "the order was lost".into() },
            Record::outcome,
        )
    }

    /// Takes an order back.
    pub(super) fn cancel(
        &mut self,
        order_id: OrderId,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> CancelOutcome {
        let rejected = |code: &str, message: &str| CancelOutcome::Rejected {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let Some(record) = self.orders.get(&order_id) else {
            return if batch.earlier.contains_key(&order_id) {
                rejected("already_final", "the order has ended")
            } else {
                rejected("unknown_order", "there is no order of this id")
            };
        };
        match self.book(record.request.symbol, now).cancel(order_id, now) {
            Ok(event) => {
                self.apply(vec![event], batch);
                CancelOutcome::Accepted
            }
            Err(_) => rejected("already_final", "the order has ended"),
        }
    }

    /// Gives an order other terms, or answers as the same request was answered before.
    pub(super) fn replace(
        &mut self,
        request: &ReplaceRequest,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> ReplaceOutcome {
        if let Some(answered) = batch.answered.get(&request.replace_id) {
            return outcome_of(answered);
        }
        let refusal = self.try_replace(request, now, batch).err();
        let outcome = outcome_of(&refusal);
        batch.answered.insert(request.replace_id, refusal.clone());
        let (replace_id, order_id) = (request.replace_id, request.order_id);
        batch.answers.push(ReplaceAnswer { replace_id, order_id, refusal, at: now });
        outcome
    }

    fn try_replace(
        &mut self,
        request: &ReplaceRequest,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = request.order_id;
        let Some(record) = self.orders.get(&id).filter(|record| !record.status.is_terminal()).cloned() else {
            let known = batch.earlier.contains_key(&id) || self.orders.contains_key(&id);
            return Err(if known {
                Refusal::new("already_final", "the order has ended")
            } else {
                Refusal::new("unknown_order", "there is no order of this id")
            });
        };
        let symbol = record.request.symbol;
        let terms = Terms {
            symbol,
            quantity: request.quantity,
            fields: request.fields(),
            protection_price: request.protection_price,
        };
        terms.judge(now)?;
        let mut sequence = record.sequence;
        let book = self.book(symbol, now);
        terms.judge_limits(book.price_limits(now))?;
        let before =
            book.order(id).ok_or_else(|| Refusal::new("already_final", "the order has ended"))?.clone();
        let repriced = before.repriced(&record.request, terms.fields, terms.protection_price)?;
        // What is filled is done: new terms for less than that leave nothing open.
        let open = Quantity::new(request.quantity.value() - record.filled_quantity);
        let is_smaller_only = repriced == before && open.is_ok_and(|open| open <= before.quantity);
        if !is_smaller_only {
            self.sequence_last = self.sequence_last.saturating_add(1);
            sequence = self.sequence_last;
        }
        let book = self.book(symbol, now);
        let gone = |_| Refusal::new("already_final", "the order has ended");
        let mut events = Vec::new();
        if let Ok(quantity) = open {
            events = book.replace(BookOrder { quantity, sequence, ..repriced }, now).map_err(gone)?;
        } else {
            book.cancel(id, now).map_err(gone)?;
        }
        self.take_terms(request, sequence, now, batch);
        // The first event says that it was replaced, which is reported already.
        self.apply(events.into_iter().skip(1).collect(), batch);
        Ok(())
    }

    /// Writes new terms into an order's record and reports them.
    fn take_terms(&mut self, request: &ReplaceRequest, sequence: i64, now: DateTime<Utc>, batch: &mut Batch) {
        let Some(record) = self.orders.get_mut(&request.order_id) else { return };
        record.sequence = sequence;
        record.replaces = record.replaces.saturating_add(1);
        record.updated_at = now;
        record.request = OrderRequest {
            quantity: Quantity::new(request.quantity.value().max(record.filled_quantity))
                .unwrap_or(request.quantity),
            limit_price: request.limit_price,
            stop_price: request.stop_price,
            trail_amount: request.trail_amount,
            trail_percent: request.trail_percent,
            protection_price: request.protection_price,
            ..record.request.clone()
        };
        if record.filled_quantity >= record.request.quantity.value() {
            record.status = OrderStatus::Filled;
        }
        let kind = ReportKind::Replaced {
            replace_id: request.replace_id,
            quantity: record.request.quantity,
            limit_price: request.limit_price,
            stop_price: request.stop_price,
            trail_amount: request.trail_amount,
            trail_percent: request.trail_percent,
        };
        batch.replaced.insert(request.order_id);
        batch.reports.push(Report::new(record.request.clone(), kind, now));
    }

    /// Takes a price.
    pub(super) fn quote(&mut self, quote: &Quote, now: DateTime<Utc>, batch: &mut Batch) {
        if let Some(listing) = self.books.get_mut(&quote.symbol) {
            let events = listing.book.on_quote(quote, now);
            self.apply(events, batch);
        }
    }

    /// Ends what is over.
    pub(super) fn expire(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        let events: Vec<BookEvent> =
            self.books.values_mut().flat_map(|listing| listing.book.expire(now)).collect();
        self.apply(events, batch);
    }

    /// Ends a batch: gives what has to be written and forgets the orders that have ended.
    pub(super) fn finish(&mut self, batch: Batch) -> Changes {
        let copies = |ids: &mut dyn Iterator<Item = &OrderId>| -> Vec<Record> {
            ids.filter_map(|id| self.orders.get(id).cloned()).collect()
        };
        let new: BTreeSet<OrderId> = batch.new.iter().copied().collect();
        let is_old = |id: &&OrderId| !new.contains(id);
        let changes = Changes {
            new: copies(&mut batch.new.iter()),
            changed: copies(&mut batch.changed.difference(&batch.replaced).filter(is_old)),
            replaced: copies(&mut batch.replaced.iter().filter(is_old)),
            answers: batch.answers,
            reports: batch.reports,
        };
        for id in batch.new.iter().chain(&batch.changed).chain(&batch.replaced) {
            if self.orders.get(id).is_some_and(|record| record.status.is_terminal()) {
                self.orders.remove(id);
            }
        }
        changes
    }

    /// Stops following symbols that no order needed for a while.
    pub(super) fn forget_idle_books(&mut self, now: DateTime<Utc>) {
        let idle_max = TimeDelta::seconds(IDLE_SYMBOL_SECONDS);
        for listing in self.books.values_mut() {
            if !listing.book.is_empty() {
                listing.idle_since = now;
            }
        }
        self.books.retain(|_, listing| !listing.book.is_empty() || now - listing.idle_since < idle_max);
    }

    /// Makes room for a symbol's book: no more symbols can be followed than one subscription carries.
    fn listed(&mut self, symbol: Symbol, now: DateTime<Utc>) -> Result<(), Refusal> {
        if !self.books.contains_key(&symbol) && self.books.len() >= SYMBOLS_PER_CONNECTION_MAX {
            let empty =
                self.books.iter().find(|(_, listing)| listing.book.is_empty()).map(|(symbol, _)| *symbol);
            let Some(empty) = empty else {
                return Err(Refusal::new("too_many_symbols", "orders work in too many symbols already"));
            };
            self.books.remove(&empty);
        }
        self.book(symbol, now);
        Ok(())
    }

    fn book(&mut self, symbol: Symbol, now: DateTime<Utc>) -> &mut Book {
        &mut self
            .books
            .entry(symbol)
            .or_insert_with(|| Listing { book: Book::new(symbol), idle_since: now })
            .book
    }

    fn refuse(&mut self, mut record: Record, refusal: Refusal, batch: &mut Batch) {
        record.status = OrderStatus::Rejected;
        record.reason = Some(refusal.code.clone());
        record.message = Some(refusal.message);
        let kind = ReportKind::Rejected { reason: refusal.code };
        batch.reports.push(Report::new(record.request.clone(), kind, record.accepted_at));
        self.orders.insert(record.request.order_id, record);
    }

    fn apply(&mut self, events: Vec<BookEvent>, batch: &mut Batch) {
        for event in events {
            if let Some(record) = self.orders.get_mut(&event.order_id) {
                let kind = note(record, event.kind, event.at);
                record.updated_at = event.at;
                batch.changed.insert(event.order_id);
                let report = kind.map(|kind| Report::new(record.request.clone(), kind, event.at));
                batch.reports.extend(report);
            }
        }
    }
}

/// An order as the book had it in an earlier life of the process.
fn as_it_was(order: BookOrder, record: &Record) -> BookOrder {
    let trigger = order.trigger.filter(|_| record.triggered_at.is_none()).map(|trigger| match trigger {
        Trigger::Trailing { trail, .. } => Trigger::Trailing { trail, mark: record.mark },
        stop @ Trigger::Stop(_) => stop,
    });
    let left = record.request.quantity.value() - record.filled_quantity;
    let quantity = Quantity::new(left).unwrap_or(order.quantity);
    BookOrder { trigger, quantity, expires_at: record.expires_at, ..order }
}

/// Writes an event into the order's record and words it as a report, where anybody outside cares.
fn note(record: &mut Record, kind: BookEventKind, at: DateTime<Utc>) -> Option<ReportKind> {
    Some(match kind {
        BookEventKind::MarkMoved(mark) => {
            record.mark = Some(mark);
            return None;
        }
        BookEventKind::Replaced => return None,
        BookEventKind::Triggered(price) => {
            record.triggered_at = Some(at);
            ReportKind::Triggered { price }
        }
        BookEventKind::Accepted => ReportKind::Accepted,
        BookEventKind::Canceled(reason) => cancel(record, reason.word()),
        BookEventKind::Expired => {
            record.status = OrderStatus::Expired;
            ReportKind::Expired
        }
        BookEventKind::Filled { execution_id, quantity, price } => {
            // The price was unknown when the order was judged; one that no book can hold is not executed.
            execute(record, execution_id, quantity, price, at)
                .unwrap_or_else(|_| cancel(record, Some("amount_too_large")))
        }
    })
}

fn cancel(record: &mut Record, reason: Option<&'static str>) -> ReportKind {
    record.status = OrderStatus::Canceled;
    record.reason = reason.map(str::to_owned);
    ReportKind::Canceled { reason: record.reason.clone() }
}

fn execute(
    record: &mut Record,
    execution_id: String,
    quantity: Quantity,
    price: Price,
    at: DateTime<Utc>,
) -> Result<ReportKind, MoneyError> {
    if !is_bookable(price.notional(quantity.value())?) {
        return Err(MoneyError::Overflow);
    }
    let on = trade_date(record.request.symbol.market(), at);
    let fees = record.fees.charge(price, quantity, on)?;
    record.filled_quantity += quantity.value();
    record.commission += fees.commission;
    record.tax += fees.tax;
    record.status = if record.filled_quantity < record.request.quantity.value() {
        OrderStatus::PartiallyFilled
    } else {
        OrderStatus::Filled
    };
    Ok(ReportKind::Fill { execution_id, quantity, price, commission: fees.commission, tax: fees.tax })
}
