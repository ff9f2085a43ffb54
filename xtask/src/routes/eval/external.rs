//! Calls of functions of other crates: axum's and tower's by their rules, the rest taken for opaque.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;

use crate::routes::eval::layers::{conditional, one};
use crate::routes::eval::{Eval, Frame};
use crate::routes::router::{Kind, Router};
use crate::routes::value::Value;

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
    "ServiceExt::ready",
    "Steer::new",
    "future::ready",
    "ManuallyDrop::new",
    "Poll::Ready",
    "ControlFlow::Continue",
];

impl<'s> Eval<'_, 's> {
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
        if let Some(value) = self.grpc_function(frame, full, call, at) {
            return value;
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
        if full == ["Err"] {
            // An error, unless a router is handed on in it.
            let args = self.args(frame, &call.args);
            let inner = args.into_iter().next().unwrap_or_else(Value::unknown);
            return if inner.holds_router() {
                inner
            } else {
                Value::unknown()
            };
        }
        match tail.as_str() {
            "mem::drop" | "mem::forget" => return Value::unknown(),
            "process::exit" | "process::abort" => {
                frame.diverged = true;
                return Value::unknown();
            }
            _ if last == "drop" || last == "forget" => return Value::unknown(),
            "Vec::new" | "Vec::with_capacity" | "VecDeque::new" => {
                return Value::List(Rc::default());
            }
            "LazyLock::new" | "Lazy::new" | "LazyCell::new" | "OnceCell::from" => {
                if let Some(first) = first
                    && let Value::Closure(lambda) = self.expr(frame, first)
                {
                    return self.apply(&lambda, Vec::new()).value;
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
        if matches!(
            tail.as_str(),
            "TowerToHyperService::new"
                | "Shared::new"
                | "Service::call"
                | "ServiceExt::oneshot"
                | "ServiceExt::into_make_service"
                | "ServiceExt::into_make_service_with_connect_info"
        ) {
            if let Some(first) = first {
                let first = match first {
                    Expr::Reference(inner) => &inner.expr,
                    first => first,
                };
                let app = self.expr(frame, first);
                let site = self.site(frame, at);
                self.serve_value(&app, site);
            }
            return Value::Served;
        }
        let args = self.args(frame, &call.args);
        let is_lent = |(arg, value): (&Expr, &Value<'s>)| frame.lends(arg) && value.holds_router();
        if call.args.iter().zip(&args).any(is_lent) {
            let site = self.site(frame, at);
            self.give_up(
                site,
                "a router is changed by a call that cannot be followed",
            );
            return Value::from_call(site);
        }
        if let Some(which) = args.iter().position(Value::holds_router) {
            // `NormalizePath::trim_trailing_slash(router)`: what the layer of that name makes.
            let is_wrapper = before.starts_with(char::is_uppercase);
            if matches!(krate, "tower" | "tower_http")
                && is_wrapper
                && which == 0
                && args[0].router().is_some()
            {
                let layer = full[..full.len() - 1].join("::");
                return self.wrap(frame, args[0].clone(), one(layer), at);
            }
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
        let site = self.site(frame, at);
        if tail == "Default::default" {
            Value::unknown()
        } else if is_type {
            Value::External(full[..full.len() - 1].into(), Some(site))
        } else if full.len() > 1 {
            Value::External(full.into(), Some(site))
        } else {
            Value::from_call(site)
        }
    }
}
