//! A mutant, what has to be said of it, and whether it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use crate::scan::{Files, Key, Scanned, Table};

/// A change of the workspace that a scan has to tell.
pub(crate) struct Mutant {
    pub(crate) operator: &'static str,
    /// Where and what was changed, for people.
    pub(crate) place: String,
    pub(crate) changed: Files,
    pub(crate) expect: Expect,
}

pub(crate) enum Expect {
    /// Red, with all of these findings.
    Red(Vec<Want>),
    /// Green, with all of these warnings, and the same table.
    Told(Vec<Want>),
    /// A line of this route in `routes.lock` that is not the committed one.
    Lock(String),
    /// Either of both.
    RedOrLock(String),
    /// Means the same, for this reason: green, the same table, and no other findings.
    Same(&'static str),
}

/// A finding of this rule at this place.
pub(crate) struct Want {
    pub(crate) rule: &'static str,
    /// Another rule that tells the same.
    or: Option<&'static str>,
    pub(crate) at: At,
}

pub(crate) enum At {
    /// At the registration of each of these routes, by name.
    Routes(BTreeSet<Key>),
    /// On one of these lines, or one of these lines is named.
    Lines(String, Range<usize>),
    /// Somewhere in the file.
    File(&'static str),
    /// Wherever this is said.
    Saying(String),
}

impl Want {
    pub(crate) fn new(rule: &'static str, at: At) -> Self {
        Self { rule, or: None, at }
    }

    pub(crate) fn either(rule: &'static str, or: &'static str, at: At) -> Self {
        Self {
            rule,
            or: Some(or),
            at,
        }
    }

