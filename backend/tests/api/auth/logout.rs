//! `POST /api/auth/logout`

use crate::helpers::{PASSWORD, TestApp};
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/api/auth/logout";

#[tokio::test(flavor = "multi_thread")]
async fn without_any_token_there_is_nothing_to_end() {
    let app = TestApp::start().await;
    assert_eq!(app.post_anonymous(PATH, json!({})).await.expect(401).code(), "missing_token");
    let unknown = json!({ "refreshToken": "0".repeat(64) });
    app.post_anonymous(PATH, unknown).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_its_own_session_at_once() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let other_login = app.logged_in("ant@example.com").await;
    app.get("/api/users/profile", &user).await.expect(200);

    app.post(PATH, &user, json!({})).await.expect(204);
    assert_eq!(app.get("/api/users/profile", &user).await.expect(401).code(), "invalid_token");
    app.post_anonymous("/api/auth/refresh", json!({ "refreshToken": user.refresh_token })).await.expect(401);
    app.get("/api/users/profile", &other_login).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_alone_ends_its_session() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    app.post_anonymous(PATH, json!({ "refreshToken": user.refresh_token })).await.expect(204);
    app.get("/api/users/profile", &user).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_loses_its_cookie() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "deliverRefreshToken": "cookie" });
    let login = app.post_anonymous("/api/auth/login", body).await.expect(200);
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let answer = app.send(app.request(Method::POST, PATH).header("cookie", &cookie)).await.expect(204);
    let gone = answer.header("set-cookie").unwrap();
    assert!(
        gone.starts_with("gaemi_refresh=;") && gone.contains("Max-Age=0") && gone.contains("Path=/api/auth"),
        "{gone}"
    );
    app.send(app.request(Method::POST, "/api/auth/refresh").header("cookie", &cookie)).await.expect(401);
}
