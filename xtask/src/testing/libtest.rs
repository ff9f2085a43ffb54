//! cargo's own runner, and the doc tests, which only it runs: read from what libtest prints.

use anyhow::Result;
use xshell::cmd;

use super::components::Needs;
use super::{Results, packages};
use crate::cargo;
use crate::cx::Cx;
use crate::environment;
use crate::report::text;

/// All tests but the doc tests.
pub(crate) fn run(cx: &Cx) -> Result<Results> {
    let (cargo, packages) = (&environment::cargo(), &packages(cx));
    let targets = &["--lib", "--bins", "--tests", "--examples"];
    let listed = {
        let sh = cx.shell()?;
        let list = ["--list", "--format", "terse"];
        let done = cx.run(cmd!(
            sh,
            "{cargo} test {packages...} --locked {targets...} -- {list...}"
        ))?;
        if !done.success() {
            return Err(cargo::failure(&["test"], &done.stderr()));
        }
        text::clean_bytes(&done.stdout, usize::MAX)
    };
    let tests = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let needs = Needs::of(cx, &tests.collect::<Vec<_>>())?;
    let skip: Vec<&str> = needs.left_out().flat_map(|word| ["--skip", word]).collect();
    let sh = needs.shell(cx)?;
    let done = cx.run(cmd!(
        sh,
        "{cargo} test {packages...} --locked --no-fail-fast {targets...} -- {skip...}"
    ))?;
    let mut results = read(&text::clean_bytes(&done.stdout, usize::MAX));
    if !done.success() && results.failed.is_empty() {
        return Err(cargo::failure(&["test"], &done.stderr()));
    }
    let (passed, failed) = (results.passed, results.failed.len());
    results.notes.push(format!(
        "cargo test: {passed} passed, {failed} failed (install cargo-nextest for a faster run)"
    ));
    results.notes.extend(needs.note());
    results.not_run = needs.not_run();
    Ok(results)
}

/// The examples in the documentation of the libraries. They need no server.
pub(crate) fn run_doc_tests(cx: &Cx) -> Result<Results> {
    if !cargo::members(cx)?
        .iter()
        .any(|member| member.doctests && cx.wants(&member.name))
    {
        return Ok(Results::default());
    }
    let (sh, cargo, packages) = (cx.shell()?, environment::cargo(), packages(cx));
    let done = cx.run(cmd!(
        sh,
        "{cargo} test --doc {packages...} --locked --no-fail-fast"
    ))?;
    let results = read(&text::clean_bytes(&done.stdout, usize::MAX));
    let stderr = done.stderr();
    // A package of binaries alone has no documentation to test.
    if !done.success() && results.failed.is_empty() && !stderr.contains("no library targets found")
    {
        return Err(cargo::failure(&["test --doc"], &stderr));
    }
    Ok(results)
}

/// What libtest prints, of all binaries of a `cargo test`. Counts come from each binary's closing
/// line; a binary that announced tests and has none, or another number, did not run them all.
fn read(out: &str) -> Results {
    let mut all = Results::default();
    let mut announced: Option<usize> = None;
    let cut_short = |all: &mut Results, announced: usize| {
        let name = format!("a binary of {}", text::plural(announced, "test"));
        all.failed
            .push((name, "it ended before all of its tests had run".to_owned()));
    };
    for line in out.lines() {
        if let Some(n) = line
            .strip_prefix("running ")
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
        {
            if let Some(announced) = announced.replace(n) {
                cut_short(&mut all, announced);
            }
        } else if let Some((name, verdict)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            match verdict.split([',', ' ']).next() {
                Some("ignored") => all.ignored.push(name.to_owned()),
                Some("FAILED") => all
                    .failed
                    .push((name.to_owned(), output(out, name).to_owned())),
                _ => {}
            }
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            let count = |what: &str| {
                let part = rest
                    .split([';', '.'])
                    .find_map(|part| part.trim().strip_suffix(what));
                part.and_then(|n| n.trim().parse::<usize>().ok())
                    .unwrap_or(0)
            };
            let closed = count("passed") + count("failed") + count("ignored") + count("measured");
            if announced.take() != Some(closed) {
                cut_short(&mut all, closed);
            }
            all.passed += count("passed") + count("measured");
        }
    }
    if let Some(announced) = announced {
        cut_short(&mut all, announced);
    }
    all
}

/// The captured output of one test: from its `---- name stdout ----` to the next such line.
fn output<'a>(out: &'a str, name: &str) -> &'a str {
    let start = format!("---- {name} stdout ----");
    out.split_once(&start)
        .map_or("", |(_, rest)| rest.split("\n---- ").next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    #[test]
    fn libtest_output_is_read() {
        let out = "running 3 tests\ntest a ... ok\ntest b::c ... FAILED\ntest d ... ignored, later\n\nfailures:\n\n---- b::c stdout ----\n\nthread 'b::c' panicked at src/lib.rs:3:5:\nboom\n\n\nfailures:\n    b::c\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s\n";
        let read = super::read(out);
        assert_eq!(
            (read.passed, read.ignored.as_slice()),
            (1, &["d".to_owned()][..])
        );
        assert_eq!(read.failed[0].0, "b::c");
        assert!(read.failed[0].1.contains("boom"));
    }

    #[test]
    fn a_binary_that_ends_early_has_not_passed() {
        let out = "running 2 tests\ntest a ... ok\nrunning 1 test\ntest b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let read = super::read(out);
        assert_eq!((read.passed, read.failed.len()), (1, 1));
        assert_eq!(
            super::read("running 2 tests\ntest a ... ok\n").failed.len(),
            1
        );
    }
}
