//! A trader: asks for whatever can be asked for, and keeps a record of every answer.

use crate::chance::Chance;
use crate::visitor::{Answer, Visitor};
use crate::wishes::{self, Place};
use futures_util::future::join_all;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest pause between two requests of an account, in milliseconds.
const PAUSE_MILLIS_MAX: u64 = 80;
/// Most orders that an account sends at once.
const BURST_MAX: u64 = 6;
/// One of so many requests is sent twice at the same time.
const SENT_TWICE_ONE_IN: u64 = 6;
/// So many of the latest orders are probably still open.
const LATE_ORDERS: usize = 12;
/// Most money of one deposit or withdrawal is the opening one divided by this.
const MOVED_PART: i64 = 20;

/// What was asked under a key, and the definite answer.
pub(crate) struct Asked {
    pub(crate) body: Value,
    pub(crate) answer: Answer,
}

impl Asked {
    /// What was made, where something was.
    pub(crate) fn made(&self) -> Option<Value> {
        self.answer.is_taken().then(|| self.answer.json())
    }
}

/// Everything one account has done.
#[derive(Default)]
pub(crate) struct Record {
    /// By their keys; so are groups and closes.
    pub(crate) orders: BTreeMap<String, Asked>,
    pub(crate) groups: BTreeMap<String, Asked>,
    pub(crate) closes: BTreeMap<String, Asked>,
    /// Closes of everything.
    pub(crate) closes_of_all: BTreeMap<String, Asked>,
    /// Changes of an order's terms whose wish was taken, oldest first.
    pub(crate) changes: BTreeMap<String, Vec<Value>>,
    /// Orders whose cancel was taken.
    pub(crate) cancelled: BTreeSet<String>,
    /// Deposits less withdrawals.
    pub(crate) brought_in: Decimal,
    keys: u64,
    /// Orders that were placed by themselves, oldest first.
    placed: Vec<(String, Value)>,
}

impl Record {
    /// Orders that were asked for and taken, those of groups not among them.
    pub(crate) fn orders_placed(&self) -> usize {
        self.placed.len()
    }
}

/// Somebody who trades in one account.
pub(crate) struct Trader {
    pub(crate) visitor: Arc<Visitor>,
    pub(crate) account: String,
    /// Whether it buys on credit and sells short.
    pub(crate) sells_short: bool,
    place: Place,
    pub(crate) record: Record,
    chance: Chance,
}

impl Trader {
    /// Opens an account with enough to begin.
    pub(crate) async fn open(visitor: Arc<Visitor>, currency: &str, sells_short: bool, seed: u64) -> Self {
        let body = json!({
            "name": "Play", "broker": "simulator", "currency": currency,
            "margin": sells_short, "shortSelling": sells_short,
        });
        let account = visitor.insist(Method::POST, "/api/accounts", None, Some(&body)).await.expect(201);
        let account = account.json()["id"].as_str().unwrap().to_owned();
        let (record, chance, place) = (Record::default(), Chance::new(seed), Place::of(currency));
        let mut trader = Self { visitor, account, sells_short, place, record, chance };
        trader.deposit(place.opening_deposit).await;
        trader
    }

