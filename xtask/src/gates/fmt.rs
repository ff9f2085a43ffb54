//! Every Rust file is formatted as rustfmt does, those that no crate reaches included.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use xshell::cmd;

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::environment;
use crate::process::Finished;
use crate::report::{Finding, Report, slashed};
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "fmt",
    about: "Rust that rustfmt would write differently, or cannot parse",
    tier: Tier::Hook,
    needs: &[],
    locks: &[],
    inputs: &[
        Input::Files("**/*.rs"),
        Input::Files("rustfmt.toml"),
        Input::Tool("rustfmt"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(5),
    rules: &[
        Rule::error("fmt/style", "rustfmt would write it differently"),
        Rule::error("fmt/syntax", "rustfmt cannot parse it"),
    ],
    check,
    fix: Some(fix),
    plants: &[
        Plant {
            rule: "fmt/style",
            plant: |tree| tree.append(&tree.leaf()?, "fn  planted( ) {}\n"),
        },
        Plant {
            rule: "fmt/syntax",
            plant: plant_syntax,
        },
    ],
};

fn plant_syntax(tree: &Tree) -> Result<Spot> {
    let file = tree.leaf()?;
    tree.append(&file, "fn planted() -> {}\n")
}

fn check(cx: &Cx) -> Result<Report> {
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let tracked: BTreeSet<&str> = cx.files_with(".rs")?.into_iter().collect();
    let mut seen = Seen::default();
    seen.read(
        cx,
        &cx.run(cmd!(
            sh,
            "{cargo} fmt --all -- --check --verbose --color never"
        ))?,
    )?;
    // Modules declared by a macro and files outside any crate: rustfmt takes them one by one.
    let rest: Vec<&str> = tracked
        .iter()
        .copied()
        .filter(|file| !seen.files.contains(*file))
        .collect();
    let edition = edition(cx);
    for some in rest.chunks(200) {
        let files = some.iter();
        seen.read(
            cx,
            &cx.run(cmd!(
                sh,
                "rustfmt --check --verbose --color never --edition {edition} {files...}"
            ))?,
        )?;
    }
    let mut report = Report {
        findings: seen.findings.into_values().collect(),
        ..Report::default()
    };
    report.count(
        "files",
        seen.files
            .iter()
            .filter(|file| tracked.contains(file.as_str()))
            .count(),
    );
    Ok(report)
}

#[derive(Default)]
struct Seen {
    files: BTreeSet<String>,
    findings: std::collections::BTreeMap<String, Finding>,
}

impl Seen {
    /// Reads `Formatting <file>`, `Diff in <file>:<line>:` with its hunk, and rustc-style errors.
    fn read(&mut self, cx: &Cx, done: &Finished) -> Result<()> {
        let relative = |path: &str| {
            let path = Path::new(path.trim());
            slashed(path.strip_prefix(&cx.root).unwrap_or(path))
        };
        let mut found = 0;
        let out = String::from_utf8_lossy(&done.stdout);
        let mut lines = out.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(path) = line.strip_prefix("Formatting ") {
                self.files.insert(relative(path));
            }
            let Some((path, first)) = line
                .strip_prefix("Diff in ")
                .and_then(|rest| rest.trim_end_matches(':').rsplit_once(':'))
            else {
                continue;
            };
            let mut at: usize = first.parse().unwrap_or(1);
            let mut hunk = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with([' ', '-', '+'])) {
                if hunk.is_empty() && line.starts_with(' ') {
                    at += 1;
                    continue;
                }
                hunk.push_str(line);
                hunk.push('\n');
            }
            let file = relative(path);
            let finding = Finding::error("fmt/style", "not formatted")
                .at(&file, at)
                .fix(hunk);
            self.findings.insert(format!("{file}:{at:08}"), finding);
            found += 1;
        }
        let err = done.stderr();
        let mut message = "";
        for line in err.lines() {
            if let Some(rest) = line.strip_prefix("error: ") {
                message = rest;
            } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
                let mut parts = place.rsplitn(3, ':');
                let column = parts.next().and_then(|n| n.parse().ok());
                let at = parts.next().and_then(|n| n.parse().ok());
                if let (Some(column), Some(at), Some(path), false) =
                    (column, at, parts.next(), message.is_empty())
                {
                    let file = relative(path);
                    let finding = Finding::error("fmt/syntax", message)
                        .at(&file, at)
                        .column(column);
                    self.findings.insert(format!("{file}:{at:08}"), finding);
                    self.files.insert(file);
                    found += 1;
                }
                message = "";
            }
        }
        if !done.success() && found == 0 {
            return Err(cargo::failure(&["fmt"], &err));
        }
        Ok(())
    }
}

/// The workspace's edition, for files that no manifest speaks for.
fn edition(cx: &Cx) -> String {
    let manifest = cx
        .read("Cargo.toml")
        .ok()
        .and_then(|text| text.parse::<toml_edit::DocumentMut>().ok());
    let package = manifest.as_ref().and_then(|root| {
        root.get("workspace")
            .unwrap_or(root.as_item())
            .get("package")
    });
    let edition = package.and_then(|package| package.get("edition")?.as_str());
    edition.unwrap_or("2021").to_owned()
}

fn fix(cx: &Cx) -> Result<Vec<String>> {
    let unformatted: BTreeSet<String> = check(cx)?
        .findings
        .into_iter()
        .filter(|f| f.rule == "fmt/style")
        .filter_map(|f| f.file)
        .collect();
    let (sh, cargo, edition) = (cx.shell()?, environment::cargo(), edition(cx));
    if !unformatted.is_empty() {
        let done = cx.run(cmd!(sh, "{cargo} fmt --all"))?;
        let files = unformatted.iter();
        let rest = cx.run(cmd!(sh, "rustfmt --edition {edition} {files...}"))?;
        if !done.success() || !rest.success() {
            return Err(cargo::failure(
                &["fmt"],
                &format!("{}{}", done.stderr(), rest.stderr()),
            ));
        }
    }
    Ok(unformatted
        .into_iter()
        .map(|file| format!("formatted `{file}`"))
        .collect())
}
