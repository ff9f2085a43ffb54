//! What lets callers in: guards and arguments, what the policy declares, and why a route is open.

use super::{Judge, texts};
use crate::policy::RouteRule;
use crate::report::Finding;
use crate::routes::mend;
use crate::routes::router::{How, Late, LayerUse};
use crate::routes::scan::Row;
use crate::routes::table::{Route, Verdict};

/// What lets callers into a route, by the names of the policy.
struct Demand<'a> {
    guards: Vec<&'a str>,
    extractors: Vec<&'a str>,
}

/// What is wrong where nothing holds a demand.
struct Open<'a, 'r> {
    guards: Vec<&'a str>,
    /// A guard that is there only sometimes.
    conditional: Option<&'r LayerUse>,
}

impl<'a> Judge<'a> {
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

    fn demands(&self, row: &Row) -> Vec<Demand<'a>> {
        let mut demands: Vec<Demand<'a>> = self
            .rules(row)
            .into_iter()
            .map(|rule| Demand {
                guards: texts(&rule.guards),
                extractors: texts(&rule.extractors),
            })
            .collect();
        if demands.is_empty() {
            demands.push(Demand {
                guards: texts(&self.policy.guards),
                extractors: texts(&self.policy.extractors),
            });
        }
        demands
    }

    /// A route of a raw router: what its layers and arguments make of it, and what is declared.
    pub(super) fn layered(&mut self, row: &Row, what: &str, route: &mut Route) {
        let mut held = Vec::new();
        let mut open = None;
        for demand in self.demands(row) {
            match self.held(row, demand, route) {
                Ok(name) => held.push(name.to_owned()),
                Err(missing) => open = open.or(Some(missing)),
            }
        }
        held.dedup();
        let public = self.policy.public.iter().position(|public| {
            public.app.as_ref().is_none_or(|app| *app == row.app)
                && public.method.eq_ignore_ascii_case(row.method)
                && public.path == row.path.shown
        });
        self.public_used.extend(public);
        match (public, open) {
            (Some(n), Some(_)) => self.public(row, what, n, route),
            (None, Some(open)) => {
                let rule = self.open(row, what, &open);
                route.rule = Some(rule.to_owned());
            }
            (public, None) => {
                if public.is_some() {
                    let guards = held.join("`, `");
                    self.error(
                        "RG009",
                        row.site,
                        format!("{what} is declared public, and guarded by `{guards}`"),
                    )
                    .help =
                        Some("remove the entry from `routes.public` in `xtask.toml`".to_owned());
                    route.rule = Some("RG009".to_owned());
                }
                route.verdict = Verdict::Guarded;
                route.access = Some(held.join(" + "));
            }
        }
        self.required_layers(row, what, route);
    }

    /// The guard or argument that holds a demand on every way on which the route exists.
    fn held<'r>(
        &mut self,
        row: &'r Row,
        demand: Demand<'a>,
        route: &mut Route,
    ) -> Result<&'a str, Open<'a, 'r>> {
        let mut conditional = None;
        let mut by = None;
        for layer in &row.stack {
            for part in layer.parts.iter() {
                if let Some(name) = self.named(part, &demand.guards) {
                    self.used.insert(name);
                    if layer.is_conditional || part.is_conditional {
                        conditional = Some(layer);
                    } else {
                        by = Some(name);
                        let place = self.place(layer.site);
                        route.why.push(format!("guarded by {name} at {place}"));
                    }
                }
            }
        }
        if by.is_none() {
            by = demand
                .extractors
                .iter()
                .find(|name| row.handler.extractors.iter().any(|ty| self.means(name, ty)))
                .copied();
            if let Some(name) = by {
                self.used.insert(name);
                route.why.push(format!("guarded by its argument {name}"));
            }
        }
        by.ok_or(Open {
            guards: demand.guards,
            conditional,
        })
    }

    /// A route that the policy declares public, by its `n`th entry.
    fn public(&mut self, row: &Row, what: &str, n: usize, route: &mut Route) {
        let reason = self.policy.public[n].reason.clone();
        self.reason(row.site, what, &reason, route, "`reason` in `xtask.toml`");
        route.verdict = Verdict::Public;
        route.access = Some("public".to_owned());
        route.reason = Some(reason);
    }

    /// Says why a route is open; answers the rule.
    fn open(&mut self, row: &Row, what: &str, open: &Open<'a, '_>) -> &'static str {
        let guards = open.guards.as_slice();
        if let Some(layer) = open.conditional {
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
        match late {
            Some(late) => self.late(row, what, late),
            None => self.bare(row, what, guards),
        }
    }

    /// Nothing that guards is anywhere near.
    fn bare(&mut self, row: &Row, what: &str, guards: &[&'a str]) -> &'static str {
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
        rule
    }

    /// There is a guard, and it does not reach the route.
    fn late(&mut self, row: &Row, what: &str, late: &Late) -> &'static str {
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

    /// Declarations of the policy that match nothing any more.
    pub(super) fn stale(&mut self) {
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
