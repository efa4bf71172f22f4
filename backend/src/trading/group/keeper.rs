//! Looks at every active group, when something has happened and on a timer, and does what its plan asks for.

use super::native;
use super::plan::{Step, next_steps};
use super::service::{Done, Groups, write_woken};
use super::wake::{self, Circumstances, Woken};
use super::{Group, GroupStatus, LegState};
use crate::account::{self, LockedBalances};
use crate::clock;
use crate::error::{ApiResult, ErrorCode};
use crate::market::Market;
use crate::trading::gate::Gate;
use crate::trading::incident::{Incident, NewIncident};
use crate::trading::inquirer::tell;
use crate::trading::margin;
use crate::trading::replace::{self, Change, request_replace};
use crate::trading::requests::request_cancel;
use crate::trading::store;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{OrderGroupId, OrderId, Quantity, Quote};
use exchange::Tariff;
use failpoint::Failpoint;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often every active group is looked at, whatever was told.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Groups read at once.
const PAGE_GROUPS_MAX: i64 = 100;

/// Tells the keeper that something has happened to a group.
#[derive(Clone, Default)]
pub(in crate::trading) struct GroupLook(Arc<Notify>);

impl GroupLook {
    /// Makes the keeper look now.
    pub(in crate::trading) fn look(&self) {
        self.0.notify_one();
    }
}

/// The keeper.
pub(in crate::trading) struct Keeper {
    pub(in crate::trading) groups: Arc<Groups>,
    pub(in crate::trading) gate: Gate,
}

/// What steps are taken with, beside the group, its orders and its account.
#[derive(Clone, Copy)]
struct Moment<'a> {
    /// The current price; without one nothing is placed, but what must be taken back is.
    quote: Option<&'a Quote>,
    symbol_halted: bool,
    /// Whether nothing new may be placed in the account: legs wait, and what must be taken back is.
    account_closed: bool,
    /// What other shares are worth.
    market: &'a Market,
    /// What the account's broker charges.
    tariff: Tariff,
}

impl Keeper {
    /// Looks until told to stop.
    pub(in crate::trading) async fn run(self, stop: CancellationToken) {
        let mut timer = tokio::time::interval(LOOK_INTERVAL);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let look = self.groups.look.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = look.0.notified() => {}
                _ = timer.tick() => {}
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "groups of orders could not be looked at; trying again");
            }
        }
    }

    async fn look(&self) -> ApiResult<()> {
        let mut after = OrderGroupId(Uuid::nil());
        loop {
            let connection = self.groups.pool.get().await?;
            let groups = store::active_groups(&connection, after, PAGE_GROUPS_MAX).await?;
            let ids: Vec<OrderId> = groups.iter().flat_map(Group::placed).collect();
            let orders = store::orders_by_id(&connection, ids.into_iter()).await?;
            drop(connection);
            for group in &groups {
                if next_steps(&group.standing(&orders)).is_empty() {
                    continue;
                }
                if let Err(error) = self.advance(group).await {
                    tracing::warn!(%error, group = %group.id, "a group of orders could not be moved on");
                }
            }
            match groups.last() {
                Some(last) if i64::try_from(groups.len()).is_ok_and(|read| read == PAGE_GROUPS_MAX) => {
                    after = last.id;
                }
                _ => return Ok(()),
            }
        }
    }

    async fn advance(&self, group: &Group) -> ApiResult<()> {
        // Fetched before any lock is taken.
        let quote = self.groups.market.quote(group.symbol).await.ok();
        let moment = Moment {
            quote: quote.as_deref(),
            symbol_halted: self.groups.halts.is_halted(group.user_id, group.symbol),
            account_closed: self.gate.check(group.account_id).is_err(),
            market: &self.groups.market,
            tariff: self.groups.lanes.of(group.account_id).tariff(),
        };
        let mut connection = self.groups.pool.get().await?;
        let done =
            connection.transaction(async |connection| advance(connection, group.id, moment).await).await?;
        drop(connection);
        failpoint::pass(Failpoint::GroupAdvanced);
        self.groups.tell(done);
        Ok(())
    }
}

