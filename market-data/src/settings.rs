//! Everything that can be set, read from the environment and checked once.

use chrono::NaiveDate;
use config::{Config, Environment};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Prefix of the variables.
const PREFIX: &str = "GAEMI";
/// Longest recorded day, in seconds of play: a real day.
const SESSION_SECONDS_MAX: u64 = 86_400;
/// Fewest ticks that can touch open, high, low and close.
const TICKS_PER_SESSION_MIN: u32 = 4;
/// Most ticks of a recorded day: one a second of a real session and more.
const TICKS_PER_SESSION_MAX: u32 = 28_800;
/// Shortest time between two ticks, in milliseconds.
const TICK_MILLIS_MIN: u64 = 10;
/// Longest time between two invented ticks, in milliseconds.
const TICK_MILLIS_MAX: u64 = 3_600_000;

/// How many days bars shorter than a day are kept when nothing is set: a year and a month.
const MINUTE_BARS_DAYS: u32 = 400;
/// Most days that can be set: a hundred years.
const MINUTE_BARS_DAYS_MAX: u64 = 36_600;

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Unreadable or of the wrong type.
    #[error("the environment cannot be read: {0}")]
    Unreadable(#[from] config::ConfigError),
    /// Outside what is allowed.
    #[error("{name} {rule}")]
    Invalid {
        /// Variable.
        name: &'static str,
        /// What it must be.
        rule: String,
    },
}

fn invalid(name: &'static str, rule: impl Into<String>) -> SettingsError {
    SettingsError::Invalid { name, rule: rule.into() }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, an object a line.
    Json,
}

/// How recorded days are played.
#[derive(Debug, Clone)]
pub struct ReplaySettings {
    /// Folder of CSV and Parquet files; the shipped set when there is none.
    pub folder: Option<PathBuf>,
    /// How long one recorded day plays.
    pub session: Duration,
    /// How many prices are played a day.
    pub ticks_per_session: u32,
    /// First recorded day to play; chosen by the data when there is none.
    pub start: Option<NaiveDate>,
    /// File that keeps how far the play has come; without one every start begins anew.
    pub state: Option<PathBuf>,
}

/// How prices are invented.
#[derive(Debug, Clone)]
pub struct SyntheticSettings {
    /// The same seed invents the same prices.
    pub seed: u64,
    /// Time between two prices.
    pub tick: Duration,
}

/// How Yahoo is reached; both fields are for a stand-in, in tests or behind a proxy.
#[derive(Debug, Clone, Default)]
pub struct YahooSettings {
    /// Address to connect to instead of looking Yahoo's names up.
    pub resolve_to: Option<SocketAddr>,
    /// A certificate in PEM to trust instead of the machine's.
    pub root_certificate: Option<PathBuf>,
}

/// How Alpha Vantage is reached.
#[derive(Debug, Clone)]
pub struct AlphaVantageSettings {
    /// The key; without one the provider cannot be used.
    pub key: Option<SecretString>,
    /// Its address.
    pub url: String,
    /// Requests it allows in a day.
    pub requests_per_day: u32,
}

/// How Alpaca's market data are reached.
#[derive(Debug, Clone)]
pub struct AlpacaSettings {
    /// Id of the key; without one the provider cannot be used.
    pub key_id: Option<SecretString>,
    /// The key's secret.
    pub secret: Option<SecretString>,
    /// Address of the REST service.
    pub data_url: String,
    /// Address of the stream, without the feed.
    pub stream_url: String,
    /// Which feed: `iex`, `sip`, `delayed_sip`.
    pub feed: String,
    /// How the stream is written.
    pub format: StreamFormat,
}

/// How Kiwoom's prices are reached.
#[derive(Debug, Clone)]
pub struct KiwoomSettings {
    /// The app key; without one the provider cannot be used. It must not be that of an account: a key has one stream.
    pub app_key: Option<SecretString>,
    /// The key's secret.
    pub secret_key: Option<SecretString>,
    /// Address of the REST service.
    pub url: String,
    /// Address of the stream, without its path.
    pub stream_url: String,
}

/// Which servers this one belongs to.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// What they call themselves.
    pub name: String,
    /// Where they meet.
    pub redis_url: SecretString,
}

/// Longest name of a group, in bytes.
const GROUP_NAME_LENGTH_MAX: usize = 32;

/// The group, when one is named.
fn group(
    name: Option<String>,
    redis_url: Option<&SecretString>,
) -> Result<Option<GroupSettings>, SettingsError> {
    const NAME: &str = "GAEMI_MARKET_DATA_GROUP";
    let Some(name) = name else { return Ok(None) };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > GROUP_NAME_LENGTH_MAX || !name.bytes().all(plain) {
        let rule = format!("must be at most {GROUP_NAME_LENGTH_MAX} small letters, digits and hyphens");
        return Err(invalid(NAME, rule));
    }
    let redis_url =
        redis_url.cloned().ok_or_else(|| invalid(NAME, "needs REDIS_URL, where the servers meet"))?;
    Ok(Some(GroupSettings { name, redis_url }))
}

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamFormat {
    /// As text.
    Json,
    /// In binary.
    Msgpack,
}

