//! The simulator as a venue: it executes by the prices that it is told, and what can be lost is the answer of its database, the
//! patience of who waits, and the process itself.

use super::{Venue, number};
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::quote_server::{QuoteServer, quote};
use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::{AccountId, OrderStatus, Quote, Side};
use kiwoom_stand_in::Fault;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// How long who sends a message waits for its answer, where the answer is to be lost.
const PATIENCE: Duration = Duration::from_millis(150);
/// With friction an order gets a tenth of what is traded.
const TRADED_FOR_EACH: u64 = 10;
/// A price above every limit of the purchases in the suite, at which they rest, and no further than trading goes on at.
const FAR: &str = "93";
/// What is written into the journal is slow, and done whoever waits.
const SLOW: &str = "PERFORM pg_sleep(0.6)";
/// The database hangs up before it is written.
const BROKEN: &str = "PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5)";

/// The simulator, with the prices that it is told.
pub(super) struct Simulated {
    connector: Option<Connector>,
    quotes: QuoteServer,
    account: AccountId,
    database: TestDatabase,
    simulation: &'static str,
    volume: u64,
    is_confused: bool,
    fault: Option<Fault>,
}

impl Simulated {
    /// The market is as deep as needed.
    pub(super) async fn ideal() -> Self {
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let connector = Connector::start(&database, &quotes).await;
        let account = connector.connect("USD").await;
        Self {
            connector: Some(connector),
            quotes,
            account,
            database,
            simulation: "ideal",
            volume: 0,
            is_confused: false,
            fault: None,
        }
    }

    /// It is shared with others.
    pub(super) async fn with_friction() -> Self {
        let venue = Self { simulation: "realistic", ..Self::ideal().await };
        let path = format!("/broker/accounts/{}/simulation", venue.account);
        let body = json!({ "simulation": venue.simulation }).to_string();
        assert_eq!(venue.connector().send("PUT", &path, Some(TOKEN), &body).await.status(), 200);
        venue
    }

    fn has_friction(&self) -> bool {
        self.simulation != "ideal"
    }

    /// Says a price; one who is confused says it three times, and an older one in between.
    fn say(&self, price: &str) {
        let said = Quote { volume: self.volume, ..quote("AAPL", price, price) };
        self.quotes.publish(said.clone());
        if self.is_confused {
            let older = Quote {
                volume: self.volume + 1_000,
                at: said.at - TimeDelta::seconds(1),
                ..quote("AAPL", "1", "1")
            };
            for repeated in [said.clone(), older, said] {
                self.quotes.publish(repeated);
            }
        }
    }

    async fn rows(&self, order: &OrderRequest, condition: &str) -> i64 {
        let rows = format!(
            "SELECT count(*) FROM broker.simulator_orders WHERE order_id = '{}' AND {condition}",
            order.order_id
        );
        self.database.count(&rows).await
    }

    /// Waits until an order stands in the queue at its limit.
    async fn rests(&self, order: &OrderRequest) {
        eventually("it is in the market", || async { self.rows(order, "active_at <= now()").await == 1 })
            .await;
        eventually("it rests", || async {
            self.say(FAR);
            self.rows(order, "queue_ahead IS NOT NULL").await == 1
        })
        .await;
    }

    /// Executes shares by a price beyond the limit, so that nobody stands before them.
    async fn share(&mut self, order: &OrderRequest, quantity: &str) {
        let path = format!("/broker/order/{}", order.order_id);
        let stands = self.connector().get(&path).await["order"].clone();
        let status: OrderStatus = serde_json::from_value(stands["status"].clone()).unwrap();
        let text = |field: &str| stands[field].as_str().unwrap().parse::<Decimal>().unwrap();
        let limit = text("limitPrice");
        let wanted: Decimal = quantity.parse().unwrap();
        if !status.is_terminal() {
            self.rests(order).await;
        }
        self.volume += TRADED_FOR_EACH * wanted.to_u64().unwrap();
        self.say(&(limit - Decimal::new(1, 2)).to_string());
        if !status.is_terminal() {
            let filled = (text("filledQuantity") + wanted).min(text("quantity"));
            let is_filled = format!("filled_quantity = {filled}");
            eventually("it is executed", || async { self.rows(order, &is_filled).await == 1 }).await;
        }
    }

    /// Lets something happen while a report is written, and gives what was said meanwhile.
    async fn during<T>(&self, happening: &str, saying: impl Future<Output = T>) -> T {
        let statement = format!(
            "CREATE FUNCTION broker.happen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {happening}; RETURN NEW; END $$;
             CREATE TRIGGER happens AFTER INSERT ON broker.execution_reports FOR EACH ROW EXECUTE FUNCTION broker.happen()"
        );
        self.database.execute(&statement).await;
        let said = saying.await;
        // Waits for what is being written.
        self.database.execute("DROP FUNCTION broker.happen() CASCADE").await;
        said
    }
}

