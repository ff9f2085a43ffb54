//! Lists of routes that grow, and what iterators make of them.

use super::{Shape, check};

#[test]
fn lists() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "for_each_and_a_changed_variable",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

struct Page {
    path: &'static str,
    title: &'static str,
}

const PAGES: [Page; 2] = [Page { path: "/a", title: "A" }, Page { path: "/b", title: "B" }];

pub fn app() -> Router {
    let mut router = Router::new();
    PAGES.iter().for_each(|page| {
        let title = page.title;
        router = std::mem::take(&mut router).route(page.path, get(move || async move { title })); //~ page
    });
    router.route("/c", get(list)) //~ c
}
"#,
        &[
            "GET /a @page closure",
            "GET /b @page closure",
            "GET /c @c list",
        ],
    ),
    Shape::app(
        "table_that_grows",
        r#"
use axum::{Router, routing::{MethodRouter, get, post}};

use crate::handlers::{create, list, show};

fn orders(all: &mut Vec<(&'static str, MethodRouter)>) {
    all.push(("/orders", post(create)));
}

pub fn app() -> Router {
    let mut all = Vec::new();
    all.push(("/a", get(list)));
    if std::env::args().count() > 1 {
        all.push(("/b", get(show)));
    }
    all.extend([("/c", get(show))]);
    orders(&mut all);
    let mut router = Router::new();
    for (path, methods) in all {
        router = router.route(path, methods); //~ route
    }
    router
}
"#,
        &[
            "GET /a @route list",
            "GET /b @route show",
            "GET /c @route show",
            "POST /orders @route create",
        ],
    ),
    Shape::app(
        "adaptors",
        r#"
use axum::{Router, routing::{get, post}};

use crate::handlers::{create, list, show};

pub fn app() -> Router {
    let mut router = Router::new();
    for (n, (path, methods)) in [("/a", get(list)), ("/b", post(create))].into_iter().enumerate() {
        println!("{n}: {path}");
        router = router.route(path, methods); //~ enumerated
    }
    for (path, title) in ["/c", "/d"].into_iter().zip(["C", "D"]) {
        router = router.route(path, get(move || async move { title })); //~ zipped
    }
    let rest = [("/e", true), ("/f", false)];
    rest.iter()
        .rev()
        .filter(|(_, enabled)| *enabled)
        .fold(router, |router, (path, _)| router.route(path, get(show))) //~ filtered
}
"#,
        &[
            "GET /a @enumerated -",
            "POST /b @enumerated -",
            "GET /c @zipped closure",
            "GET /d @zipped closure",
            // What a filter lets through is not known: all of it is there.
            "GET /e @filtered show",
            "GET /f @filtered show",
        ],
    ),
    Shape::app(
        "lists_that_change",
        r#"
use axum::{Router, routing::{MethodRouter, get, post}};

use crate::handlers::{create, list, show, update};

fn users() -> Vec<(&'static str, MethodRouter)> {
    vec![("/a", get(list))]
}

fn orders() -> Vec<(&'static str, MethodRouter)> {
    vec![("/b", post(create))]
}

pub fn app() -> Router {
    let mut all = users();
    all.append(&mut orders());
    all.insert(0, ("/c", get(show)));
    let mut more = Vec::with_capacity(2);
    more.push(("/d", get(show).put(update)));
    all.extend(more.drain(..));
    all.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods)) //~ fold
}
"#,
        &[
            "GET /a @fold list",
            "POST /b @fold create",
            "GET /c @fold show",
            "GET /d @fold show",
            "PUT /d @fold update",
        ],
    ),
];
