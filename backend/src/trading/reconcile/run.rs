//! One comparison of one account.

use super::import::Importer;
use super::{
    Difference, Failure, Outcome, REPLACE_NOT_DONE, Reason, Run, amount_of, compare_holdings, compare_orders,
    lasting,
};
use crate::account::{self, Commodity};
use crate::clock;
use crate::db::{self, Pool};
use crate::error::ApiError;
use crate::events::EventHub;
use crate::market::Market;
use crate::portfolio::{self, DifferenceError};
use crate::trading::activities::ActivityLook;
use crate::trading::connector::{AskError, Connector};
use crate::trading::gate::Gate;
use crate::trading::incident::{BROKER_DIFFERENCE, Incident, NewIncident, ORDER_DIFFERS, ORDER_MISSING};
use crate::trading::inquirer::tell;
use crate::trading::order::Order;
use crate::trading::replace::settle_undone;
use crate::trading::{store, stranger};
use actix_web::web;
use chrono::TimeDelta;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::broker::{BATCH_MAX, OrderRequest, ReportKind};
use domain::inquiry::{AccountState, Finding};
use domain::{AccountId, Currency, OrderId, Side, UserId};
use exchange::Tariff;
use failpoint::Failpoint;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Longest wait until the journal is applied up to where the broker was looked at.
const APPLIED_WAIT_MAX: Duration = Duration::from_secs(5);
/// Between two looks at how far the journal is applied.
const APPLIED_LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Before something that differs is looked at a second time.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(1);
/// Orders younger than this are on their way.
const ORDER_AGE_MIN: TimeDelta = TimeDelta::seconds(2);
/// How long a broker that has taken a request for other terms, or may have, gets to do it.
const REPLACE_TIME_MAX: TimeDelta = TimeDelta::seconds(30);
/// Most open orders asked about in one comparison.
const ORDERS_ASKED_MAX: i64 = 5_000;
/// Largest difference that is booked by itself, in units: what is beyond is told alone.
const BOOKED_MAX: i64 = 1_000_000_000_000;

/// Compares accounts.
pub(in crate::trading) struct Comparer {
    pub(in crate::trading) pool: Pool,
    pub(in crate::trading) connector: Connector,
    pub(in crate::trading) events: Arc<EventHub>,
    pub(in crate::trading) market: web::Data<Market>,
    /// Takes in what the broker did beside orders.
    pub(in crate::trading) activities: ActivityLook,
    /// Closed for an account whose broker speaks of another.
    pub(in crate::trading) gate: Gate,
    /// What the broker charges.
    pub(in crate::trading) tariff: Tariff,
}

/// What a comparison has seen so far.
#[derive(Default)]
struct Seen {
    orders_asked: i64,
    reports_added: i64,
    differences: Vec<(Difference, &'static str)>,
    waited: Duration,
    compare_after: Option<Duration>,
}

/// How a comparison went.
pub(in crate::trading) struct Compared {
    pub(in crate::trading) outcome: Outcome,
    /// How long of it nothing was done, until something else was.
    pub(in crate::trading) waited: Duration,
    /// How long the broker wants to be left alone before the next one, where it cannot be asked as often as others.
    pub(in crate::trading) compare_after: Option<Duration>,
}

impl Comparer {
    /// Compares an account and writes how it went.
    ///
    /// # Errors
    /// The database's, when not even that can be written.
    pub(in crate::trading) async fn compare(
        &self,
        account: AccountId,
        reason: Reason,
    ) -> Result<Compared, ApiError> {
        let started_at = clock::now();
        let mut seen = Seen::default();
        let compared = self.look(account, &mut seen).await;
        failpoint::pass(Failpoint::ReconciliationCompared);
        let outcome = match &compared {
            Err(_) => Outcome::Failed,
            Ok(()) if seen.differences.is_empty() => Outcome::Agreed,
            Ok(()) => Outcome::Differed,
        };
        if let Err(error) = &compared {
            tracing::warn!(%error, %account, "an account cannot be compared with its broker");
        }
        let is_of_another = matches!(compared, Err(Failure::Broker(AskError::OtherAccount(_))));
        let run = Run {
            id: Uuid::now_v7(),
            account_id: account,
            reason,
            outcome,
            failure: compared.as_ref().err().map(Failure::name),
            detail: compared.err().map(|error| error.to_string()),
            orders_asked: seen.orders_asked,
            reports_added: seen.reports_added,
            started_at,
            ended_at: clock::now(),
            differences: seen.differences,
        };
        let mut connection = self.pool.get().await?;
        connection.transaction(async |connection| store::insert_run(connection, &run).await).await?;
        if is_of_another {
            let noted = connection
                .transaction(async |connection| stranger::note(connection, &self.gate, account).await)
                .await?;
            if noted {
                self.events.wake();
            }
        }
        Ok(Compared { outcome, waited: seen.waited, compare_after: seen.compare_after })
    }

