//! `/api/events`: what the browser sees without ever asking.

use crate::helpers::{DEADLINE, TestApp, TestUser};
use crate::trader::Trader;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One event as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
struct Received {
    id: i64,
    kind: String,
    data: Value,
}

/// An open stream, read event by event.
struct Listener {
    response: reqwest::Response,
    buffer: String,
}

impl Listener {
    async fn open(app: &TestApp, user: &TestUser, last_seen: Option<i64>) -> Self {
        Self::at(app, user, "/api/events", last_seen).await
    }

    async fn at(app: &TestApp, user: &TestUser, path: &str, last_seen: Option<i64>) -> Self {
        let request = app.request(reqwest::Method::GET, path).bearer_auth(&user.access_token);
        let request = last_seen.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    async fn next(&mut self) -> Received {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(event) = read(&block) {
                    return event;
                }
                continue;
            }
            let chunk =
                tokio::time::timeout(DEADLINE, self.response.chunk()).await.expect("an event in time");
            self.buffer.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }

    /// Reads on until an order stands there, and returns everything up to it.
    async fn until_order(&mut self, status: &str) -> Vec<Received> {
        let mut seen = Vec::new();
        loop {
            let event = self.next().await;
            let found = event.kind == "order" && event.data["status"] == status;
            seen.push(event);
            if found {
                return seen;
            }
        }
    }
}

fn read(block: &str) -> Option<Received> {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned));
    Some(Received {
        id: field("id:")?.parse().unwrap(),
        kind: field("event:")?,
        data: serde_json::from_str(&field("data:")?).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_whole_life_arrives_by_itself() {
    let trader = Trader::with("USD", "10000").await;
    let mut listener = Listener::open(&trader.app, &trader.user, None).await;
    assert_eq!(listener.next().await.kind, "hello");
    trader.bought("AAPL", "10").await;
    let mut seen = listener.until_order("FILLED").await;
    while !seen.iter().any(|event| event.kind == "position") {
        seen.push(listener.next().await);
    }
    let statuses: Vec<_> =
        seen.iter().filter(|event| event.kind == "order").map(|event| event.data["status"].clone()).collect();
    assert_eq!(statuses.first().unwrap(), "PENDING_NEW");
    assert_eq!(statuses.last().unwrap(), "FILLED");
    let of = |kind: &str| seen.iter().filter(|event| event.kind == kind).count();
    assert_eq!((of("execution"), of("position")), (1, 1));
    assert!(of("balance") >= 2, "the hold and the payment");
    let ids: Vec<_> = seen.iter().map(|event| event.id).collect();
    assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_exactly_what_was_missed() {
    let trader = Trader::with("USD", "10000").await;
    let mut whole = Listener::open(&trader.app, &trader.user, None).await;
    let hello = whole.next().await;
    for quantity in ["1", "2", "3"] {
        trader.bought("AAPL", quantity).await;
    }
    let mut all = Vec::new();
    while all.iter().filter(|event: &&Received| event.kind == "position").count() < 3 {
        all.push(whole.next().await);
    }
    for (at, event) in all.iter().enumerate().step_by(4) {
        let mut resumed = Listener::open(&trader.app, &trader.user, Some(event.id)).await;
        assert_eq!(resumed.next().await, Received { id: event.id, ..hello.clone() });
        for expected in &all[at + 1..] {
            assert_eq!(&resumed.next().await, expected);
        }
    }
    // Who cannot set a header says it in the address; a header is newer than that.
    let path = format!("/api/events?lastEventId={}", all[0].id);
    let mut resumed = Listener::at(&trader.app, &trader.user, &path, None).await;
    assert_eq!(resumed.next().await, Received { id: all[0].id, ..hello.clone() });
    assert_eq!(resumed.next().await, all[1]);
    let mut resumed = Listener::at(&trader.app, &trader.user, &path, Some(all[2].id)).await;
    assert_eq!(resumed.next().await, Received { id: all[2].id, ..hello });
    assert_eq!(resumed.next().await, all[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_never_was_is_told_to_start_anew() {
    let trader = Trader::on(TestApp::start().await, "USD", "10").await;
    let mut listener = Listener::open(&trader.app, &trader.user, Some(1_000_000)).await;
    assert_eq!(listener.next().await.kind, "reset");
    trader.deposit("5", None).await.expect(201);
    assert_eq!(listener.next().await.data["cash"], "15");
    for wrong in ["-1", "x", "1e3", "99999999999999999999"] {
        let request =
            trader.app.request(reqwest::Method::GET, "/api/events").bearer_auth(&trader.user.access_token);
        let refused = trader.app.send(request.header("Last-Event-ID", wrong)).await.expect(422);
        assert_eq!(refused.complaint().0, "Last-Event-ID");
        let refused =
            trader.app.get(&format!("/api/events?lastEventId={wrong}"), &trader.user).await.expect(422);
        assert_eq!(refused.complaint().0, "lastEventId");
    }
    trader.app.get("/api/events?last_event_id=1", &trader.user).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_the_orders_of_others() {
    let trader = Trader::on(TestApp::start().await, "USD", "10").await;
    let other = trader.app.register("wasp@example.com").await;
    let mut others = Listener::open(&trader.app, &other, None).await;
    assert_eq!(others.next().await.kind, "hello");
    trader.deposit("5", None).await.expect(201);
    let account = crate::trader::open_account(&trader.app, &other, "KRW").await;
    let event = others.next().await;
    assert_eq!((event.kind.as_str(), &event.data["id"]), ("account", &Value::from(account)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session() {
    let trader = Trader::on(TestApp::start().await, "USD", "10").await;
    let mut listener = Listener::open(&trader.app, &trader.user, None).await;
    assert_eq!(listener.next().await.kind, "hello");
    trader.app.post("/api/auth/logout", &trader.user, serde_json::json!({})).await.expect(204);
    let end = async { while listener.response.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), end)
        .await
        .expect("the stream ends soon after the logout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_reader_has_hung_up_ends_before_its_next_heartbeat() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let mut socket = TcpStream::connect(app.address.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: ant\r\nAuthorization: Bearer {}\r\n\r\n",
        user.access_token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let length = socket.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    socket.shutdown().await.unwrap();
    let end = async { while socket.read(&mut answer).await.is_ok_and(|length| length > 0) {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), end).await.expect("its place is given back");
}
