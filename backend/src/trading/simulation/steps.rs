//! What can happen.

use super::world::{World, symbol};
use crate::trading::decide::{Answer, Locked, Wish, decide};
use crate::trading::delivery::{self, Delivery, Inquiry, Sent, Step, delivery};
use crate::trading::order::{Found, Order};
use broker_connector::recovery::plan::{missing, owners};
use domain::broker::{OrderRequest, ReportKind};
use domain::inquiry::Finding;
use domain::{ClientOrderId, Lifetime, NewOrder, OrderId, OrderStatus, Pricing, Quantity, Side, Size};
use faulty_broker::{Fault, Venue};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rounds in which everything calms down; each is longer than any wait of the server.
const CALM_ROUNDS: usize = 12;
/// Seconds of such a round.
const CALM_SECONDS: i64 = 70;

impl World {
    /// Lets one thing happen.
    pub(super) fn step(&mut self) {
        let now = self.now;
        match self.chance.below(16) {
            0 | 1 => self.place(),
            2 => self.dispatch(),
            // A crash: what was only in memory is gone.
            3 => self.queue.clear(),
            4 => self.scan(),
            5 => {
                let seconds = i64::try_from(self.chance.below(8)).unwrap();
                self.pass(seconds);
                self.inquire();
            }
            6 | 7 => {
                let working = self.venue.working();
                if let Some(order) = self.chance.pick(&working).copied() {
                    let quantity = Decimal::from(1 + self.chance.below(8));
                    self.venue.fill(order, quantity, self.price(), now);
                }
            }
            8 => self.end_one(),
            9 => self.cancel(),
            10 => {
                let count = 1 + self.chance.below(4);
                self.listen(count);
            }
            11 => {
                let count = 1 + self.chance.below(6);
                self.apply(count);
            }
            12 => self.reconcile(),
            13 => self.ask_for_other_terms(),
            14 => self.deliver_replaces(),
            _ => self.meddle(),
        }
    }

    fn price(&self) -> domain::Price {
        "99.5".parse().unwrap()
    }

    /// A trader places an order, and is answered.
    fn place(&mut self) {
        let shares = self.chance.below(12) + 1;
        let side = if self.chance.one_in(3) { Side::Sell } else { Side::Buy };
        let id = OrderId::generate();
        let wish = Wish {
            user_id: self.user,
            id,
            client_order_id: ClientOrderId::from(id),
            order: NewOrder {
                account_id: self.account,
                symbol: symbol(),
                side,
                pricing: Pricing::Limit("100".parse().unwrap()),
                lifetime: Lifetime::Gtc,
                size: Size::Shares(Quantity::new(Decimal::from(shares)).unwrap()),
            },
            quote: Some(self.quote.clone()),
            symbol_halted: false,
            closes_only: false,
            tariff: exchange::Tariff::Simulator,
            takes_amounts: false,
        };
        let unknown =
            |order: &Order| order.status == OrderStatus::PendingNew && order.unresolved_since.is_some();
        let unresolved = self.memory.orders.values().any(unknown).then_some((self.account, symbol()));
        let locked = Locked {
            balances: std::mem::take(&mut self.memory.balances),
            existing: HashMap::new(),
            unresolved: unresolved.into_iter().collect::<HashSet<_>>(),
            margins: HashMap::new(),
        };
        let (decisions, balances) = decide(&[wish], locked, self.now);
        self.memory.balances = balances;
        for answer in decisions.answers {
            let Answer::Placed(order) = answer else { panic!("it is new") };
            if order.status != OrderStatus::Denied {
                self.acknowledged.insert(order.id);
                self.queue.extend(order.request());
            }
            self.memory.orders.insert(order.id, *order);
        }
    }

    fn dispatch(&mut self) {
        for _ in 0..=self.chance.below(3) {
            let Some(request) = self.queue.pop_front() else { return };
            let order = self.memory.orders.get(&request.order_id).unwrap();
            // As from the queue: nothing was heard, nothing is looked up.
            let sent_at = self.inquiries.get(&order.id).and_then(|inquiry| inquiry.sent_at);
            if self.manners.idempotent_orders || sent_at.is_none() {
                self.send(&request);
            }
        }
    }

