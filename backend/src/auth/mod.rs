//! Users, logins and sessions.
//!
//! Promises: a password is stored as an Argon2id hash alone; an unknown user and a wrong password get the same answer
//! after the same work; failed logins are counted in the database; a refresh token works once, and one that comes again
//! ends its login; an authenticator code works once, and so does each recovery code, which its owner is told of; what ends a
//! session ends its access within a second.
//!
//! Called by the gate in front of `/api` ([`Auth::authenticate`]) and by long answers ([`Auth::is_live`]).

mod client;
mod display_name;
mod email;
mod new_password;
mod password;
mod password_rules;
mod recovery;
mod routes;
mod service;
mod sessions;
mod store;
mod throttle;
mod tokens;
mod totp;
mod two_factor;
mod types;

pub use service::Auth;
pub use types::{Language, Profile};

use crate::openapi::Routes;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    routes::all(config);
}
