//! How far play is like the market, set by account.

use crate::books::assert_books_balance;
use crate::trader::Trader;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_begins_with_an_ideal_market_and_keeps_what_is_set() {
    let trader = Trader::with("USD", "100000").await;
    let path = format!("/api/accounts/{}/simulation", trader.account);
    let show = async |trader: &Trader| trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(show(&trader).await, json!({ "simulation": "ideal" }));

    let stranger = trader.app.register("bee@example.com").await;
    trader.app.get(&path, &stranger).await.expect(404);
    trader.app.put(&path, &stranger, json!({ "simulation": "harsh" })).await.expect(404);
    for wrong in [json!({ "simulation": "perfect" }), json!({}), json!({ "simulation": "harsh", "seed": 1 })]
    {
        trader.app.put(&path, &trader.user, wrong).await.expect(422);
    }
    assert_eq!(show(&trader).await, json!({ "simulation": "ideal" }));

    trader.app.put(&path, &trader.user, json!({ "simulation": "harsh" })).await.expect(200);
    assert_eq!(show(&trader).await, json!({ "simulation": "harsh" }));
    let trader = Trader { app: trader.app.restart().await, ..trader };
    assert_eq!(show(&trader).await, json!({ "simulation": "harsh" }), "after a restart");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_executed_in_parts_is_in_the_books_and_at_the_broker_alike() {
    let trader = Trader::with("USD", "1000000").await;
    let path = format!("/api/accounts/{}/simulation", trader.account);
    trader.app.put(&path, &trader.user, json!({ "simulation": "realistic" })).await.expect(200);
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "40", None).await.expect(201).json();
    let order = trader.until(order["id"].as_str().unwrap(), "FILLED").await;
    assert_eq!(order["filledQuantity"], "40");
    trader.assert_in_order().await;
}
