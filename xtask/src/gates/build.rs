//! The release build of every app, as it is deployed.

use anyhow::Result;

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Finding, Report, Severity};
use crate::runner::tree::Spot;

pub(super) const GATE: Gate = Gate {
    id: "build",
    about: "an app whose release build fails or has no binary",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::ReleaseBuild],
    inputs: &[Input::Crates, Input::Tool("rustc")],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(30),
    rules: &[
        Rule::error("build/error", "the release build refuses it"),
        Rule::error("build/no-binary", "an app without a binary of its name"),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "build/error",
            plant: |tree| {
                let file = tree.leaf()?;
                let text = "#[cfg(not(debug_assertions))]\ncompile_error!(\"planted\");\n";
                tree.append(&file, text).map(|spot| Spot {
                    line: spot.line.map(|line| line + 1),
                    ..spot
                })
            },
        },
        Plant {
            rule: "build/no-binary",
            plant: |tree| {
                let main = tree.leaf()?.replace("src/lib.rs", "src/main.rs");
                tree.remove(&main)?;
                Ok(Spot::file(&main.replace("src/main.rs", "Cargo.toml")))
            },
        },
    ],
};

fn check(cx: &Cx) -> Result<Report> {
    let apps = cargo::apps(cx)?;
    let mut report = Report::default();
    if apps.is_empty() {
        return Ok(report);
    }
    let built = cargo::build_release(cx, &apps)?;
    report.note(built.reuse());
    let errors = built
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.error);
    report
        .findings
        .extend(errors.map(|error| error.finding("build/error", Severity::Error)));
    for app in &apps {
        let bin = built
            .bins
            .get(&app.name)
            .filter(|bin| bin.metadata().is_ok_and(|meta| meta.len() > 0));
        report.count("apps", usize::from(bin.is_some()));
        if bin.is_none() && !built.diagnostics.iter().any(|diagnostic| diagnostic.error) {
            report.findings.push(
                Finding::error(
                    "build/no-binary",
                    format!("the app `{}` has no binary of its name", app.name),
                )
                .file(format!("{}/Cargo.toml", app.dir))
                .help(format!("add `{}/src/main.rs`", app.dir)),
            );
        }
    }
    Ok(report)
}
