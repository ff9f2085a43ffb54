//! Routers that come back in something else, or from code of elsewhere.

use super::{Shape, check};

#[test]
fn returns() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "tuples",
        r#"
use axum::{Router, routing::get};
use tokio::sync::watch;

use crate::handlers::{list, show};

fn with_stop() -> (Router, watch::Sender<bool>) {
    let (stop, _) = watch::channel(false);
    (Router::new().route("/a", get(list)), stop) //~ a
}

struct Parts(Router, &'static str);

fn parts() -> Parts {
    Parts(Router::new().route("/b", get(show)), "b") //~ b
}

fn pair() -> [Router; 2] {
    [
        Router::new().route("/c", get(list)), //~ c
        Router::new().route("/d", get(show)), //~ d
    ]
}

pub fn app() -> Router {
    let (router, _stop) = with_stop();
    let Parts(more, _) = parts();
    let [first, second] = pair();
    router.merge(more).merge(first).merge(second).nest("/again", with_stop().0)
}
"#,
        &[
            "GET /a @a list",
            "GET /b @b show",
            "GET /c @c list",
            "GET /d @d show",
            "GET /again/a @a list",
        ],
    ),
    Shape::files(
        "results",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use anyhow::{Context as _, Result};
use axum::{Router, middleware::from_fn, routing::get};
use handlers::{list, show};

struct Server {
    router: Router,
    port: u16,
}

fn users() -> Result<Router> {
    let path = std::env::var("USERS").context("`USERS` is not set")?;
    anyhow::ensure!(path.starts_with('/'), "not a path");
    Ok(Router::new().route("/users", get(list))) //~ users
}

fn orders(enabled: bool) -> Option<Router> {
    enabled.then(|| Router::new().route("/orders", get(show))) //~ orders
}

async fn server() -> Result<Server> {
    let router = users()?.merge(orders(true).unwrap_or_default());
    let Some(more) = orders(false) else {
        anyhow::bail!("no orders");
    };
    let router = router.nest("/more", more).layer(from_fn(guards::auth)); //~ auth
    Ok(Server { router, port: 80 })
}

#[tokio::main]
async fn main() -> Result<()> {
    let Server { router, port } = server().await.context("the server cannot start")?;
    let listener = tokio::net::TcpListener::bind(("::", port)).await?;
    axum::serve(listener, router.into_make_service()).await?;
    Ok(())
}
"#,
        )],
        &[
            "GET /users @users list [auth]",
            "GET /orders @orders show [auth]",
            "GET /more/orders @orders show [auth]",
        ],
    ),
    Shape::app(
        "a_router_through_code_of_elsewhere",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use web_kit::with_defaults;

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let router = Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    with_defaults(router) //~ lost
        .route("/b", get(show)) //~ b
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /b @b show",
            // What that function adds may be anything.
            "RG008 @lost",
        ],
    ),
    Shape::app(
        "a_router_of_elsewhere",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

pub fn app() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .merge(web_kit::admin_router()) //~ merged
        .nest("/metrics", web_kit::Metrics::default().into_router()) //~ nested
        .nest_service("/files", web_kit::files()) //~ service
}
"#,
        &[
            "GET /a @a list",
            "RG008 @merged",
            "RG008 @nested",
            "ANY /files @service -",
        ],
    ),
    Shape::app(
        "declared_types_do_not_make_a_router_known",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

#[derive(Default)]
struct Parts {
    router: Router,
    extra: Option<Router>,
}

fn declared() -> Router {
    web_kit::routes()
}

pub fn app() -> Router {
    let empty: Router = Default::default();
    let parts = Parts::default();
    let annotated: Router = web_kit::annotated(); //~ annotated
    let deserialized: Router<()> = web_kit::all().into_iter().next().unwrap(); //~ deserialized
    Router::new()
        .route("/a", get(list)) //~ a
        .merge(empty)
        .merge(parts.router)
        .merge(parts.extra.unwrap_or_default())
        .merge(declared()) //~ declared
        .merge(annotated)
        .nest("/n", deserialized)
}
"#,
        &[
            "GET /a @a list",
            "RG008 @declared",
            "RG008 @annotated",
            "RG008 @deserialized",
        ],
    ),
];
