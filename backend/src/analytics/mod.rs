//! How accounts have done.
//!
//! Promises: what an account is worth is written down while it changes, at most once a minute, and only when every share it
//! holds has a price; money brought in or taken out is no gain and no loss; nothing that was written is changed later.
//! Asks `account` for accounts and `portfolio` for their worth; is called by nobody.

mod growth;
mod recorder;
mod routes;
mod service;
mod store;

pub use routes::routes;
pub use service::PerformanceService;
