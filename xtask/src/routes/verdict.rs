//! The policy's verdict on each route, and the findings: rules RG001 to RG013.
//!
//! Long because the rules share one pass over the rows, and what one finds decides whether the next
//! one speaks.

use std::collections::BTreeSet;

use super::mend::{self, Mend};
use super::router::{How, Kind, LayerUse, Part, Stack};
use super::scan::{Row, Scan};
use super::source::{Site, Sources};
use super::table::{Answer, Counts, Layer, Route, Table, Verdict};
use crate::policy::{RouteRule, Routes};
use crate::report::text::visible;
use crate::report::{Finding, Severity};

/// Layers known to answer by themselves: what is inside of them is not reached then.
const ANSWERING: &[&str] = &[
    "tower_http::cors::CorsLayer",
    "tower_http::timeout::TimeoutLayer",
    "tower_http::catch_panic::CatchPanicLayer",
    "tower_http::limit::RequestBodyLimitLayer",
    "tower_http::validate_request::ValidateRequestHeaderLayer",
    "tower_http::auth::AsyncRequireAuthorizationLayer",
    "tower_http::auth::RequireAuthorizationLayer",
    "tower::load_shed::LoadShedLayer",
    "tower::ServiceBuilder::load_shed",
    "tower::ServiceBuilder::timeout",
];

struct Judge<'a> {
    sources: &'a Sources,
    policy: &'a Routes,
    found: &'a Scan,
    table: Table,
    /// Guards, headers and limits of the policy that stand somewhere.
    used: BTreeSet<&'a str>,
    public_used: BTreeSet<usize>,
}

