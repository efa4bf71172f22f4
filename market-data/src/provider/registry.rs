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

/// The one provider name that stands for a choice.
const AUTOMATIC: &str = "auto";

fn unknown(name: &str) -> ProviderError {
    let names: Vec<_> = REGISTRY.iter().map(|(name, _)| *name).collect();
    let message = format!("GAEMI_PROVIDERS names {name:?}; it may name {AUTOMATIC} or {}", names.join(", "));
    ProviderError::Unusable(message)
}

fn open(name: &str, settings: &Settings, cache: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    let (_, open) = REGISTRY.iter().find(|(known, _)| *known == name).ok_or_else(|| unknown(name))?;
    open(settings, cache)
}

/// Whether every configured name is one of a provider. Opens nothing and asks nobody.
///
/// # Errors
/// [`ProviderError::Unusable`] with the first name that is not.
pub fn check_names(settings: &Settings) -> Result<(), ProviderError> {
    let known = |name: &str| name == AUTOMATIC || REGISTRY.iter().any(|(known, _)| *known == name);
    settings.providers.iter().find(|name| !known(name)).map_or(Ok(()), |name| Err(unknown(name)))
}

/// Opens the configured providers, in order.
///
/// # Errors
/// [`ProviderError::Unusable`] for a name that does not exist or data that cannot be played.
pub async fn choose(
    settings: &Settings,
    cache: &Arc<Cache>,
) -> Result<Vec<Arc<dyn Provider>>, ProviderError> {
    check_names(settings)?;
    let automatic = settings.providers.iter().any(|name| name == AUTOMATIC);
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
