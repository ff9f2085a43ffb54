//! Routers that are lent: to closures that configure them, to plugins, to methods of elsewhere.

use super::{Shape, check};

#[test]
fn lent() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "a_closure_that_configures",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

struct Config {
    router: Router,
}

impl Config {
    fn get(&mut self, path: &str) -> &mut Self {
        self.router = std::mem::take(&mut self.router).route(path, get(show)); //~ get
        self
    }
}

fn build(configure: impl FnOnce(&mut Config)) -> Router {
    let router = Router::new().route("/a", get(list)); //~ a
    let mut config = Config { router: router.layer(from_fn(auth)) }; //~ auth
    configure(&mut config);
    config.router
}

pub fn app() -> Router {
    build(|config| {
        config.get("/x");
        config.get("/y");
    })
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /x @get show",
            "GET /y @get show",
        ],
    ),
    Shape::app(
        "a_plugin_that_registers",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

pub struct Context {
    router: Router,
}

pub trait Plugin {
    fn register(&self, context: &mut Context);
}

pub struct App {
    plugins: Vec<Box<dyn Plugin>>,
}

impl App {
    pub fn build(self) -> Router {
        let router = Router::new().route("/a", get(list)); //~ a
        let mut context = Context { router: router.layer(from_fn(auth)) }; //~ auth
        for plugin in &self.plugins {
            plugin.register(&mut context); //~ registered
        }
        context.router
    }
}

pub fn app() -> Router {
    App { plugins: web_kit::plugins() }.build()
}
"#,
        &["GET /a @a list [auth]", "RG008 @registered"],
    ),
    Shape::files(
        "registrations_that_nothing_serves",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, routing::get};
use handlers::{list, show};

async fn elsewhere() {
    web_kit::run(typed().await).await;
}

async fn typed() -> impl Sized {
    let _ = Router::route(Router::new(), "/path", get(show)); //~ path
    let _ = Router::new().fallback_service(tower_http::services::ServeDir::new("/data")); //~ fallback
}

async fn selected() {
    tokio::select! {
        () = web_kit::run(Router::new().route("/selected", get(show))) => {} //~ selected
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a", get(list)); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
        )],
        &[
            "GET /a @a list",
            "RG011 @path",
            "RG011 @fallback",
            "RG011 @selected",
        ],
    ),
    Shape::files(
        "a_platform_starts_a_function_of_any_name",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, routing::get};

#[shuttle_runtime::main]
async fn web() -> shuttle_axum::ShuttleAxum {
    Ok(Router::new().route("/a", get(handlers::list)).into()) //~ a
}
"#,
        )],
        &["GET /a @a list"],
    ),
];
