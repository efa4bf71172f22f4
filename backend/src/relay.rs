//! The quote stream for browsers.

use tokio_util::sync::CancellationToken;
use utoipa_actix_web::service_config::ServiceConfig;

/// The way to the quote server's WebSocket.
pub struct Relay {}

impl Relay {
    /// A relay to the quote server at `url`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(_url: &str, _stop: CancellationToken) -> anyhow::Result<Self> {
        Ok(Self {})
    }
}

/// This module's URLs.
pub fn routes(_config: &mut ServiceConfig<'_>) {}
