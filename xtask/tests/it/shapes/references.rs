//! Routers that are changed where the scan does not look at once: through a reference, in a
//! function that is a value, in a closure. The change is followed or a finding.

use super::workspace::GUARD;
use super::{Shape, check};

#[test]
fn references() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "references_into_what_holds_a_router",
        r#"
use std::sync::{Arc, Mutex};

use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn one(path: &str) -> Router {
    Router::new()
        .route(path, get(list)) //~ one
        .layer(from_fn(auth)) //~ auth
}

struct Site {
    router: Router,
}

impl Site {
    fn add(&mut self) {
        let Self { router, .. } = self;
        *router = std::mem::take(router).route("/taken-apart", get(show)); //~ taken_apart
    }
}

fn option() -> Router {
    let mut option = Some(one("/option"));
    if let Some(ref mut router) = option {
        *router = std::mem::take(router).route("/matched", get(show)); //~ matched
    }
    option.unwrap()
}

fn vector() -> Router {
    let mut all = vec![one("/vector")];
    for router in all.iter_mut() {
        *router = std::mem::take(router).route("/iterated", get(show)); //~ iterated
    }
    let mut merged = Router::new();
    for router in all {
        merged = merged.merge(router);
    }
    merged
}

fn mutex() -> Router {
    let shared = Arc::new(Mutex::new(one("/mutex")));
    {
        let mut router = shared.lock().unwrap();
        *router = std::mem::take(&mut *router).route("/locked", get(show)); //~ locked
    }
    let router = shared.lock().unwrap().clone();
    router
}

pub fn app() -> Router {
    let mut site = Site { router: one("/site") };
    site.add();
    site.router
        .merge(option())
        .merge(vector())
        .merge(mutex())
}
"#,
        &[
            "GET /site @one list [auth]",
            "RG008 @taken_apart",
            "GET /option @one list [auth]",
            "RG008 @matched",
            "GET /vector @one list [auth]",
            "RG008 @iterated",
            "GET /mutex @one list [auth]",
            "RG008 @locked",
        ],
    ),
    Shape::files(
        "a_guarded_router_taken_apart",
        &[
            ("crates/guard/src/lib.rs", GUARD),
            (
                "apps/app/src/main.rs",
                r#"
mod handlers;

use guard::{GuardedRouter, public, signed_in};
use handlers::{list, show};

struct Site {
    router: GuardedRouter,
}

impl Site {
    fn add(&mut self) {
        let Self { router, .. } = self;
        *router = std::mem::replace(router, GuardedRouter::new()) //~ added
            .get("/open", public("a page for all"), show);
    }
}

fn routes() -> GuardedRouter {
    let mut site = Site {
        router: GuardedRouter::new().get("/a", signed_in(), list), //~ a
    };
    site.add();
    site.router
}

fn main() {
    web_kit::start(routes().finish());
}
"#,
            ),
        ],
        &["GET /a @a list [access:signed-in]", "RG008 @added"],
    ),
    Shape::app(
        "functions_that_change_a_router",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn guarded() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
}

trait Module {
    fn register(router: &mut Router) {
        *router = std::mem::take(router).route("/default", get(show)); //~ default
    }
}

struct Admin;

impl Module for Admin {}

fn by_trait() -> Router {
    let mut router = guarded();
    Admin::register(&mut router);
    router
}

struct Plugin {
    register: fn(&mut Router),
}

fn plug(router: &mut Router) {
    *router = std::mem::take(router).route("/plugged", get(show)); //~ plugged
}

fn by_field() -> Router {
    let plugin = Plugin { register: plug };
    let mut router = guarded();
    (plugin.register)(&mut router);
    router
}

trait RouterExt {
    fn add_health(&mut self) -> &mut Self;
}

impl RouterExt for Router {
    fn add_health(&mut self) -> &mut Self {
        *self = std::mem::take(self).route("/health", get(show)); //~ health
        self
    }
}

fn by_method() -> Router {
    let mut router = guarded();
    router.add_health();
    router
}

fn by_code_of_elsewhere() -> Router {
    let mut router = guarded();
    web_kit::add_debug_routes(&mut router); //~ elsewhere
    router
}

