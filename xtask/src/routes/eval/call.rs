//! Calls of functions: axum's own by their rules, the tree's own followed, others taken for opaque.
//!
//! Long because of the many functions of axum and of the standard library that are known by name.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned as _;

use super::expr::meet;
use super::layers::{conditional, is_layer_like, named, one};
use super::{DEEPEST_CALL, Eval, Frame, is_mutable};
use crate::routes::index::{Function, segments};
use crate::routes::router::{Access, Kind, Router};
use crate::routes::value::{Lambda, Record, Ty, TypeRef, Value};

/// Functions that hand on their argument.
const IDENTITY: &[&str] = &[
    "Some",
    "Ok",
    "Box::new",
    "Box::pin",
    "Arc::new",
    "Rc::new",
    "Into::into",
    "From::from",
    "String::from",
    "convert::identity",
    "Pin::new",
    "Cow::Borrowed",
    "Cow::from",
    "Mutex::new",
    "RwLock::new",
    "Router::from",
    "Arc::clone",
    "Arc::unwrap_or_clone",
    "Rc::unwrap_or_clone",
    "Arc::try_unwrap",
    "Clone::clone",
    "Ready::ready",
    "future::ready",
    "ManuallyDrop::new",
    "Poll::Ready",
    "ControlFlow::Continue",
];

