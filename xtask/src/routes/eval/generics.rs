//! Type parameters, and the conditions that depend on them.

use std::rc::Rc;

use syn::Expr;

use crate::routes::eval::call::unparen;
use crate::routes::eval::{Eval, Frame};
use crate::routes::index::{Found, Target};
use crate::routes::value::{Opaque, TypeRef, Value};

impl<'s> Frame<'s> {
    /// What a type parameter stands for in the call that is read.
    pub(super) fn parameter(&self, name: &str) -> Option<Rc<TypeRef<'s>>> {
        let known = self.parameters.iter().find(|(known, _)| known == name);
        known.map(|(_, ty)| Rc::clone(ty))
    }
}

impl<'s> Eval<'_, 's> {
    /// The types in `function::<A, B>`.
    pub(super) fn named_types(
        &mut self,
        frame: &Frame<'s>,
        function: &'s Expr,
    ) -> Vec<Rc<TypeRef<'s>>> {
        let Expr::Path(path) = unparen(function) else {
            return Vec::new();
        };
        let Some(syn::PathArguments::AngleBracketed(args)) =
            path.path.segments.last().map(|last| &last.arguments)
        else {
            return Vec::new();
        };
        let types = args.args.iter().filter_map(|arg| match arg {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        });
        types
            .map(|ty| {
                ident(ty)
                    .and_then(|name| frame.parameter(&name.to_string()))
                    .unwrap_or_else(|| self.type_ref(frame.module, ty))
            })
            .collect()
    }

    /// What the type parameters of a function stand for: what the call names, or else the types of
    /// what it is given.
    pub(super) fn parameters(
        &mut self,
        sig: &'s syn::Signature,
        named: Vec<Rc<TypeRef<'s>>>,
        args: &[Value<'s>],
    ) -> Vec<(String, Rc<TypeRef<'s>>)> {
        let all = || sig.generics.type_params().map(|param| &param.ident);
        let mut known: Vec<(String, Rc<TypeRef<'s>>)> =
            all().map(ToString::to_string).zip(named).collect();
        known.retain(|(_, ty)| ty.found.is_some());
        for name in all() {
            let given = sig.inputs.iter().zip(args).find(|(input, _)| {
                matches!(input, syn::FnArg::Typed(typed) if ident(&typed.ty) == Some(name))
            });
            if known.iter().all(|(known, _)| name != known)
                && let Some((_, value)) = given
                && let Some(ty) = self.type_of(value)
            {
                known.push((name.to_string(), ty));
            }
        }
        known
    }

    /// The type of the tree that a value has.
    fn type_of(&mut self, value: &Value<'s>) -> Option<Rc<TypeRef<'s>>> {
        let ty = match value {
            Value::Struct(record) => Rc::clone(&record.ty),
            Value::Opaque(Opaque { ty: Some(ty), .. }) => self.ty(ty),
            Value::Item(found) => {
                let path = self.full_path(*found);
                Rc::new(TypeRef {
                    name: path.last().cloned().unwrap_or_default(),
                    path,
                    found: Some(*found),
                })
            }
            _ => return None,
        };
        ty.found.is_some().then_some(ty)
    }

    /// Whether a condition holds, where it is the same however it is built and run: `cfg!(test)` and
    /// constants of types.
    pub(super) fn known_condition(&mut self, frame: &Frame<'s>, cond: &'s Expr) -> Option<bool> {
        match unparen(cond) {
            Expr::Macro(call) => (call.mac.path.is_ident("cfg")
                && call.mac.tokens.to_string() == "test")
                .then_some(false),
            Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Not(_)) => {
                self.known_condition(frame, &inner.expr).map(|holds| !holds)
            }
            Expr::Path(path) if path.qself.is_none() => {
                let [.., before, member] = &path.path.segments.iter().collect::<Vec<_>>()[..]
                else {
                    return None;
                };
                let (member, before) = (member.ident.to_string(), before.ident.to_string());
                let of = if before == "Self" {
                    frame.self_ty.clone()
                } else {
                    frame.parameter(&before)
                };
                let types: Vec<Found<'s>> = match of {
                    Some(ty) => ty.found.into_iter().collect(),
                    None => match self.index.resolve_path(frame.module, &path.path) {
                        Target::Of(all, _) => all,
                        _ => return None,
                    },
                };
                let constants = types
                    .into_iter()
                    .flat_map(|found| self.constants_of(found, &member));
                let mut values = constants.map(|constant| match constant.expr {
                    Expr::Lit(literal) => match &literal.lit {
                        syn::Lit::Bool(value) => Some(value.value),
                        _ => None,
                    },
                    _ => None,
                });
                let first = values.next()??;
                values.all(|value| value == Some(first)).then_some(first)
            }
            _ => None,
        }
    }
}

/// The name that a type consists of, by reference or not.
fn ident(ty: &syn::Type) -> Option<&syn::Ident> {
    match ty {
        syn::Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        syn::Type::Reference(inner) => ident(&inner.elem),
        _ => None,
    }
}
