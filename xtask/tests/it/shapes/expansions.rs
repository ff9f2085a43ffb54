//! Macros of other files and crates, and those that cannot be expanded.

use super::{Shape, check};

#[test]
fn expansions() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "defined_elsewhere",
        &[
            (
                "crates/kit/src/lib.rs",
                r#"
pub use axum;

#[macro_export]
macro_rules! healthy {
    ($router:expr) => {
        $router.route("/healthz", $crate::axum::routing::get($crate::healthz))
    };
}

pub async fn healthz() -> &'static str {
    "ok"
}
"#,
            ),
            (
                "apps/web/src/main.rs",
                r#"
#[macro_use]
mod macros;
mod guards;
mod handlers;
mod users;

use axum::{Router, middleware::from_fn};
use kit::healthy;

#[tokio::main]
async fn main() {
    let app = users::routes().layer(from_fn(guards::auth)); //~ auth
    let app = kit::healthy!(Router::new().nest("/api", app).nest("/inner", healthy!(Router::new()))); //~ healthz
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "apps/web/src/macros.rs",
                r#"
macro_rules! read_only {
    ($path:expr => $handler:expr) => {
        axum::Router::new().route($path, axum::routing::get($handler))
    };
}

pub(crate) use read_only as read;
"#,
            ),
            (
                "apps/web/src/users.rs",
                r#"
use axum::Router;

use crate::handlers::{list, show};
use crate::macros::read;

pub fn routes() -> Router {
    read_only!("/users" => list).merge(read!("/users/{id}" => show)) //~ read
}
"#,
            ),
        ],
        &[
            "GET /api/users @read list [auth]",
            "GET /api/users/{id} @read show [auth]",
            "GET /healthz @healthz healthz",
            "GET /inner/healthz @healthz healthz",
        ],
    ),
    Shape::app(
        "that_cannot_be_read",
        r#"
use axum::{Router, routing::get};
use routing_macros::router;

use crate::handlers::list;

pub fn app() -> Router {
    let inner: Router = router! { //~ procedural
        GET "/a" => list;
    };
    Router::new()
        .route("/b", get(list)) //~ b
        .merge(inner)
}
"#,
        &["GET /b @b list", "RG008 @procedural"],
    ),
    Shape::app(
        "of_elsewhere_around_a_router",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let router = Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    web_kit::extend!(router => { //~ macro
        Router::new().route("/b", get(show)) //~ b
    })
}
"#,
        // What it holds are routes all the same; what it does with them is not known.
        &["GET /a @a list [auth]", "GET /b @b show", "RG008 @macro"],
    ),
    Shape::app(
        "around_registrations",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

macro_rules! routes {
    () => { "/macro" };
}

pub fn app() -> Router {
    let router = dbg!(Router::new().route("/a", get(list))); //~ a
    assert!(router.has_routes(), "no routes");
    let router = cfg_select! {
        unix => { router.route("/unix", get(show)) } //~ unix
        _ => { router }
    };
    tracing::info!(path = routes!(), "routes are registered");
    router.route(routes!(), get(show)) //~ macro
}
"#,
        &[
            "GET /a @a list",
            "GET /unix @unix show",
            "GET /macro @macro show",
        ],
    ),
    Shape::app(
        "around_items",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

cfg_if::cfg_if! { //~ items
    if #[cfg(feature = "admin")] {
        fn admin() -> Router {
            Router::new().route("/admin", get(list)) //~ admin
        }
    } else {
        fn admin() -> Router {
            Router::new().route("/no-admin", get(show)) //~ none
        }
    }
}

pub fn app() -> Router {
    admin().route("/a", get(list)) //~ a
}
"#,
        &[
            // Items inside a macro are not read.
            "RG008 @items",
            "RG008 @a",
            "GET /a @a list",
        ],
    ),
    Shape::app(
        "literals_and_raw_names_of_macros",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

macro_rules! make {
    ($path:literal, $flag:literal) => {
        Router::new().route($path, get(list))
    };
    ($path:literal, $flag:expr) => {
        Router::new().route($path, get(list)).layer(from_fn(auth))
    };
}

macro_rules! raw {
    () => {{
        let r#type = Router::new().route("/raw", get(list));
        r#type
    }};
}

pub fn app() -> Router {
    Router::new()
        .merge(make!("/true", true)) //~ yes
        .merge(make!("/less", -1)) //~ less
        .merge(make!("/sum", 1 + 1)) //~ auth_sum
        .merge(raw!()) //~ raw
}
"#,
        &[
            "GET /true @yes list",
            "GET /less @less list",
            "GET /sum @auth_sum list [auth_sum]",
            "GET /raw @raw list",
        ],
    ),
    Shape::files(
        "pieces_of_macros_with_generics",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, middleware::from_fn, routing::get};

#[tokio::main]
async fn main() {
    let first = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    let second = tokio::net::TcpListener::bind("[::]:81").await.unwrap();
    let third = tokio::net::TcpListener::bind("[::]:82").await.unwrap();
    let _ = tokio::try_join!(
        axum::serve(first, Router::new().route("/a", get(handlers::list)).layer(from_fn(guards::auth))).into_future(), //~ auth
        axum::serve::<_, Vec::<Option<u8>>, _>(second, Router::new().route("/open", get(handlers::show))).into_future(), //~ open
    );
    tokio::join!( //~ join
        async {},
        let Some(app) = Some(axum::serve(third, Router::new().route("/b", get(handlers::list)))) else { return },
    );
}
"#,
        )],
        &[
            "GET /a @auth list [auth]",
            "GET /open @open show",
            "RG008 @join",
        ],
    ),
];
