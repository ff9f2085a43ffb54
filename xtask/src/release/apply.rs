//! Making a planned release, as a whole or not at all.
//!
//! Files, index, hooks, commit, tag, then the refs in one transaction, then the push. Whatever fails
//! before the remote has it is undone at once; whatever is killed is finished, or undone, by looking
//! at what is there: each step leaves alone what it finds done, and refuses what is neither as it
//! was nor as it is to be.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::git::Git;
use super::journal::{Folder, Journal, State, Way};
use super::locks;
use super::plan::Change;
use super::push::Push;
use super::undo::edited;
use crate::exit::{Code, Problem};
use crate::process;

pub(crate) const RESUME: &str = "cargo xtask release --resume";
pub(crate) const ABORT: &str = "cargo xtask release --abort";

/// A release that is begun.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    pub(super) git: &'a Git<'a>,
    pub(super) folder: &'a Folder,
    pub(super) journal: Journal,
}

impl<'a> Release<'a> {
    /// Begins it: the journal is written, with what it takes to undo everything.
    pub(crate) fn begin(git: &'a Git<'a>, folder: &'a Folder, journal: Journal) -> Result<Self> {
        let tag = format!("refs/tags/{}", journal.plan.tag);
        locks::none(git, &[&journal.branch, &tag])?;
        let mut kept = Vec::new();
        if journal.way == Way::Direct {
            let index = git.path("index")?;
            let bytes = fs::read(&index)
                .with_context(|| format!("failed to read `{}`", index.display()))?;
            kept.push(("index".to_owned(), bytes));
            for (n, change) in journal.plan.files.iter().enumerate() {
                let path = git.top().join(&change.path);
                let bytes = fs::read(&path)
                    .with_context(|| format!("failed to read `{}`", path.display()))?;
                kept.push((format!("before-{n}"), bytes));
                kept.push((format!("after-{n}"), checked_out(git, change)?));
            }
        }
        folder.begin(&journal, &kept)?;
        Ok(Self {
            git,
            folder,
            journal,
        })
    }

    /// The one that is in the journal.
    pub(crate) fn found(git: &'a Git<'a>, folder: &'a Folder, journal: Journal) -> Self {
        Self {
            git,
            folder,
            journal,
        }
    }

    /// Goes on with it.
    ///
    /// # Errors
    /// As [`Release::make`]; and, with nothing touched, where somebody was at work in between.
    pub(crate) fn resume(self) -> Result<Journal> {
        self.sweep()?;
        // Once the refs are moved all is made here, and whoever goes on from there is welcome.
        if self.journal.state < State::Moved {
            self.untouched()?;
        }
        self.make()
    }

    /// Makes it, or undoes it.
    ///
    /// # Errors
    /// With nothing changed; or, where that could not be brought about, with the two commands that
    /// end it either way.
    pub(crate) fn make(mut self) -> Result<Journal> {
        match self.steps() {
            Ok(()) => {
                self.folder.end()?;
                Ok(self.journal)
            }
            Err(Stop::Undo(error)) => {
                let tag = self.journal.plan.tag.clone();
                match self.undo() {
                    Ok(()) => Err(error.context(format!(
                        "`{tag}` was not released, and everything is as it was"
                    ))),
                    Err(undo) => Err(error.context(format!("{undo:#}")).context(
                        Problem::precondition(format!(
                            "`{tag}` was not released, and is not undone"
                        ))
                        .help(format!("once the cause is gone: {ABORT}")),
                    )),
                }
            }
            Err(Stop::Keep(error)) => Err(error),
        }
    }

    fn steps(&mut self) -> Result<(), Stop> {
        if self.journal.state < State::Moved {
            self.steps_here()?;
        }
        if self.journal.state < State::Pushed
            && let Some(remote) = self.journal.push.clone()
        {
            match self.push(&remote) {
                Push::Landed => {}
                Push::Refused(error) => return Err(Stop::Undo(error)),
                Push::Unknown(error) => return Err(Stop::Keep(error)),
            }
            // Not undone by Ctrl-C any more.
            self.keep(State::Pushed).map_err(Stop::Keep)?;
        }
        Ok(())
    }

