//! Reads a broker's lists: when the stream says that something has happened, after each new conversation, and on a timer
//! whatever the stream says.

use super::way::Way;
use crate::broker::BrokerError;
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How often the lists are read whatever the stream says.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// Shortest time between two readings of the lists, so that many events make few requests.
const LOOK_PAUSE: Duration = Duration::from_millis(400);
/// When the lists are read again after an event: executions may be listed a moment after they were told.
const SECOND_LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// How long after a soft ring the lists are read: orders of one burst make one reading, and none keeps the next one waiting.
const SOFT_PAUSE: Duration = Duration::from_secs(1);

/// Reads until the session, or the adapter (then `look` gives nothing), ends.
pub(in crate::broker) async fn run<F>(way: &Way, look: impl Fn() -> F)
where
    F: Future<Output = Option<Result<(), BrokerError>>>,
{
    let (mut planned, mut looked) = (VecDeque::new(), Instant::now());
    loop {
        // Whoever compared the account has read them as well.
        let by_timer =
            |looked: Instant| way.read_last().map_or(looked, |read| read.max(looked)) + LOOK_INTERVAL;
        let due = planned.pop_front();
        let next = due.unwrap_or_else(|| by_timer(looked));
        match timeout_at(next, way.rung()).await {
            // What was told may be listed a moment later.
            Ok(true) => planned = SECOND_LOOKS.iter().map(|pause| Instant::now() + *pause).collect(),
            Ok(false) => {
                planned.push_front(next.min(Instant::now() + SOFT_PAUSE));
                continue;
            }
            Err(_) if due.is_none() && by_timer(looked) > next => continue,
            Err(_) => {}
        }
        looked = Instant::now();
        match look().await {
            None => return,
            Some(Ok(())) => way.has_read(),
            Some(Err(error)) => {
                tracing::warn!(account = %way.account_id, %error, "a broker's lists cannot be read");
            }
        }
        sleep(LOOK_PAUSE).await;
    }
}
