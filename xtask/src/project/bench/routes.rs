//! `cargo xtask bench --routes PATH`: the route scan beside `ast-grep`, which only looks for `.route(`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use xshell::cmd;

use super::{Figure, measure};
use crate::cli::{say, say_json};
use crate::cx::{Cx, Shared};
use crate::exit::{Code, Problem};
use crate::repo;

pub(super) fn run(shared: &Arc<Shared>, path: &Path, runs: u32, json: bool) -> Result<Code> {
    let root = path.canonicalize().map_err(|_| {
        Problem::precondition(format!("no folder `{}`", path.display()))
            .help("give the folder of a Cargo workspace: --routes PATH")
    })?;
    let lines = lines(&root)?;
    let cx = Cx::new(shared, Duration::from_hours(1));
    let sh = cx.shell()?;
    let exe = std::env::current_exe().context("failed to find our own executable")?;
    let runs = runs.max(1);
    // Findings are what a scan of a strange workspace has: exit 1 is a run like any other.
    let scan = || {
        let done = cx.run(cmd!(sh, "{exe} routes --format json --root {root}").quiet())?;
        anyhow::ensure!(
            done.success() || String::from_utf8_lossy(&done.stdout).contains("\"routes\""),
            "the scan failed: {}",
            done.stderr()
        );
        Ok(())
    };
    let pattern = "$A.route($$$)";
    let grep = || {
        cx.run(cmd!(sh, "ast-grep run --lang rust --pattern {pattern} {root}").quiet())
            .map(drop)
    };
    scan()?;
    let has_grep = grep().is_ok();
    let mut figures = vec![measure("routes", runs, scan)?];
    if has_grep {
        figures.push(measure("ast-grep `.route(`", runs, grep)?);
    }
    if json {
        say_json(&figures)?;
        return Ok(Code::Done);
    }
    say(format!("{lines} lines of Rust in `{}`", root.display()))?;
    for Figure {
        what,
        wall_ms,
        cpu_ms,
        ..
    } in &figures
    {
        let cpu = cpu_ms
            .map(|cpu| format!("{cpu:>8.0} ms cpu"))
            .unwrap_or_default();
        say(format!("{what:<20} {wall_ms:>8.0} ms {cpu}"))?;
    }
    match figures.as_slice() {
        [ours, theirs] => say(format!("ratio {:.2}", ours.wall_ms / theirs.wall_ms))?,
        _ => say("ast-grep is not installed: pip install ast-grep-cli==0.51.1")?,
    }
    Ok(Code::Done)
}

fn lines(root: &Path) -> Result<usize> {
    let mut files = repo::files(root)?;
    if files.is_empty() {
        files = repo::walk(root)?;
    }
    let is_rust = |file: &&String| {
        Path::new(file.as_str())
            .extension()
            .is_some_and(|extension| extension == "rs")
    };
    Ok(files
        .iter()
        .filter(is_rust)
        .filter_map(|file| std::fs::read(root.join(file)).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).lines().count())
        .sum())
}
