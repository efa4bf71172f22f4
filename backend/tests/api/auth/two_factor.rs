//! `POST /api/users/2fa/enable`, `confirm`, `disable`, and logging in with a code.

use crate::books::count;
use crate::helpers::{Answer, PASSWORD, TestApp, TestUser};
use chrono::Utc;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

/// Somebody's authenticator app. Its clock can be set, so that a test need not wait for the next code.
struct App(Totp);

impl App {
    fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code of this time step, or of one a number of steps away.
    fn code(&self, steps_away: i64) -> String {
        let seconds = Utc::now().timestamp() + 30 * steps_away;
        self.0.generate(u64::try_from(seconds).unwrap()).to_string()
    }
}

async fn login(app: &TestApp, code: Option<&str>) -> Answer {
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "totpCode": code });
    app.post_anonymous("/api/auth/login", body).await
}

async fn recover(app: &TestApp, code: &str) -> Answer {
    let body = json!({ "email": "ant@example.com", "password": PASSWORD, "recoveryCode": code });
    app.post_anonymous("/api/auth/login", body).await
}

/// A user with two-factor login, whose present code is not used yet.
async fn with_two_factor(app: &TestApp) -> (TestUser, App) {
    let (user, authenticator, _) = with_recovery_codes(app).await;
    (user, authenticator)
}

async fn with_recovery_codes(app: &TestApp) -> (TestUser, App, Vec<String>) {
    let user = app.register("ant@example.com").await;
    let enabled = app.post("/api/users/2fa/enable", &user, json!({})).await.expect(200).json();
    let authenticator = App::new(enabled["secret"].as_str().unwrap());
    let code = json!({ "code": authenticator.code(-1) });
    let confirmed = app.post("/api/users/2fa/confirm", &user, code).await.expect(200).json();
    (user, authenticator, codes_of(&confirmed))
}

