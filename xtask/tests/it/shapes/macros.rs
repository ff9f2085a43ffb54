//! `macro_rules!` that register.

use super::{Shape, check};

#[test]
fn macros() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "simple",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

macro_rules! page {
    ($path:literal, $handler:expr) => {
        Router::new().route($path, get($handler))
    };
}

macro_rules! add {
    ($router:ident, $path:expr) => {
        $router = $router.route($path, get(show));
    };
}

pub fn app() -> Router {
    let mut router = page!("/a", list) //~ a
        .merge(page!("/b", || async { "b" })); //~ b
    add!(router, "/c"); //~ c
    add! { router, concat!("/", "d") } //~ d
    router
}
"#,
        &[
            "GET /a @a list",
            "GET /b @b closure",
            "GET /c @c show",
            "GET /d @d show",
        ],
    ),
    Shape::app(
        "repetition",
        r#"
use axum::{Router, middleware::from_fn, routing::{delete, get, post}};

use crate::guards::auth;
use crate::handlers::{create, list, remove, show};

macro_rules! routes {
    ($($verb:ident $path:literal => $handler:path),* $(,)?) => {
        Router::new()
            $(.route($path, $verb($handler)))*
    };
}

macro_rules! group {
    ($prefix:expr; $($path:literal => [$($methods:expr),+]);+) => {{
        let mut inner = Router::new();
        $(
            $(inner = inner.route($path, $methods);)+
        )+
        Router::new().nest($prefix, inner)
    }};
}

pub fn app() -> Router {
    routes! { //~ routes
        get "/users" => list,
        post "/users" => create,
        delete "/users/{id}" => crate::handlers::remove,
    }
    .layer(from_fn(auth)) //~ auth
    .merge(group!("/n"; "/a" => [get(show), post(create)]; "/b" => [delete(remove)])) //~ group
}
"#,
        &[
            "GET /users @routes list [auth]",
            "POST /users @routes create [auth]",
            "DELETE /users/{id} @routes remove [auth]",
            "GET /n/a @group show",
            "POST /n/a @group create",
            "DELETE /n/b @group remove",
        ],
    ),
    Shape::app(
        "several_arms_and_recursion",
        r#"
use axum::{Router, routing::{get, post}};

use crate::handlers::{create, list, show};

macro_rules! chain {
    (@one $router:expr, GET $path:literal $handler:ident) => {
        $router.route($path, get($handler))
    };
    (@one $router:expr, POST $path:literal $handler:ident) => {
        $router.route($path, post($handler))
    };
    ($router:expr; $verb:ident $path:literal $handler:ident; $($rest:tt)*) => {
        chain!(chain!(@one $router, $verb $path $handler); $($rest)*)
    };
    ($router:expr;) => { $router };
}

pub fn app() -> Router {
    chain! { //~ chain
        Router::new();
        GET "/a" list;
        POST "/b" create;
        GET "/c" show;
    }
}
"#,
        &[
            "GET /a @chain list",
            "POST /b @chain create",
            "GET /c @chain show",
        ],
    ),
    Shape::app(
        "macro_that_makes_a_function",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

macro_rules! resource {
    ($name:ident, $path:literal) => {
        pub fn $name() -> Router {
            Router::new()
                .route($path, get(list))
                .route(concat!($path, "/{id}"), get(show))
        }
    };
}

macro_rules! modules {
    ($($module:ident => $path:literal),*) => {
        $(
            pub mod $module {
                use super::*;
                resource!(routes, $path);
            }
        )*
    };
}

resource!(users, "/users"); //~ users
modules!(orders => "/orders", meals => "/meals"); //~ modules

pub fn app() -> Router {
    Router::new()
        .merge(users()) //~ merged
        .merge(orders::routes()) //~ nested
        .merge(meals::routes()) //~ nested_too
}
"#,
        &[
            // Functions that a macro makes are not read.
            "RG008 @users",
            "RG008 @merged",
            "RG008 @nested",
            "RG008 @nested_too",
        ],
    ),
    Shape::app(
        "hygiene",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

macro_rules! with_own {
    ($outer:expr) => {{
        // Not the caller's variable of that name.
        let router = Router::new().route("/own", get(show));
        $outer.merge(router)
    }};
}

pub fn app() -> Router {
    let router = Router::new()
        .route("/outer", get(list)) //~ outer
        .route_layer(from_fn(auth)); //~ auth
    with_own!(router) //~ own
}
"#,
        &["GET /outer @outer list [auth]", "GET /own @own show"],
    ),
];
