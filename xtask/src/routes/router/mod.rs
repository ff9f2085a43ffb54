//! A router as a value, and what each call on it does: axum's own rules, one function each.
//!
//! Nothing here reads source. `tests/it/oracle` holds every rule against axum itself.

mod join;
mod methods;
mod parts;
mod paths;

pub(crate) use join::{join, join_stacks};
pub(crate) use methods::{Methods, Served};
pub(crate) use parts::{
    Access, Axum, Endpoint, Entry, Fallback, Handler, How, Late, LayerUse, Part, Place, Stack, Text,
};
pub(crate) use paths::nested;

use std::collections::HashSet;
use std::rc::Rc;

use crate::routes::router::paths::{check_path, check_prefix};
use crate::routes::source::Site;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Axum,
    OpenApi,
    Guarded,
    /// tonic's `Routes`.
    Grpc,
}

/// A router's value at one point of the program.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    pub(crate) kind: Kind,
    pub(crate) axum: Axum,
    pub(crate) entries: Vec<Entry>,
    /// The paths of the entries, to see at once whether one is there already.
    paths: HashSet<String>,
    pub(crate) fallback: Fallback,
    /// Fallbacks that stand in its place on other ways.
    pub(crate) other_fallbacks: Vec<(Endpoint, Site)>,
    /// Custom fallbacks of nested routers, by prefix.
    pub(crate) nested: Vec<(Text, Endpoint, Site)>,
    /// Fallbacks of routers nested as services: part of what stands at their prefix.
    pub(crate) inside: Vec<(Text, Endpoint, Site)>,
    /// Prefixes of nested services.
    trees: Vec<(Text, Site)>,
    /// Calls at which the program stops when it starts.
    pub(crate) panics: Vec<(Site, String)>,
    /// A merge that replaced a layered 404: where, and what was dropped.
    pub(crate) dropped: Vec<(Site, Stack)>,
    /// Wrapped as a service: no longer of axum's own type.
    pub(crate) is_service: bool,
    /// axum-extra's `Resource`: the name its paths are made of.
    pub(crate) resource: Option<Rc<str>>,
    /// Something of it came in from outside the function that was read.
    pub(crate) is_open: bool,
    /// Calls that cannot be followed and on other ways give this router, or a part of it.
    pub(crate) unknown: Vec<Site>,
    /// Every layer call on this value, whether or not it covered anything: for explanations.
    pub(crate) layers: Vec<LayerUse>,
}

impl Router {
    pub(crate) fn new(kind: Kind, axum: Axum) -> Self {
        Self {
            kind,
            axum,
            entries: Vec::new(),
            paths: HashSet::new(),
            fallback: Fallback::Default(Vec::new()),
            other_fallbacks: Vec::new(),
            nested: Vec::new(),
            inside: Vec::new(),
            trees: Vec::new(),
            panics: Vec::new(),
            dropped: Vec::new(),
            is_open: false,
            unknown: Vec::new(),
            is_service: false,
            resource: None,
            layers: Vec::new(),
        }
    }

    /// The fallbacks of its own.
    pub(crate) fn fallbacks(&self) -> impl Iterator<Item = (&Endpoint, Site)> {
        let first = match &self.fallback {
            Fallback::Custom(endpoint, site) => Some((endpoint, *site)),
            Fallback::Default(_) => None,
        };
        let others = self.other_fallbacks.iter();
        first
            .into_iter()
            .chain(others.map(|(endpoint, site)| (endpoint, *site)))
    }

    fn panic(&mut self, site: Site, why: String) {
        self.panics.push((site, why));
    }

    pub(crate) fn route(&mut self, path: Text, served: Served, site: Site) {
        if let Err(why) = check_path(&path, self.axum) {
            self.panic(site, why);
        }
        self.add(Entry::new(path, site, served));
    }

    /// Puts an entry beside what is at its path already; what was layered before does not cover it.
    pub(crate) fn add(&mut self, entry: Entry) {
        let at = entry.site;
        self.add_at(entry, at);
    }

