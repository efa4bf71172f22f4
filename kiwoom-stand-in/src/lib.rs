//! A stand-in for Kiwoom: its REST service and its real-time WebSocket on one port, as their shapes were recorded in public
//! projects (REST API, November 2026). The real service has the WebSocket on a port of its own.
//!
//! What happens at it is scripted by the test: orders rest until somebody fills them, requests fail at the phase that was
//! asked for, the stream loses, repeats and reorders. There are no client order ids, numbers begin anew every day, a change
//! and a cancel are orders of their own. It shares no code with the adapter that is tested against it.

mod answers;
mod events;
mod lists;
mod market;
mod requests;
mod server;
mod stream;
mod tokens;

pub use market::{Kind, Market, Order};
pub use server::Kiwoom;
pub use stand_in::{Fault, Manners};

/// A running stand-in.
pub type StandIn = stand_in::StandIn<Kiwoom>;

/// The key that it knows unless it is told another.
pub const APP_KEY: &str = "app-key-of-the-stand-in";
/// The secret of [`APP_KEY`].
pub const SECRET_KEY: &str = "a-secret-of-the-stand-in";
