//! The only place where things are wired together. Tests start the same application on port 0.

use crate::account::AccountService;
use crate::activity::{ImportService, ResetService};
use crate::analytics::PerformanceService;
use crate::auth::Auth;
use crate::corporate::CorporateService;
use crate::db::{self, Pool};
use crate::events::EventHub;
use crate::market::Market;
use crate::middleware::{harden, trace};
use crate::notify::OpenStreams;
use crate::openapi::{Description, Routes};
use crate::portfolio::PortfolioService;
use crate::relay::Relay;
use crate::routes::{self, KnownRoutes};
use crate::settings::Settings;
use crate::spreadsheet::Downloads;
use crate::trading::{Closing, PlacementWriter, TradingService};
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use futures_util::FutureExt;
use secrecy::ExposeSecret;
use std::future::Future;
use std::net::TcpListener;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Threads that answer requests. One is enough: what takes long waits or runs elsewhere, and orders are placed fastest
/// on the thread that answers them.
const WORKERS: usize = 1;
/// Most open connections per thread.
const CONNECTIONS_PER_WORKER_MAX: usize = 2048;
/// Longest wait for a request's first bytes, and for its headers to be complete.
const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an idle connection stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time that running requests get to end.
const DRAIN_SECONDS: u64 = 2;
/// Time that background tasks get to end.
const BACKGROUND_STOP_MAX: Duration = Duration::from_secs(2);

/// Tasks that run beside the requests. They end soon after `stop` is cancelled.
#[derive(Clone, Default)]
pub struct Background {
    /// Says when to end.
    pub stop: CancellationToken,
    /// Knows who is still running.
    pub tasks: TaskTracker,
    /// Says that a task without which the process must not live has panicked.
    died: CancellationToken,
}

impl Background {
    /// Runs a task without which the process must not live: a panic ends the process, so that whoever supervises it
    /// starts it anew, instead of a server that answers and does only half of its work.
    pub fn spawn_vital(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.clone().watch(task));
    }

    /// The same for a task that somebody else runs.
    pub async fn watch(self, task: impl Future<Output = ()>) {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            tracing::error!("a vital task panicked; the process ends");
            self.died.cancel();
        }
    }
}

/// Everything that handlers share. Cloning is cheap.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub pool: web::Data<Pool>,
    /// Users and sessions.
    pub auth: web::Data<Auth>,
    /// What happened.
    pub events: web::Data<Arc<EventHub>>,
    /// Accounts and their books.
    pub accounts: web::Data<AccountService>,
    /// Prices.
    pub market: web::Data<Market>,
    /// What the accounts own.
    pub portfolio: web::Data<PortfolioService>,
    /// How they have done.
    pub performance: web::Data<PerformanceService>,
    /// Orders.
    pub trading: web::Data<TradingService>,
    /// Corporate actions.
    pub corporate: web::Data<CorporateService>,
    /// Activities taken over from files.
    pub imports: web::Data<ImportService>,
    /// Accounts that begin anew.
    pub resets: web::Data<ResetService>,
    /// Closes of positions.
    pub closing: web::Data<Closing>,
    /// Who listens to the events.
    pub streams: web::Data<OpenStreams>,
    /// The way to the quote server's WebSocket.
    pub relay: web::Data<Relay>,
    /// The places for downloads.
    pub downloads: web::Data<Downloads>,
    /// Tasks beside the requests.
    pub background: web::Data<Background>,
}

impl State {
    /// Builds every service and starts its tasks.
    async fn build(settings: &Settings) -> anyhow::Result<(Self, PlacementWriter)> {
        db::run_migrations(settings.database_url.expose_secret()).await?;
        let pool = db::build_pool(&settings.database_url, settings.database_pool_size)?;
        let background = Background::default();
        let events = EventHub::new(pool.clone());
        let auth = Auth::new(pool.clone(), settings, Arc::clone(&events));
        background.spawn_vital(Arc::clone(&events).run(background.stop.clone()));
        let accounts = AccountService::start(pool.clone(), Arc::clone(&events), &background).await?;
        let token = settings.market_data_token.as_ref();
        let market = Market::start(&settings.market_data_url, token, &background)?;
        let relay = Relay::new(&settings.market_data_url, token, background.stop.clone())?;
        let accounts = web::Data::new(accounts);
        let market = web::Data::new(market);
        let portfolio = web::Data::new(PortfolioService::new(pool.clone(), accounts.clone(), market.clone()));
        let performance =
            PerformanceService::start(pool.clone(), accounts.clone(), portfolio.clone(), &background);
        let (trading, writer) = TradingService::start(
            settings,
            pool.clone(),
            Arc::clone(&events),
            accounts.clone(),
            market.clone(),
            &background,
        )
        .await?;
        let trading = web::Data::new(trading);
        let corporate = CorporateService::start(
            pool.clone(),
            accounts.clone(),
            trading.clone(),
            Arc::clone(&events),
            &background,
        );
        let closing = web::Data::new(Closing::start(trading.clone(), accounts.clone(), &background));
        let imports = ImportService::new(pool.clone(), accounts.clone(), Arc::clone(&events));
        let resets = ResetService::start(
            pool.clone(),
            accounts.clone(),
            trading.clone(),
            Arc::clone(&events),
            &background,
        );
        let state = Self {
            pool: web::Data::new(pool),
            auth: web::Data::new(auth),
            events: web::Data::new(events),
            accounts,
            market,
            portfolio,
            performance,
            trading,
            corporate: web::Data::new(corporate),
            imports: web::Data::new(imports),
            resets: web::Data::new(resets),
            closing,
            streams: web::Data::new(OpenStreams::default()),
            relay: web::Data::new(relay),
            downloads: web::Data::new(Downloads::default()),
            background: web::Data::new(background),
        };
        Ok((state, writer))
    }

