//! Runs gates: order, locks, verdicts. Data flows one way: gates → outcomes → sink and record.

pub(crate) mod fix;
pub(crate) mod floors;
pub(crate) mod prove;
pub(crate) mod record;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use anyhow::Result;

use crate::cx::{Cx, Shared};
use crate::exit::{self, Code, Problem};
use crate::gates::{self, Gate, Platform, Tier};
use crate::process;
use crate::report::{Breakage, Finding, Outcome, Report, Severity, Sink, Verdict, text};
use floors::Floors;

/// The gates of `tier`, or those named, each with what it needs, in table order.
pub(crate) fn select(tier: Tier, names: &[String]) -> Result<Vec<&'static Gate>> {
    let mut wanted: Vec<&str> = Vec::new();
    for name in names {
        let gate = gates::find(name).ok_or_else(|| {
            Problem::new(Code::Usage, format!("no gate is called `{name}`"))
                .help(format!("the gates are: {}", gates::ids().join(", ")))
        })?;
        wanted.push(gate.id);
    }
    if names.is_empty() {
        wanted.extend(
            gates::GATES
                .iter()
                .filter(|gate| gate.tier <= tier)
                .map(|gate| gate.id),
        );
    }
    let mut at = 0;
    while let Some(id) = wanted.get(at) {
        let needs = gates::find(id).map_or(&[][..], |gate| gate.needs);
        for need in needs {
            if !wanted.contains(need) {
                wanted.push(need);
            }
        }
        at += 1;
    }
    Ok(gates::GATES
        .iter()
        .filter(|gate| wanted.contains(&gate.id))
        .collect())
}

