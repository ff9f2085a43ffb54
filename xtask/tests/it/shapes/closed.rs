//! What cannot be read is a finding, wherever it hides.

use super::{Shape, check};

#[test]
fn closed() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "a_file_that_is_no_rust",
        &[
            (
                "src/main.rs",
                r#"
mod handlers;
mod users;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a", get(handlers::list)).merge(users::routes()); //~ a merge
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "src/users.rs",
                r#"
use axum::{Router, routing::get};

pub fn routes() -> Router {
    Router::new().route("/users", get(|| async { "users" )) //~ broken
}
"#,
            ),
        ],
        &["GET /a @a list", "RG008 @merge", "RG008 @broken"],
    ),
    Shape::files(
        "included_and_generated_code",
        &[(
            "src/main.rs",
            r#"
mod handlers;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/routes.rs"));
}

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/a", get(handlers::list)) //~ a
        .merge(generated::routes()) //~ generated
        .nest("/more", include!("more.rs")); //~ included
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        &["GET /a @a list", "RG008 @generated", "RG008 @included"],
    ),
    Shape::files(
        "an_axum_of_another_time",
        &[
            (
                "Cargo.lock",
                r#"
version = 4

[[package]]
name = "app"
version = "0.0.0"
dependencies = [
 "axum",
]

[[package]]
name = "axum"
version = "0.5.17"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#,
            ),
            (
                "src/main.rs",
                r#"
//! Served by hyper. //~ first
mod handlers;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a", get(handlers::list)); //~ a
    axum::Server::bind(&"[::]:80".parse().unwrap()).serve(app.into_make_service()).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a list", "RG008 @first"],
    ),
    Shape::files(
        "an_axum_whose_version_nothing_tells",
        &[
            ("Cargo.lock", "version = 4\n"),
            (
                "Cargo.toml",
                r#"
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = { git = "https://example.test/axum" }
"#,
            ),
            (
                "src/main.rs",
                r#"
//! Served. //~ top
mod handlers;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a/:id", get(handlers::list)); //~ id
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a/:id @id list", "RG008 @top", "RG011 @id"],
    ),
    Shape::files(
        "a_router_lost_on_two_ways",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};
use handlers::{list, show};
use tower::wrapped;

fn shared() -> Router {
    wrapped(Router::new().route("/shared", get(list))) //~ shared
}

async fn first(listener: tokio::net::TcpListener) {
    let shared = shared();
    axum::serve(listener, shared).await.unwrap(); //~ serve_first
}

async fn second(listener: tokio::net::TcpListener) {
    wrapped(Router::new().route("/alone", get(show))); //~ alone
    let shared = shared();
    axum::serve(listener, shared).await.unwrap(); //~ serve_second
}

#[tokio::main]
async fn main() {
    first(tokio::net::TcpListener::bind("[::]:80").await.unwrap()).await;
    second(tokio::net::TcpListener::bind("[::]:81").await.unwrap()).await;
}
"#,
        )],
        &[
            "GET /shared @shared list",
            "GET /alone @alone show",
            "RG008 @shared",
        ],
    ),
    Shape::app(
        "routers_out_of_collections_of_elsewhere",
        r#"
use std::collections::BTreeMap;

use axum::{Router, routing::get};
use linkme::distributed_slice;

use crate::handlers::{list, show};

#[distributed_slice]
pub static MODULES: [fn() -> Router];

#[distributed_slice(MODULES)]
fn users() -> Router {
    Router::new().route("/users", get(list)) //~ users
}

pub fn app() -> Router {
    let mut named: BTreeMap<&str, Router> = BTreeMap::new();
    named.insert("/inserted", Router::new().route("/x", get(show))); //~ x
    let mut app = Router::new().route("/a", get(list)); //~ a
    for module in MODULES {
        app = app.merge(module()); //~ slice
    }
    for (prefix, router) in named {
        app = app.nest(prefix, router); //~ map
    }
    app
}
"#,
        // What goes into the map is a route all the same, though its prefix is lost.
        &[
            "GET /a @a list",
            "GET /x @x show",
            "RG008 @slice",
            "RG008 @map",
            "RG011 @users",
        ],
    ),
    Shape::app(
        "a_router_from_unknown_fields",
        r#"
use axum::{Router, extract::FromRef, routing::get};
use web_kit::Context;

use crate::handlers::list;

pub fn build(context: &Context) -> Router {
    let router = context.router.clone();
    router.route("/a", get(list)) //~ a
}

pub fn app() -> Router {
    let context = Context::load();
    build(&context).merge(Router::from_ref(&context)) //~ from_ref
}
"#,
        // What was in the router before is not known.
        &["RG008 @a", "RG008 @from_ref"],
    ),
];
