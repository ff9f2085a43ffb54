//! `cargo xtask routes`: the table, an explanation of one route, a comparison with another commit,
//! and the writing of `routes.lock`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::change::{self, Change};
use super::source::Tree;
use super::table::{Explained, Table, cell, code_cell};
use super::{base, lock};
use crate::cli::{say, say_json};
use crate::exit::{Code, Problem};
use crate::policy::{FILE, Policy};
use crate::report::{Finding, Severity, text};
use crate::{cx, repo};

#[derive(Debug, Args)]
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
    check_format(options)?;
    let root = root(options)?;
    let policy = policy(options, &root)?;
    let mut files = repo::files(&root)?;
    if files.is_empty() {
        // A folder that the repository around it ignores.
        files = repo::walk(&root)?;
    }
    let table = super::read(&Tree::Folder(root.clone()), &files, &policy)?;
    match &options.command {
        None => print(&table, options.format),
        Some(Sub::Explain { method, path }) => explain(&table, method, path, options.format),
        Some(Sub::Diff { base }) => {
            let (tree, files) = base::read(&root, base)?;
            let policy = match options.policy {
                // What was asked for judges both sides.
                Some(_) => policy,
                None => policy_of(&tree, base)?.unwrap_or(policy),
            };
            let before = super::read(&tree, &files, &policy)?;
            diff(&before, &table, base, options.format)
        }
        Some(Sub::Accept) => accept(&root, &files, &table),
    }
}

fn root(options: &Options) -> Result<PathBuf> {
    let Some(root) = &options.root else {
        let here = std::env::current_dir().context("failed to find the current folder")?;
        return cx::find_root(&here).map_err(|error| {
            Problem::precondition(error.to_string())
                .help("change into a workspace, or give one: --root PATH")
                .into()
        });
    };
    let found = root.canonicalize().ok().filter(|root| root.is_dir());
    found.ok_or_else(|| {
        Problem::precondition(format!("no folder `{}`", root.display()))
            .help("give the folder of a Cargo workspace: --root PATH")
            .into()
    })
}

fn policy(options: &Options, root: &Path) -> Result<Policy> {
    match &options.policy {
        Some(file) if !file.is_file() => Err(Problem::precondition(format!(
            "no policy `{}`",
            file.display()
        ))
        .help("give a file like `xtask.toml`: --policy FILE")
        .into()),
        Some(file) => Policy::load_file(file),
        None => Policy::load(root),
    }
}

/// Refuses a form that a command does not have.
fn check_format(options: &Options) -> Result<()> {
    let (name, help) = match (&options.command, options.format) {
        (Some(Sub::Explain { .. }), Format::Md) => ("explain", "it has `human` and `json`"),
        (Some(Sub::Accept), Format::Json | Format::Md) => (
            "accept",
            "it writes files, and prints what it changed in them",
        ),
        _ => return Ok(()),
    };
    Err(
        Problem::new(Code::Usage, format!("`{name}` has no such `--format`"))
            .help(help)
            .into(),
    )
}

/// The policy of then, which judges then.
fn policy_of(tree: &Tree, base: &str) -> Result<Option<Policy>> {
    let name = format!("{FILE} of {base}");
    match tree.text(FILE) {
        Ok(text) => Policy::parse(&text, &name).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{name}`")),
    }
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
                text::plural(table.apps.len(), "app"),
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
        shown.push_str(text::clean(fix, text::DIFF).trim_end());
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
        return Err(Problem::precondition(format!("no route `{method} {path}`"))
            .help(near(table, path))
            .into());
    }
    if format == Format::Json {
        let explained: Vec<Explained<'_>> =
            found.into_iter().map(|route| route.explained()).collect();
        say_json(&explained)?;
    } else {
        for route in found {
            say(route.explain().trim_end())?;
        }
    }
    Ok(Code::Done)
}

/// What there is instead of a route that is not there.
fn near(table: &Table, path: &str) -> String {
    let methods: Vec<&str> = table
        .routes
        .iter()
        .filter(|route| route.path == path)
        .map(|route| route.method.as_str())
        .collect();
    if !methods.is_empty() {
        return format!("`{path}` has {}", methods.join(", "));
    }
    let paths: Vec<&str> = table
        .routes
        .iter()
        .map(|route| route.path.as_str())
        .collect();
    match similar::get_close_matches(path, &paths, 1, 0.0).first() {
        Some(nearest) => format!("the nearest is `{nearest}`; cargo xtask routes lists them all"),
        None => "cargo xtask routes lists them".to_owned(),
    }
}

fn diff(before: &Table, after: &Table, base: &str, format: Format) -> Result<Code> {
    let changes = change::changes(&change::state(before), &change::state(after));
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
    let is_red = changes.iter().any(Change::is_red);
    Ok(if is_red { Code::Red } else { Code::Done })
}

fn markdown(changes: &[Change], base: &str) -> String {
    if changes.is_empty() {
        return format!("The routes are those of `{base}`.");
    }
    let mut text = format!(
        "Routes since `{base}`:\n\n| change | app | route | before | after |\n|---|---|---|---|---|\n"
    );
    for change in changes {
        let [before, after] = change
            .sides()
            .map(|side| side.map_or_else(|| "–".to_owned(), |side| cell(&side)));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {before} | {after} |",
            change.kind.name(),
            cell(&change.app),
            code_cell(&format!("{} {}", change.method, change.path)),
        );
    }
    text
}

fn accept(root: &Path, files: &[String], table: &Table) -> Result<Code> {
    let mut written = 0;
    let expected = lock::files(table);
    for (path, lock) in &expected {
        let file = root.join(path);
        let old = std::fs::read_to_string(&file).unwrap_or_default();
        if old != lock.text {
            cx::write_atomic(&file, &lock.text)?;
            say_diff(path, &old, &lock.text)?;
            written += 1;
        }
    }
    // The routes of an app may be among those that cannot be evaluated.
    let is_known = table.counts.unresolved == 0;
    for path in lock::stale(files, &expected).filter(|_| is_known) {
        let file = root.join(path);
        let old = std::fs::read_to_string(&file).unwrap_or_default();
        if lock::is_ours(&old) {
            std::fs::remove_file(&file).with_context(|| format!("failed to remove `{path}`"))?;
            say_diff(path, &old, "")?;
            written += 1;
        }
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

fn say_diff(path: &str, old: &str, new: &str) -> Result<()> {
    let diff = text::diff(path, old, new);
    say(text::clean(diff.trim_end(), text::DIFF))
}
