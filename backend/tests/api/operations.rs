//! Health, the API's description, unknown addresses, and what every answer carries.

use crate::helpers::TestApp;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_healthy_and_ready() {
    let app = TestApp::start().await;
    for path in ["/health", "/ready"] {
        app.send(app.request(Method::GET, path)).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_and_names_every_module() {
    let app = TestApp::start().await;
    let description = app.send(app.request(Method::GET, "/api/openapi.json")).await.expect(200).json();
    assert_eq!(description["openapi"], "3.1.0");
    for path in ["/api/auth/login", "/api/users/profile", "/api/market/quote/{symbol}"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_not_found_and_a_wrong_method_says_which_are_right() {
    let app = TestApp::start().await;
    for path in ["/api", "/api/", "/api/nothing", "/api/auth", "/api/auth/login/again"] {
        let answer = app.send(app.request(Method::GET, path)).await.expect(404);
        assert_eq!(answer.code(), "not_found", "{path}");
    }
    let answer = app.send(app.request(Method::GET, "/api/auth/login")).await.expect(405);
    assert_eq!((answer.code().as_str(), answer.header("allow")), ("method_not_allowed", Some("POST")));
    let user = app.register("ant@example.com").await;
    let answer = app.delete("/api/users/profile", &user).await.expect(405);
    assert_eq!(answer.header("allow"), Some("GET, PUT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_makes_browsers_careful_and_has_a_request_id() {
    let app = TestApp::start().await;
    for path in ["/health", "/api/nothing", "/api/users/profile", "/"] {
        let answer = app.send(app.request(Method::GET, path)).await;
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36), "{path}");
    }
    let answer = app.send(app.request(Method::GET, "/api/users/profile")).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_port_is_taken_says_which() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = backend::Settings {
        host: "127.0.0.1".into(),
        port,
        database_url: "postgres://localhost/none".into(),
        database_pool_size: 1,
        market_data_url: "http://127.0.0.1:1".into(),
        market_data_token: None,
        broker_connector_url: "http://127.0.0.1:1".into(),
        internal_token: "0123456789abcdef".into(),
        jwt_secret: crate::helpers::JWT_SECRET.into(),
        encryption_key: secrecy::SecretBox::new(Box::new([7; 32])),
        trust_proxy: false,
        margin_call_grace: None,
        halt_file: None,
        orders_per_minute_max: None,
        admission: backend::settings::Admission::Open,
    };
    let error = backend::Application::build(settings).await.err().unwrap();
    assert!(format!("{error:#}").contains(&port.to_string()), "{error:#}");
}

/// Sends a body whose length is not told beforehand, by hand, and returns the answer.
async fn send_in_chunks(address: &str, kibibytes: usize) -> String {
    let mut socket = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..kibibytes {
        // The server may hang up before the end.
        let _ = socket.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).await;
    }
    let _ = socket.write_all(b"0\r\n\r\n").await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_limited_and_must_be_json() {
    let app = TestApp::start().await;
    let login = || app.request(Method::POST, "/api/auth/login");
    let answer = app.send(login().body("x".repeat(70_000)).header("content-type", "application/json")).await;
    assert_eq!(answer.expect(413).code(), "body_too_large");
    assert!(
        send_in_chunks(&app.address, 100).await.contains("body_too_large"),
        "the length need not be announced"
    );
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let answer = app.send(login().body("{}").header("content-type", kind)).await;
        assert_eq!(answer.expect(415).code(), "unsupported_media_type", "{kind}");
    }
    let answer = app.send(login().json(&json!({})).header("content-encoding", "gzip")).await;
    assert_eq!(answer.expect(415).code(), "unsupported_media_type");
    let answer = app.send(login().body("{}")).await.expect(422);
    assert_eq!(
        answer.complaint(),
        ("email".into(), "required".into()),
        "a missing content type is tolerated"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_house_starts_and_stops() {
    let app = TestApp::start_house().await;
    app.send(app.request(Method::GET, "/ready")).await.expect(200);
    let app = app.restart().await;
    let user = app.register("ant@example.com").await;
    app.get("/api/market/symbols", &user).await.expect(200);
}
