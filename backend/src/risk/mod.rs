//! Decides whether an order may be sent. Pure: it sees the locked state of the account, a price and the rules of the
//! market, and nothing else.
//!
//! Promises: an order that passed here can be paid in full at its worst price, fees included, or delivered from shares that
//! are there, or the account's own equity covers what it may do beyond them; every reason against an order is named, not only
//! the first. Called by `trading`, which alone can send what was [`Approved`].

mod change;
#[cfg(test)]
mod fixture;
mod hold;
mod judge;
mod margin;
mod near;
mod rules;

pub use change::{OpenOrder, judge_change};
pub use hold::{Hold, HoldTerms};
pub use judge::{AccountState, Approved, Denial, Judgement, Terms, judge, judge_close};
pub use margin::{Asked, Exposure, MarginBook, MarginState, Reduction};
pub use near::{Limit, NearLimit, near_limits};
pub use rules::{MARKET_ORDER_PROTECTION_PERCENT, STOP_SALE_PROTECTION_PERCENT};
