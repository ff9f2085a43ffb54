//! Method calls on a router: registration, composition, layers, and the end of it.
//!
//! Long because each method of a router has its arm.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;

use super::call::unparen;
use super::libraries::documentation_route;
use super::names::verb;
use super::{Eval, Frame, opaque, shorten, source};
use crate::routes::router::{Endpoint, Entry, Handler, Kind, Methods, Router, Served, Text};
use crate::routes::source::Site;
use crate::routes::value::Value;

impl<'s> Eval<'_, 's> {
    pub(crate) fn router_method(
        &mut self,
        frame: &mut Frame<'s>,
        mut router: Rc<Router>,
        name: &str,
        at: Span,
        args: &[&'s Expr],
    ) -> Value<'s> {
        let site = self.site(frame, at);
        if router.kind == Kind::Guarded
            && let Some(value) = self.guarded_method(frame, &mut router, name, site, args)
        {
            return value;
        }
        if let [handler] = args
            && self.resource_method(frame, &mut router, name, site, handler)
        {
            return Value::Router(router);
        }
        match (name, args) {
            ("route" | "api_route" | "api_route_with" | "route_with_tsr", [path, methods, ..]) => {
                self.visited.insert(site);
                let path = self.text(frame, path);
                let value = self.expr(frame, methods);
                if let Value::Either(all) = &value
                    && all.iter().all(|value| matches!(value, Value::Methods(_)))
                {
                    for value in all.iter() {
                        let Value::Methods(methods) = value else {
                            continue;
                        };
                        let inner = Rc::make_mut(&mut router);
                        inner.panics.extend(methods.panics.clone());
                        let served = Served::Methods((**methods).clone());
                        inner.add(Entry {
                            condition: Some("one of several".into()),
                            ..Entry::new(path.clone(), site, served)
                        });
                    }
                    return Value::Router(router);
                }
                let served = match value {
                    Value::Methods(methods) => (*methods).clone(),
                    // A handler or something unknown in the place of methods answers everything.
                    other => {
                        let endpoint = self.handler(&other, methods);
                        self.give_up(
                            site,
                            format!("the methods of `{}` are not known", path.shown),
                        );
                        Methods::any(endpoint)
                    }
                };
                let inner = Rc::make_mut(&mut router);
                inner.panics.extend(served.panics.clone());
                if name == "route_with_tsr" {
                    redirect(inner, &path, site);
                }
                inner.route(path, Served::Methods(served), site);
            }
            ("route_service" | "route_service_with_tsr", [path, service]) => {
                self.visited.insert(site);
                let path = self.text(frame, path);
                let value = self.expr(frame, service);
                if let Value::Router(inner) = &value
                    && !inner.is_service
                {
                    let why = "`route_service` takes no router: nest it".to_owned();
                    let endpoint = self.endpoint(frame, service);
                    let refused = Rc::make_mut(&mut router);
                    refused.panics.push((site, why));
                    refused.route(path, Served::Service(endpoint), site);
                    return Value::Router(router);
                }
                let endpoint = self.endpoint(frame, service);
                if name == "route_service_with_tsr" {
                    redirect(Rc::make_mut(&mut router), &path, site);
                }
                Rc::make_mut(&mut router).route(path, Served::Service(endpoint), site);
            }
            ("routes", [registered]) => {
                self.visited.insert(site);
                match self.expr(frame, registered) {
                    Value::Routes(pairs) => {
                        let inner = Rc::make_mut(&mut router);
                        for (path, methods) in pairs.iter() {
                            let path = if path.shown.is_empty() {
                                Text::known("/")
                            } else {
                                path.clone()
                            };
                            inner.panics.extend(methods.panics.clone());
                            inner.route(path, Served::Methods(methods.clone()), site);
                        }
                    }
                    _ => self.add_opaque(&mut router, site, &shorten(&source(registered))),
                }
            }
            ("nest" | "nest_api_service" | "nest_service", [prefix, inner]) => {
                let prefix = self.text(frame, prefix);
                let value = self.expr(frame, inner);
                match self.as_router(value) {
                    Ok(other) => {
                        let mine = Rc::make_mut(&mut router);
                        if name == "nest" {
                            mine.nest(&prefix, (*other).clone(), site);
                        } else {
                            self.visited.insert(site);
                            mine.nest_router_as_service(&prefix, (*other).clone(), site);
                        }
                    }
                    Err(Value::Opaque(opaque)) if name == "nest" && opaque.is_param => {
                        Rc::make_mut(&mut router).is_open = true;
                    }
                    Err(value) if name == "nest" => {
                        if !matches!(value, Value::Routes(_)) {
                            let what = shorten(&source(inner));
                            let mut unknown = Rc::new(Router::new(router.kind, router.axum));
                            self.add_opaque(&mut unknown, site, &what);
                            let mine = Rc::make_mut(&mut router);
                            mine.nest(&prefix, Rc::unwrap_or_clone(unknown), site);
                        }
                    }
                    Err(value) => {
                        self.visited.insert(site);
                        let endpoint = self.endpoint_of(value, inner);
                        Rc::make_mut(&mut router).nest_service(prefix, endpoint, site);
                    }
                }
            }
            ("merge", [other]) => {
                let value = self.expr(frame, other);
                match self.as_router(value) {
                    Ok(other) => Rc::make_mut(&mut router).merge((*other).clone(), site),
                    Err(Value::Opaque(opaque)) if opaque.is_param => {
                        Rc::make_mut(&mut router).is_open = true;
                    }
                    Err(_) => self.add_opaque(&mut router, site, &shorten(&source(other))),
                }
            }
            ("layer" | "route_layer", [layer]) => {
                let layer = self.layer_use(frame, at, layer);
                let inner = Rc::make_mut(&mut router);
                if name == "layer" {
                    inner.layer(&layer);
                } else {
                    inner.route_layer(&layer);
                }
            }
            ("fallback" | "fallback_service", [handler]) => {
                self.visited.insert(site);
                let value = self.expr(frame, handler);
                match self.as_router(value) {
                    Ok(other) => {
                        Rc::make_mut(&mut router).set_fallback_router((*other).clone(), site);
                    }
                    Err(value) => {
                        let endpoint = self.endpoint_of(value, handler);
                        Rc::make_mut(&mut router).set_fallback(endpoint, site);
                    }
                }
            }
            ("method_not_allowed_fallback", [handler]) => {
                self.visited.insert(site);
                let endpoint = self.endpoint(frame, handler);
                Rc::make_mut(&mut router).method_not_allowed_fallback(&endpoint);
            }
            ("add_service", [service]) if router.kind == Kind::Grpc => {
                return self.add_service(frame, router, service, site);
            }
            ("prepare" | "routes", []) if router.kind == Kind::Grpc => {}
            (
                "serve"
                | "serve_with_shutdown"
                | "serve_with_incoming"
                | "serve_with_incoming_shutdown",
                _,
            ) if router.kind == Kind::Grpc => {
                self.serve_value(&Value::Router(router), site);
                return Value::Served;
            }
            ("into_axum_router", []) => Rc::make_mut(&mut router).kind = Kind::Axum,
            ("reset_fallback", []) => Rc::make_mut(&mut router).reset_fallback(),
            ("with_state", _) if router.kind != Kind::Guarded => {}
            (
                "clone"
                | "into"
                | "with_state"
                | "lock"
                | "read"
                | "write"
                | "without_v07_checks"
                | "into_service"
                | "as_service"
                | "boxed"
                | "into_router"
                | "unwrap"
                | "expect"
                | "finish_api"
                | "finish_api_with"
                | "finish"
                | "into_inner"
                | "as_ref"
                | "as_mut"
                | "as_deref_mut"
                | "get_mut"
                | "axum_router_mut"
                | "get_or_insert"
                | "take"
                | "to_owned"
                | "unwrap_or_default"
                | "by_ref"
                | "ready"
                | "url"
                | "external_url_unchecked"
                | "config"
                | "oauth"
                | "path"
                | "map_err"
                | "ok"
                | "context"
                | "with_path_items"
                | "with_path_items_mut"
                | "borrow"
                | "into_iter",
                _,
            ) => {
                if matches!(name, "url" | "external_url_unchecked")
                    && let [path, ..] = args
                {
                    let path = self.text(frame, path);
                    documentation_route(&mut router, path, site, "openapi");
                } else if name == "path"
                    && let [path] = args
                {
                    let path = self.text(frame, path);
                    documentation_route(&mut router, path, site, "documentation");
                }
            }
            ("urls" | "external_urls_from_iter_unchecked", [list]) => {
                self.documents(frame, &mut router, list, site);
            }
            ("split_for_parts", _) => {
                return Value::Tuple(Rc::new(vec![Value::Router(router), Value::unknown()]));
            }
            (
                "has_routes" | "to_openapi" | "into_openapi" | "get_openapi" | "get_openapi_mut"
                | "poll_ready" | "is_some" | "is_none" | "records",
                _,
            ) => return Value::unknown(),
            ("call", [_])
            | ("into_make_service" | "into_make_service_with_connect_info" | "oneshot", _) => {
                self.serve_value(&Value::Router(router), site);
                return Value::Served;
            }
            ("unwrap_or" | "or" | "unwrap_or_else" | "or_else", [other]) => {
                let mut other = self.expr(frame, other);
                if let Value::Closure(lambda) = &other {
                    let lambda = Rc::clone(lambda);
                    other = self.apply(&lambda, vec![Value::unknown()]).value;
                }
                let other = self
                    .as_router(other)
                    .map_or_else(|other| other, Value::Router);
                return Value::Router(router).join(other, &"a default".into());
            }
            ("pipe" | "map" | "and_then" | "apply" | "tap" | "then", [function]) => {
                let function = self.expr(frame, function);
                if matches!(function, Value::Closure(_) | Value::Function(_)) {
                    return self.apply_value(function, vec![Value::Router(router)], at, frame);
                }
                return self.unknown_router_method(frame, router, name, site, args);
            }
            ("map_or", [default, function]) => {
                let default = self.expr(frame, default);
                let function = self.expr(frame, function);
                let value = self.apply_value(function, vec![Value::Router(router)], at, frame);
                return default.join(value, &"an option".into());
            }
            (typed, [handler]) if typed.starts_with("typed_") && verb(&typed[6..]).is_some() => {
                self.visited.insert(site);
                let path = self.typed_path(frame, handler);
                let endpoint = self.endpoint(frame, handler);
                let mut methods = Methods::default();
                if let Some(verb) = verb(&typed[6..]) {
                    methods.verbs.push((verb, endpoint));
                }
                Rc::make_mut(&mut router).route(path, Served::Methods(methods), site);
            }
            _ => return self.unknown_router_method(frame, router, name, site, args),
        }
        Value::Router(router)
    }

    pub(super) fn unknown_router_method(
        &mut self,
        frame: &mut Frame<'s>,
        mut router: Rc<Router>,
        name: &str,
        site: Site,
        args: &[&'s Expr],
    ) -> Value<'s> {
        if let Some(value) = self.extension(frame, Value::Router(Rc::clone(&router)), name, args) {
            match value {
                Value::Router(router) => return Value::Router(router),
                Value::Lost(..) => {
                    // The call here says more than the place inside where the trace ends.
                    if let Value::Lost(inside, n) = value {
                        self.came_back(n);
                        router = inside;
                    }
                }
                other if other.matters() => return other,
                _ => {}
            }
        }
        self.visited.insert(site);
        let handler = args
            .first()
            .map_or_else(String::new, |arg| match unparen(arg) {
                Expr::Reference(inner) => shorten(&source(&inner.expr)),
                other => shorten(&source(other)),
            });
        let what = format!(".{name}({handler})");
        let mut entry = opaque(site, &what);
        let endpoint = Endpoint::new(Handler {
            name: handler,
            ..Handler::default()
        });
        entry.served = Served::Methods(Methods::any(endpoint));
        Rc::make_mut(&mut router).add(entry);
        self.give_up(
            site,
            format!("what `.{name}(…)` does to a router is not known"),
        );
        Value::Router(router)
    }

    pub(super) fn add_opaque(&mut self, router: &mut Rc<Router>, site: Site, what: &str) {
        self.visited.insert(site);
        self.give_up(site, format!("the router `{what}` cannot be evaluated"));
        let mut entry = opaque(site, what);
        let endpoint = Endpoint::new(Handler {
            name: what.to_owned(),
            ..Handler::default()
        });
        entry.served = Served::Methods(Methods::any(endpoint));
        Rc::make_mut(router).add(entry);
    }

    /// Registration on the guarded router: path, policy, handler.
    pub(super) fn guarded_method(
        &mut self,
        frame: &mut Frame<'s>,
        router: &mut Rc<Router>,
        name: &str,
        site: Site,
        args: &[&'s Expr],
    ) -> Option<Value<'s>> {
        if let (Some(verb), [path, policy, handler]) = (verb(name), args) {
            self.visited.insert(site);
            let path = self.text(frame, path);
            let policy = self.eagerly(|eval| eval.expr(frame, policy));
            let mut endpoint = self.endpoint(frame, handler);
            let mut known = (*endpoint.handler).clone();
            match policy {
                Value::Access(access) => known.access = Some((*access).clone()),
                _ => self.give_up(site, format!("the policy of `{}` is not known", path.shown)),
            }
            endpoint.handler = Rc::new(known);
            let methods = Methods::one(verb, endpoint);
            let entry = Entry::new(path, site, Served::Methods(methods));
            Rc::make_mut(router).add(entry);
            return Some(Value::Router(Rc::clone(router)));
        }
        match name {
            "finish" => {
                self.serve_value(&Value::Router(Rc::clone(router)), site);
                Some(Value::unknown())
            }
            "with_state" => Some(Value::Router(Rc::clone(router))),
            _ => None,
        }
    }
}

/// The path with or without its last slash answers with a redirect to the other.
pub(super) fn redirect(router: &mut Router, path: &Text, site: Site) {
    let other = match path.shown.strip_suffix('/') {
        Some("") => return,
        Some(bare) => bare.to_owned(),
        None => format!("{}/", path.shown),
    };
    let handler = Handler {
        name: "redirect".to_owned(),
        ..Handler::default()
    };
    let other = Text {
        shown: other,
        is_known: path.is_known,
    };
    router.route(
        other,
        Served::Methods(Methods::any(Endpoint::new(handler))),
        site,
    );
}
