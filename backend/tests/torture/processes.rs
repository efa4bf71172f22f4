//! The processes of the house as they really run, each of which may be killed and is started again.

use crate::cluster::Cluster;
use crate::database::TestDatabase;
use crate::disk::SmallDisk;
use failpoint::Failpoint;
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest time until everything is ready again after a process was killed.
pub(crate) const READY_AGAIN_MAX: Duration = Duration::from_secs(10);
/// Longest time until a server has started for the first time.
pub(crate) const SERVER_START_MAX: Duration = Duration::from_secs(30);
/// Longest that one look takes of itself.
const LOOK_MAX: Duration = Duration::from_secs(5);
/// Time between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(25);
/// Longest wait for an answer to "are you ready".
const READY_ANSWER_MAX: Duration = Duration::from_secs(3);
/// Ports below those that the kernel gives away: one that is free while its process is down stays free.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Names the Redis server when it is none on the path.
const REDIS_VARIABLE: &str = "GAEMI_TEST_REDIS_SERVER";
/// How a process ends that kills itself.
const SIGABRT: i32 = 6;
/// Words that no log has, whatever was killed.
const NEVER_LOGGED: [&str; 2] = ["panicked at", "deadlock detected"];
/// Lines that say more about such words, they included.
const EXPLAINED_LINES: usize = 30;
/// Lines of each log that are shown when the test fails.
const LOG_LINES_SHOWN: usize = 40;
pub(crate) const INTERNAL_TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Seconds that a recorded day plays, and its prices: ten a second.
const REPLAY: [(&str, &str); 3] = [
    ("GAEMI_REPLAY_SESSION_SECONDS", "2"),
    ("GAEMI_REPLAY_TICKS_PER_SESSION", "20"),
    ("GAEMI_SYNTHETIC_TICK_MILLIS", "100"),
];

/// A wait for something that must happen. It counts the time in which this test was awake: where the whole machine stands
/// still for a while, nothing can be blamed for it.
pub(crate) struct Waiting {
    waited: Duration,
    last_look: Instant,
    longest: Duration,
}

impl Waiting {
    pub(crate) fn until(longest: Duration) -> Self {
        Self::since(Instant::now(), longest)
    }

    fn since(since: Instant, longest: Duration) -> Self {
        Self { waited: Duration::ZERO, last_look: since, longest }
    }

