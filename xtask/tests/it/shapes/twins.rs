//! Twins under `cfg`, and implementations of which one is taken: a guard in one of them is none.

use super::{Shape, check};

#[test]
fn twins() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "guards_of_twins",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

struct Guards;

impl Guards {
    #[cfg(feature = "auth")]
    fn add(&self, router: Router) -> Router {
        router.layer(from_fn(auth)) //~ method
    }

    #[cfg(not(feature = "auth"))]
    fn add(&self, router: Router) -> Router {
        router
    }
}

trait Guarded {
    fn guarded(self) -> Self;
}

#[cfg(feature = "auth")]
impl Guarded for Router {
    fn guarded(self) -> Self {
        self.layer(from_fn(auth)) //~ extension
    }
}

#[cfg(not(feature = "auth"))]
impl Guarded for Router {
    fn guarded(self) -> Self {
        self
    }
}

trait Guard {
    fn apply(&self, router: Router) -> Router;
}

struct Strict;
struct Lax;

impl Guard for Strict {
    fn apply(&self, router: Router) -> Router {
        router.layer(from_fn(auth)) //~ object
    }
}

impl Guard for Lax {
    fn apply(&self, router: Router) -> Router {
        router
    }
}

pub fn app() -> Router {
    let guard: Box<dyn Guard> = if std::env::args().count() > 1 { Box::new(Strict) } else { Box::new(Lax) };
    Guards
        .add(one("/method"))
        .merge(one("/extension").guarded())
        .merge(guard.apply(one("/object")))
        .merge(Lax.apply(one("/lax")))
}
"#,
        &[
            "GET /method @one list [method?]",
            "GET /extension @one list [extension?]",
            "GET /object @one list [object?]",
            "GET /lax @one list",
        ],
    ),
    Shape::app(
        "layers_of_twins_and_returns_of_blocks",
        r#"
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::Router;
use axum::routing::{Route, get};
use tower::{Layer, Service};

use crate::guards::auth;
use crate::handlers::list;

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[cfg(feature = "auth")]
macro_rules! guard {
    () => {
        from_fn(auth)
    };
}

#[cfg(not(feature = "auth"))]
macro_rules! guard {
    () => {
        from_fn(pass)
    };
}

#[cfg(feature = "auth")]
fn twin() -> impl Layer<Route, Service: Service<Request, Response: IntoResponse, Error = std::convert::Infallible, Future: Send> + Clone + Send + Sync> + Clone + Send + Sync + 'static {
    from_fn(auth)
}

#[cfg(not(feature = "auth"))]
fn twin() -> impl Layer<Route, Service: Service<Request, Response: IntoResponse, Error = std::convert::Infallible, Future: Send> + Clone + Send + Sync> + Clone + Send + Sync + 'static {
    from_fn(pass)
}

#[cfg(feature = "auth")]
use crate::guards::auth as check;
#[cfg(not(feature = "auth"))]
use self::pass as check;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

async fn blocked() -> Router {
    let router = one("/async");
    let open = std::env::args().count() > 1;
    async {
        if open {
            return router;
        }
        router.layer(from_fn(auth)) //~ returned
    }
    .await
}

pub fn app() -> Router {
    let runtime = tokio::runtime::Handle::current();
    Router::new()
        .merge(one("/twin").layer(twin())) //~ twin
        .merge(one("/import").layer(from_fn(check))) //~ import
        .merge(one("/macro").layer(guard!())) //~ macro
        .merge(runtime.block_on(blocked()))
}
"#,
        &[
            "GET /twin @one list [twin?]",
            "GET /import @one list [import?]",
            "GET /macro @one list [macro?]",
            "GET /async @one list [returned?]",
        ],
    ),
];
