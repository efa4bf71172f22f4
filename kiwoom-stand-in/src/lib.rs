//! A stand-in for Kiwoom: its REST service and its real-time WebSocket on one port, as their shapes were recorded in public
//! projects (REST API, November 2026). The real service has the WebSocket on a port of its own.
//!
//! What happens at it is scripted by the test: orders rest until somebody fills them, requests fail at the phase that was
//! asked for, the stream loses, repeats and reorders. What is traded and wanted of a share is told to those who follow it, and is
//! in its charts. There are no client order ids, numbers begin anew every day, a change and a cancel are orders of their own. It
//! shares no code with the adapters that are tested against it.

mod answers;
mod events;
mod lists;
mod market;
mod prices;
mod requests;
mod server;
mod stream;
mod tape;
mod tokens;

pub use market::{Kind, Market, Order};
pub use server::Kiwoom;
pub use stand_in::{Fault, Manners};

use chrono::{TimeDelta, Utc};
use chrono_tz::Asia::Seoul;

/// The rest of a day in Seoul in which a test may still begin: what it does must not fall on two days.
const REST_OF_DAY_MIN: TimeDelta = TimeDelta::seconds(90);
/// Between two looks at the clock.
const LOOK_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Waits out the end of a day in Seoul, 90 seconds at most: numbers begin anew at midnight, and orders of the day before are
/// over.
pub async fn until_the_day_has_room() {
    let now = || Utc::now().with_timezone(&Seoul);
    let day = now().date_naive();
    while now().date_naive() == day && (now() + REST_OF_DAY_MIN).date_naive() != day {
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// A running stand-in.
pub type StandIn = stand_in::StandIn<Kiwoom>;

/// The key that it knows unless it is told another.
pub const APP_KEY: &str = "app-key-of-the-stand-in";
/// The secret of [`APP_KEY`].
pub const SECRET_KEY: &str = "a-secret-of-the-stand-in";
