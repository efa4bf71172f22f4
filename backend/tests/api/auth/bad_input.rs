//! Whatever is sent to this module's addresses, the answer is a problem of the 4xx kind, and the server lives.

use crate::helpers::{TestApp, TestUser};
use reqwest::Method;
use serde_json::{Value, json};

const ROUTES: &[(&str, &str, &[&str])] = &[
    ("POST", "/api/auth/register", &["email", "password", "displayName", "language"]),
    ("POST", "/api/auth/login", &["email", "password", "totpCode", "deliverRefreshToken"]),
    ("POST", "/api/auth/refresh", &["refreshToken"]),
    ("PUT", "/api/users/profile", &["displayName", "language"]),
    ("POST", "/api/users/password", &["currentPassword", "newPassword", "code", "deliverRefreshToken"]),
    ("POST", "/api/users/2fa/enable", &[]),
    ("POST", "/api/users/2fa/confirm", &["code"]),
    ("POST", "/api/users/2fa/disable", &["password", "code"]),
    ("POST", "/api/users/2fa/recovery-codes", &["password", "code"]),
];

/// What a valid request to that address looks like.
fn valid(path: &str) -> Value {
    match path {
        "/api/auth/register" => json!({ "email": "new@example.com", "password": "violet kettle orbit" }),
        "/api/auth/login" => json!({ "email": "ant@example.com", "password": "violet kettle orbit" }),
        // Not the right one: what is tried here must not end the session it is tried with.
        "/api/users/password" => {
            json!({ "currentPassword": "wrong from the start", "newPassword": "amber ladder tuesday" })
        }
        "/api/users/2fa/confirm" => json!({ "code": "123456" }),
        "/api/users/2fa/disable" | "/api/users/2fa/recovery-codes" => {
            json!({ "password": "violet kettle orbit", "code": "123456" })
        }
        _ => json!({}),
    }
}

async fn send(
    app: &TestApp,
    user: &TestUser,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> crate::helpers::Answer {
    let method: Method = method.parse().unwrap();
    let request = app.request(method, path).bearer_auth(&user.access_token);
    app.send(request.header("content-type", "application/json").body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let deep = "[".repeat(50_000);
    let deep_field = format!(r#"{{"email":{deep}"#);
    for (method, path, _) in ROUTES {
        for body in [
            "{",
            "}",
            "nonsense",
            "[1,2",
            "\u{feff}{}",
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\u{1}\"}",
            "{}{}",
            &deep,
            &deep_field,
        ] {
            let answer = send(&app, &user, method, path, body.as_bytes().to_vec()).await;
            let code = answer.code();
            assert!(
                ["malformed_json", "validation_failed"].contains(&code.as_str()),
                "{path} {:.40}: {code}",
                body
            );
            assert!(answer.status.is_client_error(), "{path} {:.40}", body);
        }
        for body in ["null", "1", "\"text\"", "[]", "[{}]", "true"] {
            let answer = send(&app, &user, method, path, body.into()).await.expect(422);
            assert_eq!(answer.code(), "validation_failed", "{path} {body}");
        }
        let answer = send(&app, &user, method, path, vec![b'"', 0xff, 0xfe, b'"']).await;
        assert!(answer.status.is_client_error(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_doubled_fields_are_named() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for (method, path, fields) in ROUTES {
        let mut body = valid(path);
        body["isAdmin"] = json!(true);
        let answer = send(&app, &user, method, path, body.to_string().into()).await.expect(422);
        assert_eq!(answer.complaint(), ("isAdmin".into(), "unknown_field".into()), "{path}");
        for field in *fields {
            let mut body = valid(path);
            let value = body.get(*field).cloned().unwrap_or(Value::Null);
            body.as_object_mut().unwrap().remove(*field);
            let rest = body.to_string();
            let rest = rest.trim_start_matches('{');
            let comma = if rest == "}" { "" } else { "," };
            let doubled = format!(r#"{{"{field}":{value},"{field}":{value}{comma}{rest}"#);
            let answer = send(&app, &user, method, path, doubled.into()).await.expect(422);
            let (named, rule) = answer.complaint();
            assert_eq!(named, *field, "{path}");
            // A field that may be absent but not null is refused for that first.
            assert!(
                ["duplicate_field", "wrong_type", "invalid", "unknown_value"].contains(&rule.as_str()),
                "{path} {rule}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_refused_and_never_break_the_server() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let long = "x".repeat(60_000);
    let texts = [
        "",
        " ",
        "\0",
        "a\0b",
        "\u{202e}",
        "\u{2028}",
        "' OR 1=1 --",
        "=cmd|'/c calc'!A1",
        "${jndi:ldap://x}",
        "\r\nSet-Cookie: a=b",
        "%00",
        "../../etc/passwd",
        "<script>",
        "NaN",
        "1e9999",
        "-1",
        "１２３４５６",
        "ant@example.com\u{0}",
        "🐜",
        &long,
    ];
    let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    values.extend([
        json!(0),
        json!(-1),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!(["a"]),
        json!({ "$ne": null }),
    ]);
    for (method, path, fields) in ROUTES {
        for field in *fields {
            for value in &values {
                let mut body = valid(path);
                body[*field] = value.clone();
                let answer = send(&app, &user, method, path, body.to_string().into()).await;
                assert!(answer.status.as_u16() < 500, "{path} {field} {value:.60}: {}", answer.text);
                if !value.is_string() {
                    assert_eq!(answer.status, 422, "{path} {field} {value}");
                    assert_eq!(answer.complaint().0, *field, "{path} {value}");
                }
                if answer.status.is_client_error() {
                    answer.code();
                }
            }
        }
    }
    app.get("/api/users/profile", &user).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_too_large_for_any_type_are_refused() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for (method, path, fields) in ROUTES {
        for field in *fields {
            for number in ["1e400", "-1e400", "123456789012345678901234567890", "0.1e-400"] {
                let mut body = valid(path);
                body.as_object_mut().unwrap().remove(*field);
                let rest = body.to_string();
                let rest = rest.trim_start_matches('{');
                let comma = if rest == "}" { "" } else { "," };
                let text = format!(r#"{{"{field}":{number}{comma}{rest}"#);
                let answer = send(&app, &user, method, path, text.into()).await;
                assert!(
                    [400, 422].contains(&answer.status.as_u16()),
                    "{path} {field} {number}: {}",
                    answer.text
                );
            }
        }
    }
}
