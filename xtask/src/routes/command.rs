//! `cargo xtask routes`: the table, an explanation of one route, a comparison with another commit,
//! and the writing of `routes.lock`.
//!
//! Long because the comparison also reads the other commit out of the repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::lock::{self, Change, Kind};
use super::source::is_rust;
use super::table::Table;
use crate::cli::{say, say_json};
use crate::exit::{Code, Problem};
use crate::policy::{self, Policy};
use crate::report::{Finding, Severity, text};
use crate::{cx, repo};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Sub>,
    /// Another workspace to scan [default: this one]
    #[arg(long, global = true, value_name = "PATH")]
    root: Option<PathBuf>,
    /// The policy to judge by [default: `xtask.toml` of the scanned workspace]
    #[arg(long, global = true, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Print what stands before a route, outermost first
    Explain {
        /// As in the table: GET, POST, …, ANY
        method: String,
        path: String,
    },
    /// Compare with the routes of another commit: added, dropped, changed, weakened
    Diff {
        /// A branch, tag or commit
        base: String,
    },
    /// Write the table of each app to its `routes.lock`
    Accept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    /// Markdown
    Md,
}

pub(crate) fn run(options: &Options) -> Result<Code> {
    let root = match &options.root {
        Some(root) => root
            .canonicalize()
            .ok()
            .filter(|root| root.is_dir())
            .ok_or_else(|| {
                Problem::precondition(format!("no folder `{}`", root.display()))
                    .help("give the folder of a Cargo workspace: --root PATH")
            })?,
        None => {
            cx::find_root(&std::env::current_dir().context("failed to find the current folder")?)?
        }
    };
    let policy = match &options.policy {
        Some(file) if !file.is_file() => {
            return Err(
                Problem::precondition(format!("no policy `{}`", file.display()))
                    .help("give a file like `xtask.toml`: --policy FILE")
                    .into(),
            );
        }
        Some(file) => Policy::load_file(file)?,
        None => Policy::load(&root)?,
    };
    let table = scan(&root, &policy)?;
    match &options.command {
        None => print(&table, options.format),
        Some(Sub::Explain { method, path }) => explain(&table, method, path, options.format),
        Some(Sub::Diff { base }) => diff(&root, &policy, &table, base, options.format),
        Some(Sub::Accept) => accept(&root, &table),
    }
}

fn scan(root: &Path, policy: &Policy) -> Result<Table> {
    let mut files = repo::files(root)?;
    if files.is_empty() {
        // A folder that the repository around it ignores.
        files = repo::walk(root)?;
    }
    super::read(root, &files, policy)
}

fn print(table: &Table, format: Format) -> Result<Code> {
    match format {
        Format::Json => say_json(table)?,
        Format::Md => say(table.markdown().trim_end())?,
        Format::Human => {
            say(table.human().trim_end())?;
            for finding in &table.findings {
                say(shown(finding))?;
            }
            let counts = table.counts;
            if counts.unparsed > 0 {
                let files = text::plural(counts.unparsed, "file");
                say(format!("\n{files} that name no router were not parsed"))?;
            }
            say(format!(
                "\n{} in {}, {} unresolved, {}",
                text::plural(counts.seen, "route"),
                text::plural(table.apps().len(), "app"),
                counts.unresolved,
                text::plural(table.findings.len(), "finding"),
            ))?;
        }
    }
    Ok(code(table))
}

fn code(table: &Table) -> Code {
    let is_red = table
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    if is_red { Code::Red } else { Code::Done }
}

fn shown(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut shown = format!("\n{severity}: {} [{}]", finding.message, finding.rule);
    if let Some(place) = finding.place() {
        let _ = write!(shown, "\n  at {}", text::visible(&place));
    }
    if let Some(help) = &finding.help {
        let _ = write!(shown, "\n  help: {help}");
    }
    if let Some(fix) = &finding.fix {
        shown.push('\n');
        shown.push_str(fix.trim_end());
    }
    shown
}

fn explain(table: &Table, method: &str, path: &str, format: Format) -> Result<Code> {
    let found: Vec<_> = table
        .routes
        .iter()
        .filter(|route| route.method.eq_ignore_ascii_case(method) && route.path == path)
        .collect();
    if found.is_empty() {
        let near: Vec<String> = table
            .routes
            .iter()
            .filter(|route| route.path == path)
            .map(|route| route.method.clone())
            .collect();
        let help = if near.is_empty() {
            "cargo xtask routes lists them".to_owned()
        } else {
            format!("`{path}` has {}", near.join(", "))
        };
        return Err(Problem::precondition(format!("no route `{method} {path}`"))
            .help(help)
            .into());
    }
    if format == Format::Json {
        say_json(&found)?;
    } else {
        for route in found {
            say(route.explain().trim_end())?;
        }
    }
    Ok(Code::Done)
}