    fn add_at(&mut self, mut entry: Entry, at: Site) {
        entry
            .served
            .each(|endpoint| endpoint.comes_after(&self.layers, at, How::Registered));
        let site = entry.site;
        if entry.place != Place::Own || self.paths.insert(entry.path.shown.clone()) {
            self.entries.push(entry);
            return;
        }
        let there = self
            .entries
            .iter()
            .filter(|other| {
                other.path == entry.path
                    && other.path.is_known
                    && other.place == Place::Own
                    && entry.opaque.is_none()
                    && other.opaque.is_none()
            })
            .collect::<Vec<_>>();
        // Entries of exclusive branches do not meet.
        let clash = there.iter().any(|other| {
            other.condition.is_none()
                && entry.condition.is_none()
                && match (&other.served, &entry.served) {
                    (Served::Methods(ours), Served::Methods(theirs)) => {
                        ours.clone().merge(theirs.clone()).is_err()
                    }
                    _ => true,
                }
        });
        if clash {
            self.panic(site, format!("`{}` is registered twice", entry.path.shown));
        }
        // The 405 of a path is the last registration's.
        if let Served::Methods(theirs) = &entry.served {
            let miss = theirs.other.is_none().then(|| theirs.miss.clone());
            for other in &mut self.entries {
                if other.path == entry.path
                    && other.place == Place::Own
                    && let Served::Methods(ours) = &mut other.served
                    && let Some(miss) = &miss
                {
                    ours.miss.clone_from(miss);
                }
            }
        }
        self.entries.push(entry);
    }

    pub(crate) fn layer(&mut self, layer: &LayerUse) {
        for entry in &mut self.entries {
            match &mut entry.served {
                Served::Methods(methods) => methods.layer(layer),
                Served::Service(endpoint) => endpoint.stack.push(layer.clone()),
            }
        }
        for (_, endpoint, _) in self.nested.iter_mut().chain(&mut self.inside) {
            endpoint.stack.push(layer.clone());
        }
        match &mut self.fallback {
            Fallback::Default(stack) => stack.push(layer.clone()),
            Fallback::Custom(endpoint, _) => endpoint.stack.push(layer.clone()),
        }
        for (endpoint, _) in &mut self.other_fallbacks {
            endpoint.stack.push(layer.clone());
        }
        self.layers.push(layer.clone());
    }

    pub(crate) fn route_layer(&mut self, layer: &LayerUse) {
        if self
            .entries
            .iter()
            .all(|entry| entry.place == Place::Fallback)
        {
            self.panic(layer.site, "`route_layer` before any route".to_owned());
        }
        let only = std::slice::from_ref(layer);
        for entry in &mut self.entries {
            match &mut entry.served {
                served if entry.place == Place::Fallback => {
                    served.each(|endpoint| endpoint.comes_after(only, layer.site, How::RouteLayer));
                }
                Served::Methods(methods) => methods.layer(layer),
                Served::Service(endpoint) => endpoint.stack.push(layer.clone()),
            }
        }
        for (_, endpoint, _) in &mut self.inside {
            endpoint.stack.push(layer.clone());
        }
        for (_, endpoint, _) in &mut self.nested {
            endpoint.comes_after(only, layer.site, How::RouteLayer);
        }
        if let Fallback::Custom(endpoint, _) = &mut self.fallback {
            endpoint.comes_after(only, layer.site, How::RouteLayer);
        }
        for (endpoint, _) in &mut self.other_fallbacks {
            endpoint.comes_after(only, layer.site, How::RouteLayer);
        }
        self.layers.push(layer.clone());
    }

    /// Whether something of the program's own answers what no route does.
    fn has_fallback(&self) -> bool {
        let is_router = |entry: &Entry| entry.place == Place::Fallback;
        matches!(self.fallback, Fallback::Custom(..)) || self.entries.iter().any(is_router)
    }

