//! This module's URLs.

use super::service::{BarInterval, HistoryBar, HistoryRange, Market};
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::extract::{CurrentUser, Params};
use crate::openapi::Routes;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::quote::Instrument;
use domain::{Currency, Quote, Symbol};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most bars of one answer.
const BARS_MAX: u32 = 5000;
/// Last year that can be asked for; a date is written with four digits for it.
const YEAR_MAX: i32 = 9999;

pub(super) fn all(config: &mut Routes<'_>) {
    config.service(list_symbols).service(show_quote).service(show_history);
}

/// A share that can be quoted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListedSymbol {
    #[schema(value_type = String, example = "AAPL")]
    symbol: Symbol,
    /// In English.
    name: String,
    /// In Korean.
    name_korean: String,
    currency: Currency,
    market: domain::Market,
    /// Provider that serves it now.
    source: String,
    /// Whether its prices are invented.
    simulated: bool,
}

impl From<Instrument> for ListedSymbol {
    fn from(instrument: Instrument) -> Self {
        Self {
            symbol: instrument.symbol,
            name: instrument.name,
            name_korean: instrument.name_korean,
            currency: instrument.currency,
            market: instrument.symbol.market(),
            source: instrument.source,
            simulated: instrument.simulated,
        }
    }
}

/// What can be quoted.
#[derive(Serialize, ToSchema)]
struct SymbolList {
    symbols: Vec<ListedSymbol>,
}

/// The latest word on one share.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Quote)]
struct QuoteAnswer {
    #[schema(value_type = String, example = "AAPL")]
    symbol: Symbol,
    /// Last trade.
    price: String,
    /// Best price to sell at, if the source has one.
    #[schema(required = true)]
    bid: Option<String>,
    /// Best price to buy at, if the source has one.
    #[schema(required = true)]
    ask: Option<String>,
    /// Difference from the close before.
    #[schema(required = true)]
    change: Option<String>,
    /// The same in percent.
    #[schema(required = true)]
    change_percent: Option<String>,
    open: String,
    high: String,
    low: String,
    #[schema(required = true)]
    previous_close: Option<String>,
    /// Shares traded in the session so far.
    volume: u64,
    currency: Currency,
    /// The trading day the price belongs to; long past in a replay.
    session_date: NaiveDate,
    /// When the price was current.
    at: DateTime<Utc>,
    /// Name of the provider.
    source: String,
    /// Whether the price is invented.
    simulated: bool,
    /// Whether the source holds prices back or plays recorded ones.
    delayed: bool,
}

impl From<&Quote> for QuoteAnswer {
    fn from(quote: &Quote) -> Self {
        Self {
            symbol: quote.symbol,
            price: quote.price.to_string(),
            bid: quote.bid.map(|price| price.to_string()),
            ask: quote.ask.map(|price| price.to_string()),
            change: quote.change().map(|value| value.to_string()),
            change_percent: quote.change_percent().map(|value| value.to_string()),
            open: quote.open.to_string(),
            high: quote.high.to_string(),
            low: quote.low.to_string(),
            previous_close: quote.previous_close.map(|price| price.to_string()),
            volume: quote.volume,
            currency: quote.currency,
            session_date: quote.session_date,
            at: quote.at,
            source: quote.source.clone(),
            simulated: quote.simulated,
            delayed: quote.delayed,
        }
    }
}

/// The prices of one trading day, or of a shorter span.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Bar)]
struct BarAnswer {
    /// The trading day it is, or lies in.
    date: NaiveDate,
    /// Its first moment; absent for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<DateTime<Utc>>,
    open: String,
    high: String,
    low: String,
    close: String,
    /// Shares traded.
    volume: u64,
}

impl BarAnswer {
    /// A bar that says neither its day nor its moment is none.
    fn of(market: domain::Market, bar: &HistoryBar) -> Option<Self> {
        let day = || bar.starts_at.map(|at| exchange::market_day(market, at));
        Some(Self {
            date: bar.date.or_else(day)?,
            starts_at: bar.starts_at,
            open: bar.open.to_string(),
            high: bar.high.to_string(),
            low: bar.low.to_string(),
            close: bar.close.to_string(),
            volume: bar.volume,
        })
    }
}

