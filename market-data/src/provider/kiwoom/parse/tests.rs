use super::*;
use serde_json::json;

const STREAM: &str = include_str!("../../../../test_data/kiwoom/stream.json");
const DAYS: &str = include_str!("../../../../test_data/kiwoom/days.json");
const MINUTES: &str = include_str!("../../../../test_data/kiwoom/minutes.json");
const BOOK: &str = include_str!("../../../../test_data/kiwoom/book.json");
const SHARES: &str = include_str!("../../../../test_data/kiwoom/shares.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn samsung() -> Symbol {
    "005930.KS".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-23T05:00:00Z".parse().unwrap()
}

/// The values of the first frame of a type.
fn values(kind: &str) -> Value {
    let frames = read(STREAM);
    let messages = frames.as_array().unwrap().iter().filter_map(|frame| message(frame).ok());
    let found = messages.flat_map(|message| message.news).find(|(told, ..)| told == kind);
    found.unwrap().2
}

fn with(kind: &str, key: &str, value: &str) -> Value {
    let mut values = values(kind);
    values[key] = value.into();
    values
}

#[test]
fn a_trade_is_a_quote_and_its_signs_are_no_part_of_the_prices() {
    let quote = traded(&values("0B"), samsung(), "kiwoom", now()).unwrap();
    assert_eq!(quote.price.to_string(), "69900");
    assert_eq!(
        [quote.open, quote.high, quote.low].map(|price| price.to_string()),
        ["70100", "70300", "69800"]
    );
    assert_eq!(
        (quote.bid.unwrap().to_string(), quote.ask.unwrap().to_string()),
        ("69900".into(), "70000".into())
    );
    assert_eq!(quote.previous_close.unwrap().to_string(), "70200", "the change is below zero");
    assert_eq!((quote.volume, quote.at.to_rfc3339()), (8_123_456, "2026-11-23T04:59:58+00:00".into()));
    assert_eq!(quote.session_date.to_string(), "2026-11-23");
    assert_eq!(crate::sanity::judge(&quote, None, now()), Ok(()));
}

#[test]
fn what_is_missing_or_odd_in_a_trade_makes_it_no_price() {
    let judged = |key: &str, value: &str| traded(&with("0B", key, value), samsung(), "kiwoom", now());
    for (key, value, reason) in [
        ("10", "", Reason::Unreadable),
        ("10", "0", Reason::Zero),
        ("10", "--69900", Reason::Unreadable),
        ("10", "6.9e4", Reason::Unreadable),
        ("10", "-", Reason::Unreadable),
        ("16", "+0", Reason::Zero),
        ("13", "12.5", Reason::Unreadable),
        ("20", "246060", Reason::Unreadable),
        ("20", "1359", Reason::Unreadable),
        ("25", "2", Reason::Inconsistent),
        ("25", "9", Reason::Unreadable),
        ("11", "+69900", Reason::Inconsistent),
        ("27", "many", Reason::Unreadable),
    ] {
        assert_eq!(judged(key, value), Err(reason), "{key}={value}");
    }
    for key in ["10", "11", "13", "16", "17", "18", "20", "25", "27", "28"] {
        let mut values = values("0B");
        values.as_object_mut().unwrap().remove(key);
        assert_eq!(traded(&values, samsung(), "kiwoom", now()), Err(Reason::Unreadable), "{key} is missing");
    }
    assert_eq!(judged("28", "0").unwrap().bid, None, "nobody wants to buy");
    let crossed = judged("28", "-70100").unwrap();
    assert_eq!((crossed.bid, crossed.ask), (None, None), "an auction has no best prices");
}

#[test]
fn a_time_that_has_not_come_yet_is_told_as_it_is() {
    let early: DateTime<Utc> = "2026-11-23T00:10:00Z".parse().unwrap();
    let quote = traded(&values("0B"), samsung(), "kiwoom", early).unwrap();
    assert_eq!(crate::sanity::judge(&quote, None, early), Err(Reason::Future));
}