/// Bounds that protect the server from its clients.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most WebSocket connections at once.
    pub subscribers_max: usize,
    /// Most WebSocket connections from one address.
    pub subscribers_per_address_max: usize,
    /// Most messages a second from one client, on average.
    pub messages_per_second_max: u32,
    /// Most messages at once from one client that was silent before.
    pub messages_burst_max: u32,
    /// A client that takes nothing for this long is dropped.
    pub write_stall_max: Duration,
    /// How often the server asks whether a client is there.
    pub ping_interval: Duration,
    /// A client that says nothing, not even `pong`, for this long is dropped.
    pub silence_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subscribers_max: 1_024,
            subscribers_per_address_max: 256,
            messages_per_second_max: 20,
            messages_burst_max: 60,
            write_stall_max: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            silence_max: Duration::from_secs(60),
        }
    }
}

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// The cache, if there is one; its URL may hold a password.
    pub redis_url: Option<SecretString>,
    /// The database that keeps bars, if there is one; its URL holds a password.
    pub database_url: Option<SecretString>,
    /// How many days bars shorter than a day are kept; for ever when there is no number.
    pub minute_bars_days: Option<u32>,
    /// Names of providers in order of preference; `auto` alone lets the server choose.
    pub providers: Vec<String>,
    /// The same for Korean shares alone; as [`Self::providers`] when there is none.
    pub providers_krx: Option<Vec<String>>,
    /// The same for American shares alone.
    pub providers_us: Option<Vec<String>>,
    /// Of provider `alpaca`.
    pub alpaca: AlpacaSettings,
    /// Of provider `alpha_vantage`.
    pub alpha_vantage: AlphaVantageSettings,
    /// Of provider `kiwoom`.
    pub kiwoom: KiwoomSettings,
    /// Of provider `replay`.
    pub replay: ReplaySettings,
    /// Of provider `synthetic`.
    pub synthetic: SyntheticSettings,
    /// Of provider `yahoo`.
    pub yahoo: YahooSettings,
    /// The servers that share what one of them takes in; none when this one is by itself.
    pub group: Option<GroupSettings>,
    /// Subscribers have to show it, if there is one.
    pub token: Option<SecretString>,
    /// Whoever knows it sets how recorded days are played; nobody when there is none.
    pub replay_control_token: Option<SecretString>,
    /// Bounds.
    pub limits: Limits,
    /// Filter of the log.
    pub log_filter: String,
    /// Form of the log.
    pub log_format: LogFormat,
}

/// The variables as they are called, without the prefix.
#[derive(Deserialize)]
struct Variables {
    market_data_host: IpAddr,
    market_data_port: u16,
    market_data_subscribers: usize,
    market_data_subscribers_per_address: usize,
    market_data_group: Option<String>,
    market_data_token: Option<SecretString>,
    redis_url: Option<SecretString>,
    database_url: Option<SecretString>,
    minute_bars_days: u32,
    providers: String,
    providers_krx: Option<String>,
    providers_us: Option<String>,
    alpaca_key_id: Option<SecretString>,
    alpaca_secret_key: Option<SecretString>,
    alpaca_data_url: String,
    alpaca_stream_url: String,
    alpaca_feed: String,
    alpaca_stream_format: StreamFormat,
    alpha_vantage_key: Option<SecretString>,
    alpha_vantage_url: String,
    alpha_vantage_requests_per_day: u32,
    kiwoom_prices_app_key: Option<SecretString>,
    kiwoom_prices_secret_key: Option<SecretString>,
    kiwoom_prices_url: String,
    kiwoom_prices_stream_url: String,
    replay_folder: Option<PathBuf>,
    replay_session_seconds: u64,
    replay_ticks_per_session: u32,
    replay_start: Option<NaiveDate>,
    replay_state: Option<PathBuf>,
    replay_control_token: Option<SecretString>,
    synthetic_seed: u64,
    synthetic_tick_millis: u64,
    yahoo_resolve_to: Option<SocketAddr>,
    yahoo_root_certificate: Option<PathBuf>,
    log: String,
    log_format: LogFormat,
}

