//! The process that talks to brokers: one adapter per broker behind the [`broker::Broker`] trait, side by side.
//!
//! It takes orders and cancels over HTTP from the backend and nobody else, and writes what brokers report into the
//! journal `broker.execution_reports`. It decides nothing about risk or money.

mod body;
pub mod broker;
pub mod credentials;
mod db;
mod directory;
pub mod journal;
mod problem;
pub mod recovery;
mod routes;
mod settings;
mod startup;
mod token;

pub use settings::{AdapterSettings, Settings};
pub use startup::Application;
