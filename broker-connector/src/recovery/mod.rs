//! Asking a broker what it really has: orders whose fate nobody knows, and reports that never arrived.
//!
//! Promises: "absent" is said only after the complete history was read page by page to its end; what a broker turns out
//! to have done stands in the journal before anybody is told of it, and only once; an order that we did not make gets an
//! id of its own and is reported like any other; one that may be ours never does.

mod activities;
pub mod chain;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod plan;

pub(crate) use activities::follow_activities;

use crate::broker::{Broker, BrokerError, ListedExecution, ListedOrder, Page};
use crate::journal::{Entry, Journal};
use chain::{Chain, chains};
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::{OrderRequest, ReportKind};
use domain::inquiry::{Finding, OpenReplace, OrderState, Recovery, Resolution};
use domain::{AccountId, OrderId};
use plan::{Owners, missing, owners};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;

/// Most pages of one list; a history that is longer counts as not read to its end.
const PAGES_MAX: usize = 2_000;
/// How far before the end of the last complete look the next one begins: a broker may show things late.
const OVERLAP_SECONDS: i64 = 600;
/// How far before an order was made its broker's history is read.
const INQUIRY_MARGIN_SECONDS: i64 = 60;
/// Most orders of one look that are asked for by number because only an execution speaks of them; with more of them the
/// history counts as not read to its end.
const LONE_ORDERS_MAX: usize = 200;
/// The reason of the report that a person's word makes.
const NEVER_ARRIVED: &str = "never_arrived";

/// What the backend waits for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Awaited<'a> {
    /// Orders that it has not heard of yet.
    pub(crate) orders: &'a [OrderRequest],
    /// Requests for other terms that were not answered.
    pub(crate) replacing: &'a [OpenReplace],
}

/// A broker's history of an account since a moment, complete.
struct History {
    /// Each order once, whatever numbers it has had.
    chains: Vec<Chain>,
    executions: Vec<ListedExecution>,
    orders_read: usize,
}

impl History {
    fn orders(&self) -> Vec<ListedOrder> {
        self.chains.iter().map(|chain| chain.order.clone()).collect()
    }
}

async fn to_the_end<T, F: Future<Output = Result<Page<T>, BrokerError>>>(
    mut page: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, BrokerError> {
    let (mut items, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let mut read = page(after.take()).await?;
        items.append(&mut read.items);
        match read.next {
            Some(next) => after = Some(next),
            None => return Ok(items),
        }
    }
    Err(BrokerError::Unavailable(format!("a list has more than {PAGES_MAX} pages")))
}

async fn history(
    broker: &dyn Broker,
    account: AccountId,
    since: DateTime<Utc>,
) -> Result<History, BrokerError> {
    let mut orders = to_the_end(|after| broker.order_page(account, since, after)).await?;
    let executions = to_the_end(|after| broker.execution_page(account, since, after)).await?;
    let listed: BTreeSet<&String> = orders.iter().map(|order| &order.broker_order_id).collect();
    let alone: BTreeSet<String> = executions
        .iter()
        .map(|execution| &execution.broker_order_id)
        .filter(|number| !listed.contains(number))
        .cloned()
        .collect();
    if alone.len() > LONE_ORDERS_MAX {
        return Err(BrokerError::Unavailable(format!("more than {LONE_ORDERS_MAX} orders are in no list")));
    }
    for number in alone {
        orders.extend(broker.order_by_number(account, &number).await?);
    }
    let orders_read = orders.len();
    Ok(History { chains: chains(orders), executions, orders_read })
}

/// What a look at a history has found out.
struct Look {
    owners: Owners,
    recovery: Recovery,
    /// The orders of the history that are known here.
    states: HashMap<OrderId, OrderState>,
    /// Orders of which something was executed and that belong to nobody here.
    unowned: usize,
}

/// What is done with orders that are not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strangers {
    /// They are told from those that wait to be heard of, and get an id.
    TakenIn,
    /// They are told from those that are asked for, and the others are left: they may be other orders of ours.
    Matched,
    /// Nothing: only who knows all that wait can say whose they are.
    Left,
}

