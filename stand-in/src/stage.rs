//! What a test has asked for, and what it may look at.

use crate::door::{Answer, reply, reply_with};
use crate::{Fault, Manners};
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast};

/// Most events that a slow listener may be behind.
const EVENTS_MAX: usize = 1024;

#[derive(Default)]
struct Script {
    faults: VecDeque<Fault>,
    manners: Manners,
    requests: usize,
    order_requests: usize,
}

/// A broker's words for what goes wrong with a request.
#[derive(Debug, Clone, Copy)]
pub struct Refusals {
    /// The body of an answer 500.
    pub failed: &'static str,
    /// The body of an answer 429.
    pub limited: &'static str,
}

/// What is asked of a stand-in and what happens on its stream.
pub struct Stage {
    script: Mutex<Script>,
    events: broadcast::Sender<Value>,
    closing: broadcast::Sender<()>,
    /// Rung when a request has come that will not be answered.
    hanging: Notify,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            script: Mutex::default(),
            events: broadcast::channel(EVENTS_MAX).0,
            closing: broadcast::channel(1).0,
            hanging: Notify::new(),
        }
    }
}

impl Stage {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next requests about orders.
    pub fn will_fail(&self, faults: &[Fault]) {
        self.script().faults.extend(faults);
    }

    /// How the stream treats what it should tell.
    pub fn set_manners(&self, manners: Manners) {
        self.script().manners = manners;
    }

    /// Requests so far, and those about orders.
    #[must_use]
    pub fn requests(&self) -> (usize, usize) {
        let script = self.script();
        (script.requests, script.order_requests)
    }

    /// Waits until a request has come that will not be answered.
    pub async fn hangs(&self) {
        self.hanging.notified().await;
    }

    /// How many listen to the stream.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.events.receiver_count()
    }

    /// Ends the conversations of the stream.
    pub fn close_streams(&self) {
        let _ = self.closing.send(());
    }

    /// What happens on the stream from here on, and its end.
    #[must_use]
    pub fn listen(&self) -> (broadcast::Receiver<Value>, broadcast::Receiver<()>) {
        (self.events.subscribe(), self.closing.subscribe())
    }

    /// Tells what has happened to whoever listens, as the stream's manners are.
    pub fn tell(&self, mut events: Vec<Value>) {
        let manners = self.script().manners;
        if manners.loses_all {
            return;
        }
        if manners.reverses {
            events.reverse();
        }
        for event in events {
            for _ in 0..if manners.triples { 3 } else { 1 } {
                let _ = self.events.send(event.clone());
            }
        }
    }

    /// Says something to all conversations, whatever the stream's manners are.
    pub fn announce(&self, event: Value) {
        let _ = self.events.send(event);
    }

    /// Counts a request, and says what is to become of it.
    pub fn fault_of(&self, is_about_an_order: bool) -> Option<Fault> {
        let mut script = self.script();
        script.requests += 1;
        if !is_about_an_order {
            return None;
        }
        script.order_requests += 1;
        script.faults.pop_front()
    }

    /// Fails as it was asked for.
    ///
    /// # Errors
    /// Where the line is to break.
    pub async fn fail(&self, fault: Fault, refusals: Refusals) -> Answer {
        match fault {
            Fault::BreaksBefore | Fault::BreaksAfter => {
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "the line breaks"))
            }
            Fault::FailsBefore => reply(500, refusals.failed.into()),
            Fault::FailsAfter => reply(503, "upstream".into()),
            Fault::Garbled => reply(200, "<html>".into()),
            Fault::HangsBefore | Fault::HangsAfter => {
                self.hanging.notify_one();
                std::future::pending().await
            }
            Fault::Limited(seconds) | Fault::LimitedAfter(seconds) => {
                let seconds = seconds.to_string();
                reply_with(429, &[("retry-after", seconds.as_str())], refusals.limited.into())
            }
        }
    }
}
