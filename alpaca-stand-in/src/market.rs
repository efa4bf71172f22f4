//! What really happens at the stand-in. Pure.

mod classes;

pub use classes::Membership;

use crate::calendar::Calendar;
use chrono::{DateTime, TimeDelta, Utc};
use classes::Asked;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its number.
    pub id: String,
    /// The id that its client gave it.
    pub client_order_id: String,
    /// What is traded.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit`, …
    pub order_type: String,
    /// `day`, `gtc`, …
    pub time_in_force: String,
    /// Shares ordered; of an order by amount of money those that it buys.
    pub quantity: Decimal,
    /// How much money it is for, where that was asked for.
    pub notional: Option<Decimal>,
    /// Shares executed under this number.
    pub filled: Decimal,
    /// What they cost.
    pub filled_worth: Decimal,
    /// Its limit.
    pub limit_price: Option<Decimal>,
    /// Its stop.
    pub stop_price: Option<Decimal>,
    /// The distance of a trailing stop.
    pub trail_price: Option<Decimal>,
    /// The same in percent.
    pub trail_percent: Option<Decimal>,
    /// Alpaca's word for where it stands.
    pub status: &'static str,
    /// When it came.
    pub submitted_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The number in whose place it stands.
    pub replaces: Option<String>,
    /// The number that stands in its place.
    pub replaced_by: Option<String>,
    /// How it belongs to others.
    pub member: Membership,
}

impl Order {
    /// Whether it can still be executed.
    #[must_use]
    pub fn works(&self) -> bool {
        !matches!(self.status, "filled" | "canceled" | "expired" | "rejected" | "replaced")
    }

    pub(crate) fn leaves(&self) -> Decimal {
        self.quantity - self.filled
    }

    /// Shares that are open at a price: of an order by amount of money those that the rest of it pays for.
    fn open_at(&self, price: Decimal) -> Decimal {
        let by_amount = self.notional.map(|amount| shares_for(amount - self.filled_worth, price));
        by_amount.unwrap_or_else(|| self.leaves())
    }
}

/// An execution or a movement beside trading.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) kind: ActivityKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ActivityKind {
    Fill { order: usize, quantity: Decimal, price: Decimal, cumulative: Decimal },
    Movement { movement: Movement, is_undone: bool },
}

/// Something beside orders.
#[derive(Debug, Clone, Default)]
pub struct Movement {
    /// Alpaca's word: `DIV`, `FEE`, `CSD`, …
    pub word: String,
    /// Cash that comes or (below zero) goes.
    pub amount: Decimal,
    /// The share it is about.
    pub symbol: Option<String>,
    /// Shares of it.
    pub quantity: Option<Decimal>,
}

/// Something for the stream.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) word: &'static str,
    pub(crate) order: Order,
    pub(crate) at: DateTime<Utc>,
    /// Shares and price of an execution.
    pub(crate) execution: Option<(Decimal, Decimal)>,
}

/// A refusal: status, code, words.
pub(crate) type Refusal = (u16, u64, String);

/// The market, and the one account in it.
#[derive(Debug)]
pub struct Market {
    /// Cash of the account.
    pub cash: Decimal,
    /// Shares of the account.
    pub positions: BTreeMap<String, Decimal>,
    /// The account's number. Another one is another account behind the same key: a paper account that was begun anew.
    pub number: String,
    pub(crate) orders: Vec<Order>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) events: Vec<Event>,
    /// Whether cancels wait in `pending_cancel`.
    pub cancels_wait: bool,
    /// Its calendar.
    pub calendar: Calendar,
    /// How far its clock is ahead of this machine's.
    pub clock_ahead: TimeDelta,
    /// Symbols of which no parts of shares are traded.
    pub whole_only: Vec<String>,
    /// What market orders are executed at, at once; without it they rest as the others do.
    pub market_price: Option<Decimal>,
    /// Whether money and shares are looked at before the id: nobody documents which comes first.
    pub means_first: bool,
    clock: DateTime<Utc>,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            cash: Decimal::from(100_000),
            positions: BTreeMap::new(),
            number: format!("PA{}", Uuid::now_v7().simple()),
            orders: Vec::new(),
            activities: Vec::new(),
            events: Vec::new(),
            cancels_wait: false,
            calendar: Calendar::default(),
            clock_ahead: TimeDelta::zero(),
            whole_only: Vec::new(),
            market_price: None,
            means_first: false,
            clock: Utc::now(),
        }
    }
}

/// What an amount of money pays for.
fn shares_for(amount: Decimal, price: Decimal) -> Decimal {
    (amount / price).trunc_with_scale(SHARE_DIGITS)
}

