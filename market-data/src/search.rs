//! `/search`: the own list first, and what others know where it does not answer.

use crate::instruments;
use crate::lookup::Elsewhere;
use crate::provider::{Listing, Provider};
use crate::routes::{self, json_response};
use crate::server::Context;
use chrono::{DateTime, Utc};
use domain::{Currency, Market, Symbol};
use instruments::SearchQuery;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FoundAnswer {
    symbol: Symbol,
    name: String,
    name_korean: String,
    market: Market,
    board: Option<&'static str>,
    currency: Currency,
    /// Shares in the smallest order.
    lot_size: &'static str,
    /// Step between prices at the last known price.
    tick_size: Option<String>,
    /// What its market does now.
    session: &'static str,
    /// Who serves it; nobody when there is none.
    source: Option<&'static str>,
    simulated: Option<bool>,
    /// Who has found it, where it is not in the own list.
    found_by: Option<&'static str>,
}

/// A share to be shown, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    symbol: Symbol,
    /// Its name, and who told it; those of the own list when nobody did.
    told: Option<(String, &'static str)>,
}

/// The shares to be shown: one whose very code was typed before all, then the own ones, then the others; none twice.
fn merge(query: &SearchQuery, own: &[Symbol], elsewhere: Option<&Elsewhere>) -> Vec<Hit> {
    let mut hits: Vec<_> = own.iter().map(|symbol| Hit { symbol: *symbol, told: None }).collect();
    let mut exact = 0;
    let in_market = |listing: &&Listing| query.market.is_none_or(|market| listing.symbol.market() == market);
    let others = elsewhere.into_iter().flat_map(|elsewhere| {
        elsewhere.listings.iter().filter(in_market).map(|listing| (listing, elsewhere.found_by))
    });
    for (listing, found_by) in others {
        let symbol = listing.symbol;
        if hits.iter().any(|hit| hit.symbol == symbol) {
            continue;
        }
        let told = (!instruments::is_named(symbol)).then(|| (listing.name.clone(), found_by));
        if query.is_code_of(symbol) {
            hits.insert(exact, Hit { symbol, told });
            exact += 1;
        } else {
            hits.push(Hit { symbol, told });
        }
    }
    hits.truncate(query.limit);
    hits
}

/// Answers `/search`.
pub(crate) async fn answer(query: &str, context: &Context) -> routes::Answer {
    let query = instruments::parse_query(query)?;
    let offered: Vec<_> = context.feed.providers.iter().flat_map(|provider| provider.instruments()).collect();
    let own = instruments::search(&query, &offered);
    let searchers = if query.asks_for_more(&own) { searchers(&query, context) } else { Vec::new() };
    let elsewhere = context.lookup.find(&query.words, query.market, &searchers).await;
    let own: Vec<_> = own.into_iter().map(|found| found.symbol).collect();
    let hits = merge(&query, &own, elsewhere.as_deref());
    let now = Utc::now();
    let found: Vec<_> = hits.into_iter().map(|hit| describe(hit, context, now)).collect();
    let complete = searchers.is_empty() || elsewhere.is_some();
    Ok(json_response(&json!({ "instruments": found, "complete": complete })))
}

/// The providers that may know more about what is asked for.
fn searchers<'a>(query: &SearchQuery, context: &'a Context) -> Vec<&'a Arc<dyn Provider>> {
    let feed = &context.feed;
    let serves = |provider: &Arc<dyn Provider>, market| {
        feed.chain(market).any(|serving| Arc::ptr_eq(serving, provider))
    };
    let providers = feed.providers.iter().filter(|provider| provider.capabilities().search);
    providers.filter(|provider| query.market.is_none_or(|market| serves(provider, market))).collect()
}

fn describe(hit: Hit, context: &Context, now: DateTime<Utc>) -> FoundAnswer {
    let Hit { symbol, told } = hit;
    let (provider, market) = (context.feed.provider_of(symbol), symbol.market());
    let known = context.feed.hub.last(symbol);
    let tick = |price| exchange::tick_size(symbol, price, exchange::market_day(market, now));
    let (name, name_korean, found_by) = match told {
        // Vendors tell one name.
        Some((name, found_by)) => (name.clone(), name, Some(found_by)),
        None => {
            let named = instruments::describe(symbol, "", false);
            (named.name, named.name_korean, None)
        }
    };
    FoundAnswer {
        symbol,
        name,
        name_korean,
        market,
        board: instruments::board(symbol),
        currency: symbol.currency(),
        lot_size: "1",
        tick_size: known.map(|quote| tick(quote.price).normalize().to_string()),
        session: exchange::phase(market, now).name(),
        source: provider.map(|provider| provider.name()),
        simulated: provider.map(|provider| provider.capabilities().simulated),
        found_by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(texts: &[&str]) -> Vec<Symbol> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn merged(text: &str, own: &[&str], others: &[&str]) -> Vec<String> {
        let query = instruments::parse_query(&format!("q={text}&limit=4")).unwrap();
        let listings = symbols(others).into_iter().map(|symbol| Listing::new(symbol, "Its name")).collect();
        let hits = merge(&query, &symbols(own), Some(&Elsewhere { found_by: "yahoo", listings }));
        let shown = |hit: Hit| format!("{}{}", hit.symbol, if hit.told.is_some() { "*" } else { "" });
        hits.into_iter().map(shown).collect()
    }

    #[test]
    fn own_shares_come_first_none_comes_twice_and_a_very_code_before_all() {
        assert_eq!(merged("roc", &["ROK"], &["RKLB", "ROK"]), ["ROK", "RKLB*"]);
        assert_eq!(merged("ai", &["GOOGL", "MSFT"], &["AIR", "AI"]), ["AI*", "GOOGL", "MSFT", "AIR*"]);
        assert_eq!(
            merged("x", &["A", "B", "C", "F"], &["RKLB"]),
            ["A", "B", "C", "F"],
            "no more than asked for"
        );
        assert_eq!(merged("google", &[], &["GOOGL"]), ["GOOGL"], "under the own names, whoever has found it");
    }

    #[test]
    fn a_market_that_is_not_asked_for_is_left_out() {
        let query = instruments::parse_query("q=rock&market=KRX").unwrap();
        let listings =
            symbols(&["RKLB", "900001.KQ"]).into_iter().map(|symbol| Listing::new(symbol, "Rocket"));
        let elsewhere = Elsewhere { found_by: "yahoo", listings: listings.collect() };
        let hits = merge(&query, &[], Some(&elsewhere));
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].symbol.as_str(), "900001.KQ");
    }
}
