use super::*;
use serde_json::{Value, json};

fn today() -> NaiveDate {
    "2026-11-20".parse().unwrap()
}

/// A dividend with something changed.
fn listed_with(change: Value) -> Result<Option<ListedActivity>, Failure> {
    let mut item = json!({
        "id": "20261119000000000::2f1c1b0a-0d6b-4c5d-9a36-0e7b8a1f5a11", "activity_type": "DIV", "date": "2026-11-19",
        "net_amount": "12.34", "symbol": "AAPL", "qty": "10", "per_share_amount": "1.234", "status": "executed",
    });
    for (name, value) in change.as_object().unwrap() {
        item.as_object_mut().unwrap().insert(name.clone(), value.clone());
    }
    activity(&RawValue::from_string(item.to_string()).unwrap(), today())
}

fn read(change: Value) -> ListedActivity {
    listed_with(change).unwrap().unwrap()
}

#[test]
fn a_dividend_is_read_whole() {
    assert_eq!(
        read(json!({})),
        ListedActivity {
            activity_id: "20261119000000000::2f1c1b0a-0d6b-4c5d-9a36-0e7b8a1f5a11".into(),
            kind: ActivityKind::Dividend,
            word: "DIV".into(),
            symbol: Some("AAPL".parse().unwrap()),
            currency: Currency::Usd,
            amount: Decimal::new(1234, 2),
            quantity: Some(Decimal::TEN),
            day: "2026-11-19".parse().unwrap(),
            is_undone: false,
        }
    );
}

#[test]
fn each_word_is_what_it_says() {
    for (word, kind) in [
        ("DIVCGL", ActivityKind::Dividend),
        ("DIVTXEX", ActivityKind::Dividend),
        ("DIVNRA", ActivityKind::Withholding),
        ("INTNRA", ActivityKind::Withholding),
        ("DIVFEE", ActivityKind::Fee),
        ("FEE", ActivityKind::Fee),
        ("CFEE", ActivityKind::Fee),
        ("PTC", ActivityKind::Fee),
        ("INT", ActivityKind::Interest),
        ("CSD", ActivityKind::Transfer),
        ("CSW", ActivityKind::Transfer),
        ("JNLC", ActivityKind::Transfer),
        ("MA", ActivityKind::Shares),
        ("JNLS", ActivityKind::Shares),
        ("OPASN", ActivityKind::Other),
        ("MISC", ActivityKind::Other),
        ("SOMETHING_NEW", ActivityKind::Other),
    ] {
        assert_eq!(read(json!({ "activity_type": word })).kind, kind, "{word}");
    }
}

#[test]
fn what_is_not_understood_is_told_as_such_and_moves_nothing_that_was_not_said() {
    for (change, amount) in [
        (json!({ "symbol": null }), "12.34"),
        (json!({ "symbol": "BTC/USD" }), "12.34"),
        (json!({ "net_amount": null }), "0"),
        (json!({ "net_amount": "1e30" }), "0"),
        (json!({ "net_amount": "0.0000000001" }), "0"),
        (json!({ "net_amount": "NaN" }), "0"),
        (json!({ "currency": "EUR" }), "0"),
        (json!({ "activity_type": 7 }), "0"),
        (json!({ "activity_type": "" }), "12.34"),
    ] {
        let activity = read(change.clone());
        assert_eq!(activity.kind, ActivityKind::Other, "{change}");
        assert_eq!(activity.amount, amount.parse().unwrap(), "{change}");
        assert!(!activity.word.is_empty(), "{change}");
    }
}

#[test]
fn an_activity_without_a_sound_number_is_never_guessed_at() {
    for id in [json!(null), json!(""), json!(7), json!("a\u{0}b"), json!("x".repeat(121)), json!("개미")] {
        assert!(listed_with(json!({ "id": id })).is_err(), "{id}");
    }
}

#[test]
fn what_was_taken_back_says_so_and_what_is_not_in_force_is_not_there() {
    assert!(read(json!({ "status": "canceled" })).is_undone);
    assert!(!read(json!({ "status": null })).is_undone);
    assert_eq!(listed_with(json!({ "status": "pending" })), Ok(None));
    assert_eq!(listed_with(json!({ "activity_type": "FILL" })), Ok(None));
}

#[test]
fn a_day_that_cannot_be_is_the_numbers_or_the_one_on_which_it_was_seen() {
    for (change, day) in [
        (json!({ "date": null }), "2026-11-19"),
        (json!({ "date": "yesterday" }), "2026-11-19"),
        (json!({ "date": "9999-12-31" }), "2026-11-20"),
        (json!({ "date": "1970-01-01" }), "2026-11-20"),
        (json!({ "date": null, "id": "x" }), "2026-11-20"),
        (json!({ "date": null, "id": "2026é119" }), ""),
    ] {
        match listed_with(change.clone()) {
            Ok(activity) => assert_eq!(activity.unwrap().day.to_string(), day, "{change}"),
            Err(_) => assert_eq!(day, "", "{change}"),
        }
    }
}

#[test]
fn a_word_says_its_sub_type_and_shows_nothing_that_does_not_print() {
    let fee =
        json!({ "activity_type": "FEE", "activity_sub_type": "REG", "net_amount": -0.02, "symbol": null });
    let fee = read(fee);
    assert_eq!((fee.word.as_str(), fee.amount), ("FEE/REG", Decimal::new(-2, 2)));
    assert_eq!(read(json!({ "activity_type": "A\u{202e}\u{0}B" })).word, "AB");
}

#[test]
fn half_a_split_needs_its_share_and_its_number_and_moves_no_cash() {
    let split = |change: Value| {
        let mut whole = json!({
            "activity_type": "SPLIT", "activity_sub_type": "FSPLIT", "net_amount": "0", "qty": "-10",
        });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        read(whole)
    };
    let half = split(json!({}));
    assert_eq!((half.kind, half.quantity), (ActivityKind::Split, Some(Decimal::from(-10))));
    assert_eq!(half.word, "SPLIT/FSPLIT");
    for change in [
        json!({ "qty": null }),
        json!({ "qty": "0" }),
        json!({ "symbol": null }),
        json!({ "net_amount": "3" }),
        json!({ "activity_sub_type": "USPLIT" }),
    ] {
        assert_eq!(split(change.clone()).kind, ActivityKind::Shares, "{change}");
    }
}
