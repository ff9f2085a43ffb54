//! A table of the scan against the real router: requests for every path and method.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{Answer, Ask};
use super::program::{Program, Router, Step, Version};
use crate::scan::{Row, Table};

/// Verbs that programs register, one that rides on GET, and one that nobody registers.
pub(crate) const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "PROPFIND"];

/// Below a prefix: what hardly any route takes, the last one only a wildcard.
const TAILS: [&str; 4] = [
    "",
    "/",
    "/none",
    "/none/none/none/none/none/none/none/none/none",
];

/// What is known of a program from the side of its text.
pub(crate) struct Subject<'a> {
    pub(crate) file: String,
    pub(crate) version: Version,
    /// Line of the call that put this mark on.
    pub(crate) sites: &'a BTreeMap<String, usize>,
    /// Lines that may count as a handler's registration; none where that is left open.
    pub(crate) handlers: &'a BTreeMap<String, Vec<usize>>,
    pub(crate) reach: Reach,
}

/// Where requests are sent, with all nesting applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) paths: BTreeSet<String>,
    /// Prefixes of nested routers, the empty one for the top.
    pub(crate) prefixes: BTreeSet<String>,
    /// Those of them that are services: their 404 is no answer of the served router.
    pub(crate) services: BTreeSet<String>,
    /// Handlers that answer what no route does.
    pub(crate) fallbacks: BTreeSet<String>,
}

impl Reach {
    pub(crate) fn of(program: &Program, version: Version) -> Self {
        let mut reach = Self::default();
        reach.add(&program.router, "", version);
        reach
    }

    fn add(&mut self, router: &Router, prefix: &str, version: Version) {
        self.prefixes.insert(prefix.to_owned());
        for step in &router.steps {
            match step {
                Step::Route(path, _) => {
                    self.paths.insert(join(prefix, &version.path(path)));
                }
                Step::Nest(path, inner) => {
                    self.add(inner, &join(prefix, &version.path(path)), version);
                }
                Step::NestService(path, inner) => {
                    let prefix = join(prefix, &version.path(path));
                    self.services.insert(prefix.clone());
                    self.add(inner, &prefix, version);
                }
                Step::Merge(inner) => self.add(inner, prefix, version),
                Step::Fallback(handler) => {
                    self.fallbacks.insert(handler.name());
                }
                _ => {}
            }
        }
    }

    /// Every method of every path, and what is below each prefix.
    pub(crate) fn requests(&self, version: Version) -> Vec<(&'static str, String)> {
        let paths = self.paths.iter().map(|path| version.example(path));
        let below = self
            .prefixes
            .iter()
            .flat_map(|prefix| below(prefix, version).map(|(_, path)| path));
        let paths = paths.chain(below).filter(|path| path.starts_with('/'));
        paths
            .flat_map(|path| METHODS.map(|method| (method, path.clone())))
            .collect()
    }
}

/// Tails, and the paths below a prefix that have them: no route takes them, or hardly one.
fn below(prefix: &str, version: Version) -> [(&'static str, String); 4] {
    let at = version.example(prefix);
    let at = at.trim_end_matches('/');
    TAILS.map(|tail| match (at, tail) {
        ("", "") => (tail, "/none/".to_owned()),
        _ => (tail, format!("{at}{tail}")),
    })
}

/// How axum begins to say why it does not start.
const REFUSALS: &[&str] = &[
    "Adding a route_layer before any routes is a no-op.",
    "Cannot merge two `MethodRouter`s that both have a fallback",
    "Cannot merge two `Router`s that both have a fallback",
    "Invalid route ",
    "Nesting at the root is no longer supported.",
    "Overlapping method route.",
    "Path segments must not start with ",
    "Paths must start with a `/`",
    // What axum 0.8 makes of the same below a nest.
    "called `Result::unwrap()` on an `Err` value: \"Path segments must not start with ",
];

/// What the scan says wrong of a program that does not start, for this reason.
pub(crate) fn refused(table: &Table, panic: &str) -> Result<(), String> {
    if !REFUSALS.iter().any(|refusal| panic.starts_with(refusal)) {
        return Err(format!("a panic that is not axum's: {panic}"));
    }
    resolved(table)?;
    if table.findings.iter().any(|finding| finding.rule == "RG011") {
        return Ok(());
    }
    Err(format!("axum panics, the scan has no RG011: {panic}"))
}

/// A program holds nothing that cannot be known.
fn resolved(table: &Table) -> Result<(), String> {
    match table.findings.iter().find(|f| f.rule == "RG008") {
        Some(finding) => Err(format!("the scan says {finding:?}")),
        None => Ok(()),
    }
}

/// As axum joins them.
fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", _) => path.to_owned(),
        (_, "/") => prefix.to_owned(),
        _ => format!("{}{path}", prefix.trim_end_matches('/')),
    }
}

