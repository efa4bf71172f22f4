//! Every URL of the server but `/ws`.

use crate::bars::action::in_order;
use crate::calendar;
use crate::history;
use crate::instruments;
use crate::metrics;
use crate::play;
use crate::problem::Problem;
use crate::provider::{Provider, ProviderError};
use crate::query;
use crate::search;
use crate::server::Context;
use bytes::Bytes;
use chrono::Utc;
use domain::quote::Instrument;
use domain::{Market, Quote, Symbol};
use futures_util::future;
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
/// What a request comes to.
pub(crate) type Answer = Result<Response<Full<Bytes>>, Problem>;

/// Answers a GET.
pub(crate) async fn answer(path: &str, query: &str, context: &Arc<Context>) -> Answer {
    let path = path.strip_prefix('/').ok_or(Problem::NotFound)?;
    match path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest))) {
        ("health", None) => Ok(json_response(&json!({ "status": "ok" }))),
        ("ready", None) => ready(context),
        ("status", None) => Ok(status(context)),
        ("metrics", None) => Ok(metrics_response(context)),
        ("symbols", None) => Ok(symbols(context)),
        ("replay", None) => play::tell(context).await,
        ("search", None) => search::answer(query, context).await,
        ("calendar", None) => {
            Ok(json_response(&calendar::answer(&calendar::parse_query(query)?, Utc::now())))
        }
        ("quote", None) => quotes(query, context).await,
        ("quote", Some(symbol)) => quote(read_symbol(symbol)?, context).await,
        ("orderbook", Some(symbol)) => order_book(read_symbol(symbol)?, context).await,
        ("news", Some(symbol)) => news(read_symbol(symbol)?, query, context).await,
        ("actions", Some(symbol)) => actions(read_symbol(symbol)?, context).await,
        ("history", Some(symbol)) => history::answer(read_symbol(symbol)?, query, context).await,
        _ => Err(Problem::NotFound),
    }
}

pub(crate) fn json_response(body: &impl Serialize) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(serde_json::to_vec(body).unwrap_or_default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn metrics_response(context: &Context) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(metrics::write(&context.feed)));
    let form = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, form);
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

pub(crate) fn provider_of(symbol: Symbol, context: &Context) -> Result<&Arc<dyn Provider>, Problem> {
    context.feed.provider_of(symbol).ok_or_else(|| Problem::UnknownSymbol(symbol.to_string()))
}

async fn quote(symbol: Symbol, context: &Context) -> Answer {
    wait_for_quote(symbol, context).await.map(|quote| json_response(quote.as_ref()))
}

async fn wait_for_quote(symbol: Symbol, context: &Context) -> Result<Arc<Quote>, Problem> {
    provider_of(symbol, context)?;
    if let Some(quote) = context.feed.hub.quote(symbol, QUOTE_PATIENCE).await {
        return Ok(quote);
    }
    // The provider may have learned meanwhile that there is no such share.
    provider_of(symbol, context)?;
    Err(Problem::NoPriceYet(symbol.to_string()))
}

/// Most symbols in one request for quotes.
const QUOTES_MAX: usize = 100;

#[derive(Serialize)]
struct MissingQuote {
    symbol: String,
    code: &'static str,
}

/// Many quotes at once: a symbol without one spoils no other.
async fn quotes(query: &str, context: &Context) -> Answer {
    let [symbols] = query::read(query, ["symbols"])?;
    let symbols = symbols.ok_or_else(|| query::invalid("symbols", "required", "is required"))?;
    let mut names: Vec<_> = symbols.split(',').collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > QUOTES_MAX {
        return Err(query::invalid("symbols", "count", format!("may name at most {QUOTES_MAX}")));
    }
    let one = |name: &str| {
        let name = name.to_owned();
        async move {
            let asked = match name.parse() {
                Ok(symbol) => wait_for_quote(symbol, context).await,
                Err(_) => Err(Problem::InvalidSymbol),
            };
            asked.map_err(|problem| MissingQuote { symbol: shown(&name), code: problem.code() })
        }
    };
    let asked = future::join_all(names.into_iter().map(one)).await;
    let (mut quotes, mut missing) = (Vec::new(), Vec::new());
    for answer in asked {
        match answer {
            Ok(quote) => quotes.push(quote),
            Err(absent) => missing.push(absent),
        }
    }
    let quotes: Vec<&Quote> = quotes.iter().map(AsRef::as_ref).collect();
    Ok(json_response(&json!({ "quotes": quotes, "missing": missing })))
}

/// What a client wrote, no longer than a symbol can be.
fn shown(text: &str) -> String {
    text.chars().take(domain::instrument::SYMBOL_LENGTH_MAX * 2).collect()
}

/// How long a request waits for what is asked of a provider anew each time.
const PROVIDER_PATIENCE: Duration = Duration::from_secs(12);

/// The refusal that a provider's failure comes to.
pub(crate) fn refuse(provider: &dyn Provider, symbol: Symbol, error: &ProviderError) -> Problem {
    match error {
        ProviderError::UnknownSymbol(symbol) => Problem::UnknownSymbol(symbol.to_string()),
        ProviderError::Unsupported(_) => Problem::Unsupported(error.to_string()),
        _ => {
            tracing::warn!(%symbol, %error, provider = provider.name(), "no answer from the provider");
            Problem::ProviderUnavailable(format!("{} does not answer; try again", provider.name()))
        }
    }
}

