//! What can be done with groups of orders.

use super::keeper::GroupLook;
use super::plan::{GroupKind, LegName, LegState};
use super::wake::{self, Circumstances, Woken};
use super::{Group, GroupLeg, GroupStatus, LegWish};
use crate::account::{self, BalanceChange, BalanceMemory, Commodity, LockedBalances, balance_event};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError};
use crate::events::{EventHub, EventKind, NewEvent};
use crate::market::{Market, MarketError};
use crate::trading::dispatcher::DispatchQueue;
use crate::trading::document::OrderDocument;
use crate::trading::halts::Halts;
use crate::trading::lane::Lanes;
use crate::trading::margin;
use crate::trading::order::Order;
use crate::trading::store::{self, PlacedBatch};
use actix_web::web;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::broker::OrderRequest;
use domain::{
    AccountId, ClientOrderId, OrderGroupId, OrderId, Price, Pricing, Quantity, Quote, Side, Symbol, UserId,
};
use exchange::Tariff;
use failpoint::Failpoint;
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A group as it is asked for.
#[derive(Debug, Clone)]
pub(in crate::trading) struct NewGroup {
    pub(in crate::trading) account_id: AccountId,
    pub(in crate::trading) kind: GroupKind,
    pub(in crate::trading) symbol: Symbol,
    pub(in crate::trading) quantity: Quantity,
    pub(in crate::trading) legs: Vec<(LegName, LegWish)>,
    /// The legs whose time in force was left to us.
    pub(in crate::trading) left_open: Vec<LegName>,
    /// Whether its broker is to work it as one order of its own.
    pub(in crate::trading) is_native: bool,
}

/// Groups of orders.
pub(in crate::trading) struct Groups {
    pub(in crate::trading) pool: Pool,
    pub(in crate::trading) market: web::Data<Market>,
    pub(in crate::trading) events: Arc<EventHub>,
    pub(in crate::trading) dispatch: DispatchQueue,
    pub(in crate::trading) memory: BalanceMemory,
    pub(in crate::trading) halts: Arc<Halts>,
    pub(in crate::trading) lanes: Lanes,
    pub(in crate::trading) look: GroupLook,
}

/// What a transaction has done, to be told after its commit.
#[derive(Default)]
pub(super) struct Done {
    requests: Vec<OrderRequest>,
    holds: Vec<BalanceChange>,
    pub(super) look_again: bool,
}

/// A group with its orders.
pub(in crate::trading) struct GroupView {
    pub(in crate::trading) group: Group,
    pub(in crate::trading) orders: Vec<Order>,
}

impl Groups {
    pub(super) fn tell(&self, done: Done) {
        self.memory.note(&done.holds);
        self.events.wake();
        self.dispatch.send(done.requests.into_iter());
        self.dispatch.look();
        if done.look_again {
            self.look.look();
        }
    }

    /// Makes a group: what comes first is placed, what comes later is checked and waits. Says whether this very group had
    /// been made before.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for the account, [`ErrorCode::UnknownSymbol`], [`ErrorCode::IdempotencyKeyReused`], every
    /// field that contradicts another, and every reason of risk against any leg ([`ErrorCode::OrderDenied`]): then nothing
    /// is placed.
    pub(in crate::trading) async fn place(
        &self,
        user: UserId,
        new: NewGroup,
        key: Option<ClientOrderId>,
    ) -> ApiResult<(GroupView, bool)> {
        let quote = match self.market.quote(new.symbol).await {
            Ok(quote) => quote,
            Err(MarketError::UnknownSymbol(symbol)) => {
                let message = format!("no source quotes {symbol}");
                return Err(ApiError::field("symbol", "unknown_symbol", message));
            }
            // Without a price nothing new can be placed, but what was made is still answered.
            Err(error @ (MarketError::Unavailable(_) | MarketError::Unsupported(_))) => {
                let before = self.made_before(user, &new, key.as_ref()).await?;
                return before.map(|group| (group, true)).ok_or_else(|| error.into());
            }
        };
        let symbol_halted = self.halts.is_halted(user, new.symbol);
        let tariff = self.lanes.of(new.account_id).tariff();
        let mut connection = self.pool.get().await?;
        let (group, done, replayed) = connection
            .transaction(async |connection| {
                let moment = (&*quote, self.market.get_ref(), symbol_halted, tariff);
                place(connection, user, &new, key.as_ref(), moment).await
            })
            .await?;
        failpoint::pass(Failpoint::GroupCommitted);
        let orders = store::orders_by_id(&connection, group.placed()).await?;
        drop(connection);
        self.tell(done);
        Ok((GroupView { group, orders }, replayed))
    }

