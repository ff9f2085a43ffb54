//! The policy's verdict on each route, and the findings: rules RG001 to RG013.

mod access;
mod headers;
mod stale;

use std::collections::BTreeSet;

use super::mend::{self, Mend};
use super::router::{Access, Part, Stack};
use super::scan::{Row, Scan};
use super::source::{Site, Sources};
use super::table::{Counts, Layer, Route, Table, Verdict};
use crate::policy::Routes;
use crate::report::text::visible;
use crate::report::{Finding, Severity};

struct Judge<'a> {
    sources: &'a Sources,
    policy: &'a Routes,
    found: &'a Scan,
    table: Table,
    /// Names of the policy that stand somewhere.
    used: BTreeSet<&'a str>,
    /// Entries of `routes.public` and `routes.rule` that are of a route.
    public_used: BTreeSet<usize>,
    rules_used: BTreeSet<usize>,
}

/// Judges what was found.
pub(crate) fn judge(sources: &Sources, policy: &Routes, found: &Scan) -> Table {
    let mut judge = Judge {
        sources,
        policy,
        found,
        table: Table::default(),
        used: BTreeSet::new(),
        public_used: BTreeSet::new(),
        rules_used: BTreeSet::new(),
    };
    for row in &found.rows {
        judge.row(row);
    }
    judge.answers();
    judge.rest();
    let mut table = judge.table;
    table.findings.sort_by(|a, b| {
        (&a.file, a.line, &a.rule, &a.message).cmp(&(&b.file, b.line, &b.rule, &b.message))
    });
    table.findings.dedup_by(|a, b| {
        (&a.file, a.line, &a.rule, &a.message) == (&b.file, b.line, &b.rule, &b.message)
    });
    // One mend may be that of several findings; it is printed with the first.
    let mut mends = BTreeSet::new();
    for finding in &mut table.findings {
        finding.fix = finding.fix.take().filter(|fix| mends.insert(fix.clone()));
    }
    let unresolved: BTreeSet<(&Option<String>, Option<u32>)> = table
        .findings
        .iter()
        .filter(|finding| finding.rule == "RG008")
        .map(|finding| (&finding.file, finding.line))
        .collect();
    table.counts = Counts {
        seen: table.routes.len(),
        unresolved: unresolved.len(),
        unparsed: 0,
    };
    table.files = sources.len();
    table
}

