//! What must be true after the load, whatever was killed: the record of every answer, the API, the database and the broker
//! tell one story, and it is the model's.

mod broker;
mod events;
mod groups;
mod money;
mod orders;
mod quiet;

pub(crate) use events::everything_was_heard;
pub(crate) use quiet::{nothing_is_under_way, take_everything_back};

use crate::books::{assert_books_balance, rows};
use crate::processes::House;
use crate::trader::Trader;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Incidents of a load without mistakes: a leg whose shares somebody else has taken, and exits for the same shares that
/// were both executed before the one could take back the other.
const INCIDENTS_EXPECTED: [&str; 2] = ["leg_refused", "oversold"];

/// What an account has come to.
pub(crate) struct Account {
    pub(crate) id: String,
    /// Its orders by their ids, as the API lists them.
    pub(crate) orders: BTreeMap<String, Value>,
    /// Orders that were taken.
    pub(crate) placed: usize,
    pub(crate) executions: usize,
    /// Other terms that came true.
    pub(crate) replaced: usize,
    pub(crate) groups: usize,
    /// Pairs of exits that were both executed for the same shares.
    pub(crate) crossed: BTreeSet<String>,
    /// Executions after which shares were owed that were not owed before.
    pub(crate) sold_short: usize,
}

/// Every answer, order, group, execution and amount of an account is as the contract has it.
pub(crate) async fn account(house: &House, trader: &Trader) -> Account {
    let listed = orders::listed(trader).await;
    let journal = broker::journal(house, &trader.account, &listed).await;
    let groups = groups::listed(trader).await;
    let closes = orders::closes(house, &trader.account).await;
    orders::are_those_asked_for(trader, &listed, &groups, &closes).await;
    orders::are_as_reported(trader, &listed, &journal);
    groups::are_those_asked_for(trader, &groups);
    let crossed = groups::have_kept_their_word(&groups, &listed);
    let sold_short = money::is_as_reckoned(house, trader, &listed, &journal).await;
    Account {
        id: trader.account.clone(),
        placed: listed.values().filter(|order| order["status"] != "DENIED").count(),
        executions: journal.executions.len(),
        replaced: journal.replaced.values().map(Vec::len).sum(),
        groups: groups.len(),
        orders: listed,
        crossed,
        sold_short,
    }
}

/// The invariants hold, and nothing has happened that a person would have to look at without a reason that is known here.
/// Says how many orders it was unknown of for a while whether the broker has them.
pub(crate) async fn the_books_are_in_order(house: &House, accounts: &[Account]) -> usize {
    assert_books_balance(&house.database_url).await;
    let incidents = rows(
        &house.database_url,
        "SELECT i.account_id::text AS account, i.kind, o.symbol, i.detail FROM trading.incidents AS i
         LEFT JOIN trading.orders AS o ON o.id = i.order_id",
    )
    .await;
    for incident in incidents {
        let kind = incident["kind"].as_str().unwrap();
        assert!(INCIDENTS_EXPECTED.contains(&kind), "{incident:#}");
        let account = accounts.iter().find(|account| incident["account"] == account.id.as_str()).unwrap();
        let is_explained =
            kind != "oversold" || account.crossed.contains(incident["symbol"].as_str().unwrap_or_default());
        assert!(is_explained, "more was sold than held, and no two exits have crossed: {incident:#}");
    }
    let differences = rows(&house.database_url, "SELECT * FROM trading.reconciliation_differences").await;
    assert!(differences.is_empty(), "the broker never differs from our books: {differences:#?}");
    let unresolved = "SELECT DISTINCT order_id FROM trading.order_events WHERE event = 'unresolved'";
    rows(&house.database_url, unresolved).await.len()
}
