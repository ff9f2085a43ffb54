//! Nesting, merging and fallbacks: which path comes out, and where axum refuses.

use super::{Shape, check};

#[test]
fn nesting() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "joined_paths",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

fn inner() -> Router {
    Router::new()
        .route("/", get(list)) //~ root
        .route("/x", get(show)) //~ x
}

pub fn app() -> Router {
    Router::new()
        .nest("/n", inner())
        .nest("/m/", inner())
        .nest("/deep", Router::new().nest("/{id}", inner()))
}
"#,
        &[
            "GET /n @root list",
            "GET /n/x @x show",
            "GET /m/ @root list",
            "GET /m/x @x show",
            "GET /deep/{id} @root list",
            "GET /deep/{id}/x @x show",
        ],
    ),
    Shape::app(
        "services_that_are_routers",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use tower::ServiceBuilder;

use crate::guards::{auth, log};
use crate::handlers::{list, missing, show};

pub fn app() -> Router {
    let inner = Router::new()
        .route("/x", get(show)) //~ x
        .fallback(missing) //~ missing
        .layer(from_fn(auth)); //~ auth
    let wrapped = ServiceBuilder::new()
        .layer(from_fn(log))
        .service(Router::new().route("/y", get(list))); //~ y
    Router::new()
        .nest_service("/n", inner)
        .nest_service("/w", wrapped)
        .layer(from_fn(log)) //~ log
        .nest_service("/late", Router::new().route("/z", get(list)).into_service::<axum::body::Body>()) //~ z
}
"#,
        &[
            "GET /n/x @x show [auth log]",
            "ANY <fallback:/n> @missing missing [auth log]",
            "GET /w/y @y list [y log]",
            "GET /late/z @z list",
        ],
    ),
    Shape::app(
        "fallbacks",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::{list, missing, show};

pub fn app() -> Router {
    let inner = Router::new()
        .route("/x", get(show)) //~ x
        .fallback(missing) //~ inner
        .layer(from_fn(auth)); //~ auth
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(log)) //~ log
        .nest("/n", inner)
        .fallback(|| async { "nothing here" }) //~ outer
}
"#,
        &[
            "GET /a @a list [log]",
            "GET /n/x @x show [auth]",
            "ANY <fallback:/n> @inner missing [auth]",
            "ANY <fallback:/> @outer closure",
        ],
    ),
    Shape::app(
        "router_as_the_fallback",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let old = Router::new().route("/old", get(show)); //~ old
    Router::new()
        .route("/a", get(list)) //~ a
        .fallback_service(old)
        .layer(from_fn(auth)) //~ auth
}
"#,
        &["GET /a @a list [auth]", "GET /old @old show [auth]"],
    ),
    Shape::app(
        "refused_verb_twice",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

pub fn app() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .route("/a", get(show)) //~ again
}
"#,
        &["GET /a @a list", "GET /a @again show", "RG011 @again"],
    ),
    Shape::app(
        "refused_layer_of_nothing",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    Router::new()
        .route_layer(from_fn(auth)) //~ early
        .route("/a", get(list)) //~ a
}
"#,
        &["GET /a @a list", "RG011 @early"],
    ),
    Shape::app(
        "refused_path_of_an_older_axum",
        r#"
use axum::{Router, routing::get};

use crate::handlers::show;

pub fn app() -> Router {
    Router::new().route("/users/:id", get(show)) //~ user
}
"#,
        &["GET /users/:id @user show", "RG011 @user"],
    ),
    Shape::app(
        "refused_nest_at_the_root",
        r#"
use axum::{Router, routing::get};

use crate::handlers::show;

pub fn app() -> Router {
    Router::new().nest("/", Router::new().route("/a", get(show))) //~ nest
}
"#,
        &["GET /a @nest show", "RG011 @nest"],
    ),
    Shape::app(
        "wrapped_routers_as_services",
        r#"
use axum::{Router, middleware::from_fn, routing::{any_service, get}};
use tower::ServiceBuilder;

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    let inner = Router::new().route("/x", get(list)); //~ x
    let service = ServiceBuilder::new()
        .layer(from_fn(auth))
        .service(inner); //~ auth
    Router::new()
        .route_service("/one", service.clone()) //~ one
        .route("/two", any_service(service.clone())) //~ two
        .nest_service("/three", service)
}
"#,
        &[
            // What answers below is the inner router; here it is one service.
            "ANY /one @one - [auth]",
            "ANY /two @two - [auth]",
            "GET /three/x @x list [auth]",
        ],
    ),
    Shape::app(
        "refused_router_as_a_service",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

pub fn app() -> Router {
    let inner = Router::new().route("/x", get(list));
    Router::new().route_service("/one", inner) //~ one
}
"#,
        &["ANY /one @one -", "RG011 @one"],
    ),
];
