//! Commit and tag of a release: first the objects, to which no ref leads, then all refs at once.

use std::fs;

use anyhow::{Context as _, Result};

use super::apply::Release;
use super::git::{Git, failed};
use super::journal::Way;
use super::signature;
use super::undo::moved_on;
use crate::exit::Problem;

impl<'a> Release<'a> {
    /// Makes the commit, after the hooks that come before any.
    pub(super) fn commit(&mut self) -> Result<()> {
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
    pub(super) fn tag(&mut self) -> Result<()> {
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
            // By a file: of a pipe that a kill cuts short, git makes a tag that says nothing.
            let message = self.folder.file("TAG_EDITMSG");
            fs::write(&message, &self.journal.plan.message)
                .context("failed to write the message")?;
            let file = message.to_string_lossy();
            let args = [
                "tag",
                sign,
                "--cleanup=verbatim",
                "-F",
                &file,
                &tag,
                &commit,
            ];
            let git = self.dated();
            let output = git.try_run(&args, b"")?;
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
    pub(super) fn move_refs(&self) -> Result<()> {
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
