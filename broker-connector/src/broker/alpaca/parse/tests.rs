use super::*;
use crate::recovery::fixtures::replace_request;
use domain::broker::Exit;
use serde_json::json;

fn wire_order(change: serde_json::Value) -> wire::Order {
    let mut order = json!({
        "id": "7b08df51-c1ac-453c-99f9-323a5f075f0d", "client_order_id": "my-1", "status": "accepted",
        "symbol": "AAPL", "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "asset_class": "us_equity",
        "qty": "2", "notional": null, "filled_qty": "0", "filled_avg_price": null, "side": "buy", "type": "limit",
        "order_type": "limit", "order_class": "", "time_in_force": "gtc", "limit_price": "150", "stop_price": null,
        "trail_price": null, "trail_percent": null, "hwm": null, "extended_hours": false, "legs": null,
        "created_at": "2026-01-02T15:04:05.123456789Z", "updated_at": "2026-01-02T15:04:06-05:00",
        "submitted_at": "2026-01-02T15:04:05.12Z", "replaced_by": null, "replaces": null,
    });
    for (name, value) in change.as_object().unwrap() {
        order.as_object_mut().unwrap().insert(name.clone(), value.clone());
    }
    serde_json::from_str(&order.to_string()).unwrap()
}

#[test]
fn an_order_is_read_with_numbers_written_either_way() {
    for change in [json!({}), json!({ "qty": 2, "limit_price": 150.0 })] {
        let listed = order(&wire_order(change)).unwrap();
        assert_eq!(listed.known_as, None, "an id that is not ours");
        assert_eq!((listed.quantity, listed.filled_quantity), (Decimal::TWO, Decimal::ZERO));
        assert_eq!(listed.limit_price, Some("150".parse().unwrap()));
        assert_eq!(listed.status, OrderStatus::New);
        assert_eq!(listed.accepted_at, moment("2026-01-02T15:04:05.120Z").unwrap());
        assert_eq!(listed.updated_at, moment("2026-01-02T20:04:06Z").unwrap());
    }
}

#[test]
fn an_id_in_the_form_of_ours_is_ours_only_with_our_mark() {
    let (id, request) = (OrderId::generate(), ReplaceId::generate());
    assert_eq!(named(&client_id(id)), Some((id, None)));
    assert_eq!(named(&replacement_id(id, request)), Some((id, Some(request))));
    for other in [id.to_string(), format!("{}x", client_id(id)), "gaemi-".into(), "gaemi-é".repeat(20)] {
        assert_eq!(named(&other), None, "{other}");
    }
    assert!(replacement_id(id, request).len() <= 128, "Alpaca takes no longer ids");
}

#[test]
fn every_word_of_alpacas_for_where_an_order_stands_is_known() {
    for (word, filled, expected) in [
        ("new", "0", OrderStatus::New),
        ("accepted", "0", OrderStatus::New),
        ("pending_new", "0", OrderStatus::New),
        ("accepted_for_bidding", "0", OrderStatus::New),
        ("pending_review", "0", OrderStatus::New),
        ("held", "0", OrderStatus::New),
        ("stopped", "0", OrderStatus::New),
        ("calculated", "1", OrderStatus::PartiallyFilled),
        ("partially_filled", "1", OrderStatus::PartiallyFilled),
        ("pending_replace", "1", OrderStatus::PartiallyFilled),
        ("pending_cancel", "1", OrderStatus::PartiallyFilled),
        ("filled", "2", OrderStatus::Filled),
        ("canceled", "1", OrderStatus::Canceled),
        ("expired", "0", OrderStatus::Expired),
        ("rejected", "0", OrderStatus::Rejected),
        ("replaced", "0", OrderStatus::Replaced),
        ("done_for_day", "0", OrderStatus::DoneForDay),
        ("suspended", "0", OrderStatus::Suspended),
    ] {
        let listed = order(&wire_order(json!({ "status": word, "filled_qty": filled }))).unwrap();
        assert_eq!(listed.status, expected, "{word}");
    }
    assert_eq!(order(&wire_order(json!({ "status": "levitating" }))), None);
}

