//! `cargo xtask prove`: plants one violation per rule in a copy of the tree and demands red with the
//! right rule on the right line, and green after it is gone. A gate that cannot fail does not pass.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::floors::{self, Floors};
use super::tree::{Spot, Tree};
use super::{Outcome, Verdict, judge};
use crate::cx::{Cx, Shared, write_atomic};
use crate::exit::{Code, Problem};
use crate::gates::{Gate, Plant, Rule};
use crate::process;
use crate::report::{NotRun, Severity};

/// What came of one rule's plant. `failure` is `None` when it was proven.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    pub(crate) rule: String,
    pub(crate) red_at: Option<String>,
    pub(crate) duration_ms: u64,
    pub(crate) failure: Option<String>,
    /// The gate is switched off, or what the rule needs is absent: neither proven nor refuted.
    pub(crate) not_run: Option<String>,
}

/// Proves every rule of `gates` in a copy of the tree; `on_proof` sees each as it is done.
pub(crate) fn prove(
    shared: &Arc<Shared>,
    gates: &[&Gate],
    on_proof: &mut dyn FnMut(&Proof),
) -> Result<Vec<Proof>> {
    let folder = shared.state().join("prove");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create `{}`", folder.display()))?;
    let lock = std::fs::File::create(folder.join("lock"))
        .context("failed to create the lock of `prove`")?;
    lock.try_lock().map_err(|_| {
        Problem::new(Code::Busy, "another `cargo xtask prove` is running here")
            .help("wait for it, then try again")
    })?;
    let tree = Tree::mirror(&shared.root, shared.files()?, &folder.join("tree"))?;
    // Crate-wise gates need only look at the crate the plants go into.
    let leaf = tree.leaf().ok().and_then(|file| package_of(&tree, &file));
    let mut only = leaf.map(|package| vec![package]);
    let copy = Shared::with(tree.root(), shared.target.clone(), only.take())?;

    keep_apart(&copy, &folder)?;
    let mut proofs = Vec::new();
    let mut add = |proof: Proof| {
        on_proof(&proof);
        proofs.push(proof);
    };
    for gate in gates {
        for rule in gate.rules {
            if process::interrupted() {
                return Err(Problem::new(
                    Code::Interrupted,
                    "interrupted: the proof is not complete",
                )
                .into());
            }
            let off = shared
                .policy
                .gates
                .get(gate.id)
                .and_then(|policy| policy.off.clone());
            if off.is_some() {
                add(Proof {
                    failure: None,
                    not_run: off,
                    ..failed(rule, "")
                });
                continue;
            }
            let since = Instant::now();
            let plants: Vec<&Plant> = gate
                .plants
                .iter()
                .filter(|plant| plant.rule == rule.id)
                .collect();
            let mut proof = match plants.as_slice() {
                [] => failed(
                    rule,
                    "the rule has no plant: nothing shows that it can fire",
                ),
                [plant] => one(&copy, &tree, gate, rule, plant.plant),
                _ => failed(rule, "the rule has more than one plant"),
            };
            proof.duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            add(proof);
        }
    }
    if let Some(gate) = gates.iter().find(|gate| gate.id == "changelog") {
        add(zero(&copy, gate));
        add(floor(&copy, &tree, gate));
    }
    Ok(proofs)
}

/// Gives the copy's crates artifacts of their own in the shared target directory. Cargo names a
/// workspace's artifacts by package and profile, not by folder: without this the copy's would be
/// taken for the real tree's, planted violations included. A profile setting that changes nothing
/// else tells them apart, and what both depend on is still built once.
fn keep_apart(copy: &Arc<Shared>, folder: &Path) -> Result<()> {
    let cx = Cx::new(copy, Duration::from_mins(1));
    let mut config = String::new();
    for member in crate::cargo::members(&cx)? {
        for profile in ["dev", "release"] {
            let _ = writeln!(
                config,
                "[profile.{profile}.package.\"{}\"]\ncodegen-units = 3",
                member.name
            );
        }
    }
    let file = folder.join(".cargo/config.toml");
    if std::fs::read_to_string(&file).is_ok_and(|old| old == config) {
        return Ok(());
    }
    write_atomic(&file, config)
}

fn failed(rule: &Rule, why: impl Into<String>) -> Proof {
    Proof {
        rule: rule.id.to_owned(),
        red_at: None,
        duration_ms: 0,
        failure: Some(why.into()),
        not_run: None,
    }
}

fn one(
    copy: &Arc<Shared>,
    tree: &Tree,
    gate: &Gate,
    rule: &Rule,
    plant: fn(&Tree) -> Result<Spot>,
) -> Proof {
    let red = plant(tree).and_then(|spot| {
        let outcome = judge(&copy.again()?, gate, None);
        Ok((spot, outcome))
    });
    let restored = tree.restore();
    let (spot, outcome) = match (red, restored) {
        (Ok(red), Ok(())) => red,
        (Err(error), _) | (_, Err(error)) => {
            return failed(rule, format!("failed to plant: {error:#}"));
        }
    };
    let hit = outcome.findings.iter().find(|finding| {
        finding.rule == rule.id
            && spot
                .file
                .as_ref()
                .is_none_or(|file| finding.file.as_ref() == Some(file))
            && spot
                .line
                .is_none_or(|line| finding.line == u32::try_from(line).ok())
    });
    let hides = |absent: &&NotRun| absent.hides.iter().any(|name| name == rule.id);
    if let (None, Some(absent)) = (hit, outcome.not_run.iter().find(hides)) {
        return Proof {
            failure: None,
            not_run: Some(absent.reason.clone()),
            ..failed(rule, "")
        };
    }
    let is_red = rule.severity == Severity::Warning || outcome.verdict == Verdict::Failed;
    let Some(hit) = hit.filter(|_| is_red) else {
        let wanted = match (&spot.file, spot.line) {
            (Some(file), Some(line)) => format!("at {file}:{line}"),
            (Some(file), None) => format!("in {file}"),
            _ => "anywhere".to_owned(),
        };
        return failed(
            rule,
            format!("planted, but not reported {wanted}; {}", said(&outcome)),
        );
    };
    let red_at = hit.place().or_else(|| Some("(no file)".to_owned()));
    let green = copy.again().map(|copy| judge(&copy, gate, None));
    match green {
        Ok(green)
            if green.verdict == Verdict::Passed
                && !green.findings.iter().any(|f| f.rule == rule.id) =>
        {
            Proof {
                failure: None,
                red_at,
                ..failed(rule, "")
            }
        }
        Ok(green) => failed(
            rule,
            format!("not green after the plant was removed; {}", said(&green)),
        ),
        Err(error) => failed(rule, format!("{error:#}")),
    }
}

