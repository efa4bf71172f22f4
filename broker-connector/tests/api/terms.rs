//! Requests for other terms of an order, and what is asked about orders and said of them.

use crate::connector::{Connector, TOKEN};
use domain::ReplaceId;
use domain::broker::{OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, Unsent};
use reqwest::Response;
use serde_json::{Value, json};

/// The order as it is, under a new request.
pub(crate) fn unchanged(order: &OrderRequest) -> ReplaceRequest {
    ReplaceRequest {
        replace_id: ReplaceId::generate(),
        order_id: order.order_id,
        quantity: order.quantity,
        limit_price: order.limit_price,
        stop_price: order.stop_price,
        trail_amount: order.trail_amount,
        trail_percent: order.trail_percent,
        protection_price: order.protection_price,
    }
}

/// Another number of shares, and another limit.
pub(crate) fn other_terms(order: &OrderRequest, quantity: &str, price: &str) -> ReplaceRequest {
    let limit_price = Some(price.parse().unwrap());
    ReplaceRequest { quantity: quantity.parse().unwrap(), limit_price, ..unchanged(order) }
}

/// The word for how sending an order ended.
pub(crate) fn word(outcome: &PlaceOutcome) -> &'static str {
    match outcome {
        PlaceOutcome::Accepted { .. } => "accepted",
        PlaceOutcome::Rejected { .. } => "rejected",
        PlaceOutcome::Unsent(Unsent::NotSent { .. }) => "not_sent",
        PlaceOutcome::Unsent(Unsent::RateLimited { .. }) => "limited",
        PlaceOutcome::Unsent(Unsent::AuthExpired { .. }) => "locked",
        PlaceOutcome::OutcomeUnknown { .. } => "unknown",
    }
}

/// Status and code of an answer.
pub(crate) async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

impl Connector {
    /// Asks for other terms.
    pub(crate) async fn replace(&self, request: &ReplaceRequest) -> ReplaceOutcome {
        let body = serde_json::to_string(&[request]).unwrap();
        let answer = self.send("POST", "/broker/replaces", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Vec<ReplaceOutcome>>().await.unwrap().remove(0)
    }

    /// Asks what became of orders.
    pub(crate) async fn inquire(&self, orders: &[&OrderRequest]) -> Vec<String> {
        let body = json!({ "orders": orders }).to_string();
        let answer = self.send("POST", "/broker/inquiries", Some(TOKEN), &body).await;
        let findings: Vec<Value> = answer.json().await.unwrap();
        findings.iter().map(|finding| finding["finding"].as_str().unwrap().to_owned()).collect()
    }
}