#[test]
fn what_is_no_share_is_no_order_here() {
    for symbol in ["BTC/USD", "AAPL251219C00150000", "005930.KS"] {
        assert_eq!(order(&wire_order(json!({ "symbol": symbol }))), None, "{symbol}");
    }
    let class = order(&wire_order(json!({ "symbol": "BRK.B" }))).unwrap();
    assert_eq!(class.symbol.as_str(), "BRK-B");
}

#[test]
fn an_order_by_amount_of_money_has_a_number_of_shares_once_it_is_done() {
    let open = wire_order(json!({ "qty": null, "notional": "100", "type": "market", "limit_price": null }));
    assert_eq!(order(&open), None, "somebody else's");
    let id = OrderId::generate();
    let ours = |status: &str, filled: &str| {
        order(&wire_order(json!({
            "qty": null, "notional": "100", "type": "market", "limit_price": null, "client_order_id": client_id(id),
            "status": status, "filled_qty": filled,
        })))
        .unwrap()
    };
    let part = ours("partially_filled", "0.5");
    assert_eq!((part.quantity, part.resized_by), ("0.5".parse().unwrap(), None));
    let canceled = ours("canceled", "0.5");
    assert_eq!(canceled.resized_by, None, "its end is told already");
    let filled = ours("filled", "0.75");
    let counted = resize_id(id, "0.75".parse().unwrap());
    assert_eq!((filled.quantity, filled.resized_by), ("0.75".parse().unwrap(), Some(counted)));
    let done = wire_order(json!({
        "qty": null, "notional": "100", "type": "market", "limit_price": null, "status": "filled",
        "filled_qty": "0.666666667",
    }));
    assert_eq!(order(&done).unwrap().quantity, "0.666666667".parse().unwrap());
}

#[test]
fn a_trailing_stop_is_known_by_its_distance() {
    let trailing = wire_order(json!({
        "type": "trailing_stop", "limit_price": null, "trail_percent": "2.5", "stop_price": "97.5", "hwm": "100",
    }));
    let listed = order(&trailing).unwrap();
    assert_eq!((listed.stop_price, listed.trail_percent), (None, Some("2.5".parse().unwrap())));
}

#[test]
fn an_execution_is_read_and_a_dividend_is_none() {
    let fill: wire::Activity = serde_json::from_str(
        r#"{"activity_type":"FILL","id":"20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
            "transaction_time":"2022-02-02T18:55:09.981482Z","type":"fill","price":"174.78","qty":"2","side":"buy",
            "symbol":"AAPL","leaves_qty":"0","order_id":"b5abe576-6a8a-49f3-a353-46b72c1ccae9","cum_qty":"2",
            "order_status":"filled"}"#,
    )
    .unwrap();
    let read = execution(&fill).unwrap();
    assert_eq!(read.broker_order_id, "b5abe576-6a8a-49f3-a353-46b72c1ccae9");
    assert_eq!((read.quantity.to_string(), read.price.to_string()), ("2".into(), "174.78".into()));
    let dividend: wire::Activity = serde_json::from_str(
        r#"{"activity_type":"DIV","id":"20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
            "date":"2019-08-01","net_amount":"1.02","symbol":"T","qty":"2","per_share_amount":"0.51"}"#,
    )
    .unwrap();
    assert_eq!(execution(&dividend), None);
}

#[test]
fn only_what_is_different_is_sent_and_nothing_for_what_was_executed_in_part() {
    let listed = order(&wire_order(json!({}))).unwrap();
    let cheaper = replacement(&replace_request(&listed, "2", "149.50"), &listed).unwrap();
    assert_eq!((cheaper.qty, cheaper.limit_price), (None, Some("149.5".into())));
    let more = replacement(&replace_request(&listed, "3", "150"), &listed).unwrap();
    assert_eq!((more.qty, more.limit_price), (Some("3".into()), None));
    let partial = order(&wire_order(json!({ "filled_qty": "1", "status": "partially_filled" }))).unwrap();
    let refused = replacement(&replace_request(&partial, "2", "149"), &partial).unwrap_err();
    assert_eq!(refused.0, "partially_filled");
}

#[test]
fn odd_texts_are_no_ids_symbols_or_moments() {
    for text in ["", "-", "gaemi-\u{202e}", "é", "2026", "\0"] {
        assert_eq!((named(text), moment(text)), (None, None), "{text:?}");
        assert_eq!(own_symbol(text), None, "{text:?}");
    }
}

