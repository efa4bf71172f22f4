//! The shared vocabulary of Gaemi: money, ids, instruments, orders, quotes and the messages between its processes.
//!
//! Everything here is pure: no input or output, no clock, no async, no SQL. A value of one of these types is valid
//! by construction, so code that receives one never checks it again.

pub mod activity;
pub mod broker;
pub mod decimal;
pub mod ids;
pub mod inquiry;
pub mod instrument;
pub mod locks;
pub mod market_data;
pub mod money;
pub mod order;
pub mod quote;
pub mod terms;

pub use activity::ActivityKind;
pub use decimal::{DecimalError, DecimalText};
pub use ids::{AccountId, ClientOrderId, OrderGroupId, OrderId, ReplaceId, UserId};
pub use instrument::{Market, Symbol};
pub use money::{Currency, Money, MoneyError, Notional, Percent, Price, Quantity};
pub use order::{OrderStatus, Side};
pub use quote::{Bar, Quote};
pub use terms::{
    Contradiction, Lifetime, NewOrder, OrderType, PriceFields, Pricing, Size, TimeInForce, Trail,
};
