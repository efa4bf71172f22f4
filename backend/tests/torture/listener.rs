//! A reader of `/api/events` who comes back after every break with the last id that was seen.

use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The stream says more often than this that it lives.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Pause before coming back.
const COME_BACK_PAUSE: Duration = Duration::from_millis(100);

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// What was heard, in the order of hearing, from the very first event on.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) events: Vec<Received>,
    /// Streams that were opened.
    pub(crate) streams: u64,
    last_id: Option<i64>,
}

/// A reader at work.
pub(crate) struct Listener {
    pub(crate) heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen, from the very first event on.
    pub(crate) fn start(visitor: Arc<Visitor>) -> Self {
        let heard = Arc::new(Mutex::new(Heard { last_id: Some(0), ..Heard::default() }));
        let task = tokio::spawn(listen(visitor, Arc::clone(&heard)));
        Self { heard, task }
    }

    /// The id of the last event that was heard; fails when the reader has failed.
    pub(crate) async fn last_id(&mut self) -> i64 {
        if self.task.is_finished() {
            (&mut self.task).await.expect("the listener goes on");
        }
        self.heard.lock().unwrap().last_id.unwrap_or_default()
    }

    pub(crate) fn stop(self) -> Heard {
        self.task.abort();
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

async fn listen(visitor: Arc<Visitor>, heard: Arc<Mutex<Heard>>) {
    loop {
        if let Some(response) = open(&visitor, &heard).await {
            read_to_the_end(response, &heard).await;
        }
        tokio::time::sleep(COME_BACK_PAUSE).await;
    }
}

async fn open(visitor: &Visitor, heard: &Mutex<Heard>) -> Option<reqwest::Response> {
    let last_id = heard.lock().unwrap().last_id;
    let request = visitor.request(Method::GET, "/api/events");
    let request = last_id.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id));
    let response = request.send().await.ok()?;
    match response.status().as_u16() {
        200 => {
            heard.lock().unwrap().streams += 1;
            Some(response)
        }
        401 => {
            visitor.login().await;
            None
        }
        status => {
            assert_eq!(status, 503, "the stream can be opened, or later");
            None
        }
    }
}

async fn read_to_the_end(mut response: reqwest::Response, heard: &Mutex<Heard>) {
    let mut buffer = Vec::new();
    // A stream that breaks in the middle of an event has not told it.
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = buffer.drain(..end + 2).collect();
            if let Some(event) = parse(std::str::from_utf8(&block).unwrap()) {
                heard.lock().unwrap().take(event);
            }
        }
    }
}

fn parse(block: &str) -> Option<Received> {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned));
    Some(Received {
        id: field("id:")?.parse().unwrap(),
        kind: field("event:")?,
        data: serde_json::from_str(&field("data:")?).unwrap(),
    })
}

impl Heard {
    fn take(&mut self, event: Received) {
        if event.kind == "hello" {
            assert_eq!(Some(event.id), self.last_id, "the stream goes on where it broke off");
            return;
        }
        assert_ne!(event.kind, "reset", "nothing that was told is gone");
        assert!(Some(event.id) > self.last_id, "{} after {:?}", event.id, self.last_id);
        self.last_id = Some(event.id);
        self.events.push(event);
    }
}