    async fn look(&self, account: AccountId, seen: &mut Seen) -> Result<(), Failure> {
        self.recover(account, seen).await?;
        let found = self.differences(account, seen).await?;
        if !found.is_empty() {
            tokio::time::sleep(SECOND_LOOK_AFTER).await;
            seen.waited += SECOND_LOOK_AFTER;
            // What happened since the broker's lists were read, or was not in them yet, is no difference.
            self.recover(account, seen).await?;
            let second = self.differences(account, seen).await?;
            for difference in lasting(found, &second) {
                let action = self.settle(account, &difference).await?;
                seen.differences.push((difference, action));
            }
        }
        Ok(())
    }

    /// Pulls in what the broker's lists have beyond the journal and waits until it is applied.
    async fn recover(&self, account: AccountId, seen: &mut Seen) -> Result<(), Failure> {
        let waiting = self.waiting(account).await?;
        let open = self.open_orders(account).await?;
        let replacing = open.iter().filter_map(Order::open_replace).take(BATCH_MAX).collect();
        let recovery = self.connector.recover(account, waiting, replacing).await?;
        failpoint::pass(Failpoint::ReconciliationRecovered);
        let added = i64::try_from(recovery.reports_added).unwrap_or(i64::MAX);
        seen.reports_added = seen.reports_added.saturating_add(added);
        self.wait_until_applied(recovery.journal_id).await?;
        let importer = Importer {
            pool: &self.pool,
            connector: &self.connector,
            events: &self.events,
            market: &self.market,
            tariff: self.tariff,
        };
        seen.differences.extend(importer.import(account).await?);
        Ok(())
    }

    /// Everything that is not the same on both sides now.
    async fn differences(
        &self,
        account: AccountId,
        seen: &mut Seen,
    ) -> Result<BTreeSet<Difference>, Failure> {
        let findings = self.inquire(account, seen).await?;
        // The account is read after its orders, so the journal is applied as far as they were found.
        let theirs = self.connector.account(account).await?;
        seen.compare_after = theirs.compare_after_seconds.map(Duration::from_secs);
        self.wait_until_applied(theirs.journal_id).await?;
        let mut found = self.orders_that_differ(&findings).await?;
        if let Some(activity_id) = theirs.activity_id {
            self.wait_until_taken_in(account, activity_id).await?;
        }
        if let Some(ours) = self.holdings_at(account, &theirs).await? {
            found.extend(compare_holdings(&ours, &theirs));
        }
        Ok(found)
    }

    async fn open_orders(&self, account: AccountId) -> Result<Vec<Order>, Failure> {
        Ok(store::open_orders_of(&*self.pool.get().await?, account, ORDERS_ASKED_MAX).await?)
    }