/// Plans anew on locked rows, and does it. Locks in the house's order: group, account, orders. What cannot be done at this
/// moment is tried again by the timer, and leaves no trace.
async fn advance(connection: &AsyncPgConnection, id: OrderGroupId, moment: Moment<'_>) -> ApiResult<Done> {
    let mut done = Done::default();
    let Some(mut group) = store::lock_group(connection, id).await? else { return Ok(done) };
    let accounts = BTreeSet::from([group.account_id]);
    let mut balances = account::lock_balances(connection, &accounts, std::iter::once(group.symbol)).await?;
    let placed: Vec<OrderId> = group.placed().collect();
    let orders = store::lock_orders(connection, placed.into_iter()).await?;
    let now = clock::now();
    let mut has_moved = false;
    for step in next_steps(&group.standing(&orders)) {
        has_moved |= match step {
            // They are at the broker already: what is closed to new orders is not closed to what is.
            Step::Wake(quantity) if group.is_native => {
                let believed = balances.clone();
                let woken = native::stand(&group, quantity, &mut balances, moment.tariff, now);
                settle_woken(connection, &mut group, (&believed, &balances, woken), now, &mut done).await?;
                true
            }
            Step::Wake(_) if moment.account_closed => false,
            Step::Wake(quantity) => {
                let pairs = HashSet::from([(group.account_id, group.symbol)]);
                let (_, unresolved) = store::known_orders(connection, &HashSet::new(), &pairs).await?;
                let symbol_unresolved = !unresolved.is_empty();
                let Moment { quote, symbol_halted, tariff, .. } = moment;
                let books = margin::load(connection, &balances, moment.market).await?;
                let margin = margin::state(books.get(&group.account_id), group.symbol, quote);
                let circumstances =
                    Circumstances { quote, symbol_halted, symbol_unresolved, now, margin, tariff };
                wake_legs(connection, &mut group, quantity, &mut balances, circumstances, &mut done).await?
            }
            Step::Drop => {
                let without = native::without_exits(&group, &orders);
                if without.refused.is_empty() {
                    for leg in group.legs.iter_mut().filter(|leg| leg.state == LegState::Waiting) {
                        leg.state = LegState::Dropped;
                    }
                } else {
                    settle_woken(connection, &mut group, (&balances, &balances, without), now, &mut done)
                        .await?;
                }
                true
            }
            Step::Cancel(order) => {
                unless_too_late(request_cancel(connection, group.user_id, order, Some("group")).await)?
            }
            Step::Resize(order, quantity) => {
                let Some(quote) = moment.quote else { continue };
                let change = Change { quantity: Some(quantity), ..Change::default() };
                let circumstances = replace::Circumstances {
                    quote,
                    symbol_halted: false,
                    halt: None,
                    key: None,
                    margin: None,
                    tariff: moment.tariff,
                    // Whether it changes sizes was asked before the group was made.
                    broker: None,
                };
                let circumstances = (circumstances, moment.market);
                let asked = request_replace(connection, group.user_id, order, change, circumstances).await;
                unless_too_late(asked)?
            }
            Step::Finish => {
                group.status = GroupStatus::Done;
                true
            }
        };
    }
    if has_moved {
        group.updated_at = now;
        store::save_group(connection, &group).await?;
        done.look_again = true;
    }
    Ok(done)
}

/// A request that the order's own progress has overtaken is no failure: the next look sees what has become of it. Such a
/// refusal comes before anything was written. Says whether the request was taken.
fn unless_too_late<T>(asked: ApiResult<T>) -> ApiResult<bool> {
    match asked {
        Ok(_) => Ok(true),
        Err(error) if error.code() == ErrorCode::Internal => Err(error),
        Err(error) if error.code() == ErrorCode::ServiceUnavailable => Err(error),
        Err(error) => {
            tracing::debug!(%error, "a request for an order of a group was not needed");
            Ok(false)
        }
    }
}

/// Says whether anything has become of the legs.
async fn wake_legs(
    connection: &AsyncPgConnection,
    group: &mut Group,
    quantity: Quantity,
    balances: &mut LockedBalances,
    circumstances: Circumstances<'_>,
    done: &mut Done,
) -> ApiResult<bool> {
    let believed = balances.clone();
    let woken = wake::wake(group, &wake::waiting(group), quantity, balances, circumstances);
    if woken.only_waits() {
        // The timer tries again.
        *balances = believed;
        return Ok(false);
    }
    settle_woken(connection, group, (&believed, balances, woken), circumstances.now, done).await?;
    Ok(true)
}

/// Writes what waiting legs have become, and tells of those that were refused.
async fn settle_woken(
    connection: &AsyncPgConnection,
    group: &mut Group,
    (believed, balances, woken): (&LockedBalances, &LockedBalances, Woken),
    now: DateTime<Utc>,
    done: &mut Done,
) -> ApiResult<()> {
    let mut incidents = Vec::new();
    for leg in group.legs.iter_mut().filter(|leg| leg.state == LegState::Waiting) {
        leg.state = LegState::Placed;
        if let Some((_, denials)) = woken.refused.iter().find(|(name, _)| *name == leg.name) {
            leg.state = LegState::Refused;
            leg.denials = Some(denials.clone());
            let rules: Vec<&str> = denials.iter().map(|denial| denial.rule.as_str()).collect();
            let detail = format!(
                "the leg {} of group {} was refused: {}",
                leg.name.name(),
                group.id,
                rules.join(", ")
            );
            tracing::error!(group = %group.id, detail, "a person must look at this");
            let incident = Incident::new("leg_refused", detail)
                .with("leg", leg.name.name())
                .with("rules", rules.join(","));
            let incident = NewIncident::new(Some(group.user_id), group.account_id, incident, now);
            incidents.push(incident.about(leg.order_id));
        }
    }
    write_woken(connection, believed, balances, woken, now, done).await?;
    failpoint::pass(Failpoint::LegWoken);
    tell(connection, &incidents).await?;
    Ok(())
}
