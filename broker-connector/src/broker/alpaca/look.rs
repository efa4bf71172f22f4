//! Reads the lists: when the stream says that something has happened, after each new conversation, and on a timer whatever
//! the stream says.

use super::Alpaca;
use super::config::{LOOK_INTERVAL, LOOK_PAUSE, SECOND_LOOKS};
use super::session::Session;
use crate::recovery::{self, Awaited};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use tokio::time::{Instant, sleep, timeout_at};

/// Reads until the session, or the adapter, ends.
pub(super) async fn run(alpaca: Weak<Alpaca>, session: Arc<Session>) {
    let mut again = VecDeque::new();
    loop {
        let next = again.pop_front().unwrap_or_else(|| Instant::now() + LOOK_INTERVAL);
        if timeout_at(next, session.rung()).await.is_ok() {
            // What was told may be listed a moment later.
            again = SECOND_LOOKS.iter().map(|pause| Instant::now() + *pause).collect();
        }
        let Some(alpaca) = alpaca.upgrade() else { return };
        let looked =
            recovery::recover(&*alpaca, &alpaca.journal, session.account_id, Awaited::default()).await;
        match looked {
            Ok(_) => session.has_read(),
            Err(error) => {
                tracing::warn!(account = %session.account_id, %error, "Alpaca's lists cannot be read")
            }
        }
        drop(alpaca);
        sleep(LOOK_PAUSE).await;
    }
}
