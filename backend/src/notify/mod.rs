//! Tells people what happened. Today's channel is the browser's event stream; every channel is a listener of
//! `events` and knows no other module.

mod routes;

pub use routes::{OpenStreams, routes};
