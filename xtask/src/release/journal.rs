//! What a release that is being made keeps until it is made: what it is to do, and what it found.
//!
//! It lies in git's own folder of the work tree: the index and the files as they were, each in a file
//! of its own, and `journal.json`, written last and removed first. Where that file is, a release is
//! begun. Every step looks at what is there before it does anything, so going on after a kill is
//! doing all of them again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::git::{self, Git};
use super::plan::Plan;
use crate::cx::write_atomic;
use crate::exit::{Code, Problem};
use crate::failpoint;

const FOLDER: &str = "xtask-release";
const JOURNAL: &str = "journal.json";

/// How long a git of a killed release may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far a release has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// The journal is there, and nothing else.
    Begun,
    /// The files have their new texts.
    Written,
    /// The index has them.
    Staged,
    /// The commit is made; no ref leads to it.
    Committed,
    /// The tag is made and verified; no ref leads to it.
    Tagged,
    /// Branch and tag are moved, both at once.
    Moved,
    /// The remote has them.
    Pushed,
}

impl State {
    pub(crate) const ALL: [State; 7] = [
        State::Begun,
        State::Written,
        State::Staged,
        State::Committed,
        State::Tagged,
        State::Moved,
        State::Pushed,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Begun => "begun",
            State::Written => "written",
            State::Staged => "staged",
            State::Committed => "committed",
            State::Tagged => "tagged",
            State::Moved => "moved",
            State::Pushed => "pushed",
        }
    }
}

/// Where the commit of the plan goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// On the branch that is checked out, with its tag.
    Direct,
    /// On a branch for a pull request, without a tag. Nothing that is checked out changes.
    Request,
    /// The plan is on trunk already, in this commit: it gets its tag.
    Merged(String),
}

/// What is to be done, and what was learned on the way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) plan: Plan,
    pub(crate) way: Way,
    /// The full name of the branch that the commit goes to.
    pub(crate) branch: String,
    /// Seconds since 1970, of commit and tag: made again, they are the same.
    pub(crate) time: i64,
    pub(crate) sign_commit: bool,
    pub(crate) sign_tag: bool,
    /// The remote that it is pushed to, if it is.
    pub(crate) push: Option<String>,
    pub(crate) state: State,
    pub(crate) tree: Option<String>,
    pub(crate) commit: Option<String>,
    /// The tag's own object.
    pub(crate) tag: Option<String>,
}

/// The folder of the journal. While it is held no other release is made in this repository.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// # Errors
    /// Exit 75 while another release is made, or a git of a killed one has not ended.
    pub(crate) fn hold(git: &Git<'_>) -> Result<Self> {
        let path = git.path(FOLDER)?;
        let common = git
            .top()
            .join(git.line(&["rev-parse", "--git-common-dir"])?);
        let name = common.join(format!("{FOLDER}.lock"));
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name);
        let lock = open.with_context(|| {
            Problem::precondition(format!("failed to write `{}`", name.display()))
                .help("check free space and permissions; nothing was changed")
        })?;
        let since = Instant::now();
        while lock.try_lock().is_err() {
            if since.elapsed() > PATIENCE {
                return Err(Problem::new(Code::Busy, "another release is being made here")
                    .help("wait for its end, or for that of its hooks if it was killed, then try again")
                    .into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        git::inherit(&lock)?;
        let folder = Self { path, lock };
        if !folder.file(JOURNAL).exists() {
            // Of a release that ended, or never began.
            remove(&folder.path)?;
        }
        Ok(folder)
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What is begun, if anything is.
    ///
    /// # Errors
    /// Exit 3 when the journal cannot be read, or is torn.
    pub(crate) fn read(&self) -> Result<Option<Journal>> {
        let path = self.file(JOURNAL);
        let unreadable = || {
            Problem::precondition(format!("failed to read `{}`", path.display())).help(
                "a release was begun and its journal is not what it was: look at `git status` and `git log`; once all is as it should be, remove that folder",
            )
        };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .with_context(unreadable),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(unreadable),
        }
    }

    /// Begins: `kept` are copies of files as they are, by their name in the folder.
    pub(crate) fn begin(&self, journal: &Journal, kept: &[(String, Vec<u8>)]) -> Result<()> {
        let keep = || {
            for (name, bytes) in kept {
                write_atomic(&self.file(name), bytes)?;
            }
            self.write(journal)
        };
        keep().inspect_err(|_| _ = remove(&self.path))
    }

    pub(crate) fn write(&self, journal: &Journal) -> Result<()> {
        let json = serde_json::to_vec_pretty(journal).context("failed to render the journal")?;
        write_atomic(&self.file(JOURNAL), json)?;
        // The rename itself.
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .context("failed to write the journal of the release")?;
        failpoint::reached(journal.state.as_str());
        Ok(())
    }

    /// Ends it, made or undone.
    pub(crate) fn end(&self) -> Result<()> {
        fs::remove_file(self.file(JOURNAL))
            .context("failed to remove the journal of the release")?;
        remove(&self.path)
    }
}

impl Drop for Folder {
    /// Something that a hook started, and that goes on for ever, has the lock too.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}
