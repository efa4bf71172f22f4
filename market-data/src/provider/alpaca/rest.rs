//! Alpaca's REST service: the last values, bars and news.

use super::parse;
use crate::bars::interval::moments;
use crate::bars::{Adjustment, BarsRequest, Interval, TimedBar};
use crate::provider::gate::{Gate, Rules};
use crate::provider::{Headline, ProviderError, fetch, useless};
use crate::sanity::Reason;
use crate::settings::AlpacaSettings;
use chrono::{SecondsFormat, TimeDelta};
use domain::{Quote, Symbol};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::time::Duration;

/// Time between two requests: 200 a minute are allowed without a contract.
const SPACING: Duration = Duration::from_millis(320);
/// A caller that would have to wait longer for its turn is refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most pages of one answer: ten thousand bars each.
const PAGES_MAX: usize = 100;
/// Most shares in one request.
pub(super) const SNAPSHOTS_MAX: usize = 100;

/// The credentials.
pub(super) struct Credentials {
    pub(super) key_id: SecretString,
    pub(super) secret: SecretString,
}

impl Credentials {
    pub(super) fn of(settings: &AlpacaSettings) -> Result<Self, ProviderError> {
        let missing = || {
            let message = "provider alpaca needs GAEMI_ALPACA_KEY_ID and GAEMI_ALPACA_SECRET_KEY";
            ProviderError::Unusable(message.to_owned())
        };
        Ok(Self {
            key_id: settings.key_id.clone().ok_or_else(missing)?,
            secret: settings.secret.clone().ok_or_else(missing)?,
        })
    }
}

/// The service.
pub(super) struct Rest {
    client: Client,
    url: String,
    feed: String,
    pub(super) credentials: Credentials,
    pub(super) gate: Gate,
}

impl Rest {
    pub(super) fn new(settings: &AlpacaSettings) -> Result<Self, ProviderError> {
        Ok(Self {
            client: fetch::client()?,
            url: settings.data_url.trim_end_matches('/').to_owned(),
            feed: settings.feed.clone(),
            credentials: Credentials::of(settings)?,
            gate: Gate::new(Rules { spacing: SPACING, patience: PATIENCE, requests_per_day: None }),
        })
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ProviderError> {
        self.gate.enter().await?;
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(query.iter().copied()).finish();
        let request = self
            .client
            .get(format!("{}{path}?{query}", self.url))
            .header("APCA-API-KEY-ID", self.credentials.key_id.expose_secret())
            .header("APCA-API-SECRET-KEY", self.credentials.secret.expose_secret());
        let answer = fetch::read(request).await.and_then(|body| {
            let unreadable = |_| ProviderError::Unavailable("its answer is unreadable".to_owned());
            serde_json::from_slice(&body).map_err(unreadable)
        });
        self.gate.leave(&answer);
        answer
    }

    /// The last values of at most [`SNAPSHOTS_MAX`] shares; one that is not there is unknown.
    pub(super) async fn snapshots(
        &self,
        symbols: &[Symbol],
        source: &str,
        delayed: bool,
    ) -> Result<Vec<(Symbol, Option<Result<Quote, Reason>>)>, ProviderError> {
        let names: Vec<_> = symbols.iter().map(|symbol| parse::vendor_symbol(*symbol)).collect();
        let answer =
            self.ask("/v2/stocks/snapshots", &[("symbols", &names.join(",")), ("feed", &self.feed)]).await?;
        let read = |(symbol, name): (&Symbol, &String)| {
            let row = answer.get(name).filter(|row| row.is_object());
            (*symbol, row.map(|row| parse::snapshot(row, *symbol, source, delayed)))
        };
        Ok(symbols.iter().zip(&names).map(read).collect())
    }

    /// The newest headlines about a share.
    pub(super) async fn news(&self, symbol: Symbol, limit: usize) -> Result<Vec<Headline>, ProviderError> {
        let (name, limit) = (parse::vendor_symbol(symbol), limit.to_string());
        let answer = self.ask("/v1beta1/news", &[("symbols", &name), ("limit", &limit)]).await?;
        Ok(parse::news(&answer))
    }

    /// The bars of a range of days, and what was refused among them.
    pub(super) async fn bars(
        &self,
        request: BarsRequest,
    ) -> Result<(Vec<TimedBar>, Vec<Reason>), ProviderError> {
        let BarsRequest { symbol, interval, adjustment, from, to } = request;
        let market = symbol.market();
        // Days begin at New York's midnight there.
        let (first, after) = moments(market, Interval::OneMinute, from, to);
        let written = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (first, last) = (written(first), written(after - TimeDelta::seconds(1)));
        let name = parse::vendor_symbol(symbol);
        let (mut bars, mut rejected, mut token) = (Vec::new(), Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let mut query = vec![
                ("symbols", name.as_str()),
                ("timeframe", timeframe(interval)),
                ("adjustment", adjusted(adjustment)),
                ("start", &first),
                ("end", &last),
                ("feed", &self.feed),
                ("limit", "10000"),
                ("sort", "asc"),
            ];
            query.extend(token.as_deref().map(|token| ("page_token", token)));
            let answer = self.ask("/v2/stocks/bars", &query).await?;
            let page = parse::page(&answer, symbol, interval).map_err(useless)?;
            bars.extend(page.bars);
            rejected.extend(page.rejected);
            token = page.next;
            if token.is_none() {
                return Ok((bars, rejected));
            }
        }
        Err(ProviderError::Unsupported("so many bars at once"))
    }
}

const fn timeframe(interval: Interval) -> &'static str {
    match interval {
        Interval::OneMinute => "1Min",
        Interval::FiveMinutes => "5Min",
        Interval::FifteenMinutes => "15Min",
        Interval::OneHour => "1Hour",
        Interval::OneDay => "1Day",
    }
}

const fn adjusted(adjustment: Adjustment) -> &'static str {
    match adjustment {
        Adjustment::Raw => "raw",
        Adjustment::Splits => "split",
        Adjustment::All => "all",
    }
}
