//! Method calls on whatever is no router: options, builders, the types of the tree.

use std::rc::Rc;

use syn::Expr;
use syn::spanned::Spanned as _;

use crate::routes::eval::ways::meet;
use crate::routes::eval::{Eval, Frame, is_mutable, part_of, shorten, source};
use crate::routes::index::Function;
use crate::routes::router::{Kind, Methods, Router, Text};
use crate::routes::value::{Opaque, TypeRef, Value};

/// Methods that hand on what they were called on.
pub(super) const SAME: &[&str] = &[
    "as_deref",
    "as_mut",
    "as_ref",
    "as_str",
    "boxed",
    "borrow",
    "by_ref",
    "clone",
    "cloned",
    "context",
    "copied",
    "expect",
    "fuse",
    "in_current_span",
    "inspect",
    "inspect_err",
    "instrument",
    "into",
    "into_boxed_str",
    "into_future",
    "into_iter",
    "into_string",
    "iter",
    "iter_mut",
    "lock",
    "map_err",
    "ok",
    "ok_or",
    "ok_or_else",
    "or_else",
    "read",
    "take",
    "to_owned",
    "to_string",
    "to_vec",
    "try_into",
    "unwrap",
    "with_context",
    "write",
    "as_slice",
    "collect",
    "as_bytes",
    "into_owned",
    "deref",
    "leak",
    "into_boxed_slice",
    "peekable",
];