/// Credentials travel to these addresses.
fn check_addresses(variables: &Variables) -> Result<(), SettingsError> {
    const REST: (&str, &str) = ("https://", "http://127.0.0.1:");
    const STREAM: (&str, &str) = ("wss://", "ws://127.0.0.1:");
    for (name, url, (secure, plain)) in [
        ("GAEMI_ALPACA_DATA_URL", &variables.alpaca_data_url, REST),
        ("GAEMI_ALPACA_STREAM_URL", &variables.alpaca_stream_url, STREAM),
        ("GAEMI_ALPHA_VANTAGE_URL", &variables.alpha_vantage_url, REST),
        ("GAEMI_KIWOOM_PRICES_URL", &variables.kiwoom_prices_url, REST),
        ("GAEMI_KIWOOM_PRICES_STREAM_URL", &variables.kiwoom_prices_stream_url, STREAM),
    ] {
        if !url.starts_with(secure) && !url.starts_with(plain) {
            return Err(invalid(name, format!("must begin with {secure} (or with {plain} for a stand-in)")));
        }
    }
    Ok(())
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`SettingsError`] that names the variable.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_values(std::env::vars_os().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            Some((name, value))
        }))
    }

    /// Reads variables given as pairs, the same way.
    ///
    /// # Errors
    /// [`SettingsError`] that names the variable.
    pub fn from_values(
        values: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<Self, SettingsError> {
        let values: HashMap<String, String> =
            values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let redis_url = values.get("REDIS_URL").filter(|url| !url.is_empty()).cloned();
        let database_url = values.get("DATABASE_URL").filter(|url| !url.is_empty()).cloned();
        let limits = Limits::default();
        let own =
            Environment::with_prefix(PREFIX).prefix_separator("_").ignore_empty(true).source(Some(values));
        let variables: Variables = Config::builder()
            .set_default("market_data_host", "127.0.0.1")?
            .set_default("market_data_port", 8001)?
            .set_default("market_data_subscribers", limits.subscribers_max.to_string())?
            .set_default(
                "market_data_subscribers_per_address",
                limits.subscribers_per_address_max.to_string(),
            )?
            .set_default("minute_bars_days", MINUTE_BARS_DAYS)?
            .set_default("providers", "auto")?
            .set_default("alpaca_data_url", "https://data.alpaca.markets")?
            .set_default("alpaca_stream_url", "wss://stream.data.alpaca.markets/v2")?
            .set_default("alpaca_feed", "iex")?
            .set_default("alpaca_stream_format", "msgpack")?
            .set_default("alpha_vantage_url", "https://www.alphavantage.co")?
            .set_default("alpha_vantage_requests_per_day", 25)?
            .set_default("kiwoom_prices_url", "https://api.kiwoom.com")?
            .set_default("kiwoom_prices_stream_url", "wss://api.kiwoom.com:10000")?
            .set_default("replay_session_seconds", 60)?
            .set_default("replay_ticks_per_session", 120)?
            .set_default("synthetic_seed", 1)?
            .set_default("synthetic_tick_millis", 1_000)?
            .set_default("log", "info")?
            .set_default("log_format", "text")?
            .add_source(own)
            .set_override_option("redis_url", redis_url)?
            .set_override_option("database_url", database_url)?
            .build()?
            .try_deserialize()?;
        Self::checked(variables, limits)
    }

    fn checked(variables: Variables, limits: Limits) -> Result<Self, SettingsError> {
        let within = |name, value, low, high| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(invalid(name, format!("must be from {low} to {high}")))
            }
        };
        let ticks = variables.replay_ticks_per_session;
        within("GAEMI_REPLAY_SESSION_SECONDS", variables.replay_session_seconds, 1, SESSION_SECONDS_MAX)?;
        within(
            "GAEMI_REPLAY_TICKS_PER_SESSION",
            u64::from(ticks),
            u64::from(TICKS_PER_SESSION_MIN),
            u64::from(TICKS_PER_SESSION_MAX),
        )?;
        let tick_millis = variables.replay_session_seconds.saturating_mul(1_000) / u64::from(ticks);
        if tick_millis < TICK_MILLIS_MIN {
            return Err(invalid("GAEMI_REPLAY_TICKS_PER_SESSION", "leaves less than 10 ms for a tick"));
        }
        within(
            "GAEMI_SYNTHETIC_TICK_MILLIS",
            variables.synthetic_tick_millis,
            TICK_MILLIS_MIN,
            TICK_MILLIS_MAX,
        )?;
        within("GAEMI_MINUTE_BARS_DAYS", u64::from(variables.minute_bars_days), 0, MINUTE_BARS_DAYS_MAX)?;
        let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let providers = names(&variables.providers);
        check_addresses(&variables)?;
        if !["iex", "sip", "delayed_sip"].contains(&variables.alpaca_feed.as_str()) {
            return Err(invalid("GAEMI_ALPACA_FEED", "must be iex, sip or delayed_sip"));
        }
        Ok(Self {
            host: variables.market_data_host,
            port: variables.market_data_port,
            group: group(variables.market_data_group, variables.redis_url.as_ref())?,
            token: variables.market_data_token,
            redis_url: variables.redis_url,
            database_url: variables.database_url,
            minute_bars_days: Some(variables.minute_bars_days).filter(|days| *days > 0),
            providers,
            providers_krx: variables.providers_krx.as_deref().map(names),
            providers_us: variables.providers_us.as_deref().map(names),
            alpaca: AlpacaSettings {
                key_id: variables.alpaca_key_id,
                secret: variables.alpaca_secret_key,
                data_url: variables.alpaca_data_url,
                stream_url: variables.alpaca_stream_url,
                feed: variables.alpaca_feed,
                format: variables.alpaca_stream_format,
            },
            alpha_vantage: AlphaVantageSettings {
                key: variables.alpha_vantage_key,
                url: variables.alpha_vantage_url,
                requests_per_day: variables.alpha_vantage_requests_per_day,
            },
            kiwoom: KiwoomSettings {
                app_key: variables.kiwoom_prices_app_key,
                secret_key: variables.kiwoom_prices_secret_key,
                url: variables.kiwoom_prices_url,
                stream_url: variables.kiwoom_prices_stream_url,
            },
            replay: ReplaySettings {
                folder: variables.replay_folder,
                session: Duration::from_secs(variables.replay_session_seconds),
                ticks_per_session: ticks,
                start: variables.replay_start,
                state: variables.replay_state,
            },
            synthetic: SyntheticSettings {
                seed: variables.synthetic_seed,
                tick: Duration::from_millis(variables.synthetic_tick_millis),
            },
            yahoo: YahooSettings {
                resolve_to: variables.yahoo_resolve_to,
                root_certificate: variables.yahoo_root_certificate,
            },
            replay_control_token: variables.replay_control_token,
            limits: Limits {
                subscribers_max: variables.market_data_subscribers,
                subscribers_per_address_max: variables.market_data_subscribers_per_address,
                ..limits
            },
            log_filter: variables.log,
            log_format: variables.log_format,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_values(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_empty_environment_gives_the_documented_defaults() {
        let settings = read(&[]).unwrap();
        assert_eq!((settings.host.to_string().as_str(), settings.port), ("127.0.0.1", 8001));
        assert_eq!(settings.providers, ["auto"]);
        assert_eq!(settings.replay.session, Duration::from_secs(60));
        assert!(
            settings.redis_url.is_none()
                && settings.replay.folder.is_none()
                && settings.replay.start.is_none()
        );
    }

    #[test]
    fn variables_are_read_by_their_names() {
        let settings = read(&[
            ("GAEMI_MARKET_DATA_PORT", "0"),
            ("GAEMI_PROVIDERS", "replay, synthetic"),
            ("GAEMI_REPLAY_START", "2008-09-15"),
            ("GAEMI_LOG_FORMAT", "json"),
            ("GAEMI_SYNTHETIC_SEED", ""),
            ("REDIS_URL", "redis://localhost"),
        ])
        .unwrap();
        assert_eq!(settings.port, 0);
        assert_eq!(settings.providers, ["replay", "synthetic"]);
        assert_eq!(settings.replay.start, NaiveDate::from_ymd_opt(2008, 9, 15));
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.synthetic.seed, 1, "an empty variable is as good as none");
        assert!(settings.redis_url.is_some());
    }

    #[test]
    fn a_bad_value_is_refused_by_name() {
        for (name, value) in [
            ("GAEMI_MARKET_DATA_PORT", "65536"),
            ("GAEMI_MARKET_DATA_HOST", "nowhere"),
            ("GAEMI_REPLAY_SESSION_SECONDS", "0"),
            ("GAEMI_REPLAY_TICKS_PER_SESSION", "3"),
            ("GAEMI_REPLAY_TICKS_PER_SESSION", "28800"),
            ("GAEMI_REPLAY_START", "yesterday"),
            ("GAEMI_SYNTHETIC_TICK_MILLIS", "1"),
            ("GAEMI_SYNTHETIC_SEED", "-1"),
            ("GAEMI_ALPHA_VANTAGE_URL", "http://example.com"),
            ("GAEMI_ALPACA_STREAM_URL", "ws://stream.example.com"),
            ("GAEMI_KIWOOM_PRICES_URL", "http://api.kiwoom.com"),
            ("GAEMI_KIWOOM_PRICES_STREAM_URL", "https://api.kiwoom.com:10000"),
            ("GAEMI_ALPACA_FEED", "otc"),
            ("GAEMI_MINUTE_BARS_DAYS", "40000"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string().to_lowercase();
            let word = name.to_lowercase().replace("gaemi_", "");
            assert!(message.contains(&word), "{name}={value}: {message}");
        }
    }
}
