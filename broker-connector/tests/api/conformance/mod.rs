//! What every broker must do, asked of each through the same addresses. What one cannot do it must say.
//!
//! Each step runs at every venue: the simulator as an ideal market and with friction, Alpaca, Kiwoom by its REST service and Kiwoom
//! through the bridge, the last three against servers that speak their wire formats. What a venue cannot be made to do (a part of
//! an order in an ideal market) its part of [`Venue`] says, and the step passes it over; what an adapter does not do it must refuse,
//! and that is a step.

mod faults;
mod lists;
mod orders;
mod simulated;
mod unsupported;
mod venues;

use crate::alpaca;
use crate::connector::{Connector, eventually};
use crate::kiwoom::{self, bridge};
use async_trait::async_trait;
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use kiwoom_stand_in::Fault;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulated::Simulated;

/// A broker behind the connector, with the means to make something happen at it.
#[async_trait]
trait Venue: Send + Sync {
    /// The broker's name in its capabilities.
    fn broker(&self) -> &'static str;

    /// What a failed step names it by.
    fn name(&self) -> &'static str {
        self.broker()
    }

    fn connector(&self) -> &Connector;

    /// What is traded there.
    fn symbol(&self) -> &'static str;

    /// A price as it is usual there.
    fn price(&self, price: &str) -> String;

    /// A purchase with a limit that rests.
    fn buy(&self, quantity: &str, price: &str) -> OrderRequest;

    /// Executes shares of an order: a part, where [`Self::executes_parts`], and all of it everywhere.
    async fn execute(&mut self, order: &OrderRequest, quantity: &str, price: &str);

    /// Whether a part of an order can be executed on wish.
    fn executes_parts(&self) -> bool {
        true
    }

    /// Whether what rests is executed at its own price, whatever the market's is.
    fn executes_at_limit(&self) -> bool {
        false
    }

    /// Whether anything is executed while the connector is down.
    fn trades_alone(&self) -> bool {
        true
    }

    /// What stands between orders and executions, where that can be set.
    fn simulation(&self) -> Option<&'static str> {
        None
    }

    /// How often an order and its changes are at the broker.
    async fn at_broker(&mut self, order: &OrderRequest) -> usize;

    /// What can go wrong with the sending of an order there.
    fn faults(&self) -> Vec<Fault>;

    /// What loses the answer to a change.
    fn loses_change(&self) -> Fault {
        Fault::BreaksAfter
    }

    /// Has it go wrong with the next message.
    async fn will_fail(&mut self, fault: Fault);

    /// Sends an order as the backend does, which does not wait for ever.
    async fn place(&mut self, order: &OrderRequest) -> PlaceOutcome {
        self.connector().place(order).await
    }

    /// The same with other terms.
    async fn replace(&mut self, request: &ReplaceRequest) -> ReplaceOutcome {
        self.connector().replace(request).await
    }

    /// From here on events come three times, and those that come together in the opposite order.
    async fn confuses(&mut self);

    /// Nobody can reach the broker until [`Self::comes_back`].
    async fn goes_away(&mut self);

    /// The way is open again.
    async fn comes_back(&mut self);

    /// The connector runs and cannot reach the broker until [`Self::is_reached`].
    async fn is_out_of_reach(&mut self) {
        self.goes_away().await;
    }

    /// It can again.
    async fn is_reached(&mut self) {
        self.comes_back().await;
    }

    /// Another connector in the place of one that is killed.
    async fn restart(&mut self);

    /// A purchase of somebody else's that rests, made some time ago, with the broker's number of it.
    async fn take(&mut self, quantity: &str) -> String;

    /// Lets the account have been opened some time before.
    async fn was_opened_earlier(&mut self) {}
}

impl dyn Venue {
    /// What the broker says of itself.
    async fn says(&self) -> Value {
        let brokers = self.connector().get("/broker/capabilities").await;
        let mut brokers = brokers["brokers"].as_array().unwrap().iter();
        brokers.find(|broker| broker["broker"] == self.broker()).unwrap().clone()
    }

    /// An order that the broker has.
    async fn placed(&self, quantity: &str, price: &str) -> OrderRequest {
        let order = self.buy(quantity, price);
        number(self.connector().place(&order).await);
        order
    }

    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        let what = format!("{}: {kinds:?}", self.name());
        eventually(&what, || async { self.connector().kinds(order).await == kinds }).await;
    }

    /// Waits until an order's journal ends with a kind of report.
    async fn ends(&self, order: &OrderRequest, kind: &str) {
        let what = format!("{}: it ends with {kind}", self.name());
        eventually(&what, || async {
            self.connector().kinds(order).await.last().is_some_and(|last| last == kind)
        })
        .await;
    }

    /// Waits until so many shares of an order are told as executed.
    async fn fills(&self, order: &OrderRequest, quantity: u32) {
        let what = format!("{}: {quantity} shares", self.name());
        eventually(&what, || async { self.executed(order).await.0 == Decimal::from(quantity) }).await;
    }

    /// Shares of an order that are told as executed, and what they cost without fees.
    async fn executed(&self, order: &OrderRequest) -> (Decimal, Decimal) {
        let reports = self.connector().reports(order).await;
        let fills = reports.iter().filter(|line| line["kind"] == "fill");
        fills.fold((Decimal::ZERO, Decimal::ZERO), |(quantity, worth), line| {
            let number = |field: &str| line[field].as_str().unwrap().parse::<Decimal>().unwrap();
            (quantity + number("quantity"), worth + number("quantity") * number("price"))
        })
    }

    async fn cancel(&self, order: &OrderRequest) -> Value {
        serde_json::to_value(self.connector().cancel(order.order_id).await).unwrap()
    }

    /// Asks for reports that are missing, as the backend does.
    async fn recover(&self, order: &OrderRequest, replacing: Value) -> Value {
        let path = format!("/broker/accounts/{}/recover", order.account_id);
        let body = json!({ "orders": [], "replacing": replacing }).to_string();
        let answer = self.connector().send("POST", &path, Some(crate::connector::TOKEN), &body).await;
        answer.json().await.unwrap()
    }

    fn worth(&self, quantity: u32, price: &str) -> Decimal {
        Decimal::from(quantity) * self.price(price).parse::<Decimal>().unwrap()
    }
}

/// All venues, each with an account that is open.
async fn venues() -> Vec<Box<dyn Venue>> {
    let (ideal, realistic, alpaca, kiwoom, bridge) = tokio::join!(
        Simulated::ideal(),
        Simulated::with_friction(),
        alpaca::World::start(),
        kiwoom::World::start(),
        bridge::World::unlimited()
    );
    vec![Box::new(ideal), Box::new(realistic), Box::new(alpaca), Box::new(kiwoom), Box::new(bridge)]
}

fn number(outcome: PlaceOutcome) -> String {
    match outcome {
        PlaceOutcome::Accepted { broker_order_id } => broker_order_id,
        other => panic!("{other:?}"),
    }
}
