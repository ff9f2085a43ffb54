//! Everything compiles: all members, all targets, tests and benches too.

use anyhow::Result;

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Report, Severity};

pub(super) const GATE: Gate = Gate {
    id: "typecheck",
    about: "code that does not compile, in any target of any member",
    tier: Tier::Pull,
    needs: &[],
    locks: &[Lock::DevBuild],
    inputs: &[Input::Crates, Input::Tool("rustc")],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[Rule::error("typecheck/error", "rustc refuses it")],
    check,
    fix: None,
    plants: &[Plant {
        rule: "typecheck/error",
        plant: |tree| tree.append(&tree.leaf()?, "const _: u32 = \"planted\";\n"),
    }],
};

fn check(cx: &Cx) -> Result<Report> {
    let built = cargo::build(cx, &["check", "--workspace", "--all-targets"])?;
    let errors = built
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.error);
    let mut report = Report {
        findings: errors
            .map(|error| error.finding("typecheck/error", Severity::Error))
            .collect(),
        ..Report::default()
    };
    report.count("crates", built.crates.len());
    report.note(built.reuse());
    Ok(report)
}