fn decimal(body: &Value, name: &str) -> Result<Option<Decimal>, Refusal> {
    let text = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err((422, 40_010_001, format!("{name} is malformed"))),
    };
    text.parse().map(Some).map_err(|_| (422, 40_010_001, format!("{name} is malformed")))
}

fn word<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| (422, 40_010_001, format!("{name} is required")))
}

/// Fewest dollars that an order can be for.
const NOTIONAL_MIN: Decimal = Decimal::ONE;
/// Digits of a part of a share.
const SHARE_DIGITS: u32 = 9;

/// How many shares are asked for, at a price where it is an amount of money that is.
fn size_of(body: &Value, price: Option<Decimal>) -> Result<(Decimal, Option<Decimal>), Refusal> {
    let (quantity, notional) = (decimal(body, "qty")?, decimal(body, "notional")?);
    let malformed = |words: &str| (422, 40_010_001, words.to_owned());
    let quantity = match (quantity, notional) {
        (Some(quantity), None) => quantity,
        (None, Some(notional)) if notional >= NOTIONAL_MIN => {
            let price = price.filter(|price| *price > Decimal::ZERO).unwrap_or(Decimal::ONE);
            shares_for(notional, price)
        }
        (None, Some(_)) => {
            return Err((403, 40_310_000, "cost basis must be >= minimal amount of order 1".into()));
        }
        (Some(_), Some(_)) => return Err(malformed("only one of qty or notional is accepted")),
        (None, None) => return Err(malformed("qty or notional is required")),
    };
    if !quantity.fract().is_zero() && word(body, "time_in_force")? != "day" {
        return Err((422, 42_210_000, "fractional orders must be DAY orders".into()));
    }
    Ok((quantity, notional))
}

fn check_price(price: Option<Decimal>) -> Result<(), Refusal> {
    let digits_max = if price.is_some_and(|price| price < Decimal::ONE) { 4 } else { 2 };
    if price.is_some_and(|price| price.normalize().scale() > digits_max) {
        return Err((
            422,
            42_210_000,
            "sub-penny increment does not fulfill minimum pricing criteria".into(),
        ));
    }
    Ok(())
}

impl Market {
    /// Its time: never the same twice.
    pub(crate) fn now(&mut self) -> DateTime<Utc> {
        self.clock = Utc::now().max(self.clock + TimeDelta::microseconds(1));
        self.clock
    }

    /// All orders, the first one first.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Those whose client id contains a text.
    #[must_use]
    pub fn named(&self, part: &str) -> Vec<Order> {
        self.orders.iter().filter(|order| order.client_order_id.contains(part)).cloned().collect()
    }

    pub(crate) fn place_of(&self, id: &str) -> Option<usize> {
        let plain = |text: &str| text.replace('-', "").to_lowercase();
        self.orders.iter().position(|order| plain(&order.id) == plain(id))
    }

    fn tell(&mut self, word: &'static str, order: usize, execution: Option<(Decimal, Decimal)>) {
        let at = self.now();
        if let Some(changed) = self.orders.get_mut(order) {
            changed.updated_at = at;
            self.events.push(Event { word, order: changed.clone(), at, execution });
        }
    }

    fn held(&self, symbol: &str) -> Decimal {
        // What waits beside another order reserves nothing.
        let sells = self.orders.iter().filter(|order| order.works() && order.status != "held");
        let sells = sells.filter(|order| order.side == "sell");
        sells.filter(|order| order.symbol == symbol).map(Order::leaves).sum()
    }

    fn check_means(&self, order: &Order) -> Result<(), Refusal> {
        if order.side == "sell" {
            let free =
                self.positions.get(&order.symbol).copied().unwrap_or_default() - self.held(&order.symbol);
            if order.quantity > free {
                let message = format!(
                    "insufficient qty available for order (requested: {}, available: {free})",
                    order.quantity
                );
                return Err((403, 40_310_000, message));
            }
        } else if order.quantity * order.limit_price.unwrap_or(Decimal::ONE) > self.cash {
            return Err((403, 40_310_000, "insufficient buying power".into()));
        }
        Ok(())
    }

