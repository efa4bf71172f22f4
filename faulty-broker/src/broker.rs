//! The venue behind the trait of real adapters.

use crate::Fault;
use crate::chance::Chance;
use crate::stream::Stream;
use crate::venue::{Event, Venue};
use async_trait::async_trait;
use broker_connector::broker::{
    Balance, Broker, BrokerError, Capabilities, Connected, Connection, ConnectionState, JournalLine,
    JournalQuery, ListedExecution, ListedOrder, Page,
};
use broker_connector::journal::{Entry, Journal, report_id};
use chrono::{DateTime, Utc};
use domain::broker::{
    CancelOutcome, ExecutionReport, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind,
};
use domain::inquiry::{AccountState, OrderState, Position, TradeCash};
use domain::{AccountId, Currency, Market, OrderId, OrderType, Price, Side, TimeInForce};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name under which it stands in: accounts know no other.
const NAME: &str = "simulator";
/// Items of a page: few, so that lists have several.
const PAGE_ITEMS: usize = 2;
/// Reports that arrive at once.
const EVENTS_AT_ONCE: usize = 100;

struct State {
    venue: Venue,
    stream: Stream,
    chance: Chance,
    /// What goes wrong with the next requests, in their order.
    faults: VecDeque<Fault>,
    /// What goes wrong with the next pages.
    page_faults: VecDeque<Fault>,
    /// No page is given at all.
    lists_closed: bool,
    /// How many lists of executions lag so far behind that they are empty.
    lists_behind: usize,
    sent: usize,
}

/// The broker.
pub struct FaultyBroker {
    state: Mutex<State>,
    journal: Journal,
}