    /// The group that was made under a key before, for that same wish.
    ///
    /// # Errors
    /// [`ErrorCode::IdempotencyKeyReused`], and the database's.
    pub(in crate::trading) async fn made_before(
        &self,
        user: UserId,
        new: &NewGroup,
        key: Option<&ClientOrderId>,
    ) -> ApiResult<Option<GroupView>> {
        let Some(key) = key else { return Ok(None) };
        let connection = self.pool.get().await?;
        let group = store::group_by_key(&connection, new.account_id, key.as_str()).await?;
        let Some(group) = group.filter(|group| group.user_id == user) else { return Ok(None) };
        if !is_same(&group, new) {
            return Err(ApiError::new(ErrorCode::IdempotencyKeyReused, ""));
        }
        let orders = store::orders_by_id(&connection, group.placed()).await?;
        Ok(Some(GroupView { group, orders }))
    }

    /// Asks to take a whole group back.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::OrderNotOpen`].
    pub(in crate::trading) async fn cancel(&self, user: UserId, id: OrderGroupId) -> ApiResult<GroupView> {
        let mut connection = self.pool.get().await?;
        let group = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let group = store::lock_group(connection, id).await?.filter(|group| group.user_id == user);
                let mut group = group.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
                if group.status == GroupStatus::Done {
                    return Err(ApiError::new(ErrorCode::OrderNotOpen, "the group has ended"));
                }
                group.updated_at = clock::now();
                group.cancel_requested_at.get_or_insert(group.updated_at);
                store::save_group(connection, &group).await?;
                Ok::<_, ApiError>(group)
            })
            .await?;
        let orders = store::orders_by_id(&connection, group.placed()).await?;
        self.look.look();
        Ok(GroupView { group, orders })
    }

    /// A group with its orders.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the groups of others.
    pub(in crate::trading) async fn show(&self, user: UserId, id: OrderGroupId) -> ApiResult<GroupView> {
        let connection = self.pool.get().await?;
        let group = store::group_of(&connection, user, id).await?;
        let group = group.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        let orders = store::orders_by_id(&connection, group.placed()).await?;
        Ok(GroupView { group, orders })
    }

    /// A page of groups with their orders, newest first.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::trading) async fn list(
        &self,
        accounts: &[AccountId],
        before: Option<OrderGroupId>,
        limit: i64,
    ) -> ApiResult<Vec<GroupView>> {
        let connection = self.pool.get().await?;
        let groups = store::list_groups(&connection, accounts, before, limit).await?;
        let ids: Vec<OrderId> = groups.iter().flat_map(Group::placed).collect();
        let orders = store::orders_by_id(&connection, ids.into_iter()).await?;
        let view = |group: Group| {
            let of_group = |order: &&Order| group.placed().any(|id| id == order.id);
            let orders = orders.iter().filter(of_group).cloned().collect();
            GroupView { group, orders }
        };
        Ok(groups.into_iter().map(view).collect())
    }
}

async fn place(
    connection: &AsyncPgConnection,
    user: UserId,
    new: &NewGroup,
    key: Option<&ClientOrderId>,
    (quote, market, symbol_halted, tariff): (&Quote, &Market, bool, Tariff),
) -> ApiResult<(Group, Done, bool)> {
    let accounts = BTreeSet::from([new.account_id]);
    let mut balances = account::lock_balances(connection, &accounts, std::iter::once(new.symbol)).await?;
    if balances.account(new.account_id).is_none_or(|(owner, _)| owner != user) {
        return Err(ApiError::new(ErrorCode::NotFound, "there is no such account"));
    }
    // Behind the account's lock: of two alike requests at once the second finds what the first has made.
    if let Some(key) = key
        && let Some(existing) = store::group_by_key(connection, new.account_id, key.as_str()).await?
    {
        return if is_same(&existing, new) {
            Ok((existing, Done::default(), true))
        } else {
            Err(ApiError::new(ErrorCode::IdempotencyKeyReused, ""))
        };
    }
    let mut complaints = shape_complaints(new, quote);
    let pairs = HashSet::from([(new.account_id, new.symbol)]);
    let (_, unresolved) = store::known_orders(connection, &HashSet::new(), &pairs).await?;
    let symbol_unresolved = !unresolved.is_empty();
    let books = margin::load(connection, &balances, market).await?;
    let margin = margin::state(books.get(&new.account_id), new.symbol, Some(quote));
    let now = clock::now();
    let quote = Some(quote);
    let circumstances = Circumstances { quote, symbol_halted, symbol_unresolved, now, margin, tariff };
    let group = group_of(user, new, key, now);
    let at_once: Vec<&GroupLeg> = group.legs.iter().filter(|leg| leg.state == LegState::Placed).collect();
    let shares = balances.balance(new.account_id, Commodity::Shares(new.symbol));
    let owed = (shares.held - shares.total).max(Decimal::ZERO);
    let believed = balances.clone();
    let woken = wake::wake(&group, &at_once, group.quantity, &mut balances, circumstances);
    let ahead = wake::judge_ahead(&group, &wake::waiting(&group), owed, circumstances);
    complaints.extend(ahead.complaints());
    if !woken.refused.is_empty() || !complaints.is_empty() {
        complaints.extend(woken.complaints());
        return Err(ApiError::fields(ErrorCode::OrderDenied, complaints));
    }
    store::insert_group(connection, &group).await?;
    let mut done = Done::default();
    write_woken(connection, &believed, &balances, woken, now, &mut done).await?;
    failpoint::pass(Failpoint::GroupWritten);
    Ok((group, done, false))
}