    /// The orders that were not heard of yet, none of which may be taken for another.
    async fn waiting(&self, account: AccountId) -> Result<Vec<OrderRequest>, Failure> {
        let limit = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
        let waiting = store::orders_not_heard_of(&*self.pool.get().await?, &[account], limit + 1).await?;
        if waiting.len() > BATCH_MAX {
            let reason = "too many orders wait to be heard of to tell them apart".to_owned();
            return Err(AskError::Unreachable(reason).into());
        }
        Ok(waiting.iter().filter_map(Order::description).collect())
    }

    /// What the broker says of the orders that are open here.
    async fn inquire(
        &self,
        account: AccountId,
        seen: &mut Seen,
    ) -> Result<BTreeMap<OrderId, Finding>, Failure> {
        let before = clock::now() - ORDER_AGE_MIN;
        let open = self.open_orders(account).await?;
        let asked: Vec<(&Order, OrderRequest)> = open
            .iter()
            .filter(|order| order.created_at <= before && order.unresolved_since.is_none())
            .filter_map(|order| Some((order, order.description()?)))
            .collect();
        let mut findings = BTreeMap::new();
        for asked in asked.chunks(BATCH_MAX) {
            let requests: Vec<OrderRequest> = asked.iter().map(|(_, request)| request.clone()).collect();
            let replacing = asked.iter().filter_map(|(order, _)| order.open_replace()).collect();
            let answers = self.connector.inquire(&requests, self.waiting(account).await?, replacing).await?;
            findings.extend(requests.iter().map(|request| request.order_id).zip(answers));
        }
        seen.orders_asked = i64::try_from(asked.len()).unwrap_or(i64::MAX);
        Ok(findings)
    }

    async fn orders_that_differ(
        &self,
        findings: &BTreeMap<OrderId, Finding>,
    ) -> Result<BTreeSet<Difference>, Failure> {
        let ids = findings.keys().copied().collect::<Vec<_>>();
        let connection = self.pool.get().await?;
        let now = store::orders_of(&connection, &ids).await?;
        let requests: Vec<_> = now.iter().filter_map(|order| Some(order.replacing?.id)).collect();
        let overdue =
            store::replaces_overdue(&connection, &requests, clock::now() - REPLACE_TIME_MAX).await?;
        let found = now.iter().filter_map(|order| Some((order, findings.get(&order.id)?)));
        Ok(compare_orders(found, &overdue))
    }

    async fn wait_until_applied(&self, journal_id: i64) -> Result<(), Failure> {
        let began = Instant::now();
        while store::cursor(&*self.pool.get().await?).await? < journal_id {
            if began.elapsed() > APPLIED_WAIT_MAX {
                return Err(Failure::Behind);
            }
            tokio::time::sleep(APPLIED_LOOK_PAUSE).await;
        }
        Ok(())
    }

    async fn wait_until_taken_in(&self, account: AccountId, activity_id: i64) -> Result<(), Failure> {
        let began = Instant::now();
        while !store::are_activities_taken_in(&*self.pool.get().await?, account, activity_id).await? {
            if began.elapsed() > APPLIED_WAIT_MAX {
                return Err(Failure::Behind);
            }
            self.activities.look();
            tokio::time::sleep(APPLIED_LOOK_PAUSE).await;
        }
        Ok(())
    }

