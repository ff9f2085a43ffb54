//! What manifests say: renamed crates, sources in other places.

use super::{Shape, check};

#[test]
fn manifests() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "renamed_axum",
        &[
            (
                "Cargo.toml",
                r#"
[workspace]
members = ["apps/one", "apps/two", "apps/three", "crates/kit"]
resolver = "3"

[workspace.dependencies]
axum = "0.8.9"
http-server = { package = "axum", version = "0.8.9" }
kit = { path = "crates/kit" }
"#,
            ),
            (
                "apps/one/Cargo.toml",
                r#"
[package]
name = "one"
version = "0.0.0"
edition = "2024"

[dependencies]
web = { package = "axum", version = "0.8.9", features = ["macros"] }
"#,
            ),
            (
                "apps/one/src/main.rs",
                r#"
use web::{Router, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/one", get(|| async {})); //~ one
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    web::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "apps/two/Cargo.toml",
                r#"
[package]
name = "two"
version = "0.0.0"
edition = "2024"

[dependencies]
http-server.workspace = true
"#,
            ),
            (
                "apps/two/src/main.rs",
                r#"
extern crate http_server as server;

#[tokio::main]
async fn main() {
    let app = server::Router::new().route("/two", server::routing::get(|| async {})); //~ two
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    http_server::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "crates/kit/src/lib.rs",
                r#"
pub use axum;
pub use axum::{Router, routing as verbs};

pub mod prelude {
    pub use super::verbs::{get, post};
    pub use axum::Router as App;
}
"#,
            ),
            (
                "apps/three/Cargo.toml",
                r#"
[package]
name = "three"
version = "0.0.0"
edition = "2024"

[dependencies]
kit = { workspace = true }
"#,
            ),
            (
                "apps/three/src/main.rs",
                r#"
use kit::prelude::*;

#[tokio::main]
async fn main() {
    let app = App::new()
        .route("/get", get(|| async {})) //~ get
        .route("/post", post(|| async {})) //~ post
        .merge(kit::Router::new().route("/put", kit::verbs::put(|| async {}))); //~ put
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    kit::axum::serve(listener, app).await.unwrap();
}
"#,
            ),
        ],
        &[
            "one: GET /one @one closure",
            "two: GET /two @two closure",
            "three: GET /get @get closure",
            "three: POST /post @post closure",
            "three: PUT /put @put closure",
        ],
    ),
    Shape::files(
        "sources_in_other_places",
        &[
            (
                "server/Cargo.toml",
                r#"
[package]
name = "my-server"
version = "0.0.0"
edition = "2024"
autobins = false

[lib]
name = "served"
path = "source/library.rs"

[[bin]]
name = "serve"
path = "programs/serve.rs"

[dependencies]
axum = "0.8.9"
tokio = "1"
"#,
            ),
            (
                "server/source/library.rs",
                r#"
mod r#match;

pub use r#match::r#type as routes;
"#,
            ),
            (
                "server/source/match.rs",
                r#"
use axum::{Router, routing::get};

pub fn r#type() -> Router {
    Router::new().route("/a", get(|| async {})) //~ a
}
"#,
            ),
            (
                "server/programs/serve.rs",
                r#"
mod more {
    #[path = "elsewhere.rs"]
    pub mod there;
}

#[tokio::main]
async fn main() {
    let app = served::routes().merge(more::there::routes());
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "server/programs/more/elsewhere.rs",
                r#"
pub fn routes() -> axum::Router {
    axum::Router::new().route("/b", axum::routing::get(|| async {})) //~ b
}
"#,
            ),
            (
                "Cargo.toml",
                r#"
[workspace]
members = ["server"]
resolver = "3"
"#,
            ),
            (
                "Cargo.lock",
                r#"
version = 4

[[package]]
name = "axum"
version = "0.8.9"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "my-server"
version = "0.0.0"
dependencies = [
 "axum",
]
"#,
            ),
        ],
        &[
            "my-server: GET /a @a closure",
            "my-server: GET /b @b closure",
        ],
    ),
    Shape::files(
        "lines_that_end_as_on_windows",
        &[(
            "src/main.rs",
            "\u{feff}use axum::{Router, routing::get};\r\n\r\n\
             /* ä\r\n */ #[tokio::main]\r\nasync fn main() {\r\n\
             \tlet app = Router::new()\r\n\t\t.route(\"/a\", get(|| async { \"ä\" })); //~ a\r\n\
             \tlet listener = tokio::net::TcpListener::bind(\"[::]:80\").await.unwrap();\r\n\
             \taxum::serve(listener, app).await.unwrap();\r\n}\r\n",
        )],
        &["GET /a @a closure"],
    ),
];