fn led(class: OrderClass, stop_limit: Option<&str>) -> OrderRequest {
    let price = |text: &str| Some(text.parse::<Price>().unwrap());
    let exit = |kind, limit_price, stop_price| Exit {
        order_id: OrderId::generate(),
        kind,
        side: Side::Sell,
        limit_price,
        stop_price,
    };
    let stop = exit(ExitKind::StopLoss, stop_limit.and_then(price), price("8"));
    let exits = match class {
        OrderClass::Bracket => vec![exit(ExitKind::TakeProfit, price("12"), None), stop],
        OrderClass::Oco | OrderClass::Oto => vec![stop],
    };
    let order = json!({
        "orderId": OrderId::generate(), "accountId": domain::AccountId::generate(), "symbol": "AAPL", "side": "buy",
        "orderType": "limit", "timeInForce": "gtc", "quantity": "10", "limitPrice": "11",
        "contingency": Contingency::Leads { class, exits }, "submittedAt": "2026-01-05T15:00:00Z",
    });
    serde_json::from_value(order).unwrap()
}

#[test]
fn an_order_with_its_exits_is_one_request() {
    let written = |class, limit| serde_json::to_value(new_order(&led(class, limit)).unwrap()).unwrap();
    let bracket = written(OrderClass::Bracket, None);
    assert_eq!((&bracket["order_class"], &bracket["limit_price"]), (&json!("bracket"), &json!("11")));
    assert_eq!(bracket["take_profit"], json!({ "limit_price": "12" }));
    assert_eq!(bracket["stop_loss"], json!({ "stop_price": "8" }));
    let oco = written(OrderClass::Oco, Some("7.9"));
    assert_eq!((&oco["order_class"], &oco["take_profit"]), (&json!("oco"), &json!({ "limit_price": "11" })));
    assert_eq!(oco["stop_loss"], json!({ "stop_price": "8", "limit_price": "7.9" }));
    let mut without = led(OrderClass::Oco, None);
    without.contingency = Some(Contingency::Leads { class: OrderClass::Oco, exits: Vec::new() });
    assert!(new_order(&without).is_err(), "it would be an exit without the other");
    let oto = written(OrderClass::Oto, None);
    assert_eq!((&oto["order_class"], &oto["stop_loss"]), (&json!("oto"), &json!({ "stop_price": "8" })));
    assert_eq!(
        (&oto["limit_price"], oto.get("take_profit")),
        (&json!("11"), None),
        "the limit is the entry's"
    );
    let Some(Contingency::Leads { exits, .. }) = led(OrderClass::Bracket, None).contingency else { panic!() };
    for exits in [exits, Vec::new()] {
        let contingency = Some(Contingency::Leads { class: OrderClass::Oto, exits });
        let wrong = OrderRequest { contingency, ..led(OrderClass::Oto, None) };
        assert!(new_order(&wrong).is_err(), "it has exactly one exit");
    }
    let alone = OrderRequest { contingency: None, ..led(OrderClass::Oco, None) };
    let alone = serde_json::to_value(new_order(&alone).unwrap()).unwrap();
    assert!(
        ["order_class", "take_profit", "stop_loss"].iter().all(|name| alone.get(*name).is_none()),
        "{alone}"
    );
}

#[test]
fn a_change_of_size_has_one_name_and_another_size_another() {
    let (order, other) = (OrderId::generate(), OrderId::generate());
    let name = |text: &str| resize_id(order, text.parse().unwrap());
    assert_eq!(name("6"), name("6.0"));
    assert_ne!(name("6"), name("60"));
    assert_ne!(name("6"), name("0.6"));
    assert_ne!(name("6"), resize_id(other, Decimal::from(6)));
}

#[test]
fn of_exits_that_were_replaced_the_newest_counts() {
    let leg = |id: &str, order_type: &str, replaced_by: Option<&str>| {
        wire_order(json!({ "id": id, "type": order_type, "replaced_by": replaced_by }))
    };
    let legs = [leg("1", "stop", Some("3")), leg("2", "limit", None), leg("3", "stop", None)];
    assert_eq!(number_of_exit(&legs, ExitKind::StopLoss), Some("3"));
    assert_eq!(number_of_exit(&legs, ExitKind::TakeProfit), Some("2"));
    assert_eq!(number_of_exit(&legs[..1], ExitKind::TakeProfit), None);
}