/// The runner's own rule: a gate that counts nothing is red.
fn zero(copy: &Arc<Shared>, gate: &Gate) -> Proof {
    let rule = &floors::RULES[0];
    let blind = Gate {
        check: |_| Ok(crate::report::Report::default()),
        ..*gate
    };
    let outcome = judge(copy, &blind, None);
    if outcome.verdict == Verdict::Failed
        && outcome
            .findings
            .iter()
            .any(|finding| finding.rule == rule.id)
    {
        return Proof {
            failure: None,
            red_at: Some("(no file)".to_owned()),
            ..failed(rule, "")
        };
    }
    failed(
        rule,
        format!("a gate that counted nothing is not red; {}", said(&outcome)),
    )
}

/// The runner's own rule: a floor above what is counted is red on its line.
fn floor(copy: &Arc<Shared>, tree: &Tree, gate: &Gate) -> Proof {
    let rule = &floors::RULES[1];
    let check = || -> Result<Option<String>> {
        let honest = judge(&copy.again()?, gate, None);
        let Some((name, n)) = honest.evidence.iter().next() else {
            return Ok(None);
        };
        tree.write(
            floors::FILE,
            &format!("[{}]\n{name} = {}\n", gate.id, n + 1),
        )?;
        let raised = Floors::load(tree.root())?;
        let outcome = judge(&copy.again()?, gate, Some(&raised));
        tree.restore()?;
        Ok(outcome
            .findings
            .iter()
            .find(|finding| finding.rule == rule.id)
            .and_then(crate::report::Finding::place))
    };
    match check() {
        Ok(Some(place)) if place == format!("{}:2", floors::FILE) => Proof {
            failure: None,
            red_at: Some(place),
            ..failed(rule, "")
        },
        Ok(place) => failed(rule, format!("a raised floor was reported at {place:?}")),
        Err(error) => failed(rule, format!("{error:#}")),
    }
}

fn said(outcome: &Outcome) -> String {
    let findings: Vec<String> = outcome
        .findings
        .iter()
        .take(3)
        .map(|finding| format!("{} {}", finding.rule, finding.place().unwrap_or_default()))
        .collect();
    match &outcome.error {
        Some(error) => format!("the gate broke: {}", error.message),
        None if findings.is_empty() => {
            format!("the gate said {:?} and reported nothing", outcome.verdict)
        }
        None => format!("it reported: {}", findings.join(", ")),
    }
}

/// The package that a source file belongs to, by the nearest manifest.
fn package_of(tree: &Tree, file: &str) -> Option<String> {
    let dir = Path::new(file)
        .ancestors()
        .find(|dir| tree.root().join(dir).join("Cargo.toml").is_file())?;
    let manifest: toml_edit::DocumentMut = tree
        .read(&format!("{}/Cargo.toml", crate::report::slashed(dir)))
        .ok()?
        .parse()
        .ok()?;
    manifest
        .get("package")?
        .get("name")?
        .as_str()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::GATES;
    use crate::report::Report;

    fn workspace() -> Arc<Shared> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = tempfile::tempdir().unwrap().keep();
        Shared::with(root, target, None).unwrap()
    }

    /// A gate whose check was stubbed to pass must not survive `prove`, whichever gate it is.
    #[test]
    fn a_stubbed_check_does_not_survive() {
        let shared = workspace();
        for gate in GATES {
            let stubbed = Gate {
                check: |_| {
                    let mut report = Report::default();
                    report.count("stubbed", 1);
                    Ok(report)
                },
                ..*gate
            };
            let proofs = prove(&shared, &[&stubbed], &mut |_| {}).unwrap();
            for rule in gate.rules {
                let proof = proofs.iter().find(|proof| proof.rule == rule.id).unwrap();
                let why = proof.failure.as_deref().unwrap_or_default();
                assert!(
                    why.contains("planted, but not reported"),
                    "{}: {proof:?}",
                    rule.id
                );
            }
        }
        std::fs::remove_dir_all(&shared.target).unwrap();
    }

    #[test]
    fn a_rule_without_a_plant_is_a_failure() {
        let shared = workspace();
        let gate = crate::gates::find("changelog").unwrap();
        let bare = Gate {
            plants: &[],
            rules: &gate.rules[..1],
            ..*gate
        };
        let proofs = prove(&shared, &[&bare], &mut |_| {}).unwrap();
        assert!(
            proofs[0]
                .failure
                .as_deref()
                .unwrap()
                .contains("has no plant"),
            "{proofs:?}"
        );
        std::fs::remove_dir_all(&shared.target).unwrap();
    }
}
