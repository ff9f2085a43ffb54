//! Functions that take routers and return them, alone or in something else.

use super::{Shape, check};

#[test]
fn functions() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "taking_and_returning",
        r#"
use axum::{Router, middleware::from_fn, routing::{MethodRouter, get}};

use crate::guards::{auth, log};
use crate::handlers::{health, list, show};

fn guarded(router: Router) -> Router {
    router.layer(from_fn(auth)) //~ auth
}

fn logged(mut router: Router, enabled: bool) -> Router {
    if enabled {
        router = router.layer(from_fn(log)); //~ log
    }
    router
}

fn with<F>(router: Router, add: F) -> Router
where
    F: FnOnce(Router) -> Router,
{
    add(router)
}

fn at(router: Router, path: &str, methods: MethodRouter) -> Router {
    router.route(path, methods) //~ at
}

fn grow(router: &mut Router) {
    *router = std::mem::take(router).route("/grown", get(show)); //~ grown
}

pub fn app() -> Router {
    let router = guarded(Router::new().route("/a", get(list))); //~ a
    let router = at(router, "/b", get(show));
    let router = with(router, |router| router.route("/c", get(list))); //~ c
    let mut router = with(logged(router, true), guarded);
    grow(&mut router);
    Router::route(router, "/health", get(health)) //~ health
}
"#,
        &[
            "GET /a @a list [auth log]",
            "GET /b @at - [auth log]",
            "GET /c @c list [auth log]",
            "GET /grown @grown show",
            "GET /health @health health",
        ],
    ),
    Shape::app(
        "generic_over_the_state",
        r#"
use std::sync::Arc;

use axum::{Router, extract::FromRef, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

#[derive(Clone, Default)]
struct Shared(Arc<str>);

impl FromRef<Shared> for () {
    fn from_ref(_: &Shared) {}
}

fn users<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/users", get(list)) //~ users
}

fn orders<S: Clone + Send + Sync + 'static>(state: &S) -> Router<S> {
    let _ = state;
    Router::<S>::new()
        .route("/orders", get(show)) //~ orders
        .route_layer(from_fn(auth)) //~ auth
}

pub fn app() -> Router {
    let state = Shared::default();
    users::<Shared>().merge(orders(&state)).with_state::<()>(state)
}
"#,
        &["GET /users @users list", "GET /orders @orders show [auth]"],
    ),
    Shape::app(
        "verbs_of_ones_own",
        r#"
use axum::handler::Handler;
use axum::middleware::from_fn;
use axum::routing::{self, MethodRouter};
use axum::{Router, routing::post};

use crate::guards::auth;
use crate::handlers::{create, list, show};

fn get_internal<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    routing::get(handler).route_layer(from_fn(auth)) //~ auth
}

/// Not axum's.
fn get(path: &'static str) -> Router {
    Router::new().route(path, routing::get(show)) //~ own
}

fn route(router: Router, path: &'static str) -> Router {
    router.route(path, post(create)) //~ free
}

pub fn app() -> Router {
    let router = Router::new()
        .route("/internal", get_internal(list).post(create)) //~ internal
        .merge(get("/own"));
    route(router, "/free")
}
"#,
        &[
            "GET /internal @internal list [auth]",
            "POST /internal @internal create",
            "GET /own @own show",
            "POST /free @free create",
        ],
    ),
    Shape::app(
        "closures_that_make_routers",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let section = |path: &'static str| Router::new().route(path, get(list)); //~ section
    let guard = |router: Router| router.route_layer(from_fn(auth)); //~ auth
    let inner = || {
        let router = Router::new();
        router.route("/inner", get(show)) //~ inner
    };
    guard(section("/a")).merge(section("/b")).nest("/n", inner())
}
"#,
        &[
            "GET /a @section list [auth]",
            "GET /b @section list",
            "GET /n/inner @inner show",
        ],
    ),
    Shape::app(
        "closures_that_change_what_they_capture",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let mut router = Router::new();
    let mut add = |path: &str| {
        router = std::mem::take(&mut router).route(path, get(list)); //~ add
    };
    add("/a");
    add("/b");
    let mut guard = || router = router.clone().layer(from_fn(auth)); //~ auth
    guard();
    router.route("/c", get(show)) //~ c
}
"#,
        &[
            "GET /a @add list [auth]",
            "GET /b @add list [auth]",
            "GET /c @c show",
        ],
    ),
];
