//! What really happens at the stand-in. Pure but for the clock. All prices are whole won.

use crate::tape::{Sides, Tape, Trade};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Asia::Seoul;
use serde_json::Value;
use std::collections::BTreeMap;

/// Shares that its market knows, and the board of each: 0 is KOSPI, 10 is KOSDAQ.
const LISTED: [(&str, &str, &str); 5] = [
    ("005930", "삼성전자", "0"),
    ("000660", "SK하이닉스", "0"),
    ("247540", "에코프로비엠", "10"),
    ("035720", "카카오", "0"),
    ("950160", "코오롱티슈진", "10"),
];

/// What an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It buys or sells.
    New,
    /// It stands in the place of another one.
    Change,
    /// It takes another one back; it is never executed itself.
    Cancel,
}

/// An order. A change and a cancel have numbers of their own.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its number, unique on its day.
    pub number: String,
    /// What it does.
    pub kind: Kind,
    /// The number that it changes or takes back.
    pub original: Option<String>,
    /// What is traded.
    pub code: String,
    /// Whether it buys.
    pub buys: bool,
    /// Kiwoom's number for its type.
    pub trade_type: String,
    /// Shares ordered.
    pub quantity: u64,
    /// Shares that are still to be executed.
    pub open: u64,
    /// Shares executed.
    pub filled: u64,
    /// What they cost.
    pub worth: u64,
    /// Its limit; 0 without one.
    pub price: u64,
    /// Its stop; 0 without one.
    pub stop: u64,
    /// Whether it was refused after it was taken.
    pub is_rejected: bool,
    /// When it came.
    pub at: DateTime<Utc>,
}

impl Order {
    /// Whether it can still be executed.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.open > 0
    }

    /// Its day in Seoul.
    #[must_use]
    pub fn day(&self) -> NaiveDate {
        self.at.with_timezone(&Seoul).date_naive()
    }

    /// Commission so far: 0.015 % in full tens of won.
    pub(crate) const fn commission(&self) -> u64 {
        self.worth * 15 / 1_000_000 * 10
    }

    /// Tax so far: 0.2 % of what was sold.
    pub(crate) const fn tax(&self) -> u64 {
        if self.buys { 0 } else { self.worth / 500 }
    }
}

/// Something for the stream.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) state: &'static str,
    pub(crate) order: Order,
    pub(crate) reason: String,
    /// Number, shares and price of an execution.
    pub(crate) execution: Option<(u64, u64, u64)>,
    /// Shares held afterwards.
    pub(crate) held: u64,
}

/// Something for those who follow a share.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// Shares have changed hands.
    Trade(Trade),
    /// Its book is another one: code, book, close before.
    Book(String, Sides, u64),
}

/// A refusal: its class and its words.
pub(crate) type Refusal = (i64, String);

/// The market, and the one account in it.
#[derive(Debug)]
pub struct Market {
    /// Cash of the account when everything is settled.
    pub cash: i64,
    /// Shares of the account.
    pub positions: BTreeMap<String, u64>,
    /// The account's number. Another one is another account behind the same key.
    pub number: String,
    /// Rows on a page of a list.
    pub rows_per_page: usize,
    /// What market orders are executed at, at once; without it they rest as the others do.
    pub market_price: Option<u64>,
    pub(crate) orders: Vec<Order>,
    pub(crate) events: Vec<Event>,
    /// Rows on a page of a chart.
    pub rows_per_chart: usize,
    tapes: BTreeMap<String, Tape>,
    pub(crate) news: Vec<News>,
    next_number: u64,
    next_execution: u64,
}

impl Default for Market {
    fn default() -> Self {
        let digits = uuid::Uuid::now_v7().as_u128() % 100_000_000;
        Self {
            cash: 10_000_000,
            positions: BTreeMap::new(),
            number: format!("50{digits:08}"),
            rows_per_page: 30,
            market_price: None,
            orders: Vec::new(),
            events: Vec::new(),
            rows_per_chart: 600,
            tapes: BTreeMap::new(),
            news: Vec::new(),
            next_number: 1,
            next_execution: 1,
        }
    }
}

