//! Tells people what happened. Today's channel is the browser's event stream; every channel is a listener of
//! `events`; the only other module it knows is `auth`, which says whether a session still lives.

mod routes;

pub use routes::{OpenStreams, routes};
