//! Orders that we did not make: found because reports speak of them, described by the broker, written as orders of origin
//! `EXTERNAL`. They count for risk and holds like any other, and the reports that waited for them are applied.

use super::{Difference, Failure};
use crate::account;
use crate::clock;
use crate::db::Pool;
use crate::error::ApiError;
use crate::events::{self, EventHub, EventKind, NewEvent};
use crate::market::Market;
use crate::trading::applier::apply_lines;
use crate::trading::connector::Connector;
use crate::trading::document::OrderDocument;
use crate::trading::incident::{EXTERNAL_ORDER, Incident, NewIncident, UNKNOWN_ORDER};
use crate::trading::inquirer::tell;
use crate::trading::order::{Found, Order};
use crate::trading::store::{self, JournalLine};
use actix_web::web;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::inquiry::OrderState;
use domain::{AccountId, OrderId, OrderType, Price, Side};
use exchange::Tariff;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Orders imported in one comparison; the others follow in the next.
const ORDERS_MAX: i64 = 200;
/// How far beyond the present price an order without a limit is held for, in percent: as far as one of ours.
const PROTECTION_PERCENT: i64 = crate::risk::MARKET_ORDER_PROTECTION_PERCENT;

/// Imports orders.
pub(super) struct Importer<'a> {
    pub(super) pool: &'a Pool,
    pub(super) connector: &'a Connector,
    pub(super) events: &'a Arc<EventHub>,
    pub(super) market: &'a web::Data<Market>,
    /// What the account's broker charges.
    pub(super) tariff: Tariff,
}

impl Importer<'_> {
    /// Imports the orders of an account that reports wait for, and applies reports that waited for something else.
    pub(super) async fn import(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Difference, &'static str)>, Failure> {
        let orders = store::orders_of_orphans(&*self.pool.get().await?, account, ORDERS_MAX).await?;
        let mut differences = Vec::new();
        for order in orders {
            let known = !store::orders_of(&*self.pool.get().await?, &[order]).await?.is_empty();
            if known {
                // Reports that came before what they speak of.
                self.apply_waiting(account, order).await?;
                continue;
            }
            differences.extend(self.import_one(account, order).await?);
        }
        if !differences.is_empty() {
            self.events.wake();
        }
        Ok(differences)
    }

    async fn import_one(
        &self,
        account: AccountId,
        order: OrderId,
    ) -> Result<Option<(Difference, &'static str)>, Failure> {
        let state = self.connector.order(order).await?;
        let difference = |kind, theirs: String| Difference {
            kind,
            order_id: Some(order),
            commodity: None,
            ours: "absent".to_owned(),
            theirs,
        };
        let Some(state) = state.filter(|state| state.account_id == account) else {
            let detail = "the broker reports about an order that it does not know itself".to_owned();
            let incident = Incident::new(UNKNOWN_ORDER, detail).with("case", "unknown");
            let told = self.tell_once(account, order, incident).await?;
            return Ok(told.then(|| (difference("unknown_order", "unknown".to_owned()), "told")));
        };
        let theirs = format!("{} to {} {} {}", state.status, state.side.name(), state.quantity, state.symbol);
        let worst_price = self.worst_price(&state).await;
        let mut connection = self.pool.get().await?;
        let imported = connection
            .transaction(async |connection| import(connection, &state, worst_price, self.tariff).await)
            .await?;
        if !imported {
            let detail = format!("an order at the broker cannot be written here: {theirs}");
            let incident = Incident::new(UNKNOWN_ORDER, detail)
                .with("case", "unwritable")
                .with("status", state.status)
                .with("side", state.side.name())
                .with("quantity", state.quantity)
                .with("symbol", state.symbol);
            let told = self.tell_once(account, order, incident).await?;
            return Ok(told.then(|| (difference("unknown_order", theirs), "told")));
        }
        Ok(Some((difference("external_order", theirs), "imported")))
    }

    /// The price up to which an order is held for: its limit, or some way beyond the market. Without either nothing is
    /// known, and a purchase holds nothing.
    async fn worst_price(&self, state: &OrderState) -> Option<Price> {
        if state.limit_price.is_some() {
            return state.limit_price;
        }
        let quote = self.market.quote(state.symbol).await.ok()?;
        let (touch, percent) = match state.side {
            Side::Buy => (quote.price_to_buy(), 100 + PROTECTION_PERCENT),
            Side::Sell => (quote.price_to_sell(), 100 - PROTECTION_PERCENT),
        };
        let worst = touch.value().checked_mul(rust_decimal::Decimal::new(percent, 2))?;
        Price::new(worst.round_dp(6).normalize()).ok()
    }

    async fn apply_waiting(&self, account: AccountId, order: OrderId) -> Result<(), Failure> {
        let mut connection = self.pool.get().await?;
        connection
            .transaction(async |connection| {
                let lines = store::take_orphans(connection, account, order).await?;
                apply_all(connection, &lines).await
            })
            .await?;
        self.events.wake();
        Ok(())
    }

    /// Tells the account's owner, unless the very same was told already.
    async fn tell_once(
        &self,
        account: AccountId,
        order: OrderId,
        incident: Incident,
    ) -> Result<bool, Failure> {
        let mut connection = self.pool.get().await?;
        connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let locked =
                    account::lock_balances(connection, &BTreeSet::from([account]), std::iter::empty())
                        .await?;
                let owner = locked.account(account).map(|(user, _)| user);
                let incident = NewIncident::new(owner, account, incident, clock::now()).about(order);
                if store::is_told(connection, &incident).await? {
                    return Ok(false);
                }
                tell(connection, &[incident]).await?;
                Ok::<_, Failure>(true)
            })
            .await
    }
}

