//! Who calls the functions that serve, by which name ever.

use super::{Shape, check};

#[test]
fn callers() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "callers_by_a_re_export_and_by_other_names",
        &[
            (
                "src/main.rs",
                r#"
mod admin;
mod debug;
mod guards;
mod handlers;
mod metrics;
mod prelude;
mod wire;

use axum::{Router, middleware::from_fn, routing::get};

#[tokio::main]
async fn main() {
    tokio::spawn(admin::start());
    tokio::spawn(debug::start());
    tokio::spawn(metrics::start());
    let app = Router::new().route("/a", get(handlers::list)) //~ a
        .layer(from_fn(guards::auth)); //~ auth
    wire::listen(app).await;
}
"#,
            ),
            (
                "src/wire.rs",
                r#"
pub async fn listen(app: axum::Router) {
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
            (
                "src/prelude.rs",
                r#"
pub use crate::wire::listen;
pub use crate::wire::listen as serve_forever;
"#,
            ),
            (
                "src/admin.rs",
                r#"
use crate::prelude::listen;

pub async fn start() {
    listen(axum::Router::new().route("/admin", axum::routing::get(crate::handlers::show))).await; //~ admin
}
"#,
            ),
            (
                "src/debug.rs",
                r#"
use crate::wire::listen as up;

pub async fn start() {
    up(axum::Router::new().route("/debug", axum::routing::get(crate::handlers::show))).await; //~ debug
}
"#,
            ),
            (
                "src/metrics.rs",
                r#"
use crate::prelude::serve_forever as forever;

pub async fn start() {
    forever(axum::Router::new().route("/metrics", axum::routing::get(crate::handlers::show))).await; //~ metrics
}
"#,
            ),
        ],
        &[
            "GET /a @a list [auth]",
            "GET /admin @admin show",
            "GET /debug @debug show",
            "GET /metrics @metrics show",
        ],
    ),
    Shape::files(
        "callers_of_a_type_under_another_name",
        &[
            (
                "src/main.rs",
                r#"
mod admin;
mod handlers;
mod wire;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    tokio::spawn(admin::start());
    let app = Router::new().route("/a", get(handlers::list)); //~ a
    wire::Server::listen(app).await;
}
"#,
            ),
            (
                "src/wire.rs",
                r#"
pub struct Server;

impl Server {
    pub async fn listen(app: axum::Router) {
        axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
    }
}
"#,
            ),
            (
                "src/admin.rs",
                r#"
use crate::wire::Server as Admin;

pub async fn start() {
    Admin::listen(axum::Router::new().route("/admin", axum::routing::get(crate::handlers::show))).await; //~ admin
}
"#,
            ),
        ],
        &["GET /a @a list", "GET /admin @admin show"],
    ),
    Shape::files(
        "callers_by_way_of_another_package",
        &[
            (
                "wire/src/lib.rs",
                r#"
pub async fn listen(app: axum::Router) {
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
            (
                "kit/src/lib.rs",
                r#"
pub use wire::listen;

pub async fn health() {
    wire::listen(axum::Router::new().route("/health", axum::routing::get(|| async {}))).await; //~ health
}
"#,
            ),
            (
                "app/src/main.rs",
                r#"
use axum::routing::get;
use kit::listen;

#[tokio::main]
async fn main() {
    tokio::spawn(start());
}

async fn start() {
    listen(axum::Router::new().route("/a", get(|| async {}))).await; //~ a
}
"#,
            ),
        ],
        &["GET /health @health", "GET /a @a"],
    ),
];
