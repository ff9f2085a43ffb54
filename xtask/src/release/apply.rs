//! Making a planned release, as a whole or not at all.
//!
//! Files, index, hooks, commit, tag, then the refs in one transaction, then the push. Whatever fails
//! before the remote has it is undone at once; whatever is killed is finished, or undone, by looking
//! at what is there: each step leaves alone what it finds done, and refuses what is neither as it
//! was nor as it is to be.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::git::{Git, failed};
use super::journal::{Folder, Journal, State, Way};
use super::plan::Change;
use super::push::Push;
use super::undo::{edited, moved_on};
use super::{locks, signature};
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
            fs::rename(&temp, &path)
        };
        write()
            .inspect_err(|_| _ = fs::remove_file(&temp))
            .with_context(|| {
                Problem::precondition(format!("failed to write `{}`", change.path))
                    .help("check free space and permissions")
            })
    }

    /// Puts the new blobs into the index, and learns the tree that they make.
    fn stage(&mut self) -> Result<()> {
        let draft = self.folder.file("index.new");
        let git = self.git.with("GIT_INDEX_FILE", draft.to_string_lossy());
        if self.journal.way == Way::Direct {
            if self.journal.tree.is_some() && self.index_tree()? == self.journal.tree {
                return Ok(());
            }
            let _ = fs::remove_file(&draft);
            fs::copy(self.folder.file("index"), &draft).context("failed to copy the index")?;
        } else {
            git.run(&["read-tree", &self.journal.plan.parent], b"")?;
        }
        let mut info = Vec::new();
        for change in &self.journal.plan.files {
            let blob = self
                .git
                .run(&["hash-object", "-w", "--stdin"], change.after.as_bytes())?;
            let blob = String::from_utf8_lossy(&blob).trim().to_owned();
            let listed = git.run(
                &[
                    "ls-files",
                    "--stage",
                    "-z",
                    "--",
                    &format!(":(top,literal){}", change.path),
                ],
                b"",
            )?;
            let mode = String::from_utf8_lossy(&listed)
                .split(' ')
                .next()
                .map(str::to_owned);
            let mode = mode.filter(|mode| !mode.is_empty()).with_context(|| {
                Problem::precondition(format!("`{}` is not in the index", change.path))
            })?;
            info.extend(format!("{mode} {blob}\t{}\0", change.path).into_bytes());
        }
        git.run(&["update-index", "-z", "--index-info"], &info)?;
        if self.journal.way == Way::Direct {
            // It fails when other files differ, which is not its question.
            let _ = git.try_run(&["update-index", "-q", "--refresh"], b"")?;
        }
        self.journal.tree = Some(git.line(&["write-tree"])?);
        if self.journal.way == Way::Direct {
            // The draft stays for the hooks.
            self.install("index.new")?;
        }
        Ok(())
    }

    /// Makes a file of the journal the index, by git's own protocol: who has `index.lock` may write.
    pub(super) fn install(&self, name: &str) -> Result<()> {
        let from = self.folder.file(name);
        let index = self.git.path("index")?;
        let lock = self.git.path("index.lock")?;
        self.unlock(&lock)?;
        fs::hard_link(&from, &lock).with_context(|| {
            Problem::precondition(format!(
                "failed to lock the index with `{}`",
                lock.display()
            ))
            .help("another git may be at work here; if none is, remove that file")
        })?;
        fs::rename(&lock, &index).context("failed to write the index")?;
        // A rename of one link over another of the same file does nothing.
        let _ = fs::remove_file(&lock);
        Ok(())
    }

    /// Removes a lock of the index that a killed run of this release left.
    pub(super) fn unlock(&self, lock: &Path) -> Result<()> {
        let inode = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        let ours = ["index", "index.new"].map(|name| inode(&self.folder.file(name)));
        if inode(lock).is_some_and(|found| ours.contains(&Some(found))) {
            fs::remove_file(lock).context("failed to unlock the index")?;
        }
        Ok(())
    }

    /// Makes the commit, after the hooks that come before any.
    fn commit(&mut self) -> Result<()> {
        if let Way::Merged(commit) = &self.journal.way {
            self.journal.commit = Some(commit.clone());
        }
        if self.journal.commit.is_some() {
            return Ok(());
        }
        let draft = self.folder.file("index.new");
        let message = self.folder.file("COMMIT_EDITMSG");
        fs::write(&message, &self.journal.plan.message).context("failed to write the message")?;
        let file = message.to_string_lossy();
        let git = self.dated().with("GIT_INDEX_FILE", draft.to_string_lossy());
        let tree = self
            .journal
            .tree
            .clone()
            .context(Problem::bug("a commit without a tree"))?;
        if !draft.exists() {
            git.run(&["read-tree", &tree], b"")?;
        }
        let hooks: [&[&str]; 3] = [
            &["pre-commit"],
            &["prepare-commit-msg", "--", &file, "message"],
            &["commit-msg", "--", &file],
        ];
        for hook in hooks {
            let mut args = vec!["hook", "run", "--ignore-missing"];
            args.extend(hook);
            let output = git.try_run(&args, b"")?;
            if !output.status.success() {
                let help = "mend what the hook finds; where it keeps commits off this branch: cargo xtask release … --pr";
                return Err(failed(&["hook", "run", hook[0]], &output).help(help).into());
            }
        }
        if git.line(&["write-tree"])? != tree {
            return Err(Problem::precondition("a hook changed what is committed")
                .help("a release is what was planned; let the hook check files, and not write them")
                .into());
        }
        let mut args = vec![
            "commit-tree",
            &tree,
            "-p",
            &self.journal.plan.parent,
            "-F",
            &file,
        ];
        if self.journal.sign_commit {
            args.push("-S");
        }
        self.journal.commit = Some(git.line(&args)?);
        Ok(())
    }

    /// Makes the tag's object and verifies it. Git makes its ref along; that goes again, until all
    /// refs move at once.
    fn tag(&mut self) -> Result<()> {
        if self.journal.tag.is_some() {
            return Ok(());
        }
        let tag = self.journal.plan.tag.clone();
        let name = self.tag_ref();
        let commit = self.made()?.to_owned();
        if self.value(&name)?.is_none() {
            let sign = if self.journal.sign_tag {
                "--sign"
            } else {
                "--annotate"
            };
            let args = ["tag", sign, "--cleanup=verbatim", "-F", "-", &tag, &commit];
            let git = self.dated();
            let output = git.try_run(&args, self.journal.plan.message.as_bytes())?;
            if !output.status.success() {
                let help = if self.journal.sign_tag {
                    "git is configured to sign tags (tag.gpgSign): mend the key, see `git config --get user.signingkey`"
                } else {
                    "mend what git says, then the same again"
                };
                return Err(failed(&args[..3], &output).help(help).into());
            }
        }
        let object = self
            .value(&name)?
            .context(Problem::bug("git made a tag and has none"))?;
        let peeled = self.git.line(&["rev-parse", &format!("{object}^{{}}")])?;
        if peeled != commit || self.git.line(&["cat-file", "-t", &object])? != "tag" {
            return Err(Problem::precondition(format!(
                "`{tag}` is there, and is not of this release"
            ))
            .help(format!("git tag --delete {tag}, if nobody needs it"))
            .into());
        }
        if self.journal.sign_tag {
            signature::verify(self.git, &tag)?;
        }
        self.git.run(&["update-ref", "-d", &name, &object], b"")?;
        self.journal.tag = Some(object);
        Ok(())
    }

    /// Moves branch and tag in one transaction: both or neither.
    fn move_refs(&self) -> Result<()> {
        let mut moves = Vec::new();
        for (name, old, new) in self.refs()? {
            let found = self.value(&name)?;
            if found.as_deref() == Some(&*new) {
                continue;
            }
            if found != old {
                return Err(moved_on(&name).into());
            }
            moves.push(match old {
                Some(old) => format!("update {name} {new} {old}\n"),
                None => format!("create {name} {new}\n"),
            });
        }
        self.transaction(&moves)
    }

    pub(super) fn transaction(&self, moves: &[String]) -> Result<()> {
        if moves.is_empty() {
            return Ok(());
        }
        let input = format!("start\n{}prepare\ncommit\n", moves.concat());
        let why = format!("release {}", self.journal.plan.tag);
        let args = ["update-ref", "--create-reflog", "-m", &why, "--stdin"];
        self.git.run(&args, input.as_bytes()).map(drop)
    }

    /// Every ref that moves: its name, what it is before, and after.
    pub(super) fn refs(&self) -> Result<Vec<(String, Option<String>, String)>> {
        let journal = &self.journal;
        let mut refs = Vec::new();
        let old = match journal.way {
            Way::Direct => Some(Some(journal.plan.parent.clone())),
            Way::Request => Some(None),
            Way::Merged(_) => None,
        };
        if let Some(old) = old {
            refs.push((journal.branch.clone(), old, self.made()?.to_owned()));
        }
        if let Some(tag) = &journal.tag {
            refs.push((self.tag_ref(), None, tag.clone()));
        }
        Ok(refs)
    }

    /// The full name of the tag.
    pub(super) fn tag_ref(&self) -> String {
        format!("refs/tags/{}", self.journal.plan.tag)
    }

    fn made(&self) -> Result<&str> {
        let commit = self.journal.commit.as_deref();
        commit.context(Problem::bug("a release without its commit"))
    }

    /// What a ref is; `None` where there is none.
    pub(super) fn value(&self, name: &str) -> Result<Option<String>> {
        let output = self
            .git
            .try_run(&["rev-parse", "--verify", "--quiet", name], b"")?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(text))
    }

    /// Git with the time of the release.
    fn dated(&self) -> Git<'a> {
        let time = format!("{} +0000", self.journal.time);
        self.git
            .with("GIT_AUTHOR_DATE", time.clone())
            .with("GIT_COMMITTER_DATE", time)
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
