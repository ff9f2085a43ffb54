//! What answers: a handler is any expression, and no form of it loses the route.

use super::{Shape, check};

#[test]
fn handlers() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "paths_of_functions",
        r#"
use axum::{Json, Router, extract::Path, routing::get};

use crate::handlers;

struct Users;

impl Users {
    async fn list() -> &'static str {
        "users"
    }
}

trait Page {
    fn page() -> impl Future<Output = &'static str> + Send;
}

impl Page for Users {
    async fn page() -> &'static str {
        "page"
    }
}

async fn entity<T: Default + serde::Serialize>(Path(_): Path<u64>) -> Json<T> {
    Json(T::default())
}

pub fn app() -> Router {
    async fn nested() -> &'static str {
        "nested"
    }
    Router::new()
        .route("/a", get(handlers::list)) //~ a
        .route("/b", get(Users::list)) //~ b
        .route("/c", get(<Users as Page>::page)) //~ c
        .route("/d/{id}", get(entity::<Vec<String>>)) //~ d
        .route("/e", get(nested)) //~ e
}
"#,
        &[
            "GET /a @a list",
            "GET /b @b list",
            "GET /c @c page",
            "GET /d/{id} @d entity",
            "GET /e @e nested",
        ],
    ),
    Shape::app(
        "closures",
        r#"
use std::sync::Arc;

use axum::{Router, response::Redirect, routing::{get, post}};

pub fn app() -> Router {
    let pool = Arc::new(String::from("pool"));
    Router::new()
        .route("/a", get(|| async { "a" })) //~ a
        .route("/b", get(async || "b")) //~ b
        .route("/c", get(move |uri: axum::http::Uri| async move { uri.to_string() })) //~ c
        .route("/d", post({ //~ d
            let pool = Arc::clone(&pool);
            move |body: String| {
                let pool = Arc::clone(&pool);
                async move { format!("{pool}{body}") }
            }
        }))
        .route("/old", get(|| async { Redirect::permanent("/new") })) //~ old
}
"#,
        &[
            "GET /a @a closure",
            "GET /b @b closure",
            "GET /c @c closure",
            "POST /d @d closure",
            "GET /old @old closure",
        ],
    ),
    Shape::app(
        "constants",
        r#"
use axum::{Json, Router, http::{StatusCode, header}, routing::{delete, get}};

pub fn app() -> Router {
    let version = env!("CARGO_PKG_VERSION");
    Router::new()
        .route("/version", get(version)) //~ version
        .route("/livez", get(StatusCode::OK)) //~ livez
        .route("/gone", get((StatusCode::GONE, "gone")).delete(StatusCode::GONE)) //~ gone
        .route("/style.css", get(([(header::CONTENT_TYPE, "text/css")], include_str!("style.css")))) //~ style
        .route("/json", delete(Json("x"))) //~ json
}
"#,
        &[
            "GET /version @version -",
            "GET /livez @livez -",
            "GET /gone @gone -",
            "DELETE /gone @gone -",
            "GET /style.css @style -",
            "DELETE /json @json -",
        ],
    ),
    Shape::app(
        "functions_that_make_handlers",
        r#"
use axum::{Router, extract::Request, handler::Handler, response::Response, routing::{get, post, any_service}};
use axum::middleware::from_fn;
use tower::ServiceExt;

use crate::guards::{auth, log};
use crate::handlers::{create, list, show};

fn serve_page(name: &'static str) -> impl Handler<(), ()> + Clone {
    move || async move { name }
}

pub fn app() -> Router {
    let page = serve_page("about");
    Router::new()
        .route("/about", get(page)) //~ about
        .route("/terms", get(serve_page("terms"))) //~ terms
        .route("/one", get(show.layer(from_fn(log))).post(create)) //~ one log
        .route("/two", post(create.layer(from_fn(auth))).get(list)) //~ two auth
        .route("/three", any_service(list.with_state(()))) //~ three
        .route("/four", any_service(tower::service_fn(|_: Request| async { //~ four
            Ok::<_, std::convert::Infallible>(Response::default())
        }).boxed_clone()))
}
"#,
        &[
            "GET /about @about -",
            "GET /terms @terms -",
            "GET /one @one - [log]",
            "POST /one @one create",
            "POST /two @two - [auth]",
            "GET /two @two list",
            "ANY /three @three -",
            "ANY /four @four -",
        ],
    ),
    Shape::app(
        "fields_and_elements",
        r#"
use axum::{Router, response::IntoResponse, routing::get};

#[derive(Clone, Copy)]
struct Pages<H> {
    home: H,
    others: [&'static str; 2],
}

fn pages<H: IntoResponse + Clone + Send + Sync + 'static>(pages: Pages<H>) -> Router {
    Router::new()
        .route("/", get(pages.home)) //~ home
        .route("/first", get(pages.others[0])) //~ first
        .route("/second", get(if cfg!(debug_assertions) { pages.others[0] } else { pages.others[1] })) //~ second
}

pub fn app() -> Router {
    pages(Pages { home: "home", others: ["first", "second"] })
}
"#,
        &[
            "GET / @home -",
            "GET /first @first -",
            "GET /second @second -",
        ],
    ),
];