impl<'s> Eval<'_, 's> {
    /// Calls a closure: its value, and what became of the variables it sees.
    pub(crate) fn apply(
        &mut self,
        lambda: &Lambda<'s>,
        args: Vec<Value<'s>>,
    ) -> (Value<'s>, Vec<(String, Value<'s>)>) {
        if self.calls.len() > DEEPEST_CALL {
            return (Value::unknown(), Vec::new());
        }
        self.calls.push(std::ptr::from_ref(lambda.expr).cast());
        let mut frame = Frame::new(lambda.module, lambda.self_ty.clone());
        frame.vars.clone_from(&lambda.vars);
        frame.is_closure = true;
        let mut args = args.into_iter();
        for pat in &lambda.expr.inputs {
            let arg = args.next().unwrap_or_else(Value::unknown);
            self.bind(&mut frame, pat, arg);
        }
        let mut value = self.expr(&mut frame, &lambda.expr.body);
        if !frame.returns.is_empty() {
            let why: Rc<str> = "an early return".into();
            for early in std::mem::take(&mut frame.returns) {
                value = value.join(early, &why);
            }
        }
        self.calls.pop();
        frame.vars.truncate(lambda.vars.len());
        let why: Rc<str> = "an early end".into();
        for mut vars in std::mem::take(&mut frame.jumps) {
            vars.truncate(lambda.vars.len());
            meet(&mut frame, vars, &why);
        }
        (value, frame.vars)
    }

    pub(crate) fn call_expr(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::ExprCall,
    ) -> Value<'s> {
        let Expr::Path(path) = unparen(&call.func) else {
            let value = self.expr(frame, &call.func);
            let args = self.args(frame, &call.args);
            return self.apply_value(value, args, call.span(), frame);
        };
        let names = segments(&path.path);
        let value = self.expr(frame, unparen(&call.func));
        let at = path
            .path
            .segments
            .last()
            .map_or_else(|| call.span(), |last| last.ident.span());
        match value {
            Value::External(full) => match self.implementations(&full) {
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
                self.call(function, args, Some(ty)).0
            }
            Value::Either(all) if all.iter().all(|value| matches!(value, Value::Function(_))) => {
                let why: Rc<str> = "cfg".into();
                all.iter()
                    .map(|value| match value {
                        Value::Function(function) => self.tree_call(frame, *function, call),
                        _ => Value::unknown(),
                    })
                    .reduce(|joined, next| joined.join(next, &why))
                    .unwrap_or_else(Value::unknown)
            }
            Value::Either(_) => {
                let args = self.args(frame, &call.args);
                self.apply_value(value, args, at, frame)
            }
            Value::Closure(_) => {
                let args = self.args(frame, &call.args);
                let mut closure = value;
                let result = self.apply_again(&mut closure, args, at, frame);
                // The next call sees what this one did.
                self.write_back(frame, unparen(&call.func), closure);
                result
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

    /// The functions that `M::name` may mean where `M` is no type of its own.
    fn implementations(&mut self, path: &[String]) -> Vec<Function<'s>> {
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

    pub(super) fn apply_value(
        &mut self,
        value: Value<'s>,
        args: Vec<Value<'s>>,
        span: Span,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        match value {
            Value::Closure(lambda) => {
                let (value, after) = self.apply(&lambda, args);
                captured(frame, after);
                value
            }
            Value::Function(function) => self.call(function, args, None).0,
            Value::Either(all) => {
                let why: Rc<str> = "one of several".into();
                let before = frame.vars.clone();
                let mut joined: Option<Value<'s>> = None;
                for value in all.iter() {
                    let start = std::mem::replace(&mut frame.vars, before.clone());
                    let value = self.apply_value(value.clone(), args.clone(), span, frame);
                    joined = Some(match joined {
                        None => value,
                        Some(joined) => {
                            meet(frame, start, &why);
                            joined.join(value, &why)
                        }
                    });
                }
                joined.unwrap_or_else(Value::unknown)
            }
            Value::Method(function, ty) => self.call(function, args, Some(ty)).0,
            // `Router::merge` as a function.
            Value::External(path)
                if path.last().is_some_and(|last| last == "merge") && args.len() == 2 =>
            {
                let site = self.site(frame, span);
                let mut args = args.into_iter();
                let pair = (
                    args.next().map(|value| self.as_router(value)),
                    args.next().map(|value| self.as_router(value)),
                );
                match pair {
                    (Some(Ok(mut router)), Some(Ok(other))) => {
                        Rc::make_mut(&mut router).merge((*other).clone(), site);
                        Value::Router(router)
                    }
                    _ => Value::unknown(),
                }
            }
            _ => self.unknown_call(frame, args, span),
        }
    }

    /// Calls a function once more: a closure sees what it did to its variables the last time.
    pub(super) fn apply_again(
        &mut self,
        function: &mut Value<'s>,
        args: Vec<Value<'s>>,
        span: Span,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let Value::Closure(lambda) = function else {
            return self.apply_value(function.clone(), args, span, frame);
        };
        let (value, after) = self.apply(lambda, args);
        Rc::make_mut(lambda).vars.clone_from(&after);
        captured(frame, after);
        value
    }

    /// A call of something that cannot be read: closures it is given may run, routers are lost in it.
    pub(super) fn unknown_call(
        &mut self,
        frame: &mut Frame<'s>,
        args: Vec<Value<'s>>,
        span: Span,
    ) -> Value<'s> {
        let site = self.site(frame, span);
        let mut result = Value::unknown();
        for arg in args {
            match arg {
                Value::Closure(lambda) => {
                    let inputs = vec![Value::unknown(); lambda.expr.inputs.len()];
                    let (value, after) = self.apply(&lambda, inputs);
                    maybe_captured(frame, after);
                    if let Some(router) = value.router() {
                        result = self.lose(Rc::clone(router), site);
                    }
                }
                Value::Router(router) => result = self.lose(router, site),
                lost @ Value::Lost(..) => result = lost,
                Value::Struct(record) => {
                    for (_, value) in &record.fields {
                        if let Value::Router(router) = value {
                            result = self.lose(Rc::clone(router), site);
                        }
                    }
                }
                Value::Tuple(all) | Value::List(all) => {
                    for value in all.iter() {
                        if let Value::Router(router) = value {
                            result = self.lose(Rc::clone(router), site);
                        }
                    }
                }
                _ => {}
            }
        }
        result
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
        let (mut value, left) = self.call(function, args.clone(), None);
        for ((expr, input), after) in call.args.iter().zip(&function.sig.inputs).zip(left) {
            // What is not known afterwards is not what it was before either.
            if is_mutable(input)
                && (after.matters() || is_state(&after) || self.is_text_place(frame, expr))
            {
                self.write_back(frame, expr, after);
            }
        }
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
                let axum = self.axum(frame.module);
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

    pub(super) fn external_call(
        &mut self,
        frame: &mut Frame<'s>,
        full: &[String],
        path: &'s syn::ExprPath,
        call: &'s syn::ExprCall,
        at: Span,
    ) -> Value<'s> {
        let last = full.last().map_or("", String::as_str);
        let before = full.len().checked_sub(2).map_or("", |n| full[n].as_str());
        let krate = full.first().map_or("", String::as_str);
        let tail = format!("{before}::{last}");
        let first = call.args.first();
        if matches!(krate, "axum" | "aide" | "axum_extra" | "utoipa_axum") {
            if before == "MethodRouter" || before == "ApiMethodRouter" {
                if matches!(last, "new" | "default") {
                    return Value::Methods(Rc::default());
                }
            } else if matches!(before, "Router" | "OpenApiRouter" | "ApiRouter") {
                let kind = if before == "OpenApiRouter" {
                    Kind::OpenApi
                } else {
                    Kind::Axum
                };
                match last {
                    "new" | "default" | "with_openapi" => {
                        let axum = self.axum(frame.module);
                        return Value::Router(Rc::new(Router::new(kind, axum)));
                    }
                    "from" => {}
                    // `Router::merge(a, b)`.
                    _ => {
                        if let Some(receiver) = first {
                            let receiver = self.expr(frame, receiver);
                            if let Ok(router) = self.as_router(receiver) {
                                let rest: Vec<&'s Expr> = call.args.iter().skip(1).collect();
                                return self.router_method(frame, router, last, at, &rest);
                            }
                        }
                    }
                }
            } else if before == "Resource" && last == "named" {
                return self.resource(frame, call);
            } else if (krate != "axum" || full.len() >= 2)
                && let Some(value) = self.routing_function(frame, last, call)
            {
                return value;
            }
        }
        if krate == "axum" && last == "serve" {
            if let Some(app) = call.args.iter().nth(1) {
                let app = self.expr(frame, app);
                let site = self.site(frame, at);
                self.serve_value(&app, site);
            }
            return Value::unknown();
        }
        match last {
            "from_fn"
            | "from_fn_with_state"
            | "map_request"
            | "map_request_with_state"
            | "map_response"
            | "map_response_with_state"
            | "from_fn_with_state_arc"
                if krate == "axum" || krate == "tower_http" || krate == "tower" =>
            {
                let Some(function) = call.args.last() else {
                    return Value::unknown();
                };
                let value = self.expr(frame, function);
                if let Value::Closure(lambda) = &value {
                    // It may call a router by hand.
                    let inputs = vec![Value::unknown(); lambda.expr.inputs.len()];
                    self.apply(&Rc::clone(lambda), inputs);
                }
                return Value::Layers(self.parts(frame, value, function));
            }
            "from_extractor" | "from_extractor_with_state" if krate == "axum" => {
                let ty = path
                    .path
                    .segments
                    .last()
                    .and_then(|last| match &last.arguments {
                        syn::PathArguments::AngleBracketed(args) => {
                            args.args.iter().find_map(|arg| match arg {
                                syn::GenericArgument::Type(ty) => Some(ty),
                                _ => None,
                            })
                        }
                        _ => None,
                    });
                let name = match ty {
                    Some(ty) => self.type_ref(frame.module, ty).path.join("::"),
                    None => "axum::middleware::from_extractor".to_owned(),
                };
                return Value::Layers(one(name));
            }
            "option_layer" => {
                let Some(layer) = first else {
                    return Value::unknown();
                };
                return Value::Layers(conditional(&self.layers(frame, layer)));
            }
            "new" if tail == "ServiceBuilder::new" => return Value::Layers(Rc::new([])),
            _ => {}
        }
        if let Some(router) = self.documentation(frame, full, call, at) {
            return router;
        }
        match tail.as_str() {
            "mem::drop" | "mem::forget" => return Value::unknown(),
            _ if last == "drop" || last == "forget" => return Value::unknown(),
            "Vec::new" | "Vec::with_capacity" | "VecDeque::new" => {
                return Value::List(Rc::default());
            }
            "LazyLock::new" | "Lazy::new" | "LazyCell::new" | "OnceCell::from" => {
                if let Some(first) = first
                    && let Value::Closure(lambda) = self.expr(frame, first)
                {
                    return self.apply(&lambda, Vec::new()).0;
                }
                return Value::unknown();
            }
            "mem::replace" | "mem::take" => {
                let Some(place) = first else {
                    return Value::unknown();
                };
                let place = match place {
                    Expr::Reference(inner) => &inner.expr,
                    place => place,
                };
                let value = self.expr(frame, place);
                let new = match (call.args.iter().nth(1), &value) {
                    (Some(new), _) => self.expr(frame, new),
                    (None, Value::Router(router)) => {
                        Value::Router(Rc::new(Router::new(router.kind, router.axum)))
                    }
                    (None, Value::List(_)) => Value::List(Rc::default()),
                    (None, _) => Value::unknown(),
                };
                self.write_back(frame, place, new);
                return value;
            }
            _ => {}
        }
        if IDENTITY
            .iter()
            .any(|known| *known == last || *known == tail)
            && let Some(first) = first
        {
            return self.expr(frame, first);
        }
        if matches!(tail.as_str(), "TowerToHyperService::new" | "Shared::new")
            || tail == "ServiceExt::into_make_service"
            || tail == "ServiceExt::into_make_service_with_connect_info"
        {
            if let Some(first) = first {
                let app = self.expr(frame, first);
                let site = self.site(frame, at);
                self.serve_value(&app, site);
            }
            return Value::Served;
        }
        let args = self.args(frame, &call.args);
        if let Some(which) = args.iter().position(Value::holds_router) {
            // `Layer::layer(&layer, router)`.
            if tail == "Layer::layer" && which == 1 {
                let mut args = args;
                let parts = self.parts(frame, args[0].clone(), &call.args[0]);
                return self.wrap(frame, args.swap_remove(1), parts, at);
            }
            return self.unknown_call(frame, args, at);
        }
        for arg in &call.args {
            // Code of elsewhere may write anything into it.
            if let Expr::Reference(inner) = arg
                && inner.mutability.is_some()
                && self.is_text_place(frame, &inner.expr)
            {
                self.write_back(frame, &inner.expr, Value::unknown());
            }
        }
        let outcome = self.unknown_call(frame, args, at);
        if matches!(outcome, Value::Lost(..)) {
            return outcome;
        }
        // A constructor: what comes out is of that type.
        let is_type = before.chars().next().is_some_and(char::is_uppercase);
        if is_type {
            Value::External(full[..full.len() - 1].into())
        } else if full.len() > 1 {
            Value::External(full.into())
        } else {
            Value::unknown()
        }
    }
}

/// Writes back what a closure did to the variables around it.
fn captured<'s>(frame: &mut Frame<'s>, after: Vec<(String, Value<'s>)>) {
    for ((name, value), (theirs, changed)) in frame.vars.iter_mut().zip(after) {
        if *name == theirs
            && (changed.matters() || matches!(changed, Value::Text(_) | Value::List(_)))
        {
            *value = changed;
        }
    }
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

/// Values that a call can change in place.
pub(super) fn is_state(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(_) | Value::List(_) | Value::Struct(_))
}

/// Like [`captured`], of a closure that may not have run.
pub(super) fn maybe_captured<'s>(frame: &mut Frame<'s>, after: Vec<(String, Value<'s>)>) {
    let before = frame.vars.clone();
    captured(frame, after);
    let ran = std::mem::replace(&mut frame.vars, before);
    meet(frame, ran, &"a call".into());
}
