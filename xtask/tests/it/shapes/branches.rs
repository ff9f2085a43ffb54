//! Branches and bindings: what is a route on one way only is a route all the same, and a layer
//! that one way lacks is not around it on that way.

use super::{Shape, check};

#[test]
fn branches() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "if_and_else",
        r#"
use axum::{Router, middleware::from_fn, routing::{get, post}};

use crate::guards::{auth, log};
use crate::handlers::{create, list, show};

pub fn app() -> Router {
    let debug = std::env::var_os("DEBUG").is_some();
    let mut router = Router::new().route("/a", get(list)); //~ a
    if debug {
        router = router.route("/debug", get(show)); //~ debug
    } else {
        router = router.route("/release", get(show)); //~ release
    }
    let router = if debug { router.layer(from_fn(log)) } else { router }; //~ log
    let router = if let Ok(path) = std::env::var("HOOK") {
        router.route(&path, post(create)) //~ hook
    } else {
        router
    };
    router
        .merge(if debug { Router::new().route("/x", get(list)) } else { Router::new() }) //~ x
        .route_layer(from_fn(auth)) //~ auth
}
"#,
        &[
            "GET /a @a list [auth log?]",
            "GET /debug @debug show [auth log?]",
            "GET /release @release show [auth log?]",
            "POST {?} @hook create [auth]",
            "GET /x @x list [auth]",
        ],
    ),
    Shape::app(
        "matches",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

enum Mode {
    Open,
    Closed,
    Both(Router),
}

fn mode() -> Mode {
    match std::env::args().count() {
        0 => Mode::Open,
        1 => Mode::Closed,
        _ => Mode::Both(Router::new().route("/both", get(list))), //~ both
    }
}

pub fn app() -> Router {
    let router = Router::new().route("/a", get(list)); //~ a
    match mode() {
        Mode::Open => router.route("/open", get(show)), //~ open
        Mode::Closed => {
            let router = router.route("/closed", get(show)); //~ closed
            router.layer(from_fn(auth)) //~ auth
        }
        Mode::Both(other) => router.merge(other),
    }
}
"#,
        &[
            "GET /a @a list [auth?]",
            "GET /open @open show",
            "GET /closed @closed show [auth]",
            "GET /both @both list",
        ],
    ),
    Shape::app(
        "early_returns",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{health, list, show};

fn build(minimal: bool) -> Router {
    let router = Router::new().route("/health", get(health)); //~ health
    if minimal {
        return router.route("/minimal", get(show)); //~ minimal
    }
    let Some(path) = std::env::args().next() else {
        return router;
    };
    if path.is_empty() {
        panic!("no path");
    }
    router
        .route("/full", get(list)) //~ full
        .layer(from_fn(auth)) //~ auth
}

pub fn app() -> Router {
    build(false)
}
"#,
        &[
            "GET /health @health health [auth?]",
            "GET /minimal @minimal show",
            "GET /full @full list [auth]",
        ],
    ),
    Shape::app(
        "options",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::{list, show};

pub struct Config {
    pub metrics: Option<String>,
    pub docs: Option<Router>,
}

fn config() -> Config {
    Config { metrics: std::env::var("METRICS").ok(), docs: None }
}

pub fn app() -> Router {
    let config = config();
    let router = Router::new().route("/a", get(list)); //~ a
    let router = config.metrics.as_deref().map_or(router.clone(), |path| router.route(path, get(show))); //~ metrics
    let router = match config.metrics {
        Some(_) => router.layer(from_fn(log)), //~ log
        None => router,
    };
    let docs = std::env::var("DOCS").ok().map(|_| Router::new().route("/docs", get(show))); //~ docs
    let router = if let Some(docs) = docs { router.merge(docs) } else { router };
    let extra = cfg!(debug_assertions).then(|| Router::new().route("/extra", get(show))); //~ extra
    router
        .merge(extra.unwrap_or_else(Router::new))
        .route_layer(from_fn(auth)) //~ auth
}
"#,
        &[
            "GET /a @a list [auth log?]",
            "GET {?} @metrics show [auth log]",
            "GET /docs @docs show [auth]",
            "GET /extra @extra show [auth]",
        ],
    ),
    Shape::app(
        "conditional_compilation",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::{list, show};

#[cfg(feature = "admin")]
fn admin() -> Router {
    Router::new().route("/admin", get(list)) //~ admin
}

#[cfg(not(feature = "admin"))]
fn admin() -> Router {
    Router::new().route("/admin-is-off", get(show)) //~ off
}

#[cfg(unix)]
mod platform {
    pub const PATH: &str = "/unix";
}

#[cfg(not(unix))]
mod platform {
    pub const PATH: &str = "/other";
}

pub fn app() -> Router {
    let mut router = Router::new().merge(admin());
    #[cfg(debug_assertions)]
    {
        router = router.route("/debug", get(show)); //~ debug
    }
    #[cfg(feature = "auth")]
    let router = router.layer(from_fn(auth)); //~ auth
    #[cfg(not(feature = "auth"))]
    let router = router.layer(from_fn(log)); //~ log
    let router = router.route(platform::PATH, get(show)); //~ platform
    #[cfg(feature = "extra")]
    let router = router.route("/extra", get(list)); //~ extra
    if cfg!(windows) { router.route("/windows", get(list)) } else { router } //~ windows
}
"#,
        &[
            "GET /admin @admin list [auth? log?]",
            "GET /admin-is-off @off show [auth? log?]",
            "GET /debug @debug show [auth? log?]",
            // Either of two values: that it is one of them is all that can be said.
            "GET {?} @platform show",
            "GET /extra @extra list",
            "GET /windows @windows list",
        ],
    ),
    Shape::app(
        "layer_on_one_way_only",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use tower::util::option_layer;

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    let guarded = std::env::var_os("OPEN").is_none();
    let mut first = Router::new().route("/first", get(list)); //~ first
    if guarded {
        first = first.route_layer(from_fn(auth)); //~ auth
    }
    let second = Router::new()
        .route("/second", get(list)) //~ second
        .layer(option_layer(guarded.then(|| from_fn(auth)))); //~ option
    first.merge(second)
}
"#,
        &[
            "GET /first @first list [auth?]",
            "GET /second @second list [option?]",
        ],
    ),
];
