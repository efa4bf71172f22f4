use super::*;
use crate::broker::Predecessor;
use crate::recovery::fixtures;
use domain::ReplaceId;
use rust_decimal::Decimal;

fn listed(number: &str, quantity: u32, replaces: Option<(&str, Option<ReplaceId>)>) -> ListedOrder {
    let replaces =
        replaces.map(|(number, replace_id)| Predecessor { broker_order_id: number.into(), replace_id });
    ListedOrder { replaces, ..fixtures::listed(number, quantity, 0) }
}

#[test]
fn an_order_with_three_numbers_is_one_order_under_the_newest() {
    let ours = OrderId::generate();
    let (first, second) = (ReplaceId::generate(), ReplaceId::generate());
    let gone = |order: ListedOrder| ListedOrder { status: OrderStatus::Replaced, ..order };
    let chains = chains(vec![
        listed("c", 30, Some(("b", Some(second)))),
        ListedOrder { known_as: Some(ours), ..gone(listed("a", 10, None)) },
        gone(listed("b", 20, Some(("a", Some(first))))),
        listed("x", 1, None),
    ]);
    assert_eq!(chains.len(), 2);
    let chain = chains.iter().find(|chain| chain.numbers.len() == 3).unwrap();
    assert_eq!(chain.numbers, ["a", "b", "c"]);
    assert_eq!(chain.order.broker_order_id, "c");
    assert_eq!(chain.order.known_as, Some(ours));
    assert_eq!((chain.order.status, chain.order.quantity), (OrderStatus::New, Decimal::from(30)));
    let ids: Vec<ReplaceId> = chain
        .came_true
        .iter()
        .filter_map(|(kind, _)| match kind {
            ReportKind::Replaced { replace_id, .. } => Some(*replace_id),
            _ => None,
        })
        .collect();
    assert_eq!(ids, [first, second]);
}

#[test]
fn a_successor_that_was_refused_changes_nothing() {
    let refused = ListedOrder {
        status: OrderStatus::Rejected,
        ..listed("b", 20, Some(("a", Some(ReplaceId::generate()))))
    };
    let filled =
        ListedOrder { status: OrderStatus::Filled, filled_quantity: Decimal::TEN, ..listed("a", 10, None) };
    let chains = chains(vec![filled.clone(), refused]);
    let [chain] = chains.as_slice() else { panic!("{chains:?}") };
    assert_eq!((&chain.order, chain.came_true.len()), (&filled, 0));
}

#[test]
fn an_order_whose_successor_is_not_listed_yet_works() {
    let chains = chains(vec![ListedOrder { status: OrderStatus::Replaced, ..listed("a", 10, None) }]);
    assert_eq!(chains.first().map(|chain| chain.order.status), Some(OrderStatus::New));
}

#[test]
fn what_was_executed_under_an_earlier_number_counts() {
    let before = ListedOrder {
        status: OrderStatus::Replaced,
        filled_quantity: Decimal::from(3),
        ..listed("a", 10, None)
    };
    let after = ListedOrder { filled_quantity: Decimal::ONE, ..listed("b", 7, Some(("a", None))) };
    let chains = chains(vec![before, after]);
    let order = chains.first().map(|chain| chain.order.clone()).unwrap();
    assert_eq!((order.quantity, order.filled_quantity), (Decimal::TEN, Decimal::from(4)));
}

#[test]
fn an_order_that_is_listed_twice_counts_as_it_was_listed_last() {
    let ended = ListedOrder { status: OrderStatus::Canceled, ..listed("a", 10, None) };
    let chains = chains(vec![listed("a", 10, None), ended.clone()]);
    assert_eq!(chains.iter().map(|chain| chain.order.clone()).collect::<Vec<_>>(), [ended]);
}

#[test]
fn numbers_that_follow_each_other_in_a_circle_end() {
    let chains = chains(vec![listed("a", 10, Some(("b", None))), listed("b", 10, Some(("a", None)))]);
    assert!(chains.is_empty(), "nobody can say which of them is first");
}

#[test]
fn a_size_that_the_broker_has_changed_by_itself_came_true_under_its_own_name() {
    let (before, change) = (listed("a", 10, None), ReplaceId::generate());
    let in_place = ListedOrder { resized_by: Some(change), ..listed("a", 6, None) };
    let gone = ListedOrder { status: OrderStatus::Replaced, ..before };
    let by_another = ListedOrder { resized_by: Some(change), ..listed("b", 6, Some(("a", None))) };
    for listed in [vec![in_place], vec![gone, by_another]] {
        let chains = chains(listed);
        let [chain] = chains.as_slice() else { panic!("{chains:?}") };
        let [(ReportKind::Replaced { replace_id, quantity, limit_price, .. }, _)] =
            chain.came_true.as_slice()
        else {
            panic!("{chain:?}")
        };
        assert_eq!((*replace_id, quantity.value()), (change, Decimal::from(6)));
        assert_eq!(*limit_price, Some("100".parse().unwrap()), "its prices stay");
    }
}