    pub(crate) fn merge(&mut self, other: Self, site: Site) {
        let both = (self.has_fallback(), other.has_fallback());
        for entry in other.entries {
            self.add_at(entry, site);
        }
        for (prefix, mut endpoint, at) in other.nested {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.nested.push((prefix, endpoint, at));
        }
        for (prefix, mut endpoint, at) in other.inside {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.inside.push((prefix, endpoint, at));
        }
        self.trees.extend(other.trees);
        self.panics.extend(other.panics);
        self.dropped.extend(other.dropped);
        self.is_open |= other.is_open;
        self.unknown.extend(other.unknown);
        match both {
            (true, true) => self.panic(site, "both routers have a fallback".to_owned()),
            (true, false) => {}
            (false, _) => {
                if let (false, Fallback::Default(ours)) = (both.1, &self.fallback)
                    && !ours.is_empty()
                {
                    self.dropped.push((site, ours.clone()));
                }
                self.take_fallback(other.fallback, other.other_fallbacks, site);
            }
        }
    }

    pub(crate) fn nest(&mut self, prefix: &Text, inner: Self, site: Site) {
        let root = matches!(prefix.shown.as_str(), "" | "/");
        if self.kind != Kind::Guarded && self.axum != Axum::V07 && root && prefix.is_known {
            self.panic(site, format!("nesting at `{}`", prefix.shown));
        } else if let Err(why) = check_prefix(prefix, self.axum) {
            self.panic(site, why);
        }
        let has_fallback = inner.has_fallback();
        for mut entry in inner.entries {
            entry.path = nested(prefix, &entry.path);
            self.add_at(entry, site);
        }
        for (below, mut endpoint, at) in inner.inside {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.inside.push((nested(prefix, &below), endpoint, at));
        }
        self.trees.extend(
            inner
                .trees
                .into_iter()
                .map(|(path, at)| (nested(prefix, &path), at)),
        );
        // The built-in 404 is not nested, and takes the fallbacks of what is nested in it along.
        if has_fallback {
            for (below, mut endpoint, at) in inner.nested {
                endpoint.comes_after(&self.layers, site, How::Registered);
                self.nested.push((nested(prefix, &below), endpoint, at));
            }
        }
        if let Fallback::Custom(mut endpoint, at) = inner.fallback {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.nested.push((prefix.clone(), endpoint, at));
            let others = inner.other_fallbacks.into_iter();
            self.nested
                .extend(others.map(|(endpoint, at)| (prefix.clone(), endpoint, at)));
        }
        self.panics.extend(inner.panics);
        self.dropped.extend(inner.dropped);
        self.is_open |= inner.is_open;
        self.unknown.extend(inner.unknown);
    }

    /// The inner router stays whole: its 404 is inside.
    pub(crate) fn nest_router_as_service(&mut self, prefix: &Text, inner: Self, site: Site) {
        if let Err(why) = check_prefix(prefix, self.axum) {
            self.panic(site, why);
        }
        let own: Vec<_> = (inner.fallbacks())
            .map(|(endpoint, at)| (Text::known("/"), endpoint.clone(), at))
            .collect();
        self.panics.extend(inner.conflicts());
        self.panics.extend(inner.panics);
        self.is_open |= inner.is_open;
        self.unknown.extend(inner.unknown);
        for mut entry in inner.entries {
            entry.path = nested(prefix, &entry.path);
            entry.place = Place::Service;
            entry
                .served
                .each(|endpoint| endpoint.comes_after(&self.layers, site, How::Registered));
            self.entries.push(entry);
        }
        for (below, mut endpoint, at) in inner.nested.into_iter().chain(inner.inside).chain(own) {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.inside.push((nested(prefix, &below), endpoint, at));
        }
        self.trees.push((prefix.clone(), site));
    }

    pub(crate) fn nest_service(&mut self, prefix: Text, endpoint: Endpoint, site: Site) {
        self.trees.push((prefix.clone(), site));
        if let Err(why) = check_prefix(&prefix, self.axum) {
            self.panic(site, why);
        }
        self.add(Entry::new(prefix, site, Served::Service(endpoint)));
    }

