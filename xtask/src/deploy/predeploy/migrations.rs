//! The files keep their rules, the plan has no problem, and no earlier run is unfinished.

use anyhow::Result;

use super::Check;
use crate::cx::Cx;
use crate::database::{Link, Target};
use crate::exit::Code;
use crate::migrations::files;
use crate::migrations::run::{self, Folder, Found, Plan, RESUME};
use crate::repo;
use crate::report::{Finding, text};

pub(super) const CHECK: Check = Check {
    name: "migrations",
    run: check,
};

fn check(cx: &Cx) -> Result<String> {
    let mut problems: Vec<String> = broken_rules(cx)?.into_iter().map(line).collect();
    let target = Target::read(cx)?;
    let mut folder = Folder::read(&cx.root, target.engine())?;
    let found = cx.block_on(Link::look(&target, Found::read))?;
    let plan = Plan::new(&mut folder, &found, &cx.policy.allow)?;
    problems.extend(plan.problems);
    if let Some(entry) = found.journal.first() {
        problems.push(format!("{}: {RESUME}", entry.problem()));
    }
    run::refuse(&problems, Code::Red)?;
    let pending = plan.pending.len();
    let all = text::plural(folder.migrations.len(), "migration");
    Ok(format!("{pending} to apply of {all}, plan {}", plan.hash))
}

/// Of the files, and of what was done to those that are merged.
fn broken_rules(cx: &Cx) -> Result<Vec<Finding>> {
    let listed = files::list(cx)?;
    let mut findings = Vec::new();
    if let Some(repo) = repo::open(&cx.root)? {
        let base = repo::base(&repo, &cx.policy.branch.trunk)?;
        findings = files::against_base(cx, &repo, &base, &listed)?;
    }
    findings.extend(listed.findings);
    Ok(findings)
}

fn line(finding: Finding) -> String {
    match finding.file {
        Some(file) => format!("`{file}`: {}", finding.message),
        None => finding.message,
    }
}
