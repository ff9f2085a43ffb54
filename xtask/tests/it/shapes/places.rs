//! Routers that are made in unusual places.

use super::{Shape, check};

#[test]
fn places() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "made_once",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use std::sync::{LazyLock, OnceLock};

use axum::{Router, routing::get};
use handlers::{list, show};

static PAGES: LazyLock<Router> = LazyLock::new(|| Router::new().route("/pages", get(list))); //~ pages
static ONCE: OnceLock<Router> = OnceLock::new();

fn once() -> &'static Router {
    ONCE.get_or_init(|| {
        Router::new().route("/once", get(show)) //~ once
    })
}

#[tokio::main]
async fn main() {
    let app = PAGES.clone().merge(once().clone());
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        &["GET /pages @pages list", "GET /once @once show"],
    ),
    Shape::files(
        "made_in_blocks",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};
use handlers::{list, show};

const fn path() -> &'static str {
    "/const"
}

async fn later() -> Router {
    let made = async { Router::new().route("/later", get(show)) }; //~ later
    made.await
}

#[tokio::main]
async fn main() {
    let app = async {
        let app = Router::new().route(path(), get(list)); //~ const
        Ok::<_, std::io::Error>(app.merge(later().await))
    }
    .await
    .unwrap();
    let app = (|| app.route("/called", get(list)))(); //~ called
    let app = loop {
        break app.route("/looped", get(show)); //~ looped
    };
    let app = 'found: {
        if std::env::args().count() > 1 {
            break 'found app.route("/broken", get(list)); //~ broken
        }
        app.route("/whole", get(list)) //~ whole
    };
    let app = unsafe { app.route("/unsafe", get(show)) }; //~ unsafe
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        &[
            "GET /const @const list",
            "GET /later @later show",
            "GET /called @called list",
            "GET /looped @looped show",
            "GET /broken @broken list",
            "GET /whole @whole list",
            "GET /unsafe @unsafe show",
        ],
    ),
    Shape::files(
        "made_where_nobody_looks",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};
use handlers::{list, show};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() {
    let (send, receive) = oneshot::channel::<Router>();
    send.send(Router::new().route("/sent", get(show))).unwrap(); //~ sent
    let app = Router::new()
        .route("/a", get(list)) //~ a
        .merge(receive.await.unwrap()); //~ received
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        // The sent one is a route all the same, and where it comes out is a finding.
        &["GET /a @a list", "GET /sent @sent show", "RG008 @received"],
    ),
];
