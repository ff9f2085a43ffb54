//! What lets callers in: guards and arguments, what the policy declares, and why a route is open.

use std::collections::BTreeSet;

use super::{Judge, texts};
use crate::policy::PublicRoute;
use crate::report::text::visible;
use crate::routes::mend::{self, Mend};
use crate::routes::router::{How, Late, LayerUse};
use crate::routes::scan::Row;
use crate::routes::source::Site;
use crate::routes::table::{Route, Verdict};

/// What lets callers into a route: any of these.
struct Demand<'a> {
    guards: Vec<&'a str>,
    extractors: Vec<&'a str>,
}

/// A demand that nothing holds.
struct Open<'a, 'r> {
    guards: Vec<&'a str>,
    /// A guard that is there only sometimes.
    conditional: Option<&'r LayerUse>,
}

impl<'a> Judge<'a> {
    /// What the rules of the policy demand of a route; where none is of it, the general guards.
    fn demands(&mut self, row: &Row) -> Vec<Demand<'a>> {
        let rules = self.policy.rule.iter().enumerate();
        let rules: Vec<_> = rules.filter(|(_, rule)| is_of(rule, row)).collect();
        self.rules_used.extend(rules.iter().map(|(n, _)| n));
        if rules.is_empty() {
            return vec![Demand {
                guards: texts(&self.policy.guards),
                extractors: texts(&self.policy.extractors),
            }];
        }
        rules
            .into_iter()
            .map(|(_, rule)| Demand {
                guards: texts(&rule.guards),
                extractors: texts(&rule.extractors),
            })
            .collect()
    }

    /// The entry of `routes.public` that is of a route.
    pub(super) fn public_entry(&self, row: &Row) -> Option<usize> {
        let mut entries = self.policy.public.iter();
        entries.position(|public| declares(public, row))
    }

    /// A route of a raw router: what its layers and arguments make of it, and what is declared.
    pub(super) fn layered(&mut self, row: &Row, what: &str, route: &mut Route) {
        let mut guards = BTreeSet::new();
        let mut open = None;
        for demand in self.demands(row) {
            let names = self.held(row, &demand, route);
            if names.is_empty() {
                open.get_or_insert_with(|| Open {
                    conditional: self.sometimes(row, &demand.guards),
                    guards: demand.guards,
                });
            }
            guards.extend(names);
        }
        let guards: Vec<&str> = guards.into_iter().collect();
        let public = self.public_entry(row);
        self.public_used.extend(public);
        match (public, open) {
            (Some(n), Some(_)) => {
                let reason = &self.policy.public[n].reason;
                let place = format!("`reason` in `{}`", self.policy.file);
                route.access = Some("public".to_owned());
                self.public(row.site, what, Some(reason), route, &place);
            }
            (None, Some(open)) => self.open(row, what, &open, route),
            (public, None) => {
                route.verdict = Verdict::Guarded;
                route.access = Some(guards.join(" + "));
                if public.is_some() {
                    let guards = guards.join("`, `");
                    let message = format!("{what} is declared public, and guarded by `{guards}`");
                    let file = &self.policy.file;
                    let help = format!("remove the entry from `routes.public` in `{file}`");
                    self.red(route, "RG009", row.site, message, help);
                }
            }
        }
        self.required_layers(row, what, route);
    }

    /// Every guard and argument that holds a demand on all ways on which the route exists.
    fn held(&mut self, row: &Row, demand: &Demand<'a>, route: &mut Route) -> BTreeSet<&'a str> {
        let mut held = BTreeSet::new();
        for layer in &row.stack {
            for part in layer.parts.iter() {
                let Some(name) = self.named(part, &demand.guards) else {
                    continue;
                };
                self.used.insert(name);
                if !layer.is_conditional && !part.is_conditional {
                    held.insert(name);
                    let place = self.place(layer.site);
                    route.why.push(format!("guarded by {name} at {place}"));
                }
            }
        }
        for name in &demand.extractors {
            if row.handler.extractors.iter().any(|ty| self.means(name, ty)) {
                self.used.insert(name);
                held.insert(name);
                route.why.push(format!("guarded by its argument {name}"));
            }
        }
        held
    }

    /// The layer with a guard that is not there on every way.
    fn sometimes<'r>(&self, row: &'r Row, guards: &[&str]) -> Option<&'r LayerUse> {
        row.stack
            .iter()
            .rev()
            .find(|layer| self.is_any(&layer.parts, guards))
    }

    /// Says why a route is open.
    fn open(&mut self, row: &Row, what: &str, open: &Open<'a, '_>, route: &mut Route) {
        let mut late = row.late.iter();
        let late = late.find(|late| self.is_any(&late.layer.parts, &open.guards));
        if let Some(layer) = open.conditional {
            let message = format!(
                "{what} is guarded at {} only sometimes",
                self.place(layer.site)
            );
            let help =
                "put the guard on in every branch, or declare the route public with a reason";
            self.red(route, "RG005", row.site, message, help);
        } else if let Some(late) = late {
            self.late(row, what, late, route);
        } else {
            self.bare(row, what, &open.guards, route);
        }
    }

    /// No guard is anywhere near.
    fn bare(&mut self, row: &Row, what: &str, guards: &[&str], route: &mut Route) {
        let rule = if row.is_fallback { "RG004" } else { "RG001" };
        let help = if guards.is_empty() {
            format!(
                "name the guards in `routes.guards` of `{}`, or the public routes in `routes.public`",
                self.policy.file
            )
        } else if row.is_fallback {
            "put the fallback on before the guard's `.layer(…)`, or declare it public with a reason"
                .to_owned()
        } else {
            "put a guard of the policy around it with `.route_layer(…)` after it is registered, or declare it public with a reason".to_owned()
        };
        self.red(route, rule, row.site, format!("{what} has no guard"), help);
    }

    /// There is a guard, and it does not reach the route.
    fn late(&mut self, row: &Row, what: &str, late: &Late, route: &mut Route) {
        let layer = self.place(late.layer.site);
        let at = self.place(late.at);
        // In front of the layer it would be covered no more than behind it.
        let is_beyond = (row.is_fallback || late.how == How::Chained && row.method == "ANY")
            && mend::is_called(self.sources, late.layer.site, "route_layer");
        let (rule, why, help) = match late.how {
            How::RouteLayer => (
                "RG004",
                format!("`route_layer` at {layer} reaches neither `any` nor fallbacks"),
                "use `.layer(…)` there, or name the methods instead of `any`",
            ),
            _ if is_beyond => (
                if row.is_fallback { "RG004" } else { "RG003" },
                format!(
                    "it is set at {at} after the `route_layer` at {layer}, which does not reach it anywhere"
                ),
                "set it before the guard, and put that on with `.layer(…)`",
            ),
            How::Chained => (
                "RG003",
                format!("its method is chained at {at} after the layer at {layer}"),
                "chain the method before the layer",
            ),
            How::Registered if row.is_fallback => (
                "RG004",
                format!("it is set at {at} after the layer at {layer}"),
                "set the fallback before the layer",
            ),
            How::Registered => (
                "RG002",
                format!("it is added at {at} after the layer at {layer}"),
                "add it before the layer: a layer covers only what is already there",
            ),
        };
        let message = format!("{what} has no guard: {why}");
        self.red(route, rule, row.site, message, help);
        self.attach(match late.how {
            How::RouteLayer => self.widened(late.layer.site),
            _ if is_beyond => None,
            _ => self.moved(late.layer.site, late.at),
        });
    }

    /// `layer` in place of `route_layer`, unless that guards what is declared public.
    fn widened(&self, layer: Site) -> Option<Mend> {
        let mut rows = self.found.rows.iter();
        let is_public = rows.any(|row| {
            row.late
                .iter()
                .any(|late| late.layer.site == layer && late.how == How::RouteLayer)
                && self.public_entry(row).is_some()
        });
        if is_public {
            return None;
        }
        mend::rename(self.sources, layer, "route_layer", "layer")
    }

    /// The late call in front of the layer, unless it brings what is declared public along.
    pub(super) fn moved(&self, layer: Site, late: Site) -> Option<Mend> {
        let guards: Vec<&str> = self.policy.all_guards().collect();
        let mut rows = self.found.rows.iter();
        let is_public = rows.any(|row| {
            row.late
                .iter()
                .any(|other| other.at == late && self.is_any(&other.layer.parts, &guards))
                && self.public_entry(row).is_some()
        });
        if is_public {
            return None;
        }
        mend::move_call(self.sources, layer, late)
    }
}

/// Whether an entry of `routes.public` is of a route.
pub(super) fn declares(public: &PublicRoute, row: &Row) -> bool {
    public.app.as_ref().is_none_or(|app| *app == row.app) && is_named(public, row)
}

/// Whether an entry of `routes.public` names a route, be it of another app.
pub(super) fn is_named(public: &PublicRoute, row: &Row) -> bool {
    public.method.eq_ignore_ascii_case(row.method)
        && (public.path == row.path.shown || public.path == visible(&row.path.shown))
}

/// Whether a rule is of a route.
pub(super) fn is_of(rule: &crate::policy::RouteRule, row: &Row) -> bool {
    rule.app.as_ref().is_none_or(|app| *app == row.app)
        && rule
            .path
            .as_ref()
            .is_none_or(|path| path.covers(&row.path.shown))
}
