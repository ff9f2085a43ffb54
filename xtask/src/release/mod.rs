//! Releases: one is planned (`version`, `manifest`, `lockfile`, `changelog`, put together in `plan`),
//! everything is verified (`verify`), and it is made as a whole or not at all (`journal`, `apply`).
//! `suggest` says which level the next one needs, `audit` whether those that were made are as they
//! should be.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod changelog;
pub(crate) mod git;
mod index;
pub(crate) mod journal;
mod lockfile;
mod locks;
mod manifest;
pub(crate) mod merged;
pub(crate) mod notes;
pub(crate) mod plan;
pub(crate) mod publish;
mod push;
mod refs;
pub(crate) mod signature;
pub(crate) mod suggest;
mod toml;
mod undo;
pub(crate) mod verify;
pub(crate) mod version;

use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};
use semver::Version;

use crate::exit::Problem;
use crate::repo;

/// The repository around `root`, with all of its history.
///
/// # Errors
/// Exit 3 without git, and in a shallow clone.
fn history(root: &Path) -> Result<Repository> {
    let repo = repo::open(root)?.ok_or_else(|| {
        Problem::precondition("this is not a git repository")
            .help("clone it instead of unpacking an archive")
    })?;
    if repo.is_shallow() {
        let message = "this is a shallow clone: the commits and tags of releases may not be in it";
        return Err(Problem::precondition(message)
            .help("git fetch --unshallow --tags (in a workflow: `fetch-depth: 0`)")
            .into());
    }
    Ok(repo)
}

/// The version of the workspace, `[workspace.package]`, or of its only package, as a commit has it.
fn version_at(repo: &Repository, root: &Path, commit: Oid) -> Result<Version> {
    const FILE: &str = "Cargo.toml";
    let read = || -> Result<Version> {
        let text = repo::file_at(repo, root, commit, FILE)?.context("there is none")?;
        let manifest = text.parse::<toml_edit::DocumentMut>()?;
        let workspace = manifest.get("workspace");
        let version = workspace
            .and_then(|workspace| workspace.get("package")?.get("version"))
            .or_else(|| manifest.get("package")?.get("version"))
            .and_then(toml_edit::Item::as_str)
            .context("no `version` in `[workspace.package]`")?;
        Version::parse(version).with_context(|| format!("`{version}` is no version"))
    };
    read().with_context(|| {
        let commit = &commit.to_string()[..10];
        Problem::precondition(format!(
            "failed to read the version in `{FILE}` of {commit}"
        ))
        .help("write `version = \"1.2.3\"` below `[workspace.package]`")
    })
}
