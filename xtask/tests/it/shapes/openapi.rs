//! utoipa-axum and aide, which describe what they route.

use super::{Shape, check};

#[test]
fn openapi() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "utoipa_axum",
        r#"
use axum::{Router, middleware::from_fn};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guards::auth;

const PREFIX: &str = "/api";

#[derive(OpenApi)]
struct Api;

#[utoipa::path(get, path = "/users", responses((status = 200)))]
async fn list() -> &'static str {
    "list"
}

#[utoipa::path(post, path = "/users", request_body = String)]
async fn create() -> &'static str {
    "create"
}

#[utoipa::path(method(get, head), path = "/both")]
async fn both() -> &'static str {
    "both"
}

#[utoipa::path(delete, path = "")]
async fn remove() -> &'static str {
    "remove"
}

mod orders {
    #[utoipa::path(get, path = "/orders/{id}", tag = "orders", params(("id" = u64, Path)))]
    pub async fn show() -> &'static str {
        "show"
    }
}

pub fn app() -> Router {
    let inner = OpenApiRouter::new().routes(routes!(remove)); //~ remove
    let (router, api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(list, create)) //~ users
        .layer(from_fn(auth)) //~ auth
        .routes(routes!(orders::show)) //~ orders
        .routes(routes!(both).layer(from_fn(auth))) //~ both auth_both
        .nest("/inner", inner)
        .split_for_parts();
    let _ = api.to_json();
    Router::new().nest(PREFIX, router)
}
"#,
        &[
            "GET /api/users @users list [auth]",
            "POST /api/users @users create [auth]",
            "GET /api/orders/{id} @orders show",
            "GET /api/both @both both [auth_both]",
            "HEAD /api/both @both both [auth_both]",
            "DELETE /api/inner @remove remove",
        ],
    ),
    Shape::app(
        "routes_of_several_paths",
        r#"
use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

#[utoipa::path(post, path = "/c")]
async fn create() {}

#[utoipa::path(delete, path = "/c/{id}")]
async fn remove() {}

#[utoipa::path(get, path = "/c")]
async fn list() {}

fn routes() -> OpenApiRouter {
    // Every method is registered on every path.
    OpenApiRouter::new().routes(routes!(create, remove, list)) //~ c
}

pub fn app() -> Router {
    routes().into()
}
"#,
        &[
            "POST /c @c create",
            "DELETE /c @c remove",
            "GET /c @c list",
            "POST /c/{id} @c create",
            "DELETE /c/{id} @c remove",
            "GET /c/{id} @c list",
        ],
    ),
    Shape::app(
        "routes_without_a_description",
        r#"
use axum::{Router, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::handlers::list;

pub fn app() -> Router {
    OpenApiRouter::new()
        .route("/plain", get(list)) //~ plain
        .routes(routes!(web_kit::probe)) //~ probe
        .split_for_parts()
        .0
}
"#,
        &["GET /plain @plain list", "RG008 @probe"],
    ),
    Shape::app(
        "aide",
        r#"
use aide::axum::routing::{delete, get_with, post_with};
use aide::axum::{ApiRouter, IntoApiResponse};
use aide::openapi::OpenApi;
use axum::{Extension, Json, Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{create, list, remove, show};

async fn document(Extension(api): Extension<OpenApi>) -> impl IntoApiResponse {
    Json(api)
}

fn users() -> ApiRouter {
    ApiRouter::new()
        .api_route("/", get_with(list, |op| op.description("all")).post_with(create, |op| op)) //~ users
        .api_route_with("/{id}", delete(remove), |item| item.tag("users")) //~ user
        .layer(from_fn(auth)) //~ auth
}

pub fn app() -> Router {
    let mut api = OpenApi::default();
    ApiRouter::new()
        .nest_api_service("/users", users())
        .api_route("/orders", post_with(create, |op| op)) //~ orders
        .route("/openapi.json", get(document)) //~ document
        .route("/plain", get(show)) //~ plain
        .finish_api(&mut api)
        .layer(Extension(api)) //~ extension
}
"#,
        &[
            "GET /users @users list [auth extension]",
            "POST /users @users create [auth extension]",
            "DELETE /users/{id} @user remove [auth extension]",
            "POST /orders @orders create [extension]",
            "GET /openapi.json @document document [extension]",
            "GET /plain @plain show [extension]",
        ],
    ),
];