/// Prices of the past, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = History)]
struct HistoryAnswer {
    #[schema(value_type = String, example = "AAPL")]
    symbol: Symbol,
    currency: Currency,
    /// Name of the provider.
    source: String,
    /// Whether the prices are invented.
    simulated: bool,
    /// What each bar spans.
    interval: BarInterval,
    bars: Vec<BarAnswer>,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// First day.
    from: Option<NaiveDate>,
    /// Last day.
    to: Option<NaiveDate>,
    /// Most bars, at most 5000; the latest win.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<u32>,
    /// `1d` unless given. Shorter ones are there where the share's source has them.
    interval: Option<BarInterval>,
}

impl HistoryQuery {
    fn check(self) -> ApiResult<HistoryRange> {
        if self.limit.is_some_and(|limit| !(1..=BARS_MAX).contains(&limit)) {
            return Err(ApiError::field(
                "limit",
                "out_of_range",
                format!("must be between 1 and {BARS_MAX}"),
            ));
        }
        for (field, day) in [("from", self.from), ("to", self.to)] {
            if day.is_some_and(|day| !(1..=YEAR_MAX).contains(&day.year())) {
                return Err(ApiError::field(field, "out_of_range", "must be a date such as 2010-12-31"));
            }
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(ApiError::field("from", "out_of_range", "must not be later than `to`"));
        }
        let interval = self.interval.unwrap_or_default();
        Ok(HistoryRange { from: self.from, to: self.to, limit: self.limit, interval })
    }
}

/// What is no symbol is quoted nowhere.
pub(super) fn read_symbol(text: &str) -> ApiResult<Symbol> {
    text.parse().map_err(|error: domain::instrument::SymbolError| {
        ApiError::new(ErrorCode::UnknownSymbol, format!("a symbol {error}"))
    })
}

/// Every share that can be quoted.
#[utoipa::path(tag = "market", responses(
    (status = 200, body = SymbolList),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/symbols")]
async fn list_symbols(market: Data<Market>, _: CurrentUser) -> ApiResult<Json<SymbolList>> {
    let symbols = market.symbols().await?;
    Ok(Json(SymbolList { symbols: symbols.into_iter().map(ListedSymbol::from).collect() }))
}

/// The latest price of a share.
#[utoipa::path(tag = "market", params(("symbol" = String, Path, example = "AAPL")), responses(
    (status = 200, body = QuoteAnswer),
    (status = 404, description = "unknown_symbol", body = Problem),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/quote/{symbol}")]
async fn show_quote(
    market: Data<Market>,
    _: CurrentUser,
    symbol: Path<String>,
) -> ApiResult<Json<QuoteAnswer>> {
    let quote = market.quote(read_symbol(&symbol)?).await?;
    Ok(Json(QuoteAnswer::from(quote.as_ref())))
}

/// The prices of a share in the past: by the day, or by a shorter interval where its source has one.
#[utoipa::path(tag = "market", params(("symbol" = String, Path, example = "AAPL"), HistoryQuery), responses(
    (status = 200, body = HistoryAnswer),
    (status = 404, description = "unknown_symbol", body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 501, description = "unsupported", body = Problem),
    (status = 503, description = "price_unavailable", body = Problem)
))]
#[get("/market/history/{symbol}")]
async fn show_history(
    market: Data<Market>,
    _: CurrentUser,
    symbol: Path<String>,
    Params(query): Params<HistoryQuery>,
) -> ApiResult<Json<HistoryAnswer>> {
    let symbol = read_symbol(&symbol)?;
    let history = market.history(symbol, query.check()?).await?;
    Ok(Json(HistoryAnswer {
        symbol: history.symbol,
        currency: history.currency,
        source: history.source,
        simulated: history.simulated,
        interval: history.interval,
        bars: history.bars.iter().filter_map(|bar| BarAnswer::of(symbol.market(), bar)).collect(),
    }))
}
