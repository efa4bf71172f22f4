//! What really happens at the broker. Pure.

use broker_connector::broker::{ExecutionFate, ListedExecution, ListedOrder};
use chrono::{DateTime, Utc};
use domain::broker::{OrderRequest, ReplaceRequest, ReportKind};
use domain::{OrderId, OrderStatus, Price, Quantity, ReplaceId, Side, Symbol};
use rust_decimal::Decimal;

/// An execution, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueExecution {
    /// Its number.
    pub execution_id: String,
    /// The place of its order among the venue's orders.
    pub order: usize,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// When.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub fate: ExecutionFate,
    /// Whether it counts: it was neither undone nor corrected by another.
    pub stands: bool,
}

/// An order as the venue knows it.
#[derive(Debug, Clone)]
pub struct VenueOrder {
    /// What was asked.
    pub request: OrderRequest,
    /// Whether somebody else than the server sent it.
    pub external: bool,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it came.
    pub accepted_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Something that the venue reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The place of the order.
    pub order: usize,
    /// What happened.
    pub kind: ReportKind,
    /// When.
    pub at: DateTime<Utc>,
}

/// The venue.
#[derive(Debug, Default)]
pub struct Venue {
    /// Whether an order that comes twice under one id is one order.
    pub idempotent_orders: bool,
    /// Whether it keeps the ids that its clients give.
    pub client_order_ids: bool,
    orders: Vec<VenueOrder>,
    executions: Vec<VenueExecution>,
    events: Vec<Event>,
    replaced: Vec<ReplaceId>,
}

impl Venue {
    /// A venue that knows ids and repetitions, or one that knows neither.
    #[must_use]
    pub fn new(knows_ids: bool) -> Self {
        Self { idempotent_orders: knows_ids, client_order_ids: knows_ids, ..Self::default() }
    }

    /// Its own number of an order.
    #[must_use]
    pub fn number(order: usize) -> String {
        format!("V{order}")
    }

    /// Everything it ever took, in order.
    #[must_use]
    pub fn orders(&self) -> &[VenueOrder] {
        &self.orders
    }

    /// Everything it ever executed, in order.
    #[must_use]
    pub fn executions(&self) -> &[VenueExecution] {
        &self.executions
    }

    /// What it has to report since it was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Takes an order and gives its place. Without idempotent orders, sending twice is ordering twice.
    pub fn place(&mut self, request: &OrderRequest, at: DateTime<Utc>) -> usize {
        if self.idempotent_orders
            && let Some(place) = self.place_of(request.order_id)
        {
            return place;
        }
        self.take(request, false, at)
    }

    /// Takes an order that the server did not send.
    pub fn place_external(&mut self, request: &OrderRequest, at: DateTime<Utc>) -> usize {
        self.take(request, true, at)
    }

    fn take(&mut self, request: &OrderRequest, external: bool, at: DateTime<Utc>) -> usize {
        self.orders.push(VenueOrder {
            request: request.clone(),
            external,
            status: OrderStatus::New,
            accepted_at: at,
            updated_at: at,
        });
        let order = self.orders.len() - 1;
        self.events.push(Event { order, kind: ReportKind::Accepted, at });
        order
    }

    /// The place of the first order that was sent under an id.
    #[must_use]
    pub fn place_of(&self, id: OrderId) -> Option<usize> {
        self.orders.iter().position(|order| !order.external && order.request.order_id == id)
    }

    /// Places of the orders that work.
    #[must_use]
    pub fn working(&self) -> Vec<usize> {
        let working = self.orders.iter().enumerate().filter(|(_, order)| !order.status.is_terminal());
        working.map(|(place, _)| place).collect()
    }

    /// Shares executed of an order that count.
    #[must_use]
    pub fn filled(&self, order: usize) -> Decimal {
        let counted = self.executions.iter().filter(|execution| execution.order == order && execution.stands);
        counted.map(|execution| execution.quantity.value()).sum()
    }

    fn change(&mut self, order: usize, kind: ReportKind, at: DateTime<Utc>) {
        let filled = self.filled(order);
        let Some(known) = self.orders.get_mut(order) else { return };
        known.updated_at = at;
        known.status = match &kind {
            ReportKind::Canceled { .. } => OrderStatus::Canceled,
            ReportKind::Expired => OrderStatus::Expired,
            ReportKind::Rejected { .. } => OrderStatus::Rejected,
            // What was ended by a word stays ended; the rest stands where its executions say.
            _ if known.status.is_terminal() && known.status != OrderStatus::Filled => known.status,
            _ if filled >= known.request.quantity.value() => OrderStatus::Filled,
            _ if filled.is_zero() => OrderStatus::New,
            _ => OrderStatus::PartiallyFilled,
        };
        self.events.push(Event { order, kind, at });
    }

    /// Ends an order that works; whether it did.
    pub fn end(&mut self, order: usize, kind: ReportKind, at: DateTime<Utc>) -> bool {
        let works = self.orders.get(order).is_some_and(|order| !order.status.is_terminal());
        if works {
            self.change(order, kind, at);
        }
        works
    }

