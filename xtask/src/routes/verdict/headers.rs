//! Required headers and rate limits: what every answer must have, axum's own ones included.

use super::{Judge, texts};
use crate::report::Severity;
use crate::report::text::visible;
use crate::routes::mend;
use crate::routes::router::{Kind, Stack};
use crate::routes::scan::{Row, Scan};
use crate::routes::source::Site;
use crate::routes::table::{Answer, Route};

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

const HELP: &str = "put the header layer on with `.layer(…)` as the last, outermost one";

impl<'a> Judge<'a> {
    /// Rate limit and headers, where the policy names any.
    pub(super) fn required_layers(&mut self, row: &Row, what: &str, route: &mut Route) {
        let limits = texts(&self.policy.rate_limits);
        if !limits.is_empty() && !self.has(&row.stack, &limits) {
            route.rule.get_or_insert_with(|| "RG001".to_owned());
            self.error("RG001", row.site, format!("{what} has no rate limit"))
                .help = Some(format!("put `{}` around it", limits.join("` or `")));
        }
        if let Some((site, message)) = self.headers(&row.stack, row.site, what) {
            route.rule.get_or_insert_with(|| "RG006".to_owned());
            self.error("RG006", site, message).help = Some(HELP.to_owned());
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

    pub(super) fn answers(&mut self, found: &Scan) {
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
                self.error("RG006", site, message).help = Some(HELP.to_owned());
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

    /// Merges that took the headers off unknown paths.
    pub(super) fn dropped(&mut self, found: &Scan) {
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
    }
}
