use super::*;
use domain::{AccountId, OrderId};
use serde_json::json;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn row(change: serde_json::Value) -> wire::OrderOfDay {
    let mut row = json!({
        "ord_no": "0000050", "stk_cd": "A005930", "trde_tp": "보통", "crd_tp": "보통매매", "ord_qty": "0000000010",
        "ord_uv": "0000070000", "cnfm_qty": "0000000000", "acpt_tp": "접수", "rsrv_tp": "", "ord_tm": "13:05:43",
        "ori_ord": "0000000", "io_tp_nm": "현금매수", "cntr_qty": "0000000004", "cntr_uv": "0000069900",
        "ord_remnq": "0000000006", "mdfy_cncl": "", "dmst_stex_tp": "KRX", "cond_uv": "0000000000",
    });
    for (name, value) in change.as_object().unwrap() {
        row.as_object_mut().unwrap().insert(name.clone(), value.clone());
    }
    serde_json::from_value(row).unwrap()
}

#[test]
fn a_row_of_the_day_is_read_with_its_padding() {
    let read = order_of_day(day(), &row(json!({}))).unwrap().unwrap();
    assert_eq!((read.number.as_str(), read.code.as_str(), read.kind), ("0000050", "005930", RowKind::New));
    assert_eq!((read.quantity, read.filled, read.open), (10, 4, 6));
    assert_eq!((read.price, read.average), (Decimal::from(70_000), Decimal::from(69_900)));
    assert_eq!(read.at.to_rfc3339(), "2026-11-23T04:05:43+00:00");
    assert_eq!(read.original, None);
}

#[test]
fn changes_and_cancels_are_known_by_their_words() {
    let cancel = row(json!({ "mdfy_cncl": "취소", "ori_ord": "0000049", "acpt_tp": "확인" }));
    let read = order_of_day(day(), &cancel).unwrap().unwrap();
    assert_eq!(
        (read.kind, read.original.as_deref(), read.is_confirmed),
        (RowKind::Cancel, Some("0000049"), true)
    );
    let change = row(json!({ "io_tp_nm": "+매수정정", "ori_ord": "0000049", "cntr_qty": "0" }));
    let read = order_of_day(day(), &change).unwrap().unwrap();
    assert_eq!((read.kind, read.is_confirmed), (RowKind::Change, false));
}

#[test]
fn other_things_than_shares_are_left_out_and_what_cannot_be_read_is_an_error() {
    assert_eq!(order_of_day(day(), &row(json!({ "stk_cd": "J57ABCD" }))), Ok(None));
    assert!(order_of_day(day(), &row(json!({ "ord_qty": "1.5" }))).is_err());
    assert!(order_of_day(day(), &row(json!({ "ord_tm": "soon" }))).is_err());
    assert!(order_of_day(day(), &row(json!({ "io_tp_nm": "?" }))).is_err());
}

#[test]
fn signs_before_prices_are_directions_and_before_cash_they_are_signs() {
    assert_eq!(Number::read("-20800").unwrap().price(), Decimal::from(20_800));
    assert_eq!(Number::read("+20800").unwrap().price(), Decimal::from(20_800));
    assert_eq!(Number::read("-00000000196888").unwrap().0, Decimal::from(-196_888));
    assert_eq!(Number::read("").unwrap().0, Decimal::ZERO);
    for text in ["NaN", "1e5", "1,000", &"9".repeat(50)] {
        assert_eq!(Number::read(text), None, "{text}");
    }
}

#[test]
fn executions_of_one_order_are_one_sum_however_they_are_listed() {
    let rows: Vec<wire::Executed> = [("3", "70000", "30"), ("2", "70100", "20")]
        .iter()
        .map(|(quantity, price, fee)| {
            serde_json::from_value(json!({
                "ord_no": "0000037", "cntr_pric": price, "cntr_qty": quantity, "tdy_trde_cmsn": fee,
                "tdy_trde_tax": "0", "ord_tm": "090101",
            }))
            .unwrap()
        })
        .collect();
    let [sum] = executed(day(), &rows).unwrap().try_into().unwrap();
    assert_eq!((sum.quantity, sum.worth, sum.commission), (5, Decimal::from(350_200), Decimal::from(50)));
}