fn is_same(group: &Group, new: &NewGroup) -> bool {
    let has = |(name, wish): &(LegName, LegWish)| {
        group.legs.iter().any(|leg| {
            let time_in_force =
                if new.left_open.contains(name) { leg.wish.time_in_force } else { wish.time_in_force };
            leg.name == *name && leg.wish == LegWish { time_in_force, ..*wish }
        })
    };
    (group.kind, group.symbol, group.quantity) == (new.kind, new.symbol, new.quantity)
        && group.legs.len() == new.legs.len()
        && new.legs.iter().all(has)
}

fn group_of(user: UserId, new: &NewGroup, key: Option<&ClientOrderId>, now: DateTime<Utc>) -> Group {
    let has_entry = new.legs.iter().any(|(name, _)| *name == LegName::Entry);
    let leg = |(name, wish): &(LegName, LegWish)| GroupLeg {
        name: *name,
        order_id: OrderId::generate(),
        wish: *wish,
        state: if has_entry && *name != LegName::Entry { LegState::Waiting } else { LegState::Placed },
        denials: None,
    };
    let id = OrderGroupId::generate();
    let mut legs: Vec<GroupLeg> = new.legs.iter().map(leg).collect();
    legs.sort_by_key(|leg| leg.name != LegName::TakeProfit);
    Group {
        id,
        account_id: new.account_id,
        user_id: user,
        client_group_id: key.map_or_else(|| id.to_string(), ToString::to_string),
        kind: new.kind,
        symbol: new.symbol,
        quantity: new.quantity,
        is_native: new.is_native,
        status: GroupStatus::Active,
        cancel_requested_at: None,
        created_at: now,
        updated_at: now,
        legs,
    }
}

/// Exits that are on the wrong side of each other, or of what was paid, would be executed at once.
fn shape_complaints(new: &NewGroup, quote: &Quote) -> Vec<FieldError> {
    let pricing = |name| {
        let (_, wish) = new.legs.iter().find(|(leg, _)| *leg == name)?;
        wish.order(new.account_id, new.symbol, new.quantity).ok().map(|order| order.pricing)
    };
    let profit = pricing(LegName::TakeProfit).and_then(Pricing::limit_price);
    let stop = pricing(LegName::StopLoss).and_then(|pricing| pricing.fields().stop_price);
    let paid = pricing(LegName::Entry).map(|entry| price_paid(entry, quote));
    let mut complaints = Vec::new();
    let mut complain = |leg, field, rule: &str, message: String| {
        complaints.push(FieldError::new(format!("{}.{field}", LegName::field(leg)), rule, message));
    };
    if let (Some(profit), Some(stop)) = (profit, stop)
        && profit <= stop
    {
        let message = format!("must be above the stop price {stop}");
        complain(LegName::TakeProfit, "limitPrice", "below_stop", message);
    }
    if let (Some(profit), Some(paid)) = (profit, paid)
        && profit <= paid
    {
        complain(
            LegName::TakeProfit,
            "limitPrice",
            "below_entry",
            format!("must be above the entry's {paid}"),
        );
    }
    if let (Some(stop), Some(paid)) = (stop, paid)
        && stop >= paid
    {
        complain(LegName::StopLoss, "stopPrice", "above_entry", format!("must be below the entry's {paid}"));
    }
    complaints
}

fn price_paid(entry: Pricing, quote: &Quote) -> Price {
    entry.limit_price().or(entry.fields().stop_price).unwrap_or_else(|| quote.price_to_buy())
}

/// Writes orders that legs have become, and notes what is to be told.
pub(super) async fn write_woken(
    connection: &AsyncPgConnection,
    believed: &LockedBalances,
    balances: &LockedBalances,
    woken: Woken,
    now: DateTime<Utc>,
    done: &mut Done,
) -> ApiResult<()> {
    let Woken { orders, holds, .. } = woken;
    if orders.is_empty() {
        return Ok(());
    }
    let events = events_of(&orders, balances, now).map_err(ApiError::internal)?;
    let pairs = HashSet::new();
    let batch = PlacedBatch { believed, pairs: &pairs, orders: &orders, holds: &holds, events };
    if !store::place_orders(connection, batch).await? {
        return Err(ApiError::internal("locked balances have changed"));
    }
    store::save_shares(connection, orders.iter()).await?;
    done.requests.extend(orders.iter().filter_map(Order::request));
    done.holds.extend(holds);
    Ok(())
}

fn events_of(
    orders: &[Order],
    balances: &LockedBalances,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, serde_json::Error> {
    let mut events = Vec::with_capacity(2 * orders.len());
    for order in orders {
        events.push(NewEvent::new(order.user_id, EventKind::Order, &OrderDocument::from(order))?);
        if order.wish.side == Side::Buy {
            let (account_id, currency) = (order.wish.account_id, order.currency());
            let cash = balances.cash(account_id, currency);
            events.push(balance_event(order.user_id, &cash, now)?);
        }
    }
    Ok(events)
}
