//! What stands in a registration: verbs, handlers, layers.

use super::super::program::{First, Handler, Kind, Layer, Then, Verbs};
use super::Writer;

impl Writer {
    pub(super) fn verbs(&mut self, verbs: &Verbs, indent: usize, route: usize) {
        let at = self.lines + 1;
        let first = match &verbs.first {
            First::Empty => "MethodRouter::new()".to_owned(),
            First::Any(handler) => format!("any({})", self.handler(handler, &[route], at)),
            First::Verb(verb, handler) => {
                format!(
                    "{}({})",
                    verb.function(),
                    self.handler(handler, &[route], at)
                )
            }
            First::On(one, two, handler) => {
                let handler = self.handler(handler, &[route], at);
                format!("on({}, {handler})", filter(one.name(), two.name()))
            }
        };
        let mut open = first;
        for (n, then) in verbs.then.iter().enumerate() {
            self.line(indent + usize::from(n > 0), &open);
            let at = self.lines + 1;
            open = match then {
                Then::Verb(verb, handler) => {
                    format!(
                        ".{}({})",
                        verb.function(),
                        self.handler(handler, &[route], at)
                    )
                }
                Then::On(one, two, handler) => {
                    let handler = self.handler(handler, &[route], at);
                    format!(".on({}, {handler})", filter(one.name(), two.name()))
                }
                Then::Layer(layer) => format!(".layer({})", self.layer(layer, at)),
                Then::RouteLayer(layer) => format!(".route_layer({})", self.layer(layer, at)),
                Then::Fallback(handler) => {
                    format!(".fallback({})", self.handler(handler, &[route, at], at))
                }
                Then::Merge(other) => {
                    self.line(indent + 1, ".merge(");
                    self.verbs(other, indent + 2, route);
                    ")".to_owned()
                }
            };
        }
        self.line(
            indent + usize::from(!verbs.then.is_empty()),
            &format!("{open},"),
        );
    }

    /// The handler as an expression that will stand on line `at`; `lines` register it.
    pub(super) fn handler(&mut self, handler: &Handler, lines: &[usize], at: usize) -> String {
        let name = handler.name();
        let handlers = &mut self.emitted.handlers;
        handlers.insert(name.clone(), lines.to_vec());
        self.handlers.push(name.clone());
        match &handler.layer {
            None => name,
            Some(layer) => format!("{name}.layer({})", self.layer(layer, at)),
        }
    }

    /// The layers as an expression whose `.layer` will stand on line `at`.
    pub(super) fn layer(&mut self, layer: &Layer, at: usize) -> String {
        let marks = layer.marks();
        for mark in &marks {
            self.emitted.sites.insert(mark.clone(), at);
        }
        self.marks.extend(marks.iter().cloned());
        match layer.kind {
            Kind::One => format!("from_fn({})", marks[0]),
            Kind::Builder => format!(
                "ServiceBuilder::new().layer(from_fn({})).layer(from_fn({}))",
                marks[0], marks[1]
            ),
            Kind::Tuple => format!("(from_fn({}), from_fn({}))", marks[0], marks[1]),
        }
    }
}

fn filter(one: &str, two: &str) -> String {
    format!("MethodFilter::{one}.or(MethodFilter::{two})")
}
