//! Routers of other crates of a workspace, and several binaries of one.

use super::{Shape, check};

#[test]
fn crates() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "crates_of_the_workspace",
        &[
            (
                "crates/user-routes/src/lib.rs",
                r#"
//! ```
//! let router = axum::Router::new().route("/doc", axum::routing::get(|| async {}));
//! ```
mod handlers;
pub mod v2;

pub use axum::Router;
use axum::routing::get;

pub fn routes() -> Router {
    Router::new().route("/users", get(handlers::list)) //~ users
}

/// Not served by anyone.
pub fn unused() -> Router {
    Router::new().route("/unused", get(handlers::list)) //~ unused
}
"#,
            ),
            (
                "crates/user-routes/src/v2.rs",
                r#"
use crate::handlers::show;

pub struct Routes;

impl Routes {
    pub fn build(self) -> crate::Router {
        crate::Router::new().route("/users", axum::routing::get(show)) //~ v2
    }
}
"#,
            ),
            (
                "apps/web/Cargo.toml",
                r#"
[package]
name = "web"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = "0.8.9"
people = { package = "user-routes", path = "../../crates/user-routes" }
tokio = "1"
"#,
            ),
            (
                "apps/web/src/main.rs",
                r#"
use people::v2;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, web::app()).await.unwrap();
}
"#,
            ),
            (
                "apps/web/src/lib.rs",
                r#"
use people::{Router, v2::Routes};

pub fn app() -> Router {
    people::routes().nest("/v2", Routes.build())
}
"#,
            ),
        ],
        &[
            "web: GET /users @users list",
            "web: GET /v2/users @v2 show",
            "RG011 @unused",
        ],
    ),
    Shape::files(
        "two_binaries_of_one_package",
        &[
            (
                "src/lib.rs",
                r#"
mod handlers;

use axum::{Router, routing::{get, post}};

pub fn public() -> Router {
    Router::new().route("/", get(handlers::list)) //~ public
}

pub fn admin() -> Router {
    public().route("/admin", post(handlers::create)) //~ admin
}
"#,
            ),
            (
                "src/bin/public.rs",
                r#"
#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app::public()).await.unwrap();
}
"#,
            ),
            (
                "src/bin/admin/main.rs",
                r#"
mod extra;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::1]:81").await.unwrap();
    let app = app::admin().merge(extra::routes());
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "src/bin/admin/extra.rs",
                r#"
use axum::{Router, routing::get};

pub fn routes() -> Router {
    Router::new().route("/extra", get(|| async { "extra" })) //~ extra
}
"#,
            ),
        ],
        &[
            "app: GET / @public list",
            "app: POST /admin @admin create",
            "app: GET /extra @extra closure",
        ],
    ),
];
