//! Where two ways meet: what one of them lacks is not certain, and what one of them has is there.

use super::workspace::GUARD;
use super::{Shape, check};

#[test]
fn joins() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "two_layers_at_one_call",
        r#"
use std::convert::Infallible;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{Route, get};
use axum::{Router, middleware::from_fn};
use tower::util::option_layer;
use tower::{Layer, Service};

use crate::guards::{auth, log};
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn put<L>(router: Router, layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    router.layer(layer) //~ auth
}

fn guard_or_log(is_strict: bool) -> Router {
    if is_strict {
        put(one("/either"), from_fn(auth))
    } else {
        put(one("/either"), from_fn(log))
    }
}

fn guard_or_perhaps_guard(is_strict: bool) -> Router {
    let key = std::env::var("KEY").ok();
    if is_strict {
        put(one("/perhaps"), from_fn(auth))
    } else {
        put(one("/perhaps"), option_layer(key.map(|_| from_fn(auth))))
    }
}

fn guard_or_guard(is_strict: bool) -> Router {
    if is_strict {
        put(one("/both"), from_fn(auth))
    } else {
        put(one("/both"), from_fn(crate::guards::auth))
    }
}

fn guards_of_a_list(is_strict: bool) -> Router {
    let mut guards = Vec::new();
    if is_strict {
        guards.push(from_fn(auth));
    }
    let mut router = one("/list");
    for guard in guards {
        router = router.layer(guard); //~ listed
    }
    router
}

pub fn app() -> Router {
    let is_strict = std::env::var_os("STRICT").is_some();
    guard_or_log(is_strict)
        .merge(guard_or_perhaps_guard(is_strict))
        .merge(guard_or_guard(is_strict))
        .merge(guards_of_a_list(is_strict))
}
"#,
        &[
            "GET /either @one list [auth?]",
            "GET /perhaps @one list [auth?]",
            "GET /both @one list [auth]",
            "GET /list @one list [listed?]",
        ],
    ),
    Shape::files(
        "one_router_for_two_listeners",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use std::convert::Infallible;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{Route, get};
use axum::{Router, middleware::from_fn};
use tokio::net::TcpListener;
use tower::{Layer, Service};

fn put<L>(router: Router, layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    router.layer(layer) //~ layer
}

fn routes() -> Router {
    Router::new().route("/a", get(handlers::list)) //~ a
}

async fn serve(address: &str, router: Router) {
    let listener = TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

#[tokio::main]
async fn main() {
    tokio::join!(
        serve("[::]:80", put(routes(), from_fn(guards::auth))),
        serve("[::]:81", put(routes(), from_fn(guards::log))),
    );
}
"#,
        )],
        &["GET /a @a list [layer?]"],
    ),
    Shape::app(
        "a_closure_of_two",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

pub fn app() -> Router {
    let is_strict = std::env::var_os("STRICT").is_some();
    let protect = if is_strict {
        |router: Router| router.layer(from_fn(auth)) //~ protect
    } else {
        |router: Router| router
    };
    protect(one("/chosen"))
}
"#,
        &["GET /chosen @one list [protect?]"],
    ),
    Shape::files(
        "a_check_of_two",
        &[
            (
                "src/guards.rs",
                r#"
use std::pin::Pin;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

pub fn auth(request: Request, next: Next) -> Answer {
    if request.headers().contains_key("authorization") {
        Box::pin(next.run(request))
    } else {
        Box::pin(async { StatusCode::UNAUTHORIZED.into_response() })
    }
}
"#,
            ),
            (
                "src/main.rs",
                r#"
mod guards;
mod handlers;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::{Router, routing::get};
use guards::{Answer, auth};

type Check = fn(Request, Next) -> Answer;

fn app(is_strict: bool) -> Router {
    let check: Check = if is_strict {
        auth
    } else {
        |request, next| Box::pin(next.run(request))
    };
    Router::new()
        .route("/a", get(handlers::list)) //~ a
        .layer(from_fn(check)) //~ check
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    let is_strict = std::env::var_os("STRICT").is_some();
    axum::serve(listener, app(is_strict)).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a list [check?]"],
    ),
    Shape::files(
        "a_handler_of_two",
        &[
            (
                "xtask.toml",
                r#"
[routes]
extractors = ["app::guards::User"]
"#,
            ),
            (
                "src/guards.rs",
                r#"
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

pub struct User;

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        match parts.headers.get("authorization") {
            Some(_) => Ok(Self),
            None => Err(StatusCode::UNAUTHORIZED),
        }
    }
}
"#,
            ),
            (
                "src/main.rs",
                r#"
mod guards;
mod handlers;

use axum::Router;
use axum::routing::{MethodRouter, get};
use guards::User;
use handlers::show;

async fn mine(_: User) -> &'static str {
    "mine"
}

fn chosen(is_strict: bool) -> Router {
    let methods = if is_strict { get(mine) } else { get(show) };
    Router::new().route("/chosen", methods) //~ chosen
}

fn mount(router: Router, methods: MethodRouter) -> Router {
    router.route("/mounted", methods) //~ mounted
}

fn mounted(is_strict: bool) -> Router {
    if is_strict {
        mount(Router::new(), get(mine))
    } else {
        mount(Router::new(), get(show))
    }
}

#[tokio::main]
async fn main() {
    let is_strict = std::env::var_os("STRICT").is_some();
    let router = chosen(is_strict).merge(mounted(is_strict));
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, router).await.unwrap();
}
"#,
            ),
        ],
        &[
            "GET /chosen @chosen mine [access:app::guards::User]",
            "GET /chosen @chosen show",
            "GET /mounted @mounted mine [access:app::guards::User]",
            "GET /mounted @mounted show",
        ],
    ),
    Shape::app(
        "a_method_of_two",
        r#"
use axum::routing::{MethodFilter, on};
use axum::{Router, middleware::from_fn};

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    let filter = if std::env::var_os("READ").is_some() {
        MethodFilter::GET
    } else {
        MethodFilter::POST
    };
    Router::new()
        .route("/a", on(filter, list)) //~ a
        .layer(from_fn(auth)) //~ auth
}
"#,
        &["ANY /a @a list [auth]", "RG008 @a"],
    ),
    Shape::app(
        "a_fallback_of_two",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, missing, show};

