//! The broker's side of the story, as it tells it itself.

use crate::model::{Execution, Terms, decimal};
use crate::processes::{House, INTERNAL_TOKEN};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Lines of a page of the brokers' journal.
const PAGE_LINES: usize = 500;
/// Reports after which nothing happens to an order any more.
const ENDS: [&str; 3] = ["canceled", "expired", "rejected"];
/// Where an order stands that is not over.
const WORKING: [&str; 2] = ["NEW", "PARTIALLY_FILLED"];

/// Everything that the broker has reported about an account.
#[derive(Default)]
pub(super) struct Journal {
    /// In the order of the reports.
    pub(super) executions: Vec<Execution>,
    execution_ids: HashSet<String>,
    /// The terms that came true, by order, the oldest first.
    pub(super) replaced: BTreeMap<String, Vec<Terms>>,
    /// The last report of an order that ended otherwise than by execution.
    pub(super) ended: BTreeMap<String, String>,
}

pub(super) async fn ask(house: &House, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", house.broker_connector));
    let answer = request.header("X-Gaemi-Internal-Token", INTERNAL_TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// The orders of an account that the broker still works.
pub(super) async fn working(house: &House, account: &str) -> Vec<Value> {
    let (mut working, mut after) = (Vec::new(), String::new());
    loop {
        let page = ask(house, &format!("/broker/accounts/{account}/orders{after}")).await;
        let orders = page["orders"].as_array().unwrap().iter();
        working
            .extend(orders.filter(|order| WORKING.iter().any(|status| order["status"] == *status)).cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("?after={next}"),
            None => return working,
        }
    }
}

/// Reads the journal of an account to its end. Nothing is executed twice, and nothing happens to an order that has ended.
pub(super) async fn journal(house: &House, account: &str, orders: &BTreeMap<String, Value>) -> Journal {
    let (mut journal, mut known, mut after) = (Journal::default(), HashSet::new(), 0);
    loop {
        let path = format!("/broker/executions?accountId={account}&after={after}&limit={PAGE_LINES}");
        let page = ask(house, &path).await;
        let reports = page["reports"].as_array().unwrap();
        for report in reports {
            assert!(known.insert(report["reportId"].as_str().unwrap().to_owned()), "twice: {report}");
            journal.take(report, orders);
        }
        if reports.len() < PAGE_LINES {
            return journal;
        }
        after = page["after"].as_i64().unwrap();
    }
}

impl Journal {
    fn take(&mut self, report: &Value, orders: &BTreeMap<String, Value>) {
        let id = report["orderId"].as_str().unwrap().to_owned();
        let order = orders.get(&id).unwrap_or_else(|| panic!("a report of no order: {report}"));
        assert!(!self.ended.contains_key(&id), "{report} after {:?}", self.ended[&id]);
        match report["kind"].as_str().unwrap() {
            "fill" => {
                let execution = Execution {
                    id: report["executionId"].as_str().unwrap().to_owned(),
                    order: id,
                    symbol: order["symbol"].as_str().unwrap().to_owned(),
                    is_purchase: order["side"] == "buy",
                    quantity: decimal(&report["quantity"]),
                    price: decimal(&report["price"]),
                    commission: decimal(&report["commission"]),
                    tax: decimal(&report["tax"]),
                };
                assert!(self.execution_ids.insert(execution.id.clone()), "twice: {report}");
                self.executions.push(execution);
            }
            "replaced" => self.replaced.entry(id).or_default().push(Terms::of(report)),
            kind if ENDS.contains(&kind) => drop(self.ended.insert(id, kind.to_owned())),
            kind => assert!(kind == "accepted" || kind == "triggered", "{report}"),
        }
    }
}