    /// Gives an order that works other terms, once for each request; whether it has them. A total below what is executed
    /// already means that nothing of it is open any more.
    pub fn replace(&mut self, order: usize, request: &ReplaceRequest, at: DateTime<Utc>) -> bool {
        if self.replaced.contains(&request.replace_id) {
            return true;
        }
        let filled = self.filled(order);
        let Some(known) = self.orders.get_mut(order).filter(|order| !order.status.is_terminal()) else {
            return false;
        };
        let Ok(quantity) = Quantity::new(request.quantity.value().max(filled)) else { return false };
        known.request.quantity = quantity;
        known.request.limit_price = request.limit_price;
        self.replaced.push(request.replace_id);
        let kind = ReportKind::Replaced {
            replace_id: request.replace_id,
            quantity,
            limit_price: request.limit_price,
            stop_price: request.stop_price,
            trail_amount: request.trail_amount,
            trail_percent: request.trail_percent,
        };
        self.change(order, kind, at);
        true
    }

    /// Executes shares of an order that works, at most what is open.
    pub fn fill(&mut self, order: usize, quantity: Decimal, price: Price, at: DateTime<Utc>) {
        let Some(known) = self.orders.get(order).filter(|order| !order.status.is_terminal()) else { return };
        let open = known.request.quantity.value() - self.filled(order);
        let Ok(quantity) = Quantity::new(quantity.min(open)) else { return };
        let execution_id = format!("E{}", self.executions.len());
        self.executions.push(VenueExecution {
            execution_id: execution_id.clone(),
            order,
            quantity,
            price,
            at,
            fate: ExecutionFate::Stands,
            stands: true,
        });
        let (commission, tax) = (Decimal::ZERO, Decimal::ZERO);
        self.change(order, ReportKind::Fill { execution_id, quantity, price, commission, tax }, at);
    }

    /// Undoes an execution that counts.
    pub fn bust(&mut self, execution: usize, at: DateTime<Utc>) {
        let Some(undone) = self.executions.get_mut(execution).filter(|execution| execution.stands) else {
            return;
        };
        undone.stands = false;
        undone.fate = match &undone.fate {
            // What corrected another is undone like any other; the list of a broker shows the last word.
            ExecutionFate::Corrects { .. } => return undone.stands = true,
            _ => ExecutionFate::Undone { at },
        };
        let (order, execution_id) = (undone.order, undone.execution_id.clone());
        self.change(order, ReportKind::TradeCanceled { execution_id, reason: None }, at);
    }

    /// Corrects the price of an execution that counts.
    pub fn correct(&mut self, execution: usize, price: Price, at: DateTime<Utc>) {
        let number = self.executions.len();
        let Some(undone) = self.executions.get_mut(execution).filter(|execution| execution.stands) else {
            return;
        };
        undone.stands = false;
        let corrects = undone.execution_id.clone();
        let (order, quantity) = (undone.order, undone.quantity);
        let execution_id = format!("E{number}");
        self.executions.push(VenueExecution {
            execution_id: execution_id.clone(),
            order,
            quantity,
            price,
            at,
            fate: ExecutionFate::Corrects { execution_id: corrects.clone() },
            stands: true,
        });
        let (commission, tax) = (Decimal::ZERO, Decimal::ZERO);
        let kind = ReportKind::TradeCorrected { corrects, execution_id, quantity, price, commission, tax };
        self.change(order, kind, at);
    }

    /// Symbol and side of an order.
    #[must_use]
    pub fn traded(&self, order: usize) -> Option<(Symbol, Side)> {
        self.orders.get(order).map(|order| (order.request.symbol, order.request.side))
    }

    /// Its orders as it lists them, complete.
    #[must_use]
    pub fn listed_orders(&self) -> Vec<ListedOrder> {
        let listed = |(place, order): (usize, &VenueOrder)| ListedOrder {
            broker_order_id: Self::number(place),
            known_as: (self.client_order_ids && !order.external).then_some(order.request.order_id),
            symbol: order.request.symbol,
            side: order.request.side,
            order_type: order.request.order_type,
            time_in_force: order.request.time_in_force,
            limit_price: order.request.limit_price,
            stop_price: order.request.stop_price,
            trail_amount: order.request.trail_amount,
            trail_percent: order.request.trail_percent,
            status: order.status,
            quantity: order.request.quantity.value(),
            filled_quantity: self.filled(place),
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            reason: None,
            accepted_at: order.accepted_at,
            updated_at: order.updated_at,
            replaces: None,
            resized_by: None,
        };
        self.orders.iter().enumerate().map(listed).collect()
    }

    /// Its executions as it lists them, complete.
    #[must_use]
    pub fn listed_executions(&self) -> Vec<ListedExecution> {
        let listed = |execution: &VenueExecution| ListedExecution {
            broker_order_id: Self::number(execution.order),
            execution_id: execution.execution_id.clone(),
            quantity: execution.quantity,
            price: execution.price,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            occurred_at: execution.at,
            fate: execution.fate.clone(),
        };
        self.executions.iter().map(listed).collect()
    }
}
