//! The files of another commit, as the scan reads them: out of the repository, into no folder.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{ObjectType, Repository, TreeWalkMode, TreeWalkResult};

use super::source::{Tree, is_rust};
use crate::exit::Problem;
use crate::{policy, repo, report};

/// Mode of a blob that is a link.
const LINK: i32 = 0o120_000;

/// What the scan of the workspace at `root` reads of a commit, with the paths.
pub(crate) fn read(root: &Path, base: &str) -> Result<(Tree, Vec<String>)> {
    let repo = repo::open(root)?.ok_or_else(|| {
        Problem::precondition(format!("`{}` is no git repository", root.display()))
            .help("compare where there is a history")
    })?;
    let commit = repo
        .revparse_single(base)
        .and_then(|object| object.peel_to_commit())
        .map_err(|_| {
            Problem::precondition(format!("no commit `{base}`")).help(help(&repo, base))
        })?;
    let top = repo.workdir().context("no work tree")?.canonicalize()?;
    let below = root.canonicalize()?;
    let prefix = below
        .strip_prefix(&top)
        .map(report::slashed)
        .unwrap_or_default();
    let mut texts = HashMap::new();
    let mut links = Vec::new();
    let mut failed = None;
    let tree = commit.tree().context("failed to read the commit")?;
    let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        let name = String::from_utf8_lossy(entry.name_bytes());
        let path = format!("{folder}{name}");
        let relative = if prefix.is_empty() {
            Some(path.as_str())
        } else {
            path.strip_prefix(&prefix)
                .and_then(|rest| rest.strip_prefix('/'))
        };
        let is_read =
            is_rust(&path) || matches!(&*name, "Cargo.toml" | "Cargo.lock" | policy::FILE);
        let Some(relative) = relative.filter(|_| is_read) else {
            return TreeWalkResult::Ok;
        };
        if entry.kind() != Some(ObjectType::Blob) {
            return TreeWalkResult::Ok;
        }
        match repo.find_blob(entry.id()) {
            Ok(blob) => {
                if entry.filemode() == LINK {
                    links.push(relative.to_owned());
                }
                texts.insert(relative.to_owned(), blob.content().to_vec());
                TreeWalkResult::Ok
            }
            Err(error) => {
                failed = Some((path.clone(), error));
                TreeWalkResult::Abort
            }
        }
    });
    if let Some((path, error)) = failed {
        return Err(error).with_context(|| format!("failed to read `{path}` of `{base}`"));
    }
    walked.with_context(|| format!("failed to read `{base}`"))?;
    for link in links {
        let target = String::from_utf8_lossy(&texts[&link]).into_owned();
        if let Some(text) = texts.get(&beside(&link, &target)).cloned() {
            texts.insert(link, text);
        }
    }
    let mut files: Vec<String> = texts.keys().cloned().collect();
    files.sort();
    Ok((Tree::Commit(texts), files))
}

/// Where a link leads, relative to the root.
fn beside(link: &str, target: &str) -> String {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// How a name that is not here gets here, where it can.
fn help(repo: &Repository, base: &str) -> String {
    let name = base.strip_prefix("origin/").unwrap_or(base);
    let is_name = name != "HEAD"
        && git2::Reference::is_valid_name(&format!("refs/heads/{name}"))
        && !name.starts_with('-');
    if is_name && repo.find_remote("origin").is_ok() {
        return format!("git fetch origin {name}, or name a branch, tag or commit that is here");
    }
    "name a branch, tag or commit that is here: git log --oneline --all".to_owned()
}
