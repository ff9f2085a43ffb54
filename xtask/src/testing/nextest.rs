//! nextest: a process per test, listed before it is run.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use xshell::cmd;

use super::Results;
use super::components::Needs;
use crate::cargo;
use crate::cx::Cx;
use crate::environment;
use crate::exit::{Code, Problem};

/// `cargo nextest list --message-format json`, as far as it matters here.
#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "rust-suites")]
    suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
struct Suite {
    #[serde(rename = "package-name")]
    package: String,
    #[serde(rename = "testcases", default)]
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    ignored: bool,
}

/// One line of `--message-format libtest-json-plus`.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "event")]
    what: String,
    #[serde(default)]
    name: String,
    stdout: Option<String>,
}

pub(crate) fn is_installed(cx: &Cx) -> Result<bool> {
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    Ok(cx
        .run(cmd!(sh, "{cargo} nextest --version"))
        .is_ok_and(|done| done.success()))
}

/// Lists, runs, and holds one against the other: a listed test that did not run is an error.
pub(crate) fn run(cx: &Cx) -> Result<Results> {
    let cargo = environment::cargo();
    let listed = list(cx)?;
    let (ignored, active): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(_, ignored)| *ignored);
    let active: Vec<&str> = active.iter().map(|(name, _)| name.as_str()).collect();
    let needs = Needs::of(cx, &active)?;
    let expected = active.iter().filter(|name| !needs.leaves_out(name)).count();

    let mut filter = "all()".to_owned();
    if let Some(only) = &cx.only {
        let packages: Vec<String> = only
            .iter()
            .map(|name| format!("package(={name})"))
            .collect();
        filter = format!("({})", packages.join(" | "));
    }
    for word in needs.left_out() {
        filter = format!("{filter} & !test({word})");
    }
    let mut results = Results {
        ignored: ignored.into_iter().map(|(name, _)| name).collect(),
        not_run: needs.not_run(),
        ..Results::default()
    };
    let sh = needs.shell(cx)?;
    sh.set_var("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1");
    // Tests of servers and children wait more than they compute.
    let threads = (2 * std::thread::available_parallelism().map_or(1, usize::from)).to_string();
    let options = [
        "--no-tests",
        "warn",
        "--test-threads",
        &threads,
        "--message-format",
        "libtest-json-plus",
    ];
    let command = cmd!(
        sh,
        "{cargo} nextest run --workspace --locked --no-fail-fast {options...} -E {filter}"
    );
    let done = cx.run_lines(command, &mut |line| {
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            return;
        };
        match (event.kind.as_str(), event.what.as_str()) {
            ("test", "ok") => results.passed += 1,
            ("test", "failed") => results
                .failed
                .push((event.name, event.stdout.unwrap_or_default())),
            _ => {}
        }
    })?;
    let stderr = done.stderr();
    let worth_reading = |line: &&str| line.starts_with("Summary") || line.starts_with("SLOW");
    results.notes.extend(
        stderr
            .lines()
            .map(str::trim_start)
            .filter(worth_reading)
            .map(str::to_owned),
    );
    results.notes.extend(needs.note());

    let ran = results.passed + results.failed.len();
    if ran != expected {
        let message = format!("{expected} tests are listed and {ran} ran\n{stderr}");
        return Err(Problem::new(Code::Red, message)
            .help("cargo nextest run --workspace")
            .into());
    }
    if !done.success() && results.failed.is_empty() {
        return Err(cargo::failure(&["nextest run"], &stderr));
    }
    Ok(results)
}

/// Every test of the wanted packages, and whether it is ignored.
fn list(cx: &Cx) -> Result<Vec<(String, bool)>> {
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let done = cx.run(cmd!(
        sh,
        "{cargo} nextest list --workspace --locked --message-format json"
    ))?;
    if !done.success() {
        return Err(cargo::failure(&["nextest list"], &done.stderr()));
    }
    let listing: Listing =
        serde_json::from_slice(&done.stdout).context("failed to read `cargo nextest list`")?;
    let suites = listing
        .suites
        .into_values()
        .filter(|suite| cx.wants(&suite.package));
    Ok(suites
        .flat_map(|suite| suite.cases)
        .map(|(name, case)| (name, case.ignored))
        .collect())
}