    /// Hands the services to the handlers.
    fn register(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.pool.clone())
            .app_data(self.auth.clone())
            .app_data(self.events.clone())
            .app_data(self.accounts.clone())
            .app_data(self.market.clone())
            .app_data(self.portfolio.clone())
            .app_data(self.performance.clone())
            .app_data(self.trading.clone())
            .app_data(self.corporate.clone())
            .app_data(self.imports.clone())
            .app_data(self.resets.clone())
            .app_data(self.closing.clone())
            .app_data(self.streams.clone())
            .app_data(self.relay.clone())
            .app_data(self.downloads.clone())
            .app_data(self.background.clone());
    }
}

/// The running backend.
pub struct Application {
    server: Server,
    port: u16,
    state: State,
}

impl Application {
    /// Migrates the database, builds every service, and opens the port.
    ///
    /// # Errors
    /// One sentence: the port is taken, the database cannot be reached, a migration failed.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        // One TLS stack for everything that speaks to the outside; a second start in one process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let address = format!("{}:{}", settings.host, settings.port);
        let listener = TcpListener::bind(&address)
            .with_context(|| format!("cannot listen on {address} (port {} is taken?)", settings.port))?;
        let port = listener.local_addr()?.port();
        let (state, writer) = State::build(&settings).await?;
        let server = serve(listener, state.clone(), writer)?;
        Ok(Self { server, port, state })
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the handlers share.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Answers requests until `shutdown` is done, then lets running ones end.
    ///
    /// # Errors
    /// When the server itself fails.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        let ended = tokio::select! {
            ended = &mut server => ended,
            () = self.state.background.died.cancelled() => {
                stop(&handle, &self.state.background).await;
                anyhow::bail!("a vital task panicked");
            }
            () = shutdown => {
                stop(&handle, &self.state.background).await;
                server.await
            }
        };
        self.state.pool.close();
        ended?.context("the server failed")
    }
}

async fn stop(server: &ServerHandle, background: &Background) {
    // Streams end on this signal; the server waits for them.
    background.stop.cancel();
    background.tasks.close();
    server.stop(true).await;
    if tokio::time::timeout(BACKGROUND_STOP_MAX, background.tasks.wait()).await.is_err() {
        tracing::warn!("background tasks did not end in time");
    }
}

fn serve(listener: TcpListener, state: State, writer: PlacementWriter) -> anyhow::Result<Server> {
    let known = web::Data::new(KnownRoutes::default());
    let description = web::Data::new(Description::of(routes::describe));
    let writer = Arc::new(Mutex::new(Some(writer)));
    let factory = move || {
        // The factory runs on each worker's thread; the first one takes the writer.
        if let Some(writer) = writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            writer.start_here(&state.background);
        }
        App::new()
            .configure(|config| routes::all(&mut Routes::served(config)))
            .app_data(known.clone())
            .app_data(description.clone())
            .configure(|config| state.register(config))
            .configure(routes::page)
            .wrap(from_fn(harden))
            .wrap(from_fn(trace))
    };
    let server = HttpServer::new(factory)
        .workers(WORKERS)
        .max_connections(CONNECTIONS_PER_WORKER_MAX)
        .client_request_timeout(REQUEST_HEAD_TIME_MAX)
        .keep_alive(KEEP_ALIVE)
        // Who hangs up is gone: an event stream must give its place back at once, not when a heartbeat fails.
        .h1_allow_half_closed(false)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}