fn event(change: &[(&str, &str)]) -> wire::Values {
    let mut values: wire::Values = [
        ("9203", "0000018"),
        ("913", "체결"),
        ("900", "10"),
        ("902", "6"),
        ("911", "4"),
        ("914", "+70000"),
        ("915", "4"),
        ("908", "090101"),
    ]
    .iter()
    .map(|(field, value)| ((*field).to_owned(), json!(value)))
    .collect();
    values.extend(change.iter().map(|(field, value)| ((*field).to_owned(), json!(value))));
    values
}

#[test]
fn an_execution_of_the_stream_counts_only_where_both_counts_agree() {
    let now = moment("20261123100000").unwrap();
    let (number, told) = told(&event(&[]), now).unwrap();
    assert_eq!((number.as_str(), told.through, told.quantity), ("20261123-0000018", 4, 4));
    assert_eq!(told.price, Decimal::from(70_000));
    assert_eq!(told.at, moment("20261123090101").unwrap());
    for change in [("902", "5"), ("911", "3"), ("915", "5"), ("914", "0"), ("913", "접수"), ("915", "x")] {
        assert_eq!(super::told(&event(&[change]), now), None, "{change:?}");
    }
}

fn request(symbol: &str, order_type: OrderType, time_in_force: TimeInForce) -> OrderRequest {
    let price = |has: bool| has.then(|| "70000".parse().unwrap());
    OrderRequest {
        order_id: OrderId::generate(),
        account_id: AccountId::generate(),
        symbol: symbol.parse().unwrap(),
        side: Side::Sell,
        order_type,
        time_in_force,
        expire_date: None,
        quantity: "3".parse().unwrap(),
        limit_price: price(matches!(order_type, OrderType::Limit | OrderType::StopLimit)),
        stop_price: price(order_type == OrderType::StopLimit),
        trail_amount: None,
        trail_percent: None,
        protection_price: None,
        notional: None,
        withdrawn: false,
        contingency: None,
        submitted_at: Utc::now(),
    }
}

#[test]
fn orders_have_kiwooms_numbers_for_their_types_and_what_it_does_not_have_is_refused() {
    use OrderType::{Limit, Market, Stop, StopLimit, TrailingStop};
    use TimeInForce::{Day, Fok, Gtc, Ioc, Opg};
    for (order_type, time_in_force, expected) in [
        (Limit, Day, Some("0")),
        (Market, Day, Some("3")),
        (Limit, Ioc, Some("10")),
        (Market, Ioc, Some("13")),
        (Limit, Fok, Some("20")),
        (Market, Fok, Some("23")),
        (StopLimit, Day, Some("28")),
        (Limit, Gtc, None),
        (Limit, Opg, None),
        (StopLimit, Ioc, None),
        (Stop, Day, None),
        (TrailingStop, Day, None),
    ] {
        let sent = ticket(&request("005930.KS", order_type, time_in_force));
        assert_eq!(sent.ok().map(|ticket| ticket.trade_type), expected, "{order_type:?} {time_in_force:?}");
    }
    assert!(ticket(&request("AAPL", Limit, Day)).is_err());
    let part = OrderRequest { quantity: "1.5".parse().unwrap(), ..request("005930.KS", Limit, Day) };
    assert!(ticket(&part).is_err());
}

#[test]
fn types_are_known_by_kiwooms_words_and_prices() {
    let price = Decimal::from(70_000);
    assert_eq!(terms("보통", price, Decimal::ZERO), (OrderType::Limit, TimeInForce::Day));
    assert_eq!(terms("시장가(IOC)", Decimal::ZERO, Decimal::ZERO), (OrderType::Market, TimeInForce::Ioc));
    assert_eq!(terms("스톱지정가", price, price), (OrderType::StopLimit, TimeInForce::Day));
}

#[test]
fn a_board_makes_a_symbol_of_a_code() {
    assert_eq!(symbol("005930", "0").unwrap().as_str(), "005930.KS");
    assert_eq!(symbol("247540", "10").unwrap().as_str(), "247540.KQ");
    assert_eq!(symbol("005930", "50"), None);
    assert_eq!(share_code("005930_NX").as_deref(), Some("005930"));
}
