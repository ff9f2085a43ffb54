//! What a release would do: a pure function of a commit, the day and the version that is wanted.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use git2::{Commit, ObjectType, Repository, TreeWalkMode, TreeWalkResult};
use jiff::civil::Date;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::changelog::{self, Cut};
use super::lockfile;
use super::manifest::Workspace;
use super::version::{self, Step};
use crate::cx::Shared;
use crate::exit::Problem;
use crate::repo;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) step: Step,
    /// Begin with a candidate.
    pub(crate) rc: bool,
    /// Of the release, in UTC.
    pub(crate) date: Date,
}

/// A release, as it would be made on top of `parent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) from: Version,
    pub(crate) to: Version,
    /// `v` and the version.
    pub(crate) tag: String,
    /// The commit that is released, in hexadecimal.
    pub(crate) parent: String,
    /// Of the commit and of the tag.
    pub(crate) message: String,
    pub(crate) files: Vec<Change>,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// From the top of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Plan {
    /// Plans on top of `commit`. What is wrong with any of the files goes to `problems`, all of it;
    /// then there may be no plan.
    ///
    /// # Errors
    /// When git cannot be read, or the step does not fit the version.
    pub(crate) fn of(
        shared: &Shared,
        repo: &Repository,
        commit: &Commit<'_>,
        wish: &Wish,
        problems: &mut Vec<anyhow::Error>,
    ) -> Result<Option<Self>> {
        let prefix = repo::prefix(repo, &shared.root)?;
        let files = Files::read(repo, commit, &prefix)?;
        let workspace = collect(files.workspace(&prefix), problems);
        let to = (workspace.as_ref())
            .and_then(|workspace| collect(wanted(repo, &workspace.version, wish), problems));
        let log = collect(files.changelog(&prefix), problems);
        let (Some(workspace), Some(to)) = (&workspace, to) else {
            // What is wrong whichever version it is to be.
            if let Some(workspace) = &workspace {
                files.locked(&prefix, workspace, &workspace.version, problems);
            }
            if let Some((path, text)) = log {
                let ready = changelog::ready(text).with_context(|| format!("`{path}`"));
                collect(ready, problems);
            }
            return Ok(None);
        };
        let tag = format!("v{to}");
        let mut changes: BTreeMap<&str, String> = BTreeMap::new();
        let before = |path: &str| {
            let files = [&files.manifests, &files.lockfiles];
            files.iter().find_map(|files| files.get(path).cloned())
        };
        let manifests = collect(workspace.set(&to), problems).unwrap_or_default();
        for (path, text) in &manifests {
            changes.insert(path, text.clone());
        }
        changes.extend(files.locked(&prefix, workspace, &to, problems));
        let mut files_changed: Vec<Change> = changes
            .into_iter()
            .map(|(path, after)| {
                let before = before(path).context(Problem::bug("a file nobody read"))?;
                let path = format!("{prefix}{path}");
                Ok(Change {
                    path,
                    before,
                    after,
                })
            })
            .collect::<Result<_>>()?;
        if let Some((path, text)) = log {
            let page = repo::page(repo);
            let cut = Cut {
                version: &to,
                date: wish.date,
                tag: &tag,
                page: page.as_deref(),
            };
            let after = changelog::cut(text, &cut).with_context(|| format!("`{path}`"));
            if let Some(after) = collect(after, problems) {
                files_changed.push(Change {
                    path,
                    before: text.to_owned(),
                    after,
                });
            }
        }
        files_changed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Some(Self {
            message: format!("Release {tag}\n"),
            from: workspace.version.clone(),
            to,
            tag,
            parent: commit.id().to_string(),
            files: files_changed,
        }))
    }

    /// SHA-256, in hexadecimal, over all that the plan says: another commit, day or byte is another
    /// plan.
    pub(crate) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(&self.parent);
        add(&self.tag);
        add(&self.message);
        for Change { path, after, .. } in &self.files {
            add(path);
            add(after);
        }
        marker::hex(&hash.finalize())
    }
}

impl Change {
    /// A unified diff as `git apply` reads it.
    pub(crate) fn diff(&self) -> String {
        // Only `\n` ends a line for git.
        let before: Vec<&str> = self.before.split_inclusive('\n').collect();
        let after: Vec<&str> = self.after.split_inclusive('\n').collect();
        let diff = similar::TextDiff::configure()
            .newline_terminated(true)
            .diff_slices(&before, &after);
        let (old, new) = (format!("a/{}", self.path), format!("b/{}", self.path));
        diff.unified_diff().header(&old, &new).to_string()
    }
}