fn refused(code: &str, words: &str) -> Refusal {
    (20, format!("[2000]({code}:{words})"))
}

fn malformed(name: &str) -> Refusal {
    (2, format!("입력 값 오류입니다[1517:{name} 값이 올바르지 않습니다]"))
}

pub(crate) fn word<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    let missing = || (2, format!("필수 입력 값이 없습니다[1511:{name}]"));
    body.get(name).and_then(Value::as_str).ok_or_else(missing)
}

/// A whole number; an absent or empty one is 0.
fn whole(body: &Value, name: &str) -> Result<u64, Refusal> {
    match body.get(name).and_then(Value::as_str).unwrap_or_default() {
        "" => Ok(0),
        text => text.parse().map_err(|_| malformed(name)),
    }
}

/// Smallest step of a price (KRX, since 2023-01-25).
const fn tick(price: u64) -> u64 {
    match price {
        0..2_000 => 1,
        2_000..5_000 => 5,
        5_000..20_000 => 10,
        20_000..50_000 => 50,
        50_000..200_000 => 100,
        200_000..500_000 => 500,
        _ => 1_000,
    }
}

/// Code, name and board of each share.
pub(crate) fn each_listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    LISTED.into_iter()
}

/// Name and board of a share.
pub(crate) fn listed(code: &str) -> Option<(&'static str, &'static str)> {
    LISTED.iter().find(|(listed, _, _)| *listed == code).map(|(_, name, board)| (*name, *board))
}

impl Market {
    /// All orders, the first one first.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Orders that buy or sell so many shares, changes included.
    #[must_use]
    pub fn of_size(&self, quantity: u64) -> Vec<Order> {
        let trades = self.orders.iter().filter(|order| order.kind != Kind::Cancel);
        trades.filter(|order| order.quantity == quantity).cloned().collect()
    }

    fn place_of(&self, number: &str) -> Option<usize> {
        let plain = |text: &str| text.trim_start_matches('0').to_owned();
        self.orders.iter().rposition(|order| plain(&order.number) == plain(number))
    }

    fn tell(&mut self, state: &'static str, place: usize, execution: Option<(u64, u64, u64)>) {
        if let Some(order) = self.orders.get(place).cloned() {
            let held = self.positions.get(&order.code).copied().unwrap_or_default();
            self.events.push(Event { state, order, reason: String::new(), execution, held });
        }
    }

    fn push(&mut self, mut order: Order) -> usize {
        order.number = format!("{:07}", self.next_number);
        self.next_number += 1;
        self.orders.push(order);
        self.orders.len() - 1
    }

    fn check(&self, order: &Order) -> Result<(), Refusal> {
        if listed(&order.code).is_none() {
            return Err((1, "종목코드가 존재하지 않습니다[1902]".into()));
        }
        if !order.price.is_multiple_of(tick(order.price)) {
            return Err(refused("RC4003", "주문단가를 호가단위에 맞게 입력하십시오"));
        }
        if order.buys {
            let needed = i64::try_from(order.price * order.quantity).unwrap_or(i64::MAX);
            if needed > self.cash {
                return Err(refused("RC4025", "매수증거금이 부족합니다"));
            }
            return Ok(());
        }
        let sells = self.orders.iter().filter(|other| !other.buys && other.code == order.code);
        let promised: u64 = sells.map(|other| other.open).sum();
        let held = self.positions.get(&order.code).copied().unwrap_or_default();
        if promised + order.quantity > held {
            return Err(refused("800033", "매도가능수량이 부족합니다"));
        }
        Ok(())
    }

