//! The providers there are, and which of them are used for which market.

use super::{Provider, ProviderError, alpaca, alpha_vantage, kiwoom, replay, synthetic, yahoo};
use crate::cache::Cache;
use crate::settings::Settings;
use domain::Market;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long `auto` waits for Yahoo's answer.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

type Open = fn(&Settings, &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError>;

/// Every provider: one line each.
const REGISTRY: &[(&str, Open)] = &[
    (yahoo::NAME, yahoo::open),
    (alpaca::NAME, alpaca::open),
    (alpha_vantage::NAME, alpha_vantage::open),
    (kiwoom::NAME, kiwoom::open),
    (replay::NAME, replay::open),
    (synthetic::NAME, synthetic::open),
];

/// The one provider name that stands for a choice.
const AUTOMATIC: &str = "auto";

/// The providers in use, and which of them serve a market, each list in order of preference.
pub struct Chosen {
    /// Every provider once.
    pub providers: Vec<Arc<dyn Provider>>,
    /// For each market, places in [`Self::providers`].
    pub chains: Vec<(Market, Vec<usize>)>,
}

fn unknown(variable: &str, name: &str) -> ProviderError {
    let names: Vec<_> = REGISTRY.iter().map(|(name, _)| *name).collect();
    let message = format!("{variable} names {name:?}; it may name {AUTOMATIC} or {}", names.join(", "));
    ProviderError::Unusable(message)
}

/// The lists there are, by the names of their variables; a market without one follows the general list.
fn lists(settings: &Settings) -> [(Market, &'static str, &[String]); 2] {
    let krx = settings.providers_krx.as_deref();
    let us = settings.providers_us.as_deref();
    let general = settings.providers.as_slice();
    [
        (
            Market::Krx,
            if krx.is_some() { "GAEMI_PROVIDERS_KRX" } else { "GAEMI_PROVIDERS" },
            krx.unwrap_or(general),
        ),
        (
            Market::Us,
            if us.is_some() { "GAEMI_PROVIDERS_US" } else { "GAEMI_PROVIDERS" },
            us.unwrap_or(general),
        ),
    ]
}

/// Whether every configured name is one of a provider. Opens nothing and asks nobody.
///
/// # Errors
/// [`ProviderError::Unusable`] with the first name that is not.
pub fn check_names(settings: &Settings) -> Result<(), ProviderError> {
    let known = |name: &str| name == AUTOMATIC || REGISTRY.iter().any(|(known, _)| *known == name);
    for (_, variable, list) in lists(settings) {
        if let Some(name) = list.iter().find(|name| !known(name)) {
            return Err(unknown(variable, name));
        }
    }
    Ok(())
}

/// Providers that are open already, in the order in which they were opened.
struct Opened<'a> {
    settings: &'a Settings,
    cache: &'a Arc<Cache>,
    providers: Vec<Arc<dyn Provider>>,
    automatic: Option<Vec<usize>>,
}

impl Opened<'_> {
    fn open(&mut self, name: &str) -> Result<usize, ProviderError> {
        if let Some(place) = self.providers.iter().position(|provider| provider.name() == name) {
            return Ok(place);
        }
        let (_, open) = REGISTRY
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| unknown("GAEMI_PROVIDERS", name))?;
        self.providers.push(open(self.settings, self.cache)?);
        Ok(self.providers.len().saturating_sub(1))
    }

    /// Yahoo when it answers, else what needs no network.
    async fn automatic(&mut self) -> Result<Vec<usize>, ProviderError> {
        if let Some(places) = &self.automatic {
            return Ok(places.clone());
        }
        let (_, open) =
            REGISTRY.iter().find(|(name, _)| *name == yahoo::NAME).ok_or_else(|| unknown("", yahoo::NAME))?;
        let live = open(self.settings, self.cache)?;
        let places = match timeout(PROBE_TIMEOUT, live.probe()).await {
            Ok(Ok(())) => {
                self.providers.push(live);
                vec![self.providers.len().saturating_sub(1)]
            }
            Ok(Err(error)) => {
                tracing::info!(%error, "yahoo does not answer; playing recorded prices");
                vec![self.open(replay::NAME)?, self.open(synthetic::NAME)?]
            }
            Err(_) => {
                tracing::info!("yahoo does not answer in time; playing recorded prices");
                vec![self.open(replay::NAME)?, self.open(synthetic::NAME)?]
            }
        };
        self.automatic = Some(places.clone());
        Ok(places)
    }
}

/// Opens the configured providers, in order.
///
/// # Errors
/// [`ProviderError::Unusable`] for a name that does not exist or data that cannot be played.
pub async fn choose(settings: &Settings, cache: &Arc<Cache>) -> Result<Chosen, ProviderError> {
    check_names(settings)?;
    let mut opened = Opened { settings, cache, providers: Vec::new(), automatic: None };
    let mut chains = Vec::new();
    for (market, _, list) in lists(settings) {
        let mut chain: Vec<usize> = Vec::new();
        let names: Vec<&String> = list.iter().collect();
        if names.iter().any(|name| *name == AUTOMATIC) {
            chain = opened.automatic().await?;
        } else {
            for name in names {
                let place = opened.open(name)?;
                if !chain.contains(&place) {
                    chain.push(place);
                }
            }
        }
        chains.push((market, chain));
    }
    Ok(Chosen { providers: opened.providers, chains })
}
