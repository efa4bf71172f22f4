//! How much of what is traded an order can have.

use super::*;

#[test]
fn at_once_takes_what_there_is_and_all_or_nothing_takes_nothing_less() {
    let mut book = book_at(15_000);
    book.submit(BookOrder { patience: Patience::AtOnce, ..buy(1, 15_100, 30) }, start());
    assert!(next(&mut book, 0, 15_000, 0).is_empty(), "nothing was traded yet");
    let events = next(&mut book, 1, 15_000, 200);
    assert_eq!((fills(&events)[0].1, reasons(&events)), (20.into(), vec![CancelReason::NotExecutableAtOnce]));
    book.submit(BookOrder { patience: Patience::AllAtOnce, ..buy(2, 15_100, 30) }, start());
    let events = next(&mut book, 2, 15_000, 200);
    assert_eq!((fills(&events).len(), reasons(&events)), (0, vec![CancelReason::NotExecutableAtOnce]));
    book.submit(BookOrder { patience: Patience::AllAtOnce, ..buy(3, 15_100, 30) }, start());
    assert_eq!(fills(&next(&mut book, 3, 15_000, 300))[0].1, 30.into());
}

#[test]
fn many_small_trades_are_as_much_as_a_large_one() {
    let mut book = book_at(15_000);
    let mut executed = |order: BookOrder, minutes: std::ops::Range<i64>| -> Vec<Decimal> {
        book.submit(order, start());
        let trades = minutes.flat_map(|minute| fills(&next(&mut book, minute, 15_000, 1)));
        trades.map(|(_, quantity, _)| quantity).collect()
    };
    assert_eq!(executed(buy(1, 15_100, 3), 0..30), [Decimal::ONE; 3], "a tenth of thirty");
    let at_once = BookOrder { patience: Patience::AtOnce, ..buy(2, 15_100, 1) };
    assert_eq!(executed(at_once, 30..40), [Decimal::ONE], "once there is something to have");
}
