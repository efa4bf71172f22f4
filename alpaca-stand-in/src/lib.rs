//! A stand-in for Alpaca: its trading REST service and its stream of trade updates on one port, as their shapes are
//! documented and were recorded (Trading API v2, November 2026).
//!
//! What happens at it is scripted by the test: orders rest until somebody fills them, requests fail at the phase that was
//! asked for, the stream loses, repeats and reorders. It shares no code with the adapter that is tested against it.

mod answers;
mod calendar;
mod market;
mod requests;
mod server;
mod stream;

pub use market::{Market, Membership, Movement, Order};
pub use server::Alpaca;
pub use stand_in::{Fault, Manners};

/// A running stand-in.
pub type StandIn = stand_in::StandIn<Alpaca>;

/// The key that it knows unless it is told another.
pub const KEY_ID: &str = "PKSTANDIN";
/// The secret of [`KEY_ID`].
pub const SECRET_KEY: &str = "a-secret-of-the-stand-in";
