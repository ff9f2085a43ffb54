//! Routers in structs: builders by value and by reference.

use super::{Shape, check};

#[test]
fn builders() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "builder_by_value",
        &[
            (
                "src/main.rs",
                r#"
mod builder;
mod guards;
mod handlers;

use axum::routing::get;
use builder::App;
use handlers::{list, show};

#[tokio::main]
async fn main() {
    let app = App::new("web")
        .with("/a", get(list))
        .guarded()
        .with("/b", get(show))
        .section("/n", |router| router.route("/c", get(list))); //~ c
    app.run().await.unwrap();
}
"#,
            ),
            (
                "src/builder.rs",
                r#"
use axum::{Router, middleware::from_fn, routing::MethodRouter};

use crate::guards::auth;

#[derive(Default)]
pub struct App {
    name: &'static str,
    router: Router,
    port: u16,
}

impl App {
    pub fn new(name: &'static str) -> Self {
        Self { name, port: 80, ..Self::default() }
    }

    pub fn with(self, path: &str, methods: MethodRouter) -> Self {
        Self { router: self.router.route(path, methods), ..self } //~ with
    }

    pub fn guarded(mut self) -> Self {
        self.router = self.router.layer(from_fn(auth)); //~ auth
        self
    }

    pub fn section(self, prefix: &str, build: impl FnOnce(Router) -> Router) -> Self {
        let Self { name, router, port } = self;
        Self { name, router: router.nest(prefix, build(Router::new())), port }
    }

    pub async fn run(self) -> std::io::Result<()> {
        println!("{} listens", self.name);
        let listener = tokio::net::TcpListener::bind(("::", self.port)).await?;
        axum::serve(listener, self.router).await
    }
}
"#,
            ),
        ],
        &[
            "GET /a @with - [auth]",
            "GET /b @with -",
            "GET /n/c @c list",
        ],
    ),
    Shape::app(
        "builder_by_reference",
        r#"
use axum::{Router, middleware::from_fn, routing::{MethodRouter, get}};

use crate::guards::auth;
use crate::handlers::{list, show};

struct Builder {
    router: Router,
    count: usize,
}

impl Builder {
    fn add(&mut self, path: &str, methods: MethodRouter) -> &mut Self {
        self.router = std::mem::take(&mut self.router).route(path, methods); //~ add
        self.count += 1;
        self
    }

    fn guard(&mut self) {
        let router = std::mem::replace(&mut self.router, Router::new());
        self.router = router.layer(from_fn(auth)); //~ auth
    }

    fn finish(self) -> Router {
        self.router
    }
}

fn modules(builder: &mut Builder) {
    builder.add("/c", get(list)).add("/d", get(show));
}

pub fn app() -> Router {
    let mut builder = Builder { router: Router::new(), count: 0 };
    builder.add("/a", get(list)).add("/b", get(show));
    builder.guard();
    modules(&mut builder);
    builder.finish()
}
"#,
        &[
            "GET /a @add - [auth]",
            "GET /b @add - [auth]",
            "GET /c @add -",
            "GET /d @add -",
        ],
    ),
    Shape::app(
        "optional_router_in_a_struct",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

#[derive(Default)]
struct Parts {
    public: Option<Router>,
    staff: Vec<Router>,
}

impl Parts {
    fn public(mut self, router: Router) -> Self {
        self.public = Some(router);
        self
    }

    fn staff(mut self, router: Router) -> Self {
        self.staff.push(router);
        self
    }

    fn build(self) -> Router {
        let mut app = Router::new();
        for router in self.staff {
            app = app.merge(router);
        }
        app = app.route_layer(from_fn(auth)); //~ auth
        if let Some(public) = self.public {
            app = app.merge(public);
        }
        app
    }
}

pub fn app() -> Router {
    Parts::default()
        .staff(Router::new().route("/a", get(list))) //~ a
        .public(Router::new().route("/b", get(show))) //~ b
        .staff(Router::new().route("/c", get(show))) //~ c
        .build()
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /b @b show",
            "GET /c @c show [auth]",
        ],
    ),
    Shape::app(
        "references_that_are_bound",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn add(router: &mut Router, path: &str) {
    let old = std::mem::take(router);
    *router = old.route(path, get(show)); //~ add
}

pub fn app() -> Router {
    let mut router = Router::new();
    let reference = &mut router;
    *reference = std::mem::take(reference).route("/a", get(list)); //~ a
    add(reference, "/b");
    router = router.layer(from_fn(auth)); //~ auth
    add(&mut router, "/c");
    router
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /b @add show [auth]",
            "GET /c @add show",
        ],
    ),
    Shape::app(
        "references_that_are_kept",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

struct App<'a> {
    router: &'a mut Router,
}

impl App<'_> {
    fn add(&mut self, path: &str) {
        *self.router = std::mem::take(self.router).route(path, get(show)); //~ added
    }
}

pub fn app() -> Router {
    let mut router = Router::new().route("/a", get(list)); //~ a
    let mut app = App { router: &mut router }; //~ kept
    app.add("/b");
    router
}
"#,
        // What is done through it is not seen in the router; that it is kept is.
        &["GET /a @a list", "RG008 @kept"],
    ),
    Shape::app(
        "references_that_are_matched",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

pub fn app() -> Router {
    let mut router = Some(Router::new().route("/a", get(list))); //~ a
    if let Some(inner) = &mut router {
        *inner = std::mem::take(inner).route("/b", get(show)); //~ matched
    }
    if let Some(inner) = router.as_mut() {
        *inner = inner.clone().route("/c", get(show)); //~ as_mut
    }
    router.unwrap_or_default()
}
"#,
        &["GET /a @a list", "RG008 @matched", "RG008 @as_mut"],
    ),
];