/// The version after `from`. The first release may be of the version that the manifests have.
fn wanted(repo: &Repository, from: &Version, wish: &Wish) -> Result<Version> {
    let is_tagged = || repo.find_reference(&format!("refs/tags/v{from}")).is_ok();
    match &wish.step {
        Step::Exact(exact) if exact == from && !wish.rc && !is_tagged() => Ok(exact.clone()),
        step => version::next(from, step, wish.rc),
    }
}

fn collect<T>(result: Result<T>, problems: &mut Vec<anyhow::Error>) -> Option<T> {
    result.map_err(|error| problems.push(error)).ok()
}

/// The files of a commit that a release may change: texts by their path from the workspace.
#[derive(Debug, Default)]
struct Files {
    manifests: BTreeMap<String, String>,
    lockfiles: BTreeMap<String, String>,
    changelog: Option<String>,
    /// What is wrong with those that are no text files. It counts only where such a file would have
    /// to change.
    odd: BTreeMap<String, &'static str>,
}

const LINK: &str = "a symbolic link";
const BYTES: &str = "not UTF-8";

impl Files {
    fn read(repo: &Repository, commit: &Commit<'_>, prefix: &str) -> Result<Self> {
        let mut found = Vec::new();
        let tree = commit
            .tree()
            .context("failed to read the tree of the commit")?;
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let name = entry.name().unwrap_or_default();
            let is_ours = matches!(name, "Cargo.toml" | "Cargo.lock" | changelog::FILE);
            if is_ours && entry.kind() == Some(ObjectType::Blob) {
                found.push((format!("{folder}{name}"), entry.id(), entry.filemode()));
            }
            TreeWalkResult::Ok
        })
        .context("failed to list the files of the commit")?;
        let mut files = Self::default();
        for (full, blob, mode) in found {
            let Some(path) = full.strip_prefix(prefix) else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap_or_default();
            // Another changelog than the one at the root tells of something else.
            if name == changelog::FILE && path != name {
                continue;
            }
            let blob = repo
                .find_blob(blob)
                .context("failed to read a file of git")?;
            let read = match std::str::from_utf8(blob.content()) {
                _ if mode & 0o170_000 == 0o120_000 => Err(LINK),
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(BYTES),
            };
            let path = path.to_owned();
            if let Err(what) = read {
                files.odd.insert(path.clone(), what);
            }
            // In its place these words: no manifest and no lockfile, but one that is there.
            let text = read.clone().unwrap_or_else(str::to_owned);
            match name {
                "Cargo.toml" => _ = files.manifests.insert(path, text),
                "Cargo.lock" => _ = files.lockfiles.insert(path, text),
                _ => files.changelog = read.ok(),
            }
        }
        Ok(files)
    }
    /// The error of a file that is no text file.
    fn odd(&self, prefix: &str, path: &str) -> Option<anyhow::Error> {
        let what = *self.odd.get(path)?;
        let help = match what {
            LINK => "a release writes files; put the file itself there",
            _ => "save it as UTF-8",
        };
        let problem = Problem::precondition(format!("`{prefix}{path}` is {what}"));
        Some(problem.help(help).into())
    }

    fn workspace(&self, prefix: &str) -> Result<Workspace<'_>> {
        Workspace::read(&self.manifests).map_err(|error| {
            let said = format!("{error:#}");
            let mut manifests =
                (self.odd.keys()).filter(|path| said.contains(&format!("`{path}`")));
            let odd = manifests.find_map(|path| self.odd(prefix, path));
            odd.unwrap_or(error)
        })
    }

    /// Its path in the repository, and its text.
    fn changelog(&self, prefix: &str) -> Result<(String, &str)> {
        let path = format!("{prefix}{}", changelog::FILE);
        if let Some(text) = &self.changelog {
            return Ok((path, text));
        }
        Err(self.odd(prefix, changelog::FILE).unwrap_or_else(|| {
            Problem::precondition(format!("there is no `{path}`"))
                .help("write one: `# Changelog`, `## [Unreleased]`, and below it what changed")
                .into()
        }))
    }

    /// Path and new text of each lockfile that changes when the version becomes `to`.
    fn locked(
        &self,
        prefix: &str,
        workspace: &Workspace<'_>,
        to: &Version,
        problems: &mut Vec<anyhow::Error>,
    ) -> Vec<(&str, String)> {
        let mut changes = Vec::new();
        for (path, text) in &self.lockfiles {
            let new = workspace.locked(path).and_then(|members| {
                match self.odd(prefix, path).filter(|_| !members.is_empty()) {
                    Some(error) => Err(error),
                    None if self.odd.contains_key(path) => Ok(None),
                    None => lockfile::set(path, text, &members, &workspace.version, to),
                }
            });
            changes.extend(
                collect(new, problems)
                    .flatten()
                    .map(|new| (path.as_str(), new)),
            );
        }
        changes
    }
}