impl Judge<'_> {
    fn place(&self, site: Site) -> String {
        format!("{}:{}", visible(self.sources.path(site.file)), site.line)
    }

    fn places(&self, stack: &Stack) -> Vec<String> {
        let places: BTreeSet<(&str, u32)> = stack
            .iter()
            .map(|layer| (self.sources.path(layer.site.file), layer.site.line))
            .collect();
        places
            .into_iter()
            .map(|(file, line)| format!("{}:{line}", visible(file)))
            .collect()
    }

    fn find(
        &mut self,
        rule: &str,
        severity: Severity,
        site: Site,
        message: String,
    ) -> &mut Finding {
        let finding = Finding {
            severity,
            ..Finding::error(rule, message)
        };
        let finding = finding
            .at(self.sources.path(site.file), site.line as usize)
            .column(site.column as usize);
        self.table.findings.push(finding);
        let last = self.table.findings.len() - 1;
        &mut self.table.findings[last]
    }

    fn error(&mut self, rule: &str, site: Site, message: String) -> &mut Finding {
        self.find(rule, Severity::Error, site, message)
    }

    /// An error that makes a route red; the first one names the rule.
    fn red(
        &mut self,
        route: &mut Route,
        rule: &str,
        site: Site,
        message: String,
        help: impl Into<String>,
    ) {
        route.rule.get_or_insert_with(|| rule.to_owned());
        route.why.push(format!("{rule}: {message}"));
        self.error(rule, site, message).help = Some(help.into());
    }

    fn attach(&mut self, fix: Option<Mend>) {
        if let (Some(fix), Some(finding)) = (fix, self.table.findings.last_mut()) {
            finding.fix = Some(fix);
        }
    }

    /// The first of `wanted` that a layer is known by.
    fn named<'n>(&self, part: &Part, wanted: &[&'n str]) -> Option<&'n str> {
        wanted
            .iter()
            .find(|name| part.names.iter().any(|known| self.means(name, known)))
            .copied()
    }

    fn is_any(&self, parts: &[Part], wanted: &[&str]) -> bool {
        parts.iter().any(|part| self.named(part, wanted).is_some())
    }

    /// Whether a name of the policy stands for that path, itself or through a re-export.
    fn means(&self, name: &str, path: &str) -> bool {
        name == path
            || self
                .found
                .canonical
                .get(name)
                .is_some_and(|own| own == path)
    }

    fn row(&mut self, row: &Row) {
        let method = row.method;
        let path = visible(&row.path.shown);
        let app = visible(&row.app);
        let what = format!("`{method} {path}` of `{app}`");
        let mut route = Route {
            app,
            method: method.to_owned(),
            path,
            file: visible(self.sources.path(row.site.file)),
            line: row.site.line,
            handler: visible(&row.handler.name),
            covered_by: self.places(&row.stack),
            access: None,
            reason: None,
            verdict: Verdict::Unguarded,
            rule: None,
            condition: row.condition.as_deref().map(visible),
            stack: self.explained(&row.stack),
            why: Vec::new(),
        };
        if let Some(why) = &row.opaque {
            route.verdict = Verdict::Unresolved;
            let message = format!("{what} cannot be evaluated: {why}");
            self.red(&mut route, "RG008", row.site, message, UNRESOLVED);
        } else if !row.path.is_known {
            route.verdict = Verdict::Unresolved;
            let message = format!("the path of {what} is not known");
            let help = "write the path as a literal, a constant or `format!` of constants";
            self.red(&mut route, "RG008", row.site, message, help);
        } else if let Some(access) = &row.handler.access {
            self.declared(row, access, &what, &mut route);
        } else {
            self.layered(row, &what, &mut route);
        }
        if row.handler.is_phantom {
            let message = format!(
                "{what} is live only because `routes!` puts every method on every path it is given"
            );
            let help = "give `routes!` the handlers of one path each";
            self.red(&mut route, "RG010", row.site, message, help);
            self.attach(mend::split_routes(self.sources, row.site));
        }
        self.table.routes.push(route);
    }

    /// A route that carries its policy with it.
    fn declared(&mut self, row: &Row, access: &Access, what: &str, route: &mut Route) {
        route.access = Some(visible(&access.text));
        route.why.push(format!("its policy: {}", access.text));
        if access.text == "public" {
            let place = "public(\"…\")";
            self.public(row.site, what, access.reason.as_deref(), route, place);
        } else {
            route.verdict = Verdict::Guarded;
        }
    }

    /// A route for everybody, which says why it is one; `place` is where the reason belongs.
    fn public(
        &mut self,
        site: Site,
        what: &str,
        reason: Option<&str>,
        route: &mut Route,
        place: &str,
    ) {
        route.verdict = Verdict::Public;
        route.reason = reason.map(visible);
        match reason {
            Some(reason) if reason.trim().is_empty() => {
                let message = format!("{what} is public without a reason");
                let help = format!("say why anybody may call it: {place}");
                self.red(route, "RG009", site, message, help);
            }
            Some(reason) => route.why.push(format!("public: {}", visible(reason))),
            None => {}
        }
    }

    /// What no single route shows.
    fn rest(&mut self) {
        let found = self.found;
        for unresolved in &found.unresolved {
            let help = if unresolved.what.contains(" uses axum ") {
                "scan a workspace on axum 0.7 or 0.8, or wait for the rules of that version"
            } else {
                UNRESOLVED
            };
            self.error("RG008", unresolved.site, unresolved.what.clone())
                .help = Some(help.to_owned());
        }
        for (file, line, why) in self.sources.problems() {
            let path = visible(self.sources.path(file));
            self.table.findings.push(
                Finding::error("RG008", format!("`{path}` does not parse: {why}"))
                    .at(&path, line as usize)
                    .help("mend the syntax: what does not parse is not scanned"),
            );
        }
        for (path, why) in &found.manifests {
            self.table.findings.push(
                Finding::error("RG008", format!("`{}` {why}", visible(path)))
                    .at(path, 1)
                    .help("mend the manifest: what it leads to is not scanned"),
            );
        }
        for (site, why) in &found.panics {
            self.error(
                "RG011",
                *site,
                format!("the program stops here when it starts: {why}"),
            )
            .help = Some("register each method of a path once, and layers after routes".to_owned());
        }
        for site in &found.orphans {
            self.error(
                "RG011",
                *site,
                "nothing serves this registration".to_owned(),
            )
            .help = Some("mount it in a router that is served, or remove it".to_owned());
        }
        self.dropped();
        for (guard, site) in &found.passing {
            self.find(
                "RG012",
                Severity::Warning,
                *site,
                format!("the guard `{guard}` lets the request through here without having turned any away"),
            )
            .help = Some("answer 401 or 403 on every way on which nobody is signed in".to_owned());
        }
        self.stale();
    }

    fn explained(&self, stack: &Stack) -> Vec<Layer> {
        stack
            .iter()
            .rev()
            .map(|layer| Layer {
                place: self.place(layer.site),
                names: layer
                    .parts
                    .iter()
                    .map(|part| visible(part.names.first().map_or("", String::as_str)))
                    .collect(),
                is_conditional: layer.is_conditional
                    || layer.parts.iter().any(|part| part.is_conditional),
            })
            .collect()
    }
}

const UNRESOLVED: &str = "write it so that it can be read: a function of the workspace that takes or returns the router, literal paths";

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