pub fn app() -> Router {
    Router::new()
        .nest("/trait", by_trait())
        .nest("/field", by_field())
        .nest("/method", by_method())
        .nest("/elsewhere", by_code_of_elsewhere())
}
"#,
        &[
            "GET /trait/a @a list [auth]",
            "GET /trait/default @default show",
            "GET /field/a @a list [auth]",
            "GET /field/plugged @plugged show",
            "GET /method/a @a list [auth]",
            "GET /method/health @health show",
            "GET /elsewhere/a @a list [auth]",
            "RG008 @elsewhere",
        ],
    ),
    Shape::app(
        "closures_that_change_a_router",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn guarded() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
}

fn with_path(mut call: impl FnMut(&'static str)) {
    call("/called");
}

fn called() -> Router {
    let mut router = guarded();
    with_path(|path| {
        router = std::mem::take(&mut router).route(path, get(show)); //~ called
    });
    router
}

fn with_router(other: Router, mut call: impl FnMut(&'static str)) -> Router {
    call("/followed");
    other
}

/// The function is followed for its router already; the closure changes another.
fn followed() -> Router {
    let mut router = guarded();
    let other = with_router(Router::new(), |path| {
        router = std::mem::take(&mut router).route(path, get(show)); //~ followed
    });
    router.merge(other)
}

fn deferred(router: Router) -> impl FnOnce() -> Router {
    move || router
}

/// The closure's `router` is what it was made with, not what is called so where it is called.
fn captured() -> Router {
    let router = Router::new().route("/outside", get(show)); //~ outside
    let inner = deferred(guarded())();
    router.nest("/inner", inner)
}

pub fn app() -> Router {
    Router::new()
        .nest("/called", called())
        .nest("/followed", followed())
        .nest("/captured", captured())
}
"#,
        &[
            "GET /called/a @a list [auth]",
            "GET /called/called @called show",
            "GET /followed/a @a list [auth]",
            "GET /followed/followed @followed show",
            "GET /captured/inner/a @a list [auth]",
            "GET /captured/outside @outside show",
        ],
    ),
    Shape::files(
        "a_closure_that_is_called_where_it_is_served",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, middleware::from_fn, routing::get};

async fn run(build: impl FnOnce(Router) -> Router) {
    let router = Router::new()
        .route("/a", get(handlers::list)) //~ a
        .layer(from_fn(guards::auth)); //~ auth
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, build(router)).await.unwrap();
}

#[tokio::main]
async fn main() {
    run(|router| router.route("/open", get(handlers::show))).await; //~ open
}
"#,
        )],
        &["GET /a @a list [auth]", "GET /open @open show"],
    ),
    Shape::app(
        "a_name_that_was_a_reference",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let mut router = Router::new().route("/open", get(show)); //~ open
    {
        let part = &mut router;
        println!("{}", part.has_routes());
    }
    let mut part = Router::new().route("/a", get(list)); //~ a
    part = part.layer(from_fn(auth)); //~ auth
    router.nest("/part", part)
}
"#,
        &["GET /open @open show", "GET /part/a @a list [auth]"],
    ),
    Shape::app(
        "an_accessor",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{health, list, show};

struct Site {
    router: Router,
}

impl Site {
    fn router_mut(&mut self) -> &mut Router {
        &mut self.router
    }

    fn add(&mut self) {
        let router = std::mem::take(self.router_mut());
        *self.router_mut() = router.route("/open", get(show)); //~ open
    }
}

fn add_health(router: &mut Router) {
    *router = std::mem::take(router).route("/health", get(health)); //~ health
}

pub fn app() -> Router {
    let mut site = Site { router: Router::new() };
    *site.router_mut() = Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    site.add();
    add_health(site.router_mut());
    site.router
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /open @open show",
            "GET /health @health health",
        ],
    ),
    Shape::app(
        "references_that_change_nothing",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

struct Site {
    router: Router,
    extra: Option<Router>,
}

impl Site {
    fn report(&mut self) {
        let Self { router, extra } = self;
        println!("{} and {}", router.has_routes(), extra.is_some());
    }
}

pub fn app() -> Router {
    let mut option = Some(Router::new().route("/a", get(list))); //~ a
    if let Some(inner) = &mut option {
        println!("{}", inner.has_routes());
    }
    if let Some(ref mut inner) = option {
        let copy = inner.clone();
        println!("{}", copy.has_routes());
    }
    let mut site = Site {
        router: option.unwrap_or_default(),
        extra: Some(Router::new().route("/b", get(show))), //~ b
    };
    site.report();
    site.router
        .merge(site.extra.unwrap_or_default())
        .layer(from_fn(auth)) //~ auth
}
"#,
        &["GET /a @a list [auth]", "GET /b @b show [auth]"],
    ),
];
