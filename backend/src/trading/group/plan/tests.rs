use super::*;
use proptest::prelude::*;

fn order(status: OrderStatus, quantity: u32, filled: u32) -> LegOrder {
    LegOrder {
        id: OrderId::generate(),
        status,
        quantity: quantity.into(),
        filled_quantity: filled.into(),
        cancel_requested: false,
        replace_requested: false,
    }
}

fn placed(name: LegName, order: LegOrder) -> Leg {
    Leg { name, state: LegState::Placed, order: Some(order) }
}

fn waiting(name: LegName) -> Leg {
    Leg { name, state: LegState::Waiting, order: None }
}

fn bracket(entry: LegOrder) -> Standing {
    let legs = vec![placed(LegName::Entry, entry), waiting(LegName::TakeProfit), waiting(LegName::StopLoss)];
    Standing { quantity: Decimal::TEN, is_native: false, cancel_requested: false, legs }
}

fn exits(profit: LegOrder, loss: LegOrder) -> Standing {
    let legs = vec![placed(LegName::TakeProfit, profit), placed(LegName::StopLoss, loss)];
    Standing { quantity: Decimal::TEN, is_native: false, cancel_requested: false, legs }
}

/// The same where the broker works the exits.
fn native(group: Standing) -> Standing {
    Standing { is_native: true, ..group }
}

fn shares(number: u32) -> Quantity {
    Quantity::new(number.into()).unwrap()
}

#[test]
fn the_exits_sleep_until_the_entry_is_complete() {
    for status in [OrderStatus::PendingNew, OrderStatus::New] {
        assert_eq!(next_steps(&bracket(order(status, 10, 0))), []);
    }
    assert_eq!(next_steps(&bracket(order(OrderStatus::PartiallyFilled, 10, 9))), []);
    assert_eq!(next_steps(&bracket(order(OrderStatus::Filled, 10, 10))), [Step::Wake(shares(10))]);
}

#[test]
fn an_entry_that_expired_half_filled_gets_exits_for_that_half() {
    assert_eq!(next_steps(&bracket(order(OrderStatus::Expired, 10, 4))), [Step::Wake(shares(4))]);
    assert_eq!(next_steps(&bracket(order(OrderStatus::Expired, 10, 0))), [Step::Drop]);
    assert_eq!(next_steps(&bracket(order(OrderStatus::Rejected, 10, 0))), [Step::Drop]);
}

#[test]
fn who_takes_back_the_entry_wants_no_exits() {
    let mut entry = order(OrderStatus::PartiallyFilled, 10, 4);
    entry.cancel_requested = true;
    assert_eq!(next_steps(&bracket(entry)), [Step::Drop]);
    entry.status = OrderStatus::Canceled;
    assert_eq!(next_steps(&bracket(entry)), [Step::Drop]);
}

#[test]
fn a_cancel_that_came_too_late_for_the_entry_leaves_its_exits() {
    let mut entry = order(OrderStatus::Filled, 10, 10);
    entry.cancel_requested = true;
    assert_eq!(next_steps(&bracket(entry)), [Step::Wake(shares(10))]);
}

#[test]
fn exits_that_the_broker_works_become_orders_when_the_entry_is_filled_whatever_is_wished_by_then() {
    let filled = order(OrderStatus::Filled, 10, 10);
    let wake = [Step::Wake(shares(10))];
    assert_eq!(next_steps(&native(bracket(filled))), wake);
    let unwanted = Standing { cancel_requested: true, ..native(bracket(filled)) };
    assert_eq!(next_steps(&unwanted), wake, "they stand at the broker, and are taken back as orders");
    let open = order(OrderStatus::PartiallyFilled, 10, 4);
    assert_eq!(next_steps(&native(bracket(open))), []);
    let unwanted = Standing { cancel_requested: true, ..native(bracket(open)) };
    assert_eq!(next_steps(&unwanted), [Step::Cancel(open.id)], "and what becomes of it decides about them");
    let asked =
        Standing { cancel_requested: true, ..native(bracket(LegOrder { cancel_requested: true, ..open })) };
    assert_eq!(next_steps(&asked), []);
}

