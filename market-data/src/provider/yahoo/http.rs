//! Reaching Yahoo: politely, and no longer than it answers.

use super::parse;
use crate::provider::ProviderError;
use crate::random::Noise;
use crate::settings::YahooSettings;
use domain::Symbol;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use yahoo_finance_api::time::OffsetDateTime;
use yahoo_finance_api::{YResponse, YahooConnector, YahooConnectorBuilder, YahooError};

/// Time between two calls. A call may ask twice, so this keeps Yahoo at two requests a second at most.
pub(super) const CALL_SPACING: Duration = Duration::from_secs(1);
/// A caller that would have to wait longer for its turn is refused.
const TURN_PATIENCE: Duration = Duration::from_secs(10);
/// Longest time one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// First pause after a failure; it doubles with each further one.
const BACK_OFF_MIN: Duration = Duration::from_secs(1);
/// Longest pause after failures, before the random part.
const BACK_OFF_MAX: Duration = Duration::from_secs(120);
/// Most doublings of the pause.
const BACK_OFF_DOUBLINGS_MAX: u32 = 7;
/// Random part of a pause, at most, in percent of it.
const JITTER_PERCENT_MAX: i64 = 25;
/// Yahoo answers browsers only.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Gaemi";
/// The hosts that a stand-in takes the place of.
const HOSTS: [&str; 2] = ["query1.finance.yahoo.com", "query2.finance.yahoo.com"];
/// The range that a quote is made of: today and the last good day before it, across holidays.
const QUOTE_RANGE: &str = "1mo";

/// When the next call may be made, and how often calls have failed.
struct Turn {
    next: Instant,
    failures: u32,
}

/// The connection to Yahoo.
pub(super) struct Http {
    connector: YahooConnector,
    turn: Mutex<Turn>,
}

impl Http {
    pub(super) fn new(settings: &YahooSettings) -> Result<Self, ProviderError> {
        let unusable = |error: &dyn std::fmt::Display| ProviderError::Unusable(format!("yahoo: {error}"));
        let mut client = reqwest::Client::builder()
            .https_only(true)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_max_idle_per_host(1);
        if let Some(address) = settings.resolve_to {
            client = HOSTS.iter().fold(client.no_proxy(), |client, host| client.resolve(host, address));
        }
        if let Some(path) = &settings.root_certificate {
            let pem = std::fs::read(path).map_err(|error| {
                unusable(&format!("GAEMI_YAHOO_ROOT_CERTIFICATE {}: {error}", path.display()))
            })?;
            let certificate = reqwest::Certificate::from_pem(&pem).map_err(|error| unusable(&error))?;
            client = client.tls_certs_only([certificate]);
        }
        let client = client.build().map_err(|error| unusable(&error))?;
        let connector = YahooConnectorBuilder::build_with_client(client).map_err(|error| unusable(&error))?;
        Ok(Self { connector, turn: Mutex::new(Turn { next: Instant::now(), failures: 0 }) })
    }

    /// The last days of a share.
    pub(super) async fn recent(&self, symbol: Symbol) -> Result<YResponse, ProviderError> {
        self.wait_for_turn().await?;
        let answer = self.connector.get_quote_range(symbol.as_str(), "1d", QUOTE_RANGE).await;
        self.judge(symbol, answer)
    }

    /// The daily bars of a share between two moments.
    pub(super) async fn between(
        &self,
        symbol: Symbol,
        from: i64,
        to: i64,
    ) -> Result<YResponse, ProviderError> {
        let moment = |timestamp| {
            OffsetDateTime::from_unix_timestamp(timestamp)
                .map_err(|_| ProviderError::Unsupported("such dates"))
        };
        let (from, to) = (moment(from)?, moment(to)?);
        self.wait_for_turn().await?;
        let answer = self.connector.get_quote_history(symbol.as_str(), from, to).await;
        self.judge(symbol, answer)
    }