    fn scan(&mut self) {
        let overdue: Vec<Order> = self
            .memory
            .orders
            .values()
            .filter(|order| order.status == OrderStatus::PendingNew && order.unresolved_since.is_none())
            .cloned()
            .collect();
        for order in overdue {
            let sent_at = self.inquiries.get(&order.id).and_then(|inquiry| inquiry.sent_at);
            match delivery(&order, sent_at, self.manners, self.now) {
                Delivery::Send | Delivery::MarkAndSend => {
                    if let Some(request) = order.request() {
                        self.send(&request);
                    }
                }
                Delivery::Ask => self.mark_unresolved(order.id),
                Delivery::Wait => {}
            }
        }
    }

    fn inquiry(&mut self, id: OrderId) -> &mut Inquiry {
        self.inquiries.entry(id).or_insert(Inquiry {
            order_id: id,
            sent_at: None,
            tries: 0,
            absences: 0,
            next_at: None,
            given_up_at: None,
        })
    }

    /// Sends an order over a wire on which everything goes wrong.
    fn send(&mut self, request: &OrderRequest) {
        let now = self.now;
        if !self.manners.idempotent_orders {
            self.inquiry(request.order_id).sent_at = Some(now);
            // A crash between the mark and the first byte.
            if self.chance.one_in(12) {
                return;
            }
        }
        let fault = *self.chance.pick(&Fault::ALL).unwrap();
        let place = fault.is_done().then(|| self.venue.place(request, now));
        let number = place.map(Venue::number);
        let outcome = fault.place_outcome(number.clone());
        if let (Fault::None, Some(number)) = (fault, number) {
            self.links.entry(number).or_insert(request.order_id);
        }
        // A crash after the answer, before anything is made of it.
        if self.chance.one_in(12) {
            return;
        }
        match delivery::sent(&outcome) {
            Sent::Known => {}
            Sent::Never => self.inquiry(request.order_id).sent_at = None,
            Sent::Unknown => self.mark_unresolved(request.order_id),
        }
    }

    fn mark_unresolved(&mut self, id: OrderId) {
        let now = self.now;
        let order = self.memory.orders.get_mut(&id).unwrap();
        if order.status != OrderStatus::PendingNew || order.unresolved_since.is_some() {
            return;
        }
        order.unresolved_since = Some(now);
        order.log("unresolved", None, now);
        self.inquiry(id).open(now);
    }

    fn inquire(&mut self) {
        let now = self.now;
        let due: Vec<OrderRequest> = self
            .memory
            .orders
            .values()
            .filter(|order| order.status == OrderStatus::PendingNew && order.unresolved_since.is_some())
            .filter(|order| {
                let inquiry = self.inquiries.get(&order.id);
                inquiry.and_then(|inquiry| inquiry.next_at).is_some_and(|next| next <= now)
            })
            .filter_map(Order::description)
            .collect();
        for request in due {
            let finding = self.find(&request);
            let manners = self.manners;
            match self.inquiry(request.order_id).answer(&finding, manners, now) {
                Step::Wait => {}
                Step::SendAgain => {
                    let fault = *self.chance.pick(&Fault::ALL).unwrap();
                    if fault.is_done() {
                        self.venue.place(&request, now);
                    }
                }
                Step::GiveUp => self.incidents.push((Some(request.order_id), "unresolved_order")),
            }
        }
    }

    fn find(&mut self, request: &OrderRequest) -> Finding {
        // A page in the middle may fail: then nothing is known.
        if self.chance.one_in(4) {
            return Finding::Unclear { reason: "500".to_owned() };
        }
        let unclear = self.look();
        let orders = self.venue.listed_orders();
        let found = orders.iter().enumerate().find(|(place, _)| self.id_of(*place) == Some(request.order_id));
        match found {
            Some((_, order)) => {
                Finding::Found { order: Box::new(order.state(self.account, request.order_id)) }
            }
            None if unclear.contains(&request.order_id) => {
                Finding::Unclear { reason: "several may be it".to_owned() }
            }
            None => Finding::Absent,
        }
    }

