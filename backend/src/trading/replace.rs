//! Other terms for an open order: a request of its own, written first, delivered after its commit, answered by the
//! journal. The order keeps its id; until the broker has answered, what is held covers the old terms and the new.

use super::apply::{describe, finish_if_filled, overfill};
use super::brokerage::CapabilitiesDocument;
use super::document::OrderDocument;
use super::fit;
use super::incident::{Incident, NewIncident};
use super::margin;
use super::order::{Order, OrderLogEntry, OrderTerms, Replacement};
use super::reconcile::words_of;
use super::requests::ends_of_cancels;
use super::service::TradingService;
use super::store::{self, NewReplace, RequestStatus};
use crate::account::{self, BalanceChange, Commodity, LockedBalances, balance_event};
use crate::clock;
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError};
use crate::events::{self, EventKind, NewEvent};
use crate::market::Market;
use crate::risk::{self, AccountState, MarginState, OpenOrder};
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{
    ClientOrderId, Lifetime, OrderId, Percent, Price, PriceFields, Pricing, Quantity, Quote, ReplaceId, Side,
    Size, UserId,
};
use exchange::Tariff;
use failpoint::Failpoint;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Why a request ends that the broker has not done.
const NOT_DONE: &str = "the broker works the order by its old terms";
/// How often the terms of one order may be replaced.
const REPLACES_PER_ORDER_MAX: usize = 100;

/// What is to be different; what is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) quantity: Option<Quantity>,
    pub(super) limit_price: Option<Price>,
    pub(super) stop_price: Option<Price>,
    pub(super) trail_amount: Option<Price>,
    pub(super) trail_percent: Option<Percent>,
}

/// What a change is decided with, beside the order and its account.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    /// The current price.
    pub(super) quote: &'a Quote,
    /// Whether the owner has the symbol on the list of halted ones.
    pub(super) symbol_halted: bool,
    /// Why trading is halted in the account: other terms are new orders to a broker.
    pub(super) halt: Option<&'a str>,
    /// The caller's name for the request.
    pub(super) key: Option<&'a ClientOrderId>,
    /// What the account may do beyond its own money and shares; [`request_replace`] finds it out.
    pub(super) margin: Option<MarginState>,
    /// What the account's broker charges.
    pub(super) tariff: Tariff,
    /// What it takes, where somebody has said so.
    pub(super) broker: Option<&'a CapabilitiesDocument>,
}

/// How a request to change an order ended.
pub(super) struct Requested {
    pub(super) order: Order,
    /// Whether this very request had been made before.
    pub(super) replayed: bool,
}