impl Subject<'_> {
    /// What the scan says wrong of a program that starts.
    pub(crate) fn compare(&self, table: &Table, ask: &Ask) -> Result<(), String> {
        resolved(table)?;
        if let Some(finding) = table.findings.iter().find(|f| f.rule == "RG011") {
            return Err(format!("it starts, but the scan says {finding:?}"));
        }
        let (fallbacks, routes): (Vec<&Row>, Vec<&Row>) = table
            .routes
            .iter()
            .partition(|row| row.path.starts_with("<fallback:"));
        let listed = routes.iter().map(|row| row.path.clone());
        let paths: BTreeSet<String> = listed.chain(self.reach.paths.iter().cloned()).collect();
        for path in paths {
            let rows: Vec<&Row> = routes
                .iter()
                .copied()
                .filter(|row| row.path == path)
                .collect();
            for method in METHODS {
                let answer = ask(method, &self.version.example(&path));
                self.route(table, &rows, method, &path, &answer)
                    .map_err(|wrong| format!("{method} {path}: {wrong}\naxum: {answer:?}"))?;
            }
        }
        self.fallbacks(table, &fallbacks, ask)
    }

    fn route(
        &self,
        table: &Table,
        rows: &[&Row],
        method: &str,
        path: &str,
        answer: &Answer,
    ) -> Result<(), String> {
        let find = |method: &str| {
            let mut found = rows.iter().filter(|row| row.method == method);
            match (found.next(), found.next()) {
                (Some(one), Some(two)) => Err(format!("two rows: {one:?}\n{two:?}")),
                (row, _) => Ok(row.copied()),
            }
        };
        let mut row = find(method)?;
        if row.is_none() && method == "HEAD" {
            row = find("GET")?;
        }
        if row.is_none() {
            row = find("ANY")?;
        }
        if let Some(row) = row {
            // A redirect has no handler of the program's.
            if answer.status == 308 {
                return self.covered(&answer.layers, &row.covered_by);
            }
            if answer.handler.as_deref() != Some(&row.handler) {
                return Err(format!("the scan has {row:?}"));
            }
            self.registered(row)?;
            return self.covered(&answer.layers, &row.covered_by);
        }
        let mut answers = table
            .answers
            .iter()
            .filter(|a| a.kind == "405" && a.path == path);
        if let Some(handler) = &answer.handler {
            // What the program answers instead of axum's own 405.
            if let Some(refusal) = answers.find(|a| a.handler.as_ref() == Some(handler)) {
                return self.covered(&answer.layers, &refusal.covered_by);
            }
            // Where the path has no route, a fallback may answer it; that is compared elsewhere.
            if rows.is_empty() && self.reach.fallbacks.contains(handler) {
                return Ok(());
            }
            return Err(format!(
                "`{handler}` answers, the scan has no row of it: {rows:?}"
            ));
        }
        if rows.is_empty() {
            return Ok(());
        }
        if answer.status != 405 {
            return Err("the scan has a path that answers neither a handler nor 405".to_owned());
        }
        match (answers.next(), answers.next()) {
            (Some(one), None) => self.covered(&answer.layers, &one.covered_by),
            (None, _) => Err("the scan has no 405 of this path".to_owned()),
            _ => Err("the scan has two 405s of this path".to_owned()),
        }
    }

    fn fallbacks(&self, table: &Table, rows: &[&Row], ask: &Ask) -> Result<(), String> {
        let mut answers: BTreeMap<&str, Vec<(&str, Answer)>> = BTreeMap::new();
        for prefix in &self.reach.prefixes {
            for (tail, path) in below(prefix, self.version) {
                let answer = ask("GET", &path);
                self.unrouted(table, prefix, &answer)
                    .map_err(|wrong| format!("GET {path}: {wrong}\naxum: {answer:?}"))?;
                let prefix = prefix.trim_end_matches('/');
                answers.entry(prefix).or_default().push((tail, answer));
            }
        }
        for row in rows {
            self.registered(row)?;
            let prefix = row.path.trim_start_matches("<fallback:");
            let prefix = prefix.trim_end_matches('>').trim_end_matches('/');
            let Some(answers) = answers.get(prefix) else {
                return Err(format!("nothing is nested where the scan has {row:?}"));
            };
            let reached = |a: &Answer| a.handler.as_ref() == Some(&row.handler);
            // Nothing reaches it where routes take every path: wildcards, a nested service.
            let hidden = |a: &Answer| match &a.handler {
                Some(handler) => !self.reach.fallbacks.contains(handler),
                None => a.status == 405,
            };
            // A nested fallback does not have the prefix with a slash, or only that.
            let mut inside = answers.iter().filter(|(tail, _)| tail.len() > 1);
            if !answers.iter().any(|(_, a)| reached(a)) && !inside.all(|(_, a)| hidden(a)) {
                return Err(format!("nothing reaches {row:?}\naxum: {answers:?}"));
            }
        }
        Ok(())
    }

    /// An answer to a path that is most likely nobody's.
    fn unrouted(&self, table: &Table, prefix: &str, answer: &Answer) -> Result<(), String> {
        if let Some(handler) = &answer.handler {
            let rows = table.routes.iter().filter(|row| row.handler == *handler);
            // One handler has several rows where it answers wrong methods of several paths.
            let mut wrong = format!("the scan has no row of `{handler}`");
            for row in rows {
                match self.covered(&answer.layers, &row.covered_by) {
                    Ok(()) => return Ok(()),
                    Err(other) => wrong = other,
                }
            }
            let refusals = table
                .answers
                .iter()
                .filter(|a| a.handler.as_ref() == Some(handler));
            for refusal in refusals {
                if self.covered(&answer.layers, &refusal.covered_by).is_ok() {
                    return Ok(());
                }
            }
            return Err(wrong);
        }
        let service = |service: &String| prefix.starts_with(service.as_str());
        if answer.status != 404 || self.reach.services.iter().any(service) {
            return Ok(());
        }
        let mut answers = table.answers.iter().filter(|a| a.kind == "404");
        match (answers.next(), answers.next()) {
            (Some(one), None) => self.covered(&answer.layers, &one.covered_by),
            (None, _) => Err("the scan has no 404".to_owned()),
            _ => Err("the scan has two 404s".to_owned()),
        }
    }

    fn registered(&self, row: &Row) -> Result<(), String> {
        match self.handlers.get(&row.handler) {
            None => Err(format!("nothing registers the handler of {row:?}")),
            Some(lines) if lines.is_empty() || lines.contains(&row.line) => Ok(()),
            Some(lines) => Err(format!("registered on {lines:?}, the scan has {row:?}")),
        }
    }

    fn covered(&self, marks: &[String], scanned: &[String]) -> Result<(), String> {
        let sites = marks.iter().map(|mark| self.sites[mark]);
        let sites: BTreeSet<String> = sites.map(|line| format!("{}:{line}", self.file)).collect();
        // Each site once; whether line 9 comes before line 10 is not axum's to say.
        let once: BTreeSet<String> = scanned.iter().cloned().collect();
        if sites == once && once.len() == scanned.len() {
            return Ok(());
        }
        Err(format!("covered by {sites:?}, the scan says {scanned:?}"))
    }
}