impl FaultyBroker {
    /// A broker that writes what arrives of its reports into this journal.
    #[must_use]
    pub fn new(venue: Venue, stream: Stream, journal: Journal, seed: u64) -> Self {
        let state = State {
            venue,
            stream,
            chance: Chance::new(seed),
            faults: VecDeque::new(),
            page_faults: VecDeque::new(),
            lists_closed: false,
            lists_behind: 0,
            sent: 0,
        };
        Self { state: Mutex::new(state), journal }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the next orders and cancels.
    pub fn will_fail(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    /// What goes wrong with the next pages of lists.
    pub fn pages_will_fail(&self, faults: &[Fault]) {
        self.state().page_faults.extend(faults);
    }

    /// Gives no lists any more, until it does again.
    pub fn close_lists(&self, closed: bool) {
        self.state().lists_closed = closed;
    }

    /// Lets the next lists of executions be empty, whatever positions and orders show already.
    pub fn lists_lag(&self, lists: usize) {
        self.state().lists_behind = lists;
    }

    /// Loses one in so many reports from now on; all with 1, none with 0.
    pub fn lose_reports(&self, one_in: usize) {
        self.state().stream.lost_one_in = one_in;
    }

    /// How many orders arrived, counting each time that one was sent.
    #[must_use]
    pub fn arrivals(&self) -> usize {
        self.state().sent
    }

    /// The orders at the venue that were sent under an id.
    #[must_use]
    pub fn orders_of(&self, id: OrderId) -> usize {
        let state = self.state();
        state.venue.orders().iter().filter(|order| !order.external && order.request.order_id == id).count()
    }

    /// The venue's number of the order that was sent under an id.
    #[must_use]
    pub fn number_of(&self, id: OrderId) -> Option<String> {
        self.state().venue.place_of(id).map(Venue::number)
    }

    /// Lets something happen at the venue, and its reports take their way.
    ///
    /// # Errors
    /// The journal's.
    pub async fn act<T>(
        &self,
        action: impl FnOnce(&mut Venue, DateTime<Utc>) -> T,
    ) -> Result<T, BrokerError> {
        let outcome = action(&mut self.state().venue, now());
        self.report().await?;
        Ok(outcome)
    }

    /// Executes shares of the order that was sent under an id.
    ///
    /// # Errors
    /// The journal's.
    pub async fn fill(&self, id: OrderId, quantity: Decimal, price: Price) -> Result<(), BrokerError> {
        self.act(|venue, at| {
            if let Some(place) = venue.place_of(id) {
                venue.fill(place, quantity, price, at);
            }
        })
        .await
    }

    /// Writes what arrives of the reports.
    async fn report(&self) -> Result<(), BrokerError> {
        let arrived: Vec<(String, OrderRequest, Option<OrderId>, Event)> = {
            let state = &mut *self.state();
            let events = state.venue.take_events();
            state.stream.send(events);
            let arrived = state.stream.receive(&mut state.chance, EVENTS_AT_ONCE);
            let named = |event: Event| {
                let order = state.venue.orders().get(event.order)?;
                let known =
                    (state.venue.client_order_ids && !order.external).then_some(order.request.order_id);
                Some((Venue::number(event.order), order.request.clone(), known, event))
            };
            arrived.into_iter().filter_map(named).collect()
        };
        let mut entries = Vec::new();
        for (number, request, known, event) in arrived {
            let linked = match known {
                Some(id) => Some(id),
                None => {
                    let links =
                        self.journal.links_of(request.account_id, std::slice::from_ref(&number)).await?;
                    links.get(&number).copied()
                }
            };
            // A report about a number that nobody has linked yet says nothing to anybody; it is found again later.
            let Some(order_id) = linked else { continue };
            entries.push(Entry {
                broker_order_id: number,
                symbol: request.symbol,
                side: request.side,
                report: ExecutionReport {
                    report_id: report_id(order_id, &event.kind, event.at),
                    account_id: request.account_id,
                    order_id,
                    kind: event.kind,
                    occurred_at: event.at,
                },
            });
        }
        self.journal.append(NAME, &entries).await.map(|_| ())
    }

    /// Sends one order; its place at the venue where it arrived.
    fn send(&self, order: &OrderRequest) -> (Fault, Option<usize>) {
        let state = &mut *self.state();
        let fault = state.faults.pop_front().unwrap_or(Fault::None);
        if !fault.is_done() {
            return (fault, None);
        }
        state.sent += 1;
        (fault, Some(state.venue.place(order, now())))
    }

    fn page<T>(&self, items: Vec<T>, after: Option<String>) -> Result<Page<T>, BrokerError> {
        let fault = {
            let mut state = self.state();
            let closed = if state.lists_closed { Fault::FailsBefore } else { Fault::None };
            state.page_faults.pop_front().unwrap_or(closed)
        };
        if fault != Fault::None {
            return Err(BrokerError::Unavailable(format!("{fault:?}")));
        }
        let from: usize = after.and_then(|after| after.parse().ok()).unwrap_or_default();
        let count = items.len();
        let items: Vec<T> = items.into_iter().skip(from).take(PAGE_ITEMS).collect();
        let next = from + items.len();
        Ok(Page { items, next: (next < count).then(|| next.to_string()) })
    }
}

/// Now, in the digits that the database keeps.
fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
}

#[async_trait]
impl Broker for FaultyBroker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let state = self.state();
        Capabilities {
            broker: NAME,
            markets: vec![Market::Krx, Market::Us],
            currencies: Currency::ALL.to_vec(),
            order_types: vec![OrderType::Market, OrderType::Limit],
            times_in_force: vec![TimeInForce::Day, TimeInForce::Gtc],
            idempotent_orders: state.venue.idempotent_orders,
            client_order_ids: state.venue.client_order_ids,
            journals_what_it_does: false,
            replace: true,
            replace_quantity: true,
            shared_exits: true,
            native_groups: Vec::new(),
            fractions: true,
            amounts: false,
            credentials: false,
            keeps_cash: false,
            short_selling: true,
            activities: false,
            market_hours: false,
            real_money: false,
        }
    }

    fn is_ready(&self) -> bool {
        true
    }

    async fn connect(&self, _: Connection) -> Result<Connected, BrokerError> {
        Ok(Connected { broker_number: None, opening_cash: None, opened_at: None })
    }

    async fn connection_state(&self, _: AccountId) -> Result<ConnectionState, BrokerError> {
        let (broker, state) = (NAME, "connected");
        Ok(ConnectionState { broker, state, since: None, detail: None, heard_at: None, read_at: None })
    }

    async fn balance(&self, _: AccountId) -> Result<Balance, BrokerError> {
        Err(BrokerError::Unsupported("it keeps no cash".into()))
    }

    async fn positions(&self, account_id: AccountId) -> Result<Vec<Position>, BrokerError> {
        Ok(self.sync(account_id).await?.positions)
    }

    async fn history_begins(&self, _: AccountId, since: DateTime<Utc>) -> Result<DateTime<Utc>, BrokerError> {
        Ok(since)
    }

    async fn order_by_number(
        &self,
        _: AccountId,
        broker_order_id: &str,
    ) -> Result<Option<ListedOrder>, BrokerError> {
        let listed = self.state().venue.listed_orders();
        Ok(listed.into_iter().find(|order| order.broker_order_id == broker_order_id))
    }

    async fn place_orders(&self, orders: Vec<OrderRequest>) -> Vec<PlaceOutcome> {
        let mut outcomes = Vec::with_capacity(orders.len());
        for order in &orders {
            let (fault, place) = self.send(order);
            let number = place.map(Venue::number);
            // An adapter learns a number only from an answer.
            if let (Fault::None, Some(number)) = (fault, &number)
                && let Err(error) = self.journal.link(order.account_id, number, order.order_id).await
            {
                outcomes.push(PlaceOutcome::OutcomeUnknown { reason: error.to_string() });
                continue;
            }
            outcomes.push(fault.place_outcome(number));
        }
        // What cannot be written now is found again in the history.
        let _ = self.report().await;
        outcomes
    }

    async fn cancel_orders(&self, orders: Vec<OrderId>) -> Vec<CancelOutcome> {
        let outcomes = orders
            .iter()
            .map(|id| {
                let state = &mut *self.state();
                let fault = state.faults.pop_front().unwrap_or(Fault::None);
                let place = state.venue.place_of(*id).filter(|_| fault.is_done());
                let kind = ReportKind::Canceled { reason: None };
                let done = place.is_some_and(|place| state.venue.end(place, kind, now()));
                fault.cancel_outcome(done)
            })
            .collect();
        let _ = self.report().await;
        outcomes
    }

    async fn replace_orders(&self, requests: Vec<ReplaceRequest>) -> Vec<ReplaceOutcome> {
        let outcomes = requests
            .iter()
            .map(|request| {
                let state = &mut *self.state();
                let fault = state.faults.pop_front().unwrap_or(Fault::None);
                let place = state.venue.place_of(request.order_id).filter(|_| fault.is_done());
                let done = place.is_some_and(|place| state.venue.replace(place, request, now()));
                fault.replace_outcome(done)
            })
            .collect();
        let _ = self.report().await;
        outcomes
    }

    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError> {
        let (listed, orders) = {
            let state = self.state();
            (state.venue.listed_orders(), state.venue.orders().to_vec())
        };
        for (order, known) in listed.iter().zip(&orders) {
            let account = known.request.account_id;
            let links = self.journal.links_of(account, std::slice::from_ref(&order.broker_order_id)).await?;
            let id = order.known_as.or_else(|| links.get(&order.broker_order_id).copied());
            if id == Some(order_id) {
                return Ok(Some(order.state(account, order_id)));
            }
        }
        Ok(None)
    }

    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError> {
        let items = {
            let state = self.state();
            let of_account = state.venue.orders().iter().map(|order| order.request.account_id == account_id);
            let listed = state.venue.listed_orders().into_iter().zip(of_account.collect::<Vec<_>>());
            listed
                .filter(|(order, ours)| *ours && order.accepted_at >= since)
                .map(|(order, _)| order)
                .collect()
        };
        self.page(items, after)
    }

    async fn execution_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedExecution>, BrokerError> {
        let items = {
            let state = &mut *self.state();
            if after.is_none() && state.lists_behind > 0 {
                state.lists_behind -= 1;
                return Ok(Page { items: Vec::new(), next: None });
            }
            let of_account = |execution: &ListedExecution, place: usize| {
                let order = state.venue.orders().get(place);
                order.is_some_and(|order| order.request.account_id == account_id)
                    && execution.occurred_at >= since
            };
            let places = state.venue.executions().iter().map(|execution| execution.order);
            let listed = state.venue.listed_executions().into_iter().zip(places);
            listed
                .filter(|(execution, place)| of_account(execution, *place))
                .map(|(execution, _)| execution)
                .collect()
        };
        self.page(items, after)
    }

    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError> {
        let (positions, trade_cash) = {
            let state = self.state();
            let mut shares = BTreeMap::new();
            let mut cash = BTreeMap::new();
            for execution in state.venue.executions().iter().filter(|execution| execution.stands) {
                let Some(order) = state.venue.orders().get(execution.order) else { continue };
                if order.request.account_id != account_id {
                    continue;
                }
                let symbol = order.request.symbol;
                let worth = symbol.currency().round(execution.quantity.value() * execution.price.value());
                let sign = if order.request.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
                *shares.entry(symbol).or_insert(Decimal::ZERO) += sign * execution.quantity.value();
                *cash.entry(symbol.currency()).or_insert(Decimal::ZERO) -= sign * worth;
            }
            (shares, cash)
        };
        // The journal may tell less than happened: that is what a comparison finds out.
        let journal_id = self.journal.last_id().await?;
        let held = positions.into_iter().filter(|(_, quantity)| !quantity.is_zero());
        Ok(AccountState {
            positions: held.map(|(symbol, quantity)| Position { symbol, quantity }).collect(),
            trade_cash: trade_cash
                .into_iter()
                .map(|(currency, amount)| TradeCash { currency, amount })
                .collect(),
            journal_id,
            activity_id: None,
            compare_after_seconds: None,
        })
    }

    async fn executions(&self, _: JournalQuery) -> Result<Vec<JournalLine>, BrokerError> {
        Err(BrokerError::Unsupported("its journal is not paged".into()))
    }
}
