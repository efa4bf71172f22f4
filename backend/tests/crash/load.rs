//! The load: each account places, cancels and deposits, and keeps a record of every answer.

use crate::chance::Chance;
use crate::visitor::{Answer, Visitor};
use futures_util::future::join_all;
use reqwest::Method;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest pause between two requests of an account, in milliseconds.
const PAUSE_MILLIS_MAX: u64 = 120;
/// Most orders that an account sends at once.
const BURST_MAX: u64 = 6;
/// One of so many orders is sent twice at the same time.
const SENT_TWICE_ONE_IN: u64 = 6;

/// What was asked under a key, and the answer.
pub(crate) struct Asked {
    pub(crate) body: Value,
    /// 201 with the order's first words, or 422: risk has refused it.
    pub(crate) answer: Answer,
}

/// Everything one account has done.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) orders: BTreeMap<String, Asked>,
    /// Orders whose cancel was taken.
    pub(crate) cancelled: BTreeSet<String>,
    pub(crate) deposited: Decimal,
    pub(crate) keys: u64,
}

/// Somebody who trades in one account.
pub(crate) struct Trader {
    pub(crate) visitor: Arc<Visitor>,
    pub(crate) account: String,
    symbols: &'static [&'static str],
    /// Prices of far limits are multiples of it: it is on the grid of every price band met here.
    tick: Decimal,
    pub(crate) record: Record,
    chance: Chance,
}

impl Trader {
    /// Opens an account with enough to begin.
    pub(crate) async fn open(visitor: Arc<Visitor>, currency: &str, seed: u64) -> Self {
        let body = json!({ "name": "Play", "broker": "simulator", "currency": currency });
        let account = visitor.insist(Method::POST, "/api/accounts", None, Some(&body)).await.expect(201);
        let account = account.json()["id"].as_str().unwrap().to_owned();
        let (symbols, tick, amount): (&[&str], _, _) = match currency {
            "KRW" => (&["005930.KS", "000660.KS"], Decimal::ONE_THOUSAND, 20_000_000),
            _ => (&["AAPL", "IBM", "MSFT"], Decimal::new(1, 2), 20_000),
        };
        let (record, chance) = (Record::default(), Chance::new(seed));
        let mut trader = Self { visitor, account, symbols, tick, record, chance };
        trader.deposit(amount).await;
        trader
    }

    /// Goes on until told to stop.
    pub(crate) async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::Relaxed) {
            match self.chance.below(20) {
                0 => self.deposit(1).await,
                1..=4 => self.cancel_one().await,
                _ => self.place().await,
            }
            tokio::time::sleep(Duration::from_millis(self.chance.below(PAUSE_MILLIS_MAX))).await;
        }
        self
    }

    fn key(&mut self) -> String {
        self.record.keys += 1;
        format!("{}-{}", self.account, self.record.keys)
    }

    async fn deposit(&mut self, amount: i64) {
        let (path, key) = (format!("/api/accounts/{}/deposit", self.account), self.key());
        let body = json!({ "amount": amount.to_string() });
        self.visitor.insist(Method::POST, &path, Some(&key), Some(&body)).await.expect(201);
        self.record.deposited += Decimal::from(amount);
    }

    async fn cancel_one(&mut self) {
        let placed: Vec<&Asked> =
            self.record.orders.values().filter(|asked| asked.answer.status == 201).collect();
        if placed.is_empty() {
            return;
        }
        // Mostly late orders: they are the ones still under way.
        let asked = if self.chance.one_in(4) { *self.chance.pick(&placed) } else { placed[placed.len() - 1] };
        let id = asked.answer.json()["id"].as_str().unwrap().to_owned();
        self.cancel(&id).await;
    }

    pub(crate) async fn cancel(&mut self, id: &str) {
        let answer = self.visitor.insist(Method::DELETE, &format!("/api/orders/{id}"), None, None).await;
        match answer.status {
            202 => drop(self.record.cancelled.insert(id.to_owned())),
            _ => assert_eq!((answer.status, answer.code().as_str()), (409, "order_not_open"), "{answer:?}"),
        }
    }

    /// The last price, moved by percent and put on the grid.
    async fn limit(&self, symbol: &str, percent: i64) -> String {
        let quote = self.visitor.get(&format!("/api/market/quote/{symbol}")).await;
        let price: Decimal = quote["price"].as_str().unwrap().parse().unwrap();
        let moved = price * Decimal::new(100 + percent, 2) / self.tick;
        (moved.round_dp_with_strategy(0, RoundingStrategy::AwayFromZero) * self.tick).normalize().to_string()
    }

    async fn choose(&mut self) -> Value {
        let symbol = *self.chance.pick(self.symbols);
        let side = *self.chance.pick(&["buy", "sell"]);
        let quantity = (1 + self.chance.below(5)).to_string();
        let time_in_force = *self.chance.pick(&["gtc", "day"]);
        let mut body = json!({
            "accountId": self.account, "symbol": symbol, "side": side, "quantity": quantity, "type": "market",
            "timeInForce": time_in_force,
        });
        if self.chance.one_in(2) {
            let far = *self.chance.pick(&[0, 1, 10]);
            let percent = if side == "buy" { -far } else { far };
            body["type"] = "limit".into();
            body["limitPrice"] = self.limit(symbol, percent).await.into();
        }
        body
    }

    /// Sends some orders at once.
    async fn place(&mut self) {
        let mut orders = Vec::new();
        for _ in 0..=self.chance.below(BURST_MAX) {
            orders.push((self.key(), self.choose().await, self.chance.one_in(SENT_TWICE_ONE_IN)));
        }
        let visitor = &self.visitor;
        let answers = orders.iter().map(|(key, body, twice)| async move {
            let send = || visitor.insist(Method::POST, "/api/orders", Some(key), Some(body));
            if !twice {
                return send().await;
            }
            let (first, second) = tokio::join!(send(), send());
            assert_eq!((first.status, &first.text), (second.status, &second.text), "one key, one answer");
            first
        });
        let answers = join_all(answers).await;
        for ((key, body, _), answer) in orders.into_iter().zip(answers) {
            if answer.status != 201 {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (422, "order_denied"),
                    "{body}: {answer:?}"
                );
            }
            self.record.orders.insert(key, Asked { body, answer });
        }
    }
}
