use super::*;
use crate::recovery::fixtures::{at, listed};
use domain::Quantity;
use rust_decimal::Decimal;

fn request(quantity: u32, second: i64) -> OrderRequest {
    serde_json::from_value(serde_json::json!({
        "orderId": OrderId::generate(), "accountId": AccountId::generate(), "symbol": "AAPL", "side": "buy",
        "orderType": "limit", "timeInForce": "day", "quantity": quantity.to_string(), "limitPrice": "100",
        "protectionPrice": null, "submittedAt": at(second),
    }))
    .unwrap()
}

fn executed(number: &str, fate: ExecutionFate) -> ListedExecution {
    ListedExecution {
        broker_order_id: "1".into(),
        execution_id: number.into(),
        quantity: Quantity::new(Decimal::ONE).unwrap(),
        price: "100".parse().unwrap(),
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        occurred_at: at(5),
        fate,
    }
}

#[test]
fn the_only_order_that_looks_like_ours_is_ours() {
    let waiting = request(10, 0);
    let orders = [listed("1", 10, 1), listed("2", 11, 1)];
    let owners = owners(&orders, &HashMap::new(), std::slice::from_ref(&waiting), at(10));
    assert_eq!(owners.matched, BTreeMap::from([("1".to_owned(), waiting.order_id)]));
    assert!(owners.external.is_empty(), "the other one is too young to be judged");
}

#[test]
fn of_two_orders_that_look_alike_neither_is_taken() {
    let waiting = request(10, 0);
    let orders = [listed("1", 10, 1), listed("2", 10, 2)];
    let one = owners(&orders, &HashMap::new(), std::slice::from_ref(&waiting), at(1_000));
    assert_eq!((one.matched.len(), one.external.len()), (0, 0));
    assert!(one.unclear.contains(&waiting.order_id));
    let twins = [waiting.clone(), request(10, 0)];
    let two = owners(&orders[..1], &HashMap::new(), &twins, at(1_000));
    assert_eq!((two.matched.len(), two.unclear.len()), (0, 2));
}

#[test]
fn an_order_from_before_ours_was_made_is_not_ours() {
    let waiting = request(10, 100);
    let owners = owners(&[listed("1", 10, 1)], &HashMap::new(), &[waiting], at(200));
    assert_eq!(owners.external, BTreeSet::from(["1".to_owned()]));
}

#[test]
fn an_order_that_is_linked_is_matched_with_no_other() {
    let (first, second) = (request(10, 0), request(10, 0));
    let links = HashMap::from([("1".to_owned(), first.order_id)]);
    let orders = [listed("1", 10, 1), listed("2", 10, 1)];
    let owners = owners(&orders, &links, &[first.clone(), second.clone()], at(2));
    assert_eq!(owners.known, BTreeMap::from([("1".to_owned(), first.order_id)]));
    assert_eq!(owners.matched, BTreeMap::from([("2".to_owned(), second.order_id)]));
}

#[test]
fn only_what_was_not_told_is_written_and_the_end_comes_last() {
    let (account, id) = (AccountId::generate(), OrderId::generate());
    let order = ListedOrder { status: OrderStatus::Canceled, ..listed("1", 10, 1) };
    let executions = [
        (id, executed("a", ExecutionFate::Stands)),
        (id, executed("b", ExecutionFate::Undone { at: at(7) })),
        (id, executed("c", ExecutionFate::Corrects { execution_id: "a".into() })),
    ];
    let kinds = |told: Told| -> Vec<&'static str> {
        let told = HashMap::from([(id, told)]);
        missing(account, &BTreeMap::from([(id, order.clone())]), &executions, &told, &[])
            .iter()
            .map(|entry| entry.report.kind.name())
            .collect()
    };
    let all = ["accepted", "fill", "fill", "trade_canceled", "trade_corrected", "canceled"];
    assert_eq!(kinds(Told::default()), all);
    let told = |kinds: &[&str], executions: &[&str]| Told {
        kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        executions: executions.iter().map(|&id| id.to_owned()).collect(),
        undone: BTreeSet::new(),
    };
    assert_eq!(
        kinds(told(&["accepted", "fill"], &["a", "b"])),
        ["trade_canceled", "trade_corrected", "canceled"]
    );
    let mut everything = told(&["accepted", "fill", "canceled"], &["a", "b", "c"]);
    everything.undone.insert("b".into());
    assert!(kinds(everything).is_empty());
}

#[test]
fn a_request_that_the_terms_show_to_have_come_true_is_told_after_the_executions_and_before_the_end() {
    let account = AccountId::generate();
    let present = request(10, 0);
    let id = present.order_id;
    let asked = serde_json::from_value(serde_json::json!({
        "replaceId": domain::ReplaceId::generate(), "orderId": id, "quantity": "20", "limitPrice": "100",
    }));
    let open = OpenReplace { present, asked: asked.unwrap() };
    let entries = |quantity| {
        let order = ListedOrder { status: OrderStatus::Canceled, ..listed("1", quantity, 1) };
        let executions = [(id, executed("a", ExecutionFate::Stands))];
        let orders = BTreeMap::from([(id, order)]);
        missing(account, &orders, &executions, &HashMap::new(), std::slice::from_ref(&open))
    };
    let kinds = |entries: &[Entry]| -> Vec<&'static str> {
        entries.iter().map(|entry| entry.report.kind.name()).collect()
    };
    let done = entries(20);
    assert_eq!(kinds(&done), ["accepted", "fill", "replaced", "canceled"]);
    assert_eq!(done[2].report.report_id, format!("{id}:replaced:{}", open.asked.replace_id));
    assert_eq!(kinds(&entries(10)), ["accepted", "fill", "canceled"], "its terms are the old ones");
    assert_eq!(kinds(&entries(15)), ["accepted", "fill", "canceled"], "nobody has asked for these");
}

#[test]
fn an_end_waits_for_the_executions_that_came_before_it() {
    let id = OrderId::generate();
    let order =
        ListedOrder { status: OrderStatus::Canceled, filled_quantity: Decimal::TWO, ..listed("1", 10, 1) };
    let orders = BTreeMap::from([(id, order)]);
    let kinds = |executions: &[(OrderId, ListedExecution)]| -> Vec<&'static str> {
        let entries = missing(AccountId::generate(), &orders, executions, &HashMap::new(), &[]);
        entries.iter().map(|entry| entry.report.kind.name()).collect()
    };
    let first = (id, executed("a", ExecutionFate::Stands));
    assert_eq!(
        kinds(std::slice::from_ref(&first)),
        ["accepted", "fill"],
        "one of two shares is not told of yet"
    );
    let second = (id, executed("b", ExecutionFate::Stands));
    assert_eq!(kinds(&[first.clone(), second]), ["accepted", "fill", "fill", "canceled"]);
    let undone = (id, executed("b", ExecutionFate::Undone { at: at(6) }));
    assert!(!kinds(&[first, undone]).contains(&"canceled"), "what was undone does not count");
}
