//! All books and working orders, and what commands and quotes do to them. Pure: what has to be written comes out as
//! [`Changes`], and only the engine writes.

use super::config::IDLE_SYMBOL_SECONDS;
use super::kept::{self, Orders};
use super::record::{
    Answered, Changed, Changes, Record, ReplaceAnswer, Replaced, Report, Standing, Subject, outcome_of,
};
use super::rules::{Refusal, Terms, is_bookable, judge, judge_limits};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind};
use domain::market_data::SYMBOLS_PER_CONNECTION_MAX;
use domain::{
    AccountId, Currency, MoneyError, OrderId, OrderStatus, Price, Quantity, Quote, ReplaceId, Symbol,
};
use exchange::book::Trigger;
use exchange::{
    Book, BookEvent, BookEventKind, BookOrder, Course, Fees, MarketState, Simulation, execution_date,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A book, and since when it is empty.
#[derive(Debug)]
struct Listing {
    book: Book,
    idle_since: DateTime<Utc>,
}

/// An account, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// The currency it was opened with; it trades in every other as well.
    pub(super) currency: Currency,
    /// What stands between its orders and their executions.
    pub(super) simulation: Simulation,
}

/// The simulated market place.
#[derive(Debug, Default)]
pub(super) struct Venue {
    books: BTreeMap<Symbol, Listing>,
    orders: Orders,
    accounts: HashMap<AccountId, Account>,
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
    replaced: BTreeMap<OrderId, (i64, Quantity, ReplaceRequest)>,
    new: Vec<Record>,
    /// Where each of the new ones is.
    new_places: HashMap<OrderId, usize>,
    changed: BTreeSet<OrderId>,
    markets: BTreeMap<Symbol, MarketState>,
    reports: Vec<Report>,
}

impl Batch {
    /// An order that came in this batch, or one of earlier times that a command of it names.
    fn record(&self, id: OrderId) -> Option<&Record> {
        self.new_places.get(&id).and_then(|place| self.new.get(*place)).or_else(|| self.earlier.get(&id))
    }

    fn new_record_mut(&mut self, id: OrderId) -> Option<&mut Record> {
        self.new_places.get(&id).and_then(|place| self.new.get_mut(*place))
    }

    fn add(&mut self, record: Record) {
        self.new_places.insert(record.request.order_id, self.new.len());
        self.new.push(record);
    }
}

impl Venue {
    /// A market place without orders.
    pub(super) fn new(accounts: HashMap<AccountId, Account>, sequence_last: i64) -> Self {
        Self { accounts, sequence_last, ..Self::default() }
    }

    /// Takes a working order that the database holds; they come in their sequence.
    pub(super) fn restore(&mut self, record: &Record, now: DateTime<Utc>) {
        // What was accepted once was judged once: it is an order.
        if let Ok(order) = BookOrder::new(&record.request, record.sequence) {
            self.book(record.request.symbol, now)
                .restore(&as_it_was(order, record), record.standing.waits_for_price);
            self.orders.keep(record);
        }
    }

    /// Takes what was known of a symbol's market. Where nobody waits in it and nothing interrupts it, it is told by its next
    /// price.
    pub(super) fn restore_market(&mut self, symbol: Symbol, state: &MarketState, now: DateTime<Utc>) {
        let is_interrupted = state.interruption.is_some_and(|interruption| now < interruption.ends_at);
        if is_interrupted || self.books.contains_key(&symbol) {
            self.book(symbol, now).restore_market(state);
        }
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
        self.orders.contains(order_id)
    }

    pub(super) fn account(&self, account_id: AccountId) -> Option<Account> {
        self.accounts.get(&account_id).copied()
    }

