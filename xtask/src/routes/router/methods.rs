//! What answers the methods of one path.

use std::rc::Rc;

use crate::routes::router::{Endpoint, How, LayerUse, Stack, join_stacks};
use crate::routes::source::Site;

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
    pub(super) layers: Vec<LayerUse>,
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

    /// Whether both answer the same methods by the same handlers.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let handler = |endpoint: &Endpoint| Rc::clone(&endpoint.handler);
        let same = |((a, ours), (b, theirs)): (&(_, Endpoint), &(_, Endpoint))| {
            a == b && ours.handler == theirs.handler
        };
        self.verbs.len() == other.verbs.len()
            && self.other.as_ref().map(handler) == other.other.as_ref().map(handler)
            && self.verbs.iter().zip(&other.verbs).all(same)
    }

    fn on(&mut self, verb: &'static str, endpoint: Endpoint) -> Result<(), String> {
        if self.verbs.iter().any(|(other, _)| *other == verb) {
            return Err(format!("`{verb}` is handled twice"));
        }
        self.verbs.push((verb, endpoint));
        Ok(())
    }

    /// The layers around whatever it answers; those around some of it are conditional.
    pub(crate) fn common(&self) -> Stack {
        let rest = self.other.as_ref().map_or(&self.miss, |other| &other.stack);
        self.verbs
            .iter()
            .fold(rest.clone(), |common, (_, endpoint)| {
                join_stacks(&common, &endpoint.stack)
            })
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

#[derive(Clone, Debug)]
pub(crate) enum Served {
    Methods(Methods),
    /// A service: every method, nothing merges with it.
    Service(Endpoint),
}

impl Served {
    /// Whether both answer the same methods by the same handlers.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Methods(a), Self::Methods(b)) => a.is(b),
            (Self::Service(a), Self::Service(b)) => a.handler == b.handler,
            _ => false,
        }
    }

    pub(super) fn common(&self) -> Stack {
        match self {
            Self::Methods(methods) => methods.common(),
            Self::Service(endpoint) => endpoint.stack.clone(),
        }
    }

    pub(super) fn each(&mut self, mut change: impl FnMut(&mut Endpoint)) {
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