    async fn wait_for_turn(&self) -> Result<(), ProviderError> {
        let turn = {
            let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = turn.next.max(Instant::now());
            if mine.saturating_duration_since(Instant::now()) > TURN_PATIENCE {
                return Err(ProviderError::Unavailable("it is given a rest".to_owned()));
            }
            turn.next = mine + CALL_SPACING;
            mine
        };
        tokio::time::sleep_until(turn).await;
        Ok(())
    }

    /// Sorts an answer by what the caller can do, and stays away for a while after a failure.
    fn judge(
        &self,
        symbol: Symbol,
        answer: Result<YResponse, YahooError>,
    ) -> Result<YResponse, ProviderError> {
        let outcome = answer.map_err(|error| classify(symbol, &error));
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(ProviderError::Unavailable(_)) = &outcome {
            turn.failures = turn.failures.saturating_add(1);
            let pause = pause_after(turn.failures, Noise::new(jitter_seed(), symbol, 0));
            turn.next = turn.next.max(Instant::now() + pause);
        } else {
            turn.failures = 0;
        }
        outcome
    }
}

fn classify(symbol: Symbol, error: &YahooError) -> ProviderError {
    match error {
        YahooError::FetchFailed(message) if message.starts_with("404") => {
            ProviderError::UnknownSymbol(symbol)
        }
        YahooError::ApiError(message) if message.code.as_deref() == Some("Not Found") => {
            ProviderError::UnknownSymbol(symbol)
        }
        other => ProviderError::Unavailable(other.to_string()),
    }
}

/// The pause after so many failures in a row: doubling, bounded, and with a random part so that many servers that
/// failed together do not return together.
fn pause_after(failures: u32, mut noise: Noise) -> Duration {
    let doublings = failures.saturating_sub(1).min(BACK_OFF_DOUBLINGS_MAX);
    let pause = (BACK_OFF_MIN * 2u32.saturating_pow(doublings)).min(BACK_OFF_MAX);
    let percent = noise.between(0, JITTER_PERCENT_MAX);
    pause + pause * u32::try_from(percent).unwrap_or(0) / 100
}

fn jitter_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos())
}

/// Whether an answer holds a quote: what a probe needs to know.
pub(super) fn holds_a_quote(answer: &YResponse, symbol: Symbol) -> Result<(), ProviderError> {
    let quote = parse::bars(answer, symbol).map(|rows| rows.bars.is_empty());
    match quote {
        Ok(false) => Ok(()),
        Ok(true) => Err(ProviderError::Unavailable("its answer holds no price".to_owned())),
        Err(reason) => Err(ProviderError::Unavailable(format!("its answer is {}", reason.name()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_bounded_and_differ_by_chance() {
        let noise = |seed| Noise::new(seed, "AAPL".parse().unwrap(), 0);
        assert!(pause_after(1, noise(7)) >= BACK_OFF_MIN && pause_after(1, noise(7)) < BACK_OFF_MIN * 2);
        assert!(pause_after(3, noise(7)) >= BACK_OFF_MIN * 4);
        assert!(pause_after(u32::MAX, noise(7)) <= BACK_OFF_MAX + BACK_OFF_MAX / 4);
        assert!((1..20).any(|seed| pause_after(3, noise(seed)) != pause_after(3, noise(0))));
    }

    #[test]
    fn only_a_clear_not_found_makes_a_symbol_unknown() {
        let symbol: Symbol = "ZZZ".parse().unwrap();
        let unknown = Err::<(), _>(ProviderError::UnknownSymbol(symbol));
        assert_eq!(Err(classify(symbol, &YahooError::FetchFailed("404, request url: x".into()))), unknown);
        for error in
            [YahooError::TooManyRequests("x".into()), YahooError::EmptyResponse, YahooError::Unauthorized]
        {
            assert!(matches!(classify(symbol, &error), ProviderError::Unavailable(_)));
        }
    }
}
