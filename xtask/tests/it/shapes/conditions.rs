//! `cfg` on parts of statements: what may be left out guards nothing, what may be there is served.

use super::{Shape, check};

#[test]
fn conditions() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "conditions_that_hold_in_tests_too",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

pub fn app() -> Router {
    let app = Router::new().route("/a", get(list)); //~ a
    #[cfg(all(unix, any(debug_assertions, test, feature = "profiling")))]
    let app = app.route("/debug", get(show)); //~ debug
    #[cfg(all(test, any(unix, windows)))]
    let app = app.route("/all", get(show));
    #[cfg(any(test, all(test, unix)))]
    let app = app.route("/any", get(show));
    #[cfg(not(test))]
    let app = app.route("/not", get(show)); //~ not
    app
}
"#,
        &[
            "GET /a @a list",
            "GET /debug @debug show",
            "GET /not @not show",
        ],
    ),
    Shape::files(
        "arguments_under_cfg",
        &[
            ("xtask.toml", "[routes]\nextractors = [\"app::User\"]\n"),
            (
                "src/main.rs",
                r#"
use axum::{Router, routing::get};

struct User;

async fn sometimes(#[cfg(feature = "auth")] _: User) {}

async fn always(_: User) {}

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/sometimes", get(sometimes)) //~ sometimes
        .route("/always", get(always)); //~ always
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
        ],
        &[
            "GET /sometimes @sometimes sometimes",
            "GET /always @always always [access:app::User]",
        ],
    ),
    Shape::app(
        "elements_under_cfg",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn guarded(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth
}

fn logged(app: Router) -> Router {
    app.layer(from_fn(log)) //~ log
}

fn users() -> Router {
    one("/users")
}

pub fn app() -> Router {
    let steps: Vec<fn(Router) -> Router> = vec![#[cfg(feature = "auth")] guarded, logged];
    let mut app = one("/steps");
    for step in steps {
        app = step(app);
    }
    let layers = [#[cfg(feature = "auth")] from_fn(auth)]; //~ auth_layers
    let mut other = one("/layers");
    for layer in layers {
        other = other.layer(layer); //~ auth_layered
    }
    let parts = vec![one("/always"), #[cfg(feature = "sometimes")] one("/sometimes")];
    let made: [fn() -> Router; 1] = [#[cfg(feature = "users")] users];
    for part in parts {
        app = app.merge(part);
    }
    for make in made {
        app = app.merge(make());
    }
    app.merge(other)
}
"#,
        &[
            "GET /steps @one list [auth? log]",
            "GET /layers @one list [auth_layered?]",
            "GET /always @one list",
            "GET /sometimes @one list",
            "GET /users @one list",
        ],
    ),
];