    /// Goes on until told to stop.
    pub(crate) async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::Relaxed) {
            match self.chance.below(100) {
                0..=3 => {
                    let amount = self.amount();
                    self.deposit(amount).await;
                }
                4..=6 => self.withdraw().await,
                7..=14 => self.cancel_one().await,
                15 => self.cancel_all().await,
                16..=30 => self.change_one().await,
                31..=33 => self.close().await,
                34 => self.close_all().await,
                35..=44 => self.place_group().await,
                45..=46 => self.cancel_group().await,
                _ => self.place_orders().await,
            }
            tokio::time::sleep(Duration::from_millis(self.chance.below(PAUSE_MILLIS_MAX))).await;
        }
        self
    }

    fn key(&mut self) -> String {
        self.record.keys += 1;
        format!("{}-{}", self.account, self.record.keys)
    }

    /// Sends a request under a new key, now and then twice at the same time.
    async fn send(&mut self, method: Method, path: &str, body: &Value) -> (String, Answer) {
        let (key, twice) = (self.key(), self.chance.one_in(SENT_TWICE_ONE_IN));
        let answer = send(&self.visitor, method, path, &key, body, twice).await;
        (key, answer)
    }

    fn amount(&mut self) -> i64 {
        let most = u64::try_from(self.place.opening_deposit / MOVED_PART).unwrap();
        i64::try_from(1 + self.chance.below(most)).unwrap()
    }

    async fn deposit(&mut self, amount: i64) {
        let path = format!("/api/accounts/{}/deposit", self.account);
        let (_, answer) = self.send(Method::POST, &path, &json!({ "amount": amount.to_string() })).await;
        answer.expect(201);
        self.record.brought_in += Decimal::from(amount);
    }

    async fn withdraw(&mut self) {
        let (path, amount) = (format!("/api/accounts/{}/withdraw", self.account), self.amount());
        let (_, answer) = self.send(Method::POST, &path, &json!({ "amount": amount.to_string() })).await;
        match answer.status {
            201 => self.record.brought_in -= Decimal::from(amount),
            _ => answer.is_refused(
                422,
                &["validation_failed"],
                &["exceeds_withdrawable", "secures_short_sales"],
            ),
        }
    }

    /// Mostly one of the latest orders that fit: they are the ones still under way.
    fn late_order(&mut self, fits: fn(&Value) -> bool) -> Option<(String, Value)> {
        let latest = if self.chance.one_in(4) { usize::MAX } else { LATE_ORDERS };
        let placed = self.record.placed.iter().rev().filter(|(_, asked)| fits(asked));
        let placed: Vec<&(String, Value)> = placed.take(latest).collect();
        (!placed.is_empty()).then(|| (*self.chance.pick(&placed)).clone())
    }

    async fn cancel_one(&mut self) {
        if let Some((id, _)) = self.late_order(|_| true) {
            self.cancel(&id).await;
        }
    }

    pub(crate) async fn cancel(&mut self, id: &str) {
        let answer = self.visitor.insist(Method::DELETE, &format!("/api/orders/{id}"), None, None).await;
        match answer.status {
            202 => drop(self.record.cancelled.insert(id.to_owned())),
            _ => answer.is_refused(409, &["order_not_open"], &[]),
        }
    }

    async fn cancel_all(&mut self) {
        let symbol = *self.chance.pick(self.place.symbols);
        let mut body = json!({ "accountId": self.account, "symbol": symbol });
        if self.chance.one_in(2) {
            body["side"] = (*self.chance.pick(&["buy", "sell"])).into();
        }
        let answer = self.visitor.insist(Method::POST, "/api/orders/cancel-all", None, Some(&body)).await;
        for item in answer.expect(202).json()["items"].as_array().unwrap() {
            if item["outcome"] == "requested" || item["outcome"] == "already_requested" {
                self.record.cancelled.insert(item["orderId"].as_str().unwrap().to_owned());
            }
        }
    }

    async fn change_one(&mut self) {
        let Some((id, asked)) = self.late_order(wishes::can_wait) else { return };
        let last = self.last_price(asked["symbol"].as_str().unwrap()).await;
        let change = wishes::change(&self.place, &asked, last, &mut self.chance);
        let (_, answer) = self.send(Method::PATCH, &format!("/api/orders/{id}"), &change).await;
        match answer.status {
            202 => self.record.changes.entry(id).or_default().push(change),
            409 => answer.is_refused(
                409,
                &["order_not_open", "cancel_pending", "replace_pending", "conflict"],
                &[],
            ),
            _ => answer.is_refused(422, &["order_denied", "validation_failed"], &[]),
        }
    }

    async fn close(&mut self) {
        let symbol = *self.chance.pick(self.place.symbols);
        let mut body = json!({ "accountId": self.account, "symbol": symbol });
        if self.chance.one_in(2) {
            body["percent"] = "50".into();
        }
        let (key, answer) = self.send(Method::POST, "/api/positions/close", &body).await;
        match answer.status {
            202 => {}
            409 => answer.is_refused(409, &["nothing_to_close", "close_under_way"], &[]),
            _ => answer.is_refused(422, &["validation_failed"], &["too_small"]),
        }
        self.record.closes.insert(key, Asked { body, answer });
    }

    async fn close_all(&mut self) {
        let body = json!({ "accountId": self.account });
        let (key, answer) = self.send(Method::POST, "/api/positions/close-all", &body).await;
        self.record.closes_of_all.insert(key, Asked { body, answer: answer.expect(202) });
    }

    async fn place_group(&mut self) {
        let symbol = *self.chance.pick(self.place.symbols);
        let last = self.last_price(symbol).await;
        let mut body = wishes::group(&self.place, symbol, last, &mut self.chance);
        body["accountId"] = self.account.as_str().into();
        let (key, answer) = self.send(Method::POST, "/api/order-groups", &body).await;
        if answer.status != 201 {
            answer.is_refused(422, &["order_denied"], &[]);
        }
        self.record.groups.insert(key, Asked { body, answer });
    }

    async fn cancel_group(&mut self) {
        let made: Vec<String> = self.record.groups.values().filter_map(id_of).collect();
        if let Some(id) = made.last().filter(|_| made.len() > 1) {
            self.take_group_back(id).await;
        }
    }

    pub(crate) async fn take_group_back(&mut self, id: &str) {
        let path = format!("/api/order-groups/{id}");
        let answer = self.visitor.insist(Method::DELETE, &path, None, None).await;
        if answer.status != 202 {
            answer.is_refused(409, &["order_not_open"], &[]);
        }
    }

    async fn last_price(&self, symbol: &str) -> Decimal {
        let quote = self.visitor.get(&format!("/api/market/quote/{symbol}")).await;
        quote["price"].as_str().unwrap().parse().unwrap()
    }

    /// Sends some orders at once.
    async fn place_orders(&mut self) {
        let mut orders = Vec::new();
        for _ in 0..=self.chance.below(BURST_MAX) {
            let symbol = *self.chance.pick(self.place.symbols);
            let last = self.last_price(symbol).await;
            let mut body = wishes::order(&self.place, symbol, last, &mut self.chance);
            body["accountId"] = self.account.as_str().into();
            orders.push((self.key(), body, self.chance.one_in(SENT_TWICE_ONE_IN)));
        }
        let visitor = &self.visitor;
        let answers = orders
            .iter()
            .map(|(key, body, twice)| send(visitor, Method::POST, "/api/orders", key, body, *twice));
        let answers = join_all(answers).await;
        for ((key, body, _), answer) in orders.into_iter().zip(answers) {
            let asked = Asked { body, answer };
            match asked.answer.status {
                201 => self.record.placed.extend(id_of(&asked).map(|id| (id, asked.body.clone()))),
                _ => asked.answer.is_refused(422, &["order_denied"], &[]),
            }
            self.record.orders.insert(key, asked);
        }
    }
}

fn id_of(asked: &Asked) -> Option<String> {
    asked.made()?["id"].as_str().map(str::to_owned)
}

async fn send(visitor: &Visitor, method: Method, path: &str, key: &str, body: &Value, twice: bool) -> Answer {
    let send = || visitor.insist(method.clone(), path, Some(key), Some(body));
    if !twice {
        return send().await;
    }
    let (first, second) = tokio::join!(send(), send());
    if path == "/api/orders" {
        assert_eq!((first.status, &first.text), (second.status, &second.text), "one key, one answer");
    }
    match (first.is_taken(), second.is_taken()) {
        (true, true) => assert_eq!(first.json()["id"], second.json()["id"], "one key, one thing"),
        // A refusal of anything but an order is not kept: a moment later there may be no reason for it any more.
        (false, true) => return second,
        (_, false) => {}
    }
    first
}
