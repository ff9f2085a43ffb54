//! Layers of all kinds: whatever it is, the place where it is put on is what counts.

use super::{Shape, check};

#[test]
fn layers() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "kinds",
        r#"
use std::time::Duration;

use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::middleware::{self, Next, from_extractor, from_fn_with_state, map_request, map_response};
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use tower::{Layer, Service};
use tower_http::{cors::CorsLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};
use tower_http::validate_request::ValidateRequestHeaderLayer;

use crate::guards::auth;
use crate::handlers::list;

struct Signed;

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = StatusCode;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Err(StatusCode::UNAUTHORIZED)
    }
}

#[derive(Clone)]
struct Own;

impl<S> Layer<S> for Own {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        inner
    }
}

async fn stamp(mut response: Response) -> Response {
    response.headers_mut().insert("x-stamp", HeaderValue::from_static("1"));
    response
}

pub fn app() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(middleware::from_fn(auth)) //~ auth
        .layer(from_fn_with_state((), |request: Request, next: Next| next.run(request))) //~ two
        .layer(from_extractor::<Signed>()) //~ three
        .layer(map_request(|request: Request| async { request })) //~ four
        .layer(map_response(stamp)) //~ five
        .route_layer(ValidateRequestHeaderLayer::bearer("secret")) //~ six
        .layer(SetResponseHeaderLayer::overriding(header::SERVER, HeaderValue::from_static("x"))) //~ seven
        .layer(CorsLayer::permissive()) //~ eight
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(9))) //~ nine
        .layer(Extension("x")) //~ ten
        .layer(Own) //~ eleven
        .route("/b", get(list)) //~ b
}
"#,
        &[
            "GET /a @a list [auth two three four five six seven eight nine ten eleven]",
            "GET /b @b list",
        ],
    ),
    Shape::app(
        "stacks",
        r#"
use std::time::Duration;

use axum::{Router, error_handling::HandleErrorLayer, http::StatusCode, middleware::from_fn, routing::get};
use tower::{ServiceBuilder, timeout::TimeoutLayer, util::option_layer};
use tower_http::{ServiceBuilderExt as _, request_id::MakeRequestUuid, trace::TraceLayer};

use crate::guards::{auth, log};
use crate::handlers::{list, show};

pub fn app() -> Router {
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_| async { StatusCode::REQUEST_TIMEOUT }))
        .layer(TimeoutLayer::new(Duration::from_secs(9)))
        .layer(from_fn(auth));
    let traced = TraceLayer::new_for_http();
    let both = (traced.clone(), from_fn(log));
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(stack.clone()) //~ auth_stack
        .layer(both) //~ both
        .route("/b", get(show).layer(stack)) //~ b auth_b
        .route("/c", get(show).route_layer((from_fn(auth), from_fn(log)))) //~ c auth_c
        .layer( //~ built
            ServiceBuilder::new()
                .set_x_request_id(MakeRequestUuid)
                .load_shed()
                .concurrency_limit(64)
                .option_layer(cfg!(debug_assertions).then(|| from_fn(log)))
                .layer_fn(|service| service)
                .propagate_x_request_id()
                .into_inner(),
        )
        .layer(option_layer(Some(traced))) //~ option
        .route("/d", get(list)) //~ d
}
"#,
        &[
            "GET /a @a list [auth_stack both built option]",
            "GET /b @b show [auth_b built option]",
            "GET /c @c show [auth_c built option]",
            "GET /d @d list",
        ],
    ),
    Shape::app(
        "from_functions_and_fields",
        r#"
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::{Router, routing::{Route, get}};
use tower::{Layer, Service};
use tower_http::cors::{Any, CorsLayer};

use crate::guards::auth;
use crate::handlers::{list, show};

fn cors() -> CorsLayer {
    CorsLayer::new().allow_origin(Any)
}

fn guard() -> impl Layer<Route, Service: Service<Request, Response: IntoResponse, Error = std::convert::Infallible, Future: Send> + Clone + Send + Sync> + Clone + Send + Sync + 'static {
    from_fn(auth)
}

struct Layers {
    cors: CorsLayer,
}

pub fn app() -> Router {
    let layers = Layers { cors: cors() };
    let auth = guard();
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(auth) //~ auth
        .route("/b", get(show)) //~ b
        .layer(layers.cors) //~ cors
        .nest("/n", Router::new().route("/c", get(list)).layer(guard())) //~ c auth_c
}
"#,
        &[
            "GET /a @a list [auth cors]",
            "GET /b @b show [cors]",
            "GET /n/c @c list [auth_c]",
        ],
    ),
    Shape::files(
        "around_the_whole_app",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, ServiceExt as _, extract::Request, middleware::from_fn, routing::get};
use handlers::{list, missing};
use tower::{Layer as _, ServiceBuilder};
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/a", get(list)) //~ a
        .fallback(missing); //~ missing
    let app = ServiceBuilder::new()
        .layer(from_fn(guards::log))
        .service(app); //~ service
    let app = from_fn(guards::auth).layer(app); //~ auth
    let app = NormalizePathLayer::trim_trailing_slash().layer(app); //~ normal
    let app: NormalizePath<_> = app;
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await.unwrap();
}
"#,
        )],
        &[
            "GET /a @a list [service auth normal]",
            "ANY <fallback:/> @missing missing [service auth normal]",
        ],
    ),
    Shape::app(
        "chosen_at_run_time",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use tower::{ServiceBuilder, util::Either};
use tower_http::cors::CorsLayer;

use crate::guards::{auth, log};
use crate::handlers::list;

pub fn app() -> Router {
    let secure = std::env::var_os("SECURE").is_some();
    let either = if secure { Either::Left(from_fn(auth)) } else { Either::Right(from_fn(log)) };
    let cors = match std::env::var("ORIGIN") {
        Ok(origin) => CorsLayer::new().allow_origin([origin.parse().unwrap()]),
        Err(_) => CorsLayer::permissive(),
    };
    let mut stack = vec![from_fn(auth)];
    let last = stack.pop();
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(either) //~ either
        .layer(cors) //~ cors
        .layer(ServiceBuilder::new().option_layer(last)) //~ last
}
"#,
        &["GET /a @a list [either? cors last?]"],
    ),
    Shape::app(
        "layers_that_are_lost",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let router = Router::new().route("/a", get(list)); //~ a
    // Of a clone, and of a value that nobody takes.
    let _layered = router.clone().layer(from_fn(auth));
    let _ = router.clone().route_layer(from_fn(auth));
    let methods = get(show);
    let _guarded = methods.clone().layer(from_fn(auth));
    router.route("/b", methods) //~ b
}
"#,
        &["GET /a @a list", "GET /b @b show"],
    ),
];
