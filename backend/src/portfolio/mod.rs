//! What the accounts own and what it is worth.
//!
//! Promises: a position is the sum of its fills; its cost is kept by the average-cost method in whole minor units, so
//! that cost, profit and cash always add up; a value is shown only from a real price. Called by `risk` and
//! `trading`; asks `account` for cash and `market` for prices.

mod cost;
mod routes;
mod service;
mod store;
mod valuation;

pub use cost::{PositionFill, PositionState};
pub use routes::routes;
pub use service::PortfolioService;
pub use store::{PositionKey, lock_positions, save_positions};
