//! A router as a value, and what each call on it does: axum's own rules, one function each.
//!
//! Nothing here reads source. `tests/it/oracle` holds every rule against axum itself.
//!
//! Long because every call on a router touches the same entries, fallbacks and stacks, and two
//! rules that lie apart would soon differ.

use std::collections::HashSet;
use std::rc::Rc;

use super::source::Site;

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axum {
    V07,
    V08,
}

impl Axum {
    /// The rules for a version or requirement such as `0.8.9` or `^0.7`.
    pub(crate) fn of(version: &str) -> Option<Self> {
        let version = version.trim_start_matches(['^', '=', '~', ' ']);
        let mut parts = version.split('.');
        match (parts.next(), parts.next()) {
            (Some("0"), Some("7")) => Some(Self::V07),
            (Some("0"), Some("8")) => Some(Self::V08),
            _ => None,
        }
    }
}

/// One layer as it is named: every path that stands for it, the function or type itself first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) names: Vec<String>,
    /// `option_layer`, `Either`, a branch.
    pub(crate) is_conditional: bool,
}

/// A call that put layers around something.
#[derive(Clone, Debug)]
pub(crate) struct LayerUse {
    pub(crate) site: Site,
    /// Outermost first.
    pub(crate) parts: Rc<[Part]>,
    /// Not on every way on which the route exists.
    pub(crate) is_conditional: bool,
}

/// Innermost first.
pub(crate) type Stack = Vec<LayerUse>;

/// What answers.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) handler: Rc<Handler>,
    pub(crate) stack: Stack,
    /// Layers that were there before it came, and so do not cover it.
    pub(crate) late: Vec<Late>,
}

impl Endpoint {
    pub(crate) fn new(handler: Handler) -> Self {
        Self {
            handler: Rc::new(handler),
            stack: Vec::new(),
            late: Vec::new(),
        }
    }

    fn comes_after(&mut self, layers: &[LayerUse], at: Site, how: How) {
        self.late.extend(layers.iter().map(|layer| Late {
            layer: layer.clone(),
            at,
            how,
        }));
    }
}

/// A layer that does not cover a route because the route came after it.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    pub(crate) layer: LayerUse,
    /// The call that came too late.
    pub(crate) at: Site,
    pub(crate) how: How,
}

/// Why a layer that stands there does not cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Registered, merged or nested after `.layer`.
    Registered,
    /// A method chained after a layer.
    Chained,
    /// `route_layer` does not reach `any` and fallbacks.
    RouteLayer,
}

/// The expression that was registered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handler {
    pub(crate) name: String,
    /// Resolved types of its arguments.
    pub(crate) extractors: Vec<String>,
    /// Live on a path that `routes!` gave it for another one's sake.
    pub(crate) is_phantom: bool,
    /// Given by a policy rather than by layers.
    pub(crate) access: Option<Access>,
}

/// The policy argument of a guarded registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
}

/// `get(a).post(b)`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods {
    pub(crate) verbs: Vec<(&'static str, Endpoint)>,
    /// `any(…)`, `.fallback(…)`: whatever no verb answers.
    pub(crate) other: Option<Endpoint>,
    /// `other` came from `method_not_allowed_fallback`: it answers 405.
    pub(crate) refuses: bool,
    /// Around the built-in 405.
    pub(crate) miss: Stack,
    /// Calls at which the program stops when it starts.
    pub(crate) panics: Vec<(Site, String)>,
    /// What was put on it so far.
    layers: Vec<LayerUse>,
}

#[derive(Clone, Debug)]
pub(crate) enum Served {
    Methods(Methods),
    /// A service: every method, nothing merges with it.
    Service(Endpoint),
}