fn guarded(router: Router) -> Router {
    router.layer(from_fn(auth)) //~ auth
}

pub fn app() -> Router {
    let router = Router::new().route("/a", get(list)); //~ a
    if std::env::var_os("EARLY").is_some() {
        guarded(router.fallback(show)) //~ early
    } else {
        guarded(router).fallback(missing) //~ late
    }
}
"#,
        &[
            "GET /a @a list [auth]",
            "ANY <fallback:/> @early show [auth]",
            "ANY <fallback:/> @late missing",
        ],
    ),
    Shape::files(
        "a_policy_of_two",
        &[
            ("crates/guard/src/lib.rs", GUARD),
            (
                "apps/app/src/main.rs",
                r#"
mod handlers;

use guard::{GuardedRouter, Policy, public, signed_in};
use handlers::list;

fn is_development() -> bool {
    std::env::var_os("DEVELOPMENT").is_some()
}

fn branch() -> GuardedRouter {
    let policy = if is_development() {
        public("development")
    } else {
        signed_in()
    };
    GuardedRouter::new().get("/branch", policy, list) //~ branch
}

#[cfg(not(feature = "development"))]
fn policy() -> Policy {
    signed_in()
}

#[cfg(feature = "development")]
fn policy() -> Policy {
    public("development")
}

fn build() -> GuardedRouter {
    GuardedRouter::new().get("/build", policy(), list) //~ build
}

fn with(policy: Policy) -> GuardedRouter {
    GuardedRouter::new().get("/helper", policy, list) //~ helper
}

fn helper() -> GuardedRouter {
    if is_development() {
        with(public("development"))
    } else {
        with(signed_in())
    }
}

fn main() {
    web_kit::start(branch().finish());
    web_kit::start(build().finish());
    web_kit::start(helper().finish());
}
"#,
            ),
        ],
        &[
            "GET /branch @branch list",
            "RG008 @branch",
            "GET /build @build list",
            "RG008 @build",
            "GET /helper @helper list [access:public]",
            "GET /helper @helper list [access:signed-in]",
        ],
    ),
    Shape::app(
        "one_function_for_two_types",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

trait Part {
    fn routes(&self) -> Router;
}

struct Closed;

impl Part for Closed {
    fn routes(&self) -> Router {
        Router::new()
            .route("/closed", get(list)) //~ closed
            .layer(from_fn(auth)) //~ auth
    }
}

struct Open;

impl Part for Open {
    fn routes(&self) -> Router {
        Router::new().route("/open", get(show)) //~ open
    }
}

fn load_closed() -> Closed {
    web_kit::load()
}

fn load_open() -> Open {
    web_kit::load()
}

fn mount(part: impl Part) -> Router {
    part.routes()
}

pub fn app() -> Router {
    Router::new()
        .nest("/x", mount(load_closed()))
        .nest("/y", mount(load_open()))
        .nest("/z", Open.routes().layer(from_fn(auth))) //~ auth_z
}
"#,
        &[
            "GET /x/closed @closed list [auth]",
            "GET /y/open @open show",
            "GET /z/open @open show [auth_z]",
        ],
    ),
    Shape::files(
        "one_layer_made_in_two_ways",
        &[
            (
                "xtask.toml",
                r#"
[routes]
guards = ["tower_http::cors::CorsLayer"]
"#,
            ),
            (
                "src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};
use tower_http::cors::CorsLayer;

/// Whichever it is, such a layer is there.
fn app() -> Router {
    let cors = if cfg!(debug_assertions) {
        CorsLayer::permissive()
    } else {
        CorsLayer::new()
    };
    Router::new()
        .route("/a", get(handlers::list)) //~ a
        .layer(cors) //~ auth
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app()).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a list [auth]"],
    ),
];
