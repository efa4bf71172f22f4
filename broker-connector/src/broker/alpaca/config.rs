//! Every limit and pause of the adapter.

use std::time::Duration;

/// Requests that may be made at once after a quiet time.
pub(super) const BURST_REQUESTS: u32 = 40;
/// Requests a minute: Alpaca's limit for an account.
pub(super) const REQUESTS_PER_MINUTE: u64 = 200;
/// Requests of the burst that only orders may use, so that looks never keep an order waiting.
pub(super) const RESERVED_FOR_ORDERS: u32 = 10;
/// Longest time that an order waits for its turn; then it was not sent.
pub(super) const ORDER_TURN_MAX: Duration = Duration::from_secs(2);
/// Longest time that a question waits for its turn.
pub(super) const QUESTION_TURN_MAX: Duration = Duration::from_secs(20);
/// Pause after an answer 429 that does not say how long.
pub(super) const LIMITED_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause that an answer can ask for.
pub(super) const LIMITED_PAUSE_MAX: Duration = Duration::from_secs(120);
/// Orders of one batch that are under way at once.
pub(super) const ORDERS_AT_ONCE: usize = 8;
/// Accepted orders whose number and acknowledgement wait to be written behind their answers; the answer of one more waits.
pub(super) const NOTES_WAITING_MAX: usize = 64;
/// How long the writing waits for others: in a burst it would take the disk from the next order, which is written before it
/// is sent.
pub(super) const NOTES_PAUSE: Duration = Duration::from_millis(10);
/// How often one order may have got a new number: as often as its terms can be replaced here, and some more.
pub(super) const NUMBERS_MAX: usize = 128;
/// Activities on a page: the most that Alpaca gives.
pub(super) const ACTIVITIES_PER_PAGE: usize = 100;
/// Most pages of activities beside orders that are read as an account is opened.
pub(super) const MOVEMENT_PAGES_MAX: usize = 100;
/// Largest amount of an activity that is read, in dollars and in shares.
pub(super) const ACTIVITY_AMOUNT_MAX: i64 = 1_000_000_000_000;
/// Longest number, or word, of an activity, in letters.
pub(super) const ACTIVITY_WORD_LENGTH_MAX: usize = 120;
/// How many days ahead the day of an activity may be.
pub(super) const ACTIVITY_DAYS_AHEAD_MAX: u64 = 31;
/// Most days of the calendar that are read.
pub(super) const CALENDAR_DAYS_MAX: usize = 400;
/// How often an account is read until two readings agree.
pub(super) const READINGS_MAX: usize = 4;
/// How often the stream is pinged.
pub(super) const PING_PAUSE: Duration = Duration::from_secs(10);
/// Longest silence of the stream before it is called anew.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long an order must have been open before its submission to count as old: clocks differ.
pub(super) const CLOCK_MARGIN_SECONDS: i64 = 60;

/// Where Alpaca is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlpacaSettings {
    /// Its world of play money, without a trailing slash.
    pub paper_url: String,
    /// Its world of real money.
    pub live_url: String,
    /// Orders on a page; 500 at most.
    pub orders_per_page: usize,
}

impl Default for AlpacaSettings {
    fn default() -> Self {
        Self {
            paper_url: "https://paper-api.alpaca.markets".into(),
            live_url: "https://api.alpaca.markets".into(),
            orders_per_page: 500,
        }
    }
}