/// Writes an order as it was when the broker took it, then applies what was reported of it since. Whether it could be
/// written at all.
async fn import(
    connection: &mut AsyncPgConnection,
    state: &OrderState,
    worst_price: Option<Price>,
    tariff: Tariff,
) -> Result<bool, Failure> {
    let connection: &AsyncPgConnection = connection;
    let accounts = BTreeSet::from([state.account_id]);
    let locked = account::lock_balances(connection, &accounts, std::iter::once(state.symbol)).await?;
    let Some((owner, _)) = locked.account(state.account_id) else { return Ok(false) };
    let lines = store::take_orphans(connection, state.account_id, state.order_id).await?;
    // An order without a limit that is over is worth what was paid for it.
    let paid = lines.iter().filter_map(price_paid).max();
    let found = Found { owner, state, worst_price: worst_price.or(paid), tariff };
    let Some((order, entry)) = Order::found(&found, clock::now()) else {
        store::insert_orphans(
            connection,
            &lines.iter().map(|line| (line.id, line.account_id, line.order_id)).collect::<Vec<_>>(),
        )
        .await?;
        return Ok(false);
    };
    store::insert_external(connection, &order, &entry).await?;
    account::change_balances(connection, &[order.hold_change(order.held)]).await?;
    apply_all(connection, &lines).await?;
    let side = if state.side == Side::Buy { "buy" } else { "sell" };
    let kind = if state.order_type == OrderType::Market { "at the market" } else { "with a limit" };
    let detail = format!(
        "an order that was not made here: {side} {} {} {kind}, number {} at the broker",
        state.quantity.normalize(),
        state.symbol,
        state.broker_order_id
    );
    let incident = Incident::new(EXTERNAL_ORDER, detail)
        .with("case", if state.order_type == OrderType::Market { "market" } else { "limit" })
        .with("side", side)
        .with("quantity", state.quantity.normalize())
        .with("symbol", state.symbol)
        .with("number", &state.broker_order_id);
    let incident = NewIncident::new(Some(owner), state.account_id, incident, clock::now());
    tell(connection, &[incident.about(state.order_id)]).await?;
    let event = NewEvent::new(owner, EventKind::Order, &OrderDocument::from(&order));
    events::append(connection, vec![event.map_err(ApiError::internal)?]).await?;
    Ok(true)
}

fn price_paid(line: &JournalLine) -> Option<Price> {
    match &line.report {
        Ok(domain::broker::ReportKind::Fill { price, .. }) => Some(*price),
        _ => None,
    }
}

/// Applies lines one at a time, in the caller's transaction, without moving the journal's cursor.
async fn apply_all(connection: &AsyncPgConnection, lines: &[JournalLine]) -> Result<(), Failure> {
    for line in lines {
        let batch = apply_lines(connection, std::slice::from_ref(line)).await?;
        batch.save(connection, None).await?;
    }
    Ok(())
}