impl Served {
    fn each(&mut self, mut change: impl FnMut(&mut Endpoint)) {
        match self {
            Self::Methods(methods) => {
                methods
                    .verbs
                    .iter_mut()
                    .for_each(|(_, endpoint)| change(endpoint));
                methods.other.iter_mut().for_each(change);
            }
            Self::Service(endpoint) => change(endpoint),
        }
    }
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: Text,
    pub(crate) site: Site,
    pub(crate) served: Served,
    /// Under which condition it is there.
    pub(crate) condition: Option<Rc<str>>,
    /// Inside a nested service, where nothing of the router around it reaches.
    pub(crate) is_inside: bool,
    /// Registered by something the scan cannot read.
    pub(crate) opaque: Option<Rc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Fallback {
    /// axum's own 404 with what is around it.
    Default(Stack),
    Custom(Endpoint, Site),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Axum,
    OpenApi,
    Guarded,
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
    /// Every layer call on this value, whether or not it covered anything: for explanations.
    pub(crate) layers: Vec<LayerUse>,
}

/// A string as far as the source tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// Unknown parts as `{expression}`.
    pub(crate) shown: String,
    pub(crate) is_known: bool,
}

impl Text {
    pub(crate) fn known(text: impl Into<String>) -> Self {
        Self {
            shown: text.into(),
            is_known: true,
        }
    }

    pub(crate) fn unknown(expression: &str) -> Self {
        Self {
            shown: format!("{{{expression}}}"),
            is_known: false,
        }
    }

    pub(crate) fn push(&mut self, other: &Self) {
        self.shown.push_str(&other.shown);
        self.is_known &= other.is_known;
    }
}

impl Methods {
    pub(crate) fn one(verb: &'static str, endpoint: Endpoint) -> Self {
        Self {
            verbs: vec![(verb, endpoint)],
            ..Self::default()
        }
    }

