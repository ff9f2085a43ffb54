//! The route scan: which routes a workspace serves, and what stands before each. It reads the source
//! with `syn`, evaluates routers as values by axum's own rules, and builds nothing.
//!
//! Data flows one way: files ([`source`]) → packages ([`workspace`]) → names ([`index`]) → values
//! ([`eval`], by the rules of [`router`]) → served rows ([`scan`]) → the
//! policy's [`verdict`] → the [`table`] that commands and the gate print, lock and compare.

pub(crate) mod bypass;
pub(crate) mod command;
mod eval;
mod index;
pub(crate) mod lock;
mod mend;
mod passing;
pub(crate) mod plants;
mod router;
mod scan;
mod source;
pub(crate) mod table;
mod value;
pub(crate) mod verdict;
mod workspace;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::exit::Problem;
use crate::policy::Policy;
use table::Table;
use workspace::is_test_path;

/// Stack for reading code that nests deeper than people write. Reserved, not used.
const STACK: usize = 1 << 30;

/// Bytes of source that are parsed although no router can be in them. Beyond that it takes longer
/// than the scan itself, and the table says how many files were left out.
const MOST_UNREAD: usize = 2 << 20;

/// Scans the workspace at `root`; `files` are all its files, relative to it.
pub(crate) fn read(root: &Path, files: &[String], policy: &Policy) -> Result<Table> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("routes".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || read_here(root, files, policy))
            .context("failed to start the scan")?;
        worker
            .join()
            .unwrap_or_else(|_| Err(Problem::bug("the route scan panicked").into()))
    })
}

fn read_here(root: &Path, files: &[String], policy: &Policy) -> Result<Table> {
    let sources = source::Sources::read(root, files.to_vec());
    let workspace = workspace::Workspace::read(&sources, files, &policy.apps.guard_crates);
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
    if found.rows.is_empty()
        && workspace
            .packages
            .iter()
            .all(|package| package.axum.is_none())
        && workspace.problems.is_empty()
    {
        return Err(
            Problem::precondition(format!("no package at `{}` uses axum", root.display()))
                .help(
                    "give the folder of a Cargo workspace that serves HTTP with axum: --root PATH",
                )
                .into(),
        );
    }
    let mut table = verdict::judge(&sources, &policy.routes, &found);
    table.counts.unparsed = unparsed;
    table.dirs = workspace
        .packages
        .iter()
        .map(|package| (package.name.clone(), package.dir.clone()))
        .collect();
    // The process ends soon; giving every syntax tree back would take a twentieth of the scan.
    std::mem::forget(sources);
    Ok(table)
}
