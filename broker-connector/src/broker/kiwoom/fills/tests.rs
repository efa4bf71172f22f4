use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn row(quantity: i64, worth: i64) -> FilledRow {
    FilledRow {
        number: "0000001".into(),
        quantity,
        worth: Decimal::from(worth),
        commission: Decimal::from(30),
        tax: Decimal::from(7),
        ordered_at: None,
    }
}

fn told(through: i64, quantity: i64, price: i64) -> Told {
    Told { through, quantity, price: Decimal::from(price), at: at(through) }
}

/// From, to and price of each.
fn outline(spans: &[Span]) -> Vec<(i64, i64, i64)> {
    spans.iter().map(|span| (span.from, span.to, i64::try_from(span.price).unwrap())).collect()
}

#[test]
fn executions_are_as_the_stream_told_them_in_whatever_order_and_how_often() {
    let all = [told(10, 4, 70_100), told(3, 3, 70_000), told(10, 4, 70_100), told(6, 3, 70_000)];
    let spans = missing(&[], &row(10, 6 * 70_000 + 4 * 70_100), &all, at(99));
    assert_eq!(outline(&spans), [(0, 3, 70_000), (3, 6, 70_000), (6, 10, 70_100)]);
    assert_eq!(spans.iter().map(|span| span.commission).sum::<Decimal>(), Decimal::from(30));
}

#[test]
fn what_the_stream_lost_is_taken_from_the_list_and_costs_the_same() {
    // 3 at 70,000 and 4 at 70,100: the average is no whole price.
    let worth = 3 * 70_000 + 4 * 70_100;
    let spans = missing(&[], &row(7, worth), &[told(7, 4, 70_100)], at(99));
    let sum: Decimal = spans.iter().map(Span::worth).sum();
    assert_eq!(sum, Decimal::from(worth), "{spans:?}");
    assert_eq!(spans.iter().map(Span::quantity).sum::<i64>(), 7);
}

#[test]
fn no_share_is_in_two_executions_whatever_comes_later() {
    let first = missing(&[], &row(5, 5 * 70_000), &[], at(1));
    assert_eq!(outline(&first), [(0, 5, 70_000)]);
    // The stream tells of the same shares afterwards, and of two more.
    let all = [told(3, 3, 70_000), told(5, 2, 70_000), told(7, 2, 70_200)];
    let second = missing(&first, &row(7, 5 * 70_000 + 2 * 70_200), &all, at(2));
    assert_eq!(outline(&second), [(5, 7, 70_200)]);
    let fees: Decimal = second.iter().map(|span| span.commission).sum();
    assert_eq!(fees, Decimal::ZERO, "they were counted with the first");
    let both: Vec<Span> = first.into_iter().chain(second).collect();
    assert!(missing(&both, &row(7, 5 * 70_000 + 2 * 70_200), &all, at(3)).is_empty());
}

#[test]
fn a_list_that_is_behind_changes_nothing() {
    let written = [span(0, 5, Decimal::from(70_000), at(1))];
    assert!(missing(&written, &row(3, 3 * 70_000), &[], at(2)).is_empty());
}

#[test]
fn a_story_of_the_stream_that_costs_something_else_is_not_believed() {
    let spans = missing(&[], &row(2, 2 * 70_000), &[told(2, 2, 71_000)], at(1));
    assert_eq!(outline(&spans), [(0, 2, 70_000)]);
}

#[test]
fn gaps_between_executions_are_filled() {
    let price = Decimal::from(100);
    let written = [span(2, 4, price, at(1)), span(6, 7, price, at(1))];
    let spans = missing(&written, &row(9, 900), &[], at(2));
    assert_eq!(outline(&spans), [(0, 2, 100), (4, 6, 100), (7, 9, 100)]);
}

#[test]
fn an_execution_has_the_order_and_its_shares_in_its_name() {
    assert_eq!(span(3, 5, Decimal::ONE, at(0)).execution_id("20261123-0000001"), "20261123-0000001:3-5");
}
