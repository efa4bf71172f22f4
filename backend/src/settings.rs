//! What the environment says.

use anyhow::{Context, bail};
use chrono::TimeDelta;
use config::{Config, Environment};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Shortest secret that signs access tokens, in bytes (RFC 7518: as long as the hash).
const JWT_SECRET_BYTES_MIN: usize = 32;
/// Shortest secret shared with the connector, in bytes.
const INTERNAL_TOKEN_BYTES_MIN: usize = 16;
/// Length of the key that encrypts secrets at rest.
const ENCRYPTION_KEY_BYTES: usize = 32;

/// How long a margin call may stand, in minutes: two days, the simulator's own rule. A broker in the United States may sell
/// at once and must have the money within 15 business days (FINRA rule 4210(f)(6)).
const MARGIN_CALL_GRACE_MINUTES: &str = "2880";
/// The longest: 30 days.
const GRACE_MINUTES_MAX: i64 = 30 * 24 * 60;
/// Ten a second, a minute long: more than a person or a bot of one person means, less than a program that runs wild sends.
const ORDERS_PER_MINUTE_MAX: &str = "600";
/// What stands for any number of orders.
const UNLIMITED: &str = "unlimited";
/// Who may register where nothing is said: who reaches a server that listens on its own machine alone.
const REGISTRATION: &str = "open";
/// What stands for no reduction at all.
const NEVER: &str = "never";

/// Who may become a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Everybody who reaches the server.
    Open,
    /// One person: who registers first.
    First,
}

/// Everything that can be set about the backend.
#[derive(Debug)]
pub struct Settings {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where Postgres is.
    pub database_url: SecretString,
    /// Most connections to it.
    pub database_pool_size: usize,
    /// Where the quote server is, without a trailing slash.
    pub market_data_url: String,
    /// What the quote server wants to be shown, if anything.
    pub market_data_token: Option<SecretString>,
    /// Where the broker connector is, without a trailing slash.
    pub broker_connector_url: String,
    /// Secret shared with the connector.
    pub internal_token: SecretString,
    /// Signs access tokens.
    pub jwt_secret: SecretString,
    /// Encrypts the secrets of authenticator apps.
    pub encryption_key: SecretBox<[u8; ENCRYPTION_KEY_BYTES]>,
    /// Whether a proxy on this machine or in its private network tells clients' addresses in `X-Forwarded-For`.
    pub trust_proxy: bool,
    /// How long the equity of an account may stay below what must stay before its positions are reduced here; nothing where
    /// they never are.
    pub margin_call_grace: Option<TimeDelta>,
    /// While this file exists nothing new is placed; nothing where there is no such switch.
    pub halt_file: Option<PathBuf>,
    /// Most orders, changes of orders and groups that a user may ask for in an account in a minute; nothing where there may be
    /// any number.
    pub orders_per_minute_max: Option<NonZeroU32>,
    /// Who may become a user.
    pub admission: Admission,
}

/// The variables as they are named, all starting with `GAEMI_`.
#[derive(Deserialize)]
struct Variables {
    backend_host: String,
    backend_port: u16,
    database_pool_size: usize,
    market_data_url: String,
    market_data_token: Option<SecretString>,
    broker_connector_url: String,
    internal_token: Option<SecretString>,
    jwt_secret: Option<SecretString>,
    encryption_key: Option<SecretString>,
    trust_proxy: bool,
    margin_call_grace_minutes: String,
    halt_file: Option<PathBuf>,
    orders_per_minute_max: String,
    registration: String,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// One sentence naming the variable that is missing or wrong.
    pub fn from_environment() -> anyhow::Result<Self> {
        let variables: Variables = Config::builder()
            .set_default("backend_host", "127.0.0.1")?
            .set_default("backend_port", 8000)?
            .set_default("database_pool_size", 8)?
            .set_default("market_data_url", "http://127.0.0.1:8001")?
            .set_default("broker_connector_url", "http://127.0.0.1:8002")?
            .set_default("trust_proxy", false)?
            .set_default("margin_call_grace_minutes", MARGIN_CALL_GRACE_MINUTES)?
            .set_default("orders_per_minute_max", ORDERS_PER_MINUTE_MAX)?
            .set_default("registration", REGISTRATION)?
            .add_source(Environment::with_prefix("GAEMI").ignore_empty(true))
            .build()?
            .try_deserialize()
            .context("a GAEMI_ variable cannot be read")?;
        let database_url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
        Self::check(variables, database_url.into())
    }

