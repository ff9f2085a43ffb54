//! The route scan: which routes a workspace serves, and what stands before each. It reads the source
//! with `syn`, evaluates routers as values by axum's own rules, and builds nothing.
//!
//! Data flows one way: files ([`source`]) → packages ([`workspace`]) → names ([`index`]) → values
//! ([`eval`], by the rules of [`router`]) → served rows ([`scan`]) → the
//! policy's [`verdict`] → the [`table`] that commands and the gate print, lock and compare.

mod base;
pub(crate) mod bypass;
pub(crate) mod change;
pub(crate) mod command;
mod eval;
mod index;
pub(crate) mod lock;
mod mend;
mod passing;
pub(crate) mod plants;
mod router;
mod scan;
pub(crate) mod source;
pub(crate) mod table;
mod value;
pub(crate) mod verdict;
mod workspace;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::exit::Problem;
use crate::policy::{Apps, Policy};
pub(crate) use index::is_test;
use source::Tree;
use table::Table;
use workspace::{Workspace, is_test_path};

/// Stack for reading code that nests deeper than people write. Reserved, not used.
const STACK: usize = 1 << 30;

/// Bytes of source that are parsed although no router can be in them. Beyond that it takes longer
/// than the scan itself, and the table says how many files were left out.
const MOST_UNREAD: usize = 2 << 20;

/// Scans a workspace; `files` are all its files, relative to its root.
pub(crate) fn read(tree: &Tree, files: &[String], policy: &Policy) -> Result<Table> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("routes".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || read_here(tree, files, policy))
            .context("failed to start the scan")?;
        worker
            .join()
            .unwrap_or_else(|_| Err(Problem::bug("the route scan panicked").into()))
    })
}

fn read_here(tree: &Tree, files: &[String], policy: &Policy) -> Result<Table> {
    let sources = source::Sources::read(tree, files.to_vec());
    let workspace = Workspace::read(tree, &sources, files, &policy.apps.guard_crates);
    let guard_crates: BTreeSet<String> = workspace
        .packages
        .iter()
        .filter(|package| policy.apps.guard_crates.contains(&package.dir))
        .map(|package| package.name.replace('-', "_"))
        .collect();
    let guards: BTreeSet<&str> = policy.routes.all_guards().collect();
    let names: BTreeSet<&str> = policy.routes.names().collect();
    let reads_arguments = policy.routes.all_extractors().next().is_some();
    let index = index::Index::new(&sources, &workspace);
    // What no router can be in is only held to parse, beside the scan.
    let mut unread: Vec<_> = sources
        .unread()
        .into_iter()
        .filter(|(file, _)| {
            let path = sources.path(*file);
            workspace.may_route(path) && (!is_test_path(path) || index.is_compiled(*file))
        })
        .collect();
    let unparsed = unread.len();
    if unread.iter().map(|(_, text)| text.len()).sum::<usize>() > MOST_UNREAD {
        unread.clear();
    }
    let unparsed = unparsed - unread.len();
    let (found, unparsable) = std::thread::scope(|scope| {
        let half = unread.len() / 2;
        let (first, second) = unread.split_at(half);
        let workers = [first, second].map(|files| {
            std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, move || source::unparsable(files))
        });
        let found = scan::scan(
            &sources,
            &workspace,
            guard_crates,
            &names,
            &guards,
            reads_arguments,
        );
        let unparsable: Vec<_> = workers
            .into_iter()
            .map(|worker| worker.context("failed to start the scan"))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect();
        anyhow::Ok((found, unparsable))
    })?;
    for (file, line, why) in unparsable
        .into_iter()
        .filter(|(file, ..)| index.is_compiled(*file))
    {
        sources.problem(file, line, why);
    }
    // A commit may have nothing yet; a workspace that somebody asks about has something.
    if let Tree::Folder(root) = tree {
        check_guard_crates(&workspace, policy)?;
        if is_silent(&found, &workspace, &sources) {
            return Err(nothing(root, &workspace).into());
        }
    }
    let mut table = verdict::judge(&sources, &policy.routes, &found);
    table.counts.unparsed = unparsed;
    table.apps.clone_from(&found.apps);
    table.dirs = workspace
        .packages
        .iter()
        .map(|package| (package.name.clone(), package.dir.clone()))
        .collect();
    // The process ends soon; giving every syntax tree back would take a twentieth of the scan.
    std::mem::forget(sources);
    Ok(table)
}

/// A guard crate that is not there makes every registration on its router invisible.
fn check_guard_crates(workspace: &Workspace, policy: &Policy) -> Result<()> {
    let usual = Apps::default().guard_crates;
    let is_there = |dir: &String| workspace.packages.iter().any(|package| package.dir == *dir);
    let mut named = policy.apps.guard_crates.iter();
    match named.find(|dir| !usual.contains(dir) && !is_there(dir)) {
        None => Ok(()),
        Some(dir) => Err(Problem::precondition(format!(
            "`apps.guard-crates` of `{}` names `{dir}`, which is no folder of a package",
            policy.routes.file
        ))
        .help("give the folder of the crate with `GuardedRouter`, relative to the root")
        .into()),
    }
}

/// Whether there is neither a route nor an app, nor anything that might be one.
fn is_silent(found: &scan::Scan, workspace: &Workspace, sources: &source::Sources) -> bool {
    found.rows.is_empty()
        && found.apps.is_empty()
        && found.unresolved.is_empty()
        && found.orphans.is_empty()
        && workspace.problems.is_empty()
        && sources.problems().is_empty()
}

fn nothing(root: &Path, workspace: &Workspace) -> Problem {
    let root = root.display();
    if workspace
        .packages
        .iter()
        .all(|package| package.axum.is_none())
    {
        Problem::precondition(format!("no package at `{root}` uses axum"))
            .help("give the folder of a Cargo workspace that serves HTTP with axum: --root PATH")
    } else {
        Problem::precondition(format!("no package at `{root}` serves a router"))
            .help("serve one with `axum::serve`, or give another workspace: --root PATH")
    }
}
