use super::*;
use chrono::TimeDelta;
use domain::{ClientOrderId, Lifetime, NewOrder, Pricing, Size};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn order(at_seconds: i64, account: AccountId) -> Order {
    let id = OrderId::generate();
    let quantity = "1".parse().unwrap();
    let wish = NewOrder {
        account_id: account,
        symbol: "AAPL".parse().unwrap(),
        side: Side::Buy,
        pricing: Pricing::Market,
        lifetime: Lifetime::Day,
        size: Size::Shares(quantity),
    };
    let at = DateTime::from_timestamp(at_seconds, 0).unwrap();
    let user = domain::UserId::generate();
    Order::denied(id, user, &ClientOrderId::from(id), (wish, quantity), Vec::new(), at).0
}

#[test]
fn a_cursor_is_read_back_and_nothing_else_is_one() {
    let place = Place::of(&order(1_800_000_000, AccountId::generate()));
    assert_eq!(place.to_string().parse(), Ok(place));
    for text in ["", "_", "1", "1_x", "x_0", "99999999999999999999_0", &place.id.to_string()] {
        assert_eq!(text.parse::<Place>(), Err(PlaceError), "{text:?}");
    }
}

#[test]
fn a_page_begins_at_the_nearer_of_its_cursor_and_its_end_of_time() {
    let to = DateTime::from_timestamp(1_000, 0).unwrap();
    let filter = OrderFilter { to: Some(to), ..OrderFilter::default() };
    assert_eq!(filter.first_place(None), Place::before(to));
    let earlier = Place::before(to - TimeDelta::seconds(1));
    assert_eq!(filter.first_place(Some(earlier)), earlier);
    assert_eq!(filter.first_place(Some(Place::start())), Place::before(to));
}

#[test]
fn what_is_asked_for_lies_in_as_few_lanes_as_can_be() {
    let statuses = |names: &[&'static str]| Some(names.iter().copied().collect());
    let symbol = Some("AAPL".parse().unwrap());
    for (filter, lanes) in [
        (OrderFilter::default(), vec![Lane::Everything]),
        (OrderFilter { symbol, ..OrderFilter::default() }, vec![Lane::Open, Lane::EndedOfSymbol]),
        (OrderFilter { statuses: statuses(&["NEW"]), ..OrderFilter::default() }, vec![Lane::Open]),
        (
            OrderFilter { statuses: statuses(&["FILLED", "DENIED"]), ..OrderFilter::default() },
            vec![Lane::Ended],
        ),
        (
            OrderFilter { statuses: statuses(&["FILLED", "NEW"]), ..OrderFilter::default() },
            vec![Lane::Open, Lane::Ended],
        ),
        (
            OrderFilter { statuses: statuses(&["FILLED"]), symbol, ..OrderFilter::default() },
            vec![Lane::EndedOfSymbol],
        ),
    ] {
        assert_eq!(filter.lanes(), lanes, "{filter:?}");
    }
}

/// A run as the database reads it: at most so many orders are looked at, and so many of those asked for are returned.
fn read(run: &[(Order, bool)], after: Option<Place>, scanned_max: usize, limit: usize) -> LaneRead {
    let behind = |order: &Order| after.is_none_or(|after| Place::of(order) < after);
    let scanned: Vec<_> = run.iter().filter(|(order, _)| behind(order)).take(scanned_max).collect();
    let searched_to = scanned.get(scanned_max - 1).map(|(order, _)| Place::of(order));
    let found = scanned.into_iter().filter(|(_, wanted)| *wanted).take(limit);
    LaneRead { orders: found.map(|(order, _)| order.clone()).collect(), searched_to }
}

proptest! {
    #[test]
    fn pages_show_every_order_once_and_in_order(
        orders in prop::collection::vec((0..3usize, 0..20i64, any::<bool>()), 0..80),
        scanned_max in 1..12usize, orders_max in 1..6usize,
    ) {
        let accounts: Vec<AccountId> = (0..3).map(|_| AccountId::generate()).collect();
        let mut runs = BTreeMap::<usize, Vec<(Order, bool)>>::new();
        for (run, at, wanted) in orders {
            runs.entry(run).or_default().push((order(at, accounts[run]), wanted));
        }
        for run in runs.values_mut() {
            run.sort_by_key(|(order, _)| std::cmp::Reverse(Place::of(order)));
        }
        let mut expected: Vec<Place> =
            runs.values().flatten().filter(|(_, wanted)| *wanted).map(|(order, _)| Place::of(order)).collect();
        expected.sort_by(|one, other| other.cmp(one));
        let (mut seen, mut after) = (Vec::new(), None);
        for _ in 0..1_000 {
            let lanes = runs.values().map(|run| read(run, after, scanned_max.max(orders_max + 1), orders_max + 1));
            let page = merge(lanes.collect(), orders_max);
            prop_assert!(page.orders.len() <= orders_max);
            prop_assert!(page.next.is_none_or(|next| after.is_none_or(|after| next < after)), "a page goes on");
            seen.extend(page.orders.iter().map(Place::of));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert!(after.is_none());
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn a_page_takes_steps_until_it_is_full_or_the_list_ends() {
    let account = AccountId::generate();
    let place = |at| Some(Place::before(DateTime::from_timestamp(at, 0).unwrap()));
    let step = |found: i64, next, is_cut_short| OrderPage {
        orders: (0..found).map(|at| order(at, account)).collect(),
        next,
        is_cut_short,
    };
    let mut page = OrderPage::begin(None);
    assert_eq!(page.lacks(3), Some(3));
    page.add(step(0, place(9), true), 3);
    assert_eq!((page.lacks(3), page.next), (Some(3), place(9)));
    page.add(step(2, place(8), true), 3);
    assert_eq!((page.lacks(3), page.is_cut_short), (Some(1), true));
    page.add(step(1, place(7), true), 3);
    assert_eq!((page.lacks(3), page.is_cut_short, page.next), (None, false, place(7)), "it is full");

    let mut last = OrderPage::begin(place(9));
    last.add(step(1, None, false), 3);
    assert_eq!((last.lacks(3), last.is_cut_short, last.next), (None, false, None));
}