/// Runs `gates` along their needs and under their locks; every one of them gets an outcome.
pub(crate) fn run(
    shared: &Arc<Shared>,
    gates: &[&'static Gate],
    fail_fast: bool,
    sink: &mut dyn Sink,
) -> Result<Vec<Outcome>> {
    let floors = Floors::load(&shared.root)?;
    let slots = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .max(2);
    let mut waiting: Vec<&Gate> = gates.to_vec();
    let mut running: Vec<&Gate> = Vec::new();
    let mut done: BTreeMap<&str, Outcome> = BTreeMap::new();
    let (send, receive) = mpsc::channel();

    std::thread::scope(|scope| {
        while !waiting.is_empty() || !running.is_empty() {
            let failed = done
                .values()
                .find(|outcome| outcome.code() != Code::Done)
                .map(|outcome| outcome.id.clone());
            let mut held_back = Vec::new();
            for gate in std::mem::take(&mut waiting) {
                let stopped = if process::interrupted() {
                    Some((Verdict::Cancelled, "interrupted".to_owned()))
                } else if let Some(id) = failed.as_ref().filter(|_| fail_fast) {
                    Some((
                        Verdict::Blocked,
                        format!("not started: `{id}` is red and --fail-fast was given"),
                    ))
                } else {
                    gate.needs
                        .iter()
                        .find(|need| {
                            done.get(*need)
                                .is_some_and(|outcome| outcome.code() != Code::Done)
                        })
                        .map(|need| {
                            (
                                Verdict::Blocked,
                                format!("needs `{need}`, which did not pass"),
                            )
                        })
                };
                if let Some((verdict, why)) = stopped {
                    let outcome = Outcome {
                        notes: vec![why],
                        ..Outcome::new(gate.id, verdict)
                    };
                    sink.finished(&outcome);
                    done.insert(gate.id, outcome);
                    continue;
                }
                let needed = gate
                    .needs
                    .iter()
                    .any(|need| gates.iter().any(|g| g.id == *need) && !done.contains_key(need));
                let locked = running
                    .iter()
                    .any(|other| other.locks.iter().any(|lock| gate.locks.contains(lock)));
                if needed || locked || running.len() >= slots {
                    held_back.push(gate);
                    continue;
                }
                sink.started(gate.id);
                running.push(gate);
                let (send, floors) = (send.clone(), &floors);
                scope.spawn(move || {
                    // The receiver outlives the scope; it cannot be gone.
                    let _ = send.send(judge(shared, gate, Some(floors)));
                });
            }
            waiting = held_back;
            if running.is_empty() {
                continue;
            }
            if let Ok(outcome) = receive.recv() {
                running.retain(|gate| gate.id != outcome.id);
                sink.finished(&outcome);
                if let Some(gate) = gates.iter().find(|gate| gate.id == outcome.id) {
                    done.insert(gate.id, outcome);
                }
            }
        }
    });
    Ok(gates
        .iter()
        .filter_map(|gate| done.remove(gate.id))
        .collect())
}

/// Runs one gate and judges what it says. `floors` is `None` where counts are of a part only.
pub(crate) fn judge(shared: &Arc<Shared>, gate: &Gate, floors: Option<&Floors>) -> Outcome {
    let policy = shared.policy.gates.get(gate.id);
    if let Some(reason) = policy.and_then(|policy| policy.off.as_ref()) {
        let note = text::clean(&format!("switched off in xtask.toml: {reason}"), text::LINE);
        return Outcome {
            notes: vec![note],
            ..Outcome::new(gate.id, Verdict::NotRun)
        };
    }
    if !gate
        .platforms
        .iter()
        .any(|platform: &Platform| platform.is_this())
    {
        let note = format!("not for this platform ({})", std::env::consts::OS);
        return Outcome {
            notes: vec![note],
            ..Outcome::new(gate.id, Verdict::NotRun)
        };
    }
    let since = Instant::now();
    let limit = policy
        .and_then(crate::policy::GatePolicy::timeout)
        .unwrap_or(gate.timeout);
    let cx = Cx::new(shared, limit);
    let result =
        std::panic::catch_unwind(AssertUnwindSafe(|| (gate.check)(&cx))).unwrap_or_else(|_| {
            Err(
                Problem::new(Code::Bug, format!("the gate `{}` panicked", gate.id))
                    .help("report it with the lines above")
                    .into(),
            )
        });
    let mut outcome = Outcome::new(gate.id, Verdict::Passed);
    outcome.commands = cx.commands();
    match result {
        Ok(report) => fill(&mut outcome, report, gate, shared, floors),
        Err(error) => {
            let code = exit::code_of(&error);
            outcome.verdict = if code == Code::Interrupted {
                Verdict::Cancelled
            } else {
                Verdict::Broken
            };
            outcome.error = Some(Breakage {
                code: code as u8,
                message: text::clean(&format!("{error:#}"), text::MESSAGE),
                help: exit::help_of(&error).map(|help| text::clean(help, text::MESSAGE)),
            });
        }
    }
    outcome.duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    outcome
}

fn fill(
    outcome: &mut Outcome,
    report: Report,
    gate: &Gate,
    shared: &Shared,
    floors: Option<&Floors>,
) {
    outcome.evidence = report.evidence;
    outcome.not_run = report.not_run;
    outcome.notes = report.notes;
    let allows = &shared.policy.allow;
    let allowed = |finding: &Finding| {
        allows
            .iter()
            .find(|allow| allow.covers(&finding.rule, finding.file.as_deref()))
    };
    for allow in allows
        .iter()
        .filter(|allow| gate.rules.iter().any(|rule| rule.id == allow.rule))
    {
        let n = report
            .findings
            .iter()
            .filter(|f| allow.covers(&f.rule, f.file.as_deref()))
            .count();
        outcome.notes.push(if n == 0 {
            format!(
                "the allowance of `{}` for `{}` in xtask.toml matches nothing: remove it",
                allow.rule, allow.path
            )
        } else {
            format!(
                "allowed in xtask.toml: {} of `{}`: {}",
                text::plural(n, "finding"),
                allow.rule,
                text::clean(&allow.reason, text::LINE)
            )
        });
    }
    outcome.findings = report
        .findings
        .iter()
        .filter(|finding| allowed(finding).is_none())
        .cloned()
        .collect();
    if outcome.count(Severity::Error) == 0 {
        outcome.findings.extend(floors::check(
            gate.id,
            &outcome.evidence,
            &outcome.not_run,
            floors,
        ));
    }

    let strange = outcome.findings.iter().find(|finding| {
        !floors::RULES
            .iter()
            .chain(gate.rules)
            .any(|rule| rule.id == finding.rule && rule.severity == finding.severity)
    });
    if let Some(finding) = strange {
        outcome.verdict = Verdict::Broken;
        outcome.error = Some(Breakage {
            code: Code::Bug as u8,
            message: format!(
                "the gate `{}` reported `{}`, which it does not declare",
                gate.id, finding.rule
            ),
            help: Some("add the rule to the gate's `rules`".to_owned()),
        });
    } else if outcome.count(Severity::Error) > 0 {
        outcome.verdict = Verdict::Failed;
    } else if outcome.evidence.is_empty() && outcome.not_run.iter().all(|not_run| !not_run.required)
    {
        outcome.verdict = Verdict::NotRun;
    } else if let Some(missing) = outcome.not_run.iter().find(|not_run| not_run.required) {
        outcome.verdict = Verdict::Broken;
        outcome.error = Some(Breakage {
            code: Code::ToolMissing as u8,
            message: format!(
                "{} did not run, and {}=1 requires it: {}",
                missing.what, missing.required_by, missing.reason
            ),
            help: Some(missing.help.clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_gate_brings_what_it_needs() {
        let ids = |names: &[&str]| -> Vec<&str> {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            select(Tier::Pull, &names)
                .unwrap()
                .iter()
                .map(|gate| gate.id)
                .collect()
        };
        assert_eq!(ids(&["fmt"]), ["fmt"]);
        let with_needs = ids(&["env"]);
        assert!(
            with_needs.contains(&"typecheck") && with_needs.contains(&"env"),
            "{with_needs:?}"
        );
        assert!(select(Tier::Pull, &["nope".to_owned()]).is_err());
    }

    #[test]
    fn tiers_include_the_ones_before() {
        let count = |tier| select(tier, &[]).unwrap().len();
        assert!(count(Tier::Hook) < count(Tier::Pull));
        assert!(count(Tier::Pull) <= count(Tier::Trunk));
        assert_eq!(count(Tier::Trunk), gates::GATES.len());
    }
}