    fn check(variables: Variables, database_url: SecretString) -> anyhow::Result<Self> {
        let jwt_secret = variables.jwt_secret.context("GAEMI_JWT_SECRET is not set")?;
        if jwt_secret.expose_secret().len() < JWT_SECRET_BYTES_MIN {
            bail!("GAEMI_JWT_SECRET must have at least {JWT_SECRET_BYTES_MIN} bytes");
        }
        let internal_token = variables.internal_token.context("GAEMI_INTERNAL_TOKEN is not set")?;
        if internal_token.expose_secret().len() < INTERNAL_TOKEN_BYTES_MIN {
            bail!("GAEMI_INTERNAL_TOKEN must have at least {INTERNAL_TOKEN_BYTES_MIN} bytes");
        }
        let encryption_key = variables.encryption_key.context("GAEMI_ENCRYPTION_KEY is not set")?;
        if variables.database_pool_size == 0 {
            bail!("GAEMI_DATABASE_POOL_SIZE must be at least 1");
        }
        Ok(Self {
            host: variables.backend_host,
            port: variables.backend_port,
            database_url,
            database_pool_size: variables.database_pool_size,
            market_data_url: variables.market_data_url.trim_end_matches('/').to_owned(),
            market_data_token: variables.market_data_token,
            broker_connector_url: variables.broker_connector_url.trim_end_matches('/').to_owned(),
            internal_token,
            jwt_secret,
            encryption_key: read_key(&encryption_key)?,
            trust_proxy: variables.trust_proxy,
            margin_call_grace: read_grace(&variables.margin_call_grace_minutes)?,
            halt_file: variables.halt_file,
            orders_per_minute_max: read_order_cap(&variables.orders_per_minute_max)?,
            admission: read_admission(&variables.registration)?,
        })
    }
}

/// Reads a number of minutes, or `never`.
fn read_grace(text: &str) -> anyhow::Result<Option<TimeDelta>> {
    if text == NEVER {
        return Ok(None);
    }
    let minutes = text.parse::<i64>().ok().filter(|minutes| (0..=GRACE_MINUTES_MAX).contains(minutes));
    let minutes = minutes.with_context(|| {
        format!(
            "GAEMI_MARGIN_CALL_GRACE_MINUTES must be a whole number from 0 to {GRACE_MINUTES_MAX}, or {NEVER}"
        )
    })?;
    Ok(Some(TimeDelta::minutes(minutes)))
}

/// Reads a number of orders a minute, or `unlimited`.
fn read_order_cap(text: &str) -> anyhow::Result<Option<NonZeroU32>> {
    if text == UNLIMITED {
        return Ok(None);
    }
    let most = text.parse().ok().with_context(|| {
        format!("GAEMI_ORDERS_PER_MINUTE_MAX must be a whole number from 1 to {}, or {UNLIMITED}", u32::MAX)
    })?;
    Ok(Some(most))
}

/// Reads `open` or `first`.
fn read_admission(text: &str) -> anyhow::Result<Admission> {
    match text {
        "open" => Ok(Admission::Open),
        "first" => Ok(Admission::First),
        _ => bail!("GAEMI_REGISTRATION must be open or first"),
    }
}