#[test]
fn an_entry_that_ended_half_filled_has_no_exits_where_the_broker_works_them() {
    for status in [OrderStatus::Expired, OrderStatus::Canceled, OrderStatus::Rejected] {
        assert_eq!(next_steps(&native(bracket(order(status, 10, 4)))), [Step::Drop]);
    }
}

#[test]
fn what_follows_from_an_execution_the_broker_does_itself() {
    let (profit, loss) = (order(OrderStatus::PartiallyFilled, 10, 3), order(OrderStatus::New, 10, 0));
    assert_eq!(next_steps(&native(exits(profit, loss))), []);
    let filled = order(OrderStatus::Filled, 10, 10);
    assert_eq!(next_steps(&native(exits(filled, loss))), []);
    let canceled = order(OrderStatus::Canceled, 10, 0);
    assert_eq!(next_steps(&native(exits(filled, canceled))), [Step::Finish]);
    let unwanted = Standing { cancel_requested: true, ..native(exits(profit, loss)) };
    assert_eq!(next_steps(&unwanted), [Step::Cancel(profit.id), Step::Cancel(loss.id)]);
}

#[test]
fn what_one_exit_has_sold_the_other_gives_up() {
    let (profit, loss) = (order(OrderStatus::PartiallyFilled, 10, 3), order(OrderStatus::New, 10, 0));
    assert_eq!(next_steps(&exits(profit, loss)), [Step::Resize(loss.id, shares(7))]);
    let asked = LegOrder { replace_requested: true, ..loss };
    assert_eq!(next_steps(&exits(profit, asked)), []);
    let resized = LegOrder { quantity: 7.into(), ..loss };
    assert_eq!(next_steps(&exits(profit, resized)), []);
}

#[test]
fn an_exit_that_is_done_takes_the_other_with_it() {
    let (profit, loss) = (order(OrderStatus::Filled, 10, 10), order(OrderStatus::New, 10, 0));
    assert_eq!(next_steps(&exits(profit, loss)), [Step::Cancel(loss.id)]);
    assert_eq!(next_steps(&exits(loss, profit)), [Step::Cancel(loss.id)]);
    let canceled = LegOrder { status: OrderStatus::Canceled, cancel_requested: true, ..loss };
    assert_eq!(next_steps(&exits(profit, canceled)), [Step::Finish]);
}

#[test]
fn cancelling_one_cancels_the_group() {
    let (mut profit, loss) = (order(OrderStatus::New, 10, 0), order(OrderStatus::New, 10, 0));
    profit.cancel_requested = true;
    assert_eq!(next_steps(&exits(profit, loss)), [Step::Cancel(loss.id)]);
    let mut group = exits(loss, order(OrderStatus::New, 10, 0));
    group.cancel_requested = true;
    assert_eq!(next_steps(&group).len(), 2);
}

#[test]
fn an_exit_that_expires_leaves_the_other_at_work() {
    let (profit, loss) = (order(OrderStatus::Expired, 10, 0), order(OrderStatus::New, 10, 0));
    assert_eq!(next_steps(&exits(profit, loss)), []);
}

/// What may happen at a broker between two looks.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Fill { leg: usize, shares: u32 },
    Expire { leg: usize },
    OwnerCancels { leg: usize },
    Answer { leg: usize, accepted: bool },
}

fn happening() -> impl Strategy<Value = Happening> {
    let leg = 0usize..3;
    prop_oneof![
        4 => (leg.clone(), 1u32..12).prop_map(|(leg, shares)| Happening::Fill { leg, shares }),
        1 => leg.clone().prop_map(|leg| Happening::Expire { leg }),
        1 => leg.clone().prop_map(|leg| Happening::OwnerCancels { leg }),
        4 => (leg, any::<bool>()).prop_map(|(leg, accepted)| Happening::Answer { leg, accepted }),
    ]
}

/// A bracket with a broker that answers requests when it likes.
struct World {
    group: Standing,
    resizes: Vec<(OrderId, Quantity)>,
    finished: bool,
}

