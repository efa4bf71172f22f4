//! What the environment says.

use anyhow::{Context, bail};
use config::{Config, Environment};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

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
}

/// The variables as they are named, all starting with `GAEMI_`.
#[derive(Deserialize)]
struct Variables {
    broker_connector_host: String,
    broker_connector_port: u16,
    market_data_url: String,
    market_data_token: Option<SecretString>,
    internal_token: Option<SecretString>,
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
    fn secrets_are_not_printed() {
        let settings =
            Settings::check(variables(), "postgres://user:hunter2@localhost/gaemi".into()).unwrap();
        let text = format!("{settings:?}");
        assert!(!text.contains("hunter2") && !text.contains("0123456789abcdef"), "{text}");
    }
}
