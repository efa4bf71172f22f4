//! What must be true in the end, reckoned anew from what the venue did.

use super::world::{CASH, World, symbol};
use crate::account::Commodity;
use domain::{Currency, OrderId, OrderStatus, Side};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

impl World {
    pub(super) fn judge(&self) {
        self.nothing_is_under_way();
        self.every_order_is_there_once();
        self.every_execution_is_booked_once();
        self.money_and_shares_are_what_the_venue_moved();
        self.holds_are_due();
    }

    fn nothing_is_under_way(&self) {
        assert_eq!(self.cursor, self.journal.len());
        let line = |id: &i64| self.journal.get(usize::try_from(id - 1).unwrap()).map(|line| &line.report);
        let orphans: Vec<_> = self.orphans.iter().map(line).collect();
        assert!(orphans.is_empty(), "reports wait for ever: {orphans:#?} {:#?}", self.executions);
        for order in self.memory.orders.values() {
            assert_ne!(
                order.status,
                OrderStatus::PendingNew,
                "{order:#?} {:?}",
                self.inquiries.get(&order.id)
            );
            assert!(order.unresolved_since.is_none(), "{order:#?}");
            assert!(order.replacing.is_none(), "{order:#?} {:?}", self.replaces.get(&order.id));
        }
    }

    fn every_order_is_there_once(&self) {
        let mut places = BTreeMap::<OrderId, Vec<usize>>::new();
        for (place, order) in self.venue.orders().iter().enumerate().filter(|(_, order)| !order.external) {
            places.entry(order.request.order_id).or_default().push(place);
        }
        for id in &self.acknowledged {
            let order = self.memory.orders.get(id).expect("an acknowledged order is never lost");
            match places.get(id).map_or(&[][..], Vec::as_slice) {
                [] => assert_eq!(order.status, OrderStatus::Rejected, "what is not there is known not to be"),
                [place] => {
                    let theirs = self.venue.orders().get(*place).unwrap();
                    assert_eq!(order.status, theirs.status, "{order:#?} {theirs:#?}");
                    assert_eq!(order.filled_quantity, self.venue.filled(*place), "{order:#?}");
                    // What ends takes a request along that it crosses.
                    if !matches!(order.status, OrderStatus::Canceled | OrderStatus::Expired) {
                        let terms = (theirs.request.quantity, theirs.request.limit_price);
                        assert_eq!((order.quantity, order.pricing.limit_price()), terms, "{order:#?}");
                    }
                }
                several => panic!("{id} is at the venue {} times", several.len()),
            }
        }
        let known: BTreeSet<OrderId> =
            (0..self.venue.orders().len()).filter_map(|place| self.id_of(place)).collect();
        assert_eq!(known.len(), self.venue.orders().len(), "whatever is at the venue is known here");
        assert!(known.iter().all(|id| self.memory.orders.contains_key(id)));
    }

    fn every_execution_is_booked_once(&self) {
        let standing: BTreeSet<&String> = self
            .venue
            .executions()
            .iter()
            .filter(|execution| execution.stands)
            .map(|execution| &execution.execution_id)
            .collect();
        let booked: BTreeSet<&String> =
            self.executions.iter().filter(|(_, booked)| !booked.is_undone).map(|(id, _)| id).collect();
        assert_eq!(booked, standing);
    }

    fn money_and_shares_are_what_the_venue_moved(&self) {
        let (mut cash, mut shares) = (Decimal::from(CASH), Decimal::ZERO);
        for execution in self.venue.executions().iter().filter(|execution| execution.stands) {
            let (_, side) = self.venue.traded(execution.order).unwrap();
            let worth = execution.quantity.value() * execution.price.value();
            match side {
                Side::Buy => {
                    cash -= worth;
                    shares += execution.quantity.value();
                }
                Side::Sell => {
                    cash += worth;
                    shares -= execution.quantity.value();
                }
            }
        }
        let total = |commodity| self.memory.balances.balance(self.account, commodity).total;
        assert_eq!(total(Commodity::Cash(Currency::Usd)), cash);
        assert_eq!(total(Commodity::Shares(symbol())), shares);
    }

    fn holds_are_due(&self) {
        let (mut cash, mut shares) = (Decimal::ZERO, Decimal::ZERO);
        for order in self.memory.orders.values() {
            assert_eq!(order.held, order.hold_due(), "{order:#?}");
            assert!(!order.status.is_terminal() || order.held.is_zero(), "{order:#?}");
            if order.holds_cash() { cash += order.held } else { shares += order.held }
        }
        let held = |commodity| self.memory.balances.balance(self.account, commodity).held;
        assert_eq!(held(Commodity::Cash(Currency::Usd)), cash);
        assert_eq!(held(Commodity::Shares(symbol())), shares);
    }
}
