//! The only place where the server's parts are put together.

use crate::bars::Archive;
use crate::bars::store::Store;
use crate::cache::Cache;
use crate::feed::Feed;
use crate::group::{Group, Lease};
use crate::hub::Hub;
use crate::lookup::Lookup;
use crate::provider::registry;
use crate::recorder::Recorder;
use crate::server::{self, Context, Places};
use crate::settings::Settings;
use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long subscribers and requests may take to end after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes that the system keeps for a socket which is not read; Linux takes twice as much, for its own needs too.
const SEND_BUFFER_SIZE: u32 = 64 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG_MAX: u32 = 1_024;

/// A quote server that has its port and its providers and is about to run.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    context: Arc<Context>,
    lease: Option<Lease>,
}

impl Application {
    /// Takes the port, opens the providers, recalls the last values.
    ///
    /// # Errors
    /// A sentence that names what is in the way: the port, a setting, a file.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        let wished = SocketAddr::new(settings.host, settings.port);
        let listener = listen(wished)
            .with_context(|| format!("cannot listen on {wished}; is port {} taken?", settings.port))?;
        let address = listener.local_addr().context("cannot tell the port")?;
        let cache = Arc::new(Cache::new(settings.redis_url.as_ref())?);
        let registry::Chosen { providers, chains } = registry::choose(&settings, &cache).await?;
        let archive = open_archive(&settings)?;
        let hub = Arc::new(Hub::new(Utc::now()));
        let (group, lease) = match settings.group {
            Some(group) => {
                let (group, lease) = Group::join(group, &cache, &hub).await;
                (Some(group), Some(lease))
            }
            None => (None, None),
        };
        let recorder = Mutex::new(Recorder::new(&providers));
        let feed = Arc::new(Feed { providers, chains, hub, cache, archive, recorder, group });
        feed.recall().await;
        let context = Context {
            feed,
            lookup: Lookup::default(),
            limits: settings.limits,
            started_at: Utc::now(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            places: Places::default(),
            token: settings.token,
            control_token: settings.replay_control_token,
        };
        Ok(Self { listener, address, context: Arc::new(context), lease })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until `shutdown` ends, then lets everybody go.
    ///
    /// # Errors
    /// None today; a future listener may fail.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { listener, address, context, lease } = self;
        let names: Vec<_> = context.feed.providers.iter().map(|provider| provider.name()).collect();
        tracing::info!(%address, providers = names.join(","), "quote server ready");
        context.feed.start(&context.tasks, &context.stop);
        if let (Some(group), Some(lease)) = (&context.feed.group, lease) {
            group.start(lease, &context.tasks, &context.stop);
        }
        let accepting = context.tasks.spawn(server::accept(listener, Arc::clone(&context)));
        shutdown.await;
        tracing::info!("quote server stops");
        context.stop.cancel();
        let _ = accepting.await;
        context.tasks.close();
        if tokio::time::timeout(STOP_TIMEOUT, context.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        Ok(())
    }
}

/// Takes a port. What the system keeps for a subscriber who does not read is bounded, and with it how long he is written
/// to beside the others.
fn listen(wished: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if wished.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_SIZE)?;
    socket.bind(wished)?;
    socket.listen(BACKLOG_MAX)
}

/// The archive, when there is a database; it is not asked yet, and may be away.
fn open_archive(settings: &Settings) -> anyhow::Result<Option<Arc<Archive>>> {
    let Some(url) = &settings.database_url else { return Ok(None) };
    let store = Store::new(url).context("DATABASE_URL is no address of a Postgres")?;
    let kept = settings.minute_bars_days.map(|days| TimeDelta::days(i64::from(days)));
    Ok(Some(Arc::new(Archive::new(store, kept))))
}
