//! `POST /api/auth/login`

use crate::helpers::{PASSWORD, TestApp};
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use reqwest::Method;
use serde_json::json;

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer_after_the_same_work() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;

    let before = app.state.auth.password_checks();
    let wrong = app.login("ant@example.com", "not this one at all").await.expect(401);
    let between = app.state.auth.password_checks();
    let unknown = app.login("nobody@example.com", "not this one at all").await.expect(401);
    let after = app.state.auth.password_checks();

    assert_eq!(wrong.code(), "invalid_credentials");
    assert_eq!(wrong.text, unknown.text);
    let names =
        |answer: &crate::helpers::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&wrong), names(&unknown));
    assert_eq!((between - before, after - between), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_email_is_compared_without_case_and_the_password_with_it() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    app.login("ANT@EXAMPLE.COM", PASSWORD).await.expect(200);
    app.login("ant@example.com", &PASSWORD.to_uppercase()).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_refresh_token_in_the_body() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let answer = app.login("ant@example.com", PASSWORD).await.expect(200);
    let login = answer.json();
    assert_eq!(login["expiresInSeconds"], 900);
    assert_eq!(login["refreshToken"].as_str().unwrap().len(), 64);
    assert_eq!(login["user"]["email"], "ant@example.com");
    assert!(answer.header("set-cookie").is_none());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_it_in_a_cookie_that_scripts_cannot_read() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "deliverRefreshToken": "cookie" });
    let answer = app.post_anonymous("/api/auth/login", body).await.expect(200);
    assert!(answer.json()["refreshToken"].is_null());
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("gaemi_refresh="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api/auth", "Max-Age=604800"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_opens_closed_routes() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    app.get("/api/users/profile", &user).await.expect(200);
    let shouted = app
        .request(Method::GET, "/api/users/profile")
        .header("authorization", format!("BEARER {}", user.access_token));
    app.send(shouted).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_nobody_can_renew_are_deleted_in_passing() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let other = app.logged_in("ant@example.com").await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let count = async |connection: &mut AsyncPgConnection| {
        let query = "SELECT count(*) AS count FROM auth.sessions";
        diesel::sql_query(query).get_result::<Count>(connection).await.unwrap().count
    };
    assert_eq!(count(&mut connection).await, 2);
    app.post_anonymous("/api/auth/logout", json!({ "refreshToken": other.refresh_token })).await.expect(204);
    connection
        .batch_execute(
            "UPDATE auth.sessions SET created_at = created_at - interval '8 days' WHERE revoked_at IS NOT NULL;
             UPDATE auth.refresh_tokens SET expires_at = now() - interval '1 day' WHERE session_id IN
                 (SELECT id FROM auth.sessions WHERE revoked_at IS NOT NULL)",
        )
        .await
        .unwrap();
    app.logged_in("ant@example.com").await;
    assert_eq!(count(&mut connection).await, 2, "the dead one has gone, the new one has come");
    app.get("/api/users/profile", &user).await.expect(200);
}
