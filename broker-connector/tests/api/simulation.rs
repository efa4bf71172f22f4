//! What stands between an order and its execution, where an account wants it.

use crate::connector::{Connector, TOKEN, eventually, limit, market};
use crate::database::TestDatabase;
use crate::quote_server::{QuoteServer, quote};
use domain::broker::{CancelOutcome, OrderRequest};
use domain::{AccountId, Price, Quote, Side, TimeInForce};
use serde_json::{Value, json};

struct World {
    connector: Connector,
    quotes: QuoteServer,
    database: TestDatabase,
    account: AccountId,
    said: Option<(Price, Price)>,
}

impl World {
    async fn new(simulation: &str) -> Self {
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let connector = Connector::start(&database, &quotes).await;
        let account = connector.connect("USD").await;
        let world = Self { connector, quotes, database, account, said: None };
        assert_eq!(world.set(simulation).await, 200);
        world
    }

    async fn set(&self, simulation: &str) -> u16 {
        let path = format!("/broker/accounts/{}/simulation", self.account);
        let body = json!({ "simulation": simulation }).to_string();
        self.connector.send("PUT", &path, Some(TOKEN), &body).await.status().as_u16()
    }

    async fn simulation(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/simulation", self.account)).await
    }

    /// Places an order and waits until it is in the market.
    async fn place(&self, order: &OrderRequest) {
        self.connector.place_accepted(order).await;
        let on_its_way = format!(
            "SELECT count(*) FROM broker.simulator_orders WHERE order_id = '{}' AND active_at > now()",
            order.order_id
        );
        eventually("the order is in the market", || async { self.database.count(&on_its_way).await == 0 })
            .await;
        self.followed().await;
    }

    async fn followed(&self) {
        eventually("the symbol is followed", || async { self.quotes.is_subscribed("AAPL") }).await;
    }

    /// Says a price with so many shares traded so far, and waits until it was taken. The bid has to be higher, or the
    /// ask lower, than what was said before.
    async fn trade(&mut self, bid: &str, ask: &str, volume: u64) {
        self.quotes.publish(Quote { volume, ..quote("AAPL", bid, ask) });
        let (bid, ask): (Price, Price) = (bid.parse().unwrap(), ask.parse().unwrap());
        let is_higher = self.said.is_none_or(|(last, _)| bid > last);
        assert!(
            is_higher || self.said.is_some_and(|(_, last)| ask < last),
            "the probe would meet the price before"
        );
        let (side, price) = if is_higher { (Side::Sell, bid) } else { (Side::Buy, ask) };
        self.said = Some((bid, ask));
        self.meets(side, &price.to_string()).await;
    }

    /// Waits until an order of an account without friction is executed at once.
    async fn meets(&self, side: Side, price: &str) {
        let probe = self.connector.connect("USD").await;
        let (probe, at) = (&probe, &price);
        eventually("the price is there", || async move {
            let order =
                OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(*probe, "AAPL", side, "1", at) };
            self.connector.place_accepted(&order).await;
            eventually("the probe has ended", || async {
                self.connector.status(order.order_id).await != "NEW"
            })
            .await;
            self.connector.status(order.order_id).await == "FILLED"
        })
        .await;
    }

    async fn restart(&mut self) {
        let next = Connector::launch(&self.database, &self.quotes).await;
        std::mem::replace(&mut self.connector, next).kill();
        self.connector.becomes_ready().await;
        self.followed().await;
        if self.said.is_some() {
            // The quote server repeats its last price.
            self.meets(Side::Buy, "1000").await;
        }
    }

    async fn parts(&self, order: &OrderRequest) -> Vec<(String, String)> {
        let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
        let reports = self.connector.reports(order).await;
        let fills = reports.iter().filter(|line| line["kind"] == "fill");
        fills.map(|line| (text(line, "quantity"), text(line, "commission"))).collect()
    }

    async fn ahead(&self, order: &OrderRequest) -> i64 {
        let sql = format!(
            "SELECT coalesce(queue_ahead, -1) AS count FROM broker.simulator_orders WHERE order_id = '{}'",
            order.order_id
        );
        self.database.count(&sql).await
    }
}

