//! The rows of a served router.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Scan;
use crate::routes::router::{
    Endpoint, Entry, Fallback, Handler, Kind, Late, Router, Served, Stack, Text, join_stacks,
};
use crate::routes::source::Site;

/// One route as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) app: String,
    pub(crate) method: &'static str,
    pub(crate) path: Text,
    pub(crate) site: Site,
    pub(crate) handler: Rc<Handler>,
    pub(crate) stack: Stack,
    pub(crate) late: Vec<Late>,
    pub(crate) condition: Option<Rc<str>>,
    /// What kept it from being read.
    pub(crate) opaque: Option<Rc<str>>,
    pub(crate) is_fallback: bool,
}

/// An answer that axum gives by itself: 404 or 405.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) app: String,
    pub(crate) root: Site,
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) stack: Stack,
    /// The registration it belongs to.
    pub(crate) site: Site,
    pub(crate) kind_of_router: Kind,
    /// Where the program answers itself: `method_not_allowed_fallback`.
    pub(crate) handler: Option<Rc<Handler>>,
}

/// What answers the other methods of a path: the layers before it, where it was registered, and the
/// handler, if it is not axum's 405.
type Miss = (Stack, Site, Option<Rc<Handler>>);

/// The rows of a served router.
pub(super) fn flatten(router: &Router, app: &str, root: Site, found: &mut Scan) {
    let mut row = |method, path: &Text, site, endpoint: &Endpoint, entry: Option<&Entry>| {
        found.rows.push(Row {
            app: app.to_owned(),
            method,
            path: path.clone(),
            site,
            handler: Rc::clone(&endpoint.handler),
            stack: endpoint.stack.clone(),
            late: endpoint.late.clone(),
            condition: entry.and_then(|entry| entry.condition.clone()),
            opaque: entry.and_then(|entry| entry.opaque.clone()),
            is_fallback: entry.is_none(),
        });
    };
    let mut misses: BTreeMap<String, Option<Miss>> = BTreeMap::new();
    for entry in &router.entries {
        match &entry.served {
            Served::Methods(methods) => {
                for (verb, endpoint) in &methods.verbs {
                    row(verb, &entry.path, entry.site, endpoint, Some(entry));
                }
                if let Some(endpoint) = &methods.other
                    && methods.refuses
                {
                    misses.insert(
                        entry.path.shown.clone(),
                        Some((
                            endpoint.stack.clone(),
                            entry.site,
                            Some(Rc::clone(&endpoint.handler)),
                        )),
                    );
                } else if let Some(endpoint) = &methods.other {
                    row("ANY", &entry.path, entry.site, endpoint, Some(entry));
                    misses.insert(entry.path.shown.clone(), None);
                } else if entry.opaque.is_none() {
                    let miss = misses
                        .entry(entry.path.shown.clone())
                        .or_insert_with(|| Some((Vec::new(), entry.site, None)));
                    if let Some(miss @ (.., None)) = miss {
                        *miss = (methods.miss.clone(), entry.site, None);
                    }
                }
            }
            Served::Service(endpoint) => {
                row("ANY", &entry.path, entry.site, endpoint, Some(entry));
                misses.insert(entry.path.shown.clone(), None);
            }
        }
    }
    for (prefix, endpoint, site) in router.nested.iter().chain(&router.inside) {
        let path = Text {
            shown: format!("<fallback:{}>", prefix.shown),
            ..prefix.clone()
        };
        row("ANY", &path, *site, endpoint, None);
    }
    let answer = |kind, path: String, stack: &Stack, site, handler| Answer {
        app: app.to_owned(),
        root,
        kind,
        path,
        stack: stack.clone(),
        site,
        kind_of_router: router.kind,
        handler,
    };
    match &router.fallback {
        Fallback::Custom(..) => {
            for (endpoint, site) in router.fallbacks() {
                row("ANY", &Text::known("<fallback:/>"), site, endpoint, None);
            }
        }
        Fallback::Default(stack) => {
            found
                .answers
                .push(answer("404", "<fallback:/>".to_owned(), stack, root, None));
        }
    }
    for (path, miss) in misses {
        if let Some((stack, site, handler)) = miss {
            found
                .answers
                .push(answer("405", path, &stack, site, handler));
        }
    }
    for panic in router.panics.iter().cloned().chain(router.conflicts()) {
        if !found.panics.contains(&panic) {
            found.panics.push(panic);
        }
    }
    for dropped in &router.dropped {
        if !found.dropped.iter().any(|(site, _)| *site == dropped.0) {
            found.dropped.push(dropped.clone());
        }
    }
}

/// One row per app, method, path and registration: what several roots or ways serve is joined.
pub(super) fn merge_rows(found: &mut Scan) {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: BTreeMap<(String, &'static str, String, Site, String), usize> = BTreeMap::new();
    for row in std::mem::take(&mut found.rows) {
        let key = (
            row.app.clone(),
            row.method,
            row.path.shown.clone(),
            row.site,
            row.handler.name.clone(),
        );
        let same = places.get(&key);
        if let Some(at) = same.filter(|at| rows[**at].handler == row.handler) {
            let known = &mut rows[*at];
            known.stack = join_stacks(&known.stack, &row.stack);
            if row.condition.is_none() {
                known.condition = None;
            }
        } else {
            places.insert(key, rows.len());
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| {
        (&a.app, a.site, &a.path.shown, a.method).cmp(&(&b.app, b.site, &b.path.shown, b.method))
    });
    found.rows = rows;
}