    pub(crate) fn check(&self, table: &Table) -> Result<(), String> {
        let of_rule = || {
            table.findings.iter().filter(|finding| {
                finding.rule == self.rule || self.or == Some(finding.rule.as_str())
            })
        };
        let is_there = match &self.at {
            At::Routes(keys) if keys.is_empty() => {
                return Err(format!(
                    "{}: no route is meant: the operator is wrong",
                    self.rule
                ));
            }
            At::Routes(keys) => {
                for (app, method, path) in keys {
                    let what = format!("`{method} {path}` of `{app}`");
                    let is_told = table.routes.iter().any(|row| {
                        (&row.app, &row.method, &row.path) == (app, method, path)
                            && of_rule().any(|finding| {
                                finding.place() == row.place() && finding.message.contains(&what)
                            })
                    });
                    if !is_told {
                        return Err(format!("no {} for {what}", self.rule));
                    }
                }
                return Ok(());
            }
            At::Lines(file, lines) => of_rule().any(|finding| {
                let is_here = finding.file.as_ref() == Some(file)
                    && finding.line.is_some_and(|line| lines.contains(&line));
                is_here
                    || lines
                        .clone()
                        .any(|line| names(&finding.message, &format!("{file}:{line}")))
            }),
            At::File(file) => of_rule().any(|finding| finding.file.as_deref() == Some(file)),
            At::Saying(text) => of_rule().any(|finding| finding.message.contains(text)),
        };
        let at = match &self.at {
            At::Lines(file, lines) => format!("{file}:{}-{}", lines.start, lines.end - 1),
            At::File(file) => (*file).to_owned(),
            At::Saying(text) => format!("saying `{text}`"),
            At::Routes(_) => String::new(),
        };
        if is_there {
            Ok(())
        } else {
            Err(format!("no {} at {at}", self.rule))
        }
    }
}

/// `src/main.rs:1` is not named by `src/main.rs:12`.
fn names(message: &str, place: &str) -> bool {
    message
        .match_indices(place)
        .any(|(at, _)| !message[at + place.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

impl Mutant {
    #[track_caller]
    pub(crate) fn assert_changes(&self, files: &Files) {
        let is_new = |(file, text): (&String, &String)| files.get(file) != Some(text);
        assert!(
            self.changed.iter().any(is_new),
            "{} changes nothing at {}",
            self.operator,
            self.place
        );
    }

    /// Why it survived.
    pub(crate) fn check(
        &self,
        base: &Table,
        scanned: &Result<Scanned, String>,
    ) -> Result<(), String> {
        let Scanned { code, table } = scanned.as_ref().map_err(Clone::clone)?;
        let (wanted, wants): (i32, &[Want]) = match &self.expect {
            Expect::Red(wants) => (1, wants),
            Expect::Told(wants) => (0, wants),
            Expect::Same(_) => (0, &[]),
            Expect::Lock(_) | Expect::RedOrLock(_) => unreachable!("the twins have no lock file"),
        };
        let mut why = String::new();
        for want in wants {
            if let Err(missing) = want.check(table) {
                let _ = writeln!(why, "    {missing}");
            }
        }
        if *code != wanted {
            let _ = writeln!(why, "    exit {code} instead of {wanted}");
        }
        let means_the_same = matches!(self.expect, Expect::Same(_) | Expect::Told(_));
        if means_the_same && base.meaning() != table.meaning() {
            let _ = writeln!(why, "    the table is another one");
        }
        if matches!(self.expect, Expect::Same(_)) && base.rules() != table.rules() {
            let _ = writeln!(why, "    {:?} instead of {:?}", table.rules(), base.rules());
        }
        if why.is_empty() {
            return Ok(());
        }
        for finding in table.findings.iter().take(4) {
            let _ = writeln!(
                why,
                "    got {} {}: {}",
                finding.rule,
                finding.place(),
                finding.message
            );
        }
        Err(why)
    }
}

/// Killed, equivalent and all mutants of each operator.
#[derive(Default)]
pub(crate) struct Tally {
    rows: BTreeMap<&'static str, [usize; 3]>,
    reasons: BTreeMap<&'static str, BTreeSet<&'static str>>,
    survivors: String,
}

impl Tally {
    pub(crate) fn add(&mut self, mutant: &Mutant, result: Result<(), String>) {
        let row = self.rows.entry(mutant.operator).or_default();
        row[2] += 1;
        match (&mutant.expect, result) {
            (_, Err(why)) => {
                let _ = writeln!(
                    self.survivors,
                    "  {}: {}\n{}",
                    mutant.operator,
                    mutant.place,
                    why.trim_end()
                );
            }
            (Expect::Same(reason), Ok(())) => {
                row[1] += 1;
                self.reasons
                    .entry(mutant.operator)
                    .or_default()
                    .insert(reason);
            }
            (_, Ok(())) => row[0] += 1,
        }
    }

    /// Prints the figures; fails if one survived, or if an operator made fewer than this many.
    #[track_caller]
    pub(crate) fn finish(&self, least: impl Iterator<Item = (&'static str, usize)>) {
        let mut text = String::new();
        let mut sum = [0; 3];
        for (operator, row) in &self.rows {
            let _ = write!(
                text,
                "{operator:<34} {:>3} killed {:>3} equivalent of {:>3}",
                row[0], row[1], row[2]
            );
            for reason in self.reasons.get(operator).into_iter().flatten() {
                let _ = write!(text, "; {reason}");
            }
            text.push('\n');
            for (sum, n) in sum.iter_mut().zip(row) {
                *sum += n;
            }
        }
        let _ = writeln!(
            text,
            "{:<34} {:>3} killed {:>3} equivalent of {:>3}",
            "all", sum[0], sum[1], sum[2]
        );
        #[expect(clippy::print_stdout, reason = "the figures are the result")]
        {
            println!("{text}");
        }
        assert!(self.survivors.is_empty(), "survivors:\n{}", self.survivors);
        let least: BTreeMap<_, _> = least.collect();
        let operators: BTreeSet<_> = least.keys().chain(self.rows.keys()).collect();
        let few: Vec<String> = operators
            .into_iter()
            .filter_map(|operator| {
                let made = self.rows.get(operator).map_or(0, |row| row[2]);
                let least = least.get(operator).copied();
                let is_enough = least.is_some_and(|least| made >= least);
                (!is_enough).then(|| format!("{operator}: {made} instead of {least:?}"))
            })
            .collect();
        assert!(few.is_empty(), "too few mutants (`least.rs`): {few:#?}");
    }
}
