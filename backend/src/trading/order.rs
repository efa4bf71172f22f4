//! An order as this server knows it, and how it is born. Pure.

mod terms;

use crate::account::{BalanceChange, Commodity};
use crate::risk::{Approved, Denial, Hold, HoldTerms};
use chrono::{DateTime, Utc};
use domain::broker::{Contingency, OrderRequest};
use domain::inquiry::OrderState;
use domain::{
    ClientOrderId, Currency, Lifetime, NewOrder, Notional, OrderGroupId, OrderId, OrderStatus, Price,
    Pricing, Quantity, Side, Size, TimeInForce, UserId,
};
use exchange::Tariff;
use rust_decimal::Decimal;

pub(super) use terms::{OrderTerms, Original, Replacement};

/// An order's place in a group, and its part of the shares that two exits are for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupShare {
    /// The group.
    pub group: OrderGroupId,
    /// The other exit for the same shares.
    pub sibling: Option<OrderId>,
    /// How many of those shares neither exit has sold.
    pub left: Option<Decimal>,
    /// How many of them the other exit holds. Known to the second of the two only: the first holds first.
    pub sibling_held: Option<Decimal>,
}

impl GroupShare {
    /// The most that this exit has to hold.
    fn hold_max(&self) -> Option<Decimal> {
        Some((self.left? - self.sibling_held.unwrap_or_default()).max(Decimal::ZERO))
    }
}

/// Where an order was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Origin {
    /// Here.
    Own,
    /// Somewhere else; it was found at the broker.
    External,
    /// Here, and not by its owner: the house reduces what is open, because a margin call was not answered.
    MarginCall,
}

impl Origin {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::External => "EXTERNAL",
            Self::MarginCall => "MARGIN_CALL",
        }
    }

    /// The origin of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Own, Self::External, Self::MarginCall].into_iter().find(|origin| origin.name() == name)
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id, also its name at the broker.
    pub id: OrderId,
    /// Whose it is.
    pub user_id: UserId,
    /// The caller's name for it.
    pub client_order_id: String,
    /// What was asked for when it was placed. Replaces do not change it.
    pub wish: NewOrder,
    /// How many shares it is for now; an estimate while [`Order::is_estimated`].
    pub quantity: Quantity,
    /// Whether its broker is sent the amount of money, and says at the end how many shares it was.
    pub sends_amount: bool,
    /// How it is priced now.
    pub pricing: Pricing,
    /// The worst price it can be executed at; unknown only for orders denied for want of a price.
    pub worst_price: Option<Price>,
    /// The most it can cost in commission and tax.
    pub fees_max: Decimal,
    /// Where it stands.
    pub status: OrderStatus,
    /// Shares executed.
    pub filled_quantity: Decimal,
    /// Sum of price times quantity of what was executed.
    pub filled_notional: Decimal,
    /// Paid so far.
    pub commission: Decimal,
    /// Paid so far.
    pub tax: Decimal,
    /// Reserved now: cash for a purchase, shares for a sale.
    pub held: Decimal,
    /// Why risk said no.
    pub denials: Option<Vec<Denial>>,
    /// Why the broker ended it.
    pub reason: Option<String>,
    /// Since when nobody knows whether the broker has it.
    pub unresolved_since: Option<DateTime<Utc>>,
    /// When its owner asked to take it back.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When the price it waited for came.
    pub triggered_at: Option<DateTime<Utc>>,
    /// Its first terms, once they were replaced.
    pub original: Option<Original>,
    /// Terms that the broker is asked for.
    pub replacing: Option<Replacement>,
    /// Its place in a group.
    pub group: Option<GroupShare>,
    /// How it belongs to others that its broker works with it.
    pub contingency: Option<Contingency>,
    /// Where it was made.
    pub origin: Origin,
    /// Number of its latest event.
    pub event_sequence: i32,
    /// When it was committed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An order that was made elsewhere.
pub(super) struct Found<'a> {
    /// Whose account it is in.
    pub(super) owner: UserId,
    /// What the broker says.
    pub(super) state: &'a OrderState,
    /// The worst price it may be executed at, as far as that can be told.
    pub(super) worst_price: Option<Price>,
    /// What its broker charges.
    pub(super) tariff: Tariff,
}

