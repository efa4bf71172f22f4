//! Every limit and pause of the simulator.

use std::time::Duration;

/// Most commands that wait for the engine; further ones are told that they were not sent.
pub(super) const COMMANDS_WAITING_MAX: usize = 1024;
/// Most orders and cancels that one transaction carries.
pub(super) const ORDERS_PER_TRANSACTION_MAX: usize = 4096;
/// Longest wait of a caller for the engine's answer; then nobody knows the outcome.
pub(super) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest run of one statement, on the server.
pub(super) const STATEMENT_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest wait for the server's answer, after which the connection is given up.
pub(super) const DATABASE_ANSWER_MAX: Duration = Duration::from_secs(7);
/// The same for a batch of several statements.
pub(super) const LARGE_BATCH_MAX: Duration = Duration::from_secs(120);
/// Longest time to open a connection.
pub(super) const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// First and longest pause between two tries to take over the books.
pub(super) const TAKE_OVER_PAUSE_FIRST: Duration = Duration::from_millis(100);
/// See [`TAKE_OVER_PAUSE_FIRST`].
pub(super) const TAKE_OVER_PAUSE_MAX: Duration = Duration::from_millis(500);
/// Longest wait for the tables, which the backend makes, in a database that answers.
pub(super) const SCHEMA_WAIT_MAX: Duration = Duration::from_secs(120);
/// How often an idle engine looks whether its connection still lives, and orders expired.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// Connections for questions, beside the engine's own.
pub(super) const READERS_MAX: usize = 2;
/// Longest wait for one of them.
pub(super) const READER_WAIT_MAX: Duration = Duration::from_secs(2);
/// How long quotes of a symbol are followed after its last order ended.
pub(super) const IDLE_SYMBOL_SECONDS: i64 = 600;
/// First and longest pause before the quote server is called again.
pub(super) const RECONNECT_PAUSE_FIRST: Duration = Duration::from_millis(200);
/// See [`RECONNECT_PAUSE_FIRST`].
pub(super) const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often the quote server is pinged.
pub(super) const PING_PAUSE: Duration = Duration::from_secs(10);
/// Longest silence of the quote server before it is called anew.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Largest message of the quote server, in bytes.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Most symbols named in one message to the quote server.
pub(super) const SYMBOLS_PER_MESSAGE_MAX: usize = 100;
