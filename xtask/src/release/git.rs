//! Git's own command line: it alone runs hooks, signs, and speaks to remotes.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use crate::cx::Shared;
use crate::exit::{Code, Problem};
use crate::process::{self, RUN_TAG};
use crate::report::text;

/// Runs git at the top of the work tree. A prompt for a passphrase reaches the terminal, Ctrl-C
/// reaches git, and a git whose starter was killed goes on to its end.
#[derive(Debug)]
pub(crate) struct Git<'a> {
    shared: &'a Shared,
    top: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// Ctrl-C does not stop it: what it does undoes what was interrupted.
    to_the_end: bool,
}

impl<'a> Git<'a> {
    /// # Errors
    /// Exit 3 outside of a work tree.
    pub(crate) fn new(shared: &'a Shared) -> Result<Self> {
        let mut git = Self {
            shared,
            top: shared.root.clone(),
            environment: Vec::new(),
            to_the_end: false,
        };
        git.top = PathBuf::from(git.line(&["rev-parse", "--show-toplevel"])?);
        Ok(git)
    }

    /// The same with a variable set.
    pub(crate) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut environment = self.environment.clone();
        environment.push((name, value.into()));
        Self {
            shared: self.shared,
            top: self.top.clone(),
            environment,
            to_the_end: self.to_the_end,
        }
    }

    /// The same for what has to be done although somebody pressed Ctrl-C.
    pub(crate) fn to_the_end(&self) -> Self {
        Self {
            shared: self.shared,
            top: self.top.clone(),
            environment: self.environment.clone(),
            to_the_end: true,
        }
    }

    /// The top of the work tree.
    pub(crate) fn top(&self) -> &std::path::Path {
        &self.top
    }

    /// A file or folder of git's own for this work tree.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf> {
        Ok(self
            .top
            .join(self.line(&["rev-parse", "--git-path", name])?))
    }

    /// A setting; `None` where it is not set.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>> {
        let output = self.try_run(&["config", "--get", name], b"")?;
        Ok(output.status.success().then(|| line_of(&output.stdout)))
    }

    /// A setting that is on.
    pub(crate) fn is_set(&self, name: &str) -> Result<bool> {
        let output = self.try_run(&["config", "--type=bool", "--get", name], b"")?;
        Ok(output.status.success() && line_of(&output.stdout) == "true")
    }

    /// The one line that a command answers with.
    pub(crate) fn line(&self, args: &[&str]) -> Result<String> {
        Ok(line_of(&self.run(args, b"")?))
    }

    /// What a command answers.
    ///
    /// # Errors
    /// Exit 3 with git's own words when it fails, 4 without git.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let output = self.try_run(args, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed(args, &output).into())
    }

    /// Runs a command that may fail.
    pub(crate) fn try_run(&self, args: &[&str], input: &[u8]) -> Result<Output> {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.top);
        process::clean_environment(&mut command, &self.shared.target, "");
        command
            .env_remove(RUN_TAG)
            .env_remove("GIT_INDEX_FILE")
            // A look at the tree takes no lock, which it would leave behind when it is killed.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let line = shown(args);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow::Error::new(
                Problem::new(
                    Code::ToolMissing,
                    "failed to start `git`: it is not installed",
                )
                .help("cargo xtask doctor"),
            ),
            _ => anyhow::Error::new(error).context(format!("failed to start `{line}`")),
        })?;
        if let Some(mut pipe) = child.stdin.take() {
            // A git that ends early says why itself.
            let _ = pipe.write_all(input);
        }
        let output = child
            .wait_with_output()
            .with_context(|| format!("failed to wait for `{line}`"))?;
        if is_interrupted(&output) && !self.to_the_end {
            return Err(Problem::new(Code::Interrupted, format!("interrupted `{line}`")).into());
        }
        Ok(output)
    }
}

/// Whether somebody pressed Ctrl-C: git may know before this process does.
pub(crate) fn is_interrupted(output: &Output) -> bool {
    process::interrupted() || output.status.signal() == Some(Signal::INT.as_raw())
}

/// The error of a git that failed.
pub(crate) fn failed(args: &[&str], output: &Output) -> Problem {
    let mut said = text::clean_bytes(&output.stderr, text::MESSAGE);
    if said.trim().is_empty() {
        said = text::clean_bytes(&output.stdout, text::MESSAGE);
    }
    let said = said.trim();
    let line = shown(args);
    Problem::precondition(if said.is_empty() {
        format!("`{line}` failed")
    } else {
        format!("`{line}` failed: {said}")
    })
}

/// The command as a person would type it.
fn shown(args: &[&str]) -> String {
    let words: Vec<&str> = args
        .iter()
        .map(|arg| arg.lines().next().unwrap_or("''"))
        .collect();
    format!("git {}", words.join(" "))
}

fn line_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .trim_end_matches(['\n', '\r'])
        .to_owned()
}

/// Children inherit this descriptor, and with it the lock of the file that it is of.
pub(crate) fn inherit(file: &impl AsFd) -> Result<()> {
    rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())
        .context("failed to hand on the lock of the release")
}
