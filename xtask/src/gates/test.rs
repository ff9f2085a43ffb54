//! The tests, on nextest where it is installed and on cargo's own runner elsewhere, and the doc tests.
//! A test that never ran, or a runner that found none, is red.

use anyhow::Result;

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Finding, Report};
use crate::runner::tree::{Spot, Tree};
use crate::testing::{Results, libtest, nextest};

pub(super) const GATE: Gate = Gate {
    id: "test",
    about: "a failing or never-run test, on SQLite and PostgreSQL; a failing doc test",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::DevBuild],
    inputs: &[
        Input::Crates,
        Input::Files("migrations/**"),
        Input::Tool("cargo-nextest"),
        Input::Tool("postgres"),
        Input::Tool("chromium"),
        Input::Tool("redis-server"),
        Input::Tool("schemathesis"),
        Input::Tool("curl"),
        Input::Tool("ssh-keygen"),
        Input::Tool("gh"),
        Input::Env("XTASK_REQUIRE_POSTGRES"),
        Input::Env("XTASK_REQUIRE_CHROMIUM"),
        Input::Env("XTASK_REQUIRE_REDIS"),
        Input::Env("XTASK_REQUIRE_SCHEMATHESIS"),
        Input::Env("XTASK_REQUIRE_CURL"),
        Input::Env("XTASK_REQUIRE_OPENSSH"),
        Input::Env("XTASK_REQUIRE_GH"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(30),
    rules: &[
        Rule::error("test/failed", "a test fails"),
        Rule::error("test/doc-failed", "a doc test fails"),
        Rule::error("test/ignored", "a test that never runs"),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "test/failed",
            plant: |tree| plant(tree, "    panic!(\"planted\");", 3),
        },
        Plant {
            rule: "test/doc-failed",
            plant: |tree| {
                tree.append(
                    &tree.leaf()?,
                    "/// ```\n/// panic!(\"planted\");\n/// ```\npub mod planted {}\n",
                )
            },
        },
        Plant {
            rule: "test/ignored",
            plant: |tree| {
                // Put together here, so that whoever searches the tree for such tests finds none.
                let never = format!("#[{}]", "ignore");
                let test = format!("#[cfg(test)]\n#[test]\n{never}\nfn planted() {{}}\n");
                tree.append(&tree.leaf()?, &test)?;
                Ok(Spot::nowhere())
            },
        },
    ],
};

fn plant(tree: &Tree, body: &str, offset: usize) -> Result<Spot> {
    let file = tree.leaf()?;
    let spot = tree.append(
        &file,
        &format!("#[cfg(test)]\n#[test]\nfn planted() {{\n{body}\n}}\n"),
    )?;
    Ok(Spot {
        line: spot.line.map(|line| line + offset),
        ..spot
    })
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    report.note(cargo::built(cx)?.reuse());
    let tests = if nextest::is_installed(cx)? {
        nextest::run(cx)?
    } else {
        libtest::run(cx)?
    };
    add(cx, &mut report, "tests", "test/failed", &tests);
    add(
        cx,
        &mut report,
        "doctests",
        "test/doc-failed",
        &libtest::run_doc_tests(cx)?,
    );
    report.not_run = tests.not_run;
    Ok(report)
}

fn add(cx: &Cx, report: &mut Report, count: &str, rule: &str, results: &Results) {
    let ran = results.passed + results.failed.len();
    // A workspace need not have doc tests; it must have tests.
    if ran > 0 || count == "tests" {
        report.count(count, ran);
    }
    report.findings.extend(
        results
            .failed
            .iter()
            .map(|(name, output)| failed(cx, rule, name, output)),
    );
    report.findings.extend(results.ignored.iter().map(|name| {
        Finding::error("test/ignored", format!("`{name}` never runs"))
            .help("a test that does not run is not a test: make it fast, or remove it")
    }));
    results.notes.iter().for_each(|line| report.note(line));
}

/// A finding where the test panicked: `panicked at src/lib.rs:3:5:`, else at the doc test's own place.
fn failed(cx: &Cx, rule: &str, name: &str, output: &str) -> Finding {
    let message = format!("`{name}` failed\n{}", output.trim());
    let finding = Finding::error(rule, message);
    // `crates/guard/src/lib.rs - router::Example (line 12)`
    let doc = name.split_once(" - ").and_then(|(file, rest)| {
        let line = rest.rsplit_once("(line ")?.1.split(')').next()?;
        Some((file.to_owned(), line.parse().ok()?))
    });
    let panic = || {
        let place = output
            .split("panicked at ")
            .nth(1)?
            .lines()
            .next()?
            .trim_end_matches(':');
        let mut parts = place.rsplitn(3, ':');
        let (_column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        let file = std::path::Path::new(file);
        let file = crate::report::slashed(file.strip_prefix(&cx.root).unwrap_or(file));
        Some((file, line.parse().ok()?))
    };
    match doc.or_else(panic) {
        Some((file, line)) => finding.at(file, line),
        None => finding,
    }
}
