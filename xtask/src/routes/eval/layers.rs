//! Layers: what they are called, and what happens when one is put around something.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned as _;

use super::{Eval, Frame, shorten, source};
use crate::routes::router::{LayerUse, Part};
use crate::routes::value::{Opaque, Value};

impl<'s> Eval<'_, 's> {
    /// The layers that an expression stands for, outermost first.
    pub(crate) fn layers(&mut self, frame: &mut Frame<'s>, expr: &'s Expr) -> Rc<[Part]> {
        let value = self.eagerly(|eval| eval.expr(frame, expr));
        self.parts(frame, value, expr)
    }

    pub(crate) fn parts(
        &mut self,
        frame: &Frame<'s>,
        value: Value<'s>,
        expr: &'s Expr,
    ) -> Rc<[Part]> {
        match value {
            Value::Layers(parts) => parts,
            Value::External(path, _) => one(path.join("::")),
            Value::Item(found) => one(self.full_path(found).join("::")),
            Value::Struct(record) => one(record.ty.path.join("::")),
            Value::Function(function) => one(self.function_path(&function).join("::")),
            Value::Tuple(all) => {
                let mut parts = Vec::new();
                for value in all.iter() {
                    parts.extend(self.parts(frame, value.clone(), expr).iter().cloned());
                }
                parts.into()
            }
            Value::Closure(lambda) => {
                let site = self.site(frame, lambda.expr.span());
                one(format!(
                    "closure@{}:{}",
                    self.index.sources.path(site.file),
                    site.line
                ))
            }
            Value::Opaque(Opaque { ty: Some(ty), .. }) if !self.ty(&ty).path.is_empty() => {
                one(self.ty(&ty).path.join("::"))
            }
            // Any of them may be the one.
            Value::Either(all) => {
                let parts = all
                    .iter()
                    .flat_map(|value| self.parts(frame, value.clone(), expr).to_vec());
                conditional(&parts.collect())
            }
            _ => one(shorten(&source(expr))),
        }
    }

    pub(crate) fn layer_use(
        &mut self,
        frame: &mut Frame<'s>,
        at: Span,
        expr: &'s Expr,
    ) -> LayerUse {
        LayerUse::new(self.site(frame, at), self.layers(frame, expr))
    }

    pub(super) fn wrap(
        &mut self,
        frame: &Frame<'s>,
        inner: Value<'s>,
        parts: Rc<[Part]>,
        at: Span,
    ) -> Value<'s> {
        let layer = LayerUse::new(self.site(frame, at), parts);
        match self.as_router(inner) {
            Ok(mut router) => {
                Rc::make_mut(&mut router).wrap(&layer);
                Value::Router(router)
            }
            Err(Value::Handler(mut endpoint)) => {
                Rc::make_mut(&mut endpoint).stack.push(layer);
                Value::Handler(endpoint)
            }
            Err(other) => other,
        }
    }

    /// `ServiceBuilder`: the first layer is the outermost.
    pub(super) fn layers_method(
        &mut self,
        frame: &mut Frame<'s>,
        parts: &Rc<[Part]>,
        name: &str,
        at: Span,
        args: &[&'s Expr],
    ) -> Value<'s> {
        let with = |more: &[Part]| -> Value<'s> {
            Value::Layers(parts.iter().chain(more).cloned().collect())
        };
        match (name, args) {
            ("layer" | "service", [inner]) => {
                let value = self.eagerly(|eval| eval.expr(frame, inner));
                if value.holds_router() || matches!(value, Value::Handler(_)) {
                    return self.wrap(frame, value, Rc::clone(parts), at);
                }
                if name == "service" {
                    return Value::unknown();
                }
                let more = self.parts(frame, value, inner);
                Value::Layers(parts.iter().chain(more.iter()).cloned().collect())
            }
            ("option_layer", [inner]) => {
                let more = conditional(&self.layers(frame, inner));
                Value::Layers(parts.iter().chain(more.iter()).cloned().collect())
            }
            ("clone" | "into_inner" | "check_service" | "check_clone" | "into", _) => with(&[]),
            (other, _) => with(&[Part {
                names: vec![format!("tower::ServiceBuilder::{other}")],
                is_conditional: false,
            }]),
        }
    }
}

/// A value of a known type of elsewhere that a function made: it may be a layer.
pub(super) fn is_layer_like(value: &Value<'_>) -> bool {
    match value {
        Value::External(path, _) => path.last().is_some_and(|name| name.ends_with("Layer")),
        Value::Item(_) => true,
        _ => false,
    }
}

pub(super) fn one(name: String) -> Rc<[Part]> {
    Rc::new([Part {
        names: vec![name],
        is_conditional: false,
    }])
}

pub(super) fn conditional(parts: &Rc<[Part]>) -> Rc<[Part]> {
    parts
        .iter()
        .map(|part| Part {
            is_conditional: true,
            ..part.clone()
        })
        .collect()
}

/// The same layers, known by one more name: that of the function that makes them.
pub(super) fn named(parts: &Rc<[Part]>, name: &str) -> Rc<[Part]> {
    parts
        .iter()
        .map(|part| {
            let mut part = part.clone();
            part.names.push(name.to_owned());
            part
        })
        .collect()
}