/// Reads a broker's history since a moment and writes what the journal lacks.
async fn look(
    broker: &dyn Broker,
    journal: &Journal,
    account: AccountId,
    since: DateTime<Utc>,
    awaited: Awaited<'_>,
    strangers: Strangers,
) -> Result<Look, BrokerError> {
    let since = broker.history_begins(account, since).await?;
    let history = history(broker, account, since).await?;
    let links = links_of(journal, account, &history).await?;
    let listed = history.orders();
    let owners = owners(&listed, &links, awaited.orders, Utc::now());
    let mut ids: HashMap<String, OrderId> = links;
    ids.extend(owners.known.iter().map(|(number, id)| (number.clone(), *id)));
    if strangers != Strangers::Left {
        for (number, id) in &owners.matched {
            ids.insert(number.clone(), journal.link(account, number, *id).await?);
        }
    }
    if strangers == Strangers::TakenIn {
        for number in &owners.external {
            ids.insert(number.clone(), journal.link(account, number, OrderId::generate()).await?);
        }
    }
    let mut unowned = 0;
    let (mut orders, mut came_true) = (BTreeMap::new(), BTreeMap::new());
    for chain in history.chains {
        let Some(id) = ids.get(&chain.order.broker_order_id).copied() else {
            unowned += usize::from(!chain.order.filled_quantity.is_zero());
            continue;
        };
        ids.extend(chain.numbers.into_iter().map(|number| (number, id)));
        came_true.insert(id, chain.came_true);
        orders.insert(id, chain.order);
    }
    let executions_read = history.executions.len();
    let executions: Vec<(OrderId, ListedExecution)> = history
        .executions
        .into_iter()
        .filter_map(|execution| Some((*ids.get(&execution.broker_order_id)?, execution)))
        .collect();
    let told = journal.told(&orders.keys().copied().collect::<Vec<_>>()).await?;
    let mut entries = missing(account, &orders, &executions, &told, awaited.replacing);
    chain::add_came_true(&mut entries, account, &orders, &came_true);
    let reports_added = journal.append(broker.name(), &entries).await?;
    let states = orders.iter().map(|(id, order)| (*id, order.state(account, *id))).collect();
    let recovery = Recovery {
        reports_added,
        orders_read: u64::try_from(history.orders_read).unwrap_or(u64::MAX),
        executions_read: u64::try_from(executions_read).unwrap_or(u64::MAX),
        journal_id: journal.last_id().await?,
    };
    Ok(Look { owners, recovery, states, unowned })
}

/// The orders that numbers of a history stand for. An order that has had several numbers goes by the one it has now.
async fn links_of(
    journal: &Journal,
    account: AccountId,
    history: &History,
) -> Result<HashMap<String, OrderId>, BrokerError> {
    let unnamed = history.chains.iter().filter(|chain| chain.order.known_as.is_none());
    let named: BTreeSet<&String> = history
        .chains
        .iter()
        .filter(|chain| chain.order.known_as.is_some())
        .flat_map(|chain| &chain.numbers)
        .collect();
    let of_orders = unnamed.clone().flat_map(|chain| &chain.numbers);
    let of_executions = history.executions.iter().map(|execution| &execution.broker_order_id);
    let numbers: Vec<String> = of_orders
        .chain(of_executions)
        .filter(|number| !named.contains(number))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect();
    let mut links = journal.links_of(account, &numbers).await?;
    for chain in unnamed {
        if let Some(id) = chain.numbers.iter().find_map(|number| links.get(number)).copied() {
            links.insert(chain.order.broker_order_id.clone(), id);
        }
    }
    Ok(links)
}

/// Looks for reports that are missing in the journal and writes them.
///
/// # Errors
/// [`BrokerError`] when the history cannot be read to its end; what was found before may be written.
pub(crate) async fn recover(
    broker: &dyn Broker,
    journal: &Journal,
    account: AccountId,
    awaited: Awaited<'_>,
) -> Result<Recovery, BrokerError> {
    if broker.capabilities().journals_what_it_does {
        let journal_id = journal.last_id().await?;
        return Ok(Recovery { reports_added: 0, orders_read: 0, executions_read: 0, journal_id });
    }
    let began = Utc::now();
    let through = journal.recovered_through(account).await?;
    let since = through.map_or(DateTime::UNIX_EPOCH, |through| through - TimeDelta::seconds(OVERLAP_SECONDS));
    let look = look(broker, journal, account, since, awaited, Strangers::TakenIn).await?;
    journal.set_recovered(account, began).await?;
    Ok(look.recovery)
}

/// Writes what the journal lacks about orders that are known here, and says how many executed orders belong to nobody yet. Where
/// a broker knows no ids of ours, only who knows all orders that wait to be heard of can say whose the others are.
///
/// # Errors
/// [`BrokerError`] when the history cannot be read to its end.
pub(crate) async fn follow(
    broker: &dyn Broker,
    journal: &Journal,
    account: AccountId,
) -> Result<usize, BrokerError> {
    let look = look(broker, journal, account, Utc::now(), Awaited::default(), Strangers::Left).await?;
    Ok(look.unowned)
}

/// What became of orders, one finding each, in their order.
pub(crate) async fn inquire(
    broker: &dyn Broker,
    journal: &Journal,
    requests: &[OrderRequest],
    awaited: Awaited<'_>,
) -> Vec<Finding> {
    let mut findings = HashMap::new();
    let accounts: BTreeSet<AccountId> = requests.iter().map(|request| request.account_id).collect();
    for account in accounts {
        let asked: Vec<OrderRequest> =
            requests.iter().filter(|request| request.account_id == account).cloned().collect();
        match inquire_account(broker, journal, account, &asked, awaited, Strangers::TakenIn).await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.extend(
                asked
                    .iter()
                    .map(|request| (request.order_id, Finding::Unclear { reason: error.to_string() })),
            ),
        }
    }
    let unasked = || Finding::Unclear { reason: "it was not looked for".into() };
    requests.iter().map(|request| findings.remove(&request.order_id).unwrap_or_else(unasked)).collect()
}

