//! The providers there are, and which of them are used.

use super::{Provider, ProviderError, replay, synthetic, yahoo};
use crate::cache::Cache;
use crate::settings::Settings;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long `auto` waits for Yahoo's answer.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

type Open = fn(&Settings, &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError>;

/// Every provider: one line each.
const REGISTRY: &[(&str, Open)] =
    &[(yahoo::NAME, yahoo::open), (replay::NAME, replay::open), (synthetic::NAME, synthetic::open)];

fn open(name: &str, settings: &Settings, cache: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    let Some((_, open)) = REGISTRY.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = REGISTRY.iter().map(|(name, _)| *name).collect();
        let message = format!("GAEMI_PROVIDERS names {name:?}; it may name auto or {}", names.join(", "));
        return Err(ProviderError::Unusable(message));
    };
    open(settings, cache)
}

/// Opens the configured providers, in order.
///
/// # Errors
/// [`ProviderError::Unusable`] for a name that does not exist or data that cannot be played.
pub async fn choose(
    settings: &Settings,
    cache: &Arc<Cache>,
) -> Result<Vec<Arc<dyn Provider>>, ProviderError> {
    let automatic = settings.providers.iter().any(|name| name == "auto");
    if !automatic {
        return settings.providers.iter().map(|name| open(name, settings, cache)).collect();
    }
    let live = open(yahoo::NAME, settings, cache)?;
    match timeout(PROBE_TIMEOUT, live.probe()).await {
        Ok(Ok(())) => return Ok(vec![live]),
        Ok(Err(error)) => tracing::info!(%error, "yahoo does not answer; playing recorded prices"),
        Err(_) => tracing::info!("yahoo does not answer in time; playing recorded prices"),
    }
    [replay::NAME, synthetic::NAME].iter().map(|name| open(name, settings, cache)).collect()
}