    pub(super) fn set_account(&mut self, account_id: AccountId, account: Account) {
        self.accounts.insert(account_id, account);
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
        if let Some(record) = batch.record(request.order_id) {
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
        let (order_id, symbol) = (request.order_id, request.symbol);
        let account = self.account(request.account_id);
        let judged = judge(&request, account.map(|account| account.currency), self.sequence_last, now)
            .and_then(|order| self.listed(symbol, now).map(|()| order))
            .and_then(|order| {
                judge_limits(&request, self.book(symbol, now).price_limits(now)).map(|()| order)
            });
        let mut record = Record::new(request, self.sequence_last, now);
        match judged {
            Ok(order) => {
                let course = account.and_then(|account| Course::new(account.simulation, order_id, now));
                let order = BookOrder { course, ..order };
                record.expires_at = order.expires_at;
                record.standing.course = course;
                self.orders.keep(&record);
                batch.add(record);
                let events = self.book(symbol, now).submit(order, now);
                self.apply(events, batch);
            }
            Err(refusal) => refuse(record, refusal, batch),
        }
        batch.record(order_id).map_or_else(
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
        let Some(Subject { symbol, .. }) = self.orders.subject(order_id) else {
            return if batch.record(order_id).is_some() {
                rejected("already_final", "the order has ended")
            } else {
                rejected("unknown_order", "there is no order of this id")
            };
        };
        match self.book(symbol, now).cancel(order_id, now) {
            Ok(events) => {
                self.apply(events, batch);
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
        let ended = || Refusal::new("already_final", "the order has ended");
        let (Some(Subject { symbol, .. }), Some(order_type)) =
            (self.orders.subject(id), self.orders.order_type(id))
        else {
            let unknown = || Refusal::new("unknown_order", "there is no order of this id");
            return Err(if batch.record(id).is_some() { ended() } else { unknown() });
        };
        if self.orders.has_ended(id) {
            return Err(ended());
        }
        let terms = Terms {
            symbol,
            quantity: request.quantity,
            fields: request.fields(),
            protection_price: request.protection_price,
        };
        terms.judge(now)?;
        let book = self.book(symbol, now);
        terms.judge_limits(book.price_limits(now))?;
        let before = book.order(id).ok_or_else(ended)?;
        let (mut sequence, mut course) = (before.sequence, before.course);
        let repriced = before.repriced(order_type, terms.fields, terms.protection_price)?;
        // What is filled is done: new terms for less than that leave nothing open.
        let open = kept::open(request.quantity, self.orders.standing(id));
        let is_smaller_only = repriced == before && open.is_some_and(|open| open <= before.quantity);
        if !is_smaller_only {
            self.sequence_last = self.sequence_last.saturating_add(1);
            sequence = self.sequence_last;
            course = course.map(|course| course.anew(id, now));
        }
        let book = self.book(symbol, now);
        let events;
        if let Some(quantity) = open {
            let order = BookOrder { quantity, sequence, course, ..repriced };
            events = book.replace(order, now).map_err(|_| ended())?;
        } else {
            events = book.cancel(id, now).map_err(|_| ended())?;
        }
        self.take_terms(request, sequence, now, batch);
        // The first event says that it was replaced, which is reported already.
        self.apply(events.into_iter().skip(1).collect(), batch);
        Ok(())
    }

    /// Writes new terms into an order's record and reports them.
    fn take_terms(&mut self, request: &ReplaceRequest, sequence: i64, now: DateTime<Utc>, batch: &mut Batch) {
        let id = request.order_id;
        let Some(subject) = self.orders.subject(id) else { return };
        let Some(standing) = self.orders.standing_mut(id, now) else { return };
        standing.replaces = standing.replaces.saturating_add(1);
        standing.updated_at = now;
        let quantity =
            Quantity::new(request.quantity.value().max(standing.filled_quantity)).unwrap_or(request.quantity);
        if standing.filled_quantity >= quantity.value() {
            standing.status = OrderStatus::Filled;
        }
        if let Some(record) = batch.new_record_mut(id) {
            record.take_terms(sequence, quantity, request);
        } else {
            batch.replaced.insert(id, (sequence, quantity, request.clone()));
        }
        let kind = ReportKind::Replaced {
            replace_id: request.replace_id,
            quantity,
            limit_price: request.limit_price,
            stop_price: request.stop_price,
            trail_amount: request.trail_amount,
            trail_percent: request.trail_percent,
        };
        batch.reports.push(Report::new(subject, kind, now));
    }

    /// Takes a price.
    pub(super) fn quote(&mut self, quote: &Quote, now: DateTime<Utc>, batch: &mut Batch) {
        if let Some(listing) = self.books.get_mut(&quote.symbol) {
            let events = listing.book.on_quote(quote, now);
            if let Some(state) = listing.book.take_market_change() {
                batch.markets.insert(quote.symbol, state);
            }
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
        let Batch { mut new, new_places, changed, replaced, answers, reports, markets, .. } = batch;
        for record in &mut new {
            if let Some(standing) = self.orders.standing(record.request.order_id) {
                record.standing = standing.clone();
            }
        }
        let standing = |id: &OrderId| self.orders.standing(*id).cloned();
        let is_elsewhere = |id: &OrderId| new_places.contains_key(id) || replaced.contains_key(id);
        let changed: Vec<Changed> = changed
            .iter()
            .filter(|id| !is_elsewhere(id))
            .filter_map(|id| Some(Changed { order_id: *id, standing: standing(id)? }))
            .collect();
        let replaced: Vec<Replaced> = replaced
            .into_iter()
            .filter_map(|(id, (sequence, quantity, terms))| {
                Some(Replaced { sequence, quantity, terms, standing: standing(&id)? })
            })
            .collect();
        let ids = new.iter().map(|record| record.request.order_id);
        let ids = ids.chain(changed.iter().map(|changed| changed.order_id));
        for id in ids.chain(replaced.iter().map(|replaced| replaced.terms.order_id)) {
            if self.orders.has_ended(id) {
                self.orders.forget(id);
            }
        }
        Changes { new, changed, replaced, answers, reports, markets: markets.into_iter().collect() }
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

    fn apply(&mut self, events: Vec<BookEvent>, batch: &mut Batch) {
        for BookEvent { order_id, at, kind } in events {
            if matches!(kind, BookEventKind::Accepted) {
                // Nothing has happened to it yet: it stands as it came.
                let subject = self.orders.subject(order_id);
                batch.reports.extend(subject.map(|subject| Report::new(subject, ReportKind::Accepted, at)));
                continue;
            }
            let Some(subject) = self.orders.subject(order_id) else { continue };
            let Some(standing) = self.orders.standing_mut(order_id, at) else { continue };
            let kind = note(standing, subject.symbol, kind, at);
            standing.updated_at = at;
            batch.changed.insert(order_id);
            batch.reports.extend(kind.map(|kind| Report::new(subject, kind, at)));
        }
    }
}

fn refuse(mut record: Record, refusal: Refusal, batch: &mut Batch) {
    record.standing.status = OrderStatus::Rejected;
    record.standing.reason = Some(refusal.code.clone());
    record.standing.message = Some(refusal.message);
    let kind = ReportKind::Rejected { reason: refusal.code };
    batch.reports.push(Report::new(Subject::of(&record.request), kind, record.accepted_at));
    batch.add(record);
}

/// An order as the book had it in an earlier life of the process.
fn as_it_was(order: BookOrder, record: &Record) -> BookOrder {
    let trigger =
        order.trigger.filter(|_| record.standing.triggered_at.is_none()).map(|trigger| match trigger {
            Trigger::Trailing { trail, .. } => Trigger::Trailing { trail, mark: record.standing.mark },
            stop @ Trigger::Stop(_) => stop,
        });
    let quantity = kept::open(record.request.quantity, Some(&record.standing)).unwrap_or(order.quantity);
    BookOrder { trigger, quantity, expires_at: record.expires_at, course: record.standing.course, ..order }
}

/// Writes an event into where the order stands and words it as a report, where anybody outside cares.
fn note(
    standing: &mut Standing,
    symbol: Symbol,
    kind: BookEventKind,
    at: DateTime<Utc>,
) -> Option<ReportKind> {
    Some(match kind {
        BookEventKind::MarkMoved(mark) => {
            standing.mark = Some(mark);
            return None;
        }
        BookEventKind::CourseMoved(course) => {
            standing.course = Some(course);
            return None;
        }
        BookEventKind::WaitsForPrice(waits) => {
            standing.waits_for_price = waits;
            return None;
        }
        BookEventKind::Replaced => return None,
        BookEventKind::Triggered(price) => {
            standing.triggered_at = Some(at);
            ReportKind::Triggered { price }
        }
        BookEventKind::Suspended(kind) => ReportKind::Suspended { reason: Some(kind.word().to_owned()) },
        BookEventKind::Resumed => ReportKind::Resumed,
        BookEventKind::Accepted => ReportKind::Accepted,
        BookEventKind::Canceled(reason) => cancel(standing, reason.word()),
        BookEventKind::Expired => {
            standing.status = OrderStatus::Expired;
            ReportKind::Expired
        }
        BookEventKind::Filled { execution_id, quantity, price, leaves } => {
            let on = execution_date(symbol.market(), at);
            // The price was unknown when the order was judged; one that no book can hold is not executed.
            match execute(standing, quantity, price, leaves.is_zero(), on) {
                Ok(Fees { commission, tax }) => {
                    ReportKind::Fill { execution_id, quantity, price, commission, tax }
                }
                Err(_) => cancel(standing, Some("amount_too_large")),
            }
        }
    })
}

fn cancel(standing: &mut Standing, reason: Option<&'static str>) -> ReportKind {
    standing.status = OrderStatus::Canceled;
    standing.reason = reason.map(str::to_owned);
    ReportKind::Canceled { reason: standing.reason.clone() }
}

fn execute(
    standing: &mut Standing,
    quantity: Quantity,
    price: Price,
    is_last: bool,
    on: NaiveDate,
) -> Result<Fees, MoneyError> {
    if !is_bookable(price.notional(quantity.value())?) {
        return Err(MoneyError::Overflow);
    }
    let fees = standing.fees.charge(price, quantity, on)?;
    standing.filled_quantity += quantity.value();
    standing.commission += fees.commission;
    standing.tax += fees.tax;
    standing.status = if is_last { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
    Ok(fees)
}