#[test]
fn a_book_has_the_sides_in_order_and_leaves_out_who_is_not_there() {
    let sides = streamed_book(&values("0D"), now()).unwrap();
    assert_eq!((sides.asks.len(), sides.bids.len()), (9, 10));
    assert_eq!((sides.asks[0].price.to_string(), sides.asks[0].quantity), ("70000".into(), 11_000));
    assert_eq!((sides.bids[0].price.to_string(), sides.bids[0].quantity), ("69900".into(), 21_000));
    assert!(!sides.is_crossed());
    let disorder = streamed_book(&with("0D", "42", "-69000"), now());
    assert_eq!(disorder, Err(Reason::Inconsistent));
    let auction = streamed_book(&with("0D", "51", "-70500"), now()).unwrap();
    assert!(auction.is_crossed() && auction.best() == (None, None));
    assert_eq!(streamed_book(&json!({}), now()), Err(Reason::Unreadable));
}

#[test]
fn a_book_that_was_asked_for_is_of_the_last_such_time() {
    let sides = answered_book(&read(BOOK), now()).unwrap();
    assert_eq!(
        (sides.asks[0].price.to_string(), sides.bids[9].price.to_string()),
        ("70000".into(), "69000".into())
    );
    assert_eq!(sides.at.to_rfc3339(), "2026-11-23T04:59:00+00:00");
    let before_the_open = answered_book(&read(BOOK), "2026-11-22T23:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(
        before_the_open.at.to_rfc3339(),
        "2026-11-22T04:59:00+00:00",
        "it is no time of the day to come"
    );
}

#[test]
fn days_and_minutes_are_bars_and_days_without_trades_are_none() {
    let answer = read(DAYS);
    let days: Vec<_> =
        rows(&answer, Interval::OneDay).unwrap().iter().map(|row| bar(row, Interval::OneDay)).collect();
    assert_eq!(days[0], Err(Reason::HaltedDay), "today has no trade yet");
    let friday = days[1].as_ref().unwrap();
    assert_eq!((friday.close.to_string(), friday.volume), ("70200".into(), 11_111_111));
    assert_eq!(friday.starts_at.to_rfc3339(), "2026-11-20T00:00:00+00:00");
    assert_eq!(days[3], Err(Reason::Inconsistent));
    let answer = read(MINUTES);
    let minute = bar(&rows(&answer, Interval::OneMinute).unwrap()[0], Interval::OneMinute).unwrap();
    assert_eq!(minute.starts_at.to_rfc3339(), "2026-11-20T06:30:00+00:00");
    assert_eq!(rows(&answer, Interval::OneDay), Err(Reason::Unreadable));
}

#[test]
fn the_last_value_before_the_open_is_fridays_and_says_so() {
    let (days, minutes) = (read(DAYS), read(MINUTES));
    let (days, minutes) =
        (rows(&days, Interval::OneDay).unwrap(), rows(&minutes, Interval::OneMinute).unwrap());
    let quote = last_value(days, minutes, samsung(), "kiwoom").unwrap();
    assert_eq!(
        (quote.price.to_string(), quote.session_date.to_string()),
        ("70200".into(), "2026-11-20".into())
    );
    assert_eq!((quote.at.to_rfc3339(), quote.volume), ("2026-11-20T06:30:00+00:00".into(), 11_111_111));
    assert_eq!(quote.previous_close.unwrap().to_string(), "69500");
    assert_eq!((quote.bid, quote.ask), (None, None));
    assert_eq!(
        last_value(&days[2..], minutes, samsung(), "kiwoom"),
        Err(Reason::HaltedDay),
        "of different days"
    );
    assert_eq!(last_value(&[], minutes, samsung(), "kiwoom"), Err(Reason::HaltedDay));
}

#[test]
fn the_board_makes_the_symbol_and_other_things_are_no_shares() {
    let shares = listings(&read(SHARES)).unwrap();
    let symbols: Vec<_> = shares.iter().map(|share| share.symbol.as_str().to_owned()).collect();
    assert_eq!(symbols, ["005930.KS", "247540.KQ", "069500.KS"]);
    assert_eq!(shares[1].name, "에코프로비엠");
    assert_eq!(listed(&json!({ "code": "005930", "marketCode": "10" })), Some("005930.KQ".parse().unwrap()));
    assert_eq!(listed(&json!({ "code": "57JB38", "marketCode": "3" })), None);
}
