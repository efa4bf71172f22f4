//! The only place where things are wired together. Tests start the same application on port 0.

use crate::body::BODY_BYTES_MAX;
use crate::broker::alpaca::Alpaca;
use crate::broker::kiwoom::Kiwoom;
use crate::broker::simulator::{self, Simulator};
use crate::broker::{Broker, Brokers};
use crate::credentials::Vault;
use crate::directory::Directory;
use crate::journal::Journal;
use crate::problem::Problem;
use crate::routes;
use crate::settings::Settings;
use crate::token::{InternalToken, require_token};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use anyhow::Context;
use std::future::Future;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Threads that answer requests. One is enough: what takes long waits or runs elsewhere, and what an order needs to be sent
/// lives where it arrives.
const WORKERS: usize = 1;
/// Most open connections per thread.
const CONNECTIONS_PER_WORKER_MAX: usize = 256;
/// Longest wait for a request's head.
const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an idle connection stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time that running requests get to end, in seconds.
const DRAIN_SECONDS: u64 = 2;
/// Time that the simulator gets to finish its batch.
const ENGINE_STOP_MAX: Duration = Duration::from_secs(2);

/// The brokers, and the task whose end is the end of them.
type Started = (Brokers, JoinHandle<anyhow::Result<()>>);

/// The running connector.
pub struct Application {
    server: Server,
    port: u16,
    engine: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Application {
    /// Opens the port and starts the brokers. They may become ready later: see `/ready`.
    ///
    /// # Errors
    /// One sentence: the port is taken, or the database's address cannot be read.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        Self::build_from(settings, |settings, stop| {
            let vault = Vault::new(settings.adapters.key.clone());
            vault.check()?;
            let database_url = &settings.database_url;
            let (alpaca, kiwoom) = (settings.adapters.alpaca.clone(), settings.adapters.kiwoom.clone());
            let alpaca: Arc<dyn Broker> =
                Alpaca::start(alpaca, database_url, vault.clone(), stop.child_token())?;
            let kiwoom: Arc<dyn Broker> = Kiwoom::start(kiwoom, database_url, vault, stop.child_token())?;
            let directory = Directory::new(database_url, simulator::NAME)?;
            let (simulator, engine) = Simulator::start(settings, stop)?;
            Ok((Brokers::side_by_side(Arc::new(simulator), vec![alpaca, kiwoom], directory), engine))
        })
    }

    /// The same with another broker in the place of all.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub async fn build_with(settings: Settings, broker: Arc<dyn Broker>) -> anyhow::Result<Self> {
        Self::build_from(settings, |_, stop| {
            let stopped = stop.clone();
            let task = tokio::spawn(async move {
                stopped.cancelled().await;
                Ok(())
            });
            Ok((Brokers::new(broker), task))
        })
    }

    fn build_from(
        settings: Settings,
        start: impl FnOnce(&Settings, &CancellationToken) -> anyhow::Result<Started>,
    ) -> anyhow::Result<Self> {
        let address = format!("{}:{}", settings.host, settings.port);
        let listener = TcpListener::bind(&address)
            .with_context(|| format!("cannot listen on {address} (port {} is taken?)", settings.port))?;
        let port = listener.local_addr()?.port();
        let stop = CancellationToken::new();
        // One TLS stack for everything that speaks to the outside; a second start in one process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (brokers, engine) = start(&settings, &stop)?;
        let journal = Journal::new(&settings.database_url)?;
        let server = serve(listener, brokers, journal, InternalToken(settings.internal_token))?;
        Ok(Self { server, port, engine, stop })
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Answers requests until `shutdown` is done, then lets running ones end.
    ///
    /// # Errors
    /// When the server fails, or the simulator can never run.
    pub async fn run_until_stopped(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        let mut engine_ended = None;
        let mut server_ended = None;
        tokio::select! {
            ended = &mut server => server_ended = Some(ended),
            ended = &mut self.engine => engine_ended = Some(ended),
            () = shutdown => {}
        }
        if server_ended.is_none() {
            // Requests first: what they started still finds the engine running.
            handle.stop(true).await;
            server_ended = Some(server.await);
        }
        self.stop.cancel();
        if engine_ended.is_none() {
            engine_ended = timeout(ENGINE_STOP_MAX, self.engine).await.ok();
        }
        if let Some(ended) = engine_ended {
            ended.context("the simulator failed")??;
        }
        server_ended.transpose()?.transpose().context("the server failed")?;
        Ok(())
    }
}

fn serve(
    listener: TcpListener,
    brokers: Brokers,
    journal: Journal,
    token: InternalToken,
) -> anyhow::Result<Server> {
    let brokers = Data::new(brokers);
    let journal = Data::new(journal);
    let token = Data::new(token);
    let factory = move || {
        App::new()
            .app_data(brokers.clone())
            .app_data(journal.clone())
            .app_data(token.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|error, _| Problem::field("query", "invalid", error.to_string()).into()),
            )
            .configure(routes::all)
            .wrap(from_fn(require_token))
    };
    let server = HttpServer::new(factory)
        .workers(WORKERS)
        .max_connections(CONNECTIONS_PER_WORKER_MAX)
        .client_request_timeout(REQUEST_HEAD_TIME_MAX)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}
