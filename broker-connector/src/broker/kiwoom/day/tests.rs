use super::*;
use chrono::DateTime;
use domain::Side;

fn row(number: &str, quantity: i64, filled: i64, open: i64) -> OrderRow {
    OrderRow {
        number: number.into(),
        kind: RowKind::New,
        original: None,
        code: "005930".into(),
        side: Side::Buy,
        type_words: "보통".into(),
        quantity,
        open,
        filled,
        average: Decimal::from(70_000),
        price: Decimal::from(70_000),
        stop: Decimal::ZERO,
        is_confirmed: false,
        is_rejected: false,
        at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    }
}

fn about(kind: RowKind, number: &str, original: &str, quantity: i64) -> OrderRow {
    let open = if kind == RowKind::Change { quantity } else { 0 };
    OrderRow { kind, original: Some(original.into()), is_confirmed: true, ..row(number, quantity, 0, open) }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn read(rows: &[OrderRow], is_over: bool) -> Vec<ListedOrder> {
    let symbols = HashMap::from([("005930".to_owned(), "005930.KS".parse().unwrap())]);
    orders(rows, &Known { day: day(), is_over, symbols: &symbols, requests: &HashMap::new() })
}

fn statuses(rows: &[OrderRow]) -> Vec<OrderStatus> {
    read(rows, false).iter().map(|order| order.status).collect()
}

#[test]
fn where_an_order_stands_follows_from_its_shares_and_from_what_speaks_of_it() {
    use OrderStatus::{Canceled, Filled, New, PartiallyFilled, Rejected, Replaced};
    assert_eq!(statuses(&[row("1", 10, 0, 10)]), [New]);
    assert_eq!(statuses(&[row("1", 10, 4, 6)]), [PartiallyFilled]);
    assert_eq!(statuses(&[row("1", 10, 10, 0)]), [Filled]);
    assert_eq!(statuses(&[row("1", 10, 4, 0), about(RowKind::Cancel, "2", "1", 6)]), [Canceled]);
    assert_eq!(
        statuses(&[row("1", 10, 4, 6), about(RowKind::Cancel, "2", "1", 6)]),
        [Canceled],
        "a list that is behind"
    );
    assert_eq!(statuses(&[row("1", 10, 0, 0), about(RowKind::Change, "2", "1", 10)]), [Replaced, New]);
    assert_eq!(statuses(&[OrderRow { is_rejected: true, ..row("1", 10, 0, 0) }]), [Rejected]);
}

#[test]
fn what_the_market_did_not_confirm_has_not_happened() {
    for kind in [RowKind::Cancel, RowKind::Change] {
        let asked = OrderRow { is_confirmed: false, ..about(kind, "2", "1", 10) };
        assert_eq!(statuses(&[row("1", 10, 0, 10), asked]), [OrderStatus::New]);
        let refused = OrderRow { is_rejected: true, ..about(kind, "2", "1", 10) };
        assert_eq!(statuses(&[row("1", 10, 0, 10), refused]), [OrderStatus::New]);
    }
}

#[test]
fn a_chain_of_changes_is_one_line_whichever_number_they_name() {
    for originals in [["1", "2"], ["1", "1"]] {
        let [second, third] = originals;
        let rows = [
            row("1", 10, 4, 0),
            about(RowKind::Change, "2", second, 6),
            OrderRow { open: 0, ..about(RowKind::Change, "2", second, 6) },
            about(RowKind::Change, "3", third, 6),
        ];
        let read = read(&[rows[0].clone(), rows[2].clone(), rows[3].clone()], false);
        let before: Vec<_> = read
            .iter()
            .map(|order| order.replaces.as_ref().map(|before| before.broker_order_id.as_str()))
            .collect();
        assert_eq!(before, [None, Some("20261123-0000001"), Some("20261123-0000002")]);
    }
}

#[test]
fn what_is_left_when_the_day_is_over_has_expired() {
    let statuses: Vec<_> =
        read(&[row("1", 10, 4, 6), row("2", 10, 10, 0)], true).iter().map(|order| order.status).collect();
    assert_eq!(statuses, [OrderStatus::Expired, OrderStatus::Filled]);
    let unfilled = OrderRow { type_words: "보통(IOC)".into(), ..row("1", 10, 4, 0) };
    assert_eq!(read(&[unfilled], false)[0].status, OrderStatus::Expired);
}
