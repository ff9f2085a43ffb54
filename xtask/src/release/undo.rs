//! Undoing a release: refs, index, files are as they were. Nothing is touched before all of it is
//! known to be of the release, and not of somebody who went on since.

use std::fs;

use anyhow::{Context as _, Result};

use super::apply::{ABORT, RESUME, Release};
use super::journal::{State, Way};
use super::locks;
use crate::exit::Problem;

impl Release<'_> {
    /// Brings back what was: refs, index, files. What the remote has is not taken back.
    ///
    /// # Errors
    /// Where somebody went on since, or the remote has it; then nothing is touched.
    pub(crate) fn undo(self) -> Result<()> {
        let git = self.git.to_the_end();
        let this = Release {
            git: &git,
            folder: self.folder,
            journal: self.journal,
        };
        if let Some(remote) = &this.journal.push
            && this.journal.state >= State::Moved
        {
            let there = this.is_there(remote, &this.refs()?).with_context(|| {
                Problem::precondition(format!("whether `{remote}` has it is not known"))
                    .help(format!("once it answers again: {RESUME}, or {ABORT}"))
            })?;
            if there != Some(false) {
                return Err(Problem::precondition(format!(
                    "`{remote}` has `{}`: others may have it too, and it is not taken back",
                    this.journal.plan.tag
                ))
                .help(format!("go on: {RESUME}"))
                .into());
            }
        }
        this.sweep()?;
        this.untouched()?;
        this.undo_refs()?;
        if this.journal.way == Way::Direct {
            this.undo_index()?;
            for (n, change) in this.journal.plan.files.iter().enumerate() {
                let (before, after) = this.texts(n)?;
                this.replace(change, &after, &before)?;
            }
        }
        this.folder.end()
    }

    /// Removes the locks that git left when it was killed.
    pub(super) fn sweep(&self) -> Result<()> {
        // Of the journal's own copies of the index.
        for name in ["index.new.lock", "look.lock"] {
            let _ = fs::remove_file(self.folder.file(name));
        }
        self.unlock(&self.git.path("index.lock")?)?;
        let tag = self.tag_ref();
        let mut ids = vec![&*self.journal.plan.parent];
        ids.extend(self.journal.commit.as_deref());
        // What git remembers of the remote, which a push writes.
        let remote = self.journal.push.as_deref().unwrap_or_default();
        let short = self.journal.branch.trim_start_matches("refs/heads/");
        let known = format!("refs/remotes/{remote}/{short}");
        locks::sweep(self.git, &[&self.journal.branch, &tag, &known], &ids)
    }

    /// Whether everything that the release changes is as it was, or as it is to be.
    ///
    /// # Errors
    /// Exit 3 with what somebody else changed, and how to put that aside.
    pub(super) fn untouched(&self) -> Result<()> {
        let journal = &self.journal;
        let commit = journal.commit.as_deref();
        let branch = self.value(&journal.branch)?;
        let old = (journal.way == Way::Direct).then_some(&*journal.plan.parent);
        let is_merged = matches!(journal.way, Way::Merged(_));
        if !is_merged
            && branch.as_deref() != old
            && (commit.is_none() || branch.as_deref() != commit)
        {
            return Err(moved_on(&journal.branch).into());
        }
        let tag = self.tag_ref();
        if journal.way != Way::Request
            && self.value(&tag)?.is_some()
            && (commit.is_none() || self.value(&format!("{tag}^{{}}"))?.as_deref() != commit)
        {
            return Err(moved_on(&tag).into());
        }
        if journal.way != Way::Direct {
            return Ok(());
        }
        let head = self
            .git
            .try_run(&["symbolic-ref", "--quiet", "HEAD"], b"")?;
        if String::from_utf8_lossy(&head.stdout).trim() != journal.branch {
            let branch = journal.branch.trim_start_matches("refs/heads/");
            return Err(
                Problem::precondition(format!("HEAD is not at `{branch}` any more"))
                    .help(format!(
                        "git symbolic-ref HEAD {}, then the same again",
                        journal.branch
                    ))
                    .into(),
            );
        }
        self.is_index_ours()?;
        for (n, change) in journal.plan.files.iter().enumerate() {
            let (before, after) = self.texts(n)?;
            let found = fs::read(self.git.top().join(&change.path)).ok();
            if found.as_ref() != Some(&before) && found.as_ref() != Some(&after) {
                return Err(edited(&change.path).into());
            }
        }
        Ok(())
    }

    fn undo_refs(&self) -> Result<()> {
        let mut moves = Vec::new();
        let tag = self.tag_ref();
        // Git makes it before the journal knows; `untouched` saw whose it is.
        if self.journal.way != Way::Request
            && let Some(found) = self.value(&tag)?
        {
            moves.push(format!("delete {tag} {found}\n"));
        }
        if self.journal.commit.is_some() {
            for (name, old, new) in self.refs()? {
                if name == tag || self.value(&name)?.as_deref() != Some(&*new) {
                    continue;
                }
                moves.push(match old {
                    Some(old) => format!("update {name} {old} {new}\n"),
                    None => format!("delete {name} {new}\n"),
                });
            }
        }
        self.transaction(&moves)
    }

    /// `git status` writes the index anew: what it holds counts.
    fn is_index_ours(&self) -> Result<()> {
        let tree = self.index_tree()?;
        let is_ours = tree == self.parent_tree()?
            || self.journal.tree == tree
            || self.tree_of("index.new")? == tree;
        if tree.is_none() || !is_ours {
            return Err(
                Problem::precondition("something was staged since the release began")
                    .help("git restore --staged . for what it is, then the same again")
                    .into(),
            );
        }
        Ok(())
    }

    fn undo_index(&self) -> Result<()> {
        if self.index_tree()? == self.parent_tree()? {
            return Ok(());
        }
        self.install("index")
    }

    fn parent_tree(&self) -> Result<Option<String>> {
        self.value(&format!("{}^{{tree}}", self.journal.plan.parent))
    }
}

/// Somebody moved a ref.
pub(super) fn moved_on(name: &str) -> Problem {
    Problem::precondition(format!("`{name}` has moved since the release began"))
        .help("somebody was at work here: see `git log --all`; with that put aside, the same again")
}

/// Somebody wrote a file.
pub(super) fn edited(path: &str) -> Problem {
    Problem::precondition(format!(
        "`{path}` was changed by somebody since the release began"
    ))
    .help(format!(
        "keep what you need of it, git checkout -- {path}, then the same again"
    ))
}
