//! The context of a command: root, policy, this run's folder, and how children are started.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use xshell::Shell;

use crate::environment;
use crate::exit::{Code, Problem};
use crate::policy::{self, Policy};
use crate::process::{self, Finished};

/// What all gates of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    pub(crate) policy: Policy,
    /// Crates to which crate-wise work is narrowed; `None` is the whole workspace.
    pub(crate) only: Option<Vec<String>>,
    /// The branch a CI service says it tests, where HEAD itself is detached.
    pub(crate) ci_branch: Option<String>,
    run: RunFolder,
    files: OnceLock<Vec<String>>,
    postgres: Arc<Mutex<Option<Postgres>>>,
    pub(crate) built: Mutex<Option<Arc<crate::cargo::Built>>>,
}

/// Whether this machine has PostgreSQL, and the cluster of this run once it was needed.
#[derive(Clone, Debug)]
pub(crate) enum Postgres {
    Running(Arc<pgscratch::Cluster>),
    Absent(String),
}

/// A gate's view of the run: the shared part, its deadline, and the commands it ran.
#[derive(Debug)]
pub(crate) struct Cx {
    shared: Arc<Shared>,
    deadline: Instant,
    commands: Mutex<Vec<String>>,
}

impl Deref for Cx {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// The workspace that `start` lies in: the nearest folder upwards with an `xtask.toml`, else with a
/// `Cargo.toml` that has a `[workspace]`.
pub(crate) fn find_root(start: &Path) -> Result<PathBuf> {
    let is_workspace = |dir: &&Path| {
        std::fs::read_to_string(dir.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    let found = start
        .ancestors()
        .find(|dir| dir.join(policy::FILE).is_file());
    found
        .or_else(|| start.ancestors().find(is_workspace))
        .map(Path::to_owned)
        .ok_or_else(|| {
            Problem::precondition(format!("no workspace at or above `{}`", start.display()))
                .help("change into a checkout that has an `xtask.toml`")
                .into()
        })
}

impl Shared {
    pub(crate) fn new(root: &Path) -> Result<Arc<Self>> {
        let target = environment::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |dir| root.join(dir));
        let mut shared = Self::with(root, target, None)?;
        let pushed = || {
            environment::var("GITHUB_REF")?
                .strip_prefix("refs/heads/")
                .map(str::to_owned)
        };
        if let Some(shared) = Arc::get_mut(&mut shared) {
            shared.ci_branch = environment::var("GITHUB_HEAD_REF").or_else(pushed);
        }
        Ok(shared)
    }

    /// A workspace with a target directory of somebody else, and nothing of CI's environment.
    pub(crate) fn with(
        root: &Path,
        target: PathBuf,
        only: Option<Vec<String>>,
    ) -> Result<Arc<Self>> {
        let policy = Policy::load(root)?;
        policy.check_names(&crate::gates::ids(), &crate::gates::rules())?;
        Ok(Arc::new(Self {
            run: RunFolder::create(&target)?,
            root: root.to_owned(),
            target,
            policy,
            only,
            ci_branch: None,
            files: OnceLock::new(),
            postgres: Arc::default(),
            built: Mutex::new(None),
        }))
    }

    /// The same workspace read anew: its policy and files may have changed. The cluster is kept.
    pub(crate) fn again(&self) -> Result<Arc<Self>> {
        let mut again = Self::with(&self.root, self.target.clone(), self.only.clone())?;
        if let Some(shared) = Arc::get_mut(&mut again) {
            shared.postgres = Arc::clone(&self.postgres);
            shared.ci_branch.clone_from(&self.ci_branch);
        }
        Ok(again)
    }

    /// Where `xtask` keeps what may be deleted at any time.
    pub(crate) fn state(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// A folder for this run alone; gone when the run ends, or at the next start if it was killed.
    pub(crate) fn tmp(&self) -> &Path {
        &self.run.dir
    }

    /// Whether crate-wise work includes this package.
    pub(crate) fn wants(&self, package: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.iter().any(|name| name == package))
    }

    /// The files of the workspace, see [`crate::repo::files`].
    pub(crate) fn files(&self) -> Result<&[String]> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let files = crate::repo::files(&self.root)?;
        Ok(self.files.get_or_init(|| files))
    }

    pub(crate) fn files_with(&self, ending: &str) -> Result<Vec<&str>> {
        Ok(self
            .files()?
            .iter()
            .map(String::as_str)
            .filter(|file| file.ends_with(ending))
            .collect())
    }

    /// The text of a file of the workspace; the error names it.
    pub(crate) fn read(&self, file: &str) -> Result<String> {
        let bytes = std::fs::read(self.root.join(file)).with_context(|| {
            Problem::precondition(format!("failed to read `{file}`")).help("make the file readable")
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Problem::precondition(format!("failed to read `{file}`: not UTF-8 at byte {at}"))
                .help("save the file as UTF-8")
                .into()
        })
    }

    /// The cluster of this run, started when first asked for.
    pub(crate) fn postgres(&self) -> Result<Postgres> {
        let mut slot = self.postgres.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(postgres) = &*slot {
            return Ok(postgres.clone());
        }
        let postgres = match pgscratch::find() {
            Ok(server) => {
                let cluster = pgscratch::Cluster::start(&server)
                    .context("failed to start a scratch PostgreSQL")?;
                Postgres::Running(Arc::new(cluster))
            }
            Err(missing) => Postgres::Absent(missing.to_string()),
        };
        *slot = Some(postgres.clone());
        Ok(postgres)
    }
}

/// A limit too far away to be a time is no limit.
fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit)
        .unwrap_or_else(|| now + Duration::from_hours(24 * 365))
}