/// The number of an order's first event.
const FIRST_EVENT: i32 = 1;

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderLogEntry {
    /// Whose.
    pub order_id: OrderId,
    /// Its number, from 1 without gaps.
    pub sequence: i32,
    /// What happened.
    pub event: &'static str,
    /// Where the order stood after it.
    pub status: OrderStatus,
    /// More about it.
    pub detail: Option<String>,
    /// When, by the clock of whoever says so.
    pub occurred_at: DateTime<Utc>,
}

impl Order {
    fn new(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        (wish, quantity): (NewOrder, Quantity),
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            user_id,
            client_order_id: client_order_id.to_string(),
            wish,
            quantity,
            sends_amount: false,
            pricing: wish.pricing,
            worst_price: None,
            fees_max: Decimal::ZERO,
            status: OrderStatus::Created,
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            held: Decimal::ZERO,
            denials: None,
            reason: None,
            unresolved_since: None,
            cancel_requested_at: None,
            triggered_at: None,
            original: None,
            replacing: None,
            group: None,
            contingency: None,
            origin: Origin::Own,
            event_sequence: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// An order that risk has approved. The order itself is the first line of its history.
    #[must_use]
    pub fn submitted(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        approved: &Approved<NewOrder>,
        at: DateTime<Utc>,
    ) -> Self {
        let terms = approved.terms();
        Self {
            sends_amount: terms.sends_amount,
            worst_price: Some(terms.worst_price),
            fees_max: terms.fees_max,
            held: terms.hold.amount(),
            status: OrderStatus::PendingNew,
            event_sequence: FIRST_EVENT,
            ..Self::new(id, user_id, client_order_id, (approved.subject(), terms.quantity), at)
        }
    }

    /// An order that risk has refused, kept with the quantity that was meant and every reason. That is its whole history.
    #[must_use]
    pub fn denied(
        id: OrderId,
        user_id: UserId,
        client_order_id: &ClientOrderId,
        wish: (NewOrder, Quantity),
        denials: Vec<Denial>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            status: OrderStatus::Denied,
            denials: Some(denials),
            event_sequence: FIRST_EVENT,
            ..Self::new(id, user_id, client_order_id, wish, at)
        }
    }

    /// An exit that came to its broker with another order and is worked there. That is a fact which risk cannot refuse any
    /// more. Nothing where it cannot be said what it may cost in fees.
    #[must_use]
    pub(super) fn standing(
        id: OrderId,
        user_id: UserId,
        (wish, quantity): (NewOrder, Quantity),
        tariff: Tariff,
        at: DateTime<Utc>,
    ) -> Option<Self> {
        let worst_price = wish.pricing.limit_price().or(wish.pricing.fields().stop_price)?;
        let on = exchange::trade_date(wish.symbol.market(), at);
        let fees = tariff.fees_max(wish.symbol, wish.side, worst_price, quantity, on).ok()?;
        let mut order = Self {
            worst_price: Some(worst_price),
            fees_max: fees.total().ok()?,
            status: OrderStatus::PendingNew,
            event_sequence: FIRST_EVENT,
            ..Self::new(id, user_id, &id.into(), (wish, quantity), at)
        };
        order.held = order.hold_due();
        Some(order)
    }

    /// An order that was made elsewhere, as it was when its broker took it, with its first event. Nothing where it cannot
    /// be said what it may cost at worst.
    #[must_use]
    pub(super) fn found(found: &Found<'_>, now: DateTime<Utc>) -> Option<(Self, OrderLogEntry)> {
        let state = found.state;
        let quantity = Quantity::new(state.quantity.normalize()).ok()?;
        let wish = NewOrder {
            account_id: state.account_id,
            symbol: state.symbol,
            side: state.side,
            pricing: state.limit_price.map_or(Pricing::Market, Pricing::Limit),
            // Whatever ends it, its broker will say so.
            lifetime: if state.time_in_force == TimeInForce::Day { Lifetime::Day } else { Lifetime::Gtc },
            size: Size::Shares(quantity),
        };
        let (market, worst_price) = (state.symbol.market(), found.worst_price?);
        let on = exchange::trade_date(market, state.accepted_at);
        let fees = found.tariff.fees_max(state.symbol, state.side, worst_price, quantity, on).ok()?;
        let mut order = Self {
            worst_price: Some(worst_price),
            fees_max: fees.total().ok()?,
            status: OrderStatus::PendingNew,
            origin: Origin::External,
            updated_at: now,
            ..Self::new(
                state.order_id,
                found.owner,
                &state.order_id.into(),
                (wish, quantity),
                state.accepted_at,
            )
        };
        order.held = order.hold_due();
        let detail = format!("number {} at the broker", state.broker_order_id);
        let entry = order.log("found_at_broker", Some(detail), now);
        Some((order, entry))
    }

