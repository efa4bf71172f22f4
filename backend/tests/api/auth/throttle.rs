//! Guessing passwords becomes slow, and stays slow.

use crate::helpers::{PASSWORD, Setup, TestApp};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use reqwest::Method;
use serde_json::json;

const WRONG: &str = "not this one at all";

async fn retry_after(app: &TestApp, email: &str, password: &str) -> u64 {
    let answer = app.login(email, password).await.expect(429);
    assert_eq!(answer.code(), "too_many_attempts");
    answer.header("retry-after").unwrap().parse().unwrap()
}

async fn fail_five_times(app: &TestApp, email: &str) {
    for _ in 0..5 {
        app.login(email, WRONG).await.expect(401);
    }
}

/// Makes every attempt older, as if that much time had passed.
async fn let_time_pass(app: &TestApp, interval: &str) {
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let statement =
        format!("UPDATE auth.login_attempts SET attempted_at = attempted_at - interval '{interval}'");
    connection.batch_execute(&statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_even_the_right_password_waits_and_a_restart_does_not_help() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    fail_five_times(&app, "ant@example.com").await;
    assert!((1..=30).contains(&retry_after(&app, "ant@example.com", PASSWORD).await));
    let app = app.restart().await;
    assert!((1..=30).contains(&retry_after(&app, "ANT@example.com", PASSWORD).await));
    app.register("bee@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_grows_and_a_success_forgives() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    fail_five_times(&app, "ant@example.com").await;
    let_time_pass(&app, "31 seconds").await;
    app.login("ant@example.com", WRONG).await.expect(401);
    assert!((31..=60).contains(&retry_after(&app, "ant@example.com", WRONG).await));
    let_time_pass(&app, "61 seconds").await;
    app.login("ant@example.com", PASSWORD).await.expect(200);
    app.login("ant@example.com", WRONG).await.expect(401);
    app.login("ant@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_email_is_throttled_like_a_known_one() {
    let app = TestApp::start().await;
    fail_five_times(&app, "nobody@example.com").await;
    retry_after(&app, "nobody@example.com", WRONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_sent_at_once_are_counted_one_by_one() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let before = app.state.auth.password_checks();
    let answers = futures_util::future::join_all((0..40).map(|_| app.login("ant@example.com", WRONG))).await;
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(refused, 35, "{answers:?}");
    assert_eq!(app.state.auth.password_checks() - before, 5, "no more than five were judged");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_try_one_password_on_everybody() {
    let app = TestApp::start().await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    app.login("first@example.com", WRONG).await.expect(401);
    // The address's subject is the one that is not the email's: both have one attempt, so count up both.
    connection
        .batch_execute(
            "INSERT INTO auth.login_attempts (subject, attempted_at)
             SELECT subject, attempted_at FROM auth.login_attempts, generate_series(1, 99)",
        )
        .await
        .unwrap();
    retry_after(&app, "second@example.com", WRONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_pretend_to_be_another_address() {
    let app = TestApp::start().await;
    let login = |address: String| {
        let body = json!({ "email": "ant@example.com", "password": WRONG });
        app.send(app.request(Method::POST, "/api/auth/login").header("x-forwarded-for", address).json(&body))
    };
    for number in 0..5 {
        login(format!("198.51.100.{number}")).await.expect(401);
    }
    login("198.51.100.99".to_owned()).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_cookies_are_secure() {
    let app = TestApp::start_with(Setup { trust_proxy: true, ..Setup::default() }).await;
    app.register("ant@example.com").await;
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "deliverRefreshToken": "cookie" });
    let request =
        app.request(Method::POST, "/api/auth/login").header("x-forwarded-proto", "https").json(&body);
    let answer = app.send(request).await.expect(200);
    assert!(answer.header("set-cookie").unwrap().contains("Secure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_register_without_end_and_may_still_log_in() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let body = json!({ "email": "ant@example.com", "password": PASSWORD });
    // The registration before counts too, whatever became of it.
    app.post_anonymous("/api/auth/register", body.clone()).await.expect(409);
    connection
        .batch_execute(
            "INSERT INTO auth.login_attempts (subject, attempted_at)
             SELECT subject, max(attempted_at) FROM auth.login_attempts, generate_series(1, 100) AS time
             GROUP BY subject, time",
        )
        .await
        .unwrap();
    let body = json!({ "email": "bee@example.com", "password": PASSWORD });
    let refused = app.post_anonymous("/api/auth/register", body).await.expect(429);
    assert_eq!(refused.code(), "too_many_attempts");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    app.login("ant@example.com", PASSWORD).await.expect(200);
}
