//! `cargo xtask test`: the test gate alone, with the runner's closing line last.

use std::sync::Arc;

use anyhow::Result;

use crate::cli::{Format, printed, say, sink};
use crate::cx::Shared;
use crate::exit::Code;
use crate::gates;
use crate::repo;
use crate::report::Verdict;
use crate::runner::floors::Floors;
use crate::runner::{judge, record};

pub(crate) fn run(shared: &Arc<Shared>, packages: Vec<String>) -> Result<Code> {
    let Some(gate) = gates::find("test") else {
        return Ok(Code::Bug);
    };
    let whole = packages.is_empty();
    let narrowed = Shared::with(
        &shared.root,
        shared.target.clone(),
        (!whole).then_some(packages),
    )?;
    let floors = Floors::load(&shared.root)?;
    let mut sink = sink(Format::of_environment(), false);
    let (before, started) = (repo::head(&shared.root)?, jiff::Timestamp::now());
    sink.started(gate.id);
    let outcome = judge(&narrowed, gate, whole.then_some(&floors));
    sink.finished(&outcome);
    let failed = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule.ends_with("failed"))
        .count() as u64;
    let ran: u64 = outcome.evidence.values().sum();
    let (code, verdict) = (outcome.code(), outcome.verdict);
    let run = record::assemble(&before, &repo::head(&shared.root)?, started, vec![outcome]);
    printed(sink.ended(&run))?;
    if whole {
        record::save(shared, &run)?;
    }
    if matches!(verdict, Verdict::Passed | Verdict::Failed) {
        say(format!(
            "\n{} passed, {failed} failed",
            ran.saturating_sub(failed)
        ))?;
    }
    Ok(code)
}
