//! The API as a client sees it: every test starts the real application on a free port, on a database of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test may fail loudly"
)]

mod accounts;
mod activities;
mod alpaca;
mod alpaca_amounts;
mod alpaca_groups;
mod alpaca_oto;
mod auth;
mod bad_input;
mod belief;
mod books;
mod broker_keys;
mod closing;
mod corporate;
mod events;
mod gate;
mod groups;
mod helpers;
mod imports;
mod journal;
mod kill_switch;
mod kiwoom;
mod kiwoom_prices;
mod ledger;
mod lots;
mod market;
mod operations;
mod order_lists;
mod order_types;
mod orders;
mod origins;
mod outage;
mod performance;
mod relay;
mod replace;
mod reset;
mod short;
mod simulation;
mod statement;
mod trader;
mod truth;
mod truth_faults;
mod waiting;