    pub(crate) fn all(verbs: &[&'static str], endpoint: &Endpoint) -> Self {
        Self {
            verbs: verbs.iter().map(|verb| (*verb, endpoint.clone())).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn any(endpoint: Endpoint) -> Self {
        Self {
            other: Some(endpoint),
            ..Self::default()
        }
    }

    pub(crate) fn layer(&mut self, layer: &LayerUse) {
        for (_, endpoint) in &mut self.verbs {
            endpoint.stack.push(layer.clone());
        }
        match &mut self.other {
            Some(endpoint) => endpoint.stack.push(layer.clone()),
            None => self.miss.push(layer.clone()),
        }
        self.layers.push(layer.clone());
    }

    /// Only the verbs that are there: neither the 405 nor `any`.
    pub(crate) fn route_layer(&mut self, layer: &LayerUse) -> Result<(), String> {
        if self.verbs.is_empty() {
            return Err("`route_layer` before any method".to_owned());
        }
        for (_, endpoint) in &mut self.verbs {
            endpoint.stack.push(layer.clone());
        }
        if let Some(endpoint) = &mut self.other {
            endpoint.comes_after(std::slice::from_ref(layer), layer.site, How::RouteLayer);
        }
        self.layers.push(layer.clone());
        Ok(())
    }

    /// Adds a method with the call that does so.
    pub(crate) fn chain(
        &mut self,
        verb: &'static str,
        mut endpoint: Endpoint,
        at: Site,
    ) -> Result<(), String> {
        endpoint.comes_after(&self.layers, at, How::Chained);
        self.on(verb, endpoint)
    }

    /// Sets what answers every other method.
    pub(crate) fn set_other(&mut self, mut endpoint: Endpoint, at: Site) {
        endpoint.comes_after(&self.layers, at, How::Chained);
        self.other = Some(endpoint);
        self.refuses = false;
    }

    fn on(&mut self, verb: &'static str, endpoint: Endpoint) -> Result<(), String> {
        if self.verbs.iter().any(|(other, _)| *other == verb) {
            return Err(format!("`{verb}` is handled twice"));
        }
        self.verbs.push((verb, endpoint));
        Ok(())
    }

    /// The 405 is then the other's.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), String> {
        self.panics.extend(other.panics);
        for (verb, endpoint) in other.verbs {
            self.on(verb, endpoint)?;
        }
        match (&self.other, other.other) {
            (Some(_), Some(_)) => return Err("both have a method fallback".to_owned()),
            (None, Some(theirs)) => {
                self.other = Some(theirs);
                self.refuses = other.refuses;
            }
            (Some(_), None) => {}
            (None, None) => self.miss = other.miss,
        }
        Ok(())
    }
}

impl Router {
    pub(crate) fn new(kind: Kind, axum: Axum) -> Self {
        Self {
            kind,
            axum,
            entries: Vec::new(),
            paths: HashSet::new(),
            fallback: Fallback::Default(Vec::new()),
            nested: Vec::new(),
            inside: Vec::new(),
            trees: Vec::new(),
            panics: Vec::new(),
            dropped: Vec::new(),
            is_open: false,
            is_service: false,
            resource: None,
            layers: Vec::new(),
        }
    }

    fn panic(&mut self, site: Site, why: String) {
        self.panics.push((site, why));
    }

    pub(crate) fn route(&mut self, path: Text, served: Served, site: Site) {
        if let Err(why) = check_path(&path, self.axum) {
            self.panic(site, why);
        }
        self.add(Entry {
            path,
            site,
            served,
            condition: None,
            is_inside: false,
            opaque: None,
        });
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
        if self.paths.insert(entry.path.shown.clone()) {
            self.entries.push(entry);
            return;
        }
        let there = self
            .entries
            .iter()
            .filter(|other| {
                other.path == entry.path
                    && other.path.is_known
                    && !other.is_inside
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
                    && !other.is_inside
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
        self.layers.push(layer.clone());
    }

    pub(crate) fn route_layer(&mut self, layer: &LayerUse) {
        if self.entries.is_empty() {
            self.panic(layer.site, "`route_layer` before any route".to_owned());
        }
        for entry in &mut self.entries {
            match &mut entry.served {
                Served::Methods(methods) => methods.layer(layer),
                Served::Service(endpoint) => endpoint.stack.push(layer.clone()),
            }
        }
        for (_, endpoint, _) in &mut self.inside {
            endpoint.stack.push(layer.clone());
        }
        let only = std::slice::from_ref(layer);
        for (_, endpoint, _) in &mut self.nested {
            endpoint.comes_after(only, layer.site, How::RouteLayer);
        }
        if let Fallback::Custom(endpoint, _) = &mut self.fallback {
            endpoint.comes_after(only, layer.site, How::RouteLayer);
        }
        self.layers.push(layer.clone());
    }

    pub(crate) fn merge(&mut self, other: Self, site: Site) {
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
        match (&self.fallback, other.fallback) {
            (Fallback::Default(ours), Fallback::Default(theirs)) => {
                if !ours.is_empty() {
                    self.dropped.push((site, ours.clone()));
                }
                self.fallback = Fallback::Default(theirs);
            }
            (Fallback::Default(_), Fallback::Custom(mut endpoint, at)) => {
                endpoint.comes_after(&self.layers, site, How::Registered);
                self.fallback = Fallback::Custom(endpoint, at);
            }
            (Fallback::Custom(..), Fallback::Default(_)) => {}
            (Fallback::Custom(..), Fallback::Custom(..)) => {
                self.panic(site, "both routers have a fallback".to_owned());
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
        if let Fallback::Custom(mut endpoint, at) = inner.fallback {
            for (below, mut endpoint, at) in inner.nested {
                endpoint.comes_after(&self.layers, site, How::Registered);
                self.nested.push((nested(prefix, &below), endpoint, at));
            }
            endpoint.comes_after(&self.layers, site, How::Registered);
            self.nested.push((prefix.clone(), endpoint, at));
        }
        self.panics.extend(inner.panics);
        self.dropped.extend(inner.dropped);
        self.is_open |= inner.is_open;
    }

    /// The inner router stays whole: its 404 is inside.
    pub(crate) fn nest_router_as_service(&mut self, prefix: &Text, inner: Self, site: Site) {
        if let Err(why) = check_prefix(prefix, self.axum) {
            self.panic(site, why);
        }
        self.panics.extend(inner.conflicts());
        self.panics.extend(inner.panics);
        self.is_open |= inner.is_open;
        for mut entry in inner.entries {
            entry.path = nested(prefix, &entry.path);
            entry.is_inside = true;
            entry
                .served
                .each(|endpoint| endpoint.comes_after(&self.layers, site, How::Registered));
            self.entries.push(entry);
        }
        let own = match inner.fallback {
            Fallback::Custom(endpoint, at) => Some((Text::known("/"), endpoint, at)),
            Fallback::Default(_) => None,
        };
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
        self.add(Entry {
            path: prefix,
            site,
            served: Served::Service(endpoint),
            condition: None,
            is_inside: false,
            opaque: None,
        });
    }

    pub(crate) fn set_fallback(&mut self, mut endpoint: Endpoint, site: Site) {
        endpoint.comes_after(&self.layers, site, How::Registered);
        self.fallback = Fallback::Custom(endpoint, site);
    }

    /// Nested fallbacks go with it.
    pub(crate) fn reset_fallback(&mut self) {
        self.fallback = Fallback::Default(Vec::new());
        self.nested.clear();
    }

    /// For the paths that are there and have no fallback of their own.
    pub(crate) fn method_not_allowed_fallback(&mut self, endpoint: &Endpoint) {
        let mut done: Vec<Text> = Vec::new();
        // Of several registrations of one path the last holds the 405.
        for entry in self.entries.iter_mut().rev() {
            if let Served::Methods(methods) = &mut entry.served {
                if entry.is_inside || done.contains(&entry.path) {
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

    /// Paths that cannot stand beside each other in one router: the program stops at the later one.
    /// axum asks `matchit`, and so does this.
    pub(crate) fn conflicts(&self) -> Vec<(Site, String)> {
        let mut found = Vec::new();
        if self.kind == Kind::Guarded {
            return found;
        }
        let is_tree = |entry: &Entry| {
            self.trees
                .iter()
                .any(|(path, at)| *path == entry.path && *at == entry.site)
        };
        let entries = self
            .entries
            .iter()
            .filter(|entry| {
                !entry.is_inside
                    && entry.condition.is_none()
                    && entry.opaque.is_none()
                    && !is_tree(entry)
            })
            .map(|entry| (entry.path.clone(), entry.site, true));
        let trees = self
            .trees
            .iter()
            .flat_map(|(prefix, site)| below(prefix, *site, true));
        insert(self.axum, entries.chain(trees), &mut found);
        let top = self
            .nested
            .first()
            .map(|(.., site)| below(&Text::known("/"), *site, false))
            .into_iter()
            .flatten();
        let fallbacks = self
            .nested
            .iter()
            .flat_map(|(prefix, _, site)| below(prefix, *site, false));
        insert(self.axum, top.chain(fallbacks), &mut found);
        found
    }

    /// Everything in it, wrapped as one service: `layer.layer(router)`.
    pub(crate) fn wrap(&mut self, layer: &LayerUse) {
        self.is_service = true;
        self.layer(layer);
    }

    /// Whether it serves nothing of the program's own.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.inside.is_empty()
            && self.nested.is_empty()
            && matches!(self.fallback, Fallback::Default(_))
    }
}

/// What a prefix takes: itself and all below.
fn below(prefix: &Text, site: Site, with_slash: bool) -> Vec<(Text, Site, bool)> {
    let base = prefix.shown.trim_end_matches('/');
    let text = |shown: String| {
        (
            Text {
                shown,
                is_known: prefix.is_known,
            },
            site,
            false,
        )
    };
    let mut all = vec![
        text(format!("{base}/{{*rest}}")),
        (prefix.clone(), site, false),
    ];
    if with_slash && !prefix.shown.ends_with('/') {
        all.push(text(format!("{base}/")));
    }
    all
}

/// Inserts each path once, as axum does.
fn insert(
    axum: Axum,
    paths: impl Iterator<Item = (Text, Site, bool)>,
    found: &mut Vec<(Site, String)>,
) {
    let mut tree = matchit::Router::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (path, site, shares) in paths {
        if !path.is_known || !path.shown.starts_with('/') {
            continue;
        }
        let pattern = match axum {
            Axum::V07 => braced(&path.shown),
            Axum::V08 => path.shown.clone(),
        };
        // Methods of one path unite; what takes a whole tree does not share it.
        if shares && seen.contains(&pattern) {
            continue;
        }
        if let Err(error) = tree.insert(pattern.clone(), ()) {
            found.push((site, format!("`{}`: {error}", path.shown)));
        }
        seen.insert(pattern);
    }
}

/// `/:id/*rest` of axum 0.7 as `/{id}/{*rest}`.
fn braced(path: &str) -> String {
    let part = |part: &str| {
        let name = |name: &str| name.replace(|letter: char| !letter.is_alphanumeric(), "_");
        let literal = |text: &str| text.replace('{', "{{").replace('}', "}}");
        // One that is braced already comes from a prefix.
        if part == "{*rest}" {
            return part.to_owned();
        }
        match part.split_once([':', '*']) {
            Some((before, after)) if part.contains('*') => {
                format!("{}{{*{}}}", literal(before), name(after))
            }
            Some((before, after)) => format!("{}{{{}}}", literal(before), name(after)),
            None => literal(part),
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// `/n` + `/` = `/n`, `/n/` + `/x` = `/n/x`.
pub(crate) fn nested(prefix: &Text, path: &Text) -> Text {
    let is_known = prefix.is_known && path.is_known;
    let shown = if prefix.shown.is_empty() {
        path.shown.clone()
    } else if prefix.shown.ends_with('/') {
        format!("{}{}", prefix.shown, path.shown.trim_start_matches('/'))
    } else if path.shown == "/" {
        prefix.shown.clone()
    } else {
        format!("{}{}", prefix.shown, path.shown)
    };
    Text { shown, is_known }
}

fn check_path(path: &Text, axum: Axum) -> Result<(), String> {
    if !path.is_known {
        return Ok(());
    }
    let text = &path.shown;
    if text.is_empty() {
        return Err("a path must begin with `/`".to_owned());
    }
    if !text.starts_with('/') {
        return Err(format!("path `{text}` must begin with `/`"));
    }
    if axum == Axum::V08 {
        for part in text.split('/') {
            if part.starts_with(':') || part.starts_with('*') {
                return Err(format!(
                    "`{part}` is written `{{{}}}` since axum 0.8",
                    part.trim_start_matches(':')
                ));
            }
        }
    }
    Ok(())
}

fn check_prefix(prefix: &Text, axum: Axum) -> Result<(), String> {
    if !prefix.is_known {
        return Ok(());
    }
    if prefix.shown.is_empty() || prefix.shown == "/" {
        return Ok(());
    }
    check_path(prefix, axum)?;
    if prefix.shown.contains("{*") || axum == Axum::V07 && prefix.shown.contains('*') {
        return Err(format!("nesting at the wildcard `{}`", prefix.shown));
    }
    Ok(())
}

/// Joins the values of two ways through the program: the union of their routes; what only one way
/// has is conditional.
pub(crate) fn join(ours: &Router, theirs: &Router, why: &Rc<str>) -> Router {
    let mut joined = ours.clone();
    let mut rest: Vec<&Entry> = theirs.entries.iter().collect();
    for entry in &mut joined.entries {
        match rest.iter().position(|other| {
            other.site == entry.site
                && other.path == entry.path
                && same_shape(&entry.served, &other.served)
        }) {
            Some(at) => {
                let other = rest.remove(at);
                join_served(&mut entry.served, &other.served);
                if entry.condition.is_none() {
                    entry.condition.clone_from(&other.condition);
                }
            }
            None => entry.condition = entry.condition.take().or_else(|| Some(Rc::clone(why))),
        }
    }
    for entry in rest {
        let mut entry = entry.clone();
        entry.condition = entry.condition.or_else(|| Some(Rc::clone(why)));
        joined.entries.push(entry);
    }
    joined.fallback = match (&ours.fallback, &theirs.fallback) {
        (Fallback::Default(a), Fallback::Default(b)) => Fallback::Default(join_stacks(a, b)),
        (Fallback::Custom(a, site), Fallback::Custom(b, other)) if site == other => {
            Fallback::Custom(
                Endpoint {
                    stack: join_stacks(&a.stack, &b.stack),
                    ..a.clone()
                },
                *site,
            )
        }
        (Fallback::Custom(a, site), _) | (_, Fallback::Custom(a, site)) => {
            Fallback::Custom(a.clone(), *site)
        }
    };
    for (path, endpoint, site) in &theirs.inside {
        match joined
            .inside
            .iter_mut()
            .find(|(other, _, at)| other == path && at == site)
        {
            Some((_, ours, _)) => ours.stack = join_stacks(&ours.stack, &endpoint.stack),
            None => joined.inside.push((path.clone(), endpoint.clone(), *site)),
        }
    }
    for (path, endpoint, site) in &theirs.nested {
        match joined
            .nested
            .iter_mut()
            .find(|(other, _, at)| other == path && at == site)
        {
            Some((_, ours, _)) => ours.stack = join_stacks(&ours.stack, &endpoint.stack),
            None => joined.nested.push((path.clone(), endpoint.clone(), *site)),
        }
    }
    joined.paths.extend(theirs.paths.iter().cloned());
    joined.is_open |= theirs.is_open;
    for panic in &theirs.panics {
        if !joined.panics.contains(panic) {
            joined.panics.push(panic.clone());
        }
    }
    for dropped in &theirs.dropped {
        if !joined.dropped.iter().any(|(site, _)| *site == dropped.0) {
            joined.dropped.push(dropped.clone());
        }
    }
    for layer in &theirs.layers {
        if !joined.layers.iter().any(|ours| ours.site == layer.site) {
            joined.layers.push(layer.clone());
        }
    }
    joined
}

fn same_shape(a: &Served, b: &Served) -> bool {
    match (a, b) {
        (Served::Methods(a), Served::Methods(b)) => {
            a.verbs.len() == b.verbs.len()
                && a.other.is_some() == b.other.is_some()
                && a.verbs.iter().zip(&b.verbs).all(|((a, _), (b, _))| a == b)
        }
        (Served::Service(_), Served::Service(_)) => true,
        _ => false,
    }
}

fn join_served(ours: &mut Served, theirs: &Served) {
    match (ours, theirs) {
        (Served::Methods(ours), Served::Methods(theirs)) => {
            for ((_, a), (_, b)) in ours.verbs.iter_mut().zip(&theirs.verbs) {
                a.stack = join_stacks(&a.stack, &b.stack);
            }
            if let (Some(a), Some(b)) = (&mut ours.other, &theirs.other) {
                a.stack = join_stacks(&a.stack, &b.stack);
            }
            ours.miss = join_stacks(&ours.miss, &theirs.miss);
        }
        (Served::Service(a), Served::Service(b)) => a.stack = join_stacks(&a.stack, &b.stack),
        _ => {}
    }
}

/// Both sides' layers in order. What only one side has is conditional, unless the other has the same
/// layer at a place of its own: then it is there on both ways.
pub(crate) fn join_stacks(a: &Stack, b: &Stack) -> Stack {
    let one_sided = |layer: &LayerUse, other: &Stack| {
        let same = |theirs: &LayerUse| {
            theirs.parts.len() == layer.parts.len()
                && theirs
                    .parts
                    .iter()
                    .zip(layer.parts.iter())
                    .all(|(a, b)| a.names == b.names)
        };
        LayerUse {
            is_conditional: layer.is_conditional
                || !other
                    .iter()
                    .any(|theirs| !theirs.is_conditional && same(theirs)),
            ..layer.clone()
        }
    };
    let mut joined: Stack = Vec::with_capacity(a.len());
    let mut rest = b.iter().peekable();
    for layer in a {
        if let Some(at) = rest.clone().position(|other| other.site == layer.site) {
            joined.extend(rest.by_ref().take(at).map(|other| one_sided(other, a)));
            let same = rest.next();
            let is_conditional =
                layer.is_conditional || same.is_some_and(|other| other.is_conditional);
            joined.push(LayerUse {
                is_conditional,
                ..layer.clone()
            });
        } else {
            joined.push(one_sided(layer, b));
        }
    }
    joined.extend(rest.map(|other| one_sided(other, a)));
    joined
}