    /// What trading, and what the broker did beside it, had left in our books at the lines that its state names; nothing
    /// when that cannot be told now.
    async fn holdings_at(
        &self,
        account: AccountId,
        theirs: &AccountState,
    ) -> Result<Option<BTreeMap<Commodity, Decimal>>, Failure> {
        let mut connection = self.pool.get().await?;
        // One picture of the books, the cursor and the journal.
        db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let cursor = store::cursor(connection).await?;
                let mut ours = account::traded(connection, account).await?;
                if let Some(line) = theirs.activity_id
                    && store::is_activity_taken_in_after(connection, account, line).await?
                {
                    return Ok(None);
                }
                let later = store::movements_between(connection, account, theirs.journal_id, cursor).await?;
                for line in later {
                    let order = store::orders_of(connection, &[line.order_id]).await?;
                    let Some(wish) = order.first().map(|order| &order.wish) else {
                        return Ok::<_, Failure>(None);
                    };
                    let Ok(ReportKind::Fill { quantity, price, commission, tax, .. }) = line.report else {
                        return Ok(None);
                    };
                    let symbol = wish.symbol;
                    let worth = symbol.currency().round(quantity.value() * price.value());
                    let (shares, cash) = match wish.side {
                        Side::Buy => (quantity.value(), -worth),
                        Side::Sell => (-quantity.value(), worth),
                    };
                    *ours.entry(Commodity::Shares(symbol)).or_default() -= shares;
                    *ours.entry(Commodity::Cash(symbol.currency())).or_default() -= cash - commission - tax;
                }
                Ok(Some(ours))
            })
            .await
    }

    /// Does what a lasting difference asks for and says what that was.
    async fn settle(&self, account: AccountId, difference: &Difference) -> Result<&'static str, Failure> {
        let mut connection = self.pool.get().await?;
        let action =
            connection.transaction(async |connection| settle(connection, account, difference).await).await?;
        self.events.wake();
        Ok(action)
    }
}

async fn settle(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    difference: &Difference,
) -> Result<&'static str, Failure> {
    let connection: &AsyncPgConnection = connection;
    if let (REPLACE_NOT_DONE, Some(order)) = (difference.kind, difference.order_id) {
        settle_undone(connection, order, &difference.ours).await?;
        return Ok("settled");
    }
    let symbols = match difference.commodity {
        Some(Commodity::Shares(symbol)) => vec![symbol],
        _ => Vec::new(),
    };
    let locked = account::lock_balances(connection, &BTreeSet::from([account]), symbols.into_iter()).await?;
    let owner: Option<(UserId, Currency)> = locked.account(account);
    let words = format!("we say {}, the broker says {}", difference.ours, difference.theirs);
    let (incident, action) = match (amount_of(difference), owner) {
        (Some((commodity, amount)), Some(_)) if amount.abs() <= Decimal::from(BOOKED_MAX) => {
            let detail = format!("{} of {}: {words}", amount.normalize(), commodity.name());
            let told = |detail, case| {
                let incident = Incident::new(BROKER_DIFFERENCE, detail).with("case", case);
                incident.with("amount", amount.normalize()).with("commodity", commodity.name())
            };
            let booked =
                portfolio::book_broker_difference(connection, account, commodity, amount, clock::now()).await;
            match booked {
                Ok(()) => (told(detail, "booked"), "booked"),
                Err(DifferenceError::Ledger(error)) => {
                    (told(format!("{detail}; not booked: {error}"), "refused"), "told")
                }
                Err(DifferenceError::Database(error)) => return Err(error.into()),
            }
        }
        (Some((commodity, amount)), _) => {
            let detail = format!("{}: {words}; too large to be booked", commodity.name());
            let incident = Incident::new(BROKER_DIFFERENCE, detail).with("case", "too_large");
            (incident.with("amount", amount.normalize()).with("commodity", commodity.name()), "told")
        }
        (None, _) if difference.kind == "order_missing" => (Incident::new(ORDER_MISSING, words), "told"),
        (None, _) => {
            let incident = Incident::new(ORDER_DIFFERS, format!("{}: {words}", difference.kind));
            (incident.with("difference", difference.kind), "told")
        }
    };
    let incident = incident.with("ours", &difference.ours).with("theirs", &difference.theirs);
    let incident = NewIncident::new(owner.map(|(user, _)| user), account, incident, clock::now());
    let incident = NewIncident { order_id: difference.order_id, ..incident };
    // What is only told is told once: the timer comes by again and again.
    if action == "booked" || !store::is_told(connection, &incident).await? {
        let Incident { kind, detail, .. } = &incident.incident;
        tracing::error!(%account, kind, detail, "a broker differs from our books");
        tell(connection, &[incident]).await?;
    }
    Ok(action)
}
