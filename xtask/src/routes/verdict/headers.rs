//! Required headers and rate limits: what every answer must have, axum's own ones included.

use super::{Judge, texts};
use crate::report::Severity;
use crate::report::text::visible;
use crate::routes::mend::{self, Mend};
use crate::routes::router::{Kind, LayerUse, Stack};
use crate::routes::scan::Row;
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

/// On how many ways a layer stands before an answer.
enum Standing {
    Always,
    Sometimes(Site),
    Never,
}

impl<'a> Judge<'a> {
    /// Rate limit and headers, where the policy names any.
    pub(super) fn required_layers(&mut self, row: &Row, what: &str, route: &mut Route) {
        let limits = texts(&self.policy.rate_limits);
        let lack = match self.standing(&row.stack, &limits) {
            _ if limits.is_empty() => None,
            Standing::Always => None,
            Standing::Sometimes(site) => Some(format!(
                "{what} has a rate limit only sometimes, at {}",
                self.place(site)
            )),
            Standing::Never => Some(format!("{what} has no rate limit")),
        };
        if let Some(message) = lack {
            let help = format!("put `{}` around it", limits.join("` or `"));
            self.red(route, "RG001", row.site, message, help);
        }
        if let Some((site, message)) = self.headers(&row.stack, row.site, what) {
            self.red(route, "RG006", site, message, HELP);
        }
    }

    fn standing(&mut self, stack: &Stack, wanted: &[&'a str]) -> Standing {
        let mut standing = Standing::Never;
        for layer in stack {
            for part in layer.parts.iter() {
                let Some(name) = self.named(part, wanted) else {
                    continue;
                };
                self.used.insert(name);
                if !layer.is_conditional && !part.is_conditional {
                    standing = Standing::Always;
                } else if matches!(standing, Standing::Never) {
                    standing = Standing::Sometimes(layer.site);
                }
            }
        }
        standing
    }

    /// What is wrong with the headers of an answer: none, or something that answers outside of them.
    fn headers(&mut self, stack: &Stack, site: Site, what: &str) -> Option<(Site, String)> {
        let wanted = texts(&self.policy.headers);
        if wanted.is_empty() {
            return None;
        }
        match self.standing(stack, &wanted) {
            Standing::Always => {}
            Standing::Sometimes(layer) => {
                let place = self.place(layer);
                let message = format!(
                    "answers of {what} have the required headers only sometimes, at {place}"
                );
                return Some((site, message));
            }
            Standing::Never => {
                return Some((site, format!("answers of {what} lack the required headers")));
            }
        }
        let mut answering: Vec<&str> = self.policy.all_guards().collect();
        answering.extend(texts(&self.policy.rate_limits));
        answering.extend(ANSWERING);
        // Outermost first: what answers before the header layer is met answers without headers.
        for layer in stack.iter().rev() {
            for part in layer.parts.iter() {
                if self.named(part, &wanted).is_some()
                    && !layer.is_conditional
                    && !part.is_conditional
                {
                    return None;
                }
                if let Some(name) = self.named(part, &answering) {
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

    /// axum's own 404 and 405.
    pub(super) fn answers(&mut self) {
        let guards = texts(&self.policy.guards);
        for answer in &self.found.answers {
            let app = visible(&answer.app);
            let path = visible(&answer.path);
            let handler = answer.handler.as_ref();
            self.table.answers.push(Answer {
                app: app.clone(),
                root: self.place(answer.root),
                kind: answer.kind.to_owned(),
                path: path.clone(),
                covered_by: self.places(&answer.stack),
                handler: handler.map(|handler| visible(&handler.name)),
            });
            if answer.kind_of_router == Kind::Guarded {
                continue;
            }
            let what = match answer.kind {
                "404" => format!("unknown paths of `{app}`"),
                _ => format!("unknown methods of `{path}` of `{app}`"),
            };
            if let Some((site, message)) = self.headers(&answer.stack, answer.site, &what) {
                self.error("RG006", site, message).help = Some(HELP.to_owned());
            }
            let mut stack = answer.stack.iter();
            if answer.kind == "404"
                && let Some(layer) = stack.find(|layer| self.is_any(&layer.parts, &guards))
            {
                self.find(
                    "RG013",
                    Severity::Warning,
                    layer.site,
                    format!("the guard stands before the 404 of `{app}` as well: an unknown path answers like a forbidden one"),
                )
                .help = Some("guards belong in `.route_layer(…)`".to_owned());
                self.attach(self.narrowed(layer));
            }
        }
    }

    /// `route_layer` in place of `layer`, where nothing but routes loses what it puts on, and
    /// nothing but the guard.
    fn narrowed(&self, layer: &LayerUse) -> Option<Mend> {
        let covered = |row: &&Row| row.stack.iter().any(|other| other.site == layer.site);
        let mut rows = self.found.rows.iter().filter(covered).peekable();
        // `route_layer` before any route stops the program.
        rows.peek()?;
        if layer.parts.len() != 1 || rows.any(|row| row.is_fallback) {
            return None;
        }
        mend::rename(self.sources, layer.site, "layer", "route_layer")
    }

    /// Merges that took the headers off unknown paths.
    pub(super) fn dropped(&mut self) {
        let wanted = texts(&self.policy.headers);
        for (site, stack) in &self.found.dropped {
            if !matches!(self.standing(stack, &wanted), Standing::Always) {
                continue;
            }
            self.error(
                "RG007",
                *site,
                "this merge replaces the layered 404: unknown paths lose the required headers"
                    .to_owned(),
            )
            .help = Some("merge before the header layer is put on".to_owned());
            let mut layers = stack.iter().rev();
            let layer = layers.find(|layer| self.is_any(&layer.parts, &wanted));
            let fix = layer.and_then(|layer| self.moved(layer.site, *site));
            self.attach(fix);
        }
    }
}