/// Writes the wish for other terms. Repeating it, under the same key or while it is under way, changes nothing; nor does
/// asking for what the order is already. Runs inside the caller's transaction and locks the account before the order.
///
/// # Errors
/// [`ErrorCode::NotFound`] for unknown orders and those of others, [`ErrorCode::OrderNotOpen`] for ended ones,
/// [`ErrorCode::CancelPending`], [`ErrorCode::ReplacePending`], [`ErrorCode::IdempotencyKeyReused`], every field that the
/// order does not have, every reason of risk and what its broker does not change ([`ErrorCode::OrderDenied`]).
pub(super) async fn request_replace(
    connection: &AsyncPgConnection,
    user: UserId,
    id: OrderId,
    change: Change,
    (circumstances, market): (Circumstances<'_>, &Market),
) -> ApiResult<Requested> {
    let not_found = || ApiError::new(ErrorCode::NotFound, "");
    let found = store::order_of(connection, user, id).await?.ok_or_else(not_found)?;
    let accounts = BTreeSet::from([found.wish.account_id]);
    let mut balances =
        account::lock_balances(connection, &accounts, std::iter::once(found.wish.symbol)).await?;
    let locked = store::lock_orders(connection, std::iter::once(id)).await?;
    let mut order = locked.into_iter().next().ok_or_else(not_found)?;
    if let Some(key) = circumstances.key
        && let Some(asked) = store::replace_by_key(connection, id, key.as_str()).await?
    {
        let same = serde_json::from_str::<Change>(&asked).is_ok_and(|asked| asked == change);
        return if same {
            Ok(Requested { order, replayed: true })
        } else {
            Err(ApiError::new(ErrorCode::IdempotencyKeyReused, ""))
        };
    }
    refuse_if_not_open(&order)?;
    let (quantity, pricing) = changed(&order, change)?;
    if let Some(under_way) = order.replacing {
        return if (under_way.terms.quantity, under_way.terms.pricing) == (quantity, pricing) {
            Ok(Requested { order, replayed: true })
        } else {
            Err(ApiError::new(ErrorCode::ReplacePending, ""))
        };
    }
    if (quantity, pricing) == (order.quantity, order.pricing) {
        return Ok(Requested { order, replayed: true });
    }
    if let Some(reason) = circumstances.halt {
        return Err(ApiError::new(ErrorCode::TradingHalted, reason));
    }
    let complaint = circumstances.broker.and_then(|broker| fit::against_change(broker, &order, quantity));
    let complaint = complaint.or_else(|| fit::against_change_of_leader(&order));
    if let Some(complaint) = complaint {
        return Err(ApiError::fields(ErrorCode::OrderDenied, vec![complaint]));
    }
    let now = clock::now();
    let books = margin::load(connection, &balances, market).await?;
    // An exit of a group sells what is there.
    let is_exit = order.group.is_some() && order.wish.side == Side::Sell;
    let book = books.get(&order.wish.account_id).filter(|_| !is_exit);
    let margin = margin::state(book, order.wish.symbol, Some(circumstances.quote));
    let circumstances = Circumstances { margin, ..circumstances };
    let terms = judged(&order, quantity, pricing, &balances, circumstances, now)?;
    let replacement = Replacement { id: ReplaceId::generate(), terms };
    let asking = ask(&mut order, replacement, now);
    let asked = serde_json::to_string(&change).map_err(ApiError::internal)?;
    let key = circumstances.key.map(ToString::to_string);
    let new = NewReplace { id: replacement.id, order_id: id, key, asked, terms, at: now };
    store::insert_replace(connection, new).await?;
    write(connection, &mut balances, vec![(order.clone(), asking)], now).await?;
    Ok(Requested { order, replayed: false })
}

impl TradingService {
    /// Asks for other terms of an open order. Says whether this very request had been made before.
    ///
    /// # Errors
    /// See [`request_replace`]; that there is no price to judge by; [`ErrorCode::TooManyOrders`].
    pub(super) async fn replace(
        &self,
        user: UserId,
        id: OrderId,
        change: Change,
        key: Option<ClientOrderId>,
    ) -> ApiResult<(Order, bool)> {
        self.within_cap(user, 1)?;
        let found = store::order_of(&*self.pool.get().await?, user, id).await?;
        let found = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        if change.quantity.is_some() && found.group.is_some_and(|share| share.sibling.is_some()) {
            let message = "follows from the other order of the group and cannot be changed";
            return Err(ApiError::field("quantity", "not_replaceable", message));
        }
        let symbol = found.wish.symbol;
        // Fetched before any lock is taken.
        let quote = self.price_for(symbol).await?;
        let symbol_halted = self.halts.is_halted(user, symbol);
        let lane = self.lanes.of(found.wish.account_id);
        let broker = self.offers.of(lane).await;
        let halt = self.gate.halt_of(found.wish.account_id);
        let circumstances = Circumstances {
            quote: &quote,
            symbol_halted,
            halt: halt.as_deref(),
            key: key.as_ref(),
            margin: None,
            tariff: lane.tariff(),
            broker: broker.as_ref(),
        };
        let mut connection = self.pool.get().await?;
        let requested: Requested = connection
            .transaction(async |connection| {
                request_replace(connection, user, id, change, (circumstances, self.market.get_ref())).await
            })
            .await?;
        drop(connection);
        failpoint::pass(Failpoint::ReplaceRequested);
        if !requested.replayed {
            self.events.wake();
            self.dispatch.look();
        }
        Ok((requested.order, requested.replayed))
    }
}

fn refuse_if_not_open(order: &Order) -> ApiResult<()> {
    if order.status.is_terminal() {
        return Err(ApiError::new(ErrorCode::OrderNotOpen, format!("the order is {}", order.status)));
    }
    if order.cancel_requested_at.is_some() {
        return Err(ApiError::new(ErrorCode::CancelPending, ""));
    }
    let replaces = order.original.as_ref().map_or(0, |original| original.replaced_by.len());
    if replaces >= REPLACES_PER_ORDER_MAX {
        let detail = format!("an order can be changed {REPLACES_PER_ORDER_MAX} times at most");
        return Err(ApiError::new(ErrorCode::Conflict, detail));
    }
    Ok(())
}

/// The quantity and the prices after a change.
///
/// As at Alpaca, an order by amount of money stays as it is, and so does the number of shares where it is a fraction.
fn changed(order: &Order, change: Change) -> ApiResult<(Quantity, Pricing)> {
    let refuse = |field: &str, rule: &str, message: &str| Err(ApiError::field(field, rule, message));
    if change == Change::default() {
        return refuse("", "required", "name what is to be different");
    }
    if matches!(order.wish.lifetime, Lifetime::Ioc | Lifetime::Fok) {
        return refuse(
            "timeInForce",
            "not_replaceable",
            "an order that is executed at once cannot be changed",
        );
    }
    if matches!(order.wish.size, Size::Notional(_)) {
        return refuse("notional", "not_replaceable", "an order by amount of money cannot be changed");
    }
    let quantity = change.quantity.unwrap_or(order.quantity);
    let is_fraction = !order.quantity.is_whole() || !quantity.is_whole();
    if quantity != order.quantity && is_fraction {
        return refuse(
            "quantity",
            "not_replaceable",
            "a fraction of a share cannot be changed, nor become one",
        );
    }
    if order.triggered_at.is_some() {
        for (field, given) in [
            ("stopPrice", change.stop_price.is_some()),
            ("trailAmount", change.trail_amount.is_some()),
            ("trailPercent", change.trail_percent.is_some()),
        ] {
            if given {
                return refuse(field, "not_replaceable", "the order was triggered already");
            }
        }
    }
    let present = order.pricing.fields();
    // A distance of the one kind takes the place of one of the other.
    let other_trail = change.trail_amount.is_some() || change.trail_percent.is_some();
    let fields = PriceFields {
        limit_price: change.limit_price.or(present.limit_price),
        stop_price: change.stop_price.or(present.stop_price),
        trail_amount: if other_trail { change.trail_amount } else { present.trail_amount },
        trail_percent: if other_trail { change.trail_percent } else { present.trail_percent },
    };
    let pricing = Pricing::from_fields(order.pricing.order_type(), fields).map_err(|wrong| {
        let errors = wrong.into_iter().map(|wrong| FieldError::new(wrong.field, wrong.rule, wrong.message));
        ApiError::fields(ErrorCode::ValidationFailed, errors.collect())
    })?;
    Ok((quantity, pricing))
}

pub(super) fn judged(
    order: &Order,
    quantity: Quantity,
    pricing: Pricing,
    balances: &LockedBalances,
    circumstances: Circumstances<'_>,
    now: DateTime<Utc>,
) -> ApiResult<OrderTerms> {
    let (account, symbol) = (order.wish.account_id, order.wish.symbol);
    let (_, currency) = balances.account(account).ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
    let shares = balances.balance(account, Commodity::Shares(symbol));
    let state = AccountState {
        currency,
        cash_free: balances.cash_free(account, order.currency()),
        shares_free: shares.total - shares.held,
        symbol_unresolved: order.unresolved_since.is_some(),
        symbol_halted: circumstances.symbol_halted,
        margin: circumstances.margin,
        tariff: circumstances.tariff,
        takes_amounts: false,
    };
    let worst_price =
        order.worst_price.ok_or_else(|| ApiError::internal("an open order without worst price"))?;
    let open = OpenOrder {
        symbol,
        side: order.wish.side,
        pricing: order.pricing,
        quantity: order.quantity,
        worst_price,
        fees_max: order.fees_max,
        // What the other exit holds of the same shares is held for this one, too.
        held: order.held + order.group.and_then(|share| share.sibling_held).unwrap_or_default(),
        filled_quantity: order.filled_quantity,
        filled_notional: order.filled_notional,
        charged: order.commission + order.tax,
    };
    let terms = risk::judge_change(&open, pricing, quantity, &state, circumstances.quote, now).map_err(
        |denials| {
            ApiError::fields(ErrorCode::OrderDenied, denials.into_iter().map(FieldError::from).collect())
        },
    )?;
    Ok(OrderTerms { quantity, pricing, worst_price: Some(terms.worst_price), fees_max: terms.fees_max })
}

/// What a request, or its refusal, has changed beside the order itself.
pub(super) struct Consequences {
    /// Lines for its history.
    pub(super) entries: Vec<OrderLogEntry>,
    /// By how much its hold has changed.
    pub(super) hold_change: Decimal,
    /// More was executed than the terms allow that are left.
    pub(super) incident: Option<Incident>,
}

/// Puts a request beside the order.
pub(super) fn ask(order: &mut Order, replacement: Replacement, now: DateTime<Utc>) -> Consequences {
    order.replacing = Some(replacement);
    order.updated_at = now;
    let entry = order.log("replace_requested", Some(describe(&replacement.terms)), now);
    Consequences { entries: vec![entry], hold_change: hold_again(order), incident: None }
}

/// The broker has refused other terms: the order works on as it was, or is done if that is filled.
pub(super) fn refuse(
    order: &mut Order,
    id: ReplaceId,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Option<Consequences> {
    order.replacing.filter(|replacing| replacing.id == id)?;
    order.replacing = None;
    order.updated_at = now;
    let mut entries = vec![order.log("replace_rejected", reason, now)];
    entries.extend(finish_if_filled(order, now));
    Some(Consequences { entries, hold_change: hold_again(order), incident: overfill(order) })
}

fn hold_again(order: &mut Order) -> Decimal {
    let due = order.hold_due();
    let change = due - order.held;
    order.held = due;
    change
}

/// A request, where it stands now, and why.
pub(super) type ReplaceResult = (ReplaceId, OrderId, RequestStatus, Option<String>);

/// Writes how sending requests ended. That one was taken is not yet that it came true: the journal says so.
///
/// # Errors
/// The database's.
pub(super) async fn settle_replaces(
    connection: &AsyncPgConnection,
    results: Vec<ReplaceResult>,
) -> Result<(), ApiError> {
    let now = clock::now();
    let refused: BTreeMap<OrderId, (ReplaceId, Option<String>)> = results
        .iter()
        .filter(|(_, _, status, _)| *status == RequestStatus::Rejected)
        .map(|(id, order, _, reason)| (*order, (*id, reason.clone())))
        .collect();
    let settled: Vec<_> = results.into_iter().map(|(id, _, status, reason)| (id, status, reason)).collect();
    if refused.is_empty() {
        store::save_replaces(connection, &settled, now).await?;
        return Ok(());
    }
    let holders = store::holders_of(connection, refused.keys().copied()).await?;
    let accounts = holders.iter().map(|(account, _)| *account).collect();
    let symbols = holders.into_iter().map(|(_, symbol)| symbol);
    let mut balances = account::lock_balances(connection, &accounts, symbols).await?;
    let orders = store::lock_orders(connection, refused.keys().copied()).await?;
    let mut changed = Vec::new();
    for mut order in orders {
        let Some((id, reason)) = refused.get(&order.id) else { continue };
        if let Some(refused) = refuse(&mut order, *id, reason.clone(), now) {
            changed.push((order, refused));
        }
    }
    store::save_replaces(connection, &settled, now).await?;
    write(connection, &mut balances, changed, now).await
}

/// Ends a request of which the broker's order shows that it was not done. `words` are those of the request: another one
/// stays.
///
/// # Errors
/// The database's.
pub(super) async fn settle_undone(
    connection: &AsyncPgConnection,
    order: OrderId,
    words: &str,
) -> Result<(), ApiError> {
    let now = clock::now();
    let holders = store::holders_of(connection, std::iter::once(order)).await?;
    let accounts = holders.iter().map(|(account, _)| *account).collect();
    let symbols = holders.into_iter().map(|(_, symbol)| symbol);
    let mut balances = account::lock_balances(connection, &accounts, symbols).await?;
    let mut orders = store::lock_orders(connection, std::iter::once(order)).await?;
    let Some(mut order) = orders.pop() else { return Ok(()) };
    let Some(asked) = order.replacing.filter(|replacing| words_of(replacing) == words) else { return Ok(()) };
    if let Some(refused) = refuse(&mut order, asked.id, Some(NOT_DONE.to_owned()), now) {
        tracing::warn!(order = %order.id, request = %asked.id, "a request for other terms was not done");
        store::close_undone(connection, asked.id, NOT_DONE, now).await?;
        write(connection, &mut balances, vec![(order, refused)], now).await?;
    }
    Ok(())
}

/// Writes orders with changed terms: they, their history, what they hold, and the news. Their accounts are locked. Nothing
/// may be locked afterwards: whoever holds it may be waiting for the turn to tell news.
async fn write(
    connection: &AsyncPgConnection,
    balances: &mut LockedBalances,
    changed: Vec<(Order, Consequences)>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let (mut holds, mut told, mut moved) = (Vec::new(), Vec::new(), BTreeSet::new());
    let incidents = incidents_of(&changed, now);
    for (order, consequences) in &changed {
        let commodity = if order.holds_cash() {
            moved.insert((order.wish.account_id, order.user_id, order.currency()));
            Commodity::Cash(order.currency())
        } else {
            Commodity::Shares(order.wish.symbol)
        };
        let account_id = order.wish.account_id;
        let change =
            BalanceChange { account_id, commodity, total: Decimal::ZERO, held: consequences.hold_change };
        balances.change(&change);
        holds.push(change);
        let document = OrderDocument::from(order);
        told.push(NewEvent::new(order.user_id, EventKind::Order, &document).map_err(ApiError::internal)?);
    }
    for (account_id, user, currency) in moved {
        let cash = balances.cash(account_id, currency);
        told.push(balance_event(user, &cash, now).map_err(ApiError::internal)?);
    }
    for incident in &incidents {
        told.extend(incident.event().transpose().map_err(ApiError::internal)?);
    }
    let orders = changed.iter().map(|(order, _)| order);
    store::save_orders(connection, orders.clone()).await?;
    store::save_terms(connection, orders.clone()).await?;
    let entries: Vec<OrderLogEntry> =
        changed.iter().flat_map(|(_, consequences)| consequences.entries.clone()).collect();
    store::insert_log(connection, &entries).await?;
    store::close_cancels(connection, ends_of_cancels(orders), now).await?;
    store::insert_incidents(connection, &incidents).await?;
    account::change_balances(connection, &holds).await?;
    events::append(connection, told).await?;
    Ok(())
}

fn incidents_of(changed: &[(Order, Consequences)], now: DateTime<Utc>) -> Vec<NewIncident> {
    let told =
        changed.iter().filter_map(|(order, consequences)| Some((order, consequences.incident.clone()?)));
    told.map(|(order, incident)| {
        tracing::error!(order = %order.id, kind = incident.kind, detail = incident.detail, "a person must look at this");
        NewIncident::new(Some(order.user_id), order.wish.account_id, incident, now).about(order.id)
    })
    .collect()
}
