//! Which files a program is made of, and which of them are not there.

use super::{Shape, check};

#[test]
fn files() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "binaries_of_an_inline_list",
        &[
            (
                "Cargo.toml",
                r#"
bin = [{ name = "app", path = "src/main.rs" }, { name = "admin", path = "server/admin.rs" }]

[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = "0.8.9"
tokio = "1"
"#,
            ),
            ("src/main.rs", "fn main() {}\n"),
            (
                "server/admin.rs",
                r#"
#[tokio::main]
async fn main() {
    let app = axum::Router::new().route("/open", axum::routing::get(|| async {})); //~ open
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /open @open"],
    ),
    Shape::files(
        "a_binary_by_a_roundabout_path",
        &[
            (
                "Cargo.toml",
                r#"
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = "0.8.9"
tokio = "1"

[[bin]]
name = "admin"
path = "src/../server/admin.rs"
"#,
            ),
            ("src/main.rs", "fn main() {}\n"),
            (
                "server/admin.rs",
                r#"
#[tokio::main]
async fn main() {
    let app = axum::Router::new().route("/open", axum::routing::get(|| async {})); //~ open
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /open @open"],
    ),
    Shape::files(
        "binaries_that_are_not_there",
        &[
            (
                "Cargo.toml",
                r#"
# Two binaries. //~ manifest
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = "0.8.9"
tokio = "1"

[[bin]]
name = "admin"

[[bin]]
name = "outside"
path = "../outside/main.rs"
"#,
            ),
            (
                "src/main.rs",
                r#"
#[tokio::main]
async fn main() {
    let app = axum::Router::new().route("/a", axum::routing::get(|| async {})); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a", "RG008 @manifest"],
    ),
    Shape::files(
        "modules_that_are_called_as_tests_are",
        &[
            (
                "src/main.rs",
                r#"
mod fixtures;
mod handlers;

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    tokio::spawn(fixtures::start());
    let app = Router::new().route("/a", get(handlers::list)); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
            (
                "src/fixtures/mod.rs",
                r#"
mod examples;

pub async fn start() {
    let listener = tokio::net::TcpListener::bind("[::]:81").await.unwrap();
    axum::serve(listener, examples::app()).await.unwrap();
}
"#,
            ),
            (
                "src/fixtures/examples/mod.rs",
                r#"
use axum::{Router, routing::get};

pub fn app() -> Router {
    Router::new().route("/open", get(crate::handlers::show)) //~ open
}
"#,
            ),
            (
                "src/fixtures/examples/unnamed.rs",
                r#"
async fn start(listener: tokio::net::TcpListener) {
    axum::serve(listener, axum::Router::new().route("/never", axum::routing::get(h))).await;
}
"#,
            ),
            (
                "tests/it/main.rs",
                r#"
async fn start(listener: tokio::net::TcpListener) {
    axum::serve(listener, axum::Router::new().route("/test", axum::routing::get(h))).await;
}
"#,
            ),
        ],
        &["GET /a @a list", "GET /open @open show"],
    ),
    Shape::files(
        "modules_without_a_file",
        &[
            (
                "src/main.rs",
                r#"
mod admin; //~ admin
mod handlers;
#[path = "../../elsewhere/debug.rs"]
mod debug; //~ debug
mod inner {
    mod deeper; //~ deeper
    mod there;
}
mod quiet;
#[cfg(test)]
mod tests;

use axum::{Router, routing::get};

include!("more.inc"); //~ included

#[tokio::main]
async fn main() {
    tokio::spawn(admin::start());
    tokio::spawn(debug::start());
    let app = Router::new().route("/a", get(handlers::list)); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
            ("src/inner/there.rs", "pub fn here() {}\n"),
            ("src/quiet.rs", "mod lost; //~ lost\n"),
        ],
        &[
            "GET /a @a list",
            "RG008 @admin",
            "RG008 @debug",
            "RG008 @deeper",
            "RG008 @included",
            "RG008 @lost",
        ],
    ),
    Shape::files(
        "a_module_of_an_inline_one",
        &[
            (
                "src/main.rs",
                r#"
mod inner {
    pub mod server;
}

#[tokio::main]
async fn main() {
    inner::server::Unseen::start().await;
}
"#,
            ),
            (
                "src/inner/server.rs",
                r#"
async fn listen() {
    let app = axum::Router::new().route("/a", axum::routing::get(|| async {})); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
            ),
        ],
        &["GET /a @a"],
    ),
    Shape::files(
        "modules_under_cfg_without_a_file",
        &[(
            "src/main.rs",
            r#"
mod handlers;
#[cfg(feature = "private")]
mod billing_ee;
#[cfg(feature = "private")]
mod mail_ee;
mod billing {
    #[cfg(feature = "private")]
    pub use crate::billing_ee::*;
    #[cfg(not(feature = "private"))]
    pub fn routes() -> axum::Router {
        axum::Router::new().route("/free", axum::routing::get(crate::handlers::show)) //~ free
    }
}
mod mail {
    #[cfg(feature = "private")]
    pub use crate::mail_ee::*;
    #[cfg(not(feature = "private"))]
    pub fn send() {}
    pub fn check() {}
}

use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    mail::send();
    mail::check();
    #[cfg(feature = "private")]
    tokio::spawn(mail_ee::listen()); //~ listen
    let app = Router::new().route("/a", get(handlers::list)).merge(billing::routes()); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
        )],
        &[
            "GET /a @a list",
            "GET /free @free show",
            "RG008 @a",
            "RG008 @listen",
        ],
    ),
    Shape::files(
        "a_module_whose_file_cfg_attr_chooses",
        &[
            (
                "src/main.rs",
                r#"
mod guards;
mod handlers;
#[cfg_attr(unix, path = "open.rs")]
mod imp;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod signals;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, imp::routes()).await.unwrap();
}
"#,
            ),
            (
                "src/imp.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::get};

pub fn routes() -> Router {
    Router::new().route("/a", get(crate::handlers::list)) //~ a
        .layer(from_fn(crate::guards::auth)) //~ auth
}
"#,
            ),
            (
                "src/open.rs",
                r#"
use axum::{Router, routing::get};

pub fn routes() -> Router {
    Router::new().route("/b", get(crate::handlers::show)) //~ b
}
"#,
            ),
            ("src/unix.rs", "pub fn wait() {}\n"),
            ("src/windows.rs", "pub fn wait() {}\n"),
        ],
        &["GET /a @a list [auth]", "GET /b @b show"],
    ),
];
