//! The simulated exchange: matching, fees, sessions, tick sizes and price limits.
//!
//! Everything is a pure function of its arguments, time included, so that a paper trade, a back-test and their
//! accounting cannot disagree. Rules that change with time are dated tables.

pub mod auctions;
pub mod book;
pub mod conversion;
mod dated;
pub mod dividends;
pub mod fees;
pub mod interruptions;
pub mod margin;
pub mod phases;
pub mod price_limits;
pub mod quote_age;
pub mod security;
pub mod sessions;
pub mod simulation;
pub mod tariff;
pub mod ticks;

pub use auctions::{AuctionKind, DoorClosed, auction_for, next_auction};
pub use book::{Book, BookEvent, BookEventKind, BookOrder, CancelReason};
pub use conversion::{conversion_fee, convert};
pub use dividends::{dividend, withholding_rate};
pub use fees::{Fees, OrderFees, commission_max, fees, fees_for_fill, fees_max};
pub use interruptions::{Interruption, InterruptionKind, MarketState};
pub use margin::{MarginRules, charge_a_day, is_price_tested};
pub use phases::{DayKind, Evening, Phase, Span, TradingDay, evening, execution_date, phase, trading_day};
pub use price_limits::{price_limits, price_limits_of_day};
pub use quote_age::stale_age;
pub use security::Security;
pub use sessions::{
    is_trading_day, market_day, next_trading_day, regular_close, regular_close_after, settle_date,
    trade_date, trading_day_before,
};
pub use simulation::{Course, Friction, Simulation, Trading};
pub use tariff::Tariff;
pub use ticks::{is_on_grid, nearest_legal, tick_bands, tick_size};
