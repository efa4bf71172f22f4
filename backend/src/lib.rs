//! The backend of Gaemi: HTTP API, event stream, and the page.

pub mod auth;
pub mod db;
pub mod error;
pub mod extract;
pub mod market;
pub mod middleware;
pub mod openapi;
pub mod operations;
pub mod relay;
pub mod routes;
pub mod settings;
pub mod spa;
pub mod startup;

pub use settings::Settings;
pub use startup::Application;