/// Reads 64 hexadecimal digits.
fn read_key(text: &SecretString) -> anyhow::Result<SecretBox<[u8; ENCRYPTION_KEY_BYTES]>> {
    let wrong =
        || anyhow::anyhow!("GAEMI_ENCRYPTION_KEY must be {} hexadecimal digits", 2 * ENCRYPTION_KEY_BYTES);
    let digits = text.expose_secret().as_bytes();
    if digits.len() != 2 * ENCRYPTION_KEY_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut key = Box::new([0; ENCRYPTION_KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(SecretBox::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            backend_host: "127.0.0.1".into(),
            backend_port: 0,
            database_pool_size: 1,
            market_data_url: "http://127.0.0.1:8001/".into(),
            market_data_token: None,
            broker_connector_url: "http://127.0.0.1:8002".into(),
            internal_token: Some("0123456789abcdef".into()),
            jwt_secret: Some("0123456789abcdef0123456789abcdef".into()),
            encryption_key: Some("0f".repeat(32).into()),
            trust_proxy: false,
            margin_call_grace_minutes: MARGIN_CALL_GRACE_MINUTES.into(),
            halt_file: None,
            orders_per_minute_max: ORDERS_PER_MINUTE_MAX.into(),
            registration: REGISTRATION.into(),
        }
    }

    #[test]
    fn a_margin_call_may_stand_for_minutes_or_for_ever() {
        assert_eq!(read_grace("0").unwrap(), Some(TimeDelta::zero()));
        assert_eq!(read_grace("2880").unwrap(), Some(TimeDelta::days(2)));
        assert_eq!(read_grace("never").unwrap(), None);
        for wrong in ["", "-1", "1.5", "43201", "soon"] {
            assert!(read_grace(wrong).unwrap_err().to_string().contains("GRACE_MINUTES"), "{wrong}");
        }
    }

    #[test]
    fn orders_a_minute_are_capped_unless_they_are_said_not_to_be() {
        assert_eq!(read_order_cap("600").unwrap(), NonZeroU32::new(600));
        assert_eq!(read_order_cap("unlimited").unwrap(), None);
        for wrong in ["", "0", "-1", "1.5", "4294967296", "many"] {
            assert!(read_order_cap(wrong).unwrap_err().to_string().contains("ORDERS_PER_MINUTE"), "{wrong}");
        }
    }

    #[test]
    fn a_server_is_open_to_all_or_to_the_first() {
        assert_eq!(read_admission("open").unwrap(), Admission::Open);
        assert_eq!(read_admission("first").unwrap(), Admission::First);
        for wrong in ["", "closed", "Open"] {
            assert!(read_admission(wrong).unwrap_err().to_string().contains("REGISTRATION"), "{wrong}");
        }
    }

    fn complaint(variables: Variables) -> String {
        Settings::check(variables, "postgres://localhost/gaemi".into()).unwrap_err().to_string()
    }

    #[test]
    fn good_settings_are_read() {
        let settings = Settings::check(variables(), "postgres://localhost/gaemi".into()).unwrap();
        assert_eq!(settings.encryption_key.expose_secret(), &[0x0f; 32]);
        assert_eq!(settings.market_data_url, "http://127.0.0.1:8001");
    }

    #[test]
    fn what_is_missing_or_weak_is_named() {
        assert!(complaint(Variables { jwt_secret: None, ..variables() }).contains("GAEMI_JWT_SECRET"));
        assert!(
            complaint(Variables { jwt_secret: Some("short".into()), ..variables() })
                .contains("GAEMI_JWT_SECRET")
        );
        assert!(
            complaint(Variables { internal_token: None, ..variables() }).contains("GAEMI_INTERNAL_TOKEN")
        );
        for key in ["", "xyz", &"0g".repeat(32), &"+f".repeat(32), &"0f".repeat(33)] {
            let text = complaint(Variables { encryption_key: Some(key.into()), ..variables() });
            assert!(text.contains("GAEMI_ENCRYPTION_KEY"), "{key}: {text}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings =
            Settings::check(variables(), "postgres://user:hunter2@localhost/gaemi".into()).unwrap();
        let text = format!("{settings:?}");
        assert!(!text.contains("hunter2") && !text.contains("0123456789abcdef"), "{text}");
    }
}
