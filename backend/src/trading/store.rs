//! The tables of `trading`, and the brokers' journal, which is read here and never written.

mod closing;
mod executions;
mod journal;
mod listing;
mod orders;
mod placement;
mod requests;

pub(super) use closing::{
    cancellable_orders, close_batch, close_by_key, close_of, closes_of, insert_close, insert_close_batch,
    newest_open_orders, open_closes, save_close,
};
pub(super) use executions::{
    ExecutionRow, executions_of, insert_executions, insert_incidents, known_executions,
};
pub(super) use journal::{JournalLine, advance_cursor, listen, lock_cursor, next_line, read_journal};
pub(super) use listing::page_of_orders;
pub(super) use orders::{
    LogLine, id_of_key, insert_log, known_orders, lock_orders, log_of, open_orders, order_of,
    orders_to_dispatch, save_orders, symbols_of,
};
pub(super) use placement::{PlacedBatch, place_orders};
pub(super) use requests::{
    CancelRequest, RequestLine, RequestStatus, cancels_to_dispatch, close_cancels, insert_cancel,
    requests_of, save_cancels,
};