    /// How the balance changes that it holds of.
    #[must_use]
    pub(super) fn hold_change(&self, held: Decimal) -> BalanceChange {
        let commodity = if self.holds_cash() {
            Commodity::Cash(self.currency())
        } else {
            Commodity::Shares(self.wish.symbol)
        };
        BalanceChange { account_id: self.wish.account_id, commodity, total: Decimal::ZERO, held }
    }

    /// Numbers the next event.
    pub(super) fn log(
        &mut self,
        event: &'static str,
        detail: Option<String>,
        at: DateTime<Utc>,
    ) -> OrderLogEntry {
        self.event_sequence += 1;
        OrderLogEntry {
            order_id: self.id,
            sequence: self.event_sequence,
            event,
            status: self.status,
            detail,
            occurred_at: at,
        }
    }

    /// How it ended, if it has. Lists of the past run along an index over it.
    #[must_use]
    pub fn ended_as(&self) -> Option<&'static str> {
        self.status.is_terminal().then(|| self.status.name())
    }

    /// Currency of its prices and fees.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.wish.symbol.currency()
    }

    /// The amount of money that was asked for, where it was one.
    #[must_use]
    pub const fn notional(&self) -> Option<Notional> {
        match self.wish.size {
            Size::Notional(notional) => Some(notional),
            Size::Shares(_) => None,
        }
    }

    /// Its amount of money, where the broker is sent that.
    #[must_use]
    pub fn amount_sent(&self) -> Option<Notional> {
        self.notional().filter(|_| self.sends_amount)
    }

    /// Whether its number of shares is what was estimated when it was judged: its broker has not said yet how many the amount
    /// of money was. Nothing but the broker's word makes such an order complete, and none is too many.
    #[must_use]
    pub const fn is_estimated(&self) -> bool {
        self.sends_amount && self.original.is_none()
    }

    /// The most that may be executed: while more is asked for, its broker may work by that already.
    pub(super) fn quantity_max(&self) -> Quantity {
        self.replacing.map_or(self.quantity, |replacing| self.quantity.max(replacing.terms.quantity))
    }

    /// Whether nothing is left to be executed. While other terms for no fewer shares are asked for that is not certain: it may
    /// have been executed by those, and what is counted here may be an execution whose undoing was not heard of.
    pub(super) fn is_complete(&self) -> bool {
        let may_be_by_others = |asked: Replacement| asked.terms.quantity >= self.quantity;
        !self.is_estimated()
            && !self.replacing.is_some_and(may_be_by_others)
            && self.filled_quantity >= self.quantity.value()
    }

    /// Shares still to be executed; none once it has ended.
    #[must_use]
    pub fn leaves_quantity(&self) -> Decimal {
        self.leaves_of(self.quantity)
    }

    /// Shares that a sale has reserved, or that a purchase may still bring while other terms are asked for.
    pub(super) fn shares_taken(&self) -> Decimal {
        match self.wish.side {
            Side::Sell => self.held,
            Side::Buy => self.leaves_of(self.quantity_max()),
        }
    }

    fn leaves_of(&self, quantity: Quantity) -> Decimal {
        if self.status.is_terminal() {
            return Decimal::ZERO;
        }
        (quantity.value() - self.filled_quantity).max(Decimal::ZERO)
    }

    /// What it has to keep reserved as it stands. While other terms are asked for, either may come true.
    #[must_use]
    pub fn hold_due(&self) -> Decimal {
        let (false, Some(present)) = (self.status.is_terminal(), self.hold_terms(&self.terms())) else {
            return Decimal::ZERO;
        };
        let (side, currency, charged) = (self.wish.side, self.currency(), self.commission + self.tax);
        if let Some(amount) = self.amount_sent() {
            let spent = self.filled_notional;
            return Hold::of_amount(currency, amount, spent, self.fees_max, charged).amount();
        }
        let due = match self.replacing.and_then(|replacing| self.hold_terms(&replacing.terms)) {
            Some(asked) => Hold::while_changing(side, currency, present, asked, charged),
            None => Hold::of(side, currency, present.worst_price, present.fees_max, present.leaves, charged),
        };
        let due = due.map_or(self.held, Hold::amount);
        self.group.and_then(|share| share.hold_max()).map_or(due, |most| due.min(most))
    }

    fn hold_terms(&self, terms: &OrderTerms) -> Option<HoldTerms> {
        let (worst_price, fees_max) = (terms.worst_price?, terms.fees_max);
        Some(HoldTerms { worst_price, fees_max, leaves: self.leaves_of(terms.quantity) })
    }

    /// The order as it was when it was first answered: what a repeated request is answered with.
    #[must_use]
    pub fn as_first_answered(&self) -> Self {
        if self.status == OrderStatus::Denied {
            return self.clone();
        }
        let mut first = Self {
            status: OrderStatus::PendingNew,
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            commission: Decimal::ZERO,
            tax: Decimal::ZERO,
            reason: None,
            unresolved_since: None,
            cancel_requested_at: None,
            triggered_at: None,
            original: None,
            replacing: None,
            updated_at: self.created_at,
            ..self.clone()
        };
        if let Some(original) = &self.original {
            first.set_terms(original.terms);
        }
        first.held = first.hold_due();
        first
    }

    /// The message to the broker; nothing for an order that must not be sent.
    #[must_use]
    pub fn request(&self) -> Option<OrderRequest> {
        let is_ours = self.origin != Origin::External;
        if is_ours && self.status == OrderStatus::PendingNew { self.description() } else { None }
    }

    /// The order as it was, or would be, told to the broker: for questions about it.
    #[must_use]
    pub fn description(&self) -> Option<OrderRequest> {
        let worst_price = self.worst_price?;
        let fields = self.pricing.fields();
        Some(OrderRequest {
            order_id: self.id,
            account_id: self.wish.account_id,
            symbol: self.wish.symbol,
            side: self.wish.side,
            order_type: self.pricing.order_type(),
            time_in_force: self.wish.lifetime.time_in_force(),
            expire_date: self.wish.lifetime.expire_date(),
            quantity: self.quantity,
            notional: self.amount_sent(),
            withdrawn: self.cancel_requested_at.is_some(),
            limit_price: fields.limit_price,
            stop_price: fields.stop_price,
            trail_amount: fields.trail_amount,
            trail_percent: fields.trail_percent,
            protection_price: fields.limit_price.is_none().then_some(worst_price),
            contingency: self.contingency.clone(),
            submitted_at: self.created_at,
        })
    }

    /// Average price of what was executed.
    #[must_use]
    pub fn average_fill_price(&self) -> Option<Decimal> {
        self.filled_notional.checked_div(self.filled_quantity)
    }

    /// Makes two exits for the same shares know of each other. Together they hold what neither has sold: the first as much
    /// as it can still sell, the second the rest.
    pub(super) fn share_with(&mut self, second: &mut Self) {
        let Size::Shares(shares) = self.wish.size else { return };
        let left = (shares.value() - self.filled_quantity - second.filled_quantity).max(Decimal::ZERO);
        if let Some(share) = &mut self.group {
            share.left = Some(left);
        }
        self.held = self.hold_due();
        if let Some(share) = &mut second.group {
            share.left = Some(left);
            share.sibling_held = Some(self.held);
        }
        second.held = second.hold_due();
    }

    /// Whether it is the second of two exits for the same shares.
    pub(super) fn holds_second(&self) -> bool {
        self.group.is_some_and(|share| share.sibling_held.is_some())
    }

    /// Whether its exits came to the broker with it.
    pub(super) const fn leads_others(&self) -> bool {
        matches!(self.contingency, Some(Contingency::Leads { .. }))
    }

    /// Whether its hold is cash.
    #[must_use]
    pub fn holds_cash(&self) -> bool {
        self.wish.side == Side::Buy
    }
}
