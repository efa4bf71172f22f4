//! Starts the backend, or prints the description of its API.

use backend::{Application, Settings, routes};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is logged unless `GAEMI_LOG` says otherwise. The web server's own words are only about its threads, and about heads
/// of requests that nobody can read: whoever connects could fill the log with these.
const LOG_FILTER_DEFAULT: &str = "info,actix_server=warn,actix_http=off";

/// Threads for everything that runs beside the requests.
const BACKGROUND_WORKERS: usize = 2;
/// By how much these threads stand back. What follows an order (its delivery, its executions, the news of them) must not
/// keep the next one waiting: on two processors it costs that one a quarter of its time otherwise.
const BACKGROUND_NICENESS: i32 = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => serve(),
        ["openapi"] => print_description(),
        _ => Err(anyhow::anyhow!("usage: backend [openapi]")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "backend: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the server. Requests are answered on a thread that the first one starts, and so with its priority.
fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(BACKGROUND_WORKERS)
        .enable_all()
        .on_thread_start(|| {
            // Where it may not be set, everything works as it does without.
            let _ = rustix::process::nice(BACKGROUND_NICENESS);
        })
        .build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    start_logging();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stopped = Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let settings = Settings::from_environment()?;
    let application = tokio::select! {
        application = Application::build(settings) => application?,
        // Waiting for a database that does not come can be ended as well.
        () = &mut stopped => return Ok(()),
    };
    tracing::info!(port = application.port(), "backend is ready");
    application.run_until_stopped(stopped).await?;
    tracing::info!("backend has stopped");
    Ok(())
}

fn print_description() -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", routes::describe().to_pretty_json()?)?;
    Ok(())
}

fn start_logging() {
    let filter = EnvFilter::try_from_env("GAEMI_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_FILTER_DEFAULT));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    if std::env::var("GAEMI_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}
