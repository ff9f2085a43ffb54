//! Evidence floors: a gate that saw less than before has not passed, although nothing failed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml_edit::{Document, DocumentMut, Item, Table, value};

use crate::exit::Problem;
use crate::gates::Rule;
use crate::report::{Evidence, Finding, NotRun, Outcome, Verdict};

pub(crate) const FILE: &str = "gates.lock";

/// Rules of the runner itself; every gate may break them.
pub(crate) const RULES: &[Rule] = &[
    Rule::error(
        "evidence/zero",
        "a gate counted nothing: it checked nothing",
    ),
    Rule::error(
        "evidence/floor",
        "a gate counted less than its floor in `gates.lock`",
    ),
];

const HEADER: &str = "\
# Evidence floors. A gate that counts less than this is red, although nothing failed.
# `cargo xtask evidence accept` rewrites the file from the last run; a lowered floor is a change to review.
";

/// The floors of a workspace: gate → count → floor and the line it stands on.
#[derive(Debug, Default)]
pub(crate) struct Floors(BTreeMap<String, BTreeMap<String, (u64, usize)>>);

impl Floors {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        match std::fs::read_to_string(root.join(FILE)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("failed to read `{FILE}`")),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let broken = |why: String| {
            Problem::precondition(format!("failed to parse `{FILE}`\n{why}"))
                .help(format!("restore it: git checkout -- {FILE}"))
        };
        let document = Document::parse(text).map_err(|error| broken(error.to_string()))?;
        let mut floors = BTreeMap::new();
        for (gate, item) in document.iter() {
            let counts = item
                .as_table()
                .ok_or_else(|| broken(format!("`{gate}` is not a table")))?;
            for (name, item) in counts {
                let floor = item
                    .as_integer()
                    .and_then(|floor| u64::try_from(floor).ok());
                let floor =
                    floor.ok_or_else(|| broken(format!("`{gate}.{name}` is not a count")))?;
                let start = counts
                    .key(name)
                    .and_then(toml_edit::Key::span)
                    .map_or(0, |span| span.start);
                let line = text[..start].matches('\n').count() + 1;
                floors
                    .entry(gate.to_owned())
                    .or_insert_with(BTreeMap::new)
                    .insert(name.to_owned(), (floor, line));
            }
        }
        Ok(Self(floors))
    }
}

/// Holds a gate's counts against zero and against their floors.
pub(crate) fn check(
    gate: &str,
    evidence: &Evidence,
    not_run: &[NotRun],
    floors: Option<&Floors>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let hidden = |name: &String| not_run.iter().any(|not_run| not_run.hides.contains(name));
    let zero = evidence.iter().find(|(name, n)| **n == 0 && !hidden(name));
    let zero = zero.map(|(name, _)| format!("no {name}"));
    let nothing = (evidence.is_empty() && not_run.is_empty()).then(|| "nothing".to_owned());
    if let Some(what) = zero.or(nothing) {
        let message = format!("`{gate}` counted {what}: it checked nothing");
        findings.push(
            Finding::error("evidence/zero", message)
                .help("see that its input is there and not filtered away"),
        );
    }
    let known = floors.and_then(|floors| floors.0.get(gate));
    for (name, (floor, line)) in known.into_iter().flatten() {
        let seen = evidence.get(name).copied().unwrap_or(0);
        let hidden = not_run.iter().any(|not_run| not_run.hides.contains(name));
        if seen < *floor && !hidden {
            let message = format!("`{gate}` counted {seen} {name}, the floor is {floor}");
            findings.push(Finding::error("evidence/floor", message).at(FILE, *line).help(
                "find what is no longer seen; if it is gone on purpose: cargo xtask evidence accept",
            ));
        }
    }
    findings
}

/// The text of `gates.lock` after `outcomes`: their counts become the floors, other gates keep theirs.
/// Only gates that passed count.
pub(crate) fn accept(old: &str, outcomes: &[Outcome]) -> Result<String> {
    let mut document: DocumentMut = old
        .parse()
        .with_context(|| format!("failed to parse `{FILE}`"))?;
    for outcome in outcomes {
        let below_floor_only = outcome.verdict == Verdict::Failed
            && outcome.findings.iter().all(|f| f.rule == "evidence/floor");
        if outcome.verdict != Verdict::Passed && !below_floor_only {
            continue;
        }
        let hidden: Vec<_> = outcome
            .not_run
            .iter()
            .flat_map(|not_run| &not_run.hides)
            .collect();
        let mut counts = Table::new();
        if let Some(Item::Table(old)) = document.get(&outcome.id) {
            for (name, floor) in old
                .iter()
                .filter(|(name, _)| hidden.iter().any(|hidden| hidden == name))
            {
                counts.insert(name, floor.clone());
            }
        }
        let seen = outcome.evidence.iter();
        for (name, n) in seen.filter(|(name, _)| !hidden.contains(name)) {
            counts.insert(name, value(i64::try_from(*n).unwrap_or(i64::MAX)));
        }
        counts.sort_values();
        document.insert(&outcome.id, Item::Table(counts));
    }
    document.sort_values();
    let body = document.to_string();
    let body = body
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut text = HEADER.to_owned();
    for line in body {
        if line.starts_with('[') {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(counts: &[(&str, u64)]) -> Evidence {
        counts
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect()
    }

    #[test]
    fn nothing_counted_is_red() {
        for (counts, said) in [
            (evidence(&[("tests", 0)]), "`test` counted no tests"),
            (evidence(&[]), "`test` counted nothing"),
        ] {
            let finding = &check("test", &counts, &[], None)[0];
            assert_eq!(finding.rule, "evidence/zero");
            assert_eq!(finding.message, format!("{said}: it checked nothing"));
        }
    }

    #[test]
    fn a_drop_is_red_at_the_floor() {
        let floors = Floors::parse("# x\n\n[test]\ntests = 10\n").unwrap();
        let findings = check("test", &evidence(&[("tests", 9)]), &[], Some(&floors));
        assert_eq!(
            (findings[0].rule.as_str(), findings[0].place().as_deref()),
            ("evidence/floor", Some("gates.lock:4"))
        );
        assert!(check("test", &evidence(&[("tests", 10)]), &[], Some(&floors)).is_empty());
    }

    #[test]
    fn a_count_that_vanished_is_below_its_floor() {
        let floors = Floors::parse("[test]\ntests = 10\ndoctests = 2\n").unwrap();
        assert_eq!(
            check("test", &evidence(&[("tests", 10)]), &[], Some(&floors)).len(),
            1
        );
    }

    #[test]
    fn accepting_keeps_other_gates_and_counts_of_what_did_not_run() {
        let old = "[lint]\ncrates = 3\n\n[test]\npostgres = 7\ntests = 10\n";
        let mut outcome = Outcome::new("test", Verdict::Passed);
        outcome.evidence = evidence(&[("tests", 12)]);
        outcome.not_run.push(NotRun {
            what: "x".into(),
            reason: "x".into(),
            required_by: "x".into(),
            required: false,
            help: "x".into(),
            hides: vec!["postgres".into()],
        });
        let text = accept(old, &[outcome]).unwrap();
        assert_eq!(
            text,
            format!("{HEADER}\n[lint]\ncrates = 3\n\n[test]\npostgres = 7\ntests = 12\n")
        );
        let parsed = Floors::parse(&text).unwrap();
        assert_eq!(accept(&text, &[]).unwrap(), text);
        assert_eq!(parsed.0["test"]["tests"].0, 12);
    }
}