fn diff(root: &Path, policy: &Policy, table: &Table, base: &str, format: Format) -> Result<Code> {
    let then = tempdir(root)?;
    let before = checkout(root, base, &then).and_then(|files| {
        // The policy of then judges then.
        let policy_then = if then.join(policy::FILE).is_file() {
            Policy::load(&then)?
        } else {
            Policy::default()
        };
        let policy = if files.iter().any(|file| file == policy::FILE) {
            &policy_then
        } else {
            policy
        };
        super::read(&then, &files, policy)
    });
    let cleaned = std::fs::remove_dir_all(&then);
    let before = before?;
    cleaned.with_context(|| format!("failed to remove `{}`", then.display()))?;
    let changes = lock::changes(&lock::state(&before), &lock::state(table));
    match format {
        Format::Json => say_json(&changes)?,
        Format::Md => say(markdown(&changes, base).trim_end())?,
        Format::Human if changes.is_empty() => say(format!("the routes are those of `{base}`"))?,
        Format::Human => {
            for change in &changes {
                say(change.line())?;
            }
        }
    }
    let weakened = changes.iter().any(|change| change.kind == Kind::Weakened);
    Ok(if weakened { Code::Red } else { Code::Done })
}

fn markdown(changes: &[Change], base: &str) -> String {
    if changes.is_empty() {
        return format!("The routes are those of `{base}`.");
    }
    let mut text = format!(
        "Routes since `{base}`:\n\n| change | app | route | before | after |\n|---|---|---|---|---|\n"
    );
    for change in changes {
        let _ = writeln!(
            text,
            "| {} | {} | `{} {}` | {} | {} |",
            change.kind.name(),
            change.app,
            change.method,
            change.path,
            change.before.as_deref().unwrap_or("–"),
            change.after.as_deref().unwrap_or("–"),
        );
    }
    text
}

/// A folder of our own below the target folder, so that the scan of another commit disturbs nothing.
fn tempdir(root: &Path) -> Result<PathBuf> {
    let dir = root
        .join("target/xtask")
        .join(format!("routes-{}", std::process::id()));
    std::fs::create_dir_all(&dir)
        .with_context(|| format!("failed to create `{}`", dir.display()))?;
    Ok(dir)
}

/// Writes what the scan reads of a commit to `into`; answers the files.
fn checkout(root: &Path, base: &str, into: &Path) -> Result<Vec<String>> {
    let repo = repo::open(root)?.ok_or_else(|| {
        Problem::precondition(format!("`{}` is no git repository", root.display()))
            .help("compare where there is a history")
    })?;
    let commit = repo
        .revparse_single(base)
        .and_then(|object| object.peel_to_commit())
        .map_err(|_| {
            Problem::precondition(format!("no commit `{base}`")).help(format!(
                "git fetch origin {base}, or name a branch, tag or commit that is here"
            ))
        })?;
    let top = repo.workdir().context("no work tree")?.canonicalize()?;
    let below = root.canonicalize()?;
    let prefix = below
        .strip_prefix(&top)
        .map(crate::report::slashed)
        .unwrap_or_default();
    let tree = commit.tree().context("failed to read the commit")?;
    let mut files = Vec::new();
    let mut failed = None;
    tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
        let name = entry.name().unwrap_or_default();
        let path = format!("{folder}{name}");
        let relative = if prefix.is_empty() {
            Some(path.as_str())
        } else {
            path.strip_prefix(&prefix)
                .and_then(|rest| rest.strip_prefix('/'))
        };
        let Some(relative) = relative else {
            return git2::TreeWalkResult::Ok;
        };
        let is_read =
            is_rust(relative) || matches!(name, "Cargo.toml" | "Cargo.lock" | policy::FILE);
        if !is_read || entry.kind() != Some(git2::ObjectType::Blob) {
            return git2::TreeWalkResult::Ok;
        }
        let written = entry
            .to_object(&repo)
            .and_then(|object| object.peel_to_blob())
            .map_err(anyhow::Error::from)
            .and_then(|blob| {
                let file = into.join(relative);
                std::fs::create_dir_all(file.parent().unwrap_or(into))?;
                Ok(std::fs::write(&file, blob.content())?)
            });
        match written {
            Ok(()) => {
                files.push(relative.to_owned());
                git2::TreeWalkResult::Ok
            }
            Err(error) => {
                failed = Some(error.context(format!("failed to read `{relative}` of `{base}`")));
                git2::TreeWalkResult::Abort
            }
        }
    })
    .or_else(|error| if failed.is_some() { Ok(()) } else { Err(error) })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(files),
    }
}

fn accept(root: &Path, table: &Table) -> Result<Code> {
    let mut written = 0;
    for (path, new) in lock::files(table) {
        let file = root.join(&path);
        let old = std::fs::read_to_string(&file).unwrap_or_default();
        if old == new {
            continue;
        }
        say(text::diff(&path, &old, &new).trim_end())?;
        cx::write_atomic(&file, new)?;
        written += 1;
    }
    if written == 0 {
        say("every `routes.lock` is current")?;
    }
    // What is red stays red: a lock file makes no route right.
    for finding in table
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
    {
        say(shown(finding))?;
    }
    Ok(code(table))
}