    /// Takes an order and gives its number.
    pub(crate) fn submit(&mut self, buys: bool, body: &Value) -> Result<String, Refusal> {
        if word(body, "dmst_stex_tp")? != "KRX" {
            return Err((20, "[2000](RC9000:모의투자에서는 해당업무가 제공되지 않습니다)".into()));
        }
        let (trade_type, price) = (word(body, "trde_tp")?.to_owned(), whole(body, "ord_uv")?);
        let is_priced = matches!(trade_type.as_str(), "0" | "10" | "20" | "28");
        if is_priced != (price > 0) {
            return Err(malformed("ord_uv"));
        }
        let quantity = whole(body, "ord_qty")?;
        if quantity == 0 {
            return Err(malformed("ord_qty"));
        }
        let order = Order {
            number: String::new(),
            kind: Kind::New,
            original: None,
            code: word(body, "stk_cd")?.to_owned(),
            buys,
            trade_type,
            quantity,
            open: quantity,
            filled: 0,
            worth: 0,
            price,
            stop: whole(body, "cond_uv")?,
            is_rejected: false,
            at: Utc::now(),
        };
        self.check(&order)?;
        let is_market = matches!(order.trade_type.as_str(), "3" | "13" | "23");
        let place = self.push(order);
        self.tell("접수", place, None);
        if let (true, Some(price)) = (is_market, self.market_price) {
            self.fill_at(place, quantity, price);
        }
        Ok(self.orders.get(place).map(|order| order.number.clone()).unwrap_or_default())
    }

    /// Where an order is of which something is left.
    fn working(&self, body: &Value) -> Result<usize, Refusal> {
        let place = self.place_of(word(body, "orig_ord_no")?);
        let code = word(body, "stk_cd")?;
        let works =
            |place: &usize| self.orders.get(*place).is_some_and(|order| order.works() && order.code == code);
        place.filter(works).ok_or_else(|| refused("RC4032", "원주문이 없거나 이미 처리되었습니다"))
    }

    /// Gives what is left of an order, or a part of it, another price; the outcome is an order of its own.
    pub(crate) fn change(&mut self, body: &Value) -> Result<Order, Refusal> {
        let place = self.working(body)?;
        let (asked, price) = (whole(body, "mdfy_qty")?, whole(body, "mdfy_uv")?);
        if !price.is_multiple_of(tick(price)) {
            return Err(refused("RC4003", "주문단가를 호가단위에 맞게 입력하십시오"));
        }
        let Some(before) = self.orders.get_mut(place) else { return Err(malformed("orig_ord_no")) };
        let quantity = if asked == 0 { before.open } else { asked.min(before.open) };
        before.open -= quantity;
        let change = Order {
            kind: Kind::Change,
            original: Some(before.number.clone()),
            quantity,
            open: quantity,
            filled: 0,
            worth: 0,
            price,
            stop: whole(body, "mdfy_cond_uv")?,
            at: Utc::now(),
            ..before.clone()
        };
        let place = self.push(change);
        self.tell("확인", place, None);
        self.orders.get(place).cloned().ok_or_else(|| malformed("orig_ord_no"))
    }

    /// Takes an order back, all that is left of it or a part; the cancel is an order of its own.
    pub(crate) fn cancel(&mut self, body: &Value) -> Result<Order, Refusal> {
        let (place, asked) = (self.working(body)?, whole(body, "cncl_qty")?);
        let Some(before) = self.orders.get_mut(place) else { return Err(malformed("orig_ord_no")) };
        let quantity = if asked == 0 { before.open } else { asked.min(before.open) };
        before.open -= quantity;
        let cancel = Order {
            kind: Kind::Cancel,
            original: Some(before.number.clone()),
            quantity,
            open: 0,
            filled: 0,
            worth: 0,
            at: Utc::now(),
            ..before.clone()
        };
        let place = self.push(cancel);
        self.tell("확인", place, None);
        self.orders.get(place).cloned().ok_or_else(|| malformed("orig_ord_no"))
    }

    /// Refuses an order that was taken.
    pub fn reject(&mut self, number: &str, reason: &str) {
        let Some(place) = self.place_of(number) else { return };
        if let Some(order) = self.orders.get_mut(place) {
            (order.open, order.is_rejected) = (0, true);
        }
        self.tell("거부", place, None);
        if let Some(event) = self.events.last_mut() {
            event.reason = reason.to_owned();
        }
    }

