//! Which packages are members of a workspace, and what depends on what: as cargo finds it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use glob::{MatchOptions, Pattern};
use toml_edit::{Item, TableLike};

use super::super::toml::{Literal, Toml};
use crate::exit::Problem;

/// Manifests by their folder; that of the root is empty.
#[derive(Debug, Default)]
pub(super) struct Manifests<'a> {
    pub(super) parsed: BTreeMap<String, Toml<'a>>,
    /// Why the others are none.
    pub(super) broken: BTreeMap<String, anyhow::Error>,
}

const KINDS: [&str; 5] = [
    "dependencies",
    "dev-dependencies",
    "build-dependencies",
    // Spellings that cargo still takes.
    "dev_dependencies",
    "build_dependencies",
];

/// A dependency by path.
#[derive(Debug)]
pub(super) struct Dependency {
    /// As the manifest calls it.
    pub(super) key: String,
    /// Folder of its manifest.
    pub(super) dir: String,
    pub(super) version: Option<Literal>,
}

/// What `toml`, which lies in `dir`, says of packages by their path: dependencies of every kind,
/// those it hands on to members, and patches.
pub(super) fn dependencies(dir: &str, toml: &Toml<'_>) -> Vec<Dependency> {
    let root = toml.root();
    let shared = toml.at(&["workspace", "dependencies"]);
    let patches = tables(root.get("patch")).map(|(_, patch)| patch);
    let all = own(root).into_iter().chain(shared).chain(patches);
    all.flat_map(|table| tables(Some(table)))
        .filter_map(|(key, dependency)| {
            Some(Dependency {
                key: key.to_owned(),
                dir: joined(dir, dependency.get("path")?.as_str()?)?,
                version: dependency
                    .get("version")
                    .and_then(|item| toml.literal(item)),
            })
        })
        .collect()
}

/// Tables of a package's own dependencies.
fn own(root: &Item) -> Vec<&Item> {
    let targets = tables(root.get("target")).map(|(_, target)| target);
    [root]
        .into_iter()
        .chain(targets)
        .flat_map(|table| KINDS.map(|kind| table.get(kind)))
        .flatten()
        .collect()
}

fn tables(item: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    item.and_then(Item::as_table_like)
        .into_iter()
        .flat_map(TableLike::iter)
}

/// Folders of the packages that the one in `dir` depends on by path, tracked or not.
fn needs(manifests: &Manifests<'_>, dir: &str) -> BTreeSet<String> {
    let Some(toml) = manifests.parsed.get(dir) else {
        return BTreeSet::new();
    };
    // What a member inherits is said in the nearest workspace above it, relative to that.
    let above = ancestors(dir).find_map(|above| {
        let toml = manifests.parsed.get(above)?;
        Some((above, toml.at(&["workspace", "dependencies"])?))
    });
    own(toml.root())
        .into_iter()
        .flat_map(|table| tables(Some(table)))
        .filter_map(|(key, dependency)| {
            let is_inherited = dependency.get("workspace").and_then(Item::as_bool);
            let (dir, dependency) = match is_inherited {
                Some(true) => {
                    let (dir, shared) = above?;
                    (dir, shared.get(key)?)
                }
                _ => (dir, dependency),
            };
            joined(dir, dependency.get("path")?.as_str()?)
        })
        .collect()
}

/// Folders of the members of the workspace, or of the one package, whose manifest lies in `root`:
/// what it lists, and what these depend on by path inside of `root`.
///
/// # Errors
/// A pattern among `members` is none.
pub(super) fn members(manifests: &Manifests<'_>, root: &str) -> Result<BTreeSet<String>> {
    let Some(toml) = manifests.parsed.get(root) else {
        return Ok(BTreeSet::new());
    };
    let mut found = BTreeSet::new();
    let mut open = Vec::new();
    if toml.at(&["package"]).is_some() {
        open.push(root.to_owned());
    }
    let listed = |key: &str| -> Vec<String> {
        let list = toml.at(&["workspace", key]).and_then(Item::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|path| joined(root, path.as_str()?))
            .collect()
    };
    let (named, excluded) = (listed("members"), listed("exclude"));
    for path in &named {
        if !path.contains(['*', '?', '[']) {
            open.push(path.clone());
            continue;
        }
        let pattern = Pattern::new(path).with_context(|| {
            Problem::precondition(format!(
                "`{path}` among `members` of `{}` is no pattern",
                toml.path
            ))
            .help("write it as `crates/*`")
        })?;
        let options = MatchOptions {
            require_literal_separator: true,
            ..MatchOptions::new()
        };
        let all = manifests.parsed.keys().chain(manifests.broken.keys());
        // The root's folder is empty, which `*` would match.
        let matching = all.filter(|dir| !dir.is_empty() && pattern.matches_with(dir, options));
        open.extend(matching.cloned());
    }
    while let Some(dir) = open.pop() {
        let is_below = |paths: &[String]| paths.iter().any(|path| is_within(&dir, path));
        if is_below(&excluded) && !is_below(&named) || !found.insert(dir.clone()) {
            continue;
        }
        if toml.at(&["workspace"]).is_some() {
            let is_tracked = |dir: &String| {
                manifests.parsed.contains_key(dir) || manifests.broken.contains_key(dir)
            };
            let inside = needs(manifests, &dir).into_iter();
            open.extend(inside.filter(|dir| is_within(dir, root) && is_tracked(dir)));
        }
    }
    Ok(found)
}

/// `dirs`, and all they depend on by path, wherever it lies.
pub(super) fn with_needs(manifests: &Manifests<'_>, dirs: BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = dirs.into_iter().collect();
    while let Some(dir) = open.pop() {
        if found.insert(dir.clone()) {
            open.extend(needs(manifests, &dir));
        }
    }
    found
}

/// `path` seen from `dir`, without `.` and `..` where they can be resolved; `None` for an absolute one.
fn joined(dir: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn is_within(dir: &str, folder: &str) -> bool {
    let rest = dir.strip_prefix(folder);
    match folder {
        "" => !(dir == ".." || dir.starts_with("../")),
        _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// `dir` and the folders above it, up to the empty one.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| {
        if dir.is_empty() {
            return None;
        }
        Some(dir.rsplit_once('/').map_or("", |(above, _)| above))
    })
}
