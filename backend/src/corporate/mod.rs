//! What companies do to their shares: splits, cash dividends, new names.
//!
//! Promises: an action is applied once to each account that has a part in it, as journals; what must not meet an open
//! order waits until the orders in its symbol have ended, and asks to take them back; prices are never rewritten.
//! Nobody calls this module; it asks `portfolio` to move positions and `trading` to take orders back.

mod action;
mod clerk;
mod routes;
mod service;
mod store;

pub use routes::routes;
pub use service::CorporateService;
