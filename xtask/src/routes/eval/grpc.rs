//! gRPC services of tonic: its `Routes` are an axum router, with one route for each service.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;

use crate::routes::eval::{Eval, Frame, shorten};
use crate::routes::index::{GENERATED, ModId, type_name};
use crate::routes::router::{Axum, Endpoint, Handler, Kind, LayerUse, Router, Served, Text};
use crate::routes::source::Site;
use crate::routes::value::{TypeRef, Value};

impl<'s> Eval<'_, 's> {
    /// `Routes::new(service)` and the other functions of `tonic` and its sister crates.
    pub(super) fn grpc_function(
        &mut self,
        frame: &mut Frame<'s>,
        full: &[String],
        call: &'s syn::ExprCall,
        at: Span,
    ) -> Option<Value<'s>> {
        let names: Vec<&str> = full.iter().map(String::as_str).collect();
        let args: Vec<&'s Expr> = call.args.iter().collect();
        match (names.as_slice(), args.as_slice()) {
            (
                [
                    "tonic",
                    ..,
                    "Routes" | "RoutesBuilder",
                    "default" | "builder",
                ],
                [],
            ) => Some(Value::Router(Rc::new(self.grpc_routes(frame.module, at)))),
            (["tonic", .., "Routes", "new"], [service]) => {
                let router = Rc::new(self.grpc_routes(frame.module, at));
                let site = self.site(frame, at);
                Some(self.add_service(frame, router, service, site))
            }
            (["tonic", .., "Routes" | "RoutesBuilder", "from"], [router]) => {
                let value = self.expr(frame, router);
                let mut router = self.as_router(value).ok()?;
                Rc::make_mut(&mut router).kind = Kind::Grpc;
                Some(Value::Router(router))
            }
            (["tonic_web", "enable"], [service]) => Some(self.expr(frame, service)),
            ([GENERATED, .., "with_interceptor"], [_, interceptor]) => {
                let service = Endpoint::new(handler(&full[..full.len() - 1])?);
                Some(self.intercepted(frame, service, interceptor, at))
            }
            (["tonic", .., "InterceptedService", "new"], [service, interceptor]) => {
                let value = self.expr(frame, service);
                let service = self.service(value, service);
                Some(self.intercepted(frame, service, interceptor, at))
            }
            ([GENERATED, ..], _) => {
                self.args(frame, &call.args);
                Some(Value::Handler(Rc::new(Endpoint::new(handler(full)?))))
            }
            (["tonic_health", "server", "health_reporter"], []) => {
                Some(Value::Tuple(Rc::new(vec![
                    Value::unknown(),
                    known("grpc.health.v1.Health"),
                ])))
            }
            (["tonic_health", "server", "HealthServer", ..], _) => {
                Some(known("grpc.health.v1.Health"))
            }
            _ => None,
        }
    }

    /// What the builder of another crate makes a service of.
    pub(super) fn grpc_builder(path: &[String], method: &str) -> Option<Value<'s>> {
        match (path.first()?.as_str(), method) {
            ("tonic_reflection", "build" | "build_v1") => {
                Some(known("grpc.reflection.v1.ServerReflection"))
            }
            ("tonic_reflection", "build_v1alpha") => {
                Some(known("grpc.reflection.v1alpha.ServerReflection"))
            }
            _ => None,
        }
    }

    /// A router of that kind before anything is added.
    pub(super) fn empty(&mut self, kind: Kind, module: ModId, at: Span) -> Router {
        match kind {
            Kind::Grpc => self.grpc_routes(module, at),
            kind => Router::new(kind, self.axum(module)),
        }
    }

    /// `tonic::service::Routes` before anything is added: what it does not know, it answers itself.
    fn grpc_routes(&mut self, module: ModId, at: Span) -> Router {
        let mut router = Router::new(Kind::Grpc, self.axum(module));
        let unimplemented = Handler {
            name: "tonic::unimplemented".to_owned(),
            ..Handler::default()
        };
        let site = self.site(&Frame::new(module, None), at);
        router.set_fallback(Endpoint::new(unimplemented), site);
        router
    }

    /// `.add_service(service)`: all methods of it stand below its name.
    pub(super) fn add_service(
        &mut self,
        frame: &mut Frame<'s>,
        mut router: Rc<Router>,
        service: &'s Expr,
        site: Site,
    ) -> Value<'s> {
        self.visited.insert(site);
        let value = self.expr(frame, service);
        let endpoint = self.service(value, service);
        let name = match &endpoint.handler.service {
            Some(name) => Text::known(&**name),
            None => Text::unknown(&format!("{}::NAME", endpoint.handler.name)),
        };
        let rest = match router.axum {
            Axum::V07 => "*rest",
            Axum::V08 => "{*rest}",
        };
        let path = Text {
            shown: format!("/{}/{rest}", name.shown),
            is_known: name.is_known,
        };
        // Which service it is was said where this function was called.
        let site = frame.given_at(service).unwrap_or(site);
        Rc::make_mut(&mut router).route(path, Served::Service(endpoint), site);
        Value::Router(router)
    }

    /// The service a value is, or wraps.
    fn service(&mut self, value: Value<'s>, expr: &'s Expr) -> Endpoint {
        match value {
            Value::Handler(endpoint) => (*endpoint).clone(),
            Value::Struct(record) => {
                let inner = record.fields.iter().find_map(|(_, value)| match value {
                    Value::Handler(endpoint) => Some((**endpoint).clone()),
                    _ => None,
                });
                inner.unwrap_or_else(|| self.handler(&Value::Struct(record), expr))
            }
            Value::Opaque(opaque) => {
                let ty = opaque.ty.as_ref().map(|ty| self.ty(ty));
                match ty.and_then(|ty| handler(&ty.path)) {
                    Some(handler) => Endpoint::new(handler),
                    None => self.handler(&Value::unknown(), expr),
                }
            }
            value => self.handler(&value, expr),
        }
    }

    /// A service behind an interceptor, which stands before it as a layer does.
    fn intercepted(
        &mut self,
        frame: &mut Frame<'s>,
        mut service: Endpoint,
        interceptor: &'s Expr,
        at: Span,
    ) -> Value<'s> {
        let value = self.expr(frame, interceptor);
        let parts = self.parts(frame, value, interceptor);
        service
            .stack
            .push(LayerUse::new(self.site(frame, at), parts));
        Value::Handler(Rc::new(service))
    }

    /// The service that a function of this return type gives.
    pub(super) fn returned_service(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        returned: &'s syn::Type,
    ) -> Option<Value<'s>> {
        let name = type_name(returned)?;
        if !name.ends_with("Server") {
            return None;
        }
        let ty = self.declared(module, self_ty, returned);
        Some(Value::Handler(Rc::new(Endpoint::new(handler(&ty.path)?))))
    }
}

/// The handler that a generated server is, by its path: marker, package of the `.proto`, type.
fn handler(path: &[String]) -> Option<Handler> {
    let [GENERATED, package, ty, ..] = &path.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let service = ty.strip_suffix("Server")?;
    let full = match *package {
        "" => service.to_owned(),
        package => format!("{package}.{service}"),
    };
    Some(Handler {
        name: shorten(ty),
        service: Some(full.into()),
        ..Handler::default()
    })
}

/// A service of a crate whose name everybody knows.
fn known<'s>(service: &str) -> Value<'s> {
    Value::Handler(Rc::new(Endpoint::new(Handler {
        name: service.rsplit('.').next().unwrap_or(service).to_owned(),
        service: Some(service.into()),
        ..Handler::default()
    })))
}
