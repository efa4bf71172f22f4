//! The tables of `trading`, and the brokers' journal, which is read here and never written.

mod account_halts;
mod activities;
mod closing;
mod executions;
mod external;
mod groups;
mod halts;
mod history;
mod incidents;
mod inquiries;
mod journal;
mod keys;
mod lanes;
mod listing;
mod margin;
mod neighbours;
mod orders;
mod orphans;
mod other_accounts;
mod placement;
mod reconciliations;
mod replaces;
mod requests;
mod terms;

pub(super) use account_halts::{AccountHalt, HaltKind, account_halts, halts_of, insert_halts, lift_halt};
pub(super) use activities::{
    ActivityLine, OtherLeg, are_activities_taken_in, is_activity_taken_in_after, lock_activity_cursor,
    next_activity, note_activity_taken_in, other_leg,
};
pub(super) use closing::{
    are_wishes_open, are_wishes_open_in, cancellable_orders, close_batch, close_by_key, close_of, closes_of,
    closes_of_call, insert_close, insert_close_batch, mark_origin, newest_open_orders, open_closes,
    save_close, withdraw_closes,
};
pub(super) use executions::{
    ExecutionRow, executions_of, insert_executions, known_executions, lock_execution, mark_reversed,
};
pub(super) use external::insert_external;
pub(super) use groups::{
    active_groups, active_groups_of, group_by_key, group_of, insert_group, list_groups, lock_group,
    orders_by_id, save_group, save_shares, withdraw_groups,
};
pub(super) use halts::{all_halts, delete_halt, save_halt};
pub(super) use history::{LogLine, insert_log, log_of};
pub(super) use incidents::{acknowledge_incident, insert_incidents, is_told, list_incidents};
pub(super) use inquiries::{
    close_inquiries, inquiries_of, inquiry_of, mark_sent, orders_to_ask_for, save_inquiries, unmark_sent,
};
pub(super) use journal::{
    JournalLine, advance_cursor, cursor, listen, lock_cursor, movements_between, next_line, read_journal,
    words_told,
};
pub(super) use keys::{insert_key_check, keys_checked};
pub(super) use lanes::accounts_elsewhere;
pub(super) use listing::page_of_orders;
pub(super) use margin::open_exposures;
pub(super) use neighbours::{holders_of, neighbours_of};
pub(super) use orders::{
    id_of_key, known_orders, lock_orders, open_orders, open_orders_of, order_of, orders_not_heard_of,
    orders_of, orders_to_dispatch, save_orders,
};
pub(super) use orphans::{insert_orphans, orders_of_orphans, take_orphans};
pub(super) use other_accounts::{forget_other_account, note_other_account, other_accounts};
pub(super) use placement::{PlacedBatch, place_orders};
pub(super) use reconciliations::{accounts_to_compare, insert_run, list_runs};
pub(super) use replaces::{
    NewReplace, close_replaces, close_undone, insert_replace, mark_replaces, replace_by_key,
    replaces_overdue, replaces_to_dispatch, save_replaces, unmark_replaces,
};
pub(super) use requests::{
    CancelRequest, RequestLine, RequestStatus, cancels_to_dispatch, close_cancels, insert_cancel,
    requests_of, save_cancels,
};
pub(super) use terms::save_terms;