    /// Executes shares of an order, at most what is open.
    pub fn fill(&mut self, number: &str, quantity: u64, price: u64) {
        if let Some(place) = self.place_of(number) {
            self.fill_at(place, quantity, price);
        }
    }

    fn fill_at(&mut self, place: usize, quantity: u64, price: u64) {
        let Some(order) = self.orders.get_mut(place).filter(|order| order.works()) else { return };
        let quantity = quantity.min(order.open);
        let fees_before = order.commission() + order.tax();
        order.open -= quantity;
        order.filled += quantity;
        order.worth += quantity * price;
        let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        let fees = signed(order.commission() + order.tax() - fees_before);
        let held = self.positions.entry(order.code.clone()).or_default();
        if order.buys {
            *held += quantity;
            self.cash -= signed(quantity * price) + fees;
        } else {
            *held = held.saturating_sub(quantity);
            self.cash += signed(quantity * price) - fees;
        }
        self.positions.retain(|_, held| *held > 0);
        let (code, buys) = (order.code.clone(), order.buys);
        let execution = (self.next_execution, quantity, price);
        self.next_execution += 1;
        self.tell("체결", place, Some(execution));
        self.trade(&code, price, quantity, buys);
    }

    /// Takes a limit purchase that somebody else makes, and gives its number.
    pub fn take(&mut self, code: &str, quantity: u64, price: u64) -> String {
        let body = serde_json::json!({
            "dmst_stex_tp": "KRX", "stk_cd": code, "ord_qty": quantity.to_string(),
            "ord_uv": price.to_string(), "trde_tp": "0", "cond_uv": "",
        });
        self.submit(true, &body).unwrap_or_default()
    }

    /// Takes an order back without being asked to by the client under test.
    pub fn take_back(&mut self, number: &str) {
        let code = self.place_of(number).and_then(|place| self.orders.get(place)).map(|order| &order.code);
        let body = serde_json::json!({ "orig_ord_no": number, "stk_cd": code, "cncl_qty": "0" });
        let _ = self.cancel(&body);
    }

    /// What is traded of a share.
    pub(crate) fn tape(&self, code: &str) -> Tape {
        self.tapes.get(code).cloned().unwrap_or_default()
    }

    /// Shares change hands now, at the wish of a buyer or of a seller, and those who follow them are told.
    pub fn trade(&mut self, code: &str, price: u64, quantity: u64, is_bought: bool) {
        let at = Utc::now();
        let tape = self.tapes.entry(code.to_owned()).or_default();
        let day = tape.trade(price, quantity, at);
        let best = tape.sides.clone();
        self.news.push(News::Trade(Trade { code: code.to_owned(), at, quantity, is_bought, day, best }));
    }

    /// Somebody wants to sell and to buy: prices and shares, the best first. Those who follow the share are told.
    pub fn quote(&mut self, code: &str, asks: &[(u64, u64)], bids: &[(u64, u64)]) {
        let sides = Sides { asks: asks.to_vec(), bids: bids.to_vec() };
        let tape = self.tapes.entry(code.to_owned()).or_default();
        tape.sides = sides.clone();
        let today = tape.days(NaiveDate::MAX, 1, true);
        let before = today.first().map(|(_, day)| day.before).unwrap_or_default();
        self.news.push(News::Book(code.to_owned(), sides, before));
    }

    /// Fifty shares were made of each old one so many trading days ago.
    pub fn split(&mut self, code: &str, days_ago: usize) {
        self.tapes.entry(code.to_owned()).or_default().split_days_ago = Some(days_ago);
    }

    /// Lets an order be older by some seconds.
    pub fn age(&mut self, number: &str, seconds: i64) {
        if let Some(order) = self.place_of(number).and_then(|place| self.orders.get_mut(place)) {
            order.at -= TimeDelta::seconds(seconds);
        }
    }
}
