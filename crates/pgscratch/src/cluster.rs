//! Starting and stopping one throwaway cluster.

use std::env;
use std::fs;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::leftovers::{self, Owner};
use crate::shared::SOCKET_DIR_ENV;
use crate::{Error, Handle, Server, variable, wait};

/// How long a server may take to answer. A start takes about a second; the rest is for machines
/// that are busy compiling.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The longest path of a Unix socket that every platform takes (macOS: 104 bytes with the NUL,
/// Linux: 108).
const SOCKET_PATH_LIMIT: usize = 103;

/// The file in the cluster's folder that says the server has ended.
const ENDED: &str = "ended";

/// Runs the server and outlives the owner: standard input is a pipe that only the owner holds
/// open, so its end is the owner's end, whatever the cause.
///
/// SIGQUIT is PostgreSQL's immediate shutdown. It is repeated because it may come before the
/// server is there to hear it (the server that `initdb` runs notes its number with a minus).
/// SIGKILL follows after 5 s, and after 20 s the folder goes anyway.
const SUPERVISOR: &str = r#"
trap '' INT HUP TERM
bin=$1 dir=$2
shift 2
cd "$dir" || exit 1
(
  "$bin/initdb" -D "$dir/data" --no-sync --wal-segsize=1 \
    -A trust -U postgres -E UTF8 --locale=C &&
    "$bin/postgres" -D "$dir/data" -k "$dir" "$@"
  : >ended
) >log 2>&1 </dev/null &
cat >/dev/null
tries=0 signal=QUIT
until [ -e ended ] || [ ! -d "$dir" ] || [ "$tries" -ge 400 ]; do
  tries=$((tries + 1))
  [ "$tries" -gt 100 ] && signal=KILL
  pid=$(head -n 1 data/postmaster.pid)
  [ -n "$pid" ] && kill "-$signal" "${pid#-}"
  sleep 0.05
done
cd /
rm -rf "$dir"
"#;

/// Settings of a server whose data nobody will miss.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    // Little disk: databases come and go by the hundred.
    "max_wal_size=64MB",
    "min_wal_size=8MB",
    // Would hold up `CREATE DATABASE … TEMPLATE` by looking into the template.
    "autovacuum=off",
    // In the cluster's folder instead of `/dev/shm`, where a kill would leave it behind.
    "dynamic_shared_memory_type=mmap",
    "timezone=UTC",
];

/// Those of a server as it is installed, where what a commit waits for is measured.
const DURABLE: &[&str] = &["fsync=on", "synchronous_commit=on", "full_page_writes=on"];

/// A running throwaway cluster. Dropping it stops the server and removes every file.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    supervisor: Child,
}

impl Cluster {
    /// Creates a cluster, starts its server and waits until it accepts connections, which takes
    /// about a second. Blocks; may be called inside and outside of a tokio runtime. Remains of
    /// killed owners are collected first.
    ///
    /// # Errors
    /// When the folder cannot be created, no unprivileged account exists for root to change to,
    /// or the server ends or stays silent for 60 s (with the end of its log).
    pub fn start(server: &Server) -> Result<Cluster, Error> {
        Self::start_with(server, &[])
    }

    /// The same with commits that wait for the disk, as on a server that keeps its data: for
    /// measurements.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_durable(server: &Server) -> Result<Cluster, Error> {
        Self::start_with(server, DURABLE)
    }

    fn start_with(server: &Server, settings: &[&str]) -> Result<Cluster, Error> {
        leftovers::collect_leftovers();
        let account = Account::to_change_to().map_err(Error::Account)?;
        let dir = create_dir(account)?;
        // From here on an early return drops the cluster, and so removes the folder.
        let mut cluster = match supervise(server, account, &dir, settings) {
            Ok(supervisor) => Cluster { dir, supervisor },
            Err(source) => {
                leftovers::destroy(&dir);
                return Err(Error::Supervisor(source));
            }
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// How to reach this cluster.
    pub fn handle(&self) -> Handle {
        Handle::new(self.dir.clone())
    }

    /// The folder that holds the cluster and its socket.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The variables that make [`crate::cluster()`] in a child process use this cluster.
    pub fn env(&self) -> [(&'static str, PathBuf); 1] {
        [(SOCKET_DIR_ENV, self.dir.clone())]
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let handle = self.handle();
            if wait::for_end_of(async move { handle.ping().await }).is_ok_and(|ready| ready) {
                return Ok(());
            }
            let what = if self.dir.join(ENDED).exists() {
                "ended while starting".to_owned()
            } else if matches!(self.supervisor.try_wait(), Ok(Some(_)) | Err(_)) {
                "lost its supervisor while starting".to_owned()
            } else if Instant::now() > deadline {
                format!(
                    "did not accept connections within {} s",
                    START_LIMIT.as_secs()
                )
            } else {
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            return Err(Error::Start {
                what,
                log: self.end_of_log(),
            });
        }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read(self.dir.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Waiting cannot fail for an own child, and `destroy` looks for itself anyway.
        let _ = self.supervisor.wait();
        // Nothing to do, unless the supervisor was killed.
        leftovers::destroy(&self.dir);
    }
}

fn supervise(
    server: &Server,
    account: Option<Account>,
    dir: &Path,
    settings: &[&str],
) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SUPERVISOR, "pgscratch"])
        .arg(server.folder())
        .arg(dir);
    // The later one counts.
    for setting in SETTINGS.iter().chain(settings) {
        command.args(["-c", setting]);
    }
    // Nothing of the owner's environment but the way to `cat` and `rm`: a stray `PGDATA` or
    // `LC_ALL` would change what the server is.
    command.env_clear().env(
        "PATH",
        variable("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
    );
    command.env("LC_ALL", "C").env("TZ", "UTC");
    // Its own group: Ctrl-C in the owner's terminal is not for the supervisor.
    command.process_group(0).current_dir("/");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(account) = account {
        account.apply(&mut command);
    }
    command.spawn()
}

/// Creates the private folder of a new cluster. Its name is the record of its owner, so that
/// there is no moment in which the folder exists without one.
fn create_dir(account: Option<Account>) -> Result<PathBuf, Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let owner = Owner::this_process();
    loop {
        let name = owner.dir_name(NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = parent_for(&name, account).join(name);
        let created = match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Ok(()) => account
                .map_or(Ok(()), |account| account.own(&dir))
                // It would stay for as long as this process lives.
                .inspect_err(|_| drop(fs::remove_dir(&dir))),
            Err(error) => Err(error),
        };
        return match created {
            Ok(()) => Ok(dir),
            Err(source) => Err(Error::Folder { path: dir, source }),
        };
    }
}

/// The temporary folder, or `/tmp` when a socket path in it would be too long or the server's
/// account could not work there.
fn parent_for(name: &str, account: Option<Account>) -> PathBuf {
    let wanted = env::temp_dir();
    let socket = wanted.join(name).join(".s.PGSQL.5432");
    let fits = socket.is_absolute()
        && socket
            .to_str()
            .is_some_and(|s| s.len() <= SOCKET_PATH_LIMIT);
    if fits && (account.is_none() || open_to_all(&wanted)) {
        wanted
    } else {
        "/tmp".into()
    }
}

/// Whether any account can reach `dir` and create and remove files of its own in it.
fn open_to_all(dir: &Path) -> bool {
    let allows = |path: &Path, bits| fs::metadata(path).is_ok_and(|m| m.mode() & bits == bits);
    // `canonicalize` first: the way there is through the real folders.
    dir.canonicalize()
        .is_ok_and(|dir| allows(&dir, 0o003) && dir.ancestors().all(|part| allows(part, 0o001)))
}
