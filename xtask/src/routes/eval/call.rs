//! Calls of functions: those of the tree are followed, the guard's are policies.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::routes::eval::closures::captured;
use crate::routes::eval::layers::{is_layer_like, named};
use crate::routes::eval::ways::Way;
use crate::routes::eval::{Eval, Frame, is_mutable};
use crate::routes::index::{Function, segments};
use crate::routes::router::{Access, Kind, Router};
use crate::routes::value::{Record, Ty, TypeRef, Value};

impl<'i, 's> Eval<'i, 's> {
    pub(crate) fn call_expr(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::ExprCall,
    ) -> Value<'s> {
        let Expr::Path(path) = unparen(&call.func) else {
            return match self.expr(frame, &call.func) {
                Value::Function(function) => self.tree_call(frame, function, call),
                value => {
                    let args = self.args(frame, &call.args);
                    self.apply_value(value, args, call.span(), frame)
                }
            };
        };
        let names = segments(&path.path);
        let value = self.expr(frame, unparen(&call.func));
        let at = path
            .path
            .segments
            .last()
            .map_or_else(|| call.span(), |last| last.ident.span());
        let is_function = names
            .last()
            .is_some_and(|last| !last.starts_with(char::is_uppercase));
        if is_function && self.index.is_lost(frame.module, &path.path) {
            self.lost_call(frame, &value, &names, at);
        }
        match value {
            Value::External(full, _) => match self.implementations(&full) {
                functions if functions.is_empty() => {
                    self.external_call(frame, &full, path, call, at)
                }
                functions => {
                    // A function of a type parameter: of any type that has it.
                    let args = self.args(frame, &call.args);
                    let why: Rc<str> = "a type parameter".into();
                    functions
                        .into_iter()
                        .map(|function| self.call(function, args.clone(), None).0)
                        .reduce(|joined, next| joined.join(next, &why))
                        .unwrap_or_else(Value::unknown)
                }
            },
            Value::Function(function) => self.tree_call(frame, function, call),
            Value::Method(function, ty) => {
                let args = self.args(frame, &call.args);
                let places: Vec<&'s Expr> = call.args.iter().collect();
                self.call_placed(frame, function, Some(ty), args, &places, at)
            }
            Value::Either(all) if all.iter().all(|value| matches!(value, Value::Function(_))) => {
                let ways = all.iter().filter_map(|value| match value {
                    Value::Function(function) => Some(*function),
                    _ => None,
                });
                let ways = ways.map(|function| -> Way<'_, 'i, 's> {
                    Box::new(move |eval, frame| eval.tree_call(frame, function, call))
                });
                let ways = ways.collect();
                self.fork(frame, &"cfg".into(), ways)
            }
            Value::Either(_) => {
                let args = self.args(frame, &call.args);
                self.apply_value(value, args, at, frame)
            }
            // What an argument does, the caller knows that gave it.
            Value::Opaque(opaque) if opaque.is_param => {
                let args = self.args(frame, &call.args);
                match args.iter().find_map(Value::router) {
                    Some(router) => {
                        let mut router = Rc::clone(router);
                        Rc::make_mut(&mut router).is_open = true;
                        Value::Router(router)
                    }
                    None => self.apply_value(Value::Opaque(opaque), args, at, frame),
                }
            }
            Value::Closure(mut lambda) => {
                let args = self.args(frame, &call.args);
                let applied = self.apply(&lambda, args);
                if lambda.frame == frame.id {
                    captured(frame, applied.vars.clone());
                }
                // The next call sees what this one did.
                Rc::make_mut(&mut lambda).vars = applied.vars;
                self.write_back(frame, unparen(&call.func), Value::Closure(lambda));
                for (place, after) in call.args.iter().zip(applied.inputs) {
                    if let Some(after) = after {
                        self.write_back(frame, place, after);
                    }
                }
                applied.value
            }
            Value::Item(found) => {
                // A tuple struct or a variant.
                let fields = self.args(frame, &call.args).into_iter().enumerate();
                let mut path = self.full_path(found);
                if matches!(found.item, syn::Item::Enum(_)) {
                    path.extend(names.last().cloned());
                }
                let ty = TypeRef {
                    name: path.last().cloned().unwrap_or_default(),
                    path,
                    found: Some(found),
                };
                if names.last().is_some_and(|last| last == "default") {
                    return self.default_of(&Rc::new(ty));
                }
                if let syn::Item::Struct(item) = found.item
                    && !matches!(item.fields, syn::Fields::Unnamed(_))
                {
                    // `Type::unknown_function(…)`: at least the type is known.
                    return Value::typed(Some(Ty::Known(Rc::new(ty))));
                }
                Value::Struct(Rc::new(Record {
                    ty: Rc::new(ty),
                    fields: fields.map(|(n, value)| (n.to_string(), value)).collect(),
                    is_param: false,
                }))
            }
            _ => self.external_call(frame, &names, path, call, at),
        }
    }

    /// A call of what is, under some `cfg`, in a file that is not in the tree. Of its twin that is in
    /// the tree it has the arguments and the result.
    fn lost_call(&mut self, frame: &Frame<'s>, twin: &Value<'s>, names: &[String], at: Span) {
        if let Value::Function(function) = twin {
            let returned = match &function.sig.output {
                syn::ReturnType::Type(_, ty) => Some(&**ty),
                syn::ReturnType::Default => None,
            };
            let module = function.module;
            let returns = returned.is_some_and(|ty| self.is_routerish(module, None, ty, 0));
            if !returns && !self.takes_router(*function) {
                return;
            }
        }
        let site = self.site(frame, at);
        let name = names.join("::");
        self.give_up(
            site,
            format!("`{name}` leads to a module whose file is not in the tree"),
        );
    }

    /// The functions that `M::name` may mean where `M` is no type of its own.
    pub(super) fn implementations(&mut self, path: &[String]) -> Vec<Function<'s>> {
        let [parameter, name] = path else {
            return Vec::new();
        };
        // By convention a letter or two; anything longer is a type that is not known here.
        if parameter.len() > 2 || !parameter.starts_with(char::is_uppercase) {
            return Vec::new();
        }
        self.index
            .members(name, "Router", None)
            .into_iter()
            .filter(|function| {
                let returned = match &function.sig.output {
                    syn::ReturnType::Type(_, ty) => &**ty,
                    syn::ReturnType::Default => return false,
                };
                function
                    .self_ty
                    .is_some_and(|ty| self.type_ref(function.module, ty).found.is_some())
                    && !self.in_guard_crate(function.module)
                    && self.is_routerish(function.module, None, returned, 0)
            })
            .collect()
    }

    pub(super) fn args(
        &mut self,
        frame: &mut Frame<'s>,
        args: &'s syn::punctuated::Punctuated<Expr, syn::Token![,]>,
    ) -> Vec<Value<'s>> {
        args.iter()
            .map(|arg| match arg {
                // What a call does to it is written back, or the router counts as lost in it.
                Expr::Reference(inner) => self.expr(frame, &inner.expr),
                arg => self.expr(frame, arg),
            })
            .collect()
    }

    /// A function of the tree.
    pub(super) fn tree_call(
        &mut self,
        frame: &mut Frame<'s>,
        function: Function<'s>,
        call: &'s syn::ExprCall,
    ) -> Value<'s> {
        if self.in_guard_crate(function.module) {
            return self.guard_call(frame, function, call);
        }
        let args = self.args(frame, &call.args);
        let places: Vec<&'s Expr> = call.args.iter().collect();
        let at = call.func.span();
        self.turbofish = self.named_types(frame, &call.func);
        let mut value = self.call_placed(frame, function, None, args, &places, at);
        self.turbofish.clear();
        if let Value::Layers(parts) = &value {
            let name = self.function_path(&function).join("::");
            value = Value::Layers(named(parts, &name));
        } else if is_layer_like(&value) {
            let name = self.function_path(&function).join("::");
            let parts = self.parts(frame, value, &call.func);
            value = Value::Layers(named(&parts, &name));
        }
        value
    }

    /// Calls a function of the tree, and writes back what it does to its arguments.
    pub(super) fn call_placed(
        &mut self,
        frame: &mut Frame<'s>,
        function: Function<'s>,
        self_ty: Option<Rc<TypeRef<'s>>>,
        args: Vec<Value<'s>>,
        places: &[&'s Expr],
        at: Span,
    ) -> Value<'s> {
        self.called_at = Some(self.site(frame, at));
        let (value, left) = self.call(function, args, self_ty);
        self.called_at = None;
        for ((place, input), after) in places.iter().zip(&function.sig.inputs).zip(left) {
            if let Value::Closure(lambda) = &after
                && lambda.frame == frame.id
            {
                captured(frame, lambda.vars.clone());
            }
            // What is not known afterwards is not what it was before either.
            if is_mutable(input)
                && (after.matters() || is_state(&after) || self.is_text_place(frame, place))
            {
                self.write_back(frame, place, after);
            }
        }
        value
    }

    /// Whether a place holds a text, a list or a struct that a call may have changed.
    pub(super) fn is_text_place(&mut self, frame: &mut Frame<'s>, place: &'s Expr) -> bool {
        let place = match place {
            Expr::Reference(inner) => &inner.expr,
            place => place,
        };
        matches!(place, Expr::Path(_) | Expr::Field(_)) && is_state(&self.expr(frame, place))
    }

    /// A function of the guard: a policy, or the guarded router itself.
    pub(super) fn guard_call(
        &mut self,
        frame: &mut Frame<'s>,
        function: Function<'s>,
        call: &'s syn::ExprCall,
    ) -> Value<'s> {
        let name = function.sig.ident.to_string();
        if let Some(ty) = function.self_ty {
            let ty = self.type_ref(function.module, ty);
            if self.router_kind(&ty) == Some(Kind::Guarded)
                && matches!(name.as_str(), "new" | "default")
            {
                let axum = self.axum_of_guard(frame.module);
                return Value::Router(Rc::new(Router::new(Kind::Guarded, axum)));
            }
            return Value::typed(Some(Ty::Known(ty)));
        }
        let argument = call.args.first();
        let word = |eval: &mut Self, frame: &mut Frame<'s>| match argument {
            Some(Expr::Path(path)) => path
                .path
                .segments
                .last()
                .map(|last| kebab(&last.ident.to_string()))
                .unwrap_or_default(),
            Some(expr) => eval.text(frame, expr).shown,
            None => String::new(),
        };
        let access = match name.as_str() {
            "public" => {
                let reason = argument.map(|expr| self.text(frame, expr));
                Access {
                    text: "public".to_owned(),
                    reason: Some(
                        reason
                            .filter(|reason| reason.is_known)
                            .map(|reason| reason.shown)
                            .unwrap_or_default(),
                    ),
                }
            }
            "signed_in" => Access {
                text: "signed-in".to_owned(),
                reason: None,
            },
            "role" | "webhook" => Access {
                text: format!("{name}:{}", word(self, frame)),
                reason: None,
            },
            _ => {
                let ty = match &function.sig.output {
                    syn::ReturnType::Type(_, ty) => Some(Ty::declared(function.module, None, ty)),
                    syn::ReturnType::Default => None,
                };
                return Value::typed(ty);
            }
        };
        Value::Access(Rc::new(access))
    }
}

/// Values that a call can change in place.
pub(super) fn is_state(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(_) | Value::List(_) | Value::Struct(_))
}

/// `SupportDesk` → `support-desk`.
pub(super) fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (n, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && n > 0 {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

pub(crate) fn unparen(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => unparen(&inner.expr),
        Expr::Group(inner) => unparen(&inner.expr),
        other => other,
    }
}
