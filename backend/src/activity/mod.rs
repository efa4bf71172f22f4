//! What happens to whole accounts: activities of elsewhere are taken over from files, and accounts of play money begin
//! anew.
//!
//! Promises: a file is taken over whole or not at all, and once; every refused line is named with its column and its
//! rule; orders are never touched by it. An account that begins anew keeps its history: its books are closed by
//! journals, once, after its open orders have been taken back. Nobody calls this module; it books through `portfolio` and
//! `account`, and asks `trading` to take orders back.

mod import;
mod reset;
mod store;

pub use import::ImportService;
pub use reset::ResetService;

use crate::openapi::Routes;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    import::routes(config);
    reset::routes(config);
}
