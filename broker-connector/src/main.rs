//! Starts the broker connector.

use anyhow::Context;
use broker_connector::{Application, Settings};
use std::io::Write;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    start_logging();
    let mut words = std::env::args().skip(1);
    let outcome = match (words.next().as_deref(), words.next()) {
        (None, None) => run().await,
        (Some("rotate-key"), None) => rotate_key().await,
        _ => Err(anyhow::anyhow!("usage: broker-connector [rotate-key]")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "broker-connector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let application = Application::build(Settings::from_environment()?).await?;
    tracing::info!(port = application.port(), "broker connector listens");
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    application.run_until_stopped(stopped).await?;
    tracing::info!("broker connector has stopped");
    Ok(())
}

/// Seals all credentials with another key; the connector may run meanwhile.
async fn rotate_key() -> anyhow::Result<()> {
    let settings = Settings::from_environment()?;
    let source = settings.adapters.key;
    let source = source.context("no key is set: GAEMI_BROKER_KEY or GAEMI_BROKER_KEY_FILE")?;
    let rows = broker_connector::credentials::rotate_key(&settings.database_url, &source).await?;
    tracing::info!(rows, "credentials lie under another key");
    Ok(())
}

fn start_logging() {
    let filter = EnvFilter::try_from_env("GAEMI_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("GAEMI_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}
