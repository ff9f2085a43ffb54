//! Router programs as data: what is registered, layered, nested and merged, in which order, and
//! in which shape the text of it is written.

/// The axum that a program is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V07,
    V08,
}

impl Version {
    /// As it stands in a lockfile.
    pub(crate) fn number(self) -> &'static str {
        match self {
            Self::V07 => "0.7.9",
            Self::V08 => "0.8.9",
        }
    }

    /// A path in this version's syntax. Programs hold the one of 0.8; the swap goes both ways, so
    /// that a path in foreign syntax stays foreign.
    pub(crate) fn path(self, path: &str) -> String {
        if self == Self::V08 {
            return path.to_owned();
        }
        let swapped = path.split('/').map(|segment| {
            if let Some(name) = segment.strip_prefix(':') {
                format!("{{{name}}}")
            } else if let Some(name) = segment.strip_prefix("{*") {
                format!("*{}", name.trim_end_matches('}'))
            } else if let Some(name) = segment.strip_prefix('{') {
                format!(":{}", name.trim_end_matches('}'))
            } else {
                segment.to_owned()
            }
        });
        swapped.collect::<Vec<_>>().join("/")
    }

    /// A path that a request for this pattern may have.
    pub(crate) fn example(self, pattern: &str) -> String {
        let filled = pattern.split('/').map(|segment| {
            let (many, one) = match self {
                Self::V07 => (segment.starts_with('*'), segment.starts_with(':')),
                Self::V08 => (segment.starts_with("{*"), segment.starts_with('{')),
            };
            match (many, one) {
                // Deeper than any pattern without a wildcard, so that nothing else takes it.
                (true, _) => "zz/zz/zz/zz/zz/zz/zz/zz/zz/zz/zz",
                (_, true) => "zz",
                _ => segment,
            }
        });
        filled.collect::<Vec<_>>().join("/")
    }
}

/// A router that is served, perhaps inside a layer: `layer.layer(router)`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) router: Router,
    pub(crate) wrap: Option<Layer>,
}

#[derive(Clone, Debug)]
pub(crate) struct Router {
    pub(crate) id: u16,
    pub(crate) steps: Vec<Step>,
    pub(crate) shape: Shape,
    pub(crate) place: Place,
    /// How many of the last steps stand in a function that takes the router and returns it.
    pub(crate) dressed: usize,
}

/// How the steps of a router are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `Router::new().route(..).layer(..)`
    Chain,
    /// `let router = router.route(..);`
    Shadow,
    /// `router = router.route(..);`
    Reassign,
}

/// Where a router stands that goes into another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the argument; always as a chain.
    Inline,
    /// In a variable of the same function.
    Binding,
    /// In a function of its own.
    Function,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Route(&'static str, Verbs),
    Nest(&'static str, Router),
    NestService(&'static str, Router),
    Merge(Router),
    Layer(Layer),
    RouteLayer(Layer),
    Fallback(Handler),
    MethodNotAllowedFallback(Handler),
    /// Only axum 0.8 has it.
    ResetFallback,
    WithState,
}

/// A `MethodRouter`.
#[derive(Clone, Debug)]
pub(crate) struct Verbs {
    pub(crate) first: First,
    pub(crate) then: Vec<Then>,
}

#[derive(Clone, Debug)]
pub(crate) enum First {
    /// `MethodRouter::new()`
    Empty,
    Any(Handler),
    Verb(Verb, Handler),
    On(Verb, Verb, Handler),
}

#[derive(Clone, Debug)]
pub(crate) enum Then {
    Verb(Verb, Handler),
    On(Verb, Verb, Handler),
    Layer(Layer),
    RouteLayer(Layer),
    Fallback(Handler),
    Merge(Verbs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A function of its own per registration, so that an answer tells which one gave it.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub(crate) id: u16,
    /// `handler.layer(..)`
    pub(crate) layer: Option<Layer>,
}

impl Handler {
    pub(crate) fn name(&self) -> String {
        format!("h{}", self.id)
    }
}

/// One call of `layer` or `route_layer`, with the layers that it is given.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) id: u16,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    One,
    /// `ServiceBuilder::new().layer(..).layer(..)`
    Builder,
    /// `(.., ..)`
    Tuple,
}

impl Layer {
    /// The marks that it leaves on an answer, as written: the first is the outer one.
    pub(crate) fn marks(&self) -> Vec<String> {
        let first = format!("l{}", self.id);
        match self.kind {
            Kind::One => vec![first],
            Kind::Builder | Kind::Tuple => vec![format!("{first}a"), format!("{first}b")],
        }
    }
}

impl Program {
    /// The same with an id of its own for each handler, layer and router.
    pub(crate) fn numbered(mut self) -> Self {
        let mut next = Next(0);
        next.router(&mut self.router);
        self.wrap.iter_mut().for_each(|layer| next.layer(layer));
        self
    }
}

struct Next(u16);

impl Next {
    fn id(&mut self, id: &mut u16) {
        self.0 += 1;
        *id = self.0;
    }

    fn layer(&mut self, layer: &mut Layer) {
        self.id(&mut layer.id);
    }

    fn handler(&mut self, handler: &mut Handler) {
        self.id(&mut handler.id);
        handler.layer.iter_mut().for_each(|layer| self.layer(layer));
    }

    fn router(&mut self, router: &mut Router) {
        self.id(&mut router.id);
        for step in &mut router.steps {
            match step {
                Step::Route(_, verbs) => self.verbs(verbs),
                Step::Nest(_, inner) | Step::NestService(_, inner) | Step::Merge(inner) => {
                    self.router(inner);
                }
                Step::Layer(layer) | Step::RouteLayer(layer) => self.layer(layer),
                Step::Fallback(handler) | Step::MethodNotAllowedFallback(handler) => {
                    self.handler(handler);
                }
                Step::ResetFallback | Step::WithState => {}
            }
        }
    }

    fn verbs(&mut self, verbs: &mut Verbs) {
        match &mut verbs.first {
            First::Empty => {}
            First::Any(handler) | First::Verb(_, handler) | First::On(_, _, handler) => {
                self.handler(handler);
            }
        }
        for then in &mut verbs.then {
            match then {
                Then::Verb(_, handler) | Then::On(_, _, handler) | Then::Fallback(handler) => {
                    self.handler(handler);
                }
                Then::Layer(layer) | Then::RouteLayer(layer) => self.layer(layer),
                Then::Merge(other) => self.verbs(other),
            }
        }
    }
}