    /// What the connector does with a complete history: links, and writes what the journal lacks.
    fn look(&mut self) -> HashSet<OrderId> {
        let listed = self.venue.listed_orders();
        let owners = owners(&listed, &self.links, &self.waiting(), self.now);
        for (number, id) in &owners.matched {
            self.links.insert(number.clone(), *id);
        }
        for number in &owners.external {
            self.links.insert(number.clone(), OrderId::generate());
        }
        let ids: Vec<Option<OrderId>> = (0..listed.len()).map(|place| self.id_of(place)).collect();
        let numbers: HashMap<String, OrderId> = listed
            .iter()
            .zip(&ids)
            .filter_map(|(order, id)| Some((order.broker_order_id.clone(), (*id)?)))
            .collect();
        let orders: BTreeMap<OrderId, _> =
            listed.into_iter().zip(ids).filter_map(|(order, id)| Some((id?, order))).collect();
        let executions: Vec<_> = self
            .venue
            .listed_executions()
            .into_iter()
            .filter_map(|execution| Some((*numbers.get(&execution.broker_order_id)?, execution)))
            .collect();
        for entry in missing(self.account, &orders, &executions, &self.told, &self.open_replaces()) {
            self.write_report(entry.report.order_id, entry.report.kind, entry.report.occurred_at);
        }
        owners.unclear.into_iter().collect()
    }

    fn reconcile(&mut self) {
        if self.chance.one_in(4) {
            return;
        }
        self.look();
        self.apply(self.journal.len());
        self.import();
        self.settle_undone();
    }

    /// Writes orders that reports wait for, as they were found at the broker.
    fn import(&mut self) {
        let waiting: Vec<OrderId> = self
            .orphans
            .iter()
            .map(|id| self.journal.get(usize::try_from(id - 1).unwrap()).unwrap().order_id)
            .collect();
        for id in waiting {
            if self.memory.orders.contains_key(&id) {
                continue;
            }
            let orders = self.venue.listed_orders();
            let found = orders.iter().enumerate().find(|(place, _)| self.id_of(*place) == Some(id));
            let state = found.map(|(_, order)| order.state(self.account, id)).unwrap();
            let (owner, worst_price) = (self.user, state.limit_price);
            let found = Found { owner, state: &state, worst_price, tariff: exchange::Tariff::Simulator };
            let (order, _) = Order::found(&found, self.now).unwrap();
            self.memory.balances.change(&order.hold_change(order.held));
            self.memory.orders.insert(id, order);
        }
        self.apply_orphans();
    }

    fn end_one(&mut self) {
        let (now, working) = (self.now, self.venue.working());
        let Some(order) = self.chance.pick(&working).copied() else { return };
        let kind = match self.chance.below(2) {
            0 => ReportKind::Canceled { reason: Some("the venue".to_owned()) },
            _ => ReportKind::Expired,
        };
        self.venue.end(order, kind, now);
    }

    /// A trader takes an order back; the cancel may cross a fill, and its answer may be lost.
    fn cancel(&mut self) {
        let open: Vec<OrderId> = self
            .memory
            .orders
            .values()
            .filter(|order| !order.status.is_terminal() && order.status != OrderStatus::PendingNew)
            .map(|order| order.id)
            .collect();
        if let Some(id) = self.chance.pick(&open).copied() {
            self.cancels.insert(id);
        }
        self.deliver_cancels();
    }

    fn deliver_cancels(&mut self) {
        let now = self.now;
        for id in self.cancels.clone() {
            let fault = *self.chance.pick(&Fault::ALL).unwrap();
            let places = 0..self.venue.orders().len();
            let place = places.into_iter().find(|place| self.id_of(*place) == Some(id));
            if fault.is_done()
                && let Some(place) = place
            {
                self.venue.end(place, ReportKind::Canceled { reason: None }, now);
            }
            if fault == Fault::None {
                self.cancels.remove(&id);
            }
        }
    }

