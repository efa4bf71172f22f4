//! The database goes away and comes back.

use crate::helpers::{PASSWORD, TestApp, TestUser, eventually};
use reqwest::Method;
use serde_json::json;

async fn profile_status(app: &TestApp, user: &TestUser) -> u16 {
    app.get("/api/users/profile", user).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_the_answer_is_try_again_and_with_it_all_is_well() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;

    app.cut_off_database(true).await;
    eventually("no readiness", || async { app.send(app.request(Method::GET, "/ready")).await.status == 503 })
        .await;
    app.send(app.request(Method::GET, "/health")).await.expect(200);
    let login = json!({ "email": "ant@example.com", "password": PASSWORD });
    for _ in 0..3 {
        let answer = app.post_anonymous("/api/auth/login", login.clone()).await.expect(503);
        assert_eq!(
            (answer.code().as_str(), answer.header("retry-after")),
            ("service_unavailable", Some("1"))
        );
        let register = json!({ "email": "bee@example.com", "password": PASSWORD });
        app.post_anonymous("/api/auth/register", register).await.expect(503);
    }
    assert_eq!(profile_status(&app, &user).await, 503);

    app.cut_off_database(false).await;
    eventually("readiness", || async { app.send(app.request(Method::GET, "/ready")).await.status == 200 })
        .await;
    assert_eq!(profile_status(&app, &user).await, 200);
    app.login("bee@example.com", PASSWORD).await.expect(401);
    app.logged_in("ant@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_are_replaced() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for _ in 0..5 {
        app.break_connections().await;
        let status = profile_status(&app, &user).await;
        assert!([200, 503].contains(&status), "{status}");
        eventually("the profile again", || async { profile_status(&app, &user).await == 200 }).await;
    }
}
