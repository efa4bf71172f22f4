//! The event stream.

use super::Account;
use crate::books::rows;
use crate::listener::Listener;
use crate::processes::{House, Waiting};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest wait until everything was heard.
const HEARD_MAX: Duration = Duration::from_secs(30);

/// The listener has heard every event of its user once, in order, and so knows how every order ended. Says how many streams
/// that has taken.
pub(crate) async fn everything_was_heard(house: &House, mut listener: Listener, accounts: &[Account]) -> u64 {
    let orders = || accounts.iter().flat_map(|account| account.orders.values());
    let order = orders().next().expect("an order");
    let of_user = format!(
        "FROM events.events WHERE user_id = (SELECT user_id FROM trading.orders WHERE id = '{}')",
        order["id"].as_str().unwrap()
    );
    let newest = rows(&house.database_url, &format!("SELECT max(id) AS id {of_user}")).await;
    let newest = newest[0]["id"].as_i64().unwrap();
    let mut waiting = Waiting::until(HEARD_MAX);
    while listener.last_id().await < newest {
        waiting.pause(|| format!("event {newest} was not heard")).await;
    }
    let heard = listener.stop();
    let written = rows(&house.database_url, &format!("SELECT id, kind {of_user} ORDER BY id")).await;
    let written: Vec<(i64, &str)> =
        written.iter().map(|row| (row["id"].as_i64().unwrap(), row["kind"].as_str().unwrap())).collect();
    let told: Vec<(i64, &str)> = heard.events.iter().map(|event| (event.id, event.kind.as_str())).collect();
    assert!(told == written, "{} events were written and {} heard", written.len(), told.len());

    let mut last_words: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in heard.events.iter().filter(|event| event.kind == "order") {
        last_words.insert(event.data["id"].as_str().unwrap(), &event.data);
    }
    for order in orders() {
        let last_word = last_words.remove(order["id"].as_str().unwrap()).unwrap_or(&Value::Null);
        assert_eq!(last_word, order, "the last event of an order is the order");
    }
    assert!(last_words.is_empty(), "events of orders that are not: {last_words:?}");
    heard.streams
}