/// Judges what was found.
pub(crate) fn judge<'a>(sources: &'a Sources, policy: &'a Routes, found: &'a Scan) -> Table {
    let mut judge = Judge {
        sources,
        policy,
        found,
        table: Table::default(),
        used: BTreeSet::new(),
        public_used: BTreeSet::new(),
    };
    for row in &found.rows {
        judge.row(row);
    }
    judge.answers(found);
    judge.rest(found);
    let mut table = judge.table;
    table.findings.sort_by(|a, b| {
        (&a.file, a.line, &a.rule, &a.message).cmp(&(&b.file, b.line, &b.rule, &b.message))
    });
    table.findings.dedup_by(|a, b| {
        (&a.file, a.line, &a.rule, &a.message) == (&b.file, b.line, &b.rule, &b.message)
    });
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

impl<'a> Judge<'a> {
    fn place(&self, site: Site) -> String {
        format!("{}:{}", self.sources.path(site.file), site.line)
    }

    fn places(&self, stack: &Stack) -> Vec<String> {
        let places: BTreeSet<(&str, u32)> = stack
            .iter()
            .map(|layer| (self.sources.path(layer.site.file), layer.site.line))
            .collect();
        places
            .into_iter()
            .map(|(file, line)| format!("{file}:{line}"))
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

    /// The first of `wanted` that a layer is known by.
    fn named<'n>(&self, part: &Part, wanted: &[&'n str]) -> Option<&'n str> {
        wanted
            .iter()
            .find(|name| part.names.iter().any(|known| self.means(name, known)))
            .copied()
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

    /// Rules that a route must meet besides the general one.
    fn rules(&self, row: &Row) -> Vec<&'a RouteRule> {
        self.policy
            .rule
            .iter()
            .filter(|rule| {
                rule.app.as_ref().is_none_or(|app| *app == row.app)
                    && rule
                        .path
                        .as_ref()
                        .is_none_or(|path| covers(path, &row.path.shown))
            })
            .collect()
    }

    fn row(&mut self, row: &Row) {
        let method = row.method;
        let path = &visible(&row.path.shown);
        let what = format!("`{method} {path}` of `{}`", row.app);
        let mut route = Route {
            app: row.app.clone(),
            method: method.to_owned(),
            path: path.clone(),
            file: self.sources.path(row.site.file).to_owned(),
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
            self.error(
                "RG008",
                row.site,
                format!("{what} cannot be evaluated: {why}"),
            )
            .help = Some(UNRESOLVED.to_owned());
            route.verdict = Verdict::Unresolved;
            route.rule = Some("RG008".to_owned());
        } else if !row.path.is_known {
            self.error(
                "RG008",
                row.site,
                format!("the path of {what} is not known"),
            )
            .help = Some(
                "write the path as a literal, a constant or `format!` of constants".to_owned(),
            );
            route.verdict = Verdict::Unresolved;
            route.rule = Some("RG008".to_owned());
        } else if let Some(access) = &row.handler.access {
            route.access = Some(access.text.clone());
            route.reason = access.reason.as_deref().map(visible);
            route.verdict = if access.text == "public" {
                Verdict::Public
            } else {
                Verdict::Guarded
            };
            route.why.push(format!("its policy: {}", access.text));
            if access
                .reason
                .as_ref()
                .is_some_and(|reason| reason.trim().is_empty())
            {
                route.rule = Some("RG009".to_owned());
                self.error(
                    "RG009",
                    row.site,
                    format!("{what} is public without a reason"),
                )
                .help = Some("say why anybody may call it: public(\"…\")".to_owned());
            }
        } else {
            self.layered(row, &what, &mut route);
        }
        if row.handler.is_phantom {
            route.rule.get_or_insert_with(|| "RG010".to_owned());
            let fix = mend::split_routes(self.sources, row.site);
            self.error(
                "RG010",
                row.site,
                format!("{what} is live only because `routes!` puts every method on every path it is given"),
            )
            .help = Some("give `routes!` the handlers of one path each".to_owned());
            self.attach(fix);
        }
        self.table.routes.push(route);
    }

    fn attach(&mut self, fix: Option<Mend>) {
        if let (Some(fix), Some(finding)) = (fix, self.table.findings.last_mut()) {
            finding.fix = Some(fix);
        }
    }

    /// A route of a raw router: what its layers and arguments make of it.
    fn layered(&mut self, row: &Row, what: &str, route: &mut Route) {
        let rules = self.rules(row);
        let mut demands: Vec<(Vec<&'a str>, Vec<&'a str>)> = rules
            .iter()
            .map(|rule| (texts(&rule.guards), texts(&rule.extractors)))
            .collect();
        if demands.is_empty() {
            demands.push((texts(&self.policy.guards), texts(&self.policy.extractors)));
        }
        let public = self.policy.public.iter().position(|public| {
            public.app.as_ref().is_none_or(|app| *app == row.app)
                && public.method.eq_ignore_ascii_case(row.method)
                && public.path == row.path.shown
        });
        let mut held: Vec<String> = Vec::new();
        let mut missing: Option<(Vec<&'a str>, Option<&LayerUse>)> = None;
        for (guards, extractors) in demands {
            let mut conditional = None;
            let mut by = None;
            for layer in &row.stack {
                for part in layer.parts.iter() {
                    if let Some(name) = self.named(part, &guards) {
                        self.used.insert(name);
                        if layer.is_conditional || part.is_conditional {
                            conditional = Some(layer);
                        } else {
                            by = Some(name);
                            route
                                .why
                                .push(format!("guarded by {name} at {}", self.place(layer.site)));
                        }
                    }
                }
            }
            if by.is_none()
                && let Some(name) = extractors
                    .iter()
                    .find(|name| row.handler.extractors.iter().any(|ty| self.means(name, ty)))
            {
                self.used.insert(name);
                by = Some(name);
                route.why.push(format!("guarded by its argument {name}"));
            }
            match by {
                Some(name) => held.push(name.to_owned()),
                None => missing = missing.or(Some((guards, conditional))),
            }
        }
        match (public, missing) {
            (Some(n), None) => {
                self.public_used.insert(n);
                self.error(
                    "RG009",
                    row.site,
                    format!(
                        "{what} is declared public, and guarded by `{}`",
                        held.join("`, `")
                    ),
                )
                .help = Some("remove the entry from `routes.public` in `xtask.toml`".to_owned());
                route.rule = Some("RG009".to_owned());
                route.verdict = Verdict::Guarded;
                route.access = Some(held.join(" + "));
            }
            (Some(n), Some(_)) => {
                self.public_used.insert(n);
                let reason = self.policy.public[n].reason.clone();
                if reason.trim().is_empty() {
                    route.rule = Some("RG009".to_owned());
                    self.error(
                        "RG009",
                        row.site,
                        format!("{what} is public without a reason"),
                    )
                    .help =
                        Some("say why anybody may call it: `reason` in `xtask.toml`".to_owned());
                }
                route.verdict = Verdict::Public;
                route.access = Some("public".to_owned());
                route.reason = Some(reason);
            }
            (None, None) => {
                route.verdict = Verdict::Guarded;
                held.dedup();
                route.access = Some(held.join(" + "));
            }
            (None, Some((guards, conditional))) => {
                let rule = self.unguarded(row, what, &guards, conditional);
                route.rule = Some(rule.to_owned());
            }
        }
        self.required_layers(row, what, route);
    }

    /// Says why a route is open; answers the rule.
    fn unguarded(
        &mut self,
        row: &Row,
        what: &str,
        guards: &[&'a str],
        conditional: Option<&LayerUse>,
    ) -> &'static str {
        if let Some(layer) = conditional {
            let place = self.place(layer.site);
            self.error(
                "RG005",
                row.site,
                format!("{what} is guarded at {place} only sometimes"),
            )
            .help = Some(
                "put the guard on in every branch, or declare the route public with a reason"
                    .to_owned(),
            );
            return "RG005";
        }
        let late = row.late.iter().find(|late| {
            late.layer
                .parts
                .iter()
                .any(|part| self.named(part, guards).is_some())
        });
        let Some(late) = late else {
            let (rule, help) = if row.is_fallback {
                (
                    "RG004",
                    "put the fallback on before the guard's `.layer(…)`, or declare it public with a reason",
                )
            } else {
                (
                    "RG001",
                    "put a guard of the policy around it with `.route_layer(…)` after it is registered, or declare it public with a reason",
                )
            };
            let help = if guards.is_empty() {
                "name the guards in `routes.guards` of `xtask.toml`, or the public routes in `routes.public`"
            } else {
                help
            };
            self.error(rule, row.site, format!("{what} has no guard"))
                .help = Some(help.to_owned());
            return rule;
        };
        let layer = self.place(late.layer.site);
        let at = self.place(late.at);
        let (rule, message, help) = match late.how {
            How::Chained => (
                "RG003",
                format!(
                    "{what} has no guard: its method is chained at {at} after the layer at {layer}"
                ),
                "chain the method before the layer",
            ),
            How::RouteLayer => (
                "RG004",
                format!(
                    "{what} has no guard: `route_layer` at {layer} reaches neither `any` nor fallbacks"
                ),
                "use `.layer(…)` there, or name the methods instead of `any`",
            ),
            How::Registered if row.is_fallback => (
                "RG004",
                format!("{what} has no guard: it is set at {at} after the layer at {layer}"),
                "set the fallback before the layer",
            ),
            How::Registered => (
                "RG002",
                format!("{what} has no guard: it is added at {at} after the layer at {layer}"),
                "add it before the layer: a layer covers only what is already there",
            ),
        };
        let fix = match late.how {
            How::RouteLayer => mend::rename(self.sources, late.layer.site, "layer"),
            _ => mend::move_layer(self.sources, late.layer.site, late.at),
        };
        self.error(rule, row.site, message).help = Some(help.to_owned());
        self.attach(fix);
        rule
    }

    /// Rate limit and headers, where the policy names any.
    fn required_layers(&mut self, row: &Row, what: &str, route: &mut Route) {
        let limits = texts(&self.policy.rate_limits);
        if !limits.is_empty() && !self.has(&row.stack, &limits) {
            route.rule.get_or_insert_with(|| "RG001".to_owned());
            self.error("RG001", row.site, format!("{what} has no rate limit"))
                .help = Some(format!("put `{}` around it", limits.join("` or `")));
        }
        if let Some((site, message)) = self.headers(&row.stack, row.site, what) {
            route.rule.get_or_insert_with(|| "RG006".to_owned());
            self.error("RG006", site, message).help = Some(
                "put the header layer on with `.layer(…)` as the last, outermost one".to_owned(),
            );
        }
    }

    fn has(&mut self, stack: &Stack, wanted: &[&'a str]) -> bool {
        let mut has = false;
        for layer in stack {
            for part in layer.parts.iter() {
                if let Some(name) = self.named(part, wanted) {
                    self.used.insert(name);
                    has |= !layer.is_conditional && !part.is_conditional;
                }
            }
        }
        has
    }

    /// What is wrong with the headers of an answer: none, or something that answers outside of them.
    fn headers(&mut self, stack: &Stack, site: Site, what: &str) -> Option<(Site, String)> {
        let wanted = texts(&self.policy.headers);
        if wanted.is_empty() {
            return None;
        }
        if !self.has(stack, &wanted) {
            return Some((site, format!("answers of {what} lack the required headers")));
        }
        let mut answering = texts(&self.policy.guards);
        answering.extend(texts(&self.policy.rate_limits));
        answering.extend(self.policy.rule.iter().flat_map(|rule| texts(&rule.guards)));
        // Outermost first: what answers before the header layer is met answers without headers.
        for layer in stack.iter().rev() {
            for part in layer.parts.iter() {
                if self.named(part, &wanted).is_some()
                    && !layer.is_conditional
                    && !part.is_conditional
                {
                    return None;
                }
                let known = self
                    .named(part, &answering)
                    .or_else(|| self.named(part, ANSWERING));
                if let Some(name) = known {
                    let place = self.place(layer.site);
                    return Some((
                        layer.site,
                        format!(
                            "`{name}` at {place} answers outside of the header layer, so its answers lack the required headers"
                        ),
                    ));
                }
            }
        }
        None
    }

    fn answers(&mut self, found: &Scan) {
        for answer in &found.answers {
            let root = self.place(answer.root);
            self.table.answers.push(Answer {
                app: answer.app.clone(),
                root: root.clone(),
                kind: answer.kind.to_owned(),
                path: visible(&answer.path),
                covered_by: self.places(&answer.stack),
                handler: answer.handler.as_ref().map(|handler| handler.name.clone()),
            });
            if answer.kind_of_router == Kind::Guarded {
                continue;
            }
            let what = match answer.kind {
                "404" => format!("unknown paths of `{}`", answer.app),
                _ => format!("unknown methods of `{}` of `{}`", answer.path, answer.app),
            };
            if let Some((site, message)) = self.headers(&answer.stack, answer.site, &what) {
                self.error("RG006", site, message).help = Some(
                    "put the header layer on with `.layer(…)` as the last, outermost one"
                        .to_owned(),
                );
            }
            if answer.kind == "404" {
                let guards = texts(&self.policy.guards);
                let guard = answer.stack.iter().find(|layer| {
                    layer
                        .parts
                        .iter()
                        .any(|part| self.named(part, &guards).is_some())
                });
                if let Some(layer) = guard {
                    let site = layer.site;
                    let fix = mend::rename(self.sources, site, "route_layer");
                    self.find(
                        "RG013",
                        Severity::Warning,
                        site,
                        format!("the guard stands before the 404 of `{}` as well: an unknown path answers like a forbidden one", answer.app),
                    )
                    .help = Some("guards belong in `.route_layer(…)`".to_owned());
                    self.attach(fix);
                }
            }
        }
    }

    /// What no single route shows.
    fn rest(&mut self, found: &Scan) {
        for unresolved in &found.unresolved {
            self.error("RG008", unresolved.site, unresolved.what.clone())
                .help = Some(UNRESOLVED.to_owned());
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
                Finding::error("RG008", format!("`{path}` {why}"))
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
        let wanted = texts(&self.policy.headers);
        for (site, stack) in &found.dropped {
            if self.has(stack, &wanted) {
                self.error(
                    "RG007",
                    *site,
                    "this merge replaces the layered 404: unknown paths lose the required headers"
                        .to_owned(),
                )
                .help = Some("merge before the header layer is put on".to_owned());
                let layer = stack.iter().rev().find(|layer| {
                    layer
                        .parts
                        .iter()
                        .any(|part| self.named(part, &wanted).is_some())
                });
                let fix = layer.and_then(|layer| mend::move_layer(self.sources, layer.site, *site));
                self.attach(fix);
            }
        }
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

    /// Declarations of the policy that match nothing any more.
    fn stale(&mut self) {
        let mut stale: Vec<String> = Vec::new();
        for (n, public) in self.policy.public.iter().enumerate() {
            if !self.public_used.contains(&n) {
                stale.push(format!(
                    "`routes.public` names `{} {}`, which is not there",
                    public.method, public.path
                ));
            }
        }
        let named = [
            &self.policy.guards,
            &self.policy.extractors,
            &self.policy.headers,
            &self.policy.rate_limits,
        ];
        let ruled = self
            .policy
            .rule
            .iter()
            .flat_map(|rule| [&rule.guards, &rule.extractors]);
        for name in named.into_iter().chain(ruled).flatten() {
            if !self.used.contains(name.as_str()) {
                stale.push(format!(
                    "`{name}` stands before no route: is its path right?"
                ));
            }
        }
        for message in stale {
            self.table.findings.push(
                Finding::error("RG009", message)
                    .file(crate::policy::FILE)
                    .help("names are full paths with the crate first, as `cargo xtask routes explain METHOD PATH` prints them"),
            );
        }
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
                    .map(|part| part.names.first().cloned().unwrap_or_default())
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

/// `/admin/**` covers `/admin` and all below.
fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("/**") {
        Some(prefix) => {
            let path = path
                .strip_prefix("<fallback:")
                .and_then(|inner| inner.strip_suffix('>'))
                .unwrap_or(path);
            path == prefix
                || path
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('/'))
        }
        None => pattern == path,
    }
}
