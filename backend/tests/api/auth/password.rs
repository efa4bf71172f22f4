//! `POST /api/users/password`

use crate::helpers::{Answer, PASSWORD, TestApp, TestUser};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/users/password";
const NEW: &str = "amber ladder tuesday";

async fn change(app: &TestApp, user: &TestUser, current: &str, new: &str) -> Answer {
    app.post(PATH, user, json!({ "currentPassword": current, "newPassword": new })).await
}

async fn renew(app: &TestApp, token: &Value) -> Answer {
    app.post_anonymous("/api/auth/refresh", json!({ "refreshToken": token })).await
}

async fn is_out(app: &TestApp, user: &TestUser) -> bool {
    app.get("/api/users/profile", user).await.status == 401
        && renew(app, &json!(user.refresh_token)).await.status == 401
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_password_works_and_the_old_one_does_not() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    change(&app, &user, PASSWORD, NEW).await.expect(200);
    assert_eq!(app.login("ant@example.com", PASSWORD).await.expect(401).code(), "invalid_credentials");
    app.login("ant@example.com", NEW).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_of_before_ends_at_once_and_the_answer_holds_the_next() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let elsewhere = app.logged_in("ant@example.com").await;
    let stranger = app.register("bee@example.com").await;
    app.get("/api/users/profile", &elsewhere).await.expect(200);

    let answer = change(&app, &user, PASSWORD, NEW).await.expect(200).json();
    for session in [&user, &elsewhere] {
        assert!(is_out(&app, session).await, "a session of before lives on");
    }
    let next =
        app.request(Method::GET, "/api/users/profile").bearer_auth(answer["accessToken"].as_str().unwrap());
    let profile = app.send(next).await.expect(200).json();
    assert_eq!(profile, answer["user"]);
    renew(&app, &answer["refreshToken"]).await.expect(200);
    app.get("/api/users/profile", &stranger).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_present_password_changes_nothing_and_counts_as_a_guess() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for _ in 0..5 {
        let answer = change(&app, &user, "not this one at all", NEW).await.expect(401);
        assert_eq!(answer.code(), "invalid_credentials");
    }
    let answer = change(&app, &user, PASSWORD, NEW).await.expect(429);
    assert_eq!(answer.code(), "too_many_attempts");
    app.get("/api/users/profile", &user).await.expect(200);
    app.login("ant@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_registration_would_refuse_is_refused_and_no_guess() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let long = "violet ".repeat(19);
    for (new, rule) in [
        ("short", "too_short"),
        (long.as_str(), "too_long"),
        ("password", "too_common"),
        ("ant@example.com", "predictable"),
        (PASSWORD, "no_change"),
    ] {
        let answer = change(&app, &user, PASSWORD, new).await.expect(422);
        assert_eq!(answer.complaint(), ("newPassword".into(), rule.into()), "{new}");
    }
    change(&app, &user, PASSWORD, NEW).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_its_next_refresh_token_in_the_cookie() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW, "deliverRefreshToken": "cookie" });
    let answer = app.post(PATH, &user, body).await.expect(200);
    assert!(answer.json()["refreshToken"].is_null());
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("gaemi_refresh=") && cookie.contains("HttpOnly"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let (one, other) = tokio::join!(
        change(&app, &user, PASSWORD, NEW),
        change(&app, &user, PASSWORD, "cobalt river notebook"),
    );
    let succeeded = [&one, &other].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(succeeded, 1, "{} {}", one.text, other.text);
}
