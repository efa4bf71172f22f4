//! Every URL of the server but `/ws`.

use crate::history;
use crate::instruments;
use crate::problem::Problem;
use crate::provider::{Provider, ProviderError};
use crate::server::Context;
use bytes::Bytes;
use domain::quote::Instrument;
use domain::{Bar, Currency, Quote, Symbol};
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a request for a quote waits for the first price.
const QUOTE_PATIENCE: Duration = Duration::from_secs(3);
/// How long a request for history waits for its provider.
const HISTORY_PATIENCE: Duration = Duration::from_secs(15);

type Answer = Result<Response<Full<Bytes>>, Problem>;

/// Answers a GET.
pub(crate) async fn answer(path: &str, query: &str, context: &Arc<Context>) -> Answer {
    let path = path.strip_prefix('/').ok_or(Problem::NotFound)?;
    match path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest))) {
        ("health", None) => Ok(json_response(&json!({ "status": "ok" }))),
        ("ready", None) => ready(context),
        ("status", None) => Ok(status(context)),
        ("symbols", None) => Ok(symbols(context)),
        ("quote", Some(symbol)) => quote(read_symbol(symbol)?, context).await,
        ("history", Some(symbol)) => bars(read_symbol(symbol)?, query, context).await,
        _ => Err(Problem::NotFound),
    }
}

fn json_response(body: &impl Serialize) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(serde_json::to_vec(body).unwrap_or_default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn read_symbol(text: &str) -> Result<Symbol, Problem> {
    text.parse().map_err(|_| Problem::InvalidSymbol)
}

fn ready(context: &Context) -> Answer {
    if context.stop.is_cancelled() || context.feed.providers.is_empty() {
        return Err(Problem::NotReady);
    }
    Ok(json_response(&json!({ "status": "ready" })))
}

fn provider_of(symbol: Symbol, context: &Context) -> Result<&Arc<dyn Provider>, Problem> {
    context.feed.provider_of(symbol).ok_or_else(|| Problem::UnknownSymbol(symbol.to_string()))
}

async fn quote(symbol: Symbol, context: &Context) -> Answer {
    provider_of(symbol, context)?;
    let quote: Option<Arc<Quote>> = context.feed.hub.quote(symbol, QUOTE_PATIENCE).await;
    match quote {
        Some(quote) => Ok(json_response(quote.as_ref())),
        None => {
            // The provider may have learned meanwhile that there is no such share.
            provider_of(symbol, context)?;
            Err(Problem::NoPriceYet(symbol.to_string()))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    symbol: Symbol,
    currency: Currency,
    source: &'static str,
    simulated: bool,
    interval: &'static str,
    bars: Vec<Bar>,
}

async fn bars(symbol: Symbol, query: &str, context: &Context) -> Answer {
    let range = history::parse_query(query)?;
    let provider = provider_of(symbol, context)?;
    let answer = tokio::time::timeout(HISTORY_PATIENCE, provider.history(symbol, range)).await;
    let bars = answer
        .unwrap_or_else(|_| Err(ProviderError::Unavailable("it took too long".to_owned())))
        .map_err(|error| match error {
            ProviderError::UnknownSymbol(symbol) => Problem::UnknownSymbol(symbol.to_string()),
            ProviderError::Unsupported(_) => Problem::Unsupported(error.to_string()),
            ProviderError::Unavailable(_) | ProviderError::Unusable(_) => {
                tracing::warn!(%symbol, %error, provider = provider.name(), "no history");
                Problem::ProviderUnavailable(format!("{} does not answer; try again", provider.name()))
            }
        })?;
    Ok(json_response(&History {
        symbol,
        currency: symbol.currency(),
        source: provider.name(),
        simulated: provider.capabilities().simulated,
        interval: "1d",
        bars,
    }))
}

fn symbols(context: &Context) -> Response<Full<Bytes>> {
    let mut listed: BTreeMap<Symbol, Instrument> = BTreeMap::new();
    for provider in &context.feed.providers {
        for symbol in provider.instruments() {
            let simulated = provider.capabilities().simulated;
            listed.entry(symbol).or_insert_with(|| instruments::describe(symbol, provider.name(), simulated));
        }
    }
    json_response(&json!({ "symbols": listed.into_values().collect::<Vec<_>>() }))
}

fn status(context: &Context) -> Response<Full<Bytes>> {
    let feed = &context.feed;
    let describe = |provider: &Arc<dyn Provider>| json!({ "name": provider.name(), "capabilities": provider.capabilities(), "report": provider.report() });
    json_response(&json!({
        "startedAt": context.started_at,
        "providers": feed.providers.iter().map(describe).collect::<Vec<_>>(),
        "quotes": {
            "published": feed.hub.counters.published.load(Ordering::Relaxed),
            "conflated": feed.hub.counters.conflated.load(Ordering::Relaxed),
            "quarantined": feed.hub.quarantined(),
        },
        "subscribers": {
            "connections": feed.hub.counters.connections.load(Ordering::Relaxed),
            "symbols": feed.hub.subscribed_symbols(),
        },
        "cache": feed.cache.status(),
    }))
}
