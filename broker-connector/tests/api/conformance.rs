//! What every broker must do, asked of each through the same addresses. What one cannot do it must say.

use crate::alpaca::World;
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::kiwoom;
use crate::quote_server::QuoteServer;
use crate::terms::other_terms;
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome};
use domain::{AccountId, Side};
use serde_json::{Value, json};

/// A broker, with the means to make something happen at it.
enum Venue {
    Simulator { connector: Connector, quotes: QuoteServer, account: AccountId, _database: TestDatabase },
    Alpaca(Box<World>),
    Kiwoom(Box<kiwoom::World>),
}

impl Venue {
    async fn all() -> [Self; 3] {
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let connector = Connector::start(&database, &quotes).await;
        let account = connector.connect("USD").await;
        let simulator = Self::Simulator { connector, quotes, account, _database: database };
        let kiwoom = Self::Kiwoom(Box::new(kiwoom::World::start().await));
        [simulator, Self::Alpaca(Box::new(World::start().await)), kiwoom]
    }

    fn connector(&self) -> &Connector {
        match self {
            Self::Simulator { connector, .. } => connector,
            Self::Alpaca(world) => &world.connector,
            Self::Kiwoom(world) => &world.connector,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Simulator { .. } => "simulator",
            Self::Alpaca(_) => "alpaca",
            Self::Kiwoom(_) => "kiwoom",
        }
    }

    /// What is traded there.
    fn symbol(&self) -> &'static str {
        if matches!(self, Self::Kiwoom(_)) { "005930.KS" } else { "AAPL" }
    }

    /// A price as it is usual there.
    fn price(&self, price: &str) -> String {
        if matches!(self, Self::Kiwoom(_)) { format!("{price}000") } else { price.to_owned() }
    }

    fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        let account = match self {
            Self::Simulator { account, .. } => *account,
            Self::Alpaca(world) => world.account,
            Self::Kiwoom(world) => return world.buy(quantity, &self.price(price)),
        };
        limit(account, self.symbol(), Side::Buy, quantity, price)
    }

    /// Lets an order be executed whole.
    async fn execute(&self, order: &OrderRequest, price: &str) {
        match self {
            Self::Simulator { quotes, .. } => {
                eventually("the symbol is followed", || async { quotes.is_subscribed("AAPL") }).await;
                quotes.say("AAPL", price, price);
            }
            Self::Alpaca(world) => world.fill(order, &order.quantity.to_string(), price),
            Self::Kiwoom(world) => world.fill(order, 3, self.price(price).parse().unwrap()),
        }
    }

    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&format!("{kinds:?}"), || async { self.connector().kinds(order).await == kinds }).await;
    }

    /// What the broker says of itself.
    async fn says(&self) -> Value {
        let brokers = self.connector().get("/broker/capabilities").await;
        let mut brokers = brokers["brokers"].as_array().unwrap().iter();
        brokers.find(|broker| broker["broker"] == self.name()).unwrap().clone()
    }

    async fn cancel(&self, order: &OrderRequest) -> Value {
        serde_json::to_value(self.connector().cancel(order.order_id).await).unwrap()
    }
}