#[async_trait]
impl Venue for Simulated {
    fn broker(&self) -> &'static str {
        "simulator"
    }

    fn name(&self) -> &'static str {
        if self.has_friction() { "the simulator with friction" } else { "the simulator" }
    }

    fn connector(&self) -> &Connector {
        self.connector.as_ref().expect("a connector that was not killed")
    }

    fn symbol(&self) -> &'static str {
        "AAPL"
    }

    fn price(&self, price: &str) -> String {
        price.to_owned()
    }

    fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        limit(self.account, "AAPL", Side::Buy, quantity, price)
    }

    /// In an ideal market what rests is executed by the next price, all of it.
    async fn execute(&mut self, order: &OrderRequest, quantity: &str, price: &str) {
        if self.connector.is_some() {
            eventually("the symbol is followed", || async { self.quotes.is_subscribed("AAPL") }).await;
        }
        if self.has_friction() {
            self.share(order, quantity).await;
        } else {
            self.say(price);
        }
    }

    fn executes_parts(&self) -> bool {
        self.has_friction()
    }

    fn executes_at_limit(&self) -> bool {
        true
    }

    fn trades_alone(&self) -> bool {
        // What is traded while nobody looks is nobody's; the ideal market needs no more than the next price.
        !self.has_friction()
    }

    fn simulation(&self) -> Option<&'static str> {
        Some(self.simulation)
    }

    async fn at_broker(&mut self, order: &OrderRequest) -> usize {
        let changes = format!(
            "SELECT count(*) FROM broker.simulator_replaces WHERE order_id = '{}' AND code IS NULL",
            order.order_id
        );
        let there = self.rows(order, "true").await + self.database.count(&changes).await;
        usize::try_from(there).unwrap()
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::BreaksBefore, Fault::BreaksAfter, Fault::HangsAfter]
    }

    fn loses_change(&self) -> Fault {
        Fault::HangsAfter
    }

    async fn will_fail(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    async fn place(&mut self, order: &OrderRequest) -> PlaceOutcome {
        let unheard = || PlaceOutcome::OutcomeUnknown { reason: "nobody waited for the answer".into() };
        let outcome = match self.fault.take() {
            None => return self.connector().place(order).await,
            Some(Fault::BreaksBefore) => self.during(BROKEN, self.connector().place(order)).await,
            Some(Fault::HangsAfter) => {
                let waiting = timeout(PATIENCE, self.connector().place(order));
                self.during(SLOW, waiting).await.unwrap_or_else(|_| unheard())
            }
            Some(Fault::BreaksAfter) => {
                let connector = self.connector.take().expect("a connector");
                let killed = async {
                    let heard = timeout(PATIENCE, connector.place(order)).await;
                    connector.kill();
                    heard
                };
                let heard = self.during(SLOW, killed).await;
                self.comes_back().await;
                heard.unwrap_or_else(|_| unheard())
            }
            Some(other) => panic!("the simulator does not fail so: {other:?}"),
        };
        self.connector().becomes_ready().await;
        outcome
    }

    async fn replace(&mut self, request: &ReplaceRequest) -> ReplaceOutcome {
        match self.fault.take() {
            None => self.connector().replace(request).await,
            Some(_) => {
                let heard = self.during(SLOW, timeout(PATIENCE, self.connector().replace(request))).await;
                let unheard =
                    |_| ReplaceOutcome::OutcomeUnknown { reason: "nobody waited for the answer".into() };
                heard.unwrap_or_else(unheard)
            }
        }
    }

    async fn confuses(&mut self) {
        self.is_confused = true;
    }

    async fn goes_away(&mut self) {
        self.connector.take().expect("a connector").kill();
    }

    async fn comes_back(&mut self) {
        self.connector = Some(Connector::start(&self.database, &self.quotes).await);
    }

    async fn is_out_of_reach(&mut self) {
        self.database.refuse_connections(true).await;
        eventually("it is noticed", || async { !self.connector().is_ready().await }).await;
    }

    async fn is_reached(&mut self) {
        self.database.refuse_connections(false).await;
        self.connector().becomes_ready().await;
    }

    async fn restart(&mut self) {
        self.goes_away().await;
        self.comes_back().await;
    }

    /// Of somebody else who speaks to the same connector.
    async fn take(&mut self, quantity: &str) -> String {
        let earlier = Utc::now() - TimeDelta::seconds(120);
        let order = OrderRequest { submitted_at: earlier, ..self.buy(quantity, "10") };
        number(self.connector().place(&order).await)
    }
}
