//! `Cargo.lock` is there and says what the manifests say. Every cargo command of ours runs `--locked`,
//! so nothing else can change it.

use anyhow::{Context as _, Result};
use xshell::cmd;

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::environment;
use crate::exit::{Code, code_of};
use crate::report::{Finding, Report};

pub(super) const GATE: Gate = Gate {
    id: "lockfile",
    about: "`Cargo.lock` missing or not what the manifests say",
    tier: Tier::Pull,
    needs: &[],
    locks: &[],
    inputs: &[
        Input::Files("**/Cargo.toml"),
        Input::Files("Cargo.lock"),
        Input::Tool("cargo"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(10),
    rules: &[
        Rule::error("lockfile/missing", "there is no `Cargo.lock`"),
        Rule::error(
            "lockfile/stale",
            "`Cargo.lock` does not match the manifests",
        ),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "lockfile/missing",
            plant: |tree| tree.remove(FILE),
        },
        Plant {
            rule: "lockfile/stale",
            plant: |tree| {
                tree.replace("Cargo.toml", "\nversion = \"", "\nversion = \"9")?;
                Ok(crate::runner::tree::Spot::file(FILE))
            },
        },
    ],
};

const FILE: &str = "Cargo.lock";

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    if !cx.root.join(FILE).is_file() {
        report
            .findings
            .push(Finding::error("lockfile/missing", "there is no `Cargo.lock`").file(FILE));
        return Ok(report);
    }
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let done = cx.run(cmd!(sh, "{cargo} metadata --locked --format-version 1"))?;
    if !done.success() {
        let error = cargo::failure(&["metadata"], &done.stderr());
        if code_of(&error) != Code::Red {
            return Err(error);
        }
        report.findings.push(
            Finding::error(
                "lockfile/stale",
                "`Cargo.lock` does not match the manifests",
            )
            .file(FILE),
        );
    }
    let lock: toml_edit::DocumentMut = cx
        .read(FILE)?
        .parse()
        .context("failed to parse `Cargo.lock`")?;
    let packages = lock
        .get("package")
        .and_then(|item| item.as_array_of_tables());
    report.count(
        "packages",
        packages.map_or(0, toml_edit::ArrayOfTables::len),
    );
    Ok(report)
}
