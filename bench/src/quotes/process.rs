//! The servers that are measured, each a process of its own, and what it costs.

use crate::vendor::Vendor;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// A server that takes longer to listen ends the run.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// Microseconds in a tick of the system's clock for processes.
const TICK_MICROS: u64 = 10_000;

/// What the run was given.
pub(crate) struct Programs {
    /// The quote server.
    pub(crate) market_data: PathBuf,
    /// The script of the usual choice, beside its packages.
    pub(crate) node_script: PathBuf,
    /// A database with the quote server's tables.
    pub(crate) database_url: Option<String>,
}

/// A server at work; it ends when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
    /// Where a yardstick takes quotes.
    pub(crate) feed: Option<TcpStream>,
}

impl Process {
    /// The quote server, fed by the vendor.
    pub(crate) async fn gaemi(programs: &Programs, vendor: &Vendor) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = Command::new(&programs.market_data);
        command
            .env_clear()
            .env("GAEMI_MARKET_DATA_PORT", port.to_string())
            .env("GAEMI_MARKET_DATA_SUBSCRIBERS", "8192")
            .env("GAEMI_MARKET_DATA_SUBSCRIBERS_PER_ADDRESS", "8192")
            .env("GAEMI_PROVIDERS", "alpaca")
            .env("GAEMI_ALPACA_KEY_ID", "bench")
            .env("GAEMI_ALPACA_SECRET_KEY", "bench")
            .env("GAEMI_ALPACA_STREAM_FORMAT", "json")
            .env("GAEMI_ALPACA_DATA_URL", &vendor.data_url)
            .env("GAEMI_ALPACA_STREAM_URL", &vendor.stream_url)
            .env("GAEMI_LOG", "warn");
        if let Some(url) = &programs.database_url {
            command.env("DATABASE_URL", url);
        }
        let child = command.kill_on_drop(true).spawn().context("the quote server cannot be started")?;
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if begun.elapsed() > START_TIME_MAX {
                bail!("the quote server does not listen");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { child, port, feed: None })
    }

    /// A bare writer.
    pub(crate) async fn writer(together: bool) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["writer", if together { "together" } else { "each" }]);
        Self::yardstick(command).await
    }

    /// The usual choice.
    pub(crate) async fn node(programs: &Programs) -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(&programs.node_script);
        Self::yardstick(command).await
    }

    async fn yardstick(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let line = tokio::time::timeout(START_TIME_MAX, lines.next_line()).await??.context("it ended")?;
        let mut words = line.split(' ').skip(1);
        let mut port = || words.next().context("no port")?.parse::<u16>().context("no port");
        let (port, feed) = (port()?, port()?);
        let feed = TcpStream::connect(("127.0.0.1", feed)).await?;
        feed.set_nodelay(true)?;
        Ok(Self { child, port, feed: Some(feed) })
    }

    /// Ends it and waits for its end.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("it cannot be ended")
    }

    fn file(&self, name: &str) -> Result<String> {
        let id = self.child.id().context("the server has ended")?;
        std::fs::read_to_string(format!("/proc/{id}/{name}")).context("the server has ended")
    }

    /// Processor time it has used.
    pub(crate) fn cpu_micros(&self) -> Result<u64> {
        let stat = self.file("stat")?;
        let (_, fields) = stat.rsplit_once(')').context("an unknown form of stat")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        ticks.sum::<Result<u64, _>>().map(|ticks| ticks * TICK_MICROS).context("an unknown form of stat")
    }

    /// Memory it keeps resident, in kilobytes.
    pub(crate) fn resident_kilobytes(&self) -> Result<u64> {
        let status = self.file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        line.split_whitespace().next().context("no VmRSS")?.parse().context("no VmRSS")
    }
}
