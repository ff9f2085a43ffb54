//! A copy of `tests/fixture`, committed, and the binary to run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use xshell::{Shell, cmd};

/// Set in everything a sandbox starts, so that what is left of it can be found from outside.
pub(crate) const MARK: &str = "XTASK_TEST_SANDBOX";

pub(crate) struct Sandbox {
    pub(crate) dir: PathBuf,
    pub(crate) sh: Shell,
    _temp: tempfile::TempDir,
}

const GIT_CONFIG: &str = "\
[user]
name = Test
email = test@localhost
[init]
defaultBranch = main
[protocol \"file\"]
allow = always
";

/// The committed fixture, made once per build of the binary; tests are processes of their own.
fn template() -> PathBuf {
    let exe = std::fs::metadata(env!("CARGO_BIN_EXE_xtask")).unwrap();
    let built = exe
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = folder.join(format!("fixture-{}", built.as_nanos()));
    let lock = std::fs::File::create(folder.join("fixture.lock")).unwrap();
    lock.lock().unwrap();
    if !template.exists() {
        for old in std::fs::read_dir(folder).unwrap().flatten() {
            if old.file_name().to_string_lossy().starts_with("fixture-") {
                std::fs::remove_dir_all(old.path()).unwrap();
            }
        }
        let sandbox = Sandbox::bare();
        sandbox.xtask(&["fix"]).expect(0);
        sandbox.commit("fixture");
        sandbox.sh.remove_path("target").unwrap();
        let part = folder.join("fixture-part");
        copy(&sandbox.dir, &part);
        std::fs::rename(part, &template).unwrap();
    }
    template
}

/// How a command ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        assert!(all.contains(text), "`{text}` is not in:\n{all}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}{}", self.stdout, self.stderr))
    }
}

impl Sandbox {
    /// The fixture as it is committed, its generated files current.
    pub(crate) fn new() -> Self {
        Self::of(&template())
    }

    /// The fixture without git, and without its generated files.
    pub(crate) fn bare() -> Self {
        Self::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture"))
    }

    fn of(template: &Path) -> Self {
        let temp = tempfile::Builder::new()
            .prefix("wörk späce ")
            .tempdir()
            .unwrap();
        let dir = temp.path().canonicalize().unwrap().join("a team's repo");
        copy(template, &dir);
        let sh = Shell::new().unwrap();
        sh.change_dir(&dir);
        sh.set_var("GIT_CONFIG_GLOBAL", dir.with_extension("gitconfig"));
        sh.set_var("GIT_CONFIG_SYSTEM", "/dev/null");
        std::fs::write(dir.with_extension("gitconfig"), GIT_CONFIG).unwrap();
        Self {
            dir,
            sh,
            _temp: temp,
        }
    }

    pub(crate) fn commit(&self, message: &str) {
        let sh = &self.sh;
        if !self.dir.join(".git").exists() {
            cmd!(sh, "git init --quiet").run().unwrap();
        }
        cmd!(sh, "git add --all").quiet().run().unwrap();
        cmd!(sh, "git commit --quiet --allow-empty --message {message}")
            .quiet()
            .run()
            .unwrap();
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        write(&self.dir, file, text);
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.join(file)).unwrap()
    }

    pub(crate) fn append(&self, file: &str, text: &str) {
        self.write(file, format!("{}{text}", self.read(file)));
    }

    /// A command in the sandbox that sees nothing of the test runner's own environment.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = command(program);
        command.current_dir(&self.dir);
        command.env(MARK, &self.dir);
        command.env("GIT_CONFIG_GLOBAL", self.dir.with_extension("gitconfig"));
        command
    }

    pub(crate) fn xtask_command(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_xtask"));
        command.args(args);
        command
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Ran {
        run(self.xtask_command(args))
    }

    pub(crate) fn xtask_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = self.xtask_command(args);
        command.envs(env.iter().copied());
        run(command)
    }

    /// Command lines of the living processes that this sandbox started.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mark = format!("{MARK}={}", self.dir.display());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(environ) = std::fs::read(entry.path().join("environ")) else {
                continue;
            };
            if environ
                .split(|byte| *byte == 0)
                .any(|variable| variable == mark.as_bytes())
            {
                let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(String::from_utf8_lossy(&line).replace('\0', " "));
            }
        }
        found
    }

    /// Waits until no process of the sandbox is left.
    #[track_caller]
    pub(crate) fn assert_quiet(&self, within: Duration) {
        let since = std::time::Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(since.elapsed() < within, "still there: {left:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Writes a file, and the folders it lies in.
pub(crate) fn write(dir: &Path, file: &str, text: impl AsRef<[u8]>) {
    let path = dir.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A command that sees nothing of the test runner's own environment: within a git hook, that names
/// another repository.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "TMPDIR",
    ] {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test hands on what its children need"
        )]
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// `xtask routes` on a folder.
pub(crate) fn routes(root: &Path, args: &[&str]) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_xtask"));
    command.arg("routes").args(args).arg("--root").arg(root);
    command
}

pub(crate) fn run(mut command: Command) -> Ran {
    Ran::from(command.output().unwrap())
}

/// All of them side by side.
pub(crate) fn run_at_once(commands: impl Iterator<Item = Command>) -> Vec<Ran> {
    let start = |mut command: Command| {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = commands.map(start).collect();
    (children.into_iter())
        .map(|child| Ran::from(child.wait_with_output().unwrap()))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The gate of that id in a run's JSON.
#[track_caller]
pub(crate) fn gate<'a>(run: &'a Value, id: &str) -> &'a Value {
    run["gates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|gate| gate["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {run:#}"))
}

/// `rule file:line` of each finding of a gate.
#[track_caller]
pub(crate) fn findings(run: &Value, id: &str) -> Vec<String> {
    let findings = gate(run, id)["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|f| {
            format!(
                "{} {}:{}",
                f["rule"].as_str().unwrap(),
                f["file"].as_str().unwrap_or("-"),
                f["line"]
            )
        })
        .collect()
}
