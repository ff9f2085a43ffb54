//! A program on the real axum: the same calls that its text has, made at run time.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Poll, Waker};

use axum::http::Response;

use super::program::{Program, Version};

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Who answered; none where axum itself did.
    pub(crate) handler: Option<String>,
    /// Marks of the layers around it, the inner ones first.
    pub(crate) layers: Vec<String>,
}

/// A served router: method and path in, answer out.
pub(crate) type Ask = Box<dyn Fn(&str, &str) -> Answer>;

impl Answer {
    pub(crate) fn of<B>(response: &Response<B>) -> Self {
        let texts = |name| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            handler: texts("x-handler").next(),
            layers: texts("x-layers").collect(),
        }
    }
}

/// Adds the name of a layer to an answer that passes it.
pub(crate) fn mark<B>(name: &str, mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    headers.append("x-layers", name.parse().unwrap());
    response
}

/// The value of a future that waits for nothing.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a router without I/O waited"),
    }
}

/// The program's router, served in this process; the panic's message if it does not start.
pub(crate) fn build(program: &Program, version: Version) -> Result<Ask, String> {
    silently(|| match version {
        Version::V07 => on_v07::serve(program),
        Version::V08 => on_v08::serve(program),
    })
}

/// The message of a panic instead of the panic, and nothing on stderr.
pub(crate) fn silently<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    thread_local!(static SILENT: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                default(info);
            }
        }));
    });
    SILENT.set(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    SILENT.set(false);
    result.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other
            .downcast::<&str>()
            .map_or_else(|_| "a panic".to_owned(), |text| (*text).to_owned()),
    })
}

/// The body once per kind of layer: each has a type of its own.
macro_rules! with_layer {
    ($layer:expr, $name:ident => $body:expr) => {{
        let marks = $layer.marks();
        match $layer.kind {
            Kind::One => {
                let $name = marker(marks[0].clone());
                $body
            }
            Kind::Builder => {
                let $name = ServiceBuilder::new()
                    .layer(marker(marks[0].clone()))
                    .layer(marker(marks[1].clone()));
                $body
            }
            Kind::Tuple => {
                let $name = (marker(marks[0].clone()), marker(marks[1].clone()));
                $body
            }
        }
    }};
}

/// The body with the handler, layered or not.
macro_rules! with_handler {
    ($handler:expr, $name:ident => $body:expr) => {{
        let id = $handler.name();
        let bare = move || std::future::ready([("x-handler", id)]);
        match &$handler.layer {
            None => {
                let $name = bare;
                $body
            }
            Some(layer) => with_layer!(layer, layer => {
                let $name = bare.layer(layer);
                $body
            }),
        }
    }};
}

/// The same builder on each version; what only one of them has is handed in.
macro_rules! on_axum {
    ($module:ident, $axum:ident, $version:expr, $reset_fallback:expr) => {
        pub(crate) mod $module {
            use std::convert::Infallible;

            use $axum::Router;
            use $axum::body::Body;
            use $axum::extract::Request;
            use $axum::handler::Handler as _;
            use $axum::response::Response;
            use $axum::routing::{MethodFilter, MethodRouter, any};
            use tower::util::{MapResponseLayer, ServiceExt as _};
            use tower::{Layer, Service, ServiceBuilder};

            use super::super::program::{
                First, Kind, Program, Router as Steps, Step, Then, Verb, Verbs, Version,
            };
            use super::{Answer, Ask, mark, ready};

            pub(super) fn serve(program: &Program) -> Ask {
                let router = router(&program.router);
                match &program.wrap {
                    None => ask(router),
                    Some(layer) => with_layer!(layer, layer => ask(Layer::layer(&layer, router))),
                }
            }

            pub(crate) fn ask<S>(service: S) -> Ask
            where
                S: Service<Request, Response = Response, Error = Infallible> + Clone + 'static,
            {
                Box::new(move |method, path| {
                    let request = Request::builder().method(method).uri(path);
                    let request = request.body(Body::empty()).unwrap();
                    let Ok(response) = ready(service.clone().oneshot(request));
                    Answer::of(&response)
                })
            }

            fn marker(name: String) -> MapResponseLayer<impl Fn(Response) -> Response + Clone> {
                MapResponseLayer::new(move |response| mark(&name, response))
            }

            fn filter(verb: Verb) -> MethodFilter {
                match verb {
                    Verb::Get => MethodFilter::GET,
                    Verb::Post => MethodFilter::POST,
                    Verb::Put => MethodFilter::PUT,
                    Verb::Delete => MethodFilter::DELETE,
                }
            }

            fn router(program: &Steps) -> Router {
                let mut built = Router::new();
                for step in &program.steps {
                    built = match step {
                        Step::Route(path, verbs) => built.route(&at(path), method_router(verbs)),
                        Step::Nest(path, inner) => built.nest(&at(path), router(inner)),
                        Step::NestService(path, inner) => {
                            built.nest_service(&at(path), router(inner))
                        }
                        Step::Merge(inner) => built.merge(router(inner)),
                        Step::Layer(layer) => with_layer!(layer, layer => built.layer(layer)),
                        Step::RouteLayer(layer) => {
                            with_layer!(layer, layer => built.route_layer(layer))
                        }
                        Step::Fallback(handler) => {
                            with_handler!(handler, handler => built.fallback(handler))
                        }
                        Step::MethodNotAllowedFallback(handler) => with_handler!(
                            handler, handler => built.method_not_allowed_fallback(handler)
                        ),
                        Step::ResetFallback => $reset_fallback(built),
                        Step::WithState => built.with_state(()),
                    };
                }
                built
            }

            fn at(path: &str) -> String {
                $version.path(path)
            }

            fn method_router(verbs: &Verbs) -> MethodRouter {
                let mut built = match &verbs.first {
                    First::Empty => MethodRouter::new(),
                    First::Any(handler) => with_handler!(handler, handler => any(handler)),
                    First::Verb(verb, handler) => with_handler!(
                        handler, handler => MethodRouter::new().on(filter(*verb), handler)
                    ),
                    First::On(one, two, handler) => with_handler!(
                        handler,
                        handler => MethodRouter::new().on(filter(*one).or(filter(*two)), handler)
                    ),
                };
                for then in &verbs.then {
                    built = match then {
                        Then::Verb(verb, handler) => {
                            with_handler!(handler, handler => built.on(filter(*verb), handler))
                        }
                        Then::On(one, two, handler) => with_handler!(
                            handler, handler => built.on(filter(*one).or(filter(*two)), handler)
                        ),
                        Then::Layer(layer) => with_layer!(layer, layer => built.layer(layer)),
                        Then::RouteLayer(layer) => {
                            with_layer!(layer, layer => built.route_layer(layer))
                        }
                        Then::Fallback(handler) => {
                            with_handler!(handler, handler => built.fallback(handler))
                        }
                        Then::Merge(other) => built.merge(method_router(other)),
                    };
                }
                built
            }
        }
    };
}

on_axum!(on_v07, axum07, Version::V07, |_: Router| unreachable!(
    "axum 0.7 has no `reset_fallback`"
));
on_axum!(on_v08, axum, Version::V08, Router::reset_fallback);
