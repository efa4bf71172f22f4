//! Nobody gets past the gate without a valid access token.

use crate::helpers::{JWT_SECRET, TestApp};
use backend::routes::{self, PUBLIC};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Every closed route: method, and an address with ids in it.
fn closed_routes() -> Vec<(Method, String)> {
    let description: Value = serde_json::from_str(&routes::describe().to_json().unwrap()).unwrap();
    let mut closed = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|name| name.to_uppercase()) {
            let is_method = ["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&method.as_str());
            if is_method && path.starts_with("/api/") && !PUBLIC.contains(&(method.as_str(), path.as_str())) {
                let address = path.split('/').map(|part| match part {
                    "{symbol}" => "AAPL".to_owned(),
                    part if part.starts_with('{') => Uuid::now_v7().to_string(),
                    part => part.to_owned(),
                });
                closed.push((method.parse().unwrap(), address.collect::<Vec<_>>().join("/")));
            }
        }
    }
    assert!(closed.len() >= 5, "{closed:?}");
    closed
}

fn token(claims: Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

fn claims(user: &str, session: &str, expires: i64) -> Value {
    json!({ "sub": user, "sid": session, "iat": 0, "exp": expires, "iss": "gaemi", "aud": "gaemi-api" })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_closed_route_refuses_strangers() {
    let app = TestApp::start().await;
    for (method, path) in closed_routes() {
        let request = app.request(method.clone(), &path).json(&json!({}));
        let answer = app.send(request).await.expect(401);
        assert_eq!(answer.code(), "missing_token", "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_closed_route_refuses_bad_tokens() {
    let app = TestApp::start().await;
    let (user, session) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let later = chrono::Utc::now().timestamp() + 600;
    let headers = [
        ("Basic YW50OmFudA==".to_owned(), "invalid_token"),
        ("Bearer".to_owned(), "invalid_token"),
        ("Bearer nonsense".to_owned(), "invalid_token"),
        (
            format!("Bearer {}", token(claims(&user, &session, later), "another secret, also long enough")),
            "invalid_token",
        ),
        (format!("Bearer {}", token(claims(&user, &session, later), JWT_SECRET)), "invalid_token"),
        (format!("Bearer {}", token(claims(&user, &session, 1), JWT_SECRET)), "expired_token"),
        (format!("Bearer {}", "x".repeat(7000)), "invalid_token"),
    ];
    for (method, path) in closed_routes() {
        for (header, code) in &headers {
            let request = app.request(method.clone(), &path).header("authorization", header).json(&json!({}));
            assert_eq!(app.send(request).await.expect(401).code(), *code, "{method} {path} {header}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_one_user_does_not_serve_another() {
    let app = TestApp::start().await;
    let (ant, bee) = (app.register("ant@example.com").await, app.register("bee@example.com").await);
    let said = jsonwebtoken::dangerous::insecure_decode::<Value>(&ant.access_token).unwrap().claims;
    let session_of_ant = said["sid"].as_str().unwrap();
    let forged = token(claims(&bee.id, session_of_ant, chrono::Utc::now().timestamp() + 600), JWT_SECRET);
    let request = app.request(Method::GET, "/api/users/profile").bearer_auth(forged);
    assert_eq!(app.send(request).await.expect(401).code(), "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_in_disguise_is_no_way_around() {
    let app = TestApp::start().await;
    for path in [
        "/%61pi/users/profile",
        "/api/%75sers/profile",
        "/api/users%2fprofile",
        "/api//users/profile",
        "/api/users/profile/",
        "/API/users/profile",
        "/api/./users/profile",
    ] {
        let answer = app.send(app.request(Method::GET, path)).await;
        assert!(!answer.text.contains("email"), "{path}: {}", answer.text);
        assert!(answer.status.is_client_error() || !answer.text.contains("createdAt"), "{path}");
    }
}