async fn inquire_account(
    broker: &dyn Broker,
    journal: &Journal,
    account: AccountId,
    asked: &[OrderRequest],
    awaited: Awaited<'_>,
    strangers: Strangers,
) -> Result<HashMap<OrderId, Finding>, BrokerError> {
    let mut findings = HashMap::new();
    let capabilities = broker.capabilities();
    // Who keeps orders under our ids, and writes the journal with them, needs no history to say what it has and what not.
    if capabilities.client_order_ids && capabilities.journals_what_it_does {
        let ids: Vec<OrderId> = asked.iter().map(|request| request.order_id).collect();
        findings.extend(ids.iter().map(|id| (*id, Finding::Absent)));
        let found = broker.order_statuses(&ids).await?.into_iter();
        findings.extend(found.map(|(id, order)| (id, Finding::Found { order: Box::new(order) })));
        return Ok(findings);
    }
    let Some(oldest) = asked.iter().map(|request| request.submitted_at).min() else {
        return Ok(findings);
    };
    let since = oldest - TimeDelta::seconds(INQUIRY_MARGIN_SECONDS);
    let others = awaited.orders.iter().filter(|other| other.account_id == account);
    let others = others.filter(|other| !asked.iter().any(|asked| asked.order_id == other.order_id));
    let alike: Vec<OrderRequest> = asked.iter().chain(others).cloned().collect();
    let awaited = Awaited { orders: &alike, ..awaited };
    let mut look = look(broker, journal, account, since, awaited, strangers).await?;
    for request in asked {
        let finding = match look.states.remove(&request.order_id) {
            Some(order) => Finding::Found { order: Box::new(order) },
            None if look.owners.unclear.contains(&request.order_id) => {
                Finding::Unclear { reason: "several orders at the broker may be this one".into() }
            }
            None => Finding::Absent,
        };
        findings.insert(request.order_id, finding);
    }
    Ok(findings)
}

/// Writes a person's word about an order into the journal, unless the broker knows better.
///
/// # Errors
/// [`BrokerError::Conflict`] when the broker has the order that never arrived, or does not have the one that did.
pub(crate) async fn resolve(
    broker: &dyn Broker,
    journal: &Journal,
    request: &OrderRequest,
    resolution: &Resolution,
) -> Result<(), BrokerError> {
    let asked = std::slice::from_ref(request);
    let (account, nothing) = (request.account_id, Awaited::default());
    let findings = inquire_account(broker, journal, account, asked, nothing, Strangers::Matched).await?;
    let finding = findings.get(&request.order_id);
    match (resolution, finding) {
        (Resolution::NeverArrived, Some(Finding::Found { order })) => Err(BrokerError::Conflict(format!(
            "the broker has the order under the number {}",
            order.broker_order_id
        ))),
        (Resolution::NeverArrived, _) => {
            let kind = ReportKind::Rejected { reason: NEVER_ARRIVED.into() };
            let now = Utc::now();
            let entry = Entry::about(request, "", kind, now);
            journal.append(broker.name(), &[entry]).await.map(|_| ())
        }
        (Resolution::Arrived { broker_order_id }, Some(Finding::Found { order })) => {
            if order.broker_order_id == *broker_order_id {
                return Ok(());
            }
            let detail = format!("the broker has the order under another number: {}", order.broker_order_id);
            Err(BrokerError::Conflict(detail))
        }
        (Resolution::Arrived { broker_order_id }, _) => {
            adopt(broker, journal, request, broker_order_id).await
        }
    }
}

/// Links an order to the broker's number that a person has named, and writes what the journal lacks about it.
async fn adopt(
    broker: &dyn Broker,
    journal: &Journal,
    request: &OrderRequest,
    broker_order_id: &str,
) -> Result<(), BrokerError> {
    let account = request.account_id;
    let since = request.submitted_at - TimeDelta::seconds(INQUIRY_MARGIN_SECONDS);
    let since = broker.history_begins(account, since).await?;
    let orders = to_the_end(|after| broker.order_page(account, since, after)).await?;
    let order = orders.into_iter().find(|order| order.broker_order_id == broker_order_id);
    let order = order.ok_or_else(|| {
        BrokerError::Conflict("the broker has no order of this number since the order was made".into())
    })?;
    if (order.symbol, order.side) != (request.symbol, request.side) {
        return Err(BrokerError::Conflict(format!(
            "that order is to {} {}",
            order.side.name(),
            order.symbol
        )));
    }
    let linked = journal.link(account, broker_order_id, request.order_id).await?;
    if order.known_as.is_some_and(|known| known != request.order_id) || linked != request.order_id {
        return Err(BrokerError::Conflict("that number belongs to another order".into()));
    }
    look(broker, journal, account, since, Awaited::default(), Strangers::Left).await.map(|_| ())
}
