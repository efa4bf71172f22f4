//! Orders: from the wish to the books.
//!
//! Promises: an order that was answered with `201` is durable and will reach its broker, whatever is killed when; a
//! key names one order for ever; what a broker reports is applied exactly once, in order, in one transaction with the
//! money it moves; nobody but the journal's applier says what happened to an order. Asks `risk` for every order and
//! books through `account` and `portfolio`.

mod account_halt_routes;
mod account_halts;
mod activities;
mod applier;
mod apply;
mod batch;
mod brokerage;
mod brokerage_routes;
mod bulk;
mod closing;
mod connector;
mod decide;
mod delivery;
mod dispatcher;
mod document;
mod estimate;
mod fit;
mod friction;
mod gate;
mod group;
mod halt_file;
mod halts;
mod hours;
mod incident;
mod inquirer;
mod keys;
mod lane;
mod listing;
mod margin;
mod notice;
mod offers;
mod order;
mod order_cap;
mod pace;
mod pauses;
mod placement;
mod recall;
mod reconcile;
mod replace;
mod requests;
mod routes;
mod service;
#[cfg(test)]
mod simulation;
mod store;
mod stranger;
mod truth;
mod truth_routes;
mod undo;

pub use brokerage_routes::routes as brokerage_routes;
pub use closing::Closing;
pub use document::{OrderDocument, OrderState};
pub use lane::broker_tells_activities;
pub use notice::tell_name_blocked;
pub use placement::PlacementWriter;
pub use recall::{has_open_orders, is_anything_under_way};
pub use routes::routes;
pub use service::TradingService;
pub use truth_routes::routes as truth_routes;
