//! The backend of Gaemi: HTTP API, event stream, and the page.

pub mod account;
pub mod activity;
pub mod analytics;
pub mod auth;
pub mod clock;
pub mod corporate;
pub mod db;
pub mod error;
pub mod events;
pub mod extract;
pub mod http;
pub mod market;
pub mod middleware;
pub mod notify;
pub mod openapi;
pub mod operations;
pub mod portfolio;
pub mod refusal;
pub mod relay;
pub mod risk;
pub mod routes;
pub mod settings;
pub mod spa;
pub mod spreadsheet;
pub mod startup;
pub mod trading;

pub use settings::Settings;
pub use startup::Application;
