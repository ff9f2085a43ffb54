//! A release whose pull request was merged: which commit of trunk it is, and whether that is the plan.

use anyhow::{Context as _, Result};
use git2::{Commit, Repository};

use super::changelog;
use super::plan::{Change, Plan, Wish};
use super::version::Step;
use super::version_at;
use crate::cx::Shared;
use crate::exit::Problem;
use crate::repo;

/// What to do where the merge is more, or something else, than the plan.
const MORE: &str =
    "something else came in with the merge: revert it, and make the release anew on top of trunk";

/// The plan of the version that trunk has, and the commit that brought it, in hexadecimal: on trunk
/// itself, the first with that version. The plan is made anew on top of the commit before, and every
/// file that it changes must be in the merged commit as it says.
///
/// # Errors
/// When git cannot be read.
pub(crate) fn find(
    shared: &Shared,
    repo: &Repository,
    problems: &mut Vec<anyhow::Error>,
) -> Result<Option<(Plan, String)>> {
    let version_of = |commit: &Commit<'_>| version_at(repo, &shared.root, commit.id());
    let mut merged = repo.head()?.peel_to_commit()?;
    let version = match version_of(&merged) {
        Ok(version) => version,
        Err(error) => {
            problems.push(error);
            return Ok(None);
        }
    };
    let parent = loop {
        let Ok(parent) = merged.parent(0) else {
            break None;
        };
        if !version_of(&parent).is_ok_and(|before| before == version) {
            break Some(parent);
        }
        merged = parent;
    };
    let id = merged.id().to_string();
    let mut refused = |what: String, help: &str| {
        problems.push(Problem::precondition(what).help(help).into());
    };
    let Some(parent) = parent else {
        refused(
            format!("no commit of trunk brought the version `{version}`: the first one has it"),
            "the first release is made directly: cargo xtask release X.Y.Z",
        );
        return Ok(None);
    };
    let text = repo::file_at(repo, &shared.root, merged.id(), changelog::FILE)?;
    let text = text.unwrap_or_default();
    let log = changelog::parse(&text);
    let date = (log.named(&version).first()).and_then(|release| release.date?.parse().ok());
    let Some(date) = date else {
        refused(
            format!(
                "`{}` of {} has no section of `{version}` with its day",
                changelog::FILE,
                &id[..10]
            ),
            "cargo xtask release … --pr makes commit and section together",
        );
        return Ok(None);
    };
    let wish = Wish {
        step: Step::Exact(version.clone()),
        rc: false,
        date,
    };
    let Some(plan) = Plan::of(shared, repo, &parent, &wish, problems)? else {
        return Ok(None);
    };
    let others = others(repo, &parent, &merged, &plan)?;
    if !others.is_empty() {
        let message = format!(
            "{} changes more than the release: {}",
            &id[..10],
            others.join(", ")
        );
        problems.push(Problem::precondition(message).help(MORE).into());
    }
    for change in &plan.files {
        let found = blob(repo, &merged, &change.path)?;
        if found == change.after.as_bytes() {
            continue;
        }
        let found = Change {
            path: change.path.clone(),
            before: change.after.clone(),
            after: String::from_utf8_lossy(&found).into_owned(),
        };
        problems.push(
            Problem::precondition(format!(
                "`{}` of {} is not what the release is planned to be:\n{}",
                change.path,
                &id[..10],
                found.diff().trim_end()
            ))
            .help(MORE)
            .into(),
        );
    }
    Ok(Some((plan, id)))
}

/// Paths that the merged commit changes, and the plan does not.
fn others(
    repo: &Repository,
    parent: &Commit<'_>,
    merged: &Commit<'_>,
    plan: &Plan,
) -> Result<Vec<String>> {
    let diff = parent.tree().and_then(|old| {
        let new = merged.tree()?;
        repo.diff_tree_to_tree(Some(&old), Some(&new), None)
    });
    let diff = diff.context("failed to compare the merged commit with the one before")?;
    let paths = diff.deltas().filter_map(|delta| {
        let path = delta
            .new_file()
            .path_bytes()
            .or(delta.old_file().path_bytes())?;
        Some(String::from_utf8_lossy(path).into_owned())
    });
    let is_other = |path: &String| plan.files.iter().all(|change| change.path != *path);
    Ok(paths
        .filter(is_other)
        .map(|path| format!("`{path}`"))
        .collect())
}

fn blob(repo: &Repository, commit: &Commit<'_>, path: &str) -> Result<Vec<u8>> {
    let tree = commit
        .tree()
        .context("failed to read the tree of the commit")?;
    let Ok(entry) = tree.get_path(std::path::Path::new(path)) else {
        return Ok(Vec::new());
    };
    let blob = repo
        .find_blob(entry.id())
        .context("failed to read a file of git")?;
    Ok(blob.content().to_vec())
}