    /// A moment until the next look; fails when the time is over.
    pub(crate) async fn pause(&mut self, what: impl FnOnce() -> String) {
        self.waited += self.last_look.elapsed().min(LOOK_MAX);
        self.last_look = Instant::now();
        assert!(self.waited < self.longest, "{}", what());
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// A user of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

/// How a process is started.
pub(crate) struct Launch {
    name: &'static str,
    program: PathBuf,
    pub(crate) arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    pub(crate) run_as: Option<Account>,
}

impl Launch {
    pub(crate) fn new(name: &'static str, program: PathBuf) -> Self {
        Self { name, program, arguments: Vec::new(), environment: Vec::new(), run_as: None }
    }
}

/// A process that is killed when dropped.
struct Process {
    launch: Launch,
    log: PathBuf,
    child: Option<Child>,
    /// The place at which it is to kill itself, as the variable says it.
    armed: Option<String>,
    /// Whether it has.
    fell: bool,
}

impl Process {
    fn start(launch: Launch, folder: &Path) -> Self {
        let log = folder.join(format!("{}.log", launch.name));
        let mut process = Self { launch, log, child: None, armed: None, fell: false };
        process.keep_running();
        process
    }

    /// Starts it unless it runs: a process that ends by itself is started anew, as its supervisor does it. One that has
    /// fallen at the place where it was to fall waits for [`Self::disarm`].
    fn keep_running(&mut self) {
        let ended = self.child.as_mut().map(|child| child.try_wait().unwrap());
        if ended == Some(None) {
            return;
        }
        self.fell |= self.armed.is_some() && ended.flatten().is_some_and(has_killed_itself);
        if self.fell {
            return;
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(&self.launch.program);
        command.args(&self.launch.arguments).env_clear().current_dir("/");
        command.envs(self.launch.environment.iter().map(|(name, value)| (name, value)));
        command.envs(self.armed.iter().map(|armed| (failpoint::VARIABLE, armed)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some(account) = self.launch.run_as {
            account.apply(&mut command);
        }
        self.child = Some(command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.launch.name)));
    }

    /// `kill -9`.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it anew, to fall at the Nth passing of a place.
    fn arm(&mut self, point: Failpoint, passing: u64) {
        self.kill();
        self.armed = Some(format!("{}:{passing}", point.name()));
        self.keep_running();
    }

    /// From now on it is started as usual.
    fn disarm(&mut self) {
        (self.armed, self.fell) = (None, false);
    }
}

fn has_killed_itself(status: ExitStatus) -> bool {
    status.signal() == Some(SIGABRT)
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = std::fs::read(&self.log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- {} ---\n{}", self.launch.name, shown.join("\n"));
        }
    }
}

/// Everything that runs. Dropped in this order: Postgres is stopped before the rest is killed.
pub(crate) struct House {
    cluster: Option<Cluster>,
    processes: Vec<Process>,
    pub(crate) database_url: String,
    pub(crate) backend: String,
    pub(crate) broker_connector: String,
    /// Every address that says whether its process is ready.
    readiness: Vec<String>,
    redis_socket: Option<PathBuf>,
    client: reqwest::Client,
    _database: Option<TestDatabase>,
    _folder: TempDir,
}

fn free_ports() -> impl Iterator<Item = u16> {
    let offset = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).unwrap();
    let ports = (PORTS.start + offset..PORTS.end).chain(PORTS.start..PORTS.start + offset);
    ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

/// A program of this workspace, beside the test's own.
fn workspace_program(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_backend")).with_file_name(name);
    assert!(program.is_file(), "{} is missing: run cargo build --workspace", program.display());
    program
}

fn redis(folder: &Path) -> Option<(Launch, PathBuf)> {
    let named = std::env::var_os(REDIS_VARIABLE).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .flat_map(|folder| ["redis-server", "valkey-server"].map(|name| folder.join(name)));
    let program = named.into_iter().chain(on_path).find(|program| program.is_file())?;
    let socket = folder.join("redis.sock");
    let mut launch = Launch::new("redis", program);
    let (socket_path, folder) = (socket.to_str().unwrap(), folder.to_str().unwrap());
    let arguments =
        ["--port", "0", "--unixsocket", socket_path, "--save", "", "--appendonly", "no", "--dir", folder];
    launch.arguments = arguments.map(str::to_owned).to_vec();
    Some((launch, socket))
}

impl House {
    /// Starts everything there is.
    pub(crate) async fn start(disk: Option<SmallDisk>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut started = Vec::new();
        let cluster = Cluster::create(folder.path(), disk);
        let (database_url, database) = match &cluster {
            Some(cluster) => {
                started.push(Process::start(cluster.launch(), folder.path()));
                (cluster.create_database().await, None)
            }
            None => {
                println!(
                    "There is no Postgres server here that this test could run, so Postgres is not killed."
                );
                let database = TestDatabase::create().await;
                (database.url().to_owned(), Some(database))
            }
        };
        let redis = redis(folder.path());
        let redis_socket = redis.as_ref().map(|(_, socket)| socket.clone());
        match redis {
            Some((launch, _)) => started.push(Process::start(launch, folder.path())),
            None => println!("There is no Redis server here, so Redis is not killed."),
        }
        let ports: Vec<u16> = free_ports().take(3).collect();
        let [backend, market_data, broker_connector] =
            [ports[0], ports[1], ports[2]].map(|port| format!("http://127.0.0.1:{port}"));
        let readiness =
            [&market_data, &broker_connector, &backend].map(|url| format!("{url}/ready")).to_vec();
        let redis_url = redis_socket
            .as_ref()
            .map_or_else(String::new, |socket| format!("redis+unix://{}", socket.display()));
        let common = [
            ("DATABASE_URL", database_url.clone()),
            ("REDIS_URL", redis_url),
            ("GAEMI_MARKET_DATA_URL", market_data),
            ("GAEMI_BROKER_CONNECTOR_URL", broker_connector.clone()),
            ("GAEMI_INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
            ("GAEMI_JWT_SECRET", "a secret for tests, long enough to sign".to_owned()),
            ("GAEMI_ENCRYPTION_KEY", "0f".repeat(32)),
            ("GAEMI_ORDERS_PER_MINUTE_MAX", "unlimited".to_owned()),
            ("GAEMI_BACKEND_PORT", ports[0].to_string()),
            ("GAEMI_MARKET_DATA_PORT", ports[1].to_string()),
            ("GAEMI_BROKER_CONNECTOR_PORT", ports[2].to_string()),
            ("GAEMI_PROVIDERS", "replay,synthetic".to_owned()),
        ];
        for name in ["market-data", "broker-connector", "backend"] {
            let mut launch = Launch::new(name, workspace_program(name));
            launch.environment = common.to_vec();
            launch.environment.extend(REPLAY.map(|(name, value)| (name, value.to_owned())));
            started.push(Process::start(launch, folder.path()));
        }
        let mut house = Self {
            processes: started,
            database_url,
            backend,
            broker_connector,
            readiness,
            redis_socket,
            client: reqwest::Client::builder().no_proxy().timeout(READY_ANSWER_MAX).build().unwrap(),
            cluster,
            _database: database,
            _folder: folder,
        };
        house.until_ready(Instant::now(), SERVER_START_MAX).await;
        house
    }

    /// Leaves no room on Postgres's disk, or gives it back.
    pub(crate) fn fill_disk(&self, full: bool) {
        let disk = self.cluster.as_ref().and_then(Cluster::disk).expect("a disk of its own");
        if full { disk.fill() } else { disk.clear() }
    }

    /// How often words stand in the log of a process.
    pub(crate) fn count_in_log(&self, name: &str, words: &str) -> usize {
        let process = self.processes.iter().find(|process| process.launch.name == name);
        let log = process.map(|process| std::fs::read(&process.log).unwrap_or_default()).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(words).count()
    }

    /// Starts what does not run.
    pub(crate) fn keep_running(&mut self) {
        self.processes.iter_mut().for_each(Process::keep_running);
    }

    /// What can be killed.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.processes.iter().map(|process| process.launch.name).collect()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, name: &str) {
        self.process(name).kill();
    }

    /// Lines of the logs that no crash excuses: a panic of a program, or transactions that waited for each other.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let logs = self.processes.iter().map(|process| std::fs::read(&process.log).unwrap_or_default());
        let text: Vec<String> = logs.map(|log| String::from_utf8_lossy(&log).into_owned()).collect();
        let lines: Vec<&str> = text.iter().flat_map(|log| log.lines()).collect();
        let unexcused = |lines: &&[&str]| NEVER_LOGGED.iter().any(|words| lines[0].contains(words));
        let explained = (0..lines.len()).map(|place| &lines[place..lines.len().min(place + EXPLAINED_LINES)]);
        explained.filter(unexcused).flatten().map(ToString::to_string).collect()
    }

    fn process(&mut self, name: &str) -> &mut Process {
        self.processes.iter_mut().find(|process| process.launch.name == name).unwrap()
    }

    /// Starts the program of a place anew, to fall at the Nth passing of it.
    pub(crate) fn arm(&mut self, point: Failpoint, passing: u64) {
        self.process(point.program().name()).arm(point, passing);
    }

    /// Starts what does not run and says whether the program of a place has fallen there.
    pub(crate) fn has_fallen(&mut self, point: Failpoint) -> bool {
        self.keep_running();
        self.process(point.program().name()).fell
    }

    /// Lets the program of a place be started again as usual.
    pub(crate) fn disarm(&mut self, point: Failpoint) {
        self.process(point.program().name()).disarm();
    }

    async fn unready(&self) -> Option<String> {
        if let Some(socket) = &self.redis_socket
            && UnixStream::connect(socket).is_err()
        {
            return Some("redis".to_owned());
        }
        for url in &self.readiness {
            match self.client.get(url).send().await {
                Ok(answer) if answer.status() == 200 => {}
                Ok(answer) => return Some(format!("{url} ({})", answer.status())),
                Err(_) => return Some(url.clone()),
            }
        }
        None
    }

    /// Whether everything that was started is ready.
    pub(crate) async fn is_ready(&self) -> bool {
        self.unready().await.is_none()
    }

    /// Starts what does not run and waits until everything is ready.
    pub(crate) async fn until_ready(&mut self, since: Instant, longest: Duration) -> Duration {
        let mut waiting = Waiting::since(since, longest);
        loop {
            self.keep_running();
            let Some(unready) = self.unready().await else { return since.elapsed() };
            waiting.pause(|| format!("{unready} was not ready within {longest:?}")).await;
        }
    }
}
