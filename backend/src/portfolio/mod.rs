//! What the accounts own and what it is worth.
//!
//! Promises: a position is the sum of its movements; its cost is kept at average and by lots side by side, in whole minor
//! units, so that under either method cost, profit and cash always add up; a value is shown only from a real price.
//! Called by `risk`, `trading` and `corporate`; asks `account` for cash and `market` for prices.

mod books;
mod by_broker;
mod correct;
mod cost;
mod cost_routes;
mod difference;
mod holding;
mod lots;
mod origin_routes;
mod routes;
mod service;
mod store;
mod told;
mod valuation;

pub use books::{ALL_LOTS, Books, Split};
pub use by_broker::{book_by_broker, split_by_broker};
pub use correct::{Reversed, reverse_fill};
pub use cost::{PositionFill, PositionState};
pub use difference::{DifferenceError, book_broker_difference};
pub use holding::{Holding, Sale};
pub use lots::{Lot, LotSale, Lots};
pub use routes::routes;
pub use service::{PortfolioService, Worth};
pub use store::{PositionKey, lock_positions, shares_before};
pub use told::position_event;
