//! Code of tests, examples and benches: no routes.

use super::{Shape, check};

#[test]
fn test_code() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[Shape::files(
    "tests",
    &[
        (
            "src/main.rs",
            r#"
mod app;
mod handlers;
#[cfg(test)]
mod support;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app::app()).await.unwrap();
}
"#,
        ),
        (
            "src/app.rs",
            r#"
//! ```
//! let app = axum::Router::new().route("/module", axum::routing::get(|| async {}));
//! ```
use axum::{Router, routing::get};

use crate::handlers::list;

/// The app.
///
/// ```
/// let app = axum::Router::new().route("/doc", axum::routing::get(|| async {}));
/// axum::serve(listener, app).await;
/// ```
pub fn app() -> Router {
    let router = Router::new().route("/a", get(list)); //~ a
    #[cfg(test)]
    let router = router.route("/test-only", get(list));
    // router.route("/comment", get(list))
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn serves() {
        let app = app().route("/in-a-test", get(list));
        axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
    }
}

#[cfg(all(test, unix))]
mod more_tests {
    #[tokio::test]
    async fn serves() {
        let app = super::Router::new().route("/in-another", super::get(|| async {}));
        axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
    }
}

#[tokio::test]
async fn bare() {
    let app = Router::new().route("/bare", get(list));
    axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
}
"#,
        ),
        (
            "src/support.rs",
            r#"
use axum::{Router, routing::get};

pub async fn serve() {
    let app = Router::new().route("/support", get(|| async {}));
    axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
}
"#,
        ),
        (
            "tests/it/main.rs",
            r#"
use axum::{Router, routing::get};

#[tokio::test]
async fn serves() {
    let app = Router::new().route("/integration", get(|| async {}));
    axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
}
"#,
        ),
        (
            "examples/hello.rs",
            r#"
#[tokio::main]
async fn main() {
    let app = axum::Router::new().route("/example", axum::routing::get(|| async {}));
    axum::serve(tokio::net::TcpListener::bind("[::1]:0").await.unwrap(), app).await.unwrap();
}
"#,
        ),
        (
            "benches/route.rs",
            r#"
fn main() {
    let app = axum::Router::<()>::new().route("/bench", axum::routing::get(|| async {}));
    let _ = app.into_make_service();
}
"#,
        ),
    ],
    &["GET /a @a list"],
)];