fn codes_of(answer: &Value) -> Vec<String> {
    let codes = answer["recoveryCodes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

async fn codes_left(app: &TestApp, user: &TestUser) -> Value {
    app.get("/api/users/2fa/recovery-codes", user).await.expect(200).json()["recoveryCodesLeft"].clone()
}

/// The user of a successful login.
fn logged_in(user: &TestUser, login: &Value) -> TestUser {
    let text = |field: &str| login[field].as_str().unwrap().to_owned();
    TestUser {
        id: user.id.clone(),
        email: user.email.clone(),
        access_token: text("accessToken"),
        refresh_token: text("refreshToken"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_changes_nothing_until_it_is_confirmed() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let code = json!({ "code": "000000" });
    let answer = app.post("/api/users/2fa/confirm", &user, code.clone()).await.expect(409);
    assert_eq!(answer.code(), "totp_not_started");

    let enabled = app.post("/api/users/2fa/enable", &user, json!({})).await.expect(200).json();
    let uri = enabled["otpauthUri"].as_str().unwrap();
    assert!(
        uri.starts_with("otpauth://totp/Gaemi:") && uri.contains(enabled["secret"].as_str().unwrap()),
        "{uri}"
    );
    assert_eq!(app.post("/api/users/2fa/confirm", &user, code).await.expect(401).code(), "invalid_totp_code");
    login(&app, None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_ends_every_session_and_then_a_code_is_asked_for() {
    let app = TestApp::start().await;
    let (user, authenticator) = with_two_factor(&app).await;
    app.get("/api/users/profile", &user).await.expect(401);
    app.post_anonymous("/api/auth/refresh", json!({ "refreshToken": user.refresh_token })).await.expect(401);

    assert_eq!(login(&app, None).await.expect(401).code(), "totp_required");
    assert_eq!(login(&app, Some("000000")).await.expect(401).code(), "invalid_totp_code");
    let answer = login(&app, Some(&authenticator.code(0))).await.expect(200).json();
    assert_eq!(answer["user"]["totpEnabled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn being_asked_for_a_code_is_no_failure() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    for _ in 0..10 {
        login(&app, None).await.expect(401);
    }
    login(&app, Some(&authenticator.code(0))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_never_worth_anything_without_the_password() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    let body = json!({ "email": "ant@example.com", "password": "not this one at all", "totpCode": authenticator.code(0) });
    let answer = app.post_anonymous("/api/auth/login", body).await.expect(401);
    assert_eq!(answer.code(), "invalid_credentials");
    login(&app, Some(&authenticator.code(0))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_logins_at_once_with_one_code_one_succeeds() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    let code = authenticator.code(0);
    let answers = futures_util::future::join_all((0..20).map(|_| login(&app, Some(&code)))).await;
    let successes = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(successes, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| [200, 401, 429].contains(&answer.status.as_u16())), "{answers:?}");
    assert_ne!(login(&app, Some(&code)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_code_stays_used_after_a_restart() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    let code = authenticator.code(0);
    login(&app, Some(&code)).await.expect(200);
    let app = app.restart().await;
    assert_eq!(login(&app, Some(&code)).await.expect(401).code(), "invalid_totp_code");
    login(&app, Some(&authenticator.code(1))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_guessed_in_bulk() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    let right: Vec<_> = (-2..=2).map(|steps| authenticator.code(steps)).collect();
    let wrong: Vec<_> =
        (0..20).map(|number| format!("{number:06}")).filter(|code| !right.contains(code)).take(6).collect();
    for code in &wrong[..5] {
        login(&app, Some(code)).await.expect(401);
    }
    login(&app, Some(&wrong[5])).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_takes_password_and_code_and_ends_every_session() {
    let app = TestApp::start().await;
    let (mut user, authenticator) = with_two_factor(&app).await;
    // Asked of the app once: its clock goes on meanwhile.
    let (used, next) = (authenticator.code(0), authenticator.code(1));
    let answer = login(&app, Some(&used)).await.expect(200).json();
    user.access_token = answer["accessToken"].as_str().unwrap().to_owned();

    let again = app.post("/api/users/2fa/enable", &user, json!({})).await.expect(409);
    assert_eq!(again.code(), "totp_already_enabled");
    let disable = |password: &'static str, code: String| {
        app.post("/api/users/2fa/disable", &user, json!({ "password": password, "code": code }))
    };
    assert_eq!(disable("not this one at all", next.clone()).await.expect(401).code(), "invalid_credentials");
    assert_eq!(disable(PASSWORD, used).await.expect(401).code(), "invalid_totp_code", "used to log in");
    disable(PASSWORD, next).await.expect(204);
    app.get("/api/users/profile", &user).await.expect(401);
    login(&app, None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_moved_to_another_user_is_unreadable() {
    let app = TestApp::start().await;
    let (_, authenticator) = with_two_factor(&app).await;
    app.register("bee@example.com").await;
    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let steal = "UPDATE auth.users SET totp_enabled = true, totp_secret = (SELECT totp_secret FROM auth.users WHERE email = 'ant@example.com') WHERE email = 'bee@example.com'";
    connection.batch_execute(steal).await.unwrap();
    let body = json!({ "email": "bee@example.com", "password": PASSWORD, "totpCode": authenticator.code(0) });
    let answer = app.post_anonymous("/api/auth/login", body).await;
    assert_ne!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains("decrypt"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_ten_recovery_codes_logs_in_once_and_is_told() {
    let app = TestApp::start().await;
    let (user, _, codes) = with_recovery_codes(&app).await;
    assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
    let stored = "SELECT count(*) AS rows FROM auth.recovery_codes WHERE octet_length(code_hash) = 32";
    assert_eq!(count(&app.database_url, stored).await, 10);
    let mut user = user;
    for (used, code) in (1..).zip(&codes) {
        // As somebody may type it.
        let typed = code.replace('-', " ").to_lowercase();
        user = logged_in(&user, &recover(&app, &typed).await.expect(200).json());
        assert_eq!(codes_left(&app, &user).await, 10 - used);
        assert_eq!(recover(&app, code).await.expect(401).code(), "invalid_recovery_code");
    }
    let told = "SELECT count(*) AS rows FROM events.events WHERE kind = 'security' AND payload::text LIKE '%recovery_code_used%'";
    assert_eq!(count(&app.database_url, told).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_logins_at_once_with_one_recovery_code_one_succeeds() {
    let app = TestApp::start().await;
    let (_, _, codes) = with_recovery_codes(&app).await;
    let answers = futures_util::future::join_all((0..20).map(|_| recover(&app, &codes[0]))).await;
    let successes = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(successes, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| [200, 401, 429].contains(&answer.status.as_u16())), "{answers:?}");
    let app = app.restart().await;
    assert_ne!(recover(&app, &codes[0]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_takes_the_place_of_the_apps_code_alone() {
    let app = TestApp::start().await;
    let (_, authenticator, codes) = with_recovery_codes(&app).await;
    let body =
        json!({ "email": "ant@example.com", "password": "not this one at all", "recoveryCode": codes[0] });
    assert_eq!(app.post_anonymous("/api/auth/login", body).await.expect(401).code(), "invalid_credentials");
    let both = json!({
        "email": "ant@example.com", "password": PASSWORD, "recoveryCode": codes[0], "totpCode": authenticator.code(0),
    });
    let both = app.post_anonymous("/api/auth/login", both).await.expect(422);
    assert_eq!(both.complaint(), ("recoveryCode".to_owned(), "contradiction".to_owned()));
    assert_eq!(
        recover(&app, "0000").await.expect(422).complaint(),
        ("recoveryCode".to_owned(), "not_a_recovery_code".to_owned())
    );
    app.register("bee@example.com").await;
    let stranger = json!({ "email": "bee@example.com", "password": PASSWORD, "recoveryCode": codes[0] });
    app.post_anonymous("/api/auth/login", stranger).await.expect(200);
    recover(&app, &codes[0]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_are_replaced_by_password_and_app_and_end_with_two_factor_login() {
    let app = TestApp::start().await;
    let (user, authenticator, codes) = with_recovery_codes(&app).await;
    let user = logged_in(&user, &recover(&app, &codes[0]).await.expect(200).json());
    let replace = |password: &'static str, code: String| {
        app.post("/api/users/2fa/recovery-codes", &user, json!({ "password": password, "code": code }))
    };
    assert_eq!(
        replace("not this one at all", authenticator.code(0)).await.expect(401).code(),
        "invalid_credentials"
    );
    assert_eq!(replace(PASSWORD, "000000".to_owned()).await.expect(401).code(), "invalid_totp_code");
    replace(PASSWORD, codes[1].clone()).await.expect(422);
    assert_eq!(codes_left(&app, &user).await, 9);
    let new = codes_of(&replace(PASSWORD, authenticator.code(0)).await.expect(200).json());
    assert_eq!((new.len(), codes_left(&app, &user).await), (10, json!(10)));
    assert_eq!(recover(&app, &codes[2]).await.expect(401).code(), "invalid_recovery_code");
    let user = logged_in(&user, &recover(&app, &new[0]).await.expect(200).json());

    // Whoever has lost the app switches it off with the password and a code.
    let disable = |body: Value| app.post("/api/users/2fa/disable", &user, body);
    assert_eq!(disable(json!({ "password": PASSWORD })).await.expect(422).complaint().0, "code");
    let used = disable(json!({ "password": PASSWORD, "recoveryCode": new[0] })).await.expect(401);
    assert_eq!(used.code(), "invalid_recovery_code");
    disable(json!({ "password": PASSWORD, "recoveryCode": new[1] })).await.expect(204);
    login(&app, None).await.expect(200);
    assert_eq!(count(&app.database_url, "SELECT count(*) AS rows FROM auth.recovery_codes").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_takes_a_code_as_well() {
    let app = TestApp::start().await;
    let (user, authenticator, codes) = with_recovery_codes(&app).await;
    let code = authenticator.code(0);
    let signed_in = login(&app, Some(&code)).await.expect(200).json();
    let user = logged_in(&user, &signed_in);
    let change = async |more: Value| {
        let mut body = json!({ "currentPassword": PASSWORD, "newPassword": "amber ladder tuesday" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("/api/users/password", &user, body).await
    };
    assert_eq!(change(json!({})).await.expect(401).code(), "totp_required");
    let used = change(json!({ "code": code })).await.expect(401);
    assert_eq!(used.code(), "invalid_totp_code", "it has signed in already");
    app.get("/api/users/profile", &user).await.expect(200);
    change(json!({ "recoveryCode": codes[0] })).await.expect(200);
    app.get("/api/users/profile", &user).await.expect(401);
}
