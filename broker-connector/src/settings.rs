//! What the environment says.

use crate::broker::alpaca::AlpacaSettings;
use crate::broker::kiwoom::KiwoomSettings;
use crate::credentials::KeySource;
use anyhow::{Context, bail};
use config::{Config, Environment};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::PathBuf;

/// Shortest secret shared with the backend, in bytes.
const INTERNAL_TOKEN_BYTES_MIN: usize = 16;

/// Everything that can be set about the connector.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where Postgres is.
    pub database_url: SecretString,
    /// Where the quote server is, without a trailing slash.
    pub market_data_url: String,
    /// What the quote server wants to be shown, if anything.
    pub market_data_token: Option<SecretString>,
    /// Secret shared with the backend.
    pub internal_token: SecretString,
    /// The brokers beside the simulator.
    pub adapters: AdapterSettings,
}

/// What is set about brokers beside the simulator.
#[derive(Debug, Clone, Default)]
pub struct AdapterSettings {
    /// What credentials are encrypted with; without it none are taken.
    pub key: Option<KeySource>,
    /// Where Alpaca is.
    pub alpaca: AlpacaSettings,
    /// Where Kiwoom is.
    pub kiwoom: KiwoomSettings,
}

/// The variables as they are named, all starting with `GAEMI_`.
#[derive(Deserialize)]
struct Variables {
    broker_connector_host: String,
    broker_connector_port: u16,
    market_data_url: String,
    market_data_token: Option<SecretString>,
    internal_token: Option<SecretString>,
    #[serde(flatten)]
    adapters: AdapterVariables,
}

/// Those about brokers beside the simulator.
#[derive(Default, Deserialize)]
struct AdapterVariables {
    broker_key: Option<SecretString>,
    broker_key_next: Option<SecretString>,
    broker_key_file: Option<PathBuf>,
    alpaca_paper_url: Option<String>,
    alpaca_live_url: Option<String>,
    kiwoom_paper_url: Option<String>,
    kiwoom_paper_stream_url: Option<String>,
    kiwoom_live_url: Option<String>,
    kiwoom_live_stream_url: Option<String>,
    kiwoom_bridge_url: Option<String>,
}