    pub(crate) fn set_fallback(&mut self, endpoint: Endpoint, site: Site) {
        self.entries.retain(|entry| entry.place != Place::Fallback);
        self.take_fallback(Fallback::Custom(endpoint, site), Vec::new(), site);
    }

    /// A router as the fallback: its routes answer what this one does not.
    pub(crate) fn set_fallback_router(&mut self, other: Self, site: Site) {
        self.entries.retain(|entry| entry.place != Place::Fallback);
        self.panics.extend(other.conflicts());
        self.panics.extend(other.panics);
        self.dropped.extend(other.dropped);
        self.is_open |= other.is_open;
        self.unknown.extend(other.unknown);
        for mut entry in other.entries {
            entry.place = Place::Fallback;
            self.add_at(entry, site);
        }
        for (prefix, mut endpoint, at) in other.nested.into_iter().chain(other.inside) {
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.nested.push((prefix, endpoint, at));
        }
        self.take_fallback(other.fallback, other.other_fallbacks, site);
    }

    fn take_fallback(
        &mut self,
        mut fallback: Fallback,
        mut others: Vec<(Endpoint, Site)>,
        site: Site,
    ) {
        if let Fallback::Custom(endpoint, _) = &mut fallback {
            endpoint.comes_after(&self.layers, site, How::Registered);
        }
        for (endpoint, _) in &mut others {
            endpoint.comes_after(&self.layers, site, How::Registered);
        }
        self.fallback = fallback;
        self.other_fallbacks = others;
    }

    /// Nested fallbacks go with it.
    pub(crate) fn reset_fallback(&mut self) {
        self.fallback = Fallback::Default(Vec::new());
        self.other_fallbacks.clear();
        self.nested.clear();
        self.entries.retain(|entry| entry.place != Place::Fallback);
    }

    /// For the paths that are there and have no fallback of their own.
    pub(crate) fn method_not_allowed_fallback(&mut self, endpoint: &Endpoint) {
        let mut done: Vec<Text> = Vec::new();
        // Of several registrations of one path the last holds the 405.
        for entry in self.entries.iter_mut().rev() {
            if let Served::Methods(methods) = &mut entry.served {
                if entry.place != Place::Own || done.contains(&entry.path) {
                    continue;
                }
                done.push(entry.path.clone());
                if methods.other.is_none() {
                    methods.other = Some(endpoint.clone());
                    methods.refuses = true;
                }
            }
        }
    }

    /// The layers around whatever it answers.
    pub(crate) fn common(&self) -> Stack {
        let served = self.entries.iter().map(|entry| entry.served.common());
        let below = self.nested.iter().chain(&self.inside);
        let others = self.other_fallbacks.iter().map(|(endpoint, _)| endpoint);
        let others = below.map(|(_, endpoint, _)| endpoint).chain(others);
        let fallback = match &self.fallback {
            Fallback::Default(stack) => stack.clone(),
            Fallback::Custom(endpoint, _) => endpoint.stack.clone(),
        };
        served
            .chain(others.map(|endpoint| endpoint.stack.clone()))
            .fold(fallback, |common, stack| join_stacks(&common, &stack))
    }

    /// Everything in it, wrapped as one service: `layer.layer(router)`.
    pub(crate) fn wrap(&mut self, layer: &LayerUse) {
        self.is_service = true;
        self.layer(layer);
    }

    /// Whether all it serves are gRPC services.
    pub(crate) fn is_of_services(&self) -> bool {
        self.entries.iter().all(|entry| match &entry.served {
            Served::Service(_) => entry.path.shown.trim_end_matches('}').ends_with("*rest"),
            Served::Methods(_) => false,
        })
    }

    /// Whether it serves nothing of the program's own.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.inside.is_empty()
            && self.nested.is_empty()
            && matches!(self.fallback, Fallback::Default(_))
    }
}
