//! The record of a run in `target/xtask/runs/`: what a release later asks for by commit.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::cx::{Shared, write_atomic};
use crate::repo::Head;
use crate::report::{Outcome, Run, exit_code};

/// Layout of the JSON, see `xtask/schema/run.schema.json`.
pub(crate) const VERSION: u32 = 1;

pub(crate) fn path(shared: &Shared, commit: Option<&str>, dirty: bool) -> PathBuf {
    let name = commit.unwrap_or("no-commit");
    let dirty = if dirty && commit.is_some() {
        "-dirty"
    } else {
        ""
    };
    shared
        .state()
        .join("runs")
        .join(format!("{name}{dirty}.json"))
}

/// Puts the outcomes together. `before` and `after` are HEAD at both ends: work that moved under the
/// run makes it a run of no commit in particular.
pub(crate) fn assemble(
    before: &Head,
    after: &Head,
    started: jiff::Timestamp,
    gates: Vec<Outcome>,
) -> Run {
    let same = before.commit == after.commit;
    Run {
        version: VERSION,
        commit: before.commit.clone(),
        dirty: before.dirty().chain(after.dirty()).next().is_some() || !same,
        started: started.to_string(),
        duration_ms: u64::try_from(jiff::Timestamp::now().duration_since(started).as_millis())
            .unwrap_or_default(),
        exit_code: exit_code(&gates) as u8,
        gates,
    }
}

/// Saves `run`. On a clean commit the gates that this run did not have keep their last outcome;
/// on a dirty tree an older outcome would be of other files.
pub(crate) fn save(shared: &Shared, run: &Run) -> Result<PathBuf> {
    let path = path(shared, run.commit.as_deref(), run.dirty);
    let mut merged = run.clone();
    if run.commit.is_some()
        && !run.dirty
        && let Some(old) = read(&path)
    {
        let kept = old
            .gates
            .into_iter()
            .filter(|old| !run.gates.iter().any(|new| new.id == old.id));
        merged.gates.extend(kept);
        merged.exit_code = exit_code(&merged.gates) as u8;
    }
    write_atomic(
        &path,
        serde_json::to_vec_pretty(&merged).context("failed to render the run")?,
    )
    .context("failed to keep the record of this run")?;
    Ok(path)
}

/// A record, if it is there and of this version; a torn or foreign one counts as absent.
pub(crate) fn read(path: &std::path::Path) -> Option<Run> {
    let run: Run = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    (run.version == VERSION).then_some(run)
}