    fn steps_here(&mut self) -> Result<()> {
        if self.journal.way == Way::Direct {
            self.write()?;
            self.reach(State::Written)?;
        }
        if !matches!(self.journal.way, Way::Merged(_)) {
            self.stage()?;
            self.reach(State::Staged)?;
        }
        self.commit()?;
        self.reach(State::Committed)?;
        if self.journal.way != Way::Request {
            self.tag()?;
            self.reach(State::Tagged)?;
        }
        self.move_refs()?;
        self.reach(State::Moved)?;
        if self.journal.way == Way::Direct {
            // As after any commit; what it says changes nothing any more.
            let _ = self
                .git
                .try_run(&["hook", "run", "--ignore-missing", "post-commit"], b"");
        }
        Ok(())
    }

    fn reach(&mut self, state: State) -> Result<()> {
        self.keep(state)?;
        if process::interrupted() {
            return Err(Problem::new(Code::Interrupted, "interrupted").into());
        }
        Ok(())
    }

    fn keep(&mut self, state: State) -> Result<()> {
        self.journal.state = state;
        self.folder.write(&self.journal)
    }

    /// Puts the new texts where the old ones are.
    fn write(&self) -> Result<()> {
        for (n, change) in self.journal.plan.files.iter().enumerate() {
            let (before, after) = self.texts(n)?;
            self.replace(change, &before, &after)?;
        }
        Ok(())
    }

    /// A file as it was, and as it is to be: bytes of the work tree.
    pub(super) fn texts(&self, n: usize) -> Result<(Vec<u8>, Vec<u8>)> {
        let read = |name: String| {
            fs::read(self.folder.file(&name)).context("failed to read the journal of the release")
        };
        Ok((read(format!("before-{n}"))?, read(format!("after-{n}"))?))
    }

    /// Replaces a file that is `old` by `new`, and leaves one alone that is `new`.
    pub(super) fn replace(&self, change: &Change, old: &[u8], new: &[u8]) -> Result<()> {
        let path = self.git.top().join(&change.path);
        let temp = beside(&path);
        // Of a run that was killed while it wrote.
        let _ = fs::remove_file(&temp);
        let found = fs::read(&path).with_context(|| format!("failed to read `{}`", change.path))?;
        if found == new {
            return Ok(());
        }
        if found != old {
            return Err(edited(&change.path).into());
        }
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temp)?;
            file.set_permissions(fs::metadata(&path)?.permissions())?;
            file.write_all(new)?;
            file.sync_all()?;
            fs::rename(&temp, &path)?;
            // The rename itself: the refs that come later must not be the only ones to survive.
            path.parent()
                .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        write()
            .inspect_err(|_| _ = fs::remove_file(&temp))
            .with_context(|| {
                Problem::precondition(format!("failed to write `{}`", change.path))
                    .help("check free space and permissions")
            })
    }
}

/// Why a release stopped.
enum Stop {
    /// Everything can be as it was.
    Undo(anyhow::Error),
    /// The remote may have it.
    Keep(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Stop::Undo(error)
    }
}

/// The bytes that git would check out for the new text: line endings as they are configured.
fn checked_out(git: &Git<'_>, change: &Change) -> Result<Vec<u8>> {
    let blob = git.run(&["hash-object", "-w", "--stdin"], change.after.as_bytes())?;
    let blob = String::from_utf8_lossy(&blob).trim().to_owned();
    git.run(
        &[
            "cat-file",
            "--filters",
            &format!("--path={}", change.path),
            &blob,
        ],
        b"",
    )
}

/// Where a file is written before it is renamed.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.xtask-release"))
}
