//! A Postgres cluster of this test's own, durable as in production, so that its server can be killed as well.

use crate::disk::SmallDisk;
use crate::processes::{Account, Launch, SERVER_START_MAX, Waiting};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names the folder of the server's programs when they are in none of the usual places.
const PROGRAMS_VARIABLE: &str = "GAEMI_TEST_POSTGRES_BIN";
/// Where Debian and its kin keep them, a folder for each version.
const PROGRAMS_FOLDER: &str = "/usr/lib/postgresql";
/// Users the server may run as where it refuses to be root.
const SERVER_USERS: [&str; 2] = ["postgres", "nobody"];
const ROLE: &str = "gaemi";
const PORT: u16 = 5432;

/// A cluster whose server is started and killed by somebody else, and stopped for good when dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    run_as: Option<Account>,
    /// Where it lies on one of its own.
    disk: Option<SmallDisk>,
}

fn programs() -> Option<PathBuf> {
    let named = std::env::var_os(PROGRAMS_VARIABLE).map(PathBuf::from);
    let mut installed: Vec<PathBuf> = std::fs::read_dir(PROGRAMS_FOLDER)
        .map(|folder| folder.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    installed.sort();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    let candidates = named.into_iter().chain(installed.into_iter().rev()).chain(on_path);
    candidates
        .into_iter()
        .find(|folder| ["postgres", "initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file()))
}

/// Nobody special runs the server as itself; root has to find somebody else.
fn server_account() -> Option<Option<Account>> {
    let own = std::fs::metadata("/proc/self").map_or(0, |process| process.uid());
    if own != 0 {
        return Some(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = SERVER_USERS.iter().find_map(|name| {
        let fields: Vec<&str> = users
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(*name)).then(|| fields.collect()))?;
        Some(Account { user: fields.get(1)?.parse().ok()?, group: fields.get(2)?.parse().ok()? })
    });
    account.map(Some)
}

impl Cluster {
    /// A new cluster; `None` where no server is installed or nobody may run it.
    pub(crate) fn create(folder: &Path, disk: Option<SmallDisk>) -> Option<Self> {
        let (programs, run_as) = (programs()?, server_account()?);
        let place = disk.as_ref().map_or(folder, SmallDisk::path).to_owned();
        let cluster = Self { programs, folder: place.join("postgres"), run_as, disk };
        std::fs::create_dir(&cluster.folder).unwrap();
        if let Some(account) = run_as {
            for folder in [folder, &place, &cluster.folder] {
                chown(folder, Some(account.user), Some(account.group)).unwrap();
            }
        }
        // The new files need no flush: the machine stays up. The server's own writes are flushed as always.
        let mut settings =
            vec!["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"];
        if cluster.disk.is_some() {
            // Small files of the log need new room soon.
            settings.push("--wal-segsize=1");
        }
        cluster.run("initdb", settings).unwrap();
        Some(cluster)
    }

    fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, program: &str, arguments: I) -> Result<(), String> {
        let mut command = Command::new(self.programs.join(program));
        command.arg("--pgdata").arg(self.folder.join("data")).args(arguments).current_dir("/");
        command.stdout(Stdio::null()).stdin(Stdio::null());
        if let Some(account) = self.run_as {
            account.apply(&mut command);
        }
        let output = command.stderr(Stdio::piped()).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// How its server is started, in the foreground.
    pub(crate) fn launch(&self) -> Launch {
        let mut launch = Launch::new("postgres", self.programs.join("postgres"));
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        launch.arguments = vec!["-D".to_owned(), path(&self.folder.join("data"))];
        launch.arguments.extend(["-k".to_owned(), path(&self.folder), "-p".to_owned(), PORT.to_string()]);
        let small = self.disk.iter().flat_map(|_| ["min_wal_size=2MB", "max_wal_size=16MB"]);
        let durable = ["listen_addresses=", "fsync=on", "synchronous_commit=on", "full_page_writes=on"];
        for setting in durable.into_iter().chain(small) {
            launch.arguments.extend(["-c".to_owned(), setting.to_owned()]);
        }
        launch.run_as = self.run_as;
        launch
    }

    /// The disk that it has for itself.
    pub(crate) const fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_ref()
    }

    fn url(&self, database: &str) -> String {
        let socket = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://{ROLE}@{socket}:{PORT}/{database}")
    }

    /// Waits for the server and makes the database.
    pub(crate) async fn create_database(&self) -> String {
        let mut waiting = Waiting::until(SERVER_START_MAX);
        let mut connection = loop {
            match AsyncPgConnection::establish(&self.url("postgres")).await {
                Ok(connection) => break connection,
                Err(error) => waiting.pause(|| format!("Postgres does not start: {error}")).await,
            }
        };
        connection.batch_execute("CREATE DATABASE gaemi").await.unwrap();
        self.url("gaemi")
    }
}

impl Drop for Cluster {
    /// A server that were killed for good would leave its shared memory behind.
    fn drop(&mut self) {
        let stopped = self.run("pg_ctl", ["--mode", "immediate", "--wait", "stop"]);
        if !std::thread::panicking() {
            stopped.unwrap();
        }
    }
}
