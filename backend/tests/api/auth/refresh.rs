//! `POST /api/auth/refresh`

use crate::helpers::{PASSWORD, TestApp, TestUser, eventually};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use reqwest::Method;
use serde_json::json;

async fn refresh(app: &TestApp, token: &str) -> crate::helpers::Answer {
    app.post_anonymous("/api/auth/refresh", json!({ "refreshToken": token })).await
}

async fn is_out(app: &TestApp, user: &TestUser) -> bool {
    app.get("/api/users/profile", user).await.status == 401
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_an_unknown_one_are_refused() {
    let app = TestApp::start().await;
    for body in [
        json!({}),
        json!({ "refreshToken": null }),
        json!({ "refreshToken": "" }),
        json!({ "refreshToken": "0".repeat(64) }),
    ] {
        let answer = app.post_anonymous("/api/auth/refresh", body).await.expect(401);
        assert_eq!(answer.code(), "invalid_refresh_token");
    }
    app.send(app.request(Method::POST, "/api/auth/refresh")).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_comes_twice_ends_the_whole_login() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let other_login = app.logged_in("ant@example.com").await;

    let renewed = refresh(&app, &user.refresh_token).await.expect(200).json();
    let next = renewed["refreshToken"].as_str().unwrap();
    assert_eq!(refresh(&app, &user.refresh_token).await.expect(401).code(), "refresh_token_reused");

    assert_eq!(refresh(&app, next).await.expect(401).code(), "invalid_refresh_token", "the heir is gone too");
    eventually("the access token stops working", || is_out(&app, &user)).await;
    assert!(!is_out(&app, &other_login).await, "another login of the same user goes on");
    refresh(&app, &other_login.refresh_token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_uses_at_once_one_succeeds_at_most() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let answers = futures_util::future::join_all((0..20).map(|_| refresh(&app, &user.refresh_token))).await;
    let successes: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(successes.len(), 1);
    assert!(answers.iter().all(|answer| [200, 401].contains(&answer.status.as_u16())), "{answers:?}");
    let heir = successes[0].json()["refreshToken"].as_str().unwrap().to_owned();
    refresh(&app, &heir).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_renewals_holds() {
    let app = TestApp::start().await;
    let mut user = app.register("ant@example.com").await;
    for _ in 0..5 {
        let renewed = refresh(&app, &user.refresh_token).await.expect(200).json();
        user.access_token = renewed["accessToken"].as_str().unwrap().to_owned();
        user.refresh_token = renewed["refreshToken"].as_str().unwrap().to_owned();
        assert!(!is_out(&app, &user).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    connection.batch_execute("UPDATE auth.refresh_tokens SET expires_at = now()").await.unwrap();
    assert_eq!(refresh(&app, &user.refresh_token).await.expect(401).code(), "invalid_refresh_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_stored_in_a_form_that_logs_in() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let query = format!(
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM auth.refresh_tokens WHERE encode(token_hash, 'hex') = '{}'); END $$",
        user.refresh_token
    );
    connection.batch_execute(&query).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_renews_by_cookie_without_a_body() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "deliverRefreshToken": "cookie" });
    let login = app.post_anonymous("/api/auth/login", body).await.expect(200);
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();

    let renewed =
        app.send(app.request(Method::POST, "/api/auth/refresh").header("cookie", &cookie)).await.expect(200);
    assert!(renewed.json()["refreshToken"].is_null(), "it comes back the way it came");
    let next = renewed.header("set-cookie").unwrap().split(';').next().unwrap();
    assert_ne!(next, cookie);
    let replayed =
        app.send(app.request(Method::POST, "/api/auth/refresh").header("cookie", &cookie)).await.expect(401);
    assert_eq!(replayed.code(), "refresh_token_reused");
}
