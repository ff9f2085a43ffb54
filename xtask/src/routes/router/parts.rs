//! What a router is made of: layers, what answers, what is registered where.

use std::rc::Rc;

use crate::routes::router::Served;
use crate::routes::source::Site;

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

impl Part {
    /// The same, on some ways only.
    pub(crate) fn conditional(&self) -> Self {
        Self {
            is_conditional: true,
            ..self.clone()
        }
    }
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

impl LayerUse {
    pub(crate) fn new(site: Site, parts: Rc<[Part]>) -> Self {
        Self {
            site,
            parts,
            is_conditional: false,
        }
    }

    /// Whether both put the same layers, be it at different places.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && (self.parts.iter().zip(other.parts.iter())).all(|(a, b)| a.names == b.names)
    }
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

    pub(super) fn comes_after(&mut self, layers: &[LayerUse], at: Site, how: How) {
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handler {
    pub(crate) name: String,
    /// Resolved types of its arguments.
    pub(crate) extractors: Vec<String>,
    /// Live on a path that `routes!` gave it for another one's sake.
    pub(crate) is_phantom: bool,
    /// Full name of the gRPC service it is.
    pub(crate) service: Option<Rc<str>>,
    /// Given by a policy rather than by layers.
    pub(crate) access: Option<Access>,
}

/// The policy argument of a guarded registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: Text,
    pub(crate) site: Site,
    pub(crate) served: Served,
    /// Under which condition it is there.
    pub(crate) condition: Option<Rc<str>>,
    pub(crate) place: Place,
    /// Registered by something the scan cannot read.
    pub(crate) opaque: Option<Rc<str>>,
}

impl Entry {
    pub(crate) fn new(path: Text, site: Site, served: Served) -> Self {
        Self {
            path,
            site,
            served,
            condition: None,
            place: Place::Own,
            opaque: None,
        }
    }
}

/// Which router of those that are one inside the other looks a path up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Own,
    /// One that is nested as a service: to the router around it, it is one endpoint.
    Service,
    /// One that is the fallback.
    Fallback,
}

#[derive(Clone, Debug)]
pub(crate) enum Fallback {
    /// axum's own 404 with what is around it.
    Default(Stack),
    Custom(Endpoint, Site),
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
