//! How something is made to happen at each venue.

use super::Venue;
use crate::connector::Connector;
use crate::kiwoom::bridge;
use crate::{alpaca, kiwoom};
use async_trait::async_trait;
use domain::OrderId;
use domain::broker::OrderRequest;
use kiwoom_stand_in::{Fault, Kind, Manners, Order};

/// How long ago orders of others were made, in seconds.
const AGE_SECONDS: i64 = 120;
/// An account was opened so long before it was.
const OPENED_EARLIER: &str = "UPDATE broker.openings SET opened_at = opened_at - interval '10 minutes'";
/// Events three times and in the opposite order.
const CONFUSED: Manners = Manners { loses_all: false, triples: true, reverses: true };

/// Prices at Kiwoom are a thousand times those in America.
fn in_won(price: &str) -> String {
    format!("{price}000")
}

#[async_trait]
impl Venue for alpaca::World {
    fn broker(&self) -> &'static str {
        "alpaca"
    }

    fn connector(&self) -> &Connector {
        &self.connector
    }

    fn symbol(&self) -> &'static str {
        "AAPL"
    }

    fn price(&self, price: &str) -> String {
        price.to_owned()
    }

    fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        Self::buy(self, quantity, price)
    }

    async fn execute(&mut self, order: &OrderRequest, quantity: &str, price: &str) {
        self.fill(order, quantity, price);
    }

    async fn at_broker(&mut self, order: &OrderRequest) -> usize {
        self.stand_in.act(|market| market.named(&order.order_id.to_string()).len())
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::BreaksBefore, Fault::BreaksAfter, Fault::FailsBefore, Fault::FailsAfter, Fault::Garbled]
    }

    async fn will_fail(&mut self, fault: Fault) {
        self.stand_in.will_fail(&[fault]);
    }

    async fn confuses(&mut self) {
        self.stand_in.set_manners(CONFUSED);
    }

    async fn goes_away(&mut self) {
        self.stand_in.hang_up();
        self.becomes("down").await;
    }

    async fn comes_back(&mut self) {
        self.stand_in.come_back().await.unwrap();
    }

    async fn restart(&mut self) {
        Self::restart(self).await;
    }

    async fn take(&mut self, quantity: &str) -> String {
        let (quantity, price) = (quantity.parse().unwrap(), "10".parse().unwrap());
        self.stand_in.act(|market| {
            // Its id has the form of ours and is nobody's here.
            let number = market.take(&OrderId::generate().to_string(), "AAPL", quantity, price);
            market.age(&number, AGE_SECONDS);
            number
        })
    }

    async fn was_opened_earlier(&mut self) {
        self.database.execute(OPENED_EARLIER).await;
    }
}

#[async_trait]
impl Venue for kiwoom::World {
    fn broker(&self) -> &'static str {
        "kiwoom"
    }

    fn connector(&self) -> &Connector {
        &self.connector
    }

    fn symbol(&self) -> &'static str {
        "005930.KS"
    }

    fn price(&self, price: &str) -> String {
        in_won(price)
    }

    fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        Self::buy(self, quantity, &in_won(price))
    }

    async fn execute(&mut self, order: &OrderRequest, quantity: &str, price: &str) {
        let size = order.quantity.to_string().parse().unwrap();
        self.stand_in.act(|market| {
            let works = |order: &Order| order.works();
            // What is left of an order that was executed in part is another size after a change.
            let own = market.of_size(size).into_iter().rfind(works);
            let changed = |order: &&Order| order.works() && order.kind == Kind::Change;
            let found = own.or_else(|| market.orders().iter().rfind(changed).cloned());
            if let Some(order) = found {
                market.fill(&order.number, quantity.parse().unwrap(), in_won(price).parse().unwrap());
            }
        });
    }

    async fn at_broker(&mut self, order: &OrderRequest) -> usize {
        self.at_kiwoom(order).len()
    }

    fn faults(&self) -> Vec<Fault> {
        vec![
            Fault::BreaksBefore,
            Fault::BreaksAfter,
            Fault::FailsBefore,
            Fault::FailsAfter,
            Fault::Garbled,
            Fault::Limited(1),
            // Seen at Kiwoom: it says that it was asked too often, and has taken the order.
            Fault::LimitedAfter(1),
        ]
    }

    async fn will_fail(&mut self, fault: Fault) {
        self.stand_in.will_fail(&[fault]);
    }

    async fn confuses(&mut self) {
        self.stand_in.set_manners(CONFUSED);
    }

    async fn goes_away(&mut self) {
        self.stand_in.hang_up();
        self.becomes("down").await;
    }

    async fn comes_back(&mut self) {
        self.stand_in.come_back().await.unwrap();
    }

    async fn restart(&mut self) {
        Self::restart(self).await;
    }

    async fn take(&mut self, quantity: &str) -> String {
        let quantity = quantity.parse().unwrap();
        self.stand_in.act(|market| {
            let number = market.take("247540", quantity, 10_000);
            market.age(&number, AGE_SECONDS);
            number
        })
    }

    async fn was_opened_earlier(&mut self) {
        self.database.execute(OPENED_EARLIER).await;
    }
}

#[async_trait]
impl Venue for bridge::World {
    fn broker(&self) -> &'static str {
        "kiwoom"
    }

    fn name(&self) -> &'static str {
        "the bridge"
    }

    fn connector(&self) -> &Connector {
        &self.connector
    }

    fn symbol(&self) -> &'static str {
        "005930.KS"
    }

    fn price(&self, price: &str) -> String {
        in_won(price)
    }

    fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        Self::buy(self, quantity, &in_won(price))
    }

    async fn execute(&mut self, order: &OrderRequest, quantity: &str, price: &str) {
        // Orders are told from each other by how many shares they are for.
        self.bridge.say(&format!("fill #{} {quantity} {}", order.quantity, in_won(price)));
    }

    async fn at_broker(&mut self, order: &OrderRequest) -> usize {
        self.bridge.say(&format!("count {}", order.quantity)).parse().unwrap()
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::BreaksBefore, Fault::BreaksAfter, Fault::FailsBefore, Fault::FailsAfter]
    }

    async fn will_fail(&mut self, fault: Fault) {
        let word = match fault {
            Fault::BreaksBefore => "break",
            Fault::BreaksAfter => "cut",
            Fault::FailsBefore => "lose",
            Fault::FailsAfter => "mute",
            other => panic!("the control does not fail so: {other:?}"),
        };
        self.becomes("connected").await;
        self.bridge.say(word);
    }

    async fn confuses(&mut self) {
        self.bridge.say("echo");
    }

    async fn goes_away(&mut self) {
        self.bridge.say("away");
        self.becomes("down").await;
    }

    async fn comes_back(&mut self) {
        self.bridge.say("back");
    }

    async fn restart(&mut self) {
        Self::restart(self).await;
    }

    async fn take(&mut self, quantity: &str) -> String {
        let number = self.bridge.say(&format!("take 247540 {quantity} 10000"));
        self.bridge.say(&format!("age {number} {AGE_SECONDS}"));
        number
    }

    async fn was_opened_earlier(&mut self) {
        self.database.execute(OPENED_EARLIER).await;
    }
}