fn part(quantity: &str, commission: &str) -> (String, String) {
    (quantity.into(), commission.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_executed_in_parts_and_its_fees_go_on_after_a_kill() {
    let mut world = World::new("realistic").await;
    let order = market(world.account, "AAPL", Side::Buy, "250", "200");
    world.place(&order).await;
    world.trade("150", "150.01", 1_000_000).await;
    assert_eq!(world.parts(&order).await, [], "the first price says nothing about what is traded");
    world.trade("150.02", "150.03", 1_001_000).await;
    world.connector.becomes(order.order_id, "PARTIALLY_FILLED").await;
    assert_eq!(world.parts(&order).await, [part("100", "1")], "a tenth of a thousand");

    world.restart().await;
    assert_eq!(world.parts(&order).await.len(), 1, "the same price again says nothing new");
    world.trade("150.04", "150.05", 1_002_500).await;
    world.connector.becomes(order.order_id, "FILLED").await;
    assert_eq!(world.parts(&order).await, [part("100", "1"), part("150", "0.25")], "as one of 250 shares");
    let numbers: Vec<Value> =
        world.connector.reports(&order).await[1..].iter().map(|line| line["executionId"].clone()).collect();
    assert_eq!(numbers, [json!(format!("{}:1", order.order_id)), json!(format!("{}:2", order.order_id))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_the_queue_survives_a_kill() {
    let mut world = World::new("realistic").await;
    let order = limit(world.account, "AAPL", Side::Buy, "10", "149");
    world.place(&order).await;
    world.trade("150", "150.01", 1_000_000).await;
    eventually("it stands in the queue", || async { world.ahead(&order).await == 1_000 }).await;
    world.trade("149", "149.02", 1_000_600).await;
    eventually("the queue is shorter", || async { world.ahead(&order).await == 400 }).await;
    world.restart().await;
    world.trade("149", "149.01", 1_000_900).await;
    eventually("it goes on from there", || async { world.ahead(&order).await == 100 }).await;
    assert_eq!(world.connector.status(order.order_id).await, "NEW");
    world.trade("148.5", "148.51", 1_001_200).await;
    world.connector.becomes(order.order_id, "FILLED").await;
    let reports = world.connector.reports(&order).await;
    assert_eq!((&reports[1]["price"], &reports[1]["quantity"]), (&json!("149"), &json!("10")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_has_met_no_price_gets_its_first_one_also_after_a_kill_and_one_that_rests_its_limit() {
    let mut world = World::new("ideal").await;
    let generous = limit(world.account, "AAPL", Side::Buy, "10", "160");
    let modest = limit(world.account, "AAPL", Side::Buy, "10", "140");
    for order in [&generous, &modest] {
        world.place(order).await;
    }
    world.restart().await;
    world.trade("149.99", "150", 1_000).await;
    world.restart().await;
    world.trade("138", "139", 2_000).await;
    for (order, executed_at) in [(&generous, "150"), (&modest, "140")] {
        world.connector.becomes(order.order_id, "FILLED").await;
        assert_eq!(world.connector.reports(order).await[1]["price"], executed_at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_counts_for_later_orders_and_survives_a_kill() {
    let mut world = World::new("harsh").await;
    let before = limit(world.account, "AAPL", Side::Buy, "10", "149");
    world.place(&before).await;
    assert_eq!(world.set("ideal").await, 200);
    world.restart().await;
    assert_eq!(world.simulation().await, json!({ "simulation": "ideal" }));
    let after = limit(world.account, "AAPL", Side::Buy, "10", "149");
    world.connector.place_accepted(&after).await;
    world.trade("150", "150.01", 1_000_000).await;
    world.trade("148", "148.01", 1_000_000).await;
    world.connector.becomes(after.order_id, "FILLED").await;
    assert_eq!(world.connector.status(before.order_id).await, "NEW", "nothing was traded");
    assert_eq!(world.connector.cancel(before.order_id).await, CancelOutcome::Accepted);
    world.connector.becomes(before.order_id, "CANCELED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_settings_of_known_accounts_are_taken() {
    let mut world = World::new("realistic").await;
    assert_eq!(world.set("perfect").await, 422);
    assert_eq!(world.simulation().await, json!({ "simulation": "realistic" }));
    world.account = AccountId::generate();
    assert_eq!(world.set("harsh").await, 409);
    assert_eq!(world.simulation().await, json!({ "simulation": "ideal" }), "what an account begins with");
}

/// A share in which a step of six percent interrupts trading.
const KOREAN: &str = "247540.KQ";

impl World {
    /// Says a price and so many shares traded so far, and waits until an account without friction has met it.
    async fn say_korean(&self, last: &str, volume: u64) {
        self.quotes.publish(Quote { volume, ..quote(KOREAN, last, last) });
        let probe = &self.connector.connect("KRW").await;
        eventually("the price is there", || async move {
            // Only at this very price do both sides meet it.
            let both = [Side::Buy, Side::Sell].map(|side| OrderRequest {
                time_in_force: TimeInForce::Ioc,
                ..limit(*probe, KOREAN, side, "1", last)
            });
            let mut filled = true;
            for order in both {
                self.connector.place_accepted(&order).await;
                eventually("the probe has ended", || async {
                    self.connector.status(order.order_id).await != "NEW"
                })
                .await;
                filled &= self.connector.status(order.order_id).await == "FILLED";
            }
            filled
        })
        .await;
    }

    async fn restart_korean(&mut self) {
        let next = Connector::launch(&self.database, &self.quotes).await;
        std::mem::replace(&mut self.connector, next).kill();
        self.connector.becomes_ready().await;
        eventually("the symbol is followed", || async { self.quotes.is_subscribed(KOREAN) }).await;
    }

    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&kinds.join(", "), || async move { self.connector.kinds(order).await == kinds }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_keeps_orders_waiting_over_a_kill_and_tells_them_why() {
    let mut world = World::new("realistic").await;
    let order = limit(world.account, KOREAN, Side::Buy, "10", "12000");
    world.connector.place_accepted(&order).await;
    world.say_korean("10000", 1_000).await;
    eventually("the order is in the market", || async {
        world.database.count("SELECT count(*) FROM broker.simulator_orders WHERE active_at > now()").await
            == 0
    })
    .await;
    world.say_korean("10010", 1_000).await;
    world.say_korean("11000", 2_000).await;
    world.tells(&order, &["accepted", "suspended"]).await;
    let told = world.connector.reports(&order).await;
    assert_eq!(told[1]["reason"], "volatility_interruption");

    world.restart_korean().await;
    let later = limit(world.account, KOREAN, Side::Buy, "10", "12000");
    world.connector.place_accepted(&later).await;
    world.tells(&later, &["accepted", "suspended"]).await;
    world.say_korean("11050", 20_000).await;
    world.say_korean("11100", 30_000).await;
    for waiting in [&order, &later] {
        world.tells(waiting, &["accepted", "suspended"]).await;
    }

    world.database.execute("UPDATE broker.simulator_markets SET ends_at = began_at").await;
    world.restart_korean().await;
    for waiting in [&order, &later] {
        world.tells(waiting, &["accepted", "suspended", "resumed"]).await;
    }
    world.say_korean("11110", 40_000).await;
    world.say_korean("11120", 50_000).await;
    for done in [&order, &later] {
        world.connector.becomes(done.order_id, "FILLED").await;
        world.tells(done, &["accepted", "suspended", "resumed", "fill"]).await;
    }
}