    /// Takes an order.
    pub(crate) fn submit(&mut self, body: &Value) -> Result<Order, Refusal> {
        let client_order_id = match body.get("client_order_id").and_then(Value::as_str) {
            Some(id) if id.len() > 128 => {
                return Err((422, 40_010_001, "client_order_id is too long".into()));
            }
            Some(id) => id.to_owned(),
            None => Uuid::now_v7().to_string(),
        };
        let is_known = self.orders.iter().any(|order| order.client_order_id == client_order_id);
        let known: Refusal = (422, 40_010_001, "client_order_id must be unique".into());
        if is_known && !self.means_first {
            return Err(known);
        }
        let symbol = word(body, "symbol")?.to_owned();
        if symbol.starts_with("ZZ") {
            return Err((422, 42_210_000, format!("asset \"{symbol}\" not found")));
        }
        let asked = Asked::read(body)?;
        let first_limit = asked.as_ref().and_then(Asked::first_limit);
        let limit_price = decimal(body, "limit_price")?.or(first_limit);
        let (quantity, notional) = size_of(body, limit_price.or(self.market_price))?;
        let in_parts = notional.is_some() || !quantity.fract().is_zero();
        if in_parts && self.whole_only.contains(&symbol) {
            return Err((403, 40_310_000, format!("asset \"{symbol}\" is not fractionable")));
        }
        let at = self.now();
        let order = Order {
            id: Uuid::now_v7().to_string(),
            client_order_id,
            symbol,
            side: word(body, "side")?.to_owned(),
            order_type: word(body, "type")?.to_owned(),
            time_in_force: word(body, "time_in_force")?.to_owned(),
            quantity,
            notional,
            filled: Decimal::ZERO,
            filled_worth: Decimal::ZERO,
            limit_price,
            stop_price: decimal(body, "stop_price")?,
            trail_price: decimal(body, "trail_price")?,
            trail_percent: decimal(body, "trail_percent")?,
            status: "new",
            submitted_at: at,
            updated_at: at,
            replaces: None,
            replaced_by: None,
            member: Membership { class: asked.as_ref().map_or("", Asked::class), parent: None },
        };
        check_price(order.limit_price)?;
        check_price(order.stop_price)?;
        self.check_means(&order)?;
        if is_known {
            return Err(known);
        }
        self.orders.push(order.clone());
        let place = self.orders.len() - 1;
        if let Some(asked) = asked {
            self.add_exits(&order, &asked);
        }
        self.tell("new", place, None);
        if order.order_type == "market"
            && let Some(price) = self.market_price
        {
            self.fill_at(place, order.quantity, price);
        }
        Ok(self.orders.get(place).cloned().unwrap_or(order))
    }

    /// Replaces an order by another with other terms. It begins to count its executions anew.
    pub(crate) fn replace(&mut self, id: &str, body: &Value) -> Result<Order, Refusal> {
        let place =
            self.place_of(id).ok_or_else(|| (404, 40_410_000, format!("order not found for {id}")))?;
        let before = self.orders.get(place).cloned().ok_or_else(|| (404, 40_410_000, String::new()))?;
        if !matches!(before.status, "new" | "partially_filled" | "held") {
            return Err((422, 42_210_000, format!("order is already in \"{}\" state", before.status)));
        }
        if before.notional.is_some() {
            return Err((422, 42_210_000, "notional orders cannot be replaced".into()));
        }
        let client_order_id = body.get("client_order_id").and_then(Value::as_str);
        let client_order_id = client_order_id.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        if self.orders.iter().any(|order| order.client_order_id == client_order_id) {
            return Err((422, 42_210_000, "client_order_id must be unique".into()));
        }
        let trail = decimal(body, "trail")?;
        let at = self.now();
        let successor = Order {
            id: Uuid::now_v7().to_string(),
            client_order_id,
            quantity: decimal(body, "qty")?.unwrap_or(before.quantity),
            filled: Decimal::ZERO,
            filled_worth: Decimal::ZERO,
            limit_price: decimal(body, "limit_price")?.or(before.limit_price),
            stop_price: decimal(body, "stop_price")?.or(before.stop_price),
            trail_price: trail.filter(|_| before.trail_price.is_some()).or(before.trail_price),
            trail_percent: trail.filter(|_| before.trail_percent.is_some()).or(before.trail_percent),
            status: if before.status == "held" { "held" } else { "new" },
            submitted_at: at,
            updated_at: at,
            replaces: Some(before.id.clone()),
            replaced_by: None,
            ..before
        };
        check_price(successor.limit_price)?;
        if let Some(before) = self.orders.get_mut(place) {
            before.status = "replaced";
            before.replaced_by = Some(successor.id.clone());
        }
        self.orders.push(successor.clone());
        self.tell("replaced", place, None);
        self.tell("new", self.orders.len() - 1, None);
        Ok(successor)
    }

    /// Asks for an order to be taken back.
    pub(crate) fn cancel(&mut self, id: &str) -> Result<(), Refusal> {
        let place =
            self.place_of(id).ok_or_else(|| (404, 40_410_000, format!("order not found for {id}")))?;
        let status = self.orders.get(place).map_or("", |order| order.status);
        if status == "pending_cancel" || !self.orders.get(place).is_some_and(Order::works) {
            return Err((422, 42_210_000, format!("order is already in \"{status}\" state")));
        }
        if self.cancels_wait {
            self.set(place, "pending_cancel");
            self.tell("pending_cancel", place, None);
        } else {
            self.set(place, "canceled");
            self.tell("canceled", place, None);
            self.end_family(place);
        }
        Ok(())
    }

