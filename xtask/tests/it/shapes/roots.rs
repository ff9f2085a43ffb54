//! Where routers end up: how they are served, and values made in unusual places.

use super::{Shape, check};

#[test]
fn roots() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "several_apps_from_one_builder",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use std::net::SocketAddr;

use axum::{Router, middleware::from_fn, routing::{get, post}};
use handlers::{create, health, list};

fn base() -> Router {
    Router::new().route("/health", get(health)) //~ health
}

async fn listen(router: Router, port: u16) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("::", port)).await?;
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap() })
        .await
}

#[tokio::main]
async fn main() {
    let public = base().route("/users", get(list)); //~ users
    let admin = base()
        .route("/users/new", post(create)) //~ new
        .layer(from_fn(guards::auth)); //~ auth
    tokio::try_join!(listen(public, 80), listen(admin, 81)).unwrap();
}
"#,
        )],
        &[
            // One row for both: the layer of the one is around it there only.
            "GET /health @health health [auth?]",
            "GET /users @users list",
            "POST /users/new @new create [auth]",
        ],
    ),
    Shape::files(
        "ways_to_serve",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, ServiceExt as _, extract::Request, routing::get};
use axum_server::tls_rustls::RustlsConfig;
use handlers::{health, list, show};
use tokio::net::TcpListener;
use tower::Layer as _;
use tower_http::normalize_path::NormalizePathLayer;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("[::]:80").await.unwrap();
    let plain = Router::new().route("/plain", get(list)); //~ plain
    let normal = Router::new().route("/normal", get(list)); //~ normal
    let tls = Router::new().route("/tls", get(show)); //~ tls
    let spawned = Router::new().route("/spawned", get(show)); //~ spawned
    let selected = Router::new().route("/selected", get(show)); //~ selected

    tokio::spawn(async move {
        let listener = TcpListener::bind("[::]:81").await.unwrap();
        axum::serve(listener, spawned).await.unwrap();
    });
    let config = RustlsConfig::from_pem_file("cert.pem", "key.pem").await.unwrap();
    tokio::spawn(axum_server::bind_rustls("[::]:443".parse().unwrap(), config).serve(tls.into_make_service()));
    let normal = NormalizePathLayer::trim_trailing_slash().layer(normal); //~ normalize
    let other = TcpListener::bind("[::]:82").await.unwrap();
    let normal = tokio::spawn(async { axum::serve(other, ServiceExt::<Request>::into_make_service(normal)).await });
    let third = TcpListener::bind("[::]:83").await.unwrap();
    tokio::select! {
        ended = axum::serve(listener, plain) => ended.unwrap(),
        ended = axum::serve(third, selected).into_future() => ended.unwrap(),
        ended = normal => ended.unwrap().unwrap(),
        _ = tokio::signal::ctrl_c() => println!("{}", health().await),
    }
}
"#,
        )],
        &[
            "GET /plain @plain list",
            "GET /normal @normal list [normalize]",
            "GET /tls @tls show",
            "GET /spawned @spawned show",
            "GET /selected @selected show",
        ],
    ),
    Shape::files(
        "things_served_without_a_router",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::handler::HandlerWithoutStateExt as _;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let first = TcpListener::bind("[::]:80").await.unwrap();
    let second = TcpListener::bind("[::]:81").await.unwrap();
    tokio::spawn(async {
        axum::serve(first, handlers::list.into_make_service()).await //~ handler
    });
    axum::serve(second, get(handlers::show).into_make_service()).await.unwrap(); //~ methods
}
"#,
        )],
        &["ANY /{*any} @handler list", "GET /{*any} @methods show"],
    ),
    Shape::files(
        "service_that_dispatches_by_itself",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, extract::Request, http::Method, response::Response, routing::get};
use tower::{ServiceExt as _, make::Shared, service_fn};

async fn tunnel(_: Request) -> Result<Response, std::convert::Infallible> {
    Ok(Response::default())
}

#[tokio::main]
async fn main() {
    let router = Router::new().route("/a", get(handlers::list)); //~ a
    let service = service_fn(move |request: Request| { //~ service
        let router = router.clone();
        async move {
            if request.method() == Method::CONNECT {
                tunnel(request).await
            } else {
                router.oneshot(request).await
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, Shared::new(service)).await.unwrap(); //~ serve
}
"#,
        )],
        // What it does before and beside the router is not the router's.
        &["GET /a @a list", "RG008 @serve"],
    ),
    Shape::files(
        "nothing_known_is_served",
        &[(
            "src/main.rs",
            r#"
#[tokio::main]
async fn main() {
    let app = web_kit::app();
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap(); //~ serve
}
"#,
        )],
        &["RG008 @serve"],
    ),
    Shape::files(
        "serving_a_router_that_is_given",
        &[
            (
                "crates/server/src/lib.rs",
                r#"
mod guards;

use axum::{Router, middleware::from_fn, routing::get};

/// Serves what it is given, and its own probe.
pub async fn serve(app: Router, port: u16) -> std::io::Result<()> {
    let app = app
        .layer(from_fn(guards::log)) //~ log
        .route("/livez", get(|| async { "ok" })); //~ livez
    let listener = tokio::net::TcpListener::bind(("::", port)).await?;
    axum::serve(listener, app).await
}
"#,
            ),
            (
                "apps/api/src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/users", get(handlers::list)); //~ users
    server::serve(app, 80).await.unwrap();
}
"#,
            ),
            (
                "apps/site/src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};
use server::serve as run;

#[tokio::main]
async fn main() {
    run(Router::new().route("/", get(handlers::show)), 81).await.unwrap(); //~ home
}
"#,
            ),
        ],
        &[
            "api: GET /users @users list [log]",
            "api: GET /livez @livez closure",
            "site: GET / @home show [log]",
            "site: GET /livez @livez closure",
        ],
    ),
    Shape::files(
        "lambda",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let app = Router::new().route("/users", get(handlers::list)); //~ users
    lambda_http::run(app).await
}
"#,
        )],
        &["GET /users @users list"],
    ),
    Shape::files(
        "served_to_nobody",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};
use handlers::{list, show};

fn old() -> Router {
    Router::new().route("/old", get(show)) //~ old
}

#[tokio::main]
async fn main() {
    let app = Router::new().route("/a", get(list)); //~ a
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        &["GET /a @a list", "RG011 @old"],
    ),
];
