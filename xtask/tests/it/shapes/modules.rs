//! Routers of other modules and crates: names, renames, globs, re-exports.

use super::{Shape, check};

#[test]
fn modules() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "one_name_in_many_modules",
        &[
            (
                "src/main.rs",
                r#"
mod handlers;
mod users;
mod orders;
#[path = "shop/meals_routes.rs"]
mod meals;
mod inline {
    pub fn router() -> axum::Router {
        axum::Router::new().route("/inline", axum::routing::get(super::handlers::list)) //~ inline
    }

    pub mod deeper {
        use axum::{Router, routing::get};

        pub fn router() -> Router {
            super::router().route("/deeper", get(crate::handlers::show)) //~ deeper
        }
    }
}

use axum::Router;

fn router() -> Router {
    Router::new()
        .nest("/users", users::router())
        .nest("/orders", orders::router())
        .nest("/meals", self::meals::router())
        .merge(inline::deeper::router())
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, router()).await.unwrap();
}
"#,
            ),
            (
                "src/users.rs",
                r#"
use axum::{Router, routing::get};

use crate::handlers::list;

pub fn router() -> Router {
    Router::new().route("/", get(list)) //~ users
}
"#,
            ),
            (
                "src/orders/mod.rs",
                r#"
pub mod lines;

use axum::{Router, routing::get};

pub fn router() -> Router {
    Router::new()
        .route("/", get(super::handlers::list)) //~ orders
        .nest("/{id}/lines", lines::router())
}
"#,
            ),
            (
                "src/orders/lines.rs",
                r#"
use axum::{Router, routing::post};

use crate::handlers::create;

pub fn router() -> Router {
    Router::new().route("/", post(create)) //~ lines
}
"#,
            ),
            (
                "src/shop/meals_routes.rs",
                r#"
use axum::{Router, routing::get};

use crate::handlers::show;

pub fn router() -> Router {
    Router::new().route("/{id}", get(show)) //~ meals
}
"#,
            ),
        ],
        &[
            "GET /users @users list",
            "GET /orders @orders list",
            "POST /orders/{id}/lines @lines create",
            "GET /meals/{id} @meals show",
            "GET /inline @inline list",
            "GET /deeper @deeper show",
        ],
    ),
    Shape::files(
        "renames_and_globs",
        &[
            (
                "src/main.rs",
                r#"
mod controllers;
mod handlers;
mod prelude;

use controllers::*;
use prelude::{Router, web};

#[tokio::main]
async fn main() {
    let app = Router::new()
        .merge(user_routes())
        .merge(orders::create_routes())
        .merge(controllers::admin_routes())
        .route("/", web::get(start)); //~ start
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "src/prelude.rs",
                r#"
pub use axum::Router;
pub use axum::routing as web;
pub(crate) use crate::handlers::{create, list as all};
"#,
            ),
            (
                "src/controllers/mod.rs",
                r#"
mod admin;
pub mod orders;
mod users;

pub use admin::create_routes as admin_routes;
pub use users::{create_routes as user_routes, start};
"#,
            ),
            (
                "src/controllers/admin.rs",
                r#"
use crate::prelude::*;

pub fn create_routes() -> Router {
    Router::new().route("/admin", web::get(all)) //~ admin
}
"#,
            ),
            (
                "src/controllers/orders.rs",
                r#"
use crate::prelude::{self, web::post};

pub fn create_routes() -> prelude::Router {
    prelude::Router::new().route("/orders", post(prelude::create)) //~ orders
}
"#,
            ),
            (
                "src/controllers/users.rs",
                r#"
use super::super::prelude::*;

pub fn create_routes() -> Router {
    Router::new().route("/users", web::get(all)) //~ users
}

pub async fn start() -> &'static str {
    "start"
}
"#,
            ),
        ],
        &[
            "GET /users @users list",
            "POST /orders @orders create",
            "GET /admin @admin list",
            "GET / @start start",
        ],
    ),
];
