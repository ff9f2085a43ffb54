//! Routers of crates around axum: typed paths, pages of documentation, other frameworks.

use super::{Shape, check};

#[test]
fn documents() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "typed_paths",
        r#"
use axum::{Router, middleware::from_fn};
use axum_extra::routing::{RouterExt as _, TypedPath};
use serde::Deserialize;

use crate::guards::auth;

#[derive(Deserialize, TypedPath)]
#[typed_path("/users")]
struct Users;

#[derive(Deserialize, TypedPath)]
#[typed_path("/users/{id}", rejection(String))]
struct User {
    id: u64,
}

async fn list(_: Users) -> &'static str {
    "list"
}

async fn show(User { id }: User) -> String {
    id.to_string()
}

async fn remove(path: User, _body: String) -> String {
    path.id.to_string()
}

pub fn app() -> Router {
    Router::new()
        .typed_get(list) //~ list
        .typed_delete(remove) //~ remove
        .layer(from_fn(auth)) //~ auth
        .typed_get(show) //~ show
        .route(Users::PATH, axum::routing::post(|| async {})) //~ create
        .route(axum_extra::vpath!("/checked/{id}"), axum::routing::get(|| async {})) //~ checked
}
"#,
        &[
            "GET /users @list list [auth]",
            "DELETE /users/{id} @remove remove [auth]",
            "GET /users/{id} @show show",
            "POST /users @create closure",
            "GET /checked/{id} @checked closure",
        ],
    ),
    Shape::app(
        "trailing_slashes_and_resources",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use axum_extra::routing::{Resource, RouterExt as _};
use tower_http::services::ServeFile;

use crate::guards::auth;
use crate::handlers::{create, list, remove, show, update};

pub fn app() -> Router {
    let users = Resource::named("users")
        .index(list) //~ index
        .create(create) //~ create
        .show(show) //~ show
        .update(update) //~ update
        .destroy(remove); //~ destroy
    Router::new()
        .route_with_tsr("/a", get(list).route_layer(from_fn(auth))) //~ a auth_a
        .route_with_tsr("/b/", get(show)) //~ b
        .route_service_with_tsr("/c", ServeFile::new("c.html")) //~ c
        .merge(users)
}
"#,
        &[
            "GET /a @a list [auth_a]",
            "ANY /a/ @a redirect",
            "GET /b/ @b show",
            "ANY /b @b redirect",
            "ANY /c @c -",
            "ANY /c/ @c redirect",
            "GET /users @index list",
            "POST /users @create create",
            "GET /users/{users_id} @show show",
            "PUT /users/{users_id} @update update",
            "PATCH /users/{users_id} @update update",
            "DELETE /users/{users_id} @destroy remove",
        ],
    ),
    Shape::app(
        "pages_of_documentation",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use utoipa::OpenApi;
use utoipa_rapidoc::RapiDoc;
use utoipa_redoc::{Redoc, Servable as _};
use utoipa_scalar::{Scalar, Servable as _};
use utoipa_swagger_ui::SwaggerUi;

use crate::guards::auth;
use crate::handlers::list;

#[derive(OpenApi)]
struct Api;

pub fn app() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
        .merge(SwaggerUi::new("/docs").url("/openapi.json", Api::openapi())) //~ swagger
        .merge(Scalar::with_url("/scalar", Api::openapi())) //~ scalar
        .merge(Redoc::with_url("/redoc", Api::openapi())) //~ redoc
        .merge(RapiDoc::with_openapi("/rapidoc.json", Api::openapi()).path("/rapidoc")) //~ rapidoc
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /docs @swagger -",
            "GET /docs/{*rest} @swagger -",
            "GET /openapi.json @swagger -",
            "GET /scalar @scalar -",
            "GET /redoc @redoc -",
            "GET /rapidoc.json @rapidoc -",
            "GET /rapidoc @rapidoc -",
        ],
    ),
    Shape::app(
        "routers_of_other_frameworks",
        r#"
use axum::{Router, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use leptos::{IntoView, component, config::LeptosOptions, view};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tonic::service::Routes;

use crate::handlers::list;

#[component]
fn Pages() -> impl IntoView {
    view! { <p>"page"</p> }
}

pub fn app() -> Router {
    let (metrics, handle) = PrometheusMetricLayer::pair();
    let options = LeptosOptions::builder().output_name("app").build();
    let pages = generate_route_list(Pages);
    let grpc = Routes::default().prepare().into_axum_router(); //~ grpc
    Router::new()
        .route("/a", get(list)) //~ a
        .route("/metrics", get(move || async move { handle.render() })) //~ metrics
        .leptos_routes(&options, pages, Pages) //~ leptos
        .layer(metrics) //~ layer
        .merge(grpc)
}
"#,
        &[
            "GET /a @a list [layer]",
            "GET /metrics @metrics closure [layer]",
            "RG008 @leptos",
            "ANY <fallback:/> @grpc unimplemented",
        ],
    ),
];
