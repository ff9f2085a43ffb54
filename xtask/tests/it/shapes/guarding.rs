//! Whether a layer is the guard: its name is resolved, and what merely looks like it is not it.

use super::{Shape, check};

#[test]
fn guarding() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "names_of_the_guard",
        &[
            (
                "src/main.rs",
                r#"
mod app;
mod guards;
mod handlers;
mod stack {
    pub use crate::guards::{auth as check, log};

    pub mod deeper {
        pub use super::*;
    }
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app::app()).await.unwrap();
}
"#,
            ),
            (
                "src/app.rs",
                r#"
use axum::extract::Request;
use axum::middleware::{self, Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::{Router, routing::get};
use tower::ServiceBuilder;

use crate::guards::auth as require;
use crate::handlers::list;
use crate::{guards, stack};

mod other {
    use super::*;

    /// Turns nobody away.
    pub async fn auth(request: Request, next: Next) -> Response {
        next.run(request).await
    }
}

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

pub fn app() -> Router {
    let layer = from_fn(guards::auth);
    let (first, second) = (from_fn(guards::auth), from_fn(guards::log));
    Router::new()
        .merge(one("/renamed").layer(from_fn(require))) //~ auth_renamed
        .merge(one("/again").layer(from_fn(stack::deeper::check))) //~ auth_again
        .merge(one("/state").layer(from_fn_with_state((), guards::auth))) //~ auth_state
        .merge(one("/typed").layer(from_fn::<_, (Request,)>(guards::auth))) //~ auth_typed
        .merge(one("/path").layer(middleware::from_fn(crate::guards::auth))) //~ auth_path
        .merge(one("/bound").layer(layer)) //~ auth_bound
        .merge(one("/first").layer(first)) //~ auth_first
        .merge(one("/second").layer(second)) //~ second
        .merge(one("/built").layer(ServiceBuilder::new().layer(from_fn(guards::auth)))) //~ auth_built
        .merge(one("/tuple").layer((from_fn(guards::log), from_fn(require)))) //~ auth_tuple
        .merge(one("/handler").route("/h", get(list.layer(from_fn(require))))) //~ auth_handler
        .merge(one("/other").layer(from_fn(other::auth))) //~ other
        .merge(one("/closure").layer(from_fn(|request: Request, next: Next| next.run(request)))) //~ closure
        .merge({
            let require = guards::log;
            one("/shadowed").layer(from_fn(require)) //~ shadowed
        })
        .merge({
            async fn require(request: Request, next: Next) -> Response {
                next.run(request).await
            }
            one("/nested").layer(from_fn(require)) //~ nested
        })
        .merge(one("/not").layer(from_fn(stack::log))) //~ not
}
"#,
            ),
        ],
        &[
            "GET /renamed @one list [auth_renamed]",
            "GET /again @one list [auth_again]",
            "GET /state @one list [auth_state]",
            "GET /typed @one list [auth_typed]",
            "GET /path @one list [auth_path]",
            "GET /bound @one list [auth_bound]",
            "GET /first @one list [auth_first]",
            "GET /second @one list [second?]",
            "GET /built @one list [auth_built]",
            "GET /tuple @one list [auth_tuple]",
            "GET /handler @one list",
            "GET /h @auth_handler - [auth_handler]",
            "GET /other @one list [other?]",
            "GET /closure @one list [closure?]",
            "GET /shadowed @one list [shadowed?]",
            "GET /nested @one list [nested?]",
            "GET /not @one list [not?]",
        ],
    ),
    Shape::app(
        "one_route_two_ways",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn users() -> Router {
    Router::new().route("/users", get(list)) //~ users
}

/// The same routes guarded and, below another path, open.
pub fn app() -> Router {
    let guarded = users().layer(from_fn(auth)); //~ auth
    Router::new()
        .nest("/v2", users())
        .merge(guarded)
        .nest("/v1", users().layer(from_fn(auth))) //~ auth_v1
}
"#,
        &[
            "GET /users @users list [auth]",
            "GET /v1/users @users list [auth_v1]",
            "GET /v2/users @users list",
        ],
    ),
];
