//! `POST /api/auth/register`

use crate::helpers::{PASSWORD, Setup, TestApp};
use backend::settings::Admission;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/api/auth/register";
const REGISTRATION: &str = "/api/auth/registration";

#[derive(diesel::QueryableByName)]
struct StoredUser {
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Text)]
    password_hash: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unacceptable_password_is_refused_by_name() {
    let app = TestApp::start().await;
    for (password, rule) in [
        ("short", "too_short"),
        ("", "too_short"),
        (&*"x y ".repeat(40), "too_long"),
        ("password123", "too_common"),
        ("P@ssw0rd", "too_common"),
        ("this is busy.ant talking", "predictable"),
        ("gaemi gaemi gaemi!", "predictable"),
        ("busy.ant@example.com", "predictable"),
        ("example.com 2026", "predictable"),
        ("example99", "predictable"),
        ("20261121", "predictable"),
    ] {
        let body = json!({ "email": "busy.ant@example.com", "password": password });
        let answer = app.post_anonymous(PATH, body).await.expect(422);
        assert_eq!(answer.complaint(), ("password".into(), rule.into()), "{password}");
    }
    app.login("busy.ant@example.com", "password123").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_belongs_to_one_user_in_any_case() {
    let app = TestApp::start().await;
    app.register("ant@example.com").await;
    let body = json!({ "email": "ANT@Example.com", "password": PASSWORD });
    assert_eq!(app.post_anonymous(PATH, body).await.expect(409).code(), "email_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_registrations_at_once_make_one_user() {
    let app = TestApp::start().await;
    let body = json!({ "email": "ant@example.com", "password": PASSWORD });
    let answers =
        futures_util::future::join_all((0..20).map(|_| app.post_anonymous(PATH, body.clone()))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    assert!(answers.iter().all(|answer| [201, 409, 503].contains(&answer.status.as_u16())), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_is_told_who_they_are_and_never_their_password() {
    let app = TestApp::start().await;
    let body = json!({ "email": "Ant@example.com", "password": PASSWORD, "displayName": " 개미 ", "language": "ko" });
    let answer = app.post_anonymous(PATH, body).await.expect(201);
    let user = &answer.json()["user"];
    assert_eq!(user["email"], "Ant@example.com");
    assert_eq!(user["displayName"], "개미");
    assert_eq!(user["language"], "ko");
    assert_eq!(user["totpEnabled"], false);
    assert!(user["id"].is_string() && user["createdAt"].as_str().unwrap().ends_with('Z'), "{user}");
    assert!(!answer.text.contains(PASSWORD) && !answer.text.contains("argon2"));

    let mut connection = AsyncPgConnection::establish(&app.database_url).await.unwrap();
    let query = "SELECT count(*) AS count, max(password_hash) AS password_hash FROM auth.users";
    let stored: StoredUser = diesel::sql_query(query).get_result(&mut connection).await.unwrap();
    assert_eq!(stored.count, 1);
    assert!(stored.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_field_is_told_at_once_and_in_words_of_the_api() {
    let app = TestApp::start().await;
    let told = |answer: &crate::helpers::Answer| {
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        let pair =
            |error: &serde_json::Value| format!("{} {}", error["field"], error["rule"]).replace('"', "");
        let mut pairs: Vec<_> = errors.iter().map(pair).collect();
        pairs.sort();
        pairs
    };
    let empty = app.post_anonymous(PATH, json!({})).await.expect(422);
    assert_eq!(told(&empty), ["email required", "password required"]);
    let body = json!({ "email": "x", "displayName": "n".repeat(65), "language": "fr", "admin": true });
    let wrong = app.post_anonymous(PATH, body).await.expect(422);
    let expected = [
        "admin unknown_field",
        "displayName too_long",
        "email not_an_email",
        "language unknown_value",
        "password required",
    ];
    assert_eq!(told(&wrong), expected);
    for body in [json!(null), json!([]), json!(7)] {
        let answer = app.post_anonymous(PATH, body).await.expect(422);
        assert_eq!(told(&answer), ["body wrong_type"]);
        assert!(!answer.text.contains("struct") && !answer.text.contains("Request"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_one_person_takes_the_first_of_many_who_come_at_once_and_nobody_after() {
    let setup = Setup { admission: Admission::First, ..Setup::default() };
    let app = TestApp::start_with(setup).await;
    let is_open =
        async || app.send(app.request(Method::GET, REGISTRATION)).await.expect(200).json()["isOpen"].clone();
    assert_eq!(is_open().await, true);

    let register = |number: u32| {
        let body = json!({ "email": format!("person{number}@example.com"), "password": PASSWORD });
        app.post_anonymous(PATH, body)
    };
    let answers = futures_util::future::join_all((0..8).map(register)).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "registration_closed"));
    }
    assert_eq!(is_open().await, false);
}