    /// Rare things: executions are undone or corrected, somebody else trades in the account.
    fn meddle(&mut self) {
        let now = self.now;
        let standing: Vec<usize> = self
            .venue
            .executions()
            .iter()
            .enumerate()
            .filter(|(_, execution)| execution.stands)
            .map(|(place, _)| place)
            .collect();
        match self.chance.below(3) {
            0 => {
                if let Some(execution) = self.chance.pick(&standing) {
                    self.venue.bust(*execution, now);
                }
            }
            1 => {
                if let Some(execution) = self.chance.pick(&standing) {
                    self.venue.correct(*execution, "99.25".parse().unwrap(), now);
                }
            }
            _ => {
                let mut request = self.template();
                request.quantity = Quantity::new(Decimal::from(13 + self.chance.below(5))).unwrap();
                self.venue.place_external(&request, now);
            }
        }
    }

    /// An order of somebody else: none of ours has its size.
    fn template(&self) -> OrderRequest {
        let id = OrderId::generate();
        let side = if self.venue.orders().len().is_multiple_of(2) { "buy" } else { "sell" };
        serde_json::from_value(serde_json::json!({
            "orderId": id, "accountId": self.account, "symbol": symbol(), "side": side, "orderType": "limit",
            "timeInForce": "gtc", "quantity": "13", "limitPrice": "100", "protectionPrice": null,
            "submittedAt": self.now,
        }))
        .unwrap()
    }

    /// Nothing goes wrong any more: everything that is known somewhere must reach the books.
    pub(super) fn calm_down(&mut self) {
        for round in 0..CALM_ROUNDS {
            self.pass(CALM_SECONDS);
            self.scan_in_peace();
            self.inquire();
            self.deliver_replaces_in_peace();
            self.listen(usize::MAX);
            self.look();
            self.apply(self.journal.len());
            self.import();
            self.settle_undone();
            self.ask_the_trader();
            if round > 0 && self.is_settled() {
                return;
            }
        }
    }

    fn is_settled(&self) -> bool {
        let heard_of = |order: &Order| order.status != OrderStatus::PendingNew && order.replacing.is_none();
        let known = (0..self.venue.orders().len()).all(|place| self.id_of(place).is_some());
        known
            && self.stream.is_empty()
            && self.orphans.is_empty()
            && self.cursor == self.journal.len()
            && self.memory.orders.values().all(heard_of)
    }

    /// The scan on a good day: what must be sent arrives and is answered.
    fn scan_in_peace(&mut self) {
        let now = self.now;
        for order in self.memory.orders.values().cloned().collect::<Vec<_>>() {
            let sent_at = self.inquiries.get(&order.id).and_then(|inquiry| inquiry.sent_at);
            match delivery(&order, sent_at, self.manners, now) {
                Delivery::Send | Delivery::MarkAndSend => {
                    let Some(request) = order.request() else { continue };
                    self.inquiry(order.id).sent_at = Some(now);
                    let place = self.venue.place(&request, now);
                    self.links.entry(Venue::number(place)).or_insert(order.id);
                }
                Delivery::Ask => self.mark_unresolved(order.id),
                Delivery::Wait => {}
            }
        }
    }

    /// Whoever was told that only a person can say looks at the broker and says so.
    fn ask_the_trader(&mut self) {
        let stuck: Vec<OrderId> = self
            .memory
            .orders
            .values()
            .filter(|order| order.unresolved_since.is_some() && !order.status.is_terminal())
            .filter(|order| {
                self.inquiries.get(&order.id).is_some_and(|inquiry| inquiry.given_up_at.is_some())
            })
            .map(|order| order.id)
            .collect();
        for id in stuck {
            assert!(self.incidents.contains(&(Some(id), "unresolved_order")), "somebody was told");
            match self.venue.place_of(id) {
                Some(place) => drop(self.links.insert(Venue::number(place), id)),
                None => {
                    let kind = ReportKind::Rejected { reason: "never_arrived".to_owned() };
                    self.write_report(id, kind, self.now);
                }
            }
        }
    }
}
