//! A trader asks for other terms, and everything goes wrong with that.

use super::world::{Asked, World, symbol};
use crate::trading::order::{Order, Origin, Replacement};
use crate::trading::reconcile::{REPLACE_NOT_DONE, compare_terms};
use crate::trading::replace::{Circumstances, ask, judged, refuse};
use chrono::TimeDelta;
use domain::broker::{ReplaceOutcome, ReplaceRequest};
use domain::inquiry::OpenReplace;
use domain::{OrderId, OrderStatus, Price, Pricing, Quantity, ReplaceId};
use faulty_broker::Fault;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// How long the broker gets to do what it has taken.
const REPLACE_SECONDS_MAX: i64 = 30;

impl World {
    /// Requests that no report has answered.
    pub(super) fn open_replaces(&self) -> Vec<OpenReplace> {
        self.memory.orders.values().filter_map(Order::open_replace).collect()
    }

    pub(super) fn ask_for_other_terms(&mut self) {
        let is_open = |order: &&Order| {
            !order.status.is_terminal()
                && order.status != OrderStatus::PendingNew
                && order.replacing.is_none()
                && order.origin == Origin::Own
        };
        let open: Vec<OrderId> = self.memory.orders.values().filter(is_open).map(|order| order.id).collect();
        let Some(id) = self.chance.pick(&open).copied() else { return };
        let quantity = Quantity::new(Decimal::from(1 + self.chance.below(16))).unwrap();
        let price: Price = self.chance.pick(&["100", "101"]).unwrap().parse().unwrap();
        let order = self.memory.orders.get_mut(&id).unwrap();
        let pricing = Pricing::Limit(price);
        if (order.quantity, order.pricing) == (quantity, pricing) {
            return;
        }
        let circumstances = Circumstances {
            quote: &self.quote,
            symbol_halted: false,
            halt: None,
            key: None,
            margin: None,
            tariff: exchange::Tariff::Simulator,
            broker: None,
        };
        let Ok(terms) = judged(order, quantity, pricing, &self.memory.balances, circumstances, self.now)
        else {
            return;
        };
        let replacement = Replacement { id: ReplaceId::generate(), terms };
        let asking = ask(order, replacement, self.now);
        self.memory.balances.change(&order.hold_change(asking.hold_change));
        let request = order.open_replace().unwrap().asked;
        self.replaces.insert(id, Asked { request, sent_at: None, is_taken: false });
    }

    /// Sends what must be sent over a wire on which everything goes wrong.
    pub(super) fn deliver_replaces(&mut self) {
        for asked in self.due_replaces() {
            let fault = *self.chance.pick(&Fault::ALL).unwrap();
            if !self.manners.idempotent_orders {
                self.mark_replace(&asked, true);
                // A crash between the mark and the first byte.
                if self.chance.one_in(12) {
                    continue;
                }
            }
            let done = fault.is_done() && self.replace_at_venue(&asked);
            // A crash after the answer, before anything is made of it.
            if self.chance.one_in(12) {
                continue;
            }
            self.answer_replace(&asked, &fault.replace_outcome(done));
        }
    }

    /// The same on a good day.
    pub(super) fn deliver_replaces_in_peace(&mut self) {
        for asked in self.due_replaces() {
            let done = self.replace_at_venue(&asked);
            self.answer_replace(&asked, &Fault::None.replace_outcome(done));
        }
    }

    fn due_replaces(&mut self) -> Vec<ReplaceRequest> {
        let orders = &self.memory.orders;
        self.replaces.retain(|id, asked| {
            let replacing = orders.get(id).and_then(|order| order.replacing);
            replacing.is_some_and(|replacing| replacing.id == asked.request.replace_id)
        });
        let again = self.manners.idempotent_orders;
        let due =
            self.replaces.values().filter(|asked| !asked.is_taken && (again || asked.sent_at.is_none()));
        due.map(|asked| asked.request.clone()).collect()
    }

    fn mark_replace(&mut self, asked: &ReplaceRequest, is_sent: bool) {
        self.replaces.get_mut(&asked.order_id).unwrap().sent_at = is_sent.then_some(self.now);
    }

    fn replace_at_venue(&mut self, asked: &ReplaceRequest) -> bool {
        let now = self.now;
        let places = 0..self.venue.orders().len();
        let place = places.into_iter().find(|place| self.id_of(*place) == Some(asked.order_id));
        place.is_some_and(|place| self.venue.replace(place, asked, now))
    }

    fn answer_replace(&mut self, asked: &ReplaceRequest, outcome: &ReplaceOutcome) {
        match outcome {
            ReplaceOutcome::Accepted => {
                self.mark_replace(asked, true);
                self.replaces.get_mut(&asked.order_id).unwrap().is_taken = true;
            }
            ReplaceOutcome::Rejected { .. } => self.refuse(asked.order_id, asked.replace_id),
            ReplaceOutcome::Unsent(_) => self.mark_replace(asked, false),
            ReplaceOutcome::OutcomeUnknown { .. } => self.mark_replace(asked, true),
        }
    }

    fn refuse(&mut self, id: OrderId, request: ReplaceId) {
        let now = self.now;
        let order = self.memory.orders.get_mut(&id).unwrap();
        if let Some(refused) = refuse(order, request, None, now) {
            self.memory.balances.change(&order.hold_change(refused.hold_change));
        }
    }

    /// What a comparison does about requests that the broker should have done by now.
    pub(super) fn settle_undone(&mut self) {
        let long_ago = self.now - TimeDelta::seconds(REPLACE_SECONDS_MAX);
        let again = self.manners.idempotent_orders;
        let is_overdue = |asked: &&Asked| {
            (asked.is_taken || !again) && asked.sent_at.is_some_and(|sent_at| sent_at <= long_ago)
        };
        let overdue: BTreeSet<ReplaceId> =
            self.replaces.values().filter(is_overdue).map(|asked| asked.request.replace_id).collect();
        for (place, listed) in self.venue.listed_orders().into_iter().enumerate() {
            let Some(id) = self.id_of(place) else { continue };
            let Some(order) = self.memory.orders.get(&id) else { continue };
            let difference = compare_terms(order, &listed.state(self.account, id), &overdue);
            if let Some(difference) = difference {
                assert_eq!(difference.kind, REPLACE_NOT_DONE, "of {}: {difference:?} {order:#?}", symbol());
                let request = order.replacing.unwrap().id;
                self.refuse(id, request);
            }
        }
    }
}
