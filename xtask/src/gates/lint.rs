//! clippy and rustc warnings. Levels live in `[workspace.lints]`, never in arguments: one canonical
//! command line everywhere keeps cargo's results reusable between editor and gate.

use anyhow::Result;

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Finding, Report, Severity};
use crate::runner::tree::Spot;

pub(super) const GATE: Gate = Gate {
    id: "lint",
    about: "clippy and rustc warnings, members outside `[workspace.lints]`",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::DevBuild],
    inputs: &[
        Input::Crates,
        Input::Files("clippy.toml"),
        Input::Tool("clippy-driver"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[
        Rule::error("lint/clippy", "clippy objects"),
        Rule::error("lint/rustc", "rustc warns"),
        Rule::error(
            "lint/uninherited",
            "a member does not inherit `[workspace.lints]`",
        ),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "lint/clippy",
            plant: |tree| {
                let file = tree.leaf()?;
                let text = "/// Planted.\npub fn planted(yes: bool) -> u8 {\n    if yes == true { 1 } else { 2 }\n}\n";
                tree.append(&file, text).map(|spot| Spot {
                    line: spot.line.map(|line| line + 2),
                    ..spot
                })
            },
        },
        Plant {
            rule: "lint/rustc",
            plant: |tree| {
                let file = tree.leaf()?;
                let text = "/// Planted.\npub fn planted() {\n    let unused = 1;\n}\n";
                tree.append(&file, text).map(|spot| Spot {
                    line: spot.line.map(|line| line + 2),
                    ..spot
                })
            },
        },
        Plant {
            rule: "lint/uninherited",
            plant: |tree| {
                let manifest = tree
                    .leaf()?
                    .replace("src/lib.rs", "Cargo.toml")
                    .replace("src/main.rs", "Cargo.toml");
                tree.replace(&manifest, "[lints]\nworkspace = true\n", "")?;
                Ok(Spot::file(&manifest))
            },
        },
    ],
};

fn check(cx: &Cx) -> Result<Report> {
    let built = cargo::build(cx, &["clippy", "--workspace", "--all-targets"])?;
    let mut report = Report::default();
    for diagnostic in &built.diagnostics {
        let is_clippy = diagnostic
            .code
            .as_ref()
            .is_some_and(|code| code.starts_with("clippy::"));
        let rule = if is_clippy {
            "lint/clippy"
        } else {
            "lint/rustc"
        };
        report
            .findings
            .push(diagnostic.finding(rule, Severity::Error));
    }
    for member in cargo::members(cx)?
        .iter()
        .filter(|member| !member.inherits_lints)
    {
        let message = format!("`{}` does not inherit the workspace's lints", member.name);
        report.findings.push(
            Finding::error("lint/uninherited", message)
                .file(format!("{}/Cargo.toml", member.dir).trim_start_matches('/'))
                .help("add `[lints]` with `workspace = true`"),
        );
    }
    report.count("crates", built.crates.len());
    report.note(built.reuse());
    Ok(report)
}
