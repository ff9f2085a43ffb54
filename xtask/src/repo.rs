//! What git knows, read with libgit2: files, branch, base. Nothing here writes.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{BranchType, ErrorCode, Oid, Repository, Status, StatusOptions};

use crate::exit::Problem;

/// Opens the repository that `root` is the top of or lies in; `None` without one.
pub(crate) fn open(root: &Path) -> Result<Option<Repository>> {
    match Repository::discover(root) {
        Ok(repo) if repo.workdir().is_some() => Ok(Some(repo)),
        Ok(_) => Ok(None),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) if error.code() == ErrorCode::Owner => Err(anyhow::Error::new(error).context(
            Problem::precondition("git refuses a folder of another owner").help(format!(
                "git config --global --add safe.directory '{}'",
                root.display()
            )),
        )),
        Err(error) => Err(error).context("failed to open the git repository"),
    }
}

/// Every file git tracks below `root`, and every untracked one it does not ignore, as long as it
/// exists; without git every file but `target/` and hidden folders. Relative, sorted, with `/`.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut files = BTreeSet::new();
    if let Some(repo) = open(root)? {
        let top = repo.workdir().context("no work tree")?.canonicalize()?;
        let below = root.canonicalize()?;
        let prefix = below
            .strip_prefix(&top)
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .into_owned();
        let mut add = |path: &str| {
            let path = if prefix.is_empty() {
                Some(path)
            } else {
                path.strip_prefix(&prefix)
                    .and_then(|rest| rest.strip_prefix('/'))
            };
            if let Some(path) = path
                && root
                    .join(path)
                    .symlink_metadata()
                    .is_ok_and(|meta| !meta.is_dir())
            {
                files.insert(path.to_owned());
            }
        };
        for entry in repo.index().context("failed to read the git index")?.iter() {
            add(&String::from_utf8_lossy(&entry.path));
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .exclude_submodules(true);
        for entry in repo
            .statuses(Some(&mut options))
            .context("failed to read the git status")?
            .iter()
        {
            if entry.status().contains(Status::WT_NEW) {
                add(&String::from_utf8_lossy(entry.path_bytes()));
            }
        }
    } else {
        let walk = walkdir::WalkDir::new(root)
            .into_iter()
            .filter_entry(|entry| {
                let name = entry.file_name().to_string_lossy();
                entry.depth() == 0
                    || !(entry.file_type().is_dir()
                        && (name == "target" || name == ".git" || name == "node_modules"))
            });
        for entry in walk {
            let entry = entry.with_context(|| format!("failed to list `{}`", root.display()))?;
            if !entry.file_type().is_dir()
                && let Ok(path) = entry.path().strip_prefix(root)
            {
                files.insert(crate::report::slashed(path));
            }
        }
    }
    Ok(files.into_iter().collect())
}

/// Where HEAD stands.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) commit: Option<String>,
    /// `None` when detached.
    pub(crate) branch: Option<String>,
    /// The work tree or index differs from the commit.
    pub(crate) dirty: bool,
}

pub(crate) fn head(root: &Path) -> Result<Head> {
    let Some(repo) = open(root)? else {
        return Ok(Head::default());
    };
    let mut options = StatusOptions::new();
    options.include_untracked(true).exclude_submodules(true);
    let dirty = !repo
        .statuses(Some(&mut options))
        .context("failed to read the git status")?
        .is_empty();
    // Of an unborn branch HEAD still names it.
    let reference = repo.find_reference("HEAD").context("failed to read HEAD")?;
    let branch = reference
        .symbolic_target()
        .ok()
        .flatten()
        .and_then(|name| name.strip_prefix("refs/heads/"))
        .map(str::to_owned);
    let commit = repo
        .head()
        .ok()
        .and_then(|head| head.peel_to_commit().ok())
        .map(|commit| commit.id().to_string());
    Ok(Head {
        commit,
        branch,
        dirty,
    })
}

/// The commit a change is measured against.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) commit: Option<Oid>,
    /// How it was found, for the evidence line.
    pub(crate) how: String,
}

/// Finds the merge base with trunk. On trunk itself it is the commit before. `None` only where
/// there is nothing older; an unknown base in a shallow clone is an error, never a guess.
pub(crate) fn base(repo: &Repository, trunk: &str, named: Option<&str>) -> Result<Base> {
    let Ok(head) = repo.head().and_then(|head| head.peel_to_commit()) else {
        return Ok(Base {
            commit: None,
            how: "no commit yet".to_owned(),
        });
    };
    let shallow = || {
        Problem::precondition(format!(
            "this is a shallow clone: the base of the change on `{trunk}` is not in it"
        ))
        .help("git fetch --unshallow origin (in a workflow: `fetch-depth: 0`)")
    };
    let candidates = named
        .map(str::to_owned)
        .into_iter()
        .chain([format!("origin/{trunk}"), trunk.to_owned()]);
    for name in candidates {
        let Ok(tip) = repo
            .revparse_single(&name)
            .and_then(|object| object.peel_to_commit())
        else {
            if named == Some(&name) {
                return Err(if repo.is_shallow() {
                    shallow()
                } else {
                    Problem::precondition(format!("the base `{name}` is not a commit here"))
                        .help(format!("git fetch origin {name}"))
                }
                .into());
            }
            continue;
        };
        if tip.id() == head.id() {
            continue;
        }
        return match repo.merge_base(head.id(), tip.id()) {
            // Trunk is ahead of HEAD: HEAD itself is a commit of trunk.
            Ok(found) if found == head.id() => continue,
            Ok(found) => Ok(Base {
                commit: Some(found),
                how: format!("merge base with {name}"),
            }),
            Err(_) if repo.is_shallow() => Err(shallow().into()),
            Err(_) => Err(Problem::precondition(format!(
                "HEAD and `{name}` have no commit in common"
            ))
            .help("rebase the branch onto trunk")
            .into()),
        };
    }
    match head.parent_id(0) {
        Ok(parent) if repo.find_commit(parent).is_ok() => Ok(Base {
            commit: Some(parent),
            how: "the commit before HEAD on trunk".to_owned(),
        }),
        _ if repo.is_shallow() => Err(shallow().into()),
        _ => Ok(Base {
            commit: None,
            how: "the first commit".to_owned(),
        }),
    }
}

/// The local or remote-tracking branch's tip, if there is one.
pub(crate) fn has_branch(repo: &Repository, name: &str) -> bool {
    repo.find_branch(name, BranchType::Local).is_ok()
        || repo
            .find_branch(&format!("origin/{name}"), BranchType::Remote)
            .is_ok()
}