fn number(outcome: PlaceOutcome) -> String {
    match outcome {
        PlaceOutcome::Accepted { broker_order_id } => broker_order_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_comes_twice_is_one_order() {
    for venue in Venue::all().await {
        let order = venue.buy("3", "90");
        let first = number(venue.connector().place(&order).await);
        let second = number(venue.connector().place(&order).await);
        assert_eq!(first, second);
        venue.tells(&order, &["accepted"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_told_once_and_a_sync_knows_it() {
    for venue in Venue::all().await {
        let order = venue.buy("3", "90");
        number(venue.connector().place(&order).await);
        venue.execute(&order, "90").await;
        venue.tells(&order, &["accepted", "fill"]).await;
        let sync = venue.connector().get(&format!("/broker/accounts/{}/sync", order.account_id)).await;
        assert_eq!(sync["positions"], json!([{ "symbol": venue.symbol(), "quantity": "3" }]));
        let positions =
            venue.connector().get(&format!("/broker/accounts/{}/positions", order.account_id)).await;
        assert_eq!(positions["positions"], sync["positions"]);
        let late = venue.cancel(&order).await;
        assert_eq!((&late["outcome"], &late["code"]), (&json!("rejected"), &json!("already_final")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_an_order_and_a_second_one_has_nothing_to_end() {
    for venue in Venue::all().await {
        let order = venue.buy("3", "90");
        number(venue.connector().place(&order).await);
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted");
        venue.tells(&order, &["accepted", "canceled"]).await;
        assert_eq!(venue.cancel(&order).await["code"], "already_final");
        assert_eq!(venue.cancel(&venue.buy("1", "90")).await["code"], "unknown_order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_are_told_once_and_come_too_late_after_the_end() {
    for venue in Venue::all().await {
        let order = venue.buy("3", "90");
        number(venue.connector().place(&order).await);
        let request = |quantity: &str| other_terms(&order, quantity, &venue.price("91"));
        let (quantity, price) = match venue {
            // Another number of shares is another order there.
            Venue::Kiwoom(_) => {
                let refused = serde_json::to_value(venue.connector().replace(&request("5")).await).unwrap();
                assert_eq!(
                    (&refused["outcome"], &refused["code"]),
                    (&json!("rejected"), &json!("unsupported"))
                );
                ("3", "91000")
            }
            _ => ("5", "91"),
        };
        assert_eq!(venue.says().await["replaceQuantity"], quantity == "5");
        let asked = request(quantity);
        assert_eq!(venue.connector().replace(&asked).await, ReplaceOutcome::Accepted);
        assert_eq!(
            venue.connector().replace(&asked).await,
            ReplaceOutcome::Accepted,
            "the same request again"
        );
        venue.tells(&order, &["accepted", "replaced"]).await;
        let status = venue.connector().get(&format!("/broker/order/{}", order.order_id)).await;
        assert_eq!(
            (&status["order"]["quantity"], &status["order"]["limitPrice"]),
            (&json!(quantity), &json!(price))
        );
        assert_eq!(venue.cancel(&order).await["outcome"], "accepted");
        venue.tells(&order, &["accepted", "replaced", "canceled"]).await;
        let late = serde_json::to_value(venue.connector().replace(&request("7")).await).unwrap();
        assert_eq!((&late["outcome"], &late["code"]), (&json!("rejected"), &json!("already_final")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sales_for_the_same_shares_stand_exactly_where_the_broker_says_so() {
    for venue in Venue::all().await {
        let bought = venue.buy("3", "90");
        number(venue.connector().place(&bought).await);
        venue.execute(&bought, "90").await;
        venue.tells(&bought, &["accepted", "fill"]).await;
        let sale = || OrderRequest { side: Side::Sell, ..venue.buy("3", "95") };
        number(venue.connector().place(&sale()).await);
        let second = venue.connector().place(&sale()).await;
        let stands = matches!(second, PlaceOutcome::Accepted { .. });
        assert_eq!(venue.says().await["sharedExits"], stands, "{}: {second:?}", venue.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_cannot_do_it_says() {
    for venue in Venue::all().await {
        let order = venue.buy("1", "90");
        let path = format!("/broker/accounts/{}/balance", order.account_id);
        let answer = venue.connector().send("GET", &path, Some(TOKEN), "").await;
        match venue {
            Venue::Simulator { .. } => {
                assert_eq!(answer.status(), 422);
                assert_eq!(answer.json::<Value>().await.unwrap()["code"], "unsupported");
            }
            Venue::Alpaca(ref world) => {
                assert_eq!(answer.json::<Value>().await.unwrap()["cash"], "100000");
                let until = OrderRequest {
                    time_in_force: domain::TimeInForce::Gtd,
                    expire_date: Some(chrono::Utc::now().date_naive()),
                    ..order
                };
                let outcome = world.connector.place(&until).await;
                assert!(
                    matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == "unsupported"),
                    "{outcome:?}"
                );
                world.tells(&until, &["rejected"]).await;
            }
            Venue::Kiwoom(ref world) => {
                assert_eq!(answer.json::<Value>().await.unwrap()["cash"], "10000000");
                let forever = OrderRequest { time_in_force: domain::TimeInForce::Gtc, ..order };
                let outcome = world.connector.place(&forever).await;
                assert!(
                    matches!(&outcome, PlaceOutcome::Rejected { code, .. } if code == "unsupported"),
                    "{outcome:?}"
                );
                assert_eq!(world.connector.kinds(&forever).await, ["rejected"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_beside_orders_is_listed_or_said_to_be_unsupported() {
    for venue in Venue::all().await {
        let account = venue.buy("1", "90").account_id;
        if let Venue::Alpaca(world) = &venue {
            world.stand_in.act(|market| market.move_cash("INT", "0.75".parse().unwrap()));
        }
        let path = format!("/broker/accounts/{account}/activities");
        let answer = venue.connector().send("GET", &path, Some(TOKEN), "").await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        let says = venue.says().await;
        if says["activities"] == true {
            assert_eq!(status, 200, "{body}");
            assert_eq!(body["activities"][0]["amount"], "0.75");
        } else {
            assert_eq!((status.as_u16(), &body["code"]), (422, &json!("unsupported")));
        }
        let sync = venue.connector().get(&format!("/broker/accounts/{account}/sync")).await;
        assert_eq!(sync["activityId"].is_null(), says["activities"] == false, "{sync}");
    }
}