impl AdapterVariables {
    fn read(self) -> anyhow::Result<AdapterSettings> {
        let key = match (self.broker_key, self.broker_key_file) {
            (Some(present), None) => Some(KeySource::Digits { present, next: self.broker_key_next }),
            (None, Some(path)) => Some(KeySource::File(path)),
            (None, None) => None,
            (Some(_), Some(_)) => bail!("set GAEMI_BROKER_KEY or GAEMI_BROKER_KEY_FILE, not both"),
        };
        let usual = AlpacaSettings::default();
        let url = |name: &str, set: Option<String>, usual: String| {
            let url = set.unwrap_or(usual).trim_end_matches('/').to_owned();
            if !url.starts_with("http://") && !url.starts_with("https://") {
                bail!("{name} must start with http:// or https://");
            }
            Ok(url)
        };
        let alpaca = AlpacaSettings {
            paper_url: url("GAEMI_ALPACA_PAPER_URL", self.alpaca_paper_url, usual.paper_url)?,
            live_url: url("GAEMI_ALPACA_LIVE_URL", self.alpaca_live_url, usual.live_url)?,
            orders_per_page: usual.orders_per_page,
        };
        let usual = KiwoomSettings::default();
        let kiwoom = KiwoomSettings {
            paper_url: url("GAEMI_KIWOOM_PAPER_URL", self.kiwoom_paper_url, usual.paper_url)?,
            paper_stream_url: url(
                "GAEMI_KIWOOM_PAPER_STREAM_URL",
                self.kiwoom_paper_stream_url,
                usual.paper_stream_url,
            )?,
            live_url: url("GAEMI_KIWOOM_LIVE_URL", self.kiwoom_live_url, usual.live_url)?,
            live_stream_url: url(
                "GAEMI_KIWOOM_LIVE_STREAM_URL",
                self.kiwoom_live_stream_url,
                usual.live_stream_url,
            )?,
            bridge_url: match self.kiwoom_bridge_url {
                Some(set) => {
                    // The bridge writes its own address with "ws"; both are the same here.
                    let set = set.strip_prefix("ws").map(|rest| format!("http{rest}")).unwrap_or(set);
                    Some(url("GAEMI_KIWOOM_BRIDGE_URL", Some(set), String::new())?)
                }
                None => None,
            },
        };
        Ok(AdapterSettings { key, alpaca, kiwoom })
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// One sentence naming the variable that is missing or wrong.
    pub fn from_environment() -> anyhow::Result<Self> {
        let variables: Variables = Config::builder()
            .set_default("broker_connector_host", "127.0.0.1")?
            .set_default("broker_connector_port", 8002)?
            .set_default("market_data_url", "http://127.0.0.1:8001")?
            .add_source(Environment::with_prefix("GAEMI").ignore_empty(true))
            .build()?
            .try_deserialize()
            .context("a GAEMI_ variable cannot be read")?;
        let database_url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
        Self::check(variables, database_url.into())
    }

    fn check(variables: Variables, database_url: SecretString) -> anyhow::Result<Self> {
        let internal_token = variables.internal_token.context("GAEMI_INTERNAL_TOKEN is not set")?;
        if internal_token.expose_secret().len() < INTERNAL_TOKEN_BYTES_MIN {
            bail!("GAEMI_INTERNAL_TOKEN must have at least {INTERNAL_TOKEN_BYTES_MIN} bytes");
        }
        let market_data_url = variables.market_data_url.trim_end_matches('/').to_owned();
        if !market_data_url.starts_with("http://") && !market_data_url.starts_with("https://") {
            bail!("GAEMI_MARKET_DATA_URL must start with http:// or https://");
        }
        Ok(Self {
            host: variables.broker_connector_host,
            port: variables.broker_connector_port,
            database_url,
            market_data_url,
            market_data_token: variables.market_data_token,
            internal_token,
            adapters: variables.adapters.read()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            broker_connector_host: "127.0.0.1".into(),
            broker_connector_port: 0,
            market_data_url: "http://127.0.0.1:8001/".into(),
            market_data_token: None,
            internal_token: Some("0123456789abcdef".into()),
            adapters: AdapterVariables::default(),
        }
    }

    fn complaint(variables: Variables) -> String {
        Settings::check(variables, "postgres://localhost/gaemi".into()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_or_weak_is_named() {
        assert!(Settings::check(variables(), "postgres://localhost/gaemi".into()).is_ok());
        for token in [None, Some("short".into())] {
            assert!(
                complaint(Variables { internal_token: token, ..variables() })
                    .contains("GAEMI_INTERNAL_TOKEN")
            );
        }
        assert!(
            complaint(Variables { market_data_url: "localhost:8001".into(), ..variables() })
                .contains("GAEMI_MARKET_DATA_URL")
        );
    }

    #[test]
    fn two_keys_or_an_address_that_is_none_are_refused() {
        let adapters = AdapterVariables {
            broker_key: Some("a".into()),
            broker_key_file: Some("key".into()),
            ..AdapterVariables::default()
        };
        assert!(complaint(Variables { adapters, ..variables() }).contains("GAEMI_BROKER_KEY_FILE"));
        let adapters =
            AdapterVariables { alpaca_live_url: Some("alpaca".into()), ..AdapterVariables::default() };
        assert!(complaint(Variables { adapters, ..variables() }).contains("GAEMI_ALPACA_LIVE_URL"));
    }

    #[test]
    fn the_bridge_may_be_named_as_it_names_itself() {
        let read = |url: &str| {
            let adapters =
                AdapterVariables { kiwoom_bridge_url: Some(url.into()), ..AdapterVariables::default() };
            adapters.read().map(|settings| settings.kiwoom.bridge_url.unwrap_or_default())
        };
        assert_eq!(read("ws://ws.local:8010/").unwrap(), "http://ws.local:8010");
        assert_eq!(read("wss://bridge").unwrap(), "https://bridge");
        assert!(read("bridge:8010").unwrap_err().to_string().contains("GAEMI_KIWOOM_BRIDGE_URL"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings =
            Settings::check(variables(), "postgres://user:hunter2@localhost/gaemi".into()).unwrap();
        let text = format!("{settings:?}");
        assert!(!text.contains("hunter2") && !text.contains("0123456789abcdef"), "{text}");
    }
}