impl<'s> Eval<'_, 's> {
    pub(crate) fn method_call(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::ExprMethodCall,
    ) -> Value<'s> {
        let receiver = self.expr(frame, &call.receiver);
        if let Value::Either(all) = receiver {
            let why: Rc<str> = "one of several".into();
            let before = frame.vars.clone();
            let mut joined: Option<Value<'s>> = None;
            for value in all.iter() {
                let start = std::mem::replace(&mut frame.vars, before.clone());
                let value = self.method_on(frame, call, value.clone());
                joined = Some(match joined {
                    None => value,
                    Some(joined) => {
                        meet(frame, start, &why);
                        joined.join(value, &why)
                    }
                });
            }
            return joined.unwrap_or_else(Value::unknown);
        }
        self.method_on(frame, call, receiver)
    }

    pub(super) fn method_on(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::ExprMethodCall,
        receiver: Value<'s>,
    ) -> Value<'s> {
        let name = call.method.to_string();
        let at = call.method.span();
        let args: Vec<&'s Expr> = call.args.iter().collect();
        match receiver {
            Value::Lost(..) if name != "or_else" && SAME.contains(&name.as_str()) => receiver,
            Value::Router(_)
                if !is_routing(&name)
                    && let Some(function) = self.changing_extension(&name) =>
            {
                let mut values = vec![receiver];
                values.extend(args.iter().map(|arg| self.expr(frame, arg)));
                let places: Vec<&'s Expr> = std::iter::once(&*call.receiver).chain(args).collect();
                self.call_placed(frame, function, None, values, &places, at)
            }
            Value::Router(_) | Value::Lost(..) => match self.as_router(receiver) {
                Ok(router) => {
                    let value = self.router_method(frame, router, &name, at, &args);
                    // A builder of tonic's is changed where it stands.
                    if name == "add_service" {
                        self.write_back(frame, &call.receiver, value.clone());
                    }
                    value
                }
                Err(value) => value,
            },
            Value::Methods(methods) => self.methods_method(frame, methods, &name, at, &args),
            Value::Routes(routes) => self.routes_method(frame, routes, &name, at, &args),
            Value::Handler(mut endpoint) => match (name.as_str(), args.as_slice()) {
                ("layer", [layer]) => {
                    let layer = self.layer_use(frame, at, layer);
                    Rc::make_mut(&mut endpoint).stack.push(layer);
                    Value::Handler(endpoint)
                }
                _ => Value::Handler(endpoint),
            },
            Value::Function(_) | Value::Closure(_) if name == "layer" && args.len() == 1 => {
                let mut endpoint = self.handler(&receiver, &call.receiver);
                let layer = self.layer_use(frame, at, args[0]);
                endpoint.stack.push(layer);
                Value::Handler(Rc::new(endpoint))
            }
            Value::Function(_) | Value::Closure(_)
                if matches!(
                    name.as_str(),
                    "into_make_service" | "into_make_service_with_connect_info"
                ) =>
            {
                let endpoint = self.handler(&receiver, &call.receiver);
                let methods = Methods::any(endpoint);
                let site = self.site(frame, at);
                self.serve_value(&Value::Methods(Rc::new(methods)), site);
                Value::Served
            }
            Value::Function(_) | Value::Closure(_)
                if matches!(name.as_str(), "with_state" | "into_service" | "clone") =>
            {
                receiver
            }
            Value::Layers(parts) => self.layers_method(frame, &parts, &name, at, &args),
            Value::Filter(mut verbs) => {
                if let ("or", [other]) = (name.as_str(), args.as_slice())
                    && let Value::Filter(more) = self.expr(frame, other)
                {
                    verbs.extend(more);
                    verbs.sort_unstable();
                    verbs.dedup();
                }
                Value::Filter(verbs)
            }
            Value::Access(access) => Value::Access(access),
            Value::List(all) => self.list_method(frame, &all, &name, call),
            Value::Text(mut text)
                if matches!(
                    name.as_str(),
                    "push_str"
                        | "push"
                        | "insert_str"
                        | "insert"
                        | "extend"
                        | "clear"
                        | "truncate"
                        | "pop"
                        | "retain"
                ) =>
            {
                match (name.as_str(), args.as_slice()) {
                    ("push_str" | "push", [more]) => {
                        let more = self.text(frame, more);
                        text.push(&more);
                    }
                    ("clear", _) => text = Text::known(""),
                    _ => text.push(&Text::unknown(&name)),
                }
                self.write_back(frame, &call.receiver, Value::Text(text));
                Value::unknown()
            }
            Value::Text(text) => self.text_method(frame, text, &name, &args),
            Value::Served => Value::Served,
            other => self.other_method(frame, other, call, &name, &args),
        }
    }

    /// Methods of values that are no router: options, builders, the tree's own types.
    pub(super) fn other_method(
        &mut self,
        frame: &mut Frame<'s>,
        receiver: Value<'s>,
        call: &'s syn::ExprMethodCall,
        name: &str,
        args: &[&'s Expr],
    ) -> Value<'s> {
        let at = call.method.span();
        // A router that came in as an argument: what it holds is not known, what is added is.
        let is_opaque = matches!(receiver, Value::Opaque(_));
        if is_opaque && SAME.contains(&name) {
            for arg in args {
                self.expr(frame, arg);
            }
            return receiver;
        }
        if let Value::Opaque(Opaque {
            ty: Some(ty),
            is_param: true,
            ..
        }) = &receiver
            && name != "unwrap_or_default"
            && (is_routing(name) || matches!(name, "add_service" | "into_axum_router"))
            && let ty = self.ty(ty)
            && let Some(kind) = self.router_kind(&ty)
        {
            let mut router = self.empty(kind, frame.module, at);
            router.is_open = true;
            return self.router_method(frame, Rc::new(router), name, at, args);
        }
        let ty = match &receiver {
            Value::Struct(record) => Some(Rc::clone(&record.ty)),
            Value::Opaque(Opaque { ty: Some(ty), .. })
                if name == "unwrap_or_default"
                    || !self.index.sources.defining("fn ", name).is_empty() =>
            {
                Some(self.ty(ty))
            }
            Value::Item(found) => {
                let path = self.full_path(*found);
                Some(Rc::new(TypeRef {
                    name: path.last().cloned().unwrap_or_default(),
                    path,
                    found: Some(*found),
                }))
            }
            _ => None,
        };
        if let Some(ty) = &ty
            && let Some(found) = ty.found
            && let functions = self.inherited(found, name)
            && !functions.is_empty()
        {
            let mut values = vec![receiver.clone()];
            values.extend(args.iter().map(|arg| match arg {
                Expr::Reference(inner) => self.expr(frame, &inner.expr),
                arg => self.expr(frame, arg),
            }));
            let why: Rc<str> = "cfg".into();
            let before = frame.vars.clone();
            let mut joined: Option<Value<'s>> = None;
            for function in functions {
                let start = std::mem::replace(&mut frame.vars, before.clone());
                let places: Vec<&'s Expr> = std::iter::once(&*call.receiver)
                    .chain(args.iter().copied())
                    .collect();
                let self_ty = Some(Rc::clone(ty));
                let value = self.call_placed(frame, function, self_ty, values.clone(), &places, at);
                joined = Some(match joined {
                    None => value,
                    Some(joined) => {
                        meet(frame, start, &why);
                        joined.join(value, &why)
                    }
                });
            }
            return joined.unwrap_or_else(Value::unknown);
        }
        if let Value::Struct(_) = &receiver
            && is_routing(name)
            && let Ok(router) = self.as_router(receiver.clone())
        {
            return self.router_method(frame, router, name, at, args);
        }
        match (name, args) {
            ("layer" | "service", [inner]) => {
                let inner = self.expr(frame, inner);
                if inner.holds_router() || matches!(inner, Value::Handler(_)) {
                    let parts = self.parts(frame, receiver, &call.receiver);
                    return self.wrap(frame, inner, parts, at);
                }
                return receiver;
            }
            (
                "map" | "and_then" | "then" | "is_some_and" | "pipe" | "tap" | "filter_map"
                | "flat_map" | "for_each",
                [function],
            ) => {
                let function = self.expr(frame, function);
                let input = if matches!(receiver, Value::External(..)) {
                    Value::unknown()
                } else {
                    receiver.clone()
                };
                let arity =
                    matches!(&function, Value::Closure(lambda) if lambda.expr.inputs.is_empty());
                let inputs = if arity { Vec::new() } else { vec![input] };
                let before = frame.vars.clone();
                let value = self.apply_value(function, inputs, at, frame);
                // Of nothing it does nothing.
                let ran = std::mem::replace(&mut frame.vars, before);
                meet(frame, ran, &"an option".into());
                let why: Rc<str> = format!("{name}(…)").into();
                return if matches!(name, "then") {
                    value.join(Value::unknown(), &why)
                } else {
                    value
                };
            }
            ("map_or" | "map_or_else", [default, function]) => {
                let mut default = self.expr(frame, default);
                if name == "map_or_else" {
                    default = self.apply_value(default, vec![Value::unknown()], at, frame);
                }
                let function = self.expr(frame, function);
                let value = self.apply_value(function, vec![part_of(&receiver)], at, frame);
                return default.join(
                    value,
                    &format!("if {}", shorten(&source(&call.receiver))).into(),
                );
            }
            ("block_on", [future]) => return self.expr(frame, future),
            ("get_or_init" | "get_or_try_init", [function]) => {
                let function = self.expr(frame, function);
                return self.apply_value(function, Vec::new(), at, frame);
            }
            ("unwrap_or_else" | "get_or_insert_with" | "or_else", [function]) => {
                let function = self.expr(frame, function);
                let value = self.apply_value(function, Vec::new(), at, frame);
                return receiver.join(value, &"a default".into());
            }
            ("unwrap_or", [default]) => {
                let value = self.expr(frame, default);
                return receiver.join(value, &"a default".into());
            }
            ("unwrap_or_default", []) => {
                if let Some(kind) = ty.as_ref().and_then(|ty| self.router_kind(ty)) {
                    let mut router = self.empty(kind, frame.module, at);
                    router.is_open = receiver.is_param();
                    return Value::Router(Rc::new(router));
                }
                return receiver;
            }
            ("fold", [init, function]) => {
                let init = self.expr(frame, init);
                let function = self.expr(frame, function);
                let value =
                    self.apply_value(function, vec![init.clone(), part_of(&receiver)], at, frame);
                return init.join(value, &"a loop".into());
            }
            (
                "into_make_service"
                | "into_make_service_with_connect_info"
                | "into_make_service_with_state",
                _,
            ) => {
                let site = self.site(frame, at);
                self.serve_value(&receiver, site);
                return Value::Served;
            }
            _ => {}
        }
        if SAME.contains(&name) {
            for arg in args {
                self.expr(frame, arg);
            }
            return receiver;
        }
        if matches!(name, "into_axum_router" | "into_router" | "leptos_routes") {
            let site = self.site(frame, at);
            let mut router = Rc::new(Router::new(Kind::Axum, self.axum(frame.module)));
            self.add_opaque(&mut router, site, &format!(".{name}()"));
            return Value::Router(router);
        }
        let values: Vec<Value<'s>> = args.iter().map(|arg| self.expr(frame, arg)).collect();
        if let ("push" | "push_back", [item]) = (name, values.as_slice())
            && item.matters()
        {
            let list = Value::List(Rc::new(vec![item.clone()]));
            self.write_back(frame, &call.receiver, list);
            return Value::unknown();
        }
        // Registered on something that is not known: a router of elsewhere.
        let registers = match (name, values.as_slice()) {
            ("route" | "api_route", [_, methods]) => matches!(methods, Value::Methods(_)),
            ("nest" | "nest_service", [_, inner]) | ("merge", [inner]) => inner.holds_router(),
            _ => false,
        };
        if registers && !receiver.is_param() {
            let mut router = Rc::new(Router::new(Kind::Axum, self.axum(frame.module)));
            let site = self.site(frame, call.receiver.span());
            self.add_opaque(&mut router, site, &shorten(&source(&call.receiver)));
            return self.router_method(frame, router, name, at, args);
        }
        // tonic's own server goes on with the routes it is given: of interest if axum's are among them.
        if let ("add_routes", [Value::Router(router)], Value::External(path, _)) =
            (name, values.as_slice(), &receiver)
            && path.first().is_some_and(|krate| krate == "tonic")
        {
            return if router.is_of_services() {
                receiver
            } else {
                Value::Router(Rc::clone(router))
            };
        }
        if values.iter().any(Value::holds_router) {
            if is_opaque && let Some(value) = self.implementors(name, &values) {
                return value;
            }
            let site = self.site(frame, at);
            if matches!(
                name,
                "serve" | "serve_connection" | "serve_connection_with_upgrades"
            ) {
                for value in &values {
                    if value.holds_router() {
                        self.serve_value(value, site);
                    }
                }
                return Value::unknown();
            }
        }
        if name == "serve" {
            let site = self.site(frame, at);
            for value in &values {
                // `serve(app)` of an argument: whoever gave it knows.
                if let Value::Opaque(Opaque {
                    ty: Some(ty),
                    is_param: true,
                    ..
                }) = value
                    && let ty = self.ty(ty)
                    && self.router_kind(&ty).is_some()
                {
                    self.serve_value(value, site);
                }
            }
        }
        let lost = self.unknown_call(frame, values, at);
        if matches!(lost, Value::Lost(..)) {
            return lost;
        }
        match receiver {
            // A builder of elsewhere stays what it is.
            Value::External(path, site) => {
                Self::grpc_builder(&path, name).unwrap_or(Value::External(path, site))
            }
            Value::Opaque(opaque) if opaque.is_param => {
                Value::Opaque(Opaque { ty: None, ..opaque })
            }
            _ => Value::from_call(self.site(frame, at)),
        }
    }

    /// A method of something unknown that takes a router: of any type in the tree that has it.
    fn implementors(&mut self, name: &str, args: &[Value<'s>]) -> Option<Value<'s>> {
        let why: Rc<str> = "a trait object".into();
        let mut values = vec![Value::unknown()];
        values.extend_from_slice(args);
        self.index
            .members(name, "Router", None)
            .into_iter()
            .filter(|function| {
                matches!(function.sig.inputs.first(), Some(syn::FnArg::Receiver(_)))
                    && function.sig.inputs.len() == values.len()
                    && !self.in_guard_crate(function.module)
                    && self.takes_router(*function)
            })
            .collect::<Vec<_>>()
            .into_iter()
            .map(|function| self.call(function, values.clone(), None).0)
            .reduce(|joined, next| joined.join(next, &why))
    }

    /// The methods of that name that traits of the tree add to a router or method router.
    fn extensions(&mut self, name: &str) -> Vec<Function<'s>> {
        self.index
            .members(name, "Router", None)
            .into_iter()
            .filter(|function| {
                let takes_self =
                    matches!(function.sig.inputs.first(), Some(syn::FnArg::Receiver(_)));
                takes_self
                    && !self.in_guard_crate(function.module)
                    && match function.self_ty {
                        None => true,
                        Some(ty) => {
                            let ty = self.type_ref(function.module, ty);
                            ty.found.is_none()
                                && (ty.path.len() <= 1
                                    || self.router_kind(&ty).is_some()
                                    || ty.name == "MethodRouter")
                        }
                    }
            })
            .collect()
    }

    /// One of them that changes the router where it stands.
    fn changing_extension(&mut self, name: &str) -> Option<Function<'s>> {
        let mut all = self.extensions(name).into_iter();
        all.find(|function| function.sig.inputs.first().is_some_and(is_mutable))
    }

    /// A method that a trait of the tree adds to a router or method router.
    pub(super) fn extension(
        &mut self,
        frame: &mut Frame<'s>,
        receiver: Value<'s>,
        name: &str,
        args: &[&'s Expr],
    ) -> Option<Value<'s>> {
        let functions = self.extensions(name);
        if functions.is_empty() {
            return None;
        }
        let mut values = vec![receiver];
        values.extend(args.iter().map(|arg| self.expr(frame, arg)));
        let why: Rc<str> = "cfg".into();
        functions
            .into_iter()
            .map(|function| {
                let self_ty = function
                    .self_ty
                    .map(|ty| self.type_ref(function.module, ty));
                self.call(function, values.clone(), self_ty).0
            })
            .reduce(|joined, next| joined.join(next, &why))
    }
}

/// Methods that only a router or method router has, or that it is likely to be called with.
pub(super) fn is_routing(name: &str) -> bool {
    matches!(
        name,
        "route"
            | "route_service"
            | "routes"
            | "nest"
            | "nest_service"
            | "merge"
            | "layer"
            | "route_layer"
            | "fallback"
            | "fallback_service"
            | "method_not_allowed_fallback"
            | "reset_fallback"
            | "with_state"
            | "api_route"
            | "api_route_with"
            | "nest_api_service"
            | "route_with_tsr"
            | "split_for_parts"
            | "finish"
            | "finish_api"
            | "into_make_service"
            | "into_make_service_with_connect_info"
            | "get"
            | "post"
            | "put"
            | "patch"
            | "delete"
    ) || name.starts_with("typed_")
}
