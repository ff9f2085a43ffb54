//! Routers that go through the code of other crates.

use super::{Shape, check};

#[test]
fn outside() {
    check(SHAPES);
}

/// Other crates of these shapes.
const MANIFEST: (&str, &str) = (
    "Cargo.toml",
    r#"
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = "0.8.9"
hyper = "1.8.1"
tokio = "1"
tower = "0.5"
tower-http = "0.6"
utoipa-swagger-ui = "9"
vendor = "1"
"#,
);

/// Serves `app()` of `src/app.rs`.
const MAIN: (&str, &str) = (
    "src/main.rs",
    r#"
mod app;
mod guards;
mod handlers;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app::app()).await.unwrap();
}
"#,
);

const SHAPES: &[Shape] = &[
    Shape::files(
        "what_another_crate_hands_back",
        &[
            MANIFEST,
            MAIN,
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    let app = Router::new().route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    vendor::with_debug_routes(app) //~ vendor
}
"#,
            ),
        ],
        &["GET /a @a list [auth]", "RG008 @vendor"],
    ),
    Shape::files(
        "what_another_crate_hands_back_or_something_else",
        &[
            MANIFEST,
            MAIN,
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let app = Router::new().route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    vendor::wrap(app) //~ vendor
        .or_else(|_| vendor::ok(Router::new().route("/open", get(show)))) //~ open
        .unwrap()
}
"#,
            ),
        ],
        &[
            "GET /a @a list [auth]",
            "GET /open @open show",
            "RG008 @vendor",
            "RG008 @open",
        ],
    ),
    Shape::files(
        "wrappers_that_are_known",
        &[
            MANIFEST,
            (
                "src/main.rs",
                r#"
mod handlers;

use axum::{Router, ServiceExt, extract::Request, routing::get};
use tower::Layer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

fn app() -> Router {
    Router::new().route("/a", get(handlers::list)) //~ a
}

#[tokio::main]
async fn main() {
    let bind = || tokio::net::TcpListener::bind("[::]:80");
    let one = NormalizePathLayer::trim_trailing_slash().layer(app()); //~ one
    let two = NormalizePath::trim_trailing_slash(app()); //~ two
    let three = tower_http::catch_panic::CatchPanic::new(app()); //~ three
    tokio::spawn(async move { axum::serve(bind().await.unwrap(), ServiceExt::<Request>::into_make_service(one)).await });
    tokio::spawn(async move { axum::serve(bind().await.unwrap(), ServiceExt::<Request>::into_make_service(two)).await });
    axum::serve(bind().await.unwrap(), tower::make::Shared::new(three)).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a list [one? two? three?]"],
    ),
    Shape::files(
        "a_module_behind_a_trait_object",
        &[
            MANIFEST,
            MAIN,
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, missing, show};

pub trait Module {
    fn mount(&self, app: Router) -> Router;
}

pub struct Extra;

impl Module for Extra {
    fn mount(&self, app: Router) -> Router {
        app.route("/extra", get(show)) //~ extra
    }
}

pub struct Missing;

impl Module for Missing {
    fn mount(&self, app: Router) -> Router {
        app.fallback(missing) //~ missing
    }
}

pub fn modules() -> Vec<Box<dyn Module>> {
    vendor::discover()
}

pub fn app() -> Router {
    let mut app = Router::new().route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    for module in modules() {
        app = module.mount(app);
    }
    app
}
"#,
            ),
        ],
        &[
            "GET /a @a list [auth]",
            "GET /extra @extra show",
            "ANY <fallback:/> @missing missing",
        ],
    ),
    Shape::files(
        "containers_that_another_crate_serves",
        &[
            MANIFEST,
            (
                "src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};

struct Http {
    app: Router,
}

struct Server {
    http: Option<Http>,
}

#[tokio::main]
async fn main() {
    let two = Router::new().route("/two", get(handlers::list)); //~ two
    vendor::start(vec![
        (8080, Router::new().route("/one", get(handlers::list))), //~ one
        (8081, two),
    ]); //
    let app = Router::new().route("/three", get(handlers::show)); //~ three
    vendor::start(Server { http: Some(Http { app }) }).await;
}
"#,
            ),
        ],
        &[
            "GET /one @one list",
            "GET /two @two list",
            "GET /three @three show",
        ],
    ),
    Shape::files(
        "requests_that_are_passed_on_by_hand",
        &[
            MANIFEST,
            (
                "src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};
use tower::{Service, ServiceExt};

#[tokio::main]
async fn main() {
    let one = Router::new().route("/one", get(handlers::list)); //~ one
    let service = hyper::service::service_fn(move |request| {
        let mut app = one.clone();
        async move { app.ready().await.unwrap().call(request).await }
    });
    vendor::serve_connection(service).await;
    let two = Router::new().route("/two", get(handlers::list)); //~ two
    let service = hyper::service::service_fn(move |request| {
        let mut app = two.clone();
        async move { Service::call(&mut app, request).await }
    });
    vendor::serve_connection(service).await;
}

pub async fn answer(request: vendor::Request) -> vendor::Response {
    let mut app = Router::new().route("/three", get(handlers::show)); //~ three
    app.call(request).await.unwrap()
}
"#,
            ),
        ],
        &[
            "GET /one @one list",
            "GET /two @two list",
            "GET /three @three show",
        ],
    ),
    Shape::files(
        "an_axum_that_another_crate_hands_on",
        &[
            MANIFEST,
            (
                "src/main.rs",
                r#"
mod handlers;

use vendor::axum::{self as web, Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a", get(handlers::list)) //~ a
        .route("/b", web::routing::post(handlers::create)); //~ b
    vendor::axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a list", "POST /b @b create"],
    ),
    Shape::files(
        "documents_of_a_page",
        &[
            MANIFEST,
            MAIN,
            (
                "src/app.rs",
                r#"
use axum::{Router, routing::get};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::handlers::list;

pub fn app() -> Router {
    let docs = SwaggerUi::new("/docs") //~ docs
        .config(Config::new(["/api-docs/a.json"]))
        .urls(vec![ //~ urls
            (Url::new("a", "/api-docs/a.json"), vendor::doc()),
            (Url::with_primary("b", "/api-docs/b.json", true), vendor::doc()),
            ("/api-docs/c.json".into(), vendor::doc()),
        ]);
    let more = SwaggerUi::new("/more").urls(vendor::documents()); //~ more
    Router::new().route("/a", get(list)).merge(docs).merge(more) //~ a
}
"#,
            ),
        ],
        &[
            "GET /a @a list",
            "GET /docs @docs",
            "GET /docs/{*rest} @docs",
            "GET /api-docs/a.json @urls",
            "GET /api-docs/b.json @urls",
            "GET /api-docs/c.json @urls",
            "RG008 @more",
        ],
    ),
    Shape::files(
        "methods_that_another_crate_adds_to_a_method_router",
        &[
            MANIFEST,
            MAIN,
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::get};
use vendor::MethodExt;

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let methods = get(list)
        .layer(from_fn(auth)) //~ auth
        .delete_too(show); //~ added
    Router::new().route("/a", methods) //~ a
}
"#,
            ),
        ],
        &["GET /a @a list [auth]", "RG008 @added"],
    ),
];