impl Cx {
    pub(crate) fn new(shared: &Arc<Shared>, limit: Duration) -> Self {
        Self {
            shared: Arc::clone(shared),
            deadline: deadline(limit),
            commands: Mutex::new(Vec::new()),
        }
    }

    /// A shell in the workspace root, for `xshell::cmd!`. What it builds is started by [`Cx::run`].
    pub(crate) fn shell(&self) -> Result<Shell> {
        let shell = Shell::new().context("failed to find the current folder")?;
        shell.change_dir(&self.root);
        Ok(shell)
    }

    /// Runs to the end and collects stdout.
    pub(crate) fn run(&self, cmd: xshell::Cmd<'_>) -> Result<Finished> {
        let (command, line) = self.prepare(cmd);
        process::run(command, &line, self.deadline, None)
    }

    /// Runs to the end and hands on each line of stdout as it comes.
    pub(crate) fn run_lines(
        &self,
        cmd: xshell::Cmd<'_>,
        on_line: &mut dyn FnMut(&[u8]),
    ) -> Result<Finished> {
        let (command, line) = self.prepare(cmd);
        process::run(command, &line, self.deadline, Some(on_line))
    }

    /// The command in a child's environment, and as a person would type it.
    pub(crate) fn prepare(&self, cmd: xshell::Cmd<'_>) -> (Command, String) {
        let line = cmd.to_string().replace(&environment::cargo(), "cargo");
        let line = crate::report::text::clean(&line, crate::report::text::MESSAGE);
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.clone());
        let mut command = Command::from(cmd);
        process::clean_environment(&mut command, &self.target, &self.run.tag);
        let chosen = command
            .get_envs()
            .any(|(name, _)| name == "CARGO_TARGET_DIR");
        if !chosen && self.target != self.root.join("target") {
            command.env("CARGO_TARGET_DIR", &self.target);
        }
        (command, line)
    }

    /// Runs `work` to its end, the deadline, or Ctrl-C, whichever comes first.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start the asynchronous runtime")?;
        let stopped = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if process::interrupted() {
                    return Problem::new(Code::Interrupted, "interrupted");
                }
                if Instant::now() > self.deadline {
                    return Problem::new(
                        Code::Red,
                        "the database did not answer within the time limit",
                    )
                    .help(process::TOO_LATE);
                }
            }
        };
        let done = runtime.block_on(async {
            tokio::select! {
                done = work => done,
                problem = stopped => Err(problem.into()),
            }
        });
        // A statement that never ends must not hold up the runtime's own end.
        runtime.shutdown_background();
        done
    }

    /// The commands run so far, as a person would type them.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// `target/xtask/tmp/<process identity>/`: its existence is the record that the run is alive.
#[derive(Debug)]
struct RunFolder {
    dir: PathBuf,
    tag: String,
}

/// One process may hold several contexts (the copy of `prove` beside the real tree).
static SERIAL: AtomicU32 = AtomicU32::new(0);

impl RunFolder {
    /// Makes the folder, after clearing away what killed runs left: processes first, then folders.
    fn create(target: &Path) -> Result<Self> {
        let parent = target.join("xtask/tmp");
        let make = || {
            Problem::precondition(format!("failed to create `{}`", parent.display()))
                .help("make the target folder writable, or point CARGO_TARGET_DIR elsewhere")
        };
        std::fs::create_dir_all(&parent).with_context(make)?;
        let of = |identity: &str| format!("{}-{identity}", key(target));
        for entry in std::fs::read_dir(&parent).with_context(make)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let identity = name.split('.').next().unwrap_or_default();
            if !process::is_alive(identity) {
                process::kill_leftovers(&of(identity));
                // A second start may be clearing the same folder; one of us wins.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let identity = process::identity(std::process::id())
            .context("failed to read our own process record")?;
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = parent.join(format!("{identity}.{serial}"));
        std::fs::create_dir_all(&dir).with_context(make)?;
        Ok(Self {
            tag: of(&identity),
            dir,
        })
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if process::forced() {
            process::kill_leftovers(&self.tag);
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Short name of a target directory, so that runs of two checkouts are told apart.
fn key(target: &Path) -> String {
    blake3::hash(
        target
            .canonicalize()
            .unwrap_or_else(|_| target.to_owned())
            .as_os_str()
            .as_encoded_bytes(),
    )
    .to_hex()[..8]
        .to_owned()
}

/// Writes a file so that a crash leaves the old one or the new one: temp file, fsync, rename.
pub(crate) fn write_atomic(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let write = || -> std::io::Result<()> {
        use std::io::Write as _;
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temp = parent.join(format!(".{name}.{}", std::process::id()));
        let written = std::fs::File::create(&temp).and_then(|mut file| {
            file.write_all(bytes.as_ref())?;
            file.sync_all()
        });
        written
            .and_then(|()| std::fs::rename(&temp, path))
            .inspect_err(|_| {
                let _ = std::fs::remove_file(&temp);
            })
    };
    write().with_context(|| {
        Problem::precondition(format!("failed to write `{}`", path.display()))
            .help("check free space and permissions; nothing was changed")
    })
}