async fn order_book(symbol: Symbol, context: &Context) -> Answer {
    let provider = provider_of(symbol, context)?;
    let book = tokio::time::timeout(PROVIDER_PATIENCE, provider.order_book(symbol)).await;
    let book = book.unwrap_or_else(|_| Err(ProviderError::Unavailable("it took too long".to_owned())));
    Ok(json_response(&book.map_err(|error| refuse(provider.as_ref(), symbol, &error))?))
}

/// Headlines in an answer when the query says nothing, and at most.
const NEWS_DEFAULT: usize = 10;
const NEWS_MAX: usize = 50;

async fn news(symbol: Symbol, query: &str, context: &Context) -> Answer {
    let [limit] = query::read(query, ["limit"])?;
    let limit = query::count("limit", limit, NEWS_MAX)?.unwrap_or(NEWS_DEFAULT);
    let provider = provider_of(symbol, context)?;
    // Whoever serves the price may have no news while another has.
    let others = context.feed.chain(symbol.market()).filter(|other| !Arc::ptr_eq(other, provider));
    let mut refusal = None;
    for provider in std::iter::once(provider).chain(others) {
        let asked = tokio::time::timeout(PROVIDER_PATIENCE, provider.news(symbol, limit)).await;
        match asked.unwrap_or_else(|_| Err(ProviderError::Unavailable("it took too long".to_owned()))) {
            Ok(headlines) => {
                return Ok(json_response(
                    &json!({ "symbol": symbol, "source": provider.name(), "news": headlines }),
                ));
            }
            Err(error) => {
                refusal.get_or_insert_with(|| refuse(provider.as_ref(), symbol, &error));
            }
        }
    }
    Err(refusal.unwrap_or_else(|| Problem::Unsupported("no provider has news".to_owned())))
}

/// What changed the count or the worth of a share, as its source tells it.
async fn actions(symbol: Symbol, context: &Context) -> Answer {
    let provider = provider_of(symbol, context)?;
    let asking = async {
        match &context.feed.archive {
            Some(archive) => archive.actions(provider, symbol, Utc::now()).await,
            None => provider.actions(symbol).await.map(|told| (in_order(told), true)),
        }
    };
    let told = tokio::time::timeout(PROVIDER_PATIENCE, asking).await;
    let told = told.unwrap_or_else(|_| Err(ProviderError::Unavailable("it took too long".to_owned())));
    let (actions, complete) = told.map_err(|error| refuse(provider.as_ref(), symbol, &error))?;
    Ok(json_response(&json!({
        "symbol": symbol,
        "currency": symbol.currency(),
        "source": provider.name(),
        "complete": complete,
        "actions": actions,
    })))
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

/// Most symbols whose source `/status` tells.
const SERVING_MAX: usize = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Serving {
    symbol: Symbol,
    source: String,
    age_seconds: i64,
    delayed: bool,
    simulated: bool,
    /// Whether newer values keep coming.
    fresh: bool,
    /// Why not the preferred source.
    why_not_better: Option<String>,
}

/// The last known values by their source and age, and why no better source serves them.
fn serving(context: &Context) -> Vec<Serving> {
    let now = Utc::now();
    let describe = |(quote, fresh): (Arc<Quote>, bool)| {
        let better =
            context.feed.chain(quote.symbol.market()).take_while(|known| known.name() != quote.source);
        let why = better.map(|provider| match provider.health() {
            _ if !provider.supports(quote.symbol) => format!("{} does not have it", provider.name()),
            Some(health) if provider.is_resting() => {
                let error = health.last_error.unwrap_or_else(|| "its requests of today are spent".to_owned());
                format!("{} is given a rest: {error}", provider.name())
            }
            _ => format!("{} has sent nothing yet", provider.name()),
        });
        let why: Vec<_> = why.collect();
        Serving {
            symbol: quote.symbol,
            source: quote.source.clone(),
            age_seconds: (now - quote.at).num_seconds(),
            delayed: quote.delayed,
            simulated: quote.simulated,
            fresh,
            why_not_better: Some(why.join("; ")).filter(|why| !why.is_empty()),
        }
    };
    context.feed.hub.all_last(SERVING_MAX).into_iter().map(describe).collect()
}

fn status(context: &Context) -> Response<Full<Bytes>> {
    let feed = &context.feed;
    let describe = |provider: &Arc<dyn Provider>| json!({ "name": provider.name(), "capabilities": provider.capabilities(), "report": provider.report(), "health": provider.health() });
    let names = |market| feed.chain(market).map(|provider| provider.name()).collect::<Vec<_>>();
    json_response(&json!({
        "startedAt": context.started_at,
        "providers": feed.providers.iter().map(describe).collect::<Vec<_>>(),
        "chains": { "KRX": names(Market::Krx), "US": names(Market::Us) },
        "serving": serving(context),
        "quotes": {
            "published": feed.hub.counters.published.load(Ordering::Relaxed),
            "conflated": feed.hub.counters.conflated.load(Ordering::Relaxed),
            "quarantined": feed.hub.quarantine.counts(),
            "keptBack": feed.hub.quarantine.recent(),
        },
        "subscribers": {
            "connections": feed.hub.counters.connections.load(Ordering::Relaxed),
            "symbols": feed.hub.subscribed_symbols(),
        },
        "cache": feed.cache.status(),
        "group": feed.group.as_ref().map(|group| group.status()),
        "bars": feed.archive.as_ref().map(|archive| archive.status()),
    }))
}