impl World {
    fn order(&mut self, id: OrderId) -> &mut LegOrder {
        self.group.legs.iter_mut().filter_map(|leg| leg.order.as_mut()).find(|order| order.id == id).unwrap()
    }

    fn act(&mut self) {
        for _ in 0..10 {
            let steps = next_steps(&self.group);
            if steps.is_empty() || self.finished {
                return;
            }
            for step in steps {
                self.take(step);
            }
        }
        panic!("the plan never rests: {:?}", self.group);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Wake(quantity) => {
                for leg in self.group.legs.iter_mut().filter(|leg| leg.state == LegState::Waiting) {
                    leg.state = LegState::Placed;
                    let quantity = quantity.value();
                    leg.order = Some(LegOrder { quantity, ..order(OrderStatus::New, 1, 0) });
                }
            }
            Step::Drop => {
                for leg in self.group.legs.iter_mut().filter(|leg| leg.state == LegState::Waiting) {
                    leg.state = LegState::Dropped;
                }
            }
            Step::Cancel(id) => {
                assert!(!self.order(id).cancel_requested, "asked twice");
                self.order(id).cancel_requested = true;
            }
            Step::Resize(id, quantity) => {
                assert!(!self.order(id).replace_requested, "asked twice");
                self.order(id).replace_requested = true;
                self.resizes.push((id, quantity));
            }
            Step::Finish => {
                assert!(self.group.legs.iter().all(|leg| leg.order.is_none_or(|order| !order.is_open())));
                self.finished = true;
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        let (Happening::Fill { leg, .. }
        | Happening::Expire { leg }
        | Happening::OwnerCancels { leg }
        | Happening::Answer { leg, .. }) = happening;
        let Some(mut order) = self.group.legs[leg].order.filter(LegOrder::is_open) else { return };
        match happening {
            Happening::Fill { shares, .. } => {
                let sold = Decimal::from(shares).min(order.quantity - order.filled_quantity);
                order.filled_quantity += sold;
                let done = order.filled_quantity == order.quantity;
                order.status = if done { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
            }
            Happening::Expire { .. } => order.status = OrderStatus::Expired,
            Happening::OwnerCancels { .. } => order.cancel_requested = true,
            Happening::Answer { accepted, .. } => self.answer(&mut order, accepted),
        }
        self.group.legs[leg].order = Some(order);
    }

    fn answer(&mut self, order: &mut LegOrder, accepted: bool) {
        if order.cancel_requested {
            // A cancel that is refused may be asked for again, as the books do.
            order.cancel_requested = accepted;
            if accepted {
                order.status = OrderStatus::Canceled;
            }
        } else if let Some(at) = self.resizes.iter().position(|(id, _)| *id == order.id) {
            let (_, quantity) = self.resizes.remove(at);
            order.replace_requested = false;
            if accepted {
                order.quantity = quantity.value().max(order.filled_quantity);
                if order.filled_quantity == order.quantity {
                    order.status = OrderStatus::Filled;
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn when_all_requests_are_answered_no_exit_can_sell_what_the_other_has_sold(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let group = bracket(order(OrderStatus::New, 10, 0));
        let mut world = World { group, resizes: Vec::new(), finished: false };
        for happening in happenings {
            world.happen(happening);
            world.act();
        }
        // The broker grants everything that is still asked for.
        for _ in 0..20 {
            for leg in 0..3 {
                world.happen(Happening::Answer { leg, accepted: true });
            }
            world.act();
        }
        let [entry, profit, loss] = [0, 1, 2].map(|leg| world.group.legs[leg].order);
        if let (Some(entry), Some(profit), Some(loss)) = (entry, profit, loss) {
            let sold = profit.filled_quantity + loss.filled_quantity;
            for exit in [profit, loss].into_iter().filter(LegOrder::is_open) {
                prop_assert!(exit.quantity - exit.filled_quantity + sold <= entry.filled_quantity, "{world:?}", world = world.group);
            }
        }
        if world.group.legs.iter().all(|leg| leg.order.is_none_or(|order| !order.is_open())) {
            prop_assert!(world.finished);
        }
    }
}