    fn set(&mut self, place: usize, status: &'static str) {
        if let Some(order) = self.orders.get_mut(place) {
            order.status = status;
        }
    }

    /// Ends an order by a word such as `canceled`, `expired` or `rejected`.
    pub fn end(&mut self, id: &str, status: &'static str) {
        if let Some(place) = self.place_of(id) {
            self.set(place, status);
            self.tell(status, place, None);
            self.end_family(place);
        }
    }

    /// Executes shares of an order, at most what is open.
    pub fn fill(&mut self, id: &str, quantity: Decimal, price: Decimal) {
        if let Some(place) = self.place_of(id) {
            self.fill_at(place, quantity, price);
        }
    }

    fn fill_at(&mut self, place: usize, quantity: Decimal, price: Decimal) {
        let at = self.now();
        let Some(order) = self.orders.get_mut(place).filter(|order| order.works()) else { return };
        let quantity = quantity.min(order.open_at(price));
        order.filled += quantity;
        order.filled_worth += quantity * price;
        order.status = if order.open_at(price).is_zero() { "filled" } else { "partially_filled" };
        if order.notional.is_some() {
            order.quantity =
                if order.status == "filled" { order.filled } else { order.quantity.max(order.filled) };
        }
        let sign = if order.side == "buy" { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let (symbol, cumulative) = (order.symbol.clone(), order.filled);
        let word = if order.status == "filled" { "fill" } else { "partial_fill" };
        self.cash -= (sign * quantity * price).round_dp(2);
        let held = self.positions.entry(symbol.clone()).or_default();
        *held += sign * quantity;
        if held.is_zero() {
            self.positions.remove(&symbol);
        }
        let id = format!("{}::{}", at.format("%Y%m%d%H%M%S%6f"), Uuid::now_v7());
        let kind = ActivityKind::Fill { order: place, quantity, price, cumulative };
        self.activities.push(Activity { id, at, kind });
        self.tell(word, place, Some((quantity, price)));
        self.after_execution(place);
    }

    /// Moves cash beside trading: `DIV`, `FEE`, `CSD`, …
    pub fn move_cash(&mut self, word: &str, amount: Decimal) -> String {
        self.does(Movement { word: word.to_owned(), amount, ..Movement::default() })
    }

    /// Does something beside orders, and gives its number.
    pub fn does(&mut self, movement: Movement) -> String {
        let at = self.now();
        self.cash += movement.amount;
        let id = format!("{}::{}", at.format("%Y%m%d%H%M%S%6f"), Uuid::now_v7());
        let kind = ActivityKind::Movement { movement, is_undone: false };
        self.activities.push(Activity { id: id.clone(), at, kind });
        id
    }

    /// Splits the shares of a symbol, and tells of it as Alpaca does: those of before go, those of after come.
    pub fn split(&mut self, symbol: &str, word: &str, after: Decimal) {
        let before = self.positions.insert(symbol.to_owned(), after).unwrap_or_default();
        for quantity in [-before, after] {
            self.does(Movement {
                word: word.to_owned(),
                symbol: Some(symbol.to_owned()),
                quantity: Some(quantity),
                ..Movement::default()
            });
        }
    }

    /// Takes back what was done beside orders.
    pub fn undo(&mut self, id: &str) {
        let found = self.activities.iter_mut().find(|activity| activity.id == id);
        if let Some(Activity { kind: ActivityKind::Movement { movement, is_undone }, .. }) = found {
            self.cash -= movement.amount;
            *is_undone = true;
        }
    }
}

impl Market {
    /// Takes a limit purchase from somebody else and gives its number.
    pub fn take(&mut self, client_order_id: &str, symbol: &str, quantity: Decimal, limit: Decimal) -> String {
        let body = serde_json::json!({
            "client_order_id": client_order_id, "symbol": symbol, "qty": quantity.to_string(), "side": "buy",
            "type": "limit", "time_in_force": "day", "limit_price": limit.to_string(),
        });
        self.submit(&body).map(|order| order.id).unwrap_or_default()
    }

    /// Lets an order be older by some seconds.
    pub fn age(&mut self, id: &str, seconds: i64) {
        if let Some(order) = self.place_of(id).and_then(|place| self.orders.get_mut(place)) {
            order.submitted_at -= TimeDelta::seconds(seconds);
        }
    }
}
