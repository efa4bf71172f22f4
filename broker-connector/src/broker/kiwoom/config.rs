//! Every limit and pause of the adapter.

use crate::broker::outside::bucket::Rate;
use std::time::Duration;

/// Requests for one function: nobody documents the limit; public projects measured a burst of two and one a second
/// (November 2026).
pub(super) const FUNCTION_RATE: Rate = Rate { earned_in: Duration::from_secs(1), burst: 2 };
/// Requests for all functions together.
pub(super) const TOTAL_RATE: Rate = Rate { earned_in: Duration::from_millis(200), burst: 5 };
/// Requests of the burst that only orders may use, so that looks never keep an order waiting.
pub(super) const RESERVED_FOR_ORDERS: u32 = 2;
/// Longest time that an order waits for its turn; then it was not sent.
pub(super) const ORDER_TURN_MAX: Duration = Duration::from_secs(4);
/// Longest time that a question waits for its turn.
pub(super) const QUESTION_TURN_MAX: Duration = Duration::from_secs(30);
/// Pause after an answer that too much was asked, where it does not say how long.
pub(super) const LIMITED_PAUSE: Duration = Duration::from_secs(2);
/// Longest pause that an answer can ask for.
pub(super) const LIMITED_PAUSE_MAX: Duration = Duration::from_secs(120);
/// How often a question is asked again after such an answer.
pub(super) const LIMITED_TRIES_MAX: u32 = 3;
/// How long before its end a token is renewed.
pub(super) const TOKEN_MARGIN: Duration = Duration::from_secs(10 * 60);
/// How long a token counts as living whose end was not told.
pub(super) const TOKEN_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Orders of one batch that are under way at once.
pub(super) const ORDERS_AT_ONCE: usize = 4;
/// Most pages of one list of one day.
pub(super) const PAGES_MAX: usize = 200;
/// Most days of a history: orders live for one day, so only executions of a connector that stood still for longer are lost.
pub(super) const HISTORY_DAYS_MAX: i64 = 31;
/// How often an account is read until two readings agree.
pub(super) const READINGS_MAX: usize = 4;
/// Longest silence of the stream before it is called anew; Kiwoom sends heartbeats.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How often the silence is measured.
pub(super) const SILENCE_LOOK: Duration = Duration::from_secs(5);
/// Most executions that the stream told and the lists did not yet.
pub(super) const TOLD_MAX: usize = 4096;
/// Most shares whose board is remembered.
pub(super) const INSTRUMENTS_MAX: usize = 8192;

/// Digits of an account's number.
pub(super) const ACCOUNT_NUMBER_LENGTH: usize = 10;
/// Requests that may wait for the bridge.
pub(super) const BRIDGE_QUEUE_MAX: usize = 32;
/// Between two comparisons of an account behind a bridge, by a timer.
pub(super) const BRIDGE_COMPARE_AFTER_SECONDS: u64 = 90;
/// How long a request waits for the line to the bridge.
pub(super) const BRIDGE_WAIT_MAX: Duration = Duration::from_secs(2);
/// Longest wait for the bridge's answer about an order: its own limits are below that.
pub(super) const ORDER_ANSWER_MAX: Duration = Duration::from_secs(9);
/// Longest wait for the bridge's answer to a question, which may wait there for its turn.
pub(super) const QUESTION_ANSWER_MAX: Duration = Duration::from_secs(28);

/// Where Kiwoom is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KiwoomSettings {
    /// Its world of play money, without a trailing slash.
    pub paper_url: String,
    /// The stream of that world.
    pub paper_stream_url: String,
    /// Its world of real money.
    pub live_url: String,
    /// The stream of that world.
    pub live_stream_url: String,
    /// The bridge to the older interface, if there is one.
    pub bridge_url: Option<String>,
}

impl Default for KiwoomSettings {
    fn default() -> Self {
        Self {
            paper_url: "https://mockapi.kiwoom.com".into(),
            paper_stream_url: "https://mockapi.kiwoom.com:10000".into(),
            live_url: "https://api.kiwoom.com".into(),
            live_stream_url: "https://api.kiwoom.com:10000".into(),
            bridge_url: None,
        }
    }
}
